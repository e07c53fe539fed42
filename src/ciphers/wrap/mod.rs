//! Key management: the `alg` of a sealed order, which transports a content-encryption key (CEK)
//! under a key-encryption key (KEK).

pub mod aes_kw;
mod gcm_kw;
mod rsa;

use crate::ciphers::CipherError;
use crate::ciphers::cpu::Backend;
use crate::ciphers::knapsack;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{PrivateKey, PublicKey};

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

    /// Returns the algorithm with the given `alg` name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the `alg` name.
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

    /// Whether the algorithm is only for teaching.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::MhKnapsack)
    }

    /// Whether each wrapping draws a random 96-bit IV, which limits a key to 2³² uses (NIST SP
    /// 800-38D section 8.3).
    pub const fn draws_iv(self) -> bool {
        matches!(self, Self::A128GcmKw | Self::A256GcmKw)
    }

    /// Length of a secret key in bytes; `None` for public keys.
    pub const fn key_len(self) -> Option<usize> {
        match self {
            Self::A128Kw | Self::A128GcmKw => Some(16),
            Self::A256Kw | Self::A256GcmKw => Some(32),
            Self::RsaOaep256 | Self::MhKnapsack => None,
        }
    }

    /// Returns a secret key as an array of the algorithm's size.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`] for any other length.
    pub fn sized<const N: usize>(self, key: &[u8]) -> Result<&[u8; N], CipherError> {
        let (cipher, found) = (self.name(), key.len());
        key.try_into().map_err(|_| CipherError::KeyLength { cipher, expected: N, found })
    }
}

/// A value shared by all items of a batch, or one value per item.
#[derive(Debug, Clone)]
pub enum OneOrEach<T> {
    /// One value for all items.
    One(T),
    /// One value per item, in order.
    Each(Vec<T>),
}

impl<T> OneOrEach<T> {
    /// Returns the value for the item with the given index.
    ///
    /// # Panics
    /// Panics if each item has its own value and the index is out of range.
    pub fn of(&self, index: usize) -> &T {
        match self {
            Self::One(one) => one,
            Self::Each(each) => &each[index],
        }
    }

    /// Applies `make` to each value.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> OneOrEach<U> {
        match self {
            Self::One(one) => OneOrEach::One(make(one)),
            Self::Each(each) => OneOrEach::Each(each.iter().map(make).collect()),
        }
    }

    /// Applies `make` to each value and stops at the first error.
    ///
    /// # Errors
    /// The first error that `make` returns.
    pub fn try_map<U, E>(&self, make: impl Fn(&T) -> Result<U, E>) -> Result<OneOrEach<U>, E> {
        Ok(match self {
            Self::One(one) => OneOrEach::One(make(one)?),
            Self::Each(each) => OneOrEach::Each(each.iter().map(make).collect::<Result<_, _>>()?),
        })
    }

    /// Returns all values in order, or the single shared one.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Each(each) => each,
        }
    }
}

/// Wrapping keys, all for one algorithm, borrowed from their owner.
#[derive(Debug, Clone)]
pub enum WrappingKeys<'k> {
    /// AES-128 key wrap.
    A128Kw(OneOrEach<&'k [u8; 16]>),
    /// AES-256 key wrap.
    A256Kw(OneOrEach<&'k [u8; 32]>),
    /// AES-128-GCM key wrap.
    A128GcmKw(OneOrEach<&'k [u8; 16]>),
    /// AES-256-GCM key wrap.
    A256GcmKw(OneOrEach<&'k [u8; 32]>),
    /// RSA public keys.
    Rsa(OneOrEach<&'k PublicKey>),
    /// Knapsack public keys.
    Knapsack(OneOrEach<&'k knapsack::PublicKey>),
}

/// An unwrapping key, borrowed from its owner.
#[derive(Debug, Clone, Copy)]
pub enum UnwrappingKey<'k> {
    /// AES-128 key wrap.
    A128Kw(&'k [u8; 16]),
    /// AES-256 key wrap.
    A256Kw(&'k [u8; 32]),
    /// AES-128-GCM key wrap.
    A128GcmKw(&'k [u8; 16]),
    /// AES-256-GCM key wrap.
    A256GcmKw(&'k [u8; 32]),
    /// An RSA private key.
    Rsa(&'k PrivateKey),
    /// A knapsack private key.
    Knapsack(&'k knapsack::PrivateKey),
}

/// Wrapped keys, concatenated.
#[derive(Debug, Default)]
pub struct Wrapped {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// IV and tag of each key, in the GCM forms.
    gcm: Vec<([u8; 12], [u8; 16])>,
}

impl Wrapped {
    /// Returns the JWE encrypted key with the given index; empty if nothing was wrapped.
    pub fn encrypted_key(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else { return b"" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..end]
    }

    /// Returns the IV and tag for the header, in the GCM forms.
    pub fn iv_and_tag(&self, index: usize) -> Option<&([u8; 12], [u8; 16])> {
        self.gcm.get(index)
    }

    /// Appends room for a key and returns it.
    fn push(&mut self, len: usize) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        self.ends.push(self.bytes.len());
        &mut self.bytes[start..]
    }
}

/// A key to unwrap.
#[derive(Debug)]
pub struct UnwrapJob<'a> {
    /// The unwrapping key.
    pub kek: UnwrappingKey<'a>,
    /// The wrapped key.
    pub encrypted_key: &'a [u8],
    /// IV and tag from the header, required by the GCM forms.
    pub gcm: Option<&'a ([u8; 12], [u8; 16])>,
    /// Buffer for the key, filled with random bytes beforehand. If unwrapping fails, they stay, so
    /// that decryption fails in one way only: by its authentication tag (RFC 7516 section 11.5).
    pub cek: &'a mut [u8],
}

/// Wraps keys, all of one length (a multiple of 8 bytes, at least 16). `first` is the index of the
/// first key among all keys that the KEKs are for.
///
/// # Panics
/// Panics if each key has its own KEK and there are too few.
pub fn wrap(
    backend: Backend,
    keks: &WrappingKeys<'_>,
    first: usize,
    ceks: &[&[u8]],
    rng: &mut KeyStream,
) -> Wrapped {
    let mut wrapped = Wrapped::default();
    match keks {
        WrappingKeys::A128Kw(keks) => aes_kw::wrap(backend, keks, first, ceks, &mut wrapped),
        WrappingKeys::A256Kw(keks) => aes_kw::wrap(backend, keks, first, ceks, &mut wrapped),
        WrappingKeys::A128GcmKw(keks) => {
            gcm_kw::wrap(backend, keks, first, ceks, rng, &mut wrapped);
        }
        WrappingKeys::A256GcmKw(keks) => {
            gcm_kw::wrap(backend, keks, first, ceks, rng, &mut wrapped);
        }
        WrappingKeys::Rsa(keks) => rsa::wrap(backend, keks, first, ceks, rng, &mut wrapped),
        WrappingKeys::Knapsack(keks) => {
            for (index, cek) in (first..).zip(ceks) {
                let sums = keks.of(index).encrypt(cek).expect("a knapsack of ours takes any key");
                wrapped.push(sums.len()).copy_from_slice(&sums);
            }
        }
    }
    wrapped
}

/// Unwraps a key for each job; if that fails, the random bytes in its buffer stay.
pub fn unwrap(backend: Backend, jobs: &mut [UnwrapJob<'_>], rng: &mut KeyStream) {
    for run in jobs.chunk_by_mut(|a, b| same_kind(a, b)) {
        match run[0].kek {
            UnwrappingKey::A128Kw(_) | UnwrappingKey::A256Kw(_) => aes_kw::unwrap(backend, run),
            UnwrappingKey::A128GcmKw(_) | UnwrappingKey::A256GcmKw(_) => {
                run.iter_mut().for_each(|job| gcm_kw::unwrap(backend, job));
            }
            UnwrappingKey::Rsa(_) => rsa::unwrap(backend, run, rng),
            UnwrappingKey::Knapsack(_) => run.iter_mut().for_each(unwrap_knapsack),
        }
    }
}

/// Whether two jobs can be processed in one batch.
fn same_kind(a: &UnwrapJob<'_>, b: &UnwrapJob<'_>) -> bool {
    let same_lengths = a.cek.len() == b.cek.len() && a.encrypted_key.len() == b.encrypted_key.len();
    std::mem::discriminant(&a.kek) == std::mem::discriminant(&b.kek)
        && match a.kek {
            UnwrappingKey::A128Kw(_) | UnwrappingKey::A256Kw(_) => same_lengths,
            UnwrappingKey::A128GcmKw(_)
            | UnwrappingKey::A256GcmKw(_)
            | UnwrappingKey::Rsa(_)
            | UnwrappingKey::Knapsack(_) => true,
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
