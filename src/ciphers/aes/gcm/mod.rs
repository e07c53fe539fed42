//! AES-GCM (SP 800-38D) with 96-bit IVs and 128-bit tags.
//!
//! [`Gcm`] uses one key for a long message or many records. [`seal_each`] and [`open_each`] take a
//! key per record; on vectors, they expand several keys and hash keys at once.
//!
//! ```
//! use orderseal::ciphers::aes::{KeySize, gcm};
//! use orderseal::ciphers::cpu::Backend;
//!
//! // Two records under keys of their own, which in use are random.
//! let keys = [[1; 32], [2; 32]].concat();
//! let (mut first, mut second) = (*b"green tea", *b"rice paper");
//! let record = |text| gcm::Record { iv: [0; 12], aad: b"tokyo", text, tag: [0; 16] };
//! let mut records = [record(&mut first[..]), record(&mut second[..])];
//! gcm::seal_each(Backend::detect(), KeySize::Aes256, &keys, &mut records);
//!
//! records[1].tag[0] ^= 1;
//! let mut valid = [false; 2];
//! gcm::open_each(Backend::detect(), KeySize::Aes256, &keys, &mut records, &mut valid);
//! assert_eq!(valid, [true, false]);
//! assert_eq!(&first, b"green tea");
//! assert_eq!(second, [0; 10]);
//! ```

mod counter;
mod crates;
mod field;
mod ghash;
mod message;
mod powers;
mod records;
#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::Zeroize;

use super::job::{has_lanes, run};
use super::rounds::Schedule;
use super::{AesKey, KeySize};
use crate::ciphers::cpu::Backend;
use crate::ciphers::secret::verdict;
use powers::LongPowers;

/// The longest text under one IV: 2³⁶ − 32 bytes (SP 800-38D, section 5.2.1.1).
pub const MAX_TEXT: u64 = (1 << 36) - 32;

/// A message of a batch, sealed and opened in place.
pub struct Record<'a> {
    /// The 96-bit IV; it must not repeat under a key.
    pub iv: [u8; 12],
    /// Additional authenticated data.
    pub aad: &'a [u8],
    /// Plaintext or ciphertext, up to [`MAX_TEXT`] bytes.
    pub text: &'a mut [u8],
    /// The 128-bit tag: written when sealing, checked when opening.
    pub tag: [u8; 16],
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("aad_length", &self.aad.len())
            .field("text_length", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// The tag does not match the key, IV, AAD and ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("authentication failed")]
pub struct AuthenticationError;

/// An AES key prepared for GCM: its round keys and the powers of its hash key.
pub struct Gcm {
    backend: Backend,
    inner: Inner,
}

enum Inner {
    Lanes(Box<Prepared>),
    Crate(crates::Cipher),
}

/// A key prepared for vectors.
struct Prepared {
    schedule: Schedule,
    powers: LongPowers,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.powers.clear();
        zeroize::optimization_barrier(&self.powers);
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcm").finish_non_exhaustive()
    }
}

impl Gcm {
    /// Prepares a key.
    pub fn new(backend: Backend, key: AesKey<'_>) -> Self {
        let inner = if has_lanes(backend) {
            let mut prepared = Box::new(Prepared {
                schedule: Schedule::new(backend, key.size(), key.bytes()),
                powers: LongPowers::EMPTY,
            });
            run(backend, records::Prepare(&mut prepared));
            Inner::Lanes(prepared)
        } else {
            Inner::Crate(crates::Cipher::new(key))
        };
        Self { backend, inner }
    }

    /// Encrypts `text` in place and returns its tag.
    ///
    /// # Panics
    /// If `text` is longer than [`MAX_TEXT`].
    #[must_use]
    pub fn seal(&self, iv: &[u8; 12], aad: &[u8], text: &mut [u8]) -> [u8; 16] {
        let mut record = [Record { iv: *iv, aad, text, tag: [0; 16] }];
        self.seal_many(&mut record);
        record[0].tag
    }

    /// Decrypts `text` in place.
    ///
    /// # Errors
    /// [`AuthenticationError`] if the tag does not match; `text` is then zeroed.
    ///
    /// # Panics
    /// If `text` is longer than [`MAX_TEXT`].
    pub fn open(
        &self,
        iv: &[u8; 12],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), AuthenticationError> {
        let mut record = [Record { iv: *iv, aad, text, tag: *tag }];
        let mut valid = [false];
        self.open_many(&mut record, &mut valid);
        if valid[0] { Ok(()) } else { Err(AuthenticationError) }
    }

    /// Encrypts each record's text in place and writes its tag.
    ///
    /// # Panics
    /// If a text is longer than [`MAX_TEXT`].
    pub fn seal_many(&self, records: &mut [Record<'_>]) {
        check_lengths(records);
        run(self.backend, records::OneKey::<true> { inner: &self.inner, records, valid: &mut [] });
    }

    /// Decrypts each record's text in place. If a tag does not match, its `valid` becomes false and
    /// the text is zeroed.
    ///
    /// # Panics
    /// If `valid` is not as long as `records`, or a text is longer than [`MAX_TEXT`].
    pub fn open_many(&self, records: &mut [Record<'_>], valid: &mut [bool]) {
        check_lengths(records);
        assert_eq!(records.len(), valid.len(), "one result for each record");
        run(self.backend, records::OneKey::<false> { inner: &self.inner, records, valid });
    }
}

/// Encrypts each record's text in place under its own key and writes its tag.
///
/// `keys` holds the records' keys, concatenated.
///
/// # Panics
/// If `keys` and `records` differ in number, or a text is longer than [`MAX_TEXT`].
pub fn seal_each(backend: Backend, size: KeySize, keys: &[u8], records: &mut [Record<'_>]) {
    check_lengths(records);
    assert_eq!(keys.len(), records.len() * size.bytes(), "a key each");
    run(backend, records::KeyEach::<true> { size, keys, records, valid: &mut [] });
}

/// Decrypts each record's text in place under its own key. If a tag does not match, its `valid`
/// becomes false and the text is zeroed.
///
/// `keys` holds the records' keys, concatenated.
///
/// # Panics
/// If `keys`, `valid` and `records` differ in number, or a text is longer than [`MAX_TEXT`].
pub fn open_each(
    backend: Backend,
    size: KeySize,
    keys: &[u8],
    records: &mut [Record<'_>],
    valid: &mut [bool],
) {
    check_lengths(records);
    assert_eq!(keys.len(), records.len() * size.bytes(), "a key each");
    assert_eq!(records.len(), valid.len(), "one result for each record");
    run(backend, records::KeyEach::<false> { size, keys, records, valid });
}

fn check_lengths(records: &[Record<'_>]) {
    for record in records {
        assert!(record.text.len() as u64 <= MAX_TEXT, "the counter would repeat");
    }
}

/// Compares tags in constant time; a text that fails is zeroed.
#[inline(always)]
fn admit(record: &mut Record<'_>, tag: &[u8; 16]) -> bool {
    let difference = u128::from_ne_bytes(*tag) ^ u128::from_ne_bytes(record.tag);
    let valid = verdict(difference == 0);
    if !valid {
        record.text.zeroize();
    }
    valid
}
