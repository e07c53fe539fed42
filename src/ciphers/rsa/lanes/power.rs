//! Exponentiation: a fixed window for private exponents, plain squaring for public ones.

use super::modulus::Modulus;
use super::montgomery::{multiply, square};
use super::{LANES, Limbs, Number, RsaLanes, zero};
use crate::ciphers::cpu::Kernel;
use zeroize::Zeroize;

/// Number of exponent bits per step. Four and five cost the same multiplications within 2 %; four
/// needs half the table (20 KiB at 1,024 bits), which every look-up reads in full.
pub(in super::super) const WINDOW: usize = 4;

/// The first `1 << WINDOW` powers of a base.
pub(in super::super) type Table<const B: usize> = [Number<B>];

/// out ← `table[index]`, with a separate index in each lane; reads every entry.
#[inline(always)]
fn look_up<L: RsaLanes, const B: usize>(
    lanes: L,
    table: &Table<B>,
    index: &Limbs,
    out: &mut Number<B>,
) {
    let index = lanes.load(index);
    for (block, out) in out.iter_mut().enumerate() {
        let mut chosen = [lanes.splat(0); super::BLOCK];
        for (entry, power) in table.iter().enumerate() {
            let hit = lanes.equal(index, lanes.splat(entry as u64));
            for (chosen, limb) in chosen.iter_mut().zip(&power[block]) {
                *chosen = lanes.select(hit, lanes.load(limb), *chosen);
            }
        }
        for (out, chosen) in out.iter_mut().zip(chosen) {
            lanes.store(out, chosen);
        }
    }
}

/// x ← x^exponent in Montgomery form, with a separate exponent in each lane, in time that depends
/// only on the number of windows.
pub(in super::super) struct SecretPower<'a, const B: usize> {
    pub x: &'a mut Number<B>,
    /// The exponents' windows of [`WINDOW`] bits, most significant first.
    pub windows: &'a [Limbs],
    /// 1 in Montgomery form.
    pub one: &'a Number<B>,
    /// Buffer for `1 << WINDOW` numbers; the caller clears it afterwards.
    pub table: &'a mut Table<B>,
    pub modulus: &'a Modulus<B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for SecretPower<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        let Self { x, windows, one, table, modulus } = self;
        let mut power = *one;
        for entry in table.iter_mut() {
            *entry = power;
            multiply(lanes, &mut power, x, modulus);
        }
        *x = *one;
        for window in windows {
            for _ in 0..WINDOW {
                square(lanes, x, modulus);
            }
            look_up(lanes, table, window, &mut power);
            multiply(lanes, x, &power, modulus);
        }
        power.zeroize();
    }
}

/// x ← x^exponent in Montgomery form for public exponents, separate in each lane; a bit that is
/// clear in all lanes costs no multiplication.
pub(in super::super) struct PublicPower<'a, const B: usize> {
    pub x: &'a mut Number<B>,
    /// Exponents, all at least 1.
    pub exponents: [u64; LANES],
    /// 1 in Montgomery form; unused if all exponents are the same.
    pub one: &'a Number<B>,
    pub modulus: &'a Modulus<B>,
}

impl<L: RsaLanes, const B: usize> Kernel<L> for PublicPower<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run(self, lanes: L) {
        let Self { x, exponents, one, modulus } = self;
        let top = 63 - exponents.iter().fold(1, |all, e| all | e).leading_zeros();
        let base = *x;
        let mut factor = zero::<B>();
        choose(lanes, bit_of(&exponents, top), &base, one, &mut factor);
        *x = factor;
        for position in (0..top).rev() {
            square(lanes, x, modulus);
            let bits = bit_of(&exponents, position);
            if bits.0 != [0; LANES] {
                choose(lanes, bits, &base, one, &mut factor);
                multiply(lanes, x, &factor, modulus);
            }
        }
    }
}

fn bit_of(exponents: &[u64; LANES], position: u32) -> Limbs {
    Limbs(exponents.map(|e| e >> position & 1))
}

/// out ← base where the lane's bit is set, one elsewhere.
#[inline(always)]
fn choose<L: RsaLanes, const B: usize>(
    lanes: L,
    bits: Limbs,
    base: &Number<B>,
    one: &Number<B>,
    out: &mut Number<B>,
) {
    let clear = lanes.equal(lanes.load(&bits), lanes.splat(0));
    for (i, block) in out.iter_mut().enumerate() {
        for (j, limb) in block.iter_mut().enumerate() {
            let chosen = lanes.select(clear, lanes.load(&one[i][j]), lanes.load(&base[i][j]));
            lanes.store(limb, chosen);
        }
    }
}
