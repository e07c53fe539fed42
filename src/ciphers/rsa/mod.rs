//! RSA-OAEP for batches of messages, and keys for it.
//!
//! Keys are processed several at a time, one per lane: eight on processors with AVX-512 IFMA, four
//! on those with AVX2. Every other backend, and keys that the lanes do not support, use the
//! exponentiation of the crate `rsa`, with equal results. Private operations are blinded and checked, unpadding takes constant time, and
//! all failures look the same whatever their cause. Keys are checked when they are built from their
//! components.
//!
//! ```
//! use orderseal::ciphers::cpu::Backend;
//! use orderseal::ciphers::random::{KeySource, SystemSource};
//! use orderseal::ciphers::rsa::{self, OaepHash, UnwrapJob, WrapJob};
//!
//! let (backend, mut rng) = (Backend::detect(), SystemSource::new()?.stream(0));
//! let pair = rsa::generate(backend, 1, 2048, &mut rng)?.remove(0);
//! let mut wrapped = vec![0; pair.public().size()];
//! let hash = OaepHash::Sha256;
//! let job = WrapJob { key: pair.public(), hash, label: b"", message: b"a content key" };
//! rsa::oaep_wrap_many(backend, &[job], &mut rng, &mut wrapped)?;
//!
//! let job = UnwrapJob { key: &pair, hash, label: b"", ciphertext: &wrapped };
//! let unwrapped = rsa::oaep_unwrap_many(backend, &[job], &mut rng);
//! assert_eq!(unwrapped[0].message(), Some(&b"a content key"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod bound;
mod components;
/// For `scripts/ct-check.sh`.
#[cfg(ct_check)]
#[path = "../../../scripts/ct-check/secrets.rs"]
pub mod ct_check;
mod generate;
mod key;
mod lanes;
mod oaep;
#[cfg(test)]
mod prime_tests;
#[cfg(test)]
mod tests;
mod words;

pub use batch::{MessageTooLong, UnwrapJob, WrapJob, oaep_unwrap_many, oaep_wrap_many};
#[doc(hidden)]
pub use bound::{Joined, SECRET, join};
pub use generate::generate;
pub use key::{
    Components, Crt, KeyError, MAX_BITS, MAX_GENERATED_BITS, MIN_BITS, Primes, PrivateKey,
    PublicKey,
};
pub use oaep::{OaepHash, Unwrapped};

/// Backends with their own RSA code.
pub const BACKENDS: &[&str] = &["rustcrypto", "avx2", "avx512"];
