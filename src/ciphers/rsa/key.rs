//! RSA keys, for the kernels in lanes and the crate `rsa`.

use super::oaep::OaepHash;
use super::words::{self, Secret};
use rsa::BoxedUint;
use std::fmt;
use std::sync::OnceLock;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The shortest modulus accepted, in bits.
pub const MIN_BITS: usize = 2048;
/// The longest modulus accepted, in bits; longer ones are rejected before any work on them.
pub const MAX_BITS: usize = 16_384;
/// The longest modulus of generated keys, in bits.
pub const MAX_GENERATED_BITS: usize = 4096;
/// The largest public exponent accepted: the limit of the crate `rsa`.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// Reason why key components are rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The modulus is too short or too long.
    #[error("RSA modulus of {0} bits: expected {MIN_BITS} to {MAX_BITS}")]
    ModulusBits(usize),
    /// Keys of this size cannot be generated.
    #[error(
        "RSA modulus of {0} bits: keys are made with {MIN_BITS} to {MAX_GENERATED_BITS}, in steps \
         of 128"
    )]
    GeneratedBits(usize),
    /// The modulus is even.
    #[error("even RSA modulus")]
    EvenModulus,
    /// The public exponent is even, or outside 3..2³³.
    #[error("RSA public exponent: expected an odd number from 3 to 2^33 - 1")]
    Exponent,
    /// A private component contradicts the others.
    #[error("member {member:?} {rule}")]
    Contradiction {
        /// The component, named as in RFC 7518, section 6.3.2.
        member: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

/// Number of different R for a modulus, which depend on the lanes.
pub(super) const RADICES: usize = 2;

/// An RSA public key of 2,048 to 16,384 bits.
#[derive(Clone)]
pub struct PublicKey {
    modulus: Vec<u64>,
    exponent: u64,
    bits: usize,
    /// The Montgomery constant R² mod n, for each R that lanes use, cached by the key's first use in
    /// the lanes. Reading a key then costs nothing, and using it again costs a quarter less.
    pub(super) radix_squared: [OnceLock<Vec<u64>>; RADICES],
    for_crate: OnceLock<Option<Box<rsa::PublicKey>>>,
}

impl PublicKey {
    /// Reads modulus and public exponent from big-endian bytes; leading zeros are ignored.
    ///
    /// # Errors
    /// [`KeyError`] if the modulus is even or does not have 2,048 to 16,384 bits, or if the
    /// exponent is even or outside 3..2³³.
    pub fn from_be_bytes(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let bits = words::bits_of_be_bytes(n);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(KeyError::ModulusBits(bits));
        }
        let modulus = words::all_be_bytes(&n[n.len() - bits.div_ceil(8)..]).to_vec();
        if modulus[0].is_multiple_of(2) {
            return Err(KeyError::EvenModulus);
        }
        let exponent = words::from_be_bytes(e, 1)
            .map(|e| e[0])
            .filter(|e| (3..=MAX_EXPONENT).contains(e) && e % 2 == 1)
            .ok_or(KeyError::Exponent)?;
        Ok(Self {
            modulus,
            exponent,
            bits,
            radix_squared: Default::default(),
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

    /// Length in bytes of the longest message for RSA-OAEP (RFC 8017, 7.1.1).
    pub fn max_message(&self, hash: OaepHash) -> usize {
        self.size() - 2 * hash.len() - 2
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

    /// The public exponent, big-endian, without leading zeros.
    pub fn exponent_be_bytes(&self) -> Vec<u8> {
        minimal(&[self.exponent]).to_vec()
    }

    pub(super) fn modulus(&self) -> &[u64] {
        &self.modulus
    }

    /// Returns the key in the crate's type, built once; `None` if the crate rejects it.
    pub(super) fn for_crate(&self) -> Option<&rsa::PublicKey> {
        let made = self.for_crate.get_or_init(|| {
            let (n, e) = (boxed(&self.modulus), BoxedUint::from(self.exponent));
            rsa::PublicKey::new_with_size_limits(n, e, MIN_BITS..=MAX_BITS).ok().map(Box::new)
        });
        made.as_deref()
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
    /// The prime factors; recovered if missing.
    pub primes: Option<Primes<'a>>,
}

/// The prime factors among the [`Components`] of a private key.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Primes<'a> {
    pub p: &'a [u8],
    pub q: &'a [u8],
    /// The CRT numbers; computed if missing.
    pub crt: Option<Crt<'a>>,
}

/// The numbers for the Chinese remainder theorem among the [`Components`] of a private key.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Crt<'a> {
    pub dp: &'a [u8],
    pub dq: &'a [u8],
    pub qi: &'a [u8],
}

/// An RSA private key of two primes, with consistent components. Cleared when dropped.
#[derive(Clone)]
pub struct PrivateKey {
    pub(super) public: PublicKey,
    pub(super) d: Secret,
    pub(super) p: Secret,
    pub(super) q: Secret,
    pub(super) dp: Secret,
    pub(super) dq: Secret,
    pub(super) qi: Secret,
    /// Lengths of p and q in bits: they select the algorithm and are not secret.
    pub(super) prime_bits: [usize; 2],
    pub(super) for_crate: OnceLock<Option<Box<rsa::PrivateKey>>>,
}

impl PrivateKey {
    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The private exponent, big-endian without leading zeros, like the numbers below.
    pub fn d(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.d)
    }

    /// The first prime.
    pub fn p(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.p)
    }

    /// The second prime.
    pub fn q(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.q)
    }

    /// d mod (p − 1).
    pub fn dp(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.dp)
    }

    /// d mod (q − 1).
    pub fn dq(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.dq)
    }

    /// The inverse of q modulo p.
    pub fn qi(&self) -> Zeroizing<Vec<u8>> {
        minimal(&self.qi)
    }

    /// Returns the key in the crate's type, built once; `None` if the crate rejects it.
    pub(super) fn for_crate(&self) -> Option<&rsa::PrivateKey> {
        let made = self.for_crate.get_or_init(|| {
            let half = self.public.bits.div_ceil(2);
            let wide = self.prime_bits.iter().any(|bits| *bits > half);
            let make = match wide {
                true => rsa::PrivateKey::from_components_with_wide_primes,
                false => rsa::PrivateKey::from_components,
            };
            let (n, e) = (boxed(&self.public.modulus), BoxedUint::from(self.public.exponent));
            let primes = vec![boxed(&self.p), boxed(&self.q)];
            make(n, e, boxed(&self.d), primes).ok().map(Box::new)
        });
        made.as_deref()
    }

    /// Whether d is longer than half the modulus (FIPS 186-5, A.1.1, criterion 3).
    pub(super) fn exponent_is_long(&self) -> bool {
        words::bits(&self.d) > self.public.bits / 2
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Secret, b: &Secret| a.ct_eq(b);
        self.public == other.public
            && (same(&self.d, &other.d) & same(&self.p, &other.p) & same(&self.q, &other.q)).into()
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} bits, ..)", self.public.bits)
    }
}

/// Encodes the number in as few big-endian bytes as possible.
fn minimal(number: &[u64]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; words::bits(number).div_ceil(8)]);
    words::to_be_bytes(number, &mut bytes);
    bytes
}

/// Converts the number to the crates' type, which has at least one word.
pub(super) fn boxed(words: &[u64]) -> BoxedUint {
    BoxedUint::from_words(if words.is_empty() { &[0] } else { words }.iter().copied())
}
