//! Binary data written as text: base64 or hexadecimal.

use std::io::{self, Read};

use base64_simd::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::protocol::model::{Error, OldDataFault, Place, Result};

/// How binary data is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Armor {
    /// Base64 (RFC 4648 sections 4 and 5), with padding or not.
    Base64,
    /// Hexadecimal digits.
    Hex,
}

impl Armor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Base64, Self::Hex];

    /// Its name in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }

    /// Its name in messages.
    fn title(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal digits",
        }
    }

    /// Returns a reader for the data that `input` has as one text, with white space and line feeds
    /// anywhere in it. Its errors name the line; [`Error::io`] recovers them.
    pub fn reader(self, input: Box<dyn Read + Send>, place: Place) -> Box<dyn Read + Send> {
        Box::new(Unarmored {
            input,
            place,
            line: 1,
            text: Text::of(self),
            data: Zeroizing::new(Vec::new()),
            taken: 0,
            ended: false,
        })
    }

    /// The data of a text; white space round it and in it does not belong to it.
    pub(super) fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, OldDataFault> {
        let mut whole = Text::of(self);
        let mut data = Zeroizing::new(Vec::with_capacity(text.len()));
        text.iter().try_for_each(|byte| whole.push(*byte))?;
        whole.decode(&mut data)?;
        whole.end(&mut data)?;
        Ok(data)
    }
}

/// Characters that are not decoded yet.
struct Text {
    armor: Armor,
    characters: Zeroizing<Vec<u8>>,
    /// Number of padding characters, after which no others follow.
    padding: usize,
    /// Number of characters before these.
    before: usize,
}

impl Text {
    fn of(armor: Armor) -> Self {
        Self { armor, characters: Zeroizing::new(Vec::new()), padding: 0, before: 0 }
    }

    fn push(&mut self, byte: u8) -> Result<(), OldDataFault> {
        let character = match (self.armor, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n' | b'\x0b' | b'\x0c') => return Ok(()),
            (Armor::Base64, b'-') => b'+',
            (Armor::Base64, b'_') => b'/',
            (Armor::Base64, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/')
            | (Armor::Hex, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => byte,
            (Armor::Base64, b'=') if self.padding < 2 => {
                self.padding += 1;
                return Ok(());
            }
            (Armor::Base64 | Armor::Hex, _) => {
                return Err(OldDataFault::Character { found: byte, expected: self.armor.title() });
            }
        };
        if self.padding > 0 {
            return Err(OldDataFault::Character { found: byte, expected: "the end after padding" });
        }
        self.characters.push(character);
        Ok(())
    }

    /// Decodes all characters except those that may belong to an unfinished group.
    fn decode(&mut self, data: &mut Vec<u8>) -> Result<(), OldDataFault> {
        let group = match self.armor {
            Armor::Base64 => 4,
            Armor::Hex => 2,
        };
        let whole = self.characters.len() - self.characters.len() % group;
        self.before += whole;
        let rest = Zeroizing::new(self.characters.split_off(whole));
        self.decode_all(data)?;
        self.characters = rest;
        Ok(())
    }

    fn decode_all(&self, data: &mut Vec<u8>) -> Result<(), OldDataFault> {
        let cut = |_: ()| OldDataFault::Unfinished { expected: self.armor.title() };
        let start = data.len();
        match self.armor {
            Armor::Base64 => {
                STANDARD_NO_PAD.decode_append(&**self.characters, data).map_err(|_| cut(()))
            }
            Armor::Hex => {
                data.resize(start + self.characters.len() / 2, 0);
                hex::decode_to_slice(&**self.characters, &mut data[start..]).map_err(|_| cut(()))
            }
        }
    }

    /// Decodes the last group; its padding is missing or right.
    fn end(&mut self, data: &mut Vec<u8>) -> Result<(), OldDataFault> {
        let length = self.before + self.characters.len() + self.padding;
        if self.padding > 0 && !length.is_multiple_of(4) {
            return Err(OldDataFault::Unfinished { expected: self.armor.title() });
        }
        self.decode_all(data)?;
        self.characters.clear();
        Ok(())
    }
}

struct Unarmored {
    input: Box<dyn Read + Send>,
    place: Place,
    line: u64,
    text: Text,
    data: Zeroizing<Vec<u8>>,
    taken: usize,
    ended: bool,
}

impl Unarmored {
    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        let count = self.input.read(&mut buffer)?;
        self.data.clear();
        self.taken = 0;
        let refused = |fault, line| io::Error::other(Error::malformed(&self.place.at(line), fault));
        for byte in &buffer[..count] {
            self.text.push(*byte).map_err(|fault| refused(fault, self.line))?;
            self.line += u64::from(*byte == b'\n');
        }
        self.ended = count == 0;
        let decoded = match self.ended {
            false => self.text.decode(&mut self.data),
            true => self.text.end(&mut self.data),
        };
        decoded.map_err(|fault| refused(fault, self.line))
    }
}

impl Read for Unarmored {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.data.len() && !self.ended {
            self.read_more()?;
        }
        let rest = &self.data[self.taken..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}
