//! The Merkle–Hellman knapsack: public-key encryption of a few hundred bits. **Broken.**
//!
//! Source: R. Merkle and M. Hellman, *Hiding information and signatures in trapdoor knapsacks*, IEEE
//! Transactions on Information Theory 24, 1978; the notation is that of A. Menezes et al., *Handbook
//! of Applied Cryptography* (HAC), section 8.6.1. The private key is a superincreasing sequence
//! w₁ … wₙ with a modulus q, a multiplier r and a permutation π; the public key is aᵢ = r·w(π(i))
//! mod q. Bits are encrypted as the sum of the aᵢ at the positions of the one bits.
//!
//! Strength today: none. A. Shamir (FOCS 1982) recovers an equivalent private key from the public
//! one in polynomial time: the aᵢ come from a superincreasing sequence only if the ratio of inverse
//! multiplier to modulus lies in a tiny interval, which is found by Diophantine approximation.
//! Independently, a density below 0.94 lets lattice reduction find the bits without any key
//! (Lagarias and Odlyzko 1985; Coster et al. 1992), and the density here is 0.5. A test breaks a
//! toy key. The encryption is also deterministic and malleable.
//!
//! Sizes for a content-encryption key of 256 bits, following the original paper's recipe with n =
//! 256:
//!
//! | | bits | bytes in an encoding |
//! |---|---|---|
//! | wᵢ | 256 + i − 1 at most | 65 |
//! | q | 514 | 65 |
//! | r, aᵢ | 514 at most | 65 |
//! | sum | 522 at most | 66 |
//! | private key: q, r, w, π | | 17,026 |
//! | public key: a | | 16,640 |
//!
//! Content-encryption keys of other lengths are split into blocks of 256 bits, the last one
//! shorter, with one sum per block.
//!
//! Operations on secrets use the constant-time arithmetic of `crypto-bigint`, except that key
//! generation and key checking reject and compare in variable time. Timing was not measured.

mod number;
mod private;
mod public;
#[cfg(test)]
mod tests;

pub use private::PrivateKey;
pub use public::PublicKey;

/// Number of elements in a knapsack of the encoded size, and of bits in a block.
pub const ELEMENTS: usize = 256;
/// Bytes of an encoded element, modulus or multiplier, big-endian.
pub const NUMBER_BYTES: usize = 65;
/// Bytes of an encoded sum, big-endian.
pub const SUM_BYTES: usize = 66;
/// Bytes of an encoded public key.
pub const PUBLIC_KEY_BYTES: usize = ELEMENTS * NUMBER_BYTES;
/// Bytes of an encoded private key.
pub const PRIVATE_KEY_BYTES: usize = 2 * NUMBER_BYTES + ELEMENTS * NUMBER_BYTES + ELEMENTS;

/// Bytes of key material in a block.
const BLOCK_BYTES: usize = ELEMENTS / 8;

/// Number of bytes in the encryption of `bytes` bytes.
pub const fn encrypted_bytes(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK_BYTES) * SUM_BYTES
}

/// Reason why a key is rejected. Positions count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The encoding has the wrong size.
    #[error("a knapsack key of this kind has {expected} bytes, found {found}")]
    Length {
        /// Expected number of bytes.
        expected: usize,
        /// Actual number of bytes.
        found: usize,
    },
    /// The knapsack has too few or too many elements.
    #[error("a knapsack has 1 to 256 elements, found {0}")]
    Elements(usize),
    /// A textbook knapsack is too small for key material.
    #[error("key material takes a knapsack of 256 elements, found {0}")]
    Toy(usize),
    /// A number is wider than the recipe allows.
    #[error("a number of the knapsack has more than 514 bits")]
    TooLarge,
    /// A public element is zero.
    #[error("element {0} of the public knapsack is zero")]
    Zero(usize),
    /// A secret element is not greater than the sum of all before it.
    #[error("element {0} of the private knapsack is not greater than the sum of those before it")]
    NotSuperincreasing(usize),
    /// The modulus does not exceed the largest possible sum.
    #[error("the modulus is not greater than the sum of the private knapsack")]
    Modulus,
    /// The multiplier has no inverse.
    #[error("the multiplier is not between 0 and the modulus, or has a factor in common with it")]
    Multiplier,
    /// The permutation misses an element.
    #[error("the permutation does not name every element once")]
    Permutation,
    /// The public key belongs to another private key.
    #[error("member \"pub\" does not belong to \"priv\"")]
    Mismatch,
}

/// The sum is not a ciphertext under this key, or not one of this many bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed")]
pub struct DecryptionFailed;
