//! Problems with keys.

mod encrypted;
mod protected;
mod unfit;
mod unsound;

pub use encrypted::Encrypted;
pub use protected::Protected;
pub use unfit::{PageLacks, Unfit};
pub use unsound::Unsound;

use super::dates::OutOfDate;
use super::journal::JournalTrouble;
use super::names::{Kid, Name, ShopName};
use super::reuse::LedgerTrouble;
use super::role::Role;
use super::standards::Unimplemented;
use super::suite::{NoSuite, Suite, Unpaired};
use crate::ciphers::CipherError;
use crate::ciphers::random::Origin;

/// Problem with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key has this name.
    #[error("no key {kid:?} among the {held} keys given{of}")]
    Unknown {
        /// Name of the key in the order.
        kid: String,
        /// Number of keys searched.
        held: u64,
        /// Owner of the keys, as in ` (of osaka)`, if known.
        of: String,
    },
    /// A header without a protected part, where the key names no algorithm.
    #[error("the order has no protected header, and {0} names no alg")]
    Unprotected(String),
    /// The order names no key, and no key was chosen for such orders.
    #[error("the order names no key (it has no kid)")]
    Unnamed,
    /// A name that is not implemented here.
    #[error(transparent)]
    Unimplemented(#[from] Unimplemented),
    /// Two algorithms that cannot be combined.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
    /// The key is for another algorithm.
    #[error("{key} is for {own}, the order asks for {asked}")]
    OtherAlgorithm {
        /// The key's name for messages.
        key: String,
        /// Algorithms that the key is for.
        own: String,
        /// Algorithms in the order's header.
        asked: Suite,
    },
    /// The key's `use` or `key_ops` does not permit the operation.
    #[error("{key} is for {own}, {wanted} is needed")]
    OtherUse {
        /// The key's name for messages.
        key: String,
        /// Uses that the key permits.
        own: String,
        /// Operations of which the key should permit one.
        wanted: String,
    },
    /// A key whose algorithms no file names.
    #[error("{0} does not say which algorithm (\"alg\") it is for")]
    NoAlgorithm(String),
    /// A sealing key that names no algorithm.
    #[error("{key} does not say which algorithm (\"alg\") it is for")]
    Unsaid {
        /// The key.
        key: String,
        /// Names of the standard algorithms for keys of its type and size.
        fitting: Vec<&'static str>,
    },
    /// No key is for the requested algorithm.
    #[error("holds no key for {0}: each names another algorithm")]
    NoneFor(String),
    /// Several keys fit, and none was chosen.
    #[error("holds {0} keys that could be used, and none was chosen")]
    Several(usize),
    /// Several keys of the name fit, and none was chosen.
    #[error("{keys} keys are named {kid:?}, and which of them is meant is not clear")]
    Alike {
        /// The name.
        kid: String,
        /// Number of keys that have it.
        keys: usize,
    },
    /// A key whose use has to be counted, which is possible only in the file of a lone key.
    #[error("{key} is for {alg}: its use is counted in its file, which has to hold a lone key")]
    Uncounted {
        /// The key's name for messages.
        key: String,
        /// The algorithm.
        alg: &'static str,
    },
    /// The file belongs to another role.
    #[error("this is a {found} key file, expected {}", file_of(.expected))]
    Role {
        /// Role that the file belongs to.
        found: Role,
        /// Role that was needed.
        expected: Role,
    },
    /// The client has no unused ids left.
    #[error(
        "no unused transaction id for shop {shop} is left in {bundle}: {issued} issued, all spent"
    )]
    Spent {
        /// The client's file.
        bundle: String,
        /// The shop.
        shop: Name,
        /// Number of ids in the file.
        issued: u64,
    },
    /// The service has too few ids left.
    #[error("shop {shop} has {unused} unused transaction ids, {wanted} wanted")]
    PoolEmpty {
        /// The shop.
        shop: Name,
        /// Ids that have not been issued.
        unused: u64,
        /// Ids asked for.
        wanted: u64,
    },
    /// All random IVs that a key may use have been given to clients.
    #[error("all of the 2^32 random IVs of key {0} were given to clients")]
    AllAllotted(Kid),
    /// A reusable key has sealed as many orders as its random IVs allow.
    #[error("the budget of {key} is used up: a key may serve 2^32 random IVs at most")]
    Budget {
        /// The key's name for messages.
        key: String,
    },
    /// The one-time pad has fewer bytes left than the orders need.
    #[error("the pad is too short: {needed} bytes are needed, {left} are left")]
    PadShort {
        /// Bytes of pad needed.
        needed: u64,
        /// Bytes of pad left.
        left: u64,
    },
    /// A killed process had sent its orders, and the file has now been erased as its program
    /// requires.
    #[error("a killed process had sent its orders: the file was erased now, as its program says")]
    ErasedNow,
    /// Another file has replaced the one that was used.
    #[error("another file has replaced it meanwhile and is left unchanged")]
    Exchanged,
    /// The key was erased.
    #[error("key {0} was erased from this file")]
    Erased(Kid),
    /// A user who was not admitted.
    #[error("user {} was not admitted to shop {}", user(.0), .0.parts().0)]
    NotAdmitted(Kid),
    /// A user who was revoked.
    #[error("user {} of shop {} was revoked", user(.0), .0.parts().0)]
    Revoked(Kid),
    /// Keys that do not seal at the time, or do not open if that was asked for.
    #[error("{keys} {why}")]
    OutOfDate {
        /// The keys, in words.
        keys: String,
        /// The reason.
        why: OutOfDate,
    },
    /// A client's keys that would never seal.
    #[error("the keys of {0} would expire before they are valid")]
    NeverValid(ShopName),
    /// Private halves that a shop made itself, so that the service does not have them.
    #[error("shop {0} made its pairs itself: this keyring has their public halves alone")]
    OwnPairs(Name),
    /// The bundle and the ledger do not belong together.
    #[error(transparent)]
    Ledger(#[from] LedgerTrouble),
    /// The client's bundle and the journal of its spent ids do not belong together.
    #[error(transparent)]
    Journal(#[from] JournalTrouble),
    /// The file does not contain the shop.
    #[error("no shop {wanted} in this file, which has {}", list(.held))]
    UnknownShop {
        /// The shop asked for.
        wanted: Name,
        /// Shops in the file.
        held: Vec<Name>,
    },
    /// The file contains no key that fits, or no program.
    #[error("holds no {0}")]
    Missing(&'static str),
    /// A weak algorithm.
    #[error("{0} is weak, for teaching and old data only")]
    Weak(&'static str),
    /// A key made from a repeatable random source.
    #[error("key {kid} is marked as {}: anyone who knows the seed knows the key", described(.origin))]
    Marked {
        /// The key's name.
        kid: String,
        /// Origin of the key.
        origin: Origin,
    },
    /// A key file that other users can read.
    #[error("the file holds secrets and others can read it (mode {0:04o})")]
    Readable(u32),
    /// Two files contain different keys with the same name.
    #[error("key {0} is in two of the files given, with different contents")]
    Conflict(String),
    /// The cipher rejects the key.
    #[error(transparent)]
    Unusable(#[from] CipherError),
    /// The key's numbers are out of range or contradict each other.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The private key is encrypted, and cannot be decrypted.
    #[error(transparent)]
    Encrypted(#[from] Encrypted),
    /// The key file is protected, and cannot be opened.
    #[error(transparent)]
    Protected(#[from] Protected),
    /// The key does not fit the request.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl KeyError {
    /// The error for keys of a shop that are out of date.
    pub fn out_of_date(shop: &ShopName, why: OutOfDate) -> Self {
        Self::OutOfDate { keys: format!("the keys of {shop}"), why }
    }
}

impl From<NoSuite> for KeyError {
    fn from(none: NoSuite) -> Self {
        match none {
            NoSuite::Unimplemented(name) => Self::Unimplemented(name),
            NoSuite::Unpaired(pair) => Self::Unpaired(pair),
        }
    }
}

fn user(kid: &Kid) -> &str {
    kid.parts().1.unwrap_or_default()
}

fn list(names: &[Name]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// Words for a file of the expected role; a lone key belongs to no role.
fn file_of(expected: &Role) -> &'static str {
    match expected {
        Role::Service => "one of a security service",
        Role::Shop => "one of a shop",
        Role::Client => "one of a client",
        Role::Plain => "a lone key",
    }
}

fn described(origin: &Origin) -> &'static str {
    match origin {
        Origin::System => "random",
        Origin::Seeded => "made from a simulation's seed",
        Origin::Register => "made by a shift register",
    }
}
