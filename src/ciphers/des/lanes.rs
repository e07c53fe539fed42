//! What the bitsliced DES needs of a register.

use zeroize::Zeroize;

use crate::ciphers::cpu;

/// A register of bits, one a lane: lane n of the register for bit b holds bit b of block n.
///
/// The cipher is written once over this trait. A register is made of the proof that the processor
/// has its instructions, so the methods are safe. They are `#[inline(always)]`, as everything over
/// the trait must be, to end up inside a kernel.
pub(crate) trait DesLanes: Copy + Zeroize {
    /// What proves that the processor has this register.
    type Proof: cpu::Proof;

    /// Bytes in a register.
    const BYTES: usize;

    /// Blocks in a pass: one for each bit of the register.
    const BLOCKS: usize = 8 * Self::BYTES;

    /// Inputs of each S-box that [`Self::sbox`] takes inverted, b1 in bit 5.
    const INVERTED: [u8; 8];

    /// The proof that the register was made of.
    fn proof(self) -> Self::Proof;

    /// The register with 64 bits in every 64-bit word.
    fn splat(proof: Self::Proof, word: u64) -> Self;

    /// The register at the start of `bytes`, which are at least `BYTES`.
    fn load(proof: Self::Proof, bytes: &[u8]) -> Self;

    /// Writes the register to the start of `bytes`, which are at least `BYTES`.
    fn store(self, bytes: &mut [u8]);

    fn and(self, other: Self) -> Self;

    fn xor(self, other: Self) -> Self;

    fn xor3(self, second: Self, third: Self) -> Self;

    /// In every 64-bit word: `a` with each odd group of `WIDTH` bits replaced by the even group of
    /// `b` below it, and `b` with each even group replaced by the odd group of `a` above it.
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self);

    /// S-box `BOX`, from 0: inputs b1 to b6, outputs most significant first.
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4];
}

/// A key bit: for all lanes the same ([`Same`](super::keys::Same)), or a register with a bit for each lane.
pub(crate) trait KeyBit<L: DesLanes>: Copy + Zeroize {
    /// The register with the key bit of every lane.
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
