//! Names of algorithms and key types that other software uses and this program does not implement.
//!
//! This is the only place that decides whether a name is *not supported* (a standard defines it) or
//! *unknown here*.

use std::fmt;

/// Member of a header or key that contains a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// `alg` of a header or a key.
    Alg,
    /// `enc` of a header.
    Enc,
    /// `kty` of a key.
    KeyType,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alg => "alg",
            Self::Enc => "enc",
            Self::KeyType => "key type",
        })
    }
}

/// Names that are not implemented here, and the standards that define them.
const NOT_SUPPORTED: &[(&str, &str)] = &[
    ("RSA1_5", "RFC 7518 section 4.2"),
    ("RSA-OAEP", "RFC 7518 section 4.3"),
    ("RSA-OAEP-384", "Web Cryptography API"),
    ("RSA-OAEP-512", "Web Cryptography API"),
    ("A192KW", "RFC 7518 section 4.4"),
    ("ECDH-ES", "RFC 7518 section 4.6"),
    ("ECDH-ES+A128KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A192KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A256KW", "RFC 7518 section 4.6"),
    ("A192GCMKW", "RFC 7518 section 4.7"),
    ("PBES2-HS256+A128KW", "RFC 7518 section 4.8"),
    ("PBES2-HS384+A192KW", "RFC 7518 section 4.8"),
    ("PBES2-HS512+A256KW", "RFC 7518 section 4.8"),
    ("A192CBC-HS384", "RFC 7518 section 5.2.4"),
    ("A256CBC-HS512", "RFC 7518 section 5.2.5"),
    ("A192GCM", "RFC 7518 section 5.3"),
    ("HS256", "a signature, RFC 7518 section 3"),
    ("HS384", "a signature, RFC 7518 section 3"),
    ("HS512", "a signature, RFC 7518 section 3"),
    ("RS256", "a signature, RFC 7518 section 3"),
    ("RS384", "a signature, RFC 7518 section 3"),
    ("RS512", "a signature, RFC 7518 section 3"),
    ("ES256", "a signature, RFC 7518 section 3"),
    ("ES384", "a signature, RFC 7518 section 3"),
    ("ES512", "a signature, RFC 7518 section 3"),
    ("PS256", "a signature, RFC 7518 section 3"),
    ("PS384", "a signature, RFC 7518 section 3"),
    ("PS512", "a signature, RFC 7518 section 3"),
    ("none", "no signature, RFC 7518 section 3"),
    ("EdDSA", "a signature, RFC 8037 section 3.1"),
    ("Ed25519", "a signature, RFC 9864"),
    ("Ed448", "a signature, RFC 9864"),
    ("ES256K", "a signature, RFC 8812"),
    ("EC", "RFC 7518 section 6.2"),
    ("OKP", "RFC 8037 section 2"),
];

/// A name that is not implemented here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unimplemented {
    /// Member that contains the name.
    pub member: Member,
    /// Beginning of the name.
    pub name: String,
    /// Standard that defines the name, if there is one.
    pub standard: Option<&'static str>,
}

impl Unimplemented {
    /// Describes a name that was not found.
    pub fn new(member: Member, name: &str) -> Self {
        let standard = NOT_SUPPORTED.iter().find(|(known, _)| *known == name);
        Self { member, name: shortened(name), standard: standard.map(|(_, standard)| *standard) }
    }
}

impl fmt::Display for Unimplemented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, name, standard } = self;
        match standard {
            Some(standard) => write!(f, "{member} {name:?} ({standard}) is not supported"),
            None => write!(f, "{member} {name:?} is unknown here"),
        }
    }
}

impl std::error::Error for Unimplemented {}

/// Returns the first 64 characters of a text from outside.
pub fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
