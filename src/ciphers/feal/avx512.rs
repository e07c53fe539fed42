//! The AVX-512 register of FEAL's lanes: 64 blocks at a time.

use std::arch::x86_64::*;

use super::Block;
use super::lanes::FealLanes;
use crate::ciphers::cpu::Avx512;

/// A 512-bit register. Only `load` and `splat`, which take the proof, and operations on existing
/// values create one, so a value proves that AVX-512 is available.
#[derive(Clone, Copy)]
pub(super) struct Register(__m512i);

impl FealLanes for Register {
    type Proof = Avx512;
    const WORDS: usize = 8;

    #[inline(always)]
    fn load(_: Avx512, blocks: &[Block]) -> Self {
        let bytes = blocks[..Self::WORDS].as_flattened();
        // SAFETY: the slice has the register's 64 bytes; the proof covers the instruction.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, blocks: &mut [Block]) {
        let bytes = blocks[..Self::WORDS].as_flattened_mut();
        // SAFETY: the slice has the register's 64 bytes; `self` proves the instruction.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn splat(_: Avx512, byte: u8) -> Self {
        // SAFETY: the proof covers the instruction.
        Self(unsafe { _mm512_set1_epi8(byte.cast_signed()) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves the instruction.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: `self` proves the instruction.
        Self(unsafe { _mm512_add_epi8(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_2(self) -> Self {
        // The bit matrix of the rotation: output bit i is input bit i − 2, row 0 in the top byte.
        const ROTATION: i64 = 0x4080_0102_0408_1020;
        // SAFETY: `self` proves the instructions.
        Self(unsafe { _mm512_gf2p8affine_epi64_epi8::<0>(self.0, _mm512_set1_epi64(ROTATION)) })
    }

    #[inline(always)]
    fn exchange<const SHIFT: u32>(self, other: Self, mask: u64) -> (Self, Self) {
        // SAFETY: `self` proves the instructions.
        unsafe {
            let count = _mm_cvtsi32_si128(SHIFT as i32);
            let mask = _mm512_set1_epi64(mask.cast_signed());
            let shifted = _mm512_srl_epi64(self.0, count);
            let difference = _mm512_and_si512(_mm512_xor_si512(shifted, other.0), mask);
            let back = _mm512_sll_epi64(difference, count);
            (Self(_mm512_xor_si512(self.0, back)), Self(_mm512_xor_si512(other.0, difference)))
        }
    }
}
