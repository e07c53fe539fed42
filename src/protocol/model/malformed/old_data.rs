//! Faults in data of old systems.

/// A fault in old data, or in a key or IV for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OldDataFault {
    /// A key or IV with another length.
    #[error(
        "found {found} bytes, expected {what}: {} bytes, or {} hexadecimal digits, or base64 of them",
        list(.bytes, 1),
        list(.bytes, 2)
    )]
    Length {
        /// Bytes found.
        found: usize,
        /// What was expected, such as `an IV`.
        what: String,
        /// Lengths that would be right, in bytes.
        bytes: Vec<usize>,
    },
    /// A key of the toy DES with another length or other characters.
    #[error("found {found} bytes, expected a key for {cipher}: 3 hexadecimal digits")]
    ToyKey {
        /// Bytes found.
        found: usize,
        /// The cipher.
        cipher: &'static str,
    },
    /// A text of the right length with other characters.
    #[error("found {found} characters that are not all hexadecimal digits, expected {what}")]
    NotHex {
        /// Characters found.
        found: usize,
        /// What was expected.
        what: String,
    },
    /// Data too short for the IV that should be in front of it.
    #[error("found {found} bytes, expected an IV of {expected} in front")]
    NoIv {
        /// Bytes found.
        found: usize,
        /// Bytes of an IV.
        expected: usize,
    },
    /// Data that does not end with a whole block.
    #[error(
        "incomplete block at byte {at}: found {found} bytes, expected {expected}; the data was cut \
         off, or is not in this mode"
    )]
    CutBlock {
        /// Where the last block begins.
        at: u64,
        /// Its bytes.
        found: usize,
        /// Bytes of a block.
        expected: usize,
    },
    /// No block at all, where the padding alone makes one.
    #[error("no data at byte {at}: {padding} padding makes a block at least")]
    NoData {
        /// Where the data ends.
        at: u64,
        /// The padding's name.
        padding: &'static str,
    },
    /// Data without the salt that `openssl enc` writes in front of it.
    #[error("no salt in front of the data: with a password, it begins with Salted__")]
    NotSalted,
    /// A character that does not belong to the text form of binary data.
    #[error("found {}, expected {expected}", character(*.found))]
    Character {
        /// The character's byte.
        found: u8,
        /// What was expected.
        expected: &'static str,
    },
    /// A line with another number of columns.
    #[error("found {found} {}, separated by tabs, expected {expected}", columns(*.found))]
    Columns {
        /// Columns found.
        found: usize,
        /// Columns expected.
        expected: usize,
    },
    /// A value whose text is more than a line.
    #[error("the text has a line feed in it, so it cannot be one line of the output")]
    LineFeed,
    /// A text form of binary data that ends within a byte.
    #[error("{expected} that end within a byte: the text was cut off, or is damaged")]
    Unfinished {
        /// What was expected.
        expected: &'static str,
    },
}

/// Data that does not end in its padding when it is decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no {padding} padding in the last block{}: another {}, mode or padding, or altered data",
    .at.map(|at| format!(", at byte {at}")).unwrap_or_default(),
    if *.derived { "password, key derivation" } else { "key" }
)]
pub struct NoPadding {
    /// The padding's name.
    pub padding: &'static str,
    /// Where the last block begins; none if it is named by a line.
    pub at: Option<u64>,
    /// Whether the key was derived from a password.
    pub derived: bool,
}

fn columns(count: usize) -> &'static str {
    if count == 1 { "column" } else { "columns" }
}

fn character(byte: u8) -> String {
    match byte {
        b' '..=b'~' => format!("the character {}", char::from(byte)),
        _ => format!("the byte {byte:02x}"),
    }
}

fn list(lengths: &[usize], times: usize) -> String {
    let lengths: Vec<_> = lengths.iter().map(|length| (length * times).to_string()).collect();
    lengths.join(" or ")
}
