//! Content encryption: the `enc` of a sealed order.
//!
//! Every cipher is authenticated: AES-GCM and Grain-128AEADv2 by themselves, the others by
//! encrypt-then-MAC.

mod gcm;
mod grain;
mod hs256;
mod raw;

use rand::Rng;

use crate::ciphers::aes::{self, KeySize};
use crate::ciphers::cpu::Backend;
use crate::ciphers::toy_des::{self, SBox};
use crate::ciphers::{CipherError, des, feal, vernam};
use hs256::{EncryptThenMac, RawCipher};
use raw::{Aes128Cbc, DesCbc, DesEde3Cbc, Feal8Cbc, ToyDesEcb, Vernam};

/// An order to be sealed or opened, in place.
#[derive(Debug)]
pub struct Record<'a> {
    /// The initialization vector.
    pub iv: &'a [u8],
    /// The additional authenticated data.
    pub aad: &'a [u8],
    /// Room for the ciphertext: [`ContentCipher::sealed_len`] bytes, the plaintext in front.
    pub text: &'a mut [u8],
    /// Bytes of the plaintext: read by sealing, set by opening.
    pub len: usize,
    /// The authentication tag; the first [`ContentCipher::tag_len`] bytes count.
    pub tag: [u8; MAX_TAG],
    /// Whether opening found the record authentic. When it did not, `text` is all zero.
    pub authentic: bool,
}

/// The content-encryption keys of a batch.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// One for all records.
    One(&'a [u8]),
    /// One for each, laid end to end; as long as [`ContentCipher::key_len_for`] the record's text.
    Each(&'a [u8]),
}

/// The longest tag in bytes.
pub const MAX_TAG: usize = 16;

/// The longest initialization vector in bytes.
pub const MAX_IV: usize = 16;

/// A content-encryption algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentCipher {
    /// AES-128 in Galois/counter mode (RFC 7518 section 5.3).
    A128Gcm,
    /// AES-256 in Galois/counter mode (RFC 7518 section 5.3).
    A256Gcm,
    /// AES-128 in CBC mode with HMAC-SHA-256 (RFC 7518 section 5.2.3).
    A128CbcHs256,
    /// DES in CBC mode with HMAC-SHA-256. Weak: a 56-bit key.
    DesCbcHs256,
    /// Triple DES with three keys in CBC mode with HMAC-SHA-256. Weak: 64-bit blocks.
    DesEde3CbcHs256,
    /// The toy DES with its S-box, block by block, with HMAC-SHA-256. Weak: a 12-bit key.
    ToyDesEcbHs256(SBox),
    /// FEAL-8 in CBC mode with HMAC-SHA-256. Weak: broken.
    Feal8CbcHs256,
    /// Grain-128AEADv2. Counted as weak for its 64-bit tag and because few use it.
    Grain128AeadV2,
    /// The exclusive-or with a one-time pad, with HMAC-SHA-256. Counted as weak for what becomes of
    /// it when a piece of pad is used twice.
    VernamHs256,
}

/// What is fixed by an algorithm.
struct Facts {
    name: &'static str,
    weak: bool,
    key_len: usize,
    iv_len: usize,
    tag_len: usize,
    block_len: usize,
    at_once: usize,
}

impl Facts {
    const fn aead(
        name: &'static str,
        weak: bool,
        key_len: usize,
        tag_len: usize,
        at_once: usize,
    ) -> Self {
        Self { name, weak, key_len, iv_len: 12, tag_len, block_len: 0, at_once }
    }

    const fn hs256<C: RawCipher>(name: &'static str, weak: bool, at_once: usize) -> Self {
        Self {
            name,
            weak,
            key_len: hs256::MAC_KEY_LEN + C::KEY_LEN,
            iv_len: C::IV_LEN,
            tag_len: hs256::TAG_LEN,
            block_len: C::BLOCK_LEN,
            at_once,
        }
    }
}

impl ContentCipher {
    /// Every content cipher; the toy DES with its default S-box.
    pub const ALL: [Self; 9] = [
        Self::A256Gcm,
        Self::A128Gcm,
        Self::A128CbcHs256,
        Self::DesCbcHs256,
        Self::DesEde3CbcHs256,
        Self::ToyDesEcbHs256(SBox::DEFAULT),
        Self::Feal8CbcHs256,
        Self::Grain128AeadV2,
        Self::VernamHs256,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::A128Gcm => Facts::aead("A128GCM", false, 16, 16, 256),
            Self::A256Gcm => Facts::aead("A256GCM", false, 32, 16, 256),
            Self::A128CbcHs256 => Facts::hs256::<Aes128Cbc>("A128CBC-HS256", false, 64),
            // CBC encryption is a chain, so that only the number of orders fills the lanes.
            Self::DesCbcHs256 => Facts::hs256::<DesCbc>("DES-CBC-HS256", true, 1024),
            Self::DesEde3CbcHs256 => Facts::hs256::<DesEde3Cbc>("DES-EDE3-CBC-HS256", true, 1024),
            Self::ToyDesEcbHs256(_) => Facts::hs256::<ToyDesEcb>("TOYDES-ECB-HS256", true, 64),
            Self::Feal8CbcHs256 => Facts::hs256::<Feal8Cbc>("FEAL8-CBC-HS256", true, 64),
            Self::Grain128AeadV2 => Facts::aead("GRAIN128AEADV2", true, 16, 8, 64),
            Self::VernamHs256 => Facts::hs256::<Vernam>("VERNAM-HS256", true, 64),
        }
    }

    /// The cipher with that `enc` name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.name() == name)
    }

    /// The `enc` name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether the cipher is for teaching and old data only.
    pub const fn is_weak(self) -> bool {
        self.facts().weak
    }

    /// Key length in bytes; for the `-HS256` forms, of the MAC key (16) and the cipher key. For
    /// [`VernamHs256`](Self::VernamHs256) that of the MAC key, to which the pad comes.
    pub const fn key_len(self) -> usize {
        self.facts().key_len
    }

    /// Length in bytes of the key for a text of `text_len` bytes, which matters to a pad only.
    pub const fn key_len_for(self, text_len: usize) -> usize {
        match self.takes_pad() {
            true => self.key_len() + text_len,
            false => self.key_len(),
        }
    }

    /// Whether each text takes a piece of pad as long as itself, which no other text may have.
    pub const fn takes_pad(self) -> bool {
        matches!(self, Self::VernamHs256)
    }

    /// The S-box, if it is the toy DES.
    pub const fn sbox(self) -> Option<SBox> {
        match self {
            Self::ToyDesEcbHs256(sbox) => Some(sbox),
            Self::A128Gcm
            | Self::A256Gcm
            | Self::A128CbcHs256
            | Self::DesCbcHs256
            | Self::DesEde3CbcHs256
            | Self::Feal8CbcHs256
            | Self::Grain128AeadV2
            | Self::VernamHs256 => None,
        }
    }

    /// The same with another S-box, if it is the toy DES.
    pub fn with_sbox(self, sbox: SBox) -> Option<Self> {
        self.sbox().map(|_| Self::ToyDesEcbHs256(sbox))
    }

    /// Length of the initialization vector in bytes.
    pub const fn iv_len(self) -> usize {
        self.facts().iv_len
    }

    /// Length of the authentication tag in bytes.
    pub const fn tag_len(self) -> usize {
        self.facts().tag_len
    }

    /// The backends that the cipher has code of its own for.
    pub const fn backends(self) -> &'static [&'static str] {
        match self {
            Self::A128Gcm | Self::A256Gcm => aes::BACKENDS,
            Self::A128CbcHs256 => raw::AES_BACKENDS,
            Self::DesCbcHs256 | Self::DesEde3CbcHs256 => des::BACKENDS,
            Self::ToyDesEcbHs256(_) => toy_des::BACKENDS,
            Self::Feal8CbcHs256 => feal::BACKENDS,
            Self::Grain128AeadV2 => crate::ciphers::grain::BACKENDS,
            Self::VernamHs256 => vernam::BACKENDS,
        }
    }

    /// Records that are worth sealing together: they fill the lanes of the widest backend, and are
    /// so many that what a kernel clears behind itself hardly counts.
    pub const fn at_once(self) -> usize {
        self.facts().at_once
    }

    /// Bytes of ciphertext that `len` bytes of plaintext become.
    pub const fn sealed_len(self, len: usize) -> usize {
        match self.facts().block_len {
            0 | 1 => len,
            block => (len / block + 1) * block,
        }
    }

    /// Checks a key that is about to be used for sealing.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`], and [`CipherError::WeakKey`] for the keys that the cipher's
    /// specification warns of.
    pub fn check_key(self, key: &[u8]) -> Result<(), CipherError> {
        if key.len() != self.key_len() {
            return Err(CipherError::KeyLength {
                cipher: self.name(),
                expected: self.key_len(),
                found: key.len(),
            });
        }
        let weakness = match self {
            Self::DesCbcHs256 => DesCbc.weakness(&key[hs256::MAC_KEY_LEN..]),
            Self::DesEde3CbcHs256 => DesEde3Cbc.weakness(&key[hs256::MAC_KEY_LEN..]),
            Self::ToyDesEcbHs256(sbox) => ToyDesEcb(sbox).weakness(&key[hs256::MAC_KEY_LEN..]),
            Self::A128Gcm
            | Self::A256Gcm
            | Self::A128CbcHs256
            | Self::Feal8CbcHs256
            | Self::Grain128AeadV2
            | Self::VernamHs256 => None,
        };
        match weakness {
            Some(reason) => Err(CipherError::WeakKey { cipher: self.name(), reason }),
            None => Ok(()),
        }
    }

    /// Gives random bytes the form of a key: the toy DES uses the low 12 bits of its 64 only.
    pub fn shape_keys(self, keys: &mut [u8]) {
        if let Self::ToyDesEcbHs256(_) = self {
            for key in keys.chunks_exact_mut(self.key_len()) {
                key[hs256::MAC_KEY_LEN..][..6].fill(0);
                key[hs256::MAC_KEY_LEN + 6] &= 0x0f;
            }
        }
    }

    /// Fills `keys`, any number of keys one after the other, with random ones.
    pub fn fill_keys(self, rng: &mut impl Rng, keys: &mut [u8]) {
        rng.fill_bytes(keys);
        self.shape_keys(keys);
        if self.is_weak() {
            for key in keys.chunks_exact_mut(self.key_len()) {
                while self.check_key(key).is_err() {
                    rng.fill_bytes(key);
                }
            }
        }
    }

    /// Encrypts every record in place and sets its tag.
    ///
    /// # Panics
    /// Panics if a key, an initialization vector or a text has the wrong length.
    pub fn seal(self, backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
        match self {
            Self::A128Gcm => gcm::seal(backend, KeySize::Aes128, keys, records),
            Self::A256Gcm => gcm::seal(backend, KeySize::Aes256, keys, records),
            Self::A128CbcHs256 => EncryptThenMac(Aes128Cbc).seal(backend, keys, records),
            Self::DesCbcHs256 => EncryptThenMac(DesCbc).seal(backend, keys, records),
            Self::DesEde3CbcHs256 => EncryptThenMac(DesEde3Cbc).seal(backend, keys, records),
            Self::ToyDesEcbHs256(sbox) => {
                EncryptThenMac(ToyDesEcb(sbox)).seal(backend, keys, records);
            }
            Self::Feal8CbcHs256 => EncryptThenMac(Feal8Cbc).seal(backend, keys, records),
            Self::Grain128AeadV2 => grain::seal(backend, keys, records),
            Self::VernamHs256 => EncryptThenMac(Vernam).seal(backend, keys, records),
        }
    }

    /// Verifies every record and decrypts those that are authentic, in place.
    ///
    /// # Panics
    /// Panics if a key or an initialization vector has the wrong length.
    pub fn open(self, backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
        match self {
            Self::A128Gcm => gcm::open(backend, KeySize::Aes128, keys, records),
            Self::A256Gcm => gcm::open(backend, KeySize::Aes256, keys, records),
            Self::A128CbcHs256 => EncryptThenMac(Aes128Cbc).open(backend, keys, records),
            Self::DesCbcHs256 => EncryptThenMac(DesCbc).open(backend, keys, records),
            Self::DesEde3CbcHs256 => EncryptThenMac(DesEde3Cbc).open(backend, keys, records),
            Self::ToyDesEcbHs256(sbox) => {
                EncryptThenMac(ToyDesEcb(sbox)).open(backend, keys, records);
            }
            Self::Feal8CbcHs256 => EncryptThenMac(Feal8Cbc).open(backend, keys, records),
            Self::Grain128AeadV2 => grain::open(backend, keys, records),
            Self::VernamHs256 => EncryptThenMac(Vernam).open(backend, keys, records),
        }
    }
}

impl<'a> Keys<'a> {
    /// The key of a record, where each is `len` bytes long.
    fn of(self, index: usize, len: usize) -> &'a [u8] {
        match self {
            Self::One(key) => key,
            Self::Each(keys) => &keys[index * len..(index + 1) * len],
        }
    }
}

#[cfg(test)]
mod tests;
