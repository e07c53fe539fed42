//! Eight lanes in AVX-512 registers, multiplied with IFMA.

use super::columns::{self, BLOCK, Columns, LIMB_BITS};
use super::modulus::Modulus;
use super::prime::SmallPrime;
use super::{EightLimbs, Number, RsaLanes};
use crate::ciphers::cpu::Avx512;
use std::arch::x86_64::*;

impl RsaLanes for Avx512 {
    const LANES: usize = 8;
    const LIMB_BITS: usize = LIMB_BITS;
    const BLOCK_BITS: usize = BLOCK * LIMB_BITS;
    const RADIX: usize = 0;

    type Limbs = EightLimbs;
    type Block = [EightLimbs; BLOCK];
    type Word = __m512i;
    type Mask = __mmask8;

    #[inline(always)]
    fn limbs(blocks: &[[EightLimbs; BLOCK]]) -> &[EightLimbs] {
        blocks.as_flattened()
    }

    #[inline(always)]
    fn limbs_mut(blocks: &mut [[EightLimbs; BLOCK]]) -> &mut [EightLimbs] {
        blocks.as_flattened_mut()
    }

    #[inline(always)]
    fn load(self, from: &EightLimbs) -> __m512i {
        // SAFETY: `self` proves AVX-512; the reference is to 64 readable bytes, aligned to 64.
        unsafe { _mm512_load_si512(std::ptr::from_ref(from).cast()) }
    }

    #[inline(always)]
    fn store(self, to: &mut EightLimbs, word: __m512i) {
        // SAFETY: `self` proves AVX-512; the reference is to 64 writable bytes, aligned to 64.
        unsafe { _mm512_store_si512(std::ptr::from_mut(to).cast(), word) }
    }

    #[inline(always)]
    fn splat(self, value: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_set1_epi64(value.cast_signed()) }
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_add_epi64(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_sub_epi64(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn carry(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_srli_epi64::<{ LIMB_BITS as u32 }>(a) }
    }

    #[inline(always)]
    fn borrow(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_srai_epi64::<{ LIMB_BITS as u32 }>(a) }
    }

    #[inline(always)]
    fn equal(self, a: __m512i, b: __m512i) -> __mmask8 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_cmpeq_epi64_mask(a, b) }
    }

    #[inline(always)]
    fn select(self, mask: __mmask8, yes: __m512i, no: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_mask_blend_epi64(mask, no, yes) }
    }
    #[inline(always)]
    fn add_if(self, mask: __mmask8, sum: __m512i, word: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_mask_add_epi64(sum, mask, sum, word) }
    }

    #[inline(always)]
    fn add_product(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        self.add_low(sum, a, b)
    }

    #[inline(always)]
    fn is_multiple(self, number: __m512i, prime: &SmallPrime) -> __mmask8 {
        let zero = self.splat(0);
        let quotient = self.add_low(zero, number, self.splat(prime.inverse));
        self.equal(self.add_high(zero, quotient, self.splat(prime.prime)), zero)
    }

    #[inline(always)]
    fn multiply<const B: usize>(
        self,
        x: &mut Number<Self, B>,
        y: &Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        columns::multiply(self, x, y, modulus);
    }

    #[inline(always)]
    fn square<const B: usize>(self, x: &mut Number<Self, B>, modulus: &Modulus<Self, B>) {
        columns::square(self, x, modulus);
    }

    #[inline(always)]
    fn reduce_wide<const B: usize>(
        self,
        low: &Number<Self, B>,
        high: &mut Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        columns::reduce_wide(self, low, high, modulus);
    }
}

impl Columns for Avx512 {
    #[inline(always)]
    fn add_low(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512 with IFMA.
        unsafe { _mm512_madd52lo_epu64(sum, a, b) }
    }

    #[inline(always)]
    fn add_high(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512 with IFMA.
        unsafe { _mm512_madd52hi_epu64(sum, a, b) }
    }
}
