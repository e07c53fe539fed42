//! Moduli in lanes, the constants that go with them, and reduction by subtraction.

use super::montgomery::square;
use super::{BLOCK, BLOCK_BITS, Kernel, LIMB_BITS, LIMB_MASK, Lanes, Limbs, Number, zero};
use zeroize::Zeroize;

/// Eight odd moduli of the same bit length, at most 520·`B` − 2.
#[derive(Clone, Zeroize)]
pub(in super::super) struct Modulus<const B: usize> {
    pub(super) n: Number<B>,
    /// −n⁻¹ mod 2⁵².
    pub(super) negated_inverse: Limbs,
}

impl<const B: usize> Modulus<B> {
    /// Takes eight odd moduli; constant time.
    pub(in super::super) fn new(n: &Number<B>) -> Self {
        // Newton's iteration doubles the number of right bits; n is its own inverse mod 8.
        let negated_inverse = n[0][0].0.map(|n| {
            let inverse =
                (0..5).fold(n, |x, _| x.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(x))));
            inverse.wrapping_neg() & LIMB_MASK
        });
        Self { n: *n, negated_inverse: Limbs(negated_inverse) }
    }
}

/// x ← x − n where that is not negative; x is doubled first if `DOUBLE`.
#[inline(always)]
fn subtract_once<L: Lanes, const B: usize, const DOUBLE: bool>(
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
fn canonical<L: Lanes, const B: usize>(lanes: L, x: &mut Number<B>, n: &Number<B>) {
    subtract_once::<L, B, false>(lanes, x, n);
}

/// x ← 2x mod n, for x < n.
#[inline(always)]
fn double<L: Lanes, const B: usize>(lanes: L, x: &mut Number<B>, n: &Number<B>) {
    subtract_once::<L, B, true>(lanes, x, n);
}

/// R mod n and R² mod n, from nothing but additions and squarings: with 2^`bits` − n as the
/// Montgomery form of 2^(`bits` − 520·B), doublings lead to that of 1, 2, 4, … and squarings to
/// that of R.
#[inline(always)]
fn radix_powers<L: Lanes, const B: usize>(
    lanes: L,
    bits: usize,
    modulus: &Modulus<B>,
) -> (Number<B>, Number<B>) {
    let radix_bits = BLOCK_BITS * B;
    let mask = lanes.splat(LIMB_MASK);
    let mut x = zero::<B>();
    let mut borrow = lanes.splat(0);
    for (i, (block, n)) in x.iter_mut().zip(&modulus.n).enumerate() {
        for (j, (limb, n)) in block.iter_mut().zip(n).enumerate() {
            let position = (i * BLOCK + j) * LIMB_BITS;
            let digit = if position <= bits && bits - position < LIMB_BITS {
                1 << (bits - position)
            } else {
                0
            };
            let rest = lanes.add(lanes.sub(lanes.splat(digit), lanes.load(n)), borrow);
            borrow = lanes.carry(rest);
            lanes.store(limb, lanes.and(rest, mask));
        }
    }
    for _ in bits..radix_bits {
        double(lanes, &mut x, &modulus.n);
    }
    let one = x;
    let squarings = radix_bits.ilog2() - 5;
    for _ in 0..radix_bits >> squarings {
        double(lanes, &mut x, &modulus.n);
    }
    for i in (0..squarings).rev() {
        square(lanes, &mut x, modulus);
        canonical(lanes, &mut x, &modulus.n);
        if radix_bits >> i & 1 == 1 {
            double(lanes, &mut x, &modulus.n);
        }
    }
    (one, x)
}

/// Computes [`radix_powers`]: (R mod n, R² mod n) for moduli of exactly `bits` bits.
pub(in super::super) struct RadixPowers<'a, const B: usize> {
    pub modulus: &'a Modulus<B>,
    pub bits: usize,
}

impl<const B: usize> Kernel for RadixPowers<'_, B> {
    type Output = (Number<B>, Number<B>);
    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) -> Self::Output {
        radix_powers(lanes, self.bits, self.modulus)
    }
}

/// x ← x mod n, for x < 2n.
pub(in super::super) struct Canonical<'a, const B: usize> {
    pub x: &'a mut Number<B>,
    pub modulus: &'a Modulus<B>,
}

impl<const B: usize> Kernel for Canonical<'_, B> {
    type Output = ();
    #[inline(always)]
    fn on<L: Lanes>(self, lanes: L) {
        canonical(lanes, self.x, &self.modulus.n);
    }
}
