//! Requests that contradict themselves or the current state of files and keys.

use super::algorithms::Enc;
use super::names::{Kid, Name};
use super::program::MAX_LAYERS;
use super::scheme::Scheme;
use super::suite::Suite;

/// Reason why a request cannot be carried out, whatever the input contains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// Output that exists and must not be replaced.
    #[error("{0}: already exists")]
    OutputExists(String),
    /// Output that cannot be written to, such as a folder.
    #[error("{0}: is not a file, pipe or device")]
    NotAnOutput(String),
    /// Output that is a symbolic link.
    #[error("{0}: is a symbolic link, which outputs never follow")]
    OutputIsLink(String),
    /// Output for opened orders that others can read.
    #[error(
        "{output}: group or others can read it (mode {mode:04o}), and opened orders are appended"
    )]
    OutputIsReadable {
        /// The output.
        output: String,
        /// Its mode.
        mode: u32,
    },
    /// Output that has something else in it than what was opened from an inbox.
    #[error(
        "{output}: has {found} bytes, where the ledger records {recorded} that were opened from this inbox"
    )]
    NotOfInbox {
        /// The output.
        output: String,
        /// Its length.
        found: u64,
        /// The length that it should have.
        recorded: u64,
    },
    /// Output that is also an input.
    #[error("{0}: is both input and output")]
    OutputIsInput(String),
    /// Output that is another user's pipe in a folder where everyone can create one.
    #[error("{0}: is a pipe of another user in a folder that everyone can write to")]
    ForeignPipe(String),
    /// Bytes that would be written to a terminal.
    #[error("cannot write {what} to a terminal")]
    ToTerminal {
        /// Data that would be written.
        what: &'static str,
    },
    /// Several inputs where only one is allowed.
    #[error("{what} is read from one file, found {found}")]
    SeveralInputs {
        /// Data that is read.
        what: &'static str,
        /// Number of files given.
        found: usize,
    },
    /// Key file to be changed or erased that is a symbolic link.
    #[error("{0}: is a symbolic link, which is never followed here")]
    FileIsLink(String),
    /// Key file to be changed or erased that is a folder, pipe or device.
    #[error("{0}: is not a regular file; only regular files can be changed or erased")]
    NotRegular(String),
    /// Key file to be changed or erased that has several hard links.
    #[error("{0}: has several hard links, and the other names would keep the old content")]
    SeveralNames(String),
    /// Part of a lone key that is to be erased.
    #[error("{0}: a lone key has no parts: erase the whole file")]
    LoneKeyIsWhole(String),
    /// Generation whose size nothing says.
    #[error("{keyring}: all keys of shop {shop} were erased, so that their size is not known")]
    UnknownSize {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
    },
    /// Shop whose keys have no public halves.
    #[error("the keys of shop {0} are secret and have no public halves")]
    NoPublicHalf(Name),
    /// Shop whose keys are derived from a tree, which has no public half.
    #[error(
        "the keys of shop {0} are derived, and only whoever derives them has the public halves"
    )]
    NoPublicPool(Name),
    /// Keys that are not for every reader of a shop's item page.
    #[error(
        "only a public key for all orders goes into an item page, and shop {shop} has other keys ({scheme})"
    )]
    NotInItemPages {
        /// The shop.
        shop: Name,
        /// The shop's scheme.
        scheme: Scheme,
    },
    /// File with keys that decrypt, where public halves are needed.
    #[error("{0}: holds keys that decrypt, expected public halves")]
    NotPublic(String),
    /// A document, key or stream for a program that signs batches.
    #[error("the program signs batches of orders, and seals nothing else")]
    SignsBatches,
    /// Key file to be protected that is not JSON, and could be encrypted in its own way.
    #[error("{0}: only a JWK or a JWK Set can be protected")]
    NotToProtect(String),
    /// Key file that would be sealed to a key in itself.
    #[error("{0}: has the private key that would open it, and nothing else would")]
    OwnRecipient(String),
    /// Key file that is not protected.
    #[error("{0}: is not protected")]
    NotProtected(String),
    /// Protected key file that would be replaced by one that is not.
    #[error("{0}: is protected, and the keys that would replace it are not")]
    WouldUnprotect(String),
    /// File of a recipient with several keys.
    #[error("{0}: the file of a recipient has one key")]
    SeveralRecipients(String),
    /// Key that key files are not sealed to.
    #[error("{0}: the key of a recipient is for RSA-OAEP or ECDH-ES")]
    NotARecipient(String),
    /// Second key without a name: it is unclear which one serves orders that name no key.
    #[error("only one key without a name can be given")]
    SecondUnnamedKey,
    /// File with keys of several shops, with none of them chosen.
    #[error("{file}: has keys of {shops} shops, and none was chosen")]
    SeveralShops {
        /// The file.
        file: String,
        /// Number of shops in the file.
        shops: usize,
    },
    /// Chain with no layers, or with too many.
    #[error("a chain has 1 to {MAX_LAYERS} layers, found {0}")]
    Layers(u8),
    /// Chain for orders that have no content-encryption key.
    #[error("orders under {} have no key to chain", .0.name())]
    NothingToChain(Enc),
    /// Chain for a shop whose orders are encrypted directly with RSA.
    #[error("shop {0} encrypts orders directly by RSA, so no chain is possible")]
    NoChainByRsa(Name),
    /// Chain under a direct key that does not have 32 bytes.
    #[error("a chain under a direct key needs a 32-byte key, which {} does not use", .0.name())]
    NoChainUnder(Enc),
    /// Typed communication key for algorithms that have none.
    #[error("{0} has no communication key to type")]
    NothingToType(Suite),
    /// Typed communication key that is too easy to guess.
    #[error("the typed communication key has {found} characters, expected at least {least}")]
    TypedTooShort {
        /// Characters found.
        found: usize,
        /// Smallest number of characters allowed.
        least: usize,
    },
    /// Ids for a shop that uses one key for all orders.
    #[error(
        "shop {shop} has one key for all orders ({scheme}): users and transactions have none of their own"
    )]
    OneKeyForAll {
        /// The shop.
        shop: Name,
        /// The shop's scheme.
        scheme: Scheme,
    },
    /// Bytes of a shared pad, for a shop that has none.
    #[error(
        "only a pad that clients share is handed out by bytes; shop {shop} has none ({scheme}, {suite})"
    )]
    NoSharedPad {
        /// The shop.
        shop: Name,
        /// The shop's scheme.
        scheme: Scheme,
        /// The shop's algorithms.
        suite: Suite,
    },
    /// User whose name is also a transaction id.
    #[error("{0} is a transaction id, not a user")]
    NotAUser(Kid),
    /// Shop that the keyring holds with another scheme or other algorithms.
    #[error("{keyring}: shop {shop} exists as {} ({}), not as {} ({})", .held.0, .held.1, .asked.0, .asked.1)]
    OtherScheme {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
        /// Its scheme and algorithms in the keyring.
        held: (Scheme, Suite),
        /// Scheme and algorithms asked for.
        asked: (Scheme, Suite),
    },
    /// Derived pool for a shop whose keys cannot be derived.
    #[error(
        "keys of shop {shop} cannot be derived ({scheme}, {suite}): only keys of one transaction each are, secret ones or on a curve, and no pads"
    )]
    NoTree {
        /// The shop.
        shop: Name,
        /// The shop's scheme.
        scheme: Scheme,
        /// The shop's algorithms.
        suite: Suite,
    },
    /// Derived pool of a size that no tree has.
    #[error("a derived pool has 1 to 4294967296 ids, not {0}")]
    TreeSize(u64),
    /// Derived pool from a source that can be repeated.
    #[error("a derived pool takes its root from the operating system only")]
    RootNotRandom,
    /// Program built in with keys that are derived.
    #[error("keys of shop {0} are derived and cannot be built into a program")]
    NoBuiltIn(Name),
    /// Bundle that would bring erased keys back.
    #[error("{0}: keys were erased from this file, and the new bundle has them")]
    WouldRestore(String),
    /// Bundle that would open orders without the ledger of the bundle that it replaces.
    #[error("{0}: its orders are opened with a ledger, which the new bundle does not know")]
    WouldLoseLedger(String),
    /// User whose name has the form of a derived id.
    #[error("user {0} has the form of a derived transaction id")]
    UserLikeLeaf(Name),
    /// Dates for keys that are added to those of a shop with other dates.
    #[error("{keyring}: the keys of shop {shop} have other dates")]
    OtherDates {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
    },
    /// Rewrapping under a pad with a ledger.
    #[error("a ledger does not carry orders over to a one-time pad")]
    PadInLedger,
    /// A generation after the last possible one.
    #[error("shop {0} has had 4294967295 generations of keys, and there is no next one")]
    LastGeneration(Name),
    /// Second key for all orders of a shop.
    #[error("{keyring}: shop {shop} already has its key")]
    KeyExists {
        /// The keyring.
        keyring: String,
        /// The shop.
        shop: Name,
    },
}
