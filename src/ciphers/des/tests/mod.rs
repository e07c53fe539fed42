//! Every backend against the crate `des`.

mod known_answers;
mod nist;

use super::*;
use crate::ciphers::cpu::Backend;
use crate::ciphers::cut::whole_blocks;

/// Returns repeatable bytes.
fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

fn reference() -> Backend {
    Backend::from_name("rustcrypto").unwrap()
}

/// Runs `f` for every backend except the reference, and prints the backend.
fn each_backend(f: impl Fn(Backend)) {
    for backend in Backend::available() {
        if backend.name() != "rustcrypto" {
            println!("backend {backend}");
            f(backend);
        }
    }
}

const GUARD: usize = 64;

/// Runs `f` in the middle of a larger buffer at an odd offset; the surrounding bytes must not
/// change.
fn guarded(data: &mut [u8], f: impl FnOnce(&mut [u8])) {
    let mut buffer = vec![0xA5; GUARD + 1 + data.len() + GUARD];
    let at = GUARD + 1;
    buffer[at..][..data.len()].copy_from_slice(data);
    f(&mut buffer[at..][..data.len()]);
    data.copy_from_slice(&buffer[at..][..data.len()]);
    assert!(buffer[..at].iter().all(|byte| *byte == 0xA5));
    assert!(buffer[at + data.len()..].iter().all(|byte| *byte == 0xA5));
}

/// Returns block counts at every boundary of passes of 64, 128, 256 and 512 lanes.
fn block_counts() -> impl Iterator<Item = usize> {
    let near = |n: usize| [n - 1, n, n + 1];
    (0..20).chain([64, 128, 256, 512, 1024].into_iter().flat_map(near))
}

fn keys() -> (DesKey, TripleDesKey) {
    let key = bytes(1, 24);
    (DesKey::from(*key.first_chunk().unwrap()), TripleDesKey::from(*key.first_chunk().unwrap()))
}

fn ecb_agrees<K: Key>(backend: Backend, key: &K) {
    for blocks in block_counts() {
        let plaintext = bytes(2, BLOCK * blocks);
        let mut expected = plaintext.clone();
        ecb_encrypt(reference(), key, whole_blocks(&mut expected));
        let mut data = plaintext.clone();
        guarded(&mut data, |data| ecb_encrypt(backend, key, whole_blocks(data)));
        assert_eq!(data, expected, "{blocks} blocks");
        guarded(&mut data, |data| ecb_decrypt(backend, key, whole_blocks(data)));
        assert_eq!(data, plaintext, "{blocks} blocks");
    }
}

#[test]
fn ecb_agrees_with_the_crate() {
    each_backend(|backend| {
        ecb_agrees(backend, &keys().0);
        ecb_agrees(backend, &keys().1);
    });
}

fn ctr_agrees<K: Key>(backend: Backend, key: &K) {
    for blocks in block_counts() {
        for extra in [0, 1, 7] {
            let length = BLOCK * blocks + extra;
            for iv in [0, 1, 250, 0xFFFF_FFFF_FFFF_FE07, u64::MAX - 3] {
                let plaintext = bytes(3, length);
                let mut expected = plaintext.clone();
                ctr(reference(), key, iv.to_be_bytes(), &mut expected);
                let mut data = plaintext.clone();
                guarded(&mut data, |data| ctr(backend, key, iv.to_be_bytes(), data));
                assert_eq!(data, expected, "{length} bytes from {iv:#x}");
            }
        }
    }
}

#[test]
fn ctr_agrees_with_the_crate() {
    each_backend(|backend| ctr_agrees(backend, &keys().0));
}

#[test]
fn triple_ctr_agrees_with_the_crate() {
    each_backend(|backend| ctr_agrees(backend, &keys().1));
}

#[test]
fn cbc_decryption_agrees_with_the_crate() {
    each_backend(|backend| {
        let (single, triple) = keys();
        for blocks in block_counts() {
            let ciphertext = bytes(4, BLOCK * blocks);
            let mut expected = ciphertext.clone();
            cbc_decrypt(reference(), &single, [9; 8], whole_blocks(&mut expected));
            let mut data = ciphertext.clone();
            guarded(&mut data, |data| cbc_decrypt(backend, &single, [9; 8], whole_blocks(data)));
            assert_eq!(data, expected, "{blocks} blocks");
            let mut expected = ciphertext.clone();
            cbc_decrypt(reference(), &triple, [7; 8], whole_blocks(&mut expected));
            let mut data = ciphertext.clone();
            guarded(&mut data, |data| cbc_decrypt(backend, &triple, [7; 8], whole_blocks(data)));
            assert_eq!(data, expected, "{blocks} blocks");
        }
    });
}

/// Processes messages of the given lengths in blocks, each with its own key, in one buffer with a
/// guard byte between them.
fn many<K: Key>(backend: Backend, direction: Direction, keys: &[K], lengths: &[usize]) -> Vec<u8> {
    let total = lengths.iter().map(|blocks| BLOCK * blocks + 1).sum();
    let mut buffer = bytes(5, total);
    let mut rest = buffer.as_mut_slice();
    let mut messages = Vec::new();
    let mut guards = Vec::new();
    for (i, blocks) in lengths.iter().enumerate() {
        let (guard, after) = rest.split_first_mut().unwrap();
        let (data, after) = after.split_at_mut(BLOCK * blocks);
        *guard = 0xA5;
        guards.push(guard);
        let iv = (i as u64).wrapping_mul(0x0123_4567_89AB_CDEF).to_be_bytes();
        let key = &keys[i % keys.len()];
        messages.push(Message { key, iv, data: whole_blocks(data) });
        rest = after;
    }
    match direction {
        Direction::Encrypt => cbc_encrypt_many(backend, &mut messages),
        Direction::Decrypt => cbc_decrypt_many(backend, &mut messages),
    }
    assert!(guards.iter().all(|guard| **guard == 0xA5));
    buffer
}

fn many_agrees<K: Key>(keys: &[K]) {
    let batches: [Vec<usize>; 8] = [
        vec![],
        vec![3],
        vec![1, 0, 2, 40, 9, 8, 7],
        (0..63).collect(),
        (0..129).map(|i| i * i % 19).collect(),
        (0..257).map(|i| i * i % 23).collect(),
        (0..513).map(|i| 1 + i % 17).collect(),
        (0..1100).map(|i| if i % 100 == 0 { 60 } else { i % 5 }).collect(),
    ];
    for lengths in &batches {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            let expected = many(reference(), direction, keys, lengths);
            each_backend(|backend| {
                let found = many(backend, direction, keys, lengths);
                assert!(found == expected, "{} messages", lengths.len());
            });
        }
    }
}

#[test]
fn cbc_of_many_messages_agrees_with_the_crate() {
    let own: Vec<DesKey> =
        (0..1100).map(|seed| DesKey::from(*bytes(seed, 8).first_chunk().unwrap())).collect();
    many_agrees(&own);
    many_agrees(&own[..1]);
}

#[test]
fn triple_cbc_of_many_messages_agrees_with_the_crate() {
    let own: Vec<TripleDesKey> =
        (0..1100).map(|seed| TripleDesKey::from(*bytes(seed, 24).first_chunk().unwrap())).collect();
    many_agrees(&own);
}
