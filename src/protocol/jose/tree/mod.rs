//! Key trees: pools of transaction keys that are derived from few nodes instead of being listed.
//!
//! The construction is that of Goldreich, Goldwasser and Micali ("How to construct random
//! functions", section 3): each node's key derives the keys of its two children, and each leaf's
//! key derives the transaction key. Whoever holds a node can derive everything below it and nothing
//! else, so a range of ids is handed out as the few nodes that [cover](Cover) it, and an id is
//! erased by replacing the nodes above it with their other descendants (puncturing).
//!
//! A transaction key is a secret key, or a pair on an elliptic curve, of which clients get only the
//! public half: never a node.
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
use crate::ciphers::ecdh::Curve;
use crate::protocol::model::{Family, ShopName, Suite};

/// Length in bytes of a node's key.
pub const NODE_LEN: usize = 32;

/// A tree: its identifier, and what all of its keys are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    id: TreeId,
    suite: Suite,
    made: Made,
    /// What the derivations of this tree have in common, hashed.
    binding: [u8; 16],
}

/// What leaves derive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// Secret keys of this length in bytes.
    Secrets(usize),
    /// Seeds of pairs on this curve.
    Pairs(Curve),
}

impl Made {
    /// The curve of the pairs.
    fn curve(self) -> Option<Curve> {
        match self {
            Self::Secrets(_) => None,
            Self::Pairs(curve) => Some(curve),
        }
    }

    /// Length in bytes of what a leaf derives.
    fn len(self) -> usize {
        match self {
            Self::Secrets(len) => len,
            Self::Pairs(curve) => curve.seed_bytes(),
        }
    }
}

impl Tree {
    /// Creates the tree of a shop for keys of a suite, on `curve` if they are pairs on a curve; `None`
    /// if no tree derives such keys (RSA keys, knapsacks, pads), or the curve is missing.
    pub fn new(id: TreeId, shop: &ShopName, suite: Suite, curve: Option<Curve>) -> Option<Self> {
        let made = match suite.material() {
            Family::Secret => Made::Secrets(suite.secret_len()?),
            Family::Curve => Made::Pairs(curve?),
            Family::Rsa | Family::Knapsack | Family::Pad | Family::Password => return None,
        };
        let sbox = suite.enc().own_sbox().map(|sbox| sbox.to_string()).unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(b"orderseal key tree 1");
        hash.update(id.number().to_be_bytes());
        hash.update((8 * made.len() as u32).to_be_bytes());
        let texts = [shop.as_str(), suite.alg().name(), suite.enc().name(), &sbox];
        for text in texts.into_iter().chain(made.curve().map(Curve::name)) {
            hash.update([u8::try_from(text.len()).expect("names are short")]);
            hash.update(text);
        }
        let binding = *part::<0, 16, 32>(hash.finalize().as_ref());
        Some(Self { id, suite, made, binding })
    }

    /// The tree's identifier.
    pub fn id(&self) -> TreeId {
        self.id
    }

    /// The algorithms of its transaction keys.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The curve of its transaction keys, if they are pairs on a curve.
    pub fn curve(&self) -> Option<Curve> {
        self.made.curve()
    }
}
