//! AVX-512 lanes: 512 blocks at a time, with three-input logic.

use std::arch::x86_64::*;

use zeroize::Zeroize;

use super::lanes::DesLanes;
use super::sbox::{LookUp, lut3};
use crate::ciphers::cpu::Avx512;

/// A 512-bit register, with the proof that it was created from.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Register(__m512i, #[zeroize(skip)] Avx512);

impl DesLanes for Register {
    type Proof = Avx512;
    const BYTES: usize = 64;
    const INVERTED: [u8; 8] = [0; 8];

    #[inline(always)]
    fn proof(self) -> Avx512 {
        self.1
    }

    #[inline(always)]
    fn splat(proof: Avx512, word: u64) -> Self {
        // SAFETY: `proof` shows that the instruction is available.
        Self(unsafe { _mm512_set1_epi64(word.cast_signed()) }, proof)
    }

    #[inline(always)]
    fn load(proof: Avx512, bytes: &[u8]) -> Self {
        let bytes: &[u8; 64] = bytes.first_chunk().expect("a whole register");
        // SAFETY: `proof` shows that the instruction is available; the array has 64 bytes.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }, proof)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        let bytes: &mut [u8; 64] = bytes.first_chunk_mut().expect("a whole register");
        // SAFETY: `self` holds the proof of the instruction; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm512_and_si512(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        self.look_up::<0b1001_0110>(second, third)
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        let even = Self::splat(a.1, even_groups(WIDTH));
        // SAFETY: the registers hold the proof of the instructions.
        let (up, down) = unsafe {
            let width = _mm_cvtsi32_si128(WIDTH.cast_signed());
            (_mm512_sll_epi64(b.0, width), _mm512_srl_epi64(a.0, width))
        };
        let (up, down) = (Self(up, b.1), Self(down, a.1));
        // Selects the first where `even` is set, and the second elsewhere.
        const SELECT: i32 = 0b1100_1010;
        (even.look_up::<SELECT>(a, up), even.look_up::<SELECT>(down, b))
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        lut3::sbox::<BOX, Self>(inputs)
    }
}

impl LookUp for Register {
    #[cfg(not(ct_check))]
    #[inline(always)]
    fn look_up<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(self.0, b.0, c.0) }, self.1)
    }

    /// MemorySanitizer does not know the instruction. `scripts/ct-check.sh` runs the same circuits with this
    /// in its place.
    #[cfg(ct_check)]
    #[inline(always)]
    fn look_up<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        let ones = Self::splat(self.1, u64::MAX);
        let of_row = |row: i32| {
            let input =
                |input: Self, bit| if row >> bit & 1 == 1 { input } else { input.xor(ones) };
            input(self, 2).and(input(b, 1)).and(input(c, 0))
        };
        let rows = (0..8).filter(|row| TABLE >> row & 1 == 1).map(of_row);
        rows.fold(Self::splat(self.1, 0), Self::xor)
    }
}

/// Returns a word in which the even groups of `width` bits are set.
fn even_groups(width: u32) -> u64 {
    u64::MAX / ((1 << width) + 1)
}
