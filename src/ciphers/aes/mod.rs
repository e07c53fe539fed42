//! AES (FIPS 197) with 128-, 192- and 256-bit keys, in the forms that order batches and streams need.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`cmac`] | authentication codes of many messages under many keys | SP 800-38B |
//! | `ctr` | counter mode over one long message | SP 800-38A, section 6.5 |
//! | [`gcm`] | authenticated encryption: one long message, many under one key, many with a key each | SP 800-38D |
//! | [`kw`] | key wrap of many content keys at once | RFC 3394 |
//! | `expander` | keys and IVs for a whole batch from one seed | fast key erasure over AES-256-CTR |
//!
//! The backends `avx512`, `vaes`, `avx2` and `neon` run one algorithm, written over vectors of four,
//! two or one block (the last two with AES-NI and ARM's cryptography extension), each of which may
//! have its own key. There, no branch and no
//! address depends on secrets. All other backends call the RustCrypto crates, one operation at a
//! time; the crates use AES-NI where available and are constant-time by design.

// Without vectors to run on, the kernels over lanes are only type-checked.
#![cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), allow(dead_code))]

#[cfg(target_arch = "x86_64")]
mod aesni;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod cmac;
#[doc(hidden)]
pub mod ctr;
#[doc(hidden)]
pub mod expander;
pub mod gcm;
mod job;
pub mod kw;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod rounds;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(target_arch = "x86_64")]
mod vaes;

pub use job::BACKENDS;

use std::fmt;

/// One 128-bit block.
pub(crate) type Block = [u8; 16];

/// The key sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeySize {
    /// 128 bits, 10 rounds.
    Aes128,
    /// 192 bits, 12 rounds.
    Aes192,
    /// 256 bits, 14 rounds.
    Aes256,
}

impl KeySize {
    /// Every size.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Aes128, Self::Aes192, Self::Aes256];

    /// Returns the key size for a length in bytes: 16, 24 or 32, else `None`.
    pub const fn from_bytes(bytes: usize) -> Option<Self> {
        match bytes {
            16 => Some(Self::Aes128),
            24 => Some(Self::Aes192),
            32 => Some(Self::Aes256),
            _ => None,
        }
    }

    /// Length of a key in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

/// The key is not 16, 24 or 32 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an AES key of 16, 24 or 32 bytes, found {found}")]
pub struct KeyLengthError {
    /// Length of the rejected key in bytes.
    pub found: usize,
}

/// An AES key of any size.
#[derive(Clone, Copy)]
pub enum AesKey<'k> {
    /// 128 bits.
    Aes128(&'k [u8; 16]),
    /// 192 bits.
    Aes192(&'k [u8; 24]),
    /// 256 bits.
    Aes256(&'k [u8; 32]),
}

impl<'k> AesKey<'k> {
    /// Creates a key from 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`KeyLengthError`] for any other length.
    pub fn new(key: &'k [u8]) -> Result<Self, KeyLengthError> {
        let short = key.try_into().map(Self::Aes128);
        short
            .or_else(|_| key.try_into().map(Self::Aes192))
            .or_else(|_| key.try_into().map(Self::Aes256))
            .map_err(|_| KeyLengthError { found: key.len() })
    }

    /// Returns one of many concatenated keys of a size, counted from 0.
    ///
    /// # Panics
    /// If there are no more than `index` keys.
    pub fn nth(size: KeySize, keys: &'k [u8], index: usize) -> Self {
        match size {
            KeySize::Aes128 => Self::Aes128(&keys.as_chunks().0[index]),
            KeySize::Aes192 => Self::Aes192(&keys.as_chunks().0[index]),
            KeySize::Aes256 => Self::Aes256(&keys.as_chunks().0[index]),
        }
    }

    /// Size of the key.
    pub const fn size(self) -> KeySize {
        match self {
            Self::Aes128(_) => KeySize::Aes128,
            Self::Aes192(_) => KeySize::Aes192,
            Self::Aes256(_) => KeySize::Aes256,
        }
    }

    /// The key's bytes.
    pub const fn bytes(self) -> &'k [u8] {
        match self {
            Self::Aes128(key) => key,
            Self::Aes192(key) => key,
            Self::Aes256(key) => key,
        }
    }
}

impl<'k> From<&'k [u8; 16]> for AesKey<'k> {
    fn from(key: &'k [u8; 16]) -> Self {
        Self::Aes128(key)
    }
}

impl<'k> From<&'k [u8; 24]> for AesKey<'k> {
    fn from(key: &'k [u8; 24]) -> Self {
        Self::Aes192(key)
    }
}

impl<'k> From<&'k [u8; 32]> for AesKey<'k> {
    fn from(key: &'k [u8; 32]) -> Self {
        Self::Aes256(key)
    }
}

impl fmt::Debug for AesKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AesKey({:?})", self.size())
    }
}
