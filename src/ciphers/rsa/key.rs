//! RSA keys, as the eight-lane kernels and the crate `rsa` take them.

use super::words::{self, Secret};
use rsa::BoxedUint;
use std::fmt;
use std::sync::OnceLock;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// The shortest modulus accepted, in bits.
pub const MIN_BITS: usize = 2048;
/// The longest modulus accepted, in bits.
pub const MAX_BITS: usize = 4096;
/// The largest public exponent accepted: the crate `rsa`'s limit.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// Why key components are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The modulus is too short or too long.
    #[error("RSA modulus of {0} bits: expected {MIN_BITS} to {MAX_BITS}")]
    ModulusBits(usize),
    /// No keys of this size are generated.
    #[error(
        "RSA modulus of {0} bits: keys are made with {MIN_BITS} to {MAX_BITS}, in steps of 128"
    )]
    GeneratedBits(usize),
    /// The modulus is even.
    #[error("even RSA modulus")]
    EvenModulus,
    /// The public exponent is even, or outside 3..2³³.
    #[error("RSA public exponent: expected an odd number from 3 to 2^33 - 1")]
    Exponent,
    /// The primes differ in length, or the modulus has an odd number of bits.
    #[error("RSA private key: expected two primes of half the bits of the modulus")]
    Unbalanced,
    /// A private component is too long or contradicts the others; named as in RFC 7518.
    #[error("RSA private key: component {0:?} does not belong to this modulus")]
    Component(&'static str),
}

/// An RSA public key of 2,048 to 4,096 bits.
#[derive(Clone)]
pub struct PublicKey {
    modulus: Vec<u64>,
    exponent: u64,
    bits: usize,
    /// The Montgomery constant R² mod n, kept from the key's first use in the lanes: reading a key
    /// costs nothing, and using it again a quarter less.
    pub(super) radix_squared: OnceLock<Vec<u64>>,
    for_crate: OnceLock<Option<rsa::RsaPublicKey>>,
}

impl PublicKey {
    /// Takes modulus and public exponent as big-endian bytes; leading zeros are ignored.
    ///
    /// # Errors
    /// [`KeyError`] when the modulus is even or has not 2,048 to 4,096 bits, or the exponent is
    /// even or outside 3..2³³.
    pub fn from_be_bytes(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let mut modulus =
            words::from_be_bytes(n, n.len().div_ceil(8)).map(|n| n.to_vec()).unwrap_or_default();
        let bits = words::bits(&modulus);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(KeyError::ModulusBits(bits));
        }
        if modulus[0].is_multiple_of(2) {
            return Err(KeyError::EvenModulus);
        }
        modulus.truncate(bits.div_ceil(64));
        let exponent = words::from_be_bytes(e, 1)
            .map(|e| e[0])
            .filter(|e| (3..=MAX_EXPONENT).contains(e) && e % 2 == 1)
            .ok_or(KeyError::Exponent)?;
        Ok(Self {
            modulus,
            exponent,
            bits,
            radix_squared: OnceLock::new(),
            for_crate: OnceLock::new(),
        })
    }

    /// Length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Length of the modulus and of a ciphertext in bytes.
    pub fn size(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// The longest message that RSA-OAEP with SHA-256 takes, in bytes (RFC 8017, 7.1.1).
    pub fn max_message(&self) -> usize {
        self.size() - 2 * super::oaep::HASH - 2
    }

    /// The modulus, big-endian, [`size`](Self::size) bytes.
    pub fn modulus_be_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size()];
        words::to_be_bytes(&self.modulus, &mut bytes);
        bytes
    }

    /// The public exponent.
    pub fn exponent(&self) -> u64 {
        self.exponent
    }

    pub(super) fn modulus(&self) -> &[u64] {
        &self.modulus
    }

    /// The key as the crate takes it, made once.
    pub(super) fn for_crate(&self) -> Option<&rsa::RsaPublicKey> {
        self.for_crate
            .get_or_init(|| {
                rsa::RsaPublicKey::new(boxed(&self.modulus), BoxedUint::from(self.exponent)).ok()
            })
            .as_ref()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus && self.exponent == other.exponent
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.bits)
    }
}

/// The components of a private key as big-endian bytes, named as in RFC 7518, section 6.3.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Components<'a> {
    pub n: &'a [u8],
    pub e: &'a [u8],
    pub d: &'a [u8],
    pub p: &'a [u8],
    pub q: &'a [u8],
    pub dp: &'a [u8],
    pub dq: &'a [u8],
    pub qi: &'a [u8],
}

/// An RSA private key of two primes. Cleared when dropped.
pub struct PrivateKey {
    public: PublicKey,
    pub(super) d: Secret,
    pub(super) p: Secret,
    pub(super) q: Secret,
    pub(super) dp: Secret,
    pub(super) dq: Secret,
    pub(super) qi: Secret,
    for_crate: OnceLock<Option<rsa::RsaPrivateKey>>,
}

impl PrivateKey {
    /// Takes the components and checks that n = p·q, where p and q must have half the bits of n
    /// each, as keys by FIPS 186 have. The exponents are not checked against each
    /// other, which would cost more than reading 10,000 keys may: a key whose components
    /// contradict each other opens nothing, as the result of every private operation is checked
    /// with the public exponent.
    ///
    /// # Errors
    /// [`KeyError`]: as [`PublicKey::from_be_bytes`], and when a private component is too long,
    /// an exponent is even, or the product of the primes is not the modulus.
    pub fn from_components(components: &Components<'_>) -> Result<Self, KeyError> {
        let public = PublicKey::from_be_bytes(components.n, components.e)?;
        let len = public.modulus.len();
        let read =
            |name, bytes, len| words::from_be_bytes(bytes, len).ok_or(KeyError::Component(name));
        let odd = |name, number: Secret| {
            let even = Choice::from((number[0] & 1) as u8 ^ 1);
            if even.into() {
                return Err(KeyError::Component(name));
            }
            Ok(number)
        };
        let half = len.div_ceil(2);
        let p = odd("p", read("p", components.p, half)?)?;
        let q = odd("q", read("q", components.q, half)?)?;
        let product = words::product(&p, &q);
        if !bool::from(product[..len].ct_eq(&public.modulus))
            || product[len..].iter().any(|word| *word != 0)
        {
            return Err(KeyError::Component("p"));
        }
        if !public.bits.is_multiple_of(2)
            || ![&p, &q].into_iter().all(|p| has_bits(p, public.bits / 2))
        {
            return Err(KeyError::Unbalanced);
        }
        Ok(Self {
            d: odd("d", read("d", components.d, len)?)?,
            dp: odd("dp", read("dp", components.dp, half)?)?,
            dq: odd("dq", read("dq", components.dq, half)?)?,
            qi: read("qi", components.qi, half)?,
            public,
            p,
            q,
            for_crate: OnceLock::new(),
        })
    }

    /// Makes a key of two different primes, with d the inverse of e modulo lcm(p − 1, q − 1);
    /// `None` if e has no inverse.
    pub(super) fn from_primes(p: &[u64], q: &[u64], e: u64) -> Option<Self> {
        use rsa::traits::{PrivateKeyParts, PublicKeyParts};
        let key = rsa::RsaPrivateKey::from_p_q(boxed(p), boxed(q), BoxedUint::from(e)).ok()?;
        let bytes = |number: &BoxedUint| Zeroizing::new(number.to_be_bytes().to_vec());
        let [d, p, q] = [key.d(), key.primes().first()?, key.primes().get(1)?].map(bytes);
        let (dp, dq) = (bytes(key.dp()?), bytes(key.dq()?));
        let qi = bytes(&key.crt_coefficient()?);
        let (n, e) = (key.n_bytes(), key.e_bytes());
        let parsed = Self::from_components(&Components {
            n: &n,
            e: &e,
            d: &d,
            p: &p,
            q: &q,
            dp: &dp,
            dq: &dq,
            qi: &qi,
        });
        parsed.ok()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private exponent, big-endian, as long as the modulus.
    pub fn d(&self) -> Zeroizing<Vec<u8>> {
        self.component(&self.d, self.public.size())
    }

    /// The first prime, big-endian, half as long as the modulus, as are the others below.
    pub fn p(&self) -> Zeroizing<Vec<u8>> {
        self.half(&self.p)
    }

    /// The second prime.
    pub fn q(&self) -> Zeroizing<Vec<u8>> {
        self.half(&self.q)
    }

    /// d mod (p − 1).
    pub fn dp(&self) -> Zeroizing<Vec<u8>> {
        self.half(&self.dp)
    }

    /// d mod (q − 1).
    pub fn dq(&self) -> Zeroizing<Vec<u8>> {
        self.half(&self.dq)
    }

    /// The inverse of q modulo p.
    pub fn qi(&self) -> Zeroizing<Vec<u8>> {
        self.half(&self.qi)
    }

    fn half(&self, number: &[u64]) -> Zeroizing<Vec<u8>> {
        self.component(number, self.public.bits.div_ceil(16))
    }

    fn component(&self, number: &[u64], size: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; size]);
        words::to_be_bytes(number, &mut bytes);
        bytes
    }

    /// The key as the crate takes it, made once; `None` if the crate finds it contradictory.
    pub(super) fn for_crate(&self) -> Option<&rsa::RsaPrivateKey> {
        self.for_crate
            .get_or_init(|| {
                rsa::RsaPrivateKey::from_components(
                    boxed(&self.public.modulus),
                    BoxedUint::from(self.public.exponent),
                    boxed(&self.d),
                    vec![boxed(&self.p), boxed(&self.q)],
                )
                .ok()
            })
            .as_ref()
    }

    /// Whether d is longer than half the modulus (FIPS 186-5, A.1.1, criterion 3).
    pub(super) fn exponent_is_long(&self) -> bool {
        words::bits(&self.d) > self.public.bits / 2
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} bits, ..)", self.public.bits)
    }
}

/// Whether a number has exactly that many bits.
fn has_bits(number: &[u64], bits: usize) -> bool {
    let (word, bit) = ((bits - 1) / 64, (bits - 1) % 64);
    let above = number[word + 1..].iter().fold(0, |any, word| any | word);
    number[word] >> bit == 1 && above == 0
}

fn boxed(words: &[u64]) -> BoxedUint {
    BoxedUint::from_words(words.iter().copied())
}
