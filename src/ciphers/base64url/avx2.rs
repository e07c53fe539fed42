//! Base64url with the byte shuffles of AVX2, in the two halves of a register.
//!
//! The method of W. Muła and D. Lemire, "Faster Base64 encoding and decoding using AVX2
//! instructions" (2018), with the tables of the URL-safe alphabet.

use std::arch::asm;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use crate::ciphers::cpu::{Avx2, Kernel};
use crate::ciphers::partial::{self, Byte, ONES_THEN_ZEROS};

/// Bytes encoded per full step.
const BYTES: usize = 24;
/// Characters decoded per full step.
const CHARACTERS: usize = 32;

/// For each three bytes b0 b1 b2 the word b1 b0 b2 b1. The second half begins with the fifth byte.
static SPREAD: [u8; 32] = {
    let mut order = [0; 32];
    let mut i = 0;
    while i < 32 {
        order[i] = (i % 16 / 4 * 3 + i / 16 * 4) as u8 + [1, 0, 2, 1][i % 4];
        i += 1;
    }
    order
};

/// What is added to a value to make its character, by class of value: 1 to 10 for the digits, 11
/// and 12 for the last two, 13 for capital letters, 0 for small ones.
const TO_CHARACTER: [u8; 16] = {
    let mut table = [0; 16];
    table[0] = b'a' - 26;
    let mut class = 1;
    while class <= 10 {
        table[class] = b'0'.wrapping_sub(52);
        class += 1;
    }
    table[11] = b'-'.wrapping_sub(62);
    table[12] = b'_'.wrapping_sub(63);
    table[13] = b'A';
    table
};

/// What is added to a character to make its value, by the character's upper half; `_` differs.
const TO_VALUE: [u8; 16] = {
    let mut table = [0; 16];
    table[2] = 62_u8.wrapping_sub(b'-');
    table[3] = 52_u8.wrapping_sub(b'0');
    (table[4], table[5]) = (0_u8.wrapping_sub(b'A'), 0_u8.wrapping_sub(b'A'));
    (table[6], table[7]) = (26_u8.wrapping_sub(b'a'), 26_u8.wrapping_sub(b'a'));
    table
};

/// What is added for `_` besides.
const UNDERSCORE: u8 = 63_u8.wrapping_sub(b'_').wrapping_sub(TO_VALUE[5]);

/// The class of a character's upper half, as a bit; see [`OUTSIDE`].
const CLASSES: [u8; 16] = {
    let mut classes = [32; 16];
    (classes[2], classes[3], classes[4], classes[5]) = (1, 2, 4, 8);
    (classes[6], classes[7]) = (4, 16);
    classes
};

/// For a character's lower half, the classes in which the character is outside the alphabet.
const OUTSIDE: [u8; 16] = {
    let mut outside = [32; 16];
    let mut low = 0;
    while low < 16 {
        if low != 0xd {
            outside[low] |= 1;
        }
        if low > 9 {
            outside[low] |= 2;
        }
        if low == 0 {
            outside[low] |= 4;
        }
        if low > 0xa && low < 0xf {
            outside[low] |= 8;
        }
        if low > 0xa {
            outside[low] |= 16;
        }
        low += 1;
    }
    outside
};

/// The three bytes of each word, most significant first; then zeros.
const GATHER: [u8; 16] = {
    let mut order = [0x80; 16];
    let mut i = 0;
    while i < 12 {
        order[i] = (i / 3 * 4 + 2 - i % 3) as u8;
        i += 1;
    }
    order
};

/// Zeros, then the character of the value zero: the last 32 − n characters start at n.
static THEN_ZERO_VALUES: [u8; 64] = {
    let mut fill = [0; 64];
    let mut i = 32;
    while i < 64 {
        fill[i] = b'A';
        i += 1;
    }
    fill
};

/// Encodes bytes; `text` has the encoded length.
pub(super) struct Encode<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) text: &'a mut [u8],
}

impl Kernel<Avx2> for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: Avx2) {
        let (whole, rest) = self.bytes.as_chunks::<BYTES>();
        let (texts, last) = self.text.as_chunks_mut::<CHARACTERS>();
        for (bytes, text) in whole.iter().zip(texts) {
            // SAFETY: the proof shows that AVX2 is available; the loads read the first and the last
            // 16 of the 24 bytes, the store writes the 32 bytes of `text`.
            unsafe {
                let low = _mm_loadu_si128(bytes.as_ptr().cast());
                let high = _mm_loadu_si128(bytes.as_ptr().add(8).cast());
                let characters = encoded(proof, _mm256_set_m128i(high, low));
                _mm256_storeu_si256(text.as_mut_ptr().cast(), characters);
            }
        }
        if !rest.is_empty() {
            let (low, high) = rest.split_at(rest.len().min(12));
            let (low, high) = (partial::load(low), partial::load(high) << 32);
            store(proof, encoded(proof, joined(proof, low, high)), last);
        }
    }
}

/// Encodes the first 12 bytes of the first half and the last 12 of the second.
#[inline(always)]
fn encoded(proof: Avx2, bytes: __m256i) -> __m256i {
    let characters = both(proof, &TO_CHARACTER);
    // SAFETY: the proof shows that AVX2 is available; the load reads the 32 bytes of `SPREAD`.
    unsafe {
        let spread = _mm256_loadu_si256(SPREAD.as_ptr().cast());
        let words = _mm256_shuffle_epi8(bytes, spread);
        let even = _mm256_and_si256(words, _mm256_set1_epi32(0x0fc0_fc00));
        let even = high_products(even, _mm256_set1_epi32(0x0400_0040));
        let odd = _mm256_and_si256(words, _mm256_set1_epi32(0x003f_03f0));
        let odd = low_products(odd, _mm256_set1_epi32(0x0100_0010));
        let values = _mm256_or_si256(even, odd);
        let class = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
        let capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
        let class = _mm256_or_si256(class, _mm256_and_si256(capital, _mm256_set1_epi8(13)));
        _mm256_add_epi8(values, _mm256_shuffle_epi8(characters, class))
    }
}

/// Decodes text; `bytes` has the decoded length and is overwritten in full. Returns whether the
/// text is valid.
pub(super) struct Decode<'a> {
    pub(super) text: &'a [u8],
    pub(super) bytes: &'a mut [MaybeUninit<u8>],
}

impl Kernel<Avx2> for Decode<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self, proof: Avx2) -> bool {
        let (whole, rest) = self.text.as_chunks::<CHARACTERS>();
        let (pieces, last) = self.bytes.as_chunks_mut::<BYTES>();
        // SAFETY: the proof shows that AVX2 is available.
        let mut errors = unsafe { _mm256_setzero_si256() };
        for (text, bytes) in whole.iter().zip(pieces) {
            // SAFETY: the proof shows that AVX2 is available; the load reads the 32 bytes of
            // `text`.
            let characters = unsafe { _mm256_loadu_si256(text.as_ptr().cast()) };
            let decoded = decoded(proof, characters, &mut errors);
            // SAFETY: the proof shows that AVX2 is available; the stores write 16 and 8 bytes, the
            // 24 of `bytes`.
            unsafe {
                let start = bytes.as_mut_ptr();
                _mm_storeu_si128(start.cast(), _mm256_castsi256_si128(decoded));
                _mm_storel_epi64(start.add(16).cast(), _mm256_extracti128_si256::<1>(decoded));
            }
        }
        if !rest.is_empty() {
            let (low, high) = rest.split_at(rest.len().min(16));
            let text = joined(proof, partial::load(low), partial::load(high));
            let fill = &THEN_ZERO_VALUES[32 - rest.len()..][..32];
            let written = &ONES_THEN_ZEROS[32 - last.len()..][..32];
            // SAFETY: the proof shows that AVX2 is available; the loads read the 32 bytes of
            // `fill` and of `written`.
            unsafe {
                let fill = _mm256_loadu_si256(fill.as_ptr().cast());
                let characters = _mm256_or_si256(text, fill);
                let decoded = decoded(proof, characters, &mut errors);
                store(proof, decoded, last);
                // Only trailing bits follow the last byte.
                let written = _mm256_loadu_si256(written.as_ptr().cast());
                errors = _mm256_or_si256(errors, _mm256_andnot_si256(written, decoded));
            }
        }
        // SAFETY: the proof shows that AVX2 is available.
        unsafe { _mm256_testz_si256(errors, errors) == 1 }
    }
}

/// Decodes 32 characters to 24 bytes; marks those outside the alphabet.
#[inline(always)]
fn decoded(proof: Avx2, characters: __m256i, errors: &mut __m256i) -> __m256i {
    let (to_value, gather) = (both(proof, &TO_VALUE), both(proof, &GATHER));
    let (classes, outside) = (both(proof, &CLASSES), both(proof, &OUTSIDE));
    // SAFETY: the proof shows that AVX2 is available.
    unsafe {
        let half = _mm256_set1_epi8(0x0f);
        let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(characters), half);
        let lower = _mm256_and_si256(characters, half);
        let class = _mm256_shuffle_epi8(classes, upper);
        let error = _mm256_and_si256(class, _mm256_shuffle_epi8(outside, lower));
        *errors = _mm256_or_si256(*errors, error);
        let underscore = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(b'_'.cast_signed()));
        let more = _mm256_and_si256(underscore, _mm256_set1_epi8(UNDERSCORE.cast_signed()));
        let values = _mm256_add_epi8(characters, _mm256_shuffle_epi8(to_value, upper));
        let values = _mm256_add_epi8(values, more);
        let pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(0x0140));
        let words = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_1000));
        let halves = _mm256_shuffle_epi8(words, gather);
        _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7))
    }
}

/// Upper halves of the products of 16-bit words: with a power of two, each word is shifted to the
/// right by a distance of its own.
///
/// In assembly, like [`low_products`]: the compiler splits such a product into up to eight
/// instructions, which takes a third of the speed of encoding. Like the instructions of `core::arch`, the
/// functions name the one feature that they need.
#[target_feature(enable = "avx2")]
#[inline]
fn high_products(mut words: __m256i, powers: __m256i) -> __m256i {
    // SAFETY: the instruction is in AVX2.
    unsafe {
        asm!(
            "vpmulhuw {0}, {0}, {1}",
            inout(ymm_reg) words,
            in(ymm_reg) powers,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    words
}

/// Lower halves of the products of 16-bit words: with a power of two, each word is shifted to the
/// left by a distance of its own.
#[target_feature(enable = "avx2")]
#[inline]
fn low_products(mut words: __m256i, powers: __m256i) -> __m256i {
    // SAFETY: the instruction is in AVX2.
    unsafe {
        asm!(
            "vpmullw {0}, {0}, {1}",
            inout(ymm_reg) words,
            in(ymm_reg) powers,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    words
}

/// Copies a table to both halves.
#[inline(always)]
fn both(_: Avx2, table: &[u8; 16]) -> __m256i {
    // SAFETY: the proof shows that AVX2 is available; the load reads the 16 bytes of `table`.
    unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) }
}

/// Makes a vector of its halves.
#[inline(always)]
fn joined(_: Avx2, low: u128, high: u128) -> __m256i {
    let [a, b, c, d] = [low, low >> 64, high, high >> 64].map(|half| half as i64);
    // SAFETY: the proof shows that AVX2 is available.
    unsafe { _mm256_setr_epi64x(a, b, c, d) }
}

/// Stores the first bytes of a vector, fewer than 32.
#[inline(always)]
fn store<T: Byte>(_: Avx2, vector: __m256i, bytes: &mut [T]) {
    // SAFETY: the proof shows that AVX2 is available.
    let (low, high) =
        unsafe { (_mm256_castsi256_si128(vector), _mm256_extracti128_si256::<1>(vector)) };
    match bytes.split_at_mut_checked(16) {
        None => partial::store(number(low), bytes),
        Some((first, rest)) => {
            // SAFETY: the proof shows that AVX2 is available; the store writes the 16 bytes of
            // `first`.
            unsafe { _mm_storeu_si128(first.as_mut_ptr().cast(), low) };
            partial::store(number(high), rest);
        }
    }

    #[inline(always)]
    fn number(block: __m128i) -> u128 {
        // SAFETY: the caller has a proof that AVX2 is available.
        let [low, high] = unsafe { [_mm_cvtsi128_si64(block), _mm_extract_epi64::<1>(block)] };
        u128::from(low.cast_unsigned()) | u128::from(high.cast_unsigned()) << 64
    }
}
