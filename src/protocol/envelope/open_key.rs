//! The keys that a shop opens orders with.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::ready::{Held, Ready};
use super::{Failure, Header};
use crate::ciphers::wrap::WrapAlgorithm;
use crate::protocol::jwk::{Jwk, Material};
use crate::protocol::keyfile::{KeyFile, Role};
use crate::protocol::{Alg, Enc, Error, KeyTrouble, Kid, Place, Result, Scope, Suite};

type Checked<T> = std::result::Result<T, KeyTrouble>;

/// Keys by name, each with the one pair of algorithms it is for.
///
/// A name chooses exactly one key; no key is ever tried. Keys stay in the files that they came in,
/// where they are found by name already: at transaction scope there are as many as orders, so that
/// whatever is done for each counts.
#[derive(Debug, Default)]
pub struct OpeningKeys {
    files: Vec<Held>,
    /// Keys that stand in a file before as well, which counts.
    repeated: usize,
    unnamed: Option<usize>,
    lone: usize,
    allow_weak: bool,
    /// The shops of all keys in words, once they are asked for.
    shops: OnceLock<String>,
}

/// What a key is for.
#[derive(Debug)]
enum Algorithms {
    /// These, as the key file says.
    Fixed(Suite),
    /// Wrapping by this algorithm for any content cipher that is not weak, unless that is allowed
    /// (a lone key says no more).
    AnyContent(WrapAlgorithm),
    /// Whatever an order asks for, if it is not weak and fits the key (a foreign key may say
    /// nothing, and the user named it as the one to use).
    Unsaid,
}

/// The key that a header names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'k> {
    /// Its number, for [`OpeningKeys::name`].
    pub(super) number: usize,
    /// The algorithms of the order, which it is for.
    pub(super) suite: Suite,
    /// The key itself.
    pub(super) ready: Ready<'k>,
}

impl OpeningKeys {
    /// No keys yet. A key that does not say for which content cipher it is opens orders under a
    /// weak one only if that is allowed.
    pub fn new(allow_weak: bool) -> Self {
        Self { allow_weak, ..Self::default() }
    }

    /// Adds the keys of a shop's or the service's file, or of a plain one, which the user named
    /// as the key to open with.
    ///
    /// # Errors
    /// [`KeyTrouble::Role`] for a client's file; [`KeyTrouble::Conflict`] when a name is there
    /// already with another key; [`KeyTrouble::Missing`] when the file has no key.
    pub fn add(&mut self, file: impl Into<Arc<KeyFile>>, place: &Place) -> Result<()> {
        let file = file.into();
        let keys = file.keys();
        file.require(&[Role::Shop, Role::Service, Role::Plain], "shop", place)?;
        if file.role == Role::Plain {
            for key in keys {
                algorithms(&file, key).map_err(|trouble| Error::key(place, trouble))?;
            }
        }
        let (first, repeated) = (self.numbers(), self.count_repeated(keys, place)?);
        if let (Role::Plain, [key], 0) = (file.role, keys, repeated) {
            if key.kid.is_none() && self.unnamed.is_some() {
                return Err(Error::Usage("only one key without a name can be given".into()));
            }
            // Of two keys, neither is the one that a line without a name means.
            self.unnamed = (self.lone == 0).then_some(first);
            self.lone += 1;
        }
        let empty = keys.is_empty();
        self.repeated += repeated;
        self.shops.take();
        self.files.push(Held::new(file, first));
        if empty && !self.files.iter().any(|held| held.file.has_erased()) {
            return Err(Error::key(place, KeyTrouble::Missing("key at all")));
        }
        Ok(())
    }

    /// How many of these keys there are already.
    fn count_repeated(&self, keys: &[Jwk], place: &Place) -> Result<usize> {
        let mut repeated = 0;
        // The names of one file are different: that was seen to when it was read.
        for key in keys.iter().filter(|_| !self.files.is_empty()) {
            let Some(kid) = &key.kid else { continue };
            match self.position(kid.as_str()) {
                Some(held) if self.key(held).material == key.material => repeated += 1,
                Some(_) => return Err(Error::key(place, KeyTrouble::Conflict(kid.to_string()))),
                None => {}
            }
        }
        Ok(repeated)
    }

    /// How many numbers keys have, which is more than [`len`](Self::len) if some stand twice.
    pub fn numbers(&self) -> usize {
        self.files.last().map_or(0, |held| held.first + held.file.keys().len())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.numbers() - self.repeated
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some key is an RSA pair, which makes opening slow.
    pub fn has_pairs(&self) -> bool {
        let mut keys = self.files.iter().flat_map(|held| held.file.keys());
        keys.any(|key| matches!(key.material, Material::PrivateRsa(_)))
    }

    /// The name of a key, for counts and reports.
    pub fn name(&self, number: usize) -> Option<&Kid> {
        self.key(number).kid.as_ref()
    }

    /// Whether a key may open one order only.
    pub fn is_single_use(&self, number: usize) -> bool {
        let held = self.held(number);
        let Some(kid) = self.name(number) else { return false };
        held.file.shop_of(kid).is_some_and(|shop| {
            shop.scheme.scope == Scope::Transaction
                && kid.parts().1.is_some_and(|id| !shop.users.contains(id))
        })
    }

    /// The key that a header names, for the algorithms that it names. Where orders come in the
    /// order of their keys, `guess` is its number, which spares looking for the name.
    pub(super) fn choose(
        &self,
        header: &Header<'_>,
        guess: usize,
    ) -> std::result::Result<Chosen<'_>, Failure> {
        let key = self.find(header.kid.as_deref(), guess).map_err(Failure::from)?;
        self.ready(key, header).map_err(Failure::from)
    }

    fn find(&self, kid: Option<&str>, guess: usize) -> Checked<usize> {
        let Some(kid) = kid else { return self.unnamed.ok_or(KeyTrouble::Unnamed) };
        let guessed = guess < self.numbers() && self.repeated == 0;
        if guessed && self.name(guess).is_some_and(|name| name.as_str() == kid) {
            return Ok(guess);
        }
        if let Some(found) = self.position(kid) {
            return Ok(found);
        }
        // The one key that the user gave by name serves for orders that name another only if it
        // has no name itself.
        match self.unnamed.filter(|&only| self.name(only).is_none()) {
            Some(only) => Ok(only),
            None => Err(self.unknown(kid)),
        }
    }

    /// The number of the key of that name.
    fn position(&self, kid: &str) -> Option<usize> {
        self.files.iter().find_map(|held| Some(held.first + held.file.position(kid)?))
    }

    fn unknown(&self, kid: &str) -> KeyTrouble {
        if let Some(fault) = self.files.iter().find_map(|held| held.file.unsound(kid)) {
            return KeyTrouble::Unsound(fault.to_owned());
        }
        let named = Kid::new(kid).expect("a header's kid has the form of one");
        if self.files.iter().any(|held| held.file.was_erased(&named)) {
            return KeyTrouble::Erased(named);
        }
        let of = self.shops.get_or_init(|| {
            let keys = self.files.iter().flat_map(|held| held.file.keys());
            let shops: BTreeSet<&str> =
                keys.filter_map(|key| Some(key.kid.as_ref()?.parts().0)).collect();
            let shops: Vec<&str> = shops.into_iter().collect();
            if shops.is_empty() { String::new() } else { format!(" (of {})", shops.join(", ")) }
        });
        KeyTrouble::Unknown { kid: named.to_string(), held: self.len(), of: of.clone() }
    }

    fn ready(&self, number: usize, header: &Header<'_>) -> Checked<Chosen<'_>> {
        let (held, key) = (self.held(number), self.key(number));
        let suite = algorithms(&held.file, key)?.suite(key, header, self.allow_weak)?;
        let ready = held.ready(number, suite)?;
        Ok(Chosen { number, suite, ready })
    }

    /// The file that the key of that number is in.
    fn held(&self, number: usize) -> &Held {
        let mut files = self.files.iter().rev();
        files.find(|held| held.first <= number).expect("the number of a key")
    }

    fn key(&self, number: usize) -> &Jwk {
        self.held(number).key(number)
    }
}

/// What a key is for, as its file says.
fn algorithms(file: &KeyFile, key: &Jwk) -> Checked<Algorithms> {
    if let Some(shop) = key.kid.as_ref().and_then(|kid| file.shop_of(kid)) {
        return Ok(Algorithms::Fixed(shop.suite));
    }
    let Some(alg) = key.alg.as_deref() else { return Ok(Algorithms::Unsaid) };
    match (WrapAlgorithm::named(alg), file.direct_cipher(alg)) {
        (Some(algorithm), _) => Ok(Algorithms::AnyContent(algorithm)),
        (None, Some(enc)) => Ok(Algorithms::Fixed(
            Suite::new(Alg::Direct, enc).expect("direct goes with every cipher"),
        )),
        (None, None) => {
            Err(KeyTrouble::Unfit(format!("a key is for {alg:?}, which is unknown here")))
        }
    }
}

impl Algorithms {
    /// The algorithms that the order asks for, if the key is for them.
    fn suite(&self, key: &Jwk, header: &Header<'_>, allow_weak: bool) -> Checked<Suite> {
        if let Self::Fixed(own) = self
            && own.alg().name() == header.alg
            && own.enc().name() == header.enc
        {
            return Ok(*own);
        }
        let asked = Alg::named(&header.alg)
            .zip(Enc::named(&header.enc))
            .and_then(|(alg, enc)| Suite::new(alg, enc));
        match (self, asked) {
            (Self::AnyContent(own), Some(asked))
                if asked.alg() == Alg::Wrap(*own) && (allow_weak || !asked.enc().is_weak()) =>
            {
                Ok(asked)
            }
            (Self::Unsaid, Some(asked)) if asked.weak().is_none() && fits(key, asked) => Ok(asked),
            _ => Err(self.other(key, header)),
        }
    }

    fn other(&self, key: &Jwk, header: &Header<'_>) -> KeyTrouble {
        let own = match self {
            Self::Fixed(own) => own.to_string(),
            Self::AnyContent(own) => own.name().to_owned(),
            Self::Unsaid => "algorithms of its type and size".to_owned(),
        };
        let kid = key.kid.as_ref().map_or("given by --key".to_owned(), Kid::to_string);
        let asked = format!("{} with {}", printable(&header.alg), printable(&header.enc));
        KeyTrouble::OtherAlgorithm { kid, own, asked }
    }
}

fn fits(key: &Jwk, suite: Suite) -> bool {
    match &key.material {
        Material::Secret(secret) => suite.secret_len() == Some(secret.len()),
        other => suite.material() == other.family(),
    }
}

/// Text from a header, fit for a terminal.
fn printable(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_default).collect()
}
