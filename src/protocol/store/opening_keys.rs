//! The keys with which a shop opens orders.

mod algorithms;
mod file;
mod find;
mod ready;
mod tree_at;
mod uses;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use self::algorithms::single_key;
use self::file::Held;
use self::tree_at::TreeAt;
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwe::KeyNumber;
use crate::protocol::jose::jwk::JwkRef;
use crate::protocol::jose::password::OpeningPassword;
use crate::protocol::jose::tree::LeafId;
use crate::protocol::model::{Dates, Error, KeyError, Kid, Misuse, Place, Result, ShopName, Time};
use crate::protocol::store::trees::TreePart;

pub use self::file::OpeningFile;
pub(in crate::protocol) use self::uses::use_by_name;

type Checked<T> = std::result::Result<T, KeyError>;

/// Keys by name, each with its algorithms.
///
/// A name selects exactly one key; keys are never tried one after another. Keys stay in their
/// files, which already have an index by name: at transaction scope there are as many keys as
/// orders, so any work per key matters.
#[derive(Debug, Default)]
pub struct OpeningKeys {
    files: Vec<Held>,
    /// A password in place of all keys.
    password: Option<OpeningPassword>,
    /// Number of keys that are also in an earlier file, which takes precedence.
    repeated: usize,
    /// The key for lines that name no key.
    unnamed: Option<KeyNumber>,
    /// Number of plain files with a single key that opens orders.
    lone: usize,
    allow_weak: bool,
    /// The time, if keys that have expired open nothing.
    in_date: Option<Time>,
    /// Users who were revoked according to one file, and whose keys another one has.
    revoked: BTreeSet<Kid>,
    /// The trees of all files.
    trees: Vec<TreeAt>,
    /// Indices of the trees whose leaves have names that begin with the same shop and identifier.
    trees_by_name: BTreeMap<String, Vec<usize>>,
    /// The shops of all keys in words, computed when first needed.
    shops: OnceLock<String>,
}

impl OpeningKeys {
    /// Creates an empty set. Keys that do not name a content cipher open orders under a weak one
    /// only if `allow_weak` is set.
    pub fn new(allow_weak: bool) -> Self {
        Self { allow_weak, ..Self::default() }
    }

    /// Refuses orders under keys that have expired at this time; otherwise they open.
    #[must_use]
    pub fn in_date(self, now: Time) -> Self {
        Self { in_date: Some(now), ..self }
    }

    /// Creates a set of a password alone, which opens every order whose key was derived from it,
    /// whatever key the order names. It opens orders under a weak cipher only if `allow_weak` is set.
    pub fn of_password(password: OpeningPassword, allow_weak: bool) -> Self {
        Self { password: Some(password), ..Self::new(allow_weak) }
    }

    /// Adds the keys of a file.
    ///
    /// # Errors
    /// [`KeyError::Conflict`] if another key has the same name; [`KeyError::Missing`] if the file
    /// has no keys; the error for the first key of a plain file if none of its keys can open orders.
    pub fn add(&mut self, file: OpeningFile, place: &Place) -> Result<()> {
        let (first, repeated) = (self.numbers(), self.count_repeated(&file, place)?);
        match &file {
            OpeningFile::Plain(file) => {
                let in_date = self.in_date.map_or(Ok(()), |now| file.check_expiry(now));
                in_date.map_err(|error| Error::key(place, error))?;
                let single = single_key(file).map_err(|error| Error::key(place, error))?;
                if let (Some(index), 0) = (single, repeated) {
                    if file.keys()[index].kid.is_none() && self.unnamed.is_some() {
                        return Err(Misuse::SecondUnnamedKey.into());
                    }
                    // With two lone keys, neither is chosen for lines that name no key.
                    let number = KeyNumber::Listed(first + index);
                    self.unnamed = (self.lone == 0).then_some(number);
                    self.lone += 1;
                }
            }
            OpeningFile::Shop(file) if file.program_erased => {
                let missing = KeyError::Missing("program any more: it was erased");
                return Err(Error::key(place, missing));
            }
            OpeningFile::Keyring(_) | OpeningFile::Shop(_) => {}
        }
        let trees = self.trees_of(&file, place)?;
        let count = file.keys().count();
        let empty = count == 0 && trees.is_empty();
        self.repeated += repeated;
        self.shops.take();
        self.files.push(Held { file, first, count });
        for tree in trees {
            self.trees_by_name.entry(tree.name()).or_default().push(self.trees.len());
            self.trees.push(tree);
        }
        self.note_revoked();
        if empty && !self.files.iter().any(|held| held.file.holder().has_erased()) {
            return Err(Error::key(place, KeyError::Missing("key at all")));
        }
        Ok(())
    }

    /// Notes users whom the last file revokes and an earlier one has a key of, or the other way round.
    fn note_revoked(&mut self) {
        let Some((last, earlier)) = self.files.split_last() else { return };
        let by_last = last.revoked().filter(|kid| self.listed(kid.as_str()).is_some());
        let by_earlier = earlier.iter().flat_map(Held::revoked);
        let by_earlier = by_earlier.filter(|kid| last.file.keys().position(kid.as_str()).is_some());
        let found: Vec<Kid> = by_last.chain(by_earlier).collect();
        self.revoked.extend(found);
    }

    /// The trees of a file that is added to the set.
    ///
    /// # Errors
    /// [`KeyError::Conflict`] if another file has a tree with the same name and other keys.
    fn trees_of(&self, file: &OpeningFile, place: &Place) -> Result<Vec<TreeAt>> {
        let backend = Backend::detect();
        let mut trees = Vec::new();
        for (shop, tree) in file.holder().trees() {
            let (part, id) = (tree.part(), tree.part().tree().id());
            let tree = TreeAt::new(self.files.len(), shop.clone(), id);
            for &own in self.trees_by_name.get(&tree.name()).into_iter().flatten() {
                let own = self.tree(own);
                if own.nodes().intersection(backend, part.nodes()).is_err() {
                    let name = format!("{shop}/{id}");
                    return Err(Error::key(place, KeyError::Conflict(name)));
                }
            }
            trees.push(tree);
        }
        Ok(trees)
    }

    /// Number of keys of a file that are already in the set.
    fn count_repeated(&self, file: &OpeningFile, place: &Place) -> Result<usize> {
        let mut repeated = 0;
        for key in file.keys().views().filter(|_| !self.files.is_empty()) {
            let Some(kid) = key.kid else { continue };
            match self.listed(kid.as_str()) {
                Some(held) if self.has_alike(held, key) => repeated += 1,
                Some(_) => return Err(Error::key(place, KeyError::Conflict(kid.to_string()))),
                None => {}
            }
        }
        Ok(repeated)
    }

    /// Whether one of the keys with the name of a held key is the same as another one.
    fn has_alike(&self, number: usize, other: JwkRef<'_>) -> bool {
        let alike = self.alike(number);
        let mut alike = alike.iter().copied().chain([number]);
        alike.any(|number| self.key(number).material == other.material)
    }

    /// The numbers of all keys of the same file with the name of a key, if there are several.
    fn alike(&self, number: usize) -> Vec<usize> {
        let held = self.held(number);
        let alike = held.file.keys().alike(number - held.first);
        alike.iter().map(|index| held.first + index).collect()
    }

    /// Number of key numbers, which is more than [`len`](Self::len) if some keys are repeated.
    pub fn numbers(&self) -> usize {
        self.files.last().map_or(0, |held| held.first + held.count)
    }

    /// Number of different keys.
    pub fn len(&self) -> usize {
        self.numbers() - self.repeated
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether opening a line may take long: with an RSA pair, or a password.
    pub fn is_slow(&self) -> bool {
        let mut keys = self.files.iter().flat_map(|held| held.file.keys().views());
        self.password.is_some() || keys.any(|key| key.material.rsa_pair().is_some())
    }

    /// The name of a key, for counts and reports.
    pub fn name(&self, number: KeyNumber) -> Option<Cow<'_, Kid>> {
        match number {
            KeyNumber::Listed(number) => self.listed_name(number).map(Cow::Borrowed),
            KeyNumber::Derived { tree, leaf } => {
                let TreeAt { shop, id, .. } = &self.trees[tree];
                let leaf = LeafId { tree: *id, leaf };
                Some(Cow::Owned(Kid::of_id(shop, &leaf.name())))
            }
            KeyNumber::Password => None,
        }
    }

    /// The shop that the key belongs to, if the key file has it.
    pub fn shop(&self, number: KeyNumber) -> Option<ShopName> {
        match number {
            KeyNumber::Listed(number) => {
                let (held, kid) = (self.held(number), self.listed_name(number)?);
                held.file.holder().shop_of(kid).and_then(|_| kid.shop())
            }
            KeyNumber::Derived { tree, .. } => Some(self.trees[tree].shop.clone()),
            KeyNumber::Password => None,
        }
    }

    /// The dates of a generation of a shop's keys.
    pub fn dates(&self, shop: &ShopName) -> Dates {
        let mut holders = self.files.iter().map(|held| held.file.holder());
        let record = holders.find_map(|file| file.shop_named(shop.as_str()));
        record.map_or(Dates::default(), |record| record.dates)
    }

    /// Whether keys of any shop have dates.
    pub fn have_dates(&self) -> bool {
        let mut shops = self.files.iter().flat_map(|held| held.file.holder().shops());
        shops.any(|(_, shop)| !shop.dates.is_always())
    }

    /// Whether some file has trees.
    pub(super) fn has_trees(&self) -> bool {
        !self.trees.is_empty()
    }

    /// A tree.
    pub(super) fn tree(&self, tree: usize) -> &TreePart {
        let TreeAt { file, shop, id, .. } = &self.trees[tree];
        let tree = self.files[*file].file.holder().tree(shop.as_str(), *id);
        tree.expect("files in a set are not changed").part()
    }

    /// The file that contains the key with this number.
    fn held(&self, number: usize) -> &Held {
        let mut files = self.files.iter().rev();
        files.find(|held| held.first <= number).expect("the number of a key")
    }

    /// The password.
    #[cfg(feature = "store")]
    pub(super) fn password(&self) -> Option<&OpeningPassword> {
        self.password.as_ref()
    }

    /// The listed key with this number.
    pub(super) fn key(&self, number: usize) -> JwkRef<'_> {
        let held = self.held(number);
        held.file.keys().at(number - held.first)
    }
}
