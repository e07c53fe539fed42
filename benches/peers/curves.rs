//! X25519 by aws-lc-rs.

use std::hint::black_box;

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use orderseal::bench::rows::Row;

use super::{AWS_LC, like};

/// The answer to the question of one of our rows, if it is about X25519.
pub fn answer(ours: &Row) -> Option<Row> {
    let count = ours.operations as usize;
    match (ours.operation, &*ours.cipher) {
        ("agree", "x25519") => Some(agreements(ours, count)),
        ("keypair", "x25519") => Some(pairs_made(ours, count)),
        _ => None,
    }
}

/// A secret key for this library.
pub fn secret(bytes: &[u8]) -> PrivateKey {
    PrivateKey::from_private_key(&X25519, bytes).expect("its length")
}

/// The public half of a secret key.
pub fn public(secret: &PrivateKey) -> Vec<u8> {
    secret.compute_public_key().expect("every secret key has one").as_ref().to_vec()
}

/// The shared secret of a secret key and a public one.
pub fn shared(secret: &PrivateKey, public: &[u8]) -> [u8; 32] {
    agree(secret, UnparsedPublicKey::new(&X25519, public), (), |shared| {
        Ok(shared.try_into().expect("its length"))
    })
    .expect("a public key that does not give zero")
}

fn pair() -> (PrivateKey, Vec<u8>) {
    let secret = PrivateKey::generate(&X25519).expect("random numbers");
    let public = public(&secret);
    (secret, public)
}

fn agreements(ours: &Row, count: usize) -> Row {
    like(ours, AWS_LC, move || {
        let secrets: Vec<_> = (0..count).map(|_| pair().0).collect();
        let publics: Vec<_> = (0..count).map(|_| pair().1).collect();
        move || {
            for (secret, public) in secrets.iter().zip(&publics) {
                black_box(shared(secret, public));
            }
        }
    })
}

/// Making pairs; the library draws them from a generator of its own.
fn pairs_made(ours: &Row, count: usize) -> Row {
    like(ours, AWS_LC, move || {
        move || {
            for _ in 0..count {
                black_box(pair());
            }
        }
    })
}
