//! Two blocks in a 256-bit register.

use std::arch::asm;
use std::arch::x86_64::*;

use super::Block;
use super::lanes::AesLanes;
use crate::ciphers::cpu::Vaes;
use crate::ciphers::partial::{self, ONES_THEN_ZEROS};

/// Two blocks. A value can only be made from a [`Vaes`], which makes its methods safe.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Pair(__m256i);

/// Returns its argument in a register. Assembly blocks keep their order. Like the instructions of
/// `core::arch`, the function names the one feature that its register needs.
#[target_feature(enable = "avx2")]
#[inline]
fn pinned(mut vector: __m256i) -> __m256i {
    // It would hide from the sanitizer that the vector is secret.
    #[cfg(not(ct_check))]
    // SAFETY: the assembly contains no instruction.
    unsafe {
        asm!("/* {0} */", inout(ymm_reg) vector, options(nomem, nostack, preserves_flags));
    }
    vector
}

impl AesLanes for Pair {
    type Proof = Vaes;
    const BLOCKS: usize = 2;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn zero(_: Vaes) -> Self {
        // SAFETY: the proof shows that AVX2 is available.
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    fn broadcast(_: Vaes, block: &Block) -> Self {
        // SAFETY: the proof shows that AVX2 is available; the load reads 16 bytes, all in `block`.
        Self(unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(block.as_ptr().cast())) })
    }

    #[inline(always)]
    fn single(_: Vaes, block: &Block) -> Self {
        // SAFETY: the proof shows that AVX2 is available; the load reads 16 bytes, all in `block`.
        Self(unsafe { _mm256_zextsi128_si256(_mm_loadu_si128(block.as_ptr().cast())) })
    }

    #[inline(always)]
    fn first(self) -> Block {
        let mut block = [0; 16];
        // SAFETY: `self` proves AVX2; the store writes 16 bytes, all in `block`.
        unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), _mm256_castsi256_si128(self.0)) }
        block
    }

    #[inline(always)]
    fn load(_: Vaes, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 32);
        // SAFETY: the proof shows that AVX2 is available; the load reads 32 bytes, just checked.
        Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_partial(proof: Vaes, bytes: &[u8]) -> Self {
        match bytes.split_at_checked(16) {
            None => {
                let bytes = partial::load(bytes);
                // SAFETY: the proof shows that AVX2 is available.
                Self(unsafe {
                    let block = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
                    _mm256_zextsi128_si256(block)
                })
            }
            Some((_, end)) if end.len() == 16 => Self::load(proof, bytes),
            Some((start, end)) => {
                let end = partial::load(end);
                // SAFETY: the proof shows that AVX2 is available; the load reads 16 bytes, all in
                // `start`.
                Self(unsafe {
                    let start = _mm_loadu_si128(start.as_ptr().cast());
                    let end = _mm_set_epi64x((end >> 64) as i64, end as i64);
                    _mm256_set_m128i(end, start)
                })
            }
        }
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        assert!(bytes.len() >= 32);
        // SAFETY: `self` proves AVX2; the store writes 32 bytes, just checked.
        unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn store_partial(self, bytes: &mut [u8]) {
        if bytes.len() == 32 {
            return self.store(bytes);
        }
        let mut padded = [0; 32];
        self.store(&mut padded);
        bytes.copy_from_slice(&padded[..bytes.len()]);
    }

    #[inline(always)]
    fn keep(self, length: usize) -> Self {
        let mask = &ONES_THEN_ZEROS[32 - length..64 - length];
        // SAFETY: `self` proves AVX2; the load reads the 32 bytes of `mask`.
        Self(unsafe { _mm256_and_si256(self.0, _mm256_loadu_si256(mask.as_ptr().cast())) })
    }

    #[inline(always)]
    fn broadcast_lane(&self, lane: usize) -> Self {
        assert!(lane < 2);
        // SAFETY: `self` proves AVX2; the load reads one of the two blocks of `self`.
        Self(unsafe {
            let block = std::ptr::from_ref(self).cast::<__m128i>().add(lane);
            _mm256_broadcastsi128_si256(_mm_loadu_si128(block))
        })
    }

    #[inline(always)]
    fn pinned(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { pinned(self.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn add32(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn shuffle(self, order: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_shuffle_epi8(self.0, order.0) })
    }

    #[inline(always)]
    fn shift<const BYTES: i32>(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_bslli_epi128::<BYTES>(self.0) })
    }

    #[inline(always)]
    fn swap_halves(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_shuffle_epi32::<0b01_00_11_10>(self.0) })
    }

    #[inline(always)]
    fn with_high(self, high: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm256_blend_epi32::<0b1100_1100>(self.0, high.0) })
    }

    #[inline(always)]
    fn unzip(self, other: Self) -> (Self, Self) {
        // SAFETY: `self` proves AVX2.
        unsafe {
            (
                Self(_mm256_permute2x128_si256::<0x20>(self.0, other.0)),
                Self(_mm256_permute2x128_si256::<0x31>(self.0, other.0)),
            )
        }
    }

    #[inline(always)]
    fn fold(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe {
            let block = _mm_xor_si128(
                _mm256_castsi256_si128(self.0),
                _mm256_extracti128_si256::<1>(self.0),
            );
            _mm256_zextsi128_si256(block)
        })
    }

    #[inline(always)]
    fn enc(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm256_aesenc_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn enc_last(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm256_aesenclast_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm256_aesdec_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec_last(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm256_aesdeclast_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, other: Self) -> Self {
        // SAFETY: `self` proves VPCLMULQDQ.
        Self(unsafe { _mm256_clmulepi64_epi128::<HALVES>(self.0, other.0) })
    }
}
