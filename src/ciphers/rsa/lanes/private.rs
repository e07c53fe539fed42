//! The private operation c^d mod n using the two primes, blinded and checked.

use super::super::PrivateKey;
use super::super::words::{self, Secret};
use super::convert::{blocks, gather, scatter, small, windows};
use super::modulus::{Canonical, Modulus};
use super::montgomery::{Multiply, ReduceWide};
use super::power::{PublicPower, SecretPower, WINDOW};
use super::public::power_lanes;
use super::radix::RadixPowers;
use super::{Number, OverLanes, RsaLanes};
use rand::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

impl PrivateKey {
    /// Whether lanes support the key: both primes must have half the bits of the modulus,
    /// as in keys by FIPS 186-5.
    pub(in super::super) fn fits_lanes(&self) -> bool {
        let bits = self.public().bits();
        self.public().fits_lanes() && bits.is_multiple_of(2) && self.prime_bits == [bits / 2; 2]
    }
}

/// Result of the private operation: a block as long as the modulus, and whether the public
/// operation turns it back into the ciphertext.
pub(in super::super) type Block = (Zeroizing<Vec<u8>>, Choice);

/// Decrypts each ciphertext, which is as long as its key's modulus and below it. All keys are
/// balanced and have the same number of bits.
pub(in super::super) struct Decrypt<'a, R: ?Sized> {
    pub jobs: &'a [(&'a PrivateKey, &'a [u8])],
    pub rng: &'a mut R,
}

impl<R: CryptoRng + ?Sized> OverLanes for Decrypt<'_, R> {
    type Output = Vec<Block>;
    fn run<L: RsaLanes>(self, lanes: L) -> Vec<Block> {
        let Self { jobs, rng } = self;
        let mut out = Vec::with_capacity(jobs.len());
        for jobs in jobs.chunks(L::LANES) {
            out.extend(match blocks::<L>(jobs[0].0.public().bits() / 2) {
                2 => decrypt_lanes::<L, R, 2, 4>(lanes, jobs, rng),
                3 => decrypt_lanes::<L, R, 3, 6>(lanes, jobs, rng),
                _ => decrypt_lanes::<L, R, 4, 8>(lanes, jobs, rng),
            });
        }
        out
    }
}

/// One prime of a key, with its related values.
struct Half<'a> {
    prime: &'a [u64],
    exponent: &'a [u64],
    public_exponent: u64,
    ciphertext: &'a [u64],
}

fn decrypt_lanes<L: RsaLanes, R: CryptoRng + ?Sized, const H: usize, const F: usize>(
    lanes: L,
    jobs: &[(&PrivateKey, &[u8])],
    rng: &mut R,
) -> Vec<Block> {
    let keys: Vec<_> = jobs.iter().map(|(key, _)| *key).collect();
    let ciphertexts: Vec<Secret> =
        jobs.iter().map(|(_, ciphertext)| words::all_be_bytes(ciphertext)).collect();
    let half = |first: bool| {
        let pairs = keys.iter().zip(&ciphertexts);
        pairs.map(move |(key, ciphertext)| Half {
            prime: if first { &key.p } else { &key.q },
            exponent: if first { &key.dp } else { &key.dq },
            public_exponent: key.public().exponent(),
            ciphertext,
        })
    };
    let halves: Vec<_> = half(true).chain(half(false)).collect();
    let bits = keys[0].public().bits() / 2;
    let roots: Vec<Secret> = halves
        .chunks(L::LANES)
        .flat_map(|halves| root_lanes::<L, R, H>(lanes, halves, bits, rng))
        .collect();
    let (mod_p, mod_q) = roots.split_at(jobs.len());
    let results = recombine_lanes::<L, H>(lanes, &keys, mod_p, mod_q);
    check_lanes::<L, F>(lanes, &keys, &results, &ciphertexts)
}

/// Computes c^dp mod p in each lane. The base of the exponentiation is c·rᵉ for a random r, and the
/// exponent is dp − 1, so that removing r takes no inverse: (c·rᵉ)^(dp − 1) · c·r^(e − 1) = c^dp,
/// since r^(e·dp) = r.
fn root_lanes<L: RsaLanes, R: CryptoRng + ?Sized, const H: usize>(
    lanes: L,
    halves: &[Half<'_>],
    bits: usize,
    rng: &mut R,
) -> Vec<Secret> {
    let primes: Vec<_> = halves.iter().map(|half| half.prime).collect();
    let modulus = &*Zeroizing::new(Modulus::new(&gather::<L, H>(&primes, 0)));
    let constants = Zeroizing::new(lanes.enter(RadixPowers { modulus, bits }));
    let (one, radix_squared) = &*constants;

    // r is below 2^bits < 2p, and random, so it needs no conversion.
    let blinds: Vec<Secret> = halves
        .iter()
        .map(|_| Zeroizing::new((0..bits / 64).map(|_| rng.next_u64()).collect()))
        .collect();
    let blinds: Vec<_> = blinds.iter().map(|blind| blind.as_slice()).collect();
    let blind = &*Zeroizing::new(gather::<L, H>(&blinds, 0));
    let mut factor = Zeroizing::new(*blind);
    let mut exponents = L::Limbs::default();
    for (lane, exponent) in exponents.as_mut().iter_mut().enumerate() {
        *exponent = halves.get(lane).unwrap_or(&halves[0]).public_exponent - 1;
    }
    lanes.enter(PublicPower { x: &mut factor, exponents, one, modulus });

    let ciphertexts: Vec<_> = halves.iter().map(|half| half.ciphertext).collect();
    let low = gather::<L, H>(&ciphertexts, 0);
    let mut unblinding = Zeroizing::new(gather::<L, H>(&ciphertexts, H * L::BLOCK_BITS));
    lanes.enter(ReduceWide { low: &low, high: &mut unblinding, modulus });
    for y in [radix_squared, radix_squared, &*factor] {
        lanes.enter(Multiply { x: &mut unblinding, y, modulus });
    }

    let mut root = Zeroizing::new(*unblinding);
    lanes.enter(Multiply { x: &mut root, y: blind, modulus });
    let exponents: Vec<Secret> = halves.iter().map(|half| less_one(half.exponent)).collect();
    let exponents: Vec<_> = exponents.iter().map(|exponent| exponent.as_slice()).collect();
    lanes.enter(SecretPower {
        x: &mut root,
        windows: &Zeroizing::new(windows::<L>(&exponents, bits, WINDOW)),
        one,
        table: &mut Zeroizing::new(vec![Number::zero(); 1 << WINDOW]),
        modulus,
    });
    for y in [&*unblinding, &small(1)] {
        lanes.enter(Multiply { x: &mut root, y, modulus });
    }
    lanes.enter(Canonical { x: &mut root, modulus });
    take(&root, halves.len(), bits)
}

/// Subtracts one from an odd number.
fn less_one(number: &[u64]) -> Secret {
    let mut even = Zeroizing::new(number.to_vec());
    even[0] &= !1;
    even
}

/// Returns the numbers in the first `count` lanes.
fn take<L: RsaLanes, const B: usize>(
    number: &Number<L, B>,
    count: usize,
    bits: usize,
) -> Vec<Secret> {
    let one = |lane| {
        let mut words = Zeroizing::new(vec![0; bits.div_ceil(64)]);
        scatter(number, lane, &mut words);
        words
    };
    (0..count).map(one).collect()
}

/// Returns the number below n that is `mod_p` modulo p and `mod_q` modulo q, by Garner's formula
/// (RFC 8017, 5.1.2, step 2b).
fn recombine_lanes<L: RsaLanes, const H: usize>(
    lanes: L,
    keys: &[&PrivateKey],
    mod_p: &[Secret],
    mod_q: &[Secret],
) -> Vec<Secret> {
    let bits = keys[0].public().bits() / 2;
    let differences: Vec<Secret> = keys
        .iter()
        .zip(mod_p.iter().zip(mod_q))
        .map(|(key, (mod_p, mod_q))| difference(mod_p, mod_q, &key.p))
        .collect();
    let differences: Vec<_> = differences.iter().map(|number| number.as_slice()).collect();
    let primes: Vec<_> = keys.iter().map(|key| key.p.as_slice()).collect();
    let inverses: Vec<_> = keys.iter().map(|key| key.qi.as_slice()).collect();
    let modulus = &*Zeroizing::new(Modulus::new(&gather::<L, H>(&primes, 0)));
    let constants = Zeroizing::new(lanes.enter(RadixPowers { modulus, bits }));
    let mut x = Zeroizing::new(gather::<L, H>(&differences, 0));
    for y in [&*Zeroizing::new(gather(&inverses, 0)), &constants.1] {
        lanes.enter(Multiply { x: &mut x, y, modulus });
    }
    lanes.enter(Canonical { x: &mut x, modulus });
    let quotients = take(&x, keys.len(), bits);
    let recombine = |((key, quotient), mod_q): ((&&PrivateKey, &Secret), &Secret)| {
        let mut result = words::product(quotient, &key.q);
        words::add(&mut result, mod_q);
        result.truncate(key.public().modulus().len());
        result
    };
    keys.iter().zip(&quotients).zip(mod_q).map(recombine).collect()
}

/// Returns a − b + 2p, which is above zero and below 3p for a < p and b < 2p.
fn difference(a: &[u64], b: &[u64], p: &[u64]) -> Secret {
    let mut sum = Zeroizing::new(vec![0; p.len() + 1]);
    for part in [a, p, p] {
        words::add(&mut sum, part);
    }
    words::sub(&mut sum, b);
    sum
}

/// Raises each result to the public exponent and compares: a fault in one of the halves would
/// reveal the other prime (Boneh, DeMillo, Lipton 1997).
fn check_lanes<L: RsaLanes, const F: usize>(
    lanes: L,
    keys: &[&PrivateKey],
    results: &[Secret],
    ciphertexts: &[Secret],
) -> Vec<Block> {
    let public: Vec<_> = keys.iter().map(|key| key.public()).collect();
    let numbers: Vec<_> = results.iter().map(|number| number.as_slice()).collect();
    let x = Zeroizing::new(gather::<L, F>(&numbers, 0));
    let power = Zeroizing::new(power_lanes::<L, F>(lanes, &public, &x));
    let powers = take(&power, keys.len(), public[0].bits());
    let block = |(result, (power, ciphertext)): (&Secret, (&Secret, &Secret))| {
        let mut bytes = Zeroizing::new(vec![0; public[0].size()]);
        words::to_be_bytes(result, &mut bytes);
        (bytes, power.ct_eq(ciphertext))
    };
    results.iter().zip(powers.iter().zip(ciphertexts)).map(block).collect()
}
