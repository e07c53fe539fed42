//! C2SP chunked-encryption, version 1, with AES-256-GCM and SHA-512 (c2sp.org/chunked-encryption).
//!
//! A message of up to 4 PiB is split into chunks of 16 KiB; the last chunk is always shorter and
//! may be empty. Each chunk is sealed separately under a key and a nonce used for this message
//! only, so chunks can be processed in parallel and in any order. Missing, added, swapped or
//! foreign chunks fail to open.
//!
//! | part of a sealed message | bytes |
//! |---|---|
//! | salt | 24 |
//! | key commitment | 32 |
//! | each chunk | 16,384 and a tag of 16 |
//! | the last chunk | 0 to 16,383 and a tag of 16 |

mod derive;
#[cfg(test)]
mod tests;

use std::fmt;

use subtle::ConstantTimeEq;

use super::aes::AesKey;
use super::aes::gcm::{Gcm, Record};
use super::cpu::Backend;
use super::cut::part;

/// Length in bytes of the input key.
pub const KEY_LEN: usize = 32;

/// Length in bytes of the salt, which must not repeat under one input key.
pub const SALT_LEN: usize = 24;

/// Length in bytes of the prefix before the first chunk: salt and key commitment.
pub const PREFIX_LEN: usize = SALT_LEN + derive::COMMITMENT_LEN;

/// Length in bytes of every chunk but the last.
pub const CHUNK_LEN: usize = 16 << 10;

/// Length in bytes of a chunk's tag.
pub const TAG_LEN: usize = 16;

/// Length in bytes of every sealed chunk but the last.
pub const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;

/// Maximum number of chunks in a message.
pub const MAX_CHUNKS: u64 = 1 << 38;

/// Number of records passed to the cipher at once.
const BATCH: usize = 16;

/// A message with its derived key.
pub struct Message {
    gcm: Gcm,
    base_nonce: [u8; derive::NONCE_LEN],
    prefix: [u8; PREFIX_LEN],
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}

/// The message has more than [`MAX_CHUNKS`] chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("longer than 2^38 chunks of 16 KiB")]
pub struct TooLongError;

/// A chunk is not authentic: changed, out of place, or not the end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("authentication failed")]
pub struct AuthenticationError {
    /// Number of authentic chunks before it, among those passed in the same call.
    pub authentic: usize,
}

impl Message {
    /// Starts a message to seal under `key`, which must be uniformly random, with a fresh random
    /// `salt`. The message is bound to `context`, any bytes that the opener also knows.
    pub fn new(
        backend: Backend,
        key: &[u8; KEY_LEN],
        salt: &[u8; SALT_LEN],
        context: &[u8],
    ) -> Self {
        let derived = derive::derive(key, salt, context);
        let mut prefix = [0; PREFIX_LEN];
        prefix[..SALT_LEN].copy_from_slice(salt);
        prefix[SALT_LEN..].copy_from_slice(derived.commitment());
        let gcm = Gcm::new(backend, AesKey::Aes256(derived.key()));
        Self { gcm, base_nonce: *derived.base_nonce(), prefix }
    }

    /// Starts opening a message that begins with `prefix`.
    ///
    /// # Errors
    /// [`AuthenticationError`] if the key commitment does not match `key`, salt and `context`.
    pub fn begin(
        backend: Backend,
        key: &[u8; KEY_LEN],
        prefix: &[u8; PREFIX_LEN],
        context: &[u8],
    ) -> Result<Self, AuthenticationError> {
        let message = Self::new(backend, key, part::<0, _, _>(prefix), context);
        match bool::from(message.prefix.ct_eq(prefix)) {
            true => Ok(message),
            false => Err(AuthenticationError { authentic: 0 }),
        }
    }

    /// Returns the bytes that precede the first chunk.
    pub fn prefix(&self) -> &[u8; PREFIX_LEN] {
        &self.prefix
    }

    /// Seals chunks in place; `first` is the number of the first one in the message.
    ///
    /// Each chunk lies in a cell of [`SEALED_CHUNK_LEN`] bytes: the text, then room for the tag. A
    /// shorter cell at the end is the last chunk of the message.
    ///
    /// # Errors
    /// [`TooLongError`]; nothing is then sealed.
    ///
    /// # Panics
    /// If the last cell has no room for a tag.
    pub fn seal(&self, first: u64, cells: &mut [u8]) -> Result<(), TooLongError> {
        check_count(first, cells)?;
        let mut numbers = first..;
        for cells in cells.chunks_mut(BATCH * SEALED_CHUNK_LEN) {
            let (mut records, mut tags) = self.lay_out(&mut numbers, cells);
            self.gcm.seal_many(&mut records);
            for (record, tag) in records.iter().zip(&mut tags) {
                tag.copy_from_slice(&record.tag);
            }
        }
        Ok(())
    }

    /// Opens chunks in place; `first` is the number of the first one in the message. Each text ends
    /// up in its cell, where [`seal`](Self::seal) took it from. `last` says that no chunk follows
    /// these.
    ///
    /// # Errors
    /// [`AuthenticationError`] at the first chunk that is not authentic. Do not use the text after
    /// it.
    pub fn open(
        &self,
        first: u64,
        cells: &mut [u8],
        last: bool,
    ) -> Result<(), AuthenticationError> {
        check_count(first, cells).map_err(|TooLongError| AuthenticationError { authentic: 0 })?;
        let end = cells.len() % SEALED_CHUNK_LEN;
        // A genuine last chunk is never full; otherwise the message was truncated or extended.
        let ends_well = if last { end >= TAG_LEN } else { end == 0 };
        let whole = if ends_well { cells.len() } else { cells.len() - end };
        let mut numbers = first..;
        let mut authentic = 0;
        for cells in cells[..whole].chunks_mut(BATCH * SEALED_CHUNK_LEN) {
            let (mut records, tags) = self.lay_out(&mut numbers, cells);
            for (record, tag) in records.iter_mut().zip(&tags) {
                record.tag.copy_from_slice(tag);
            }
            let mut valid = [false; BATCH];
            let valid = &mut valid[..records.len()];
            self.gcm.open_many(&mut records, valid);
            match valid.iter().position(|valid| !valid) {
                None => authentic += valid.len(),
                Some(good) => return Err(AuthenticationError { authentic: authentic + good }),
            }
        }
        if ends_well { Ok(()) } else { Err(AuthenticationError { authentic }) }
    }

    /// Returns the chunks of some cells as records, and the positions of their tags.
    fn lay_out<'c>(
        &self,
        numbers: &mut impl Iterator<Item = u64>,
        cells: &'c mut [u8],
    ) -> (Vec<Record<'c>>, Vec<&'c mut [u8]>) {
        let parts = cells.chunks_mut(SEALED_CHUNK_LEN).map(|cell| {
            let text = cell.len().checked_sub(TAG_LEN).expect("a cell has room for a tag");
            cell.split_at_mut(text)
        });
        let records = parts.zip(numbers).map(|((text, tag), number)| {
            (Record { iv: self.nonce(number), aad: &[], text, tag: [0; TAG_LEN] }, tag)
        });
        records.unzip()
    }

    /// Exclusive-ors the base nonce with the chunk number as a big-endian integer.
    fn nonce(&self, number: u64) -> [u8; derive::NONCE_LEN] {
        let mut nonce = self.base_nonce;
        for (byte, bits) in nonce[derive::NONCE_LEN - 8..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= bits;
        }
        nonce
    }
}

/// Checks that the specification's chunk counter stays below [`MAX_CHUNKS`].
fn check_count(first: u64, cells: &[u8]) -> Result<(), TooLongError> {
    let count = cells.len().div_ceil(SEALED_CHUNK_LEN) as u64;
    match first.checked_add(count).is_some_and(|end| end <= MAX_CHUNKS) {
        true => Ok(()),
        false => Err(TooLongError),
    }
}
