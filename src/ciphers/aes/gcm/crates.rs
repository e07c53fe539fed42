//! GCM with the crate `aes-gcm`, one record at a time.

use ::aes::Aes192;
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, KeyInit};
use zeroize::Zeroize;

use super::Record;
use crate::ciphers::aes::AesKey;

type Aes192Gcm = AesGcm<Aes192, U12>;

/// An expanded key of the crate `aes-gcm`.
pub(super) enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<Aes192Gcm>),
    Aes256(Box<Aes256Gcm>),
}

impl Cipher {
    pub(super) fn new(key: AesKey<'_>) -> Self {
        match key {
            AesKey::Aes128(key) => Self::Aes128(Box::new(Aes128Gcm::new(key.into()))),
            AesKey::Aes192(key) => Self::Aes192(Box::new(Aes192Gcm::new(key.into()))),
            AesKey::Aes256(key) => Self::Aes256(Box::new(Aes256Gcm::new(key.into()))),
        }
    }

    pub(super) fn seal(&self, record: &mut Record<'_>) {
        let (iv, text) = (record.iv.into(), (&mut *record.text).into());
        let tag = match self {
            Self::Aes128(cipher) => cipher.encrypt_inout_detached(&iv, record.aad, text),
            Self::Aes192(cipher) => cipher.encrypt_inout_detached(&iv, record.aad, text),
            Self::Aes256(cipher) => cipher.encrypt_inout_detached(&iv, record.aad, text),
        };
        record.tag = tag.expect("the text is not too long").into();
    }

    pub(super) fn open(&self, record: &mut Record<'_>) -> bool {
        let (iv, tag) = (record.iv.into(), record.tag.into());
        let text = (&mut *record.text).into();
        let opened = match self {
            Self::Aes128(cipher) => cipher.decrypt_inout_detached(&iv, record.aad, text, &tag),
            Self::Aes192(cipher) => cipher.decrypt_inout_detached(&iv, record.aad, text, &tag),
            Self::Aes256(cipher) => cipher.decrypt_inout_detached(&iv, record.aad, text, &tag),
        };
        if opened.is_err() {
            record.text.zeroize();
        }
        opened.is_ok()
    }
}
