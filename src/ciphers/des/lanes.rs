//! The register trait that bitsliced DES is written over.

use zeroize::Zeroize;

use crate::ciphers::cpu;

/// A register with one bit per lane: lane n of the register for bit b holds bit b of block n.
///
/// The cipher is written once over this trait. Creating a register takes the proof that the
/// processor has its instructions, so the methods are safe. They must be `#[inline(always)]`, like
/// everything over the trait, to be inlined into the kernel.
pub(crate) trait DesLanes: Copy + Zeroize {
    /// Proof that the processor has this register.
    type Proof: cpu::Proof;

    /// Number of bytes in a register.
    const BYTES: usize;

    /// Number of blocks in a pass: one for each bit of the register.
    const BLOCKS: usize = 8 * Self::BYTES;

    /// Inputs of each S-box that [`Self::sbox`] takes inverted, b1 in bit 5.
    const INVERTED: [u8; 8];

    /// Returns the proof that the register was created from.
    fn proof(self) -> Self::Proof;

    /// Fills every 64-bit word of the register with `word`.
    fn splat(proof: Self::Proof, word: u64) -> Self;

    /// Loads a register from the start of `bytes`, which has at least `BYTES` bytes.
    fn load(proof: Self::Proof, bytes: &[u8]) -> Self;

    /// Stores the register at the start of `bytes`, which has at least `BYTES` bytes.
    fn store(self, bytes: &mut [u8]);

    fn and(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    fn xor3(self, second: Self, third: Self) -> Self;

    /// Swaps groups of `WIDTH` bits in every 64-bit word: returns `a` with each odd group replaced
    /// by the even group of `b` below it, and `b` with each even group replaced by the odd group of
    /// `a` above it.
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self);

    /// Computes S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4];
}

/// A key bit: the same for all lanes ([`Same`](super::keys::Same)), or a register with one bit per
/// lane.
pub(crate) trait KeyBit<L: DesLanes>: Copy + Zeroize {
    /// Returns a register with the key bit of every lane.
    fn register(self, proof: L::Proof) -> L;

    fn inverse(self) -> Self;
}

impl<L: DesLanes> KeyBit<L> for L {
    #[inline(always)]
    fn register(self, _: L::Proof) -> L {
        self
    }

    #[inline(always)]
    fn inverse(self) -> Self {
        self.xor(L::splat(self.proof(), !0))
    }
}
