//! 256 lanes: AVX2.

use std::arch::x86_64::*;

use zeroize::Zeroize;

use super::keys::RoundKey;
use super::lane::{KeyBit, Lane};
use super::modes::Job;
use super::rounds::{self, Half};
use super::sbox::{Logic, logic};
use crate::ciphers::cpu::Avx2;

/// Runs a job on 256 lanes.
pub(super) fn run(_proof: Avx2, job: Job<'_>) {
    // SAFETY: the proof says that the processor has the features.
    unsafe { run_with_features(job) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq")]
fn run_with_features(job: Job<'_>) {
    job.run::<Register>();
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq")]
fn two_rounds_with_features<K: KeyBit<Register>>(
    left: &mut Half<Register>,
    right: &mut Half<Register>,
    first: RoundKey<'_, K>,
    second: RoundKey<'_, K>,
) {
    rounds::two_rounds(left, right, first, second);
}

/// A 256-bit register. Only [`run`] makes them, so the features are there where one is.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Register(__m256i);

impl Lane for Register {
    const BYTES: usize = 32;
    const INVERTED: [u8; 8] = logic::INVERTED;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm256_set1_epi64x(word.cast_signed()) })
    }

    #[inline(always)]
    fn load(bytes: &[u8]) -> Self {
        let bytes: &[u8; 32] = bytes.first_chunk().expect("a whole register");
        // SAFETY: the features are there, see `Register`; the array has 32 bytes.
        Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        let bytes: &mut [u8; 32] = bytes.first_chunk_mut().expect("a whole register");
        // SAFETY: the features are there, see `Register`; the array has 32 bytes.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        Lane::xor(Lane::xor(self, second), third)
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        // SAFETY: the features are there, see `Register`.
        unsafe {
            let width = _mm_cvtsi32_si128(WIDTH.cast_signed());
            let up = _mm256_sll_epi64(b.0, width);
            let down = _mm256_srl_epi64(a.0, width);
            match WIDTH {
                32 => (
                    Self(_mm256_blend_epi32::<0b1010_1010>(a.0, up)),
                    Self(_mm256_blend_epi32::<0b1010_1010>(down, b.0)),
                ),
                16 => (
                    Self(_mm256_blend_epi16::<0b1010_1010>(a.0, up)),
                    Self(_mm256_blend_epi16::<0b1010_1010>(down, b.0)),
                ),
                _ => {
                    let even = Self::splat(u64::MAX / ((1 << WIDTH) + 1)).0;
                    let differ = _mm256_and_si256(_mm256_xor_si256(down, b.0), even);
                    let up = _mm256_sll_epi64(differ, width);
                    (Self(_mm256_xor_si256(a.0, up)), Self(_mm256_xor_si256(b.0, differ)))
                }
            }
        }
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        logic::sbox::<BOX, Self>(inputs)
    }

    #[inline(always)]
    fn two_rounds<K: KeyBit<Self>>(
        left: &mut Half<Self>,
        right: &mut Half<Self>,
        first: RoundKey<'_, K>,
        second: RoundKey<'_, K>,
    ) {
        // SAFETY: the features are there, see `Register`.
        unsafe { two_rounds_with_features(left, right, first, second) }
    }
}

impl Logic for Register {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Lane::and(self, other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Lane::xor(self, other)
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm256_andnot_si256(other.0, self.0) })
    }
}
