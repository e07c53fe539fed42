//! Wrapping and unwrapping content-encryption keys of 32 bytes under secret keys, by AES key wrap and
//! by content ciphers, and with the knapsack.

use std::hint::black_box;

use crate::ciphers::aes::kw::{self, Keks, OVERHEAD};
use crate::ciphers::aes::{self, AesKey, KeySize};
use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::knapsack::PrivateKey;
use crate::ciphers::toy_des::SBox;
use ::aes::cipher::consts::U16;
use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, Key, KeyInit};
use ::aes::{Aes128, Aes256};
use aes_kw::AesKw;

use super::fixtures::{bytes, crate_keys, rng};
use super::{CEK, Iteration, Row, available, ours};

const PEER: &str = "rustcrypto";

/// Number of keys wrapped per iteration.
const MANY: usize = 1024;

/// Length in bytes of a wrapped key.
const WRAPPED: usize = CEK + OVERHEAD;

/// Number of keys that the knapsack wraps per iteration.
const FEW: usize = 8;

/// Content ciphers that wrap keys.
const CIPHERS: [(&str, ContentCipher); 7] = [
    ("aes-256-gcmkw", ContentCipher::A256Gcm),
    ("aes-128-cbc-hs256kw", ContentCipher::A128CbcHs256),
    ("grain128aeadv2kw", ContentCipher::Grain128AeadV2),
    ("des-ede3-cbc-hs256kw", ContentCipher::DesEde3CbcHs256),
    ("des-cbc-hs256kw", ContentCipher::DesCbcHs256),
    ("feal8-cbc-hs256kw", ContentCipher::Feal8CbcHs256),
    ("toydes-ecb-hs256kw", ContentCipher::ToyDesEcbHs256(SBox::DEFAULT)),
];

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for keks in [Many::One, Many::Each] {
        rows.extend(one_at_a_time::<Aes128>("aes-128-kw", keks));
        rows.extend(one_at_a_time::<Aes256>("aes-256-kw", keks));
        for backend in ours(aes::BACKENDS) {
            rows.extend(lanes("aes-128-kw", KeySize::Aes128, keks, backend));
            let middle = lanes("aes-192-kw", KeySize::Aes192, keks, backend);
            rows.extend(middle.map(|row| row.extra(true)));
            rows.extend(lanes("aes-256-kw", KeySize::Aes256, keks, backend));
        }
    }
    for (name, cipher) in CIPHERS {
        for backend in available(cipher.backends()) {
            rows.extend(by_cipher(name, cipher, backend).map(|row| row.weak(cipher.is_weak())));
        }
    }
    rows.extend(knapsack().map(|row| row.weak(true)));
    rows
}

/// Number of key-encryption keys for the keys of an iteration.
#[derive(Clone, Copy)]
enum Many {
    /// One key, prepared once if the backend supports that.
    One,
    /// One per wrapped key; preparing them is part of the operation.
    Each,
}

impl Many {
    fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Each => MANY,
        }
    }

    fn keks(self, size: KeySize, keys: &[u8]) -> Keks<'_> {
        match self {
            Self::One => Keks::one(AesKey::nth(size, keys, 0)),
            Self::Each => Keks::each(size, keys),
        }
    }

    fn rows(
        self,
        cipher: &'static str,
        backend: &'static str,
        wrap: impl Fn() -> Iteration + Send + Sync + 'static,
        unwrap: impl Fn() -> Iteration + Send + Sync + 'static,
    ) -> [Row; 2] {
        let names = match self {
            Self::One => ["wrap", "unwrap"],
            Self::Each => ["wrap-key-each", "unwrap-key-each"],
        };
        [
            Row::new(names[0], cipher, backend, CEK, wrap).batch(MANY),
            Row::new(names[1], cipher, backend, CEK, unwrap).batch(MANY),
        ]
    }
}

/// Rows for many keys with the crate `aes-kw`.
fn one_at_a_time<C>(cipher: &'static str, keks: Many) -> [Row; 2]
where
    C: BlockCipherEncrypt<BlockSize = U16>
        + BlockCipherDecrypt<BlockSize = U16>
        + KeyInit
        + Send
        + 'static,
{
    let ready = move || {
        let keys = PeerKeys::<C>::new(keks);
        let ceks = bytes(MANY * CEK);
        let mut wrapped = vec![0; MANY * WRAPPED];
        keys.wrap(&ceks, &mut wrapped);
        (keys, ceks, wrapped)
    };
    let wrap = move || -> Iteration {
        let (keys, ceks, mut wrapped) = ready();
        Box::new(move || keys.wrap(&ceks, &mut wrapped))
    };
    let unwrap = move || -> Iteration {
        let (keys, mut ceks, wrapped) = ready();
        Box::new(move || keys.unwrap(&wrapped, &mut ceks))
    };
    keks.rows(cipher, PEER, wrap, unwrap)
}

/// Key-encryption keys in the type of the crate `aes-kw`.
struct PeerKeys<C: KeyInit> {
    keks: Many,
    ready: AesKw<C>,
    keys: Vec<Key<C>>,
}

impl<C> PeerKeys<C>
where
    C: BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt<BlockSize = U16> + KeyInit,
{
    fn new(keks: Many) -> Self {
        let keys = crate_keys::<C>(keks.count());
        Self { keks, ready: AesKw::new(&keys[0]), keys }
    }

    fn wrap(&self, ceks: &[u8], wrapped: &mut [u8]) {
        self.each(|index, kek| {
            let room = &mut wrapped[index * WRAPPED..][..WRAPPED];
            kek.wrap_key(&ceks[index * CEK..][..CEK], room).expect("lengths that fit");
        });
    }

    fn unwrap(&self, wrapped: &[u8], ceks: &mut [u8]) {
        self.each(|index, kek| {
            let room = &mut ceks[index * CEK..][..CEK];
            kek.unwrap_key(&wrapped[index * WRAPPED..][..WRAPPED], room).expect("it was wrapped");
        });
    }

    /// Calls `with` for each key of an iteration, with its key-encryption key.
    fn each(&self, mut with: impl FnMut(usize, &AesKw<C>)) {
        for index in 0..MANY {
            match self.keks {
                Many::One => with(index, &self.ready),
                Many::Each => with(index, &AesKw::new(&self.keys[index])),
            }
        }
    }
}

/// Rows for many keys in lanes.
fn lanes(cipher: &'static str, size: KeySize, many: Many, backend: Backend) -> [Row; 2] {
    let ready = move || {
        let (keys, ceks) = (bytes(many.count() * size.bytes()), bytes(MANY * CEK));
        let mut wrapped = vec![0; MANY * WRAPPED];
        kw::wrap_many(backend, many.keks(size, &keys), CEK, &ceks, &mut wrapped);
        (keys, ceks, wrapped)
    };
    let wrap = move || -> Iteration {
        let (keys, ceks, mut wrapped) = ready();
        Box::new(move || kw::wrap_many(backend, many.keks(size, &keys), CEK, &ceks, &mut wrapped))
    };
    let unwrap = move || -> Iteration {
        let (keys, mut ceks, wrapped) = ready();
        let mut valid = vec![false; MANY];
        Box::new(move || {
            kw::unwrap_many(backend, many.keks(size, &keys), CEK, &wrapped, &mut ceks, &mut valid);
            assert!(valid.iter().all(|valid| *valid), "what was wrapped above");
        })
    };
    many.rows(cipher, backend.name(), wrap, unwrap)
}

/// Rows for many keys under one key of a content cipher, without additional data, each with its own
/// IV.
fn by_cipher(name: &'static str, cipher: ContentCipher, backend: Backend) -> [Row; 2] {
    let wrap = move || -> Iteration {
        let mut keys = WrappedByCipher::new(cipher);
        Box::new(move || keys.wrap(backend))
    };
    let unwrap = move || -> Iteration {
        let mut keys = WrappedByCipher::new(cipher);
        keys.wrap(backend);
        let wrapped = keys.texts.clone();
        Box::new(move || {
            // Unwrapping works in place.
            keys.texts.copy_from_slice(&wrapped);
            keys.unwrap(backend);
        })
    };
    Many::One.rows(name, backend.name(), wrap, unwrap)
}

struct WrappedByCipher {
    cipher: ContentCipher,
    kek: Vec<u8>,
    ivs: Vec<u8>,
    /// The content keys, each with room for its padding.
    texts: Vec<u8>,
    tags: Vec<[u8; MAX_TAG]>,
}

impl WrappedByCipher {
    fn new(cipher: ContentCipher) -> Self {
        let mut kek = vec![0; cipher.key_len()];
        cipher.fill_keys(&mut rng(), &mut kek);
        let texts = bytes(MANY * cipher.sealed_len(CEK));
        Self {
            cipher,
            kek,
            ivs: bytes(MANY * cipher.iv_len()),
            texts,
            tags: vec![[0; MAX_TAG]; MANY],
        }
    }

    fn wrap(&mut self, backend: Backend) {
        let (cipher, kek) = (self.cipher, self.kek.clone());
        let mut records = self.records();
        cipher.seal(backend, Keys::One(&kek), &mut records);
        self.tags = records.iter().map(|record| record.tag).collect();
    }

    fn unwrap(&mut self, backend: Backend) {
        let (cipher, kek) = (self.cipher, self.kek.clone());
        let mut records = self.records();
        cipher.open(backend, Keys::One(&kek), &mut records);
        assert!(records.iter().all(|record| record.authentic), "what was wrapped above");
    }

    fn records(&mut self) -> Vec<Record<'_>> {
        let (iv_len, room) = (self.cipher.iv_len(), self.cipher.sealed_len(CEK));
        let texts = self.texts.chunks_exact_mut(room).zip(&self.tags).enumerate();
        texts
            .map(|(index, (text, tag))| Record {
                iv: &self.ivs[index * iv_len..][..iv_len],
                aad: b"",
                text,
                len: CEK,
                tag: *tag,
                authentic: false,
            })
            .collect()
    }
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
