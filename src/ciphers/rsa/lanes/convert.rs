//! Between 64-bit words and limbs of 52 bits in lanes. Bit positions are public; so is time.

use super::{BLOCK, LANES, LIMB_BITS, LIMB_MASK, Limbs, Number, zero};

/// Word `i` of a number, zero beyond its end.
fn word(words: &[u64], i: usize) -> u64 {
    words.get(i).copied().unwrap_or(0)
}

/// The 52 bits from bit `position` on.
fn limb(words: &[u64], position: usize) -> u64 {
    let pair =
        u128::from(word(words, position / 64)) | u128::from(word(words, position / 64 + 1)) << 64;
    (pair >> (position % 64)) as u64 & LIMB_MASK
}

/// Puts the bits from bit `from` on of one number into each lane. Missing lanes, past the end of
/// `numbers`, repeat the first; bits above the `B` blocks are dropped.
pub(in super::super) fn gather<const B: usize>(numbers: &[&[u64]], from: usize) -> Number<B> {
    let mut out = zero::<B>();
    for (i, limbs) in out.as_flattened_mut().iter_mut().enumerate() {
        limbs.0 = std::array::from_fn(|lane| {
            limb(numbers.get(lane).unwrap_or(&numbers[0]), from + i * LIMB_BITS)
        });
    }
    out
}

/// Takes the number in `lane`, normalized, out into words; what does not fit is cut off.
pub(in super::super) fn scatter<const B: usize>(number: &Number<B>, lane: usize, out: &mut [u64]) {
    out.fill(0);
    for (i, limbs) in number.as_flattened().iter().enumerate() {
        let position = i * LIMB_BITS;
        let pair = u128::from(limbs.0[lane]) << (position % 64);
        if let Some(low) = out.get_mut(position / 64) {
            *low |= pair as u64;
        }
        if let Some(high) = out.get_mut(position / 64 + 1) {
            *high |= (pair >> 64) as u64;
        }
    }
}

/// The windows of `width` bits of one exponent a lane, most significant first; bits from `bits`
/// on are not looked at. Missing lanes repeat the first.
pub(in super::super) fn windows(exponents: &[&[u64]], bits: usize, width: usize) -> Vec<Limbs> {
    (0..bits.div_ceil(width))
        .rev()
        .map(|i| {
            Limbs(std::array::from_fn(|lane| {
                let exponent = exponents.get(lane).unwrap_or(&exponents[0]);
                limb(exponent, i * width) & ((1 << width) - 1)
            }))
        })
        .collect()
}

/// The same small number in every lane.
pub(in super::super) fn small<const B: usize>(value: u64) -> Number<B> {
    let mut out = zero::<B>();
    out[0][0] = Limbs([value; LANES]);
    out
}

/// Blocks for moduli of `bits` bits and two bits to spare.
pub(in super::super) const fn blocks(bits: usize) -> usize {
    (bits + 2).div_ceil(BLOCK * LIMB_BITS)
}
