//! Wrapping and unwrapping content-encryption keys of 32 bytes under secret keys, and by the
//! knapsack.

use std::hint::black_box;

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use aes_kw::AesKw;
use orderseal::ciphers::aes::KeySize;
use orderseal::ciphers::aes::kw::{self, Keks, OVERHEAD};
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::knapsack::PrivateKey;

use super::fixtures::{bytes, rng};
use super::{CEK, Row, available};

const PEER: &str = "rustcrypto";

/// Keys that are wrapped in an iteration.
const MANY: usize = 1024;

/// Keys that the knapsack wraps in an iteration.
const FEW: usize = 8;

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(one_at_a_time::<Aes128>("aes-128-kw"));
    rows.extend(one_at_a_time::<Aes256>("aes-256-kw"));
    for backend in available(&["vaes", "avx512"]) {
        rows.extend(lanes("aes-128-kw", KeySize::Aes128, backend));
        rows.extend(lanes("aes-256-kw", KeySize::Aes256, backend));
    }
    rows.extend(knapsack().map(|row| row.weak(true)));
    rows
}

/// Many keys under one key-encryption key, by the crate `aes-kw`.
fn one_at_a_time<C>(cipher: &'static str) -> [Row; 2]
where
    C: BlockCipherEncrypt<BlockSize = U16>
        + BlockCipherDecrypt<BlockSize = U16>
        + KeyInit
        + Send
        + 'static,
{
    let ready = || {
        let kek = bytes(C::key_size());
        let kek = AesKw::<C>::new_from_slice(&kek).expect("a key of its length");
        let ceks = bytes(MANY * CEK);
        let mut wrapped = vec![0; MANY * (CEK + OVERHEAD)];
        wrap_all(&kek, &ceks, &mut wrapped);
        (kek, ceks, wrapped)
    };
    let wrap = move || {
        let (kek, ceks, mut wrapped) = ready();
        move || wrap_all(&kek, &ceks, &mut wrapped)
    };
    let unwrap = move || {
        let (kek, mut ceks, wrapped) = ready();
        move || {
            let wrapped = wrapped.chunks_exact(CEK + OVERHEAD);
            for (wrapped, cek) in wrapped.zip(ceks.chunks_exact_mut(CEK)) {
                kek.unwrap_key(wrapped, cek).expect("what was wrapped above");
            }
        }
    };
    [
        Row::new("wrap", cipher, PEER, CEK, wrap).batch(MANY),
        Row::new("unwrap", cipher, PEER, CEK, unwrap).batch(MANY),
    ]
}

fn wrap_all<C>(kek: &AesKw<C>, ceks: &[u8], wrapped: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = U16>,
{
    let wrapped = wrapped.chunks_exact_mut(CEK + OVERHEAD);
    for (cek, wrapped) in ceks.chunks_exact(CEK).zip(wrapped) {
        kek.wrap_key(cek, wrapped).expect("lengths that fit");
    }
}

/// The same in lanes.
fn lanes(cipher: &'static str, key: KeySize, backend: Backend) -> [Row; 2] {
    let ready = move || {
        let (kek, ceks) = (bytes(key.bytes()), bytes(MANY * CEK));
        let mut wrapped = vec![0; MANY * (CEK + OVERHEAD)];
        let one = Keks::one(&kek).expect("a key of its length");
        kw::wrap_many(backend, one, CEK, &ceks, &mut wrapped);
        (kek, ceks, wrapped)
    };
    let wrap = move || {
        let (kek, ceks, mut wrapped) = ready();
        move || {
            let kek = Keks::one(&kek).expect("a key of its length");
            kw::wrap_many(backend, kek, CEK, &ceks, &mut wrapped);
        }
    };
    let unwrap = move || {
        let (kek, mut ceks, wrapped) = ready();
        let mut valid = vec![false; MANY];
        move || {
            let kek = Keks::one(&kek).expect("a key of its length");
            kw::unwrap_many(backend, kek, CEK, &wrapped, &mut ceks, &mut valid);
            assert!(valid.iter().all(|valid| *valid), "what was wrapped above");
        }
    };
    [
        Row::new("wrap", cipher, backend.name(), CEK, wrap).batch(MANY),
        Row::new("unwrap", cipher, backend.name(), CEK, unwrap).batch(MANY),
    ]
}

fn knapsack() -> [Row; 2] {
    let wrap = || {
        let key = PrivateKey::generate(&mut rng());
        let cek = bytes(CEK);
        move || {
            for _ in 0..FEW {
                black_box(key.public_key().encrypt(&cek).expect("a knapsack of full size"));
            }
        }
    };
    let unwrap = || {
        let key = PrivateKey::generate(&mut rng());
        let wrapped = key.public_key().encrypt(&bytes(CEK)).expect("a knapsack of full size");
        move || {
            for _ in 0..FEW {
                black_box(key.decrypt(&wrapped, CEK).expect("what was wrapped above"));
            }
        }
    };
    [
        Row::new("wrap", "knapsack", "portable", CEK, wrap).batch(FEW),
        Row::new("unwrap", "knapsack", "portable", CEK, unwrap).batch(FEW),
    ]
}
