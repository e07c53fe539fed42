//! Modes for one long message, on lanes of any width.

use super::BLOCK;
use super::cbc_many;
use super::job::{Direction, Job};
use super::keys::{Same, Tables};
use super::lanes::DesLanes;
use super::rounds;
use super::transpose::{self, Add};
use crate::ciphers::cpu::{Kernel, Over};

/// Number of bytes in a pass on the widest lanes.
pub(super) const MAX_PASS: usize = 4096;

impl<L: DesLanes> Kernel<L::Proof> for Over<L, Job<'_>> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: L::Proof) {
        match self.computation {
            Job::Ecb { key, direction, data } => {
                each_pass::<L>(data, Ecb::<L>::new(proof, &Tables::same::<L>(key), direction))
            }
            Job::Ctr { key, iv, data } => {
                each_pass::<L>(data, Ctr::<L>::new(proof, &Tables::same::<L>(key), iv));
            }
            Job::CbcDecrypt { key, iv, data } => {
                each_pass::<L>(data, CbcDecrypt::<L>::new(proof, &Tables::same::<L>(key), iv));
            }
            Job::CbcMany { direction, messages } => cbc_many::run::<L>(proof, direction, messages),
        }
    }
}

/// Processing of a pass of `L::BLOCKS` blocks in a mode. (A trait, because a closure that is not
/// inlined loses the target features of its caller.)
trait Mode {
    fn pass(&mut self, pass: &mut [u8]);
}

struct Ecb<'a, L> {
    keys: &'a Tables<Same>,
    direction: Direction,
    blocks: [L; 64],
}

impl<'a, L: DesLanes> Ecb<'a, L> {
    #[inline(always)]
    fn new(proof: L::Proof, keys: &'a Tables<Same>, direction: Direction) -> Self {
        Self { keys, direction, blocks: [L::splat(proof, 0); 64] }
    }
}

impl<L: DesLanes> Mode for Ecb<'_, L> {
    #[inline(always)]
    fn pass(&mut self, pass: &mut [u8]) {
        transpose::load(pass, Add::Nothing, &mut self.blocks);
        rounds::crypt(&mut self.blocks, self.keys, self.direction);
        transpose::store(&mut self.blocks, pass, Add::Nothing);
    }
}

struct CbcDecrypt<'a, L> {
    keys: &'a Tables<Same>,
    /// The ciphertext of a pass, preceded by the block before it.
    previous: [u8; BLOCK + MAX_PASS],
    blocks: [L; 64],
}

impl<'a, L: DesLanes> CbcDecrypt<'a, L> {
    #[inline(always)]
    fn new(proof: L::Proof, keys: &'a Tables<Same>, iv: [u8; BLOCK]) -> Self {
        let mut previous = [0; BLOCK + MAX_PASS];
        previous[BLOCK * L::BLOCKS..][..BLOCK].copy_from_slice(&iv);
        Self { keys, previous, blocks: [L::splat(proof, 0); 64] }
    }
}

impl<L: DesLanes> Mode for CbcDecrypt<'_, L> {
    #[inline(always)]
    fn pass(&mut self, pass: &mut [u8]) {
        let size = BLOCK * L::BLOCKS;
        self.previous.copy_within(size..size + BLOCK, 0);
        self.previous[BLOCK..][..size].copy_from_slice(pass);
        transpose::load(pass, Add::Nothing, &mut self.blocks);
        rounds::crypt(&mut self.blocks, self.keys, Direction::Decrypt);
        transpose::store(&mut self.blocks, pass, Add::These(&self.previous));
    }
}

/// Counter mode. Counters are never stored as blocks: each pass adds its first counter to the lane
/// numbers, bit by bit.
struct Ctr<'a, L> {
    keys: &'a Tables<Same>,
    counter: u64,
    numbers: [L; 9],
    blocks: [L; 64],
}

impl<'a, L: DesLanes> Ctr<'a, L> {
    #[inline(always)]
    fn new(proof: L::Proof, keys: &'a Tables<Same>, iv: [u8; BLOCK]) -> Self {
        Self {
            keys,
            counter: u64::from_be_bytes(iv),
            numbers: lane_numbers(proof),
            blocks: [L::splat(proof, 0); 64],
        }
    }
}

impl<L: DesLanes> Mode for Ctr<'_, L> {
    #[inline(always)]
    fn pass(&mut self, pass: &mut [u8]) {
        counters(self.counter, &self.numbers, &mut self.blocks);
        self.counter = self.counter.wrapping_add(L::BLOCKS as u64);
        rounds::crypt(&mut self.blocks, self.keys, Direction::Encrypt);
        transpose::store(&mut self.blocks, pass, Add::Overwritten);
    }
}

/// Returns the bits of each lane's block number, from the least significant: as many as the widest
/// lanes need. Block n comes from word n mod W of register n / W, of W words each, so it is bit n /
/// W of that word.
#[inline(always)]
fn lane_numbers<L: DesLanes>(proof: L::Proof) -> [L; 9] {
    let words = L::BYTES / 8;
    let word_bits = words.ilog2() as usize;
    let mut numbers = [L::splat(proof, 0); 9];
    for (i, bit) in numbers.iter_mut().enumerate() {
        *bit = if i < word_bits {
            let mut bytes = [0; MAX_PASS / 64];
            for (word, bytes) in bytes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                *bytes = [((word >> i & 1) as u8).wrapping_neg(); 8];
            }
            L::load(proof, &bytes)
        } else if i < word_bits + 6 {
            let group = 1 << (i - word_bits);
            L::splat(proof, !(u64::MAX / ((1 << group) + 1)))
        } else {
            L::splat(proof, 0)
        };
    }
    numbers
}

/// Returns the transposed sums, modulo 2⁶⁴, of the first counter and the lane numbers, as
/// big-endian blocks.
#[inline(always)]
fn counters<L: DesLanes>(first: u64, numbers: &[L; 9], sums: &mut [L; 64]) {
    let proof = numbers[0].proof();
    let mut carry = L::splat(proof, 0);
    for i in 0..64 {
        let bit = L::splat(proof, (first >> i & 1).wrapping_neg());
        // Bit i of the number is bit i % 8 of byte 7 - i / 8 of the block; register 8b + c holds
        // bit c of byte b.
        let register = (63 - i) ^ 7;
        if let Some(number) = numbers.get(i) {
            sums[register] = bit.xor3(*number, carry);
            carry = bit.and(*number).xor(carry.and(bit.xor(*number)));
        } else {
            sums[register] = bit.xor(carry);
            carry = carry.and(bit);
        }
    }
}

/// Runs a mode over the data; the last pass is padded with zeros if needed.
#[inline(always)]
fn each_pass<L: DesLanes>(data: &mut [u8], mut mode: impl Mode) {
    let size = BLOCK * L::BLOCKS;
    let mut passes = data.chunks_exact_mut(size);
    for pass in &mut passes {
        mode.pass(pass);
    }
    let rest = passes.into_remainder();
    if !rest.is_empty() {
        let mut last = [0; MAX_PASS];
        last[..rest.len()].copy_from_slice(rest);
        mode.pass(&mut last[..size]);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
