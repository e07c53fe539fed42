//! Sealed orders: JWE Compact Serialization (RFC 7516 section 7.1), one per line.

mod chain;
mod header;
mod open;
mod seal;
mod typed_key;

pub use header::{Carries, Header};
pub(in crate::protocol) use open::{Algorithms, segments};
pub use open::{KeyLookup, Opened, OpenedBlock, Opener, OpeningKey};
pub use seal::{Sealer, SealingKeys};
pub use typed_key::{MIN_TYPED, TypedKey};

pub use crate::protocol::jose::alg::KeyParams;
pub(in crate::protocol) use crate::protocol::jose::alg::rsa_blocks::label as block_label;
pub use crate::protocol::jose::run::{Spread, Stage, Watch};
use crate::protocol::model::{Error, Expected, Form, KeyError, Malformed, Place};

/// Maximum length of an order in bytes.
pub const MAX_ORDER: usize = 1 << 20;

/// Maximum length of a protected header in bytes, before base64url.
pub const MAX_HEADER: usize = 8 << 10;

/// Maximum length of a sealed line in bytes: an order of [`MAX_ORDER`] in 2,048-bit RSA blocks,
/// with its header.
pub const MAX_SEALED_LINE: usize = 2 << 20;

/// The reason why a line could not be sealed or opened; the caller knows the line number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The line is malformed.
    Malformed(Malformed),
    /// The line has another form, which was recognized.
    Unexpected(Form),
    /// The key is missing or may not be used.
    Key(Box<KeyError>),
    /// The line is not authentic; the cause is deliberately not distinguished.
    Authentication,
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::Key(Box::new(error))
    }
}

impl Failure {
    /// The corresponding error at a place.
    pub fn at(self, place: Place) -> Error {
        match self {
            Self::Malformed(found) => Error::Malformed { place, found },
            Self::Unexpected(found) => {
                Error::Unexpected { place, found, expected: Expected::SealedOrder }
            }
            Self::Key(error) => Error::Key { place, error: *error },
            Self::Authentication => Error::Authentication(place),
        }
    }

    /// The kind of failure for reports: `malformed`, `key` or `authentication`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Unexpected(_) => "malformed",
            Self::Key(_) => "key",
            Self::Authentication => "authentication",
        }
    }
}
