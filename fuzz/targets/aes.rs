//! AES-GCM, counter mode, key wrap and CMAC on every backend, compared with the RustCrypto crates.

#![no_main]

use aes::cipher::{KeyIvInit, StreamCipher};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{AesGcm, KeyInit};
use cmac::{Cmac, Mac};
use orderseal::ciphers::aes::cmac::cmac_many;
use orderseal::ciphers::aes::ctr::Ctr;
use orderseal::ciphers::aes::gcm::{Gcm, Record, open_each, seal_each};
use orderseal::ciphers::aes::kw::{Keks, unwrap_many, wrap_many};
use orderseal::ciphers::aes::{AesKey, KeySize};
use orderseal::ciphers::cpu::Backend;
use orderseal_fuzz::{Input, begin};

const SIZES: [KeySize; 3] = [KeySize::Aes128, KeySize::Aes192, KeySize::Aes256];

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for kind in 0..5 {
        for size in 0..3 {
            for length in [40, 100, 400, 1500] {
                let bytes =
                    (0..length).map(|at: usize| (at * 113 + at / 256 + kind as usize) as u8);
                seeds.push([kind, size].into_iter().chain(bytes).collect());
            }
        }
    }
    seeds
}

/// Bytes that depend on all of a seed and are as long as needed.
fn stretched(seed: &[u8], length: usize) -> Vec<u8> {
    let at = |at: usize| seed.get(at % seed.len().max(1)).copied().unwrap_or(0);
    (0..length).map(|index| at(index).wrapping_add((index / seed.len().max(1)) as u8)).collect()
}

/// Seals with the crates.
fn gcm(key: &[u8], iv: &[u8; 12], aad: &[u8], text: &mut [u8]) -> [u8; 16] {
    let tag = match key.len() {
        16 => AesGcm::<Aes128, aes::cipher::consts::U12>::new_from_slice(key)
            .expect("the length is right")
            .encrypt_inout_detached(&(*iv).into(), aad, text.into()),
        24 => AesGcm::<Aes192, aes::cipher::consts::U12>::new_from_slice(key)
            .expect("the length is right")
            .encrypt_inout_detached(&(*iv).into(), aad, text.into()),
        _ => AesGcm::<Aes256, aes::cipher::consts::U12>::new_from_slice(key)
            .expect("the length is right")
            .encrypt_inout_detached(&(*iv).into(), aad, text.into()),
    };
    tag.expect("the text is short").into()
}

fn apply<C: KeyIvInit + StreamCipher>(key: &[u8], iv: &[u8], text: &mut [u8]) {
    C::new_from_slices(key, iv).expect("the lengths are right").apply_keystream(text);
}

/// Records under one key or a key each; one tag is changed.
fn records(size: KeySize, each: bool, input: &mut Input<'_>) {
    let (count, broken) = (1 + input.below(40), input.below(48));
    let keys = stretched(input.take(48), count * size.bytes());
    let lengths = input.take(count);
    let seed = input.rest();
    let key_of = |at: usize| match each {
        true => &keys[at * size.bytes()..][..size.bytes()],
        false => &keys[..size.bytes()],
    };
    let length = |at: usize| lengths.get(at).map_or(at % 5, |&n| usize::from(n) * (1 + at % 3));
    let texts: Vec<Vec<u8>> =
        (0..count).map(|at| stretched(&seed[at.min(seed.len())..], length(at))).collect();
    let aads: Vec<Vec<u8>> =
        (0..count).map(|at| stretched(seed, length(count - 1 - at) / 2)).collect();
    let iv = |at: usize| [at as u8; 12];
    let mut expected = texts.clone();
    let tags: Vec<[u8; 16]> = expected
        .iter_mut()
        .enumerate()
        .map(|(at, text)| gcm(key_of(at), &iv(at), &aads[at], text))
        .collect();
    let one = AesKey::new(&keys[..size.bytes()]).expect("the length is right");
    for backend in Backend::available() {
        let mut sealed = texts.clone();
        let mut batch: Vec<Record<'_>> = sealed
            .iter_mut()
            .enumerate()
            .map(|(at, text)| Record { iv: iv(at), aad: &aads[at], text, tag: [0; 16] })
            .collect();
        match each {
            true => seal_each(backend, size, &keys, &mut batch),
            false => Gcm::new(backend, one).seal_many(&mut batch),
        }
        for (at, record) in batch.iter().enumerate() {
            assert_eq!(record.tag, tags[at], "{backend}: tag {at}");
            assert!(*record.text == expected[at][..], "{backend}: text {at}");
        }
        if let Some(record) = batch.get_mut(broken) {
            record.tag[broken % 16] ^= 1 << (broken % 8);
        }
        let mut valid = vec![false; count];
        match each {
            true => open_each(backend, size, &keys, &mut batch, &mut valid),
            false => Gcm::new(backend, one).open_many(&mut batch, &mut valid),
        }
        for (at, record) in batch.iter().enumerate() {
            assert_eq!(valid[at], at != broken, "{backend}: verdict {at}");
            match valid[at] {
                true => assert!(*record.text == texts[at][..], "{backend}: opened text {at}"),
                false => assert!(record.text.iter().all(|&byte| byte == 0), "{backend}: not wiped"),
            }
        }
    }
}

fn counters(size: KeySize, input: &mut Input<'_>) {
    let key = stretched(input.take(32), size.bytes());
    let mut first: [u8; 16] = input.bytes();
    if input.byte() & 1 == 1 {
        // The counter is about to wrap.
        first[8..15].fill(0xff);
    }
    let length = input.below(3000);
    let text = stretched(input.rest(), length);
    let (mut narrow, mut wide) = (text.clone(), text.clone());
    match size {
        KeySize::Aes128 => {
            apply::<ctr::Ctr32BE<Aes128>>(&key, &first, &mut narrow);
            apply::<ctr::Ctr128BE<Aes128>>(&key, &first, &mut wide);
        }
        KeySize::Aes192 => {
            apply::<ctr::Ctr32BE<Aes192>>(&key, &first, &mut narrow);
            apply::<ctr::Ctr128BE<Aes192>>(&key, &first, &mut wide);
        }
        KeySize::Aes256 => {
            apply::<ctr::Ctr32BE<Aes256>>(&key, &first, &mut narrow);
            apply::<ctr::Ctr128BE<Aes256>>(&key, &first, &mut wide);
        }
    }
    for backend in Backend::available() {
        let ctr = Ctr::new(backend, AesKey::new(&key).expect("the length is right"));
        let (mut own, mut own_wide) = (text.clone(), text.clone());
        ctr.apply32(&first, &mut own);
        ctr.apply128(&first, &mut own_wide);
        assert!(own == narrow, "{backend}: 32-bit counter");
        assert!(own_wide == wide, "{backend}: 128-bit counter");
    }
}

fn wrapped(kek: &[u8], cek: &[u8]) -> Vec<u8> {
    let mut wrapped = vec![0; cek.len() + 8];
    match kek.len() {
        16 => aes_kw::KwAes128::new_from_slice(kek)
            .expect("the length is right")
            .wrap_key(cek, &mut wrapped),
        24 => aes_kw::KwAes192::new_from_slice(kek)
            .expect("the length is right")
            .wrap_key(cek, &mut wrapped),
        _ => aes_kw::KwAes256::new_from_slice(kek)
            .expect("the length is right")
            .wrap_key(cek, &mut wrapped),
    }
    .expect("the length is right");
    wrapped
}

fn wraps(size: KeySize, input: &mut Input<'_>) {
    let (count, length) = (1 + input.below(24), 16 + 8 * input.below(7));
    let (each, broken) = (input.byte() & 1 == 1, input.below(32));
    let keks = stretched(input.take(64), count * size.bytes());
    let ceks = stretched(input.rest(), count * length);
    let kek = |at: usize| &keks[if each { at * size.bytes() } else { 0 }..][..size.bytes()];
    let expected: Vec<u8> =
        ceks.chunks(length).enumerate().flat_map(|(at, cek)| wrapped(kek(at), cek)).collect();
    for backend in Backend::available() {
        let keks = match each {
            true => Keks::each(size, &keks),
            false => Keks::one(AesKey::new(&keks[..size.bytes()]).expect("the length is right")),
        };
        let mut own = vec![0; expected.len()];
        wrap_many(backend, keks, length, &ceks, &mut own);
        assert!(own == expected, "{backend}: wrapped");
        if broken < count {
            own[broken * (length + 8) + broken % 8] ^= 1;
        }
        let (mut back, mut valid) = (vec![1; ceks.len()], vec![false; count]);
        unwrap_many(backend, keks, length, &own, &mut back, &mut valid);
        for at in 0..count {
            let (own, cek) = (&back[at * length..][..length], &ceks[at * length..][..length]);
            assert_eq!(valid[at], at != broken, "{backend}: verdict {at}");
            assert!(if valid[at] { own == cek } else { own.iter().all(|&byte| byte == 0) });
        }
    }
}

fn macs(input: &mut Input<'_>) {
    let (count, per_key, length) = (1 + input.below(20), 1 + input.below(3), input.below(80));
    let keys = stretched(input.take(64), 32 * count);
    let keys = keys.as_chunks::<32>().0;
    let messages = stretched(input.rest(), count * per_key * length);
    let message = |at: usize| &messages[at * length..][..length];
    let expected: Vec<[u8; 16]> = (0..count * per_key)
        .map(|at| {
            let mut mac =
                <Cmac<Aes256> as KeyInit>::new_from_slice(&keys[at / per_key]).expect("32 bytes");
            mac.update(message(at));
            mac.finalize().into_bytes().into()
        })
        .collect();
    for backend in Backend::available() {
        let mut tags = vec![[0; 16]; expected.len()];
        cmac_many(backend, keys, length, &messages, &mut tags);
        assert_eq!(tags, expected, "{backend}: CMAC");
    }
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let (kind, size) = (input.byte() % 5, SIZES[input.below(3)]);
        match kind {
            0 => records(size, false, &mut input),
            1 => records(size, true, &mut input),
            2 => counters(size, &mut input),
            3 => wraps(size, &mut input),
            _ => macs(&mut input),
        }
    }
);
