//! Grain-128AEADv2: a stream cipher of two 128-bit feedback registers, one of them non-linear
//! (NFSR), with authentication and associated data.
//!
//! Source: M. Hell, T. Johansson, A. Maximov, W. Meier, J. Sönnerup and H. Yoshida,
//! *Grain-128AEADv2 – A lightweight AEAD stream cipher*, NIST Lightweight Cryptography final round,
//! 2021. Key 128 bits, nonce 96 bits, tag 64 bits.
//!
//! Strength today: no attack on the full cipher better than exhaustive search is known; it was a
//! finalist, not the winner. The tag is short: each forgery attempt succeeds with probability 2⁻⁶⁴.
//! Never use a nonce twice under a key: that reveals the exclusive-or of two texts and allows
//! forged tags.
//!
//! There are no table look-ups and no branches on secrets: taps are shifts of whole registers, and
//! the authenticator is a carry-less product (`portable` computes it with ordinary products and
//! assumes that the processor multiplies in constant time). Lengths are public. This follows from
//! the construction and was not measured.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod engine;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(target_arch = "x86_64")]
use super::cpu::{Avx2, Proof};
use super::cpu::{Backend, Kernel, Level};
use engine::{Crypt, Direction, Words};

/// Backends with their own Grain code.
pub const BACKENDS: &[&str] = &["portable", "avx2"];

/// Bytes in a key.
pub const KEY_BYTES: usize = 16;
/// Bytes in a nonce.
pub const NONCE_BYTES: usize = 12;
/// Bytes in a tag.
pub const TAG_BYTES: usize = 8;

/// The tag does not match: wrong key, nonce, associated data, text or tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("authentication failed")]
pub struct AuthenticationFailed;

/// A key of Grain-128AEADv2. Zeroized on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Grain {
    key: [u8; KEY_BYTES],
}

impl Grain {
    /// Creates a key from its bytes.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self { key: *key }
    }

    /// Encrypts a text in place and returns its tag.
    ///
    /// There are two kinds of kernels: ordinary words (`rustcrypto`, `portable`), and ordinary
    /// words with PEXT and carry-less multiplication (`avx2`, `vaes`, `avx512`).
    pub fn seal(
        &self,
        backend: Backend,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        self.crypt(Direction::Seal, backend, nonce, associated, text)
    }

    /// Decrypts a text in place if its tag matches. Backends as for [`Self::seal`].
    ///
    /// # Errors
    /// [`AuthenticationFailed`], whatever the cause; the text is then all zero.
    pub fn open(
        &self,
        backend: Backend,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), AuthenticationFailed> {
        let expected = self.crypt(Direction::Open, backend, nonce, associated, text);
        if expected.ct_eq(tag).into() {
            Ok(())
        } else {
            text.zeroize();
            Err(AuthenticationFailed)
        }
    }

    fn crypt(
        &self,
        direction: Direction,
        backend: Backend,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        text: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let whole = Crypt { direction, key: &self.key, nonce, associated, text };
        match backend.level() {
            Level::RustCrypto | Level::Portable | Level::Neon(_) => whole.run(Words),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(proof) => proof.enter(whole),
            #[cfg(target_arch = "x86_64")]
            Level::Vaes(proof) => Avx2::from(proof).enter(whole),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(proof) => Avx2::from(proof).enter(whole),
        }
    }
}

impl fmt::Debug for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grain([redacted])")
    }
}
