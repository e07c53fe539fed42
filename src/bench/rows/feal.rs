//! FEAL-8.

use crate::ciphers::cpu::Backend;
use crate::ciphers::feal::{self, BLOCK_BYTES, Block, Feal, KEY_BYTES, Message, Rounds};

use super::fixtures::{bytes, pieces};
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
        let key = key(&bytes(KEY_BYTES));
        let mut text = bytes(size);
        move || key.cbc_decrypt(backend, &IV, &mut text).expect("whole blocks")
    })
}

/// Messages, each under its own key.
fn cbc_encrypt(backend: Backend) -> Row {
    let (count, size) = MESSAGES;
    let set_up = move || {
        let keys: Vec<Feal> = pieces(count, KEY_BYTES).iter().map(|bytes| key(bytes)).collect();
        let mut texts = bytes(count * size);
        move || {
            let mut messages: Vec<_> = keys
                .iter()
                .zip(texts.chunks_exact_mut(size))
                .map(|(key, text)| Message::new(key, &IV, text).expect("whole blocks"))
                .collect();
            feal::cbc_encrypt_many(backend, &mut messages);
        }
    };
    Row::new("cbc-encrypt", "feal8", backend.name(), size, set_up).batch(count)
}

const IV: Block = [7; BLOCK_BYTES];

fn key(bytes: &[u8]) -> Feal {
    Feal::new(bytes.try_into().expect("8 bytes"), Rounds::EIGHT)
}
