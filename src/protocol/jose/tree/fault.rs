//! Faults of nodes and trees.

use super::position::Position;
use super::{LeafId, TreeId};

/// Reason why nodes do not make up a tree, or why trees cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeFault {
    /// No tree has such a node.
    #[error("there is no node {index} at depth {depth}")]
    NoSuchPosition {
        /// The depth that was given.
        depth: u64,
        /// The number at this depth that was given.
        index: u64,
    },
    /// A node's key has the wrong length.
    #[error("the key of {node} has {found} bytes, expected 32")]
    KeyLength {
        /// The node.
        node: Position,
        /// Length of its key in bytes.
        found: usize,
    },
    /// Two nodes have leaves in common.
    #[error("{first} and {second} overlap")]
    Overlap {
        /// A node.
        first: Position,
        /// The node that overlaps it.
        second: Position,
    },
    /// A node stands after one that is to the right of it.
    #[error("{second} stands after {first}, which is to the right of it")]
    Unsorted {
        /// The node that stands first.
        first: Position,
        /// The node that should stand before it.
        second: Position,
    },
    /// A node can derive leaves that its holder was not given.
    #[error("{0} has leaves that are not among the ids of the file")]
    Outside(Position),
    /// Two different trees.
    #[error("expected nodes of tree {expected}, found nodes of tree {found}")]
    OtherTree {
        /// The tree that was expected.
        expected: TreeId,
        /// The tree that was found.
        found: TreeId,
    },
    /// A tree that is not in a file.
    #[error("there is no tree {0}")]
    Unknown(TreeId),
    /// Trees with the same identifier that are bound to other shops or algorithms.
    #[error("tree {0} is for another shop or other algorithms")]
    OtherBinding(TreeId),
    /// Two states of a tree derive different keys for the same node.
    #[error("two keys for {0} of the same tree")]
    DifferentKeys(Position),
    /// No node is left that derives this leaf.
    #[error("no node derives {0}")]
    Underivable(LeafId),
}
