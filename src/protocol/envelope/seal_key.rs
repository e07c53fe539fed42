//! A key made ready for sealing.

use super::header::{Carries, HeaderText};
use crate::ciphers::Secret;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::PublicKey;
use crate::ciphers::wrap::{WrapAlgorithm, WrappingKey};
use crate::protocol::jwk::{Jwk, Material};
use crate::protocol::pad::Pad;
use crate::protocol::{Alg, Enc, KeyTrouble, Suite};

/// A distributed key, expanded, with the header that goes with it.
#[derive(Debug)]
pub struct SealingKey {
    pub(super) purpose: Purpose,
    pub(super) header: HeaderText,
    /// The whole header in base64url, good for every order whose header has nothing of its own.
    pub(super) fixed_header: Vec<u8>,
}

/// What a distributed key does.
#[derive(Debug)]
pub(super) enum Purpose {
    /// Encrypts orders itself.
    Direct(ContentCipher, Secret),
    /// Encrypts one order, from its first byte on.
    Pad(ContentCipher, Pad),
    /// Wraps content-encryption keys.
    Wrap(ContentCipher, WrappingKey),
    /// Encrypts orders in blocks of RSA.
    Blocks(Box<PublicKey>),
}

impl SealingKey {
    /// Makes a key ready for lines that carry what is said.
    ///
    /// # Errors
    /// [`KeyTrouble`] when the key does not fit the algorithms, or the cipher refuses it.
    pub fn new(key: &Jwk, suite: Suite, carries: Carries) -> Result<Self, KeyTrouble> {
        let mut header = HeaderText::new(suite, key.kid.as_ref());
        if let Some((name, value)) = carries.member() {
            header.text(name, value);
        }
        let mut fixed_header = Vec::new();
        header.encode_to(&mut fixed_header);
        Ok(Self { purpose: purpose(&key.material, suite)?, header, fixed_header })
    }
}

fn purpose(material: &Material, suite: Suite) -> Result<Purpose, KeyTrouble> {
    match (suite.alg(), suite.enc()) {
        (Alg::Direct, Enc::Cipher(cipher)) if cipher.takes_pad() => match material {
            Material::Pad(pad) => Ok(Purpose::Pad(cipher, pad.clone())),
            _ => Err(unfit(material, suite)),
        },
        (Alg::Direct, Enc::Cipher(cipher)) => {
            let key = secret(material, suite)?;
            cipher.check_key(key)?;
            Ok(Purpose::Direct(cipher, key.clone()))
        }
        (Alg::Wrap(algorithm), Enc::Cipher(cipher)) => {
            Ok(Purpose::Wrap(cipher, wrapping_key(material, suite, algorithm)?))
        }
        (Alg::Direct, Enc::RsaBlocks) => Ok(Purpose::Blocks(public(material, suite)?)),
        (Alg::Wrap(_), Enc::RsaBlocks) => unreachable!("no such suite can be made"),
    }
}

fn wrapping_key(
    material: &Material,
    suite: Suite,
    algorithm: WrapAlgorithm,
) -> Result<WrappingKey, KeyTrouble> {
    match algorithm {
        WrapAlgorithm::A128Kw | WrapAlgorithm::A256Kw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(WrappingKey::AesKw(key.clone()))
        }
        WrapAlgorithm::A128GcmKw | WrapAlgorithm::A256GcmKw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(WrappingKey::AesGcmKw(key.clone()))
        }
        WrapAlgorithm::RsaOaep256 => Ok(WrappingKey::Rsa(public(material, suite)?)),
        WrapAlgorithm::MhKnapsack => match material.public_knapsack() {
            Some(key) => Ok(WrappingKey::Knapsack(Box::new(key.map_err(KeyTrouble::Unfit)?))),
            None => Err(unfit(material, suite)),
        },
    }
}

fn secret(material: &Material, suite: Suite) -> Result<&Secret, KeyTrouble> {
    match material {
        Material::Secret(secret) => Ok(secret),
        _ => Err(unfit(material, suite)),
    }
}

fn public(material: &Material, suite: Suite) -> Result<Box<PublicKey>, KeyTrouble> {
    match material.public_rsa() {
        Some(key) => Ok(Box::new(key.map_err(KeyTrouble::Unfit)?)),
        None => Err(unfit(material, suite)),
    }
}

/// A key of one kind where another is needed.
pub(super) fn unfit(material: &Material, suite: Suite) -> KeyTrouble {
    KeyTrouble::Unfit(format!("{} does not fit {suite}", material.name()))
}
