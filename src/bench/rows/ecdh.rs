//! P-256, P-384 and P-521: agreements and key pairs, one key at a time. X25519 has a file of its own.

use std::hint::black_box;

use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{Curve, NIST_BACKENDS, PrivateKey, agree, generate};
use p256::elliptic_curve::group::Curve as _;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::{CurveArithmetic, Generate, ProjectivePoint, SecretKey};

use super::fixtures::rng;
use super::{Row, ours};

/// Number of keys per iteration.
const KEYS: usize = 16;

/// Agreement.
pub fn rows() -> Vec<Row> {
    let ours = [("p-256", Curve::P256), ("p-384", Curve::P384)].into_iter().flat_map(on_backends);
    let ours = ours.map(|(cipher, curve, backend)| {
        Row::new("agree", cipher, backend.name(), curve.bytes(), move || {
            let keys = keys(curve);
            move || {
                let pairs: Vec<_> =
                    keys.iter().zip(keys.iter().rev().map(PrivateKey::public)).collect();
                black_box(agree(backend, &pairs));
            }
        })
    });
    let crates = [
        agree_by_crate::<p256::NistP256>("p-256", Curve::P256),
        agree_by_crate::<p384::NistP384>("p-384", Curve::P384),
        agree_by_crate::<p521::NistP521>("p-521", Curve::P521),
    ];
    crates.into_iter().chain(ours).map(|row| row.batch(KEYS)).collect()
}

/// Making key pairs. Each iteration makes new ones, in the same order in every run.
pub fn key_rows() -> Vec<Row> {
    let ours = [("p-256", Curve::P256), ("p-384", Curve::P384)].into_iter().flat_map(on_backends);
    let ours = ours.map(|(cipher, curve, backend)| {
        Row::new("keypair", cipher, backend.name(), curve.bytes(), move || {
            let mut rng = rng();
            move || {
                black_box(generate(backend, &[curve; KEYS], &mut rng));
            }
        })
    });
    let crates = [
        pairs_by_crate::<p256::NistP256>("p-256", Curve::P256),
        pairs_by_crate::<p384::NistP384>("p-384", Curve::P384),
        pairs_by_crate::<p521::NistP521>("p-521", Curve::P521),
    ];
    crates.into_iter().chain(ours).map(|row| row.batch(KEYS)).collect()
}

fn on_backends(
    (cipher, curve): (&'static str, Curve),
) -> impl Iterator<Item = (&'static str, Curve, Backend)> {
    ours(NIST_BACKENDS).into_iter().map(move |backend| (cipher, curve, backend))
}

fn keys(curve: Curve) -> Vec<PrivateKey> {
    generate(Backend::detect(), &[curve; KEYS], &mut rng())
}

fn agree_by_crate<C: CurveArithmetic>(cipher: &'static str, curve: Curve) -> Row {
    Row::new("agree", cipher, "rustcrypto", curve.bytes(), move || {
        let mut rng = rng();
        let secrets: Vec<_> =
            (0..KEYS).map(|_| SecretKey::<C>::generate_from_rng(&mut rng)).collect();
        let publics: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
        move || {
            for (secret, public) in secrets.iter().zip(publics.iter().rev()) {
                let product: ProjectivePoint<C> =
                    public.to_projective() * *secret.to_nonzero_scalar();
                black_box(product.to_affine().x());
            }
        }
    })
}

fn pairs_by_crate<C: CurveArithmetic>(cipher: &'static str, curve: Curve) -> Row {
    Row::new("keypair", cipher, "rustcrypto", curve.bytes(), || {
        let mut rng = rng();
        move || {
            for _ in 0..KEYS {
                black_box(SecretKey::<C>::generate_from_rng(&mut rng).public_key());
            }
        }
    })
}
