//! AVX2 lanes: 256 blocks at a time.

use std::arch::x86_64::*;

use zeroize::Zeroize;

use super::lanes::DesLanes;
use super::sbox::{Logic, logic};
use crate::ciphers::cpu::Avx2;

/// A 256-bit register, with the proof that it was created from.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Register(__m256i, #[zeroize(skip)] Avx2);

impl DesLanes for Register {
    type Proof = Avx2;
    const BYTES: usize = 32;
    const INVERTED: [u8; 8] = logic::INVERTED;

    #[inline(always)]
    fn proof(self) -> Avx2 {
        self.1
    }

    #[inline(always)]
    fn splat(proof: Avx2, word: u64) -> Self {
        // SAFETY: `proof` shows that the instruction is available.
        Self(unsafe { _mm256_set1_epi64x(word.cast_signed()) }, proof)
    }

    #[inline(always)]
    fn load(proof: Avx2, bytes: &[u8]) -> Self {
        let bytes: &[u8; 32] = bytes.first_chunk().expect("a whole register");
        // SAFETY: `proof` shows that the instruction is available; the array has 32 bytes.
        Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }, proof)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        let bytes: &mut [u8; 32] = bytes.first_chunk_mut().expect("a whole register");
        // SAFETY: `self` holds the proof of the instruction; the array has 32 bytes.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm256_and_si256(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        DesLanes::xor(DesLanes::xor(self, second), third)
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        // SAFETY: the registers hold the proof of the instructions.
        unsafe {
            let width = _mm_cvtsi32_si128(WIDTH.cast_signed());
            let up = _mm256_sll_epi64(b.0, width);
            let down = _mm256_srl_epi64(a.0, width);
            let (new_a, new_b) = match WIDTH {
                32 => (
                    _mm256_blend_epi32::<0b1010_1010>(a.0, up),
                    _mm256_blend_epi32::<0b1010_1010>(down, b.0),
                ),
                16 => (
                    _mm256_blend_epi16::<0b1010_1010>(a.0, up),
                    _mm256_blend_epi16::<0b1010_1010>(down, b.0),
                ),
                _ => {
                    let even = Self::splat(a.1, u64::MAX / ((1 << WIDTH) + 1)).0;
                    let differ = _mm256_and_si256(_mm256_xor_si256(down, b.0), even);
                    let up = _mm256_sll_epi64(differ, width);
                    (_mm256_xor_si256(a.0, up), _mm256_xor_si256(b.0, differ))
                }
            };
            (Self(new_a, a.1), Self(new_b, b.1))
        }
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        logic::sbox::<BOX, Self>(inputs)
    }
}

impl Logic for Register {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        DesLanes::and(self, other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm256_or_si256(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        DesLanes::xor(self, other)
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { _mm256_andnot_si256(other.0, self.0) }, self.1)
    }
}
