//! Derivation of nodes and transaction keys (NIST SP 800-108r1), level by level in batches.

use std::ops::Range;

use super::position::{HEIGHT, Position};
use super::{Made, NODE_LEN, Tree};
use crate::ciphers::content::ContentCipher;
use crate::ciphers::cpu::Backend;
use crate::ciphers::kdf::derive_many;
use crate::ciphers::{Secret, Wiped, ecdh};
use crate::protocol::jose::jwk::DecryptingKey;
use crate::protocol::model::{Enc, KeyUse};

/// Label of the derivation of a node from its parent.
const NODE: [u8; 2] = *b"tn";
/// Label of the derivation of a transaction key, or of the seed of a pair, from its leaf.
const KEY: [u8; 2] = *b"tk";

/// Number of nodes whose children are derived together.
const AT_ONCE: usize = 512;

impl Tree {
    /// The fixed input data: label, zero byte, context (binding, depth, number) and length in bits.
    /// With the counter they are exactly two blocks.
    fn input(&self, label: [u8; 2], position: Position, length: usize) -> [u8; 28] {
        let mut input = [0; 28];
        input[..2].copy_from_slice(&label);
        input[3..19].copy_from_slice(&self.binding);
        input[19] = position.depth();
        input[20..24].copy_from_slice(&position.index().to_be_bytes());
        input[24..].copy_from_slice(&(8 * length as u32).to_be_bytes());
        input
    }

    /// Derives both children of each node.
    fn children(
        &self,
        backend: Backend,
        nodes: &[Position],
        keys: &[[u8; 32]],
        children: &mut [u8],
    ) {
        let input =
            |node: usize, right: usize| self.input(NODE, nodes[node].children()[right], NODE_LEN);
        derive_many(backend, keys, 2, input, NODE_LEN, children);
    }

    /// Derives the transaction keys of leaves.
    pub(super) fn transaction_keys(
        &self,
        backend: Backend,
        leaves: &[Position],
        keys: &[[u8; 32]],
    ) -> Vec<DecryptingKey> {
        let len = self.made.len();
        let mut derived = Secret::zeroed(leaves.len() * len);
        let input = |leaf: usize, _| self.input(KEY, leaves[leaf], len);
        derive_many(backend, keys, 1, input, len, &mut derived);
        match self.made {
            Made::Secrets(len) => {
                if let Some(cipher) = self.direct_cipher() {
                    cipher.shape_keys(&mut derived);
                }
                derived.chunks_exact(len).map(|key| DecryptingKey::Secret(key.into())).collect()
            }
            Made::Pairs(curve) => {
                let pairs = ecdh::from_seeds(backend, curve, &derived);
                pairs.iter().map(DecryptingKey::on_curve).collect()
            }
        }
    }

    /// The cipher that a transaction key is used with, if it encrypts the order itself.
    fn direct_cipher(&self) -> Option<ContentCipher> {
        match (self.suite.key_use(), self.suite.enc()) {
            (KeyUse::Direct(cipher), Enc::Cipher(_)) => Some(cipher),
            (
                KeyUse::Direct(_)
                | KeyUse::Agree(_)
                | KeyUse::Pad(_)
                | KeyUse::Password(..)
                | KeyUse::Blocks
                | KeyUse::Wrap(..),
                _,
            ) => None,
        }
    }

    /// Derives the keys of `targets` from nodes above them. Both lists are in ascending order
    /// without overlaps.
    ///
    /// # Errors
    /// The first target that is not in or below one of the nodes.
    pub(super) fn descend(
        &self,
        backend: Backend,
        nodes: &[Position],
        keys: &[[u8; 32]],
        targets: &[Position],
    ) -> Result<Secret, Position> {
        let mut derived = Secret::zeroed(NODE_LEN * targets.len());
        let mut search = Search { targets, found: derived.as_chunks_mut().0 };
        let mut starts = search.starts(nodes)?;
        starts.sort_by_key(|(node, _)| nodes[*node].depth());
        let mut starts = starts.into_iter().peekable();
        let mut level = Level::default();
        for depth in 0..=HEIGHT {
            while let Some((node, range)) = starts.next_if(|(at, _)| nodes[*at].depth() == depth) {
                search.arrive(nodes[node], &keys[node], range, &mut level);
            }
            if level.nodes.is_empty() {
                match starts.peek() {
                    Some(_) => continue,
                    None => break,
                }
            }
            level = search.descend(self, backend, &level);
        }
        Ok(derived)
    }
}

/// Nodes of one depth that are above targets, each with the indices of these.
#[derive(Default)]
struct Level {
    nodes: Vec<Position>,
    keys: Wiped,
    targets: Vec<Range<usize>>,
}

impl Level {
    fn with_room_for(nodes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes),
            keys: Wiped::with_capacity(nodes * NODE_LEN),
            targets: Vec::with_capacity(nodes),
        }
    }
}

/// The nodes that are wanted, and the keys of those that were reached.
struct Search<'t> {
    targets: &'t [Position],
    found: &'t mut [[u8; NODE_LEN]],
}

impl Search<'_> {
    /// The nodes that are targets or above some, by index, with the indices of these targets; or
    /// the first target that has no such node.
    fn starts(&self, nodes: &[Position]) -> Result<Vec<(usize, Range<usize>)>, Position> {
        let (mut at, mut from) = (0, 0);
        let mut starts = Vec::new();
        while let Some(&target) = self.targets.get(at) {
            // A shop that erases scattered ids has many more nodes than a block of lines has keys.
            let first = target.leaves().start;
            let index = from + nodes[from..].partition_point(|node| node.leaves().end <= first);
            let node = nodes.get(index).filter(|node| node.contains(target)).ok_or(target)?;
            let below = self.targets[at..].iter().take_while(|target| node.contains(**target));
            let range = at..at + below.count();
            (at, from) = (range.end, index + 1);
            starts.push((index, range));
        }
        Ok(starts)
    }

    /// Takes the key of a node that is a target; adds a node above targets to its level.
    fn arrive(&mut self, node: Position, key: &[u8], targets: Range<usize>, level: &mut Level) {
        if self.targets[targets.start] == node {
            self.found[targets.start].copy_from_slice(key);
            return;
        }
        level.nodes.push(node);
        level.keys.append(key);
        level.targets.push(targets);
    }

    /// Derives the next level.
    fn descend(&mut self, tree: &Tree, backend: Backend, level: &Level) -> Level {
        let mut next = Level::with_room_for(2 * level.nodes.len());
        let mut children = Secret::zeroed(2 * NODE_LEN * level.nodes.len().min(AT_ONCE));
        let keys = level.keys.as_chunks().0.chunks(AT_ONCE);
        let targets = level.targets.chunks(AT_ONCE);
        for ((nodes, keys), targets) in level.nodes.chunks(AT_ONCE).zip(keys).zip(targets) {
            let children = &mut children[..2 * NODE_LEN * nodes.len()];
            tree.children(backend, nodes, keys, children);
            let pairs = children.chunks_exact(2 * NODE_LEN);
            for ((node, range), keys) in nodes.iter().zip(targets).zip(pairs) {
                let [left, right] = node.children();
                let below = &self.targets[range.clone()];
                let middle = range.start + below.partition_point(|target| left.contains(*target));
                let (left_key, right_key) = keys.split_at(NODE_LEN);
                for (child, key, range) in
                    [(left, left_key, range.start..middle), (right, right_key, middle..range.end)]
                {
                    if !range.is_empty() {
                        self.arrive(child, key, range, &mut next);
                    }
                }
            }
        }
        next
    }
}
