//! The S-boxes in 165 gates (23 21 21 15 23 22 20 20): three-input look-ups.
//!
//! Generated from `lut3.txt` by `scripts/des-sbox`; do not edit.

use super::LookUp;

/// S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.
#[inline(always)]
pub fn sbox<const BOX: usize, L: LookUp>(inputs: [L; 6]) -> [L; 4] {
    match BOX {
        0 => s1(inputs),
        1 => s2(inputs),
        2 => s3(inputs),
        3 => s4(inputs),
        4 => s5(inputs),
        5 => s6(inputs),
        6 => s7(inputs),
        _ => s8(inputs),
    }
}

/// S1: 23 gates on a longest path of 13.
#[inline(always)]
fn s1<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.look_up::<148>(w4, w3);
    let w7 = w2.look_up::<132>(w4, w3);
    let w8 = w0.look_up::<97>(w3, w7);
    let w9 = w0.look_up::<44>(w7, w6);
    let w10 = w0.look_up::<84>(w5, w3);
    let w11 = w5.look_up::<101>(w9, w10);
    let w12 = w11.look_up::<104>(w8, w3);
    let w13 = w4.look_up::<18>(w2, w12);
    let w14 = w1.look_up::<161>(w8, w13);
    let w15 = w2.look_up::<105>(w6, w14);
    let w16 = w15.look_up::<151>(w1, w8);
    let w17 = w16.look_up::<105>(w9, w11);
    let w18 = w13.look_up::<147>(w11, w3);
    let w19 = w17.look_up::<169>(w14, w18);
    let w20 = w4.look_up::<200>(w14, w8);
    let w21 = w9.look_up::<114>(w20, w18);
    let w22 = w7.look_up::<44>(w20, w15);
    let w23 = w5.look_up::<178>(w2, w22);
    let w24 = w1.look_up::<105>(w21, w23);
    let w25 = w15.look_up::<109>(w23, w19);
    let w26 = w25.look_up::<150>(w21, w22);
    let w27 = w10.look_up::<36>(w4, w14);
    let w28 = w26.look_up::<135>(w27, w24);
    [w15, w19, w24, w28]
}

/// S2: 21 gates on a longest path of 13.
#[inline(always)]
fn s2<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.look_up::<126>(w0, w4);
    let w7 = w0.look_up::<77>(w5, w1);
    let w8 = w5.look_up::<212>(w4, w7);
    let w9 = w6.look_up::<96>(w8, w2);
    let w10 = w3.look_up::<150>(w9, w1);
    let w11 = w0.look_up::<149>(w4, w1);
    let w12 = w4.look_up::<227>(w11, w5);
    let w13 = w2.look_up::<150>(w10, w7);
    let w14 = w10.look_up::<44>(w11, w1);
    let w15 = w13.look_up::<180>(w8, w14);
    let w16 = w6.look_up::<18>(w12, w15);
    let w17 = w0.look_up::<150>(w10, w16);
    let w18 = w7.look_up::<116>(w17, w11);
    let w19 = w15.look_up::<110>(w10, w5);
    let w20 = w4.look_up::<96>(w19, w16);
    let w21 = w18.look_up::<150>(w15, w20);
    let w22 = w21.look_up::<147>(w12, w15);
    let w23 = w22.look_up::<150>(w7, w17);
    let w24 = w19.look_up::<142>(w4, w11);
    let w25 = w0.look_up::<54>(w24, w21);
    let w26 = w23.look_up::<135>(w25, w5);
    [w17, w21, w26, w15]
}

/// S3: 21 gates on a longest path of 11.
#[inline(always)]
fn s3<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.look_up::<105>(w0, w3);
    let w7 = w6.look_up::<135>(w2, w1);
    let w8 = w4.look_up::<105>(w2, w3);
    let w9 = w8.look_up::<120>(w3, w5);
    let w10 = w4.look_up::<154>(w8, w1);
    let w11 = w8.look_up::<78>(w9, w10);
    let w12 = w3.look_up::<201>(w11, w0);
    let w13 = w7.look_up::<212>(w11, w12);
    let w14 = w4.look_up::<150>(w10, w6);
    let w15 = w14.look_up::<223>(w5, w12);
    let w16 = w4.look_up::<108>(w13, w15);
    let w17 = w9.look_up::<212>(w3, w7);
    let w18 = w1.look_up::<92>(w9, w17);
    let w19 = w14.look_up::<139>(w0, w18);
    let w20 = w2.look_up::<113>(w0, w19);
    let w21 = w0.look_up::<4>(w17, w20);
    let w22 = w11.look_up::<182>(w6, w21);
    let w23 = w12.look_up::<183>(w20, w6);
    let w24 = w22.look_up::<152>(w21, w12);
    let w25 = w23.look_up::<133>(w24, w1);
    let w26 = w10.look_up::<45>(w25, w15);
    [w16, w22, w26, w19]
}

/// S4: 15 gates on a longest path of 8.
#[inline(always)]
fn s4<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w2.look_up::<26>(w0, w0);
    let w7 = w5.look_up::<150>(w6, w4);
    let w8 = w3.look_up::<66>(w2, w4);
    let w9 = w1.look_up::<75>(w6, w8);
    let w10 = w9.look_up::<96>(w0, w4);
    let w11 = w3.look_up::<150>(w1, w8);
    let w12 = w11.look_up::<130>(w0, w6);
    let w13 = w3.look_up::<156>(w10, w12);
    let w14 = w4.look_up::<20>(w0, w8);
    let w15 = w9.look_up::<30>(w13, w14);
    let w16 = w7.look_up::<106>(w15, w13);
    let w17 = w5.look_up::<150>(w15, w16);
    let w18 = w12.look_up::<62>(w14, w7);
    let w19 = w18.look_up::<156>(w17, w12);
    let w20 = w14.look_up::<105>(w18, w16);
    [w16, w17, w19, w20]
}

/// S5: 23 gates on a longest path of 10.
#[inline(always)]
fn s5<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.look_up::<182>(w2, w4);
    let w7 = w4.look_up::<149>(w0, w1);
    let w8 = w2.look_up::<194>(w5, w0);
    let w9 = w7.look_up::<126>(w0, w8);
    let w10 = w9.look_up::<135>(w6, w8);
    let w11 = w1.look_up::<105>(w5, w6);
    let w12 = w7.look_up::<27>(w11, w0);
    let w13 = w2.look_up::<82>(w12, w5);
    let w14 = w6.look_up::<23>(w10, w13);
    let w15 = w4.look_up::<209>(w12, w2);
    let w16 = w3.look_up::<201>(w11, w10);
    let w17 = w7.look_up::<52>(w15, w16);
    let w18 = w16.look_up::<143>(w17, w4);
    let w19 = w17.look_up::<100>(w18, w7);
    let w20 = w5.look_up::<135>(w3, w9);
    let w21 = w20.look_up::<144>(w13, w11);
    let w22 = w3.look_up::<97>(w17, w9);
    let w23 = w19.look_up::<246>(w21, w22);
    let w24 = w14.look_up::<45>(w3, w23);
    let w25 = w8.look_up::<88>(w15, w12);
    let w26 = w5.look_up::<145>(w22, w25);
    let w27 = w1.look_up::<105>(w26, w18);
    let w28 = w27.look_up::<45>(w21, w24);
    [w24, w16, w26, w28]
}

/// S6: 22 gates on a longest path of 15.
#[inline(always)]
fn s6<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w3.look_up::<241>(w2, w4);
    let w7 = w0.look_up::<121>(w5, w1);
    let w8 = w4.look_up::<120>(w0, w7);
    let w9 = w0.look_up::<156>(w1, w8);
    let w10 = w8.look_up::<180>(w2, w9);
    let w11 = w10.look_up::<112>(w5, w7);
    let w12 = w2.look_up::<105>(w9, w11);
    let w13 = w3.look_up::<182>(w7, w4);
    let w14 = w5.look_up::<149>(w0, w10);
    let w15 = w14.look_up::<198>(w4, w8);
    let w16 = w13.look_up::<150>(w15, w12);
    let w17 = w4.look_up::<120>(w10, w12);
    let w18 = w5.look_up::<176>(w16, w17);
    let w19 = w12.look_up::<203>(w9, w18);
    let w20 = w11.look_up::<101>(w19, w18);
    let w21 = w6.look_up::<105>(w9, w20);
    let w22 = w21.look_up::<139>(w18, w19);
    let w23 = w3.look_up::<147>(w14, w22);
    let w24 = w21.look_up::<13>(w15, w20);
    let w25 = w4.look_up::<39>(w24, w5);
    let w26 = w23.look_up::<89>(w25, w24);
    let w27 = w16.look_up::<105>(w1, w26);
    [w21, w27, w16, w23]
}

/// S7: 20 gates on a longest path of 14.
#[inline(always)]
fn s7<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w1.look_up::<108>(w3, w5);
    let w7 = w4.look_up::<105>(w5, w6);
    let w8 = w0.look_up::<150>(w7, w2);
    let w9 = w5.look_up::<22>(w2, w1);
    let w10 = w1.look_up::<135>(w4, w3);
    let w11 = w0.look_up::<197>(w8, w1);
    let w12 = w2.look_up::<75>(w5, w11);
    let w13 = w3.look_up::<44>(w10, w12);
    let w14 = w9.look_up::<105>(w10, w13);
    let w15 = w8.look_up::<46>(w14, w4);
    let w16 = w15.look_up::<105>(w6, w1);
    let w17 = w3.look_up::<137>(w2, w12);
    let w18 = w16.look_up::<150>(w14, w17);
    let w19 = w8.look_up::<45>(w13, w12);
    let w20 = w19.look_up::<237>(w14, w16);
    let w21 = w4.look_up::<246>(w7, w20);
    let w22 = w0.look_up::<156>(w18, w21);
    let w23 = w13.look_up::<25>(w22, w5);
    let w24 = w6.look_up::<67>(w5, w8);
    let w25 = w23.look_up::<105>(w24, w20);
    [w22, w16, w25, w19]
}

/// S8: 20 gates on a longest path of 11.
#[inline(always)]
fn s8<L: LookUp>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.look_up::<226>(w0, w4);
    let w7 = w3.look_up::<180>(w4, w2);
    let w8 = w2.look_up::<120>(w6, w7);
    let w9 = w0.look_up::<222>(w1, w7);
    let w10 = w4.look_up::<114>(w2, w3);
    let w11 = w0.look_up::<191>(w10, w1);
    let w12 = w8.look_up::<133>(w9, w11);
    let w13 = w5.look_up::<225>(w1, w10);
    let w14 = w4.look_up::<150>(w12, w13);
    let w15 = w0.look_up::<120>(w5, w14);
    let w16 = w1.look_up::<181>(w15, w7);
    let w17 = w8.look_up::<120>(w9, w16);
    let w18 = w14.look_up::<29>(w15, w17);
    let w19 = w13.look_up::<169>(w1, w7);
    let w20 = w18.look_up::<150>(w1, w19);
    let w21 = w11.look_up::<169>(w14, w17);
    let w22 = w5.look_up::<27>(w14, w17);
    let w23 = w15.look_up::<57>(w19, w22);
    let w24 = w5.look_up::<46>(w20, w21);
    let w25 = w23.look_up::<210>(w24, w15);
    [w20, w14, w21, w25]
}
