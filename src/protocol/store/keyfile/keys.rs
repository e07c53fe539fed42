//! Keys of a file, in its order, found by name.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use hashbrown::{HashTable, hash_table};

use crate::protocol::jose::jwk::{AsKey, Jwk, JwkRef};
use crate::protocol::model::{KeyError, Kid, KidHash};

/// The keys of a file, in its order. Only in a plain set may several have the same name. Clones share
/// the keys until one of them changes its keys, so changing anything else of a file is cheap even with
/// many keys.
#[derive(Debug, Clone)]
pub struct Keys<K> {
    list: Arc<Vec<Jwk<K>>>,
    /// The first key of each name, once a key was looked for.
    index: OnceLock<Arc<Index>>,
    /// All keys of each name that several have.
    alike: Arc<BTreeMap<Kid, Vec<usize>>>,
}

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Self { list: Arc::default(), index: OnceLock::new(), alike: Arc::default() }
    }
}

impl<K: PartialEq> PartialEq for Keys<K> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list) || self.list == other.list
    }
}

impl<K: Eq> Eq for Keys<K> {}

impl<K> Deref for Keys<K> {
    type Target = [Jwk<K>];

    fn deref(&self) -> &[Jwk<K>] {
        &self.list
    }
}

impl<K: AsKey + Clone> Keys<K> {
    /// Keys all of which have different names.
    pub fn of_different(list: Vec<Jwk<K>>) -> Self {
        Self { list: Arc::new(list), ..Self::default() }
    }

    /// Keys that must have different names.
    ///
    /// # Errors
    /// The index and the name of the first key whose name one before it has.
    pub(super) fn of_unique(list: Vec<Jwk<K>>) -> Result<Self, (usize, Kid)> {
        let (index, repeated) = Index::of(&list);
        match repeated.and_then(|at| Some((at, list[at].kid.clone()?))) {
            Some(repeated) => Err(repeated),
            None => {
                let index = OnceLock::from(Arc::new(index));
                Ok(Self { list: Arc::new(list), index, alike: Arc::default() })
            }
        }
    }

    /// The first key named `kid`.
    pub fn named(&self, kid: &str) -> Option<&Jwk<K>> {
        self.index_of(kid).map(|index| &self.list[index])
    }

    /// Index of the first key named `kid`.
    pub fn index_of(&self, kid: &str) -> Option<usize> {
        let index = self.index.get_or_init(|| Arc::new(Index::of(&self.list).0));
        index.find(kid, &self.list)
    }

    /// The names of the keys.
    pub fn names(&self) -> impl Iterator<Item = &Kid> {
        self.list.iter().filter_map(|key| key.kid.as_ref())
    }

    /// Adds a key, or replaces the key of the same name.
    pub fn push(&mut self, key: impl Into<Jwk<K>>) {
        if let Err(SameName { key, first, .. }) = self.push_new(key.into()) {
            Arc::make_mut(&mut self.list)[first] = key;
        }
    }

    /// Adds a key whose name no other key has.
    ///
    /// # Errors
    /// The key, if another one has its name.
    pub fn push_new(&mut self, key: Jwk<K>) -> Result<(), SameName<K>> {
        self.index.get_or_init(|| Arc::new(Index::of(&self.list).0));
        let (list, index) = (Arc::make_mut(&mut self.list), self.index.get_mut());
        if let (Some(kid), Some(index)) = (&key.kid, index)
            && let Err(first) = Arc::make_mut(index).insert(kid.as_str(), list.len(), list)
        {
            return Err(SameName { kid: kid.clone(), first, key });
        }
        list.push(key);
        Ok(())
    }

    /// Adds a key, even if another one has the same name.
    pub(super) fn push_alike(&mut self, key: Jwk<K>) {
        if let Err(SameName { kid, first, key }) = self.push_new(key) {
            let alike = Arc::make_mut(&mut self.alike).entry(kid);
            alike.or_insert_with(|| vec![first]).push(self.list.len());
            Arc::make_mut(&mut self.list).push(key);
        }
    }

    /// Keeps only the keys with wanted names, and returns the names of the removed ones.
    pub fn retain(&mut self, wanted: impl Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        let removed = self.retain_keys(|key| wanted(key.kid.as_ref()));
        removed.into_iter().filter_map(|key| key.kid).collect()
    }

    /// Keeps only wanted keys, and returns the others.
    fn retain_keys(&mut self, wanted: impl Fn(&Jwk<K>) -> bool) -> Vec<Jwk<K>> {
        let list = std::mem::take(Arc::make_mut(&mut self.list));
        let (kept, removed): (Vec<_>, Vec<_>) = list.into_iter().partition(wanted);
        *self = Self::default();
        kept.into_iter().for_each(|key| self.push_alike(key));
        removed
    }

    /// Sets the algorithm of keys that name none, and returns whether any key is now for `alg`. If there
    /// is one among several of the same name, the others are removed.
    pub(super) fn assume_alg(&mut self, alg: &str) -> bool {
        let mut found = false;
        for key in Arc::make_mut(&mut self.list) {
            found |= key.alg.get_or_insert_with(|| alg.to_owned().into()) == alg;
        }
        let is_for = |&index: &usize| self.list[index].alg.as_deref() == Some(alg);
        let chosen = self.alike.iter().filter(|(_, alike)| alike.iter().any(is_for));
        let chosen: BTreeSet<Kid> = chosen.map(|(kid, _)| kid.clone()).collect();
        if !chosen.is_empty() {
            let among = |key: &Jwk<K>| key.kid.as_ref().is_some_and(|kid| chosen.contains(kid));
            self.retain_keys(|key| key.alg.as_deref() == Some(alg) || !among(key));
        }
        found
    }
}

/// A key with the name of another one.
#[derive(Debug)]
pub struct SameName<K> {
    /// The name.
    pub kid: Kid,
    /// Index of the other key.
    pub first: usize,
    /// The key.
    pub key: Jwk<K>,
}

/// Positions of keys in a list by their names.
#[derive(Debug, Clone, Default)]
struct Index {
    table: HashTable<Entry>,
    hash: KidHash,
}

/// Position of a key, and the hash of its name: finding and growing rarely look at the names.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    position: u32,
}

impl Index {
    /// The first key of each name; and the first key whose name one before it has, if there is one.
    fn of<K>(list: &[Jwk<K>]) -> (Self, Option<usize>) {
        let mut index = Self::default();
        index.table.reserve(list.len(), Entry::spread);
        let name = |entry: &Entry| list[entry.position as usize].kid.as_ref();
        let named = list.iter().enumerate().filter_map(|(at, key)| Some((at, key.kid.as_ref()?)));
        let mut entries: Vec<_> = named.map(|(at, kid)| index.entry(kid.as_str(), at)).collect();
        // In the order of the table, neighbours in it are in the processor's cache.
        let places = index.table.num_buckets() as u64 - 1;
        entries.sort_unstable_by_key(|entry| (entry.spread() & places, entry.position));
        let mut repeated = None;
        for entry in entries {
            if index.add(entry, |known| name(known) == name(&entry)).is_err() {
                let at = entry.position as usize;
                repeated = Some(repeated.map_or(at, |known: usize| known.min(at)));
            }
        }
        (index, repeated)
    }

    fn entry(&self, kid: &str, position: usize) -> Entry {
        Entry { hash: self.hash.hash_one(kid) as u32, position: position as u32 }
    }

    fn find<K>(&self, kid: &str, list: &[Jwk<K>]) -> Option<usize> {
        let wanted = self.entry(kid, 0);
        let found = self
            .table
            .find(wanted.spread(), |entry| entry.hash == wanted.hash && entry.has_name(kid, list));
        found.map(|entry| entry.position as usize)
    }

    /// Inserts a name, or returns the position of the key that has it.
    fn insert<K>(&mut self, kid: &str, position: usize, list: &[Jwk<K>]) -> Result<(), usize> {
        self.add(self.entry(kid, position), |known| known.has_name(kid, list))
    }

    fn add(&mut self, new: Entry, has_same_name: impl Fn(&Entry) -> bool) -> Result<(), usize> {
        let is_it = |entry: &Entry| entry.hash == new.hash && has_same_name(entry);
        match self.table.entry(new.spread(), is_it, Entry::spread) {
            hash_table::Entry::Occupied(same) => Err(same.get().position as usize),
            hash_table::Entry::Vacant(free) => {
                free.insert(new);
                Ok(())
            }
        }
    }
}

impl Entry {
    /// The hash for the table, which uses the first and the last bits.
    fn spread(&self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }

    fn has_name<K>(&self, kid: &str, list: &[Jwk<K>]) -> bool {
        list[self.position as usize].kid.as_ref().map(Kid::as_str) == Some(kid)
    }
}

/// The keys of a file, whatever they can do.
pub trait AnyKeys {
    /// Number of keys.
    fn count(&self) -> usize;

    /// The key with this index, in the order of the file.
    fn at(&self, index: usize) -> JwkRef<'_>;

    /// The name of the key with this index.
    fn name_at(&self, index: usize) -> Option<&Kid>;

    /// Index of the first key named `kid`.
    fn position(&self, kid: &str) -> Option<usize>;

    /// All keys that have the name of the key with this index, if there are several.
    fn alike(&self, _index: usize) -> &[usize] {
        &[]
    }

    /// Index of the key named `kid`; of several, the one for `alg`.
    ///
    /// # Errors
    /// [`KeyError::Alike`] if that is not one key.
    fn choose(&self, kid: &str, alg: Option<&str>) -> Result<Option<usize>, KeyError> {
        let Some(first) = self.position(kid) else { return Ok(None) };
        let alike = self.alike(first);
        if alike.is_empty() {
            return Ok(Some(first));
        }
        let is_for = |&&index: &&usize| alg.is_none_or(|alg| self.at(index).alg == Some(alg));
        let mut fit = alike.iter().filter(is_for);
        match (fit.next(), fit.next()) {
            (Some(only), None) => Ok(Some(*only)),
            (None, _) => Err(KeyError::NoneFor(alg.unwrap_or_default().to_owned())),
            (Some(_), Some(_)) => Err(KeyError::Alike { kid: kid.to_owned(), keys: alike.len() }),
        }
    }

    /// The keys, in the order of the file.
    fn views(&self) -> Box<dyn Iterator<Item = JwkRef<'_>> + '_> {
        Box::new((0..self.count()).map(|index| self.at(index)))
    }
}

impl<K: AsKey + Clone> AnyKeys for Keys<K> {
    fn count(&self) -> usize {
        self.len()
    }

    fn at(&self, index: usize) -> JwkRef<'_> {
        self[index].view()
    }

    fn name_at(&self, index: usize) -> Option<&Kid> {
        self[index].kid.as_ref()
    }

    fn position(&self, kid: &str) -> Option<usize> {
        self.index_of(kid)
    }

    fn alike(&self, index: usize) -> &[usize] {
        if self.alike.is_empty() {
            return &[];
        }
        let kid = self[index].kid.as_ref();
        kid.and_then(|kid| self.alike.get(kid)).map_or(&[], Vec::as_slice)
    }
}

/// A lone key.
impl AnyKeys for Jwk {
    fn count(&self) -> usize {
        1
    }

    fn at(&self, _: usize) -> JwkRef<'_> {
        self.view()
    }

    fn name_at(&self, _: usize) -> Option<&Kid> {
        self.kid.as_ref()
    }

    fn position(&self, kid: &str) -> Option<usize> {
        self.kid.as_ref().filter(|own| own.as_str() == kid).map(|_| 0)
    }
}
