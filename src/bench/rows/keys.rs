//! Generation of secret keys and knapsacks, and derivation of keys. Each iteration that generates
//! makes new ones, in the same order in every run.

use std::hint::black_box;

use crate::ciphers::aes;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::cpu::Backend;
use crate::ciphers::kdf::derive_many;
use crate::ciphers::knapsack::{self, PRIVATE_KEY_BYTES};
use crate::ciphers::lfsr::{Generator, Trinomial};

use super::fixtures::{bytes, rng};
use super::{Row, available, widest};

/// Number of secret keys made per iteration.
const KEYS: usize = 256;

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    let mut rows = vec![aes_256(), knapsack().weak(true), register().weak(true)];
    rows.extend(available(aes::BACKENDS).into_iter().map(derived));
    rows
}

/// Derives two keys of 32 bytes from each key, as a key tree does.
fn derived(backend: Backend) -> Row {
    let set_up = move || {
        let keys = bytes(KEYS * 32);
        let mut derived = vec![0; 2 * keys.len()];
        let input = |key: usize, number: usize| [(2 * key + number) as u8; 28];
        move || derive_many(backend, keys.as_chunks().0, 2, input, 32, &mut derived)
    };
    Row::new("derive", "aes-256-cmac", backend.name(), 32, set_up).batch(2 * KEYS)
}

fn aes_256() -> Row {
    let set_up = || {
        let mut rng = rng();
        let mut keys = vec![0; KEYS * 32];
        move || ContentCipher::A256Gcm.fill_keys(&mut rng, &mut keys)
    };
    Row::new("keygen", "aes-256", widest(aes::BACKENDS).name(), 32, set_up).batch(KEYS)
}

fn knapsack() -> Row {
    Row::new("keygen", "knapsack", "portable", PRIVATE_KEY_BYTES, || {
        let mut rng = rng();
        move || {
            black_box(knapsack::PrivateKey::generate(&mut rng));
        }
    })
}

/// Makes AES-256 keys from the register of x^127 + x^63 + 1.
fn register() -> Row {
    let set_up = || {
        let polynomial = Trinomial::new(127, 63).expect("a primitive trinomial");
        let mut register = Generator::new(polynomial, &bytes(16), false).expect("a seed");
        let mut keys = vec![0; KEYS * 32];
        move || register.fill(&mut keys)
    };
    Row::new("keygen", "lfsr-127", "portable", 32, set_up).batch(KEYS)
}
