//! Unauthenticated ciphers.

use std::marker::PhantomData;

use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt};
use aes::cipher::{InnerIvInit, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use sha2::{Sha256, Sha384, Sha512};

use super::then_mac::{MacHash, RawCipher, RawText};
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::whole_blocks;
use crate::ciphers::des::{self, DesKey, Message, TripleDesKey};
use crate::ciphers::feal::{self, Feal, Rounds};
use crate::ciphers::toy_des::{Key, SBox, ToyDes};
use crate::ciphers::vernam;

/// Backends with their own AES-CBC code: only the crates.
pub(super) const AES_BACKENDS: &[&str] = &["rustcrypto"];

/// AES (FIPS 197) in CBC mode (NIST SP 800-38A section 6.2), from the crates `aes` and `cbc`.
pub(super) struct AesCbc<C, H>(PhantomData<(C, H)>);

/// AES with the hash functions of RFC 7518 sections 5.2.3 to 5.2.5.
pub(super) type Aes128Cbc = AesCbc<Aes128, Sha256>;
pub(super) type Aes192Cbc = AesCbc<Aes192, Sha384>;
pub(super) type Aes256Cbc = AesCbc<Aes256, Sha512>;

/// DES (FIPS 46-3) in CBC mode.
pub(super) struct DesCbc;

/// Triple DES with three keys (FIPS 46-3) in CBC mode.
pub(super) struct DesEde3Cbc;

/// FEAL-8 in CBC mode.
pub(super) struct Feal8Cbc;

/// The toy DES with its S-box, one byte at a time.
pub(super) struct ToyDesEcb(pub(super) SBox);

/// Exclusive-or with a pad; the key has as many bytes as the text. The IV gives the position in the
/// whole pad and is ignored by the cipher.
pub(super) struct Vernam;

impl<C, H> AesCbc<C, H> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<C, H> RawCipher for AesCbc<C, H>
where
    C: KeyInit + BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt<BlockSize = U16>,
    H: MacHash,
{
    type Hash = H;
    type Key<'a> = &'a Array<u8, C::KeySize>;
    type Iv<'a> = &'a [u8; 16];

    const KEY_LEN: usize = C::KeySize::USIZE;
    const IV_LEN: usize = 16;
    const BLOCK_LEN: usize = 16;

    fn encrypt(&self, _backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            let mut mode = cbc::Encryptor::inner_iv_init(C::new(text.key), text.iv.into());
            mode.encrypt_blocks(Array::slice_as_chunks_mut(text.blocks).0);
        }
    }

    fn decrypt(&self, _backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            let mut mode = cbc::Decryptor::inner_iv_init(C::new(text.key), text.iv.into());
            mode.decrypt_blocks(Array::slice_as_chunks_mut(text.blocks).0);
        }
    }
}

impl RawCipher for DesCbc {
    type Hash = Sha256;
    type Key<'a> = &'a [u8; 8];
    type Iv<'a> = &'a [u8; 8];

    const KEY_LEN: usize = 8;
    const IV_LEN: usize = 8;
    const BLOCK_LEN: usize = 8;

    fn encrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        let keys: Vec<DesKey> = keys(texts);
        des::cbc_encrypt_many(backend, &mut messages(&keys, texts));
    }

    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        let keys: Vec<DesKey> = keys(texts);
        des::cbc_decrypt_many(backend, &mut messages(&keys, texts));
    }

    fn weakness(&self, key: &[u8]) -> Option<String> {
        let key: [u8; 8] = key.try_into().ok()?;
        DesKey::from(key).check().err().map(|weak| weak.to_string())
    }
}

impl RawCipher for DesEde3Cbc {
    type Hash = Sha256;
    type Key<'a> = &'a [u8; 24];
    type Iv<'a> = &'a [u8; 8];

    const KEY_LEN: usize = 24;
    const IV_LEN: usize = 8;
    const BLOCK_LEN: usize = 8;

    fn encrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        let keys: Vec<TripleDesKey> = keys(texts);
        des::cbc_encrypt_many(backend, &mut messages(&keys, texts));
    }

    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        let keys: Vec<TripleDesKey> = keys(texts);
        des::cbc_decrypt_many(backend, &mut messages(&keys, texts));
    }

    fn weakness(&self, key: &[u8]) -> Option<String> {
        let key: [u8; 24] = key.try_into().ok()?;
        TripleDesKey::from(key).check().err().map(|weak| weak.to_string())
    }
}

fn keys<'t, C, K, const N: usize>(texts: &[RawText<'t, C>]) -> Vec<K>
where
    C: RawCipher<Key<'t> = &'t [u8; N]>,
    K: From<[u8; N]>,
{
    texts.iter().map(|text| K::from(*text.key)).collect()
}

fn messages<'m, 't: 'm, C, K>(keys: &'m [K], texts: &'m mut [RawText<'t, C>]) -> Vec<Message<'m, K>>
where
    C: RawCipher<Iv<'t> = &'t [u8; 8]>,
{
    let message = |(key, text): (&'m K, &'m mut RawText<'t, C>)| Message {
        key,
        iv: *text.iv,
        data: whole_blocks(text.blocks),
    };
    keys.iter().zip(texts).map(message).collect()
}

impl RawCipher for Feal8Cbc {
    type Hash = Sha256;
    type Key<'a> = &'a [u8; 8];
    type Iv<'a> = &'a [u8; 8];

    const KEY_LEN: usize = 8;
    const IV_LEN: usize = 8;
    const BLOCK_LEN: usize = 8;

    fn encrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        let keys: Vec<Feal> = texts.iter().map(expand).collect();
        let texts = keys.iter().zip(texts);
        let mut messages: Vec<_> = texts
            .map(|(key, text)| feal::Message::new(key, text.iv, whole_blocks(text.blocks)))
            .collect();
        feal::cbc_encrypt_many(backend, &mut messages);
    }

    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            expand(text).cbc_decrypt(backend, text.iv, whole_blocks(text.blocks));
        }
    }
}

fn expand(text: &RawText<'_, Feal8Cbc>) -> Feal {
    Feal::new(text.key, Rounds::EIGHT)
}

impl RawCipher for ToyDesEcb {
    type Hash = Sha256;
    type Key<'a> = &'a [u8; 8];
    type Iv<'a> = &'a [u8; 0];

    const KEY_LEN: usize = 8;
    const IV_LEN: usize = 0;
    const BLOCK_LEN: usize = 1;

    fn encrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            self.expand(text.key).encrypt(backend, text.blocks);
        }
    }

    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            self.expand(text.key).decrypt(backend, text.blocks);
        }
    }

    fn weakness(&self, key: &[u8]) -> Option<String> {
        let key = u64::from_be_bytes(key.try_into().ok()?);
        (key >> 12 != 0).then(|| "it has more than 12 bits".to_owned())
    }
}

impl ToyDesEcb {
    /// Sets up the cipher with the low 12 bits of an 8-byte key.
    fn expand(&self, key: &[u8; 8]) -> ToyDes {
        ToyDes::new(&Key::from_low_bits(u64::from_be_bytes(*key)), &self.0)
    }
}

impl RawCipher for Vernam {
    type Hash = Sha256;
    type Key<'a> = &'a [u8];
    type Iv<'a> = &'a [u8; 8];

    const KEY_LEN: usize = 0;
    const IV_LEN: usize = 8;
    const BLOCK_LEN: usize = 1;

    fn key_len(text_len: usize) -> usize {
        text_len
    }

    fn encrypt(&self, _backend: Backend, texts: &mut [RawText<'_, Self>]) {
        for text in texts {
            vernam::exclusive_or(text.blocks, text.key);
        }
    }

    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]) {
        self.encrypt(backend, texts);
    }
}
