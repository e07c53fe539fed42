//! The field of GHASH (SP 800-38D, section 6.3) over lanes.
//!
//! Blocks are stored byte-reversed in their lanes, so that the bit of x⁰ is the highest. A
//! carry-less product of two such numbers lacks a factor x⁻¹; the powers of the hash key include
//! it.

use crate::ciphers::aes::Block;
use crate::ciphers::aes::lanes::AesLanes;

/// Constants of the field arithmetic, in vectors.
#[derive(Clone, Copy)]
pub(super) struct Field<L: AesLanes> {
    pub(super) proof: L::Proof,
    reversal: L,
    polynomial: L,
}

impl<L: AesLanes> Field<L> {
    #[inline(always)]
    pub(super) fn new(proof: L::Proof) -> Self {
        /// The reduction polynomial's high half, in both halves.
        const POLYNOMIAL: Block = [0, 0, 0, 0, 0, 0, 0, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0xc2];
        const REVERSAL: Block = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
        Self {
            proof,
            reversal: L::broadcast(proof, &REVERSAL),
            polynomial: L::broadcast(proof, &POLYNOMIAL),
        }
    }

    /// Converts a block's bytes to a field element, or back.
    #[inline(always)]
    pub(super) fn reverse(&self, block: L) -> L {
        block.shuffle(self.reversal)
    }

    /// Computes the hash key H·x⁻¹ from an encrypted zero block, lane by lane.
    #[inline(always)]
    pub(super) fn hash_key(&self, zero_block: L) -> L {
        /// x⁻²: its product with H is that of H and x⁻¹.
        const X_MINUS_2: Block = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x46];
        self.multiply(self.reverse(zero_block), L::broadcast(self.proof, &X_MINUS_2))
    }

    /// Multiplies modulo the polynomial, lane by lane.
    #[inline(always)]
    pub(super) fn multiply(&self, a: L, b: L) -> L {
        self.reduce(Product::of(a, b))
    }

    /// Squares modulo the polynomial, lane by lane.
    #[inline(always)]
    pub(super) fn square(&self, a: L) -> L {
        self.reduce(Product::square(self.proof, a))
    }

    /// Reduces modulo the polynomial, 64 bits at a time from the low end.
    #[inline(always)]
    pub(super) fn reduce(&self, product: Product<L>) -> L {
        let middle = product
            .middle
            .xor(product.low.swap_halves())
            .xor(product.low.clmul::<0x00>(self.polynomial));
        product.high.xor(middle.swap_halves()).xor(middle.clmul::<0x00>(self.polynomial))
    }
}

/// A product, or a sum of products, before reduction.
#[derive(Clone, Copy)]
pub(super) struct Product<L> {
    pub(super) low: L,
    pub(super) middle: L,
    pub(super) high: L,
}

impl<L: AesLanes> Product<L> {
    #[inline(always)]
    pub(super) fn zero(proof: L::Proof) -> Self {
        let zero = L::zero(proof);
        Self { low: zero, middle: zero, high: zero }
    }

    #[inline(always)]
    pub(super) fn of(a: L, b: L) -> Self {
        Self {
            low: a.clmul::<0x00>(b),
            middle: a.clmul::<0x01>(b).xor(a.clmul::<0x10>(b)),
            high: a.clmul::<0x11>(b),
        }
    }

    /// In a square, the two middle products are equal and cancel out.
    #[inline(always)]
    fn square(proof: L::Proof, a: L) -> Self {
        Self { low: a.clmul::<0x00>(a), middle: L::zero(proof), high: a.clmul::<0x11>(a) }
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.xor(other.low),
            middle: self.middle.xor(other.middle),
            high: self.high.xor(other.high),
        }
    }

    /// See [`AesLanes::pinned`].
    #[inline(always)]
    pub(super) fn pinned(self) -> Self {
        Self { low: self.low.pinned(), middle: self.middle.pinned(), high: self.high.pinned() }
    }
}
