//! Paddings of the last block.

use crate::ciphers::des::BLOCK;

/// Padding of the last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// 1 to 8 bytes, each of which holds their number (PKCS #7, RFC 5652 section 6.3).
    Pkcs7,
    /// 1 to 8 bytes: zeros, and their number in the last one (ANSI X9.23).
    X923,
    /// 1 to 8 bytes: any, and their number in the last one (ISO 10126-2, withdrawn in 2007).
    Iso10126,
    /// A byte 80 (hexadecimal) and up to 7 zero bytes (ISO/IEC 9797-1 method 2, ISO/IEC 7816-4).
    Iso9797M2,
    /// 0 to 7 zero bytes (ISO/IEC 9797-1 method 1). Zeros at the end of the text are removed with them.
    Zero,
    /// 0 to 7 spaces. Spaces at the end of the text are removed with them.
    Spaces,
    /// No padding.
    None,
}

impl Padding {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pkcs7,
        Self::X923,
        Self::Iso10126,
        Self::Iso9797M2,
        Self::Zero,
        Self::Spaces,
        Self::None,
    ];

    /// Its name in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pkcs7 => "pkcs7",
            Self::X923 => "x923",
            Self::Iso10126 => "iso10126",
            Self::Iso9797M2 => "iso9797-m2",
            Self::Zero => "zero",
            Self::Spaces => "spaces",
            Self::None => "none",
        }
    }

    /// Its name in its standard.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Pkcs7 => "PKCS #7",
            Self::X923 => "ANSI X9.23",
            Self::Iso10126 => "ISO 10126",
            Self::Iso9797M2 => "ISO 9797-1 method 2",
            Self::Zero => "zero",
            Self::Spaces => "space",
            Self::None => "no",
        }
    }

    /// Length in bytes of the text in the last block, which may be missing; none if it does not end in
    /// this padding.
    pub(super) fn strip(self, block: &[u8]) -> Option<usize> {
        let without = |filler: u8| {
            let fillers = block.iter().rev().take(BLOCK - 1).take_while(|byte| **byte == filler);
            block.len() - fillers.count()
        };
        let counted = || {
            let count = *block.last()?;
            block.len().checked_sub(usize::from(count)).filter(|_| count > 0)
        };
        match self {
            Self::None => Some(block.len()),
            Self::Zero => Some(without(0)),
            Self::Spaces => Some(without(b' ')),
            Self::Iso9797M2 => without(0).checked_sub(1).filter(|text| block[*text] == 0x80),
            Self::Iso10126 => counted(),
            Self::X923 => {
                let zeros =
                    |text: &usize| block[*text..block.len() - 1].iter().all(|byte| *byte == 0);
                counted().filter(zeros)
            }
            Self::Pkcs7 => {
                let counts =
                    |text: &usize| block[*text..].iter().all(|byte| Some(byte) == block.last());
                counted().filter(counts)
            }
        }
    }
}
