//! The kernels against `num-bigint`, on every kind of lanes.

use super::convert::{gather, scatter, windows};
use super::model::Model;
use super::modulus::{Canonical, Modulus};
use super::montgomery::{Multiply, ReduceWide, Square};
use super::power::{PublicPower, SecretPower, WINDOW};
use super::radix::RadixPowers;
use super::*;
#[cfg(target_arch = "x86_64")]
use crate::testing::not_run;
use num_bigint::BigUint;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Runs one check on every kind of lanes that the processor has.
macro_rules! on_all_lanes {
    ($check:ident::<$blocks:literal>($bits:expr)) => {
        $check::<Model, $blocks>(Model, $bits);
        #[cfg(target_arch = "x86_64")]
        match Avx2::detect() {
            Some(lanes) => $check::<Avx2, $blocks>(lanes, $bits),
            None => not_run(stringify!($check), "the processor lacks AVX2"),
        }
        #[cfg(target_arch = "x86_64")]
        match Avx512::detect() {
            Some(lanes) => $check::<Avx512, $blocks>(lanes, $bits),
            None => not_run(stringify!($check), "the processor lacks AVX-512"),
        }
    };
}

/// As many bits as a modulus in so many blocks may have.
const WIDEST: usize = usize::MAX;

fn bits_in<L: RsaLanes, const B: usize>(bits: usize) -> usize {
    bits.min(B * L::BLOCK_BITS - 2)
}

fn big(words: &[u64]) -> BigUint {
    BigUint::from_bytes_le(&words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>())
}

fn words(number: &BigUint, len: usize) -> Vec<u64> {
    let mut words = number.to_u64_digits();
    words.resize(len, 0);
    words
}

/// Returns eight odd moduli: random, all ones, top bit alone, and top limb extreme.
fn moduli(rng: &mut StdRng, bits: usize) -> Vec<BigUint> {
    let top = BigUint::from(1u8) << (bits - 1);
    let low = BigUint::from_bytes_le(&random(rng, bits / 8 - 8)) | BigUint::from(1u8);
    vec![
        (&top << 1u8) - 1u8,
        &top + 1u8,
        (&top << 1u8) - (BigUint::from(1u8) << (bits / 2)) + 1u8,
        &top + &low,
        (&top << 1u8) - &low,
        BigUint::from_bytes_le(&random(rng, bits / 8)) | &top | BigUint::from(1u8),
        BigUint::from_bytes_le(&random(rng, bits / 8)) | &top | BigUint::from(1u8),
        BigUint::from_bytes_le(&random(rng, bits / 8)) | &top | BigUint::from(1u8),
    ]
    .into_iter()
    .map(|n| n | BigUint::from(1u8))
    .collect()
}

/// Returns operand `round` for a modulus: 0, 1, n − 1, limbs of ones, 2n − 1, and random.
fn operand(rng: &mut StdRng, n: &BigUint, round: usize) -> BigUint {
    match round {
        0 => BigUint::ZERO,
        1 => BigUint::from(1u8),
        2 => n - 1u8,
        3 => ((BigUint::from(1u8) << (n.bits() - 1)) - 1u8) % n,
        4 => (n << 1u8) - 1u8,
        _ => BigUint::from_bytes_le(&random(rng, n.bits() as usize / 8)),
    }
}

fn random(rng: &mut StdRng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn into_lanes<L: RsaLanes, const B: usize>(numbers: &[BigUint]) -> Number<L, B> {
    let numbers: Vec<Vec<u64>> = numbers.iter().map(|n| words(n, B * 9)).collect();
    gather(&numbers.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0)
}

fn out_of_lanes<L: RsaLanes, const B: usize>(number: &Number<L, B>) -> Vec<BigUint> {
    (0..L::LANES)
        .map(|lane| {
            let mut words = vec![0; B * 9];
            scatter(number, lane, &mut words);
            big(&words)
        })
        .collect()
}

fn inverse_radix<L: RsaLanes, const B: usize>(n: &BigUint) -> BigUint {
    (BigUint::from(1u8) << (B * L::BLOCK_BITS)).modinv(n).unwrap()
}

fn products<L: RsaLanes, const B: usize>(lanes: L, bits: usize) {
    let bits = bits_in::<L, B>(bits);
    let rng = &mut StdRng::seed_from_u64(bits as u64);
    for n in moduli(rng, bits).chunks(L::LANES) {
        products_modulo::<L, B>(lanes, bits, n, rng);
    }
}

fn products_modulo<L: RsaLanes, const B: usize>(
    lanes: L,
    bits: usize,
    n: &[BigUint],
    rng: &mut StdRng,
) {
    let modulus = Modulus::new(&into_lanes::<L, B>(n));
    for round in 0..12 {
        let a: Vec<_> = n.iter().map(|n| operand(rng, n, round % 6)).collect();
        let b: Vec<_> = n.iter().map(|n| operand(rng, n, (round + round / 6) % 6)).collect();
        let mut x = into_lanes::<L, B>(&a);
        let y = into_lanes::<L, B>(&b);
        let (mut square, mut same) = (x, x);
        lanes.enter(Square { x: &mut square, modulus: &modulus });
        lanes.enter(Multiply { x: &mut same, y: &x, modulus: &modulus });
        assert_eq!(out_of_lanes(&square), out_of_lanes(&same), "{bits} bits, round {round}");
        lanes.enter(Multiply { x: &mut x, y: &y, modulus: &modulus });
        for (lane, result) in out_of_lanes(&x).into_iter().enumerate() {
            assert!(result < &n[lane] << 1u8, "{bits} bits, lane {lane}");
            let expected = &a[lane] * &b[lane] * inverse_radix::<L, B>(&n[lane]) % &n[lane];
            assert_eq!(result % &n[lane], expected, "{bits} bits, round {round}, lane {lane}");
        }
        lanes.enter(Canonical { x: &mut x, modulus: &modulus });
        assert!(out_of_lanes(&x).iter().zip(n).all(|(x, n)| x < n));
    }
}

fn radix_powers<L: RsaLanes, const B: usize>(lanes: L, bits: usize) {
    let bits = bits_in::<L, B>(bits);
    for n in moduli(&mut StdRng::seed_from_u64(bits as u64), bits).chunks(L::LANES) {
        let modulus = Modulus::new(&into_lanes::<L, B>(n));
        let (one, square) = lanes.enter(RadixPowers { modulus: &modulus, bits });
        let radix = BigUint::from(1u8) << (B * L::BLOCK_BITS);
        let (one, square) = (out_of_lanes(&one), out_of_lanes(&square));
        for (lane, n) in n.iter().enumerate() {
            assert_eq!(one[lane], &radix % n, "{bits} bits, lane {lane}");
            assert_eq!(square[lane], &radix * &radix % n, "{bits} bits, lane {lane}");
        }
    }
}

fn wide_reduction<L: RsaLanes, const B: usize>(lanes: L, bits: usize) {
    let rng = &mut StdRng::seed_from_u64(bits as u64);
    let moduli = moduli(rng, bits);
    for (round, n) in (0..4).flat_map(|round| moduli.chunks(L::LANES).map(move |n| (round, n))) {
        let modulus = Modulus::new(&into_lanes::<L, B>(n));
        let wide: Vec<BigUint> = (0..L::LANES)
            .map(|_| match round {
                0 => BigUint::ZERO,
                1 => (BigUint::from(1u8) << (2 * bits)) - 1u8,
                _ => BigUint::from_bytes_le(&random(rng, bits / 4)),
            })
            .collect();
        let wide_words: Vec<_> = wide.iter().map(|x| words(x, 2 * bits / 64)).collect();
        let wide_words: Vec<_> = wide_words.iter().map(Vec::as_slice).collect();
        let low = gather::<L, B>(&wide_words, 0);
        let mut high = gather::<L, B>(&wide_words, B * L::BLOCK_BITS);
        lanes.enter(ReduceWide { low: &low, high: &mut high, modulus: &modulus });
        for (lane, result) in out_of_lanes(&high).into_iter().enumerate() {
            assert!(result < &n[lane] << 1u8, "{bits} bits, lane {lane}");
            let expected = &wide[lane] * inverse_radix::<L, B>(&n[lane]) % &n[lane];
            assert_eq!(result % &n[lane], expected, "{bits} bits, lane {lane}");
        }
    }
}

/// Uses short exponents on slow lanes to keep the test short.
fn powers<L: RsaLanes, const B: usize>(lanes: L, bits: usize) {
    let rng = &mut StdRng::seed_from_u64(bits as u64);
    let exponent_bits = 70;
    let moduli = moduli(rng, bits);
    for (round, n) in (0..6).flat_map(|round| moduli.chunks(L::LANES).map(move |n| (round, n))) {
        let modulus = Modulus::new(&into_lanes::<L, B>(n));
        let (one, square) = lanes.enter(RadixPowers { modulus: &modulus, bits });
        let base: Vec<_> = n.iter().map(|n| operand(rng, n, round)).collect();
        let exponents: Vec<Vec<u64>> = (0..L::LANES as u64)
            .map(|lane| match lane {
                0 => vec![0, 0],
                1 => vec![1, 0],
                2 => vec![u64::MAX, 63],
                _ => vec![rng.next_u64(), rng.next_u64() & 63],
            })
            .collect();
        let refs: Vec<_> = exponents.iter().map(Vec::as_slice).collect();
        let mut secret = into_lanes::<L, B>(&base);
        lanes.enter(Multiply { x: &mut secret, y: &square, modulus: &modulus });
        let mut public = secret;
        lanes.enter(SecretPower {
            x: &mut secret,
            windows: &windows::<L>(&refs, exponent_bits, WINDOW),
            one: &one,
            table: &mut [Number::zero(); 1 << WINDOW],
            modulus: &modulus,
        });
        let mut short = L::Limbs::default();
        for (lane, exponent) in short.as_mut().iter_mut().enumerate() {
            *exponent = [1, 3, u64::MAX].get(lane).copied().unwrap_or(65_537);
        }
        lanes.enter(PublicPower { x: &mut public, exponents: short, one: &one, modulus: &modulus });
        let (secret, public) = (out_of_lanes(&secret), out_of_lanes(&public));
        for (lane, n) in n.iter().enumerate() {
            let unmont = |x: &BigUint| x * inverse_radix::<L, B>(n) % n;
            let expected = base[lane].modpow(&big(&exponents[lane]), n);
            assert_eq!(unmont(&secret[lane]), expected, "{bits} bits, lane {lane}");
            let expected = base[lane].modpow(&BigUint::from(short.as_ref()[lane]), n);
            assert_eq!(unmont(&public[lane]), expected, "{bits} bits, lane {lane}");
        }
    }
}

#[test]
fn products_agree() {
    on_all_lanes!(products::<2>(1024));
    on_all_lanes!(products::<2>(WIDEST));
    on_all_lanes!(products::<3>(1536));
    on_all_lanes!(products::<4>(2048));
    on_all_lanes!(products::<6>(3072));
    on_all_lanes!(products::<8>(4096));
    on_all_lanes!(products::<8>(WIDEST));
}

#[test]
fn radix_powers_agree() {
    on_all_lanes!(radix_powers::<2>(1024));
    on_all_lanes!(radix_powers::<2>(WIDEST));
    on_all_lanes!(radix_powers::<3>(1280));
    on_all_lanes!(radix_powers::<4>(2048));
    on_all_lanes!(radix_powers::<6>(3072));
    on_all_lanes!(radix_powers::<8>(4096));
}

#[test]
fn double_length_numbers_are_reduced() {
    on_all_lanes!(wide_reduction::<2>(1024));
    on_all_lanes!(wide_reduction::<3>(1536));
    on_all_lanes!(wide_reduction::<4>(2048));
}

#[test]
fn powers_agree() {
    on_all_lanes!(powers::<2>(1024));
    on_all_lanes!(powers::<3>(1536));
    on_all_lanes!(powers::<4>(2048));
}
