//! The sorted part of a ledger: orders that were handed on. It is written once and read where needed.
//!
//! [FORMATS](https://github.com/orderseal/orderseal/blob/main/docs/FORMATS.md#the-shops-ledger) has the layout.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};

use super::runs::{self, Run};
use crate::ciphers::cut::part;
use crate::protocol::model::{Error, LEDGER_MAGIC, LedgerFault, Place, Result};
use crate::protocol::store::FileNumber;

/// The records begin at a multiple of this.
pub(super) const ALIGNMENT: u64 = 64;

const VERSION: u32 = 1;
const HEADER_LEN: usize = 128;
/// Length of the header without its check value.
const CHECKED_LEN: usize = 96;
const DIRECTORY_ENTRY_LEN: usize = 40;

/// Most entries in a chunk.
const CHUNK: usize = 1024;

/// Most bytes in a chunk: enough for 1,024 entries in sequence, few enough that looking up one entry
/// costs little.
const CHUNK_LEN: usize = 2304;

/// Chunks that are kept in memory once they were read.
const CACHED: usize = 4096;

/// An entry: a slot, and 16 bits of the mark of the order that used it.
pub(super) type Entry = (u128, u16);

/// Which file of which ledger this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub number: FileNumber,
    /// How many files this ledger had before.
    pub generation: u64,
}

#[derive(Debug)]
pub(super) struct Snapshot {
    pub identity: Identity,
    /// Number of entries.
    pub count: u64,
    /// Where the records begin.
    pub records_at: u64,
    directory: Vec<ChunkAt>,
    cached: BTreeMap<usize, Chunk>,
}

#[derive(Debug, Clone, Copy)]
struct ChunkAt {
    first: u128,
    at: u64,
    len: u32,
    count: u32,
    check: [u8; 8],
}

#[derive(Debug)]
struct Chunk {
    runs: Vec<Run>,
    marks: Vec<u8>,
}

impl Snapshot {
    /// Reads header and directory.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Io`].
    pub fn read(file: &File, place: &Place) -> Result<Self> {
        let failed = |error| Error::io(place, "cannot read", error);
        let malformed = |fault: LedgerFault| Error::malformed(place, fault);
        let found = file.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER_LEN];
        if found < HEADER_LEN as u64 {
            return Err(malformed(LedgerFault::NotOne));
        }
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        if header[..16] != *LEDGER_MAGIC {
            return Err(malformed(LedgerFault::NotOne));
        }
        let version = u32_at::<16, _>(&header);
        if version != VERSION {
            return Err(malformed(LedgerFault::Version(version)));
        }
        let damaged = || malformed(LedgerFault::Damaged { part: "header", at: 0 });
        let (chunks, count) = (u32_at::<20, _>(&header), u64_at::<40, _>(&header));
        let (directory_at, records_at) = (u64_at::<48, _>(&header), u64_at::<56, _>(&header));
        let directory_len = u64::from(chunks) * DIRECTORY_ENTRY_LEN as u64;
        let end = directory_at.checked_add(directory_len).ok_or_else(damaged)?;
        let is_in_order = HEADER_LEN as u64 <= directory_at && end <= records_at;
        if !is_in_order || records_at % ALIGNMENT != 0 {
            return Err(damaged());
        }
        if found < records_at {
            return Err(malformed(LedgerFault::CutOff { found, expected: records_at }));
        }
        let mut directory = vec![0; directory_len as usize];
        file.read_exact_at(&mut directory, directory_at).map_err(failed)?;
        if header[CHECKED_LEN..] != check(&header, &directory) {
            return Err(damaged());
        }
        let directory: Vec<ChunkAt> =
            directory.as_chunks().0.iter().map(ChunkAt::from_bytes).collect();
        let number = FileNumber(*part::<24, _, _>(&header));
        let identity = Identity { number, generation: u64_at::<64, _>(&header) };
        Ok(Self { identity, count, records_at, directory, cached: BTreeMap::new() })
    }

    /// The mark in a slot, if there is an entry.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Io`].
    pub fn find(&mut self, file: &File, place: &Place, slot: u128) -> Result<Option<u16>> {
        let after = self.directory.partition_point(|chunk| chunk.first <= slot);
        let Some(index) = after.checked_sub(1) else { return Ok(None) };
        if !self.cached.contains_key(&index) {
            if self.cached.len() == CACHED {
                self.cached.pop_first();
            }
            let chunk = self.directory[index].read(file, place)?;
            self.cached.insert(index, chunk);
        }
        let chunk = &self.cached[&index];
        Ok(runs::index_of(&chunk.runs, slot).map(|index| chunk.mark(index)))
    }

    /// The slots in a range that have an entry.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Io`].
    pub fn slots_within(
        &self,
        file: &File,
        place: &Place,
        range: &RangeInclusive<u128>,
    ) -> Result<Vec<u128>> {
        let after = self.directory.partition_point(|chunk| chunk.first <= *range.end());
        let from = self.directory.partition_point(|chunk| chunk.first <= *range.start());
        let mut slots = Vec::new();
        for chunk in &self.directory[from.saturating_sub(1)..after] {
            let chunk = chunk.read(file, place)?;
            slots.extend(runs::numbers(&chunk.runs).filter(|slot| range.contains(slot)));
        }
        Ok(slots)
    }

    /// Writes the next generation: a file with the entries of this snapshot, which is in `file`, and
    /// `new` ones, in ascending order. Returns which file it is, and where its records begin.
    ///
    /// # Errors
    /// [`Error::Malformed`] if this one is damaged, and [`Error::Io`].
    pub fn write_with(
        &self,
        file: &File,
        place: &Place,
        new: &[Entry],
        to: &File,
    ) -> Result<(Identity, u64)> {
        let failed = |error| Error::io(place, "cannot write", error);
        let mut out = Writer::begin(to).map_err(failed)?;
        let mut rest = new;
        for (index, chunk) in self.directory.iter().enumerate() {
            let next = self.directory.get(index + 1);
            let own = next
                .map_or(rest.len(), |next| rest.partition_point(|(slot, _)| *slot < next.first));
            let (own, after) = rest.split_at(own);
            rest = after;
            match own {
                [] => out.copy(chunk, &chunk.bytes(file, place)?),
                own => out.add(&merged(&chunk.read(file, place)?, own)),
            }
            .map_err(failed)?;
        }
        let Identity { number, generation } = self.identity;
        let next = Identity { number, generation: generation + 1 };
        let written = out.add(rest).and_then(|()| out.finish(next));
        written.map(|records_at| (next, records_at)).map_err(failed)
    }
}

/// Writes the file of a new ledger.
pub(super) fn write_empty(number: FileNumber, to: &File) -> io::Result<()> {
    Writer::begin(to)?.finish(Identity { number, generation: 0 }).map(|_| ())
}

fn merged(chunk: &Chunk, new: &[Entry]) -> Vec<Entry> {
    let mut all: Vec<Entry> = chunk.entries().collect();
    all.extend_from_slice(new);
    // Stable, so that the older entry of a slot stays.
    all.sort_by_key(|(slot, _)| *slot);
    all.dedup_by_key(|(slot, _)| *slot);
    all
}

impl Chunk {
    fn mark(&self, index: u32) -> u16 {
        u16::from_le_bytes(self.marks.as_chunks().0[index as usize])
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let marks = self.marks.as_chunks().0.iter().copied().map(u16::from_le_bytes);
        runs::numbers(&self.runs).zip(marks)
    }
}

impl ChunkAt {
    fn from_bytes(bytes: &[u8; DIRECTORY_ENTRY_LEN]) -> Self {
        Self {
            first: u128::from_be_bytes(*part::<0, _, _>(bytes)),
            at: u64_at::<16, _>(bytes),
            len: u32_at::<24, _>(bytes),
            count: u32_at::<28, _>(bytes),
            check: *part::<32, _, _>(bytes),
        }
    }

    fn to_bytes(self) -> [u8; DIRECTORY_ENTRY_LEN] {
        let mut bytes = [0; DIRECTORY_ENTRY_LEN];
        bytes[..16].copy_from_slice(&self.first.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.at.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.len.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.count.to_le_bytes());
        bytes[32..].copy_from_slice(&self.check);
        bytes
    }

    /// Reads the bytes of the chunk and checks them.
    fn bytes(&self, file: &File, place: &Place) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.len as usize];
        file.read_exact_at(&mut bytes, self.at)
            .map_err(|error| Error::io(place, "cannot read", error))?;
        match self.check == chunk_check(&bytes) {
            true => Ok(bytes),
            false => Err(self.damaged(place)),
        }
    }

    fn read(&self, file: &File, place: &Place) -> Result<Chunk> {
        let bytes = self.bytes(file, place)?;
        match runs::decode(&bytes, self.count) {
            Some((runs, marks)) if marks.len() == 2 * self.count as usize => {
                Ok(Chunk { runs, marks: marks.to_vec() })
            }
            Some(_) | None => Err(self.damaged(place)),
        }
    }

    fn damaged(&self, place: &Place) -> Error {
        Error::malformed(place, LedgerFault::Damaged { part: "chunk", at: self.at })
    }
}

/// Writes a snapshot: chunks first, then the directory, and the header at the end.
struct Writer<'f> {
    file: &'f File,
    out: BufWriter<&'f File>,
    at: u64,
    count: u64,
    directory: Vec<u8>,
}

impl<'f> Writer<'f> {
    fn begin(file: &'f File) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(&[0; HEADER_LEN])?;
        Ok(Self { file, out, at: HEADER_LEN as u64, count: 0, directory: Vec::new() })
    }

    /// Adds entries in ascending order, in as few chunks of equal length as are short enough.
    fn add(&mut self, entries: &[Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let chunks = entries.len().div_ceil(CHUNK);
        if chunks > 1 {
            let len = entries.len().div_ceil(chunks);
            return entries.chunks(len).try_for_each(|entries| self.add(entries));
        }
        let mut bytes = Vec::with_capacity(4096);
        let slots: Vec<u128> = entries.iter().map(|(slot, _)| *slot).collect();
        runs::encode(&slots, &mut bytes);
        bytes.extend(entries.iter().flat_map(|(_, mark)| mark.to_le_bytes()));
        if bytes.len() > CHUNK_LEN && entries.len() > 1 {
            let (first, second) = entries.split_at(entries.len() / 2);
            self.add(first)?;
            return self.add(second);
        }
        let (len, count, check) = (bytes.len() as u32, entries.len() as u32, chunk_check(&bytes));
        let chunk = ChunkAt { first: entries[0].0, at: self.at, len, count, check };
        self.copy(&chunk, &bytes)
    }

    /// Adds a chunk with these bytes.
    fn copy(&mut self, chunk: &ChunkAt, bytes: &[u8]) -> io::Result<()> {
        self.directory.extend_from_slice(&ChunkAt { at: self.at, ..*chunk }.to_bytes());
        self.count += u64::from(chunk.count);
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Writes directory and header; returns where the records begin.
    fn finish(mut self, identity: Identity) -> io::Result<u64> {
        self.out.write_all(&self.directory)?;
        let end = self.at + self.directory.len() as u64;
        let records_at = end.next_multiple_of(ALIGNMENT);
        self.out.write_all(&vec![0; (records_at - end) as usize])?;
        self.out.flush()?;
        let chunks = (self.directory.len() / DIRECTORY_ENTRY_LEN) as u32;
        let mut header = [0; HEADER_LEN];
        header[..16].copy_from_slice(LEDGER_MAGIC);
        header[16..20].copy_from_slice(&VERSION.to_le_bytes());
        header[20..24].copy_from_slice(&chunks.to_le_bytes());
        header[24..40].copy_from_slice(&identity.number.0);
        let numbers =
            [(40, self.count), (48, self.at), (56, records_at), (64, identity.generation)];
        for (at, number) in numbers {
            header[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let check = check(&header, &self.directory);
        header[CHECKED_LEN..].copy_from_slice(&check);
        self.file.write_all_at(&header, 0)?;
        Ok(records_at)
    }
}

fn check(header: &[u8; HEADER_LEN], directory: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(&header[..CHECKED_LEN]).chain_update(directory).finalize().into()
}

fn chunk_check(bytes: &[u8]) -> [u8; 8] {
    *part::<0, _, 32>(&Sha256::digest(bytes).into())
}

fn u32_at<const AT: usize, const LEN: usize>(bytes: &[u8; LEN]) -> u32 {
    u32::from_le_bytes(*part::<AT, _, _>(bytes))
}

pub(super) fn u64_at<const AT: usize, const LEN: usize>(bytes: &[u8; LEN]) -> u64 {
    u64::from_le_bytes(*part::<AT, _, _>(bytes))
}
