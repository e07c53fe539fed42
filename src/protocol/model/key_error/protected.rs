//! Key files that are protected at rest.

/// Reason why a protected key file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Protected {
    /// No passphrase was given.
    #[error("is protected by a passphrase, and none was given")]
    NoPassphrase,
    /// Another passphrase, or a damaged file: the two cannot be told apart.
    #[error("does not open with this passphrase")]
    WrongPassphrase,
    /// Deriving its key would exceed the rounds of a command.
    #[error("is not opened: the key files of a command may have {most} rounds of PBES2 together")]
    Rounds {
        /// The most rounds.
        most: u64,
    },
    /// No private key was given.
    #[error("is sealed to a public key, and no private key was given")]
    NoIdentity,
    /// Another private key, or a damaged file.
    #[error("does not open with this private key")]
    WrongIdentity,
}
