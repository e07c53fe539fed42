//! What the service, a shop and a client record of a tree from which transaction keys are derived.
//!
//! | holder | nodes | besides |
//! |---|---|---|
//! | service | of all ids that were not erased | the mark: every id below it was handed out |
//! | shop | of all ids that were not erased | |
//! | client | of its ids that are neither reserved nor erased | ids that were reserved and not given back |
//!
//! A client has nodes only of trees that derive secret keys; of pairs it gets the public halves, listed.
//!
//! Erasing and reserving replace nodes, so that nobody who has the file afterwards can derive the
//! keys. Two states of one tree are put together by what both can derive, which never brings an
//! erased id back.

mod client;
mod service;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Jwk};
use crate::protocol::jose::tree::{Cover, LEAVES, Leaves, Tree, TreeFault, TreeId};
use crate::protocol::model::{Malformed, ShopName};

pub use client::ClientTree;
pub use service::ServiceTree;

/// Number of keys derived at once.
const AT_ONCE: usize = 1024;

/// The trees of a shop, as a file records them.
pub type Trees<T> = BTreeMap<TreeId, T>;

/// A file's record of a tree, whoever holds the file.
pub trait HeldTree {
    /// The ids and nodes.
    fn part(&self) -> &TreePart;

    /// Ids whose keys are not in the file but can be given back to it.
    fn reserved(&self) -> Option<&Leaves> {
        None
    }

    /// Whether the file has the key of an id, or can still get it back.
    fn holds(&self, leaf: u32) -> bool {
        let reserved = self.reserved().is_some_and(|ids| ids.contains(leaf));
        reserved || self.part().nodes().contains(leaf)
    }

    /// Number of ids whose keys the file has or can still get back.
    fn count_held(&self) -> u64 {
        self.part().count() + self.reserved().map_or(0, Leaves::count)
    }

    /// Erases the keys of ids; returns how many the file had or could still get back.
    fn erase(&mut self, backend: Backend, ids: &Leaves) -> u64;

    /// The record as JSON.
    fn to_json(&self) -> Value;

    /// Reads a record.
    ///
    /// # Errors
    /// The fault.
    fn from_json(tree: Tree, members: &Object) -> Result<Self, Malformed>
    where
        Self: Sized;
}

/// Some ids of a tree, and the nodes of those that the holder can derive. This is also the record of
/// a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePart {
    given: Leaves,
    nodes: Cover,
}

impl TreePart {
    /// The ids that the holder was given, whether or not their keys are left.
    pub fn given(&self) -> &Leaves {
        &self.given
    }

    /// Number of ids whose keys are left.
    pub fn count(&self) -> u64 {
        self.nodes.leaves().count()
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        self.nodes.tree()
    }

    /// The nodes.
    pub fn nodes(&self) -> &Cover {
        &self.nodes
    }

    /// The transaction keys that are left, with the names that they have at a shop.
    pub fn keys(&self, shop: &ShopName) -> impl Iterator<Item = Jwk<DecryptingKey>> {
        let leaves: Vec<u32> = self.nodes.leaves().iter().collect();
        let batches = (0..leaves.len()).step_by(AT_ONCE);
        batches.flat_map(move |from| {
            let leaves = &leaves[from..leaves.len().min(from + AT_ONCE)];
            let keys = self.nodes.named_keys(Backend::detect(), shop, leaves);
            keys.expect("the leaves are its own")
        })
    }

    /// Length in bytes of these keys as a list, if `half` of each is written: all are equally long.
    pub fn keys_len<K: AsKey>(
        &self,
        shop: &ShopName,
        half: impl Fn(Jwk<DecryptingKey>) -> Jwk<K>,
    ) -> u64 {
        let Some(leaf) = self.nodes.leaves().next_from(0) else { return 0 };
        let first = self.nodes.named_keys(Backend::detect(), shop, &[leaf]);
        let first = first.expect("the leaf is its own").into_iter().map(half);
        let len: usize = first.map(|key| key.view().text_len() + ",\n".len()).sum();
        self.count() * len as u64
    }

    /// Whether the holder was given an id whose key is not left.
    pub fn lacks(&self, leaf: u32) -> bool {
        self.given.contains(leaf) && !self.nodes.contains(leaf)
    }

    /// Adds another state of the same tree. Of the ids that both were given, those stay that both
    /// can derive, so nothing that one of them erased comes back.
    ///
    /// # Errors
    /// Those of [`Cover::intersection`].
    pub fn merge(&mut self, backend: Backend, other: &Self) -> Result<(), TreeFault> {
        let both = self.nodes.part(backend, &other.given);
        let both = both.intersection(backend, &other.nodes.part(backend, &self.given))?;
        let ours = self.nodes.without(backend, &other.given);
        let theirs = other.nodes.without(backend, &self.given);
        self.nodes = both.with(&ours)?.with(&theirs)?;
        self.given = self.given.union(&other.given);
        Ok(())
    }

    /// Adds all ids that another state of the same tree has, also those that were erased here.
    ///
    /// # Errors
    /// Those of [`Cover::intersection`].
    pub fn restore(&mut self, backend: Backend, other: &Self) -> Result<(), TreeFault> {
        self.nodes.intersection(backend, &other.nodes)?;
        let more = other.nodes.without(backend, &self.nodes.leaves());
        self.nodes = self.nodes.with(&more)?;
        self.given = self.given.union(&other.given);
        Ok(())
    }

    /// Whether another state has ids that this one was given and does not have any more.
    pub fn would_restore(&self, other: &Self) -> bool {
        let lacking = self.given.difference(&self.nodes.leaves());
        !lacking.intersection(&other.nodes.leaves()).is_empty()
    }
}

impl HeldTree for TreePart {
    fn part(&self) -> &TreePart {
        self
    }

    fn erase(&mut self, backend: Backend, ids: &Leaves) -> u64 {
        let erased = self.nodes.leaves().intersection(ids).count();
        if erased > 0 {
            self.nodes = self.nodes.without(backend, ids);
        }
        erased
    }

    fn to_json(&self) -> Value {
        let mut value = json!({"ids": pairs(&self.given)});
        value["nodes"] = self.nodes.to_json();
        if let Some(curve) = self.tree().curve() {
            value["curve"] = json!(curve.name());
        }
        value
    }

    fn from_json(tree: Tree, members: &Object) -> Result<Self, Malformed> {
        let given = leaves(members, "ids")?;
        let nodes = members.get("nodes").ok_or_else(|| Malformed::NoMember("nodes".to_owned()))?;
        Ok(Self { nodes: Cover::from_json(tree, &given, nodes)?, given })
    }
}

fn number(members: &Object, name: &str) -> Result<u64, Malformed> {
    let value = members.get(name).ok_or_else(|| Malformed::NoMember(name.to_owned()))?;
    value.as_u64().ok_or_else(|| Malformed::member(name, "a whole number"))
}

/// Ids as pairs of numbers: the first of a range and the one after its last.
fn pairs(ids: &Leaves) -> Value {
    ids.ranges().iter().map(|range| json!([range.start, range.end])).collect()
}

fn leaves(members: &Object, name: &str) -> Result<Leaves, Malformed> {
    let value = members.get(name).ok_or_else(|| Malformed::NoMember(name.to_owned()))?;
    let fault = || Malformed::member(name, "an array of pairs of ascending numbers up to 2^32");
    let mut end = None;
    let mut ranges = Vec::new();
    for pair in value.as_array().ok_or_else(fault)? {
        let pair = pair.as_array().map(Vec::as_slice).ok_or_else(fault)?;
        let [from, to] = pair else { return Err(fault()) };
        let (from, to) = (from.as_u64().ok_or_else(fault)?, to.as_u64().ok_or_else(fault)?);
        if end.is_some_and(|end| from <= end) || to <= from || to > LEAVES {
            return Err(fault());
        }
        end = Some(to);
        ranges.push(from..to);
    }
    Ok(ranges.into_iter().collect())
}

#[cfg(test)]
mod tests;
