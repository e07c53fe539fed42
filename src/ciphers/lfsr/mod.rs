//! Linear-feedback shift register over a primitive polynomial x^P + x^Q + 1. **Not a source of
//! secrets.**
//!
//! Source: paragraph 0116 of the founding document, which makes keys from such numbers, optionally
//! "encrypted once more"; the theory is S. Golomb's, *Shift Register Sequences*, 1967. Every bit is
//! the sum of two earlier ones: s(n + P) = s(n + Q) + s(n).
//!
//! Strength: none. A primitive polynomial gives the longest period, 2^P − 1 bits, and good
//! statistics, but the Berlekamp–Massey algorithm recovers the polynomial and the state from any 2P
//! bits of output (Massey 1969; a test here does so), and with them all other bits. Whitening with
//! a cipher hides the register, but there are still only 2^P − 1 seeds. For this reason
//! [`Generator`] is an [`Rng`](rand::Rng) and not a [`CryptoRng`](rand::CryptoRng).

mod factors;
mod generator;
mod polynomial;
#[cfg(test)]
mod tests;

pub use generator::{Generator, SeedError};
pub use polynomial::{MAX_DEGREE, MIN_DEGREE, Trinomial, TrinomialError};
