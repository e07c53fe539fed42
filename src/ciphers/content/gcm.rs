//! AES in Galois/Counter Mode (NIST SP 800-38D), many records at a time.

use super::{Keys, Record, sized};
use crate::ciphers::aes::gcm::{self, Gcm};
use crate::ciphers::aes::{AesKey, KeySize};
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::part;

pub(super) fn seal(backend: Backend, size: KeySize, keys: Keys<'_>, records: &mut [Record<'_>]) {
    let mut batch = batch(records);
    match keys {
        Keys::One(key) => cipher(backend, size, key).seal_many(&mut batch),
        Keys::Each(keys) => gcm::seal_each(backend, size, keys, &mut batch),
    }
    let tags: Vec<[u8; 16]> = batch.into_iter().map(|sealed| sealed.tag).collect();
    for (record, tag) in records.iter_mut().zip(tags) {
        record.tag[..tag.len()].copy_from_slice(&tag);
    }
}

pub(super) fn open(backend: Backend, size: KeySize, keys: Keys<'_>, records: &mut [Record<'_>]) {
    let mut valid = vec![false; records.len()];
    let mut batch = batch(records);
    match keys {
        Keys::One(key) => cipher(backend, size, key).open_many(&mut batch, &mut valid),
        Keys::Each(keys) => gcm::open_each(backend, size, keys, &mut batch, &mut valid),
    }
    for (record, valid) in records.iter_mut().zip(valid) {
        record.authentic = valid;
        record.len = record.text.len();
    }
}

fn batch<'r>(records: &'r mut [Record<'_>]) -> Vec<gcm::Record<'r>> {
    records
        .iter_mut()
        .map(|record| gcm::Record {
            iv: *sized::<&[u8; 12]>(record.iv),
            aad: record.aad,
            text: record.text,
            tag: *part::<0, _, _>(&record.tag),
        })
        .collect()
}

fn cipher(backend: Backend, size: KeySize, key: &[u8]) -> Gcm {
    let key = match size {
        KeySize::Aes128 => AesKey::Aes128(sized(key)),
        KeySize::Aes192 => AesKey::Aes192(sized(key)),
        KeySize::Aes256 => AesKey::Aes256(sized(key)),
    };
    Gcm::new(backend, key)
}
