//! DES and triple DES, and the toy DES.

use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::whole_blocks;
use crate::ciphers::des::{self, BLOCK, DesKey, Key, Message, TripleDesKey};
use crate::ciphers::toy_des::{self, SBox, ToyDes};
use ::cbc::{Decryptor, Encryptor};
use ::ctr::Ctr64BE;
use ::des::{Des, TdesEde3};

use super::fixtures::{arrays, bytes};
use super::{MESSAGES, Row, SIZES, USUAL, ours, rustcrypto};

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(rustcrypto::ecb::<Des>("des"));
    rows.extend(rustcrypto::ctr::<Ctr64BE<Des>>("des"));
    rows.extend(rustcrypto::cbc_decrypt::<Decryptor<Des>>("des"));
    rows.push(rustcrypto::cbc_encrypt::<Encryptor<Des>>("des"));
    rows.extend(rustcrypto::ecb::<TdesEde3>("des-ede3"));
    rows.extend(rustcrypto::ctr::<Ctr64BE<TdesEde3>>("des-ede3"));
    rows.extend(rustcrypto::cbc_decrypt::<Decryptor<TdesEde3>>("des-ede3"));
    rows.push(rustcrypto::cbc_encrypt::<Encryptor<TdesEde3>>("des-ede3"));
    for backend in ours(des::BACKENDS) {
        rows.extend(bitsliced::<DesKey, 8>("des", backend));
        rows.extend(bitsliced::<TripleDesKey, 24>("des-ede3", backend));
    }
    for backend in ours(toy_des::BACKENDS) {
        rows.extend(SIZES.map(|size| toy(backend, size).extra(size != USUAL)));
    }
    rows.into_iter().map(|row| row.weak(true)).collect()
}

const IV: [u8; BLOCK] = [7; BLOCK];

fn bitsliced<K, const N: usize>(cipher: &'static str, backend: Backend) -> Vec<Row>
where
    K: Key + From<[u8; N]> + Send + 'static,
{
    let ecb = |size| {
        Row::new("ecb", cipher, backend.name(), size, move || {
            let (key, mut text) = (keys::<K, N>(1).remove(0), bytes(size));
            move || des::ecb_encrypt(backend, &key, whole_blocks(&mut text))
        })
    };
    let ctr = |size| {
        Row::new("ctr", cipher, backend.name(), size, move || {
            let (key, mut text) = (keys::<K, N>(1).remove(0), bytes(size));
            move || des::ctr(backend, &key, IV, &mut text)
        })
    };
    let cbc_decrypt = |size| {
        Row::new("cbc-decrypt", cipher, backend.name(), size, move || {
            let (key, mut text) = (keys::<K, N>(1).remove(0), bytes(size));
            move || des::cbc_decrypt(backend, &key, IV, whole_blocks(&mut text))
        })
    };
    let modes = SIZES.into_iter().flat_map(|size| {
        [ecb(size), ctr(size), cbc_decrypt(size)].map(|row| row.extra(size != USUAL))
    });
    modes.chain([cbc_encrypt::<K, N>(cipher, backend)]).collect()
}

/// Messages, each under its own key.
fn cbc_encrypt<K, const N: usize>(cipher: &'static str, backend: Backend) -> Row
where
    K: Key + From<[u8; N]> + Send + 'static,
{
    let (count, size) = MESSAGES;
    let set_up = move || {
        let keys = keys::<K, N>(count);
        let mut texts = bytes(count * size);
        move || {
            let texts = texts.chunks_exact_mut(size).map(whole_blocks);
            let message = |(key, data)| Message { key, iv: IV, data };
            let mut messages: Vec<_> = keys.iter().zip(texts).map(message).collect();
            des::cbc_encrypt_many(backend, &mut messages);
        }
    };
    Row::new("cbc-encrypt", cipher, backend.name(), size, set_up).batch(count)
}

fn keys<K: From<[u8; N]>, const N: usize>(count: usize) -> Vec<K> {
    arrays(count).into_iter().map(K::from).collect()
}

fn toy(backend: Backend, size: usize) -> Row {
    Row::new("ecb", "toy-des", backend.name(), size, move || {
        let key = toy_des::Key::from_low_bits(0x5a5);
        let key = ToyDes::new(&key, &SBox::DEFAULT);
        let mut text = bytes(size);
        move || key.encrypt(backend, &mut text)
    })
}
