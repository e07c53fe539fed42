//! Trouble with a key.

use super::names::{Kid, Name};
use super::place::Place;
use super::role::Role;
use super::standards::Unimplemented;
use super::suite::{NoSuite, Suite, Unpaired};
use crate::ciphers::CipherError;
use crate::ciphers::random::Origin;

/// What is the matter with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTrouble {
    /// No key has that name.
    #[error("no key {kid:?} among the {held} keys given{of}")]
    Unknown {
        /// The key's name, as it stands in the order.
        kid: String,
        /// How many keys there are.
        held: usize,
        /// Whose they are, as in ` (of osaka)`, if that can be told.
        of: String,
    },
    /// The order names no key, and no key was chosen for such orders.
    #[error("the order names no key (it has no kid)")]
    Unnamed,
    /// A name that has no implementation here.
    #[error(transparent)]
    Unimplemented(#[from] Unimplemented),
    /// Two algorithms that do not go together.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
    /// The key is for another algorithm.
    #[error("{key} is for {own}, the order asks for {asked}")]
    OtherAlgorithm {
        /// The key, as messages name it.
        key: String,
        /// The algorithms that the key is for.
        own: String,
        /// The algorithms in the order's header.
        asked: Suite,
    },
    /// The key's `use` or `key_ops` does not permit what it is needed for.
    #[error("{key} is for {own}, {wanted} is needed")]
    OtherUse {
        /// The key, as messages name it.
        key: String,
        /// What it is for, as it says.
        own: String,
        /// The operations of which it should permit one.
        wanted: String,
    },
    /// A key that is to seal and names no algorithm.
    #[error("{0} does not say which algorithm (\"alg\") it is for")]
    NoAlgorithm(String),
    /// No key is for the algorithm that was asked for.
    #[error("holds no key for {0}: each names another algorithm")]
    NoneFor(String),
    /// Of several keys that fit, none was chosen.
    #[error("holds {0} keys that could be used, and none was chosen")]
    Several(usize),
    /// A key whose use has to be counted, which only the file of a lone key does.
    #[error("{key} is for {alg}: what it seals is counted in its file, which has to be a lone key")]
    Uncounted {
        /// The key, as messages name it.
        key: String,
        /// The algorithm.
        alg: &'static str,
    },
    /// The file belongs to another role.
    #[error("this is a {found} key file, expected {}", file_of(.expected))]
    Role {
        /// Whose file it is.
        found: Role,
        /// Whose file was needed.
        expected: &'static str,
    },
    /// The client has sealed as many orders as it has ids.
    #[error(
        "no unused transaction id for shop {shop} is left in {bundle}: {issued} issued, all spent"
    )]
    Spent {
        /// The client's file.
        bundle: String,
        /// The shop.
        shop: Name,
        /// Ids in the file.
        issued: usize,
    },
    /// The service has handed out all ids.
    #[error("shop {shop} has {unused} unused transaction ids, {wanted} wanted")]
    PoolEmpty {
        /// The shop.
        shop: Name,
        /// Ids not handed out.
        unused: usize,
        /// Ids asked for.
        wanted: usize,
    },
    /// The random IVs that a key allows are all in the hands of clients.
    #[error("all of the 2^32 random IVs of key {0} were given to clients")]
    AllAllotted(Kid),
    /// A reusable key has sealed as many orders as random IVs allow.
    #[error("the budget of {key} is used up: a key may serve 2^32 random IVs at most")]
    Budget {
        /// The key, as messages name it.
        key: String,
    },
    /// Less of a one-time pad is left than the orders are long.
    #[error("the pad is too short: {needed} bytes are needed, {left} are left")]
    PadShort {
        /// Bytes of pad needed.
        needed: u64,
        /// Bytes of pad left.
        left: u64,
    },
    /// A killed process had sent its orders, and what its program erases was erased now.
    #[error("a killed process had sent its orders: the file was erased now, as its program says")]
    ErasedNow,
    /// Another file stands where the one was that was used.
    #[error("another file was put there meanwhile, and is left alone")]
    Exchanged,
    /// The key was erased.
    #[error("key {0} was erased from this file")]
    Erased(Kid),
    /// A transaction id came twice.
    #[error("transaction id {kid} was used before, in {first}")]
    Repeated {
        /// The id.
        kid: Kid,
        /// Where it was used first.
        first: Place,
    },
    /// The shop is not in the file.
    #[error("no shop {wanted} in this file, which has {}", list(.held))]
    UnknownShop {
        /// The shop asked for.
        wanted: Name,
        /// Shops in the file.
        held: Vec<Name>,
    },
    /// The file holds no key that fits, or no program.
    #[error("holds no {0}")]
    Missing(&'static str),
    /// A weak algorithm.
    #[error("{0} is weak, for teaching and old data only")]
    Weak(&'static str),
    /// A key made from a repeatable source.
    #[error("key {kid} is marked as {}: whoever knows the seed knows the key", described(.origin))]
    Marked {
        /// The key's name.
        kid: String,
        /// Where it comes from.
        origin: Origin,
    },
    /// A key file that others can read.
    #[error("the file holds secrets and others can read it (mode {0:04o})")]
    Readable(u32),
    /// Two files hold different keys under one name.
    #[error("key {0} is in two of the files given, with different contents")]
    Conflict(String),
    /// The cipher does not take the key.
    #[error(transparent)]
    Unusable(#[from] CipherError),
    /// The key's numbers are out of range or contradict each other.
    #[error("{0}")]
    Unsound(String),
    /// The key does not fit what was asked.
    #[error("{0}")]
    Unfit(String),
}

impl From<NoSuite> for KeyTrouble {
    fn from(none: NoSuite) -> Self {
        match none {
            NoSuite::Unimplemented(name) => Self::Unimplemented(name),
            NoSuite::Unpaired(pair) => Self::Unpaired(pair),
        }
    }
}

fn list(names: &[Name]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A lone key belongs to nobody's role.
fn file_of(expected: &str) -> String {
    match expected {
        "lone key" => "a lone key".to_owned(),
        role => format!("one of a {role}"),
    }
}

fn described(origin: &Origin) -> &'static str {
    match origin {
        Origin::System => "random",
        Origin::Seeded => "made from a simulation's seed",
        Origin::Register => "made by a shift register",
    }
}
