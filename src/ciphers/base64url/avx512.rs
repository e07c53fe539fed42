//! Base64url with the byte permutations of AVX-512 VBMI.
//!
//! The method of W. Muła and D. Lemire, "Base64 encoding and decoding at almost the speed of a
//! memory copy" (2020), with the alphabet and its inverse in registers.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use crate::ciphers::cpu::{Avx512, Kernel};
use crate::ciphers::cut::part;
use crate::ciphers::partial::Byte;

/// Bytes encoded per full step.
const BYTES: usize = 48;
/// Characters decoded per full step.
const CHARACTERS: usize = 64;

/// RFC 4648, section 5, table 2.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Marks a character outside the alphabet.
const INVALID: u8 = 0x80;

/// The value of each ASCII character.
const VALUES: [u8; 128] = {
    let mut values = [INVALID; 128];
    let mut i = 0;
    while i < 64 {
        values[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    values
};

/// For each three bytes b0 b1 b2 the word b1 b0 b2 b1, whose 6-bit fields lie at [`FIELDS`].
const SPREAD: [u8; 64] = {
    let mut order = [0; 64];
    let mut i = 0;
    while i < 64 {
        order[i] = (i / 4 * 3) as u8 + [1, 0, 2, 1][i % 4];
        i += 1;
    }
    order
};

/// Bit offset of each field in 64 bits of spread bytes.
const FIELDS: [u8; 8] = [10, 4, 22, 16, 42, 36, 54, 48];

/// The three bytes of each word, most significant first; the last 16 places do not matter.
const GATHER: [u8; 64] = {
    let mut order = [0; 64];
    let mut i = 0;
    while i < 48 {
        order[i] = (i / 3 * 4 + 2 - i % 3) as u8;
        i += 1;
    }
    order
};

/// Encodes bytes; `text` has the encoded length.
pub(super) struct Encode<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) text: &'a mut [u8],
}

impl Kernel<Avx512> for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: Avx512) {
        let alphabet = load(proof, ALPHABET);
        let spread = load(proof, &SPREAD);
        // SAFETY: `proof` shows that the instructions are available.
        unsafe {
            let fields = _mm512_set1_epi64(i64::from_le_bytes(FIELDS));
            let pieces = self.bytes.chunks(BYTES).zip(self.text.chunks_mut(CHARACTERS));
            for (bytes, text) in pieces {
                let bytes = load_first(proof, _mm512_setzero_si512(), bytes);
                let words = _mm512_permutexvar_epi8(spread, bytes);
                // The look-up takes six bits of each index, so the fields need no mask.
                let values = _mm512_multishift_epi64_epi8(fields, words);
                store_first(proof, text, _mm512_permutexvar_epi8(values, alphabet));
            }
        }
    }
}

/// Decodes text; `bytes` has the decoded length and is overwritten in full. Returns whether the
/// text is valid.
pub(super) struct Decode<'a> {
    pub(super) text: &'a [u8],
    pub(super) bytes: &'a mut [MaybeUninit<u8>],
}

impl Kernel<Avx512> for Decode<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self, proof: Avx512) -> bool {
        let low = load(proof, part::<0, _, _>(&VALUES));
        let high = load(proof, part::<64, _, _>(&VALUES));
        let gather = load(proof, &GATHER);
        // Only trailing bits follow the last byte. Full steps have none.
        let written = match self.bytes.len() % BYTES {
            0 => BYTES,
            rest => rest,
        };
        // SAFETY: `proof` shows that the instructions are available.
        unsafe {
            let zeros = _mm512_set1_epi8(b'A'.cast_signed());
            let mut errors = _mm512_setzero_si512();
            let mut last = _mm512_setzero_si512();
            let pieces = self.text.chunks(CHARACTERS).zip(self.bytes.chunks_mut(BYTES));
            for (text, bytes) in pieces {
                let characters = load_first(proof, zeros, text);
                let values = _mm512_permutex2var_epi8(low, characters, high);
                // The top bit is set in a non-ASCII character and in an invalid value.
                errors = _mm512_or_si512(errors, _mm512_or_si512(characters, values));
                let pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi16(0x0140));
                let words = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x0001_1000));
                last = _mm512_maskz_permutexvar_epi8(first(proof, BYTES), gather, words);
                store_first(proof, bytes, last);
            }
            let trailing = _mm512_test_epi8_mask(last, last) & !first(proof, written);
            _mm512_movepi8_mask(errors) == 0 && trailing == 0
        }
    }
}

/// Mask that selects the first `length` of 64 bytes.
#[inline(always)]
fn first(_: Avx512, length: usize) -> u64 {
    assert!(length <= 64);
    // SAFETY: the proof shows that BMI2 is available.
    unsafe { _bzhi_u64(u64::MAX, length as u32) }
}

#[inline(always)]
fn load(_: Avx512, bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the proof shows that AVX-512 is available; the load reads 64 bytes, all in `bytes`.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Loads up to 64 bytes and fills up with the bytes of `rest`.
#[inline(always)]
fn load_first(proof: Avx512, rest: __m512i, bytes: &[u8]) -> __m512i {
    let mask = first(proof, bytes.len());
    // SAFETY: the proof shows that AVX-512 is available; the mask keeps the load within `bytes`.
    unsafe { _mm512_mask_loadu_epi8(rest, mask, bytes.as_ptr().cast()) }
}

/// Stores up to 64 bytes.
#[inline(always)]
fn store_first<T: Byte>(proof: Avx512, bytes: &mut [T], vector: __m512i) {
    let mask = first(proof, bytes.len());
    // SAFETY: the proof shows that AVX-512 is available; the mask keeps the store within `bytes`.
    unsafe { _mm512_mask_storeu_epi8(bytes.as_mut_ptr().cast(), mask, vector) }
}
