//! Keys that are sound and do not fit what is asked.

use crate::ciphers::rsa;
use crate::protocol::model::algorithms::{Enc, Pbes2};
use crate::protocol::model::malformed::{KeyFault, Malformed};
use crate::protocol::model::names::{Kid, Name};
use crate::protocol::model::place::Place;
use crate::protocol::model::suite::Suite;

/// Reason why a key does not fit the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A key of another kind or size than the algorithms take.
    #[error("{key} does not fit {suite}")]
    Suite {
        /// The key, in words.
        key: &'static str,
        /// The algorithms.
        suite: Suite,
    },
    /// More or fewer keys than orders.
    #[error("the numbers of keys ({keys}) and of orders ({orders}) differ")]
    Counts {
        /// Number of keys.
        keys: usize,
        /// Number of orders.
        orders: usize,
    },
    /// A chain under a one-time pad.
    #[error("a pad encrypts orders itself: there is no key to chain")]
    ChainOfPad,
    /// A chain under a key that is agreed on directly.
    #[error("ECDH-ES agrees on the key that encrypts an order: there is no key to chain")]
    ChainOfAgreed,
    /// A chain under a direct key of another length than the keys of a chain have.
    #[error("a chain under a direct key takes one of {expected} bytes, found {found}")]
    ChainKey {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A typed text that makes a weak key of the cipher.
    #[error("the typed text makes a weak key for this order")]
    TypedWeak,
    /// A password where a key has to be made, kept or used.
    #[error("{} takes a password, which is not a key in a file", .0.name())]
    Password(Pbes2),
    /// More derivations from a password than a run makes.
    #[error("deriving the key of this order would exceed {most} rounds of PBES2 in one run")]
    Rounds {
        /// The most rounds in a run.
        most: u64,
    },
    /// A cipher that takes no wrapped key.
    #[error("{} encrypts orders itself and takes no wrapped key", .0.name())]
    NothingToWrap(Enc),
    /// A key that is for another cipher.
    #[error("{key} is for {}, and for no other", .own.name())]
    OtherCipher {
        /// The key, in words.
        key: String,
        /// The cipher that it is for.
        own: Enc,
    },
    /// A set where one key was expected.
    #[error("{0} keys in a set, expected a lone key to wrap")]
    SetOfKeys(usize),
    /// A key that the file does not hold.
    #[error("no key {kid} in this file, which holds {held} keys")]
    NotHeld {
        /// The key's name.
        kid: Kid,
        /// Number of keys in the file.
        held: u64,
    },
    /// A shop's bundle with other keys than the one that it should be merged with.
    #[error("the bundle of shop {0} has other keys than this")]
    OtherBundle(Name),
    /// A bundle without keys that the one has that it should be merged with.
    #[error("{0} keys were erased from it, and would be erased by merging")]
    WouldErase(u64),
    /// Keys that need an S-box, which a plain JWK Set cannot say.
    #[error("the cipher of shop {0} has an S-box of its own, which a plain JWK Set cannot say")]
    OwnSbox(Name),
    /// Two states of a tree that do not belong together, in the words of the tree.
    #[error("{0}")]
    Tree(String),
    /// More trees than can be told apart.
    #[error("too many trees")]
    ManyTrees,
    /// A key with the name of another one.
    #[error("key {kid} is not the one of that name in {place}")]
    Namesake {
        /// The name.
        kid: Kid,
        /// The file with the other one.
        place: Place,
    },
    /// A key of a set that was passed over, as it is malformed.
    #[error("{place}: {fault}")]
    PassedOver {
        /// Place of the key.
        place: Place,
        /// The fault.
        fault: Box<Malformed>,
    },
    /// A file that another key signed than the one that is known, both named by their thumbprints.
    #[error("the file is signed by {found}, expected {expected}")]
    OtherSigner {
        /// The key that signed.
        found: String,
        /// The key that was expected.
        expected: String,
    },
    /// A form that is not for this kind of key.
    #[error("{key} is not written as {form}")]
    NotWritten {
        /// The key, in words.
        key: &'static str,
        /// The form.
        form: &'static str,
    },
    /// An RSA key that cannot be made.
    #[error(transparent)]
    Rsa(#[from] rsa::KeyError),
    /// A pad that cannot be made.
    #[error(transparent)]
    Pad(#[from] KeyFault),
    /// An algorithm that pages do not seal with.
    #[error("no page seals with {algorithm}: {lacking}")]
    NoPage {
        /// Name of the algorithm.
        algorithm: &'static str,
        /// What a page lacks for it.
        lacking: PageLacks,
    },
    /// A kind of key that pages do not carry.
    #[error("{0} has no place in a page")]
    NotInPages(&'static str),
}

/// What an order page lacks for an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageLacks {
    /// The algorithm.
    #[error("browsers do not have it")]
    Algorithm,
    /// AES with 192-bit keys.
    #[error("Chromium and browsers built on it have no AES with 192-bit keys")]
    Aes192,
    /// Pads.
    #[error("browsers do not record what is used so reliably that no byte of a pad serves twice")]
    Pads,
    /// Passwords.
    #[error("a page holds keys, not passwords")]
    Passwords,
}
