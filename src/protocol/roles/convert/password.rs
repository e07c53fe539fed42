//! Keys that OpenSSL's `enc` derives from a password.

use hmac::digest::Digest;
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::OldKey;
use super::old_cipher::OldCipher;
use crate::ciphers::Secret;
use crate::ciphers::des::BLOCK;
use crate::protocol::model::{Error, Malformed, OldDataFault, Place, Result};

/// First bytes of the data; the salt follows.
pub(super) const MAGIC: &[u8; 8] = b"Salted__";

/// Bytes of the first bytes and the salt together.
pub(super) const HEADER: usize = 16;

/// Longest password in bytes; OpenSSL reads no more of a line.
const MAX_PASSWORD: usize = 1023;

/// Key derivation of OpenSSL's `enc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    /// `EVP_BytesToKey` with one round, as without its option `-pbkdf2`.
    BytesToKey(Hash),
    /// PBKDF2 with HMAC (RFC 8018 section 5.2), as with its option `-pbkdf2`.
    Pbkdf2(Hash),
}

/// Hash function of a key derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// MD5: the default of `enc` before OpenSSL 1.1.0.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256: the default of `enc` since OpenSSL 1.1.0 (2016).
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Kdf {
    /// All of them, with their names in options.
    pub const ALL: [(&str, Self); 8] = [
        ("sha256", Self::BytesToKey(Hash::Sha256)),
        ("md5", Self::BytesToKey(Hash::Md5)),
        ("sha1", Self::BytesToKey(Hash::Sha1)),
        ("sha512", Self::BytesToKey(Hash::Sha512)),
        ("pbkdf2-sha256", Self::Pbkdf2(Hash::Sha256)),
        ("pbkdf2-md5", Self::Pbkdf2(Hash::Md5)),
        ("pbkdf2-sha1", Self::Pbkdf2(Hash::Sha1)),
        ("pbkdf2-sha512", Self::Pbkdf2(Hash::Sha512)),
    ];
}

/// What OpenSSL does with no option but the cipher's since 2016. Nothing in the data says what it did.
impl Default for Kdf {
    fn default() -> Self {
        Self::BytesToKey(Hash::Sha256)
    }
}

/// Rounds of PBKDF2 that OpenSSL makes unless it is given another number.
pub const OPENSSL_ROUNDS: u32 = 10_000;

/// A password of old data, and how keys and initialization vectors are derived from it.
#[derive(Debug)]
pub struct OldPassword {
    cipher: OldCipher,
    password: Secret,
    kdf: Kdf,
    rounds: u32,
}

impl OldPassword {
    /// Reads a password from the content of its file: the bytes of its one line. `rounds` are those of
    /// PBKDF2. None for the toy DES, which OpenSSL does not have.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it has other than 1 to 1,023 bytes, or more lines.
    pub fn read(
        cipher: OldCipher,
        file: &[u8],
        kdf: Kdf,
        rounds: u32,
        place: &Place,
    ) -> Result<Self> {
        let line = file.strip_suffix(b"\n").unwrap_or(file);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let expected = |words| Error::malformed(place, Malformed::Expected(words));
        if !(1..=MAX_PASSWORD).contains(&line.len()) {
            return Err(expected("a password of 1 to 1023 bytes"));
        }
        if line.contains(&b'\n') {
            return Err(expected("a password on one line"));
        }
        Ok(Self { cipher, password: Secret::from(line), kdf, rounds })
    }

    /// The cipher.
    pub fn cipher(&self) -> OldCipher {
        self.cipher
    }

    /// Derives the key and the initialization vector for what begins with this header.
    pub(super) fn derive(&self, header: &[u8], place: &Place) -> Result<(OldKey, [u8; BLOCK])> {
        let salt = header.strip_prefix(MAGIC).filter(|salt| salt.len() == HEADER - MAGIC.len());
        let salt = salt.ok_or_else(|| Error::malformed(place, OldDataFault::NotSalted))?;
        let key_len = self.cipher.key_lengths().first().copied().unwrap_or_default();
        let mut out = Secret::zeroed(key_len + BLOCK);
        match self.kdf {
            Kdf::BytesToKey(Hash::Md5) => self.bytes_to_key::<Md5>(salt, &mut out),
            Kdf::BytesToKey(Hash::Sha1) => self.bytes_to_key::<Sha1>(salt, &mut out),
            Kdf::BytesToKey(Hash::Sha256) => self.bytes_to_key::<Sha256>(salt, &mut out),
            Kdf::BytesToKey(Hash::Sha512) => self.bytes_to_key::<Sha512>(salt, &mut out),
            Kdf::Pbkdf2(Hash::Md5) => {
                pbkdf2_hmac::<Md5>(&self.password, salt, self.rounds, &mut out)
            }
            Kdf::Pbkdf2(Hash::Sha1) => {
                pbkdf2_hmac::<Sha1>(&self.password, salt, self.rounds, &mut out)
            }
            Kdf::Pbkdf2(Hash::Sha256) => {
                pbkdf2_hmac::<Sha256>(&self.password, salt, self.rounds, &mut out);
            }
            Kdf::Pbkdf2(Hash::Sha512) => {
                pbkdf2_hmac::<Sha512>(&self.password, salt, self.rounds, &mut out);
            }
        }
        let (key, iv) = out.split_at(key_len);
        let key = OldKey::new(self.cipher, key).expect("a key of the usual length");
        Ok((key, iv.try_into().expect("the rest is one block")))
    }

    /// `EVP_BytesToKey` with one round: each hash is of the one before, the password and the salt.
    fn bytes_to_key<H: Digest>(&self, salt: &[u8], out: &mut [u8]) {
        let mut hash = Secret::zeroed(0);
        for part in out.chunks_mut(<H as Digest>::output_size()) {
            let input = H::new().chain_update(&*hash).chain_update(&*self.password);
            hash = Secret::from(input.chain_update(salt).finalize().as_slice());
            part.copy_from_slice(&hash[..part.len()]);
        }
    }
}
