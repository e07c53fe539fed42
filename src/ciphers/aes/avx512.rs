//! Four blocks in a 512-bit register.

use std::arch::asm;
use std::arch::x86_64::*;

use super::Block;
use super::lanes::AesLanes;
use crate::ciphers::cpu::Avx512;

/// Four blocks. A value can only be made from an [`Avx512`], which makes its methods safe.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Wide(__m512i);

/// Mask that selects the first `length` of 64 bytes.
#[inline(always)]
fn first_bytes(length: usize) -> u64 {
    assert!(length <= 64);
    // SAFETY: `Avx512` includes BMI2, and callers hold a proof or a vector.
    unsafe { _bzhi_u64(u64::MAX, length as u32) }
}

/// Returns its argument in a register. Assembly blocks keep their order. Like the instructions of
/// `core::arch`, the function names the one feature that its register needs.
#[target_feature(enable = "avx512f")]
#[inline]
fn pinned(mut vector: __m512i) -> __m512i {
    // It would hide from the sanitizer that the vector is secret.
    #[cfg(not(ct_check))]
    // SAFETY: the assembly contains no instruction.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) vector, options(nomem, nostack, preserves_flags));
    }
    vector
}

impl AesLanes for Wide {
    type Proof = Avx512;
    const BLOCKS: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn zero(_: Avx512) -> Self {
        // SAFETY: the proof shows that AVX-512 is available.
        Self(unsafe { _mm512_setzero_si512() })
    }

    #[inline(always)]
    fn broadcast(_: Avx512, block: &Block) -> Self {
        // SAFETY: the proof shows that AVX-512 is available; the load reads 16 bytes, all in
        // `block`.
        Self(unsafe { _mm512_broadcast_i32x4(_mm_loadu_si128(block.as_ptr().cast())) })
    }

    #[inline(always)]
    fn single(_: Avx512, block: &Block) -> Self {
        // SAFETY: the proof shows that AVX-512 is available; the load reads 16 bytes, all in
        // `block`.
        Self(unsafe { _mm512_zextsi128_si512(_mm_loadu_si128(block.as_ptr().cast())) })
    }

    #[inline(always)]
    fn first(self) -> Block {
        let mut block = [0; 16];
        // SAFETY: `self` proves AVX-512; the store writes 16 bytes, all in `block`.
        unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), _mm512_castsi512_si128(self.0)) }
        block
    }

    #[inline(always)]
    fn load(_: Avx512, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 64);
        // SAFETY: the proof shows that AVX-512 is available; the load reads 64 bytes, just checked.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_partial(_: Avx512, bytes: &[u8]) -> Self {
        let mask = first_bytes(bytes.len());
        // SAFETY: the proof shows that AVX-512 is available; the mask keeps the load within
        // `bytes`.
        Self(unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        assert!(bytes.len() >= 64);
        // SAFETY: `self` proves AVX-512; the store writes 64 bytes, just checked.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn store_partial(self, bytes: &mut [u8]) {
        let mask = first_bytes(bytes.len());
        // SAFETY: `self` proves AVX-512; the mask keeps the store within `bytes`.
        unsafe { _mm512_mask_storeu_epi8(bytes.as_mut_ptr().cast(), mask, self.0) }
    }

    #[inline(always)]
    fn keep(self, length: usize) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_maskz_mov_epi8(first_bytes(length), self.0) })
    }

    #[inline(always)]
    fn broadcast_lane(&self, lane: usize) -> Self {
        assert!(lane < 4);
        // SAFETY: `self` proves AVX-512; the load reads one of the four blocks of `self`.
        Self(unsafe {
            let block = std::ptr::from_ref(self).cast::<__m128i>().add(lane);
            _mm512_broadcast_i32x4(_mm_loadu_si128(block))
        })
    }

    #[inline(always)]
    fn pinned(self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { pinned(self.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn add32(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn shuffle(self, order: Self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_shuffle_epi8(self.0, order.0) })
    }

    #[inline(always)]
    fn shift<const BYTES: i32>(self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_bslli_epi128::<BYTES>(self.0) })
    }

    #[inline(always)]
    fn swap_halves(self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_shuffle_epi32::<0b01_00_11_10>(self.0) })
    }

    #[inline(always)]
    fn with_high(self, high: Self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe { _mm512_mask_blend_epi64(0b1010_1010, self.0, high.0) })
    }

    #[inline(always)]
    fn unzip(self, other: Self) -> (Self, Self) {
        // SAFETY: `self` proves AVX-512.
        unsafe {
            (
                Self(_mm512_shuffle_i32x4::<0b10_00_10_00>(self.0, other.0)),
                Self(_mm512_shuffle_i32x4::<0b11_01_11_01>(self.0, other.0)),
            )
        }
    }

    #[inline(always)]
    fn fold(self) -> Self {
        // SAFETY: `self` proves AVX-512.
        Self(unsafe {
            let half = _mm256_xor_si256(
                _mm512_castsi512_si256(self.0),
                _mm512_extracti64x4_epi64::<1>(self.0),
            );
            let block =
                _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
            _mm512_zextsi128_si512(block)
        })
    }

    #[inline(always)]
    fn enc(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm512_aesenc_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn enc_last(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm512_aesenclast_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm512_aesdec_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn dec_last(self, key: Self) -> Self {
        // SAFETY: `self` proves VAES.
        Self(unsafe { _mm512_aesdeclast_epi128(self.0, key.0) })
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, other: Self) -> Self {
        // SAFETY: `self` proves VPCLMULQDQ.
        Self(unsafe { _mm512_clmulepi64_epi128::<HALVES>(self.0, other.0) })
    }
}
