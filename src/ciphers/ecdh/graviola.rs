//! P-256 and P-384 with the crate `graviola`: assembly that needs AVX2 and ADX.

use graviola::key_agreement::{p256, p384};
use graviola::util::is_cpu_supported;
use zeroize::Zeroizing;

use super::point::Point;

pub(super) fn p256_public(secret: &[u8; 32]) -> Option<Point<32>> {
    let secret = is_cpu_supported().then(|| p256::StaticPrivateKey::from_bytes(secret).ok())??;
    Some(split(&secret.public_key_uncompressed()))
}

pub(super) fn p256_agree(secret: &[u8; 32], public: &Point<32>) -> Option<Zeroizing<[u8; 32]>> {
    let secret = is_cpu_supported().then(|| p256::StaticPrivateKey::from_bytes(secret).ok())??;
    let public = p256::PublicKey::from_x962_uncompressed(&join::<32, 65>(public)).ok()?;
    Some(Zeroizing::new(secret.diffie_hellman(&public).ok()?.0))
}

pub(super) fn p384_public(secret: &[u8; 48]) -> Option<Point<48>> {
    let secret = is_cpu_supported().then(|| p384::StaticPrivateKey::from_bytes(secret).ok())??;
    Some(split(&secret.public_key_uncompressed()))
}

pub(super) fn p384_agree(secret: &[u8; 48], public: &Point<48>) -> Option<Zeroizing<[u8; 48]>> {
    let secret = is_cpu_supported().then(|| p384::StaticPrivateKey::from_bytes(secret).ok())??;
    let public = p384::PublicKey::from_x962_uncompressed(&join::<48, 97>(public)).ok()?;
    Some(Zeroizing::new(secret.diffie_hellman(&public).ok()?.0))
}

/// Splits an uncompressed point: the byte 4 and two coordinates (SEC 1 section 2.3.3).
fn split<const N: usize>(uncompressed: &[u8]) -> Point<N> {
    let coordinates = uncompressed[1..].as_chunks().0;
    Point { x: coordinates[0], y: coordinates[1] }
}

/// Writes an uncompressed point of `M` = 2 `N` + 1 bytes.
fn join<const N: usize, const M: usize>(point: &Point<N>) -> [u8; M] {
    let mut uncompressed = [4; M];
    uncompressed[1..=N].copy_from_slice(&point.x);
    uncompressed[N + 1..].copy_from_slice(&point.y);
    uncompressed
}
