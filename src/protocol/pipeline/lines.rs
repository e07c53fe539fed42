//! Cutting an input into blocks of whole lines.

use std::io::Read;
use std::sync::Arc;
use std::vec;

use super::{Source, retry};
use crate::protocol::model::{Error, Malformed, Place, Result};

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

/// One of the inputs that a run reads one after the other. Its last line ends where it ends, with or
/// without a line feed: no line goes on in the next part.
pub struct Part {
    /// Its name for messages.
    pub place: Place,
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
}

/// Bytes that a block aims at.
const BLOCK: usize = 256 << 10;

/// Lines for the pool, one after the other.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// How many lines it has.
    pub lines: usize,
    /// The number of its first line in the run, from 1, over all parts.
    pub first_line: u64,
    /// The part that all its lines are in.
    part: Arc<Place>,
    /// The number of its first line in that part, from 1.
    line_in_part: u64,
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

    /// The place of a line of the block, which is counted from 0: its part, and the line in that.
    pub fn place(&self, index: usize) -> Place {
        let (part, line) = self.spot(index);
        part.at(line)
    }

    /// The same in a form that takes little memory.
    pub fn spot(&self, index: usize) -> (Arc<Place>, u64) {
        (Arc::clone(&self.part), self.line_in_part + index as u64)
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

/// Cuts the parts of an input into blocks of whole lines.
pub(super) struct Reader {
    /// The part that is being read; none at the end.
    part: Option<Current>,
    next: vec::IntoIter<Part>,
    cut: Cut,
    pending: Vec<u8>,
    first_line: u64,
}

/// A part as far as it was read.
struct Current {
    place: Arc<Place>,
    reader: Box<dyn Read + Send>,
    line: u64,
    ended: bool,
}

impl From<Part> for Current {
    fn from(part: Part) -> Self {
        Self { place: Arc::new(part.place), reader: part.reader, line: 1, ended: false }
    }
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
            let Some(part) = &mut self.part else { return Ok(None) };
            match self.cut.whole_lines(&self.pending) {
                Some(cut) => break cut,
                None if part.ended && self.pending.is_empty() => {
                    self.part = self.next.next().map(Current::from);
                }
                None if part.ended => break (self.pending.len(), 1),
                None => part.read_more(self.cut, &mut self.pending)?,
            }
        };
        buffer.clear();
        buffer.extend_from_slice(&self.pending[end..]);
        self.pending.truncate(end);
        let bytes = std::mem::replace(&mut self.pending, buffer);
        let part = self.part.as_mut().expect("the block was cut from it");
        let (first_line, line_in_part) = (self.first_line, part.line);
        self.first_line += lines as u64;
        part.line += lines as u64;
        let part = Arc::clone(&part.place);
        Ok(Some(Block { bytes, lines, first_line, part, line_in_part, spare }))
    }
}

impl Reader {
    pub(super) fn new(parts: Vec<Part>, cut: Cut) -> Self {
        let mut next = parts.into_iter();
        let part = next.next().map(Current::from);
        Self { part, next, cut, pending: Vec::new(), first_line: 1 }
    }
}

impl Cut {
    /// Where to cut so that the block has whole lines, as many as are there and allowed, and how
    /// many these are.
    fn whole_lines(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        if self.max_lines == usize::MAX {
            let end = memchr::memrchr(b'\n', bytes)? + 1;
            return Some((end, memchr::memchr_iter(b'\n', &bytes[..end]).count()));
        }
        let ends = memchr::memchr_iter(b'\n', bytes).take(self.max_lines);
        ends.map(|end| end + 1).zip(1..).last()
    }
}

impl Current {
    /// Adds what can be read at once to `pending`, which is less than a line so far.
    fn read_more(&mut self, cut: Cut, pending: &mut Vec<u8>) -> Result<()> {
        let old = pending.len();
        if old > cut.max_line {
            let found = Malformed::TooLong { what: cut.what, most: cut.max_line as u64 };
            return Err(Error::malformed(&self.place.at(self.line), found));
        }
        pending.resize(old.max(BLOCK / 4) + BLOCK, 0);
        let read = retry(|| self.reader.read(&mut pending[old..]));
        pending.truncate(old + *read.as_ref().unwrap_or(&0));
        let read = read.map_err(|error| Error::io(&self.place, "cannot read", error))?;
        self.ended = read == 0;
        Ok(())
    }
}
