//! The shop's work: opening a batch of sealed orders with the keys it has.

use std::collections::BTreeMap;

use crate::ciphers::Wiped;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::{Carries, KeyNumber, MAX_SEALED_LINE, OpenedBlock, Opener, Shape};
use crate::protocol::model::{Error, Kid, Place, Result, Reuse, ShopName};
use crate::protocol::pipeline::{Batch, LineLimits, Workers};
use crate::protocol::roles::client::Totals;
use crate::protocol::roles::register::{LineHash, Register};
use crate::protocol::store::{BlockKeys, OpeningKeys, named_key, open_alone};

pub use crate::protocol::roles::register::{Refused, Uses};

/// Options for opening a batch.
#[derive(Default)]
pub struct Options<'u> {
    /// Whether a transaction id may open more than one order.
    pub uses: Uses<'u>,
    /// Whether failed records are reported and skipped instead of ending the run.
    pub skip_failed: bool,
    /// Called for each order before it is written. Orders that were handed on before are then written
    /// as well.
    pub each: Option<&'u mut dyn FnMut(Accepted<'_>)>,
}

/// An order that was opened, and is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct Accepted<'s> {
    /// The sealed line.
    pub sealed: &'s [u8],
    /// Whether the ledger knows that it was handed on before.
    pub repeated: bool,
}

/// A record that failed and was skipped.
#[derive(Debug)]
pub struct Skipped {
    /// Its file and line.
    pub place: Place,
    /// The key that it names, if that can be read.
    pub kid: Option<String>,
    /// The reason.
    pub refused: Refused,
}

/// The result of opening a batch.
#[derive(Debug, Default)]
pub struct Summary {
    /// Number of orders opened, and of bytes.
    pub totals: Totals,
    /// Number of records that failed.
    pub failed: u64,
    counts: Counts,
    /// The keys of orders that were refused because they had been handed on before.
    repeated: Vec<KeyNumber>,
}

impl Summary {
    /// Number of different keys that opened orders.
    pub fn keys(&self) -> usize {
        self.counts.used().count()
    }

    /// Number of orders by key name; the empty name stands for a key without one.
    pub fn by_key(&self, keys: &OpeningKeys) -> BTreeMap<String, u64> {
        let name = |key| keys.name(key).map_or(String::new(), |kid| kid.to_string());
        // In a plain set, several keys may have the same name.
        let mut counts = BTreeMap::new();
        for (key, count) in self.counts.used() {
            *counts.entry(name(key)).or_default() += count;
        }
        counts
    }

    /// The transaction ids whose orders were handed on, in this run or before, and that may open no
    /// other.
    pub fn finished_ids(&self, keys: &OpeningKeys) -> Vec<Kid> {
        let opened = self.counts.used().map(|(key, _)| key);
        opened
            .chain(self.repeated.iter().copied())
            .filter_map(|key| keys.single_use_id(key))
            .collect()
    }

    /// Number of orders by shop, for keys from a shop's or the service's file.
    pub fn by_shop(&self, keys: &OpeningKeys) -> BTreeMap<ShopName, u64> {
        let mut shops = BTreeMap::new();
        for (key, count) in self.counts.used() {
            if let Some(shop) = keys.shop(key) {
                *shops.entry(shop).or_default() += count;
            }
        }
        shops
    }
}

/// Number of orders opened by each key.
#[derive(Debug, Default)]
struct Counts {
    /// For listed keys, by number.
    listed: Vec<u64>,
    /// For each tree, the leaf of each order that its keys opened.
    derived: BTreeMap<usize, Vec<u32>>,
    /// For the password.
    password: u64,
}

impl Counts {
    /// No orders yet.
    fn of(keys: &OpeningKeys) -> Self {
        Self { listed: vec![0; keys.numbers()], ..Self::default() }
    }

    fn count(&mut self, key: KeyNumber) {
        match key {
            KeyNumber::Listed(number) => self.listed[number] += 1,
            KeyNumber::Derived { tree, leaf } => self.derived.entry(tree).or_default().push(leaf),
            KeyNumber::Password => self.password += 1,
        }
    }

    /// The keys that opened orders, with the number of these.
    fn used(&self) -> impl Iterator<Item = (KeyNumber, u64)> {
        let listed = self.listed.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        let listed = listed.map(|(number, count)| (KeyNumber::Listed(number), count));
        let derived = self.derived.iter().flat_map(|(&tree, leaves)| {
            let mut leaves = leaves.clone();
            leaves.sort_unstable();
            let runs = leaves.chunk_by(|a, b| a == b);
            let number = |leaf| KeyNumber::Derived { tree, leaf };
            runs.map(|run| (number(run[0]), run.len() as u64)).collect::<Vec<_>>()
        });
        let password = (self.password > 0).then_some((KeyNumber::Password, self.password));
        listed.chain(derived).chain(password)
    }
}

/// Opens a batch; passes the orders to `write` and skipped records to `skipped`, in the order of
/// the input.
///
/// # Errors
/// The first failure in the order of the input, at its line; with
/// [`skip_failed`](Options::skip_failed) only failures of input and output.
pub fn open(
    workers: &Workers,
    input: impl Into<Batch>,
    keys: &OpeningKeys,
    options: Options<'_>,
    mut write: impl FnMut(&[u8], &Totals) -> Result<()>,
    mut skipped: impl FnMut(Skipped) -> Result<()>,
) -> Result<Summary> {
    let limits = LineLimits {
        max_line: MAX_SEALED_LINE,
        what: "sealed line",
        max_lines: if keys.is_slow() { 64 } else { usize::MAX },
    };
    let source = SystemSource::new()?;
    let mut counts = Counts::of(keys);
    let Options { uses, skip_failed, mut each } = options;
    let mut register = Register::new(keys, uses);
    let hashes = register.hashes();
    let mut totals = Totals::default();
    let (mut failed, mut repeated) = (0, Vec::new());
    workers.run(
        input.into().parts,
        limits,
        |block| {
            keys.allot(&block.lines());
            Ok(())
        },
        |block, ()| {
            let memory = Wiped::from(std::mem::take(&mut block.spare));
            let lines = block.lines();
            let keys = BlockKeys::new(keys, &lines);
            let opener = Opener { spread: Workers::spread, ..Opener::new(&keys, Carries::Order) };
            let opened = opener.open(&lines, memory, &mut source.stream(block.first_line));
            let hashes = hashes.of(&lines, &opened);
            (opened, hashes)
        },
        |(mut opened, hashes): (OpenedBlock, Vec<Option<LineHash>>), block| {
            totals.read += block.len() as u64;
            let (mut checked, mut end) = (Vec::with_capacity(opened.lines.len()), 0);
            let sealed = block.lines();
            for (index, result) in opened.lines.drain(..).enumerate() {
                let Some(result) = result.transpose() else { continue };
                let outcome = match result {
                    Ok(order) => {
                        end = order.end;
                        let line = (sealed[index], Shape::Line);
                        let entered =
                            register.enter(order.key, hashes[index], line, || block.spot(index));
                        let entered = entered?;
                        match entered {
                            Ok(()) => Ok((order.key, false)),
                            Err(Refused::Reused(Reuse::Repeat)) => {
                                repeated.push(order.key);
                                match each.is_some() {
                                    true => Ok((order.key, true)),
                                    false => Err(Refused::Reused(Reuse::Repeat)),
                                }
                            }
                            Err(refused) => Err(refused),
                        }
                    }
                    Err(failure) => Err(failure.into()),
                };
                let is_last = outcome.is_err() && !skip_failed;
                checked.push((index, end, outcome));
                if is_last {
                    break;
                }
            }
            register.secure()?;
            let mut good = Good { from: 0, to: 0 };
            for (index, end, outcome) in checked {
                match outcome {
                    Ok((key, repeated)) => {
                        if let Some(each) = &mut each {
                            each(Accepted { sealed: sealed[index], repeated });
                        }
                        counts.count(key);
                        totals.orders += 1;
                        good.to = end;
                    }
                    Err(refused) => {
                        good.write(&opened.text, &mut totals, &mut write)?;
                        good = Good { from: end, to: end };
                        let place = block.place(index);
                        if !skip_failed {
                            return Err(refused.at(place));
                        }
                        failed += 1;
                        skipped(Skipped { place, kid: named_key(sealed[index]), refused })?;
                    }
                }
            }
            good.write(&opened.text, &mut totals, &mut write)?;
            // The block may stay unused for as long as the input blocks, so it is wiped now.
            opened.text.wipe();
            block.give_back(std::mem::take(&mut *opened.text));
            Ok(())
        },
    )?;
    Ok(Summary { totals, failed, counts, repeated })
}

/// Opens a line that carries a key; returns the number of the key that opened it, and its content.
///
/// # Errors
/// [`Error::Malformed`] if the input is not exactly one such line, and as [`open`].
pub fn open_key(
    line: &[u8],
    place: &Place,
    keys: &OpeningKeys,
    uses: Uses<'_>,
) -> Result<(KeyNumber, Wiped)> {
    let mut rng = SystemSource::new()?.stream(0);
    let opened = open_alone(line, Carries::Key, Shape::Line, keys, &mut rng);
    let (number, key) = opened.map_err(|failure| failure.at(place.at(1)))?;
    Register::new(keys, uses).enter_alone(number, line, Shape::Line, &place.at(1))?;
    Ok((number, key))
}

/// Opens a document: one sealed order in any serialization, whose content may be anything.
///
/// # Errors
/// As [`open`], for the document as a whole.
pub fn open_document(
    sealed: &[u8],
    place: &Place,
    keys: &OpeningKeys,
    uses: Uses<'_>,
) -> Result<(Summary, Wiped)> {
    let mut rng = SystemSource::new()?.stream(0);
    let (key, text) = open_alone(sealed, Carries::Order, Shape::Document, keys, &mut rng)
        .map_err(|failure| failure.at(place.clone()))?;
    Register::new(keys, uses).enter_alone(key, sealed, Shape::Document, place)?;
    let mut counts = Counts::of(keys);
    counts.count(key);
    let (read, written) = (sealed.len() as u64, text.len() as u64);
    Ok((
        Summary {
            totals: Totals { orders: 1, read, written },
            failed: 0,
            counts,
            repeated: Vec::new(),
        },
        text,
    ))
}

/// A run of authentic orders in a block, ready to be written.
struct Good {
    from: usize,
    to: usize,
}

impl Good {
    fn write(
        &self,
        text: &[u8],
        totals: &mut Totals,
        write: &mut impl FnMut(&[u8], &Totals) -> Result<()>,
    ) -> Result<()> {
        if self.from == self.to {
            return Ok(());
        }
        totals.written += (self.to - self.from) as u64;
        write(&text[self.from..self.to], totals)
    }
}

/// The error of a run that skipped records, if there were any.
pub fn skipped_error(summary: &Summary) -> Option<Error> {
    let total = summary.totals.orders + summary.failed;
    (summary.failed > 0).then_some(Error::SomeFailed {
        what: "records",
        failed: summary.failed,
        total,
    })
}
