//! Moduli in lanes, and reduction by subtraction.

use super::{Number, RsaLanes};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroize;

/// Odd moduli of the same bit length, at most two less than `B` blocks have; one per lane.
pub(crate) struct Modulus<L: RsaLanes, const B: usize> {
    pub(super) n: Number<L, B>,
    /// −n⁻¹ modulo 2^(bits of a limb).
    pub(super) negated_inverse: L::Limbs,
}

impl<L: RsaLanes, const B: usize> Modulus<L, B> {
    /// Prepares odd moduli in constant time.
    pub(in super::super) fn new(n: &Number<L, B>) -> Self {
        let mut negated_inverse = n.limbs()[0];
        for n in negated_inverse.as_mut() {
            // Newton's iteration doubles the number of correct bits; n is its own inverse mod 8.
            let inverse =
                (0..5).fold(*n, |x, _| x.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(x))));
            *n = inverse.wrapping_neg() & L::LIMB_MASK;
        }
        Self { n: *n, negated_inverse }
    }
}

impl<L: RsaLanes, const B: usize> Zeroize for Modulus<L, B> {
    fn zeroize(&mut self) {
        self.n.zeroize();
        self.negated_inverse.zeroize();
    }
}

/// x ← x − n if that is not negative; x is doubled first if `DOUBLE`.
#[inline(always)]
fn subtract_once<L: RsaLanes, const B: usize, const DOUBLE: bool>(
    lanes: L,
    x: &mut Number<L, B>,
    n: &Number<L, B>,
) {
    let mask = lanes.splat(L::LIMB_MASK);
    let mut difference = Number::<L, B>::zero();
    let (mut carry, mut borrow) = (lanes.splat(0), lanes.splat(0));
    let limbs = x.limbs_mut().iter_mut().zip(n.limbs());
    for ((limb, n), difference) in limbs.zip(difference.limbs_mut()) {
        let mut sum = lanes.load(limb);
        if DOUBLE {
            sum = lanes.add(lanes.add(sum, sum), carry);
            carry = lanes.carry(sum);
            sum = lanes.and(sum, mask);
            lanes.store(limb, sum);
        }
        let rest = lanes.add(lanes.sub(sum, lanes.load(n)), borrow);
        borrow = lanes.borrow(rest);
        lanes.store(difference, lanes.and(rest, mask));
    }
    let enough = lanes.equal(borrow, lanes.splat(0));
    for (limb, difference) in x.limbs_mut().iter_mut().zip(difference.limbs()) {
        let chosen = lanes.select(enough, lanes.load(difference), lanes.load(limb));
        lanes.store(limb, chosen);
    }
}

/// x ← x mod n, for x < 2n.
#[inline(always)]
pub(super) fn canonical<L: RsaLanes, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    n: &Number<L, B>,
) {
    subtract_once::<L, B, false>(lanes, x, n);
}

/// x ← 2x mod n, for x < n.
#[inline(always)]
pub(super) fn double<L: RsaLanes, const B: usize>(
    lanes: L,
    x: &mut Number<L, B>,
    n: &Number<L, B>,
) {
    subtract_once::<L, B, true>(lanes, x, n);
}

/// x ← x mod n, for x < 2n.
pub(in super::super) struct Canonical<'a, L: RsaLanes, const B: usize> {
    pub x: &'a mut Number<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for Canonical<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        canonical(lanes, self.x, &self.modulus.n);
    }
}
