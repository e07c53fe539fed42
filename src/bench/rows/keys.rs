//! Generation of secret keys and knapsacks. Each iteration makes new ones, in the same order in
//! every run.

use std::hint::black_box;

use crate::ciphers::aes;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::knapsack::{self, PRIVATE_KEY_BYTES};
use crate::ciphers::lfsr::{Generator, Trinomial};

use super::fixtures::{bytes, rng};
use super::{Row, widest};

/// Number of secret keys made per iteration.
const KEYS: usize = 256;

/// All rows of this file.
pub fn rows() -> Vec<Row> {
    vec![aes_256(), knapsack().weak(true), register().weak(true)]
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
