//! The cipher in the order of its description, a byte at a time.

use super::{Key, SBox, Tables};

/// K₁ to K₄: three bits of the key each, from the top, with a leading 1, 0, 1 and 0.
pub(super) fn round_keys(key: &Key) -> [u8; 4] {
    let bits = |shift: u16| (key.0 >> shift) as u8 & 0b111;
    [0b1000 | bits(9), bits(6), 0b1000 | bits(3), bits(0)]
}

/// Four rounds with the round keys in the order given.
pub(super) fn crypt(keys: [u8; 4], sbox: &SBox, byte: u8) -> u8 {
    let (mut left, mut right) = (byte >> 4, byte & 0b1111);
    for key in keys {
        (left, right) = (right, left ^ sbox.0[usize::from(right ^ key)]);
    }
    right << 4 | left
}

/// Substitutes byte after byte.
pub(super) fn substitute(tables: &Tables, data: &mut [u8]) {
    for byte in data {
        *byte = tables.bytes[usize::from(*byte)];
    }
}
