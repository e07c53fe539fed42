//! Key management: the `alg` of a sealed order, which carries a content-encryption key (CEK)
//! under a key-encryption key (KEK).

pub mod aes_kw;
mod gcm_kw;
mod rsa;

use rand::Rng;

use crate::ciphers::cpu::Backend;
use crate::ciphers::knapsack;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{PrivateKey, PublicKey};
use crate::ciphers::{CipherError, Secret};

/// A key-management algorithm that wraps keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WrapAlgorithm {
    /// AES-128 key wrap (RFC 3394; RFC 7518 section 4.4).
    A128Kw,
    /// AES-256 key wrap (RFC 3394; RFC 7518 section 4.4).
    A256Kw,
    /// AES-128-GCM as key wrap (RFC 7518 section 4.7).
    A128GcmKw,
    /// AES-256-GCM as key wrap (RFC 7518 section 4.7).
    A256GcmKw,
    /// RSA-OAEP with SHA-256 (RFC 7518 section 4.3).
    RsaOaep256,
    /// The Merkle–Hellman knapsack. Weak: broken in 1982.
    MhKnapsack,
}

impl WrapAlgorithm {
    /// Every wrapping algorithm.
    pub const ALL: [Self; 6] = [
        Self::A256Kw,
        Self::A128Kw,
        Self::A256GcmKw,
        Self::A128GcmKw,
        Self::RsaOaep256,
        Self::MhKnapsack,
    ];

    /// The algorithm with that `alg` name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The `alg` name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Kw => "A128KW",
            Self::A256Kw => "A256KW",
            Self::A128GcmKw => "A128GCMKW",
            Self::A256GcmKw => "A256GCMKW",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::MhKnapsack => "MH-KNAPSACK",
        }
    }

    /// Whether the wrapping key is public.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::RsaOaep256 | Self::MhKnapsack)
    }

    /// Whether the algorithm is for teaching only.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::MhKnapsack)
    }

    /// Whether each wrapping draws a random 96-bit IV, so that a key serves 2³² times at most
    /// (NIST SP 800-38D section 8.3).
    pub const fn draws_iv(self) -> bool {
        matches!(self, Self::A128GcmKw | Self::A256GcmKw)
    }

    /// Length of a secret key in bytes, or `None` where keys are public.
    pub const fn key_len(self) -> Option<usize> {
        match self {
            Self::A128Kw | Self::A128GcmKw => Some(16),
            Self::A256Kw | Self::A256GcmKw => Some(32),
            Self::RsaOaep256 | Self::MhKnapsack => None,
        }
    }

    /// Checks the length of a secret key.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`].
    pub fn check_key(self, key: &[u8]) -> Result<(), CipherError> {
        match self.key_len() {
            Some(expected) if expected != key.len() => {
                Err(CipherError::KeyLength { cipher: self.name(), expected, found: key.len() })
            }
            _ => Ok(()),
        }
    }
}

/// A key that wraps. Secret bytes are good as they are, and borrowed.
#[derive(Debug)]
pub enum WrappingKey<'k> {
    /// AES key wrap: 16 or 32 bytes.
    AesKw(&'k Secret),
    /// AES-GCM key wrap: 16 or 32 bytes.
    AesGcmKw(&'k Secret),
    /// The public half of an RSA pair.
    Rsa(&'k PublicKey),
    /// A public knapsack.
    Knapsack(&'k knapsack::PublicKey),
}

/// A key that unwraps, wherever it is kept.
#[derive(Debug, Clone, Copy)]
pub enum UnwrappingKey<'k> {
    /// AES key wrap: 16 or 32 bytes.
    AesKw(&'k Secret),
    /// AES-GCM key wrap: 16 or 32 bytes.
    AesGcmKw(&'k Secret),
    /// An RSA pair.
    Rsa(&'k PrivateKey),
    /// A secret knapsack.
    Knapsack(&'k knapsack::PrivateKey),
}

/// Wrapped keys, one after the other.
#[derive(Debug, Default)]
pub struct Wrapped {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// IV and tag of each, in the GCM forms.
    gcm: Vec<([u8; 12], [u8; 16])>,
}

impl Wrapped {
    /// The JWE encrypted key of that number; empty if nothing was wrapped.
    pub fn encrypted_key(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else { return b"" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..end]
    }

    /// The IV and tag that go into the header, in the GCM forms.
    pub fn iv_and_tag(&self, index: usize) -> Option<&([u8; 12], [u8; 16])> {
        self.gcm.get(index)
    }

    /// Makes room for a key, and returns it.
    fn push(&mut self, len: usize) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        self.ends.push(self.bytes.len());
        &mut self.bytes[start..]
    }
}

/// A key to be unwrapped.
#[derive(Debug)]
pub struct UnwrapJob<'a> {
    /// The key that unwraps.
    pub kek: UnwrappingKey<'a>,
    /// The wrapped key.
    pub encrypted_key: &'a [u8],
    /// IV and tag from the header, which the GCM forms need.
    pub gcm: Option<&'a ([u8; 12], [u8; 16])>,
    /// Room for the key, filled with random bytes beforehand. A failed unwrapping leaves them, so
    /// that what follows fails in one way only: by its authentication tag (RFC 7516 section 11.5).
    pub cek: &'a mut [u8],
}

/// Wraps keys, all of one length (a multiple of 8 bytes, 16 at least): each under the KEK of the
/// same number, which are for one algorithm.
///
/// # Panics
/// Panics if there are not as many KEKs as keys.
pub fn wrap(
    backend: Backend,
    keks: &[&WrappingKey<'_>],
    ceks: &[&[u8]],
    rng: &mut KeyStream,
) -> Wrapped {
    assert_eq!(keks.len(), ceks.len(), "a KEK for each key");
    let mut wrapped = Wrapped::default();
    match keks.first() {
        None => {}
        Some(WrappingKey::AesKw(_)) => aes_kw::wrap(backend, keks, ceks, &mut wrapped),
        Some(WrappingKey::AesGcmKw(_)) => {
            for (kek, cek) in keks.iter().zip(ceks) {
                if let WrappingKey::AesGcmKw(kek) = kek {
                    let mut iv = [0; 12];
                    rng.fill_bytes(&mut iv);
                    let room = wrapped.push(cek.len());
                    room.copy_from_slice(cek);
                    let tag = gcm_kw::wrap(backend, kek, &iv, room);
                    wrapped.gcm.push((iv, tag));
                }
            }
        }
        Some(WrappingKey::Rsa(_)) => rsa::wrap(backend, keks, ceks, rng, &mut wrapped),
        Some(WrappingKey::Knapsack(_)) => {
            for (kek, cek) in keks.iter().zip(ceks) {
                if let WrappingKey::Knapsack(kek) = kek {
                    let sums = kek.encrypt(cek).expect("a knapsack of ours takes any key");
                    wrapped.push(sums.len()).copy_from_slice(&sums);
                }
            }
        }
    }
    wrapped
}

/// Unwraps a key for each job; where that fails, the random bytes that were there stay.
pub fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_>], rng: &mut KeyStream) {
    for run in jobs.chunk_by_mut(|a, b| same_kind(a, b)) {
        match run[0].kek {
            UnwrappingKey::AesKw(_) => aes_kw::unwrap(backend, run),
            UnwrappingKey::AesGcmKw(_) => {
                run.iter_mut().for_each(|job| gcm_kw::unwrap(backend, job));
            }
            UnwrappingKey::Rsa(_) => rsa::unwrap(backend, run, rng),
            UnwrappingKey::Knapsack(_) => run.iter_mut().for_each(unwrap_knapsack),
        }
    }
}

/// Whether two jobs can be done side by side.
fn same_kind(a: &UnwrapJob<'_>, b: &UnwrapJob<'_>) -> bool {
    match (a.kek, b.kek) {
        (UnwrappingKey::AesKw(one), UnwrappingKey::AesKw(other)) => {
            one.len() == other.len()
                && a.cek.len() == b.cek.len()
                && a.encrypted_key.len() == b.encrypted_key.len()
        }
        (one, other) => std::mem::discriminant(&one) == std::mem::discriminant(&other),
    }
}

fn unwrap_knapsack(job: &mut UnwrapJob<'_>) {
    if let UnwrappingKey::Knapsack(kek) = job.kek
        && let Ok(found) = kek.decrypt(job.encrypted_key, job.cek.len())
    {
        job.cek.copy_from_slice(&found);
    }
}

#[cfg(test)]
mod tests;
