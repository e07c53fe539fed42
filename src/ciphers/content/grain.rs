//! Grain-128AEADv2, record by record.

use super::{Keys, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::grain::Grain;

const KEY_LEN: usize = 16;
const TAG_LEN: usize = 8;

pub(super) fn seal(backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
    for (index, record) in records.iter_mut().enumerate() {
        let tag = grain(keys, index).seal(backend, nonce(record), record.aad, record.text);
        record.tag[..TAG_LEN].copy_from_slice(&tag);
    }
}

pub(super) fn open(backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
    for (index, record) in records.iter_mut().enumerate() {
        let tag = record.tag[..TAG_LEN].try_into().expect("room for 8 bytes");
        let opened = grain(keys, index).open(backend, nonce(record), record.aad, record.text, tag);
        record.authentic = opened.is_ok();
        record.len = record.text.len();
    }
}

fn grain(keys: Keys<'_>, index: usize) -> Grain {
    Grain::new(keys.of(index, KEY_LEN).try_into().expect("a key of 16 bytes"))
}

fn nonce<'r>(record: &Record<'r>) -> &'r [u8; 12] {
    record.iv.try_into().expect("a nonce of 12 bytes")
}
