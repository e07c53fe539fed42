//! Requests that contradict themselves or what is there.

use super::names::{Kid, Name};
use super::program::MAX_LAYERS;
use super::scheme::Scheme;
use super::suite::{Enc, Suite};

/// Why a request cannot be carried out, whatever the input holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// An output that exists and is not to be replaced.
    #[error("{0}: already exists")]
    OutputExists(String),
    /// An output that cannot be written to, such as a folder.
    #[error("{0}: is not a file, pipe or device")]
    NotAnOutput(String),
    /// An output that is a symbolic link.
    #[error("{0}: is a symbolic link, which outputs never follow")]
    OutputIsLink(String),
    /// An output that is also read.
    #[error("{0}: is both input and output")]
    OutputIsInput(String),
    /// An output into a pipe that somebody else may read.
    #[error("{0}: is a pipe of another user in a folder that everybody can write to")]
    ForeignPipe(String),
    /// An output of bytes to a terminal.
    #[error("{what} is not written to a terminal")]
    ToTerminal {
        /// What would be written.
        what: &'static str,
    },
    /// Several inputs where one is read.
    #[error("{what} is read from one file, found {found}")]
    SeveralInputs {
        /// What is read.
        what: &'static str,
        /// How many files were given.
        found: usize,
    },
    /// A key file to be changed or erased that is a symbolic link.
    #[error("{0}: is a symbolic link, which is never followed here")]
    FileIsLink(String),
    /// A key file to be changed or erased that is a folder, pipe or device.
    #[error("{0}: is not a regular file, which alone can be changed or erased")]
    NotRegular(String),
    /// A key file to be changed or erased that has several names.
    #[error("{0}: has several hard links: the others would keep what is changed here")]
    SeveralNames(String),
    /// A part of a lone key that is to be erased.
    #[error("{0}: a lone key has no parts: erase the whole file")]
    LoneKeyIsWhole(String),
    /// A second key without a name, so that neither can be the one for orders that name no key.
    #[error("only one key without a name can be given")]
    SecondUnnamedKey,
    /// A file with keys of several shops, of which none was chosen.
    #[error("{file}: has keys of {shops} shops, and none was chosen")]
    SeveralShops {
        /// The file.
        file: String,
        /// How many shops it has.
        shops: usize,
    },
    /// A chain of no layers, or of too many.
    #[error("a chain has 1 to {MAX_LAYERS} layers, {0} were asked for")]
    Layers(u8),
    /// A chain for orders that have no content-encryption key.
    #[error("orders under {} have no key to chain", .0.name())]
    NothingToChain(Enc),
    /// A chain for a shop whose orders are sealed directly by RSA.
    #[error("shop {0} encrypts orders directly by RSA: no chain")]
    NoChainByRsa(Name),
    /// A chain under a direct key of another length.
    #[error("a chain under a direct key takes one of 32 bytes, {} has another", .0.name())]
    NoChainUnder(Enc),
    /// A typed communication key where there is none.
    #[error("{0} has no communication key that could be typed")]
    NothingToType(Suite),
    /// A typed communication key that could be guessed.
    #[error("the typed communication key has {found} characters, expected at least {least}")]
    TypedTooShort {
        /// Characters found.
        found: usize,
        /// Characters needed.
        least: usize,
    },
    /// Ids of a shop whose orders all have one key.
    #[error(
        "shop {shop} has one key for all orders ({scheme}): users and transactions have none of their own"
    )]
    OneKeyForAll {
        /// The shop.
        shop: Name,
        /// Its scheme.
        scheme: Scheme,
    },
    /// Bytes of a pad that clients share, for a shop that has none.
    #[error(
        "only a pad that clients share is handed out by bytes; shop {shop} has none ({scheme}, {suite})"
    )]
    NoSharedPad {
        /// The shop.
        shop: Name,
        /// Its scheme.
        scheme: Scheme,
        /// Its algorithms.
        suite: Suite,
    },
    /// A user whose name is that of a transaction.
    #[error("{0} is a transaction id, not a user")]
    NotAUser(Kid),
    /// A shop that the keyring has in another form.
    #[error("{keyring}: shop {shop} is there as {} by {}, not as {} by {}", .held.0, .held.1, .asked.0, .asked.1)]
    OtherScheme {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
        /// Its scheme and algorithms.
        held: (Scheme, Suite),
        /// Those asked for.
        asked: (Scheme, Suite),
    },
    /// A second key for all orders of a shop.
    #[error("{keyring}: shop {shop} already has its key")]
    HasItsKey {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
    },
}
