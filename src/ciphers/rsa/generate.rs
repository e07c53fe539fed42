//! Generation of key pairs by FIPS 186-5, appendix A.1.3: random probable primes.

use super::key::{KeyError, MAX_GENERATED_BITS, MIN_BITS, PrivateKey};
use super::lanes::convert::blocks;
use super::lanes::prime::{SMALL_PRIMES, miller_rabin, sieve};
use super::lanes::{Lanes, OverLanes, RsaLanes};
use super::words::{self, Secret};
use crate::ciphers::cpu::Backend;
use rand::CryptoRng;
use rsa::BoxedUint;
use rsa::traits::PrivateKeyParts;
use zeroize::Zeroizing;

/// The public exponent of generated keys.
const EXPONENT: u64 = 65_537;
/// √2·2⁶³, rounded up: the smallest top word of a prime, so that the product of two has full
/// length.
const MIN_TOP_WORD: u64 = 0xb504_f333_f9de_6485;
/// Number of small primes that are tried first: they eliminate four of five candidates.
const COARSE: usize = 32;
/// Number of candidates that are drawn and sieved together.
const DRAW: usize = 256;

/// Generates `count` key pairs with moduli of `bits` bits and e = 65,537, on this thread.
///
/// The primes p and q are drawn anew for every trial, at least √2·2^(`bits`/2 − 1) and different in
/// their first 100 bits; p − 1 and q − 1 are coprime to e; d is the inverse of e modulo lcm(p − 1,
/// q − 1) and longer than `bits`/2. Primes pass the number of Miller–Rabin rounds with random bases
/// that FIPS 186-5, table B.1, requires for an error probability of 2⁻¹¹² for 2,048 bits (five
/// rounds), 2⁻¹²⁸ for 3,072 and 2⁻¹⁴⁴ for 4,096 bits (four).
///
/// AVX-512 tests eight candidates at a time, AVX2 four; generating four or more pairs per call keeps
/// all lanes busy. The other backends take their primes from the crate `rsa`.
///
/// # Errors
/// [`KeyError::GeneratedBits`] unless `bits` is from 2,048 to 4,096 and a multiple of 128.
pub fn generate<R: CryptoRng + ?Sized>(
    backend: Backend,
    count: usize,
    bits: usize,
    rng: &mut R,
) -> Result<Vec<PrivateKey>, KeyError> {
    if !(MIN_BITS..=MAX_GENERATED_BITS).contains(&bits) || !bits.is_multiple_of(128) {
        return Err(KeyError::GeneratedBits(bits));
    }
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let missing = 2 * (count - keys.len());
        let primes = match Lanes::of(backend) {
            Some(lanes) => lanes.run(Primes { count: missing, bits: bits / 2, rng }),
            None => primes_by_crate(missing, bits, rng),
        };
        keys.extend(primes.chunks_exact(2).filter_map(|pair| key_of(&pair[0], &pair[1])));
    }
    Ok(keys)
}

/// Builds a key from two primes if they meet the conditions. The larger prime becomes p, as some
/// implementations expect.
fn key_of(p: &Secret, q: &Secret) -> Option<PrivateKey> {
    let (p, q) = if words::less(p, q).into() { (q, p) } else { (p, q) };
    let bits = 64 * p.len();
    let far_apart = words::bits(&words::distance(p, q)) > bits - 100;
    let long = [p, q].iter().all(|prime| prime[prime.len() - 1] >= MIN_TOP_WORD);
    if !far_apart || !long {
        return None;
    }
    PrivateKey::from_primes(p, q, EXPONENT).filter(PrivateKey::exponent_is_long)
}

/// Number of Miller–Rabin rounds for a prime of `bits` bits: FIPS 186-5, table B.1.
const fn rounds(bits: usize) -> usize {
    if bits < 1536 { 5 } else { 4 }
}

/// Draws `count` primes of `bits` bits, a multiple of the word size.
pub(super) struct Primes<'a, R: ?Sized> {
    pub count: usize,
    pub bits: usize,
    pub rng: &'a mut R,
}

impl<R: CryptoRng + ?Sized> OverLanes for Primes<'_, R> {
    type Output = Vec<Secret>;
    fn run<L: RsaLanes>(self, lanes: L) -> Vec<Secret> {
        primes(lanes, self.count, self.bits, self.rng)
    }
}

fn primes<L: RsaLanes, R: CryptoRng + ?Sized>(
    lanes: L,
    count: usize,
    bits: usize,
    rng: &mut R,
) -> Vec<Secret> {
    let round = match blocks::<L>(bits) {
        2 => miller_rabin::<L, R, 2>,
        3 => miller_rabin::<L, R, 3>,
        _ => miller_rabin::<L, R, 4>,
    };
    let mut found = Vec::with_capacity(count);
    let mut sieved = Vec::new();
    while found.len() < count {
        let missing = count - found.len();
        let mut probable = Vec::with_capacity(missing);
        while probable.len() < missing {
            if sieved.len() < L::LANES {
                sieved.extend(candidates(lanes, bits, rng));
                continue;
            }
            let few = sieved.split_off(sieved.len() - L::LANES);
            probable.extend(round(lanes, few, bits, rng));
        }
        probable.truncate(missing);
        for _ in 1..rounds(bits) {
            probable = round(lanes, probable, bits, rng);
        }
        found.append(&mut probable);
    }
    found
}

/// Draws odd numbers and keeps those without small prime factors.
fn candidates<L: RsaLanes, R: CryptoRng + ?Sized>(
    lanes: L,
    bits: usize,
    rng: &mut R,
) -> Vec<Secret> {
    let (coarse, fine) = SMALL_PRIMES.split_at(COARSE);
    let drawn = (0..DRAW).map(|_| draw(bits / 64, rng)).collect();
    let survivors = sieve(lanes, drawn, bits, coarse);
    let mut survivors = sieve(lanes, survivors, bits, fine);
    survivors.retain(|candidate| residue_of_exponent(candidate) != 1);
    survivors
}

/// Draws an odd number of `len` words, at least √2·2^(64·`len` − 1).
fn draw<R: CryptoRng + ?Sized>(len: usize, rng: &mut R) -> Secret {
    let mut number = Zeroizing::new(vec![0; len]);
    for word in number.iter_mut() {
        *word = rng.next_u64();
    }
    while number[len - 1] < MIN_TOP_WORD {
        number[len - 1] = rng.next_u64();
    }
    number[0] |= 1;
    number
}

/// Returns the number modulo e, which is prime: e divides p − 1 exactly if the remainder of p is 1.
/// Division by a constant compiles to multiplication, so the time reveals nothing.
fn residue_of_exponent(number: &[u64]) -> u64 {
    number.iter().rev().fold(0, |rest, word| {
        let high = (rest << 32 | word >> 32) % EXPONENT;
        (high << 32 | word & 0xffff_ffff) % EXPONENT
    })
}

/// Draws `count` primes, an even number, as the factors of keys from the crate.
fn primes_by_crate<R: CryptoRng + ?Sized>(count: usize, bits: usize, rng: &mut R) -> Vec<Secret> {
    let mut out = Vec::with_capacity(count);
    while out.len() < count {
        let exponent = BoxedUint::from(EXPONENT);
        let Ok(key) = rsa::PrivateKey::new_with_exp(rng, bits, exponent) else {
            continue;
        };
        for prime in key.primes() {
            let bytes = Zeroizing::new(prime.to_be_bytes());
            out.extend(words::from_be_bytes(&bytes, bits / 128));
        }
    }
    out
}
