//! Cutting an input into chunks of one length.

use std::io::{IoSliceMut, Read};

use zeroize::Zeroizing;

use super::{Source, retry};
use crate::protocol::model::{Error, Place, Result};

/// How an input is cut into chunks, and these into blocks.
#[derive(Debug, Clone, Copy)]
pub struct Chunking {
    /// Length in bytes of a chunk in the input.
    pub len: usize,
    /// Bytes that are left free behind each chunk, for what the work adds to it.
    pub room: usize,
    /// Chunks in a block.
    pub count: usize,
}

/// Chunks for the pool, one after the other. All blocks but the last are full; the last one never
/// is, and has nothing in it where the input ends with a full block.
#[derive(Debug)]
pub struct Chunks {
    memory: Zeroizing<Vec<u8>>,
    used: usize,
    /// Bytes of the input that the block stands for.
    pub read: usize,
    /// The number of its first chunk in the input, from 0.
    pub first: u64,
    /// Whether the input ends with this block.
    pub last: bool,
}

impl Chunks {
    /// The chunks, each with the room behind it. The last block has a last chunk that is not full,
    /// perhaps empty.
    pub fn cells(&mut self) -> &mut [u8] {
        &mut self.memory[..self.used]
    }
}

/// Cuts an input into blocks of chunks.
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

    /// Fills the chunks in `memory`, each in its cell, as far as the input goes.
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
    type Block = Chunks;

    fn next(&mut self, used: Option<Chunks>) -> Result<Option<Chunks>> {
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
        Ok(Some(Chunks { memory, used, read, first, last }))
    }
}
