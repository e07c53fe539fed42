//! X25519 with the crate `x25519-dalek`, one key at a time.

use x25519_dalek::StaticSecret;
use zeroize::Zeroize;

use super::{PublicKey, SecretKey, SharedSecret};

/// Computes the shared secret of each pair.
pub(super) fn agree(pairs: &[(&SecretKey, &PublicKey)], out: &mut [SharedSecret]) {
    for ((secret, public), out) in pairs.iter().zip(out) {
        let shared = secret_of(secret).diffie_hellman(&(*public.as_bytes()).into());
        out.0 = *shared.as_bytes();
    }
}

/// Computes the public key of each secret key.
pub(super) fn public_keys(secrets: &[SecretKey], out: &mut [PublicKey]) {
    for (secret, out) in secrets.iter().zip(out) {
        out.0 = x25519_dalek::PublicKey::from(&secret_of(secret)).to_bytes();
    }
}

/// Converts a key to the crate's type, which clamps it when it is used.
fn secret_of(secret: &SecretKey) -> StaticSecret {
    let mut bytes = *secret.as_bytes();
    let converted = StaticSecret::from(bytes);
    bytes.zeroize();
    converted
}
