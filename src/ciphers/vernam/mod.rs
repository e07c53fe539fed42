//! The Vernam cipher with a random key as long as the text: the one-time pad.
//!
//! Source: G. Vernam, US patent 1,310,719, 1919; C. Shannon, *Communication theory of secrecy
//! systems*, 1949. There is no block; the key is the range of the pad that a text uses up.
//!
//! Strength: perfect secrecy, whatever the attacker computes, as long as the pad is random, secret and
//! no byte of it is used twice. Two texts under one range give away their exclusive-or, and a
//! known text gives away its range. The cipher alone detects no tampering: every changed bit
//! changes that bit of the text. Keeping account of what is used is the caller's; here a range can
//! only be split, never copied or joined.
//!
//! Running time depends on lengths alone.

#[cfg(test)]
mod tests;

use std::fmt;

use rand::Rng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The backends that Vernam has code of its own for.
pub const BACKENDS: &[&str] = &["portable"];

/// Why a pad was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PadError {
    /// The range does not lie in the pad.
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
    /// The range's end is beyond all numbers.
    #[error("no pad has {length} bytes from byte {offset} on")]
    Overflow {
        /// First byte of the range.
        offset: u64,
        /// Bytes in the range.
        length: u64,
    },
}

/// A part of a pad that has not been used yet. It cannot be cloned: what is taken from it is gone.
#[derive(Debug, PartialEq, Eq)]
pub struct PadRange {
    offset: u64,
    length: u64,
}

impl PadRange {
    /// The bytes from `offset` on. The caller answers for their never having been used.
    ///
    /// # Errors
    /// [`PadError::Overflow`] if the end is over 2⁶⁴ − 1.
    pub fn new(offset: u64, length: u64) -> Result<Self, PadError> {
        match offset.checked_add(length) {
            Some(_) => Ok(Self { offset, length }),
            None => Err(PadError::Overflow { offset, length }),
        }
    }

    /// Its first byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Its bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Splits bytes off the front.
    ///
    /// # Errors
    /// [`PadError::Short`] if there are not so many; the range is then as it was.
    pub fn take(&mut self, needed: u64) -> Result<Self, PadError> {
        let left = self.length;
        self.length = left.checked_sub(needed).ok_or(PadError::Short { needed, left })?;
        let taken = Self { offset: self.offset, length: needed };
        self.offset += needed;
        Ok(taken)
    }

    /// Whether no byte lies in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.length == 0
            || other.length == 0
            || self.offset + self.length <= other.offset
            || other.offset + other.length <= self.offset
    }
}

/// The cipher itself: encrypts or decrypts a text in place by as many bytes of pad.
///
/// # Panics
/// Panics if the two are not of one length.
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
    /// Makes a pad of that many random bytes.
    pub fn generate(length: usize, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut bytes = vec![0; length];
        rng.fill_bytes(&mut bytes);
        Self { bytes }
    }

    /// Takes over the bytes of a pad.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole pad, for one that is new.
    pub fn range(&self) -> PadRange {
        PadRange { offset: 0, length: self.bytes.len() as u64 }
    }

    /// Encrypts or decrypts a text in place by the exclusive-or with its range, which is used up.
    ///
    /// # Errors
    /// [`PadError`] if the range is not in the pad, or not as long as the text; the text is then as it
    /// was.
    // Taking the range by value is what uses it up.
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

    /// Overwrites a range with zeroes, once both sides are done with it. That reaches this copy only.
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
