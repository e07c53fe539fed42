//! The service's record of a tree: what it has handed out.

use serde_json::{Value, json};

use super::{HeldTree, TreePart, number};
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::tree::{Cover, LEAVES, Leaves, NODE_LEN, Tree, TreeFault};
use crate::protocol::model::Malformed;

/// The service's record of a tree.
#[derive(Debug, Clone)]
pub struct ServiceTree {
    part: TreePart,
    /// Every id below this one was handed out, or must be taken for handed out.
    mark: u64,
    /// What was left after the last hand-out, if this process made it: the next ids are then a step or two
    /// below a node of it, and not 32 below the root.
    left: Option<Cover>,
}

impl Eq for ServiceTree {}

impl PartialEq for ServiceTree {
    fn eq(&self, other: &Self) -> bool {
        (&self.part, self.mark) == (&other.part, other.mark)
    }
}

impl ServiceTree {
    /// A new tree with `orders` ids, none of which was handed out.
    pub fn new(backend: Backend, tree: Tree, root: &[u8; NODE_LEN], orders: u64) -> Self {
        let ids = Leaves::starting_at(0, orders);
        let nodes = Cover::whole(tree, root).part(backend, &ids);
        Self::of(TreePart { given: ids, nodes }, 0)
    }

    fn of(part: TreePart, mark: u64) -> Self {
        Self { part, mark, left: None }
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
        let unused = self.unused();
        let given = unused.first(count);
        let known = self.left.take().filter(|left| left.leaves() == unused);
        let left = known.unwrap_or_else(|| self.part.nodes.part(backend, &unused));
        let nodes = left.part(backend, &given);
        self.left = Some(left.without(backend, &given));
        self.mark = given.end().unwrap_or(self.mark);
        TreePart { given, nodes }
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
        self.left = None;
        self.part = TreePart { nodes: self.part.nodes.part(backend, &kept), given: kept };
        Some(Self::of(TreePart { given, nodes }, start))
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
        self.left = None;
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
            true => Ok(Self::of(part, mark)),
            false => Err(Malformed::member("next", "a number up to 2^32")),
        }
    }
}

fn from(first: u64) -> Leaves {
    std::iter::once(first..LEAVES).collect()
}
