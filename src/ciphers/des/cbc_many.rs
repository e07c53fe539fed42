//! CBC over many messages at once, one message per lane.
//!
//! When a message ends, its lane takes the next one. Blocks move between messages and lanes in
//! tiles of [`STEPS`] blocks per lane, so that copying uses fixed offsets. Lanes take new messages
//! only between tiles, so that their keys are transposed at most once per tile. Longer messages
//! start first: messages that run side by side then have similar lengths, and lanes are seldom
//! idle.

use zeroize::{Zeroize, Zeroizing};

use super::BLOCK;
use super::CROSSOVER;
use super::crates;
use super::job::{Direction, Job, Message};
use super::keys::Tables;
use super::lanes::DesLanes;
use super::rounds;
use super::transpose::{self, Add};

/// Blocks per lane in a tile.
const STEPS: usize = 16;

/// Encrypts or decrypts the messages, all with keys of one length.
#[inline(always)]
pub(super) fn run<L: DesLanes>(
    proof: L::Proof,
    direction: Direction,
    mut messages: Vec<Message<'_>>,
) {
    messages.sort_unstable_by_key(|message| message.data.len());
    let Some(key_length) = messages.first().map(|message| message.key.len()) else {
        return;
    };
    let mut lanes: Vec<Message<'_>> = Vec::with_capacity(L::BLOCKS);
    lanes.resize_with(L::BLOCKS, Message::default);
    let mut keys = LaneKeys::<L>::new(proof, key_length / BLOCK);
    let mut tile = Tile::<L>::new(proof);
    loop {
        let (mut busy, mut longest) = (0, 0);
        for (n, lane) in lanes.iter_mut().enumerate() {
            if lane.data.is_empty() {
                let Some(next) = messages.pop() else { continue };
                keys.set(n, next.key);
                tile.set_chain(n, next.iv);
                *lane = next;
            }
            tile.gather(n, lane.data);
            busy += usize::from(!lane.data.is_empty());
            longest = longest.max(lane.data.len());
        }
        if busy < CROSSOVER {
            finish(direction, lanes, tile.chain());
            return;
        }
        let steps = (longest / BLOCK).min(STEPS);
        tile.crypt(direction, keys.tables(), steps);
        for (n, lane) in lanes.iter_mut().enumerate() {
            let done = (steps * BLOCK).min(lane.data.len());
            let (done, rest) = std::mem::take(&mut lane.data).split_at_mut(done);
            tile.scatter(n, done);
            lane.data = rest;
        }
    }
}

/// The next blocks of every lane.
struct Tile<L> {
    /// Rows with one block per lane: first the ciphertext blocks before the tile, then the tile's
    /// rows.
    blocks: Vec<[u8; BLOCK]>,
    registers: [L; 64],
}

impl<L: DesLanes> Tile<L> {
    /// Distance between rows in blocks. Without the extra cache line, rows would be 4 KiB apart and
    /// share the same sets of the first-level cache.
    const STRIDE: usize = L::BLOCKS + 8;

    /// Number of blocks from a column's first block to its last.
    const COLUMN: usize = (STEPS - 1) * Self::STRIDE + 1;

    #[inline(always)]
    fn new(proof: L::Proof) -> Self {
        Self {
            blocks: vec![[0; BLOCK]; (1 + STEPS) * Self::STRIDE],
            registers: [L::splat(proof, 0); 64],
        }
    }

    /// Returns the ciphertext block of each lane before the tile.
    #[inline(always)]
    fn chain(&self) -> &[[u8; BLOCK]] {
        &self.blocks[..L::BLOCKS]
    }

    #[inline(always)]
    fn set_chain(&mut self, lane: usize, block: [u8; BLOCK]) {
        self.blocks[lane] = block;
    }

    /// Encrypts or decrypts the first rows, and keeps their last ciphertext as the chaining value.
    #[inline(always)]
    fn crypt(&mut self, direction: Direction, keys: &Tables<L>, steps: usize) {
        let last = steps * Self::STRIDE;
        match direction {
            Direction::Encrypt => {
                for step in 0..steps {
                    let (row, before, registers) = self.rows(step);
                    transpose::load(row, Add::These(before), registers);
                    rounds::crypt(registers, keys, direction);
                    transpose::store(registers, row, Add::Nothing);
                }
                self.blocks.copy_within(last..last + L::BLOCKS, 0);
            }
            Direction::Decrypt => {
                let chain = self.blocks[last..][..L::BLOCKS].to_vec();
                // Starts with the last row, whose predecessor is then still ciphertext.
                for step in (0..steps).rev() {
                    let (row, before, registers) = self.rows(step);
                    transpose::load(row, Add::Nothing, registers);
                    rounds::crypt(registers, keys, direction);
                    transpose::store(registers, row, Add::These(before));
                }
                self.blocks[..L::BLOCKS].copy_from_slice(&chain);
            }
        }
    }

    /// Returns row `step` of the tile and the row before it.
    #[inline(always)]
    fn rows(&mut self, step: usize) -> (&mut [u8], &[u8], &mut [L; 64]) {
        let (before, row) = self.blocks[step * Self::STRIDE..].split_at_mut(Self::STRIDE);
        let row = row[..L::BLOCKS].as_flattened_mut();
        (row, before.as_flattened(), &mut self.registers)
    }

    /// Copies a message's next blocks into its column.
    #[inline(always)]
    fn gather(&mut self, lane: usize, data: &[u8]) {
        let column = &mut self.blocks[Self::STRIDE + lane..][..Self::COLUMN];
        match data.first_chunk::<{ STEPS * BLOCK }>() {
            Some(blocks) => copy_in(blocks, column, Self::STRIDE),
            None => copy_in(data, column, Self::STRIDE),
        }
    }

    /// Copies a column back to the message, at most a tile of blocks.
    #[inline(always)]
    fn scatter(&self, lane: usize, data: &mut [u8]) {
        let column = &self.blocks[Self::STRIDE + lane..][..Self::COLUMN];
        match data.first_chunk_mut::<{ STEPS * BLOCK }>() {
            Some(blocks) => copy_out(column, Self::STRIDE, blocks),
            None => copy_out(column, Self::STRIDE, data),
        }
    }
}

#[inline(always)]
fn copy_in(data: &[u8], column: &mut [[u8; BLOCK]], stride: usize) {
    for (step, block) in data.as_chunks().0.iter().enumerate() {
        column[step * stride] = *block;
    }
}

#[inline(always)]
fn copy_out(column: &[[u8; BLOCK]], stride: usize, data: &mut [u8]) {
    for (step, block) in data.as_chunks_mut().0.iter_mut().enumerate() {
        *block = column[step * stride];
    }
}

/// Processes the rest of the last messages one by one; they are too few for lanes to be worthwhile.
fn finish(direction: Direction, lanes: Vec<Message<'_>>, chain: &[[u8; BLOCK]]) {
    let busy = lanes.into_iter().zip(chain);
    let messages = busy
        .filter(|(lane, _)| !lane.data.is_empty())
        .map(|(lane, &iv)| Message { iv, ..lane })
        .collect();
    crates::run(Job::CbcMany { direction, messages });
}

/// The keys of all lanes, transposed again after changes.
struct LaneKeys<L: DesLanes> {
    /// The key of every lane, for each DES of the cipher.
    rows: Vec<Zeroizing<Vec<[u8; BLOCK]>>>,
    tables: Tables<L>,
    changed: bool,
    proof: L::Proof,
}

impl<L: DesLanes> LaneKeys<L> {
    #[inline(always)]
    fn new(proof: L::Proof, stages: usize) -> Self {
        Self {
            rows: vec![Zeroizing::new(vec![[0; BLOCK]; L::BLOCKS]); stages],
            tables: Tables::new(stages, L::splat(proof, 0)),
            changed: true,
            proof,
        }
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, key: &[u8]) {
        for (row, part) in self.rows.iter_mut().zip(key.as_chunks().0) {
            row[lane] = *part;
        }
        self.changed = true;
    }

    #[inline(always)]
    fn tables(&mut self) -> &Tables<L> {
        if std::mem::take(&mut self.changed) {
            let mut bits = [L::splat(self.proof, 0); 64];
            for (row, table) in self.rows.iter().zip(self.tables.iter_mut()) {
                transpose::load(row.as_flattened(), Add::Nothing, &mut bits);
                table.set::<L>(&bits);
            }
            bits.iter_mut().zeroize();
        }
        &self.tables
    }
}
