//! Key schedule and rounds (FIPS 197, sections 5.1–5.3) over lanes.

use zeroize::ZeroizeOnDrop;

use super::job::{Job, run};
use super::lanes::AesLanes;
use super::{Block, KeySize};
use crate::ciphers::cpu::Backend;

/// Round keys of a vector, lane by lane. AES-128 uses the first 11, AES-192 the first 13.
pub(super) type LaneKeys<L> = [L; 15];

/// Number of rounds of AES-128.
pub(super) const ROUNDS_128: usize = 10;
/// Number of rounds of AES-192.
pub(super) const ROUNDS_192: usize = 12;
/// Number of rounds of AES-256.
pub(super) const ROUNDS_256: usize = 14;

/// In each of the four words, the last word of the block.
const LAST_WORD: Block = [12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15];
/// In each of the four words, the last word of the block rotated by a byte.
const ROTATED_LAST_WORD: Block = [13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12];
/// In each of the four words, the second word of the block rotated by a byte.
const ROTATED_SECOND_WORD: Block = [5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4];

/// The round constants, each in all four words.
const ROUND_CONSTANTS: [Block; 10] = {
    let values = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];
    let mut blocks = [[0; 16]; 10];
    let mut i = 0;
    while i < 40 {
        blocks[i / 4][4 * (i % 4)] = values[i / 4];
        i += 1;
    }
    blocks
};

/// Length in bytes of a key for `ROUNDS` rounds.
pub(super) const fn key_bytes(rounds: usize) -> usize {
    match rounds {
        ROUNDS_128 => 16,
        ROUNDS_192 => 24,
        ROUNDS_256 => 32,
        _ => panic!("AES has 10, 12 or 14 rounds"),
    }
}

/// Expands a key for each lane of `GROUPS` vectors from concatenated keys.
///
/// The vectors are expanded in parallel, which hides the latency of each.
#[inline(always)]
pub(super) fn expand<L: AesLanes, const ROUNDS: usize, const GROUPS: usize>(
    proof: L::Proof,
    keys: &[u8],
    expanded: &mut [LaneKeys<L>; GROUPS],
) {
    let last = L::broadcast(proof, &LAST_WORD);
    let rotated = L::broadcast(proof, &ROTATED_LAST_WORD);
    let zero = L::zero(proof);
    if ROUNDS == ROUNDS_128 {
        for (group, lanes) in expanded.iter_mut().enumerate() {
            lanes[0] = L::load(proof, &keys[group * L::BYTES..]);
        }
        for round in 1..=ROUNDS {
            let constant = L::broadcast(proof, &ROUND_CONSTANTS[round - 1]);
            for lanes in expanded.iter_mut() {
                let word = lanes[round - 1].shuffle(rotated).enc_last(constant);
                lanes[round] = running_xor(lanes[round - 1]).xor(word);
            }
        }
    } else if ROUNDS == ROUNDS_192 {
        expand_192(proof, keys, expanded);
    } else {
        for (group, lanes) in expanded.iter_mut().enumerate() {
            let first = L::load(proof, &keys[2 * group * L::BYTES..]);
            let second = L::load(proof, &keys[(2 * group + 1) * L::BYTES..]);
            (lanes[0], lanes[1]) = first.unzip(second);
        }
        for round in 2..=ROUNDS {
            let (order, constant) = if round % 2 == 0 {
                (rotated, L::broadcast(proof, &ROUND_CONSTANTS[round / 2 - 1]))
            } else {
                (last, zero)
            };
            for lanes in expanded.iter_mut() {
                let word = lanes[round - 1].shuffle(order).enc_last(constant);
                lanes[round] = running_xor(lanes[round - 2]).xor(word);
            }
        }
    }
    // The last round of encryption serves as SubWord: where all four words of a block are equal,
    // ShiftRows changes nothing.
}

/// Expands keys of 192 bits, whose schedule advances by six words, while a round key has four.
#[inline(always)]
fn expand_192<L: AesLanes, const GROUPS: usize>(
    proof: L::Proof,
    keys: &[u8],
    expanded: &mut [LaneKeys<L>; GROUPS],
) {
    let last = L::broadcast(proof, &LAST_WORD);
    let rotated = L::broadcast(proof, &ROTATED_SECOND_WORD);
    // The last two of six words, in the first half of each lane; the second half is ignored.
    let mut pairs = [L::zero(proof); GROUPS];
    let mut halves = [[0; 64]; 2];
    for (group, (lanes, pair)) in expanded.iter_mut().zip(&mut pairs).enumerate() {
        let keys = keys[24 * group * L::BLOCKS..].chunks_exact(24).take(L::BLOCKS);
        for (lane, key) in keys.enumerate() {
            halves[0][16 * lane..][..16].copy_from_slice(&key[..16]);
            halves[1][16 * lane..][..8].copy_from_slice(&key[16..]);
        }
        lanes[0] = L::load(proof, &halves[0]);
        *pair = L::load(proof, &halves[1]);
    }
    // Two steps of six words make three round keys.
    for step in 0..ROUNDS_192 / 3 {
        let constants = [0, 1].map(|i| L::broadcast(proof, &ROUND_CONSTANTS[2 * step + i]));
        for (lanes, pair) in expanded.iter_mut().zip(&mut pairs) {
            let four = four_words(lanes[3 * step], *pair, rotated, constants[0]).swap_halves();
            lanes[3 * step + 1] = pair.with_high(four);
            *pair = two_words(*pair, four.swap_halves(), last);
            lanes[3 * step + 2] = four.with_high(pair.swap_halves());
            lanes[3 * step + 3] = four_words(four.swap_halves(), *pair, rotated, constants[1]);
            *pair = two_words(*pair, lanes[3 * step + 3], last);
        }
    }
    halves = [[0; 64]; 2];
    pairs = [L::zero(proof); GROUPS];
    zeroize::optimization_barrier(&halves);
    zeroize::optimization_barrier(&pairs);
}

/// Computes the first four of the next six words.
#[inline(always)]
fn four_words<L: AesLanes>(four: L, pair: L, rotated: L, constant: L) -> L {
    running_xor(four).xor(pair.shuffle(rotated).enc_last(constant))
}

/// Computes the last two of the next six words, whose first four are given.
#[inline(always)]
fn two_words<L: AesLanes>(pair: L, four: L, last: L) -> L {
    pair.xor(pair.shift::<4>()).xor(four.shuffle(last))
}

/// Adds to each word all the words before it.
#[inline(always)]
fn running_xor<L: AesLanes>(block: L) -> L {
    let pairs = block.xor(block.shift::<4>());
    pairs.xor(pairs.shift::<8>())
}

/// Computes the round keys of the equivalent inverse cipher (FIPS 197, section 5.3.5).
#[inline(always)]
pub(super) fn invert<L: AesLanes, const ROUNDS: usize>(proof: L::Proof, keys: &mut LaneKeys<L>) {
    let zero = L::zero(proof);
    keys[..=ROUNDS].reverse();
    for key in &mut keys[1..ROUNDS] {
        // SubBytes and ShiftRows, then their inverses and InvMixColumns.
        *key = key.enc_last(zero).dec(zero);
    }
}

/// Source of the round keys.
pub(super) trait KeySource<L> {
    /// Returns the key of a round for the given vector.
    fn key(&self, vector: usize, round: usize) -> L;
}

/// One key schedule for all vectors.
impl<L: AesLanes> KeySource<L> for LaneKeys<L> {
    #[inline(always)]
    fn key(&self, _: usize, round: usize) -> L {
        self[round]
    }
}

/// One key schedule per vector.
impl<L: AesLanes, const VECTORS: usize> KeySource<L> for [LaneKeys<L>; VECTORS] {
    #[inline(always)]
    fn key(&self, vector: usize, round: usize) -> L {
        self[vector][round]
    }
}

/// Encrypts all vectors in parallel.
#[inline(always)]
pub(super) fn encrypt<L: AesLanes, const ROUNDS: usize, const VECTORS: usize>(
    keys: &impl KeySource<L>,
    states: &mut [L; VECTORS],
) {
    for (vector, state) in states.iter_mut().enumerate() {
        *state = state.xor(keys.key(vector, 0));
    }
    encrypt_whitened::<L, ROUNDS, VECTORS>(keys, states);
}

/// Encrypts vectors to which round key 0 was already added.
#[inline(always)]
pub(super) fn encrypt_whitened<L: AesLanes, const ROUNDS: usize, const VECTORS: usize>(
    keys: &impl KeySource<L>,
    states: &mut [L; VECTORS],
) {
    for round in 1..ROUNDS {
        for (vector, state) in states.iter_mut().enumerate() {
            *state = state.enc(keys.key(vector, round));
        }
    }
    for (vector, state) in states.iter_mut().enumerate() {
        *state = state.enc_last(keys.key(vector, ROUNDS));
    }
}

/// Decrypts all vectors in parallel, with [`invert`]ed keys; key 0 was already added.
#[inline(always)]
pub(super) fn decrypt_whitened<L: AesLanes, const ROUNDS: usize, const VECTORS: usize>(
    keys: &impl KeySource<L>,
    states: &mut [L; VECTORS],
) {
    for round in 1..ROUNDS {
        for (vector, state) in states.iter_mut().enumerate() {
            *state = state.dec(keys.key(vector, round));
        }
    }
    for (vector, state) in states.iter_mut().enumerate() {
        *state = state.dec_last(keys.key(vector, ROUNDS));
    }
}

/// The round keys of one key, wiped on drop.
#[derive(ZeroizeOnDrop)]
pub(super) struct Schedule {
    keys: [Block; 15],
    #[zeroize(skip)]
    size: KeySize,
}

impl Schedule {
    /// Expands a key of 16, 24 or 32 bytes on a backend that has lanes.
    pub(super) fn new(backend: Backend, size: KeySize, key: &[u8]) -> Self {
        let mut schedule = Self { keys: [[0; 16]; 15], size };
        run(backend, Expand { key, schedule: &mut schedule });
        schedule
    }

    /// The size of the key.
    pub(super) fn size(&self) -> KeySize {
        self.size
    }

    /// Returns each round key in all lanes.
    #[inline(always)]
    pub(super) fn broadcast<L: AesLanes>(&self, proof: L::Proof) -> LaneKeys<L> {
        let mut lanes = [L::zero(proof); 15];
        for (lane, key) in lanes.iter_mut().zip(&self.keys) {
            *lane = L::broadcast(proof, key);
        }
        lanes
    }
}

struct Expand<'a> {
    key: &'a [u8],
    schedule: &'a mut Schedule,
}

impl Job for Expand<'_> {
    type Output = ();

    #[inline(always)]
    fn over<L: AesLanes>(self, proof: L::Proof) {
        let mut expanded = [[L::zero(proof); 15]];
        let mut keys = [0; 128];
        keys[..self.key.len()].copy_from_slice(self.key);
        match self.schedule.size {
            KeySize::Aes128 => expand::<L, ROUNDS_128, 1>(proof, &keys, &mut expanded),
            KeySize::Aes192 => expand::<L, ROUNDS_192, 1>(proof, &keys, &mut expanded),
            KeySize::Aes256 => expand::<L, ROUNDS_256, 1>(proof, &keys, &mut expanded),
        }
        for (block, lanes) in self.schedule.keys.iter_mut().zip(&expanded[0]) {
            *block = lanes.first();
        }
        keys = [0; 128];
        expanded = [[L::zero(proof); 15]];
        zeroize::optimization_barrier(&keys);
        zeroize::optimization_barrier(&expanded);
    }

    fn by_crates(self) {
        unreachable!("the crates expand their keys themselves")
    }
}
