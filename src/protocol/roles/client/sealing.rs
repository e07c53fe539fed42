//! Sealing by a plan: a batch on all threads, or one text alone.

use std::sync::Arc;

use super::signing::{self, hashes_of};
use super::supply::{Supply, Ticket};
use super::{KeyPlan, Plan};
use crate::ciphers::random::KeySource;
use crate::protocol::jose::batch::BatchMark;
use crate::protocol::jose::jwe::{Carries, MAX_ORDER, Sealer, Shape};
use crate::protocol::model::{Error, KeyError, Kid, Kind, Misuse, Place, Result, Suite};
use crate::protocol::pipeline::{Batch, Block, InputSize, LineLimits, Workers};
use crate::protocol::roles::notes::{Note, Notes};
use crate::protocol::roles::send::{Sealed, Sink, Totals};
use crate::protocol::store::keyfile::LoneKey;
use crate::protocol::store::spend::{Budget, Ids, KeyStore, Pads};

impl Plan {
    /// Seals a batch, writes the lines to `sink` in the order of the input, gives back what was
    /// reserved but not used, and sends the lines. If the run fails before anything can have left,
    /// used ids are given back too.
    ///
    /// # Errors
    /// The first failure in the order of the input, at its line, or a failure of sending; inside
    /// [`Error::Spending`] if something stays used up as a result.
    pub fn seal<S: KeySource, K: KeyStore + ?Sized>(
        self,
        workers: &Workers,
        input: impl Into<Batch>,
        source: &S,
        store: &K,
        sink: &mut impl Sink,
        mut progress: impl FnMut(&Totals),
    ) -> Result<Sealed> {
        let Batch { place, parts } = input.into();
        let mut supply = self.supply(store, &place)?;
        let limits =
            LineLimits { max_line: MAX_ORDER, what: "order", max_lines: self.lines_at_once() };
        let sealer = Sealer {
            layers: self.layers,
            typed: self.typed,
            spread: Workers::spread,
            ..Sealer::default()
        };
        let (suite, notes) = (self.suite, self.notes);
        let mut batch = self.signing.map(|signing| signing.begin(source));
        let mark = batch.as_ref().map(signing::Batch::mark);
        let marks = (notes.as_deref(), mark.as_ref());
        let mut totals = Totals::default();
        let done = workers.run(
            parts,
            limits,
            |block| supply.take(&block.lines(), &block.place(0)),
            |block, keys| {
                let (lines, failure) = seal_block(block, &keys, &sealer, suite, marks, source);
                let hashes = marks.1.map(|_| hashes_of(&lines));
                (lines, hashes, failure)
            },
            |sealed, block| {
                let (lines, hashes, failure) = sealed;
                totals.orders += block.lines as u64;
                totals.read += block.len() as u64;
                totals.written += lines.len() as u64;
                progress(&totals);
                sink.write(&lines)?;
                if let (Some(batch), Some(hashes)) = (&mut batch, hashes) {
                    batch.add(&hashes);
                }
                block.give_back(lines);
                failure.map_or(Ok(()), Err)
            },
        );
        let done = done.and_then(|()| match batch {
            Some(batch) => {
                let manifest = batch.sign(store, &self.bundle)?;
                totals.written += manifest.len() as u64;
                sink.write(&manifest)
            }
            None => Ok(()),
        });
        let used = supply.finish(done, sink, &self.bundle)?;
        Ok(Sealed { totals, used })
    }

    /// Seals a lone key as a line that carries it.
    ///
    /// # Errors
    /// As [`Plan::seal`].
    pub fn wrap_key<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
        self,
        key: &LoneKey,
        place: &Place,
        source: &S,
        store: &K,
        sink: &mut O,
    ) -> Result<Sealed> {
        let plain = key.to_be_wrapped();
        let (mut totals, read) = (Totals::default(), plain.len() as u64);
        let write = |line: Vec<u8>, sink: &mut O| {
            totals = Totals { orders: 1, read, written: line.len() as u64 };
            sink.write(&line)
        };
        let (shape, carries) = (Shape::Line, Carries::Key);
        let used = self.seal_alone(&plain, shape, carries, place, source, store, sink, write)?;
        Ok(Sealed { totals, used })
    }

    /// Seals a text of any content as one line.
    ///
    /// # Errors
    /// As [`Plan::seal`].
    pub fn seal_document<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
        self,
        text: &[u8],
        place: &Place,
        source: &S,
        store: &K,
        sink: &mut O,
    ) -> Result<Sealed> {
        let (mut totals, read) = (Totals::default(), text.len() as u64);
        let write = |line: Vec<u8>, sink: &mut O| {
            totals = Totals { orders: 1, read, written: line.len() as u64 };
            sink.write(&line)
        };
        let (shape, carries) = (Shape::Document, Carries::Order);
        let used = self.seal_alone(text, shape, carries, place, source, store, sink, write)?;
        Ok(Sealed { totals, used })
    }

    /// Seals one text, and passes the line to `write`.
    #[allow(clippy::too_many_arguments)]
    pub(in crate::protocol) fn seal_alone<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
        self,
        text: &[u8],
        shape: Shape,
        carries: Carries,
        place: &Place,
        source: &S,
        store: &K,
        sink: &mut O,
        write: impl FnOnce(Vec<u8>, &mut O) -> Result<()>,
    ) -> Result<Vec<Kid>> {
        self.refuse_to_sign()?;
        let expected = InputSize::one(text.len() as u64, place);
        let plan = Self { expected: Some(expected), ..self };
        let mut supply = plan.supply(store, place)?;
        let keys = supply.take(&[text], &place.at(1))?;
        let (layers, typed, spread) = (plan.layers, plan.typed, Workers::spread);
        let sealer = Sealer { layers, typed, shape, spread, ..Sealer::default() };
        let mut line = Vec::new();
        let was = plan.notes.as_ref().and_then(|notes| notes.of(1).was);
        let sealed = keys
            .make_ready(plan.suite, carries, 0..1)
            .map_err(|error| Error::key(place, error))
            .and_then(|keys| {
                let keys = keys.with_provenance(was.as_ref());
                let mut rng = source.stream(0);
                sealer
                    .seal(&[text], &keys, 0, &mut rng, &mut line)
                    .map_err(|(_, failure)| failure.at(place.clone()))
            });
        let done = sealed.and_then(|()| write(line, sink));
        supply.finish(done, sink, &plan.bundle)
    }

    /// Refuses to seal what is not a batch, if the program signs batches.
    ///
    /// # Errors
    /// [`Error::Usage`].
    fn refuse_to_sign(&self) -> Result<()> {
        match self.signs() {
            true => Err(Misuse::SignsBatches.into()),
            false => Ok(()),
        }
    }

    fn supply<'s, K: KeyStore + ?Sized>(
        &self,
        store: &'s K,
        place: &Place,
    ) -> Result<Supply<'s, K>> {
        Ok(match &self.key {
            KeyPlan::Each { shop, longest_pad } => {
                if let (Some(pad), Some(orders)) = (*longest_pad, &self.expected)
                    && orders.longest > pad
                {
                    let error = KeyError::PadShort { needed: orders.longest, left: pad };
                    return Err(Error::key(&orders.longest_at, error));
                }
                let mut ids = Ids::new(store, self.bundle.clone(), shop.clone());
                if let Some(orders) = &self.expected {
                    let count = usize::try_from(orders.orders).unwrap_or(usize::MAX);
                    ids.expect(count, |order| orders.place_of(order))?;
                }
                Supply::Ids(ids)
            }
            KeyPlan::Shared { key, budget } => {
                let mut budget =
                    budget.then(|| Budget::new(store, self.bundle.clone(), (**key).clone()));
                if let (Some(budget), Some(orders)) = (&mut budget, &self.expected) {
                    budget.expect(orders.orders, |order| orders.place_of(order))?;
                }
                Supply::Shared { key: key.clone(), budget }
            }
            KeyPlan::Password(key) => Supply::Password(Arc::clone(key)),
            KeyPlan::Pad { key, pad } => {
                let bundle = self.bundle.clone();
                let mut pads = Pads::new(store, bundle, (**key).clone(), pad.clone());
                if let Some(orders) = &self.expected {
                    pads.expect(orders.bytes, place)?;
                }
                Supply::Pads(pads)
            }
        })
    }

    /// Number of lines per block: few if each line is slow, so that all cores have work.
    fn lines_at_once(&self) -> usize {
        match self.suite.kind() {
            Kind::Public => 64,
            Kind::Secret => usize::MAX,
        }
    }
}

/// Seals the lines of a block up to the first failure; returns them and the failure.
fn seal_block<S: KeySource>(
    block: &mut Block,
    keys: &Ticket,
    sealer: &Sealer,
    suite: Suite,
    (notes, batch): (Option<&Notes>, Option<&BatchMark>),
    source: &S,
) -> (Vec<u8>, Option<Error>) {
    let mut out = std::mem::take(&mut block.spare);
    let lines = block.lines();
    out.clear();
    out.reserve(block.len() * 3 / 2 + lines.len() * 256);
    let first = block.first_line;
    let mut rng = source.stream(first);
    let mut from = 0;
    while from < lines.len() {
        // Lines with the same header members are sealed side by side.
        let (note, run) = match notes {
            Some(notes) => notes.run(first + from as u64, lines.len() - from),
            None => (Note::default(), lines.len()),
        };
        let to = from + run;
        let keys = match keys.make_ready(suite, Carries::Order, from..to) {
            Ok(keys) => keys.with_provenance(note.was.as_ref()).in_batch(batch),
            Err(error) => return (out, Some(Error::key(&block.place(from), error))),
        };
        let number = first - 1 + from as u64;
        let sealed = sealer.seal(&lines[from..to], &keys, number, &mut rng, &mut out);
        if let Err((index, failure)) = sealed {
            return (out, Some(failure.at(block.place(from + index))));
        }
        from = to;
    }
    (out, None)
}
