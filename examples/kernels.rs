//! The AES kernels alone: records under a key each, and the keys wrapped, on every backend.
//!
//!     cargo run --release --example kernels

use std::time::Instant;

use orderseal::ciphers::aes::gcm::{Record, open_each, seal_each};
use orderseal::ciphers::aes::kw::{Keks, OVERHEAD, wrap_many};
use orderseal::ciphers::aes::{AesKey, KeySize};
use orderseal::ciphers::cpu::Backend;

const RECORDS: usize = 10_000;
const TEXT: usize = 256;

fn main() {
    // Keys that can be told apart; in use they are random.
    let keys: Vec<u8> = (0..RECORDS * 32).map(|i| (i / 32 + i) as u8).collect();
    let keks = Keks::one(AesKey::from(&[7; 32]));
    let mut first = None;
    for backend in Backend::available() {
        let start = Instant::now();
        let mut texts = vec![[b'.'; TEXT]; RECORDS];
        let mut records: Vec<Record<'_>> = texts
            .iter_mut()
            .map(|text| Record { iv: [0; 12], aad: b"", text, tag: [0; 16] })
            .collect();
        seal_each(backend, KeySize::Aes256, &keys, &mut records);
        let mut wrapped = vec![0; RECORDS * (32 + OVERHEAD)];
        wrap_many(backend, keks, 32, &keys, &mut wrapped);
        println!("{:10} {RECORDS} records in {:.3?}", backend.name(), start.elapsed());

        let tags: Vec<[u8; 16]> = records.iter().map(|record| record.tag).collect();
        let mut valid = vec![false; RECORDS];
        open_each(backend, KeySize::Aes256, &keys, &mut records, &mut valid);
        assert!(valid.iter().all(|valid| *valid), "every record opens");
        let same = first.get_or_insert_with(|| (tags.clone(), wrapped.clone()));
        assert_eq!((&tags, &wrapped), (&same.0, &same.1), "every backend gives the same");
    }
}
