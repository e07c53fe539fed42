//! Moduli in lanes, and reduction by subtraction.

use super::{LIMB_MASK, Limbs, Number, RsaLanes, zero};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroize;

/// Eight odd moduli of the same bit length, at most 520·`B` − 2.
#[derive(Clone, Zeroize)]
pub(in super::super) struct Modulus<const B: usize> {
    pub(super) n: Number<B>,
    /// −n⁻¹ mod 2⁵².
    pub(super) negated_inverse: Limbs,
}

impl<const B: usize> Modulus<B> {
    /// Prepares eight odd moduli in constant time.
    pub(in super::super) fn new(n: &Number<B>) -> Self {
        // Newton's iteration doubles the number of correct bits; n is its own inverse mod 8.
        let negated_inverse = n[0][0].0.map(|n| {
            let inverse =
                (0..5).fold(n, |x, _| x.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(x))));
            inverse.wrapping_neg() & LIMB_MASK
        });
        Self { n: *n, negated_inverse: Limbs(negated_inverse) }
    }
}

/// x ← x − n if that is not negative; x is doubled first if `DOUBLE`.
#[inline(always)]
fn subtract_once<L: RsaLanes, const B: usize, const DOUBLE: bool>(
    lanes: L,
    x: &mut Number<B>,
    n: &Number<B>,
) {
    let mask = lanes.splat(LIMB_MASK);
    let mut difference = zero::<B>();
    let (mut carry, mut borrow) = (lanes.splat(0), lanes.splat(0));
    for (i, block) in x.iter_mut().enumerate() {
        for (j, limb) in block.iter_mut().enumerate() {
            let mut sum = lanes.load(limb);
            if DOUBLE {
                sum = lanes.add(lanes.add(sum, sum), carry);
                carry = lanes.carry(sum);
                sum = lanes.and(sum, mask);
                lanes.store(limb, sum);
            }
            let rest = lanes.add(lanes.sub(sum, lanes.load(&n[i][j])), borrow);
            borrow = lanes.carry(rest);
            lanes.store(&mut difference[i][j], lanes.and(rest, mask));
        }
    }
    let enough = lanes.equal(borrow, lanes.splat(0));
    for (block, difference) in x.iter_mut().zip(&difference) {
        for (limb, difference) in block.iter_mut().zip(difference) {
            let chosen = lanes.select(enough, lanes.load(difference), lanes.load(limb));
            lanes.store(limb, chosen);
        }
    }
}

/// x ← x mod n, for x < 2n.
#[inline(always)]
pub(super) fn canonical<L: RsaLanes, const B: usize>(lanes: L, x: &mut Number<B>, n: &Number<B>) {
    subtract_once::<L, B, false>(lanes, x, n);
}

/// x ← 2x mod n, for x < n.
#[inline(always)]
pub(super) fn double<L: RsaLanes, const B: usize>(lanes: L, x: &mut Number<B>, n: &Number<B>) {
    subtract_once::<L, B, true>(lanes, x, n);
}

/// x ← x mod n, for x < 2n.
pub(in super::super) struct Canonical<'a, const B: usize> {
    pub x: &'a mut Number<B>,
    pub modulus: &'a Modulus<B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for Canonical<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        canonical(lanes, self.x, &self.modulus.n);
    }
}
