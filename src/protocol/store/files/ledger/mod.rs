//! A shop's ledger: a file that keeps which orders were opened, so that each opens once, across runs,
//! crashes and processes.
//!
//! An order passes through three states. It is *absent* until it is authentic; *opening*, durably,
//! before a byte of it leaves; *done* once everything that the run opened was handed on. After a crash,
//! orders that were opening open again if they were to go into a file, which appeared whole or not at
//! all; where they went into a pipe, nobody knows what arrived.
//!
//! Orders that are [appended](follow) to the output of an inbox are done in one step.
//!
//! The file is a [snapshot] of orders that were done, followed by [records] of what came after. When
//! these get long, a new file with everything in its snapshot takes its place.

mod follow;
mod followed;
mod history;
mod join;
mod pads;
mod records;
mod runs;
mod snapshot;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use rand::Rng;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

pub use self::followed::Followed;
use self::history::{Counts, History, Unfinished};
pub use self::join::LedgerUser;
use self::pads::Pads;
use self::records::{DONE_LEN, MOST_USES, Record, Route, Tail};
use self::snapshot::Snapshot;
use super::access::Access;
use super::locked::Locked;
use super::output::Output;
use super::paths::{FileId, Privacy, folder_of, open_no_follow, random_number, sync_folder};
use super::temporary::Temporary;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::store::FileNumber;
use crate::protocol::store::uses::{Earlier, PadPiece, Use, UseLedger};

/// Length in bytes of records that are done above which a new snapshot takes their place. It is more
/// for a long snapshot, so that writing that again stays a small part of the work.
const MOST_RECORDS: u64 = 1 << 20;

/// Least bytes that a use takes in a record.
const LEAST_USE: u64 = 16;

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To open orders and record them.
    Record {
        /// Whether orders that an unfinished run may have handed on are opened again.
        reopen: bool,
    },
    /// To look up which orders could be opened; nothing is recorded.
    Look,
}

/// A shop's ledger, locked for this process.
#[derive(Debug)]
pub struct Ledger {
    locked: Locked,
    snapshot: Snapshot,
    /// Where the next record goes.
    end: u64,
    history: History,
    pads: Pads,
    /// What this run entered, and is not in a record yet.
    entered: Vec<(Route, Use)>,
    /// Whether orders that an unfinished run may have handed on are opened again.
    reopen: bool,
    /// Where the orders go; nowhere if they are only verified.
    route: Option<Route>,
}

/// Numbers of the orders in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerCounts {
    /// The ledger's number.
    pub number: FileNumber,
    /// Orders that were handed on.
    pub done: u64,
    /// Orders of unfinished runs that were not handed on, and open again.
    pub opening: u64,
    /// Orders of unfinished runs that may have been handed on.
    pub uncertain: u64,
}

impl Ledger {
    /// Opens a ledger, and waits while another process has it; to look, only for one that records. `None` if
    /// there is no such file.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Io`], and [`Error::Usage`] for a link and for anything else that
    /// is not a file.
    pub fn open(path: &Path, purpose: Purpose) -> Result<Option<Self>> {
        let locked = match purpose {
            Purpose::Record { .. } => Locked::open(path, &Access::default()),
            Purpose::Look => Locked::look(path),
        };
        match locked {
            Ok(locked) => Self::of(locked, purpose).map(Some),
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether another process has the ledger at a path, so that opening it would wait.
    pub fn is_held(path: &Path, purpose: Purpose) -> bool {
        let lock = match purpose {
            Purpose::Record { .. } => FlockOperation::NonBlockingLockExclusive,
            Purpose::Look => FlockOperation::NonBlockingLockShared,
        };
        let file = open_no_follow(path, OpenOptions::new().read(true));
        file.is_ok_and(|file| flock(&file, lock) == Err(Errno::WOULDBLOCK))
    }

    /// Creates a ledger, unless there is one meanwhile, and opens it.
    fn create(path: &Path, purpose: Purpose) -> Result<Self> {
        let place = Place::file(path.display().to_string());
        let mut number = [0; 16];
        SystemSource::new()?.stream(0).fill_bytes(&mut number);
        let new = Temporary::beside(path, Privacy::Owner).and_then(|new| {
            snapshot::write_empty(FileNumber(number), new.file())?;
            new.file().sync_all()?;
            new.publish_new()
        });
        match new {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(Error::io(&place, "cannot create", error))
            }
            Ok(()) | Err(_) => Self::of(Locked::open(path, &Access::default())?, purpose),
        }
    }

    fn of(locked: Locked, purpose: Purpose) -> Result<Self> {
        let (file, place) = (&locked.file, &locked.place);
        let tail = match purpose {
            Purpose::Record { .. } => {
                // A killed process may not have synced what is read here.
                let synced = file.sync_data().and_then(|()| sync_folder(folder_of(&locked.path)));
                synced.map_err(|error| Error::io(place, "cannot open", error))?;
                Tail::Cut
            }
            Purpose::Look => Tail::Left,
        };
        let snapshot = Snapshot::read(file, place)?;
        let (records, end) =
            records::read(file, snapshot.identity, snapshot.records_at, tail, place)?;
        let own = random_number().map_err(|error| Error::io(place, "cannot open", error))?;
        let reopen = purpose == Purpose::Record { reopen: true };
        let (history, pads) = (History::new(own, records), Pads::default());
        let (entered, route) = (Vec::new(), None);
        Ok(Self { locked, snapshot, end, history, pads, entered, reopen, route })
    }

    /// Counts the orders in the ledger that `file` is, without changing it.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Io`].
    pub fn survey(file: &File, place: &Place) -> Result<LedgerCounts> {
        // If the file system has no locks, a record that is being written looks incomplete.
        let _ = flock(file, FlockOperation::LockShared);
        let Snapshot { identity, count, records_at, .. } = Snapshot::read(file, place)?;
        let (records, _) = records::read(file, identity, records_at, Tail::Left, place)?;
        let Counts { done, to_file, to_pipe } = History::new(0, records).counts();
        let number = identity.number;
        Ok(LedgerCounts { number, done: count + done, opening: to_file, uncertain: to_pipe })
    }

    /// The ledger's number.
    pub fn number(&self) -> FileNumber {
        self.snapshot.identity.number
    }

    /// Its name for messages.
    pub fn place(&self) -> &Place {
        &self.locked.place
    }

    /// The file's identity.
    pub fn id(&self) -> Option<FileId> {
        FileId::of(&self.locked.file)
    }

    /// Whether a path leads to the ledger.
    pub fn is_at(&self, path: &Path) -> bool {
        let found = std::fs::metadata(path).ok().as_ref().and_then(FileId::from_metadata);
        found.is_some() && found == self.id()
    }

    /// Sets where the orders go. Until then, nothing is recorded.
    pub fn set_output(&mut self, output: &Output) {
        self.route = Some(if output.is_revocable() { Route::File } else { Route::Pipe });
    }

    /// Sends the output with the orders that were entered, and records them: as opening before, as done
    /// after it.
    ///
    /// # Errors
    /// Those of the output and of the ledger. If the output was sent and could not be recorded as done,
    /// [`Error::Unrecorded`].
    pub fn send(&mut self, output: &mut Output) -> Result<()> {
        output.finish()?;
        self.record_opening()?;
        output.send()?;
        self.record_done().map_err(|source| {
            let (output, source) = (output.name().to_owned(), Box::new(source));
            Error::Unrecorded { output, source }
        })
    }

    /// Enters an order, with the bytes of a pad that it used, if they count.
    fn enter_as(
        &mut self,
        used: Use,
        piece: Option<PadPiece>,
    ) -> Result<std::result::Result<(), Earlier>> {
        let route = self.route.unwrap_or(Route::File);
        let known = match self.history.check(used, route, self.reopen) {
            Some(known) => known,
            None => {
                let (file, place) = (&self.locked.file, &self.locked.place);
                match (self.snapshot.find(file, place, used.slot)?, piece) {
                    (None, Some(piece)) if self.overlaps(piece)? => Err(Earlier::Overlap),
                    (None, _) => Ok(route),
                    (Some(mark), _) if mark == used.mark as u16 => Err(Earlier::SameOrder),
                    (Some(_), _) => Err(Earlier::OtherOrder),
                }
            }
        };
        Ok(known.map(|route| {
            if let Some(piece) = piece {
                self.pads.add(piece);
            }
            self.history.enter(used, route);
            self.entered.push((route, used));
        }))
    }

    /// Whether another order used some of these bytes of a pad.
    fn overlaps(&mut self, piece: PadPiece) -> Result<bool> {
        if !self.pads.has(piece.pad) {
            let (file, place, all) = (&self.locked.file, &self.locked.place, piece.pad.all());
            let older = self.snapshot.slots_within(file, place, &all)?;
            self.pads.add_pad(piece.pad, older.into_iter().chain(self.history.slots_within(&all)));
        }
        Ok(self.pads.overlap(piece))
    }

    /// Records what this run entered as opening, and takes room for the record that it is done.
    fn record_opening(&mut self) -> Result<()> {
        let mut entered = Unfinished::new();
        for (route, used) in std::mem::take(&mut self.entered) {
            entered.entry((self.history.own(), route)).or_default().push(used);
        }
        entered.values_mut().for_each(|uses| uses.sort_unstable_by_key(|used| used.slot));
        openings(entered).try_for_each(|record| self.append(&record, DONE_LEN))
    }

    /// Records that all that this run opened was handed on.
    fn record_done(&mut self) -> Result<()> {
        if !self.history.has_own() {
            return Ok(());
        }
        self.history.finish_own();
        self.append(&Record::Done { run: self.history.own() }, 0)?;
        // If a new file cannot be written, this one is still good, and a later run tries again.
        if self.is_long() {
            let _ = self.renew();
        }
        Ok(())
    }

    fn append(&mut self, record: &Record, reserved: u64) -> Result<()> {
        let end = record.append(&self.locked.file, self.snapshot.identity, self.end, reserved);
        self.end = end.map_err(|error| Error::io(&self.locked.place, "cannot write", error))?;
        Ok(())
    }

    /// Whether so much of the records is done that a new snapshot pays.
    fn is_long(&self) -> bool {
        let most = MOST_RECORDS.max(self.snapshot.records_at / 32);
        let len = self.end - self.snapshot.records_at;
        len > most && self.history.counts().done * LEAST_USE > most
    }

    /// Replaces the file by one with everything that is done in its snapshot.
    fn renew(&mut self) -> Result<()> {
        let (file, place) = (&self.locked.file, &self.locked.place);
        let failed = |error| Error::io(place, "cannot renew", error);
        let new = Temporary::beside(&self.locked.path, Privacy::Owner).map_err(failed)?;
        let done = self.history.done();
        let (next, mut end) = self.snapshot.write_with(file, place, &done, new.file())?;
        let followed = self.history.followed().iter();
        let followed = followed.map(|(&inbox, followed)| Record::Followed {
            inbox,
            followed: followed.clone(),
            uses: Vec::new(),
        });
        for record in openings(self.history.unfinished()).chain(followed) {
            end = record.append(new.file(), next, end, 0).map_err(failed)?;
        }
        new.file().sync_all().map_err(failed)?;
        let snapshot = Snapshot::read(new.file(), place)?;
        let old = self.locked.replace_by(new);
        let old = old.map_err(|error| Error::io(&self.locked.place, "cannot renew", error))?;
        (self.snapshot, self.end) = (snapshot, end);
        self.history.forget_done();
        old.unlink().map_err(|error| Error::io(&self.locked.place, "cannot renew", error))
    }
}

/// Records of these uses as opening.
fn openings(uses: Unfinished) -> impl Iterator<Item = Record> {
    uses.into_iter().flat_map(|((run, route), uses)| {
        let records = uses.chunks(MOST_USES).map(|uses| uses.to_vec());
        let records = records.map(|uses| Record::Opening { run, route, uses });
        records.collect::<Vec<_>>()
    })
}

impl UseLedger for Ledger {
    fn enter(&mut self, used: Use) -> Result<std::result::Result<(), Earlier>> {
        self.enter_as(used, None)
    }

    fn enter_piece(
        &mut self,
        piece: PadPiece,
        line: &[u8; 32],
    ) -> Result<std::result::Result<(), Earlier>> {
        self.enter_as(Use::of_piece(piece, line), Some(piece))
    }

    fn secure(&mut self) -> Result<()> {
        match self.route {
            Some(Route::Pipe) => self.record_opening(),
            Some(Route::File) | None => Ok(()),
        }
    }
}
