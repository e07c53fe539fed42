//! Portable lanes: 64 blocks at a time in plain 64-bit words.

use super::lanes::DesLanes;
use super::sbox::{Logic, logic};

impl DesLanes for u64 {
    type Proof = ();
    const BYTES: usize = 8;
    const INVERTED: [u8; 8] = logic::INVERTED;

    #[inline(always)]
    fn proof(self) {}

    #[inline(always)]
    fn splat((): (), word: u64) -> Self {
        word
    }

    #[inline(always)]
    fn load((): (), bytes: &[u8]) -> Self {
        u64::from_le_bytes(*bytes.first_chunk().expect("a whole register"))
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        *bytes.first_chunk_mut().expect("a whole register") = self.to_le_bytes();
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        self ^ second ^ third
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        let even = u64::MAX / ((1 << WIDTH) + 1);
        let differ = (a >> WIDTH ^ b) & even;
        (a ^ differ << WIDTH, b ^ differ)
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        logic::sbox::<BOX, Self>(inputs)
    }
}

impl Logic for u64 {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }
}
