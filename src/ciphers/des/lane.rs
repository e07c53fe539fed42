//! What the bitsliced DES needs of a register.

use zeroize::Zeroize;

use super::keys::RoundKey;
use super::rounds::Half;

/// A register of bits, one a lane: lane n of the register for bit b holds bit b of block n.
///
/// The cipher is written once over this trait. Only a holder of the proof of an instruction set
/// gets to make its registers, so the methods are safe. They are `inline(always)`, as everything
/// over the trait must be, to end up inside a function with the target features.
pub(super) trait Lane: Copy + Zeroize {
    /// Bytes in a register.
    const BYTES: usize;

    /// Blocks in a pass: one for each bit of the register.
    const BLOCKS: usize = 8 * Self::BYTES;

    /// Inputs of each S-box that [`Self::sbox`] takes inverted, b1 in bit 5.
    const INVERTED: [u8; 8];

    /// The register with 64 bits in every 64-bit word.
    fn splat(word: u64) -> Self;

    /// The register at the start of `bytes`, which are at least `BYTES`.
    fn load(bytes: &[u8]) -> Self;

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

    /// [`two_rounds`](super::rounds::two_rounds) with the instruction set enabled and out of line.
    fn two_rounds<K: KeyBit<Self>>(
        left: &mut Half<Self>,
        right: &mut Half<Self>,
        first: RoundKey<'_, K>,
        second: RoundKey<'_, K>,
    );
}

/// A key bit: for all lanes the same ([`Same`](super::keys::Same)), or a register with a bit for each lane.
pub(super) trait KeyBit<L>: Copy + Zeroize {
    /// The register with the key bit of every lane.
    fn register(self) -> L;

    fn inverse(self) -> Self;
}

impl<L: Lane> KeyBit<L> for L {
    #[inline(always)]
    fn register(self) -> L {
        self
    }

    #[inline(always)]
    fn inverse(self) -> Self {
        self.xor(L::splat(!0))
    }
}
