//! Four lanes in AVX2 registers.

use super::modulus::Modulus;
use super::prime::SmallPrime;
use super::rows::{self, BLOCK, LIMB_BITS, Rows};
use super::{FourLimbs, Number, RsaLanes};
use crate::ciphers::cpu::Avx2;
use std::arch::x86_64::*;

impl RsaLanes for Avx2 {
    const LANES: usize = 4;
    const LIMB_BITS: usize = LIMB_BITS;
    const BLOCK_BITS: usize = BLOCK * LIMB_BITS;
    const RADIX: usize = 1;

    type Limbs = FourLimbs;
    type Block = [FourLimbs; BLOCK];
    type Word = __m256i;
    type Mask = __m256i;

    #[inline(always)]
    fn limbs(blocks: &[[FourLimbs; BLOCK]]) -> &[FourLimbs] {
        blocks.as_flattened()
    }

    #[inline(always)]
    fn limbs_mut(blocks: &mut [[FourLimbs; BLOCK]]) -> &mut [FourLimbs] {
        blocks.as_flattened_mut()
    }

    #[inline(always)]
    fn load(self, from: &FourLimbs) -> __m256i {
        // SAFETY: `self` proves AVX2; the reference is to 32 readable bytes, aligned to 32.
        unsafe { _mm256_load_si256(std::ptr::from_ref(from).cast()) }
    }

    #[inline(always)]
    fn store(self, to: &mut FourLimbs, word: __m256i) {
        // SAFETY: `self` proves AVX2; the reference is to 32 writable bytes, aligned to 32.
        unsafe { _mm256_store_si256(std::ptr::from_mut(to).cast(), word) }
    }

    #[inline(always)]
    fn splat(self, value: u64) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_set1_epi64x(value.cast_signed()) }
    }

    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_add_epi64(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_sub_epi64(a, b) }
    }

    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    fn carry(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_srli_epi64::<{ LIMB_BITS as i32 }>(a) }
    }

    #[inline(always)]
    fn borrow(self, a: __m256i) -> __m256i {
        // There is no arithmetic shift of 64-bit lanes: shift the sum with a bias, then subtract
        // the shifted bias.
        let biased = self.add(a, self.splat(1 << 63));
        self.sub(self.carry(biased), self.splat(1 << (63 - LIMB_BITS)))
    }

    #[inline(always)]
    fn equal(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_cmpeq_epi64(a, b) }
    }

    #[inline(always)]
    fn select(self, mask: __m256i, yes: __m256i, no: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_blendv_epi8(no, yes, mask) }
    }

    #[inline(always)]
    fn add_if(self, mask: __m256i, sum: __m256i, word: __m256i) -> __m256i {
        self.add(sum, self.and(mask, word))
    }

    #[inline(always)]
    fn add_product(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        self.add_wide(sum, a, b)
    }

    #[inline(always)]
    fn is_multiple(self, number: __m256i, prime: &SmallPrime) -> __m256i {
        // Folded at bit 32, the number is below 2³³ and congruent. It is then a multiple exactly if
        // its product with the inverse, modulo 2³², is the quotient.
        // SAFETY: `self` proves AVX2.
        let high = unsafe { _mm256_srli_epi64::<32>(number) };
        let low = self.and(number, self.splat(u64::from(u32::MAX)));
        let number = self.add_product(low, high, self.splat(prime.powers[1]));
        let quotient = product(self, number, self.splat(prime.inverse));
        self.equal(product(self, quotient, self.splat(prime.prime)), number)
    }

    #[inline(always)]
    fn multiply<const B: usize>(
        self,
        x: &mut Number<Self, B>,
        y: &Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        rows::multiply(self, x, y, modulus);
    }

    #[inline(always)]
    fn square<const B: usize>(self, x: &mut Number<Self, B>, modulus: &Modulus<Self, B>) {
        rows::square(self, x, modulus);
    }

    #[inline(always)]
    fn reduce_wide<const B: usize>(
        self,
        low: &Number<Self, B>,
        high: &mut Number<Self, B>,
        modulus: &Modulus<Self, B>,
    ) {
        rows::reduce_wide(self, low, high, modulus);
    }
}

impl Rows for Avx2 {
    #[inline(always)]
    fn add_wide(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        self.add(sum, product(self, a, b))
    }
}

/// Returns the product of the low halves of each lane.
#[inline(always)]
fn product(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the proof covers the instruction.
    unsafe { _mm256_mul_epu32(a, b) }
}
