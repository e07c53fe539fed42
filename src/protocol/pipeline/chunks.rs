//! Splits an input into chunks of equal length.

use std::io::{IoSliceMut, Read};

use zeroize::Zeroizing;

use super::{Source, retry};
use crate::protocol::model::{Error, Place, Result};

/// Sizes for splitting an input into chunks, and chunks into blocks.
#[derive(Debug, Clone, Copy)]
pub struct Chunking {
    /// Length of a chunk in the input, in bytes.
    pub len: usize,
    /// Bytes left free after each chunk, for data that the work adds.
    pub room: usize,
    /// Number of chunks in a block.
    pub count: usize,
}

/// Block of consecutive chunks for the pool. All blocks except the last are full; the last never
/// is, and it is empty if the input ends with a full block.
#[derive(Debug)]
pub struct ChunkBlock {
    memory: Zeroizing<Vec<u8>>,
    used: usize,
    /// Number of input bytes in the block.
    pub read: usize,
    /// Number of its first chunk in the input, counted from 0.
    pub first: u64,
    /// Whether the input ends with this block.
    pub last: bool,
}

impl ChunkBlock {
    /// The chunks, each followed by its free bytes. The final chunk of the last block is not full
    /// and may be empty.
    pub fn cells(&mut self) -> &mut [u8] {
        &mut self.memory[..self.used]
    }
}

/// Splits an input into blocks of chunks.
pub(super) struct Reader {
    input: Box<dyn Read + Send>,
    place: Place,
    chunking: Chunking,
    next: u64,
    ended: bool,
}

impl Reader {
    pub(super) fn new(input: Box<dyn Read + Send>, place: Place, chunking: Chunking) -> Self {
        Self { input, place, chunking, next: 0, ended: false }
    }

    /// Fills the chunks in `memory`, each in its cell, until the memory is full or the input ends.
    fn fill(&mut self, memory: &mut [u8]) -> Result<usize> {
        let Chunking { len, room, .. } = self.chunking;
        let mut slices: Vec<IoSliceMut<'_>> =
            memory.chunks_mut(len + room).map(|cell| IoSliceMut::new(&mut cell[..len])).collect();
        let mut slices = &mut slices[..];
        let mut filled = 0;
        while !slices.is_empty() {
            let read = retry(|| self.input.read_vectored(slices))
                .map_err(|error| Error::io(&self.place, "cannot read", error))?;
            if read == 0 {
                break;
            }
            filled += read;
            IoSliceMut::advance_slices(&mut slices, read);
        }
        Ok(filled)
    }
}

impl Source for Reader {
    type Block = ChunkBlock;

    fn next(&mut self, used: Option<ChunkBlock>) -> Result<Option<ChunkBlock>> {
        if self.ended {
            return Ok(None);
        }
        let Chunking { len, room, count } = self.chunking;
        let mut memory = match used {
            Some(chunks) => chunks.memory,
            None => Zeroizing::new(vec![0; count * (len + room)]),
        };
        let read = self.fill(&mut memory)?;
        let last = read < count * len;
        let used = read + (read / len + usize::from(last)) * room;
        let first = self.next;
        self.next += count as u64;
        self.ended = last;
        Ok(Some(ChunkBlock { memory, used, read, first, last }))
    }
}
