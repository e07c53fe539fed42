//! The keys of old data, and the files that contain them.

use zeroize::Zeroizing;

use super::modes::{self, Message};
use super::old_cipher::{Kind, Mode, OldCipher};
use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{self, BLOCK, DesKey, TripleDesKey, WeakKey};
use crate::ciphers::toy_des::{Key, SBox, ToyDes};
use crate::protocol::jose::jwk::encodings;
use crate::protocol::model::{Error, Expected, Form, OldDataFault, Place, Result};

/// A key of old data.
#[derive(Debug)]
pub struct OldKey {
    pub(super) cipher: OldCipher,
    pub(super) material: Material,
}

#[derive(Debug)]
pub(super) enum Material {
    Single(DesKey),
    Triple(TripleDesKey),
    Toy(ToyDes),
}

impl Material {
    pub(super) fn single(&self) -> Option<&DesKey> {
        match self {
            Self::Single(key) => Some(key),
            Self::Triple(_) | Self::Toy(_) => None,
        }
    }

    pub(super) fn triple(&self) -> Option<&TripleDesKey> {
        match self {
            Self::Triple(key) => Some(key),
            Self::Single(_) | Self::Toy(_) => None,
        }
    }
}

impl OldKey {
    /// Creates a key from its bytes; none if their number is not one for the cipher.
    pub(super) fn new(cipher: OldCipher, bytes: &[u8]) -> Option<Self> {
        let material = match cipher.kind {
            Kind::Single => Material::Single(DesKey::from(<[u8; 8]>::try_from(bytes).ok()?)),
            Kind::TwoKey => Material::Triple(two_keys(bytes)?),
            Kind::Triple => Material::Triple(match <[u8; 24]>::try_from(bytes) {
                Ok(bytes) => TripleDesKey::from(*Zeroizing::new(bytes)),
                Err(_) => two_keys(bytes)?,
            }),
            Kind::Toy => return None,
        };
        Some(Self { cipher, material })
    }

    /// Returns an error if the key is weak. Data encrypted under a weak key can still be decrypted.
    ///
    /// # Errors
    /// Any [`WeakKey`].
    pub fn check(&self) -> Result<(), WeakKey> {
        match &self.material {
            Material::Single(key) => key.check(),
            Material::Triple(key) => key.check(),
            Material::Toy(_) => Ok(()),
        }
    }

    /// The key check value, in hexadecimal ([`des::check_value`]); none for the toy DES.
    pub fn check_value(&self) -> Option<String> {
        let value = match &self.material {
            Material::Single(key) => des::check_value(key),
            Material::Triple(key) => des::check_value(key),
            Material::Toy(_) => return None,
        };
        Some(hex::encode_upper(value))
    }

    pub(super) fn mode(&self) -> Mode {
        self.cipher.mode
    }

    pub(super) fn whole_blocks(&self) -> bool {
        self.cipher.is_padded()
    }

    /// Decrypts one message from its beginning; in ECB and CBC mode it has whole blocks.
    pub(super) fn decrypt(&self, backend: Backend, iv: [u8; BLOCK], data: &mut [u8]) {
        match &self.material {
            Material::Single(key) => {
                modes::decrypt(backend, self.mode(), Message { key, iv, data })
            }
            Material::Triple(key) => {
                modes::decrypt(backend, self.mode(), Message { key, iv, data })
            }
            Material::Toy(key) => key.decrypt(backend, data),
        }
    }
}

impl OldCipher {
    /// The fault of a key with another number of bytes.
    pub(super) fn length(self, found: usize) -> OldDataFault {
        let (what, bytes) = (self.key_in_words(), self.key_lengths().to_vec());
        OldDataFault::Length { found, what, bytes }
    }

    fn key_in_words(self) -> String {
        format!("a key for {}", self.name())
    }
}

/// Two-key triple DES: the third key is the first one again.
fn two_keys(bytes: &[u8]) -> Option<TripleDesKey> {
    let two = <&[u8; 16]>::try_from(bytes).ok()?;
    let mut three = Zeroizing::new([0; 24]);
    three[..16].copy_from_slice(two);
    three[16..].copy_from_slice(&two[..8]);
    Some(TripleDesKey::from(*three))
}

/// Reads a key from the content of its file: 3 hexadecimal digits for the toy DES; 8 bytes for DES;
/// 24 bytes for triple DES, or 16 if the third part repeats the first (two-key triple DES). They are
/// written in hexadecimal, with colons or not, or in base64, with white space around them; or they are
/// raw, with a line feed after them or not.
///
/// # Errors
/// [`Error::Malformed`] for any other length and form.
pub fn read_key(cipher: OldCipher, text: &[u8], place: &Place) -> Result<OldKey> {
    if cipher.kind == Kind::Toy {
        return Ok(OldKey { cipher, material: Material::Toy(read_toy_key(text, place)?) });
    }
    let lengths = cipher.key_lengths();
    let refused = || neither(text, lengths, &cipher.key_in_words(), place);
    let bytes = bytes(text, lengths).ok_or_else(refused)?;
    OldKey::new(cipher, &bytes).ok_or_else(refused)
}

/// Reads a key of the toy DES: 12 bits in 3 hexadecimal digits, with optional white space around them.
pub(super) fn read_toy_key(text: &[u8], place: &Place) -> Result<ToyDes> {
    let value = |byte: &u8| char::from(*byte).to_digit(16);
    let digits = <&[u8; 3]>::try_from(text.trim_ascii()).ok();
    let bits = digits.and_then(|digits| {
        digits.iter().try_fold(0, |bits, digit| Some(bits << 4 | value(digit)? as u16))
    });
    let key = bits.and_then(|bits| Key::new(bits).ok()).ok_or_else(|| {
        if let Some(found) = Form::of_no_ciphertext(text) {
            return Error::unexpected(place, found, Expected::OldKey);
        }
        let (found, cipher) = (text.len(), OldCipher::TOY.name());
        Error::malformed(place, OldDataFault::ToyKey { found, cipher })
    })?;
    Ok(ToyDes::new(&key, &SBox::DEFAULT))
}

/// Reads an initialization vector from the content of its file: 8 bytes, in the forms of a key.
///
/// # Errors
/// As [`read_key`].
pub fn read_iv(text: &[u8], place: &Place) -> Result<[u8; BLOCK]> {
    let iv = bytes(text, &[BLOCK]).and_then(|bytes| bytes.as_slice().try_into().ok());
    iv.ok_or_else(|| neither(text, &[BLOCK], "an IV", place))
}

/// Bytes of one of these lengths. Of a text whose bytes would have such a length as well as what it
/// writes, the latter is taken.
fn bytes(text: &[u8], lengths: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    encodings::written(text, lengths).or_else(|| encodings::raw(text, lengths))
}

/// The error for a text that is no such bytes of any of these lengths.
fn neither(text: &[u8], lengths: &[usize], what: &str, place: &Place) -> Error {
    if let Some(found) = Form::of_no_ciphertext(text) {
        return Error::unexpected(place, found, Expected::OldKey);
    }
    let (digits, what) = (text.trim_ascii().len(), what.to_owned());
    let fault = match lengths.iter().any(|length| 2 * length == digits) {
        true => OldDataFault::NotHex { found: digits, what },
        false => OldDataFault::Length { found: text.len(), what, bytes: lengths.to_vec() },
    };
    Error::malformed(place, fault)
}
