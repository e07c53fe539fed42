//! FEAL on many blocks at a time: one register per byte position, one lane per block.

use zeroize::Zeroizing;

use super::{BLOCK_BYTES, Block, MAX_ROUNDS, Message, Subkey, WHITENING};
use crate::ciphers::cpu::{self, Kernel, Over};

/// Number of lanes in the widest register.
const MAX_LANES: usize = 64;

/// A register of 64-bit words, also used as a register of bytes. A value proves that the processor
/// has the register's instructions.
pub(crate) trait FealLanes: Copy {
    /// Proof that the processor has this register.
    type Proof: cpu::Proof;
    /// Number of 64-bit words in the register. Eight registers hold eight times as many blocks.
    const WORDS: usize;

    /// Loads `WORDS` blocks as words in memory order (`blocks` is at least that long).
    fn load(proof: Self::Proof, blocks: &[Block]) -> Self;
    /// Stores the words.
    fn store(self, blocks: &mut [Block]);
    /// Sets every lane to the same byte.
    fn splat(proof: Self::Proof, byte: u8) -> Self;
    /// Computes the exclusive-or.
    fn xor(self, other: Self) -> Self;
    /// Adds bytes modulo 256.
    fn add(self, other: Self) -> Self;
    /// Rotates every byte left by two bits.
    fn rotate_2(self) -> Self;
    /// Swaps the words' bits `self & (mask << SHIFT)` with `other & mask`.
    fn exchange<const SHIFT: u32>(self, other: Self, mask: u64) -> (Self, Self);
}

/// A subkey for every lane.
type LaneKey<V> = [V; 2];

/// A text to decrypt in CBC mode, and the block before it.
pub(crate) struct Decrypt<'a> {
    pub(super) subkeys: &'a [Subkey],
    pub(super) chain: Block,
    pub(super) blocks: &'a mut [Block],
}

/// Decrypts all full batches and returns the remaining blocks.
impl<'a, V: FealLanes> Kernel<V::Proof> for Over<V, Decrypt<'a>> {
    type Output = Decrypt<'a>;

    #[inline(always)]
    fn run(self, proof: V::Proof) -> Decrypt<'a> {
        let Decrypt { subkeys, mut chain, blocks } = self.computation;
        let batch = 8 * V::WORDS;
        let mut batches = blocks.chunks_exact_mut(batch);
        for blocks in &mut batches {
            let last = blocks[batch - 1];
            decrypt_batch::<V>(proof, subkeys, chain, blocks);
            chain = last;
        }
        Decrypt { subkeys, chain, blocks: batches.into_remainder() }
    }
}

#[inline(always)]
fn decrypt_batch<V: FealLanes>(
    proof: V::Proof,
    subkeys: &[Subkey],
    chain: Block,
    blocks: &mut [Block],
) {
    // The previous ciphertext block of each block.
    let mut chained = [[0; BLOCK_BYTES]; MAX_LANES];
    chained[0] = chain;
    chained[1..blocks.len()].copy_from_slice(&blocks[..blocks.len() - 1]);

    let (rounds, white) = subkeys.split_at(subkeys.len() - WHITENING);
    let key = |subkey: &Subkey| subkey.map(|byte| V::splat(proof, byte));
    let plain = crypt(
        V::splat(proof, 1),
        white[4..].iter().map(key),
        rounds.iter().rev().map(key),
        white[..4].iter().map(key),
        load(proof, blocks),
    );
    for (row, plain) in transpose(plain).into_iter().enumerate() {
        let at = row * V::WORDS;
        plain.xor(V::load(proof, &chained[at..])).store(&mut blocks[at..]);
    }
}

/// Messages with the same number of rounds to encrypt in CBC mode, each under its own key.
pub(crate) struct Encrypt<'a, 'm> {
    pub(super) rounds: usize,
    pub(super) messages: &'a mut [Message<'m>],
}

impl<V: FealLanes> Kernel<V::Proof> for Over<V, Encrypt<'_, '_>> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: V::Proof) {
        let Encrypt { rounds, messages } = self.computation;
        for messages in messages.chunks_mut(8 * V::WORDS) {
            encrypt_batch::<V>(proof, rounds, messages);
        }
    }
}

/// Encrypts messages, one per lane: at most as many as there are lanes.
#[inline(always)]
fn encrypt_batch<V: FealLanes>(proof: V::Proof, rounds: usize, messages: &mut [Message<'_>]) {
    let one = V::splat(proof, 1);
    let zero = [V::splat(proof, 0); 2];
    let mut keys = [zero; MAX_ROUNDS + WHITENING];
    // Four subkeys are as long as a block and are transposed like one.
    for (group, keys) in keys[..rounds + WHITENING].chunks_mut(4).enumerate() {
        let mut buffer = Zeroizing::new([[0; BLOCK_BYTES]; MAX_LANES]);
        for (lane, message) in buffer.iter_mut().zip(&*messages) {
            let subkeys = message.cipher.subkeys[4 * group..].as_flattened();
            lane.copy_from_slice(&subkeys[..BLOCK_BYTES]);
        }
        let bytes = load::<V>(proof, &buffer[..]);
        for (key, bytes) in keys.iter_mut().zip(bytes.chunks_exact(2)) {
            *key = [bytes[0], bytes[1]];
        }
    }

    let mut chain = [[0; BLOCK_BYTES]; MAX_LANES];
    for (lane, message) in chain.iter_mut().zip(&*messages) {
        *lane = message.iv;
    }
    let mut chain: [V; 8] = load(proof, &chain);
    let longest = messages.iter().map(|message| message.text.len()).max();
    for i in 0..longest.unwrap_or(0) {
        // After a message ends, its lane continues with zeroes that are discarded.
        let mut buffer = [[0; BLOCK_BYTES]; MAX_LANES];
        for (lane, message) in buffer.iter_mut().zip(&*messages) {
            *lane = message.text.get(i).copied().unwrap_or_default();
        }
        let text: [V; 8] = load(proof, &buffer);
        chain = crypt(
            one,
            keys[rounds..][..4].iter().copied(),
            keys[..rounds].iter().copied(),
            keys[rounds + 4..][..4].iter().copied(),
            std::array::from_fn(|byte| text[byte].xor(chain[byte])),
        );
        for (row, words) in transpose(chain).into_iter().enumerate() {
            words.store(&mut buffer[row * V::WORDS..]);
        }
        for (lane, message) in buffer.iter().zip(&mut *messages) {
            if let Some(block) = message.text.get_mut(i) {
                *block = *lane;
            }
        }
    }
    // An ordinary overwrite: the optimizer may leave copies.
    keys = [zero; MAX_ROUNDS + WHITENING];
    std::hint::black_box(&keys);
}

/// Loads eight registers, one for each byte of the blocks.
#[inline(always)]
fn load<V: FealLanes>(proof: V::Proof, blocks: &[Block]) -> [V; 8] {
    transpose(std::array::from_fn(|row| V::load(proof, &blocks[row * V::WORDS..])))
}

/// Transposes the 8 × 8 bytes of every word position: byte `i` of row `j` goes to byte `j` of row
/// `i`. Applying it twice restores the input.
#[inline(always)]
fn transpose<V: FealLanes>(mut rows: [V; 8]) -> [V; 8] {
    for i in [0, 1, 2, 3] {
        (rows[i], rows[i + 4]) = rows[i].exchange::<32>(rows[i + 4], 0x0000_0000_ffff_ffff);
    }
    for i in [0, 1, 4, 5] {
        (rows[i], rows[i + 2]) = rows[i].exchange::<16>(rows[i + 2], 0x0000_ffff_0000_ffff);
    }
    for i in [0, 2, 4, 6] {
        (rows[i], rows[i + 1]) = rows[i].exchange::<8>(rows[i + 1], 0x00ff_00ff_00ff_00ff);
    }
    rows
}

/// Encrypts or decrypts, as `portable::crypt` does.
#[inline(always)]
fn crypt<V: FealLanes>(
    one: V,
    first: impl Iterator<Item = LaneKey<V>>,
    order: impl Iterator<Item = LaneKey<V>>,
    last: impl Iterator<Item = LaneKey<V>>,
    text: [V; 8],
) -> [V; 8] {
    let [l0, l1, l2, l3, r0, r1, r2, r3] = whitened(text, first);
    let mut left = [l0, l1, l2, l3];
    let mut right = xor([r0, r1, r2, r3], left);
    for subkey in order {
        (left, right) = (right, xor(left, f(right, subkey, one)));
    }
    let [l0, l1, l2, l3] = xor(left, right);
    let [r0, r1, r2, r3] = right;
    whitened([r0, r1, r2, r3, l0, l1, l2, l3], last)
}

#[inline(always)]
fn whitened<V: FealLanes>(mut text: [V; 8], keys: impl Iterator<Item = LaneKey<V>>) -> [V; 8] {
    for (pair, key) in text.chunks_exact_mut(2).zip(keys) {
        pair[0] = pair[0].xor(key[0]);
        pair[1] = pair[1].xor(key[1]);
    }
    text
}

#[inline(always)]
fn xor<V: FealLanes>(a: [V; 4], b: [V; 4]) -> [V; 4] {
    std::array::from_fn(|i| a[i].xor(b[i]))
}

/// The round function f (HAC table 7.10).
#[inline(always)]
fn f<V: FealLanes>(a: [V; 4], y: LaneKey<V>, one: V) -> [V; 4] {
    let t1 = a[0].xor(a[1]).xor(y[0]);
    let t2 = a[2].xor(a[3]).xor(y[1]);
    let u1 = t1.add(t2).add(one).rotate_2();
    let u2 = t2.add(u1).rotate_2();
    let u0 = a[0].add(u1).rotate_2();
    let u3 = a[3].add(u2).add(one).rotate_2();
    [u0, u1, u2, u3]
}

/// Eight bytes in an ordinary register, which needs no proof.
impl FealLanes for u64 {
    type Proof = ();
    const WORDS: usize = 1;

    #[inline(always)]
    fn load((): (), blocks: &[Block]) -> Self {
        Self::from_le_bytes(blocks[0])
    }

    #[inline(always)]
    fn store(self, blocks: &mut [Block]) {
        blocks[0] = self.to_le_bytes();
    }

    #[inline(always)]
    fn splat((): (), byte: u8) -> Self {
        u64::from_ne_bytes([byte; 8])
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // The top bits are added separately, so that no carry crosses into the next byte.
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        ((self & LOW) + (other & LOW)) ^ ((self ^ other) & !LOW)
    }

    #[inline(always)]
    fn rotate_2(self) -> Self {
        const LOW: u64 = 0x0303_0303_0303_0303;
        ((self << 2) & !LOW) | ((self >> 6) & LOW)
    }

    #[inline(always)]
    fn exchange<const SHIFT: u32>(self, other: Self, mask: u64) -> (Self, Self) {
        let difference = ((self >> SHIFT) ^ other) & mask;
        (self ^ (difference << SHIFT), other ^ difference)
    }
}
