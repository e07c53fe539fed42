//! The vector trait that all AES kernels are written over.

use super::Block;
use crate::ciphers::cpu;

/// A vector of [`BLOCKS`](Self::BLOCKS) 128-bit lanes, and the instructions on it.
///
/// A value exists only if the processor has the instructions of its [`Proof`](Self::Proof): every
/// constructor takes one. Methods are `#[inline(always)]`, so that they are inlined into the
/// kernel.
pub(crate) trait AesLanes: Copy {
    /// Proof that this vector's instructions are available.
    type Proof: cpu::Proof;
    /// Number of lanes in a vector.
    const BLOCKS: usize;
    /// Number of bytes in a vector.
    const BYTES: usize = 16 * Self::BLOCKS;
    /// Number of vector registers of the processor.
    const REGISTERS: usize;

    /// Sets all bits to zero.
    fn zero(proof: Self::Proof) -> Self;
    /// Copies a block to every lane.
    fn broadcast(proof: Self::Proof, block: &Block) -> Self;
    /// Puts a block into the first lane and zero into the others.
    fn single(proof: Self::Proof, block: &Block) -> Self;
    /// Returns the block of the first lane.
    fn first(self) -> Block;
    /// Loads the first [`BYTES`](Self::BYTES) bytes; panics if there are fewer.
    fn load(proof: Self::Proof, bytes: &[u8]) -> Self;
    /// Loads at most [`BYTES`](Self::BYTES) bytes and fills up with zeros.
    fn load_partial(proof: Self::Proof, bytes: &[u8]) -> Self;
    /// Writes the first [`BYTES`](Self::BYTES) bytes; panics if there are fewer.
    fn store(self, bytes: &mut [u8]);
    /// Fills at most [`BYTES`](Self::BYTES) bytes.
    fn store_partial(self, bytes: &mut [u8]);
    /// Keeps the first `length` bytes and zeroes the rest.
    fn keep(self, length: usize) -> Self;
    /// Copies the block at `lane` of a vector in memory to every lane.
    fn broadcast_lane(&self, lane: usize) -> Self;

    /// Returns the same vector in a register. The compiled program computes pinned vectors in the
    /// order of the source.
    fn pinned(self) -> Self;

    /// Computes the bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Adds as 32-bit words, little-endian.
    fn add32(self, other: Self) -> Self;
    /// Moves bytes within each lane as given by `order`.
    fn shuffle(self, order: Self) -> Self;
    /// Shifts each lane by `BYTES` bytes towards its end.
    fn shift<const BYTES: i32>(self) -> Self;
    /// Swaps the 64-bit halves of each lane.
    fn swap_halves(self) -> Self;
    /// Combines the first halves of `self` with the second halves of `high`.
    fn with_high(self, high: Self) -> Self;
    /// Splits the lanes of `self` followed by `other` into those at even and those at odd
    /// positions.
    fn unzip(self, other: Self) -> (Self, Self);
    /// Puts the exclusive or of all lanes into the first lane and zero into the others.
    fn fold(self) -> Self;

    /// Runs one round of encryption.
    fn enc(self, key: Self) -> Self;
    /// Runs one round of encryption; see [`pinned`](Self::pinned).
    #[inline(always)]
    fn enc_pinned(self, key: Self) -> Self {
        self.enc(key).pinned()
    }
    /// Runs the last round of encryption.
    fn enc_last(self, key: Self) -> Self;
    /// Runs one round of decryption (equivalent inverse cipher).
    fn dec(self, key: Self) -> Self;
    /// Runs the last round of decryption.
    fn dec_last(self, key: Self) -> Self;
    /// Multiplies carry-less a half of `self` (bit 0 of `HALVES`) and a half of `other` (bit 4).
    fn clmul<const HALVES: i32>(self, other: Self) -> Self;
}

/// Transposes vectors and lanes: vector `i` of the result has lane `i` of each vector, in order.
#[inline(always)]
pub(super) fn transpose<L: AesLanes>(square: &mut [L]) {
    assert_eq!(square.len(), L::BLOCKS);
    match square {
        [_] => {}
        [a, b] => (*a, *b) = a.unzip(*b),
        [a, b, c, d] => {
            let (even_ab, odd_ab) = a.unzip(*b);
            let (even_cd, odd_cd) = c.unzip(*d);
            (*a, *c) = even_ab.unzip(even_cd);
            (*b, *d) = odd_ab.unzip(odd_cd);
        }
        _ => unreachable!("vectors have one, two or four lanes"),
    }
}
