//! Conversion between 64-bit words and 52-bit limbs in lanes. Bit positions are public, and so is
//! the time.

use super::{BLOCK, LANES, LIMB_BITS, LIMB_MASK, Limbs, Number, zero};

/// Returns word `i` of a number, zero beyond its end.
fn word(words: &[u64], i: usize) -> u64 {
    words.get(i).copied().unwrap_or(0)
}

/// Returns 52 bits, starting at bit `position`.
fn limb(words: &[u64], position: usize) -> u64 {
    let pair =
        u128::from(word(words, position / 64)) | u128::from(word(words, position / 64 + 1)) << 64;
    (pair >> (position % 64)) as u64 & LIMB_MASK
}

/// Loads one number into each lane, starting at its bit `from`. Lanes past the end of `numbers`
/// repeat the first; bits above the `B` blocks are dropped.
pub(in super::super) fn gather<const B: usize>(numbers: &[&[u64]], from: usize) -> Number<B> {
    let mut out = zero::<B>();
    for (i, limbs) in out.as_flattened_mut().iter_mut().enumerate() {
        limbs.0 = std::array::from_fn(|lane| {
            limb(numbers.get(lane).unwrap_or(&numbers[0]), from + i * LIMB_BITS)
        });
    }
    out
}

/// Stores the normalized number in `lane` as words; excess bits are dropped.
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

/// Splits one exponent per lane into windows of `width` bits, most significant first; bits from
/// `bits` on are ignored. Missing lanes repeat the first.
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

/// Returns the same small number in every lane.
pub(in super::super) fn small<const B: usize>(value: u64) -> Number<B> {
    let mut out = zero::<B>();
    out[0][0] = Limbs([value; LANES]);
    out
}

/// Number of blocks for moduli of `bits` bits, with two spare bits.
pub(in super::super) const fn blocks(bits: usize) -> usize {
    (bits + 2).div_ceil(BLOCK * LIMB_BITS)
}
