//! Transport encodings: base64url, and the chunks of a sealed stream.

use std::hint::black_box;

use crate::ciphers::chunked::{CHUNK_LEN, KEY_LEN, Message, SALT_LEN, SEALED_CHUNK_LEN};
use crate::ciphers::cpu::Backend;
use crate::ciphers::{aes, base64url};

use super::fixtures::{array, bytes};
use super::{Row, USUAL_ORDER, available, widest};

/// Number of chunks per iteration: as many as `encrypt` has in a block.
const CHUNKS: usize = 64;

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for size in [32, USUAL_ORDER, 16 << 10] {
        for backend in available(base64url::BACKENDS) {
            rows.extend(encoding(backend, size).map(|row| row.extra(size != USUAL_ORDER)));
        }
    }
    for backend in available(aes::BACKENDS) {
        let usual = backend.name() == widest(aes::BACKENDS).name();
        rows.extend(stream(backend).map(|row| row.extra(!usual)));
    }
    rows
}

fn encoding(backend: Backend, size: usize) -> [Row; 2] {
    let name = match backend.name() {
        "rustcrypto" => "base64-simd",
        name => name,
    };
    let encode = move || {
        let (bytes, mut text) = (bytes(size), vec![0; base64url::encoded_length(size)]);
        move || {
            black_box(base64url::encode(backend, &bytes, &mut text));
        }
    };
    let decode = move || {
        let mut bytes = bytes(size);
        let mut text = vec![0; base64url::encoded_length(size)];
        base64url::encode(backend, &bytes, &mut text);
        move || {
            bytes.clear();
            base64url::decode_append(backend, &text, &mut bytes).expect("what was encoded above");
        }
    };
    [
        Row::new("encode", "base64url", name, size, encode),
        Row::new("decode", "base64url", name, size, decode),
    ]
}

fn stream(backend: Backend) -> [Row; 2] {
    let ready = move || {
        let message = Message::new(backend, &array::<KEY_LEN>(), &array::<SALT_LEN>(), b"bench");
        (message, bytes(CHUNKS * SEALED_CHUNK_LEN))
    };
    let seal = move || {
        let (message, mut cells) = ready();
        move || message.seal(0, &mut cells).expect("far from too long")
    };
    let open = move || {
        let (message, mut sealed) = ready();
        message.seal(0, &mut sealed).expect("far from too long");
        let mut cells = sealed.clone();
        move || {
            cells.copy_from_slice(&sealed);
            message.open(0, &mut cells, false).expect("what was sealed above");
        }
    };
    let (cipher, name) = ("aes-256-gcm", backend.name());
    [
        Row::new("seal-stream", cipher, name, CHUNK_LEN, seal).batch(CHUNKS),
        Row::new("open-stream", cipher, name, CHUNK_LEN, open).batch(CHUNKS),
    ]
}
