//! Sources of key material.
//!
//! [`SystemSource`] uses the operating system's generator. [`SeededSource`] repeats for the same
//! seed, which simulations and tests need, and `RegisterSource` returns a shift register's output.
//! They are separate types, and code that makes keys from them must mark the keys with the source's
//! [`Origin`]. The trait is sealed: no other type can act as a source.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{SysError, SysRng};
use rand::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ciphers::aes::expander::Expander;
use crate::ciphers::cpu::Backend;
use crate::ciphers::lfsr::Generator;

/// Origin of a key's randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The operating system's random generator.
    System,
    /// A repeatable seed: anyone who knows it knows the key.
    Seeded,
    /// A linear-feedback shift register: predictable from a short piece of its output.
    Register,
}

mod sealed {
    pub trait Sealed {}
}

/// A source of key material.
pub trait KeySource: sealed::Sealed + Sync {
    /// How to mark keys made from this source.
    const ORIGIN: Origin;

    /// Returns a stream of random bytes, independent of every other stream of this source.
    ///
    /// A seeded source derives it from `index` alone, so that work divided among threads is
    /// repeatable. Use each index only once per purpose.
    fn stream(&self, index: u64) -> KeyStream;

    /// Returns a stream for public values, such as ids.
    fn public_stream(&self, index: u64) -> KeyStream {
        self.stream(index)
    }
}

/// The operating system provides no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random numbers: {0}")]
pub struct RandomError(SysError);

/// Returns bytes known only to this process, or zeros if the operating system provides no random
/// numbers. Only for uses that also work with zeros, and never for a key.
#[doc(hidden)]
pub fn perhaps_random() -> [u8; 16] {
    let mut bytes = [0; 16];
    match SysRng.try_fill_bytes(&mut bytes) {
        Ok(()) => bytes,
        Err(_) => [0; 16],
    }
}

/// Key material from the operating system: one seed of 256 bits, drawn when the source is created,
/// from which every stream gets its own seed. The generator in between changes its key with each
/// stream, so that earlier seeds cannot be recomputed.
#[derive(Debug)]
pub struct SystemSource(Mutex<Expander>);

impl SystemSource {
    /// Draws a seed from the operating system.
    ///
    /// # Errors
    /// [`RandomError`] if the system provides no random bytes, since no key could then be trusted.
    /// Later calls cannot fail.
    pub fn new() -> Result<Self, RandomError> {
        let mut seed = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(&mut *seed).map_err(RandomError)?;
        Ok(Self(Mutex::new(Expander::new(Backend::detect(), &mut seed))))
    }
}

impl sealed::Sealed for SystemSource {}

impl KeySource for SystemSource {
    const ORIGIN: Origin = Origin::System;

    fn stream(&self, _index: u64) -> KeyStream {
        let mut seed = Zeroizing::new([0; 32]);
        self.0.lock().expect("no thread panics while it holds the lock").fill(&mut *seed);
        KeyStream::new(&mut seed)
    }
}

/// A repeatable source for simulations and tests.
#[derive(ZeroizeOnDrop)]
pub struct SeededSource([u8; 32]);

impl SeededSource {
    /// Creates the source for a seed.
    pub fn new(seed: u64) -> Self {
        Self(Sha256::digest(seed.to_be_bytes()).into())
    }

    /// Returns another source, also repeatable and independent of this one; use one per purpose.
    pub fn child(&self, purpose: &str) -> Self {
        Self(Sha256::new_with_prefix(self.0).chain_update(purpose).finalize().into())
    }
}

impl sealed::Sealed for SeededSource {}

impl KeySource for SeededSource {
    const ORIGIN: Origin = Origin::Seeded;

    fn stream(&self, index: u64) -> KeyStream {
        let mut seed = Zeroizing::new([0; 32]);
        let mut digest = Sha256::new_with_prefix(self.0)
            .chain_update(b"\0stream")
            .chain_update(index.to_be_bytes())
            .finalize();
        seed.copy_from_slice(&digest);
        digest.as_mut_slice().zeroize();
        KeyStream::new(&mut seed)
    }
}

/// The output of a shift register, for teaching.
///
/// All streams read from the one register in turn, so that no piece of its output is used twice.
/// They repeat for the same seed as long as a single thread draws.
#[doc(hidden)]
#[derive(Debug)]
pub struct RegisterSource {
    register: Arc<Mutex<Generator>>,
    /// Source of public values.
    system: SystemSource,
}

impl RegisterSource {
    /// Draws key material from a register.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system, which supplies public values, has no random
    /// numbers.
    pub fn new(register: Generator) -> Result<Self, RandomError> {
        let system = SystemSource::new()?;
        Ok(Self { register: Arc::new(Mutex::new(register)), system })
    }
}

impl sealed::Sealed for RegisterSource {}

impl KeySource for RegisterSource {
    const ORIGIN: Origin = Origin::Register;

    fn stream(&self, _index: u64) -> KeyStream {
        KeyStream::of(Supply::Register(Arc::clone(&self.register)))
    }

    /// Uses the operating system: publishing a register's output would reveal the rest of it.
    fn public_stream(&self, index: u64) -> KeyStream {
        self.system.stream(index)
    }
}

/// A cryptographic stream of random bytes: AES-256 in counter mode from a 256-bit seed, with a
/// fresh key after every request, so that earlier output cannot be recomputed. The stream of a
/// [`RegisterSource`] has none of these properties; keys made from it are marked.
pub struct KeyStream {
    supply: Supply,
    /// Bytes for small requests, wiped once handed out.
    ready: Zeroizing<[u8; READY]>,
    used: usize,
}

/// Source of a stream's bytes.
enum Supply {
    Expander(Expander),
    Register(Arc<Mutex<Generator>>),
}

/// Bytes generated at a time for small requests.
const READY: usize = 1024;

impl KeyStream {
    fn new(seed: &mut [u8; 32]) -> Self {
        Self::of(Supply::Expander(Expander::new(Backend::detect(), seed)))
    }

    fn of(supply: Supply) -> Self {
        Self { supply, ready: Zeroizing::new([0; READY]), used: READY }
    }

    /// Returns an independent stream, seeded from this one, for work on another thread.
    pub fn split(&mut self) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        self.fill(&mut *seed);
        Self::new(&mut seed)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        let expander = match &mut self.supply {
            Supply::Expander(expander) => expander,
            Supply::Register(register) => {
                // A panicking thread leaves the register in a valid state of its sequence.
                register.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
                return;
            }
        };
        if bytes.len() > READY / 8 {
            expander.fill(bytes);
            return;
        }
        if self.used + bytes.len() > READY {
            expander.fill(&mut self.ready[..]);
            self.used = 0;
        }
        let ready = &mut self.ready[self.used..self.used + bytes.len()];
        bytes.copy_from_slice(ready);
        ready.fill(0);
        self.used += bytes.len();
    }
}

impl TryRng for KeyStream {
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

impl TryCryptoRng for KeyStream {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::Rng;

    use super::*;

    fn first(source: &impl KeySource, index: u64) -> u64 {
        source.stream(index).next_u64()
    }

    #[test]
    fn a_seeded_source_repeats_and_its_streams_differ() {
        let source = SeededSource::new(42);
        assert_eq!(first(&source, 1), first(&SeededSource::new(42), 1));
        assert_ne!(first(&source, 1), first(&source, 2));
        assert_ne!(first(&source, 1), first(&source.child("shop"), 1));
    }

    #[test]
    fn small_and_large_requests_never_give_the_same_bytes() {
        let mut stream = SeededSource::new(5).stream(0);
        let mut seen = BTreeSet::new();
        for len in [8, 200, 8, 120, 1000, 64, 128, 129, 4096, 8] {
            let mut bytes = vec![0; len];
            stream.fill_bytes(&mut bytes);
            assert!(bytes.chunks_exact(8).all(|chunk| seen.insert(chunk.to_vec())));
        }
    }

    #[test]
    fn streams_of_a_register_are_successive_pieces_of_its_output() {
        use crate::ciphers::lfsr::Trinomial;
        let register = || {
            let trinomial = Trinomial::new(127, 63).unwrap();
            Generator::new(trinomial, &[0x5a; 16], true).unwrap()
        };
        let mut whole = [0; 64];
        register().fill(&mut whole);
        let source = RegisterSource::new(register()).unwrap();
        let mut pieces = [0; 64];
        for (index, piece) in (0..).zip(pieces.chunks_mut(16)) {
            source.stream(index).fill_bytes(piece);
        }
        assert_eq!(pieces, whole);
        assert_ne!(source.public_stream(0).next_u64(), source.public_stream(0).next_u64());
    }

    #[test]
    fn system_streams_never_repeat() {
        let sources = [SystemSource::new().unwrap(), SystemSource::new().unwrap()];
        let firsts = (0..100).flat_map(|_| sources.each_ref().map(|source| first(source, 1)));
        assert_eq!(firsts.collect::<BTreeSet<_>>().len(), 200);
    }
}
