//! 64 bytes at a time: the substitution held in four registers.

use std::arch::x86_64::*;

use super::Tables;
use crate::ciphers::cpu::Avx512;

/// Substitutes every byte.
pub(super) fn substitute(_proof: Avx512, tables: &Tables, data: &mut [u8]) {
    // SAFETY: the proof says that the processor has the features.
    unsafe { substitute_with_features(tables, data) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,aes,pclmulqdq,vaes,vpclmulqdq,avx512f,avx512bw")]
#[target_feature(enable = "avx512dq,avx512vl,avx512vbmi,avx512ifma,gfni")]
fn substitute_with_features(tables: &Tables, data: &mut [u8]) {
    let quarters = tables.bytes.as_chunks::<64>().0;
    // SAFETY: each quarter of the table has 64 bytes.
    let [t0, t1, t2, t3] =
        [0, 1, 2, 3].map(|i| unsafe { _mm512_loadu_si512(quarters[i].as_ptr().cast()) });
    let look_up = |bytes| {
        let low = _mm512_permutex2var_epi8(t0, bytes, t1);
        let high = _mm512_permutex2var_epi8(t2, bytes, t3);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high)
    };
    let (chunks, rest) = data.as_chunks_mut::<64>();
    for chunk in chunks {
        // SAFETY: the chunk has 64 bytes.
        unsafe {
            let bytes = _mm512_loadu_si512(chunk.as_ptr().cast());
            _mm512_storeu_si512(chunk.as_mut_ptr().cast(), look_up(bytes));
        }
    }
    let used = (1 << rest.len()) - 1;
    // SAFETY: only the bytes of `rest`, which are fewer than 64, are read and written.
    unsafe {
        let bytes = _mm512_maskz_loadu_epi8(used, rest.as_ptr().cast());
        _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), used, look_up(bytes));
    }
}
