//! Key agreement by aws-lc-rs: X25519, P-256, P-384 and P-521.

use std::hint::black_box;

use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519, agree,
};
use orderseal::bench::rows::Row;

use super::{AWS_LC, like};

/// The answer to the question of one of our rows, if it is about a curve.
pub fn answer(ours: &Row) -> Option<Row> {
    let count = ours.operations as usize;
    let curve: &'static Algorithm = match &*ours.cipher {
        "x25519" => &X25519,
        "p-256" => &ECDH_P256,
        "p-384" => &ECDH_P384,
        "p-521" => &ECDH_P521,
        _ => return None,
    };
    match ours.operation {
        "agree" => Some(agreements(ours, curve, count)),
        "keypair" => Some(pairs_made(ours, curve, count)),
        _ => None,
    }
}

/// A secret key for this library.
pub fn secret(curve: &'static Algorithm, bytes: &[u8]) -> PrivateKey {
    PrivateKey::from_private_key(curve, bytes).expect("a key of the curve")
}

/// The public half of a secret key.
pub fn public(secret: &PrivateKey) -> Vec<u8> {
    secret.compute_public_key().expect("every secret key has one").as_ref().to_vec()
}

/// The shared secret of a secret key and a public one.
pub fn shared(secret: &PrivateKey, public: &[u8]) -> Vec<u8> {
    agree(secret, UnparsedPublicKey::new(secret.algorithm(), public), (), |shared| {
        Ok(shared.to_vec())
    })
    .expect("a public key of the curve")
}

fn pair(curve: &'static Algorithm) -> (PrivateKey, Vec<u8>) {
    let secret = PrivateKey::generate(curve).expect("random numbers");
    let public = public(&secret);
    (secret, public)
}

fn agreements(ours: &Row, curve: &'static Algorithm, count: usize) -> Row {
    like(ours, AWS_LC, move || {
        let secrets: Vec<_> = (0..count).map(|_| pair(curve).0).collect();
        let publics: Vec<_> = (0..count).map(|_| pair(curve).1).collect();
        move || {
            for (secret, public) in secrets.iter().zip(&publics) {
                black_box(shared(secret, public));
            }
        }
    })
}

/// Making pairs; the library draws them from a generator of its own.
fn pairs_made(ours: &Row, curve: &'static Algorithm, count: usize) -> Row {
    like(ours, AWS_LC, move || {
        move || {
            for _ in 0..count {
                black_box(pair(curve));
            }
        }
    })
}
