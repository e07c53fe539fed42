//! Wrapping keys by aws-lc-rs: AES key wrap and RSA-OAEP, and making RSA pairs. (ring has neither
//! key wrap nor OAEP.)

use std::hint::black_box;
use std::slice::ChunksExact;

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey,
};
use orderseal::bench::rows::Row;
use orderseal::bench::rows::fixtures::{bytes, crate_pair, pairs};
use orderseal::ciphers::aes::kw::OVERHEAD;
use orderseal::ciphers::rsa::PrivateKey;
use rsa::pkcs8::EncodePrivateKey;

use super::{AWS_LC, like};

/// The answer to the question of one of our rows, if it is about wrapping or pairs.
pub fn answer(ours: &Row) -> Option<Row> {
    let (kek, bits) = (kek_len(&ours.cipher), bits(&ours.cipher));
    match ours.operation {
        "wrap" => kek.map(|kek| key_wrap(ours, kek, 1)).or(bits.map(|bits| oaep_wrap(ours, bits))),
        "unwrap" => {
            kek.map(|kek| key_unwrap(ours, kek, 1)).or(bits.map(|bits| oaep_unwrap(ours, bits)))
        }
        "wrap-key-each" => kek.map(|kek| key_wrap(ours, kek, ours.operations as usize)),
        "unwrap-key-each" => kek.map(|kek| key_unwrap(ours, kek, ours.operations as usize)),
        "keygen" => match &*ours.cipher {
            "rsa-2048" => Some(pairs_made(ours, KeySize::Rsa2048)),
            "rsa-3072" => Some(pairs_made(ours, KeySize::Rsa3072)),
            _ => None,
        },
        _ => None,
    }
}

fn kek_len(cipher: &str) -> Option<usize> {
    match cipher {
        "aes-128-kw" => Some(16),
        "aes-256-kw" => Some(32),
        _ => None,
    }
}

/// Of `rsa-2048-oaep-256`, 2048.
fn bits(cipher: &str) -> Option<usize> {
    cipher.strip_prefix("rsa-")?.strip_suffix("-oaep-256")?.parse().ok()
}

/// A key-encryption key of 16 or 32 bytes. Wrapping and unwrapping use it up, so that every call
/// has to begin with making one; the same goes for anyone who calls this library.
fn kek(key: &[u8]) -> AesKek {
    AesKek::new(if key.len() == 16 { &AES_128 } else { &AES_256 }, key).expect("its length")
}

/// Wraps a key by RFC 3394.
pub fn wrap(key: &[u8], cek: &[u8], wrapped: &mut [u8]) {
    kek(key).wrap(cek, wrapped).expect("lengths that fit");
}

/// Unwraps what [`wrap`] made.
pub fn unwrap(key: &[u8], wrapped: &[u8], cek: &mut [u8]) {
    kek(key).unwrap(wrapped, cek).expect("what was wrapped before");
}

/// Under that many key-encryption keys, of so many bytes each: one for all or one for each.
fn key_wrap(ours: &Row, kek: usize, keks: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, AWS_LC, move || {
        let (keks, ceks) = (bytes(keks * kek), bytes(count * size));
        let mut wrapped = vec![0; count * (size + OVERHEAD)];
        move || wrap_all(keks.chunks_exact(kek), size, &ceks, &mut wrapped)
    })
}

fn key_unwrap(ours: &Row, kek: usize, keks: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, AWS_LC, move || {
        let (keks, mut ceks) = (bytes(keks * kek), bytes(count * size));
        let mut wrapped = vec![0; count * (size + OVERHEAD)];
        wrap_all(keks.chunks_exact(kek), size, &ceks, &mut wrapped);
        move || {
            let wrapped = wrapped.chunks_exact(size + OVERHEAD);
            let each = wrapped.zip(ceks.chunks_exact_mut(size));
            for (kek, (wrapped, cek)) in keks.chunks_exact(kek).cycle().zip(each) {
                unwrap(kek, wrapped, cek);
            }
        }
    })
}

fn wrap_all(keks: ChunksExact<'_, u8>, size: usize, ceks: &[u8], wrapped: &mut [u8]) {
    let each = ceks.chunks_exact(size).zip(wrapped.chunks_exact_mut(size + OVERHEAD));
    for (kek, (cek, wrapped)) in keks.cycle().zip(each) {
        wrap(kek, cek, wrapped);
    }
}

/// A pair of ours, for this library.
pub struct Pair {
    public: OaepPublicEncryptingKey,
    private: OaepPrivateDecryptingKey,
}

impl Pair {
    /// Makes both halves ready.
    pub fn of(pair: &PrivateKey) -> Self {
        let der = crate_pair(pair).to_pkcs8_der().expect("a pair that can be written");
        let private = PrivateDecryptingKey::from_pkcs8(der.as_bytes()).expect("a sound pair");
        let public = OaepPublicEncryptingKey::new(private.public_key()).expect("its public half");
        Self { public, private: OaepPrivateDecryptingKey::new(private).expect("as above") }
    }

    /// Wraps a key by RSA-OAEP-256 into as many bytes as the modulus has.
    pub fn wrap(&self, cek: &[u8], wrapped: &mut [u8]) {
        self.public
            .encrypt(&OAEP_SHA256_MGF1SHA256, cek, wrapped, None)
            .expect("a key is far shorter than a modulus");
    }

    /// Unwraps what [`Pair::wrap`] made, into `room` of as many bytes as the modulus has.
    pub fn unwrap<'a>(&self, wrapped: &[u8], room: &'a mut [u8]) -> &'a [u8] {
        self.private
            .decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, room, None)
            .expect("what was wrapped before")
    }
}

/// As many pairs as an iteration has keys, in turn as in our rows, each with a key to wrap.
fn jobs(bits: usize, count: usize, size: usize) -> Vec<(Pair, Vec<u8>)> {
    pairs(bits).iter().cycle().take(count).map(|pair| (Pair::of(pair), bytes(size))).collect()
}

fn oaep_wrap(ours: &Row, bits: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, AWS_LC, move || {
        let (jobs, mut wrapped) = (jobs(bits, count, size), vec![0; bits / 8]);
        move || {
            for (pair, cek) in &jobs {
                pair.wrap(cek, &mut wrapped);
            }
        }
    })
}

fn oaep_unwrap(ours: &Row, bits: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, AWS_LC, move || {
        let mut jobs = jobs(bits, count, size);
        for (pair, cek) in &mut jobs {
            let mut wrapped = vec![0; bits / 8];
            pair.wrap(cek, &mut wrapped);
            *cek = wrapped;
        }
        let mut room = vec![0; bits / 8];
        move || {
            for (pair, wrapped) in &jobs {
                black_box(pair.unwrap(wrapped, &mut room));
            }
        }
    })
}

/// Making pairs; the library draws them from a generator of its own.
fn pairs_made(ours: &Row, size: KeySize) -> Row {
    let count = ours.operations;
    like(ours, AWS_LC, move || {
        move || {
            for _ in 0..count {
                black_box(PrivateDecryptingKey::generate(size).expect("a size that it has"));
            }
        }
    })
}
