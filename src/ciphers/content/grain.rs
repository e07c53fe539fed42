//! Grain-128AEADv2, record by record.

use super::{Keys, Record, sized};
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::part;
use crate::ciphers::grain::Grain;

const KEY_LEN: usize = 16;
const TAG_LEN: usize = 8;

pub(super) fn seal(backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
    for (index, record) in records.iter_mut().enumerate() {
        let tag = grain(keys, index).seal(backend, sized(record.iv), record.aad, record.text);
        record.tag[..TAG_LEN].copy_from_slice(&tag);
    }
}

pub(super) fn open(backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
    for (index, record) in records.iter_mut().enumerate() {
        let (iv, tag) = (sized(record.iv), part::<0, _, _>(&record.tag));
        let opened = grain(keys, index).open(backend, iv, record.aad, record.text, tag);
        record.authentic = opened.is_ok();
        record.len = record.text.len();
    }
}

fn grain(keys: Keys<'_>, index: usize) -> Grain {
    Grain::new(sized(keys.of(index, KEY_LEN)))
}
