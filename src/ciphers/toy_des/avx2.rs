//! The four rounds on 32 bytes at a time, with the S-box as a shuffle.

use std::arch::x86_64::*;

use super::{Substitute, portable};
use crate::ciphers::cpu::{Avx2, Kernel};

impl Kernel<Avx2> for Substitute<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, _proof: Avx2) {
        let (chunks, rest) = self.data.as_chunks_mut::<32>();
        // SAFETY: `_proof` shows that the instructions are available; a table has the 16 bytes that
        // are loaded, a chunk the 32 that are loaded and stored.
        unsafe {
            let mut tables = [_mm256_setzero_si256(); 4];
            for (register, table) in tables.iter_mut().zip(&self.rounds.0) {
                let table = _mm_loadu_si128((&raw const *table).cast());
                *register = _mm256_broadcastsi128_si256(table);
            }
            let [first, second, third, fourth] = tables;
            let low = _mm256_set1_epi8(0b1111);
            for chunk in chunks {
                let bytes = _mm256_loadu_si256(chunk.as_ptr().cast());
                let left = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low);
                let right = _mm256_and_si256(bytes, low);
                let left = _mm256_xor_si256(left, _mm256_shuffle_epi8(first, right));
                let right = _mm256_xor_si256(right, _mm256_shuffle_epi8(second, left));
                let left = _mm256_xor_si256(left, _mm256_shuffle_epi8(third, right));
                let right = _mm256_xor_si256(right, _mm256_shuffle_epi8(fourth, left));
                let bytes = _mm256_or_si256(_mm256_slli_epi16::<4>(right), left);
                _mm256_storeu_si256(chunk.as_mut_ptr().cast(), bytes);
            }
        }
        portable::substitute(self.rounds, rest);
    }
}
