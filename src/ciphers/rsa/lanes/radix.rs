//! The constants of Montgomery arithmetic: powers of its radix.

use super::modulus::{Modulus, canonical, double};
use super::montgomery::square;
use super::{BLOCK, BLOCK_BITS, LIMB_BITS, LIMB_MASK, Number, RsaLanes, zero};
use crate::ciphers::cpu::Kernel;

/// Computes R mod n and R² mod n using only additions and squarings: starting with 2^`bits` − n as
/// the Montgomery form of 2^(`bits` − 520·B), doublings lead to that of 1, 2, 4, … and squarings to
/// that of R.
#[inline(always)]
fn radix_powers<L: RsaLanes, const B: usize>(
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

impl<L: RsaLanes, const B: usize> Kernel<L> for RadixPowers<'_, B> {
    type Output = (Number<B>, Number<B>);
    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        radix_powers(lanes, self.bits, self.modulus)
    }
}
