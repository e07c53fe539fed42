//! Transaction ids of trees that a run has reserved; their keys are derived as they are needed.

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::tree::{Cover, LeafId, Leaves};
use crate::protocol::model::{Kid, ShopName};
use crate::protocol::store::keyfile::ClientBundle;

/// Number of keys derived at once.
const AT_ONCE: u64 = 1024;

/// Ids of a client's trees that a run has reserved, in the order in which it takes them.
#[derive(Debug, Default)]
pub(super) struct ReservedLeaves(Vec<Reserved>);

/// Ids of a tree that were reserved at once.
#[derive(Debug)]
struct Reserved {
    nodes: Cover,
    left: Leaves,
    used: Leaves,
}

impl ReservedLeaves {
    /// Reserves `count` ids in the client's file, or as many as its trees have.
    pub(super) fn reserve(client: &mut ClientBundle, mut count: u64) -> Self {
        let mut all = Vec::new();
        for tree in client.trees.values_mut() {
            let nodes = tree.reserve(Backend::detect(), count);
            let left = nodes.leaves();
            count -= left.count();
            if !left.is_empty() {
                all.push(Reserved { nodes, left, used: Leaves::default() });
            }
        }
        Self(all)
    }

    /// Adds ids that were reserved later.
    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Number of ids that were reserved and not taken.
    pub(super) fn count_left(&self) -> u64 {
        self.0.iter().map(|reserved| reserved.left.count()).sum()
    }

    /// Number of ids that were taken.
    pub(super) fn count_used(&self) -> u64 {
        self.0.iter().map(|reserved| reserved.used.count()).sum()
    }

    /// Takes the keys of the next ids, at most `count`.
    pub(super) fn take(&mut self, mut count: u64, shop: &ShopName) -> Vec<Jwk<EncryptingKey>> {
        let mut taken = Vec::new();
        for reserved in &mut self.0 {
            while count > 0 && !reserved.left.is_empty() {
                let now = reserved.left.first(count.min(AT_ONCE));
                count -= now.count();
                let leaves: Vec<u32> = now.iter().collect();
                let keys = reserved.nodes.named_keys(Backend::detect(), shop, &leaves);
                let keys = keys.expect("only ids with nodes are reserved");
                taken.extend(keys.into_iter().map(Jwk::into_encrypting_half));
                reserved.left = reserved.left.difference(&now);
                reserved.used = reserved.used.union(&now);
            }
        }
        taken
    }

    /// The nodes of the ids that were not taken, which the run can no longer use.
    pub(super) fn return_left(&mut self) -> Vec<Cover> {
        let left = self.0.iter_mut().map(|reserved| (&reserved.nodes, &mut reserved.left));
        left.filter(|(_, ids)| !ids.is_empty())
            .map(|(nodes, ids)| nodes.part(Backend::detect(), &std::mem::take(ids)))
            .collect()
    }

    /// The nodes of the ids that were taken.
    pub(super) fn used(&self) -> Vec<Cover> {
        let used = self.0.iter().filter(|reserved| !reserved.used.is_empty());
        used.map(|it| it.nodes.part(Backend::detect(), &it.used)).collect()
    }

    /// The name of one id that was taken of each tree: enough to recognize the file.
    pub(super) fn names(&self, shop: &ShopName) -> Vec<Kid> {
        let first = |it: &Reserved| {
            let (tree, leaf) = (it.nodes.tree().id(), it.used.next_from(0)?);
            Some(Kid::of_id(shop, &LeafId { tree, leaf }.name()))
        };
        self.0.iter().filter_map(first).collect()
    }
}
