//! Keys and shared secrets on any of the curves.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Curve;
use super::error::{KeyError, array};
use super::nist;
use super::point;
use crate::ciphers::cpu::Backend;
use crate::ciphers::x25519;

/// A public key: a point of a curve, which was checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(super) Point);

/// A point, by its curve.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    X25519(x25519::PublicKey),
    P256(point::Point<32>),
    P384(point::Point<48>),
    P521(point::Point<66>),
}

impl PublicKey {
    /// Creates a key from its coordinates: big-endian, or as RFC 7748 encodes them for X25519, whose
    /// keys have no `y` (it is ignored).
    ///
    /// # Errors
    /// [`KeyError`] for a wrong length, coordinates that are not on the curve, and points of low
    /// order.
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Ok(Self(match curve {
            Curve::X25519 => {
                let key = array(curve, "x", x)?;
                if LOW_ORDER.contains(&masked(key)) {
                    return Err(KeyError::LowOrder);
                }
                Point::X25519(key.into())
            }
            Curve::P256 => Point::P256(nist::point(x, y)?),
            Curve::P384 => Point::P384(nist::point(x, y)?),
            Curve::P521 => Point::P521(nist::point(x, y)?),
        }))
    }

    /// The key's curve.
    pub fn curve(&self) -> Curve {
        match self.0 {
            Point::X25519(_) => Curve::X25519,
            Point::P256(_) => Curve::P256,
            Point::P384(_) => Curve::P384,
            Point::P521(_) => Curve::P521,
        }
    }

    /// The coordinate x, [`Curve::bytes`] long.
    pub fn x(&self) -> &[u8] {
        match &self.0 {
            Point::X25519(key) => key.as_bytes(),
            Point::P256(point) => &point.x,
            Point::P384(point) => &point.x,
            Point::P521(point) => &point.x,
        }
    }

    /// The coordinate y, of the same length; X25519 has none.
    pub fn y(&self) -> Option<&[u8]> {
        match &self.0 {
            Point::X25519(_) => None,
            Point::P256(point) => Some(&point.y),
            Point::P384(point) => Some(&point.y),
            Point::P521(point) => Some(&point.y),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {})", self.curve().name(), hex::encode(self.x()))
    }
}

/// The encodings of points of order 1, 2, 4 and 8 on Curve25519 and its twist, without the top bit:
/// the only ones that give zero with every secret key (<https://cr.yp.to/ecdh.html>, "validate").
const LOW_ORDER: [[u8; 32]; 7] = [
    small(0),
    small(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

/// A number below 256, little-endian.
const fn small(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

/// The number of 255 bits, all set except in the lowest byte; the prime has 0xed there.
const fn near_prime(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = lowest;
    bytes[31] = 0x7f;
    bytes
}

/// Clears the top bit, which X25519 ignores.
fn masked(mut key: [u8; 32]) -> [u8; 32] {
    key[31] &= 0x7f;
    key
}

/// A private key with its public key. Zeroized on drop, compared in constant time, never printed.
#[derive(Clone)]
pub struct PrivateKey {
    pub(super) number: Number,
    /// The point of the number, on its curve.
    public: PublicKey,
}

/// A secret number, by its curve.
#[derive(Clone)]
pub(super) enum Number {
    X25519(x25519::SecretKey),
    P256(nist::Number<32>),
    P384(nist::Number<48>),
    P521(nist::Number<66>),
}

impl PrivateKey {
    /// Creates a key from its secret number and computes the public key.
    ///
    /// # Errors
    /// [`KeyError::Length`], and [`KeyError::Range`] for a number that is no key of the curve.
    pub fn from_secret(backend: Backend, curve: Curve, d: &[u8]) -> Result<Self, KeyError> {
        Ok(match curve {
            Curve::X25519 => {
                let secret = x25519::SecretKey::from(array(curve, "d", d)?);
                let mut public = [x25519::PublicKey::default()];
                x25519::public_keys(backend, std::slice::from_ref(&secret), &mut public);
                Self::of_x25519(secret, public[0])
            }
            Curve::P256 => Self::of_p256(backend, nist::Number::new(d)?),
            Curve::P384 => Self::of_p384(backend, nist::Number::new(d)?),
            Curve::P521 => Self::of_p521(backend, nist::Number::new(d)?),
        })
    }

    /// Creates a key from its public key and its secret number, and checks that they belong together.
    ///
    /// # Errors
    /// As [`from_secret`](Self::from_secret), and [`KeyError::Halves`].
    pub fn new(backend: Backend, public: &PublicKey, d: &[u8]) -> Result<Self, KeyError> {
        let key = Self::from_secret(backend, public.curve(), d)?;
        match key.public == *public {
            true => Ok(key),
            false => Err(KeyError::Halves),
        }
    }

    pub(super) fn of_x25519(secret: x25519::SecretKey, public: x25519::PublicKey) -> Self {
        Self { number: Number::X25519(secret), public: PublicKey(Point::X25519(public)) }
    }

    pub(super) fn of_p256(backend: Backend, number: nist::Number<32>) -> Self {
        let public = PublicKey(Point::P256(number.public(backend)));
        Self { number: Number::P256(number), public }
    }

    pub(super) fn of_p384(backend: Backend, number: nist::Number<48>) -> Self {
        let public = PublicKey(Point::P384(number.public(backend)));
        Self { number: Number::P384(number), public }
    }

    pub(super) fn of_p521(backend: Backend, number: nist::Number<66>) -> Self {
        let public = PublicKey(Point::P521(number.public(backend)));
        Self { number: Number::P521(number), public }
    }

    /// The key's curve.
    pub fn curve(&self) -> Curve {
        self.public.curve()
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret number, [`Curve::bytes`] long, encoded like the coordinates.
    pub fn secret(&self) -> &[u8] {
        match &self.number {
            Number::X25519(secret) => secret.as_bytes(),
            Number::P256(number) => number.bytes(),
            Number::P384(number) => number.bytes(),
            Number::P521(number) => number.bytes(),
        }
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.curve() == other.curve() && bool::from(self.secret().ct_eq(other.secret()))
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, [redacted])", self.curve().name())
    }
}

/// The result of an agreement. Zeroized on drop, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret {
    bytes: [u8; MAX_BYTES],
    #[zeroize(skip)]
    len: usize,
}

/// Length in bytes of the longest shared secret, that of P-521.
const MAX_BYTES: usize = 66;

impl SharedSecret {
    pub(super) fn new(secret: &[u8]) -> Self {
        let mut bytes = [0; MAX_BYTES];
        bytes[..secret.len()].copy_from_slice(secret);
        Self { bytes, len: secret.len() }
    }

    /// Returns the shared secret, [`Curve::bytes`] long.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl PartialEq for SharedSecret {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Eq for SharedSecret {}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}
