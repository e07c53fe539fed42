//! RSA: wrapping and unwrapping content-encryption keys, each under its own key, and making key
//! pairs.

use std::hint::black_box;

use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::{self, OaepHash, PrivateKey, UnwrapJob, WrapJob};
use ::rsa::Oaep;
use sha2::Sha256;

use super::fixtures::{bytes, crate_pair, pairs, rng};
use super::{CEK, Row, ours};

const PEER: &str = "rustcrypto";

/// Number of keys wrapped or unwrapped per iteration, a multiple of the lanes. Each uses a
/// different pair as long as there are enough.
const KEYS: usize = 16;

/// Number of pairs made per iteration. Finding primes takes a random time, which larger numbers
/// even out.
const PAIRS: usize = 4;

/// Wrapping and unwrapping.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for bits in [2048, 3072, 4096] {
        let lanes = ours(rsa::BACKENDS).into_iter().flat_map(|backend| lanes(bits, backend));
        let both = one_at_a_time(bits).into_iter().chain(lanes);
        rows.extend(both.map(|row| row.extra(bits > 3072)));
    }
    rows
}

/// Making key pairs. Each iteration makes new ones, in the same order in every run.
pub fn key_rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("keygen", "rsa-2048", PEER, 2048 / 8, || {
            let mut rng = rng();
            move || {
                for _ in 0..PAIRS {
                    black_box(::rsa::PrivateKey::new(&mut rng, 2048).expect("a size that RSA has"));
                }
            }
        })
        .batch(PAIRS),
    ];
    for backend in ours(rsa::BACKENDS) {
        for bits in [2048, 3072] {
            let set_up = move || {
                let mut rng = rng();
                move || {
                    black_box(rsa::generate(backend, PAIRS, bits, &mut rng).expect("a size"));
                }
            };
            let row = Row::new("keygen", format!("rsa-{bits}"), backend.name(), bits / 8, set_up);
            rows.push(row.batch(PAIRS).extra(bits > 2048));
        }
    }
    rows
}

/// Rows for the crate `rsa`.
fn one_at_a_time(bits: usize) -> [Row; 2] {
    let wrap = move || {
        let jobs: Vec<_> =
            jobs(bits).map(|(pair, cek)| (crate_pair(pair).to_public_key(), cek)).collect();
        let mut rng = rng();
        move || {
            for (key, cek) in &jobs {
                black_box(key.encrypt(&mut rng, oaep(), cek).expect("32 bytes fit"));
            }
        }
    };
    let unwrap = move || {
        let mut rng = rng();
        let jobs: Vec<_> = jobs(bits)
            .map(|(pair, cek)| {
                let pair = crate_pair(pair);
                let wrapped = pair.to_public_key().encrypt(&mut rng, oaep(), &cek);
                (pair, wrapped.expect("32 bytes fit"))
            })
            .collect();
        move || {
            for (key, wrapped) in &jobs {
                black_box(key.decrypt_blinded(&mut rng, oaep(), wrapped).expect("it was wrapped"));
            }
        }
    };
    [
        Row::new("wrap", cipher(bits), PEER, CEK, wrap).batch(KEYS),
        Row::new("unwrap", cipher(bits), PEER, CEK, unwrap).batch(KEYS),
    ]
}

/// Rows for our lanes.
fn lanes(bits: usize, backend: Backend) -> [Row; 2] {
    let wrap = move || {
        let jobs: Vec<_> = jobs(bits).collect();
        let (mut rng, mut wrapped) = (rng(), vec![0; KEYS * bits / 8]);
        move || wrap_all(backend, &jobs, &mut rng, &mut wrapped)
    };
    let unwrap = move || {
        let jobs: Vec<_> = jobs(bits).collect();
        let (mut rng, mut wrapped) = (rng(), vec![0; KEYS * bits / 8]);
        wrap_all(backend, &jobs, &mut rng, &mut wrapped);
        move || {
            let jobs: Vec<_> = jobs
                .iter()
                .zip(wrapped.chunks_exact(bits / 8))
                .map(|((key, _), ciphertext)| UnwrapJob {
                    key,
                    hash: OaepHash::Sha256,
                    label: b"",
                    ciphertext,
                })
                .collect();
            black_box(rsa::oaep_unwrap_many(backend, &jobs, &mut rng));
        }
    };
    [
        Row::new("wrap", cipher(bits), backend.name(), CEK, wrap).batch(KEYS),
        Row::new("unwrap", cipher(bits), backend.name(), CEK, unwrap).batch(KEYS),
    ]
}

fn wrap_all(
    backend: Backend,
    jobs: &[(&PrivateKey, Vec<u8>)],
    rng: &mut KeyStream,
    wrapped: &mut [u8],
) {
    let jobs: Vec<_> = jobs
        .iter()
        .map(|(pair, cek)| WrapJob {
            key: pair.public(),
            hash: OaepHash::Sha256,
            label: b"",
            message: cek,
        })
        .collect();
    rsa::oaep_wrap_many(backend, &jobs, rng, wrapped).expect("32 bytes fit");
}

/// Returns pairs, each with a key to wrap under it.
fn jobs(bits: usize) -> impl Iterator<Item = (&'static PrivateKey, Vec<u8>)> {
    pairs(bits).iter().cycle().zip(std::iter::repeat_with(|| bytes(CEK))).take(KEYS)
}

fn cipher(bits: usize) -> String {
    format!("rsa-{bits}-oaep-256")
}

fn oaep() -> Oaep<Sha256> {
    Oaep::new()
}
