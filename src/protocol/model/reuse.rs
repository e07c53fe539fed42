//! Orders that were opened before.

use super::names::Kid;
use super::place::Place;

/// Reason why an authentic order is not opened again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reuse {
    /// A transaction id that came before in the same run.
    #[error("transaction id {kid} was used before, in {first}")]
    InRun {
        /// The id.
        kid: Kid,
        /// Place of its first use.
        first: Place,
    },
    /// A transaction id under which another order was opened.
    #[error("transaction id {0} was used before, for another order")]
    Used(Kid),
    /// Bytes of a pad with which another order was sealed.
    #[error("bytes of the pad that it is sealed with were used before, for another order")]
    Pad,
    /// An order that was opened before.
    #[error("this order was opened before")]
    Repeat,
    /// An order that a run began to hand on. The run did not end as it should, so nobody knows
    /// whether the order arrived.
    #[error("this order was opened by a run that did not finish: its reader may have it")]
    Uncertain,
}

impl Reuse {
    /// The kind for reports: `used`, `repeat` or `uncertain`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InRun { .. } | Self::Used(_) | Self::Pad => "used",
            Self::Repeat => "repeat",
            Self::Uncertain => "uncertain",
        }
    }
}

/// Reason why a shop's bundle and a ledger cannot be used together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerTrouble {
    /// No ledger for a bundle that has one.
    #[error("orders of this bundle are opened with its ledger, and none was given")]
    NotGiven,
    /// A ledger that is not there.
    #[error("{0} is opened with a ledger, and no file has this name")]
    Missing(Place),
    /// A ledger other than that of the bundle.
    #[error("this bundle began with another ledger than {0}")]
    Other(Place),
    /// Two bundles with different ledgers.
    #[error("its orders are opened with another ledger than those of the other bundle")]
    OtherBundle,
    /// A bundle in which the ledger cannot be noted, as it is not in a regular file.
    #[error("the bundle has to be a file, in which its ledger is noted")]
    NotNoted,
}
