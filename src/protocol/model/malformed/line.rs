//! Faults in the headers and segments of sealed orders.

use crate::ciphers::ecdh::{self, Curve};
use crate::protocol::model::standards::Unimplemented;

/// A fault in a sealed order (RFC 7516).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// A header that is not base64url, or has nonzero trailing bits.
    #[error("not canonical base64url")]
    Base64,
    /// JSON other than an object.
    #[error("not a JSON object")]
    NoObject,
    /// The member `zip`.
    #[error("compressed content (\"zip\") is not supported")]
    Compressed,
    /// A member that is not base64url of its length.
    #[error("member {name:?} is not base64url of {bytes} bytes")]
    Bytes {
        /// The member's name.
        name: &'static str,
        /// Bytes expected.
        bytes: usize,
    },
    /// A key wrapped by a cipher without IV, and no tag.
    #[error("header: no member \"tag\", which the algorithm needs")]
    NoTag,
    /// A key wrapped by a content cipher without its members (RFC 7518 section 4.7.1).
    #[error("header: no members \"iv\" and \"tag\", which the algorithm needs")]
    NoIvAndTag,
    /// A key derived from a password without its members (RFC 7518 section 4.8.1).
    #[error("header: no members \"p2s\" and \"p2c\", which the algorithm needs")]
    NoSaltAndRounds,
    /// Key agreement without an ephemeral key (RFC 7518 section 4.6.1).
    #[error("header: no member \"epk\", which the algorithm needs")]
    NoEpk,
    /// An ephemeral key that is not a point of its curve.
    #[error("member \"epk\": {0}")]
    Epk(#[from] ecdh::KeyError),
    /// An ephemeral key of a type or on a curve that is not supported.
    #[error("member \"epk\": {0}")]
    EpkType(#[from] Unimplemented),
    /// An ephemeral key on another curve than the recipient's.
    #[error(
        "header: member \"epk\" is a key on {}, the key that opens the order is on {}",
        .found.name(), .expected.name()
    )]
    EpkCurve {
        /// The curve of the ephemeral key.
        found: Curve,
        /// The curve of the recipient's key.
        expected: Curve,
    },
    /// An empty list of critical members (RFC 7515 section 4.1.11).
    #[error("\"crit\" is empty")]
    NothingCritical,
    /// Critical members that are not known here.
    #[error("critical members {0}, of which only \"chain\" is known")]
    Critical(String),
    /// A chain that is only announced.
    #[error("\"crit\" names \"chain\", which is missing")]
    NoChain,
    /// A member in two of the headers of the JSON serialization (RFC 7516 section 7.2.1).
    #[error("member {0:?} is in two headers")]
    NamedTwice(String),
    /// More recipients than one order may have.
    #[error("{0} recipients, expected at most 64")]
    Recipients(usize),
    /// A member outside of the protected header that only counts in it.
    #[error("member {0:?} is not in the protected header")]
    Unprotected(&'static str),
    /// Members of the general and of the flattened JSON serialization (RFC 7516 section 7.2.2).
    #[error("members of both the general and the flattened JSON serialization")]
    TwoSyntaxes,
    /// A chain with another number of links, or with links that are not base64url.
    #[error("\"chain\" is not 1 to {0} wrapped keys")]
    Chain(usize),
    /// Another number of segments than a compact JWE has.
    #[error("expected 5 segments")]
    Segments,
    /// A wrapped key where the distributed key encrypts the order itself.
    #[error("an encrypted key beside the algorithm dir")]
    KeyBesideDirect,
    /// A chain under a key that heads none.
    #[error("a chain of keys beside {0}")]
    ChainBeside(&'static str),
}
