//! Montgomery arithmetic in radix 2⁵², block by block.
//!
//! With R = 2^(520·`B`) and a modulus n < R/4, every operation keeps numbers that are below 2n
//! below 2n, without a final subtraction ("almost Montgomery", Walter 1999). A product and its
//! reduction are computed together, one block column after the other, so that the 20 accumulators
//! of a column stay in registers: column k collects the tiles aᵢ·bⱼ and qᵢ·nⱼ with i + j = k. A
//! 64-bit accumulator overflows after 4,096 products; the maximum here is 320.

use super::modulus::Modulus;
use super::{BLOCK, Block, LIMB_MASK, Number, RsaLanes, zero};
use crate::ciphers::cpu::Kernel;

/// Accumulators of a block column.
type Column<L> = [<L as RsaLanes>::Word; 2 * BLOCK];

/// Adds row `I` of a tile, from column `FROM` of `b` on: aᵢ·bⱼ.
#[inline(always)]
fn row<L: RsaLanes, const I: usize, const FROM: usize>(
    lanes: L,
    column: &mut Column<L>,
    a: &Block,
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
fn load<L: RsaLanes>(lanes: L, block: &Block) -> [L::Word; BLOCK] {
    std::array::from_fn(|i| lanes.load(&block[i]))
}

/// column += a·b.
#[inline(always)]
fn tile<L: RsaLanes>(lanes: L, column: &mut Column<L>, a: &Block, b: &Block) {
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
fn triangle<L: RsaLanes>(lanes: L, column: &mut Column<L>, a: &Block) {
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
fn diagonal<L: RsaLanes>(lanes: L, column: &mut Column<L>, a: &Block) {
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
fn cancel_limb<L: RsaLanes, const I: usize>(
    lanes: L,
    column: &mut Column<L>,
    n: &[L::Word; BLOCK],
    negated_inverse: L::Word,
) -> L::Word {
    let quotient = lanes.add_low(lanes.splat(0), column[I], negated_inverse);
    let carry = lanes.carry(lanes.add(column[I], lanes.splat(LIMB_MASK)));
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
fn cancel<L: RsaLanes, const B: usize>(
    lanes: L,
    column: &mut Column<L>,
    modulus: &Modulus<B>,
    quotient: &mut Block,
) {
    let n = load(lanes, &modulus.n[0]);
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
fn emit<L: RsaLanes>(lanes: L, column: &mut Column<L>, out: &mut Block) {
    let mask = lanes.splat(LIMB_MASK);
    for (i, limb) in out.iter_mut().enumerate() {
        lanes.store(limb, lanes.and(column[i], mask));
        column[i + 1] = lanes.add(column[i + 1], lanes.carry(column[i]));
    }
}

/// Moves on to the next block column.
#[inline(always)]
fn shift<L: RsaLanes>(lanes: L, column: &mut Column<L>) {
    for i in 0..BLOCK {
        column[i] = column[BLOCK + i];
        column[BLOCK + i] = lanes.splat(0);
    }
}

/// Computes the reduction's share of column `k`: adds the tiles qᵢ·nⱼ known so far, then either
/// finds the next block of the quotient or emits a block of the result.
#[inline(always)]
fn reduce_column<L: RsaLanes, const B: usize>(
    lanes: L,
    k: usize,
    column: &mut Column<L>,
    quotient: &mut Number<B>,
    modulus: &Modulus<B>,
    out: &mut Number<B>,
) {
    let known = quotient.iter().enumerate().take(k);
    for (i, quotient) in known.skip((k + 1).saturating_sub(B)) {
        tile(lanes, column, quotient, &modulus.n[k - i]);
    }
    if k < B {
        cancel(lanes, column, modulus, &mut quotient[k]);
    } else {
        emit(lanes, column, &mut out[k - B]);
    }
    shift(lanes, column);
}

/// x ← x·y·R⁻¹, for x·y < n·R; the result is below 2n if x·y < 4n².
///
/// Works in place: column k reads blocks of x above k − B and then writes block k − B.
#[inline(always)]
pub(super) fn multiply<L: RsaLanes, const B: usize>(
    lanes: L,
    x: &mut Number<B>,
    y: &Number<B>,
    modulus: &Modulus<B>,
) {
    let mut quotient = zero::<B>();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        for i in (k + 1).saturating_sub(B)..(k + 1).min(B) {
            tile(lanes, &mut column, &x[i], &y[k - i]);
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, x);
    }
    emit(lanes, &mut column, &mut x[B - 1]);
}

/// x ← x²·R⁻¹, for x < 2n; products of different limbs are computed once and doubled.
#[inline(always)]
pub(super) fn square<L: RsaLanes, const B: usize>(
    lanes: L,
    x: &mut Number<B>,
    modulus: &Modulus<B>,
) {
    let mut quotient = zero::<B>();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        let carried = column;
        column = [lanes.splat(0); 2 * BLOCK];
        for i in (k + 1).saturating_sub(B)..k.div_ceil(2) {
            tile(lanes, &mut column, &x[i], &x[k - i]);
        }
        if k % 2 == 0 {
            triangle(lanes, &mut column, &x[k / 2]);
        }
        for (sum, carried) in column.iter_mut().zip(carried) {
            *sum = lanes.add(lanes.add(*sum, *sum), carried);
        }
        if k % 2 == 0 {
            diagonal(lanes, &mut column, &x[k / 2]);
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, x);
    }
    emit(lanes, &mut column, &mut x[B - 1]);
}

/// x ← x·R⁻¹ mod n for a double-length x = `high`·R + `low` < n·R.
#[inline(always)]
fn reduce_wide<L: RsaLanes, const B: usize>(
    lanes: L,
    low: &Number<B>,
    high: &mut Number<B>,
    modulus: &Modulus<B>,
) {
    let mut quotient = zero::<B>();
    let mut column = [lanes.splat(0); 2 * BLOCK];
    for k in 0..2 * B - 1 {
        let limbs = if k < B { &low[k] } else { &high[k - B] };
        for (sum, limb) in column.iter_mut().zip(limbs) {
            *sum = lanes.add(*sum, lanes.load(limb));
        }
        reduce_column(lanes, k, &mut column, &mut quotient, modulus, high);
    }
    for (sum, limb) in column.iter_mut().zip(&high[B - 1]) {
        *sum = lanes.add(*sum, lanes.load(limb));
    }
    emit(lanes, &mut column, &mut high[B - 1]);
}

/// x ← x·y·R⁻¹: [`multiply`].
pub(in super::super) struct Multiply<'a, const B: usize> {
    pub x: &'a mut Number<B>,
    pub y: &'a Number<B>,
    pub modulus: &'a Modulus<B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for Multiply<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        multiply(lanes, self.x, self.y, self.modulus);
    }
}

/// `high` ← (`high`·R + `low`)·R⁻¹: [`reduce_wide`].
pub(in super::super) struct ReduceWide<'a, const B: usize> {
    pub low: &'a Number<B>,
    pub high: &'a mut Number<B>,
    pub modulus: &'a Modulus<B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for ReduceWide<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        reduce_wide(lanes, self.low, self.high, self.modulus);
    }
}
