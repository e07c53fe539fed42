//! Faults in data of old systems.

/// A fault in old data, or in a key or IV for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OldDataFault {
    /// A key or IV with another length.
    #[error(
        "found {found} bytes, expected {what}: {} bytes, or {} hexadecimal digits",
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
    /// A last block without padding (RFC 5652 section 6.3).
    #[error(
        "no PKCS #7 padding in the last block, at byte {0}: another key, mode or padding, or \
         altered data"
    )]
    NoPadding(u64),
    /// No block at all, where the padding alone makes one.
    #[error("no data at byte {0}: PKCS #7 padding makes a block at least")]
    NoData(u64),
}

fn list(lengths: &[usize], times: usize) -> String {
    let lengths: Vec<_> = lengths.iter().map(|length| (length * times).to_string()).collect();
    lengths.join(" or ")
}
