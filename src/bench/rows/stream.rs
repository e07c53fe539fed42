//! Stream ciphers: Grain-128AEADv2 and Vernam; and a memory copy as the upper limit.

use std::hint::black_box;

use crate::ciphers::cpu::Backend;
use crate::ciphers::grain::{self, Grain, KEY_BYTES, NONCE_BYTES};
use crate::ciphers::vernam::Pad;

use super::fixtures::{array, bytes, rng};
use super::{Row, SIZES, USUAL, USUAL_ORDER, orders_at_once, ours};

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for backend in ours(grain::BACKENDS) {
        rows.push(seal(backend, USUAL_ORDER, orders_at_once(USUAL_ORDER)));
        rows.extend(SIZES.map(|size| seal(backend, size, 1).extra(size != USUAL)));
    }
    rows.extend(SIZES.map(|size| vernam(size).extra(size != USUAL)));
    rows.extend(SIZES.map(|size| copy(size).extra(size != USUAL)));
    rows
}

fn seal(backend: Backend, size: usize, count: usize) -> Row {
    let set_up = move || {
        let key = Grain::new(&array::<KEY_BYTES>());
        let mut texts = bytes(count * size);
        move || {
            for text in texts.chunks_exact_mut(size) {
                black_box(key.seal(backend, &[7; NONCE_BYTES], b"", text));
            }
        }
    };
    Row::new("seal", "grain128", backend.name(), size, set_up).batch(count)
}

fn vernam(size: usize) -> Row {
    Row::new("xor", "vernam", "portable", size, move || {
        let pad = Pad::generate(size, &mut rng());
        let mut text = bytes(size);
        move || pad.xor(pad.range(), &mut text).expect("the pad is as long as the text")
    })
}

/// A copy: the upper limit for any cipher that reads from one buffer and writes to another.
fn copy(size: usize) -> Row {
    Row::new("copy", "none", "portable", size, move || {
        let (from, mut to) = (bytes(size), bytes(size));
        move || black_box(&mut to[..]).copy_from_slice(black_box(&from[..]))
    })
}
