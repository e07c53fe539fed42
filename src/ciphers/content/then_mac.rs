//! Encrypt-then-MAC, the composition of RFC 7518 section 5.2.
//!
//! The key is a MAC key, half as long as the hash, followed by the cipher's key. The tag is the
//! first half of the HMAC over AAD ‖ IV ‖ ciphertext ‖ the AAD's length in bits as a big-endian u64.

use std::fmt::Debug;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::{Keys, MAX_TAG, Record, sized};
use crate::ciphers::cpu::Backend;

/// A hash function that authenticates by HMAC.
pub(super) trait MacHash {
    /// HMAC with the hash function.
    type Mac: Mac + KeyInit;
    /// Half the length of a hash in bytes: the length of a MAC key and of a tag.
    const HALF: usize;
}

impl MacHash for Sha256 {
    type Mac = Hmac<Self>;
    const HALF: usize = 16;
}

impl MacHash for Sha384 {
    type Mac = Hmac<Self>;
    const HALF: usize = 24;
}

impl MacHash for Sha512 {
    type Mac = Hmac<Self>;
    const HALF: usize = 32;
}

/// A text under an unauthenticated cipher.
pub(super) struct RawText<'a, C: RawCipher + ?Sized> {
    /// The cipher's key.
    pub(super) key: C::Key<'a>,
    /// The initialization vector.
    pub(super) iv: C::Iv<'a>,
    /// Whole blocks.
    pub(super) blocks: &'a mut [u8],
}

/// An unauthenticated cipher.
pub(super) trait RawCipher {
    /// Hash function that authenticates the cipher.
    type Hash: MacHash;
    /// Type of a key: an array, if keys have one length.
    type Key<'a>: TryFrom<&'a [u8], Error: Debug>;
    /// Type of an initialization vector: an array.
    type Iv<'a>: TryFrom<&'a [u8], Error: Debug>;
    /// Key length in bytes, for a cipher whose keys all have the same length.
    const KEY_LEN: usize;
    /// Length of the initialization vector in bytes.
    const IV_LEN: usize;
    /// Block length in bytes; plaintexts are padded to it as in PKCS #7 unless it is 1.
    const BLOCK_LEN: usize;

    /// Length in bytes of the key for a text of `text_len` bytes.
    fn key_len(_text_len: usize) -> usize {
        Self::KEY_LEN
    }

    /// Encrypts every text in place.
    fn encrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]);

    /// Decrypts every text in place.
    fn decrypt(&self, backend: Backend, texts: &mut [RawText<'_, Self>]);

    /// Describes the weakness of this particular key, if any.
    fn weakness(&self, _key: &[u8]) -> Option<String> {
        None
    }
}

/// A [`RawCipher`] authenticated by the HMAC of its hash function.
pub(super) struct EncryptThenMac<C>(pub(super) C);

impl<C: RawCipher> EncryptThenMac<C> {
    /// Encrypts and authenticates every record.
    pub(super) fn seal(&self, backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
        for record in records.iter_mut() {
            let padding = record.text.len() - record.len;
            record.text[record.len..].fill(padding as u8);
        }
        let keys = Self::split(keys, records);
        self.0.encrypt(backend, &mut Self::texts(keys.iter().zip(records.iter_mut())));
        for (key, record) in keys.iter().zip(records) {
            record.tag = tag::<C::Hash>(key.mac, record);
        }
    }

    /// Verifies every record and decrypts the authentic ones.
    pub(super) fn open(&self, backend: Backend, keys: Keys<'_>, records: &mut [Record<'_>]) {
        let keys = Self::split(keys, records);
        for (key, record) in keys.iter().zip(records.iter_mut()) {
            let whole_blocks = record.text.len().is_multiple_of(C::BLOCK_LEN);
            let expected = &tag::<C::Hash>(key.mac, record)[..C::Hash::HALF];
            record.authentic =
                whole_blocks && bool::from(expected.ct_eq(&record.tag[..C::Hash::HALF]));
        }
        let authentic = keys.iter().zip(records.iter_mut()).filter(|(_, record)| record.authentic);
        self.0.decrypt(backend, &mut Self::texts(authentic));
        for record in records {
            match plain_len(record.text, C::BLOCK_LEN).filter(|_| record.authentic) {
                Some(len) => record.len = len,
                None => {
                    record.authentic = false;
                    record.text.fill(0);
                }
            }
        }
    }

    fn texts<'r, 'd: 'r>(
        records: impl Iterator<Item = (&'r SplitKey<'r>, &'r mut Record<'d>)>,
    ) -> Vec<RawText<'r, C>> {
        records
            .map(|(key, record)| RawText {
                key: sized(key.cipher),
                iv: sized(record.iv),
                blocks: record.text,
            })
            .collect()
    }

    /// Splits the key of every record into its two parts.
    fn split<'k>(keys: Keys<'k>, records: &[Record<'_>]) -> Vec<SplitKey<'k>> {
        let lengths = records.iter().map(|record| C::Hash::HALF + C::key_len(record.text.len()));
        let mut rest = match keys {
            Keys::One(key) | Keys::Each(key) => key,
        };
        lengths
            .map(|len| {
                let (key, others) = rest.split_at(len);
                if let Keys::Each(_) = keys {
                    rest = others;
                }
                let (mac, cipher) = key.split_at(C::Hash::HALF);
                SplitKey { mac, cipher }
            })
            .collect()
    }
}

/// The MAC key and the cipher key.
struct SplitKey<'a> {
    mac: &'a [u8],
    cipher: &'a [u8],
}

/// Returns the length without padding, or `None` if the (authentic) padding is malformed.
fn plain_len(text: &[u8], block_len: usize) -> Option<usize> {
    if block_len == 1 {
        return Some(text.len());
    }
    let padding = usize::from(*text.last()?);
    let len = text.len().checked_sub(padding)?;
    let well_formed = (1..=block_len).contains(&padding)
        && text[len..].iter().all(|&byte| usize::from(byte) == padding);
    well_formed.then_some(len)
}

/// The tag of a record, followed by zeros.
fn tag<H: MacHash>(mac_key: &[u8], record: &Record<'_>) -> [u8; MAX_TAG] {
    let mut mac = H::Mac::new_from_slice(mac_key).expect("HMAC takes keys of any length");
    mac.update(record.aad);
    mac.update(record.iv);
    mac.update(record.text);
    mac.update(&(record.aad.len() as u64 * 8).to_be_bytes());
    let mut tag = [0; MAX_TAG];
    tag[..H::HALF].copy_from_slice(&mac.finalize().into_bytes()[..H::HALF]);
    tag
}
