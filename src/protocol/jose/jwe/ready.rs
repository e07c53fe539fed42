//! The keys of a file, ready for use.

use std::sync::Arc;

use super::seal_key::unfit;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::rsa::PrivateKey;
use crate::ciphers::wrap::{UnwrappingKey, WrapAlgorithm};
use crate::ciphers::{CipherError, Secret};
use crate::protocol::jose::jwk::{Jwk, Material};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Alg, Enc, KeyTrouble, Suite};
use crate::protocol::store::keyfile::KeyFile;

type Checked<T> = Result<T, KeyTrouble>;

/// A key that is ready for use.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ready<'k> {
    Direct(&'k Secret),
    Pad(&'k Pad),
    Unwrap(UnwrappingKey<'k>),
    Blocks(&'k PrivateKey),
}

/// A key file.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: Arc<KeyFile>,
    /// The number of its first key among those of all files.
    pub(super) first: usize,
}

impl Held {
    /// A file whose first key has that number among those of all files.
    pub(super) fn new(file: Arc<KeyFile>, first: usize) -> Self {
        Self { file, first }
    }

    /// The key of that number.
    pub(super) fn key(&self, number: usize) -> &Jwk {
        &self.file.keys()[number - self.first]
    }

    /// The key of that number, for the algorithms of an order.
    pub(super) fn ready(&self, number: usize, suite: Suite) -> Checked<Ready<'_>> {
        let material = &self.key(number).material;
        match (suite.alg(), suite.enc()) {
            (Alg::Direct, Enc::Cipher(cipher)) if cipher.takes_pad() => match material {
                Material::Pad(pad) => Ok(Ready::Pad(pad)),
                _ => Err(unfit(material, suite)),
            },
            (Alg::Direct, Enc::Cipher(cipher)) => {
                let key = secret(material, suite)?;
                length(cipher, key)?;
                Ok(Ready::Direct(key))
            }
            (Alg::Direct, Enc::RsaBlocks) => match material {
                Material::PrivateRsa(key) => Ok(Ready::Blocks(key)),
                _ => Err(unfit(material, suite)),
            },
            (Alg::Wrap(algorithm), _) => {
                self.unwrapping_key(number, suite, algorithm).map(Ready::Unwrap)
            }
        }
    }

    fn unwrapping_key(
        &self,
        number: usize,
        suite: Suite,
        algorithm: WrapAlgorithm,
    ) -> Checked<UnwrappingKey<'_>> {
        let material = &self.key(number).material;
        match algorithm {
            WrapAlgorithm::A128Kw | WrapAlgorithm::A256Kw => {
                let key = secret(material, suite)?;
                algorithm.check_key(key)?;
                Ok(UnwrappingKey::AesKw(key))
            }
            WrapAlgorithm::A128GcmKw | WrapAlgorithm::A256GcmKw => {
                let key = secret(material, suite)?;
                algorithm.check_key(key)?;
                Ok(UnwrappingKey::AesGcmKw(key))
            }
            WrapAlgorithm::RsaOaep256 => match material {
                Material::PrivateRsa(key) => Ok(UnwrappingKey::Rsa(key)),
                _ => Err(unfit(material, suite)),
            },
            WrapAlgorithm::MhKnapsack => match material {
                Material::PrivateKnapsack(key) => Ok(UnwrappingKey::Knapsack(key)),
                _ => Err(unfit(material, suite)),
            },
        }
    }
}

/// Old data may lie under a weak key: reading asks for the length only.
fn length(cipher: ContentCipher, key: &[u8]) -> Result<(), CipherError> {
    match cipher.check_key(key) {
        Err(CipherError::WeakKey { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

fn secret(material: &Material, suite: Suite) -> Checked<&Secret> {
    match material {
        Material::Secret(secret) => Ok(secret),
        _ => Err(unfit(material, suite)),
    }
}
