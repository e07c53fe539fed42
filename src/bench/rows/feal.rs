//! FEAL-8.

use crate::ciphers::cpu::Backend;
use crate::ciphers::feal::{self, BLOCK_BYTES, Block, Feal, KEY_BYTES, Message, Rounds};

use super::fixtures::{array, arrays};
use super::{MESSAGES, Row, SIZES, USUAL, ours};

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for backend in ours(feal::BACKENDS) {
        rows.extend(SIZES.map(|size| cbc_decrypt(backend, size).extra(size != USUAL)));
        rows.push(cbc_encrypt(backend));
    }
    rows.into_iter().map(|row| row.weak(true)).collect()
}

fn cbc_decrypt(backend: Backend, size: usize) -> Row {
    Row::new("cbc-decrypt", "feal8", backend.name(), size, move || {
        let key = Feal::new(&array(), Rounds::EIGHT);
        let mut text = arrays(size / BLOCK_BYTES);
        move || key.cbc_decrypt(backend, &IV, &mut text)
    })
}

/// Messages, each under its own key.
fn cbc_encrypt(backend: Backend) -> Row {
    let (count, size) = MESSAGES;
    let set_up = move || {
        let key = |bytes: &[u8; KEY_BYTES]| Feal::new(bytes, Rounds::EIGHT);
        let keys: Vec<Feal> = arrays(count).iter().map(key).collect();
        let mut texts = arrays(count * size / BLOCK_BYTES);
        move || {
            let texts = texts.chunks_exact_mut(size / BLOCK_BYTES);
            let message = |(key, text)| Message::new(key, &IV, text);
            let mut messages: Vec<_> = keys.iter().zip(texts).map(message).collect();
            feal::cbc_encrypt_many(backend, &mut messages);
        }
    };
    Row::new("cbc-encrypt", "feal8", backend.name(), size, set_up).batch(count)
}

const IV: Block = [7; BLOCK_BYTES];
