//! The public key: the hard knapsack.

use super::number::{self, Number};
use super::{BLOCK_BYTES, ELEMENTS, KeyError, NUMBER_BYTES, PUBLIC_KEY_BYTES, SUM_BYTES};

/// The public elements a₁ … aₙ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    elements: Vec<Number>,
}

impl PublicKey {
    /// Wraps elements that are already known to be valid.
    pub(super) fn of(elements: Vec<Number>) -> Self {
        Self { elements }
    }

    /// Builds a knapsack of up to 256 elements for textbook examples.
    ///
    /// # Errors
    /// [`KeyError`] if there are no elements, too many, or a zero element.
    pub fn from_elements(elements: &[u64]) -> Result<Self, KeyError> {
        Self::checked(elements.iter().copied().map(Number::from_u64).collect())
    }

    /// Decodes a public key of 256 elements: 65 bytes each, big-endian.
    ///
    /// # Errors
    /// [`KeyError`] if the size is wrong, or an element is zero or has more than 514 bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != PUBLIC_KEY_BYTES {
            return Err(KeyError::Length { expected: PUBLIC_KEY_BYTES, found: bytes.len() });
        }
        let elements = bytes.chunks_exact(NUMBER_BYTES);
        Self::checked(elements.map(number::from_bytes).collect())
    }

    fn checked(elements: Vec<Number>) -> Result<Self, KeyError> {
        if !(1..=ELEMENTS).contains(&elements.len()) {
            return Err(KeyError::Elements(elements.len()));
        }
        for (i, element) in elements.iter().enumerate() {
            match element.bit_width_vartime() {
                0 => return Err(KeyError::Zero(i + 1)),
                1..=number::MAX_BITS => {}
                _ => return Err(KeyError::TooLarge),
            }
        }
        Ok(Self { elements })
    }

    /// Encodes the key: 65 bytes per element.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.elements.len() * NUMBER_BYTES);
        for element in &self.elements {
            number::append(element, NUMBER_BYTES, &mut bytes);
        }
        bytes
    }

    /// Sums the elements at the positions where `bits` is one. Each bit is a byte of value 0 or 1;
    /// there are at most as many bits as elements.
    ///
    /// # Panics
    /// If there are more bits than elements.
    pub(super) fn sum(&self, bits: impl IntoIterator<Item = u8>) -> Number {
        let mut sum = Number::ZERO;
        for (i, bit) in bits.into_iter().enumerate() {
            sum = sum.wrapping_add(&number::if_bit(&self.elements[i], bit));
        }
        sum
    }

    /// Encrypts key material: every 32 bytes, or fewer at the end, become a 66-byte sum of the
    /// elements at the positions of their one bits, starting with the highest bit of the first
    /// byte.
    ///
    /// # Errors
    /// [`KeyError::Toy`] unless the knapsack has 256 elements.
    pub fn encrypt(&self, material: &[u8]) -> Result<Vec<u8>, KeyError> {
        if self.elements.len() != ELEMENTS {
            return Err(KeyError::Toy(self.elements.len()));
        }
        let mut sums = Vec::with_capacity(super::encrypted_bytes(material.len()));
        for block in material.chunks(BLOCK_BYTES) {
            let bits = block.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1));
            number::append(&self.sum(bits), SUM_BYTES, &mut sums);
        }
        Ok(sums)
    }
}
