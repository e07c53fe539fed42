//! Sealed orders: JWE, one per line. They are made in the compact serialization (RFC 7516 section
//! 7.1) and read in every serialization.

mod chain;
mod header;
mod line_hash;
mod open;
mod posted;
mod provenance;
mod seal;
mod token;
mod typed_key;

pub use header::{Carries, Header};
pub use line_hash::line_hash;
pub(in crate::protocol) use open::Algorithms;
pub use open::{KeyLookup, KeyNumber, Opened, OpenedBlock, Opener, OpeningKey};
pub use posted::kid_of_posted;
pub use provenance::Provenance;
pub use seal::{Sealer, SealingKeys};
pub(in crate::protocol) use token::{Sealed, Token, headers, headers_of};
pub use token::{is_sealed_json, is_unfinished_json};
pub use typed_key::{MIN_TYPED, TypedKey};

pub use crate::protocol::jose::alg::KeyParams;
pub(in crate::protocol) use crate::protocol::jose::alg::rsa_blocks::label as block_label;
pub use crate::protocol::jose::line::MAX_HEADER;
pub use crate::protocol::jose::run::{Spread, Stage, Watch};
use crate::protocol::model::{Error, Expected, Form, KeyError, Malformed, Place, Unfit};

/// Maximum length of an order in bytes.
pub const MAX_ORDER: usize = 1 << 20;

/// Maximum number of recipients of an order. Each takes a header of its own, and perhaps an operation
/// with a private key.
pub const MAX_RECIPIENTS: usize = 64;

/// Maximum length of a sealed line in bytes: an order of [`MAX_ORDER`] in 2,048-bit RSA blocks,
/// with its header.
pub const MAX_SEALED_LINE: usize = 2 << 20;

/// Maximum length of a document in bytes.
pub const MAX_DOCUMENT: usize = 64 << 20;

/// What is sealed as one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line of a batch, without line feeds.
    Line,
    /// A whole file of any content.
    Document,
}

impl Shape {
    /// Name of the text in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "order",
            Self::Document => "document",
        }
    }

    /// Maximum length of the text in bytes.
    pub fn max_text(self) -> usize {
        match self {
            Self::Line => MAX_ORDER,
            Self::Document => MAX_DOCUMENT,
        }
    }

    /// Name of the sealed text in messages.
    pub fn sealed_name(self) -> &'static str {
        match self {
            Self::Line => "sealed line",
            Self::Document => "sealed document",
        }
    }

    /// Maximum length of the sealed text in bytes: 2,048-bit RSA blocks take the most room.
    pub fn max_sealed(self) -> usize {
        match self {
            Self::Line => MAX_SEALED_LINE,
            Self::Document => 2 * MAX_DOCUMENT,
        }
    }
}

/// The reason why a line could not be sealed or opened; the caller knows the line number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The line is malformed.
    Malformed(Malformed),
    /// The line has another form, which was recognized.
    Unexpected(Form),
    /// The key is missing or may not be used.
    Key(Box<KeyError>),
    /// The key was not derived from the password, as that would exceed the most rounds of the run.
    Rounds {
        /// The most rounds.
        most: u64,
    },
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
            Self::Rounds { most } => Error::key(&place, Unfit::Rounds { most }.into()),
            Self::Authentication => Error::Authentication(place),
        }
    }

    /// Of the failures of two recipients of one order, the one to report: the first, unless the second
    /// was not tried for lack of rounds, as it might open the order.
    fn before(self, next: Self) -> Self {
        match next {
            Self::Rounds { .. } => next,
            Self::Malformed(_) | Self::Unexpected(_) | Self::Key(_) | Self::Authentication => self,
        }
    }

    /// The kind of failure for reports: `malformed`, `key` or `authentication`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Unexpected(_) => "malformed",
            Self::Key(_) | Self::Rounds { .. } => "key",
            Self::Authentication => "authentication",
        }
    }
}
