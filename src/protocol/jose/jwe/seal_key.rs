//! A key made ready for sealing.

use super::header::{Carries, HeaderText};
use crate::ciphers::Secret;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::PublicKey;
use crate::ciphers::wrap::{WrapAlgorithm, WrappingKey};
use crate::protocol::jose::jwk::{Jwk, Material};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Alg, Enc, KeyTrouble, Kid, Suite};

/// A distributed key made ready, with what the header says of it. At transaction scope every order
/// has one of its own, so that it borrows whatever needs no making.
#[derive(Debug)]
pub struct SealingKey<'k> {
    pub(super) purpose: Purpose<'k>,
    suite: Suite,
    kid: Option<&'k Kid>,
    carries: Carries,
}

/// What a distributed key does.
#[derive(Debug)]
pub(super) enum Purpose<'k> {
    /// Encrypts orders itself.
    Direct(ContentCipher, &'k Secret),
    /// Encrypts one order, from its first byte on.
    Pad(ContentCipher, &'k Pad),
    /// Wraps content-encryption keys.
    Wrap(ContentCipher, WrappingKey<'k>),
    /// Encrypts orders in blocks of RSA.
    Blocks(&'k PublicKey),
}

impl<'k> SealingKey<'k> {
    /// Makes a key ready for lines that carry what is said.
    ///
    /// # Errors
    /// [`KeyTrouble`] when the key does not fit the algorithms, or the cipher refuses it.
    pub fn new(key: &'k Jwk, suite: Suite, carries: Carries) -> Result<Self, KeyTrouble> {
        let purpose = purpose(&key.material, suite)?;
        Ok(Self { purpose, suite, kid: key.kid.as_ref(), carries })
    }

    /// Begins the header of a line.
    pub(super) fn begin_header(&self, header: &mut HeaderText) {
        header.begin(self.suite, self.kid);
        if let Some((name, value)) = self.carries.member() {
            header.text(name, value);
        }
    }
}

fn purpose(material: &Material, suite: Suite) -> Result<Purpose<'_>, KeyTrouble> {
    match (suite.alg(), suite.enc()) {
        (Alg::Direct, Enc::Cipher(cipher)) if cipher.takes_pad() => match material {
            Material::Pad(pad) => Ok(Purpose::Pad(cipher, pad)),
            _ => Err(unfit(material, suite)),
        },
        (Alg::Direct, Enc::Cipher(cipher)) => {
            let key = secret(material, suite)?;
            cipher.check_key(key)?;
            Ok(Purpose::Direct(cipher, key))
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
) -> Result<WrappingKey<'_>, KeyTrouble> {
    match algorithm {
        WrapAlgorithm::A128Kw | WrapAlgorithm::A256Kw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(WrappingKey::AesKw(key))
        }
        WrapAlgorithm::A128GcmKw | WrapAlgorithm::A256GcmKw => {
            let key = secret(material, suite)?;
            algorithm.check_key(key)?;
            Ok(WrappingKey::AesGcmKw(key))
        }
        WrapAlgorithm::RsaOaep256 => Ok(WrappingKey::Rsa(public(material, suite)?)),
        WrapAlgorithm::MhKnapsack => match material.public_knapsack() {
            Some(key) => Ok(WrappingKey::Knapsack(key)),
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

fn public(material: &Material, suite: Suite) -> Result<&PublicKey, KeyTrouble> {
    material.public_rsa().ok_or_else(|| unfit(material, suite))
}

/// A key of one kind where another is needed.
pub(super) fn unfit(material: &Material, suite: Suite) -> KeyTrouble {
    KeyTrouble::Unfit(format!("{} does not fit {suite}", material.name()))
}
