//! Faults of signed batches.

use super::names::Name;
use super::place::Place;

/// Reason why a signed batch, or a line where one is expected, was refused. Keys are named by their
/// thumbprints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchFault {
    /// An input without any batch.
    #[error("no signed batch")]
    NoBatch,
    /// A line that belongs to no signed batch.
    #[error("the order is not signed")]
    Unsigned,
    /// A key that was not given.
    #[error("signed by {0}, which is none of the keys given")]
    UnknownSender(String),
    /// A batch without a manifest.
    #[error("the batch that begins on line {0} has no manifest: it was cut off")]
    CutOff(u64),
    /// A line of one batch among those of another.
    #[error("a line of another batch, before the manifest of the one that begins on line {0}")]
    Mixed(u64),
    /// A line in another place than when it was signed.
    #[error("line {found} of its batch, expected line {expected}: lines are missing or moved")]
    Order {
        /// The line that was expected.
        expected: u64,
        /// The line that was found.
        found: u64,
    },
    /// Lines of one sender under the manifest of another.
    #[error("the manifest is signed by {manifest}, the lines name {lines}")]
    TakenOver {
        /// The key that the manifest names.
        manifest: String,
        /// The key that the lines name.
        lines: String,
    },
    /// The manifest of another batch of the same sender.
    #[error("the manifest is that of another batch")]
    OtherManifest,
    /// Fewer or more lines than were signed.
    #[error("the manifest is of {signed} lines, found {found}")]
    Count {
        /// Lines that were signed.
        signed: u64,
        /// Lines that were found.
        found: u64,
    },
    /// Other lines than those that were signed.
    #[error("the lines are not those that were signed")]
    Changed,
    /// Orders for another shop than the manifest says.
    #[error("the orders are not all for shop {0}, for which the batch was signed")]
    Shop(Name),
    /// A manifest that does not verify, in the words of its fault.
    #[error("the manifest does not verify: {0}")]
    Manifest(String),
    /// A batch that was given before in this run.
    #[error("the batch was given before: its manifest is at {0}")]
    Repeated(Place),
}
