//! Suites: the pair of algorithms, `alg` and `enc`, in an order's header.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;

use super::algorithms::{Alg, Enc, Family, Pbes2, WrapAlgorithm};
use super::scheme::{Content, Kind, Scheme};
use super::standards::{self, Member, Unimplemented};
use crate::ciphers::aes::KeySize;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::OaepHash;

/// `alg` and `enc` together, in one of the supported combinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Suite(KeyUse);

/// How a suite uses the distributed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// The key encrypts orders with this cipher.
    Direct(ContentCipher),
    /// The key is a one-time pad; this cipher uses a piece of it for each order.
    Pad(ContentCipher),
    /// The key encrypts orders in RSA blocks.
    Blocks,
    /// A key agreed on with the key encrypts orders with this cipher.
    Agree(ContentCipher),
    /// A key derived from a password wraps content-encryption keys for this cipher.
    Password(Pbes2, ContentCipher),
    /// The key wraps content-encryption keys for this cipher.
    Wrap(WrapAlgorithm, ContentCipher),
}

/// Two algorithms that cannot be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("alg {} does not go with enc {}", .alg.name(), .enc.name())]
pub struct Unpaired {
    /// Key management.
    pub alg: Alg,
    /// Content encryption.
    pub enc: Enc,
}

/// Reason why a header's names do not form a suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuite {
    /// A name that is not implemented here.
    #[error(transparent)]
    Unimplemented(#[from] Unimplemented),
    /// Two algorithms that cannot be combined.
    #[error(transparent)]
    Unpaired(#[from] Unpaired),
}

/// Task that a distributed key performs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Sealing orders.
    Seal,
    /// Opening orders.
    Open,
}

impl Suite {
    /// Pairs two algorithms; `None` if they cannot be combined: RSA blocks and pads take no wrapped
    /// key, and a key that is agreed on is for ciphers that take any bytes as a key.
    pub fn new(alg: Alg, enc: Enc) -> Option<Self> {
        match (alg, enc) {
            (Alg::Direct, enc) => Some(Self::direct(enc)),
            (Alg::Wrap(_) | Alg::Password(_), Enc::Cipher(cipher)) if cipher.takes_pad() => None,
            (Alg::Password(algorithm), Enc::Cipher(cipher)) => {
                Some(Self(KeyUse::Password(algorithm, cipher)))
            }
            (Alg::Wrap(algorithm), Enc::Cipher(cipher)) => {
                Some(Self(KeyUse::Wrap(algorithm, cipher)))
            }
            (Alg::Agree, Enc::Cipher(cipher)) if !cipher.is_weak() => {
                Some(Self(KeyUse::Agree(cipher)))
            }
            (Alg::Agree, Enc::Cipher(_)) => None,
            (Alg::Agree | Alg::Password(_) | Alg::Wrap(_), Enc::RsaBlocks) => None,
        }
    }

    /// Suite in which the distributed key encrypts orders itself.
    pub fn direct(enc: Enc) -> Self {
        Self(match enc {
            Enc::Cipher(cipher) if cipher.takes_pad() => KeyUse::Pad(cipher),
            Enc::Cipher(cipher) => KeyUse::Direct(cipher),
            Enc::RsaBlocks => KeyUse::Blocks,
        })
    }

    /// Default algorithms of a scheme: A256GCM, with a fresh key that A256KW or RSA-OAEP-256 wraps in
    /// hybrid schemes; RSA-OAEP in blocks in direct public ones.
    pub const fn default_for(scheme: Scheme) -> Self {
        let cipher = ContentCipher::A256Gcm;
        Self(match (scheme.content, scheme.kind) {
            (Content::Direct, Kind::Secret) => KeyUse::Direct(cipher),
            (Content::Direct, Kind::Public) => KeyUse::Blocks,
            (Content::Hybrid, Kind::Secret) => {
                KeyUse::Wrap(WrapAlgorithm::AesKw(KeySize::Aes256), cipher)
            }
            (Content::Hybrid, Kind::Public) => {
                KeyUse::Wrap(WrapAlgorithm::RsaOaep(OaepHash::Sha256), cipher)
            }
        })
    }

    /// Suite that a header names.
    ///
    /// # Errors
    /// [`NoSuite`] for a name that is not implemented here, and for a pair that cannot be combined.
    pub fn from_header(alg: &str, enc: &str) -> Result<Self, NoSuite> {
        let alg = Alg::from_name(alg).ok_or_else(|| Unimplemented::new(Member::Alg, alg))?;
        let enc = Enc::from_name(enc).ok_or_else(|| Unimplemented::new(Member::Enc, enc))?;
        Self::new(alg, enc).ok_or(NoSuite::Unpaired(Unpaired { alg, enc }))
    }

    /// How the distributed key is used.
    pub fn key_use(self) -> KeyUse {
        self.0
    }

    /// Key management algorithm.
    pub fn alg(self) -> Alg {
        match self.0 {
            KeyUse::Direct(_) | KeyUse::Pad(_) | KeyUse::Blocks => Alg::Direct,
            KeyUse::Agree(_) => Alg::Agree,
            KeyUse::Password(algorithm, _) => Alg::Password(algorithm),
            KeyUse::Wrap(algorithm, _) => Alg::Wrap(algorithm),
        }
    }

    /// Content encryption algorithm.
    pub fn enc(self) -> Enc {
        match self.0 {
            KeyUse::Direct(cipher)
            | KeyUse::Pad(cipher)
            | KeyUse::Agree(cipher)
            | KeyUse::Password(_, cipher)
            | KeyUse::Wrap(_, cipher) => Enc::Cipher(cipher),
            KeyUse::Blocks => Enc::RsaBlocks,
        }
    }

    /// Whether the distributed key encrypts orders itself (or leads to the key that does, in an
    /// agreement), or wraps a key for each.
    pub fn content(self) -> Content {
        match self.alg() {
            Alg::Direct | Alg::Agree => Content::Direct,
            Alg::Password(_) | Alg::Wrap(_) => Content::Hybrid,
        }
    }

    /// Kind of the distributed key.
    pub fn kind(self) -> Kind {
        self.material().kind()
    }

    /// Name in a JWK's `alg`: the algorithm that uses the distributed key.
    pub fn key_alg(self) -> &'static str {
        match self.alg() {
            Alg::Direct => self.enc().name(),
            alg @ (Alg::Agree | Alg::Password(_) | Alg::Wrap(_)) => alg.name(),
        }
    }

    /// Family of the distributed key.
    pub fn material(self) -> Family {
        match self.0 {
            KeyUse::Direct(_) => Family::Secret,
            KeyUse::Pad(_) => Family::Pad,
            KeyUse::Blocks => Family::Rsa,
            KeyUse::Agree(_) => Family::Curve,
            KeyUse::Password(..) => Family::Password,
            KeyUse::Wrap(algorithm, _) => algorithm.family(),
        }
    }

    /// Name of the weak algorithm in the pair, if there is one.
    pub fn weak(self) -> Option<&'static str> {
        match (self.alg(), self.enc()) {
            (_, enc) if enc.is_weak() => Some(enc.name()),
            (Alg::Wrap(algorithm), _) if algorithm.is_weak() => Some(algorithm.name()),
            (Alg::Wrap(_) | Alg::Password(_) | Alg::Direct | Alg::Agree, _) => None,
        }
    }

    /// Whether standards define both algorithms.
    pub fn is_standard(self) -> bool {
        standards::define(self.alg().name()) && standards::define(self.enc().name())
    }

    /// Operations of RFC 7517 section 4.3; a key with `key_ops` has to permit one of them. Other
    /// software says of keys that wrap keys that they wrap or that they encrypt, and of keys that agree
    /// on one also that they wrap.
    pub fn operations(self, task: Task) -> &'static [&'static str] {
        let (content, wrapping, agreement): (&[_], &[_], &[_]) = match task {
            Task::Seal => {
                (&["encrypt"], &["wrapKey", "encrypt"], &["deriveKey", "deriveBits", "wrapKey"])
            }
            Task::Open => {
                (&["decrypt"], &["unwrapKey", "decrypt"], &["deriveKey", "deriveBits", "unwrapKey"])
            }
        };
        match self.alg() {
            Alg::Agree | Alg::Wrap(WrapAlgorithm::EcdhEs(_)) => agreement,
            Alg::Direct => content,
            Alg::Password(_) | Alg::Wrap(_) => wrapping,
        }
    }

    /// Whether orders may be sealed under a chain of keys: a key is needed to wrap the last one.
    pub fn takes_chain(self) -> bool {
        match self.0 {
            KeyUse::Password(..) | KeyUse::Wrap(..) => true,
            KeyUse::Direct(cipher) => cipher.key_len() == 32,
            KeyUse::Pad(_) | KeyUse::Blocks | KeyUse::Agree(_) => false,
        }
    }

    /// Whether the number of orders under one key is limited because each order draws a random IV.
    pub fn has_budget(self) -> bool {
        match self.0 {
            KeyUse::Direct(_) => true,
            KeyUse::Pad(_) | KeyUse::Blocks | KeyUse::Agree(_) | KeyUse::Password(..) => false,
            KeyUse::Wrap(algorithm, _) => algorithm.draws_iv(),
        }
    }

    /// Length in bytes of the distributed key, if it is a secret of fixed length.
    pub fn secret_len(self) -> Option<usize> {
        match self.0 {
            KeyUse::Direct(cipher) => Some(cipher.key_len()),
            KeyUse::Pad(_) | KeyUse::Blocks | KeyUse::Agree(_) | KeyUse::Password(..) => None,
            KeyUse::Wrap(algorithm, _) => algorithm.key_len(),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.alg().name(), self.enc().name())
    }
}
