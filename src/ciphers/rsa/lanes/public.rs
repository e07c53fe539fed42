//! The public operation m^e mod n, with one key per lane.

use super::super::{PublicKey, words};
use super::convert::{blocks, gather, scatter, small};
use super::modulus::{Canonical, Modulus};
use super::montgomery::Multiply;
use super::power::PublicPower;
use super::radix::RadixPowers;
use super::{MAX_BITS, Number, OverLanes, RsaLanes};
use zeroize::Zeroizing;

impl PublicKey {
    /// Whether lanes support the modulus.
    pub(in super::super) fn fits_lanes(&self) -> bool {
        self.bits() <= MAX_BITS
    }
}

/// Replaces each block, a big-endian number below its key's modulus, with its e-th power. All keys
/// have the same number of bits.
pub(in super::super) struct Encrypt<'j, 'a> {
    pub jobs: &'j mut [(&'a PublicKey, &'a mut [u8])],
}

impl OverLanes for Encrypt<'_, '_> {
    type Output = ();
    fn run<L: RsaLanes>(self, lanes: L) {
        for jobs in self.jobs.chunks_mut(L::LANES) {
            match 2 * blocks::<L>(jobs[0].0.bits().div_ceil(2)) {
                4 => encrypt_lanes::<L, 4>(lanes, jobs),
                6 => encrypt_lanes::<L, 6>(lanes, jobs),
                _ => encrypt_lanes::<L, 8>(lanes, jobs),
            }
        }
    }
}

fn encrypt_lanes<L: RsaLanes, const F: usize>(lanes: L, jobs: &mut [(&PublicKey, &mut [u8])]) {
    let len = jobs[0].0.modulus().len();
    let keys: Vec<_> = jobs.iter().map(|(key, _)| *key).collect();
    let numbers: Vec<_> = jobs.iter().map(|(_, block)| words::all_be_bytes(block)).collect();
    let numbers: Vec<_> = numbers.iter().map(|number| number.as_slice()).collect();
    let padded = Zeroizing::new(gather(&numbers, 0));
    let result = power_lanes::<L, F>(lanes, &keys, &padded);
    let mut number = vec![0; len];
    for (lane, (_, block)) in jobs.iter_mut().enumerate() {
        scatter(&result, lane, &mut number);
        words::to_be_bytes(&number, block);
    }
}

/// Computes x^e mod n in each lane, for x below n. All keys have the same length in bits; lanes
/// past the end repeat the first.
pub(super) fn power_lanes<L: RsaLanes, const F: usize>(
    lanes: L,
    keys: &[&PublicKey],
    x: &Number<L, F>,
) -> Number<L, F> {
    let moduli: Vec<_> = keys.iter().map(|key| key.modulus()).collect();
    let modulus = &Modulus::new(&gather::<L, F>(&moduli, 0));
    let mut exponents = L::Limbs::default();
    for (lane, exponent) in exponents.as_mut().iter_mut().enumerate() {
        *exponent = keys.get(lane).unwrap_or(&keys[0]).exponent() - 1;
    }
    let radix_squared = &radix_squared(lanes, keys, modulus);
    let mut one = Number::zero();
    if exponents.as_ref().iter().any(|exponent| *exponent != exponents.as_ref()[0]) {
        one = *radix_squared;
        lanes.enter(Multiply { x: &mut one, y: &small(1), modulus });
    }
    let mut power = *x;
    lanes.enter(Multiply { x: &mut power, y: radix_squared, modulus });
    lanes.enter(PublicPower { x: &mut power, exponents, one: &one, modulus });
    // e is odd: the last factor is not in Montgomery form, which converts the result back.
    lanes.enter(Multiply { x: &mut power, y: x, modulus });
    lanes.enter(Canonical { x: &mut power, modulus });
    power
}

/// Returns R² modulo each key's modulus, cached if all keys have been used before.
fn radix_squared<L: RsaLanes, const F: usize>(
    lanes: L,
    keys: &[&PublicKey],
    modulus: &Modulus<L, F>,
) -> Number<L, F> {
    let known: Option<Vec<&[u64]>> =
        keys.iter().map(|key| key.radix_squared[L::RADIX].get().map(Vec::as_slice)).collect();
    if let Some(known) = known {
        return gather(&known, 0);
    }
    let (_, square) = lanes.enter(RadixPowers { modulus, bits: keys[0].bits() });
    for (lane, key) in keys.iter().enumerate() {
        key.radix_squared[L::RADIX].get_or_init(|| {
            let mut words = vec![0; key.modulus().len()];
            scatter(&square, lane, &mut words);
            words
        });
    }
    square
}
