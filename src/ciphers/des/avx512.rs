//! 512 lanes: AVX-512, three-input logic.

use std::arch::x86_64::*;

use zeroize::Zeroize;

use super::keys::RoundKey;
use super::lane::{KeyBit, Lane};
use super::modes::Job;
use super::rounds::{self, Half};
use super::sbox::{LookUp, lut3};
use crate::ciphers::cpu::Avx512;

/// Runs a job on 512 lanes.
pub(super) fn run(_proof: Avx512, job: Job<'_>) {
    // SAFETY: the proof says that the processor has the features.
    unsafe { run_with_features(job) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq,avx512f,avx512bw")]
#[target_feature(enable = "avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni")]
fn run_with_features(job: Job<'_>) {
    job.run::<Register>();
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq,avx512f,avx512bw")]
#[target_feature(enable = "avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni")]
fn two_rounds_with_features<K: KeyBit<Register>>(
    left: &mut Half<Register>,
    right: &mut Half<Register>,
    first: RoundKey<'_, K>,
    second: RoundKey<'_, K>,
) {
    rounds::two_rounds(left, right, first, second);
}

/// A 512-bit register. Only [`run`] makes them, so the features are there where one is.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Register(__m512i);

impl Lane for Register {
    const BYTES: usize = 64;
    const INVERTED: [u8; 8] = [0; 8];

    #[inline(always)]
    fn splat(word: u64) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm512_set1_epi64(word.cast_signed()) })
    }

    #[inline(always)]
    fn load(bytes: &[u8]) -> Self {
        let bytes: &[u8; 64] = bytes.first_chunk().expect("a whole register");
        // SAFETY: the features are there, see `Register`; the array has 64 bytes.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        let bytes: &mut [u8; 64] = bytes.first_chunk_mut().expect("a whole register");
        // SAFETY: the features are there, see `Register`; the array has 64 bytes.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        self.look_up::<0b1001_0110>(second, third)
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        let even = Self::splat(even_groups(WIDTH));
        // SAFETY: the features are there, see `Register`.
        let (up, down) = unsafe {
            let width = _mm_cvtsi32_si128(WIDTH.cast_signed());
            (Self(_mm512_sll_epi64(b.0, width)), Self(_mm512_srl_epi64(a.0, width)))
        };
        // Where `even` is set the first, elsewhere the second.
        const SELECT: i32 = 0b1100_1010;
        (even.look_up::<SELECT>(a, up), even.look_up::<SELECT>(down, b))
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        lut3::sbox::<BOX, Self>(inputs)
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

impl LookUp for Register {
    #[inline(always)]
    fn look_up<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        // SAFETY: the features are there, see `Register`.
        Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(self.0, b.0, c.0) })
    }
}

/// A word whose even groups of `width` bits are set.
fn even_groups(width: u32) -> u64 {
    u64::MAX / ((1 << width) + 1)
}
