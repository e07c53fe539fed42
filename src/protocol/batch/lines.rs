//! Cutting an input into blocks of whole lines.

use std::io::Read;

use super::{Source, retry};
use crate::protocol::{Error, Place, Result};

/// How an input is cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// The longest line in bytes, without its line feed.
    pub max_line: usize,
    /// What a line is called in messages: `order` or `sealed line`.
    pub what: &'static str,
    /// The most lines in a block: few where a line is much work.
    pub max_lines: usize,
}

/// Bytes that a block aims at.
const BLOCK: usize = 256 << 10;

/// Lines for the pool, one after the other.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// How many lines it has.
    pub lines: usize,
    /// The number of its first line in the input, from 1.
    pub first_line: u64,
    /// Memory for what becomes of the lines. The work takes it and `consume` gives it back, so that
    /// the system has to supply it only once.
    pub spare: Vec<u8>,
}

/// Most bytes of memory that a block keeps for the next: one of many short lines may become large,
/// and would hold its memory to the end.
const MAX_SPARE: usize = 4 * BLOCK;

impl Block {
    /// The lines without their line feeds.
    pub fn lines(&self) -> Vec<&[u8]> {
        let mut lines = Vec::with_capacity(self.lines);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &self.bytes) {
            lines.push(&self.bytes[start..end]);
            start = end + 1;
        }
        if start < self.bytes.len() {
            lines.push(&self.bytes[start..]);
        }
        lines
    }

    /// Gives memory back for the next block. What is secret was wiped before.
    pub fn give_back(&mut self, memory: Vec<u8>) {
        if memory.capacity() <= MAX_SPARE {
            self.spare = memory;
        }
    }

    /// Bytes of the input that the block stands for.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no lines.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Cuts an input into blocks of whole lines.
pub(super) struct Reader {
    input: Box<dyn Read + Send>,
    place: Place,
    cut: Cut,
    pending: Vec<u8>,
    line: u64,
    ended: bool,
}

impl Source for Reader {
    type Block = Block;

    /// The next block, in the memory of the one that was used or of the one before.
    fn next(&mut self, used: Option<Block>) -> Result<Option<Block>> {
        let (mut buffer, spare) = match used {
            Some(block) => (block.bytes, block.spare),
            None => (Vec::new(), Vec::new()),
        };
        let (end, lines) = loop {
            match self.whole_lines() {
                Some(cut) => break cut,
                None if self.ended && self.pending.is_empty() => return Ok(None),
                None if self.ended => break (self.pending.len(), 1),
                None => self.read_more()?,
            }
        };
        buffer.clear();
        buffer.extend_from_slice(&self.pending[end..]);
        self.pending.truncate(end);
        let bytes = std::mem::replace(&mut self.pending, buffer);
        let first_line = self.line;
        self.line += lines as u64;
        Ok(Some(Block { bytes, lines, first_line, spare }))
    }
}

impl Reader {
    pub(super) fn new(input: Box<dyn Read + Send>, place: Place, cut: Cut) -> Self {
        Self { input, place, cut, pending: Vec::new(), line: 1, ended: false }
    }

    /// Where to cut so that the block has whole lines, as many as are there and allowed, and how
    /// many these are.
    fn whole_lines(&self) -> Option<(usize, usize)> {
        if self.cut.max_lines == usize::MAX {
            let end = memchr::memrchr(b'\n', &self.pending)? + 1;
            return Some((end, memchr::memchr_iter(b'\n', &self.pending[..end]).count()));
        }
        let ends = memchr::memchr_iter(b'\n', &self.pending).take(self.cut.max_lines);
        ends.map(|end| end + 1).zip(1..).last()
    }

    fn read_more(&mut self) -> Result<()> {
        let old = self.pending.len();
        if old > self.cut.max_line {
            let found = format!("{} longer than {} bytes", self.cut.what, self.cut.max_line);
            return Err(Error::malformed(&self.place.at(self.line), found));
        }
        self.pending.resize(old.max(BLOCK / 4) + BLOCK, 0);
        let read = retry(|| self.input.read(&mut self.pending[old..]));
        self.pending.truncate(old + *read.as_ref().unwrap_or(&0));
        let read = read.map_err(|error| Error::io(&self.place, "cannot read", error))?;
        self.ended = read == 0;
        Ok(())
    }
}
