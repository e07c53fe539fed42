//! The AVX2 register of FEAL's lanes: 32 blocks at a time.

use std::arch::x86_64::*;

use super::Block;
use super::lanes::FealLanes;
use crate::ciphers::cpu::Avx2;

/// A 256-bit register. Only `load` and `splat`, which take the proof, and operations on existing
/// values create one, so a value proves that AVX2 is available.
#[derive(Clone, Copy)]
pub(super) struct Register(__m256i);

impl FealLanes for Register {
    type Proof = Avx2;
    const WORDS: usize = 4;

    #[inline(always)]
    fn load(_: Avx2, blocks: &[Block]) -> Self {
        let bytes = blocks[..Self::WORDS].as_flattened();
        // SAFETY: the slice has the register's 32 bytes; the proof covers the instruction.
        Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, blocks: &mut [Block]) {
        let bytes = blocks[..Self::WORDS].as_flattened_mut();
        // SAFETY: the slice has the register's 32 bytes; `self` proves the instruction.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn splat(_: Avx2, byte: u8) -> Self {
        // SAFETY: the proof covers the instruction.
        Self(unsafe { _mm256_set1_epi8(byte.cast_signed()) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves the instruction.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: `self` proves the instruction.
        Self(unsafe { _mm256_add_epi8(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_2(self) -> Self {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let low = _mm256_set1_epi8(3);
            let left = _mm256_andnot_si256(low, _mm256_slli_epi16::<2>(self.0));
            let right = _mm256_and_si256(low, _mm256_srli_epi16::<6>(self.0));
            Self(_mm256_or_si256(left, right))
        }
    }

    #[inline(always)]
    fn exchange<const SHIFT: u32>(self, other: Self, mask: u64) -> (Self, Self) {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let count = _mm_cvtsi32_si128(SHIFT as i32);
            let mask = _mm256_set1_epi64x(mask.cast_signed());
            let shifted = _mm256_srl_epi64(self.0, count);
            let difference = _mm256_and_si256(_mm256_xor_si256(shifted, other.0), mask);
            let back = _mm256_sll_epi64(difference, count);
            (Self(_mm256_xor_si256(self.0, back)), Self(_mm256_xor_si256(other.0, difference)))
        }
    }
}
