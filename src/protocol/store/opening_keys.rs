//! The keys that a shop opens orders with.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::ciphers::wrap::WrapAlgorithm;
use crate::protocol::jose::jwe::{Algorithms, Chosen, Failure, Header, KeyLookup};
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::model::{
    Error, KeyTrouble, Kid, Member, Misuse, Name, Place, Result, Role, Scope, Suite, Unimplemented,
};
use crate::protocol::store::keyfile::KeyFile;

type Checked<T> = std::result::Result<T, KeyTrouble>;

/// Keys by name, each with the algorithms it is for.
///
/// A name chooses exactly one key; no key is ever tried. Keys stay in the files that they came in,
/// where they are found by name already: at transaction scope there are as many as orders, so that
/// whatever is done for each counts.
#[derive(Debug, Default)]
pub struct OpeningKeys {
    files: Vec<Held>,
    /// Keys that stand in a file before as well, which counts.
    repeated: usize,
    /// The key for lines that name none.
    unnamed: Option<usize>,
    /// Plain files with a single key that opens orders.
    lone: usize,
    allow_weak: bool,
    /// The shops of all keys in words, once they are asked for.
    shops: OnceLock<String>,
}

/// A key file.
#[derive(Debug)]
struct Held {
    file: Arc<KeyFile>,
    /// The number of its first key among those of all files.
    first: usize,
}

impl Held {
    /// A file whose first key has that number among those of all files.
    fn new(file: Arc<KeyFile>, first: usize) -> Self {
        Self { file, first }
    }

    /// The key of that number.
    fn key(&self, number: usize) -> &Jwk {
        &self.file.keys()[number - self.first]
    }
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
    /// already with another key; [`KeyTrouble::Missing`] when the file has no key; the trouble with
    /// the first key of a plain file in which none could open orders.
    pub fn add(&mut self, file: impl Into<Arc<KeyFile>>, place: &Place) -> Result<()> {
        let file = file.into();
        let keys = file.keys();
        file.require(&[Role::Shop, Role::Service, Role::Plain], Role::Shop, place)?;
        let (first, repeated) = (self.numbers(), self.count_repeated(keys, place)?);
        if file.role == Role::Plain {
            let single = single_key(&file).map_err(|trouble| Error::key(place, trouble))?;
            if let (Some(index), 0) = (single, repeated) {
                if keys[index].kid.is_none() && self.unnamed.is_some() {
                    return Err(Misuse::SecondUnnamedKey.into());
                }
                // Of two keys, neither is the one that a line without a name means.
                self.unnamed = (self.lone == 0).then_some(first + index);
                self.lone += 1;
            }
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

    /// Chooses the key for lines that name none.
    ///
    /// # Errors
    /// [`KeyTrouble::Unknown`], and others as for a line that names the key.
    pub fn choose_for_unnamed(&mut self, kid: &Kid) -> std::result::Result<(), KeyTrouble> {
        let number = self.position(kid.as_str()).ok_or_else(|| self.unknown(kid.as_str()))?;
        self.unnamed = Some(number);
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
        keys.any(|key| key.material.rsa_pair().is_some())
    }

    /// The name of a key, for counts and reports.
    pub fn name(&self, number: usize) -> Option<&Kid> {
        self.key(number).kid.as_ref()
    }

    /// The shop whose key it is, where the key file says so.
    pub fn shop(&self, number: usize) -> Option<Name> {
        let kid = self.name(number)?;
        self.held(number).file.shop_of(kid).map(|_| kid.shop())
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
        if let Some(trouble) = self.files.iter().find_map(|held| held.file.passed_over(kid)) {
            return trouble;
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

    /// The file that the key of that number is in.
    fn held(&self, number: usize) -> &Held {
        let mut files = self.files.iter().rev();
        files.find(|held| held.first <= number).expect("the number of a key")
    }

    fn key(&self, number: usize) -> &Jwk {
        self.held(number).key(number)
    }
}

impl KeyLookup for OpeningKeys {
    fn choose(
        &self,
        header: &Header<'_>,
        guess: usize,
    ) -> std::result::Result<Chosen<'_>, Failure> {
        let ready = |number| {
            let (held, key) = (self.held(number), self.key(number));
            Chosen::new(number, key, &algorithms(&held.file, key)?, header, self.allow_weak)
        };
        let chosen = self.find(header.kid.as_deref(), guess).and_then(ready);
        chosen.map_err(|trouble| {
            // What no key could open is said first.
            let none = Suite::of_header(&header.alg, &header.enc).err().map(KeyTrouble::from);
            Failure::from(none.unwrap_or(trouble))
        })
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
        (None, Some(enc)) => Ok(Algorithms::Fixed(Suite::direct(enc))),
        (None, None) => Err(Unimplemented::new(Member::Alg, alg).into()),
    }
}

/// The only key of a plain file that could open orders, if there is one.
///
/// # Errors
/// The trouble with the first key if none could.
fn single_key(file: &KeyFile) -> Checked<Option<usize>> {
    let usable = |key: &Jwk| algorithms(file, key).map(|_| ());
    let mut found = file.keys().iter().enumerate().filter(|(_, key)| usable(key).is_ok());
    match (found.next(), found.next()) {
        (Some((only, _)), None) => Ok(Some(only)),
        (Some(_), Some(_)) => Ok(None),
        (None, _) => file.keys().first().map_or(Ok(()), usable).map(|()| None),
    }
}
