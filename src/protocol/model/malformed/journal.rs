//! Faults in a journal of spent ids.

/// A fault in a journal of spent ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// A file of another kind.
    #[error("not a journal of spent ids")]
    NotOne,
    /// A version that cannot be read here.
    #[error("a journal of version {0}, expected 1")]
    Version(u32),
    /// A part whose check value or content is wrong.
    #[error("the journal is damaged ({part} at byte {at})")]
    Damaged {
        /// The part.
        part: &'static str,
        /// Where it begins.
        at: u64,
    },
}
