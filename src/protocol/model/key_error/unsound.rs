//! Keys whose numbers are wrong.

use crate::ciphers::{ecdh, knapsack, rsa};
use crate::protocol::model::place::Place;

/// Fault in the numbers of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// In an RSA key.
    #[error(transparent)]
    Rsa(#[from] rsa::KeyError),
    /// In a key on an elliptic curve.
    #[error(transparent)]
    Curve(#[from] ecdh::KeyError),
    /// In a knapsack.
    #[error(transparent)]
    Knapsack(#[from] knapsack::KeyError),
    /// In one member of a knapsack.
    #[error("member {name:?}: {fault}")]
    Member {
        /// The member's name.
        name: &'static str,
        /// The fault.
        fault: knapsack::KeyError,
    },
    /// The two halves of a pair do not belong together.
    #[error("the private half of the key does not open what the public half seals")]
    Halves,
    /// In a key of a set that was passed over.
    #[error("{place}: {fault}")]
    Within {
        /// Place of the key.
        place: Place,
        /// The fault.
        fault: Box<Self>,
    },
}
