//! AES-GCM, AES key wrap, counter mode and CMAC.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::ciphers::aes::cmac::cmac_many;
use crate::ciphers::aes::ctr::Ctr;
use crate::ciphers::aes::gcm::{self, Gcm, Record};
use crate::ciphers::aes::kw::{Keks, OVERHEAD, unwrap_many, wrap_many};
use crate::ciphers::aes::{AesKey, KeySize};
use crate::ciphers::cpu::Backend;
use crate::secrets::{conceal, is_concealed, reveal};

const SIZES: [KeySize; 3] = [KeySize::Aes128, KeySize::Aes192, KeySize::Aes256];

/// Lengths of texts: around the widths of all vectors, and several chunks.
const LENGTHS: [usize; 14] = [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1024, 4101, 20_000];

/// Seals and opens texts with a key each and with one key for all. The tag of the second is wrong.
pub fn gcm(backend: Backend) -> bool {
    SIZES.into_iter().all(|size| {
        let mut rng = StdRng::seed_from_u64(5);
        let mut keys = vec![0; LENGTHS.len() * size.bytes()];
        rng.fill_bytes(&mut keys);
        conceal(&mut keys);
        let one = &keys[..size.bytes()];
        let one = Gcm::new(backend, AesKey::new(one).expect("a key of this size"));
        both_ways(
            |records| gcm::seal_each(backend, size, &keys, records),
            |records, valid| gcm::open_each(backend, size, &keys, records, valid),
        ) && both_ways(
            |records| one.seal_many(records),
            |records, valid| one.open_many(records, valid),
        )
    })
}

fn both_ways(
    seal: impl Fn(&mut [Record<'_>]),
    open: impl Fn(&mut [Record<'_>], &mut [bool]),
) -> bool {
    let mut texts = LENGTHS.map(|length| vec![7; length]);
    texts.iter_mut().for_each(|text| conceal(text));
    let mut records: Vec<_> = (0..)
        .zip(&mut texts)
        .map(|(number, text)| Record { iv: [number; 12], aad: b"header", text, tag: [0; 16] })
        .collect();
    seal(&mut records);
    let mut right = true;
    for record in &mut records {
        right &= is_concealed(record.text) && is_concealed(&record.tag);
        reveal(record.text);
        reveal(&mut record.tag);
    }
    records[1].tag[15] ^= 1;
    let mut valid = [false; LENGTHS.len()];
    open(&mut records, &mut valid);
    for (number, record) in records.iter_mut().enumerate() {
        right &= valid[number] == (number != 1);
        right &= !valid[number] || is_concealed(record.text);
        reveal(record.text);
        right &= record.text.iter().all(|byte| *byte == if valid[number] { 7 } else { 0 });
    }
    right
}

/// Content keys at once: more than there are lanes.
const KEYS: usize = 37;

/// Wraps and unwraps content keys with a key each and with one key for all. The second is damaged.
pub fn kw(backend: Backend) -> bool {
    SIZES.into_iter().all(|size| {
        [16, 24, 32, 48, 64].into_iter().all(|length| {
            let mut rng = StdRng::seed_from_u64(6);
            let mut keks = vec![0; KEYS * size.bytes()];
            rng.fill_bytes(&mut keks);
            conceal(&mut keks);
            let one = AesKey::new(&keks[..size.bytes()]).expect("a key of this size");
            [Keks::one(one), Keks::each(size, &keks)].into_iter().all(|keks| {
                let mut keys = vec![7; KEYS * length];
                conceal(&mut keys);
                let longer = length + OVERHEAD;
                let mut wrapped = vec![0; KEYS * longer];
                wrap_many(backend, keks, length, &keys, &mut wrapped);
                let mut right = is_concealed(&wrapped);
                reveal(&mut wrapped);
                wrapped[longer] ^= 1;
                let mut valid = [false; KEYS];
                keys.fill(0);
                unwrap_many(backend, keks, length, &wrapped, &mut keys, &mut valid);
                for (number, key) in keys.chunks_mut(length).enumerate() {
                    right &= valid[number] == (number != 1);
                    right &= !valid[number] || is_concealed(key);
                    reveal(key);
                    right &= key.iter().all(|byte| *byte == if valid[number] { 7 } else { 0 });
                }
                right
            })
        })
    })
}

/// The MACs of key trees: tags of messages under more secret keys than there are lanes.
pub fn cmac(backend: Backend) -> bool {
    [0, 1, 16, 27, 48].into_iter().all(|length| {
        let mut rng = StdRng::seed_from_u64(7);
        let mut keys = vec![[0; 32]; KEYS];
        keys.iter_mut().for_each(|key| rng.fill_bytes(key));
        keys.iter_mut().for_each(|key| conceal(key));
        let mut messages = vec![7; 2 * KEYS * length];
        conceal(&mut messages);
        let mut tags = vec![[0; 16]; 2 * KEYS];
        cmac_many(backend, &keys, length, &messages, &mut tags);
        tags.iter_mut().all(|tag| {
            let right = is_concealed(tag);
            reveal(tag);
            right && tag.iter().any(|byte| *byte != 0)
        })
    })
}

/// Counter mode, one text at a time, there and back.
pub fn ctr(backend: Backend) -> bool {
    SIZES.into_iter().all(|size| {
        let mut rng = StdRng::seed_from_u64(8);
        let mut key = vec![0; size.bytes()];
        rng.fill_bytes(&mut key);
        conceal(&mut key);
        let cipher = Ctr::new(backend, AesKey::new(&key).expect("a key of this size"));
        LENGTHS.into_iter().all(|length| {
            let mut text = vec![7; length];
            conceal(&mut text);
            cipher.apply128(&[0xff; 16], &mut text);
            let right = is_concealed(&text);
            cipher.apply128(&[0xff; 16], &mut text);
            reveal(&mut text);
            right && text.iter().all(|byte| *byte == 7)
        })
    })
}
