//! The listed transaction ids of a shop that were handed out.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::protocol::model::Name;

/// Ids that were handed out, and how far into the keyring one has to look for others: keys are handed
/// out in their order, so that whoever needs the next ones does not look at all.
#[derive(Debug, Clone, Default)]
pub struct Issued {
    /// Clones share them until one of them changes.
    ids: Arc<BTreeSet<Name>>,
    /// Index of a key of the keyring. No key before it can be handed out to a client of the shop.
    from: usize,
}

impl Issued {
    /// No ids, for a shop of which the keyring has no key before this index.
    pub fn none_before(from: usize) -> Self {
        Self { ids: Arc::default(), from }
    }

    /// Whether an id was handed out.
    pub fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The ids, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.ids.iter()
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no id was handed out.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Records that an id was handed out.
    pub fn insert(&mut self, id: Name) {
        Arc::make_mut(&mut self.ids).insert(id);
    }

    /// Records that ids were handed out; for many this takes much less time than one by one.
    pub fn extend(&mut self, ids: impl IntoIterator<Item = Name>) {
        // Most ids differ in their first bytes, which can be compared without looking them up.
        let first = |id: &Name| {
            let mut first = [0; 8];
            first.iter_mut().zip(id.as_str().bytes()).for_each(|(to, byte)| *to = byte);
            u64::from_be_bytes(first)
        };
        let mut ids: Vec<_> = ids.into_iter().map(|id| (first(&id), id)).collect();
        ids.sort_unstable();
        Arc::make_mut(&mut self.ids).append(&mut ids.into_iter().map(|(_, id)| id).collect());
    }

    /// Records that an id came back; returns whether it had been handed out.
    pub fn remove(&mut self, id: &str) -> bool {
        self.from = 0;
        Arc::make_mut(&mut self.ids).remove(id)
    }

    /// Index of the first key that could be handed out.
    pub fn from(&self) -> usize {
        self.from
    }

    /// Sets [`from`](Self::from); 0 if the keys have changed.
    pub fn look_from(&mut self, from: usize) {
        self.from = from;
    }
}

impl From<BTreeSet<Name>> for Issued {
    fn from(ids: BTreeSet<Name>) -> Self {
        Self { ids: Arc::new(ids), from: 0 }
    }
}

/// Where to look for others is not part of the record.
impl PartialEq for Issued {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids
    }
}

impl Eq for Issued {}
