//! The modes of AES and DES by aws-lc-rs. Its users call it with an IV of their own where drawing
//! one would be timed otherwise.

use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey,
    EncryptionContext, UnboundCipherKey,
};
#[allow(deprecated, reason = "it is old data that such rows are about")]
use aws_lc_rs::cipher::{DES_EDE3_FOR_LEGACY_USE_ONLY, DES_FOR_LEGACY_USE_ONLY};
use orderseal::bench::rows::Row;
use orderseal::bench::rows::fixtures::bytes;

use super::{AWS_LC, like};

/// Every byte of the IV of our rows.
pub const IV: u8 = 7;

/// What a text is encrypted by.
#[derive(Clone, Copy)]
pub struct Cipher {
    algorithm: &'static Algorithm,
    /// Bytes of a key and of a block.
    pub key: usize,
    block: usize,
}

impl Cipher {
    /// The cipher of that name in an id.
    #[allow(deprecated, reason = "it is old data that such rows are about")]
    pub fn from_name(name: &str) -> Option<Self> {
        let (algorithm, key, block) = match name {
            "aes-128" => (&AES_128, 16, 16),
            "aes-256" => (&AES_256, 32, 16),
            "des" => (&DES_FOR_LEGACY_USE_ONLY, 8, 8),
            "des-ede3" => (&DES_EDE3_FOR_LEGACY_USE_ONLY, 24, 8),
            _ => return None,
        };
        Some(Self { algorithm, key, block })
    }

    fn unbound(self, key: &[u8]) -> UnboundCipherKey {
        UnboundCipherKey::new(self.algorithm, key).expect("a key of its length")
    }

    /// A key that is ready, for an operation of ours; none if that is another, or AES-ECB: no kernel
    /// of ours does that, and this library does it block by block.
    pub fn encryptor(self, operation: &str, key: &[u8]) -> Option<Encryptor> {
        let key = self.unbound(key);
        let key = match operation {
            "ctr" if self.block == 16 => EncryptingKey::ctr(key),
            "ecb" if self.block == 8 => EncryptingKey::ecb(key),
            "cbc-encrypt" => EncryptingKey::cbc(key),
            _ => return None,
        };
        let key = key.expect("a key that is not weak, in a mode of the cipher");
        Some(Encryptor { key, iv: (operation != "ecb").then_some(self.block) })
    }

    /// A key that is ready for CBC decryption.
    pub fn decryptor(self, key: &[u8]) -> Decryptor {
        let key = DecryptingKey::cbc(self.unbound(key)).expect("a key that is not weak");
        Decryptor { key, iv: self.block }
    }
}

/// A key that is ready to encrypt.
pub struct Encryptor {
    key: EncryptingKey,
    /// Bytes of the IV, if there is one.
    iv: Option<usize>,
}

impl Encryptor {
    /// Encrypts in place.
    pub fn encrypt(&self, text: &mut [u8]) {
        let context = match self.iv {
            None => EncryptionContext::None,
            Some(8) => EncryptionContext::Iv64([IV; 8].into()),
            Some(_) => EncryptionContext::Iv128([IV; 16].into()),
        };
        self.key.less_safe_encrypt(text, context).expect("whole blocks");
    }
}

/// A key that is ready to decrypt.
pub struct Decryptor {
    key: DecryptingKey,
    /// Bytes of the IV.
    iv: usize,
}

impl Decryptor {
    /// Decrypts in place.
    pub fn decrypt(&self, text: &mut [u8]) {
        let context = match self.iv {
            8 => DecryptionContext::Iv64([IV; 8].into()),
            _ => DecryptionContext::Iv128([IV; 16].into()),
        };
        self.key.decrypt(text, context).expect("whole blocks");
    }
}

/// The answer to the question of one of our rows, if it is about such a mode.
pub fn answer(ours: &Row) -> Option<Row> {
    let cipher = Cipher::from_name(&ours.cipher)?;
    let (size, count, operation) = (ours.size, ours.operations as usize, ours.operation);
    match operation {
        "ctr" | "ecb" => {
            cipher.encryptor(operation, &bytes(cipher.key))?;
            Some(like(ours, AWS_LC, move || {
                let key = cipher.encryptor(operation, &bytes(cipher.key)).expect("as above");
                let mut text = bytes(size);
                move || key.encrypt(&mut text)
            }))
        }
        "cbc-decrypt" => Some(like(ours, AWS_LC, move || {
            let key = cipher.decryptor(&bytes(cipher.key));
            let mut text = bytes(size);
            move || key.decrypt(&mut text)
        })),
        // Messages under a key each.
        "cbc-encrypt" => Some(like(ours, AWS_LC, move || {
            let keys = bytes(count * cipher.key);
            let mut texts = bytes(count * size);
            move || {
                for (key, text) in keys.chunks_exact(cipher.key).zip(texts.chunks_exact_mut(size)) {
                    cipher.encryptor(operation, key).expect("it encrypts").encrypt(text);
                }
            }
        })),
        _ => None,
    }
}
