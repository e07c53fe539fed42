//! Signed batches are verified before anything of them is opened.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::protocol::jose::batch::{
    BatchId, BatchMark, Hash, LineMark, LinesHash, Manifest, hash_of_line, is_blank,
};
use crate::protocol::jose::json;
use crate::protocol::jose::jwe::MAX_SEALED_LINE;
use crate::protocol::jose::jws::{Thumbprint, VerifyingKey};
use crate::protocol::model::{BatchFault, Error, Malformed, Name, Place, Result};
use crate::protocol::pipeline::{Block, LineLimits, Part, Workers};
use crate::protocol::store::files::Spool;

/// The senders whose batches are accepted.
#[derive(Debug, Clone, Default)]
pub struct Senders(BTreeMap<Thumbprint, VerifyingKey>);

/// A batch that was verified.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The key that signed it.
    pub sender: Thumbprint,
    /// What it signed.
    pub manifest: Manifest,
    /// The hash of the manifest, which the next batch of this sender names.
    pub hash: Hash,
    /// The number of the batch of this sender that was verified before it.
    pub after: Option<u64>,
    /// Whether it follows that one.
    pub follows: bool,
}

/// A batch that was refused, or a line that belongs to none.
#[derive(Debug)]
pub struct RefusedBatch {
    /// The place of the fault.
    pub place: Place,
    /// The fault.
    pub fault: BatchFault,
    /// The first line that is left out, and the number of lines.
    pub from: u64,
    /// Number of lines that are left out, with blank ones and the manifest.
    pub lines: u64,
    /// Number of orders in them, at least 1.
    pub orders: u64,
}

/// What is done about refused batches and lines.
pub enum OnRefused<'w> {
    /// The run ends.
    Fail,
    /// They are left out and reported to this function.
    Report(Box<dyn FnMut(RefusedBatch) -> Result<()> + 'w>),
}

/// Verifies batches, one input after the other.
pub struct Verifier<'w> {
    workers: &'w Workers,
    senders: Senders,
    on_refused: OnRefused<'w>,
    spool: Spool,
    /// The batches so far.
    verified: Vec<Verified>,
    /// The places of their manifests.
    places: BTreeMap<(Thumbprint, BatchId), Place>,
    /// The last batch of each sender, by its index.
    last: BTreeMap<Thumbprint, usize>,
}

/// What a line is.
enum Seen {
    Blank,
    Unsigned,
    Manifest,
    Signed(Box<LineMark>, Hash),
}

/// A batch whose manifest has not come yet.
struct Open {
    of: BatchMark,
    /// The shop of all lines so far.
    shop: Option<Name>,
    first_line: u64,
    /// Number of lines so far, blank ones and others that were left out included.
    lines: u64,
    count: u64,
    hash: LinesHash,
    /// Length of the spool before it.
    before: u64,
    /// The first fault. The spool has blank lines for such a batch.
    fault: Option<(Place, BatchFault)>,
}

impl Senders {
    /// Adds the keys of a file: an Ed25519 key as a JWK, or a JWK Set of such keys (RFC 8037).
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn add(&mut self, file: &[u8], place: &Place) -> Result<()> {
        let malformed = |found: Malformed| Error::malformed(place, found);
        let value = json::parse(file).map_err(|found| malformed(found.into()))?;
        let set = value.get("keys").and_then(Value::as_array);
        let keys = set.map_or(std::slice::from_ref(&*value), Vec::as_slice);
        for key in keys {
            let members = key.as_object().ok_or(Malformed::Expected("a JSON object"));
            let key = members.and_then(VerifyingKey::from_jwk).map_err(malformed)?;
            self.0.insert(key.thumbprint(), key);
        }
        Ok(())
    }

    fn knows(&self, key: &Thumbprint) -> bool {
        self.0.contains_key(key)
    }
}

impl<'w> Verifier<'w> {
    /// Verifies batches of these senders.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no room for a copy of the input.
    pub fn new(workers: &'w Workers, senders: Senders, on_refused: OnRefused<'w>) -> Result<Self> {
        Ok(Self {
            workers,
            senders,
            on_refused,
            spool: Spool::new()?,
            verified: Vec::new(),
            places: BTreeMap::new(),
            last: BTreeMap::new(),
        })
    }

    /// Reads an input to its end, and returns a copy of it that was verified; in place of lines that
    /// were refused, it has blank ones. A batch ends in the input in which it began.
    ///
    /// # Errors
    /// [`Error::Batch`] if the run ends with what is refused; those of reading, and [`Error::Io`].
    pub fn verify(&mut self, part: Part) -> Result<Part> {
        let limits =
            LineLimits { max_line: MAX_SEALED_LINE, what: "sealed line", max_lines: usize::MAX };
        let (place, start) = (part.place.clone(), self.spool.bytes());
        let (mut open, mut is_blank) = (None, true);
        self.workers.run(
            vec![part],
            limits,
            |_| Ok(()),
            |block, ()| block.lines().into_iter().map(Seen::of).collect::<Vec<_>>(),
            |seen, block: &mut Block| {
                for (index, (seen, line)) in seen.into_iter().zip(block.lines()).enumerate() {
                    is_blank &= matches!(seen, Seen::Blank);
                    self.add(&mut open, seen, line, block.place(index))?;
                }
                Ok(())
            },
        )?;
        if let Some(batch) = open {
            let last = place.at(batch.first_line + batch.lines - 1);
            let fault = BatchFault::CutOff(batch.first_line);
            self.leave_out(&batch, last, fault)?;
        }
        if is_blank {
            self.refuse(place.clone(), BatchFault::NoBatch, (1, 0), 0)?;
        }
        let reader = self.spool.reader(start..self.spool.bytes())?;
        Ok(Part { place, reader })
    }

    /// The batches that were verified.
    pub fn finish(self) -> Vec<Verified> {
        self.verified
    }

    fn add(
        &mut self,
        open: &mut Option<Open>,
        seen: Seen,
        line: &[u8],
        place: Place,
    ) -> Result<()> {
        match seen {
            Seen::Blank => {
                open.iter_mut().for_each(|batch| batch.lines += 1);
                self.spool.write(b"\n")
            }
            Seen::Unsigned => self.leave_out_line(open, place, BatchFault::Unsigned),
            Seen::Signed(mark, _) if !self.senders.knows(&mark.of.by) => {
                let fault = BatchFault::UnknownSender(mark.of.by.to_string());
                self.leave_out_line(open, place, fault)
            }
            Seen::Signed(mark, hash) => {
                if let Some(other) = open.take_if(|batch| batch.of != mark.of) {
                    let fault = BatchFault::Mixed(other.first_line);
                    self.leave_out(&other, place.clone(), fault)?;
                }
                let before = self.spool.bytes();
                let batch = open.get_or_insert_with(|| Open::begin(&mark, &place, before));
                let had_fault = batch.fault.is_some();
                batch.add(&mark, &hash, place);
                match &batch.fault {
                    None => self.write(line),
                    Some((place, fault)) if !had_fault => {
                        self.fail(place, fault)?;
                        self.blank(batch.before, batch.lines)
                    }
                    Some(_) => self.spool.write(b"\n"),
                }
            }
            Seen::Manifest => {
                let by = match Manifest::signer(line) {
                    Some(by) if self.senders.knows(&by) => by,
                    Some(by) => {
                        let fault = BatchFault::UnknownSender(by.to_string());
                        return self.leave_out_line(open, place, fault);
                    }
                    None => {
                        let fault = BatchFault::Manifest("it names no key".to_owned());
                        return self.leave_out_line(open, place, fault);
                    }
                };
                let batch = open.take();
                match (self.check(batch.as_ref(), by, line), batch) {
                    (Ok(manifest), _) => {
                        self.accept(by, manifest, line, place);
                        self.write(line)
                    }
                    (Err(fault), None) => self.leave_out_line(&mut None, place, fault),
                    (Err(fault), Some(mut batch)) => {
                        batch.lines += 1;
                        self.leave_out(&batch, place, fault)
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        self.spool.write(line)?;
        self.spool.write(b"\n")
    }

    /// Checks a batch against its manifest, which names the key of a sender.
    fn check(
        &self,
        batch: Option<&Open>,
        by: Thumbprint,
        line: &[u8],
    ) -> std::result::Result<Manifest, BatchFault> {
        if let Some(lines) = batch.map(|batch| batch.of.by).filter(|lines| *lines != by) {
            let (lines, manifest) = (lines.to_string(), by.to_string());
            return Err(BatchFault::TakenOver { manifest, lines });
        }
        let unknown = || BatchFault::UnknownSender(by.to_string());
        let key = self.senders.0.get(&by).ok_or_else(unknown)?;
        let manifest =
            Manifest::verify(line, key).map_err(|fault| BatchFault::Manifest(fault.to_string()))?;
        if let Some(first) = self.places.get(&(by, manifest.batch)) {
            return Err(BatchFault::Repeated(first.clone()));
        }
        let (count, hash, shop) = match batch {
            Some(batch) if batch.of.batch != manifest.batch => {
                return Err(BatchFault::OtherManifest);
            }
            Some(Open { fault: Some((_, fault)), .. }) => return Err(fault.clone()),
            Some(batch) => (batch.count, batch.hash.clone(), batch.shop.as_ref()),
            None => (0, LinesHash::default(), Some(&manifest.shop)),
        };
        if count != manifest.count {
            return Err(BatchFault::Count { signed: manifest.count, found: count });
        }
        if hash.finish() != manifest.lines {
            return Err(BatchFault::Changed);
        }
        match shop == Some(&manifest.shop) {
            true => Ok(manifest),
            false => Err(BatchFault::Shop(manifest.shop)),
        }
    }

    fn accept(&mut self, sender: Thumbprint, manifest: Manifest, line: &[u8], place: Place) {
        let last = self.last.insert(sender, self.verified.len());
        let last = last.map(|index| &self.verified[index]);
        let after = last.map(|last| last.manifest.sequence);
        let follows = last.is_none_or(|last| {
            last.manifest.sequence.checked_add(1) == Some(manifest.sequence)
                && manifest.previous == Some(last.hash)
        });
        self.places.insert((sender, manifest.batch), place);
        let hash = hash_of_line(line);
        self.verified.push(Verified { sender, manifest, hash, after, follows });
    }

    /// Leaves a line out that belongs to no batch, unless the run ends.
    fn leave_out_line(
        &mut self,
        open: &mut Option<Open>,
        place: Place,
        fault: BatchFault,
    ) -> Result<()> {
        open.iter_mut().for_each(|batch| batch.lines += 1);
        let from = place.line.unwrap_or_default();
        self.refuse(place, fault, (from, 1), 1)?;
        self.spool.write(b"\n")
    }

    /// Leaves a batch out, unless the run ends. If it had a fault before, that is the reason.
    fn leave_out(&mut self, batch: &Open, place: Place, fault: BatchFault) -> Result<()> {
        let (place, fault) = batch.fault.clone().unwrap_or((place, fault));
        self.refuse(place, fault, (batch.first_line, batch.lines), batch.count)?;
        self.blank(batch.before, batch.lines)
    }

    /// Ends the run, unless it goes on without what is refused.
    fn fail(&self, place: &Place, fault: &BatchFault) -> Result<()> {
        match self.on_refused {
            OnRefused::Fail => Err(Error::Batch { place: place.clone(), fault: fault.clone() }),
            OnRefused::Report(_) => Ok(()),
        }
    }

    fn refuse(
        &mut self,
        place: Place,
        fault: BatchFault,
        (from, lines): (u64, u64),
        orders: u64,
    ) -> Result<()> {
        self.fail(&place, &fault)?;
        match &mut self.on_refused {
            OnRefused::Fail => Ok(()),
            OnRefused::Report(report) => {
                report(RefusedBatch { place, fault, from, lines, orders: orders.max(1) })
            }
        }
    }

    /// Puts blank lines in the place of all that follows a length of the spool.
    fn blank(&mut self, before: u64, lines: u64) -> Result<()> {
        self.spool.cut(before)?;
        (0..lines).try_for_each(|_| self.spool.write(b"\n"))
    }
}

impl Seen {
    fn of(line: &[u8]) -> Self {
        if is_blank(line) {
            return Self::Blank;
        }
        match LineMark::of_line(line) {
            Some(mark) => Self::Signed(Box::new(mark), hash_of_line(line)),
            None if Manifest::is_one(line) => Self::Manifest,
            None => Self::Unsigned,
        }
    }
}

impl Open {
    fn begin(mark: &LineMark, place: &Place, before: u64) -> Self {
        let (of, shop) = (mark.of.clone(), shop_of(mark));
        let (first_line, hash) = (place.line.unwrap_or_default(), LinesHash::default());
        Self { of, shop, first_line, lines: 0, count: 0, hash, before, fault: None }
    }

    fn add(&mut self, mark: &LineMark, hash: &Hash, place: Place) {
        self.lines += 1;
        self.count += 1;
        self.hash.add(hash);
        let (expected, found) = (self.count, mark.line);
        if expected != found && self.fault.is_none() {
            self.fault = Some((place, BatchFault::Order { expected, found }));
        }
        if shop_of(mark) != self.shop {
            self.shop = None;
        }
    }
}

/// The shop whose key seals a line.
fn shop_of(mark: &LineMark) -> Option<Name> {
    Some(mark.kid.as_ref()?.shop()?.name())
}
