//! Checks that the components of a private key belong together (RFC 8017, section 3.2), and
//! computes missing ones: RFC 7518, section 6.3.2, requires only d.
//!
//! Numbers here have no leading zero words. The time depends on them: generating and reading keys
//! is not constant-time.

use crypto_bigint::{BoxedUint, Gcd, NonZero, Odd, Resize};
use std::sync::OnceLock;
use zeroize::Zeroizing;

use super::key::{Components, KeyError, Primes, PrivateKey, PublicKey, boxed};
use super::words::{self, Secret};

impl PrivateKey {
    /// Builds a key from two different primes, with d the inverse of e modulo lcm(p − 1, q − 1);
    /// `None` if e has no inverse.
    pub(super) fn from_primes(p: &[u64], q: &[u64], e: u64) -> Option<Self> {
        let less_one = |prime: &[u64]| Zeroizing::new(boxed(prime).wrapping_sub(BoxedUint::one()));
        let (p_less, q_less) = (less_one(p), less_one(q));
        let common = Zeroizing::new(NonZero::new(p_less.gcd(&*q_less)).into_option()?);
        let (quotient, _) = p_less.div_rem(&*common);
        let lambda = product(Zeroizing::new(quotient).as_words(), q_less.as_words());
        let modulus = Zeroizing::new(NonZero::new(boxed(&lambda)).into_option()?);
        let exponent = boxed(&padded(&[e], lambda.len()));
        let d = Zeroizing::new(exponent.invert_mod(&modulus).into_option()?);
        let bytes = |number: &[u64]| {
            let mut bytes = Zeroizing::new(vec![0; 8 * number.len()]);
            words::to_be_bytes(number, &mut bytes);
            bytes
        };
        let (n, d) = (bytes(&words::product(p, q)), bytes(d.as_words()));
        let primes = Some(Primes { p: &bytes(p), q: &bytes(q), crt: None });
        let components = Components { n: &n, e: &e.to_be_bytes(), d: &d, primes };
        Self::from_components(&components).ok()
    }

    /// Takes the components, checks that they agree, and computes missing ones.
    ///
    /// Checks that n = p·q for two different odd factors; 1 < d < n; e·d ≡ 1 modulo p − 1 and q −
    /// 1, which holds for d modulo λ(n) as well as φ(n) and implies that e is coprime to both; and
    /// that dp, dq and qi match d, p and q. Whether p and q are prime is not checked: that would
    /// cost more than all other operations with a key.
    ///
    /// # Errors
    /// [`KeyError`]: as [`PublicKey::from_be_bytes`], before any other work; then
    /// [`KeyError::Contradiction`] for the first component that contradicts those before it.
    pub fn from_components(components: &Components<'_>) -> Result<Self, KeyError> {
        let public = PublicKey::from_be_bytes(components.n, components.e)?;
        let d = number("d", components.d, &public)?;
        if !is_odd(&d) {
            return contradiction("d", "is even");
        }
        if is_one(&d) || !is_less(&d, public.modulus()) {
            return contradiction("d", "is not between 1 and the modulus");
        }
        let (p, q) = match &components.primes {
            Some(primes) => (number("p", primes.p, &public)?, number("q", primes.q, &public)?),
            None => match factors(&public, &d) {
                Some(factors) => factors,
                None => return contradiction("d", "does not belong to the modulus"),
            },
        };
        for (member, prime) in [("p", &p), ("q", &q)] {
            if !is_odd(prime) || is_one(prime) {
                return contradiction(member, "is not an odd number above 1");
            }
        }
        if trimmed(words::product(&p, &q))[..] != *public.modulus() {
            return contradiction("p", "times q is not the modulus");
        }
        if p == q {
            return contradiction("q", "is the same number as p");
        }
        let dp = match exponent(&d, public.exponent(), &p) {
            Some(dp) => dp,
            None => return contradiction("d", "is not the inverse of e modulo p - 1"),
        };
        let dq = match exponent(&d, public.exponent(), &q) {
            Some(dq) => dq,
            None => return contradiction("d", "is not the inverse of e modulo q - 1"),
        };
        let qi = match components.primes.and_then(|primes| primes.crt) {
            Some(crt) => {
                if number("dp", crt.dp, &public)? != dp {
                    return contradiction("dp", "is not d modulo p - 1");
                }
                if number("dq", crt.dq, &public)? != dq {
                    return contradiction("dq", "is not d modulo q - 1");
                }
                let qi = number("qi", crt.qi, &public)?;
                if !is_less(&qi, &p) || !is_one(&remainder(&product(&qi, &q), &p)) {
                    return contradiction("qi", "is not the inverse of q modulo p");
                }
                qi
            }
            None => match inverse(&q, &p) {
                Some(qi) => qi,
                None => return contradiction("p", "has a factor in common with q"),
            },
        };
        Ok(Self {
            d: padded(&d, public.modulus().len()),
            dp: padded(&dp, p.len()),
            dq: padded(&dq, q.len()),
            qi: padded(&qi, p.len()),
            prime_bits: [words::bits(&p), words::bits(&q)],
            public,
            p,
            q,
            for_crate: OnceLock::new(),
        })
    }
}

fn contradiction<T>(member: &'static str, rule: &'static str) -> Result<T, KeyError> {
    Err(KeyError::Contradiction { member, rule })
}

/// Reads a component of at most the modulus's length.
fn number(member: &'static str, bytes: &[u8], public: &PublicKey) -> Result<Secret, KeyError> {
    match words::from_be_bytes(bytes, public.modulus().len()) {
        Some(number) => Ok(trimmed(number)),
        None => contradiction(member, "is longer than the modulus"),
    }
}

fn trimmed(mut number: Secret) -> Secret {
    let len = words::bits(&number).div_ceil(64);
    number.truncate(len);
    number
}

fn padded(number: &[u64], len: usize) -> Secret {
    let mut out = Zeroizing::new(vec![0; len]);
    out[..number.len()].copy_from_slice(number);
    out
}

fn is_odd(number: &[u64]) -> bool {
    number.first().is_some_and(|word| word % 2 == 1)
}

fn is_one(number: &[u64]) -> bool {
    *number == [1]
}

fn is_less(a: &[u64], b: &[u64]) -> bool {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev())).is_lt()
}

fn big(number: &[u64]) -> Zeroizing<BoxedUint> {
    Zeroizing::new(boxed(number))
}

fn secret(number: &BoxedUint) -> Secret {
    trimmed(Zeroizing::new(number.as_words().to_vec()))
}

fn product(a: &[u64], b: &[u64]) -> Secret {
    trimmed(words::product(a, b))
}

/// Returns the number modulo another one, which is above zero.
fn remainder(number: &[u64], modulus: &[u64]) -> Secret {
    let modulus = Zeroizing::new(NonZero::new(boxed(modulus)).expect("above zero"));
    secret(&Zeroizing::new(big(number).rem(&*modulus)))
}

/// Returns d mod (p − 1) if it is the inverse of e modulo p − 1. p is odd and above 1.
fn exponent(d: &[u64], e: u64, prime: &[u64]) -> Option<Secret> {
    let mut less_one = Zeroizing::new(prime.to_vec());
    less_one[0] -= 1;
    let exponent = remainder(d, &less_one);
    is_one(&remainder(&product(&exponent, &[e]), &less_one)).then_some(exponent)
}

/// Returns the inverse of a number modulo an odd one.
fn inverse(number: &[u64], modulus: &[u64]) -> Option<Secret> {
    let reduced = padded(&remainder(number, modulus), modulus.len());
    let modulus = Zeroizing::new(Odd::new(boxed(modulus)).expect("an odd number"));
    let inverse = big(&reduced).invert_odd_mod(&modulus).into_option()?;
    Some(secret(&Zeroizing::new(inverse)))
}

/// Recovers the two factors of the modulus from the exponents (NIST SP 800-56B revision 2, appendix
/// C.2; its bound on e comes from the standard, not from the method); `None` if d is not a valid
/// exponent.
///
/// e·d − 1 is a multiple of λ(n); multiplied by its common factor with n − 1 it is a multiple
/// u·φ(n), where u is small: dividing by n yields φ(n), and from it the sum of the factors.
fn factors(public: &PublicKey, d: &[u64]) -> Option<(Secret, Secret)> {
    // Room for the square of a number as long as the modulus.
    let bits = 64 * (2 * public.modulus().len() as u32 + 4);
    let wide = |number: &[u64]| Zeroizing::new(boxed(number).resize_unchecked(bits));
    let one = BoxedUint::one_with_precision(bits);
    let n = wide(public.modulus());
    let multiple = wide(&product(d, &[public.exponent()]));
    let multiple = Zeroizing::new(multiple.wrapping_sub(&one));
    let common = Zeroizing::new(n.wrapping_sub(&one).gcd_vartime(&multiple));
    let multiple = Zeroizing::new(multiple.wrapping_mul(&*common));
    let divisor = NonZero::new((*n).clone()).into_option()?;
    let (quotient, rest) = multiple.div_rem_vartime(&divisor);
    let u = NonZero::new(quotient.wrapping_add(&one)).into_option()?;
    let (sum, rest) = n.wrapping_sub(&rest).div_rem_vartime(&u);
    if !bool::from(rest.is_zero()) {
        return None;
    }
    let sum = Zeroizing::new(sum.wrapping_add(&one));
    let square = Zeroizing::new(sum.wrapping_mul(&*sum));
    let four_n = Zeroizing::new(n.shl_vartime(2)?);
    if *square <= *four_n {
        return None;
    }
    let square = Zeroizing::new(square.wrapping_sub(&*four_n));
    let distance = Zeroizing::new(square.checked_sqrt_vartime()?);
    let half = |twice: BoxedUint| Some(secret(&Zeroizing::new(twice.shr_vartime(1)?)));
    let (p, q) = (half(sum.wrapping_add(&*distance))?, half(sum.wrapping_sub(&*distance))?);
    (!is_one(&q)).then_some((p, q))
}

#[cfg(test)]
mod tests {
    use super::super::key::Crt;
    use super::*;
    use crate::ciphers::cpu::Backend;
    use crate::ciphers::random::{KeySource, SeededSource};
    use crate::ciphers::rsa::generate;
    use num_bigint::BigUint;
    use std::sync::LazyLock;

    /// A key of 2,048 bits as numbers.
    #[derive(Clone)]
    struct Numbers {
        n: BigUint,
        e: BigUint,
        d: BigUint,
        p: BigUint,
        q: BigUint,
        dp: BigUint,
        dq: BigUint,
        qi: BigUint,
    }

    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| {
        let mut rng = SeededSource::new(11).stream(0);
        generate(Backend::detect(), 1, 2048, &mut rng).unwrap().remove(0)
    });

    impl Numbers {
        fn of(key: &PrivateKey) -> Self {
            let number = |bytes: Zeroizing<Vec<u8>>| BigUint::from_bytes_be(&bytes);
            Self {
                n: BigUint::from_bytes_be(&key.public().modulus_be_bytes()),
                e: key.public().exponent().into(),
                d: number(key.d()),
                p: number(key.p()),
                q: number(key.q()),
                dp: number(key.dp()),
                dq: number(key.dq()),
                qi: number(key.qi()),
            }
        }

        /// Builds a key from two primes and a public exponent, with d modulo φ(n).
        fn made_of(p: &BigUint, q: &BigUint, e: u32) -> Self {
            let one = BigUint::from(1u8);
            let (p1, q1) = (p - &one, q - &one);
            let d = BigUint::from(e).modinv(&(&p1 * &q1)).expect("e has an inverse");
            let (dp, dq, qi) = (&d % &p1, &d % &q1, q.modinv(p).unwrap());
            Self { n: p * q, e: e.into(), d, p: p.clone(), q: q.clone(), dp, dq, qi }
        }

        fn read(&self, primes: bool, crt: bool) -> Result<PrivateKey, KeyError> {
            let bytes = BigUint::to_bytes_be;
            let (n, e, d) = (bytes(&self.n), bytes(&self.e), bytes(&self.d));
            let (p, q) = (bytes(&self.p), bytes(&self.q));
            let (dp, dq, qi) = (bytes(&self.dp), bytes(&self.dq), bytes(&self.qi));
            let crt = crt.then_some(Crt { dp: &dp, dq: &dq, qi: &qi });
            let primes = primes.then_some(Primes { p: &p, q: &q, crt });
            PrivateKey::from_components(&Components { n: &n, e: &e, d: &d, primes })
        }

        /// Returns the member that is reported as contradicting the others.
        fn refused(&self, primes: bool) -> &'static str {
            let error = self.read(primes, primes).unwrap_err();
            let KeyError::Contradiction { member, .. } = error else { panic!("{error}") };
            member
        }
    }

    /// Returns the next prime from a number on, by Fermat's test to the base 2.
    fn prime_from(start: BigUint, e: u32) -> BigUint {
        let two = BigUint::from(2u8);
        let mut candidate = start | BigUint::from(1u8);
        loop {
            let less = &candidate - 1u8;
            if two.modpow(&less, &candidate) == BigUint::from(1u8) && &less % e != BigUint::ZERO {
                return candidate;
            }
            candidate += 2u8;
        }
    }

    #[test]
    fn what_was_left_out_is_computed() {
        let numbers = Numbers::of(&KEY);
        for (primes, crt) in [(false, false), (true, false), (true, true)] {
            let again = numbers.read(primes, crt).unwrap();
            assert_eq!(again.public(), KEY.public());
            let again = Numbers::of(&again);
            let (mut expected, mut found) = ([&numbers.p, &numbers.q], [&again.p, &again.q]);
            expected.sort();
            found.sort();
            assert_eq!((expected, &numbers.d), (found, &again.d));
        }
    }

    #[test]
    fn legal_but_unusual_keys_are_read() {
        let one = BigUint::from(1u8);
        let large = prime_from((&one << 1499u32) + (&one << 1498u32), 3);
        let small = prime_from((&one << 549u32) + (&one << 548u32), 3);
        for (p, q) in [(&large, &small), (&small, &large)] {
            for e in [3, 65_537] {
                let by_phi = Numbers::made_of(p, q, e);
                let lambda = (p - &one) * (q - &one) / 2u8;
                let by_lambda = Numbers { d: &by_phi.d % &lambda, ..by_phi.clone() };
                for numbers in [by_phi, by_lambda] {
                    assert!(numbers.read(true, true).is_ok(), "e = {e}");
                    assert!(numbers.read(true, false).is_ok(), "e = {e}");
                    assert!(numbers.read(false, false).is_ok(), "e = {e}, d only");
                }
            }
        }
    }

    #[test]
    fn each_contradiction_names_its_member() {
        let (good, one) = (Numbers::of(&KEY), BigUint::from(1u8));
        let change = |edit: &dyn Fn(&mut Numbers)| {
            let mut numbers = good.clone();
            edit(&mut numbers);
            numbers
        };
        let step = BigUint::from(4u8);
        for (member, numbers) in [
            ("d", change(&|key| key.d = BigUint::ZERO)),
            ("d", change(&|key| key.d = BigUint::from(1u8))),
            ("d", change(&|key| key.d += 1u8)),
            ("d", change(&|key| key.d += &step)),
            ("d", change(&|key| key.d = &key.d + &key.n + &key.n)),
            ("d", change(&|key| key.d = &key.d << 64u32 | &one)),
            ("d", change(&|key| key.e = BigUint::from(5u8))),
        ] {
            assert_eq!(numbers.refused(true), member);
            assert_eq!(numbers.refused(false), member, "without primes");
        }
        for (member, numbers) in [
            ("p", change(&|key| key.p += &step)),
            ("p", change(&|key| key.p = BigUint::ZERO)),
            ("p", change(&|key| (key.p, key.q) = (BigUint::from(1u8), key.n.clone()))),
            ("q", change(&|key| (key.p, key.q) = (key.n.clone(), BigUint::from(1u8)))),
            ("q", change(&|key| key.q = &key.n << 64u32)),
            ("dp", change(&|key| key.dp += &step)),
            ("dp", change(&|key| key.dp = &key.dp + &key.p - 1u8)),
            ("dp", change(&|key| std::mem::swap(&mut key.dp, &mut key.dq))),
            ("dp", change(&|key| std::mem::swap(&mut key.p, &mut key.q))),
            ("dq", change(&|key| key.dq += &step)),
            ("qi", change(&|key| key.qi += &step)),
            ("qi", change(&|key| key.qi = BigUint::ZERO)),
            ("qi", change(&|key| key.qi = &key.qi + &key.p)),
        ] {
            assert_eq!(numbers.refused(true), member);
        }
        let less = &good.p - 1u8;
        let square = change(&|key| {
            (key.q, key.n) = (key.p.clone(), &key.p * &key.p);
            key.d = key.e.modinv(&(&less * &less)).expect("as for p");
        });
        assert_eq!(square.refused(true), "q");
        assert_eq!(square.refused(false), "d");
    }

    #[test]
    fn sizes_are_limited_before_any_work() {
        let huge = BigUint::from(1u8) << 200_000u32 | BigUint::from(1u8);
        let good = Numbers::of(&KEY);
        let modulus = Numbers { n: huge.clone(), ..good.clone() };
        assert_eq!(modulus.read(true, true).unwrap_err(), KeyError::ModulusBits(200_001));
        let exponent = Numbers { e: huge.clone(), ..good.clone() };
        assert_eq!(exponent.read(true, true).unwrap_err(), KeyError::Exponent);
        assert_eq!(Numbers { d: huge.clone(), ..good.clone() }.refused(true), "d");
        assert_eq!(Numbers { qi: huge, ..good }.refused(true), "qi");
    }
}
