//! Names of algorithms and key types that standards define, whether they are implemented here or
//! not.
//!
//! This is the only place that decides whether a name that is not implemented is *not supported* (a
//! standard defines it) or *unknown here*.

use std::fmt;

use super::algorithms::{Alg, Enc};
use crate::ciphers::ecdh::Curve;

/// Member of a header or key that contains a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// `alg` of a header or a key.
    Alg,
    /// `enc` of a header.
    Enc,
    /// `kty` of a key.
    KeyType,
    /// `crv` of a key on an elliptic curve.
    Curve,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alg => "alg",
            Self::Enc => "enc",
            Self::KeyType => "key type",
            Self::Curve => "curve",
        })
    }
}

/// Names, and the standards that define them.
const DEFINED: &[(&str, &str)] = &[
    ("RSA1_5", "RFC 7518 section 4.2"),
    ("RSA-OAEP", "RFC 7518 section 4.3"),
    ("RSA-OAEP-256", "RFC 7518 section 4.3"),
    ("RSA-OAEP-384", "Web Cryptography API"),
    ("RSA-OAEP-512", "Web Cryptography API"),
    ("A128KW", "RFC 7518 section 4.4"),
    ("A192KW", "RFC 7518 section 4.4"),
    ("A256KW", "RFC 7518 section 4.4"),
    ("dir", "RFC 7518 section 4.5"),
    ("ECDH-ES", "RFC 7518 section 4.6"),
    ("ECDH-ES+A128KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A192KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A256KW", "RFC 7518 section 4.6"),
    ("A128GCMKW", "RFC 7518 section 4.7"),
    ("A192GCMKW", "RFC 7518 section 4.7"),
    ("A256GCMKW", "RFC 7518 section 4.7"),
    ("PBES2-HS256+A128KW", "RFC 7518 section 4.8"),
    ("PBES2-HS384+A192KW", "RFC 7518 section 4.8"),
    ("PBES2-HS512+A256KW", "RFC 7518 section 4.8"),
    ("A128CBC-HS256", "RFC 7518 section 5.2.3"),
    ("A192CBC-HS384", "RFC 7518 section 5.2.4"),
    ("A256CBC-HS512", "RFC 7518 section 5.2.5"),
    ("A128GCM", "RFC 7518 section 5.3"),
    ("A192GCM", "RFC 7518 section 5.3"),
    ("A256GCM", "RFC 7518 section 5.3"),
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
    ("Ed25519", "a signature, RFC 8037 section 3.1"),
    ("Ed448", "a signature, RFC 8037 section 3.1"),
    ("X448", "RFC 8037 section 3.2"),
    ("secp256k1", "RFC 8812 section 3.1"),
    ("ES256K", "a signature, RFC 8812"),
];

/// Whether standards define a name.
pub(super) fn define(name: &str) -> bool {
    standard(name).is_some()
}

fn standard(name: &str) -> Option<&'static str> {
    DEFINED.iter().find(|(known, _)| *known == name).map(|(_, standard)| *standard)
}

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
        // The name of an algorithm in the wrong place is not one that is not supported.
        let implemented = Alg::from_name(name).is_some()
            || Enc::from_name(name).is_some()
            || Curve::from_name(name).is_some();
        let standard = standard(name).filter(|_| !implemented);
        Self { member, name: shortened(name), standard }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::content::ContentCipher;
    use crate::protocol::model::{Pbes2, WrapAlgorithm};

    /// RFC 7518 sections 4.1 and 5.1.
    #[test]
    fn algorithms_of_the_standards_are_known_as_such() {
        let alg = WrapAlgorithm::ALL.map(WrapAlgorithm::name);
        let standard: Vec<_> = alg.into_iter().filter(|name| define(name)).collect();
        let keys = [
            "A256KW",
            "A192KW",
            "A128KW",
            "A256GCMKW",
            "A192GCMKW",
            "A128GCMKW",
            "RSA-OAEP-256",
            "RSA-OAEP-384",
            "RSA-OAEP-512",
            "RSA-OAEP",
        ];
        let agreement = ["ECDH-ES+A256KW", "ECDH-ES+A192KW", "ECDH-ES+A128KW"];
        assert_eq!(standard, [&keys[..], &agreement].concat());
        let enc = ContentCipher::ALL.map(ContentCipher::name).into_iter();
        let standard: Vec<_> = enc.filter(|name| define(name)).collect();
        assert_eq!(
            standard,
            ["A256GCM", "A192GCM", "A128GCM", "A256CBC-HS512", "A192CBC-HS384", "A128CBC-HS256"]
        );
        assert!(Pbes2::ALL.into_iter().all(|algorithm| define(algorithm.name())));
        assert!(define("dir") && define("ECDH-ES") && !define(Enc::RsaBlocks.name()));
    }

    #[test]
    fn a_name_in_the_wrong_place_is_unknown() {
        let standard = |name| Unimplemented::new(Member::Alg, name).standard;
        assert_eq!(standard("RSA1_5"), Some("RFC 7518 section 4.2"));
        assert_eq!([standard("A256GCM"), standard("dir"), standard("no-name")], [None; 3]);
    }
}
