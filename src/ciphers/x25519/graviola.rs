//! X25519 with the crate `graviola`, one key at a time: assembly that needs AVX2 and ADX, twice as
//! fast as `x25519-dalek`, which takes its place on processors without ADX.

use graviola::key_agreement::x25519::{self, StaticPrivateKey};
use graviola::util::is_cpu_supported;

use super::{KEY_BYTES, PublicKey, SecretKey, SharedSecret, dalek};

/// Computes the shared secret of each pair.
pub(super) fn agree(pairs: &[(&SecretKey, &PublicKey)], out: &mut [SharedSecret]) {
    if !is_cpu_supported() {
        return dalek::agree(pairs, out);
    }
    for ((secret, public), out) in pairs.iter().zip(out) {
        let public = x25519::PublicKey::from_array(public.as_bytes());
        // The only error is a shared secret of zero.
        out.0 = StaticPrivateKey::from_array(secret.as_bytes())
            .diffie_hellman(&public)
            .map_or([0; KEY_BYTES], |shared| shared.0);
    }
}

/// Computes the public key of each secret key.
pub(super) fn public_keys(secrets: &[SecretKey], out: &mut [PublicKey]) {
    if !is_cpu_supported() {
        return dalek::public_keys(secrets, out);
    }
    for (secret, out) in secrets.iter().zip(out) {
        out.0 = StaticPrivateKey::from_array(secret.as_bytes()).public_key().as_bytes();
    }
}
