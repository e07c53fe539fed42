//! FEAL-N: the Fast Data Encipherment Algorithm, a 64-bit block cipher with a 64-bit key. **Broken.**
//!
//! Source: S. Miyaguchi, *The FEAL cipher family*, CRYPTO '90, in the form of A. Menezes et al.,
//! *Handbook of Applied Cryptography* (HAC), section 7.5, without key parity. The number of rounds
//! is even; FEAL-8, FEAL-16 and FEAL-32 were published.
//!
//! Strength today: none. Four rounds fall to 20 chosen texts (Murphy 1990), eight to 2²⁴ known
//! texts and a few minutes (Biham 1994), and differential attacks beat exhaustive search up to 31
//! rounds (Biham and Shamir 1991). It is included because the founding document names it: for
//! teaching, comparison and measurement.
//!
//! The arithmetic consists of additions, rotations and exclusive-ors of bytes. There are no table
//! look-ups and no branches on secrets, so running time does not depend on key or text; this
//! follows from the construction and was not measured.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod portable;
#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(target_arch = "x86_64")]
use super::cpu::Avx2;
use super::cpu::{Backend, Level, Over, Proof};
use lanes::{Decrypt, Encrypt};

/// Backends with their own FEAL code. There is no crate: `rustcrypto` runs the portable code one
/// block at a time.
pub const BACKENDS: &[&str] = &["portable", "avx2", "avx512"];

/// Bytes in a key.
pub const KEY_BYTES: usize = 8;
/// Bytes in a block, and in the initialization vector of CBC.
pub const BLOCK_BYTES: usize = 8;

/// Maximum number of rounds; no published analysis goes further.
const MAX_ROUNDS: usize = 32;
/// Subkeys that whiten the text before the first and after the last round.
const WHITENING: usize = 8;

/// A block of 64 bits.
pub type Block = [u8; BLOCK_BYTES];

/// A 16-bit subkey, as the two bytes that the round function takes.
type Subkey = [u8; 2];

/// A number of rounds: even, from 4 to 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds(u8);

/// The cipher has no such number of rounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("FEAL takes an even number of rounds from 4 to 32, found {0}")]
pub struct RoundsError(pub u8);

impl Rounds {
    /// FEAL-8.
    pub const EIGHT: Self = Self(8);
    /// FEAL-16.
    pub const SIXTEEN: Self = Self(16);
    /// FEAL-32.
    pub const THIRTY_TWO: Self = Self(32);

    /// Checks a number of rounds.
    ///
    /// # Errors
    /// [`RoundsError`] unless the number is even and from 4 to 32.
    pub fn new(rounds: u8) -> Result<Self, RoundsError> {
        if rounds.is_multiple_of(2) && (4..=32).contains(&rounds) {
            Ok(Self(rounds))
        } else {
            Err(RoundsError(rounds))
        }
    }
}

/// The subkeys of one key, for encryption and decryption. Zeroized on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Feal {
    rounds: usize,
    subkeys: [Subkey; MAX_ROUNDS + WHITENING],
}

impl Feal {
    /// Expands a key.
    pub fn new(key: &[u8; KEY_BYTES], rounds: Rounds) -> Self {
        let rounds = usize::from(rounds.0);
        let mut subkeys = [[0; 2]; MAX_ROUNDS + WHITENING];
        portable::expand_key(key, &mut subkeys[..rounds + WHITENING]);
        Self { rounds, subkeys }
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut Block) {
        portable::encrypt_block(self.subkeys(), block);
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut Block) {
        portable::decrypt_block(self.subkeys(), block);
    }

    /// Encrypts blocks in place in CBC mode (SP 800-38A, section 6.2); padding is up to the caller.
    ///
    /// Encryption is sequential within a text; for speed, use [`cbc_encrypt_many`].
    pub fn cbc_encrypt(&self, iv: &Block, text: &mut [Block]) {
        portable::cbc_encrypt(self.subkeys(), *iv, text);
    }

    /// Decrypts blocks in place in CBC mode, many at a time.
    ///
    /// The [`Backend`] `rustcrypto` works block by block; `vaes` is the same as `avx2`.
    pub fn cbc_decrypt(&self, backend: Backend, iv: &Block, text: &mut [Block]) {
        let whole = Decrypt { subkeys: self.subkeys(), chain: *iv, blocks: text };
        // Blocks that do not fill a wide register go to the next narrower one.
        let words = |text| ().enter(Over::<u64, _>::new(text));
        #[cfg(target_arch = "x86_64")]
        let avx2 = |proof: Avx2, text| words(proof.enter(Over::<avx2::Register, _>::new(text)));
        let rest = match backend.level() {
            Level::RustCrypto => whole,
            Level::Portable | Level::Neon(_) => words(whole),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(proof) => avx2(proof, whole),
            #[cfg(target_arch = "x86_64")]
            Level::Vaes(proof) => avx2(proof.into(), whole),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(proof) => {
                avx2(proof.into(), proof.enter(Over::<avx512::Register, _>::new(whole)))
            }
        };
        portable::cbc_decrypt(rest.subkeys, rest.chain, rest.blocks);
    }

    fn subkeys(&self) -> &[Subkey] {
        &self.subkeys[..self.rounds + WHITENING]
    }
}

/// A text to encrypt under its own key.
pub struct Message<'a> {
    cipher: &'a Feal,
    iv: Block,
    text: &'a mut [Block],
}

impl<'a> Message<'a> {
    /// Combines a text with its key and initialization vector.
    pub fn new(cipher: &'a Feal, iv: &Block, text: &'a mut [Block]) -> Self {
        Self { cipher, iv: *iv, text }
    }
}

/// Encrypts many messages in place in CBC mode, each as [`Feal::cbc_encrypt`] would: 64 at a time
/// on `avx512`, 32 on `avx2` and `vaes`, 8 on `portable`, one on `rustcrypto`.
///
/// Place messages of similar length next to each other: a group takes as long as its longest one.
pub fn cbc_encrypt_many(backend: Backend, messages: &mut [Message<'_>]) {
    for group in messages.chunk_by_mut(|a, b| a.cipher.rounds == b.cipher.rounds) {
        let batch = Encrypt { rounds: group[0].cipher.rounds, messages: group };
        match backend.level() {
            Level::RustCrypto => {
                for message in batch.messages {
                    portable::cbc_encrypt(message.cipher.subkeys(), message.iv, message.text);
                }
            }
            Level::Portable | Level::Neon(_) => ().enter(Over::<u64, _>::new(batch)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(proof) => proof.enter(Over::<avx2::Register, _>::new(batch)),
            #[cfg(target_arch = "x86_64")]
            Level::Vaes(proof) => Avx2::from(proof).enter(Over::<avx2::Register, _>::new(batch)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(proof) => proof.enter(Over::<avx512::Register, _>::new(batch)),
        }
    }
}

impl fmt::Debug for Feal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feal {{ rounds: {}, subkeys: [redacted] }}", self.rounds)
    }
}
