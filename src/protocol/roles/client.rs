//! The client's work: sealing a batch of orders with the keys it received.

mod signing;
mod supply;

use std::sync::Arc;

use signing::{Signing, hashes_of};
use supply::{Supply, Ticket};

use crate::ciphers::content::ContentCipher;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::batch::BatchMark;
use crate::protocol::jose::jwe::{
    Carries, MAX_ORDER, MIN_TYPED, Sealer, SealingKeys, Shape, TypedKey,
};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, Jwk};
use crate::protocol::jose::pad::Pad;
use crate::protocol::jose::password::DerivedKey;
use crate::protocol::model::{
    Alg, Content, Enc, Error, KeyError, Kid, MAX_LAYERS, Member, Misuse, Place, Result, Role,
    Scope, ShopName, Suite, Task, Time, Unfit, Unimplemented, Unpaired, Unsound,
};
use crate::protocol::pipeline::{Batch, Block, InputSize, LineLimits, Workers};
use crate::protocol::roles::notes::{Note, Notes};
pub use crate::protocol::roles::send::{Sealed, Sink, Totals};
use crate::protocol::store::keyfile::{
    ClientBundle, KeyHolder, LoneKey, PlainFile, ShopBundle, Stage,
};
use crate::protocol::store::spend::{Budget, Ids, KeyStore, Pads};

/// The plan for sealing a batch, prepared from a client's file or a lone key.
pub struct Plan {
    bundle: Place,
    suite: Suite,
    key: KeyPlan,
    layers: u8,
    /// Whether the program erases after sending.
    erases: bool,
    typed: Option<TypedKey>,
    expected: Option<InputSize>,
    notes: Option<Arc<Notes>>,
    signing: Option<Signing>,
}

enum KeyPlan {
    /// One key for all orders; with a budget unless it only wraps fresh keys.
    Shared { key: Box<Jwk<EncryptingKey>>, budget: bool },
    /// A key for each order, from the ids of a shop; with the length of the longest pad if the keys
    /// are pads.
    Each { shop: ShopName, longest_pad: Option<u64> },
    /// A key derived from a password, for all orders.
    Password(Arc<DerivedKey>),
    /// A piece of this pad for each order.
    Pad { key: Box<Jwk<EncryptingKey>>, pad: Pad },
}

impl Plan {
    /// Creates a plan from a client's bundle, for orders that are sealed `now`.
    ///
    /// # Errors
    /// [`KeyError::Missing`] if the program or the key was erased; [`KeyError::OutOfDate`] for keys
    /// that do not seal now.
    pub fn of_client(client: &ClientBundle, now: Time, place: &Place) -> Result<Self> {
        let ClientBundle { name, shop, keys, .. } = client;
        let out_of_date = |why| Error::key(place, KeyError::out_of_date(name, why));
        shop.dates.check(now).map_err(out_of_date)?;
        let Some(program) = &client.program else {
            return Err(Error::key(place, KeyError::Missing("program any more: it was erased")));
        };
        let key = match keys.first() {
            None if client.trees.is_empty() => {
                let missing = KeyError::Missing("key any more: they were erased");
                return Err(Error::key(place, missing));
            }
            Some(first) if first.kid.as_ref().is_some_and(|kid| shop.is_reusable(kid)) => {
                KeyPlan::shared(first.clone(), shop.suite.has_budget())
            }
            Some(_) | None => KeyPlan::Each { shop: name.clone(), longest_pad: longest_pad(keys) },
        };
        Ok(Self {
            erases: program.erase.is_some(),
            signing: Signing::of(client, now, place)?,
            ..Self::new(place, shop.suite, key, program.layers)
        })
    }

    /// Creates a plan from a lone key or a key of a plain set: the key named `kid`, or the only one
    /// that can seal. A content key seals directly; any other key wraps fresh keys for `enc`.
    ///
    /// # Errors
    /// [`KeyError::Unknown`] if no key has that name; [`KeyError::Several`] if there are
    /// several keys and none was chosen; [`KeyError::Uncounted`] for a key of a set whose use
    /// must be counted; [`KeyError::OutOfDate`] for one that does not seal `now`;
    /// [`KeyError::Unsound`] if a pair does not open what it seals; otherwise the reason why the key,
    /// or the first of the set, cannot seal.
    pub fn of_key(
        file: &PlainFile,
        kid: Option<&Kid>,
        enc: Option<Enc>,
        now: Time,
        place: &Place,
    ) -> Result<Self> {
        let (key, suite) = choose(file, kid, enc).map_err(|error| Error::key(place, error))?;
        file.check_dates(now).map_err(|error| Error::key(place, error))?;
        let counted = suite.has_budget() || suite.enc().takes_pad();
        match file {
            PlainFile::Set(_) if counted => {
                let error = KeyError::Uncounted { key: key.view().words(), alg: suite.key_alg() };
                return Err(Error::key(place, error));
            }
            PlainFile::Set(_) | PlainFile::Lone(_) => {}
        }
        if let Some(pair) = key.material.as_key().rsa_pair()
            && !pair.is_consistent(Backend::detect(), &mut SystemSource::new()?.stream(0))
        {
            return Err(Error::key(place, Unsound::Halves.into()));
        }
        let key = KeyPlan::shared(key.encrypting_half(), suite.has_budget());
        Ok(Self::new(place, suite, key, 1))
    }

    /// Creates a plan from a shop's bundle with one key for all orders: the current generation's.
    ///
    /// # Errors
    /// [`KeyError::Role`] for a shop with a key for each transaction; [`KeyError::Uncounted`] for a key
    /// whose use must be counted; [`KeyError::Missing`] if no generation is current.
    pub fn of_shop(file: &ShopBundle, now: Time, place: &Place) -> Result<Self> {
        let refused = |error| Error::key(place, error);
        if file.program_erased {
            return Err(refused(KeyError::Missing("program any more: it was erased")));
        }
        match file.scheme().scope {
            Scope::Shop => {}
            Scope::Transaction => {
                let (found, expected) = (Role::Shop, Role::Client);
                return Err(refused(KeyError::Role { found, expected }));
            }
        }
        let current = file.generations.iter().find_map(|(name, own)| {
            let stage = file.stage(name, now)?;
            (stage == Stage::Current).then_some(())?;
            Some((file.keys.named(name.as_str())?, own.shop.suite))
        });
        let (key, suite) = current.ok_or_else(|| refused(KeyError::Missing("current key")))?;
        if suite.has_budget() || suite.enc().takes_pad() {
            let error = KeyError::Uncounted { key: key.view().words(), alg: suite.key_alg() };
            return Err(refused(error));
        }
        let key = KeyPlan::shared(key.encrypting_half(), false);
        Ok(Self::new(place, suite, key, 1))
    }

    /// Creates a plan from a key that was derived from a password; it wraps fresh keys for `enc`.
    ///
    /// # Errors
    /// [`Unfit::NothingToWrap`] for a cipher that takes no wrapped key.
    pub fn of_password(key: DerivedKey, enc: Option<Enc>, place: &Place) -> Result<Self> {
        let (alg, enc) = (Alg::Password(key.algorithm()), enc.unwrap_or(DEFAULT_ENC));
        let suite = Suite::new(alg, enc)
            .ok_or_else(|| Error::key(place, Unfit::NothingToWrap(enc).into()))?;
        Ok(Self::new(place, suite, KeyPlan::Password(Arc::new(key)), 1))
    }

    fn new(place: &Place, suite: Suite, key: KeyPlan, layers: u8) -> Self {
        let (erases, typed, expected, notes, signing) = (false, None, None, None, None);
        Self { bundle: place.clone(), suite, key, layers, erases, typed, expected, notes, signing }
    }

    /// The algorithms of the plan.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Whether the key file must record what is used up, or what was signed.
    pub fn spends(&self) -> bool {
        let counted = match self.key {
            KeyPlan::Shared { budget, .. } => budget,
            KeyPlan::Password(_) => false,
            KeyPlan::Each { .. } | KeyPlan::Pad { .. } => true,
        };
        counted || self.signing.is_some()
    }

    /// Whether batches are signed.
    pub fn signs(&self) -> bool {
        self.signing.is_some()
    }

    /// Whether each order uses an id up.
    pub(super) fn is_single_use(&self) -> bool {
        match self.key {
            KeyPlan::Each { .. } => true,
            KeyPlan::Shared { .. } | KeyPlan::Password(_) | KeyPlan::Pad { .. } => false,
        }
    }

    /// Whether the program erases after sending.
    pub fn erases(&self) -> bool {
        self.erases
    }

    /// Sets the number of content-encryption keys in the chain of each order.
    ///
    /// # Errors
    /// [`Error::Usage`] for more than 16.
    pub fn set_layers(&mut self, layers: u8) -> Result<()> {
        if !(1..=MAX_LAYERS).contains(&layers) {
            return Err(Misuse::Layers(layers).into());
        }
        let enc = self.suite.enc();
        if layers > 1 && (enc == Enc::RsaBlocks || enc.takes_pad()) {
            return Err(Misuse::NothingToChain(enc).into());
        }
        self.layers = layers;
        Ok(())
    }

    /// Whether it helps to know in advance how many orders there are and how long they are: then
    /// exactly what they need is reserved, and a shortage is noticed before anything is sealed.
    pub fn wants_expected(&self) -> bool {
        match self.key {
            KeyPlan::Each { .. } | KeyPlan::Pad { .. } => true,
            KeyPlan::Shared { .. } | KeyPlan::Password(_) => false,
        }
    }

    /// Sets the expected number and lengths of orders.
    pub fn set_expected(&mut self, expected: InputSize) {
        self.expected = Some(expected);
    }

    /// Says of each order what it was before it is rewrapped.
    pub(super) fn set_notes(&mut self, notes: Arc<Notes>) {
        self.notes = Some(notes);
    }

    /// Derives communication keys from a text that the user typed.
    ///
    /// # Errors
    /// [`Error::Usage`] in the direct forms, which have no communication key, and for a text
    /// shorter than [`MIN_TYPED`].
    pub fn type_key(&mut self, text: &[u8], source: &impl KeySource) -> Result<()> {
        if self.suite.content() == Content::Direct && self.layers == 1 {
            return Err(Misuse::NothingToType(self.suite).into());
        }
        let characters = String::from_utf8_lossy(text).trim().chars().count();
        if characters < MIN_TYPED {
            return Err(Misuse::TypedTooShort { found: characters, least: MIN_TYPED }.into());
        }
        self.typed = Some(TypedKey::stretch(text, source));
        Ok(())
    }

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
            crate::protocol::model::Kind::Public => 64,
            crate::protocol::model::Kind::Secret => usize::MAX,
        }
    }
}

/// Chooses the key of a plain file that seals, and its algorithms.
fn choose<'f>(
    file: &'f PlainFile,
    kid: Option<&Kid>,
    enc: Option<Enc>,
) -> std::result::Result<(&'f Jwk, Suite), KeyError> {
    let checked = |key: &'f Jwk| {
        let suite = sealing_suite(file, key, enc)?;
        key.view().check_usage(suite, Task::Seal)?;
        SealingKeys::one(&key.encrypting_half(), suite, Carries::Order)?;
        Ok((key, suite))
    };
    if let Some(kid) = kid {
        let keys = file.holder().all_keys();
        let Some(index) = keys.position(kid.as_str()) else {
            return Err(file.passed_over(kid.as_str()).unwrap_or(file.holder().unknown(kid)));
        };
        let alike = keys.alike(index);
        let mut fit = alike.iter().filter_map(|&index| checked(&file.keys()[index]).ok());
        return match (fit.next(), fit.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => checked(&file.keys()[index]),
            (Some(_), Some(_)) => Err(KeyError::Alike { kid: kid.to_string(), keys: alike.len() }),
        };
    }
    let (mut fit, mut refused) = (Vec::new(), None);
    for key in file.keys() {
        match checked(key) {
            Ok(found) => fit.push(found),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    match (fit.pop(), fit.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), others) => Err(KeyError::Several(others + 1)),
        (None, _) => Err(refused.unwrap_or(KeyError::Missing("key at all"))),
    }
}

/// The content cipher for keys that wrap, unless another one is chosen.
const DEFAULT_ENC: Enc = Enc::Cipher(ContentCipher::A256Gcm);

/// The algorithms with which a key of a plain file seals.
fn sealing_suite(
    file: &PlainFile,
    key: &Jwk,
    enc: Option<Enc>,
) -> std::result::Result<Suite, KeyError> {
    let Some(name) = key.alg.as_deref() else {
        let view = key.view();
        return Err(KeyError::Unsaid { key: view.words(), fitting: view.material.algorithms() });
    };
    match (Alg::from_name(name), file.direct_cipher(name)) {
        (Some(alg @ Alg::Wrap(_)), _) => {
            let enc = enc.unwrap_or(DEFAULT_ENC);
            Suite::new(alg, enc).ok_or_else(|| Unfit::NothingToWrap(enc).into())
        }
        (Some(Alg::Agree), _) => {
            let enc = enc.unwrap_or(DEFAULT_ENC);
            Suite::new(Alg::Agree, enc).ok_or_else(|| Unpaired { alg: Alg::Agree, enc }.into())
        }
        (Some(Alg::Password(own)), _) => Err(Unfit::Password(own).into()),
        (Some(Alg::Direct) | None, Some(own)) if enc.is_none_or(|enc| enc == own) => {
            Ok(Suite::direct(own))
        }
        (Some(Alg::Direct) | None, Some(own)) => {
            Err(Unfit::OtherCipher { key: key.view().words(), own }.into())
        }
        (Some(Alg::Direct) | None, None) => Err(Unimplemented::new(Member::Alg, name).into()),
    }
}

impl KeyPlan {
    /// One key for all orders, or a piece of it for each order if it is a pad.
    fn shared(key: Jwk<EncryptingKey>, budget: bool) -> Self {
        let key = Box::new(key);
        match &key.material {
            EncryptingKey::Pad(pad) => Self::Pad { pad: pad.clone(), key },
            EncryptingKey::Secret(_) | EncryptingKey::Public(_) => Self::Shared { key, budget },
        }
    }
}

/// Length of the longest pad among the keys, if they are pads.
fn longest_pad(keys: &[Jwk<EncryptingKey>]) -> Option<u64> {
    keys.iter().filter_map(|key| key.material.as_key().pad().map(Pad::len)).max()
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
