//! Splits an input into blocks of whole lines.

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::vec;

use super::{Source, retry};
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, Malformed, Place, Result};

/// Limits for splitting an input.
#[derive(Debug, Clone, Copy)]
pub struct LineLimits {
    /// Longest line, in bytes without its line feed.
    pub max_line: usize,
    /// Word for a line in messages: `order` or `sealed line`.
    pub what: &'static str,
    /// Most lines in a block; few if each line takes much work.
    pub max_lines: usize,
}

/// One of the inputs that a run reads in sequence. Its last line ends with the part, with or
/// without a line feed: no line continues in the next part.
pub struct Part {
    /// Its name for messages.
    pub place: Place,
    /// Its bytes.
    pub reader: Box<dyn Read + Send>,
}

impl Part {
    /// Bytes in memory under a name, wiped when they were read.
    pub fn memory(name: &str, bytes: impl Into<Wiped>) -> Self {
        Self { place: Place::file(name), reader: Box::new(Cursor::new(bytes.into())) }
    }
}

/// All inputs of a run.
pub struct Batch {
    /// All together as a place for messages.
    pub place: Place,
    /// The inputs in the order in which they are read.
    pub parts: Vec<Part>,
}

impl From<Part> for Batch {
    fn from(part: Part) -> Self {
        Self { place: part.place.clone(), parts: vec![part] }
    }
}

/// Target size of a block, in bytes.
const BLOCK: usize = 256 << 10;

/// Block of consecutive lines for the pool.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// Number of lines.
    pub lines: usize,
    /// Number of its first line in the run, counted from 1 over all parts.
    pub first_line: u64,
    /// Part that contains all of its lines.
    part: Arc<Place>,
    /// Number of its first line in that part, counted from 1.
    line_in_part: u64,
    /// Reusable memory for the results. The work takes it and `consume` gives it back, so that the
    /// system has to supply it only once.
    pub spare: Vec<u8>,
}

/// Most memory that a block keeps for the next one, in bytes. The results of many short lines may
/// be large and would otherwise hold their memory until the end.
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

    /// Place of a line of the block (counted from 0): its part, and the line in that part.
    pub fn place(&self, index: usize) -> Place {
        let (part, line) = self.spot(index);
        part.at(line)
    }

    /// Place of a line in a form that takes little memory.
    pub fn spot(&self, index: usize) -> (Arc<Place>, u64) {
        (Arc::clone(&self.part), self.line_in_part + index as u64)
    }

    /// Gives memory back for the next block. Secrets in it must already be wiped.
    pub fn give_back(&mut self, memory: Vec<u8>) {
        if memory.capacity() <= MAX_SPARE {
            self.spare = memory;
        }
    }

    /// Length of the block in the input, in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the block has no lines.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Splits the parts of an input into blocks of whole lines.
pub(super) struct Reader {
    /// Part being read; `None` at the end.
    part: Option<Current>,
    next: vec::IntoIter<Part>,
    limits: LineLimits,
    pending: Vec<u8>,
    first_line: u64,
}

/// Part being read, with the position in it.
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

    /// Reads the next block, reusing the memory of the used one or of the previous one.
    fn next(&mut self, used: Option<Block>) -> Result<Option<Block>> {
        let (mut buffer, spare) = match used {
            Some(block) => (block.bytes, block.spare),
            None => (Vec::new(), Vec::new()),
        };
        let (part, end, lines) = loop {
            let Some(part) = &mut self.part else { return Ok(None) };
            match self.limits.whole_lines(&self.pending) {
                Some((end, lines)) => break (part, end, lines),
                None if part.ended && self.pending.is_empty() => {
                    self.part = self.next.next().map(Current::from);
                }
                None if part.ended => break (part, self.pending.len(), 1),
                None => part.read_more(self.limits, &mut self.pending)?,
            }
        };
        buffer.clear();
        buffer.extend_from_slice(&self.pending[end..]);
        self.pending.truncate(end);
        let bytes = std::mem::replace(&mut self.pending, buffer);
        let (first_line, line_in_part) = (self.first_line, part.line);
        self.first_line += lines as u64;
        part.line += lines as u64;
        let part = Arc::clone(&part.place);
        Ok(Some(Block { bytes, lines, first_line, part, line_in_part, spare }))
    }
}

impl Reader {
    pub(super) fn new(parts: Vec<Part>, limits: LineLimits) -> Self {
        let mut next = parts.into_iter();
        let part = next.next().map(Current::from);
        Self { part, next, limits, pending: Vec::new(), first_line: 1 }
    }
}

impl LineLimits {
    /// Finds where to cut so that the block has as many whole lines as are available and allowed;
    /// returns the position and the number of lines.
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
    /// Reads what is available into `pending`, which holds less than a line so far.
    fn read_more(&mut self, limits: LineLimits, pending: &mut Vec<u8>) -> Result<()> {
        let old = pending.len();
        if old > limits.max_line {
            let found = Malformed::PartTooLong { what: limits.what, most: limits.max_line as u64 };
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
