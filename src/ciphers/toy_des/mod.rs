//! The toy DES of the founding document's figure 2 (paragraphs 0106 to 0112): blocks of 8 bits,
//! keys of 12, four Feistel rounds with one 4-bit S-box.
//!
//! It is for teaching and comparison and protects nothing: under one key it is a substitution of
//! 256 bytes. Long texts are computed with such a table where it pays off; short ones go through
//! the four rounds, so that orders with a key each need no table. On the backends `rustcrypto` and
//! `portable`, which are the same here, tables are looked up in memory, so timing reveals through
//! caches which entries were used; the others look up in registers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(target_arch = "x86_64")]
use super::cpu::{Avx2, Proof};
use super::cpu::{Backend, Level};

/// Backends with their own toy-DES code.
pub const BACKENDS: &[&str] = &["portable", "avx2", "avx512"];

/// A key of 12 bits. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key(u16);

/// The key has more than 12 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a toy DES key of 12 bits (below 4096)")]
pub struct KeyTooLong;

impl Key {
    /// Creates a key from its 12 bits, k₁ on top.
    ///
    /// # Errors
    /// [`KeyTooLong`] for a number of 4096 or more.
    pub fn new(bits: u16) -> Result<Self, KeyTooLong> {
        if bits < 1 << 12 { Ok(Self(bits)) } else { Err(KeyTooLong) }
    }

    /// Creates a key from the low 12 bits of a number.
    pub fn from_low_bits(number: u64) -> Self {
        Self(number as u16 & 0xfff)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The S-box: 16 values of 4 bits. It need not be a permutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SBox([u8; 16]);

/// An S-box value has more than 4 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected S-box values of 4 bits (below 16), found {found} at {index}")]
pub struct ValueTooLong {
    /// Index of the value, from 0 to 15.
    pub index: usize,
    /// The value.
    pub found: u8,
}

impl SBox {
    /// A reconstruction: the drawing with the table is lost. It is row 2 (from 0) of the standard
    /// DES S-box S3, rotated right by three, the only rotation of a row of a DES S-box that agrees
    /// with everything the text says.
    pub const DEFAULT: Self = Self([10, 14, 7, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5]);

    /// Returns the values S(0) to S(15).
    pub const fn values(&self) -> [u8; 16] {
        self.0
    }

    /// Creates an S-box from the values S(0) to S(15).
    ///
    /// # Errors
    /// [`ValueTooLong`] for the first value of 16 or more.
    pub fn new(values: [u8; 16]) -> Result<Self, ValueTooLong> {
        match values.iter().position(|value| *value > 15) {
            Some(index) => Err(ValueTooLong { index, found: values[index] }),
            None => Ok(Self(values)),
        }
    }
}

impl fmt::Display for SBox {
    /// 16 hexadecimal digits, S(0) first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|value| write!(f, "{value:x}"))
    }
}

impl std::str::FromStr for SBox {
    type Err = &'static str;

    /// Parses the format that `Display` writes.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let expected = "expected 16 hexadecimal digits, S(0) first";
        let digits = text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8));
        let values: Vec<u8> = digits.collect::<Option<_>>().ok_or(expected)?;
        values.try_into().map(Self).map_err(|_| expected)
    }
}

impl Default for SBox {
    /// [`SBox::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Toy DES under one key. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ToyDes(Rounds);

/// S(x ⊕ Kᵢ) for each round in the order of computation: 16 bytes in a word, x = 0 lowest.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Rounds([u128; 4]);

impl ToyDes {
    /// Combines the S-box with each round's key.
    pub fn new(key: &Key, sbox: &SBox) -> Self {
        let keys = portable::round_keys(key);
        Self(Rounds(
            keys.map(|key| {
                u128::from_le_bytes(std::array::from_fn(|x| sbox.0[x ^ usize::from(key)]))
            }),
        ))
    }

    /// Encrypts every byte in place.
    pub fn encrypt(&self, backend: Backend, data: &mut [u8]) {
        self.0.substitute(backend, data);
    }

    /// Decrypts every byte in place.
    pub fn decrypt(&self, backend: Backend, data: &mut [u8]) {
        let [first, second, third, fourth] = self.0.0;
        Rounds([fourth, third, second, first]).substitute(backend, data);
    }
}

impl fmt::Debug for ToyDes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToyDes(..)")
    }
}

/// Bytes and the rounds, or inverse rounds, to apply.
#[cfg(target_arch = "x86_64")]
struct Substitute<'a> {
    rounds: &'a Rounds,
    data: &'a mut [u8],
}

impl Rounds {
    fn substitute(&self, backend: Backend, data: &mut [u8]) {
        match backend.level() {
            Level::RustCrypto | Level::Portable | Level::Neon(_) => {
                portable::substitute(self, data)
            }
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(proof) => proof.enter(Substitute { rounds: self, data }),
            #[cfg(target_arch = "x86_64")]
            Level::Vaes(proof) => Avx2::from(proof).enter(Substitute { rounds: self, data }),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(proof) => proof.enter(Substitute { rounds: self, data }),
        }
    }
}
