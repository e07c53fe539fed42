//! One block in a 128-bit register of ARM.
//!
//! AESE adds the round key before SubBytes, where the lane trait adds it after MixColumns. So a round
//! here begins with a key of zeros and ends with an addition, which the compiler moves into the AESE
//! of the next round: no round takes more than AESE and AESMC.

use std::arch::aarch64::*;
use std::arch::asm;

use super::Block;
use super::lanes::AesLanes;
use crate::ciphers::cpu::Neon;
use crate::ciphers::partial::{self, ONES_THEN_ZEROS};

/// One block. A value can only be made from a [`Neon`], which makes its methods safe.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Single(uint8x16_t);

/// Returns its argument in a register. Assembly blocks keep their order. Like the instructions of
/// `core::arch`, this function and the next ones name the one feature that they need.
#[target_feature(enable = "neon")]
#[inline]
fn pinned(mut vector: uint8x16_t) -> uint8x16_t {
    // SAFETY: the assembly contains no instruction.
    unsafe {
        asm!("/* {0:v} */", inout(vreg) vector, options(nomem, nostack, preserves_flags));
    }
    vector
}

/// SubBytes and ShiftRows.
#[target_feature(enable = "aes")]
#[inline]
fn sub_and_shift(state: uint8x16_t) -> uint8x16_t {
    vaeseq_u8(state, vdupq_n_u8(0))
}

/// SubBytes, ShiftRows and MixColumns.
#[target_feature(enable = "aes")]
#[inline]
fn sub_shift_and_mix(state: uint8x16_t) -> uint8x16_t {
    vaesmcq_u8(sub_and_shift(state))
}

/// The inverses of SubBytes and ShiftRows.
#[target_feature(enable = "aes")]
#[inline]
fn unsub_and_unshift(state: uint8x16_t) -> uint8x16_t {
    vaesdq_u8(state, vdupq_n_u8(0))
}

/// The inverses of SubBytes, ShiftRows and MixColumns.
#[target_feature(enable = "aes")]
#[inline]
fn unsub_unshift_and_unmix(state: uint8x16_t) -> uint8x16_t {
    vaesimcq_u8(unsub_and_unshift(state))
}

/// A carry-less product.
#[target_feature(enable = "aes")]
#[inline]
fn product(a: u64, b: u64) -> uint8x16_t {
    vreinterpretq_u8_p128(vmull_p64(a, b))
}

/// The halves of a block, the first one first.
#[target_feature(enable = "neon")]
#[inline]
fn halves(block: uint8x16_t) -> [u64; 2] {
    let halves = vreinterpretq_u64_u8(block);
    [vgetq_lane_u64::<0>(halves), vgetq_lane_u64::<1>(halves)]
}

impl AesLanes for Single {
    type Proof = Neon;
    const BLOCKS: usize = 1;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn zero(_: Neon) -> Self {
        // SAFETY: the proof shows that NEON is available.
        Self(unsafe { vdupq_n_u8(0) })
    }

    #[inline(always)]
    fn broadcast(_: Neon, block: &Block) -> Self {
        // SAFETY: the proof shows that NEON is available; the load reads 16 bytes, all in `block`.
        Self(unsafe { vld1q_u8(block.as_ptr()) })
    }

    #[inline(always)]
    fn single(proof: Neon, block: &Block) -> Self {
        Self::broadcast(proof, block)
    }

    #[inline(always)]
    fn first(self) -> Block {
        let mut block = [0; 16];
        self.store(&mut block);
        block
    }

    #[inline(always)]
    fn load(_: Neon, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 16);
        // SAFETY: the proof shows that NEON is available; the load reads 16 bytes, just checked.
        Self(unsafe { vld1q_u8(bytes.as_ptr()) })
    }

    #[inline(always)]
    fn load_partial(proof: Neon, bytes: &[u8]) -> Self {
        if bytes.len() == 16 {
            return Self::load(proof, bytes);
        }
        let bytes = partial::load(bytes);
        // SAFETY: the proof shows that NEON is available.
        Self(unsafe { vcombine_u8(vcreate_u8(bytes as u64), vcreate_u8((bytes >> 64) as u64)) })
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8]) {
        assert!(bytes.len() >= 16);
        // SAFETY: `self` proves NEON; the store writes 16 bytes, just checked.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn store_partial(self, bytes: &mut [u8]) {
        if bytes.len() == 16 {
            return self.store(bytes);
        }
        // SAFETY: `self` proves NEON.
        let [low, high] = unsafe { halves(self.0) };
        partial::store(u128::from(low) | u128::from(high) << 64, bytes);
    }

    #[inline(always)]
    fn keep(self, length: usize) -> Self {
        let mask = &ONES_THEN_ZEROS[32 - length..48 - length];
        // SAFETY: `self` proves NEON; the load reads the 16 bytes of `mask`.
        Self(unsafe { vandq_u8(self.0, vld1q_u8(mask.as_ptr())) })
    }

    #[inline(always)]
    fn broadcast_lane(&self, lane: usize) -> Self {
        assert!(lane < 1);
        *self
    }

    #[inline(always)]
    fn pinned(self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe { pinned(self.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe { veorq_u8(self.0, other.0) })
    }

    #[inline(always)]
    fn add32(self, other: Self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe {
            let sum = vaddq_u32(vreinterpretq_u32_u8(self.0), vreinterpretq_u32_u8(other.0));
            vreinterpretq_u8_u32(sum)
        })
    }

    #[inline(always)]
    fn shuffle(self, order: Self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe { vqtbl1q_u8(self.0, order.0) })
    }

    #[inline(always)]
    fn shift<const BYTES: i32>(self) -> Self {
        // A position beyond the block gives zero.
        let order: Block = const {
            let mut order = [0; 16];
            let mut i = 0;
            while i < 16 {
                order[i] = (i as u8).wrapping_sub(BYTES as u8);
                i += 1;
            }
            order
        };
        // SAFETY: `self` proves NEON; the load reads the 16 bytes of `order`.
        Self(unsafe { vqtbl1q_u8(self.0, vld1q_u8(order.as_ptr())) })
    }

    #[inline(always)]
    fn swap_halves(self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe { vextq_u8::<8>(self.0, self.0) })
    }

    #[inline(always)]
    fn with_high(self, high: Self) -> Self {
        // SAFETY: `self` proves NEON.
        Self(unsafe { vcombine_u8(vget_low_u8(self.0), vget_high_u8(high.0)) })
    }

    #[inline(always)]
    fn unzip(self, other: Self) -> (Self, Self) {
        (self, other)
    }

    #[inline(always)]
    fn fold(self) -> Self {
        self
    }

    #[inline(always)]
    fn enc(self, key: Self) -> Self {
        // SAFETY: `self` proves AES.
        Self(unsafe { sub_shift_and_mix(self.0) }).xor(key)
    }

    #[inline(always)]
    fn enc_pinned(self, key: Self) -> Self {
        // SAFETY: `self` proves AES.
        Self(unsafe { sub_shift_and_mix(self.0) }).pinned().xor(key)
    }

    #[inline(always)]
    fn enc_last(self, key: Self) -> Self {
        // SAFETY: `self` proves AES.
        Self(unsafe { sub_and_shift(self.0) }).xor(key)
    }

    #[inline(always)]
    fn dec(self, key: Self) -> Self {
        // SAFETY: `self` proves AES.
        Self(unsafe { unsub_unshift_and_unmix(self.0) }).xor(key)
    }

    #[inline(always)]
    fn dec_last(self, key: Self) -> Self {
        // SAFETY: `self` proves AES.
        Self(unsafe { unsub_and_unshift(self.0) }).xor(key)
    }

    #[inline(always)]
    fn clmul<const HALVES: i32>(self, other: Self) -> Self {
        // SAFETY: both prove NEON and carry-less multiplication.
        Self(unsafe {
            let (one, other) = (halves(self.0), halves(other.0));
            product(one[HALVES as usize & 1], other[HALVES as usize >> 4])
        })
    }
}
