//! Key trees: pools of transaction keys that are derived from few nodes instead of being listed.
//!
//! The construction is that of Goldreich, Goldwasser and Micali ("How to construct random
//! functions", section 3): each node's key derives the keys of its two children, and each leaf's
//! key derives the transaction key. Whoever holds a node can derive everything below it and nothing
//! else, so a range of ids is handed out as the few nodes that [cover](Cover) it, and an id is
//! erased by replacing the nodes above it with their other descendants (puncturing).
//!
//! Keys are derived as NIST SP 800-108r1 specifies, section 4.1: counter mode with CMAC-AES-256.
//! The fixed input data binds the version of this construction, the tree, the shop, its algorithms,
//! the node's position and the length of the derived key; `docs/FORMATS.md` gives the bytes.

mod cover;
mod derive;
mod fault;
mod id;
mod json;
mod leaves;
mod position;
#[cfg(test)]
mod tests;

pub use cover::Cover;
pub use fault::TreeFault;
pub use id::{LeafId, TreeId};
pub use leaves::Leaves;
pub use position::{HEIGHT, LEAVES, Position};

use sha2::{Digest, Sha256};

use crate::ciphers::cut::part;
use crate::protocol::model::{ShopName, Suite};

/// Length in bytes of a node's key.
pub const NODE_LEN: usize = 32;

/// A tree: its identifier, and what all of its keys are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    id: TreeId,
    suite: Suite,
    /// Length of a transaction key in bytes.
    key_len: usize,
    /// What the derivations of this tree have in common, hashed.
    binding: [u8; 16],
}

impl Tree {
    /// Creates the tree of a shop for keys of a suite; `None` if its keys are not secrets of a fixed
    /// length (RSA keys, knapsacks, pads).
    pub fn new(id: TreeId, shop: &ShopName, suite: Suite) -> Option<Self> {
        let key_len = suite.secret_len()?;
        let sbox = suite.enc().own_sbox().map(|sbox| sbox.to_string()).unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"orderseal key tree 1");
        hash.update(id.number().to_be_bytes());
        hash.update((8 * key_len as u32).to_be_bytes());
        for text in [shop.as_str(), suite.alg().name(), suite.enc().name(), &sbox] {
            hash.update([u8::try_from(text.len()).expect("names are short")]);
            hash.update(text);
        }
        let binding = *part::<0, 16, 32>(hash.finalize().as_ref());
        Some(Self { id, suite, key_len, binding })
    }

    /// The tree's identifier.
    pub fn id(&self) -> TreeId {
        self.id
    }

    /// The algorithms of its transaction keys.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Length of a transaction key in bytes.
    pub fn key_len(&self) -> usize {
        self.key_len
    }
}
