//! AES: long messages, and orders in AES-GCM.

use ::aes::{Aes128, Aes192, Aes256};
use ::ctr::Ctr128BE;
use aes_gcm::aead::consts::U12;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm};

use crate::ciphers::aes::ctr::Ctr;
use crate::ciphers::aes::gcm::{self, Gcm, Record};
use crate::ciphers::aes::{self, AesKey, KeySize};
use crate::ciphers::cpu::Backend;

use super::fixtures::bytes;
use super::{LARGE, ORDER_SIZES, Row, SIZES, USUAL, USUAL_ORDER, orders_at_once, ours, rustcrypto};

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(rustcrypto::ecb::<Aes128>("aes-128"));
    rows.extend(rustcrypto::ecb::<Aes256>("aes-256"));
    rows.extend(rustcrypto::ctr::<Ctr128BE<Aes128>>("aes-128"));
    rows.extend(rustcrypto::ctr::<Ctr128BE<Aes256>>("aes-256"));
    rows.extend(rustcrypto::aead::<Aes128Gcm>("aes-128-gcm"));
    let extra = |row: Row| row.extra(true);
    rows.extend(rustcrypto::aead::<AesGcm<Aes192, U12>>("aes-192-gcm").into_iter().map(extra));
    rows.extend(rustcrypto::aead::<Aes256Gcm>("aes-256-gcm"));
    for backend in ours(aes::BACKENDS) {
        for (key, ctr_name, gcm_name) in [
            (KeySize::Aes128, "aes-128", "aes-128-gcm"),
            (KeySize::Aes256, "aes-256", "aes-256-gcm"),
        ] {
            rows.extend(ctr(ctr_name, key, backend));
            rows.extend(gcm(gcm_name, key, backend));
        }
        // Between the two others: measured only on request.
        rows.extend(gcm("aes-192-gcm", KeySize::Aes192, backend).into_iter().map(extra));
    }
    rows
}

/// Rows for a message in counter mode.
fn ctr(cipher: &'static str, key: KeySize, backend: Backend) -> impl Iterator<Item = Row> {
    SIZES.into_iter().map(move |size| {
        let set_up = move || {
            let key = Ctr::new(backend, AesKey::nth(key, &bytes(key.bytes()), 0));
            let mut text = bytes(size);
            move || key.apply128(&[7; 16], &mut text)
        };
        Row::new("ctr", cipher, backend.name(), size, set_up).extra(size != USUAL)
    })
}

/// Rows for AES-GCM in the forms of [`rustcrypto::aead`].
fn gcm(cipher: &'static str, key: KeySize, backend: Backend) -> Vec<Row> {
    let case = Case { cipher, key, backend };
    let long = [USUAL, LARGE].map(|size| case.seal_one_key(size, 1).extra(size != USUAL));
    let orders = ORDER_SIZES.into_iter().flat_map(|size| {
        [case.seal_one_key(size, orders_at_once(size)), case.seal(size), case.open(size)]
            .map(|row| row.extra(size != USUAL_ORDER))
    });
    long.into_iter().chain(orders).collect()
}

#[derive(Clone, Copy)]
struct Case {
    cipher: &'static str,
    key: KeySize,
    backend: Backend,
}

impl Case {
    /// Seals messages under one prepared key.
    fn seal_one_key(self, size: usize, count: usize) -> Row {
        let set_up = move || {
            let bytes_of_key = bytes(self.key.bytes());
            let key = Gcm::new(self.backend, AesKey::nth(self.key, &bytes_of_key, 0));
            let mut texts = bytes(count * size);
            move || key.seal_many(&mut records(&mut texts, size))
        };
        Row::new("seal-one-key", self.cipher, self.backend.name(), size, set_up).batch(count)
    }

    /// Seals orders, each under its own key.
    fn seal(self, size: usize) -> Row {
        let count = orders_at_once(size);
        let set_up = move || {
            let keys = bytes(count * self.key.bytes());
            let mut texts = bytes(count * size);
            move || gcm::seal_each(self.backend, self.key, &keys, &mut records(&mut texts, size))
        };
        Row::new("seal", self.cipher, self.backend.name(), size, set_up).batch(count)
    }

    /// Opens orders, each under its own key; opening works in place, so each order is copied first.
    fn open(self, size: usize) -> Row {
        let count = orders_at_once(size);
        let set_up = move || {
            let keys = bytes(count * self.key.bytes());
            let mut sealed = bytes(count * size);
            let mut made = records(&mut sealed, size);
            gcm::seal_each(self.backend, self.key, &keys, &mut made);
            let tags: Vec<[u8; 16]> = made.iter().map(|record| record.tag).collect();
            let (mut texts, mut valid) = (sealed.clone(), vec![false; count]);
            move || {
                texts.copy_from_slice(&sealed);
                let mut records = records(&mut texts, size);
                for (record, tag) in records.iter_mut().zip(&tags) {
                    record.tag = *tag;
                }
                gcm::open_each(self.backend, self.key, &keys, &mut records, &mut valid);
                assert!(valid.iter().all(|valid| *valid), "what was sealed above opens");
            }
        };
        Row::new("open", self.cipher, self.backend.name(), size, set_up).batch(count)
    }
}

fn records(texts: &mut [u8], size: usize) -> Vec<Record<'_>> {
    let record = |text| Record { iv: [7; 12], aad: b"", text, tag: [0; 16] };
    texts.chunks_exact_mut(size).map(record).collect()
}
