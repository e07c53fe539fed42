//! Conversion between 64-bit words and limbs in lanes. Bit positions are public, and so is
//! the time.

use super::{Number, RsaLanes};

/// Returns word `i` of a number, zero beyond its end.
fn word(words: &[u64], i: usize) -> u64 {
    words.get(i).copied().unwrap_or(0)
}

/// Returns `width` bits, at most 63, starting at bit `position`.
fn bits_at(words: &[u64], position: usize, width: usize) -> u64 {
    let pair =
        u128::from(word(words, position / 64)) | u128::from(word(words, position / 64 + 1)) << 64;
    (pair >> (position % 64)) as u64 & ((1 << width) - 1)
}

/// Loads one number into each lane, starting at its bit `from`. Lanes past the end of `numbers`
/// repeat the first; bits above the `B` blocks are dropped.
pub(in super::super) fn gather<L: RsaLanes, const B: usize>(
    numbers: &[&[u64]],
    from: usize,
) -> Number<L, B> {
    let mut out = Number::<L, B>::zero();
    for lane in 0..L::LANES {
        let words = numbers.get(lane).unwrap_or(&numbers[0]);
        for (i, limbs) in out.limbs_mut().iter_mut().enumerate() {
            limbs.as_mut()[lane] = bits_at(words, from + i * L::LIMB_BITS, L::LIMB_BITS);
        }
    }
    out
}

/// Stores the normalized number in `lane` as words; excess bits are dropped.
pub(in super::super) fn scatter<L: RsaLanes, const B: usize>(
    number: &Number<L, B>,
    lane: usize,
    out: &mut [u64],
) {
    out.fill(0);
    for (i, limbs) in number.limbs().iter().enumerate() {
        let position = i * L::LIMB_BITS;
        let pair = u128::from(limbs.as_ref()[lane]) << (position % 64);
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
pub(in super::super) fn windows<L: RsaLanes>(
    exponents: &[&[u64]],
    bits: usize,
    width: usize,
) -> Vec<L::Limbs> {
    let window = |i| {
        let mut window = L::Limbs::default();
        for (lane, bits) in window.as_mut().iter_mut().enumerate() {
            *bits = bits_at(exponents.get(lane).unwrap_or(&exponents[0]), i * width, width);
        }
        window
    };
    (0..bits.div_ceil(width)).rev().map(window).collect()
}

/// Returns the same small number in every lane.
pub(in super::super) fn small<L: RsaLanes, const B: usize>(value: u64) -> Number<L, B> {
    let mut out = Number::<L, B>::zero();
    out.limbs_mut()[0].as_mut().fill(value);
    out
}

/// Number of blocks for moduli of `bits` bits, with two spare bits.
pub(in super::super) const fn blocks<L: RsaLanes>(bits: usize) -> usize {
    (bits + 2).div_ceil(L::BLOCK_BITS)
}
