//! `dir` with a secret key, which encrypts orders itself (RFC 7518 section 4.5).

use super::fitting;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::{CipherError, Secret};
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, KeyRef};
use crate::protocol::model::{KeyError, Suite};

pub(super) fn sealing_key(
    key: &EncryptingKey,
    cipher: ContentCipher,
    suite: Suite,
) -> Result<&Secret, KeyError> {
    let key = fitting(key.as_key().secret(), key.name(), suite)?;
    cipher.check_key(key)?;
    Ok(key)
}

/// Checks the length only: old data may be encrypted under a weak key.
pub(super) fn opening_key(
    key: KeyRef<'_>,
    cipher: ContentCipher,
    suite: Suite,
) -> Result<&Secret, KeyError> {
    let key = fitting(key.secret(), key.name(), suite)?;
    match cipher.check_key(key) {
        Err(CipherError::WeakKey { .. }) | Ok(()) => Ok(key),
        Err(error) => Err(error.into()),
    }
}
