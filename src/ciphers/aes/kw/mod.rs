//! AES key wrap (RFC 3394) of many content keys at once.
//!
//! Wrapping one key is a chain of 6 × n encryptions, where n is the key's length in 64-bit words.
//! Keys are placed in lanes, and several vectors run in parallel, which hides the chain's latency.
//! Keys of more than 64 bytes go through the crate `aes-kw`.
//!
//! ```
//! use orderseal::ciphers::aes::AesKey;
//! use orderseal::ciphers::aes::kw::{Keks, OVERHEAD, unwrap_many, wrap_many};
//! use orderseal::ciphers::cpu::Backend;
//!
//! // RFC 3394, section 4.1, and a second key beside it.
//! let kek = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
//! let keys = [hex::decode("00112233445566778899aabbccddeeff").unwrap(), vec![7; 16]].concat();
//! let (backend, keks) = (Backend::detect(), Keks::one(AesKey::new(&kek)?));
//! let mut wrapped = [0; 2 * (16 + OVERHEAD)];
//! wrap_many(backend, keks, 16, &keys, &mut wrapped);
//! assert_eq!(hex::encode(&wrapped[..24]), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
//!
//! let (mut unwrapped, mut valid) = ([0; 32], [false; 2]);
//! unwrap_many(backend, keks, 16, &wrapped, &mut unwrapped, &mut valid);
//! assert_eq!((&unwrapped[..], valid), (&keys[..], [true; 2]));
//! # Ok::<(), orderseal::ciphers::aes::KeyLengthError>(())
//! ```

mod crates;
mod lanes;
#[cfg(test)]
mod tests;

use std::fmt;

use super::job::run;
use super::{AesKey, KeySize};
use crate::ciphers::cpu::Backend;

/// Bytes that wrapping adds to a key.
pub const OVERHEAD: usize = 8;

/// The key-encryption keys of a batch: one for all, or one per content key.
#[derive(Clone, Copy)]
pub struct Keks<'a> {
    size: KeySize,
    /// Keys, concatenated.
    bytes: &'a [u8],
    each: bool,
}

impl fmt::Debug for Keks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keks")
            .field("size", &self.size)
            .field("each", &self.each)
            .finish_non_exhaustive()
    }
}

impl<'a> Keks<'a> {
    /// Uses one key for the whole batch.
    pub fn one(key: AesKey<'a>) -> Self {
        Self { size: key.size(), bytes: key.bytes(), each: false }
    }

    /// Uses one key per content key; `keys` holds them concatenated.
    pub fn each(size: KeySize, keys: &'a [u8]) -> Self {
        Self { size, bytes: keys, each: true }
    }
}

/// Wraps content keys of `length` bytes, concatenated in `ceks`, into `wrapped`, where each takes
/// `length` + [`OVERHEAD`] bytes.
///
/// # Panics
/// If `length` is not a multiple of 8 or is under 16, or if `ceks`, `wrapped` and the KEKs differ
/// in number.
pub fn wrap_many(backend: Backend, keks: Keks<'_>, length: usize, ceks: &[u8], wrapped: &mut [u8]) {
    check(keks, length, ceks.len(), wrapped.len());
    run(backend, Wrap { keks, length, ceks, wrapped });
}

/// Unwraps content keys of `length` bytes, concatenated with [`OVERHEAD`] each in `wrapped`, into
/// `ceks`. If the integrity check fails, `valid` becomes false and the key is zeroed.
///
/// # Panics
/// If `length` is not a multiple of 8 or is under 16, or if `wrapped`, `ceks`, `valid` and the KEKs
/// differ in number.
pub fn unwrap_many(
    backend: Backend,
    keks: Keks<'_>,
    length: usize,
    wrapped: &[u8],
    ceks: &mut [u8],
    valid: &mut [bool],
) {
    let count = check(keks, length, ceks.len(), wrapped.len());
    assert_eq!(valid.len(), count, "one result for each key");
    run(backend, Unwrap { keks, length, wrapped, ceks, valid });
}

/// Wraps one key under another.
///
/// # Panics
/// If the length of `cek` is not a multiple of 8 or is under 16.
pub fn wrap_one(kek: AesKey<'_>, cek: &[u8]) -> Vec<u8> {
    let mut wrapped = vec![0; cek.len() + OVERHEAD];
    wrap_many(Backend::detect(), Keks::one(kek), cek.len(), cek, &mut wrapped);
    wrapped
}

/// Unwraps one key under another. Returns whether it was intact; a key of the wrong length is not.
#[must_use]
pub fn unwrap_one(kek: AesKey<'_>, wrapped: &[u8], cek: &mut [u8]) -> bool {
    if wrapped.len() != cek.len() + OVERHEAD || cek.len() < 16 || !cek.len().is_multiple_of(8) {
        return false;
    }
    let mut valid = [false];
    unwrap_many(Backend::detect(), Keks::one(kek), cek.len(), wrapped, cek, &mut valid);
    valid[0]
}

/// Checks that the lengths match, and returns the number of content keys.
fn check(keks: Keks<'_>, length: usize, ceks: usize, wrapped: usize) -> usize {
    assert!(length >= 16 && length.is_multiple_of(8), "RFC 3394 wraps 16, 24, 32 … bytes");
    let count = ceks / length;
    assert_eq!(ceks, count * length, "whole content keys");
    assert_eq!(wrapped, count * (length + OVERHEAD), "as many wrapped keys as content keys");
    if keks.each {
        assert_eq!(keks.bytes.len(), count * keks.size.bytes(), "a KEK each");
    }
    count
}

struct Wrap<'a> {
    keks: Keks<'a>,
    length: usize,
    ceks: &'a [u8],
    wrapped: &'a mut [u8],
}

struct Unwrap<'a> {
    keks: Keks<'a>,
    length: usize,
    wrapped: &'a [u8],
    ceks: &'a mut [u8],
    valid: &'a mut [bool],
}
