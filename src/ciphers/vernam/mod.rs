//! The Vernam cipher with a random key as long as the text: the one-time pad.
//!
//! Source: G. Vernam, US patent 1,310,719, 1919; C. Shannon, *Communication theory of secrecy
//! systems*, 1949. There are no blocks; the key is the range of the pad that a text uses up.
//!
//! Strength: perfect secrecy against unlimited computation, as long as the pad is random and secret
//! and no byte of it is used twice. Two texts under one range reveal their exclusive-or, and a
//! known text reveals its range. The cipher alone does not detect tampering: flipping a ciphertext
//! bit flips the same bit of the text. The caller must keep track of what is used; here a range can
//! only be split, never copied or joined.
//!
//! Running time depends only on lengths.

#[cfg(test)]
mod tests;

use std::fmt;

use rand::Rng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Backends with their own Vernam code.
pub const BACKENDS: &[&str] = &["portable"];

/// Reason why a pad is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PadError {
    /// The range is not inside the pad.
    #[error("bytes {offset} to {} are not all in the pad of {pad} bytes", offset.saturating_add(*length))]
    Outside {
        /// First byte of the range.
        offset: u64,
        /// Bytes in the range.
        length: u64,
        /// Bytes in the pad.
        pad: u64,
    },
    /// Too little of the pad is left.
    #[error("{needed} bytes of pad are needed, {left} are left")]
    Short {
        /// Bytes asked for.
        needed: u64,
        /// Bytes left in the range.
        left: u64,
    },
    /// The text is not as long as its range.
    #[error("a text of {text} bytes under {range} bytes of pad")]
    Length {
        /// Bytes of text.
        text: u64,
        /// Bytes in the range.
        range: u64,
    },
    /// The end of the range overflows.
    #[error("no pad has {length} bytes from byte {offset} on")]
    Overflow {
        /// First byte of the range.
        offset: u64,
        /// Bytes in the range.
        length: u64,
    },
}

/// A part of a pad that has not been used yet. It cannot be cloned, so nothing is used twice.
#[derive(Debug, PartialEq, Eq)]
pub struct PadRange {
    offset: u64,
    length: u64,
}

impl PadRange {
    /// Creates a range from `offset` on. The caller guarantees that it has never been used.
    ///
    /// # Errors
    /// [`PadError::Overflow`] if the end is over 2⁶⁴ − 1.
    pub fn new(offset: u64, length: u64) -> Result<Self, PadError> {
        match offset.checked_add(length) {
            Some(_) => Ok(Self { offset, length }),
            None => Err(PadError::Overflow { offset, length }),
        }
    }

    /// Position of its first byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Splits `needed` bytes off the front.
    ///
    /// # Errors
    /// [`PadError::Short`] if fewer are left; the range is then unchanged.
    pub fn take(&mut self, needed: u64) -> Result<Self, PadError> {
        let left = self.length;
        self.length = left.checked_sub(needed).ok_or(PadError::Short { needed, left })?;
        let taken = Self { offset: self.offset, length: needed };
        self.offset += needed;
        Ok(taken)
    }

    /// Whether the two ranges share no byte.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.length == 0
            || other.length == 0
            || self.offset + self.length <= other.offset
            || other.offset + other.length <= self.offset
    }
}

/// Encrypts or decrypts a text in place with the same number of pad bytes.
///
/// # Panics
/// Panics if the two differ in length.
pub fn exclusive_or(text: &mut [u8], pad: &[u8]) {
    assert_eq!(text.len(), pad.len(), "a byte of pad for each byte of text");
    for (byte, key) in text.iter_mut().zip(pad) {
        *byte ^= key;
    }
}

/// The bytes of a pad. Zeroized on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pad {
    bytes: Vec<u8>,
}

impl Pad {
    /// Generates a pad of `length` random bytes.
    pub fn generate(length: usize, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut bytes = vec![0; length];
        rng.fill_bytes(&mut bytes);
        Self { bytes }
    }

    /// Creates a pad from existing bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Returns the bytes, for storing.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the range of the whole pad, for a new pad.
    pub fn range(&self) -> PadRange {
        PadRange { offset: 0, length: self.bytes.len() as u64 }
    }

    /// Encrypts or decrypts a text in place by exclusive-or with its range, which is used up.
    ///
    /// # Errors
    /// [`PadError`] if the range is not in the pad, or not as long as the text; the text is then
    /// unchanged.
    // Taking the range by value uses it up.
    #[allow(clippy::needless_pass_by_value)]
    pub fn xor(&self, range: PadRange, text: &mut [u8]) -> Result<(), PadError> {
        let PadRange { offset, length } = range;
        if text.len() as u64 != length {
            return Err(PadError::Length { text: text.len() as u64, range: length });
        }
        let pad = usize::try_from(offset)
            .ok()
            .and_then(|start| self.bytes.get(start..)?.get(..text.len()))
            .ok_or(PadError::Outside { offset, length, pad: self.bytes.len() as u64 })?;
        exclusive_or(text, pad);
        Ok(())
    }

    /// Overwrites a range with zeroes, once both sides are done with it. Other copies are not
    /// affected.
    ///
    /// # Errors
    /// [`PadError::Outside`] if the range is not in the pad.
    pub fn erase(&mut self, offset: u64, length: u64) -> Result<(), PadError> {
        let pad = self.bytes.len() as u64;
        let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
        range
            .and_then(|(start, length)| self.bytes.get_mut(start..)?.get_mut(..length))
            .ok_or(PadError::Outside { offset, length, pad })?
            .zeroize();
        Ok(())
    }
}

impl fmt::Debug for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pad {{ bytes: {}, content: [redacted] }}", self.bytes.len())
    }
}
