//! A set of leaves with the nodes that derive them, and nothing else.

use std::cmp::Ordering;

use subtle::ConstantTimeEq;

use super::leaves::overlaps;
use super::position::{LEAVES, Position, covering};
use super::{LeafId, Leaves, NODE_LEN, Tree, TreeFault};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::Origin;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Usage};
use crate::protocol::model::{Kid, ShopName};

/// The nodes of a tree that somebody holds: in ascending order, without overlaps. Together they
/// derive a set of leaves. Taking leaves away leaves nodes from which these cannot be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    tree: Tree,
    nodes: Vec<Position>,
    /// The keys of the nodes, one after the other.
    keys: Secret,
}

impl Cover {
    /// A whole tree, from the key of its root.
    pub fn whole(tree: Tree, root: &[u8; NODE_LEN]) -> Self {
        Self { tree, nodes: vec![Position::ROOT], keys: root.as_slice().into() }
    }

    /// Nodes as they are read from a file, which must not have leaves other than those `given`.
    ///
    /// # Errors
    /// [`TreeFault::KeyLength`], [`TreeFault::Unsorted`], [`TreeFault::Overlap`] and
    /// [`TreeFault::Outside`].
    pub fn read<'k>(
        tree: Tree,
        given: &Leaves,
        nodes: impl IntoIterator<Item = (Position, &'k [u8])>,
    ) -> Result<Self, TreeFault> {
        let (mut positions, mut keys) = (Vec::<Position>::new(), Wiped::default());
        for (node, key) in nodes {
            if key.len() != NODE_LEN {
                return Err(TreeFault::KeyLength { node, found: key.len() });
            }
            if let Some(&first) = positions.last() {
                if first.contains(node) || node.contains(first) {
                    return Err(TreeFault::Overlap { first, second: node });
                }
                if node.leaves().start < first.leaves().start {
                    return Err(TreeFault::Unsorted { first, second: node });
                }
            }
            if !given.contains_all(&node.leaves()) {
                return Err(TreeFault::Outside(node));
            }
            positions.push(node);
            keys.append(key);
        }
        Ok(Self { tree, nodes: positions, keys: keys.into() })
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no leaf is left.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes with their keys, from left to right.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (Position, &[u8; NODE_LEN])> {
        self.nodes.iter().copied().zip(self.node_keys())
    }

    /// The leaves that can be derived.
    pub fn leaves(&self) -> Leaves {
        self.nodes.iter().map(|node| node.leaves()).collect()
    }

    /// Whether a leaf can be derived.
    pub fn contains(&self, leaf: u32) -> bool {
        let at = self.nodes.partition_point(|node| node.leaves().end <= u64::from(leaf));
        self.nodes.get(at).is_some_and(|node| node.contains(Position::leaf(leaf)))
    }

    /// The part of the cover for these leaves, as far as it has them.
    pub fn part(&self, backend: Backend, leaves: &Leaves) -> Self {
        let own: Vec<_> = self.nodes.iter().map(|node| node.leaves()).collect();
        let targets: Vec<_> = overlaps(&own, leaves.ranges()).flat_map(covering).collect();
        self.at(backend, targets)
    }

    /// The cover without these leaves: nobody who has the result can derive them.
    pub fn without(&self, backend: Backend, leaves: &Leaves) -> Self {
        self.part(backend, &self.leaves().difference(leaves))
    }

    /// What both covers can derive.
    ///
    /// # Errors
    /// [`TreeFault::OtherTree`] and [`TreeFault::OtherBinding`] if they are not of one tree, and
    /// [`TreeFault::DifferentKeys`] if they are two trees that claim to be one.
    pub fn intersection(&self, backend: Backend, other: &Self) -> Result<Self, TreeFault> {
        self.same_tree(other)?;
        let both = lower_nodes(&self.nodes, &other.nodes);
        let (ours, theirs) = (self.at(backend, both.clone()), other.at(backend, both));
        let mut keys = ours.node_keys().iter().zip(theirs.node_keys());
        match keys.position(|(own, other)| !bool::from(own.ct_eq(other))) {
            Some(at) => Err(TreeFault::DifferentKeys(ours.nodes[at])),
            None => Ok(ours),
        }
    }

    /// Adds leaves that the cover does not have.
    ///
    /// # Errors
    /// [`TreeFault::OtherTree`] and [`TreeFault::OtherBinding`] if they are not of this tree, and
    /// [`TreeFault::Overlap`] if the cover has one of them.
    pub fn with(&self, returned: &Self) -> Result<Self, TreeFault> {
        self.same_tree(returned)?;
        let mut nodes: Vec<_> = self.nodes().chain(returned.nodes()).collect();
        nodes.sort_by_key(|(node, _)| node.leaves().start);
        let nodes = nodes.into_iter().map(|(node, key)| (node, &key[..]));
        Self::read(self.tree, &Leaves::starting_at(0, LEAVES), nodes)
    }

    /// Derives the transaction keys of leaves in ascending order.
    ///
    /// # Errors
    /// [`TreeFault::Underivable`] with the first leaf that the cover does not have.
    ///
    /// # Panics
    /// If the leaves are not in ascending order, or one of them comes twice.
    pub fn keys(&self, backend: Backend, leaves: &[u32]) -> Result<Vec<DecryptingKey>, TreeFault> {
        assert!(leaves.is_sorted_by(|a, b| a < b), "leaves in ascending order");
        let targets: Vec<_> = leaves.iter().copied().map(Position::leaf).collect();
        let nodes = self.tree.descend(backend, &self.nodes, self.node_keys(), &targets);
        let missing = |leaf: Position| {
            TreeFault::Underivable(LeafId { tree: self.tree.id(), leaf: leaf.index() })
        };
        let nodes = nodes.map_err(missing)?;
        Ok(self.tree.transaction_keys(backend, &targets, nodes.as_chunks().0))
    }

    /// Derives transaction keys as [`keys`](Self::keys), with the names that they have at a shop.
    ///
    /// # Errors
    /// As [`keys`](Self::keys).
    ///
    /// # Panics
    /// As [`keys`](Self::keys).
    pub fn named_keys(
        &self,
        backend: Backend,
        shop: &ShopName,
        leaves: &[u32],
    ) -> Result<Vec<Jwk<DecryptingKey>>, TreeFault> {
        let (keys, tree) = (self.keys(backend, leaves)?, self.tree.id());
        let named = |(&leaf, material)| Jwk {
            kid: Some(Kid::of_id(shop, &LeafId { tree, leaf }.name())),
            alg: Some(self.tree.suite().key_alg().into()),
            usage: Usage::Encryption,
            origin: Origin::System,
            material,
        };
        Ok(leaves.iter().zip(keys).map(named).collect())
    }

    fn node_keys(&self) -> &[[u8; NODE_LEN]] {
        self.keys.as_chunks().0
    }

    /// The cover that has exactly these nodes, each of which is in or below one of its own.
    fn at(&self, backend: Backend, targets: Vec<Position>) -> Self {
        let keys = self.tree.descend(backend, &self.nodes, self.node_keys(), &targets);
        let keys = keys.expect("every target is in or below a node");
        Self { tree: self.tree, nodes: targets, keys }
    }

    fn same_tree(&self, other: &Self) -> Result<(), TreeFault> {
        let (expected, found) = (self.tree.id(), other.tree.id());
        if expected != found {
            return Err(TreeFault::OtherTree { expected, found });
        }
        if self.tree != other.tree {
            return Err(TreeFault::OtherBinding(expected));
        }
        Ok(())
    }
}

/// For each node of one list that is in or above a node of the other, the lower of the two.
fn lower_nodes(these: &[Position], those: &[Position]) -> Vec<Position> {
    let (mut a, mut b) = (0, 0);
    let mut lower = Vec::new();
    while let (Some(&this), Some(&that)) = (these.get(a), those.get(b)) {
        if this.contains(that) {
            lower.push(that);
        } else if that.contains(this) {
            lower.push(this);
        }
        match this.leaves().end.cmp(&that.leaves().end) {
            Ordering::Less => a += 1,
            Ordering::Greater => b += 1,
            Ordering::Equal => (a, b) = (a + 1, b + 1),
        }
    }
    lower
}
