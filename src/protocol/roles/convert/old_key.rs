//! The keys of old data, and the files that contain them.

use zeroize::Zeroizing;

use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{self, BLOCK, DesKey, TripleDesKey, WeakKey};
use crate::ciphers::toy_des::{Key, SBox, ToyDes};
use crate::protocol::model::{Error, Expected, Form, OldDataFault, Place, Result};

/// Mode of operation of a block cipher (NIST SP 800-38A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Ecb,
    Cbc,
    Ctr,
}

/// A cipher of old data, with its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldCipher {
    name: &'static str,
    kind: Kind,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Triple,
    Toy,
}

const fn cipher(name: &'static str, kind: Kind, mode: Mode) -> OldCipher {
    OldCipher { name, kind, mode }
}

impl OldCipher {
    /// The toy DES, whose blocks are single bytes.
    pub const TOY: Self = cipher("toydes-ecb", Kind::Toy, Mode::Ecb);

    /// All ciphers.
    pub const ALL: [Self; 7] = [
        cipher("des-ede3-cbc", Kind::Triple, Mode::Cbc),
        cipher("des-ede3-ecb", Kind::Triple, Mode::Ecb),
        cipher("des-ede3-ctr", Kind::Triple, Mode::Ctr),
        cipher("des-cbc", Kind::Single, Mode::Cbc),
        cipher("des-ecb", Kind::Single, Mode::Ecb),
        cipher("des-ctr", Kind::Single, Mode::Ctr),
        Self::TOY,
    ];

    /// Finds a cipher by name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.name == name)
    }

    /// The cipher's name in OpenSSL.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it needs an initialization vector.
    pub fn has_iv(self) -> bool {
        self.mode != Mode::Ecb
    }

    /// Whether the data consists of whole blocks of 8 bytes, the last of which may be padded.
    pub fn is_padded(self) -> bool {
        match (self.kind, self.mode) {
            (Kind::Single | Kind::Triple, Mode::Ecb | Mode::Cbc) => true,
            (Kind::Single | Kind::Triple, Mode::Ctr) => false,
            (Kind::Toy, Mode::Ecb | Mode::Cbc | Mode::Ctr) => false,
        }
    }
}

/// A key of old data.
#[derive(Debug)]
pub struct OldKey {
    cipher: OldCipher,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Single(DesKey),
    Triple(TripleDesKey),
    Toy(ToyDes),
}

impl OldKey {
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

    pub(super) fn mode(&self) -> Mode {
        self.cipher.mode
    }

    pub(super) fn whole_blocks(&self) -> bool {
        self.cipher.is_padded()
    }

    /// Decrypts data that begins at block number `first`; in CBC mode as if the ciphertext block
    /// before it were zero. All modes except CTR require whole blocks.
    pub(super) fn decrypt(&self, backend: Backend, iv: [u8; BLOCK], first: u64, data: &mut [u8]) {
        match &self.material {
            Material::Single(key) => decrypt(backend, self.cipher.mode, key, iv, first, data),
            Material::Triple(key) => decrypt(backend, self.cipher.mode, key, iv, first, data),
            Material::Toy(key) => key.decrypt(backend, data),
        }
    }
}

fn decrypt<K: des::Key>(
    backend: Backend,
    mode: Mode,
    key: &K,
    iv: [u8; BLOCK],
    first: u64,
    data: &mut [u8],
) {
    let done = match mode {
        Mode::Ecb => des::ecb_decrypt(backend, key, data),
        Mode::Cbc => des::cbc_decrypt(backend, key, [0; BLOCK], data),
        Mode::Ctr => {
            let counter = u64::from_be_bytes(iv).wrapping_add(first);
            des::ctr(backend, key, counter.to_be_bytes(), data);
            Ok(())
        }
    };
    done.expect("whole blocks, as said above");
}

/// Reads a key from the content of its file: 3 hexadecimal digits for the toy DES; 8 bytes for DES;
/// 24 bytes for triple DES, or 16 if the third part repeats the first (two-key triple DES). The
/// same bytes in hexadecimal, with optional white space around them, are recognized by length.
///
/// # Errors
/// [`Error::Malformed`] for any other length, and for characters that are not hexadecimal digits.
pub fn read_key(cipher: OldCipher, text: &[u8], place: &Place) -> Result<OldKey> {
    let refused = |lengths| neither(text, lengths, &format!("a key for {}", cipher.name), place);
    let material = match cipher.kind {
        Kind::Triple => {
            // Two-key triple DES: the third key is the first one again.
            let three = raw_or_hex(text).or_else(|| {
                let two = raw_or_hex::<16>(text)?;
                let mut three = Zeroizing::new([0; 24]);
                three[..16].copy_from_slice(&*two);
                three[16..].copy_from_slice(&two[..8]);
                Some(three)
            });
            let three = three.ok_or_else(|| refused(&[24, 16]))?;
            Material::Triple(TripleDesKey::from(*three))
        }
        Kind::Single => {
            let one = raw_or_hex(text).ok_or_else(|| refused(&[BLOCK]))?;
            Material::Single(DesKey::from(*one))
        }
        Kind::Toy => Material::Toy(read_toy_key(text, place)?),
    };
    Ok(OldKey { cipher, material })
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
        let (found, cipher) = (text.len(), OldCipher::TOY.name);
        Error::malformed(place, OldDataFault::ToyKey { found, cipher })
    })?;
    Ok(ToyDes::new(&key, &SBox::DEFAULT))
}

/// Reads an initialization vector from the content of its file: 8 bytes, raw or in hexadecimal.
///
/// # Errors
/// As [`read_key`].
pub fn read_iv(text: &[u8], place: &Place) -> Result<[u8; BLOCK]> {
    let iv = raw_or_hex(text).ok_or_else(|| neither(text, &[BLOCK], "an IV", place))?;
    Ok(*iv)
}

/// Bytes of this number, raw or in hexadecimal with optional white space around them.
fn raw_or_hex<const N: usize>(text: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    if text.len() == N {
        bytes.copy_from_slice(text);
        return Some(bytes);
    }
    hex::decode_to_slice(text.trim_ascii(), &mut *bytes).ok().map(|()| bytes)
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
