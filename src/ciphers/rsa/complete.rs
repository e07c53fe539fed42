//! Private keys that come without their primes or CRT values, which RFC 7518 section 6.3.2 allows.

use rsa::BoxedUint;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use zeroize::Zeroizing;

use super::key::{Components, KeyError, PrivateKey};

impl PrivateKey {
    /// Takes modulus and exponents, and the primes if they are known; computes the rest by the
    /// crate `rsa`. Slow, some milliseconds, where the primes have to be recovered.
    ///
    /// # Errors
    /// [`KeyError::Component`] when the numbers do not belong together, and as
    /// [`PrivateKey::from_components`].
    pub fn complete(
        n: &[u8],
        e: &[u8],
        d: &[u8],
        primes: Option<[&[u8]; 2]>,
    ) -> Result<Self, KeyError> {
        let uint = BoxedUint::from_be_slice_vartime;
        let primes = primes.map_or(Vec::new(), |primes| primes.map(uint).to_vec());
        let key = rsa::RsaPrivateKey::from_components(uint(n), uint(e), uint(d), primes)
            .map_err(|_| KeyError::Component("d"))?;
        let bytes = |number: &BoxedUint| Zeroizing::new(number.to_be_bytes().to_vec());
        let (Some(dp), Some(dq), Some(qi)) = (key.dp(), key.dq(), key.crt_coefficient()) else {
            return Err(KeyError::Component("d"));
        };
        let [p, q] = [0, 1].map(|index| bytes(&key.primes()[index]));
        Self::from_components(&Components {
            n: &key.n_bytes(),
            e: &key.e_bytes(),
            d: &bytes(key.d()),
            p: &p,
            q: &q,
            dp: &bytes(dp),
            dq: &bytes(dq),
            qi: &bytes(&qi),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::cpu::Backend;
    use crate::ciphers::random::{KeySource, SeededSource};

    #[test]
    fn what_was_left_out_is_computed() {
        let mut rng = SeededSource::new(11).stream(0);
        let key = super::super::generate(Backend::detect(), 1, 2048, &mut rng).unwrap().remove(0);
        let n = key.public().modulus_be_bytes();
        let (e, d) = (key.public().exponent().to_be_bytes(), key.d());
        for primes in [None, Some([&key.p()[..], &key.q()[..]])] {
            let again = PrivateKey::complete(&n, &e, &d, primes).unwrap();
            assert_eq!(again.public(), key.public());
        }
        let mut wrong = d.to_vec();
        wrong[100] ^= 2;
        assert!(PrivateKey::complete(&n, &e, &wrong, None).is_err());
    }
}
