//! Elliptic-curve Diffie–Hellman for batches of keys: X25519 (RFC 7748) and P-256, P-384 and P-521
//! (SP 800-56A, SP 800-186), with the key derivation of JOSE.
//!
//! X25519 runs on the backends of [`x25519`], in batches. The other curves run one
//! key at a time: `avx2` and wider use the assembly of `graviola` for P-256 and P-384, and the
//! crates `p256`, `p384` and `p521` do everything else. All of these are constant-time by design.
//!
//! A [`PublicKey`] is checked when it is made: it is a point of its curve and not the identity, and
//! for X25519 not one of the few points that make every shared secret zero.
//!
//! ```
//! use orderseal::ciphers::cpu::Backend;
//! use orderseal::ciphers::ecdh::{Curve, agree, generate};
//! use orderseal::ciphers::random::{KeySource, SystemSource};
//!
//! let (backend, mut rng) = (Backend::detect(), SystemSource::new()?.stream(0));
//! for curve in Curve::ALL {
//!     let keys = generate(backend, &[curve; 2], &mut rng);
//!     let pairs = [(&keys[0], keys[1].public()), (&keys[1], keys[0].public())];
//!     let shared = agree(backend, &pairs);
//!     assert!(shared[0].is_some());
//!     assert_eq!(shared[0], shared[1]);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod concat_kdf;
mod error;
#[cfg(target_arch = "x86_64")]
mod graviola;
mod key;
mod nist;
mod point;
mod rustcrypto;
#[cfg(test)]
mod tests;

pub use concat_kdf::{PartyInfo, concat_kdf};
pub use error::KeyError;
pub use key::{PrivateKey, PublicKey, SharedSecret};

use key::{Number, Point};
use rand::CryptoRng;

use super::cpu::Backend;
use super::x25519;

/// Backends with their own code for P-256 and P-384.
pub const NIST_BACKENDS: &[&str] = &["rustcrypto", "avx2"];

/// A curve, as named in RFC 7518 section 6.2.1.1 and RFC 8037 section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// Curve25519 with the function X25519.
    X25519,
    /// P-256, also called secp256r1.
    P256,
    /// P-384, also called secp384r1.
    P384,
    /// P-521, also called secp521r1.
    P521,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::X25519, Self::P256, Self::P384, Self::P521];

    /// Returns the curve's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Returns the curve with the given name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// Length in bytes of a coordinate, of a secret number and of a shared secret.
    pub const fn bytes(self) -> usize {
        match self {
            Self::X25519 | Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Length in bytes of a [seed](from_seeds): for the P curves, at least 64 bits more than a secret
    /// number has.
    pub const fn seed_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::P256 | Self::P384 | Self::P521 => self.bytes() + 8,
        }
    }

    /// Whether a public key has a second coordinate.
    pub const fn has_y(self) -> bool {
        match self {
            Self::X25519 => false,
            Self::P256 | Self::P384 | Self::P521 => true,
        }
    }
}

/// Makes a pair of keys on each of these curves.
pub fn generate<R: CryptoRng + ?Sized>(
    backend: Backend,
    curves: &[Curve],
    rng: &mut R,
) -> Vec<PrivateKey> {
    let of_x25519 = curves.iter().filter(|curve| **curve == Curve::X25519);
    let secrets: Vec<_> = of_x25519.map(|_| x25519::SecretKey::random(rng)).collect();
    let mut made = x25519_pairs(backend, &secrets);
    let pair = |curve: &Curve| match curve {
        Curve::X25519 => made.next().expect("a pair for each X25519 was made"),
        Curve::P256 => PrivateKey::of_p256(backend, nist::Number::random(rng)),
        Curve::P384 => PrivateKey::of_p384(backend, nist::Number::random(rng)),
        Curve::P521 => PrivateKey::of_p521(backend, nist::Number::random(rng)),
    };
    curves.iter().map(pair).collect()
}

/// Makes a pair of keys of each seed; the seeds are uniformly random bytes, one after the other. For
/// X25519 a seed is the secret key. For a P curve it is a number, big-endian, and the secret number is
/// its remainder modulo n − 1, plus 1, where n is the order of the curve (FIPS 186-5 appendix A.2.1).
///
/// # Panics
/// If there is a part of a seed at the end.
pub fn from_seeds(backend: Backend, curve: Curve, seeds: &[u8]) -> Vec<PrivateKey> {
    assert!(seeds.len().is_multiple_of(curve.seed_bytes()), "whole seeds");
    let each = seeds.chunks_exact(curve.seed_bytes());
    match curve {
        Curve::X25519 => {
            let secrets: Vec<_> = seeds.as_chunks().0.iter().copied().map(Into::into).collect();
            x25519_pairs(backend, &secrets).collect()
        }
        Curve::P256 => {
            each.map(|seed| PrivateKey::of_p256(backend, nist::Number::of_seed(seed))).collect()
        }
        Curve::P384 => {
            each.map(|seed| PrivateKey::of_p384(backend, nist::Number::of_seed(seed))).collect()
        }
        Curve::P521 => {
            each.map(|seed| PrivateKey::of_p521(backend, nist::Number::of_seed(seed))).collect()
        }
    }
}

/// Computes the public keys of secret ones.
fn x25519_pairs(
    backend: Backend,
    secrets: &[x25519::SecretKey],
) -> impl Iterator<Item = PrivateKey> + '_ {
    let mut publics = vec![x25519::PublicKey::default(); secrets.len()];
    x25519::public_keys(backend, secrets, &mut publics);
    // Copies, as moving them would leave them behind in memory that is not wiped.
    let pairs = secrets.iter().cloned().zip(publics);
    pairs.map(|(secret, public)| PrivateKey::of_x25519(secret, public))
}

/// Computes the shared secret of each pair of keys: the coordinate x (SP 800-56A section 5.7.1.2), or
/// the result of X25519. `None` for keys on different curves and for a result of zero, which a
/// public key that was checked cannot give.
pub fn agree(backend: Backend, pairs: &[(&PrivateKey, &PublicKey)]) -> Vec<Option<SharedSecret>> {
    let of_x25519 = pairs.iter().filter_map(|(key, public)| match (&key.number, &public.0) {
        (Number::X25519(secret), Point::X25519(public)) => Some((secret, public)),
        (Number::X25519(_) | Number::P256(_) | Number::P384(_) | Number::P521(_), _) => None,
    });
    let of_x25519: Vec<_> = of_x25519.collect();
    let mut results = vec![x25519::SharedSecret::default(); of_x25519.len()];
    x25519::agree(backend, &of_x25519, &mut results);
    let mut results = results.iter();
    let shared = |(key, public): &(&PrivateKey, &PublicKey)| match (&key.number, &public.0) {
        (Number::X25519(_), Point::X25519(_)) => {
            let result = results.next().expect("a result for each pair").bytes();
            result.map(|bytes| SharedSecret::new(bytes))
        }
        (Number::P256(number), Point::P256(public)) => {
            Some(SharedSecret::new(&*number.agree(backend, public)))
        }
        (Number::P384(number), Point::P384(public)) => {
            Some(SharedSecret::new(&*number.agree(backend, public)))
        }
        (Number::P521(number), Point::P521(public)) => {
            Some(SharedSecret::new(&*number.agree(backend, public)))
        }
        (Number::X25519(_) | Number::P256(_) | Number::P384(_) | Number::P521(_), _) => None,
    };
    pairs.iter().map(shared).collect()
}
