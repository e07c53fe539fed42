//! The arithmetic modulo p at the bounds of its digits, against a library for large integers.

use num_bigint::BigUint;

use super::field::{DIGITS, Factor, Stored, Sum};
use super::{LANES, Words, X25519Lanes};
use crate::ciphers::cpu::{Avx512, Kernel, Proof};
use crate::testing::not_run;

/// Digits of one number, least significant first.
type Number = [u64; DIGITS];

/// Number of results of [`Operations`].
const RESULTS: usize = 7;

/// Every operation on a pair of numbers, in lane 0 of each result; the other lanes have other
/// operands.
struct Operations {
    a: Stored,
    b: Stored,
}

impl<L: X25519Lanes> Kernel<L> for Operations {
    type Output = [[Words; 4]; RESULTS];

    #[inline(always)]
    fn run(self, lanes: L) -> Self::Output {
        let (a, b) = (Sum::load(lanes, &self.a), Sum::load(lanes, &self.b));
        let (x, y) = (a.reduce(lanes), b.reduce(lanes));
        let mut stored = [Words::ZERO; DIGITS];
        a.minus(lanes, b).store(lanes, &mut stored);
        [
            x.to_words(lanes),
            a.plus(lanes, b).to_words(lanes),
            Factor::load(lanes, &stored).to_words(lanes),
            x.times(lanes, y).reduce(lanes).to_words(lanes),
            x.squared(lanes).reduce(lanes).to_words(lanes),
            a.add_multiple(lanes, y, 121_665).reduce(lanes).to_words(lanes),
            x.inverted(lanes).to_words(lanes),
        ]
    }
}

fn value(number: Number) -> BigUint {
    number.iter().rev().fold(BigUint::ZERO, |value, digit| (value << 52) + digit)
}

fn p() -> BigUint {
    (BigUint::from(1u8) << 255) - 19u8
}

/// The results of [`Operations`] by their definition.
fn expected(a: Number, b: Number) -> [BigUint; RESULTS] {
    let (a, b, p) = (value(a), value(b), p());
    [
        &a % &p,
        (&a + &b) % &p,
        (&a + (&p << 11) - &b) % &p,
        &a * &b % &p,
        &a * &a % &p,
        (&a + &b * 121_665u32) % &p,
        a.modpow(&(&p - 2u8), &p),
    ]
}

/// Numbers around the multiples of p and the powers of two, and digits at the bounds that the
/// module states for products and their sums.
fn numbers() -> Vec<Number> {
    const FULL: u64 = (1 << 52) - 1;
    let p: Number = [FULL - 18, FULL, FULL, FULL, FULL >> 5];
    let mut numbers = vec![
        [0; DIGITS],
        [1, 0, 0, 0, 0],
        [18, 0, 0, 0, 0],
        [19, 0, 0, 0, 0],
        [FULL - 19, FULL, FULL, FULL, FULL >> 5],
        p,
        [FULL - 17, FULL, FULL, FULL, FULL >> 5],
        [FULL, FULL, FULL, FULL, FULL >> 5],
        [0, 0, 0, 0, 1 << 47],
        p.map(|digit| 2 * digit),
        [FULL - 37, FULL, FULL, FULL, FULL >> 4],
        [0, 0, 0, 0, FULL],
        [FULL; DIGITS],
        [FULL, 0, FULL, 0, FULL],
        [0, FULL, 0, FULL, 0],
    ];
    let product: Number = std::array::from_fn(|i| (2 * i as u64 + 3) << 52);
    numbers.extend([product, product.map(|digit| digit - 1), product.map(|digit| 4 * digit - 1)]);
    numbers
}

#[test]
fn every_operation_is_right_at_the_bounds_of_the_digits() {
    let Some(lanes) = Avx512::detect() else {
        return not_run("the bounds of the field's digits", "no AVX-512 IFMA");
    };
    let numbers = numbers();
    for (i, a) in numbers.iter().enumerate() {
        for shift in 0..numbers.len() {
            // Each lane has its own pair.
            let pairs: [(Number, Number); LANES] = std::array::from_fn(|lane| {
                let at = |i: usize| numbers[i % numbers.len()];
                if lane == 0 { (*a, at(shift)) } else { (at(i + lane), at(shift + 5 * lane)) }
            });
            let stored = |of: fn(&(Number, Number)) -> Number| -> Stored {
                std::array::from_fn(|digit| {
                    Words(std::array::from_fn(|lane| of(&pairs[lane])[digit]))
                })
            };
            let operations = Operations { a: stored(|pair| pair.0), b: stored(|pair| pair.1) };
            let results = lanes.enter(operations);
            for (lane, (a, b)) in pairs.into_iter().enumerate() {
                for (result, expected) in results.iter().zip(expected(a, b)) {
                    let words = result.each_ref().map(|word| word.0[lane]);
                    let found = words.iter().rev().fold(BigUint::ZERO, |n, word| (n << 64) + word);
                    assert_eq!(found, expected, "{a:x?} and {b:x?} in lane {lane}");
                }
            }
        }
    }
}
