//! The shop's work as orders come: the files of an inbox are opened while they grow, and the orders
//! appended to one output.
//!
//! A batch takes three steps: it is opened in memory, the orders are appended to the output and synced,
//! and one record of the ledger, synced, says which orders these are, up to where the inbox was read, and
//! how long the output is. A crash before the record is complete undoes the batch: the next run cuts the
//! output to the length in the last record, goes on from the place in it, and opens the same lines again.
//! After it, nothing of the batch is opened again. So nothing is lost, and nothing is there twice.
//!
//! Files of an inbox that were changed are read again from their beginning, as the ledger knows what was
//! opened.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use crate::ciphers::Wiped;
use crate::protocol::jose::jwe::kid_of_posted;
use crate::protocol::model::{InboxFault, Kid, Misuse, Place, Result, Reuse};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::shop::{self, Options, Refused, Skipped, Summary, Uses};
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::files::{Appended, Arrival, Arrivals, FileId, Followed, Ledger, Spot};

/// An inbox that is followed, its output, and the ledger that records both.
#[derive(Debug)]
pub struct Follower {
    arrivals: Arrivals,
    output: Appended,
    ledger: Ledger,
    /// The place up to which the inbox was read, as recorded.
    read: Spot,
    /// The length of the output, as recorded.
    written: u64,
    /// Bytes of the current file that are read again.
    again: u64,
    /// What comes next, if it was read before it is opened; keys are looked for in exactly these lines.
    ahead: Option<Arrival>,
    /// Whether keys were looked for in it.
    looked: bool,
}

/// What a follower passes over.
#[derive(Debug)]
pub enum Notice {
    /// A line that does not open.
    Skipped(Skipped),
    /// A fault in a file.
    Fault(Place, InboxFault),
}

impl Follower {
    /// Goes on where the ledger says that the inbox was left. The output is created if it is not there. If the output is empty or another file of the same length, following goes
    /// on in it. The ledger must be that of the bundles whose keys will open the orders.
    ///
    /// # Errors
    /// [`Misuse::NotOfInbox`] for an output with anything else in it; and those of
    /// [opening](Appended::open) it and of writing the ledger.
    pub fn open(
        arrivals: Arrivals,
        output: &Path,
        inputs: &[Option<FileId>],
        mut ledger: Ledger,
    ) -> Result<Self> {
        let output = Appended::open(output, inputs)?;
        ledger.set_following();
        let len = output.len();
        let recorded = ledger.followed(arrivals.id()).cloned();
        let (read, written, is_recorded) = match recorded {
            Some(Followed { read, output: id, written }) if id == output.id() && len >= written => {
                (read, written, true)
            }
            Some(Followed { read, written, .. }) if len == 0 || len == written => {
                (read, len, false)
            }
            None if len == 0 => (Spot::default(), 0, false),
            other => {
                let recorded = other.map_or(0, |followed| followed.written);
                let output = output.name().to_owned();
                return Err(Misuse::NotOfInbox { output, found: len, recorded }.into());
            }
        };
        let mut follower =
            Self { arrivals, output, ledger, read, written, again: 0, ahead: None, looked: false };
        if !is_recorded {
            follower.record(follower.read.clone())?;
        }
        Ok(follower)
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The keys that should be looked for before the next lines are opened: those of the shop that the lines
    /// name and that are not there. They are named once for the same lines, unless
    /// [`look_again`](Self::look_again).
    ///
    /// # Errors
    /// Those of the inbox.
    pub fn missing_keys(&mut self, keys: &OpeningKeys) -> Result<Vec<Kid>> {
        if self.ahead.is_none() {
            self.ahead = Some(self.arrivals.after(&self.read)?);
            self.looked = false;
        }
        let Some(Arrival::Lines { bytes, .. }) = self.ahead.as_ref().filter(|_| !self.looked)
        else {
            return Ok(Vec::new());
        };
        let kids = bytes.split(|&byte| byte == b'\n').filter_map(|line| kid_of_posted(line).ok());
        let missing: BTreeSet<Kid> = kids.filter(|kid| keys.lacks(kid)).collect();
        self.looked = true;
        Ok(missing.into_iter().collect())
    }

    /// Keys could not be looked for: they will be.
    pub fn look_again(&mut self) {
        self.looked = false;
    }

    /// Opens the next lines of the inbox, if there are any, and records that; at most some megabytes.
    /// Lines that do not open are passed to `tell` and skipped: they use no transaction id up.
    ///
    /// # Errors
    /// Those of input and output, and [`Error::Stopped`](crate::protocol::Error::Stopped) from the
    /// workers. After an error, the follower must be opened anew, with a ledger that was opened anew.
    pub fn step(
        &mut self,
        workers: &Workers,
        keys: &OpeningKeys,
        mut tell: impl FnMut(Notice) -> Result<()>,
    ) -> Result<Option<Summary>> {
        if !self.cut_tail()? {
            return Ok(None);
        }
        let arrival = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.arrivals.after(&self.read)?,
        };
        match arrival {
            Arrival::Nothing => Ok(None),
            Arrival::Onward { fault, next } => {
                let mut summary = Summary::default();
                self.again = 0;
                if let Some((place, fault)) = fault {
                    match fault {
                        InboxFault::Changed => self.again = self.read.offset,
                        InboxFault::Gone => {}
                        InboxFault::Unfinished | InboxFault::TooLong { .. } => summary.failed = 1,
                    }
                    tell(Notice::Fault(place, fault))?;
                }
                self.record(next)?;
                Ok(Some(summary))
            }
            Arrival::Lines { place, bytes, next } => {
                let before = self.read.lines;
                let mut orders = Wiped::default();
                let part =
                    Part { place: Place::file(place.file), reader: Box::new(Cursor::new(bytes)) };
                let uses = Uses::Ledger(&mut self.ledger);
                let is_new = self.read.offset >= self.again;
                let summary = shop::open(
                    workers,
                    part,
                    keys,
                    Options { uses, skip_failed: true, each: None },
                    |opened, _| {
                        orders.append(opened);
                        Ok(())
                    },
                    |skipped| match skipped.refused {
                        Refused::Reused(Reuse::Repeat) if !is_new => Ok(()),
                        Refused::Reused(_) | Refused::Line(_) => {
                            let place = skipped.place.lines_on(before);
                            tell(Notice::Skipped(Skipped { place, ..skipped }))
                        }
                    },
                )?;
                if !orders.is_empty() {
                    self.output.append(&orders)?;
                }
                self.record(next)?;
                Ok(Some(summary))
            }
        }
    }

    /// Cuts off what a killed run appended and did not record. Its lines must be in the inbox, as they
    /// will be opened again; whether they can be.
    fn cut_tail(&mut self) -> Result<bool> {
        let (found, recorded) = (self.output.len(), self.written);
        if found == recorded {
            return Ok(true);
        }
        match self.arrivals.unread(&self.read)? {
            None => Ok(false),
            // A sealed line is longer than its order.
            Some(unread) if unread < found - recorded => {
                let output = self.output.name().to_owned();
                Err(Misuse::NotOfInbox { output, found, recorded }.into())
            }
            Some(_) => self.output.cut(recorded).map(|()| true),
        }
    }

    fn record(&mut self, read: Spot) -> Result<()> {
        let (output, written) = (self.output.id(), self.output.len());
        let followed = Followed { read: read.clone(), output, written };
        self.ledger.follow(self.arrivals.id(), followed)?;
        (self.read, self.written) = (read, written);
        Ok(())
    }
}
