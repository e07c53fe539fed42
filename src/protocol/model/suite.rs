//! Suites: the pair of algorithms, `alg` and `enc`, in an order's header.

#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;

use super::scheme::{Content, Kind, Scheme};
use super::standards::{Member, Unimplemented};
use crate::ciphers::content::ContentCipher;
use crate::ciphers::toy_des::SBox;
use crate::ciphers::wrap::WrapAlgorithm;

/// Key management algorithm: the header's `alg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// `dir`: the distributed key encrypts the order itself.
    Direct,
    /// The distributed key wraps a content-encryption key.
    Wrap(WrapAlgorithm),
}

/// Content encryption algorithm: the header's `enc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enc {
    /// An authenticated cipher.
    Cipher(ContentCipher),
    /// `RSA-OAEP-256-BOUND-BLOCKS`: the order itself is encrypted in blocks of RSA-OAEP.
    RsaBlocks,
}

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

/// Families of keys that work with the same algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Secret bytes.
    Secret,
    /// A one-time pad.
    Pad,
    /// An RSA key, public or private.
    Rsa,
    /// A knapsack, public or private.
    Knapsack,
}

impl Family {
    /// Kind of key: secret or public.
    pub fn kind(self) -> Kind {
        match self {
            Self::Secret | Self::Pad => Kind::Secret,
            Self::Rsa | Self::Knapsack => Kind::Public,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "a secret key",
            Self::Pad => "a one-time pad",
            Self::Rsa => "an RSA key",
            Self::Knapsack => "a knapsack",
        })
    }
}

impl Alg {
    /// Name in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::Wrap(algorithm) => algorithm.name(),
        }
    }

    /// Finds the algorithm with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "dir" => Some(Self::Direct),
            name => WrapAlgorithm::named(name).map(Self::Wrap),
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
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RSA-OAEP-256-BOUND-BLOCKS" => Some(Self::RsaBlocks),
            name => ContentCipher::named(name).map(Self::Cipher),
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

impl Suite {
    /// Pairs two algorithms; `None` if they cannot be combined: RSA blocks and pads take no wrapped
    /// key.
    pub fn new(alg: Alg, enc: Enc) -> Option<Self> {
        match (alg, enc) {
            (Alg::Direct, enc) => Some(Self::direct(enc)),
            (Alg::Wrap(_), Enc::Cipher(cipher)) if cipher.takes_pad() => None,
            (Alg::Wrap(algorithm), Enc::Cipher(cipher)) => {
                Some(Self(KeyUse::Wrap(algorithm, cipher)))
            }
            (Alg::Wrap(_), Enc::RsaBlocks) => None,
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
            (Content::Hybrid, Kind::Secret) => KeyUse::Wrap(WrapAlgorithm::A256Kw, cipher),
            (Content::Hybrid, Kind::Public) => KeyUse::Wrap(WrapAlgorithm::RsaOaep256, cipher),
        })
    }

    /// Suite that a header names.
    ///
    /// # Errors
    /// [`NoSuite`] for a name that is not implemented here, and for a pair that cannot be combined.
    pub fn of_header(alg: &str, enc: &str) -> Result<Self, NoSuite> {
        let alg = Alg::named(alg).ok_or_else(|| Unimplemented::new(Member::Alg, alg))?;
        let enc = Enc::named(enc).ok_or_else(|| Unimplemented::new(Member::Enc, enc))?;
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
            KeyUse::Wrap(algorithm, _) => Alg::Wrap(algorithm),
        }
    }

    /// Content encryption algorithm.
    pub fn enc(self) -> Enc {
        match self.0 {
            KeyUse::Direct(cipher) | KeyUse::Pad(cipher) | KeyUse::Wrap(_, cipher) => {
                Enc::Cipher(cipher)
            }
            KeyUse::Blocks => Enc::RsaBlocks,
        }
    }

    /// Whether the distributed key encrypts orders itself or wraps a key for each.
    pub fn content(self) -> Content {
        match self.alg() {
            Alg::Direct => Content::Direct,
            Alg::Wrap(_) => Content::Hybrid,
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
            Alg::Wrap(algorithm) => algorithm.name(),
        }
    }

    /// Family of the distributed key.
    pub fn material(self) -> Family {
        match self.0 {
            KeyUse::Direct(_) => Family::Secret,
            KeyUse::Pad(_) => Family::Pad,
            KeyUse::Blocks => Family::Rsa,
            KeyUse::Wrap(algorithm, _) => match algorithm {
                WrapAlgorithm::A128Kw
                | WrapAlgorithm::A256Kw
                | WrapAlgorithm::A128GcmKw
                | WrapAlgorithm::A256GcmKw => Family::Secret,
                WrapAlgorithm::RsaOaep256 => Family::Rsa,
                WrapAlgorithm::MhKnapsack => Family::Knapsack,
            },
        }
    }

    /// Name of the weak algorithm in the pair, if there is one.
    pub fn weak(self) -> Option<&'static str> {
        match (self.alg(), self.enc()) {
            (_, enc) if enc.is_weak() => Some(enc.name()),
            (Alg::Wrap(algorithm), _) if algorithm.is_weak() => Some(algorithm.name()),
            (Alg::Wrap(_) | Alg::Direct, _) => None,
        }
    }

    /// Whether RFC 7518 defines both algorithms.
    pub fn is_standard(self) -> bool {
        let alg = match self.alg() {
            Alg::Direct => true,
            Alg::Wrap(algorithm) => match algorithm {
                WrapAlgorithm::A128Kw
                | WrapAlgorithm::A256Kw
                | WrapAlgorithm::A128GcmKw
                | WrapAlgorithm::A256GcmKw
                | WrapAlgorithm::RsaOaep256 => true,
                WrapAlgorithm::MhKnapsack => false,
            },
        };
        let enc = match self.enc() {
            Enc::Cipher(cipher) => match cipher {
                ContentCipher::A128Gcm | ContentCipher::A256Gcm | ContentCipher::A128CbcHs256 => {
                    true
                }
                ContentCipher::DesCbcHs256
                | ContentCipher::DesEde3CbcHs256
                | ContentCipher::ToyDesEcbHs256(_)
                | ContentCipher::Feal8CbcHs256
                | ContentCipher::Grain128AeadV2
                | ContentCipher::VernamHs256 => false,
            },
            Enc::RsaBlocks => false,
        };
        alg && enc
    }

    /// Operations of RFC 7517 section 4.3; a key with `key_ops` has to permit one of them. For
    /// algorithms that wrap a key by encrypting it, other software writes either name.
    pub fn operations(self, task: Task) -> &'static [&'static str] {
        let (content, wrapping, either): (&[_], &[_], &[_]) = match task {
            Task::Seal => (&["encrypt"], &["wrapKey"], &["wrapKey", "encrypt"]),
            Task::Open => (&["decrypt"], &["unwrapKey"], &["unwrapKey", "decrypt"]),
        };
        match self.alg() {
            Alg::Direct => content,
            Alg::Wrap(WrapAlgorithm::A128Kw | WrapAlgorithm::A256Kw) => wrapping,
            Alg::Wrap(
                WrapAlgorithm::A128GcmKw
                | WrapAlgorithm::A256GcmKw
                | WrapAlgorithm::RsaOaep256
                | WrapAlgorithm::MhKnapsack,
            ) => either,
        }
    }

    /// Whether orders may be sealed under a chain of keys: a key is needed to wrap the last one.
    pub fn takes_chain(self) -> bool {
        match self.0 {
            KeyUse::Wrap(..) => true,
            KeyUse::Direct(cipher) => cipher.key_len() == 32,
            KeyUse::Pad(_) | KeyUse::Blocks => false,
        }
    }

    /// Whether the number of orders under one key is limited because each order draws a random IV.
    pub fn has_budget(self) -> bool {
        match self.0 {
            KeyUse::Direct(_) => true,
            KeyUse::Pad(_) | KeyUse::Blocks => false,
            KeyUse::Wrap(algorithm, _) => algorithm.draws_iv(),
        }
    }

    /// Length in bytes of the distributed key, if it is a secret of fixed length.
    pub fn secret_len(self) -> Option<usize> {
        match self.0 {
            KeyUse::Direct(cipher) => Some(cipher.key_len()),
            KeyUse::Pad(_) | KeyUse::Blocks => None,
            KeyUse::Wrap(algorithm, _) => algorithm.key_len(),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.alg().name(), self.enc().name())
    }
}
