//! Algorithms, their backends and batch kernels.
//!
//! Two families meet the protocol: [`content`] ciphers seal orders, and [`wrap`] algorithms carry
//! content-encryption keys. Both work on batches, so that a backend can put many orders side by
//! side in wide registers. Nothing here performs input or output, reads a clock, knows a file
//! format or starts a thread.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod aes;
pub mod base64url;
pub mod chunked;
pub mod content;
pub mod cpu;
pub mod des;
mod error;
pub mod feal;
pub mod grain;
pub mod knapsack;
pub mod lfsr;
pub mod random;
pub mod rsa;
mod secret;
#[cfg(test)]
mod tests;
pub mod toy_des;
pub mod vernam;
pub mod wrap;

pub use error::CipherError;
pub use secret::{Secret, Wiped};
