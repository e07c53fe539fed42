//! A client's record of its ids of a tree: what it has reserved.

use serde_json::Value;

use super::{HeldTree, TreePart, leaves, pairs};
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::tree::{Cover, Leaves, Tree, TreeFault};
use crate::protocol::model::{KeyFileFault, Kind, Malformed};

/// A client's record of its ids of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTree {
    part: TreePart,
    /// Ids that were reserved and not given back: used, or still to be used, or lost with a killed
    /// process. Their keys are not in the file; only ids that are still here can be given back.
    reserved: Leaves,
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
