//! Key wrap with the crate `aes-kw`, one key at a time.

use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256};
use zeroize::Zeroize;

use super::{Keks, OVERHEAD, Unwrap, Wrap};
use crate::ciphers::aes::AesKey;

/// An expanded key-encryption key of the crate `aes-kw`.
enum Kek {
    Aes128(Box<KwAes128>),
    Aes192(Box<KwAes192>),
    Aes256(Box<KwAes256>),
}

impl Kek {
    fn new(key: AesKey<'_>) -> Self {
        match key {
            AesKey::Aes128(key) => Self::Aes128(Box::new(KwAes128::new(key.into()))),
            AesKey::Aes192(key) => Self::Aes192(Box::new(KwAes192::new(key.into()))),
            AesKey::Aes256(key) => Self::Aes256(Box::new(KwAes256::new(key.into()))),
        }
    }

    fn wrap(&self, cek: &[u8], wrapped: &mut [u8]) {
        let done = match self {
            Self::Aes128(kek) => kek.wrap_key(cek, wrapped),
            Self::Aes192(kek) => kek.wrap_key(cek, wrapped),
            Self::Aes256(kek) => kek.wrap_key(cek, wrapped),
        };
        done.expect("the lengths were checked");
    }

    fn unwrap(&self, wrapped: &[u8], cek: &mut [u8]) -> bool {
        let valid = match self {
            Self::Aes128(kek) => kek.unwrap_key(wrapped, cek).is_ok(),
            Self::Aes192(kek) => kek.unwrap_key(wrapped, cek).is_ok(),
            Self::Aes256(kek) => kek.unwrap_key(wrapped, cek).is_ok(),
        };
        if !valid {
            cek.zeroize();
        }
        valid
    }
}

/// Calls `action` with the index of each content key and its KEK.
fn for_each(keks: Keks<'_>, count: usize, mut action: impl FnMut(usize, &Kek)) {
    if keks.each {
        for index in 0..count {
            action(index, &Kek::new(AesKey::nth(keks.size, keks.bytes, index)));
        }
    } else {
        let kek = Kek::new(AesKey::nth(keks.size, keks.bytes, 0));
        for index in 0..count {
            action(index, &kek);
        }
    }
}

pub(super) fn wrap(job: Wrap<'_>) {
    let Wrap { keks, length, ceks, wrapped } = job;
    for_each(keks, ceks.len() / length, |index, kek| {
        let cek = &ceks[index * length..][..length];
        let longer = length + OVERHEAD;
        kek.wrap(cek, &mut wrapped[index * longer..][..longer]);
    });
}

pub(super) fn unwrap(job: Unwrap<'_>) {
    let Unwrap { keks, length, wrapped, ceks, valid } = job;
    for_each(keks, valid.len(), |index, kek| {
        let longer = length + OVERHEAD;
        let cek = &mut ceks[index * length..][..length];
        valid[index] = kek.unwrap(&wrapped[index * longer..][..longer], cek);
    });
}
