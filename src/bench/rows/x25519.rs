//! X25519: agreements, and public keys for new secret ones; the crates that the narrower backends use
//! are rows of their own.

use std::hint::black_box;

use crate::ciphers::cpu::Backend;
use crate::ciphers::x25519::{self, KEY_BYTES, PublicKey, SecretKey, SharedSecret};
use x25519_dalek::StaticSecret;

use super::fixtures::rng;
use super::{Row, ours};

const CIPHER: &str = "x25519";

/// Number of keys per iteration: as many as share an inversion.
const KEYS: usize = 128;

/// Agreement.
pub fn rows() -> Vec<Row> {
    let lanes = ours(x25519::BACKENDS).into_iter().map(|backend| {
        Row::new("agree", CIPHER, backend.name(), KEY_BYTES, move || {
            let keys = pairs();
            let mut shared = vec![SharedSecret::default(); KEYS];
            move || {
                let pairs: Vec<_> = keys.iter().map(|(secret, public)| (secret, public)).collect();
                x25519::agree(backend, &pairs, &mut shared);
            }
        })
    });
    let crates = std::iter::once(agree_by_dalek()).chain(graviola::agree());
    crates.chain(lanes).map(|row| row.batch(KEYS)).collect()
}

/// Making key pairs. Each iteration makes new ones, in the same order in every run.
pub fn key_rows() -> Vec<Row> {
    let lanes = ours(x25519::BACKENDS).into_iter().map(|backend| {
        Row::new("keypair", CIPHER, backend.name(), KEY_BYTES, move || {
            let mut rng = rng();
            let mut publics = vec![PublicKey::default(); KEYS];
            move || {
                let secrets: Vec<_> = (0..KEYS).map(|_| SecretKey::random(&mut rng)).collect();
                x25519::public_keys(backend, &secrets, &mut publics);
            }
        })
    });
    let crates = std::iter::once(pairs_by_dalek()).chain(graviola::pairs());
    crates.chain(lanes).map(|row| row.batch(KEYS)).collect()
}

fn agree_by_dalek() -> Row {
    Row::new("agree", CIPHER, "x25519-dalek", KEY_BYTES, || {
        let keys = pairs().into_iter().map(|(secret, public)| {
            let public = x25519_dalek::PublicKey::from(*public.as_bytes());
            (StaticSecret::from(*secret.as_bytes()), public)
        });
        let keys: Vec<_> = keys.collect();
        move || {
            for (secret, public) in &keys {
                black_box(secret.diffie_hellman(public));
            }
        }
    })
}

fn pairs_by_dalek() -> Row {
    Row::new("keypair", CIPHER, "x25519-dalek", KEY_BYTES, || {
        let mut rng = rng();
        move || {
            for _ in 0..KEYS {
                let secret = StaticSecret::random_from_rng(&mut rng);
                black_box(x25519_dalek::PublicKey::from(&secret));
            }
        }
    })
}

/// Returns secret keys, each with the public key of another.
fn pairs() -> Vec<(SecretKey, PublicKey)> {
    let mut rng = rng();
    let secrets: Vec<_> = (0..KEYS).map(|_| SecretKey::random(&mut rng)).collect();
    let mut publics = vec![PublicKey::default(); KEYS];
    x25519::public_keys(Backend::detect(), &secrets, &mut publics);
    secrets.into_iter().rev().zip(publics).collect()
}

/// The rows of the crate `graviola`, where the processor has what it needs.
#[cfg(target_arch = "x86_64")]
mod graviola {
    use super::*;
    use ::graviola::key_agreement::x25519::{PublicKey, StaticPrivateKey};
    use ::graviola::util::is_cpu_supported;
    use rand::Rng;

    pub fn agree() -> Option<Row> {
        is_cpu_supported().then(|| {
            Row::new("agree", CIPHER, "graviola", KEY_BYTES, || {
                let keys = super::pairs().into_iter().map(|(secret, public)| {
                    let public = PublicKey::from_array(public.as_bytes());
                    (StaticPrivateKey::from_array(secret.as_bytes()), public)
                });
                let keys: Vec<_> = keys.collect();
                move || {
                    for (secret, public) in &keys {
                        black_box(secret.diffie_hellman(public).expect("a key that was made"));
                    }
                }
            })
        })
    }

    pub fn pairs() -> Option<Row> {
        is_cpu_supported().then(|| {
            Row::new("keypair", CIPHER, "graviola", KEY_BYTES, || {
                let mut rng = rng();
                move || {
                    for _ in 0..KEYS {
                        let mut secret = [0; KEY_BYTES];
                        rng.fill_bytes(&mut secret);
                        black_box(StaticPrivateKey::from_array(&secret).public_key());
                    }
                }
            })
        })
    }
}

/// It needs x86_64.
#[cfg(not(target_arch = "x86_64"))]
mod graviola {
    use super::Row;

    pub fn agree() -> Option<Row> {
        None
    }

    pub fn pairs() -> Option<Row> {
        None
    }
}
