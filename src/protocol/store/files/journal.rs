//! The journal of a client's spent ids: a file beside the bundle that grows by a record whenever ids
//! are reserved or given back, so that using one of a million does not mean writing a million.
//!
//! Keys are named by their number in the bundle, which stays the same as long as the bundle knows the
//! journal. [FORMATS](https://github.com/orderseal/orderseal/blob/main/docs/FORMATS.md#the-journal-of-spent-ids)
//! has the layout.

mod header;
mod record;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rand::Rng;
use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;

pub(super) use self::header::Names;
use self::header::{Check, HEADER_LEN, header};
pub(super) use self::record::{FileState, ReadWhole};
use self::record::{RECORD_LEN, Record, Tail};
use super::beside::{Owner, belongs_here, sweep, temporary_name};
use super::paths::{FileId, Privacy, folder_of, open_no_follow, sync_folder};
use super::temporary::{Replaced, Temporary, changed_meanwhile};
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::tree::Leaves;
use crate::protocol::model::{Error, JOURNAL_MAGIC, JournalFault, Misuse, Place, Result};
use crate::protocol::store::FileNumber;

/// Number of records above which a new file with fewer takes the place of a journal.
const MOST_RECORDS: u64 = 1024;

/// More bytes than a journal has.
const MOST_LEN: u64 = 256 << 20;

/// What a journal is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To add records. The bundle is locked.
    Append,
    /// To look up which ids are spent. The bundle is locked, perhaps with others who look.
    Look,
}

/// The journal beside a client's bundle, locked. It is opened anew whenever the bundle is locked.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    pub place: Place,
    pub number: FileNumber,
    pub names: Names,
    /// The numbers of the keys whose ids are spent.
    pub spent: Leaves,
    /// Where keys begin in the bundle, as far as it was noted.
    offsets: BTreeMap<u64, u64>,
    /// The bundle's file when it was last read whole.
    pub read: Option<ReadWhole>,
    records: u64,
    /// The check value of the last record, or of the header.
    pub last: Check,
    /// Whether an incomplete record follows.
    is_torn: bool,
}

/// Numbers of the ids in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalCounts {
    /// The journal's number.
    pub number: FileNumber,
    /// All ids of the bundle.
    pub ids: u64,
    /// Ids that are spent or reserved.
    pub spent: u64,
}

impl JournalCounts {
    /// Counts the ids in the journal at a path, without changing it. `None` if there is no such file.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Io`].
    pub fn survey(path: &Path) -> Result<Option<Self>> {
        let journal = Journal::open_at(path.to_owned(), path, Purpose::Look)?;
        Ok(journal.map(|Journal { number, names, spent, .. }| Self {
            number,
            ids: names.count,
            spent: spent.count(),
        }))
    }
}

impl Journal {
    /// The name of the journal of the bundle at a path.
    pub fn path_beside(bundle: &Path) -> PathBuf {
        let mut name = OsString::from(bundle);
        name.push(".spent");
        name.into()
    }

    /// Opens the journal of the bundle at a path, if there is one, without changing it.
    ///
    /// # Errors
    /// [`Error::Malformed`] for another file and for a journal that is damaged, and [`Error::Io`].
    pub fn open(bundle: &Path, purpose: Purpose) -> Result<Option<Self>> {
        Self::open_at(Self::path_beside(bundle), bundle, purpose)
    }

    /// Opens a journal that belongs to whom a file belongs.
    fn open_at(path: PathBuf, owned: &Path, purpose: Purpose) -> Result<Option<Self>> {
        let place = Place::file(path.display().to_string());
        let failed = |error| Error::io(&place, "cannot open", error);
        let not_one = || Error::malformed(&place, JournalFault::NotOne);
        if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            return Err(not_one());
        }
        if purpose == Purpose::Append {
            sweep(&path, Owner::IsWaitedFor).map_err(failed)?;
        }
        let Some(mut file) = open_locked(&path, purpose).map_err(failed)? else { return Ok(None) };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() || !is_one(&file) {
            return Err(not_one());
        }
        if purpose == Purpose::Append {
            if metadata.nlink() > 1 {
                return Err(Misuse::SeveralNames(place.to_string()).into());
            }
            if !belongs_here(&metadata, owned) {
                return Err(failed(io::Error::other("it belongs to another user")));
            }
            // A killed process may not have synced what is read here.
            file.sync_data().map_err(failed)?;
        }
        let mut bytes = Vec::new();
        file.by_ref().take(MOST_LEN).read_to_end(&mut bytes).map_err(failed)?;
        let (number, names, last) =
            header::parse(&bytes).map_err(|fault| Error::malformed(&place, fault))?;
        let (records, tail) = record::read(&bytes[HEADER_LEN..], last);
        let mut journal = Self::begun(file, path, number, names, last);
        for (record, check) in records {
            journal.take(record, check).map_err(|fault| Error::malformed(&place, fault))?;
        }
        journal.is_torn = match tail {
            Tail::Sound => false,
            Tail::Torn => true,
            Tail::Damaged => return Err(Error::malformed(&place, journal.damaged())),
        };
        Ok(Some(journal))
    }

    /// Writes a new journal for the bundle at a path, in which these ids are spent, in place of `old`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(bundle: &Path, names: Names, spent: &Leaves, old: Option<&Self>) -> Result<Self> {
        let path = Self::path_beside(bundle);
        let place = Place::file(path.display().to_string());
        let mut number = FileNumber([0; 16]);
        SystemSource::new()?.stream(0).fill_bytes(&mut number.0);
        let records = reserved(spent).collect();
        write_new(path, number, names, records, old.map(|old| &old.file))
            .map_err(|error| Error::io(&place, "cannot create", error))
    }

    fn begun(file: File, path: PathBuf, number: FileNumber, names: Names, last: Check) -> Self {
        let place = Place::file(path.display().to_string());
        let (spent, offsets, read) = (Leaves::default(), BTreeMap::new(), None);
        let (records, is_torn) = (0, false);
        Self { file, path, place, number, names, spent, offsets, read, records, last, is_torn }
    }

    /// The numbers of keys whose ids are not spent.
    pub fn unspent(&self) -> Leaves {
        let all: Leaves = std::iter::once(0..self.names.count).collect();
        all.difference(&self.spent)
    }

    /// The last key not after this one of which it was noted where it begins in the bundle.
    pub fn noted_before(&self, key: u64) -> Option<(u64, u64)> {
        self.offsets.range(..=key).next_back().map(|(&key, &offset)| (key, offset))
    }

    /// Records ids as spent, durably; `end` is where the key after them begins in the bundle, if that
    /// is known.
    pub fn reserve(&mut self, keys: Range<u64>, end: Option<u64>) -> Result<()> {
        self.append(Record::Reserve { keys, end })
    }

    /// Records that ids were not used, durably.
    pub fn give_back(&mut self, keys: Range<u64>) -> Result<()> {
        self.append(Record::Return { keys })
    }

    /// Records that the bundle was read whole.
    pub fn note_read(&mut self, read: ReadWhole) -> Result<()> {
        self.append(Record::Read(read))
    }

    /// Removes the journal of the bundle at a path durably; returns whether there was one.
    pub fn remove(bundle: &Path) -> io::Result<bool> {
        let path = Self::path_beside(bundle);
        match path.symlink_metadata() {
            Ok(found) if found.is_file() => {}
            Err(error)
                if ![ErrorKind::NotFound, ErrorKind::InvalidFilename].contains(&error.kind()) =>
            {
                return Err(error);
            }
            // What is not a file is not one of ours, and no file has a name that is too long.
            Ok(_) | Err(_) => return sweep(&path, Owner::IsWaitedFor).map(|_| false),
        }
        sweep(&path, Owner::IsWaitedFor)?;
        let Some(file) = open_locked(&path, Purpose::Look)? else { return Ok(false) };
        if is_one(&file) {
            std::fs::remove_file(&path)?;
            sync_folder(folder_of(&path))?;
        }
        Ok(is_one(&file))
    }

    /// Whether there is a journal of a bundle at a path.
    pub fn is_beside(bundle: &Path) -> bool {
        let path = Self::path_beside(bundle);
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
        let file = open_no_follow(&path, OpenOptions::new().read(true));
        is_file && file.is_ok_and(|file| is_one(&file))
    }

    fn append(&mut self, record: Record) -> Result<()> {
        let failed = |error| Error::io(&self.place, "cannot write", error);
        if self.is_torn {
            self.file.set_len(self.end()).and_then(|()| self.file.sync_all()).map_err(failed)?;
        }
        let (bytes, check) = record.to_bytes(self.last);
        let written = self.file.write_all_at(&bytes, self.end());
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // If this fails as well, the next process cuts off what was written.
            let _ = self.file.set_len(self.end());
            return Err(failed(error));
        }
        self.is_torn = false;
        self.take(record, check).map_err(|fault| Error::malformed(&self.place, fault))?;
        if self.records > MOST_RECORDS.max(4 * self.spent.ranges().len() as u64) {
            // If this fails before the new file has the name, the long journal is still good.
            let _ = self.renew();
        }
        // What was recorded in another file than the one that is found there later is lost.
        match FileId::of(&self.file) == FileId::at(&self.path) {
            true => Ok(()),
            false => Err(Error::io(&self.place, "cannot write", changed_meanwhile())),
        }
    }

    /// Follows a record.
    fn take(&mut self, record: Record, check: Check) -> std::result::Result<(), JournalFault> {
        let is_within = |keys: &Range<u64>| keys.start < keys.end && keys.end <= self.names.count;
        match record {
            Record::Reserve { keys, end }
                if is_within(&keys) && !self.spent.contains_any(&keys) =>
            {
                self.offsets.extend(end.map(|end| (keys.end, end)));
                self.spent.add(keys);
            }
            Record::Return { keys } if is_within(&keys) && self.spent.contains_all(&keys) => {
                self.spent = self.spent.difference(&std::iter::once(keys).collect());
            }
            Record::Reserve { .. } | Record::Return { .. } => return Err(self.damaged()),
            Record::Read(read) => {
                // Another file may be laid out in another way.
                self.offsets.clear();
                self.read = Some(read);
            }
        }
        self.records += 1;
        self.last = check;
        Ok(())
    }

    fn end(&self) -> u64 {
        HEADER_LEN as u64 + self.records * RECORD_LEN as u64
    }

    /// The fault of the record after those that were read.
    fn damaged(&self) -> JournalFault {
        JournalFault::Damaged { part: "record", at: self.end() }
    }

    /// Writes a file with the fewest records that say the same in the place of this one.
    fn renew(&mut self) -> io::Result<()> {
        if self.file.metadata()?.uid() != geteuid().as_raw() {
            return Ok(());
        }
        let noted = self.read.map(Record::Read);
        let reserved = self.spent.ranges().iter().map(|keys| {
            let end = self.offsets.get(&keys.end).copied();
            Record::Reserve { keys: keys.clone(), end }
        });
        let records = noted.into_iter().chain(reserved).collect();
        let old = self.file.try_clone()?;
        *self = write_new(self.path.clone(), self.number, self.names, records, Some(&old))?;
        Ok(())
    }
}

/// Whether a file begins as a journal.
fn is_one(file: &File) -> bool {
    let mut magic = [0; JOURNAL_MAGIC.len()];
    file.read_exact_at(&mut magic, 0).is_ok() && magic == *JOURNAL_MAGIC
}

/// Opens and locks the file that is at a path, if there is one, without following a link.
fn open_locked(path: &Path, purpose: Purpose) -> io::Result<Option<File>> {
    let (write, lock) = match purpose {
        Purpose::Append => (true, FlockOperation::LockExclusive),
        Purpose::Look => (false, FlockOperation::LockShared),
    };
    loop {
        let file = match open_no_follow(path, OpenOptions::new().read(true).write(write)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        // If the file system has no locks, no other process can take one either.
        let _ = flock(&file, lock);
        if !file.metadata()?.is_file() || FileId::of(&file) == FileId::at(path) {
            return Ok(Some(file));
        }
    }
}

/// Records of these ids as spent.
fn reserved(spent: &Leaves) -> impl Iterator<Item = Record> {
    spent.ranges().iter().map(|keys| Record::Reserve { keys: keys.clone(), end: None })
}

/// Writes a journal in place of `old`, durably.
fn write_new(
    path: PathBuf,
    number: FileNumber,
    names: Names,
    records: Vec<Record>,
    old: Option<&File>,
) -> io::Result<Journal> {
    let (header, last) = header(number, names);
    let new = Temporary::beside(&path, Privacy::Owner)?;
    let mut journal = Journal::begun(new.file().try_clone()?, path, number, names, last);
    let mut bytes = header.to_vec();
    for record in records {
        let (record_bytes, check) = record.to_bytes(journal.last);
        bytes.extend(record_bytes);
        journal.take(record, check).map_err(io::Error::other)?;
    }
    journal.file.write_all_at(&bytes, 0)?;
    journal.file.sync_all()?;
    match old {
        None => new.publish_new()?,
        Some(old) => match new.replace(old)?.1 {
            Replaced::Exchanged => {
                // If it stays, the next process removes it.
                let _ = temporary_name(&journal.path).and_then(std::fs::remove_file);
            }
            Replaced::Renamed => {}
        },
    }
    Ok(journal)
}

#[cfg(test)]
mod tests;
