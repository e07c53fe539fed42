//! Loads and stores of fewer bytes than a vector has, for instruction sets without masks.
//!
//! They use overlapping words: bytes copied one by one to a buffer would not forward to a load of
//! the whole. Branches and addresses depend on lengths only.

use std::mem::MaybeUninit;

/// A byte that can be written, initialized or not.
///
/// # Safety
/// The type has the size of a byte, and any value is valid.
pub(crate) unsafe trait Byte: Copy {
    /// Returns a byte that is initialized.
    fn of(byte: u8) -> Self;
}

// SAFETY: it is a byte.
unsafe impl Byte for u8 {
    #[inline(always)]
    fn of(byte: u8) -> Self {
        byte
    }
}

// SAFETY: it has the layout of a byte.
unsafe impl Byte for MaybeUninit<u8> {
    #[inline(always)]
    fn of(byte: u8) -> Self {
        Self::new(byte)
    }
}

/// 32 bytes of ones, then 32 of zeros: the mask of the first n bytes starts at 32 − n.
pub(crate) static ONES_THEN_ZEROS: [u8; 64] = {
    let mut mask = [0; 64];
    let mut i = 0;
    while i < 32 {
        mask[i] = 0xff;
        i += 1;
    }
    mask
};

/// Loads at most 16 bytes and fills up with zeros, little-endian.
#[inline(always)]
pub(crate) fn load(bytes: &[u8]) -> u128 {
    let length = bytes.len();
    debug_assert!(length <= 16);
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        u128::from(first) | u128::from(last) << (8 * (length - 8))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        u128::from(first) | u128::from(last) << (8 * (length - 4))
    } else {
        let byte = |index: usize| u128::from(bytes[index]) << (8 * index);
        match length {
            0 => 0,
            _ => byte(0) | byte(length / 2) | byte(length - 1),
        }
    }
}

/// Stores the first bytes of `value`, little-endian: as many as `bytes` has, at most 16.
#[inline(always)]
pub(crate) fn store<T: Byte>(value: u128, bytes: &mut [T]) {
    let length = bytes.len();
    debug_assert!(length <= 16);
    if length >= 8 {
        let last = ((value >> (8 * (length - 8))) as u64).to_le_bytes().map(T::of);
        bytes[..8].copy_from_slice(&(value as u64).to_le_bytes().map(T::of));
        bytes[length - 8..].copy_from_slice(&last);
    } else if length >= 4 {
        let last = ((value >> (8 * (length - 4))) as u32).to_le_bytes().map(T::of);
        bytes[..4].copy_from_slice(&(value as u32).to_le_bytes().map(T::of));
        bytes[length - 4..].copy_from_slice(&last);
    } else if length > 0 {
        for index in [0, length / 2, length - 1] {
            bytes[index] = T::of((value >> (8 * index)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_loaded_and_stored_and_nothing_else() {
        let bytes: [u8; 16] = std::array::from_fn(|i| i as u8 + 1);
        for length in 0..=16 {
            let mut expected = [0; 16];
            expected[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(load(&bytes[..length]).to_le_bytes(), expected);
            let mut stored = [0xa5; 20];
            store(u128::from_le_bytes(bytes), &mut stored[2..2 + length]);
            assert_eq!(stored[2..2 + length], bytes[..length]);
            assert!(stored[..2].iter().chain(&stored[2 + length..]).all(|byte| *byte == 0xa5));
        }
    }
}
