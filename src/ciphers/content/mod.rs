//! Content encryption: the `enc` algorithms of a sealed order.
//!
//! Every cipher is authenticated: AES-GCM and Grain-128AEADv2 by design, the others by
//! encrypt-then-MAC.

mod gcm;
mod grain;
mod raw;
mod then_mac;

use std::fmt::Debug;

use rand::Rng;

use crate::ciphers::aes::{self, KeySize};
use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{DesKey, TripleDesKey};
use crate::ciphers::toy_des::{self, SBox};
use crate::ciphers::{CipherError, des, feal, vernam};
use raw::{Aes128Cbc, Aes192Cbc, Aes256Cbc, DesCbc, DesEde3Cbc, Feal8Cbc, ToyDesEcb, Vernam};
use then_mac::{EncryptThenMac, MacHash, RawCipher};

/// An order to seal or open, in place.
#[derive(Debug)]
pub struct Record<'a> {
    /// The initialization vector.
    pub iv: &'a [u8],
    /// The additional authenticated data.
    pub aad: &'a [u8],
    /// Buffer for the ciphertext: [`ContentCipher::sealed_len`] bytes, the plaintext at the start.
    pub text: &'a mut [u8],
    /// Length of the plaintext in bytes: read when sealing, set when opening.
    pub len: usize,
    /// The authentication tag, in the first [`ContentCipher::tag_len`] bytes.
    pub tag: [u8; MAX_TAG],
    /// Whether the record was found authentic when opened. If not, `text` is all zero.
    pub authentic: bool,
}

/// The content-encryption keys of a batch.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// One key for all records.
    One(&'a [u8]),
    /// One key per record, concatenated; each has the length that [`ContentCipher::key_len_for`]
    /// returns for the record's text.
    Each(&'a [u8]),
}

/// Length of the longest tag in bytes.
pub const MAX_TAG: usize = 32;

/// Length of the MAC key of the `-HS256` forms in bytes.
const MAC_KEY_LEN: usize = <sha2::Sha256 as MacHash>::HALF;

/// Length of the longest initialization vector in bytes.
pub const MAX_IV: usize = 16;

/// A content-encryption algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentCipher {
    /// AES-128 in Galois/Counter Mode (RFC 7518 section 5.3).
    A128Gcm,
    /// AES-192 in Galois/Counter Mode (RFC 7518 section 5.3).
    A192Gcm,
    /// AES-256 in Galois/Counter Mode (RFC 7518 section 5.3).
    A256Gcm,
    /// AES-128 in CBC mode with HMAC-SHA-256 (RFC 7518 section 5.2.3).
    A128CbcHs256,
    /// AES-192 in CBC mode with HMAC-SHA-384 (RFC 7518 section 5.2.4).
    A192CbcHs384,
    /// AES-256 in CBC mode with HMAC-SHA-512 (RFC 7518 section 5.2.5).
    A256CbcHs512,
    /// DES in CBC mode with HMAC-SHA-256. Weak: 56-bit key.
    DesCbcHs256,
    /// Triple DES with three keys in CBC mode with HMAC-SHA-256. Weak: 64-bit blocks.
    DesEde3CbcHs256,
    /// Toy DES with its S-box, block by block, with HMAC-SHA-256. Weak: 12-bit key.
    ToyDesEcbHs256(SBox),
    /// FEAL-8 in CBC mode with HMAC-SHA-256. Weak: broken.
    Feal8CbcHs256,
    /// Grain-128AEADv2. Treated as weak for its 64-bit tag and because it is little used.
    Grain128AeadV2,
    /// Exclusive-or with a one-time pad, with HMAC-SHA-256. Treated as weak because using a piece
    /// of pad twice reveals the exclusive-or of both texts.
    VernamHs256,
}

/// Fixed properties of an algorithm.
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

    const fn then_mac<C: RawCipher>(name: &'static str, weak: bool, at_once: usize) -> Self {
        Self {
            name,
            weak,
            key_len: C::Hash::HALF + C::KEY_LEN,
            iv_len: C::IV_LEN,
            tag_len: C::Hash::HALF,
            block_len: C::BLOCK_LEN,
            at_once,
        }
    }
}

impl ContentCipher {
    /// Every content cipher; the toy DES with its default S-box.
    pub const ALL: [Self; 12] = [
        Self::A256Gcm,
        Self::A192Gcm,
        Self::A128Gcm,
        Self::A256CbcHs512,
        Self::A192CbcHs384,
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
            Self::A192Gcm => Facts::aead("A192GCM", false, 24, 16, 256),
            Self::A256Gcm => Facts::aead("A256GCM", false, 32, 16, 256),
            Self::A128CbcHs256 => Facts::then_mac::<Aes128Cbc>("A128CBC-HS256", false, 64),
            Self::A192CbcHs384 => Facts::then_mac::<Aes192Cbc>("A192CBC-HS384", false, 64),
            Self::A256CbcHs512 => Facts::then_mac::<Aes256Cbc>("A256CBC-HS512", false, 64),
            // CBC encryption is sequential, so only separate orders fill the lanes.
            Self::DesCbcHs256 => Facts::then_mac::<DesCbc>("DES-CBC-HS256", true, 1024),
            Self::DesEde3CbcHs256 => {
                Facts::then_mac::<DesEde3Cbc>("DES-EDE3-CBC-HS256", true, 1024)
            }
            Self::ToyDesEcbHs256(_) => Facts::then_mac::<ToyDesEcb>("TOYDES-ECB-HS256", true, 64),
            Self::Feal8CbcHs256 => Facts::then_mac::<Feal8Cbc>("FEAL8-CBC-HS256", true, 64),
            Self::Grain128AeadV2 => Facts::aead("GRAIN128AEADV2", true, 16, 8, 64),
            Self::VernamHs256 => Facts::then_mac::<Vernam>("VERNAM-HS256", true, 64),
        }
    }

    /// AES-GCM with keys of this size.
    pub const fn gcm(size: KeySize) -> Self {
        match size {
            KeySize::Aes128 => Self::A128Gcm,
            KeySize::Aes192 => Self::A192Gcm,
            KeySize::Aes256 => Self::A256Gcm,
        }
    }

    /// Returns the cipher with the given `enc` name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.name() == name)
    }

    /// Returns the `enc` name.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether the cipher is only for teaching and old data.
    pub const fn is_weak(self) -> bool {
        self.facts().weak
    }

    /// Key length in bytes; for the forms with an HMAC, MAC key and cipher key together. For
    /// [`VernamHs256`](Self::VernamHs256), the MAC key alone; the pad is added to it.
    pub const fn key_len(self) -> usize {
        self.facts().key_len
    }

    /// Key length in bytes for a text of `text_len` bytes; only pads depend on the text.
    pub const fn key_len_for(self, text_len: usize) -> usize {
        match self.takes_pad() {
            true => self.key_len() + text_len,
            false => self.key_len(),
        }
    }

    /// Whether each text uses up a piece of pad of its own length, never shared with another text.
    pub const fn takes_pad(self) -> bool {
        matches!(self, Self::VernamHs256)
    }

    /// Returns the S-box of the toy DES; `None` for other ciphers.
    pub const fn sbox(self) -> Option<SBox> {
        match self {
            Self::ToyDesEcbHs256(sbox) => Some(sbox),
            Self::A128Gcm
            | Self::A192Gcm
            | Self::A256Gcm
            | Self::A128CbcHs256
            | Self::A192CbcHs384
            | Self::A256CbcHs512
            | Self::DesCbcHs256
            | Self::DesEde3CbcHs256
            | Self::Feal8CbcHs256
            | Self::Grain128AeadV2
            | Self::VernamHs256 => None,
        }
    }

    /// Returns the toy DES with another S-box; `None` for other ciphers.
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

    /// Backends with their own code for this cipher.
    pub const fn backends(self) -> &'static [&'static str] {
        match self {
            Self::A128Gcm | Self::A192Gcm | Self::A256Gcm => aes::BACKENDS,
            Self::A128CbcHs256 | Self::A192CbcHs384 | Self::A256CbcHs512 => raw::AES_BACKENDS,
            Self::DesCbcHs256 | Self::DesEde3CbcHs256 => des::BACKENDS,
            Self::ToyDesEcbHs256(_) => toy_des::BACKENDS,
            Self::Feal8CbcHs256 => feal::BACKENDS,
            Self::Grain128AeadV2 => crate::ciphers::grain::BACKENDS,
            Self::VernamHs256 => vernam::BACKENDS,
        }
    }

    /// Number of records worth sealing together: enough to fill the lanes of the widest backend and
    /// to make the cost of clearing a kernel's buffers negligible.
    pub const fn at_once(self) -> usize {
        self.facts().at_once
    }

    /// Length in bytes of the ciphertext of `len` bytes of plaintext.
    pub const fn sealed_len(self, len: usize) -> usize {
        match self.facts().block_len {
            0 | 1 => len,
            block => (len / block + 1) * block,
        }
    }

    /// Checks a key before it is used for sealing.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`], and [`CipherError::WeakKey`] for keys that the cipher's
    /// specification warns against.
    pub fn check_key(self, key: &[u8]) -> Result<(), CipherError> {
        if key.len() != self.key_len() {
            return Err(CipherError::KeyLength {
                cipher: self.name(),
                expected: self.key_len(),
                found: key.len(),
            });
        }
        let weakness = match self {
            Self::DesCbcHs256 => DesCbc.weakness(&key[MAC_KEY_LEN..]),
            Self::DesEde3CbcHs256 => DesEde3Cbc.weakness(&key[MAC_KEY_LEN..]),
            Self::ToyDesEcbHs256(sbox) => ToyDesEcb(sbox).weakness(&key[MAC_KEY_LEN..]),
            Self::A128Gcm
            | Self::A192Gcm
            | Self::A256Gcm
            | Self::A128CbcHs256
            | Self::A192CbcHs384
            | Self::A256CbcHs512
            | Self::Feal8CbcHs256
            | Self::Grain128AeadV2
            | Self::VernamHs256 => None,
        };
        match weakness {
            Some(reason) => Err(CipherError::WeakKey { cipher: self.name(), reason }),
            None => Ok(()),
        }
    }

    /// The check value of a DES or triple-DES key ([`des::check_value`]). None for other ciphers, and
    /// for a key of another length.
    pub fn check_value(self, key: &[u8]) -> Option<[u8; 3]> {
        let own = key.get(MAC_KEY_LEN..)?;
        match self {
            Self::DesCbcHs256 => {
                let key = DesKey::from(<[u8; 8]>::try_from(own).ok()?);
                Some(des::check_value(&key))
            }
            Self::DesEde3CbcHs256 => {
                let key = TripleDesKey::from(<[u8; 24]>::try_from(own).ok()?);
                Some(des::check_value(&key))
            }
            Self::A128Gcm
            | Self::A192Gcm
            | Self::A256Gcm
            | Self::A128CbcHs256
            | Self::A192CbcHs384
            | Self::A256CbcHs512
            | Self::ToyDesEcbHs256(_)
            | Self::Feal8CbcHs256
            | Self::Grain128AeadV2
            | Self::VernamHs256 => None,
        }
    }

    /// Turns random bytes into a valid key: the toy DES uses only the low 12 bits of its 64.
    pub fn shape_keys(self, keys: &mut [u8]) {
        if let Self::ToyDesEcbHs256(_) = self {
            for key in keys.chunks_exact_mut(self.key_len()) {
                key[MAC_KEY_LEN..][..6].fill(0);
                key[MAC_KEY_LEN + 6] &= 0x0f;
            }
        }
    }

    /// Fills `keys`, any number of concatenated keys, with random keys.
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
            Self::A192Gcm => gcm::seal(backend, KeySize::Aes192, keys, records),
            Self::A256Gcm => gcm::seal(backend, KeySize::Aes256, keys, records),
            Self::A128CbcHs256 => EncryptThenMac(Aes128Cbc::NEW).seal(backend, keys, records),
            Self::A192CbcHs384 => EncryptThenMac(Aes192Cbc::NEW).seal(backend, keys, records),
            Self::A256CbcHs512 => EncryptThenMac(Aes256Cbc::NEW).seal(backend, keys, records),
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

    /// Verifies every record and decrypts the authentic ones in place.
    ///
    /// # Panics
    /// Panics if a key or an initialization vector has the wrong length.
    pub fn open(self, backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
        match self {
            Self::A128Gcm => gcm::open(backend, KeySize::Aes128, keys, records),
            Self::A192Gcm => gcm::open(backend, KeySize::Aes192, keys, records),
            Self::A256Gcm => gcm::open(backend, KeySize::Aes256, keys, records),
            Self::A128CbcHs256 => EncryptThenMac(Aes128Cbc::NEW).open(backend, keys, records),
            Self::A192CbcHs384 => EncryptThenMac(Aes192Cbc::NEW).open(backend, keys, records),
            Self::A256CbcHs512 => EncryptThenMac(Aes256Cbc::NEW).open(backend, keys, records),
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

/// Converts a key or an initialization vector to the type that its cipher takes.
fn sized<'a, T: TryFrom<&'a [u8], Error: Debug>>(bytes: &'a [u8]) -> T {
    bytes.try_into().expect("a key or an IV of the cipher's length")
}

impl<'a> Keys<'a> {
    /// Returns the key of a record, where each is `len` bytes long.
    fn of(self, index: usize, len: usize) -> &'a [u8] {
        match self {
            Self::One(key) => key,
            Self::Each(keys) => &keys[index * len..(index + 1) * len],
        }
    }
}

#[cfg(test)]
mod tests;
