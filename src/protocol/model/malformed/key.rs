//! Faults in keys.

/// A fault in the JSON of a key (RFC 7517, RFC 7518 section 6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// An origin that is not known here.
    #[error("the key's origin {0:?} is unknown")]
    Origin(String),
    /// A secret key of the wrong length for its algorithm.
    #[error("member \"k\" has {found} bytes, {alg} takes {expected}")]
    Length {
        /// The algorithm.
        alg: String,
        /// Bytes found.
        found: usize,
        /// Bytes that the algorithm takes.
        expected: usize,
    },
    /// An operation listed more than once (RFC 7517 section 4.3).
    #[error("member \"key_ops\" names {0:?} twice")]
    SameOperation(String),
    /// An RSA key with the member `oth`.
    #[error("the RSA key has more than two primes, which is not supported")]
    ManyPrimes,
    /// An RSA key with some of the members of the Chinese remainder theorem.
    #[error("members \"dp\", \"dq\" and \"qi\" are not all there")]
    PartOfCrt,
    /// An RSA key with those members and without its primes.
    #[error("members \"p\" and \"q\" are missing beside \"dp\"")]
    NoPrimes,
    /// An RSA key with one of its primes.
    #[error("of the members \"p\" and \"q\" one is missing")]
    OnePrime,
    /// An RSA key with primes and without its private exponent.
    #[error("member \"d\" is missing beside \"p\"")]
    NoExponent,
    /// A key in an encoding other than JWK that cannot be decoded.
    #[error("the key is not well-formed {0}")]
    Encoding(&'static str),
    /// A key whose object identifier is not one for encryption here.
    #[error("a key with the object identifier {0}, which is not for encryption here")]
    NotForEncryption(String),
    /// A private key of an elliptic curve without its public half (RFC 5915 section 3).
    #[error("the key has no public half beside the private one")]
    NoPublicKey,
    /// A point in a form other than the uncompressed one (SEC 1 section 2.3.3).
    #[error("the public key is not an uncompressed point")]
    Compressed,
    /// A one-time pad that is too short for its MAC key.
    #[error("a pad of {found} bytes, expected a MAC key of {mac_key} and more")]
    ShortPad {
        /// Bytes found.
        found: usize,
        /// Bytes of the MAC key.
        mac_key: usize,
    },
    /// A one-time pad that ends too late.
    #[error("a pad that ends after {0} bytes, which is the most")]
    LongPad(u64),
}
