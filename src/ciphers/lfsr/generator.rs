//! The shift register, computed 128 bits at a time, and its whitening.

use std::convert::Infallible;
use std::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use rand::TryRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Trinomial;
use crate::ciphers::cut::part;

/// Prefix of the hash input that gives the whitening key, before the seed.
const WHITENING: &[u8] = b"orderseal register whitening\0";

/// Reason why a seed is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The seed has fewer bits than the register.
    #[error("a register of degree {degree} takes a seed of at least {} bytes, found {found}", degree.div_ceil(8))]
    Short {
        /// Bits in the register.
        degree: u32,
        /// Bytes in the seed.
        found: usize,
    },
    /// The seed is all zero; such a register never changes.
    #[error("the first {0} bits of the seed are all zero, so that the register would never move")]
    Zero(u32),
}

/// A shift register with its output. Zeroized on drop.
///
/// Modulo 2, (x^P + x^Q + 1)^128 = x^128P + x^128Q + 1, so the sequence follows the same rule in
/// words of 128 bits as in single bits: w(n + P) = w(n + Q) + w(n). After the first P words, the
/// generator works on whole words, whatever P and Q are.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Generator {
    #[zeroize(skip)]
    trinomial: Trinomial,
    /// P words of the sequence, lowest bit first.
    words: Vec<u128>,
    /// The same as little-endian bytes, whitened if requested, and the number of bytes used up.
    output: Vec<[u8; 16]>,
    used: usize,
    /// Wipes its own keys on drop.
    #[zeroize(skip)]
    whitening: Option<Aes128>,
}

impl Generator {
    /// Sets up a register whose first P bits come from the seed, lowest bit of the first byte
    /// first; the rest of the seed is ignored. The first 128 P bits, which include the seed, are
    /// dropped from the output.
    ///
    /// With `whiten`, every 16 bytes of output are also encrypted with AES-128 (FIPS 197) as single
    /// blocks. The key is the first half of SHA-256("orderseal register whitening" ‖ 0 ‖ the seed's
    /// P bits in ⌈P/8⌉ bytes).
    ///
    /// # Errors
    /// [`SeedError`] if the seed is too short or its first P bits are zero.
    pub fn new(trinomial: Trinomial, seed: &[u8], whiten: bool) -> Result<Self, SeedError> {
        let degree = trinomial.degree();
        let bytes = degree.div_ceil(8) as usize;
        let seed = seed.get(..bytes).ok_or(SeedError::Short { degree, found: seed.len() })?;
        let mut padded = [0; 16];
        padded[..bytes].copy_from_slice(seed);
        let mut state = u128::from_le_bytes(padded) & u128::MAX >> (128 - degree);
        if state == 0 {
            return Err(SeedError::Zero(degree));
        }
        padded = state.to_le_bytes();
        let whitening = whiten.then(|| {
            let mut hash: [u8; 32] =
                Sha256::new_with_prefix(WHITENING).chain_update(&padded[..bytes]).finalize().into();
            let cipher = Aes128::new(part::<0, 16, _>(&hash).into());
            hash.zeroize();
            cipher
        });
        let words = first_words(trinomial, state);
        state.zeroize();
        padded.zeroize();
        Ok(Self {
            trinomial,
            output: vec![[0; 16]; words.len()],
            used: 16 * words.len(),
            words,
            whitening,
        })
    }

    /// Fills `bytes` with the next output.
    pub fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.used == 16 * self.output.len() {
                self.advance();
            }
            let ready = &self.output.as_flattened()[self.used..];
            let count = ready.len().min(bytes.len());
            let (now, later) = bytes.split_at_mut(count);
            now.copy_from_slice(&ready[..count]);
            self.used += count;
            bytes = later;
        }
    }

    /// Replaces the P words with the next P words, and updates the output.
    fn advance(&mut self) {
        let tap = self.trinomial.tap() as usize;
        let gap = self.words.len() - tap;
        // Word i becomes w(i + P) = w(i) + w(i + Q); from `gap` on, w(i + Q) is a new word too.
        for i in 0..gap {
            self.words[i] ^= self.words[i + tap];
        }
        for i in gap..self.words.len() {
            self.words[i] ^= self.words[i - gap];
        }
        for (output, word) in self.output.iter_mut().zip(&self.words) {
            *output = word.to_le_bytes();
        }
        if let Some(cipher) = &self.whitening {
            cipher.encrypt_blocks(Array::cast_slice_from_core_mut(&mut self.output));
        }
        self.used = 0;
    }
}

/// Returns the first P words of the sequence that begins with the bits of `state`. Each step
/// computes as many bits as are independent of each other, at most 8.
fn first_words(trinomial: Trinomial, mut state: u128) -> Vec<u128> {
    let Trinomial { degree, tap } = trinomial;
    let run = [8, 4, 2, 1].into_iter().find(|run| *run <= degree - tap).unwrap_or(1);
    let mask = (1 << run) - 1;
    let word = |_| {
        (0..128).step_by(run as usize).fold(0, |word, at| {
            let bits = state & mask;
            let new = (state ^ state >> tap) & mask;
            state = state >> run | new << (degree - run);
            word | bits << at
        })
    };
    let words = (0..degree).map(word).collect();
    state.zeroize();
    words
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator {{ trinomial: {}, state: [redacted] }}", self.trinomial)
    }
}
