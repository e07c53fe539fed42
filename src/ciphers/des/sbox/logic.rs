//! The S-boxes in 340 gates (53 41 43 27 52 45 39 40): AND, OR, XOR and AND-NOT.
//!
//! Generated from `logic.txt` by `scripts/des-sbox`; do not edit.

use super::Logic;

/// S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.
#[inline(always)]
pub fn sbox<const BOX: usize, L: Logic>(inputs: [L; 6]) -> [L; 4] {
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

/// The inputs that each box takes inverted, b1 in bit 5.
pub const INVERTED: [u8; 8] =
    [0b000001, 0b100000, 0b000010, 0b001000, 0b010011, 0b010000, 0b000011, 0b110000];

/// S1: 53 gates on a longest path of 25.
#[inline(always)]
fn s1<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.xor(w4);
    let w7 = w5.and(w6);
    let w8 = w3.and_not(w7);
    let w9 = w6.xor(w8);
    let w10 = w8.xor(w2);
    let w11 = w10.xor(w0);
    let w12 = w4.and_not(w10);
    let w13 = w0.and_not(w12);
    let w14 = w3.xor(w13);
    let w15 = w14.and_not(w4);
    let w16 = w15.or(w9);
    let w17 = w11.and(w16);
    let w18 = w17.or(w2);
    let w19 = w14.or(w1);
    let w20 = w18.and(w19);
    let w21 = w20.xor(w1);
    let w22 = w9.xor(w21);
    let w23 = w22.xor(w2);
    let w24 = w23.or(w19);
    let w25 = w24.and_not(w14);
    let w26 = w12.and_not(w17);
    let w27 = w0.and_not(w9);
    let w28 = w26.xor(w27);
    let w29 = w25.or(w28);
    let w30 = w5.or(w28);
    let w31 = w5.and_not(w0);
    let w32 = w31.or(w3);
    let w33 = w30.xor(w32);
    let w34 = w20.and(w23);
    let w35 = w33.xor(w34);
    let w36 = w29.xor(w35);
    let w37 = w36.and_not(w21);
    let w38 = w3.and_not(w18);
    let w39 = w33.xor(w38);
    let w40 = w37.xor(w39);
    let w41 = w5.or(w2);
    let w42 = w12.xor(w21);
    let w43 = w42.and_not(w15);
    let w44 = w24.and(w43);
    let w45 = w44.and_not(w22);
    let w46 = w41.and_not(w45);
    let w47 = w39.and_not(w43);
    let w48 = w26.xor(w47);
    let w49 = w46.xor(w48);
    let w50 = w49.xor(w1);
    let w51 = w23.xor(w46);
    let w52 = w4.xor(w51);
    let w53 = w29.xor(w52);
    let w54 = w53.or(w35);
    let w55 = w51.and_not(w44);
    let w56 = w48.xor(w55);
    let w57 = w54.and_not(w56);
    let w58 = w57.xor(w40);
    [w23, w40, w50, w58]
}

/// S2: 41 gates on a longest path of 26.
#[inline(always)]
fn s2<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.xor(w4);
    let w7 = w5.xor(w0);
    let w8 = w7.and_not(w6);
    let w9 = w1.xor(w0);
    let w10 = w7.and(w9);
    let w11 = w10.xor(w2);
    let w12 = w4.xor(w11);
    let w13 = w12.and_not(w8);
    let w14 = w13.xor(w3);
    let w15 = w0.and_not(w4);
    let w16 = w15.xor(w9);
    let w17 = w10.xor(w16);
    let w18 = w6.xor(w17);
    let w19 = w17.and(w18);
    let w20 = w19.xor(w1);
    let w21 = w20.and_not(w15);
    let w22 = w14.and_not(w21);
    let w23 = w22.xor(w2);
    let w24 = w23.xor(w18);
    let w25 = w5.and_not(w24);
    let w26 = w23.or(w25);
    let w27 = w6.xor(w26);
    let w28 = w27.and_not(w16);
    let w29 = w15.xor(w14);
    let w30 = w28.xor(w29);
    let w31 = w18.and_not(w30);
    let w32 = w16.xor(w24);
    let w33 = w7.xor(w30);
    let w34 = w33.and_not(w25);
    let w35 = w34.and(w4);
    let w36 = w32.xor(w35);
    let w37 = w31.xor(w36);
    let w38 = w37.and(w24);
    let w39 = w37.or(w7);
    let w40 = w34.and_not(w16);
    let w41 = w6.xor(w40);
    let w42 = w39.xor(w41);
    let w43 = w42.and(w5);
    let w44 = w30.xor(w43);
    let w45 = w17.xor(w44);
    let w46 = w38.xor(w45);
    [w30, w37, w46, w24]
}

/// S3: 43 gates on a longest path of 23.
#[inline(always)]
fn s3<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w3.xor(w0);
    let w7 = w5.xor(w6);
    let w8 = w7.xor(w4);
    let w9 = w3.xor(w2);
    let w10 = w4.or(w9);
    let w11 = w10.xor(w1);
    let w12 = w8.xor(w11);
    let w13 = w3.and(w5);
    let w14 = w11.and_not(w13);
    let w15 = w12.and_not(w0);
    let w16 = w15.and_not(w2);
    let w17 = w16.and(w10);
    let w18 = w14.or(w17);
    let w19 = w18.xor(w9);
    let w20 = w8.xor(w19);
    let w21 = w6.or(w0);
    let w22 = w20.xor(w21);
    let w23 = w22.or(w16);
    let w24 = w23.xor(w7);
    let w25 = w24.and_not(w5);
    let w26 = w25.and_not(w12);
    let w27 = w4.or(w26);
    let w28 = w1.and(w2);
    let w29 = w23.xor(w28);
    let w30 = w21.and_not(w29);
    let w31 = w27.xor(w30);
    let w32 = w31.xor(w24);
    let w33 = w27.xor(w2);
    let w34 = w19.or(w24);
    let w35 = w33.or(w34);
    let w36 = w0.and(w35);
    let w37 = w22.or(w36);
    let w38 = w37.and_not(w26);
    let w39 = w20.and(w7);
    let w40 = w23.xor(w39);
    let w41 = w40.and(w1);
    let w42 = w38.xor(w41);
    let w43 = w42.xor(w10);
    let w44 = w33.xor(w41);
    let w45 = w14.or(w44);
    let w46 = w45.xor(w34);
    let w47 = w36.and_not(w46);
    let w48 = w15.xor(w47);
    [w32, w20, w43, w48]
}

/// S4: 27 gates on a longest path of 17.
#[inline(always)]
fn s4<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.xor(w2);
    let w7 = w4.xor(w0);
    let w8 = w6.xor(w7);
    let w9 = w2.xor(w0);
    let w10 = w3.xor(w2);
    let w11 = w9.xor(w7);
    let w12 = w10.and_not(w11);
    let w13 = w9.or(w12);
    let w14 = w13.xor(w1);
    let w15 = w7.and(w14);
    let w16 = w10.xor(w14);
    let w17 = w16.or(w9);
    let w18 = w3.and(w17);
    let w19 = w15.xor(w18);
    let w20 = w7.and_not(w12);
    let w21 = w19.or(w20);
    let w22 = w21.xor(w14);
    let w23 = w22.and_not(w8);
    let w24 = w23.xor(w19);
    let w25 = w5.xor(w22);
    let w26 = w24.xor(w25);
    let w27 = w17.and_not(w20);
    let w28 = w27.and_not(w8);
    let w29 = w24.xor(w28);
    let w30 = w29.xor(w17);
    let w31 = w30.xor(w27);
    let w32 = w25.xor(w31);
    [w24, w26, w32, w30]
}

/// S5: 52 gates on a longest path of 20.
#[inline(always)]
fn s5<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w4.and_not(w0);
    let w7 = w0.and_not(w4);
    let w8 = w2.and_not(w7);
    let w9 = w6.xor(w8);
    let w10 = w5.xor(w9);
    let w11 = w10.and_not(w0);
    let w12 = w2.or(w0);
    let w13 = w5.xor(w2);
    let w14 = w12.and(w13);
    let w15 = w1.xor(w7);
    let w16 = w14.xor(w15);
    let w17 = w11.xor(w16);
    let w18 = w5.and_not(w6);
    let w19 = w17.xor(w18);
    let w20 = w10.xor(w1);
    let w21 = w14.and_not(w9);
    let w22 = w14.xor(w0);
    let w23 = w16.or(w22);
    let w24 = w21.xor(w23);
    let w25 = w24.and_not(w3);
    let w26 = w20.xor(w25);
    let w27 = w26.and_not(w15);
    let w28 = w19.or(w27);
    let w29 = w28.xor(w23);
    let w30 = w20.xor(w13);
    let w31 = w3.and_not(w11);
    let w32 = w5.xor(w31);
    let w33 = w30.and(w32);
    let w34 = w29.xor(w33);
    let w35 = w1.and_not(w29);
    let w36 = w35.or(w26);
    let w37 = w36.and_not(w34);
    let w38 = w37.or(w3);
    let w39 = w16.or(w35);
    let w40 = w39.and_not(w9);
    let w41 = w24.and_not(w40);
    let w42 = w30.and_not(w17);
    let w43 = w41.or(w42);
    let w44 = w38.xor(w43);
    let w45 = w26.and(w39);
    let w46 = w28.xor(w45);
    let w47 = w46.or(w17);
    let w48 = w47.xor(w3);
    let w49 = w31.xor(w28);
    let w50 = w29.and(w49);
    let w51 = w48.xor(w50);
    let w52 = w4.or(w28);
    let w53 = w26.and(w52);
    let w54 = w44.and_not(w33);
    let w55 = w53.xor(w54);
    let w56 = w55.xor(w1);
    let w57 = w56.xor(w51);
    [w44, w26, w51, w57]
}

/// S6: 45 gates on a longest path of 24.
#[inline(always)]
fn s6<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w4.or(w2);
    let w7 = w6.and_not(w3);
    let w8 = w1.xor(w0);
    let w9 = w0.and(w5);
    let w10 = w1.or(w9);
    let w11 = w8.xor(w10);
    let w12 = w4.xor(w11);
    let w13 = w0.and(w4);
    let w14 = w10.xor(w13);
    let w15 = w2.and(w14);
    let w16 = w12.xor(w15);
    let w17 = w16.xor(w9);
    let w18 = w12.and(w17);
    let w19 = w18.xor(w14);
    let w20 = w5.and_not(w8);
    let w21 = w19.and_not(w20);
    let w22 = w21.xor(w2);
    let w23 = w16.and_not(w22);
    let w24 = w23.xor(w13);
    let w25 = w5.xor(w10);
    let w26 = w3.and(w4);
    let w27 = w25.or(w26);
    let w28 = w27.or(w11);
    let w29 = w28.xor(w16);
    let w30 = w22.xor(w3);
    let w31 = w29.xor(w30);
    let w32 = w31.and_not(w24);
    let w33 = w5.and_not(w32);
    let w34 = w23.and(w2);
    let w35 = w33.xor(w34);
    let w36 = w35.xor(w14);
    let w37 = w7.xor(w36);
    let w38 = w36.xor(w27);
    let w39 = w5.and_not(w38);
    let w40 = w36.xor(w39);
    let w41 = w3.and_not(w40);
    let w42 = w17.xor(w41);
    let w43 = w4.xor(w39);
    let w44 = w42.or(w43);
    let w45 = w31.xor(w44);
    let w46 = w18.xor(w43);
    let w47 = w35.or(w46);
    let w48 = w47.and_not(w37);
    let w49 = w48.xor(w1);
    let w50 = w45.xor(w49);
    [w37, w50, w31, w42]
}

/// S7: 39 gates on a longest path of 27.
#[inline(always)]
fn s7<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w1.and_not(w5);
    let w7 = w3.xor(w6);
    let w8 = w5.xor(w7);
    let w9 = w8.xor(w2);
    let w10 = w9.xor(w0);
    let w11 = w10.xor(w4);
    let w12 = w11.xor(w1);
    let w13 = w3.and(w4);
    let w14 = w13.xor(w1);
    let w15 = w0.and(w12);
    let w16 = w1.xor(w15);
    let w17 = w16.and_not(w5);
    let w18 = w2.xor(w17);
    let w19 = w3.and(w18);
    let w20 = w14.or(w19);
    let w21 = w8.xor(w20);
    let w22 = w2.or(w6);
    let w23 = w13.xor(w22);
    let w24 = w21.xor(w23);
    let w25 = w10.and_not(w24);
    let w26 = w7.xor(w25);
    let w27 = w12.xor(w26);
    let w28 = w17.and_not(w19);
    let w29 = w0.and(w4);
    let w30 = w14.and_not(w18);
    let w31 = w11.xor(w30);
    let w32 = w31.xor(w27);
    let w33 = w32.and_not(w24);
    let w34 = w33.xor(w8);
    let w35 = w29.and(w34);
    let w36 = w28.xor(w35);
    let w37 = w27.xor(w36);
    let w38 = w27.xor(w24);
    let w39 = w5.or(w20);
    let w40 = w37.and(w39);
    let w41 = w5.or(w11);
    let w42 = w41.and(w7);
    let w43 = w40.xor(w42);
    let w44 = w43.xor(w33);
    [w37, w38, w44, w31]
}

/// S8: 40 gates on a longest path of 23.
#[inline(always)]
fn s8<L: Logic>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w5.xor(w2);
    let w7 = w4.and_not(w2);
    let w8 = w7.xor(w3);
    let w9 = w4.and(w0);
    let w10 = w5.and_not(w0);
    let w11 = w9.xor(w10);
    let w12 = w8.and(w11);
    let w13 = w12.xor(w2);
    let w14 = w4.xor(w13);
    let w15 = w8.or(w14);
    let w16 = w6.xor(w15);
    let w17 = w1.and_not(w16);
    let w18 = w2.and(w3);
    let w19 = w18.xor(w0);
    let w20 = w10.and_not(w6);
    let w21 = w7.or(w20);
    let w22 = w21.and_not(w19);
    let w23 = w1.and_not(w22);
    let w24 = w15.and(w19);
    let w25 = w24.and_not(w10);
    let w26 = w1.and_not(w25);
    let w27 = w26.xor(w14);
    let w28 = w5.and_not(w27);
    let w29 = w28.xor(w0);
    let w30 = w29.or(w8);
    let w31 = w23.xor(w30);
    let w32 = w13.xor(w31);
    let w33 = w5.xor(w27);
    let w34 = w27.and(w29);
    let w35 = w32.and_not(w34);
    let w36 = w33.xor(w35);
    let w37 = w36.and_not(w29);
    let w38 = w32.xor(w37);
    let w39 = w8.xor(w38);
    let w40 = w17.xor(w39);
    let w41 = w35.xor(w5);
    let w42 = w29.or(w41);
    let w43 = w40.and(w42);
    let w44 = w36.xor(w1);
    let w45 = w43.xor(w44);
    [w40, w33, w32, w45]
}
