//! Algorithms, their backends and batch kernels.
//!
//! | module | what |
//! |---|---|
//! | [`aes`] | AES-GCM and AES key wrap for batches |
//! | [`rsa`] | RSA-OAEP with SHA-256 for batches |
//! | [`x25519`] | X25519 key agreement for batches |
//! | [`ecdh`] | key agreement on X25519 and the P curves, and its key derivation |
//! | [`des`] | DES and triple DES, bitsliced |
//! | [`cpu`] | backends: instruction sets that the kernels can use |
//! | [`random`] | sources of random bytes |
//!
//! Kernels work on batches, so that a backend can put many messages side by side in wide registers.
//! This module performs no input or output, reads no clock, knows no file format and starts no
//! thread.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod aes;
#[doc(hidden)]
pub mod base64url;
#[doc(hidden)]
pub mod chunked;
#[doc(hidden)]
pub mod content;
pub mod cpu;
pub(crate) mod cut;
pub mod des;
pub mod ecdh;
mod error;
#[doc(hidden)]
pub mod feal;
#[doc(hidden)]
pub mod grain;
#[doc(hidden)]
pub mod kdf;
#[doc(hidden)]
pub mod knapsack;
#[doc(hidden)]
pub mod lfsr;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod partial;
pub mod random;
pub mod rsa;
mod secret;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod toy_des;
#[doc(hidden)]
pub mod vernam;
pub mod x25519;

#[doc(hidden)]
pub use error::CipherError;
pub use secret::Secret;
#[doc(hidden)]
pub use secret::Wiped;
