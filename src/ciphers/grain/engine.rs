//! Grain-128AEADv2, 32 clocks at a time.
//!
//! No tap of either register is above position 96, so 32 new bits of each register can be computed
//! at once. A register is stored as three overlapping 64-bit windows, 32 bits apart, so that
//! reading a tap takes a single shift. Section numbers refer to the specification.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{KEY_BYTES, NONCE_BYTES, TAG_BYTES};
use crate::ciphers::cpu::Kernel;

/// Direction of the cipher, which determines where the plaintext is; the tag covers the plaintext.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The input is the plaintext.
    Seal,
    /// The output is the plaintext.
    Open,
}

/// The two bit operations that processors may have instructions for.
pub(super) trait Bits: Copy {
    /// Returns the even bits and the odd bits of `word`, 32 each.
    fn unzip(self, word: u64) -> (u32, u32);
    /// Sums bits i to i + 63 of `high ‖ low` over all set bits i of `message`.
    fn accumulate(self, low: u64, high: u64, message: u64) -> u64;
}

/// Bit operations with ordinary integer instructions.
#[derive(Clone, Copy)]
pub(super) struct Words;

impl Bits for Words {
    #[inline(always)]
    fn unzip(self, word: u64) -> (u32, u32) {
        (gather_even(word), gather_even(word >> 1))
    }

    #[inline(always)]
    fn accumulate(self, low: u64, high: u64, message: u64) -> u64 {
        // Shifting down is shifting reversed bits up; bits from `high` are shifted up by 64 − i in
        // total for bit i.
        let below = multiply(message, low.reverse_bits()).reverse_bits();
        below ^ multiply(message.reverse_bits(), high << 1)
    }
}

/// Computes the lower half of a carry-less product. Ordinary products of every fourth bit leave
/// room for the carries of up to 15 sums; only the topmost digit has 16, and its carry is lost.
///
/// Runs in constant time where the processor multiplies in constant time.
#[inline(always)]
fn multiply(a: u64, b: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let masks = [0, 1, 2, 3].map(|i| EVERY_FOURTH << i);
    let (a, b) = (masks.map(|mask| a & mask), masks.map(|mask| b & mask));
    (0..4).fold(0, |product, k| {
        let digits = (0..4).fold(0, |sum, i| sum ^ a[i].wrapping_mul(b[(4 + k - i) % 4]));
        product | digits & masks[k]
    })
}

/// Collects the even bits, compacting them step by step into pairs, nibbles, bytes and so on.
#[inline(always)]
fn gather_even(word: u64) -> u32 {
    let mut bits = word & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

/// A 128-bit register: its bits 0–63, 32–95 and 64–127.
#[derive(Zeroize)]
struct Register([u64; 3]);

impl Register {
    #[inline(always)]
    fn new(bits: u128) -> Self {
        Self([bits as u64, (bits >> 32) as u64, (bits >> 64) as u64])
    }

    /// Returns bits `i` to `i + 31` in the lower half; the bits above are undefined.
    #[inline(always)]
    fn tap(&self, i: usize) -> u64 {
        match i {
            96.. => self.0[2] >> (i - 64),
            _ => self.0[i / 32] >> (i % 32),
        }
    }

    /// Drops the lowest 32 bits and appends the lower half of `new` at the top.
    #[inline(always)]
    fn shift(&mut self, new: u64) {
        self.0 = [self.0[1], self.0[2], self.0[2] >> 32 | new << 32];
    }
}

/// The two registers and the authenticator.
#[derive(Zeroize, ZeroizeOnDrop)]
struct State {
    /// The non-linear register.
    b: Register,
    /// The linear register.
    s: Register,
    accumulator: u64,
    /// The authenticator's shift register.
    shift: u64,
}

impl State {
    /// Initialization (section 2.3): 512 clocks, the last 128 of which fill the authenticator.
    #[inline(always)]
    fn new(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES]) -> Self {
        let key = u128::from_le_bytes(*key);
        let mut padded = [0xff; 16];
        padded[..NONCE_BYTES].copy_from_slice(nonce);
        padded[15] = 0x7f;
        let mut state = Self {
            b: Register::new(key),
            s: Register::new(u128::from_le_bytes(padded)),
            accumulator: 0,
            shift: 0,
        };
        for _ in 0..10 {
            let output = state.output();
            state.clock(output, output);
        }
        for i in [0, 32] {
            let output = state.output();
            state.clock(output ^ (key >> i) as u64, output ^ (key >> (64 + i)) as u64);
        }
        state.accumulator = state.output_64();
        state.shift = state.output_64();
        state
    }

    /// Returns 32 bits of pre-output (section 2.2, function y) in the lower half.
    #[inline(always)]
    fn output(&self) -> u64 {
        let (b, s) = (|i| self.b.tap(i), |i| self.s.tap(i));
        let h =
            b(12) & s(8) ^ s(13) & s(20) ^ b(95) & s(42) ^ s(60) & s(79) ^ b(12) & b(95) & s(94);
        h ^ s(93) ^ b(2) ^ b(15) ^ b(36) ^ b(45) ^ b(64) ^ b(73) ^ b(89)
    }

    /// Runs 32 clocks of both registers (section 2.2), with a value added to the feedback of each.
    #[inline(always)]
    fn clock(&mut self, add_b: u64, add_s: u64) {
        let (b, s) = (|i| self.b.tap(i), |i| self.s.tap(i));
        let new_s = s(0) ^ s(7) ^ s(38) ^ s(70) ^ s(81) ^ s(96);
        let new_b = s(0)
            ^ (b(0) ^ b(26) ^ b(56) ^ b(91) ^ b(96))
            ^ (b(3) & b(67) ^ b(11) & b(13) ^ b(17) & b(18) ^ b(27) & b(59))
            ^ (b(40) & b(48) ^ b(61) & b(65) ^ b(68) & b(84))
            ^ (b(22) & b(24) & b(25) ^ b(70) & b(78) & b(82))
            ^ b(88) & b(92) & b(93) & b(95);
        self.b.shift(new_b ^ add_b);
        self.s.shift(new_s ^ add_s);
    }

    /// Returns 64 bits of pre-output and clocks the registers.
    #[inline(always)]
    fn output_64(&mut self) -> u64 {
        let low = self.output();
        self.clock(0, 0);
        let high = self.output();
        self.clock(0, 0);
        low & 0xffff_ffff | high << 32
    }

    /// Encrypts or decrypts the bits of `mask` in 64 bits of input, and authenticates the plaintext
    /// and the bits of `padding` (section 2.4).
    #[inline(always)]
    fn crypt(
        &mut self,
        bits: impl Bits,
        direction: Direction,
        input: u64,
        mask: u64,
        padding: u64,
    ) -> u64 {
        let (stream_low, tag_low) = bits.unzip(self.output_64());
        let (stream_high, tag_high) = bits.unzip(self.output_64());
        let stream = u64::from(stream_low) | u64::from(stream_high) << 32;
        let shift = u64::from(tag_low) | u64::from(tag_high) << 32;

        let output = input ^ stream & mask;
        let plain = match direction {
            Direction::Seal => input,
            Direction::Open => output,
        };
        self.accumulator ^= bits.accumulate(self.shift, shift, plain | padding);
        self.shift = shift;
        output
    }
}

/// A text to encrypt or decrypt in place.
pub(super) struct Crypt<'a> {
    pub(super) direction: Direction,
    pub(super) key: &'a [u8; KEY_BYTES],
    pub(super) nonce: &'a [u8; NONCE_BYTES],
    pub(super) associated: &'a [u8],
    pub(super) text: &'a mut [u8],
}

/// Encrypts the text and returns the tag (section 2.4), which authenticates the length of the
/// associated data in DER, the data, the text and a single one bit.
impl<B: Bits> Kernel<B> for Crypt<'_> {
    type Output = [u8; TAG_BYTES];

    #[inline(always)]
    fn run(self, bits: B) -> [u8; TAG_BYTES] {
        let Self { direction, key, nonce, associated, text } = self;
        let mut state = State::new(key, nonce);

        let (length, length_bytes) = der_length(associated.len());
        // The last bytes of length and associated data, if they do not fill a word.
        let mut pending = [0; 8];
        let mut filled = 0;
        for part in [&length[..length_bytes], associated] {
            let (head, rest) = part.split_at(part.len().min(8 - filled));
            pending[filled..filled + head.len()].copy_from_slice(head);
            filled += head.len();
            if filled < 8 {
                continue;
            }
            state.crypt(bits, direction, u64::from_le_bytes(pending), 0, 0);
            let (words, tail) = rest.as_chunks();
            for word in words {
                state.crypt(bits, direction, u64::from_le_bytes(*word), 0, 0);
            }
            pending[..tail.len()].copy_from_slice(tail);
            filled = tail.len();
        }

        let (head, rest) = text.split_at_mut(text.len().min(8 - filled));
        let closed = crypt_part(&mut state, bits, direction, &pending[..filled], head);
        let (words, tail) = rest.as_chunks_mut();
        for word in words {
            *word =
                state.crypt(bits, direction, u64::from_le_bytes(*word), u64::MAX, 0).to_le_bytes();
        }
        if !closed {
            crypt_part(&mut state, bits, direction, &[], tail);
        }
        pending.zeroize();
        state.accumulator.to_le_bytes()
    }
}

/// Processes a word that is not entirely text: associated data, then text, then the padding bit if
/// it fits. Returns whether it did.
#[inline(always)]
fn crypt_part(
    state: &mut State,
    bits: impl Bits,
    direction: Direction,
    associated: &[u8],
    text: &mut [u8],
) -> bool {
    let start = associated.len();
    let end = start + text.len();
    let mut word = [0; 8];
    word[..start].copy_from_slice(associated);
    word[start..end].copy_from_slice(text);
    let mut mask = [0; 8];
    mask[start..end].fill(0xff);
    let mut padding = [0; 8];
    if let Some(byte) = padding.get_mut(end) {
        *byte = 1;
    }
    let [input, mask, padding] = [word, mask, padding].map(u64::from_le_bytes);
    let output = state.crypt(bits, direction, input, mask, padding).to_le_bytes();
    text.copy_from_slice(&output[start..end]);
    word.zeroize();
    end < 8
}

/// Encodes a length in DER (section 2.4): one byte up to 127, else 128 plus the number of
/// big-endian bytes that follow. Returns the buffer and the number of bytes used.
fn der_length(length: usize) -> ([u8; 9], usize) {
    let mut der = [0; 9];
    if let Ok(short @ 0..=127) = u8::try_from(length) {
        der[0] = short;
        return (der, 1);
    }
    let bytes = (length as u64).to_be_bytes();
    let significant = 8 - (length as u64).leading_zeros() as usize / 8;
    der[0] = 0x80 | significant as u8;
    der[1..=significant].copy_from_slice(&bytes[8 - significant..]);
    (der, 1 + significant)
}
