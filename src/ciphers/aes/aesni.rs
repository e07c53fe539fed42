//! One block in a 128-bit register.

use std::arch::asm;
use std::arch::x86_64::*;

use super::Block;
use super::lanes::AesLanes;
use crate::ciphers::cpu::Avx2;
use crate::ciphers::partial::{self, ONES_THEN_ZEROS};

/// One block. A value can only be made from an [`Avx2`], which makes its methods safe.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Single(__m128i);

/// Returns its argument in a register. Assembly blocks keep their order. Like the instructions of
/// `core::arch`, the function names the one feature that its register needs.
#[target_feature(enable = "avx2")]
#[inline]
fn pinned(mut vector: __m128i) -> __m128i {
    // It would hide from the sanitizer that the vector is secret.
    #[cfg(not(ct_check))]
    // SAFETY: the assembly contains no instruction.
    unsafe {
        asm!("/* {0} */", inout(xmm_reg) vector, options(nomem, nostack, preserves_flags));
    }
    vector
}

impl AesLanes for Single {
    type Proof = Avx2;
    const BLOCKS: usize = 1;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn zero(_: Avx2) -> Self {
        // SAFETY: the proof shows that AVX2 is available.
        Self(unsafe { _mm_setzero_si128() })
    }

    #[inline(always)]
    fn broadcast(_: Avx2, block: &Block) -> Self {
        // SAFETY: the proof shows that AVX2 is available; the load reads 16 bytes, all in `block`.
        Self(unsafe { _mm_loadu_si128(block.as_ptr().cast()) })
    }

    #[inline(always)]
    fn single(proof: Avx2, block: &Block) -> Self {
        Self::broadcast(proof, block)
    }

    #[inline(always)]
    fn first(self) -> Block {
        let mut block = [0; 16];
        self.store(&mut block);
        block
    }

    #[inline(always)]
    fn load(_: Avx2, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 16);
        // SAFETY: the proof shows that AVX2 is available; the load reads 16 bytes, just checked.
        Self(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_partial(proof: Avx2, bytes: &[u8]) -> Self {
        if bytes.len() == 16 {
            return Self::load(proof, bytes);
        }
        let bytes = partial::load(bytes);
        // SAFETY: the proof shows that AVX2 is available.
        Self(unsafe { _mm_set_epi64x((bytes >> 64) as i64, bytes as i64) })
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        assert!(bytes.len() >= 16);
        // SAFETY: `self` proves AVX2; the store writes 16 bytes, just checked.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn store_partial(self, bytes: &mut [u8]) {
        if bytes.len() == 16 {
            return self.store(bytes);
        }
        // SAFETY: `self` proves AVX2.
        let [low, high] = unsafe { [_mm_cvtsi128_si64(self.0), _mm_extract_epi64::<1>(self.0)] };
        let value = u128::from(low.cast_unsigned()) | u128::from(high.cast_unsigned()) << 64;
        partial::store(value, bytes);
    }

    #[inline(always)]
    fn keep(self, length: usize) -> Self {
        let mask = &ONES_THEN_ZEROS[32 - length..48 - length];
        // SAFETY: `self` proves AVX2; the load reads the 16 bytes of `mask`.
        Self(unsafe { _mm_and_si128(self.0, _mm_loadu_si128(mask.as_ptr().cast())) })
    }

    #[inline(always)]
    fn broadcast_lane(&self, lane: usize) -> Self {
        assert!(lane < 1);
        *self
    }

    #[inline(always)]
    fn pinned(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { pinned(self.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }

    #[inline(always)]
    fn add32(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn shuffle(self, order: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_shuffle_epi8(self.0, order.0) })
    }

    #[inline(always)]
    fn shift<const BYTES: i32>(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_bslli_si128::<BYTES>(self.0) })
    }

    #[inline(always)]
    fn swap_halves(self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_shuffle_epi32::<0b01_00_11_10>(self.0) })
    }

    #[inline(always)]
    fn with_high(self, high: Self) -> Self {
        // SAFETY: `self` proves AVX2.
        Self(unsafe { _mm_blend_epi32::<0b1100>(self.0, high.0) })
    }

    #[inline(always)]
    fn unzip(self, other: Self) -> (Self, Self) {
        (self, other)
    }

    #[inline(always)]
    fn fold(self) -> Self {
        self
    }

    #[inline(always)]
    fn enc(self, key: Self) -> Self {
        // SAFETY: `self` proves AES-NI.
        Self(unsafe { _mm_aesenc_si128(self.0, key.0) })
    }

    #[inline(always)]
    fn enc_last(self, key: Self) -> Self {
        // SAFETY: `self` proves AES-NI.
        Self(unsafe { _mm_aesenclast_si128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec(self, key: Self) -> Self {
        // SAFETY: `self` proves AES-NI.
        Self(unsafe { _mm_aesdec_si128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec_last(self, key: Self) -> Self {
        // SAFETY: `self` proves AES-NI.
        Self(unsafe { _mm_aesdeclast_si128(self.0, key.0) })
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, other: Self) -> Self {
        // SAFETY: `self` proves PCLMULQDQ.
        Self(unsafe { _mm_clmulepi64_si128::<HALVES>(self.0, other.0) })
    }
}
