//! Base64url with the look-ups of NEON in tables of up to 64 bytes.
//!
//! A step has 16 groups of three bytes or four characters; registers hold the first byte of every
//! group, the second, and so on.

use std::arch::aarch64::*;
use std::mem::MaybeUninit;

use crate::ciphers::cpu::{Kernel, Neon};
use crate::ciphers::partial::{self, Byte, ONES_THEN_ZEROS};

/// Bytes encoded per full step.
const BYTES: usize = 48;
/// Characters decoded per full step.
const CHARACTERS: usize = 64;

static ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Marks a character outside the alphabet.
const OUTSIDE: u8 = 0x80;

/// The value of each ASCII character.
static VALUES: [[u8; 64]; 2] = {
    let mut values = [[OUTSIDE; 64]; 2];
    let mut value = 0;
    while value < 64 {
        let character = ALPHABET[value] as usize;
        values[character / 64][character % 64] = value as u8;
        value += 1;
    }
    values
};

/// The positions `from`, `from` + `step` … in order.
const fn every(step: u8, from: u8) -> [u8; 16] {
    let mut order = [0; 16];
    let mut i = 0;
    while i < 16 {
        order[i] = from + step * i as u8;
        i += 1;
    }
    order
}

/// Where the bytes of the groups are.
static THIRDS: [[u8; 16]; 3] = [every(3, 0), every(3, 1), every(3, 2)];

/// Where the characters of the groups are.
static QUARTERS: [[u8; 16]; 4] = [every(4, 0), every(4, 1), every(4, 2), every(4, 3)];

/// For three registers with a byte of every group each, the order of their bytes in the text.
static JOINED: [[u8; 16]; 3] = {
    let mut orders = [[0; 16]; 3];
    let mut i = 0;
    while i < BYTES {
        orders[i / 16][i % 16] = (i % 3 * 16 + i / 3) as u8;
        i += 1;
    }
    orders
};

/// Encodes bytes; `text` has the encoded length.
pub(super) struct Encode<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) text: &'a mut [u8],
}

impl Kernel<Neon> for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, proof: Neon) {
        let (whole, rest) = self.bytes.as_chunks::<BYTES>();
        let (texts, last) = self.text.as_chunks_mut::<CHARACTERS>();
        for (bytes, text) in whole.iter().zip(texts) {
            // SAFETY: the proof shows that NEON is available; the load reads the 48 bytes of
            // `bytes`, the store writes the 64 of `text`.
            unsafe { vst4q_u8(text.as_mut_ptr(), encoded(proof, vld3q_u8(bytes.as_ptr()))) };
        }
        if !rest.is_empty() {
            let groups = gathered_thirds(proof, registers(proof, rest));
            store(proof, &spread_quarters(proof, encoded(proof, groups)), last);
        }
    }
}

/// Encodes 16 groups of three bytes.
#[inline(always)]
fn encoded(proof: Neon, bytes: uint8x16x3_t) -> uint8x16x4_t {
    let alphabet = table(proof, &ALPHABET);
    let uint8x16x3_t(a, b, c) = bytes;
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        let value = vdupq_n_u8(63);
        let second = vsriq_n_u8::<4>(vshlq_n_u8::<4>(a), b);
        let third = vsriq_n_u8::<6>(vshlq_n_u8::<2>(b), c);
        uint8x16x4_t(
            vqtbl4q_u8(alphabet, vshrq_n_u8::<2>(a)),
            vqtbl4q_u8(alphabet, vandq_u8(second, value)),
            vqtbl4q_u8(alphabet, vandq_u8(third, value)),
            vqtbl4q_u8(alphabet, vandq_u8(c, value)),
        )
    }
}

/// Decodes text; `bytes` has the decoded length and is overwritten in full. Returns whether the
/// text is valid.
pub(super) struct Decode<'a> {
    pub(super) text: &'a [u8],
    pub(super) bytes: &'a mut [MaybeUninit<u8>],
}

impl Kernel<Neon> for Decode<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self, proof: Neon) -> bool {
        let (whole, rest) = self.text.as_chunks::<CHARACTERS>();
        let (pieces, last) = self.bytes.as_chunks_mut::<BYTES>();
        // SAFETY: the proof shows that NEON is available.
        let mut errors = unsafe { vdupq_n_u8(0) };
        for (text, bytes) in whole.iter().zip(pieces) {
            // SAFETY: the proof shows that NEON is available; the load reads the 64 bytes of
            // `text`, the store writes the 48 of `bytes`.
            unsafe {
                let decoded = decoded(proof, vld4q_u8(text.as_ptr()), &mut errors);
                vst3q_u8(bytes.as_mut_ptr().cast(), decoded);
            }
        }
        if !rest.is_empty() {
            let mut characters = registers(proof, rest);
            for (at, register) in characters.iter_mut().enumerate() {
                let given = mask(proof, rest.len(), at);
                // SAFETY: the proof shows that NEON is available.
                *register = unsafe { vbslq_u8(given, *register, vdupq_n_u8(ALPHABET[0])) };
            }
            let groups = gathered_quarters(proof, characters);
            let decoded = spread_thirds(proof, decoded(proof, groups, &mut errors));
            store(proof, &decoded, last);
            for (at, register) in decoded.iter().enumerate() {
                let written = mask(proof, last.len(), at);
                // Only trailing bits follow the last byte.
                // SAFETY: the proof shows that NEON is available.
                unsafe {
                    let trailing = vbicq_u8(*register, written);
                    errors = vorrq_u8(errors, vtstq_u8(trailing, trailing));
                }
            }
        }
        // SAFETY: the proof shows that NEON is available.
        unsafe { vmaxvq_u8(errors) < OUTSIDE }
    }
}

/// Decodes 16 groups of four characters; marks those outside the alphabet.
#[inline(always)]
fn decoded(proof: Neon, characters: uint8x16x4_t, errors: &mut uint8x16_t) -> uint8x16x3_t {
    let a = value(proof, characters.0, errors);
    let b = value(proof, characters.1, errors);
    let c = value(proof, characters.2, errors);
    let d = value(proof, characters.3, errors);
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        uint8x16x3_t(
            vsliq_n_u8::<2>(vshrq_n_u8::<4>(b), a),
            vsliq_n_u8::<4>(vshrq_n_u8::<2>(c), b),
            vsliq_n_u8::<6>(d, c),
        )
    }
}

/// The values of characters; marks those outside the alphabet.
#[inline(always)]
fn value(proof: Neon, characters: uint8x16_t, errors: &mut uint8x16_t) -> uint8x16_t {
    let (low, high) = (table(proof, &VALUES[0]), table(proof, &VALUES[1]));
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        // A position beyond a table gives zero in the first look-up, and changes nothing in the
        // second. Bytes that are not ASCII are beyond both.
        let value = vqtbl4q_u8(low, characters);
        let value = vqtbx4q_u8(value, high, veorq_u8(characters, vdupq_n_u8(64)));
        *errors = vorrq_u8(*errors, vorrq_u8(value, characters));
        value
    }
}

/// Separates groups of three bytes.
#[inline(always)]
fn gathered_thirds(proof: Neon, [a, b, c]: [uint8x16_t; 3]) -> uint8x16x3_t {
    let bytes = uint8x16x3_t(a, b, c);
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        uint8x16x3_t(
            vqtbl3q_u8(bytes, order(proof, &THIRDS[0])),
            vqtbl3q_u8(bytes, order(proof, &THIRDS[1])),
            vqtbl3q_u8(bytes, order(proof, &THIRDS[2])),
        )
    }
}

/// Puts groups of three bytes together.
#[inline(always)]
fn spread_thirds(proof: Neon, groups: uint8x16x3_t) -> [uint8x16_t; 3] {
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        [
            vqtbl3q_u8(groups, order(proof, &JOINED[0])),
            vqtbl3q_u8(groups, order(proof, &JOINED[1])),
            vqtbl3q_u8(groups, order(proof, &JOINED[2])),
        ]
    }
}

/// Separates groups of four characters.
#[inline(always)]
fn gathered_quarters(proof: Neon, [a, b, c, d]: [uint8x16_t; 4]) -> uint8x16x4_t {
    let text = uint8x16x4_t(a, b, c, d);
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        uint8x16x4_t(
            vqtbl4q_u8(text, order(proof, &QUARTERS[0])),
            vqtbl4q_u8(text, order(proof, &QUARTERS[1])),
            vqtbl4q_u8(text, order(proof, &QUARTERS[2])),
            vqtbl4q_u8(text, order(proof, &QUARTERS[3])),
        )
    }
}

/// Puts groups of four characters together.
#[inline(always)]
fn spread_quarters(_: Neon, groups: uint8x16x4_t) -> [uint8x16_t; 4] {
    let uint8x16x4_t(a, b, c, d) = groups;
    // SAFETY: the proof shows that NEON is available.
    unsafe {
        let (even, odd) = (vzipq_u8(a, c), vzipq_u8(b, d));
        let (low, high) = (vzipq_u8(even.0, odd.0), vzipq_u8(even.1, odd.1));
        [low.0, low.1, high.0, high.1]
    }
}

/// Loads a table of 64 bytes.
#[inline(always)]
fn table(_: Neon, bytes: &[u8; 64]) -> uint8x16x4_t {
    // SAFETY: the proof shows that NEON is available; the load reads the 64 bytes.
    unsafe { vld1q_u8_x4(bytes.as_ptr()) }
}

/// Loads positions.
#[inline(always)]
fn order(_: Neon, bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the proof shows that NEON is available; the load reads the 16 bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Of `length` bytes in a row of registers, ones where the register at a place has some.
#[inline(always)]
fn mask(_: Neon, length: usize, at: usize) -> uint8x16_t {
    let length = length.saturating_sub(16 * at).min(16);
    let mask = &ONES_THEN_ZEROS[32 - length..48 - length];
    // SAFETY: the proof shows that NEON is available; the load reads the 16 bytes of `mask`.
    unsafe { vld1q_u8(mask.as_ptr()) }
}

/// Loads fewer bytes than the registers have, and fills up with zeros.
#[inline(always)]
fn registers<const COUNT: usize>(_: Neon, bytes: &[u8]) -> [uint8x16_t; COUNT] {
    // SAFETY: the proof shows that NEON is available.
    let mut registers = unsafe { [vdupq_n_u8(0); COUNT] };
    for (register, bytes) in registers.iter_mut().zip(bytes.chunks(16)) {
        // SAFETY: the proof shows that NEON is available; the load reads 16 bytes if there are as
        // many.
        *register = unsafe {
            if bytes.len() == 16 {
                vld1q_u8(bytes.as_ptr())
            } else {
                let bytes = partial::load(bytes);
                vcombine_u8(vcreate_u8(bytes as u64), vcreate_u8((bytes >> 64) as u64))
            }
        };
    }
    registers
}

/// Stores the first bytes of registers.
#[inline(always)]
fn store<T: Byte>(_: Neon, registers: &[uint8x16_t], bytes: &mut [T]) {
    for (register, bytes) in registers.iter().zip(bytes.chunks_mut(16)) {
        // SAFETY: the proof shows that NEON is available; the store writes 16 bytes if there are as
        // many.
        unsafe {
            if bytes.len() == 16 {
                vst1q_u8(bytes.as_mut_ptr().cast(), *register);
            } else {
                let halves = vreinterpretq_u64_u8(*register);
                let [low, high] = [vgetq_lane_u64::<0>(halves), vgetq_lane_u64::<1>(halves)];
                partial::store(u128::from(low) | u128::from(high) << 64, bytes);
            }
        }
    }
}
