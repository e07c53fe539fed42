//! Trial division and the Miller–Rabin test, with one candidate per lane.

use super::super::words::{self, Secret};
use super::convert::{gather, windows};
use super::modulus::{Canonical, Modulus};
use super::montgomery::Multiply;
use super::power::{SecretPower, WINDOW};
use super::radix::RadixPowers;
use super::{Number, RsaLanes};
use crate::ciphers::cpu::Kernel;
use rand::CryptoRng;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Bits per digit in trial division: 64 digits times residues of 13 bits stay below 2⁵².
const DIGIT_BITS: usize = 32;
/// Number of digits in the longest candidate, of 2,048 bits.
const DIGITS: usize = 64;
/// Bound on the small primes: twice as many would cost as much as they save.
const SIEVE_LIMIT: u64 = 1 << 13;

/// A small odd prime for trial division.
pub(crate) struct SmallPrime {
    pub(super) prime: u64,
    /// Its inverse modulo 2⁵².
    pub(super) inverse: u64,
    /// 2^(32·i) modulo the prime.
    pub(super) powers: [u64; DIGITS],
}

impl SmallPrime {
    fn new(prime: u64) -> Self {
        let inverse =
            (0..5).fold(prime, |x, _| x.wrapping_mul(2u64.wrapping_sub(prime.wrapping_mul(x))));
        let mut powers = [1; DIGITS];
        for i in 1..DIGITS {
            powers[i] = (powers[i - 1] << DIGIT_BITS) % prime;
        }
        Self { prime, inverse: inverse & ((1 << 52) - 1), powers }
    }
}

/// The 1,027 odd primes below 2¹³.
pub(in super::super) static SMALL_PRIMES: LazyLock<Vec<SmallPrime>> = LazyLock::new(|| {
    let is_prime = |n: &u64| !(3..).take_while(|d| d * d <= *n).any(|d| n.is_multiple_of(d));
    (3..SIEVE_LIMIT).step_by(2).filter(is_prime).map(SmallPrime::new).collect()
});

/// Returns for each lane 1 if none of the primes divides its number, 0 otherwise.
struct Coprime<'a, L: RsaLanes> {
    digits: &'a [L::Limbs],
    primes: &'a [SmallPrime],
}

impl<L: RsaLanes> Kernel<L> for Coprime<'_, L> {
    type Output = L::Limbs;
    #[inline(always)]
    fn run(self, lanes: L) -> L::Limbs {
        let (zero, mut coprime) = (lanes.splat(0), lanes.splat(1));
        for prime in self.primes {
            // The sum is congruent to the number and below 2⁵¹.
            let mut sum = zero;
            for (digit, power) in self.digits.iter().zip(&prime.powers) {
                sum = lanes.add_product(sum, lanes.load(digit), lanes.splat(*power));
            }
            coprime = lanes.select(lanes.is_multiple(sum, prime), zero, coprime);
        }
        let mut out = L::Limbs::default();
        lanes.store(&mut out, coprime);
        out
    }
}

/// Keeps the numbers that no prime in the list divides. All have at most `bits` bits.
pub(in super::super) fn sieve<L: RsaLanes>(
    lanes: L,
    numbers: Vec<Secret>,
    bits: usize,
    primes: &[SmallPrime],
) -> Vec<Secret> {
    keep::<L>(numbers, |numbers| {
        let digits = Zeroizing::new(windows::<L>(numbers, bits, DIGIT_BITS));
        let digits: Zeroizing<Vec<_>> = Zeroizing::new(digits.iter().rev().copied().collect());
        lanes.enter(Coprime { digits: &digits, primes })
    })
}

/// Keeps the numbers that pass a round of Miller–Rabin, each with a random base (FIPS 186-5,
/// B.3.1). All are odd and have exactly `bits` bits.
///
/// The time reveals the number of candidates and, if a candidate has more than [`MIN_SQUARINGS`]
/// factors of two in n − 1, that number; nothing else about them.
pub(in super::super) fn miller_rabin<L: RsaLanes, R: CryptoRng + ?Sized, const B: usize>(
    lanes: L,
    numbers: Vec<Secret>,
    bits: usize,
    rng: &mut R,
) -> Vec<Secret> {
    keep::<L>(numbers, |numbers| round_lanes::<L, R, B>(lanes, numbers, bits, rng))
}

/// Keeps the numbers for which `test` returns 1; it gets as many as there are lanes at a time.
fn keep<L: RsaLanes>(
    mut numbers: Vec<Secret>,
    mut test: impl FnMut(&[&[u64]]) -> L::Limbs,
) -> Vec<Secret> {
    let mut verdicts = Vec::with_capacity(numbers.len());
    for numbers in numbers.chunks(L::LANES) {
        let numbers: Vec<_> = numbers.iter().map(|number| number.as_slice()).collect();
        verdicts.extend_from_slice(&test(&numbers).as_ref()[..numbers.len()]);
    }
    let mut verdicts = verdicts.into_iter();
    numbers.retain(|_| verdicts.next() == Some(1));
    numbers
}

/// Minimum number of squarings at the end of a round, so that their number reveals nothing in all
/// but one of 2¹² rounds.
const MIN_SQUARINGS: usize = 15;

fn round_lanes<L: RsaLanes, R: CryptoRng + ?Sized, const B: usize>(
    lanes: L,
    numbers: &[&[u64]],
    bits: usize,
    rng: &mut R,
) -> L::Limbs {
    let modulus = &*Zeroizing::new(Modulus::new(&gather::<L, B>(numbers, 0)));
    let constants = Zeroizing::new(lanes.enter(RadixPowers { modulus, bits }));
    let one = &constants.0;
    let minus_one = &*Zeroizing::new(difference(&gather(numbers, 0), one));

    // A random number is the Montgomery form of another random number.
    let bases: Vec<Secret> = numbers.iter().map(|n| random_below(n, bits, rng)).collect();
    let bases: Vec<_> = bases.iter().map(|base| base.as_slice()).collect();
    let mut x = Zeroizing::new(gather::<L, B>(&bases, 0));
    let (exponents, twos): (Vec<Secret>, Vec<usize>) = numbers.iter().map(|n| odd_part(n)).unzip();
    let exponents: Vec<_> = exponents.iter().map(|exponent| exponent.as_slice()).collect();
    lanes.enter(SecretPower {
        x: &mut x,
        windows: &Zeroizing::new(windows::<L>(&exponents, bits, WINDOW)),
        one,
        table: &mut Zeroizing::new(vec![Number::zero(); 1 << WINDOW]),
        modulus,
    });
    lanes.enter(Canonical { x: &mut x, modulus });
    let mut passed = equal(&x, one);
    let squarings = twos.iter().fold(MIN_SQUARINGS, |all, twos| all.max(twos - 1));
    for i in 0..=squarings {
        let hit = equal(&x, minus_one);
        for (lane, passed) in passed.as_mut().iter_mut().enumerate() {
            *passed |= hit.as_ref()[lane] & u64::from(i < *twos.get(lane).unwrap_or(&0));
        }
        let factor = Zeroizing::new(*x);
        lanes.enter(Multiply { x: &mut x, y: &factor, modulus });
        lanes.enter(Canonical { x: &mut x, modulus });
    }
    passed
}

/// Splits n − 1 into `odd`·2^`twos`.
fn odd_part(n: &[u64]) -> (Secret, usize) {
    let mut rest = Zeroizing::new(n.to_vec());
    rest[0] &= !1;
    let mut twos = 0;
    while rest[0] == 0 && rest.len() > 1 {
        rest.remove(0);
        twos += 64;
    }
    let shift = rest[0].trailing_zeros() as usize;
    let above: Secret = Zeroizing::new(rest.iter().skip(1).copied().chain([0]).collect());
    for (word, above) in rest.iter_mut().zip(above.iter()) {
        *word = (u128::from(*above) << 64 | u128::from(*word)).wrapping_shr(shift as u32) as u64;
    }
    (rest, twos + shift)
}

/// Draws a number from 1 to n − 1, all equally likely.
fn random_below<R: CryptoRng + ?Sized>(n: &[u64], bits: usize, rng: &mut R) -> Secret {
    let mut number: Secret = Zeroizing::new(vec![0; n.len()]);
    loop {
        for (i, word) in number.iter_mut().enumerate() {
            let unused = 64 - bits.saturating_sub(64 * i).min(64);
            *word = rng.next_u64().checked_shr(unused as u32).unwrap_or(0);
        }
        let is_zero = number.iter().fold(0, |any, word| any | word) == 0;
        if !is_zero && words::less(&number, n).into() {
            return number;
        }
    }
}

/// a − b in each lane, for normalized a ≥ b.
fn difference<L: RsaLanes, const B: usize>(a: &Number<L, B>, b: &Number<L, B>) -> Number<L, B> {
    let mut out = *a;
    let mut borrow = L::Limbs::default();
    for (out, b) in out.limbs_mut().iter_mut().zip(b.limbs()) {
        let lanes = out.as_mut().iter_mut().zip(b.as_ref());
        for ((out, b), borrow) in lanes.zip(borrow.as_mut()) {
            let rest = out.wrapping_sub(*b).wrapping_sub(*borrow);
            *out = rest & L::LIMB_MASK;
            *borrow = rest >> 63;
        }
    }
    out
}

/// Returns for each lane 1 if the numbers are equal, 0 otherwise.
fn equal<L: RsaLanes, const B: usize>(a: &Number<L, B>, b: &Number<L, B>) -> L::Limbs {
    let mut differences = L::Limbs::default();
    for (a, b) in a.limbs().iter().zip(b.limbs()) {
        let lanes = a.as_ref().iter().zip(b.as_ref());
        for ((a, b), difference) in lanes.zip(differences.as_mut()) {
            *difference |= a ^ b;
        }
    }
    differences
        .as_mut()
        .iter_mut()
        .for_each(|difference| *difference = u64::from(*difference == 0));
    differences
}
