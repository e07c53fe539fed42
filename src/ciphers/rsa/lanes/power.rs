//! Exponentiation: a fixed window for private exponents, plain squaring for public ones.

use super::modulus::Modulus;
use super::{Number, RsaLanes};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroize;

/// Number of exponent bits per step. Four and five cost the same multiplications within 2 %; four
/// needs half the table (20 KiB at 1,024 bits), which every look-up reads in full.
pub(in super::super) const WINDOW: usize = 4;

/// The first `1 << WINDOW` powers of a base.
pub(in super::super) type Table<L, const B: usize> = [Number<L, B>];

/// Number of limbs that are looked up together, in registers.
const AT_ONCE: usize = 10;

/// out ← `table[index]`, with a separate index in each lane; reads every entry.
#[inline(always)]
fn look_up<L: RsaLanes, const B: usize>(
    lanes: L,
    table: &Table<L, B>,
    index: &L::Limbs,
    out: &mut Number<L, B>,
) {
    let index = lanes.load(index);
    for (i, out) in out.limbs_mut().chunks_mut(AT_ONCE).enumerate() {
        let mut chosen = [lanes.splat(0); AT_ONCE];
        for (entry, power) in table.iter().enumerate() {
            let hit = lanes.equal(index, lanes.splat(entry as u64));
            let limbs = &power.limbs()[AT_ONCE * i..];
            for (chosen, limb) in chosen.iter_mut().zip(limbs) {
                *chosen = lanes.add_if(hit, *chosen, lanes.load(limb));
            }
        }
        for (out, chosen) in out.iter_mut().zip(chosen) {
            lanes.store(out, chosen);
        }
    }
}

/// x ← x^exponent in Montgomery form, with a separate exponent in each lane, in time that depends
/// only on the number of windows.
pub(in super::super) struct SecretPower<'a, L: RsaLanes, const B: usize> {
    pub x: &'a mut Number<L, B>,
    /// The exponents' windows of [`WINDOW`] bits, most significant first.
    pub windows: &'a [L::Limbs],
    /// 1 in Montgomery form.
    pub one: &'a Number<L, B>,
    /// Buffer for `1 << WINDOW` numbers; the caller clears it afterwards.
    pub table: &'a mut Table<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for SecretPower<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        let Self { x, windows, one, table, modulus } = self;
        let mut power = *one;
        for entry in table.iter_mut() {
            *entry = power;
            lanes.multiply(&mut power, x, modulus);
        }
        *x = *one;
        for window in windows {
            for _ in 0..WINDOW {
                lanes.square(x, modulus);
            }
            look_up(lanes, table, window, &mut power);
            lanes.multiply(x, &power, modulus);
        }
        power.zeroize();
    }
}

/// x ← x^exponent in Montgomery form for public exponents, separate in each lane; a bit that is
/// clear in all lanes costs no multiplication.
pub(in super::super) struct PublicPower<'a, L: RsaLanes, const B: usize> {
    pub x: &'a mut Number<L, B>,
    /// Exponents, all at least 1.
    pub exponents: L::Limbs,
    /// 1 in Montgomery form; unused if all exponents are the same.
    pub one: &'a Number<L, B>,
    pub modulus: &'a Modulus<L, B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for PublicPower<'_, L, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        let Self { x, exponents, one, modulus } = self;
        let top = 63 - exponents.as_ref().iter().fold(1, |all, e| all | e).leading_zeros();
        let base = *x;
        let mut factor = Number::zero();
        choose(lanes, &bits_of::<L>(&exponents, top), &base, one, &mut factor);
        *x = factor;
        for position in (0..top).rev() {
            lanes.square(x, modulus);
            let bits = bits_of::<L>(&exponents, position);
            if bits.as_ref().iter().any(|bit| *bit != 0) {
                choose(lanes, &bits, &base, one, &mut factor);
                lanes.multiply(x, &factor, modulus);
            }
        }
    }
}

fn bits_of<L: RsaLanes>(exponents: &L::Limbs, position: u32) -> L::Limbs {
    let mut bits = *exponents;
    bits.as_mut().iter_mut().for_each(|bit| *bit = *bit >> position & 1);
    bits
}

/// out ← base where the lane's bit is set, one elsewhere.
#[inline(always)]
fn choose<L: RsaLanes, const B: usize>(
    lanes: L,
    bits: &L::Limbs,
    base: &Number<L, B>,
    one: &Number<L, B>,
    out: &mut Number<L, B>,
) {
    let clear = lanes.equal(lanes.load(bits), lanes.splat(0));
    for ((out, one), base) in out.limbs_mut().iter_mut().zip(one.limbs()).zip(base.limbs()) {
        lanes.store(out, lanes.select(clear, lanes.load(one), lanes.load(base)));
    }
}
