//! Faults in a shop's ledger.

/// A fault in a shop's ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    /// A file of another kind.
    #[error("not a ledger")]
    NotOne,
    /// A version that cannot be read here.
    #[error("a ledger of version {0}, expected 1")]
    Version(u32),
    /// A file that ends before what its header says.
    #[error("the ledger is cut off: {found} bytes, expected at least {expected}")]
    CutOff {
        /// Length in bytes.
        found: u64,
        /// Least length in bytes.
        expected: u64,
    },
    /// A part whose check value or content is wrong.
    #[error("the ledger is damaged ({part} at byte {at})")]
    Damaged {
        /// The part.
        part: &'static str,
        /// Where it begins.
        at: u64,
    },
}
