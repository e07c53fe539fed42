//! The shop's check that each transaction id opens one order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::protocol::jose::jwe::{Failure, KeyNumber, OpenedBlock, Shape, line_hash};
use crate::protocol::model::{Error, Place, Result, Reuse};
use crate::protocol::roles::pad_use;
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::uses::{Earlier, PadPiece, UseLedger};

/// How often a transaction id may open an order.
#[derive(Default)]
pub enum Uses<'u> {
    /// As often as it comes.
    #[default]
    Any,
    /// Once in this run.
    OnceInRun,
    /// Once for as long as the ledger is kept. Keys that may be used again open each order once.
    Ledger(&'u mut (dyn UseLedger + Send)),
}

impl Uses<'_> {
    /// The same, borrowed.
    pub(super) fn for_a_while(&mut self) -> Uses<'_> {
        match self {
            Self::Any => Uses::Any,
            Self::OnceInRun => Uses::OnceInRun,
            Self::Ledger(ledger) => Uses::Ledger(&mut **ledger),
        }
    }
}

/// Reason why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The line cannot be opened.
    Line(Failure),
    /// The line is authentic, and was opened before.
    Reused(Reuse),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Line(failure)
    }
}

impl From<Reuse> for Refused {
    fn from(found: Reuse) -> Self {
        Self::Reused(found)
    }
}

impl Refused {
    /// The corresponding error at a place.
    pub fn at(self, place: Place) -> Error {
        match self {
            Self::Line(failure) => failure.at(place),
            Self::Reused(found) => Error::Reused { place, found },
        }
    }

    /// The kind for reports: that of the [failure](Failure::kind) or of the [reuse](Reuse::kind).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Line(failure) => failure.kind(),
            Self::Reused(found) => found.kind(),
        }
    }
}

/// The hash of a line, by which a ledger knows it.
pub(super) type LineHash = [u8; 32];

/// Whether lines have to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashes {
    Needed,
    Unneeded,
}

impl Hashes {
    /// The hash of each line of a block that opened; none if they are not needed.
    pub fn of(self, lines: &[&[u8]], opened: &OpenedBlock) -> Vec<Option<LineHash>> {
        match self {
            Self::Unneeded => vec![None; lines.len()],
            Self::Needed => {
                let opened = opened.lines.iter().map(|result| matches!(result, Ok(Some(_))));
                let hash = |(opened, line): (bool, &&[u8])| {
                    opened.then(|| line_hash(line, Shape::Line)).flatten()
                };
                opened.zip(lines).map(hash).collect()
            }
        }
    }
}

/// Whether orders may be opened, for one run.
pub(super) struct Register<'k, 'u> {
    keys: &'k OpeningKeys,
    uses: Uses<'u>,
    /// First occurrence in this run of each id that may occur only once.
    seen: BTreeMap<KeyNumber, (Arc<Place>, u64)>,
}

impl<'k, 'u> Register<'k, 'u> {
    pub fn new(keys: &'k OpeningKeys, uses: Uses<'u>) -> Self {
        Self { keys, uses, seen: BTreeMap::new() }
    }

    /// Whether [`enter`](Self::enter) needs the hashes of lines.
    pub fn hashes(&self) -> Hashes {
        match self.uses {
            Uses::Any | Uses::OnceInRun => Hashes::Unneeded,
            Uses::Ledger(_) => Hashes::Needed,
        }
    }

    /// Enters an order that a key opened; `line` is the order.
    ///
    /// # Errors
    /// Those of the ledger; and, inside, the reason why the order is refused.
    pub fn enter(
        &mut self,
        key: KeyNumber,
        hash: Option<LineHash>,
        (line, shape): (&[u8], Shape),
        spot: impl FnOnce() -> (Arc<Place>, u64),
    ) -> Result<Result<(), Refused>> {
        let entered = match &mut self.uses {
            Uses::Any => Ok(()),
            Uses::OnceInRun => self.enter_in_run(key, spot()),
            Uses::Ledger(ledger) => {
                let hash = hash.expect("lines that opened are hashed for a ledger");
                let piece = self.keys.shared_pad(key).and_then(|pad| {
                    let (_, from, len) = pad_use::piece(line, shape)?;
                    PadPiece::new(pad, from, len)
                });
                let earlier = match piece {
                    Some(piece) => ledger.enter_piece(piece, &hash)?,
                    None => ledger.enter(self.keys.use_of(key, &hash))?,
                };
                earlier.map_err(|earlier| reuse(earlier, self.keys, key))
            }
        };
        Ok(entered.map_err(Refused::from))
    }

    fn enter_in_run(&mut self, key: KeyNumber, spot: (Arc<Place>, u64)) -> Result<(), Reuse> {
        if !self.keys.is_single_use(key) {
            return Ok(());
        }
        match (self.seen.entry(key), self.keys.name(key)) {
            (Entry::Occupied(first), Some(kid)) => {
                let (part, line) = first.get();
                Err(Reuse::InRun { kid: kid.into_owned(), first: part.at(*line) })
            }
            (entry, _) => {
                entry.or_insert(spot);
                Ok(())
            }
        }
    }

    /// Enters an order that is the only one of its input, and makes that durable.
    ///
    /// # Errors
    /// [`Error::Reused`] and those of the ledger.
    pub fn enter_alone(
        &mut self,
        key: KeyNumber,
        sealed: &[u8],
        shape: Shape,
        place: &Place,
    ) -> Result<()> {
        let hash = match self.hashes() {
            Hashes::Needed => line_hash(sealed, shape),
            Hashes::Unneeded => None,
        };
        let spot = || (Arc::new(place.clone()), 1);
        self.enter(key, hash, (sealed, shape), spot)?
            .map_err(|refused| refused.at(place.clone()))?;
        self.secure()
    }

    /// Makes what was entered durable, before it is written.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn secure(&mut self) -> Result<()> {
        match &mut self.uses {
            Uses::Any | Uses::OnceInRun => Ok(()),
            Uses::Ledger(ledger) => ledger.secure(),
        }
    }
}

fn reuse(earlier: Earlier, keys: &OpeningKeys, key: KeyNumber) -> Reuse {
    match (earlier, keys.name(key)) {
        (Earlier::OtherOrder, Some(kid)) => Reuse::Used(kid.into_owned()),
        (Earlier::Overlap, _) => Reuse::Pad,
        (Earlier::OtherOrder, None) | (Earlier::SameOrder, _) => Reuse::Repeat,
        (Earlier::Unfinished, _) => Reuse::Uncertain,
    }
}
