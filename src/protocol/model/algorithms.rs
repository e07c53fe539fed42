//! Algorithms by name: a header's `alg` and `enc`, and the families of keys that they take.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;

use super::scheme::Kind;
use crate::ciphers::aes::KeySize;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::OaepHash;
use crate::ciphers::toy_des::SBox;

/// Key management algorithm: the header's `alg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// `dir`: the distributed key encrypts the order itself.
    Direct,
    /// `ECDH-ES`: a key agreed on with the distributed key encrypts the order itself (RFC 7518
    /// section 4.6).
    Agree,
    /// A key derived from a password wraps a content-encryption key (RFC 7518 section 4.8).
    Password(Pbes2),
    /// The distributed key wraps a content-encryption key.
    Wrap(WrapAlgorithm),
}

/// PBKDF2 from a password to a key, which wraps by AES key wrap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pbes2 {
    /// HMAC with SHA-256, and AES-128.
    Hs256A128Kw,
    /// HMAC with SHA-384, and AES-192.
    Hs384A192Kw,
    /// HMAC with SHA-512, and AES-256.
    #[default]
    Hs512A256Kw,
}

impl Pbes2 {
    /// Every algorithm with passwords.
    pub const ALL: [Self; 3] = [Self::Hs512A256Kw, Self::Hs384A192Kw, Self::Hs256A128Kw];

    /// The `alg` name, which is also part of the salt.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256A128Kw => "PBES2-HS256+A128KW",
            Self::Hs384A192Kw => "PBES2-HS384+A192KW",
            Self::Hs512A256Kw => "PBES2-HS512+A256KW",
        }
    }

    /// Size of the derived key.
    pub const fn key_size(self) -> KeySize {
        match self {
            Self::Hs256A128Kw => KeySize::Aes128,
            Self::Hs384A192Kw => KeySize::Aes192,
            Self::Hs512A256Kw => KeySize::Aes256,
        }
    }
}

/// Key management algorithm that wraps content-encryption keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrapAlgorithm {
    /// AES key wrap (RFC 3394; RFC 7518 section 4.4).
    AesKw(KeySize),
    /// AES-GCM as key wrap (RFC 7518 section 4.7).
    AesGcmKw(KeySize),
    /// Another content cipher, in the form of AES-GCM key wrap.
    CipherKw(KeyCipher),
    /// RSA-OAEP (RFC 7518 section 4.3; with SHA-384 and SHA-512, the Web Cryptography API).
    RsaOaep(OaepHash),
    /// AES key wrap under a key agreed on with the distributed key (RFC 7518 section 4.6).
    EcdhEs(KeySize),
    /// The Merkle–Hellman knapsack. Weak: broken in 1982.
    MhKnapsack,
}

/// Content cipher that also wraps keys, so that one program serves order and key. The toy DES has its
/// default S-box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyCipher {
    /// AES-128 in CBC mode.
    A128CbcHs256,
    /// Triple DES. Weak.
    DesEde3CbcHs256,
    /// DES. Weak.
    DesCbcHs256,
    /// FEAL-8. Weak.
    Feal8CbcHs256,
    /// The toy DES. Weak.
    ToyDesEcbHs256,
    /// Grain-128AEADv2. Treated as weak.
    Grain128AeadV2,
}

impl KeyCipher {
    /// The content cipher.
    pub const fn cipher(self) -> ContentCipher {
        match self {
            Self::A128CbcHs256 => ContentCipher::A128CbcHs256,
            Self::DesEde3CbcHs256 => ContentCipher::DesEde3CbcHs256,
            Self::DesCbcHs256 => ContentCipher::DesCbcHs256,
            Self::Feal8CbcHs256 => ContentCipher::Feal8CbcHs256,
            Self::ToyDesEcbHs256 => ContentCipher::ToyDesEcbHs256(SBox::DEFAULT),
            Self::Grain128AeadV2 => ContentCipher::Grain128AeadV2,
        }
    }

    /// The `alg` name: that of the cipher, and `KW`.
    const fn name(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256KW",
            Self::DesEde3CbcHs256 => "DES-EDE3-CBC-HS256KW",
            Self::DesCbcHs256 => "DES-CBC-HS256KW",
            Self::Feal8CbcHs256 => "FEAL8-CBC-HS256KW",
            Self::ToyDesEcbHs256 => "TOYDES-ECB-HS256KW",
            Self::Grain128AeadV2 => "GRAIN128AEADV2KW",
        }
    }
}

/// Content encryption algorithm: the header's `enc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enc {
    /// An authenticated cipher.
    Cipher(ContentCipher),
    /// `RSA-OAEP-256-BOUND-BLOCKS`: the order itself is encrypted in blocks of RSA-OAEP.
    RsaBlocks,
}

/// Families of keys that work with the same algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Secret bytes.
    Secret,
    /// A one-time pad.
    Pad,
    /// A password, which is in no key file.
    Password,
    /// An RSA key, public or private.
    Rsa,
    /// A key on an elliptic curve, public or private.
    Curve,
    /// A knapsack, public or private.
    Knapsack,
}

/// Fixed properties of a wrapping algorithm.
struct Facts {
    name: &'static str,
    family: Family,
    weak: bool,
    draws_iv: bool,
}

impl WrapAlgorithm {
    /// Every wrapping algorithm.
    pub const ALL: [Self; 20] = [
        Self::AesKw(KeySize::Aes256),
        Self::AesKw(KeySize::Aes192),
        Self::AesKw(KeySize::Aes128),
        Self::AesGcmKw(KeySize::Aes256),
        Self::AesGcmKw(KeySize::Aes192),
        Self::AesGcmKw(KeySize::Aes128),
        Self::RsaOaep(OaepHash::Sha256),
        Self::RsaOaep(OaepHash::Sha384),
        Self::RsaOaep(OaepHash::Sha512),
        Self::RsaOaep(OaepHash::Sha1),
        Self::EcdhEs(KeySize::Aes256),
        Self::EcdhEs(KeySize::Aes192),
        Self::EcdhEs(KeySize::Aes128),
        Self::CipherKw(KeyCipher::A128CbcHs256),
        Self::CipherKw(KeyCipher::DesEde3CbcHs256),
        Self::CipherKw(KeyCipher::DesCbcHs256),
        Self::CipherKw(KeyCipher::Feal8CbcHs256),
        Self::CipherKw(KeyCipher::ToyDesEcbHs256),
        Self::CipherKw(KeyCipher::Grain128AeadV2),
        Self::MhKnapsack,
    ];

    const fn facts(self) -> Facts {
        let (name, family) = match self {
            Self::AesKw(KeySize::Aes128) => ("A128KW", Family::Secret),
            Self::AesKw(KeySize::Aes192) => ("A192KW", Family::Secret),
            Self::AesKw(KeySize::Aes256) => ("A256KW", Family::Secret),
            Self::AesGcmKw(KeySize::Aes128) => ("A128GCMKW", Family::Secret),
            Self::AesGcmKw(KeySize::Aes192) => ("A192GCMKW", Family::Secret),
            Self::AesGcmKw(KeySize::Aes256) => ("A256GCMKW", Family::Secret),
            Self::CipherKw(cipher) => (cipher.name(), Family::Secret),
            Self::RsaOaep(OaepHash::Sha1) => ("RSA-OAEP", Family::Rsa),
            Self::RsaOaep(OaepHash::Sha256) => ("RSA-OAEP-256", Family::Rsa),
            Self::RsaOaep(OaepHash::Sha384) => ("RSA-OAEP-384", Family::Rsa),
            Self::RsaOaep(OaepHash::Sha512) => ("RSA-OAEP-512", Family::Rsa),
            Self::EcdhEs(KeySize::Aes128) => ("ECDH-ES+A128KW", Family::Curve),
            Self::EcdhEs(KeySize::Aes192) => ("ECDH-ES+A192KW", Family::Curve),
            Self::EcdhEs(KeySize::Aes256) => ("ECDH-ES+A256KW", Family::Curve),
            Self::MhKnapsack => ("MH-KNAPSACK", Family::Knapsack),
        };
        let facts = Facts { name, family, weak: false, draws_iv: false };
        match self {
            Self::AesKw(_) | Self::EcdhEs(_) => facts,
            Self::AesGcmKw(_) => Facts { draws_iv: true, ..facts },
            Self::CipherKw(own) => {
                let cipher = own.cipher();
                Facts { weak: cipher.is_weak(), draws_iv: cipher.iv_len() > 0, ..facts }
            }
            Self::RsaOaep(_) => facts,
            Self::MhKnapsack => Facts { weak: true, ..facts },
        }
    }

    /// Returns the algorithm with the given `alg` name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the `alg` name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Family of the wrapping key.
    pub const fn family(self) -> Family {
        self.facts().family
    }

    /// Whether the algorithm is only for teaching.
    pub const fn is_weak(self) -> bool {
        self.facts().weak
    }

    /// The content cipher that wraps keys, if it is one.
    pub const fn cipher(self) -> Option<ContentCipher> {
        match self {
            Self::AesGcmKw(size) => Some(ContentCipher::gcm(size)),
            Self::CipherKw(own) => Some(own.cipher()),
            Self::AesKw(_) | Self::RsaOaep(_) | Self::EcdhEs(_) | Self::MhKnapsack => None,
        }
    }

    /// Whether each wrapping draws a random IV, which limits a key to 2³² uses (NIST SP 800-38D
    /// section 8.3, for IVs of 96 bits).
    pub const fn draws_iv(self) -> bool {
        self.facts().draws_iv
    }

    /// Length of a secret key in bytes; `None` for public keys.
    pub const fn key_len(self) -> Option<usize> {
        match self {
            Self::AesKw(size) | Self::AesGcmKw(size) => Some(size.bytes()),
            Self::CipherKw(own) => Some(own.cipher().key_len()),
            Self::RsaOaep(_) | Self::EcdhEs(_) | Self::MhKnapsack => None,
        }
    }
}

impl Family {
    /// Kind of key: secret or public.
    pub fn kind(self) -> Kind {
        match self {
            Self::Secret | Self::Pad | Self::Password => Kind::Secret,
            Self::Rsa | Self::Curve | Self::Knapsack => Kind::Public,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "a secret key",
            Self::Pad => "a one-time pad",
            Self::Password => "a password",
            Self::Rsa => "an RSA key",
            Self::Curve => "an elliptic-curve key",
            Self::Knapsack => "a knapsack",
        })
    }
}

impl Alg {
    /// Name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::Agree => "ECDH-ES",
            Self::Password(algorithm) => algorithm.name(),
            Self::Wrap(algorithm) => algorithm.name(),
        }
    }

    /// Finds the algorithm with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "dir" => Some(Self::Direct),
            "ECDH-ES" => Some(Self::Agree),
            name => {
                let password = Pbes2::ALL.into_iter().find(|algorithm| algorithm.name() == name);
                let wrap = || WrapAlgorithm::from_name(name).map(Self::Wrap);
                password.map(Self::Password).or_else(wrap)
            }
        }
    }
}

impl Enc {
    /// Name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cipher(cipher) => cipher.name(),
            Self::RsaBlocks => "RSA-OAEP-256-BOUND-BLOCKS",
        }
    }

    /// Finds the algorithm with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RSA-OAEP-256-BOUND-BLOCKS" => Some(Self::RsaBlocks),
            name => ContentCipher::from_name(name).map(Self::Cipher),
        }
    }

    /// Returns the toy DES with another S-box; `None` for every other algorithm.
    pub fn with_sbox(self, sbox: SBox) -> Option<Self> {
        match self {
            Self::Cipher(cipher) => cipher.with_sbox(sbox).map(Self::Cipher),
            Self::RsaBlocks => None,
        }
    }

    /// S-box of the toy DES, unless it is the default one.
    pub fn own_sbox(self) -> Option<SBox> {
        match self {
            Self::Cipher(cipher) => cipher.sbox().filter(|sbox| *sbox != SBox::DEFAULT),
            Self::RsaBlocks => None,
        }
    }

    /// Whether each order uses a piece of a one-time pad.
    pub fn takes_pad(self) -> bool {
        match self {
            Self::Cipher(cipher) => cipher.takes_pad(),
            Self::RsaBlocks => false,
        }
    }

    /// Whether the algorithm is for teaching and old data only.
    pub fn is_weak(self) -> bool {
        match self {
            Self::Cipher(cipher) => cipher.is_weak(),
            Self::RsaBlocks => false,
        }
    }
}
