//! Toy DES on 64 bytes at a time: short texts by the four rounds, long ones by the substitution of
//! all 256 bytes, which fits into four registers.

use std::arch::x86_64::*;

use super::{Rounds, Substitute};
use crate::ciphers::cpu::{Avx512, Kernel};

impl Kernel<Avx512> for Substitute<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: Avx512) {
        let rounds = Tables::new(proof, self.rounds);
        if self.data.len() <= 256 {
            each_chunk(self.data, &rounds);
        } else {
            each_chunk(self.data, &Whole::new(proof, &rounds));
        }
    }
}

/// Substitution of every byte of a register. A value can only be made from an [`Avx512`], which
/// makes its method safe.
trait Substitution {
    fn substitute(&self, bytes: __m512i) -> __m512i;
}

/// The four rounds, each with its table in every 16 bytes.
struct Tables([__m512i; 4]);

impl Tables {
    #[inline(always)]
    fn new(_: Avx512, rounds: &Rounds) -> Self {
        // SAFETY: the proof shows that AVX-512 is available; a table has the 16 bytes that are
        // loaded.
        unsafe {
            let mut tables = [_mm512_setzero_si512(); 4];
            for (register, table) in tables.iter_mut().zip(&rounds.0) {
                *register = _mm512_broadcast_i32x4(_mm_loadu_si128((&raw const *table).cast()));
            }
            Self(tables)
        }
    }
}

impl Substitution for Tables {
    #[inline(always)]
    fn substitute(&self, bytes: __m512i) -> __m512i {
        let [first, second, third, fourth] = self.0;
        // SAFETY: `self` proves AVX-512.
        unsafe {
            let low = _mm512_set1_epi8(0b1111);
            let left = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), low);
            let right = _mm512_and_si512(bytes, low);
            let left = _mm512_xor_si512(left, _mm512_shuffle_epi8(first, right));
            let right = _mm512_xor_si512(right, _mm512_shuffle_epi8(second, left));
            let left = _mm512_xor_si512(left, _mm512_shuffle_epi8(third, right));
            let right = _mm512_xor_si512(right, _mm512_shuffle_epi8(fourth, left));
            _mm512_or_si512(_mm512_slli_epi16::<4>(right), left)
        }
    }
}

/// The substitutes of all 256 bytes, in order.
struct Whole([__m512i; 4]);

impl Whole {
    #[inline(always)]
    fn new(_: Avx512, rounds: &Tables) -> Self {
        const COUNT: [u8; 256] = {
            let mut count = [0; 256];
            let mut i = 0;
            while i < 256 {
                count[i] = i as u8;
                i += 1;
            }
            count
        };
        // SAFETY: the proof shows that AVX-512 is available; a chunk has the 64 bytes that are
        // loaded.
        unsafe {
            let mut registers = [_mm512_setzero_si512(); 4];
            for (register, chunk) in registers.iter_mut().zip(COUNT.as_chunks::<64>().0) {
                *register = rounds.substitute(_mm512_loadu_si512(chunk.as_ptr().cast()));
            }
            Self(registers)
        }
    }
}

impl Substitution for Whole {
    #[inline(always)]
    fn substitute(&self, bytes: __m512i) -> __m512i {
        let [t0, t1, t2, t3] = self.0;
        // SAFETY: `self` proves AVX-512.
        unsafe {
            let low = _mm512_permutex2var_epi8(t0, bytes, t1);
            let high = _mm512_permutex2var_epi8(t2, bytes, t3);
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high)
        }
    }
}

/// Substitutes 64 bytes at a time, then the rest.
#[inline(always)]
fn each_chunk(data: &mut [u8], substitution: &impl Substitution) {
    let (chunks, rest) = data.as_chunks_mut::<64>();
    let used = (1 << rest.len()) - 1;
    // SAFETY: `substitution` proves AVX-512; a chunk has the 64 bytes that are loaded and stored,
    // and `rest` has fewer, to which the mask limits the access.
    unsafe {
        for chunk in chunks {
            let bytes = _mm512_loadu_si512(chunk.as_ptr().cast());
            _mm512_storeu_si512(chunk.as_mut_ptr().cast(), substitution.substitute(bytes));
        }
        let bytes = _mm512_maskz_loadu_epi8(used, rest.as_ptr().cast());
        let bytes = substitution.substitute(bytes);
        _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), used, bytes);
    }
}
