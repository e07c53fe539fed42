//! What can be wrong with a key.

/// Why a cipher does not accept a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// The key has the wrong length.
    #[error("{cipher} takes a key of {expected} bytes, found {found}")]
    KeyLength {
        /// The algorithm's name.
        cipher: &'static str,
        /// Bytes that it takes.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// The key is one of those that the cipher's specification warns of.
    #[error("{cipher} key is unusable: {reason}")]
    WeakKey {
        /// The algorithm's name.
        cipher: &'static str,
        /// What is weak about it.
        reason: String,
    },
}
