//! Faults in key files.

use crate::protocol::model::algorithms::{Alg, Enc, Family};
use crate::protocol::model::names::{Kid, Name, ShopName};
use crate::protocol::model::role::Role;
use crate::protocol::model::scheme::{Scheme, Scope};

/// A fault in a keyring, a bundle or a set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileFault {
    /// A role that nobody has.
    #[error("role {0:?}, expected service, shop or client")]
    Role(String),
    /// A program in a file whose holder runs none.
    #[error("a {0} file carries no program")]
    NoProgram(Role),
    /// A bundle of several shops, or of none.
    #[error("a {role} file has one shop, found {found}")]
    Shops {
        /// The role that the file belongs to.
        role: Role,
        /// Number of shops.
        found: usize,
    },
    /// Algorithms that do not make the scheme of the shop.
    #[error("algorithms {} and {} do not make the scheme {scheme}", .alg.name(), .enc.name())]
    Scheme {
        /// Key management.
        alg: Alg,
        /// Content encryption.
        enc: Enc,
        /// The scheme.
        scheme: Scheme,
    },
    /// An S-box beside a cipher that is not the toy DES.
    #[error("an S-box beside {}, which has none", .0.name())]
    SBoxBeside(Enc),
    /// An S-box of another form.
    #[error("toy_sbox: {0}")]
    SBox(&'static str),
    /// A member with a value that is not one of its values.
    #[error("member {name:?} is {found:?}, which is unknown")]
    Unknown {
        /// The member's name.
        name: &'static str,
        /// The value.
        found: String,
    },
    /// Steps of another program than the file's.
    #[error("the program's steps are not {}", .0.join(", "))]
    Steps(Vec<&'static str>),
    /// A key that the program was not built with.
    #[error("the program is not built with key {0}")]
    NotBuiltIn(Kid),
    /// Two keys of one name.
    #[error("the name {0} stands twice")]
    SameName(Kid),
    /// A key without a name.
    #[error("no member \"kid\", which a {0} file needs")]
    NoName(Role),
    /// A key of a shop that is not in the file.
    #[error("{0} belongs to no shop of this file")]
    NoShop(Kid),
    /// A key with an id at shop scope, or without one at transaction scope.
    #[error("{kid} does not fit the scope {}", .scope.name())]
    Scope {
        /// The key.
        kid: Kid,
        /// The shop's scope.
        scope: Scope,
    },
    /// A key for other algorithms than the shop's.
    #[error("{kid} is not for {expected}, as the shop's keys are")]
    Algorithm {
        /// The key.
        kid: Kid,
        /// The algorithm of the shop's keys.
        expected: &'static str,
    },
    /// A key of another kind than the shop's.
    #[error("{kid} is {found}, expected {expected}")]
    Family {
        /// The key.
        kid: Kid,
        /// Its kind, in words.
        found: &'static str,
        /// The kind of the shop's keys.
        expected: Family,
    },
    /// A secret key of another length than the shop's.
    #[error("{kid} has {found} bytes, expected {expected}")]
    Length {
        /// The key.
        kid: Kid,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A public half where a private half is needed.
    #[error("{kid} is {found} only, a {role} needs the private half")]
    PublicOnly {
        /// The key.
        kid: Kid,
        /// Its kind, in words.
        found: &'static str,
        /// The role that the file belongs to.
        role: Role,
    },
    /// A key that signs, and a program that does not.
    #[error("there is a \"signer\", and the program has no step \"sign\"")]
    SignerWithoutStep,
    /// A private half in a client's file.
    #[error("{kid} is {found}, which a client never holds")]
    Private {
        /// The key.
        kid: Kid,
        /// Its kind, in words.
        found: &'static str,
    },
    /// A listed key, or a user, with the name of a key that one of the trees derives.
    #[error("{0} is the name of a listed key or user, and of a derived key")]
    DerivedKid(Kid),
    /// Trees in a file of a version that has none.
    #[error("version {0} has no trees")]
    NoTreesIn(u64),
    /// Dates, retired keys or an erased program, in a file of a version that has none.
    #[error("version {0} has no dates, no retired keys and no erased program")]
    NoDatesIn(u64),
    /// A journal in a file of a version that has none.
    #[error("version {0} has no journal")]
    NoJournalIn(u64),
    /// A key for signing in a file of a version that has none.
    #[error("version {0} has no key for signing")]
    NoSigningIn(u64),
    /// A tree whose name is not one.
    #[error("the name is not 16 lower-case hexadecimal digits")]
    TreeName,
    /// Nodes that do not make up a tree, in the words of the tree.
    #[error("{0}")]
    Nodes(String),
    /// A tree of a shop whose keys are not derived.
    #[error("keys of shop {0} are not derived")]
    NotDerived(ShopName),
    /// Generations of a shop's keys for different schemes.
    #[error("the generations of shop {0} are of different schemes")]
    Schemes(Name),
    /// Keys that expire before they are valid.
    #[error("\"expires\" is not after \"not_before\"")]
    NeverValid,
    /// A tree of pairs at a client.
    #[error("its nodes derive private keys, which a client never holds")]
    PrivateNodes,
    /// A list with something that is not an id.
    #[error("member {0:?} holds something that is not an id")]
    NotIds(&'static str),
    /// A user who is among those admitted and among those revoked.
    #[error("user {0} is both admitted and revoked")]
    AdmittedAndRevoked(Name),
    /// A key of a user who was revoked.
    #[error("{0} is the key of a revoked user")]
    KeyOfRevoked(Kid),
    /// Something else than a map from keys of the shop to numbers within their limits.
    #[error("member {0:?} does not map this shop's keys to counts")]
    NotCounts(&'static str),
    /// Gaps in a pad of another shop.
    #[error("member \"gaps\" names a key of no shop here")]
    ForeignGaps,
    /// Gaps that are not pieces of a pad.
    #[error("\"gaps\" are not pairs of numbers")]
    NotGaps,
    /// Something else than a list of outputs.
    #[error("member \"sent\" does not list outputs")]
    NotSent,
}
