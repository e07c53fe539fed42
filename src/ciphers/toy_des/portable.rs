//! Toy DES in the order of its description, one byte at a time.

use zeroize::Zeroizing;

use super::{Key, Rounds};

/// Derives K₁ to K₄: three bits of the key each, from the top, with a leading 1, 0, 1 and 0.
pub(super) fn round_keys(key: &Key) -> [u8; 4] {
    let bits = |shift: u16| (key.0 >> shift) as u8 & 0b111;
    [0b1000 | bits(9), bits(6), 0b1000 | bits(3), bits(0)]
}

/// Substitutes every byte, through a table if there are more bytes than table entries.
pub(super) fn substitute(rounds: &Rounds, data: &mut [u8]) {
    let rounds = Zeroizing::new(rounds.0.map(u128::to_le_bytes));
    let crypt = |byte: u8| {
        let (mut left, mut right) = (byte >> 4, byte & 0b1111);
        for table in rounds.iter() {
            (left, right) = (right, left ^ table[usize::from(right)]);
        }
        right << 4 | left
    };
    if data.len() > 256 {
        let table = Zeroizing::new(std::array::from_fn::<u8, 256, _>(|x| crypt(x as u8)));
        data.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
    } else {
        data.iter_mut().for_each(|byte| *byte = crypt(*byte));
    }
}
