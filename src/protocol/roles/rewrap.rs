//! Sealing orders anew: lines that authenticate under old keys are opened and sealed under new ones, in
//! memory, with fresh content keys, in the order of the input.
//!
//! Opening and sealing are the runs of shop and client, joined by a [`passage`].

#[cfg(feature = "store")]
mod recorded;

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::thread;

use crate::ciphers::Wiped;
use crate::ciphers::random::KeySource;
use crate::protocol::jose::jwe::{
    Carries, Header, KeyNumber, Provenance, Shape, headers_of, line_hash,
};
use crate::protocol::model::{Error, Kid, Malformed, Misuse, Place, Result, Suite};
use crate::protocol::pipeline::{Batch, Part, Workers, passage};
use crate::protocol::roles::client::{Plan, Sealed, Sink, Totals};
use crate::protocol::roles::notes::{Note, Notes};
use crate::protocol::roles::shop::{self, Accepted, Options, Skipped, Summary, Uses};
use crate::protocol::roles::stream;
use crate::protocol::store::keyfile::Sent;
use crate::protocol::store::spend::KeyStore;
use crate::protocol::store::uses::Use;
use crate::protocol::store::{OpeningKeys, named_key, use_by_name};

#[cfg(feature = "store")]
pub use recorded::{Recorded, SharedLedger};

/// Name of opened orders on their way, for messages.
const ON_THE_WAY: &str = "opened orders";

/// How to open what is rewrapped.
pub struct Old<'k> {
    /// The threads, for both.
    pub workers: &'k Workers,
    /// The keys.
    pub keys: &'k OpeningKeys,
    /// How often a transaction id may open an order.
    pub uses: Uses<'k>,
    /// Whether failed records are reported and skipped instead of ending the run.
    pub skip_failed: bool,
}

/// How to seal it anew.
pub struct New<'n, S, K: ?Sized, O> {
    /// The plan.
    pub plan: Plan,
    /// The source of content keys.
    pub source: &'n S,
    /// What records the use of keys.
    pub store: &'n K,
    /// The destination.
    pub sink: &'n mut O,
    /// Enters a line in the ledger that takes the place of one that was handed on before, if there is a
    /// ledger. The other new lines open once for themselves.
    pub replaces: Option<&'n dyn Fn(Use) -> Result<()>>,
}

/// Opens a batch and seals it anew.
///
/// # Errors
/// The first failure in the order of the input, of opening or of sealing; [`Error::Usage`] for a ledger
/// and a new key that is a pad.
pub fn orders<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
    old: Old<'_>,
    input: impl Into<Batch>,
    new: New<'_, S, K, O>,
    skipped: impl FnMut(Skipped) -> Result<()> + Send,
    progress: impl FnMut(&Totals),
) -> Result<(Summary, Sealed)> {
    let Old { workers, keys, mut uses, skip_failed } = old;
    let New { mut plan, source, store, sink, replaces } = new;
    if replaces.is_some() && plan.suite().enc().takes_pad() {
        return Err(Misuse::PadInLedger.into());
    }
    let (suite, single_use) = (plan.suite(), plan.is_single_use());
    let notes = Arc::new(Notes::default());
    plan.set_notes(Arc::clone(&notes));
    let input = input.into();
    let opening_notes = Arc::clone(&notes);
    let open = move |write: &mut dyn FnMut(Wiped) -> Result<()>| {
        // Under one key, most lines have the same header as the line before.
        let (mut last, mut was) = (Vec::new(), None);
        let mut note = |order: Accepted<'_>| {
            let header = compact_header(order.sealed);
            if header.is_none_or(|header| header != last) {
                was = provenance(order.sealed, suite);
                last = header.unwrap_or_default().to_vec();
            }
            opening_notes.add(Note { was: was.clone(), repeated: order.repeated });
        };
        let uses = uses.for_a_while();
        let options = Options { uses, skip_failed, each: Some(&mut note) };
        let write = |orders: &[u8], _: &Totals| write(orders.to_vec().into());
        shop::open(workers, input, keys, options, write, skipped)
    };
    let seal = |text: Part| {
        let mut sink = Replacing { sink, notes: &notes, replaces, single_use, line: 0 };
        plan.seal(workers, text, source, store, &mut sink, progress)
    };
    joined(open, seal)
}

/// Opens a document and seals it anew.
///
/// # Errors
/// As [`orders`].
pub fn document<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
    old: Old<'_>,
    sealed: &[u8],
    place: &Place,
    new: New<'_, S, K, O>,
) -> Result<(Summary, Sealed)> {
    let plan = noted(new.plan, sealed);
    let (summary, text) = shop::open_document(sealed, place, old.keys, old.uses)?;
    let sealed = plan.seal_document(&text, place, new.source, new.store, new.sink)?;
    Ok((summary, sealed))
}

/// Opens a line that carries a key, and seals it anew.
///
/// # Errors
/// As [`orders`].
pub fn key<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
    old: Old<'_>,
    line: &[u8],
    place: &Place,
    new: New<'_, S, K, O>,
) -> Result<(KeyNumber, Sealed)> {
    let New { plan, source, store, sink, .. } = new;
    let plan = noted(plan, line);
    let (number, key) = shop::open_key(line, place, old.keys, old.uses)?;
    let mut totals = Totals { orders: 1, read: line.len() as u64, written: 0 };
    let write = |line: Vec<u8>, sink: &mut O| {
        totals.written = line.len() as u64;
        sink.write(&line)
    };
    let (shape, carries) = (Shape::Line, Carries::Key);
    let used = plan.seal_alone(&key, shape, carries, place, source, store, sink, write)?;
    Ok((number, Sealed { totals, used }))
}

/// Opens a stream from its first line, without line feed, and what follows, and seals it anew.
///
/// # Errors
/// As [`orders`].
pub fn sealed_stream<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
    old: Old<'_>,
    line: &[u8],
    rest: Part,
    new: New<'_, S, K, O>,
    progress: impl FnMut(&Totals),
) -> Result<(stream::Opened, Sealed)> {
    let Old { workers, keys, uses, .. } = old;
    let New { plan, source, store, sink, .. } = new;
    let plan = noted(plan, line);
    let open = move |write: &mut dyn FnMut(Wiped) -> Result<()>| {
        let Part { place, reader } = rest;
        stream::open(workers, line, reader, &place, keys, uses, |pieces, _| {
            let mut text = Wiped::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
            pieces.iter().for_each(|piece| text.append(piece));
            write(text)
        })
    };
    let seal = |text: Part| plan.seal_stream(workers, text, source, store, sink, progress);
    joined(open, seal)
}

/// Compares two batches, order by order, each opened with its keys; returns the number of orders.
///
/// # Errors
/// The first failure of opening, and [`Malformed::Differs`] at the first order of the new batch that is not
/// that of the old one.
pub fn compare(
    workers: &Workers,
    (old, from): (impl Into<Batch>, &OpeningKeys),
    (new, to): (impl Into<Batch>, &OpeningKeys),
) -> Result<u64> {
    let (old, new) = (old.into(), new.into());
    let place = new.place.clone();
    let open = move |write: &mut dyn FnMut(Wiped) -> Result<()>| {
        let write = |orders: &[u8], _: &Totals| write(orders.to_vec().into());
        shop::open(workers, old, from, Options::default(), write, |_| Ok(()))
    };
    let read = |mut text: Part| {
        let mut compared = 0;
        let write = |orders: &[u8], _: &Totals| {
            for order in orders.split_inclusive(|&byte| byte == b'\n') {
                compared += 1;
                let mut expected = Wiped::from(vec![0; order.len()]);
                match text.reader.read_exact(&mut expected) {
                    Ok(()) if *expected == *order => {}
                    Ok(()) => return Err(differs(&place, compared)),
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                        return Err(differs(&place, compared));
                    }
                    Err(error) => return Err(Error::io(ON_THE_WAY, "cannot read", error)),
                }
            }
            Ok(())
        };
        shop::open(workers, new, to, Options::default(), write, |_| Ok(()))?;
        match text.reader.read(&mut [0]) {
            Ok(0) => Ok(compared),
            Ok(_) => Err(differs(&place, compared + 1)),
            Err(error) => Err(Error::io(ON_THE_WAY, "cannot read", error)),
        }
    };
    joined(open, read).map(|(_, compared)| compared)
}

fn differs(place: &Place, order: u64) -> Error {
    Error::malformed(&place.at(order), Malformed::Differs)
}

/// A plan for the line that takes the place of this one.
fn noted(mut plan: Plan, line: &[u8]) -> Plan {
    let notes = Notes::default();
    notes.add(Note { was: provenance(line, plan.suite()), repeated: false });
    plan.set_notes(Arc::new(notes));
    plan
}

/// The header of a line in the compact serialization, as it stands there.
fn compact_header(line: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'.', line)?;
    let header = &line[..end];
    (!header.is_empty() && !header.contains(&b'{')).then_some(header)
}

/// What is to be kept of a line that is sealed anew for `next`. Of several recipients, any may be the
/// one for whom it was made.
fn provenance(line: &[u8], next: Suite) -> Option<Provenance> {
    headers_of(line).iter().fold(Provenance::of_line(line), |kept, header| {
        let mut text = Vec::new();
        let Ok(header) = Header::decode(header, &mut text) else { return kept };
        match Suite::from_header(&header.alg, &header.enc) {
            Ok(last) => Provenance::after(kept, last, next),
            Err(_) => kept,
        }
    })
}

/// Lets `open` write to what `seal` reads, both at the same time.
fn joined<T: Send, U>(
    open: impl FnOnce(&mut dyn FnMut(Wiped) -> Result<()>) -> Result<T> + Send,
    seal: impl FnOnce(Part) -> Result<U>,
) -> Result<(T, U)> {
    let (inlet, outlet, broken) = passage();
    let opening = move || {
        let mut write = |text: Wiped| {
            inlet.pass(text).map_err(|error| Error::io(ON_THE_WAY, "cannot pass on", error))
        };
        let opened = open(&mut write)?;
        inlet.end();
        Ok(opened)
    };
    thread::scope(|scope| {
        let opening = thread::Builder::new().spawn_scoped(scope, opening).map_err(Error::Thread)?;
        let sealed = seal(Part { place: Place::file(ON_THE_WAY), reader: Box::new(outlet) });
        let opened = match opening.join() {
            Ok(opened) => opened,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match (opened, sealed) {
            (Ok(opened), Ok(sealed)) => Ok((opened, sealed)),
            // Sealing failed because opening had.
            (Err(error), Err(sealing)) if broken.happened() => Err(caused_by(sealing, error)),
            (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
        }
    })
}

/// The error of a run that failed for this cause.
fn caused_by(error: Error, cause: Error) -> Error {
    let Error::Spending { spent, bundle, source: _ } = error else { return cause };
    Error::Spending { spent, bundle, source: Box::new(cause) }
}

/// A destination that tells the ledger which lines take the place of others.
struct Replacing<'r, O> {
    sink: &'r mut O,
    notes: &'r Notes,
    replaces: Option<&'r dyn Fn(Use) -> Result<()>>,
    single_use: bool,
    /// Lines written so far.
    line: u64,
}

impl<O: Sink> Sink for Replacing<'_, O> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line += 1;
            if let Some(replaces) = self.replaces.filter(|_| self.notes.of(self.line).repeated)
                && let Some(hash) = line_hash(line.strip_suffix(b"\n").unwrap_or(line), Shape::Line)
            {
                let kid = named_key(line).and_then(|kid| Kid::new(&kid));
                replaces(use_by_name(kid.as_ref(), self.single_use, &hash))?;
            }
        }
        self.notes.forget_before(self.line + 1);
        self.sink.write(bytes)
    }

    fn send(&mut self) -> Result<()> {
        self.sink.send()
    }

    fn make_ready(&mut self) -> Result<Option<Sent>> {
        self.sink.make_ready()
    }

    fn withdraw(&mut self, ready: &Sent) {
        self.sink.withdraw(ready);
    }

    fn discard(&mut self) {
        self.sink.discard();
    }

    fn may_have_left(&self) -> bool {
        self.sink.may_have_left()
    }
}
