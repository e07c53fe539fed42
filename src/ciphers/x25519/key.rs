//! Keys and shared secrets.

use std::fmt;

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KEY_BYTES;

/// A secret key. Zeroized on drop, compared in constant time, never printed.
///
/// The bytes are kept as they are; RFC 7748, section 5, clamps them when they are used, so keys that
/// differ only in the bits set by clamping have the same public key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_BYTES]);

impl SecretKey {
    /// Draws a new key.
    pub fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut key = Self([0; KEY_BYTES]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// Returns the bytes of the key.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Returns the scalar that the key stands for, little-endian: a multiple of 8 between 2²⁵⁴ and
    /// 2²⁵⁵ (RFC 7748, section 5).
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(super) fn scalar(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut scalar = Zeroizing::new(self.0);
        scalar[0] &= 0xf8;
        scalar[31] = scalar[31] & 0x7f | 0x40;
        scalar
    }
}

impl From<[u8; KEY_BYTES]> for SecretKey {
    fn from(bytes: [u8; KEY_BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(*bytes)
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// A public key: the coordinate u of a point, little-endian.
///
/// Every string of 32 bytes is one: RFC 7748, section 5, ignores the top bit and takes numbers modulo
/// 2²⁵⁵ − 19. Keys that make every shared secret zero are refused by [`SharedSecret::bytes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PublicKey(pub(super) [u8; KEY_BYTES]);

impl PublicKey {
    /// Returns the bytes of the key.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl From<[u8; KEY_BYTES]> for PublicKey {
    fn from(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

/// The result of an agreement. Zeroized on drop, never printed.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret(pub(super) [u8; KEY_BYTES]);

impl SharedSecret {
    /// Returns the shared secret, or `None` if it is zero: the public key is then one of the few that
    /// give zero with every secret key, and the result must not be used (RFC 7748, section 6.1). The
    /// check takes constant time.
    pub fn bytes(&self) -> Option<&[u8; KEY_BYTES]> {
        let zero: bool = self.0.ct_eq(&[0; KEY_BYTES]).into();
        (!zero).then_some(&self.0)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}
