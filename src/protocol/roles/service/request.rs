//! What keys to make.

use crate::ciphers::ecdh::Curve;
use crate::protocol::jose::jwk;
use crate::protocol::model::{Dates, Kid, Name, Scheme, Scope, ServiceUrl, ShopName, Suite};

/// The stream of a source from which ids are drawn; key number n uses stream n.
pub(super) const ID_STREAM: u64 = u64::MAX - 1;

/// Sizes of keys, for algorithms that leave them open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Size of an RSA modulus in bits.
    pub rsa_bits: usize,
    /// Length of a one-time pad in bytes.
    pub pad_bytes: usize,
    /// The elliptic curve.
    pub curve: Curve,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { rsa_bits: DEFAULT_RSA_BITS, pad_bytes: DEFAULT_PAD_BYTES, curve: DEFAULT_CURVE }
    }
}

/// A request for new keys.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// The shop that decrypts. Keys are added to the newest generation of those that it has.
    pub shop: Name,
    /// The shop's embodiment or variant.
    pub scheme: Scheme,
    /// The algorithms of its orders.
    pub suite: Suite,
    /// Number of transaction keys to make; at shop scope one key is made and this is ignored.
    pub orders: u64,
    /// How the file has transaction keys.
    pub pool: Pool,
    /// Sizes of the keys.
    pub sizes: Sizes,
    /// The address where clients request programs and keys.
    pub service: Option<ServiceUrl>,
    /// When the keys are made and when they seal, if the shop has none yet.
    pub dates: Dates,
}

/// How a keyring has the transaction keys of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// A key for each id.
    #[default]
    Listed,
    /// A tree from which keys are derived.
    Derived,
}

impl Pool {
    /// Name in options and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Derived => "derived",
        }
    }
}

impl KeyRequest {
    /// Number of keys that the request makes, listed or derived.
    pub fn orders_made(&self) -> u64 {
        match self.scheme.scope {
            Scope::Shop => 1,
            Scope::Transaction => self.orders,
        }
    }

    /// Length in bytes that the keys will take in a keyring when all are handed out.
    pub(super) fn len(&self) -> u64 {
        let (count, kid) = match (self.scheme.scope, self.pool) {
            (Scope::Transaction, Pool::Derived) => return TREE_LEN,
            (Scope::Shop, _) => (1, Kid::of_shop(&ShopName::first(&self.shop))),
            (Scope::Transaction, Pool::Listed) => {
                let shop = ShopName::first(&self.shop);
                (self.orders, Kid::of_id(&shop, &Name::of_transaction(0)))
            }
        };
        let recorded = match self.scheme.scope {
            Scope::Shop => 0,
            Scope::Transaction => ID_LEN as u64 + 3,
        };
        let alg = self.suite.key_alg();
        let Sizes { rsa_bits, pad_bytes, curve } = self.sizes;
        let sizes = (rsa_bits, pad_bytes, curve);
        let key = jwk::foreseen_len(&kid, alg, self.suite.material(), sizes) as u64;
        count.saturating_mul(key + ",\n".len() as u64 + recorded)
    }
}

/// Upper bound in bytes for a new tree in a keyring: 32 nodes.
const TREE_LEN: u64 = 4 << 10;

/// Length of a transaction id in characters.
const ID_LEN: usize = 16;

/// Default size of an RSA modulus in bits (NIST SP 800-57 part 1, to 2030 and beyond).
pub const DEFAULT_RSA_BITS: usize = 3072;

/// Default curve: the one that every JOSE library and every browser has.
pub const DEFAULT_CURVE: Curve = Curve::P256;

/// Default length of a one-time pad in bytes: enough for some thousands of short orders.
pub const DEFAULT_PAD_BYTES: usize = 1 << 20;
