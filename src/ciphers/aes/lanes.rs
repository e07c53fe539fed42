//! The vector that all AES kernels are written over.

use super::Block;
use crate::ciphers::cpu;

/// A vector of [`BLOCKS`](Self::BLOCKS) 128-bit lanes, and the instructions on it.
///
/// A value exists only where the processor has the instructions of its [`Proof`](Self::Proof):
/// every constructor asks for one. Methods are `#[inline(always)]`, to end up inside a kernel.
pub(crate) trait AesLanes: Copy {
    /// Proof that this vector's instructions exist.
    type Proof: cpu::Proof;
    /// Lanes in a vector.
    const BLOCKS: usize;
    /// Bytes in a vector.
    const BYTES: usize = 16 * Self::BLOCKS;
    /// Vector registers of the processor.
    const REGISTERS: usize;

    /// All bits zero.
    fn zero(proof: Self::Proof) -> Self;
    /// The same block in each lane.
    fn broadcast(proof: Self::Proof, block: &Block) -> Self;
    /// The block in the first lane, zero in the others.
    fn single(proof: Self::Proof, block: &Block) -> Self;
    /// The block of the first lane.
    fn first(self) -> Block;
    /// The first [`BYTES`](Self::BYTES) bytes; panics if there are fewer.
    fn load(proof: Self::Proof, bytes: &[u8]) -> Self;
    /// All of at most [`BYTES`](Self::BYTES) bytes, then zeros.
    fn load_partial(proof: Self::Proof, bytes: &[u8]) -> Self;
    /// Writes the first [`BYTES`](Self::BYTES) bytes; panics if there are fewer.
    fn store(self, bytes: &mut [u8]);
    /// Fills at most [`BYTES`](Self::BYTES) bytes.
    fn store_partial(self, bytes: &mut [u8]);
    /// The first `length` bytes, then zeros.
    fn keep(self, length: usize) -> Self;
    /// The block at `lane` of a vector in memory, in each lane.
    fn broadcast_lane(&self, lane: usize) -> Self;

    /// The same vector, in a register: in the compiled program, pinned vectors come to be in the
    /// order of the source.
    fn pinned(self) -> Self;

    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Adds as 32-bit words, little-endian.
    fn add32(self, other: Self) -> Self;
    /// Moves bytes within each lane to where `order` says.
    fn shuffle(self, order: Self) -> Self;
    /// Shifts each lane by `BYTES` bytes towards its end.
    fn shift<const BYTES: i32>(self) -> Self;
    /// Exchanges the 64-bit halves of each lane.
    fn swap_halves(self) -> Self;
    /// The first halves of `self` with the second halves of `high`.
    fn with_high(self, high: Self) -> Self;
    /// The lanes of `self`, then of `other`: those at even places, and those at odd places.
    fn unzip(self, other: Self) -> (Self, Self);
    /// The exclusive or of all lanes in the first lane, zero in the others.
    fn fold(self) -> Self;

    /// One round of encryption.
    fn enc(self, key: Self) -> Self;
    /// The last round of encryption.
    fn enc_last(self, key: Self) -> Self;
    /// One round of decryption (equivalent inverse cipher).
    fn dec(self, key: Self) -> Self;
    /// The last round of decryption.
    fn dec_last(self, key: Self) -> Self;
    /// Carry-less product of a half of `self` (bit 0 of `HALVES`) and a half of `other` (bit 4).
    fn clmul<const HALVES: i32>(self, other: Self) -> Self;
}

/// Exchanges lanes and places: afterwards vector `i` has lane `i` of each vector, in order.
#[inline(always)]
pub(super) fn transpose<L: AesLanes>(square: &mut [L]) {
    assert_eq!(square.len(), L::BLOCKS);
    if L::BLOCKS == 2 {
        (square[0], square[1]) = square[0].unzip(square[1]);
    } else {
        let (even01, odd01) = square[0].unzip(square[1]);
        let (even23, odd23) = square[2].unzip(square[3]);
        (square[0], square[2]) = even01.unzip(even23);
        (square[1], square[3]) = odd01.unzip(odd23);
    }
}
