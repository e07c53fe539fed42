//! Eight lanes in AVX-512 registers, multiplied with IFMA.

use super::{Words, X25519Lanes};
use crate::ciphers::cpu::Avx512;
use std::arch::x86_64::*;

impl X25519Lanes for Avx512 {
    type Word = __m512i;
    type Mask = __mmask8;

    #[inline(always)]
    fn load(self, from: &Words) -> __m512i {
        // SAFETY: `self` proves AVX-512; the reference is to 64 readable bytes, aligned to 64.
        unsafe { _mm512_load_si512(std::ptr::from_ref(from).cast()) }
    }

    #[inline(always)]
    fn store(self, to: &mut Words, word: __m512i) {
        // SAFETY: `self` proves AVX-512; the reference is to 64 writable bytes, aligned to 64.
        unsafe { _mm512_store_si512(std::ptr::from_mut(to).cast(), word) }
    }

    #[inline(always)]
    fn splat(self, value: u64) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_set1_epi64(value.cast_signed()) }
    }

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
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_or_si512(a, b) }
    }

    #[inline(always)]
    fn xor(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn shift<const BITS: u32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_srai_epi64::<BITS>(a) }
    }

    #[inline(always)]
    fn test(self, a: __m512i, b: __m512i) -> __mmask8 {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_test_epi64_mask(a, b) }
    }

    #[inline(always)]
    fn select(self, mask: __mmask8, yes: __m512i, no: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_mask_blend_epi64(mask, no, yes) }
    }

    #[cfg(not(ct_check))]
    #[inline(always)]
    fn pick(self, [low, high]: &[Words; 2], index: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512.
        unsafe { _mm512_permutex2var_epi64(self.load(low), index, self.load(high)) }
    }

    /// MemorySanitizer takes the index of a permutation for an address, though the table is in
    /// registers. `scripts/ct-check.sh` runs the same lanes with this in its place.
    #[cfg(ct_check)]
    #[inline(always)]
    fn pick(self, table: &[Words; 2], index: __m512i) -> __m512i {
        let index = self.and(index, self.splat(15));
        let mut picked = self.splat(0);
        for (i, row) in table.iter().enumerate() {
            for (lane, entry) in row.0.iter().enumerate() {
                let other = self.xor(index, self.splat((8 * i + lane) as u64));
                picked = self.select(self.test(other, other), picked, self.splat(*entry));
            }
        }
        picked
    }
}
