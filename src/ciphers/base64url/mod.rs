//! Base64url without padding (RFC 4648, section 5, as RFC 7515 uses it), for short inputs.
//!
//! Decoding is strict: it rejects other characters, padding, white space, impossible lengths and
//! non-zero trailing bits, so that a byte string has exactly one encoding.
//!
//! The backends `avx512` and `neon` handle 48 bytes or 64 characters per step, the backend `avx2`
//! half as many; no branch and no address depends on secrets there. All other
//! backends call the crate `base64-simd`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod crates;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;

use super::Wiped;
#[cfg(target_arch = "x86_64")]
use super::cpu::Avx2;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::cpu::Proof;
use super::cpu::{Backend, Level};

/// Backends with their own base64url code.
pub const BACKENDS: &[&str] = &["rustcrypto", "avx2", "avx512", "neon"];

/// Number of characters in the encoding of `length` bytes.
///
/// # Panics
/// If `length` is over three quarters of the address space.
pub const fn encoded_length(length: usize) -> usize {
    length / 3 * 4 + (length % 3 * 4).div_ceil(3)
}

/// Number of bytes that `length` characters decode to, or `None` if no encoding has that length.
pub const fn decoded_length(length: usize) -> Option<usize> {
    match length % 4 {
        0 => Some(length / 4 * 3),
        1 => None,
        rest => Some(length / 4 * 3 + rest - 1),
    }
}

/// Encodes `bytes` into the start of `text` and returns the number of characters,
/// [`encoded_length`].
///
/// # Panics
/// If `text` is shorter than that.
pub fn encode(backend: Backend, bytes: &[u8], text: &mut [u8]) -> usize {
    let length = encoded_length(bytes.len());
    let text = &mut text[..length];
    match backend.level() {
        Level::RustCrypto | Level::Portable => crates::encode(bytes, text),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(proof) => proof.enter(avx2::Encode { bytes, text }),
        #[cfg(target_arch = "x86_64")]
        Level::Vaes(proof) => Avx2::from(proof).enter(avx2::Encode { bytes, text }),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => proof.enter(avx512::Encode { bytes, text }),
        #[cfg(target_arch = "aarch64")]
        Level::Neon(proof) => proof.enter(neon::Encode { bytes, text }),
    }
    length
}

/// Encodes `bytes` as a string.
pub fn encode_to_string(bytes: &[u8]) -> String {
    let mut text = vec![0; encoded_length(bytes.len())];
    encode(Backend::detect(), bytes, &mut text);
    String::from_utf8(text).expect("base64url is ASCII")
}

/// Decodes `text`. Returns `None` if it is not strictly base64url; the bytes decoded before the
/// fault are then wiped.
pub fn decode_to_vec(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Wiped::with_capacity(decoded_length(text.len())?);
    decode_into(text, &mut bytes)?;
    Some(bytes.into_vec())
}

/// Replaces the contents of `bytes` with the decoding of `text`, or returns `None` if it is not
/// strictly base64url.
pub fn decode_into(text: &[u8], bytes: &mut Vec<u8>) -> Option<usize> {
    bytes.clear();
    decode_append(Backend::detect(), text, bytes)
}

/// Appends the decoding of `text` and returns the number of bytes, [`decoded_length`]. Returns
/// `None` if `text` is not strictly base64url and leaves `bytes` unchanged.
pub fn decode_append(backend: Backend, text: &[u8], bytes: &mut Vec<u8>) -> Option<usize> {
    let length = decoded_length(text.len())?;
    bytes.reserve(length);
    decode_uninit(backend, text, &mut bytes.spare_capacity_mut()[..length]).then(|| {
        // SAFETY: the capacity was reserved, and valid text initializes all `length` bytes.
        unsafe { bytes.set_len(bytes.len() + length) };
        length
    })
}

/// Decodes into `bytes`, which has the decoded length and is written in full if `text` is valid.
fn decode_uninit(backend: Backend, text: &[u8], bytes: &mut [MaybeUninit<u8>]) -> bool {
    match backend.level() {
        Level::RustCrypto | Level::Portable => crates::decode(text, bytes),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(proof) => proof.enter(avx2::Decode { text, bytes }),
        #[cfg(target_arch = "x86_64")]
        Level::Vaes(proof) => Avx2::from(proof).enter(avx2::Decode { text, bytes }),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(proof) => proof.enter(avx512::Decode { text, bytes }),
        #[cfg(target_arch = "aarch64")]
        Level::Neon(proof) => proof.enter(neon::Decode { text, bytes }),
    }
}
