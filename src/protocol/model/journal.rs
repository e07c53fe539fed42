//! Bundles and the journals of their spent ids.

use super::place::Place;

/// The first bytes of a journal of spent ids.
pub const JOURNAL_MAGIC: &[u8; 16] = b"orderseal-spent\0";

/// Reason why a client's bundle cannot be used with the journal of its spent ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalTrouble {
    /// No journal for a bundle that has one.
    #[error("its spent ids are in {0}, and no file has this name")]
    Missing(Place),
    /// A journal other than that of the bundle.
    #[error("its spent ids are in another journal than {0}")]
    Other(Place),
    /// A journal of a bundle with other keys.
    #[error("its keys are not those of which {0} records which are spent")]
    OtherKeys(Place),
    /// A journal that records the use of a later state of this bundle.
    #[error("{0} records that ids of this bundle are spent, and the bundle does not know of it")]
    Ahead(Place),
    /// A bundle that is not in a file, with a journal beside it.
    #[error("its spent ids are in a journal beside the file that it comes from")]
    NotBeside,
}
