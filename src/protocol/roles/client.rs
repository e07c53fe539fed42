//! The client's work: sealing a batch of orders with the keys it received.

mod choice;
mod sealing;
mod signing;
mod supply;

use std::sync::Arc;

use choice::{DEFAULT_ENC, choose};
use signing::Signing;

use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::{MIN_TYPED, TypedKey};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, Jwk};
use crate::protocol::jose::pad::Pad;
use crate::protocol::jose::password::DerivedKey;
use crate::protocol::model::{
    Alg, Content, Enc, Error, KeyError, Kid, MAX_LAYERS, Misuse, Place, Result, Role, Scope,
    ShopName, Suite, Time, Unfit, Unsound,
};
use crate::protocol::pipeline::InputSize;
use crate::protocol::roles::notes::Notes;
pub use crate::protocol::roles::send::{Sealed, Sink, Totals};
use crate::protocol::store::keyfile::{ClientBundle, KeyHolder, PlainFile, ShopBundle, Stage};

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
