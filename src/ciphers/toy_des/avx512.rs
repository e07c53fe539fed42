//! 64 bytes at a time: short texts by the four rounds, long ones by the substitution of all 256
//! bytes, which fits into four registers.

use std::arch::x86_64::*;

use super::Rounds;
use crate::ciphers::cpu::Avx512;

/// Substitutes every byte.
pub(super) fn substitute(_proof: Avx512, rounds: &Rounds, data: &mut [u8]) {
    // SAFETY: the proof says that the processor has the features.
    unsafe { substitute_with_features(rounds, data) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq,avx512f,avx512bw")]
#[target_feature(enable = "avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni")]
fn substitute_with_features(rounds: &Rounds, data: &mut [u8]) {
    let rounds = rounds.0.each_ref().map(|table| {
        // SAFETY: the table has 16 bytes.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128((&raw const *table).cast()) })
    });
    let low = _mm512_set1_epi8(0b1111);
    let crypt = |bytes| {
        let [first, second, third, fourth] = rounds;
        let left = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), low);
        let right = _mm512_and_si512(bytes, low);
        let left = _mm512_xor_si512(left, _mm512_shuffle_epi8(first, right));
        let right = _mm512_xor_si512(right, _mm512_shuffle_epi8(second, left));
        let left = _mm512_xor_si512(left, _mm512_shuffle_epi8(third, right));
        let right = _mm512_xor_si512(right, _mm512_shuffle_epi8(fourth, left));
        _mm512_or_si512(_mm512_slli_epi16::<4>(right), left)
    };
    if data.len() <= 256 {
        return each_chunk(data, crypt);
    }
    const COUNT: [u8; 64] = {
        let mut count = [0; 64];
        let mut i = 0;
        while i < 64 {
            count[i] = i as u8;
            i += 1;
        }
        count
    };
    // SAFETY: 64 bytes are read of as many.
    let count = unsafe { _mm512_loadu_si512(COUNT.as_ptr().cast()) };
    let [t0, t1, t2, t3] =
        [0, 64, -128, -64].map(|from| crypt(_mm512_add_epi8(count, _mm512_set1_epi8(from))));
    each_chunk(data, |bytes| {
        let low = _mm512_permutex2var_epi8(t0, bytes, t1);
        let high = _mm512_permutex2var_epi8(t2, bytes, t3);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high)
    });
}

/// Puts every 64 bytes, and the rest, through `f`.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq,avx512f,avx512bw")]
#[target_feature(enable = "avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni")]
fn each_chunk(data: &mut [u8], f: impl Fn(__m512i) -> __m512i) {
    let (chunks, rest) = data.as_chunks_mut::<64>();
    for chunk in chunks {
        // SAFETY: the chunk has 64 bytes.
        unsafe {
            let bytes = _mm512_loadu_si512(chunk.as_ptr().cast());
            _mm512_storeu_si512(chunk.as_mut_ptr().cast(), f(bytes));
        }
    }
    let used = (1 << rest.len()) - 1;
    // SAFETY: only the bytes of `rest`, which are fewer than 64, are read and written.
    unsafe {
        let bytes = _mm512_maskz_loadu_epi8(used, rest.as_ptr().cast());
        _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), used, f(bytes));
    }
}
