//! Montgomery arithmetic.
//!
//! With R = 2^(bits of a block · `B`) and a modulus n < R/4, every operation keeps numbers that are
//! below 2n below 2n, without a final subtraction ("almost Montgomery", Walter 1999).

use super::modulus::Modulus;
use super::{Number, RsaLanes};
use crate::ciphers::cpu::Kernel;

/// x ← x·y·R⁻¹: [`RsaLanes::multiply`].
pub(in super::super) struct Multiply<'a, L: RsaLanes, const B: usize> {
    pub x: &'a mut Number<L, B>,
    pub y: &'a Number<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for Multiply<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        lanes.multiply(self.x, self.y, self.modulus);
    }
}

/// x ← x²·R⁻¹: [`RsaLanes::square`].
#[cfg(test)]
pub(super) struct Square<'a, L: RsaLanes, const B: usize> {
    pub x: &'a mut Number<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

#[cfg(test)]
impl<L: RsaLanes, const B: usize> Kernel<L> for Square<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        lanes.square(self.x, self.modulus);
    }
}

/// `high` ← (`high`·R + `low`)·R⁻¹: [`RsaLanes::reduce_wide`].
pub(in super::super) struct ReduceWide<'a, L: RsaLanes, const B: usize> {
    pub low: &'a Number<L, B>,
    pub high: &'a mut Number<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for ReduceWide<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        lanes.reduce_wide(self.low, self.high, self.modulus);
    }
}
