//! NEON lanes: 128 blocks at a time.

use std::arch::aarch64::*;

use zeroize::Zeroize;

use super::lanes::DesLanes;
use super::sbox::{Logic, Select, select};
use crate::ciphers::cpu::Neon;

/// A 128-bit register, with the proof that it was created from.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Register(uint8x16_t, #[zeroize(skip)] Neon);

impl DesLanes for Register {
    type Proof = Neon;
    const BYTES: usize = 16;
    const INVERTED: [u8; 8] = select::INVERTED;

    #[inline(always)]
    fn proof(self) -> Neon {
        self.1
    }

    #[inline(always)]
    fn splat(proof: Neon, word: u64) -> Self {
        // SAFETY: `proof` shows that the instruction is available.
        Self(unsafe { vreinterpretq_u8_u64(vdupq_n_u64(word)) }, proof)
    }

    #[inline(always)]
    fn load(proof: Neon, bytes: &[u8]) -> Self {
        let bytes: &[u8; 16] = bytes.first_chunk().expect("a whole register");
        // SAFETY: `proof` shows that the instruction is available; the array has 16 bytes.
        Self(unsafe { vld1q_u8(bytes.as_ptr()) }, proof)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        let bytes: &mut [u8; 16] = bytes.first_chunk_mut().expect("a whole register");
        // SAFETY: `self` holds the proof of the instruction; the array has 16 bytes.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { vandq_u8(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { veorq_u8(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        DesLanes::xor(DesLanes::xor(self, second), third)
    }

    #[inline(always)]
    fn exchange<const WIDTH: u32>(a: Self, b: Self) -> (Self, Self) {
        // SAFETY: the registers hold the proof of the instructions.
        let (new_a, new_b) = unsafe {
            match WIDTH {
                32 => {
                    let (a, b) = (vreinterpretq_u32_u8(a.0), vreinterpretq_u32_u8(b.0));
                    let (even, odd) = (vtrn1q_u32(a, b), vtrn2q_u32(a, b));
                    (vreinterpretq_u8_u32(even), vreinterpretq_u8_u32(odd))
                }
                16 => {
                    let (a, b) = (vreinterpretq_u16_u8(a.0), vreinterpretq_u16_u8(b.0));
                    let (even, odd) = (vtrn1q_u16(a, b), vtrn2q_u16(a, b));
                    (vreinterpretq_u8_u16(even), vreinterpretq_u8_u16(odd))
                }
                8 => (vtrn1q_u8(a.0, b.0), vtrn2q_u8(a.0, b.0)),
                // Shifts that keep the bits which they do not fill.
                4 => (vsliq_n_u8::<4>(a.0, b.0), vsriq_n_u8::<4>(b.0, a.0)),
                _ => {
                    let even = Self::splat(a.1, u64::MAX / ((1 << WIDTH) + 1)).0;
                    let width = vdupq_n_s8(WIDTH as i8);
                    let (up, down) = (vshlq_u8(b.0, width), vshlq_u8(a.0, vnegq_s8(width)));
                    (vbslq_u8(even, a.0, up), vbslq_u8(even, down, b.0))
                }
            }
        };
        (Self(new_a, a.1), Self(new_b, b.1))
    }

    #[inline(always)]
    fn sbox<const BOX: usize>(inputs: [Self; 6]) -> [Self; 4] {
        select::sbox::<BOX, Self>(inputs)
    }
}

impl Logic for Register {
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        DesLanes::and(self, other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { vorrq_u8(self.0, other.0) }, self.1)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        DesLanes::xor(self, other)
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { vbicq_u8(self.0, other.0) }, self.1)
    }
}

impl Select for Register {
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        // SAFETY: `self` holds the proof of the instruction.
        Self(unsafe { vbslq_u8(self.0, yes.0, no.0) }, self.1)
    }
}
