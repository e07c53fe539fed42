//! Grain's bit operations with PEXT and PCLMULQDQ.

use std::arch::x86_64::*;

use super::engine::Bits;
use crate::ciphers::cpu::Avx2;

impl Bits for Avx2 {
    #[inline(always)]
    fn unzip(self, word: u64) -> (u32, u32) {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        // SAFETY: `self` proves the instruction.
        unsafe { (_pext_u64(word, EVEN) as u32, _pext_u64(word, !EVEN) as u32) }
    }

    #[inline(always)]
    fn accumulate(self, low: u64, high: u64, message: u64) -> u64 {
        // With the message's bits reversed, shifting a window down by i becomes shifting it up by
        // 63 − i, and the sum is in bits 63 to 126 of the product.
        let reversed = message.reverse_bits();
        // SAFETY: `self` proves the instructions.
        unsafe {
            let reversed = _mm_cvtsi64_si128(reversed.cast_signed());
            let window = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
            let low = _mm_clmulepi64_si128::<0x00>(reversed, window);
            let high = _mm_clmulepi64_si128::<0x01>(window, reversed);
            let below = _mm_srli_epi64::<63>(low);
            let above = _mm_slli_epi64::<1>(_mm_xor_si128(_mm_srli_si128::<8>(low), high));
            _mm_cvtsi128_si64(_mm_or_si128(below, above)).cast_unsigned()
        }
    }
}
