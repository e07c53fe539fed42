//! X25519 (RFC 7748) for batches of keys: agreement, and public keys for new secret ones.
//!
//! On processors with AVX-512 IFMA, eight keys are processed at a time, one per lane; one key alone
//! goes to a crate, which is faster. The other backends use crates, one key at a time, with equal
//! results: `avx2` and `vaes` the assembly of `graviola`, `portable` and `rustcrypto` the crate
//! `x25519-dalek`. A batch gives what its items give alone. No branch and no address depends on a
//! secret.
//!
//! ```
//! use orderseal::ciphers::cpu::Backend;
//! use orderseal::ciphers::random::{KeySource, SystemSource};
//! use orderseal::ciphers::x25519::{PublicKey, SecretKey, SharedSecret, agree, public_keys};
//!
//! let (backend, mut rng) = (Backend::detect(), SystemSource::new()?.stream(0));
//! let secrets = [SecretKey::random(&mut rng), SecretKey::random(&mut rng)];
//! let mut publics = [PublicKey::default(); 2];
//! public_keys(backend, &secrets, &mut publics);
//!
//! let mut shared = [SharedSecret::default(), SharedSecret::default()];
//! let pairs = [(&secrets[0], &publics[1]), (&secrets[1], &publics[0])];
//! agree(backend, &pairs, &mut shared);
//! assert_eq!(shared[0].bytes(), shared[1].bytes());
//! assert!(shared[0].bytes().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dalek;
#[cfg(target_arch = "x86_64")]
mod graviola;
mod key;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(test)]
mod tests;

use super::cpu::{Backend, Level};

#[cfg(not(target_arch = "x86_64"))]
use dalek as graviola;
pub use key::{PublicKey, SecretKey, SharedSecret};

/// Backends with their own X25519 code. The others use crates.
pub const BACKENDS: &[&str] = &["rustcrypto", "avx512"];

/// Bytes in a secret key, a public key and a shared secret.
pub const KEY_BYTES: usize = 32;

/// Computes the shared secret of each pair of keys: the function X25519 of RFC 7748, section 5.
///
/// Groups of eight pairs fill the lanes. One pair alone is faster with the crate: 27 µs instead of
/// 48, where two take 54 in lanes.
///
/// # Panics
/// If `pairs` and `out` differ in length.
pub fn agree(backend: Backend, pairs: &[(&SecretKey, &PublicKey)], out: &mut [SharedSecret]) {
    assert_eq!(pairs.len(), out.len(), "room for one shared secret per pair");
    match backend.level() {
        Level::RustCrypto | Level::Portable | Level::Neon(_) => dalek::agree(pairs, out),
        Level::Avx2(_) | Level::Vaes(_) => graviola::agree(pairs, out),
        Level::Avx512(_) if pairs.len() == 1 => graviola::agree(pairs, out),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => lanes::run(proof, lanes::Agree { pairs, out }),
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx512(proof) => match proof.0 {},
    }
}

/// Computes the public key of each secret key (RFC 7748, section 6.1).
///
/// Groups of eight keys fill the lanes. One key alone is faster with the crate: 9 µs instead of 16.
///
/// # Panics
/// If `secrets` and `out` differ in length.
pub fn public_keys(backend: Backend, secrets: &[SecretKey], out: &mut [PublicKey]) {
    assert_eq!(secrets.len(), out.len(), "room for one public key per secret key");
    match backend.level() {
        Level::RustCrypto | Level::Portable | Level::Neon(_) => dalek::public_keys(secrets, out),
        Level::Avx2(_) | Level::Vaes(_) => graviola::public_keys(secrets, out),
        Level::Avx512(_) if secrets.len() == 1 => graviola::public_keys(secrets, out),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => lanes::run(proof, lanes::PublicKeys { secrets, out }),
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx512(proof) => match proof.0 {},
    }
}
