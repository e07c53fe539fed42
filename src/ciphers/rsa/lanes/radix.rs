//! The constants of Montgomery arithmetic: powers of its radix.

use super::modulus::{Modulus, canonical, double};
use super::{Number, RsaLanes};
use crate::ciphers::cpu::Kernel;

/// Computes R mod n and R² mod n using only additions and squarings: starting with 2^`bits` − n as
/// the Montgomery form of 2^`bits`/R, doublings lead to that of 1, 2, 4, … and squarings to
/// that of R.
#[inline(always)]
fn radix_powers<L: RsaLanes, const B: usize>(
    lanes: L,
    bits: usize,
    modulus: &Modulus<L, B>,
) -> (Number<L, B>, Number<L, B>) {
    let radix_bits = L::BLOCK_BITS * B;
    let mask = lanes.splat(L::LIMB_MASK);
    let mut x = Number::zero();
    let mut borrow = lanes.splat(0);
    for (i, (limb, n)) in x.limbs_mut().iter_mut().zip(modulus.n.limbs()).enumerate() {
        let position = i * L::LIMB_BITS;
        let digit = if position <= bits && bits - position < L::LIMB_BITS {
            1 << (bits - position)
        } else {
            0
        };
        let rest = lanes.add(lanes.sub(lanes.splat(digit), lanes.load(n)), borrow);
        borrow = lanes.borrow(rest);
        lanes.store(limb, lanes.and(rest, mask));
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
        lanes.square(&mut x, modulus);
        canonical(lanes, &mut x, &modulus.n);
        if radix_bits >> i & 1 == 1 {
            double(lanes, &mut x, &modulus.n);
        }
    }
    (one, x)
}

/// Computes [`radix_powers`]: (R mod n, R² mod n) for moduli of exactly `bits` bits.
pub(in super::super) struct RadixPowers<'a, L: RsaLanes, const B: usize> {
    pub modulus: &'a Modulus<L, B>,
    pub bits: usize,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for RadixPowers<'_, L, B> {
    type Output = (Number<L, B>, Number<L, B>);
    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        radix_powers(lanes, self.bits, self.modulus)
    }
}
