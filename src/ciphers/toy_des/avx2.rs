//! 32 bytes at a time: the four rounds, with the S-box as a shuffle.

use std::arch::x86_64::*;

use super::{Rounds, portable};
use crate::ciphers::cpu::Avx2;

/// Substitutes every byte.
pub(super) fn substitute(_proof: Avx2, rounds: &Rounds, data: &mut [u8]) {
    // SAFETY: the proof says that the processor has the features.
    unsafe { substitute_with_features(rounds, data) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq")]
fn substitute_with_features(rounds: &Rounds, data: &mut [u8]) {
    let [first, second, third, fourth] = rounds.0.each_ref().map(|table| {
        // SAFETY: the table has 16 bytes.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128((&raw const *table).cast()) })
    });
    let low = _mm256_set1_epi8(0b1111);
    let (chunks, rest) = data.as_chunks_mut::<32>();
    for chunk in chunks {
        // SAFETY: the chunk has 32 bytes.
        let bytes = unsafe { _mm256_loadu_si256(chunk.as_ptr().cast()) };
        let left = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low);
        let right = _mm256_and_si256(bytes, low);
        let left = _mm256_xor_si256(left, _mm256_shuffle_epi8(first, right));
        let right = _mm256_xor_si256(right, _mm256_shuffle_epi8(second, left));
        let left = _mm256_xor_si256(left, _mm256_shuffle_epi8(third, right));
        let right = _mm256_xor_si256(right, _mm256_shuffle_epi8(fourth, left));
        let bytes = _mm256_or_si256(_mm256_slli_epi16::<4>(right), left);
        // SAFETY: the chunk has 32 bytes.
        unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), bytes) }
    }
    portable::substitute(rounds, rest);
}
