//! Keys that a password encrypts.

/// Reason why an encrypted key is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Encrypted {
    /// No password was given.
    #[error("the private key is encrypted, and no password was given")]
    NoPassword,
    /// Another password, or a damaged key: the two cannot be told apart.
    #[error("the password does not open the private key")]
    WrongPassword,
    /// An algorithm or parameters that are not read.
    #[error("the private key is encrypted in a way that is not read here ({0})")]
    Scheme(&'static str),
    /// More rounds of PBKDF2 than are computed for a file.
    #[error("the private key asks for {found} rounds of PBKDF2, the most are {most}")]
    Rounds {
        /// Rounds found.
        found: u32,
        /// The most rounds.
        most: u32,
    },
    /// A larger scrypt than is computed for a file.
    #[error("the private key asks for scrypt over {found} bytes, the most are {most}")]
    Scrypt {
        /// Bytes that scrypt would write.
        found: u64,
        /// The most bytes.
        most: u64,
    },
}
