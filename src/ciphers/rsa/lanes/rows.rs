//! Montgomery multiplication row by row, for 16 registers and a multiplier of 32 bits.
//!
//! The double-length product is computed first and then reduced. Both add multiples of a number to
//! columns in memory, four rows of the schoolbook method in one pass ([`add_rows`]): the four
//! columns that are in progress stay in registers, so that a pass loads and stores each column once
//! for four products.
//!
//! Limbs of 27 bits keep the sums in 64 bits: a column collects two products of 54 bits for each
//! limb of a number, at most 304 in total, and 1,024 fit.

use super::modulus::Modulus;
use super::{Number, RsaLanes};

/// Bits in a limb.
pub(super) const LIMB_BITS: usize = 27;
/// Number of limbs in a block. Two blocks hold 1,024 bits and two spare bits exactly.
pub(super) const BLOCK: usize = 19;
/// Number of rows in a pass: with as many factors, columns and two temporary values, a pass uses
/// ten of the 16 registers. More rows gain nothing on processors that load two registers a cycle.
const ROWS: usize = 4;

/// Lanes with a multiplier of 32 bits.
pub(super) trait Rows: RsaLanes {
    /// Returns `sum` plus the product of the low 32 bits of `a` and `b`.
    fn add_wide(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
}

/// columns[j + t] += factors[t]·limbs[j], where the first `R` − 1 columns are in `sums`.
#[inline(always)]
fn add_rows<L: Rows, const R: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    mut sums: [L::Word; R],
    factors: &[L::Word; R],
    limbs: &[L::Limbs],
) {
    let columns = &mut columns[..limbs.len() + R - 1];
    for (j, limb) in limbs.iter().enumerate() {
        let limb = lanes.load(limb);
        sums[R - 1] = lanes.load(&columns[j + R - 1]);
        lanes.store(&mut columns[j], lanes.add_wide(sums[0], factors[0], limb));
        for t in 1..R {
            sums[t - 1] = lanes.add_wide(sums[t], factors[t], limb);
        }
    }
    for t in 0..R - 1 {
        lanes.store(&mut columns[limbs.len() + t], sums[t]);
    }
}

/// columns += `R` limbs of x times y.
#[inline(always)]
fn add_products<L: Rows, const R: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    x: &[L::Limbs],
    y: &[L::Limbs],
) {
    let (mut factors, mut sums) = ([lanes.splat(0); R], [lanes.splat(0); R]);
    for t in 0..R {
        factors[t] = lanes.load(&x[t]);
        sums[t] = lanes.load(&columns[t]);
    }
    add_rows(lanes, columns, sums, &factors, y);
}

/// columns += the products xₜ·xⱼ and xⱼ·xₜ with t < `R` and j ≥ t.
#[inline(always)]
fn add_squares<L: Rows, const R: usize>(lanes: L, columns: &mut [L::Limbs], x: &[L::Limbs]) {
    let (mut single, mut double) = ([lanes.splat(0); R], [lanes.splat(0); R]);
    for t in 0..R {
        single[t] = lanes.load(&x[t]);
        double[t] = lanes.add(single[t], single[t]);
    }
    let mut sums = [lanes.splat(0); R];
    for k in 0..2 * R - 1 {
        let mut sum = lanes.load(&columns[k]);
        for t in (k + 1).saturating_sub(R)..k.div_ceil(2) {
            sum = lanes.add_wide(sum, double[t], single[k - t]);
        }
        if k % 2 == 0 {
            sum = lanes.add_wide(sum, single[k / 2], single[k / 2]);
        }
        if k < R {
            lanes.store(&mut columns[k], sum);
        } else {
            sums[k - R] = sum;
        }
    }
    add_rows(lanes, &mut columns[R..], sums, &double, &x[R..]);
}

/// Replaces the first `R` columns, whose values are `sums`, with the limbs of the quotient that
/// cancel them, and adds the carry to the next column.
#[inline(always)]
fn divide<L: Rows, const R: usize, const B: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    sums: &[L::Word; R],
    modulus: &Modulus<L, B>,
) {
    let n = modulus.n.limbs();
    let (inverse, mask) = (lanes.load(&modulus.negated_inverse), lanes.splat(L::LIMB_MASK));
    let (mut quotient, mut carry) = ([lanes.splat(0); R], lanes.splat(0));
    for k in 0..R {
        let mut sum = lanes.add(sums[k], carry);
        for t in 0..k {
            sum = lanes.add_wide(sum, quotient[t], lanes.load(&n[k - t]));
        }
        quotient[k] = lanes.and(lanes.add_wide(lanes.splat(0), sum, inverse), mask);
        carry = lanes.carry(lanes.add_wide(sum, quotient[k], lanes.load(&n[0])));
        lanes.store(&mut columns[k], quotient[k]);
    }
    let next = lanes.add(lanes.load(&columns[R]), carry);
    lanes.store(&mut columns[R], next);
}

/// Adds the multiple of the modulus by the quotient in the first `R` columns to the others; with
/// `more`, replaces the next `R` columns with their quotient.
#[inline(always)]
fn cancel<L: Rows, const R: usize, const B: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    modulus: &Modulus<L, B>,
    more: bool,
) {
    let n = modulus.n.limbs();
    let (mut quotient, mut sums) = ([lanes.splat(0); R], [lanes.splat(0); R]);
    for t in 0..R {
        quotient[t] = lanes.load(&columns[t]);
    }
    let mut done = R;
    if more {
        // Each limb of a quotient depends on the one before. Starting early lets the processor work
        // on them during the rest of this pass.
        for k in 0..R {
            sums[k] = lanes.load(&columns[R + k]);
            for t in 0..R {
                sums[k] = lanes.add_wide(sums[k], quotient[t], lanes.load(&n[R + k - t]));
            }
        }
        divide(lanes, &mut columns[R..], &sums, modulus);
        done = 2 * R;
    }
    for k in 0..R - 1 {
        sums[k] = lanes.load(&columns[done + k]);
        for t in k + 1..R {
            sums[k] = lanes.add_wide(sums[k], quotient[t], lanes.load(&n[done + k - t]));
        }
    }
    add_rows(lanes, &mut columns[done..], sums, &quotient, &n[done..]);
}

/// Cancels the first `R`·`passes` columns.
#[inline(always)]
fn cancel_all<L: Rows, const R: usize, const B: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    modulus: &Modulus<L, B>,
    passes: usize,
) {
    let mut sums = [lanes.splat(0); R];
    for (sum, column) in sums.iter_mut().zip(&*columns) {
        *sum = lanes.load(column);
    }
    divide(lanes, columns, &sums, modulus);
    for i in 1..=passes {
        cancel::<L, R, B>(lanes, &mut columns[R * (i - 1)..], modulus, i < passes);
    }
}

/// x ← `columns`·R⁻¹ mod n, for a double-length number below n·R.
#[inline(always)]
fn reduce<L: Rows, const B: usize>(
    lanes: L,
    columns: &mut [L::Limbs],
    x: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let (len, rest) = (B * BLOCK, B * BLOCK % ROWS);
    cancel_all::<L, ROWS, B>(lanes, columns, modulus, len / ROWS);
    if rest > 0 {
        cancel_all::<L, 1, B>(lanes, &mut columns[len - rest..], modulus, rest);
    }
    let mask = lanes.splat(L::LIMB_MASK);
    let mut carry = lanes.splat(0);
    for (limb, column) in x.limbs_mut().iter_mut().zip(&columns[len..]) {
        let sum = lanes.add(lanes.load(column), carry);
        lanes.store(limb, lanes.and(sum, mask));
        carry = lanes.carry(sum);
    }
}

/// x ← x·y·R⁻¹, for x·y < n·R; the result is below 2n if x·y < 4n².
#[inline(always)]
pub(super) fn multiply<L: Rows, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    y: &Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut columns = [Number::<L, B>::zero().0; 2];
    let columns = L::limbs_mut(columns.as_flattened_mut());
    let len = B * BLOCK;
    let mut i = 0;
    while i + ROWS <= len {
        add_products::<L, ROWS>(lanes, &mut columns[i..], &x.limbs()[i..], y.limbs());
        i += ROWS;
    }
    while i < len {
        add_products::<L, 1>(lanes, &mut columns[i..], &x.limbs()[i..], y.limbs());
        i += 1;
    }
    reduce(lanes, columns, x, modulus);
}

/// x ← x²·R⁻¹, for x < 2n; products of different limbs are computed once and doubled.
#[inline(always)]
pub(super) fn square<L: Rows, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut columns = [Number::<L, B>::zero().0; 2];
    let columns = L::limbs_mut(columns.as_flattened_mut());
    let len = B * BLOCK;
    let mut i = 0;
    while i + ROWS <= len {
        add_squares::<L, ROWS>(lanes, &mut columns[2 * i..], &x.limbs()[i..]);
        i += ROWS;
    }
    while i < len {
        add_squares::<L, 1>(lanes, &mut columns[2 * i..], &x.limbs()[i..]);
        i += 1;
    }
    reduce(lanes, columns, x, modulus);
}

/// `high` ← (`high`·R + `low`)·R⁻¹, for a double-length number below n·R.
#[inline(always)]
pub(super) fn reduce_wide<L: Rows, const B: usize>(
    lanes: L,
    low: &Number<L, B>,
    high: &mut Number<L, B>,
    modulus: &Modulus<L, B>,
) {
    let mut columns = [low.0, high.0];
    let columns = L::limbs_mut(columns.as_flattened_mut());
    reduce(lanes, columns, high, modulus);
}
