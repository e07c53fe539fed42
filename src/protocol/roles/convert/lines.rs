//! Old data of which every line is a value, encrypted by itself.

use std::io::Read;

use zeroize::Zeroizing;

use super::modes::{self, KeysAre, Message};
use super::old_cipher::Kind;
use super::old_key::Material;
use super::password::HEADER;
use super::tail::Beginning;
use super::{Armor, OldCipher, OldKey, OldPassword, Padding};
use crate::ciphers::Wiped;
use crate::ciphers::cpu::Backend;
use crate::ciphers::des::{BLOCK, Key};
use crate::protocol::model::{Error, NoPadding, OldDataFault, Place, Result};
use crate::protocol::pipeline::{Block, LineLimits, Part, Workers};
use crate::protocol::roles::client::Totals;

/// Longest line in bytes.
const MAX_LINE: usize = 4 << 20;

/// Lines of a block whose keys are derived from a password: each takes PBKDF2 of its own.
const SLOW_LINES: usize = 64;

/// Source of the initialization vector of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueIv {
    /// The same for all values; ignored in ECB mode.
    Known([u8; BLOCK]),
    /// The first 8 bytes of the value.
    InFront,
    /// The last column of the line.
    Column,
}

/// What decrypts the values.
#[derive(Debug)]
pub enum ValueOpener {
    /// One key.
    Key {
        /// The key, with its cipher.
        key: OldKey,
        /// The initialization vector.
        iv: ValueIv,
    },
    /// The key in the second column of each line.
    Column {
        /// The cipher, not the toy DES.
        cipher: OldCipher,
        /// The initialization vector.
        iv: ValueIv,
    },
    /// A password, with the salt in front of each value.
    Password(OldPassword),
}

/// Settings for decrypting values, one per line. Columns are separated by a tab: the value, its key, its
/// initialization vector, as far as a line has them.
#[derive(Debug)]
pub struct Values {
    /// What decrypts them.
    pub with: ValueOpener,
    /// How the columns are written.
    pub armor: Armor,
    /// The padding of the last block of each.
    pub padding: Padding,
}

/// A value that is in whole blocks, if the mode requires them.
struct Value {
    /// Index of its line in the block.
    line: usize,
    /// Its own key.
    key: Option<OldKey>,
    iv: [u8; BLOCK],
    len: usize,
}

/// The lines of a block, decrypted.
struct Texts {
    /// The texts that are good, each with a line feed.
    text: Wiped,
    good: u64,
    /// What is wrong with other lines, with the length of the texts before each.
    failed: Vec<(usize, Error)>,
}

impl Values {
    /// Decrypts each line of `input`, and passes the texts to `write`, one per line, in the same order; of
    /// the first MiB none before all are right. An empty line stays an empty line. What is wrong with a
    /// line goes to `failed`, which returns the error to stop at it.
    ///
    /// # Errors
    /// [`Error::Malformed`] for lines that are too long; [`Error::Io`]; errors of `write` and `failed`,
    /// which is given [`Error::Malformed`] and [`Error::NotDecrypted`].
    pub fn run(
        &self,
        workers: &Workers,
        input: Box<dyn Read + Send>,
        place: &Place,
        mut write: impl FnMut(&[u8], &Totals) -> Result<()>,
        mut failed: impl FnMut(Error) -> Result<()>,
    ) -> Result<Totals> {
        let limits = LineLimits {
            max_line: MAX_LINE,
            what: "line",
            max_lines: match self.with {
                ValueOpener::Key { .. } | ValueOpener::Column { .. } => usize::MAX,
                ValueOpener::Password(_) => SLOW_LINES,
            },
        };
        let mut totals = Totals::default();
        let mut beginning = Beginning::new();
        let backend = Backend::detect();
        workers.run(
            vec![Part { place: place.clone(), reader: input }],
            limits,
            |_| Ok(()),
            |block, ()| self.decrypt(backend, block),
            |texts, block| {
                totals.read += block.len() as u64;
                totals.orders += texts.good;
                totals.written += texts.text.len() as u64;
                let mut write = |text: &[u8]| write(text, &totals);
                let mut from = 0;
                for (to, error) in texts.failed {
                    beginning.write(&texts.text[from..to], &mut write)?;
                    failed(error)?;
                    from = to;
                }
                beginning.write(&texts.text[from..], &mut write)
            },
        )?;
        beginning.release(&mut |text| write(text, &totals))?;
        Ok(totals)
    }

    fn decrypt(&self, backend: Backend, block: &Block) -> Texts {
        let lines = block.lines();
        let mut data = Zeroizing::new(Vec::with_capacity(block.len()));
        let mut read: Vec<Result<Value, Error>> = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            let place = || block.place(index);
            read.push(self.read(index, line, &mut data, &place));
        }
        let mut values = Vec::with_capacity(read.len());
        let mut faults = Vec::new();
        for (index, value) in read.into_iter().enumerate() {
            match value {
                Ok(value) => values.push(value),
                Err(error) => faults.push((index, error)),
            }
        }
        self.decrypt_values(backend, &values, &mut data);
        let mut texts = Texts {
            text: Vec::with_capacity(data.len() + values.len()).into(),
            good: 0,
            failed: Vec::new(),
        };
        let mut faults = faults.into_iter().peekable();
        let mut rest = &data[..];
        for value in values {
            while let Some((_, error)) = faults.next_if(|(line, _)| *line < value.line) {
                texts.failed.push((texts.text.len(), error));
            }
            let text;
            (text, rest) = rest.split_at(value.len);
            match self.text(text) {
                Ok(text) => {
                    texts.text.extend_from_slice(text);
                    texts.text.push(b'\n');
                    texts.good += 1;
                }
                Err(why) => texts.failed.push((texts.text.len(), why.at(block.place(value.line)))),
            }
        }
        texts.failed.extend(faults.map(|(_, error)| (texts.text.len(), error)));
        texts
    }

    /// Reads a line, and appends its ciphertext to `data`.
    fn read(
        &self,
        index: usize,
        line: &[u8],
        data: &mut Vec<u8>,
        place: &dyn Fn() -> Place,
    ) -> Result<Value> {
        let malformed = |fault: OldDataFault| Error::malformed(&place(), fault);
        let mut value = Value { line: index, key: None, iv: [0; BLOCK], len: 0 };
        if line.trim_ascii().is_empty() {
            return Ok(value);
        }
        let expected = self.columns();
        let mut columns = line.trim_ascii_end().split(|byte| *byte == b'\t');
        let found = columns.clone().count();
        if found != expected {
            return Err(malformed(OldDataFault::Columns { found, expected }));
        }
        let mut next = || {
            let column = columns.next().expect("they were counted");
            self.armor.decode(column).map_err(malformed)
        };
        let ciphertext = next()?;
        let mut ciphertext = &ciphertext[..];
        let (cipher, iv) = match &self.with {
            ValueOpener::Key { key, iv } => (key.cipher, iv),
            ValueOpener::Column { cipher, iv } => {
                let bytes = next()?;
                let key = OldKey::new(*cipher, &bytes);
                let key = key.ok_or_else(|| malformed(cipher.length(bytes.len())))?;
                value.key = Some(key);
                (*cipher, iv)
            }
            ValueOpener::Password(password) => {
                let header = ciphertext.split_off(..HEADER.min(ciphertext.len()));
                let (key, iv) = password.derive(header.unwrap_or_default(), &place())?;
                value.key = Some(key);
                (password.cipher(), &ValueIv::Known(iv))
            }
        };
        value.iv = match iv {
            ValueIv::Known(iv) => *iv,
            ValueIv::InFront => {
                let found = ciphertext.len();
                let iv = ciphertext.split_off(..BLOCK.min(found)).unwrap_or_default();
                let no_iv = |_| malformed(OldDataFault::NoIv { found, expected: BLOCK });
                iv.try_into().map_err(no_iv)?
            }
            ValueIv::Column => {
                let iv = next()?;
                iv.as_slice().try_into().map_err(|_| {
                    let (found, what) = (iv.len(), "an IV".to_owned());
                    malformed(OldDataFault::Length { found, what, bytes: vec![BLOCK] })
                })?
            }
        };
        value.len = ciphertext.len();
        let (at, part) = (value.len - value.len % BLOCK, value.len % BLOCK);
        if cipher.is_padded() && part > 0 {
            let at = at as u64;
            return Err(malformed(OldDataFault::CutBlock { at, found: part, expected: BLOCK }));
        }
        data.extend_from_slice(ciphertext);
        Ok(value)
    }

    /// Number of columns of a line.
    fn columns(&self) -> usize {
        let with_iv = |iv: &ValueIv| usize::from(*iv == ValueIv::Column);
        match &self.with {
            ValueOpener::Key { iv, .. } => 1 + with_iv(iv),
            ValueOpener::Column { iv, .. } => 2 + with_iv(iv),
            ValueOpener::Password(_) => 1,
        }
    }

    fn decrypt_values(&self, backend: Backend, values: &[Value], data: &mut [u8]) {
        let cipher = match &self.with {
            ValueOpener::Key { key, .. } => key.cipher,
            ValueOpener::Column { cipher, .. } => *cipher,
            ValueOpener::Password(password) => password.cipher(),
        };
        match cipher.kind {
            Kind::Single => self.decrypt_all(backend, cipher, values, data, Material::single),
            Kind::TwoKey | Kind::Triple => {
                self.decrypt_all(backend, cipher, values, data, Material::triple);
            }
            // The toy DES has blocks of a byte, so all values together are like one.
            Kind::Toy => match &self.with {
                ValueOpener::Key { key, .. } => key.decrypt(backend, [0; BLOCK], data),
                ValueOpener::Column { .. } | ValueOpener::Password(_) => {}
            },
        }
    }

    fn decrypt_all<'d, K: Key + 'd>(
        &'d self,
        backend: Backend,
        cipher: OldCipher,
        values: &'d [Value],
        mut data: &'d mut [u8],
        material: impl Fn(&'d Material) -> Option<&'d K>,
    ) {
        let (keys, one) = match &self.with {
            ValueOpener::Key { key, .. } => (KeysAre::One, Some(key)),
            ValueOpener::Column { .. } | ValueOpener::Password(_) => (KeysAre::Own, None),
        };
        let mut messages = Vec::with_capacity(values.len());
        for value in values {
            let part;
            (part, data) = data.split_at_mut(value.len);
            // An empty line has no key.
            let key = one.or(value.key.as_ref()).and_then(|key| material(&key.material));
            messages.extend(key.map(|key| Message { key, iv: value.iv, data: part }));
        }
        modes::decrypt_many(backend, cipher.mode, keys, messages);
    }

    /// The text of a decrypted value.
    fn text<'t>(&self, decrypted: &'t [u8]) -> Result<&'t [u8], Wrong> {
        // An empty line has no padding.
        if decrypted.is_empty() {
            return Ok(decrypted);
        }
        let (before, block) = decrypted.split_at(decrypted.len().saturating_sub(BLOCK));
        let length = self.padding.strip(block).ok_or_else(|| {
            Wrong::Padding(NoPadding {
                padding: self.padding.title(),
                at: None,
                derived: match self.with {
                    ValueOpener::Key { .. } | ValueOpener::Column { .. } => false,
                    ValueOpener::Password(_) => true,
                },
            })
        })?;
        let text = &decrypted[..before.len() + length];
        match memchr::memchr(b'\n', text) {
            None => Ok(text),
            Some(_) => Err(Wrong::LineFeed),
        }
    }
}

/// Why a decrypted value is not a line of text.
enum Wrong {
    Padding(NoPadding),
    LineFeed,
}

impl Wrong {
    fn at(self, place: Place) -> Error {
        match self {
            Self::Padding(found) => Error::NotDecrypted { place, found },
            Self::LineFeed => Error::malformed(&place, OldDataFault::LineFeed),
        }
    }
}
