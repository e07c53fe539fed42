//! The counter blocks of a message (SP 800-38D, section 6.5), with round key 0 added.

use crate::ciphers::aes::Block;
use crate::ciphers::aes::lanes::AesLanes;

/// Number of vectors in the longest stride.
const LONGEST: usize = 8;

/// The next counter blocks of a message.
///
/// The tag has the count 1, so the text begins at 2. Strides have 2ⁿ blocks, so each begins at 2
/// modulo its length: except for the count of strides, all bits of its counters are known. Counter
/// blocks without a carry into that count are made from the first one by adding the bits that
/// differ, one instruction instead of three (count, turn the bytes, add the key). That is 4 % of the
/// vector instructions of GCM, whose number limits its loop.
pub(super) struct Counter<L: AesLanes> {
    proof: L::Proof,
    /// The next blocks, with the last word little-endian.
    value: L,
    /// Turns the bytes of the last word.
    order: L,
}

/// For a number of vectors, something in each of up to four lanes.
type Table = [[u8; 64]; LONGEST + 1];

impl<L: AesLanes> Counter<L> {
    /// The number of blocks in so many vectors, in the last word, little-endian.
    const AHEAD: Table = {
        let mut table = [[0; 64]; LONGEST + 1];
        let mut i = 0;
        while i < 4 * table.len() {
            table[i / 4][i % 4 * 16 + 12] = (i / 4 * L::BLOCKS) as u8;
            i += 1;
        }
        table
    };

    /// The bits in which a counter block differs from that of the same lane so many vectors
    /// earlier, at the start of a stride.
    const DIFFERENCES: Table = {
        let mut table = [[0; 64]; LONGEST + 1];
        let mut i = 0;
        while i < 4 * table.len() {
            let start = 2 + i % 4;
            table[i / 4][i % 4 * 16 + 15] = (start ^ (start + i / 4 * L::BLOCKS)) as u8;
            i += 1;
        }
        table
    };

    /// Starts behind the counter block of the tag: the IV, and 1.
    #[inline(always)]
    pub(super) fn new(proof: L::Proof, tag: &Block) -> Self {
        /// In the last word, by how much each lane is ahead of the tag.
        const LANES: [u8; 64] = {
            let mut lanes = [0; 64];
            (lanes[12], lanes[28], lanes[44], lanes[60]) = (1, 2, 3, 4);
            lanes
        };
        const LAST_WORD_TURNED: Block = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 14, 13, 12];
        let order = L::broadcast(proof, &LAST_WORD_TURNED);
        let value = L::broadcast(proof, tag).shuffle(order).add32(L::load(proof, &LANES));
        Self { proof, value, order }
    }

    /// Returns the next `VECTORS` vectors of counter blocks, with round key 0 added. All calls but
    /// the last have a power of two of vectors, and none has more than the call before it.
    #[inline(always)]
    pub(super) fn next<const VECTORS: usize>(&mut self, key: L) -> [L; VECTORS] {
        let first = self.value.shuffle(self.order).xor(key);
        let mut blocks = [first; VECTORS];
        for (index, block) in blocks.iter_mut().enumerate().skip(1) {
            let carries = 2 + (index + 1) * L::BLOCKS > VECTORS * L::BLOCKS;
            *block = if carries {
                self.ahead(index).shuffle(self.order).xor(key)
            } else {
                first.xor(L::load(self.proof, &Self::DIFFERENCES[index]))
            };
        }
        self.value = self.ahead(VECTORS);
        blocks
    }

    /// Returns the blocks so many vectors ahead.
    #[inline(always)]
    fn ahead(&self, vectors: usize) -> L {
        self.value.add32(L::load(self.proof, &Self::AHEAD[vectors]))
    }
}
