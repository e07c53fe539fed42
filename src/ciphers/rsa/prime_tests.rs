//! Trial division, Miller–Rabin and key generation against `num-bigint` and Wycheproof.

use super::generate::Primes;
use super::lanes::model::Model;
use super::lanes::prime::{SMALL_PRIMES, miller_rabin, sieve};
use super::lanes::{Lanes, OverLanes, RsaLanes};
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

/// Returns every kind of lanes that the processor has.
fn all_lanes() -> Vec<Lanes> {
    let mut all: Vec<_> = Backend::available().into_iter().filter_map(Lanes::of).collect();
    all.dedup_by_key(|lanes| std::mem::discriminant(lanes));
    println!("lanes: {all:?}");
    all
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

/// Runs the kernels' test for eight rounds.
fn is_probable_prime<L: RsaLanes>(lanes: L, n: &BigUint, rng: &mut StdRng) -> bool {
    let copies = vec![words(n); 8];
    let passed = miller_rabin::<L, StdRng, 6>(lanes, copies, n.bits() as usize, rng);
    passed.len() == 8
}

struct Wycheproof;

impl OverLanes for Wycheproof {
    type Output = ();
    fn run<L: RsaLanes>(self, lanes: L) {
        wycheproof_agrees(lanes);
    }
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

struct Sieve;

impl OverLanes for Sieve {
    type Output = ();
    fn run<L: RsaLanes>(self, lanes: L) {
        sieve_divides(lanes);
    }
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
    match &all_lanes()[..] {
        [] => wycheproof_agrees(Model),
        all => all.iter().for_each(|lanes| lanes.run(Wycheproof)),
    }
}

#[test]
fn trial_division_agrees() {
    sieve_divides(Model);
    all_lanes().iter().for_each(|lanes| lanes.run(Sieve));
}

#[test]
fn primes_pass_another_test() {
    struct Check {
        count: usize,
        bits: usize,
    }
    impl OverLanes for Check {
        type Output = ();
        fn run<L: RsaLanes>(self, lanes: L) {
            let Self { count, bits } = self;
            let mut rng = StdRng::seed_from_u64(bits as u64);
            for prime in (Primes { count, bits, rng: &mut rng }).run(lanes) {
                let bytes: Vec<u8> = prime.iter().flat_map(|word| word.to_le_bytes()).collect();
                let prime = BigUint::from_bytes_le(&bytes);
                assert_eq!(prime.bits() as usize, bits);
                assert!([2, 3, 5, 7, 11, 13, 17].iter().all(|base| passes(&prime, *base)));
                assert!(!passes(&(&prime * &prime), 2));
            }
        }
    }
    match &all_lanes()[..] {
        [] => Check { count: 1, bits: 1024 }.run(Model),
        all => {
            for (count, bits) in [(9, 1024), (3, 1280), (2, 1536), (1, 2048)] {
                all.iter().for_each(|lanes| lanes.run(Check { count, bits }));
            }
        }
    }
}

#[test]
fn generated_keys_meet_the_conditions_of_fips_186() {
    let one = &BigUint::from(1u8);
    for backend in BACKENDS {
        let Ok(backend) = Backend::from_name(backend) else {
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
