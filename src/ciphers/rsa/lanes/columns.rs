//! Montgomery multiplication block by block, for 32 registers and a multiplier of 52 bits.
//!
//! A product and its reduction are computed together, one block column after the other, so that the
//! 20 accumulators of a column stay in registers: column k collects the tiles aᵢ·bⱼ and qᵢ·nⱼ with
//! i + j = k. A 64-bit accumulator overflows after 4,096 products; the maximum here is 320.

use super::modulus::Modulus;
use super::{Number, RsaLanes};

/// Bits in a limb: the width of the multiplier.
pub(super) const LIMB_BITS: usize = 52;
/// Number of limbs in a block: 20 accumulators, ten limbs of one factor and one of the other fill
/// the 32 registers.
pub(super) const BLOCK: usize = 10;

/// Ten consecutive limbs, least significant first.
type Block<L> = [<L as RsaLanes>::Limbs; BLOCK];

/// Lanes with a multiplier of 52 bits that splits its products.
pub(super) trait Columns: RsaLanes<Block = Block<Self>> {
    /// Returns `sum` plus the low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn add_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Returns `sum` plus the high 52 bits of that product.
    fn add_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
}

/// Accumulators of a block column.
type Column<L> = [<L as RsaLanes>::Word; 2 * BLOCK];

/// Adds row `I` of a tile, from column `FROM` of `b` on: aᵢ·bⱼ.
#[inline(always)]
fn row<L: Columns, const I: usize, const FROM: usize>(
    lanes: L,
    column: &mut Column<L>,
    a: &Block<L>,
    b: &[L::Word; BLOCK],
) {
    let factor = lanes.load(&a[I]);
    for j in FROM..BLOCK {
        column[I + j] = lanes.add_low(column[I + j], factor, b[j]);
    }
    for j in FROM..BLOCK {
        column[I + j + 1] = lanes.add_high(column[I + j + 1], factor, b[j]);
    }
}

#[inline(always)]
fn load<L: Columns>(lanes: L, block: &Block<L>) -> [L::Word; BLOCK] {
    std::array::from_fn(|i| lanes.load(&block[i]))
}

/// column += a·b.
#[inline(always)]
fn tile<L: Columns>(lanes: L, column: &mut Column<L>, a: &Block<L>, b: &Block<L>) {
    let b = load(lanes, b);
    row::<L, 0, 0>(lanes, column, a, &b);
    row::<L, 1, 0>(lanes, column, a, &b);
    row::<L, 2, 0>(lanes, column, a, &b);
    row::<L, 3, 0>(lanes, column, a, &b);
    row::<L, 4, 0>(lanes, column, a, &b);
    row::<L, 5, 0>(lanes, column, a, &b);
    row::<L, 6, 0>(lanes, column, a, &b);
    row::<L, 7, 0>(lanes, column, a, &b);
    row::<L, 8, 0>(lanes, column, a, &b);
    row::<L, 9, 0>(lanes, column, a, &b);
}

/// column += the products aᵢ·aⱼ with i < j.
#[inline(always)]
fn triangle<L: Columns>(lanes: L, column: &mut Column<L>, a: &Block<L>) {
    let b = load(lanes, a);
    row::<L, 0, 1>(lanes, column, a, &b);
    row::<L, 1, 2>(lanes, column, a, &b);
    row::<L, 2, 3>(lanes, column, a, &b);
    row::<L, 3, 4>(lanes, column, a, &b);
    row::<L, 4, 5>(lanes, column, a, &b);
    row::<L, 5, 6>(lanes, column, a, &b);
    row::<L, 6, 7>(lanes, column, a, &b);
    row::<L, 7, 8>(lanes, column, a, &b);
    row::<L, 8, 9>(lanes, column, a, &b);
}

/// column += the squares aᵢ².
#[inline(always)]
fn diagonal<L: Columns>(lanes: L, column: &mut Column<L>, a: &Block<L>) {
    for (i, limb) in a.iter().enumerate() {
        let limb = lanes.load(limb);
        column[2 * i] = lanes.add_low(column[2 * i], limb, limb);
        column[2 * i + 1] = lanes.add_high(column[2 * i + 1], limb, limb);
    }
}

/// Computes limb `I` of the quotient: one step of [`cancel`].
///
/// The low product cancels the accumulator's low 52 bits, so it is not computed: its carry into the
/// next column is the accumulator rounded up.
#[inline(always)]
fn cancel_limb<L: Columns, const I: usize>(
    lanes: L,
    column: &mut Column<L>,
    n: &[L::Word; BLOCK],
    negated_inverse: L::Word,
) -> L::Word {
    let quotient = lanes.add_low(lanes.splat(0), column[I], negated_inverse);
    let carry = lanes.carry(lanes.add(column[I], lanes.splat(L::LIMB_MASK)));
    let carry = lanes.add_high(carry, quotient, n[0]);
    for j in 1..BLOCK {
        column[I + j] = lanes.add_low(column[I + j], quotient, n[j]);
    }
    column[I + 1] = lanes.add(column[I + 1], carry);
    for j in 1..BLOCK {
        column[I + j + 1] = lanes.add_high(column[I + j + 1], quotient, n[j]);
    }
    quotient
}

/// Adds the multiple of the modulus that clears the lower half of a column; returns the quotient.
#[inline(always)]
fn cancel<L: Columns, const B: usize>(
    lanes: L,
    column: &mut Column<L>,
    modulus: &Modulus<L, B>,
    quotient: &mut Block<L>,
) {
    let n = load(lanes, &modulus.n.0[0]);
    let inverse = lanes.load(&modulus.negated_inverse);
    lanes.store(&mut quotient[0], cancel_limb::<L, 0>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[1], cancel_limb::<L, 1>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[2], cancel_limb::<L, 2>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[3], cancel_limb::<L, 3>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[4], cancel_limb::<L, 4>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[5], cancel_limb::<L, 5>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[6], cancel_limb::<L, 6>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[7], cancel_limb::<L, 7>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[8], cancel_limb::<L, 8>(lanes, column, &n, inverse));
    lanes.store(&mut quotient[9], cancel_limb::<L, 9>(lanes, column, &n, inverse));
}

/// Stores the lower half of a column as limbs of 52 bits and carries the rest into the upper half.
#[inline(always)]
fn emit<L: Columns>(lanes: L, column: &mut Column<L>, out: &mut Block<L>) {
    let mask = lanes.splat(L::LIMB_MASK);
    for (i, limb) in out.iter_mut().enumerate() {
        lanes.store(limb, lanes.and(column[i], mask));
        column[i + 1] = lanes.add(column[i + 1], lanes.carry(column[i]));
    }
}

/// Moves on to the next block column.
#[inline(always)]
fn shift<L: Columns>(lanes: L, column: &mut Column<L>) {
    for i in 0..BLOCK {
        column[i] = column[BLOCK + i];
        column[BLOCK + i] = lanes.splat(0);
    }
}

/// Computes the reduction's share of column `k`: adds the tiles qᵢ·nⱼ known so far, then either
/// finds the next block of the quotient or emits a block of the result.
#[inline(always)]
fn reduce_column<L: Columns, const B: usize>(
    lanes: L,
    k: usize,
    column: &mut Column<L>,
    quotient: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
    out: &mut Number<L, B>,
) {
    let known = quotient.0.iter().enumerate().take(k);
    for (i, quotient) in known.skip((k + 1).saturating_sub(B)) {
        tile(lanes, column, quotient, &modulus.n.0[k - i]);
    }
    if k < B {
        cancel(lanes, column, modulus, &mut quotient.0[k]);
    } else {
        emit(lanes, column, &mut out.0[k - B]);
    }
    shift(lanes, column);
}

/// x ← x·y·R⁻¹, for x·y < n·R; the result is below 2n if x·y < 4n².
///
/// Works in place: column k reads blocks of x above k − B and then writes block k − B.
#[inline(always)]
pub(super) fn multiply<L: Columns, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    y: &Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut quotient = Number::zero();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        for i in (k + 1).saturating_sub(B)..(k + 1).min(B) {
            tile(lanes, &mut column, &x.0[i], &y.0[k - i]);
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, x);
    }
    emit(lanes, &mut column, &mut x.0[B - 1]);
}

/// x ← x²·R⁻¹, for x < 2n; products of different limbs are computed once and doubled.
#[inline(always)]
pub(super) fn square<L: Columns, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut quotient = Number::zero();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        let carried = column;
        column = [lanes.splat(0); 2 * BLOCK];
        for i in (k + 1).saturating_sub(B)..k.div_ceil(2) {
            tile(lanes, &mut column, &x.0[i], &x.0[k - i]);
        }
        if k % 2 == 0 {
            triangle(lanes, &mut column, &x.0[k / 2]);
        }
        for (sum, carried) in column.iter_mut().zip(carried) {
            *sum = lanes.add(lanes.add(*sum, *sum), carried);
        }
        if k % 2 == 0 {
            diagonal(lanes, &mut column, &x.0[k / 2]);
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, x);
    }
    emit(lanes, &mut column, &mut x.0[B - 1]);
}

/// x ← x·R⁻¹ mod n for a double-length x = `high`·R + `low` < n·R.
#[inline(always)]
pub(super) fn reduce_wide<L: Columns, const B: usize>(
    lanes: L,
    low: &Number<L, B>,
    high: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut quotient = Number::zero();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        let limbs = if k < B { &low.0[k] } else { &high.0[k - B] };
        for (sum, limb) in column.iter_mut().zip(limbs) {
            *sum = lanes.add(*sum, lanes.load(limb));
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, high);
    }
    for (sum, limb) in column.iter_mut().zip(&high.0[B - 1]) {
        *sum = lanes.add(*sum, lanes.load(limb));
    }
    emit(lanes, &mut column, &mut high.0[B - 1]);
}
