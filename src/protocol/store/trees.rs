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

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, Jwk};
use crate::protocol::jose::tree::{Cover, LEAVES, Leaves, NODE_LEN, Tree, TreeFault, TreeId};
use crate::protocol::model::{KeyFileFault, Kind, Malformed, ShopName};

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

/// The service's record of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTree {
    part: TreePart,
    /// Every id below this one was handed out, or must be taken for handed out.
    mark: u64,
}

/// A client's record of its ids of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTree {
    part: TreePart,
    /// Ids that were reserved and not given back: used, or still to be used, or lost with a killed
    /// process. Their keys are not in the file; only ids that are still here can be given back.
    reserved: Leaves,
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

impl ServiceTree {
    /// A new tree with `orders` ids, none of which was handed out.
    pub fn new(backend: Backend, tree: Tree, root: &[u8; NODE_LEN], orders: u64) -> Self {
        let ids = Leaves::starting_at(0, orders);
        let nodes = Cover::whole(tree, root).part(backend, &ids);
        Self { part: TreePart { given: ids, nodes }, mark: 0 }
    }

    /// The mark.
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// Ids that were not handed out.
    pub fn unused(&self) -> Leaves {
        self.part.nodes.leaves().intersection(&from(self.mark))
    }

    /// Hands out the next `count` ids, or as many as there are.
    pub fn hand_out(&mut self, backend: Backend, count: u64) -> TreePart {
        let given = self.unused().first(count);
        self.mark = given.end().unwrap_or(self.mark);
        TreePart { nodes: self.part.nodes.part(backend, &given), given }
    }

    /// Takes back ids of a client whose file is gone, of those `given` to it the `unused` ones: those
    /// at the end of what was handed out, as the mark leaves no gaps. Returns how many.
    pub fn take_back(&mut self, given: &Leaves, unused: &Leaves) -> u64 {
        match unused.ranges().last() {
            Some(last) if last.end == self.mark && given.end() == Some(self.mark) => {
                self.mark = last.start;
                last.end - last.start
            }
            Some(_) | None => 0,
        }
    }

    /// Moves the mark past `count` more ids, which may have been handed out from another copy of
    /// the file.
    pub fn skip(&mut self, count: u64) {
        let left = self.part.given.intersection(&from(self.mark));
        self.mark = left.first(count).end().unwrap_or(self.mark);
    }

    /// Cuts the last `count` ids off for a second service; `None` if fewer are left to hand out.
    pub fn split(&mut self, backend: Backend, count: u64) -> Option<Self> {
        let kept = self.part.given.first(self.part.given.count().checked_sub(count)?);
        let given = self.part.given.difference(&kept);
        let start = given.next_from(0).map_or(self.mark, u64::from);
        if start < self.mark {
            return None;
        }
        let nodes = self.part.nodes.part(backend, &given);
        self.part = TreePart { nodes: self.part.nodes.part(backend, &kept), given: kept };
        Some(Self { part: TreePart { given, nodes }, mark: start })
    }

    /// Puts back ids that were [cut off](Self::split), which nobody else may have; returns whether
    /// they are those at the end.
    ///
    /// # Errors
    /// [`TreeFault`] if they are of another tree.
    pub fn rejoin(&mut self, cut: &Self) -> Result<bool, TreeFault> {
        if self.part.given.end().unwrap_or(self.mark) > cut.mark {
            return Ok(false);
        }
        self.part.nodes = self.part.nodes.with(&cut.part.nodes)?;
        self.part.given = self.part.given.union(&cut.part.given);
        Ok(true)
    }
}

impl HeldTree for ServiceTree {
    fn part(&self) -> &TreePart {
        &self.part
    }

    fn erase(&mut self, backend: Backend, ids: &Leaves) -> u64 {
        self.part.erase(backend, ids)
    }

    fn to_json(&self) -> Value {
        let mut value = self.part.to_json();
        value["next"] = json!(self.mark);
        value
    }

    fn from_json(tree: Tree, members: &Object) -> Result<Self, Malformed> {
        let part = TreePart::from_json(tree, members)?;
        let mark = number(members, "next")?;
        match mark <= LEAVES {
            true => Ok(Self { part, mark }),
            false => Err(Malformed::member("next", "a number up to 2^32")),
        }
    }
}

impl ClientTree {
    /// The record of a client that was given these ids.
    pub fn new(part: TreePart) -> Self {
        Self { part, reserved: Leaves::default() }
    }

    /// Number of ids that were reserved and not given back.
    pub fn count_reserved(&self) -> u64 {
        self.reserved.count()
    }

    /// Reserves the next `count` ids, or as many as there are, and takes their nodes out.
    pub fn reserve(&mut self, backend: Backend, count: u64) -> Cover {
        let ids = self.part.nodes.leaves().first(count);
        let taken = self.part.nodes.part(backend, &ids);
        self.part.nodes = self.part.nodes.without(backend, &ids);
        self.reserved = self.reserved.union(&ids);
        taken
    }

    /// Gives back those of the reserved ids that were not used. Ids that were erased in the
    /// meantime stay erased.
    ///
    /// # Errors
    /// [`TreeFault`] if the nodes are of another tree.
    pub fn give_back(&mut self, backend: Backend, unused: &Cover) -> Result<(), TreeFault> {
        let ids = unused.leaves();
        let returned = unused.part(backend, &self.reserved);
        self.part.nodes = self.part.nodes.with(&returned)?;
        self.reserved = self.reserved.difference(&ids);
        Ok(())
    }
}

impl HeldTree for ClientTree {
    fn part(&self) -> &TreePart {
        &self.part
    }

    fn reserved(&self) -> Option<&Leaves> {
        Some(&self.reserved)
    }

    fn erase(&mut self, backend: Backend, ids: &Leaves) -> u64 {
        let reserved = self.reserved.intersection(ids).count();
        self.reserved = self.reserved.difference(ids);
        self.part.erase(backend, ids) + reserved
    }

    fn to_json(&self) -> Value {
        let mut value = self.part.to_json();
        if !self.reserved.is_empty() {
            value["reserved"] = pairs(&self.reserved);
        }
        value
    }

    fn from_json(tree: Tree, members: &Object) -> Result<Self, Malformed> {
        match tree.suite().kind() {
            Kind::Secret => {}
            Kind::Public => return Err(KeyFileFault::PrivateNodes.into()),
        }
        let part = TreePart::from_json(tree, members)?;
        let reserved = match members.contains_key("reserved") {
            true => leaves(members, "reserved")?,
            false => Leaves::default(),
        };
        let possible = part.given.difference(&part.nodes.leaves());
        match reserved.difference(&possible).is_empty() {
            true => Ok(Self { part, reserved }),
            false => {
                Err(Malformed::member("reserved", "of the client's ids, less those with nodes"))
            }
        }
    }
}

fn from(first: u64) -> Leaves {
    std::iter::once(first..LEAVES).collect()
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
