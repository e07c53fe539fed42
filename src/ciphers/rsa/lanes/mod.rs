//! Arithmetic on eight numbers at a time, one per 64-bit lane of a 512-bit register.
//!
//! A [`Number`] holds eight numbers in radix 2⁵²: limb `i` of all eight is stored together. The
//! algorithms ([`montgomery`], [`power`], …) are written once, over the primitives of [`RsaLanes`];
//! [`ifma`] implements these with AVX-512, and the tests also with plain integers.
//!
//! Everything here runs in time that depends only on sizes and public exponents: no branch and no
//! address depends on a number, a bit of a private exponent, or a lane's validity.

pub(super) mod convert;
pub(super) mod modulus;
pub(super) mod montgomery;
pub(super) mod power;
pub(super) mod prime;
pub(super) mod private;
pub(super) mod public;
pub(super) mod radix;

#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(not(test), allow(dead_code))]
pub(super) mod model;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::ciphers::cpu::{Avx512, Level};
use crate::ciphers::cpu::{Backend, Proof};

use zeroize::DefaultIsZeroes;

/// Bits in a limb: the width of AVX-512 IFMA's multiplier.
pub(super) const LIMB_BITS: usize = 52;
/// The low 52 bits.
pub(super) const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;
/// Number of limbs in a block: 20 accumulators, ten limbs of one factor and one of the other fill
/// the 32 registers.
pub(super) const BLOCK: usize = 10;
/// Number of bits in a block.
pub(super) const BLOCK_BITS: usize = BLOCK * LIMB_BITS;
/// Bits of the longest modulus: eight blocks with two spare bits, in two halves.
const MAX_BITS: usize = 4096;
/// Number of numbers processed at a time.
pub(super) const LANES: usize = 8;

/// One limb of eight numbers: 64 bytes, aligned to a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Limbs(pub [u64; LANES]);

impl Limbs {
    pub(super) const ZERO: Self = Self([0; LANES]);
}

impl DefaultIsZeroes for Limbs {}

impl Default for Limbs {
    fn default() -> Self {
        Self::ZERO
    }
}

/// Ten consecutive limbs, least significant first.
pub(super) type Block = [Limbs; BLOCK];

/// Eight numbers of `B` blocks (520·`B` bits) each, least significant first.
pub(super) type Number<const B: usize> = [Block; B];

/// Returns eight zeros.
pub(super) const fn zero<const B: usize>() -> Number<B> {
    [[Limbs::ZERO; BLOCK]; B]
}

/// The operations on eight lanes that the algorithms are built from. `self` is the proof that the
/// processor supports them.
pub(crate) trait RsaLanes: Proof {
    /// A register of eight 64-bit lanes.
    type Word: Copy;
    /// One bit per lane.
    type Mask: Copy;

    fn load(self, from: &Limbs) -> Self::Word;
    fn store(self, to: &mut Limbs, word: Self::Word);
    fn splat(self, value: u64) -> Self::Word;
    /// Returns `sum` plus the low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn add_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Returns `sum` plus the high 52 bits of that product.
    fn add_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Shifts arithmetically by one limb: the carry out of a limb, or its borrow.
    fn carry(self, a: Self::Word) -> Self::Word;
    fn equal(self, a: Self::Word, b: Self::Word) -> Self::Mask;
    /// Returns `yes` where the mask is set, `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: Self::Word, no: Self::Word) -> Self::Word;
}

/// Returns the backend's lanes; backends without lanes use the crate `rsa`.
#[cfg(target_arch = "x86_64")]
pub(super) fn of(backend: Backend) -> Option<Avx512> {
    match backend.level() {
        Level::RustCrypto | Level::Portable | Level::Avx2(_) | Level::Vaes(_) => None,
        Level::Avx512(lanes) => Some(lanes),
    }
}

/// No backend has lanes on this architecture.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn of(_: Backend) -> Option<model::Model> {
    None
}
