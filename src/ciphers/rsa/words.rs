//! Numbers as 64-bit words, least significant first: the few operations on one number at a time.
//! Constant time for a given number of words, except [`bits`].

use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroizing;

/// A secret number, cleared when dropped.
pub(super) type Secret = Zeroizing<Vec<u64>>;

/// Reads big-endian bytes into `len` words; `None` if the number does not fit.
pub(super) fn from_be_bytes(bytes: &[u8], len: usize) -> Option<Secret> {
    let excess = bytes.len().saturating_sub(8 * len);
    let (overflow, bytes) = bytes.split_at(excess);
    let fits = overflow.iter().fold(0, |any, byte| any | byte) == 0;
    fits.then(|| padded(bytes, len))
}

/// Reads big-endian bytes into as many words as they take.
pub(super) fn all_be_bytes(bytes: &[u8]) -> Secret {
    padded(bytes, bytes.len().div_ceil(8))
}

/// Reads at most 8 × `len` big-endian bytes into `len` words.
fn padded(bytes: &[u8], len: usize) -> Secret {
    let mut words = vec![0; len];
    for (word, chunk) in words.iter_mut().zip(bytes.rchunks(8)) {
        let mut padded = [0; 8];
        padded[8 - chunk.len()..].copy_from_slice(chunk);
        *word = u64::from_be_bytes(padded);
    }
    Zeroizing::new(words)
}

/// Writes the number as big-endian bytes that fill `out`; excess bits are dropped.
pub(super) fn to_be_bytes(words: &[u64], out: &mut [u8]) {
    out.fill(0);
    for (chunk, word) in out.rchunks_mut(8).zip(words) {
        let len = chunk.len();
        chunk.copy_from_slice(&word.to_be_bytes()[8 - len..]);
    }
}

/// Returns the length in bits; the time reveals the number of leading zero words.
pub(super) fn bits(words: &[u64]) -> usize {
    words
        .iter()
        .rposition(|word| *word != 0)
        .map_or(0, |top| 64 * top + 64 - words[top].leading_zeros() as usize)
}

/// Returns the length in bits of a big-endian number; the time reveals the number of leading zero
/// bytes.
pub(super) fn bits_of_be_bytes(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| *byte != 0)
        .map_or(0, |zeros| 8 * (bytes.len() - zeros) - bytes[zeros].leading_zeros() as usize)
}

/// a ← a + b; returns the carry. `b` is not longer than `a`.
pub(super) fn add(a: &mut [u64], b: &[u64]) -> u64 {
    let mut carry = 0;
    for (i, a) in a.iter_mut().enumerate() {
        let sum = u128::from(*a) + u128::from(b.get(i).copied().unwrap_or(0)) + carry;
        *a = sum as u64;
        carry = sum >> 64;
    }
    carry as u64
}

/// a ← a − b; returns the borrow, 0 or 1. `b` is not longer than `a`.
pub(super) fn sub(a: &mut [u64], b: &[u64]) -> u64 {
    let mut borrow = 0;
    for (i, a) in a.iter_mut().enumerate() {
        let (rest, under) = a.overflowing_sub(b.get(i).copied().unwrap_or(0));
        let (rest, again) = rest.overflowing_sub(borrow);
        *a = rest;
        borrow = u64::from(under | again);
    }
    borrow
}

/// Whether a < b, for numbers with the same number of words.
pub(super) fn less(a: &[u64], b: &[u64]) -> Choice {
    let mut borrow = 0;
    for (a, b) in a.iter().zip(b) {
        let rest = u128::from(*a).wrapping_sub(u128::from(*b)).wrapping_sub(borrow);
        borrow = rest >> 127;
    }
    Choice::from(borrow as u8)
}

/// Returns a · b.
pub(super) fn product(a: &[u64], b: &[u64]) -> Secret {
    let mut out = Zeroizing::new(vec![0; a.len() + b.len()]);
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.iter().enumerate() {
            let sum = u128::from(*a) * u128::from(*b) + u128::from(out[i + j]) + carry;
            out[i + j] = sum as u64;
            carry = sum >> 64;
        }
        out[i + b.len()] = carry as u64;
    }
    out
}

/// Returns |a − b|, for numbers with the same number of words.
pub(super) fn distance(a: &[u64], b: &[u64]) -> Secret {
    let (mut down, mut up) = (Zeroizing::new(a.to_vec()), Zeroizing::new(b.to_vec()));
    let negative = Choice::from(sub(&mut down, b) as u8);
    sub(&mut up, a);
    for (down, up) in down.iter_mut().zip(up.iter()) {
        down.conditional_assign(up, negative);
    }
    down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_come_back() {
        for len in 0..40 {
            let bytes: Vec<u8> = (1..=len).collect();
            let words = from_be_bytes(&bytes, 5).unwrap();
            let mut back = vec![0; bytes.len()];
            to_be_bytes(&words, &mut back);
            assert_eq!(back, bytes);
        }
        assert!(from_be_bytes(&[1; 41], 5).is_none());
        assert!(from_be_bytes(&[0; 41], 5).is_some());
    }

    #[test]
    fn bits_are_counted_from_the_first_byte_that_is_not_zero() {
        for (bytes, bits) in [(&[][..], 0), (&[0, 0], 0), (&[0, 1, 0], 9), (&[0x80], 8)] {
            assert_eq!(bits_of_be_bytes(bytes), bits, "{bytes:?}");
        }
    }

    #[test]
    fn differences_have_their_sign() {
        let (small, large) = ([7, u64::MAX, 0], [0, 0, 1]);
        assert!(bool::from(less(&small, &large)));
        assert!(!bool::from(less(&large, &small)));
        assert!(!bool::from(less(&small, &small)));
        assert_eq!(*distance(&small, &large), *distance(&large, &small));
        let mut sum = small;
        add(&mut sum, &distance(&small, &large));
        assert_eq!(sum, large);
    }

    #[test]
    fn a_product_of_all_ones_carries_to_the_top() {
        let ones = [u64::MAX; 3];
        // (2^192 − 1)² = 2^384 − 2^193 + 1
        assert_eq!(*product(&ones, &ones), [1, 0, 0, u64::MAX - 1, u64::MAX, u64::MAX]);
        assert_eq!(bits(&ones), 192);
        assert_eq!(bits(&[0, 1, 0]), 65);
    }
}
