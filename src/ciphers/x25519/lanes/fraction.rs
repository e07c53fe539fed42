//! Quotients of many numbers with one inversion.

use super::X25519Lanes;
use super::field::{Factor, Sum};

/// A quotient to compute in every lane.
#[derive(Clone, Copy)]
pub(super) struct Fraction<L: X25519Lanes> {
    pub(super) over: Factor<L>,
    pub(super) under: Factor<L>,
    /// Product of the denominators before this one.
    before: Factor<L>,
}

impl<L: X25519Lanes> Fraction<L> {
    #[inline(always)]
    pub(super) fn new(over: Factor<L>, under: Factor<L>) -> Self {
        Self { over, under, before: under }
    }

    #[inline(always)]
    pub(super) fn zero(lanes: L) -> Self {
        let zero = Sum::small(lanes, 0).reduce(lanes);
        Self::new(zero, zero)
    }
}

/// Replaces each numerator by the quotient; a quotient by zero is zero.
///
/// The inverse of the product of all denominators gives each inverse with three multiplications
/// (Montgomery 1987, section 10.3.1), and the inversion takes as long as 265 of these.
#[inline(always)]
pub(super) fn divide<L: X25519Lanes>(lanes: L, fractions: &mut [Fraction<L>]) {
    let one = Sum::small(lanes, 1).reduce(lanes);
    let zero = Sum::small(lanes, 0).reduce(lanes);
    let mut product = one;
    for fraction in &mut *fractions {
        // A zero would make the whole product zero.
        let mask = fraction.under.is_not_zero(lanes);
        fraction.under = Factor::select(lanes, mask, fraction.under, one);
        fraction.over = Factor::select(lanes, mask, fraction.over, zero);
        fraction.before = product;
        product = product.multiplied(lanes, fraction.under);
    }
    let mut inverse = product.inverted(lanes);
    for fraction in fractions.iter_mut().rev() {
        let alone = inverse.multiplied(lanes, fraction.before);
        fraction.over = fraction.over.multiplied(lanes, alone);
        inverse = inverse.multiplied(lanes, fraction.under);
    }
}
