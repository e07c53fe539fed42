//! The S-boxes in 266 gates (42 31 32 23 38 36 34 30): AND, OR, XOR, AND-NOT and selections.
//!
//! Generated from `select.txt` by `scripts/des-sbox`; do not edit.

use super::Select;

/// S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.
#[inline(always)]
pub fn sbox<const BOX: usize, L: Select>(inputs: [L; 6]) -> [L; 4] {
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

/// S1: 42 gates on a longest path of 24.
#[inline(always)]
fn s1<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w4.xor(w5);
    let w7 = w6.select(w5, w3);
    let w8 = w3.select(w7, w6);
    let w9 = w2.xor(w8);
    let w10 = w9.select(w5, w6);
    let w11 = w4.and_not(w10);
    let w12 = w11.select(w10, w0);
    let w13 = w12.select(w8, w11);
    let w14 = w0.xor(w13);
    let w15 = w1.and_not(w14);
    let w16 = w3.xor(w12);
    let w17 = w15.select(w1, w16);
    let w18 = w2.or(w5);
    let w19 = w6.select(w13, w16);
    let w20 = w2.select(w18, w19);
    let w21 = w17.select(w20, w16);
    let w22 = w1.xor(w21);
    let w23 = w9.xor(w22);
    let w24 = w5.or(w14);
    let w25 = w5.and_not(w0);
    let w26 = w3.select(w20, w25);
    let w27 = w24.xor(w26);
    let w28 = w18.xor(w26);
    let w29 = w9.select(w28, w26);
    let w30 = w12.select(w13, w29);
    let w31 = w20.select(w15, w30);
    let w32 = w16.xor(w31);
    let w33 = w9.xor(w32);
    let w34 = w22.select(w27, w33);
    let w35 = w8.select(w14, w11);
    let w36 = w28.xor(w35);
    let w37 = w22.select(w10, w11);
    let w38 = w37.select(w30, w24);
    let w39 = w1.xor(w38);
    let w40 = w36.xor(w39);
    let w41 = w40.select(w4, w29);
    let w42 = w23.select(w40, w41);
    let w43 = w1.xor(w42);
    let w44 = w6.select(w43, w40);
    let w45 = w44.select(w7, w4);
    let w46 = w29.select(w43, w45);
    let w47 = w34.xor(w46);
    [w23, w34, w40, w47]
}

/// S2: 31 gates on a longest path of 23.
#[inline(always)]
fn s2<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.and(w4);
    let w7 = w0.xor(w6);
    let w8 = w0.xor(w5);
    let w9 = w4.xor(w5);
    let w10 = w1.xor(w6);
    let w11 = w8.select(w7, w10);
    let w12 = w11.select(w4, w1);
    let w13 = w9.select(w12, w2);
    let w14 = w8.select(w13, w4);
    let w15 = w3.xor(w14);
    let w16 = w12.select(w2, w15);
    let w17 = w9.xor(w16);
    let w18 = w11.xor(w17);
    let w19 = w5.and_not(w18);
    let w20 = w19.select(w4, w2);
    let w21 = w5.and(w20);
    let w22 = w21.or(w17);
    let w23 = w2.xor(w22);
    let w24 = w10.select(w2, w23);
    let w25 = w15.xor(w24);
    let w26 = w7.xor(w25);
    let w27 = w19.select(w25, w8);
    let w28 = w4.select(w27, w25);
    let w29 = w10.xor(w28);
    let w30 = w26.select(w18, w16);
    let w31 = w29.xor(w30);
    let w32 = w25.xor(w31);
    let w33 = w19.select(w30, w1);
    let w34 = w8.select(w21, w33);
    let w35 = w18.select(w31, w25);
    let w36 = w34.xor(w35);
    [w26, w32, w36, w18]
}

/// S3: 32 gates on a longest path of 18.
#[inline(always)]
fn s3<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.xor(w3);
    let w7 = w5.xor(w6);
    let w8 = w4.xor(w7);
    let w9 = w2.xor(w3);
    let w10 = w4.or(w9);
    let w11 = w1.xor(w10);
    let w12 = w8.xor(w11);
    let w13 = w2.select(w12, w0);
    let w14 = w12.and_not(w13);
    let w15 = w5.select(w3, w14);
    let w16 = w15.select(w14, w11);
    let w17 = w9.xor(w16);
    let w18 = w8.xor(w17);
    let w19 = w0.or(w6);
    let w20 = w18.xor(w19);
    let w21 = w5.or(w13);
    let w22 = w19.and_not(w2);
    let w23 = w4.select(w22, w0);
    let w24 = w20.select(w21, w23);
    let w25 = w18.select(w19, w24);
    let w26 = w1.select(w22, w21);
    let w27 = w7.select(w25, w20);
    let w28 = w21.select(w24, w12);
    let w29 = w27.select(w11, w28);
    let w30 = w25.select(w26, w29);
    let w31 = w8.xor(w30);
    let w32 = w27.select(w11, w10);
    let w33 = w28.xor(w32);
    let w34 = w32.select(w17, w6);
    let w35 = w6.select(w29, w12);
    let w36 = w4.select(w34, w35);
    let w37 = w0.select(w36, w12);
    [w31, w18, w33, w37]
}

/// S4: 23 gates on a longest path of 12.
#[inline(always)]
fn s4<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w2.xor(w5);
    let w7 = w0.xor(w4);
    let w8 = w6.xor(w7);
    let w9 = w0.xor(w2);
    let w10 = w0.xor(w3);
    let w11 = w9.select(w1, w10);
    let w12 = w7.and_not(w11);
    let w13 = w7.select(w10, w12);
    let w14 = w1.xor(w13);
    let w15 = w9.or(w14);
    let w16 = w9.select(w13, w7);
    let w17 = w15.select(w3, w16);
    let w18 = w12.xor(w17);
    let w19 = w16.select(w17, w11);
    let w20 = w15.xor(w19);
    let w21 = w8.select(w18, w20);
    let w22 = w8.select(w20, w18);
    let w23 = w5.xor(w22);
    let w24 = w8.select(w13, w15);
    let w25 = w16.select(w15, w24);
    let w26 = w23.xor(w25);
    let w27 = w25.select(w16, w15);
    let w28 = w21.xor(w27);
    [w21, w23, w26, w28]
}

/// S5: 38 gates on a longest path of 22.
#[inline(always)]
fn s5<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.and_not(w2);
    let w7 = w6.select(w0, w4);
    let w8 = w0.xor(w7);
    let w9 = w2.xor(w8);
    let w10 = w1.select(w8, w6);
    let w11 = w5.xor(w9);
    let w12 = w11.and_not(w0);
    let w13 = w0.and_not(w4);
    let w14 = w1.xor(w13);
    let w15 = w5.select(w6, w2);
    let w16 = w14.xor(w15);
    let w17 = w16.select(w14, w0);
    let w18 = w15.xor(w17);
    let w19 = w5.select(w4, w18);
    let w20 = w3.or(w19);
    let w21 = w2.select(w12, w20);
    let w22 = w14.xor(w21);
    let w23 = w10.select(w12, w22);
    let w24 = w3.select(w23, w18);
    let w25 = w2.select(w24, w17);
    let w26 = w9.select(w25, w17);
    let w27 = w12.select(w10, w16);
    let w28 = w26.select(w27, w19);
    let w29 = w28.select(w9, w25);
    let w30 = w26.and_not(w3);
    let w31 = w30.and_not(w23);
    let w32 = w11.xor(w30);
    let w33 = w1.xor(w32);
    let w34 = w14.select(w31, w33);
    let w35 = w34.select(w20, w3);
    let w36 = w29.xor(w35);
    let w37 = w35.select(w24, w27);
    let w38 = w11.select(w32, w28);
    let w39 = w19.select(w32, w38);
    let w40 = w28.select(w10, w20);
    let w41 = w40.select(w36, w31);
    let w42 = w39.xor(w41);
    let w43 = w37.xor(w42);
    [w36, w33, w37, w43]
}

/// S6: 36 gates on a longest path of 28.
#[inline(always)]
fn s6<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.and(w5);
    let w7 = w0.xor(w1);
    let w8 = w5.xor(w7);
    let w9 = w6.select(w8, w0);
    let w10 = w4.xor(w9);
    let w11 = w10.select(w1, w7);
    let w12 = w10.select(w9, w7);
    let w13 = w2.xor(w10);
    let w14 = w11.select(w13, w10);
    let w15 = w12.select(w14, w0);
    let w16 = w2.xor(w5);
    let w17 = w5.select(w14, w15);
    let w18 = w14.select(w16, w17);
    let w19 = w18.select(w12, w4);
    let w20 = w12.select(w19, w3);
    let w21 = w10.select(w20, w15);
    let w22 = w8.select(w17, w21);
    let w23 = w3.xor(w22);
    let w24 = w16.xor(w23);
    let w25 = w24.select(w18, w5);
    let w26 = w15.select(w19, w25);
    let w27 = w11.xor(w26);
    let w28 = w2.or(w4);
    let w29 = w27.xor(w28);
    let w30 = w3.select(w27, w29);
    let w31 = w5.select(w12, w30);
    let w32 = w3.and_not(w31);
    let w33 = w6.xor(w14);
    let w34 = w32.xor(w33);
    let w35 = w4.select(w31, w32);
    let w36 = w34.select(w30, w35);
    let w37 = w1.select(w13, w3);
    let w38 = w25.select(w36, w37);
    let w39 = w30.select(w36, w38);
    let w40 = w1.xor(w39);
    let w41 = w24.xor(w40);
    [w30, w41, w24, w34]
}

/// S7: 34 gates on a longest path of 24.
#[inline(always)]
fn s7<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w1.and_not(w5);
    let w7 = w3.xor(w6);
    let w8 = w4.and(w3);
    let w9 = w5.xor(w7);
    let w10 = w2.xor(w9);
    let w11 = w0.xor(w4);
    let w12 = w10.xor(w11);
    let w13 = w5.select(w6, w12);
    let w14 = w0.select(w13, w6);
    let w15 = w2.xor(w14);
    let w16 = w3.and(w15);
    let w17 = w1.xor(w8);
    let w18 = w16.or(w17);
    let w19 = w8.xor(w18);
    let w20 = w6.select(w3, w10);
    let w21 = w19.xor(w20);
    let w22 = w21.select(w12, w4);
    let w23 = w1.xor(w22);
    let w24 = w7.xor(w23);
    let w25 = w14.and_not(w16);
    let w26 = w18.and_not(w15);
    let w27 = w12.xor(w26);
    let w28 = w21.select(w24, w27);
    let w29 = w28.select(w11, w5);
    let w30 = w23.xor(w29);
    let w31 = w11.select(w25, w30);
    let w32 = w4.select(w31, w25);
    let w33 = w24.xor(w32);
    let w34 = w21.xor(w24);
    let w35 = w9.select(w13, w7);
    let w36 = w18.select(w32, w24);
    let w37 = w5.select(w32, w36);
    let w38 = w35.xor(w37);
    let w39 = w28.xor(w38);
    [w33, w34, w39, w27]
}

/// S8: 30 gates on a longest path of 21.
#[inline(always)]
fn s8<L: Select>([w0, w1, w2, w3, w4, w5]: [L; 6]) -> [L; 4] {
    let w6 = w0.select(w4, w5);
    let w7 = w2.select(w6, w4);
    let w8 = w3.xor(w7);
    let w9 = w2.select(w3, w8);
    let w10 = w9.select(w2, w4);
    let w11 = w5.xor(w10);
    let w12 = w1.select(w11, w9);
    let w13 = w0.and(w1);
    let w14 = w2.select(w8, w4);
    let w15 = w14.select(w13, w1);
    let w16 = w2.and_not(w1);
    let w17 = w15.select(w2, w16);
    let w18 = w6.select(w8, w17);
    let w19 = w4.xor(w18);
    let w20 = w13.select(w9, w19);
    let w21 = w5.xor(w20);
    let w22 = w1.xor(w21);
    let w23 = w5.and(w22);
    let w24 = w0.xor(w23);
    let w25 = w24.or(w9);
    let w26 = w15.xor(w18);
    let w27 = w25.xor(w26);
    let w28 = w24.select(w27, w22);
    let w29 = w1.xor(w28);
    let w30 = w12.xor(w29);
    let w31 = w26.select(w29, w20);
    let w32 = w12.xor(w31);
    let w33 = w30.select(w5, w27);
    let w34 = w24.select(w32, w33);
    let w35 = w21.xor(w34);
    [w30, w22, w27, w35]
}
