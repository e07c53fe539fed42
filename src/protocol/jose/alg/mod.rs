//! Key management: from the key that a client or a shop holds to the key that encrypts an order.
//!
//! There is one file for each family of algorithms. It prepares keys for sealing and for opening,
//! wraps and unwraps in batches, and writes, reads and checks the header members that the family
//! adds. This file only dispatches to them, by full matches; `ready` does so by the use that a suite
//! makes of its key.

mod aes_kw;
mod batch;
mod cipher_kw;
mod direct;
pub(super) mod ecdh;
mod knapsack;
pub(super) mod one_time_pad;
mod pbes2;
mod ready;
pub(super) mod rsa_blocks;
mod rsa_oaep;
#[cfg(test)]
mod tests;

use crate::ciphers::Secret;
use crate::ciphers::aes::{AesKey, KeySize};
use crate::ciphers::content::{ContentCipher, MAX_IV, MAX_TAG};
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh as curves;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{OaepHash, PrivateKey, PublicKey};
use crate::protocol::jose::json::{Object, ObjectText};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk, KeyRef};
use crate::protocol::jose::password::{Derivation, OpeningPassword};
use crate::protocol::model::{Alg, KeyError, Malformed, Suite, Unfit, WrapAlgorithm};
pub(super) use batch::{OneOrEach, UnwrapJob, Wrapped};
pub use ecdh::Agreement;
use ecdh::Purpose;
pub(super) use ready::{OpenBy, Opening, SealBy, Sealing};

/// Wrapping keys, all for one algorithm.
#[derive(Debug)]
pub(super) enum Wrapping<'k> {
    /// AES key wrap.
    AesKw(OneOrEach<AesKey<'k>>),
    /// A content cipher.
    Cipher(ContentCipher, OneOrEach<&'k Secret>),
    /// RSA-OAEP.
    RsaOaep(OaepHash, OneOrEach<&'k PublicKey>),
    /// Key agreement, and AES key wrap under the agreed key.
    EcdhEs(KeySize, OneOrEach<&'k curves::PublicKey>),
    /// The knapsack.
    Knapsack(OneOrEach<&'k knapsack::PublicKey>),
}

/// An unwrapping key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unwrapping<'k> {
    /// AES key wrap.
    AesKw(AesKey<'k>),
    /// A content cipher.
    Cipher(ContentCipher, &'k Secret),
    /// RSA-OAEP.
    RsaOaep(OaepHash, &'k PrivateKey),
    /// Key agreement.
    EcdhEs(&'k curves::PrivateKey, Purpose),
    /// AES key wrap under keys derived from a password.
    Password(&'k OpeningPassword),
    /// The knapsack.
    Knapsack(&'k knapsack::PrivateKey),
}

/// What the header of an order carries beside its encrypted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyParams {
    /// Nothing.
    None,
    /// IV and tag of a content cipher that wrapped the key (RFC 7518 section 4.7.1), each followed by
    /// zeros.
    IvAndTag(ContentCipher, [u8; MAX_IV], [u8; MAX_TAG]),
    /// Ephemeral key and information about the parties of a key agreement (RFC 7518 section 4.6.1).
    Agreement(Box<Agreement>),
    /// Salt and rounds of a derivation from a password (RFC 7518 section 4.8.1).
    Pbes2(Box<Derivation>),
}

impl KeyParams {
    /// The derivation of a key from a password.
    pub(in crate::protocol) fn derivation(&self) -> Option<&Derivation> {
        match self {
            Self::Pbes2(derivation) => Some(derivation),
            Self::None | Self::IvAndTag(..) | Self::Agreement(_) => None,
        }
    }

    /// Reads the members of the algorithm with this name; they may be missing.
    pub(super) fn read(alg: &str, members: &Object) -> Result<Self, Malformed> {
        let cipher = match Alg::from_name(alg) {
            Some(Alg::Password(algorithm)) => return pbes2::read(algorithm, members),
            Some(Alg::Wrap(algorithm)) => algorithm.cipher(),
            Some(Alg::Direct | Alg::Agree) | None => None,
        };
        match cipher {
            Some(cipher) => cipher_kw::read(cipher, members),
            None => ecdh::read(members),
        }
    }

    /// Parses the members in the form that this program writes most often; `None` if they have any
    /// other.
    pub(super) fn plain(alg: &str, members: &[u8]) -> Option<Self> {
        ecdh::plain(alg, members)
    }

    /// Writes the members.
    pub(super) fn write(&self, header: &mut ObjectText) {
        match self {
            Self::None => {}
            Self::IvAndTag(cipher, iv, tag) => cipher_kw::write(*cipher, iv, tag, header),
            Self::Agreement(agreement) => agreement.write(header),
            Self::Pbes2(derivation) => pbes2::write(derivation, header),
        }
    }
}

impl<'k> Wrapping<'k> {
    fn prepare(
        keys: &OneOrEach<&'k Jwk<EncryptingKey>>,
        algorithm: WrapAlgorithm,
        suite: Suite,
    ) -> Result<Self, KeyError> {
        let aes = |key: &&'k Jwk<_>, size| aes_kw::wrapping_key(&key.material, size, suite);
        let cipher = |key: &&'k Jwk<_>, it| cipher_kw::wrapping_key(&key.material, it, suite);
        Ok(match algorithm {
            WrapAlgorithm::AesKw(size) => Self::AesKw(keys.try_map(|key| aes(key, size))?),
            WrapAlgorithm::AesGcmKw(size) => {
                let gcm = ContentCipher::gcm(size);
                Self::Cipher(gcm, keys.try_map(|key| cipher(key, gcm))?)
            }
            WrapAlgorithm::CipherKw(own) => {
                Self::Cipher(own.cipher(), keys.try_map(|key| cipher(key, own.cipher()))?)
            }
            WrapAlgorithm::RsaOaep(hash) => Self::RsaOaep(
                hash,
                keys.try_map(|key| rsa_oaep::wrapping_key(&key.material, suite))?,
            ),
            WrapAlgorithm::EcdhEs(size) => {
                let keys = keys.try_map(|key| ecdh::sealing_key(&key.material, suite))?;
                Self::EcdhEs(size, keys)
            }
            WrapAlgorithm::MhKnapsack => {
                Self::Knapsack(keys.try_map(|key| knapsack::wrapping_key(&key.material, suite))?)
            }
        })
    }

    /// Number of orders worth sealing together to fill the lanes of the cipher.
    fn at_once(&self) -> usize {
        match self {
            Self::Cipher(cipher, _) => cipher.at_once(),
            Self::AesKw(_) | Self::RsaOaep(..) | Self::EcdhEs(..) | Self::Knapsack(_) => 1,
        }
    }

    /// Wraps keys, all of one length (a multiple of 8 bytes, at least 16). `first` is the index of
    /// the first key among all keys of the batch.
    ///
    /// # Panics
    /// If each key has its own wrapping key and there are too few.
    pub(super) fn wrap(
        &self,
        backend: Backend,
        first: usize,
        ceks: &[&[u8]],
        rng: &mut KeyStream,
    ) -> Wrapped {
        let mut wrapped = Wrapped::default();
        match self {
            Self::AesKw(keks) => aes_kw::wrap(backend, keks, first, ceks, &mut wrapped),
            Self::Cipher(cipher, keks) => {
                cipher_kw::wrap(backend, (*cipher, keks), first, ceks, rng, &mut wrapped);
            }
            Self::RsaOaep(hash, keks) => {
                rsa_oaep::wrap(backend, (*hash, keks), first, ceks, rng, &mut wrapped);
            }
            Self::EcdhEs(size, keks) => {
                ecdh::wrap(backend, (*size, keks), first, ceks, rng, &mut wrapped);
            }
            Self::Knapsack(keks) => knapsack::wrap(keks, first, ceks, &mut wrapped),
        }
        wrapped
    }
}

impl<'k> Unwrapping<'k> {
    fn prepare(key: KeyRef<'k>, algorithm: WrapAlgorithm, suite: Suite) -> Result<Self, KeyError> {
        Ok(match algorithm {
            WrapAlgorithm::AesKw(size) => Self::AesKw(aes_kw::unwrapping_key(key, size, suite)?),
            WrapAlgorithm::AesGcmKw(size) => {
                let gcm = ContentCipher::gcm(size);
                Self::Cipher(gcm, cipher_kw::unwrapping_key(key, gcm, suite)?)
            }
            WrapAlgorithm::CipherKw(own) => {
                let cipher = own.cipher();
                Self::Cipher(cipher, cipher_kw::unwrapping_key(key, cipher, suite)?)
            }
            WrapAlgorithm::RsaOaep(hash) => {
                Self::RsaOaep(hash, rsa_oaep::unwrapping_key(key, suite)?)
            }
            WrapAlgorithm::EcdhEs(size) => {
                Self::EcdhEs(ecdh::opening_key(key, suite)?, Purpose::Kek(size))
            }
            WrapAlgorithm::MhKnapsack => Self::Knapsack(knapsack::unwrapping_key(key, suite)?),
        })
    }

    /// Agrees with this key on a content-encryption key for the cipher.
    pub(super) fn content(key: &'k curves::PrivateKey, cipher: ContentCipher) -> Self {
        Self::EcdhEs(key, Purpose::Content(cipher))
    }

    /// Checks that the header has the members that the algorithm needs.
    fn check(self, params: &KeyParams) -> Result<(), Malformed> {
        match self {
            Self::Cipher(cipher, _) => cipher_kw::check(cipher, params),
            Self::EcdhEs(key, _) => ecdh::check(key, params),
            Self::Password(_) => pbes2::check(params),
            Self::AesKw(_) | Self::RsaOaep(..) | Self::Knapsack(_) => Ok(()),
        }
    }
}

/// Keys to unwrap together, by family.
#[derive(Debug, Default)]
pub(super) struct UnwrapJobs<'a> {
    /// Number of keys expected in all, mostly of one family.
    expected: usize,
    aes_kw: Vec<UnwrapJob<'a, AesKey<'a>>>,
    cipher_kw: Vec<UnwrapJob<'a, cipher_kw::CipherKey<'a>>>,
    rsa_oaep: Vec<UnwrapJob<'a, (OaepHash, &'a PrivateKey)>>,
    agreed: Vec<UnwrapJob<'a, (&'a curves::PrivateKey, Purpose)>>,
    password: Vec<UnwrapJob<'a, &'a OpeningPassword>>,
    knapsack: Vec<UnwrapJob<'a, &'a knapsack::PrivateKey>>,
}

impl<'a> UnwrapJobs<'a> {
    /// Makes room for keys.
    pub(super) fn with_capacity(expected: usize) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Adds a key.
    pub(super) fn push(&mut self, job: UnwrapJob<'a>) {
        fn add<K>(jobs: &mut Vec<K>, expected: usize, job: K) {
            if jobs.is_empty() {
                jobs.reserve(expected);
            }
            jobs.push(job);
        }
        let expected = self.expected;
        match job.key {
            Unwrapping::AesKw(key) => add(&mut self.aes_kw, expected, job.with(key)),
            Unwrapping::Cipher(cipher, key) => {
                add(&mut self.cipher_kw, expected, job.with((cipher, key)));
            }
            Unwrapping::RsaOaep(hash, key) => {
                add(&mut self.rsa_oaep, expected, job.with((hash, key)));
            }
            Unwrapping::EcdhEs(key, purpose) => {
                add(&mut self.agreed, expected, job.with((key, purpose)));
            }
            Unwrapping::Password(key) => add(&mut self.password, expected, job.with(key)),
            Unwrapping::Knapsack(key) => add(&mut self.knapsack, expected, job.with(key)),
        }
    }

    /// Unwraps all keys; where that fails, the random bytes in the buffer stay.
    pub(super) fn unwrap(mut self, backend: Backend, rng: &mut KeyStream) {
        let Self { expected: _, aes_kw, cipher_kw, rsa_oaep, agreed, password, knapsack } =
            &mut self;
        aes_kw::unwrap(backend, aes_kw);
        cipher_kw::unwrap(backend, cipher_kw);
        rsa_oaep::unwrap(backend, rsa_oaep, rng);
        ecdh::unwrap(backend, agreed);
        pbes2::unwrap(backend, password);
        knapsack::unwrap(knapsack);
    }
}

/// Returns the key found, or the error for a key of another kind, which is named for the message.
fn fitting<T>(found: Option<T>, key: &'static str, suite: Suite) -> Result<T, KeyError> {
    found.ok_or_else(|| Unfit::Suite { key, suite }.into())
}
