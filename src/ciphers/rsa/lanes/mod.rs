//! Arithmetic on several numbers at a time, one per 64-bit lane of a vector register.
//!
//! A [`Number`] holds as many numbers as a register has lanes, in limbs of less than 64 bits: limb
//! `i` of all numbers is stored together. What is built on numbers ([`power`], [`private`], …) is
//! written once, over [`RsaLanes`]. So is Montgomery multiplication, in two ways: [`columns`] for
//! 32 registers and a multiplier of 52 bits, [`rows`] for 16 registers and a multiplier of 32 bits.
//! [`ifma`] (AVX-512, eight lanes) and [`avx2`] (four lanes) supply the instructions; the tests
//! also use plain integers.
//!
//! Everything here runs in time that depends only on sizes and public exponents: no branch and no
//! address depends on a number, a bit of a private exponent, or a lane's validity.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

mod columns;
pub(super) mod convert;
pub(super) mod modulus;
pub(super) mod montgomery;
pub(super) mod power;
pub(super) mod prime;
pub(super) mod private;
pub(super) mod public;
pub(super) mod radix;
mod rows;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(test)]
pub(super) mod model;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::ciphers::cpu::{Avx2, Avx512};
use crate::ciphers::cpu::{Backend, Level, Proof};
use modulus::Modulus;
use zeroize::{DefaultIsZeroes, Zeroize};

/// Bits of the longest modulus: eight blocks with two spare bits, in two halves.
const MAX_BITS: usize = 4096;

/// Declares a limb of several numbers, aligned like the register that holds it.
macro_rules! limbs {
    ($(#[$doc:meta])* $name:ident, $lanes:literal, $align:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        #[repr(C, align($align))]
        pub(crate) struct $name(pub(super) [u64; $lanes]);

        impl DefaultIsZeroes for $name {}

        impl AsRef<[u64]> for $name {
            fn as_ref(&self) -> &[u64] {
                &self.0
            }
        }

        impl AsMut<[u64]> for $name {
            fn as_mut(&mut self) -> &mut [u64] {
                &mut self.0
            }
        }
    };
}

limbs! {
    /// A limb of four numbers: 32 bytes.
    FourLimbs, 4, 32
}

limbs! {
    /// A limb of eight numbers: 64 bytes, a cache line.
    EightLimbs, 8, 64
}

/// Numbers of `B` blocks each, one per lane, least significant limb first.
#[derive(Clone, Copy)]
pub(crate) struct Number<L: RsaLanes, const B: usize>([L::Block; B]);

impl<L: RsaLanes, const B: usize> Number<L, B> {
    /// Returns zero in every lane.
    pub(super) fn zero() -> Self {
        Self([L::Block::default(); B])
    }

    #[inline(always)]
    pub(super) fn limbs(&self) -> &[L::Limbs] {
        L::limbs(&self.0)
    }

    #[inline(always)]
    pub(super) fn limbs_mut(&mut self) -> &mut [L::Limbs] {
        L::limbs_mut(&mut self.0)
    }
}

impl<L: RsaLanes, const B: usize> Zeroize for Number<L, B> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// The operations on lanes that the algorithms are built from. `self` is the proof that the
/// processor supports them.
pub(crate) trait RsaLanes: Proof {
    /// Number of numbers processed at a time: the lanes of a register.
    const LANES: usize;
    /// Number of bits in a limb.
    const LIMB_BITS: usize;
    /// Number of bits in a block, 513 or a few more: two blocks hold a number of 1,024 bits with
    /// two spare bits.
    const BLOCK_BITS: usize;
    /// Which of the [`RADICES`](super::key::RADICES) these lanes use: blocks have 520 or 513 bits.
    const RADIX: usize;
    /// The bits of a limb.
    const LIMB_MASK: u64 = (1 << Self::LIMB_BITS) - 1;

    /// One limb of each number.
    type Limbs: Copy + Default + Zeroize + AsRef<[u64]> + AsMut<[u64]>;
    /// An array of limbs.
    type Block: Copy + Default + Zeroize;
    /// A register.
    type Word: Copy;
    /// Chooses lanes.
    type Mask: Copy;

    fn limbs(blocks: &[Self::Block]) -> &[Self::Limbs];
    fn limbs_mut(blocks: &mut [Self::Block]) -> &mut [Self::Limbs];

    fn load(self, from: &Self::Limbs) -> Self::Word;
    fn store(self, to: &mut Self::Limbs, word: Self::Word);
    fn splat(self, value: u64) -> Self::Word;
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Shifts by one limb: the carry out of a limb.
    fn carry(self, a: Self::Word) -> Self::Word;
    /// Shifts arithmetically by one limb: the borrow out of a limb, 0 or −1.
    fn borrow(self, a: Self::Word) -> Self::Word;
    fn equal(self, a: Self::Word, b: Self::Word) -> Self::Mask;
    /// Returns `yes` where the mask is set, `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: Self::Word, no: Self::Word) -> Self::Word;
    /// Returns `sum` plus, where the mask is set, `word`.
    fn add_if(self, mask: Self::Mask, sum: Self::Word, word: Self::Word) -> Self::Word;

    /// Returns `sum` plus `a`·`b`, for factors below 2³² with a product below 2⁵².
    fn add_product(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Whether a number below 2⁵¹ is a multiple of a small prime.
    fn is_multiple(self, number: Self::Word, prime: &prime::SmallPrime) -> Self::Mask;

    /// x ← x·y·R⁻¹, for x·y < n·R; the result is below 2n if x·y < 4n².
    fn multiply<const B: usize>(
        self,
        x: &mut Number<Self, B>,
        y: &Number<Self, B>,
        modulus: &Modulus<Self, B>,
    );
    /// x ← x²·R⁻¹, for x < 2n.
    fn square<const B: usize>(self, x: &mut Number<Self, B>, modulus: &Modulus<Self, B>);
    /// `high` ← (`high`·R + `low`)·R⁻¹, for a double-length number below n·R.
    fn reduce_wide<const B: usize>(
        self,
        low: &Number<Self, B>,
        high: &mut Number<Self, B>,
        modulus: &Modulus<Self, B>,
    );
}

/// The lanes of a backend.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lanes {
    /// Four lanes with a multiplier of 32 bits.
    #[cfg(target_arch = "x86_64")]
    Four(Avx2),
    /// Eight lanes with a multiplier of 52 bits.
    #[cfg(target_arch = "x86_64")]
    Eight(Avx512),
}

impl Lanes {
    /// Returns the backend's lanes; `None` where the crate `rsa` runs instead.
    pub(super) fn of(backend: Backend) -> Option<Self> {
        match backend.level() {
            Level::RustCrypto | Level::Portable | Level::Neon(_) => None,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(proof) => Some(Self::Four(proof)),
            #[cfg(target_arch = "x86_64")]
            Level::Vaes(proof) => Some(Self::Four(proof.into())),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(proof) => Some(Self::Eight(proof)),
        }
    }

    /// Runs the computation on these lanes.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn run<C: OverLanes>(self, computation: C) -> C::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Four(lanes) => computation.run(lanes),
            #[cfg(target_arch = "x86_64")]
            Self::Eight(lanes) => computation.run(lanes),
        }
    }
}

/// A computation for any lanes.
pub(super) trait OverLanes {
    /// Return type of the computation.
    type Output;
    fn run<L: RsaLanes>(self, lanes: L) -> Self::Output;
}
