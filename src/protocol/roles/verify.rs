//! Signed batches are verified before anything of them is opened.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::protocol::jose::batch::{
    BatchMark, BatchNumber, Hash, LineMark, LinesHash, Manifest, hash_of_line,
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
    /// Whether it follows the batch of this sender that was verified before it; nothing is known of the
    /// first one.
    pub follows: Option<bool>,
}

/// A batch that was refused, or a line that belongs to none.
#[derive(Debug)]
pub struct RefusedBatch {
    /// The place of the fault.
    pub place: Place,
    /// The fault.
    pub fault: BatchFault,
    /// Number of lines that are left out.
    pub lines: u64,
}

/// Verifies batches, one input after the other.
pub struct Verifier<'w> {
    workers: &'w Workers,
    senders: Senders,
    /// Called for each batch that is refused; if it returns an error, the run ends.
    refuse: Box<dyn FnMut(RefusedBatch) -> Result<()> + 'w>,
    spool: Spool,
    /// The batches so far.
    verified: Vec<Verified>,
    /// The places of their manifests.
    places: BTreeMap<BatchNumber, Place>,
    /// The last batch of each sender, with the hash of its manifest.
    last: BTreeMap<Thumbprint, (u64, Hash)>,
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
    shop: Option<Name>,
    first_line: u64,
    /// Lines so far, blank and unsigned ones included.
    lines: u64,
    count: u64,
    hash: LinesHash,
    /// Length of the spool before it.
    before: u64,
    /// The first fault.
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
}

impl<'w> Verifier<'w> {
    /// Verifies batches of these senders. For each batch that is refused, and each line that is not
    /// signed, `refuse` says whether the run ends, or goes on without it.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no room for a copy of the input.
    pub fn new(
        workers: &'w Workers,
        senders: Senders,
        refuse: impl FnMut(RefusedBatch) -> Result<()> + 'w,
    ) -> Result<Self> {
        Ok(Self {
            workers,
            senders,
            refuse: Box::new(refuse),
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
    /// Those of reading and of `refuse`, and [`Error::Io`].
    pub fn verify(&mut self, part: Part) -> Result<Part> {
        let limits =
            LineLimits { max_line: MAX_SEALED_LINE, what: "sealed line", max_lines: usize::MAX };
        let (place, start) = (part.place.clone(), self.spool.len());
        let mut open = None;
        self.workers.run(
            vec![part],
            limits,
            |_| Ok(()),
            |block, ()| block.lines().into_iter().map(Seen::of).collect::<Vec<_>>(),
            |seen, block: &mut Block| {
                for (index, (seen, line)) in seen.into_iter().zip(block.lines()).enumerate() {
                    self.add(&mut open, seen, line, block.place(index))?;
                }
                Ok(())
            },
        )?;
        if let Some(batch) = open {
            let fault = BatchFault::CutOff(batch.first_line);
            let last = place.at(batch.first_line + batch.lines - 1);
            self.refuse(batch, last, fault)?;
        }
        let reader = self.spool.reader(start..self.spool.len())?;
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
                self.write(line)
            }
            Seen::Unsigned => {
                let fault = BatchFault::Unsigned;
                (self.refuse)(RefusedBatch { place, fault, lines: 1 })?;
                open.iter_mut().for_each(|batch| batch.lines += 1);
                self.write(b"")
            }
            Seen::Signed(mark, hash) => {
                if let Some(other) = open.take_if(|batch| batch.of != mark.of) {
                    let fault = BatchFault::Mixed(other.first_line);
                    self.refuse(other, place.clone(), fault)?;
                }
                let before = self.spool.len();
                let batch = open.get_or_insert_with(|| Open::begin(&mark, &place, before));
                batch.add(&mark, &hash, place);
                self.write(line)
            }
            Seen::Manifest => {
                self.write(line)?;
                let batch = open.take();
                match self.check(batch.as_ref(), line) {
                    Ok(verified) => {
                        self.accept(verified, line, place);
                        Ok(())
                    }
                    Err(fault) => {
                        let alone = || (self.spool.len() - line.len() as u64 - 1, 0);
                        let earlier = batch.as_ref().and_then(|batch| batch.fault.as_ref());
                        let place = match earlier {
                            Some((earlier, own)) if *own == fault => earlier.clone(),
                            Some(_) | None => place,
                        };
                        let (before, lines) = batch.map_or_else(alone, |it| (it.before, it.lines));
                        self.leave_out(before, lines + 1, place, fault)
                    }
                }
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        self.spool.write(line)?;
        self.spool.write(b"\n")
    }

    /// Checks a batch against its manifest.
    fn check(
        &self,
        batch: Option<&Open>,
        line: &[u8],
    ) -> std::result::Result<(Thumbprint, Manifest), BatchFault> {
        let named = Manifest::signer(line);
        let by = match (batch.map(|batch| batch.of.by), named) {
            (Some(lines), Some(manifest)) if lines != manifest => {
                let (lines, manifest) = (lines.to_string(), manifest.to_string());
                return Err(BatchFault::TakenOver { manifest, lines });
            }
            (Some(by), _) | (None, Some(by)) => by,
            (None, None) => return Err(BatchFault::Manifest("it names no key".to_owned())),
        };
        let unknown = || BatchFault::UnknownSender(by.to_string());
        let key = self.senders.0.get(&by).ok_or_else(unknown)?;
        let manifest =
            Manifest::verify(line, key).map_err(|fault| BatchFault::Manifest(fault.to_string()))?;
        if let Some(first) = self.places.get(&manifest.batch) {
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
            true => Ok((by, manifest)),
            false => Err(BatchFault::Shop(manifest.shop)),
        }
    }

    fn accept(&mut self, (sender, manifest): (Thumbprint, Manifest), line: &[u8], place: Place) {
        let hash = hash_of_line(line);
        let last = self.last.insert(sender, (manifest.sequence, hash));
        let follows = last.map(|(sequence, hash)| {
            manifest.sequence == sequence + 1 && manifest.previous == Some(hash)
        });
        self.places.insert(manifest.batch, place);
        self.verified.push(Verified { sender, manifest, follows });
    }

    /// Leaves a batch out that has no manifest, unless the run ends.
    fn refuse(&mut self, batch: Open, place: Place, fault: BatchFault) -> Result<()> {
        let (place, fault) = batch.fault.unwrap_or((place, fault));
        self.leave_out(batch.before, batch.lines, place, fault)
    }

    /// Leaves out what follows a length of the spool, unless the run ends.
    fn leave_out(
        &mut self,
        before: u64,
        lines: u64,
        place: Place,
        fault: BatchFault,
    ) -> Result<()> {
        (self.refuse)(RefusedBatch { place, fault, lines })?;
        self.spool.cut(before)?;
        (0..lines).try_for_each(|_| self.spool.write(b"\n"))
    }
}

impl Seen {
    fn of(line: &[u8]) -> Self {
        if line.trim_ascii().is_empty() {
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
