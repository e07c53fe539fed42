//! Keys of a file, in its order, found by name.

use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::protocol::jose::jwk::{AsKey, Jwk, JwkRef};
use crate::protocol::model::{Kid, KidHash};

/// The keys of a file, in its order; no two have the same name. Clones share the keys until one of
/// them changes its keys, so changing anything else of a file is cheap even with many keys.
#[derive(Debug, Clone)]
pub struct Keys<K> {
    list: Arc<Vec<Jwk<K>>>,
    /// Positions in the list, found by name.
    index: Arc<HashTable<usize>>,
    hash: KidHash,
}

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Self { list: Arc::default(), index: Arc::default(), hash: KidHash::default() }
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
    /// The key named `kid`.
    pub fn named(&self, kid: &str) -> Option<&Jwk<K>> {
        self.index_of(kid).map(|index| &self.list[index])
    }

    /// Index of the key named `kid`.
    pub fn index_of(&self, kid: &str) -> Option<usize> {
        let is_it = |&at: &usize| self.list[at].kid.as_ref().is_some_and(|own| own.as_str() == kid);
        self.index.find(self.hash.hash_one(kid), is_it).copied()
    }

    /// The names of the keys.
    pub fn names(&self) -> impl Iterator<Item = &Kid> {
        self.list.iter().filter_map(|key| key.kid.as_ref())
    }

    /// Adds a key, or replaces the key of the same name.
    pub fn push(&mut self, key: impl Into<Jwk<K>>) {
        let key = key.into();
        let known = key.kid.as_ref().and_then(|kid| self.index_of(kid.as_str()));
        let list = Arc::make_mut(&mut self.list);
        if let Some(at) = known {
            list[at] = key;
            return;
        }
        if let Some(kid) = &key.kid {
            let hash = |kid: Option<&Kid>| self.hash.hash_one(kid.map_or("", Kid::as_str));
            let hash_at = |&at: &usize| hash(list[at].kid.as_ref());
            Arc::make_mut(&mut self.index).insert_unique(hash(Some(kid)), list.len(), hash_at);
        }
        list.push(key);
    }

    /// Keeps only the keys with wanted names, and returns the names of the removed ones.
    pub fn retain(&mut self, wanted: impl Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        let list = std::mem::take(Arc::make_mut(&mut self.list));
        let (kept, removed): (Vec<_>, Vec<_>) =
            list.into_iter().partition(|key| wanted(key.kid.as_ref()));
        *self = Self::default();
        kept.into_iter().for_each(|key| self.push(key));
        removed.into_iter().filter_map(|key| key.kid).collect()
    }

    /// Sets the algorithm of keys that name none, and returns whether any key is now for `alg`.
    pub(super) fn assume_alg(&mut self, alg: &str) -> bool {
        let mut found = false;
        for key in Arc::make_mut(&mut self.list) {
            found |= key.alg.get_or_insert_with(|| alg.to_owned().into()) == alg;
        }
        found
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

    /// Index of the key named `kid`.
    fn position(&self, kid: &str) -> Option<usize>;

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
