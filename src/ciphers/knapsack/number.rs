//! Numbers of a knapsack: 576 bits, wide enough to add 256 of the largest.

use crypto_bigint::{NonZero, U576};
use rand::Rng;
use zeroize::Zeroize;

/// A number; those in a key have at most [`MAX_BITS`] bits.
pub(super) type Number = U576;

/// Bits of the largest modulus.
pub(super) const MAX_BITS: u32 = 514;

/// Reads a number from big-endian bytes, 72 at most.
pub(super) fn from_bytes(bytes: &[u8]) -> Number {
    let mut padded = [0; Number::BYTES];
    padded[Number::BYTES - bytes.len()..].copy_from_slice(bytes);
    let number = Number::from_be_slice(&padded);
    padded.zeroize();
    number
}

/// Appends the number's lowest `bytes` bytes, big-endian.
pub(super) fn append(number: &Number, bytes: usize, to: &mut Vec<u8>) {
    let mut encoded = number.to_be_bytes();
    to.extend_from_slice(&encoded[Number::BYTES - bytes..]);
    encoded.zeroize();
}

/// Draws a random number from `low` to `high`, both included: draws candidates as wide as the
/// difference until one fits.
pub(super) fn between(low: &Number, high: &Number, rng: &mut (impl Rng + ?Sized)) -> Number {
    let span = high.wrapping_sub(low);
    let bits = span.bit_width_vartime();
    let bytes = bits.div_ceil(8) as usize;
    let mut drawn = [0; Number::BYTES];
    loop {
        rng.fill_bytes(&mut drawn[..bytes]);
        if !bits.is_multiple_of(8) {
            drawn[0] &= (1 << (bits % 8)) - 1;
        }
        let candidate = from_bytes(&drawn[..bytes]);
        if candidate <= span {
            drawn.zeroize();
            return candidate.wrapping_add(low);
        }
    }
}

/// Returns the inverse of `number` modulo `modulus`, if there is one.
pub(super) fn inverse(number: &Number, modulus: &NonZero<Number>) -> Option<Number> {
    number.invert_mod(modulus).into_option()
}

/// Returns `number` if `bit` is 1 and zero if it is 0, without a branch.
pub(super) fn if_bit(number: &Number, bit: u8) -> Number {
    let mask = u64::from(bit).wrapping_neg();
    let mut words = number.to_words();
    for word in &mut words {
        *word &= mask as crypto_bigint::Word;
    }
    Number::from_words(words)
}
