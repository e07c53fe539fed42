//! Errors about keys.

/// Reason why a cipher rejects a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// The key has the wrong length.
    #[error("{cipher} takes a key of {expected} bytes, found {found}")]
    KeyLength {
        /// The algorithm's name.
        cipher: &'static str,
        /// Length in bytes that the algorithm takes.
        expected: usize,
        /// Length in bytes that was given.
        found: usize,
    },
    /// The cipher's specification warns against this key.
    #[error("{cipher} key is unusable: {reason}")]
    WeakKey {
        /// The algorithm's name.
        cipher: &'static str,
        /// What makes the key weak.
        reason: String,
    },
}
