//! Faults in malformed input.

mod address;
mod journal;
mod key;
mod key_file;
mod ledger;
mod line;
mod old_data;
mod page;

use std::fmt;

pub use address::{AddressFault, SendFault};
pub use journal::JournalFault;
pub use key::KeyFault;
pub use key_file::KeyFileFault;
pub use ledger::LedgerFault;
pub use line::LineFault;
pub use old_data::{NoPadding, OldDataFault};
pub use page::PageFault;

use super::dates::NotTime;
use super::names::{MAX_KID, NotName};
use crate::ciphers::chunked::TooLongError;
use crate::ciphers::lfsr::SeedError;

/// Fault in malformed input, with the expected and the actual value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Text that is not JSON.
    #[error("found {found}, expected {expected}")]
    NotJson {
        /// Fault in the text.
        found: JsonFault,
        /// Document that was expected.
        expected: Document,
    },
    /// JSON, or another form of data, that is not the expected document.
    #[error("found {found}, expected {expected}")]
    OtherDocument {
        /// Form that was found.
        found: &'static str,
        /// Document that was expected.
        expected: Document,
    },
    /// JSON that lacks a required part of the document.
    #[error("not {}: {fault}", .expected.name())]
    Incomplete {
        /// Document that was expected.
        expected: Document,
        /// The fault.
        fault: Box<Self>,
    },
    /// A file, or part of one, that is too long.
    #[error("longer than {0} bytes")]
    TooLong(u64),
    /// A part of a file that is too long.
    #[error("{what} longer than {most} bytes")]
    PartTooLong {
        /// Name of the part.
        what: &'static str,
        /// Greatest length, in bytes.
        most: u64,
    },
    /// A value with the wrong length.
    #[error("{what} has {found} bytes, expected {expected}")]
    Length {
        /// Name of the value.
        what: &'static str,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A segment that is not base64url, or has nonzero trailing bits, which decoding would ignore.
    #[error("{0} is not canonical base64url")]
    Base64(&'static str),
    /// A missing member.
    #[error("no member {0:?}")]
    NoMember(String),
    /// A member with an invalid value.
    #[error("member {name:?} is not {expected}")]
    Member {
        /// The member's name.
        name: String,
        /// Value that was expected.
        expected: &'static str,
    },
    /// A member that is not a number within its limits.
    #[error("member {name:?} is not a number from {least} to {most}")]
    OutOfRange {
        /// The member's name.
        name: &'static str,
        /// Least number.
        least: u64,
        /// Greatest number.
        most: u64,
    },
    /// A value of another kind.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A version that cannot be read here.
    #[error("version {found}, expected {}", versions(*.newest))]
    Version {
        /// The version, as in the file.
        found: String,
        /// The newest version that can be read.
        newest: u64,
    },
    /// A text that is not a name.
    #[error(transparent)]
    Name(#[from] NotName),
    /// An order that is not the same as in another file.
    #[error("the order is not the one in the old file, or one of them is missing")]
    Differs,
    /// A text that is not a time.
    #[error(transparent)]
    Time(#[from] NotTime),
    /// The name of a key that is too long.
    #[error("kid of {0} bytes, expected at most {MAX_KID}")]
    Kid(usize),
    /// A text that is not an address, or is one that cannot be used.
    #[error("{fault}, expected like {example}")]
    Address {
        /// The fault.
        fault: AddressFault,
        /// An address that can be used.
        example: &'static str,
    },
    /// A fault in a sealed order.
    #[error(transparent)]
    Line(#[from] LineFault),
    /// A fault in a key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// A fault in a key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileFault),
    /// A fault in a shop's ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// A fault in a journal of spent ids.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// A fault in what a shop puts on its pages.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// A fault in data of old systems.
    #[error(transparent)]
    OldData(#[from] OldDataFault),
    /// A seed that a shift register cannot start from.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// A text that is too long for a stream.
    #[error(transparent)]
    Stream(#[from] TooLongError),
    /// A stream key of the wrong length.
    #[error("found a stream key of {found} bytes, expected {expected}")]
    StreamKey {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A line that is no result of a benchmark.
    #[error("not measurements: {0}")]
    Measurements(String),
    /// A line feed in the text of an order.
    #[error("the order has a line feed in it")]
    LineFeed,
    /// A sealed stream that ends too early.
    #[error("a sealed stream that is cut off")]
    CutStream,
    /// A sealed stream beside other files.
    #[error("found a sealed stream beside other files; it can only be opened by itself")]
    StreamAmongFiles,
    /// A file with nothing in it.
    #[error("the file is empty, expected {0}")]
    Empty(&'static str),
    /// A request for something unknown.
    #[error("a request for {0:?}")]
    Request(String),
    /// A sealed line among orders that contains something else.
    #[error("found {0} among orders; it can only be opened by itself")]
    AmongOrders(&'static str),
    /// A sealed line with other content than requested.
    #[error("found {found}, expected {expected}")]
    Carries {
        /// Content that was found.
        found: &'static str,
        /// Content that was expected.
        expected: &'static str,
    },
    /// A member whose text cannot be read as what it should be.
    #[error("{name:?} {fault}")]
    Unreadable {
        /// The member's name.
        name: String,
        /// The fault in its text.
        fault: Box<Self>,
    },
    /// A fault in a part of the input.
    #[error("{part}: {fault}")]
    Within {
        /// Name of the part.
        part: String,
        /// The fault.
        fault: Box<Self>,
    },
}

/// Fault in a text that should be JSON (RFC 8259).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// The text is empty.
    Empty,
    /// The text ends too early.
    CutOff {
        /// Line of the end, counted from 1.
        line: usize,
        /// Column of the end, counted from 1.
        column: usize,
    },
    /// More text follows the value.
    Trailing {
        /// Line where it begins, counted from 1.
        line: usize,
        /// Column where it begins, counted from 1.
        column: usize,
    },
    /// A member name occurs twice, or a number is out of range.
    Content(String),
    /// The text is not JSON.
    Syntax(String),
}

/// Documents that are parsed as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// A key file.
    KeyFile,
    /// A shop's item page.
    ItemPage,
    /// A request for a program.
    Request,
    /// Any other document.
    Json,
}

/// The versions that can be read.
fn versions(newest: u64) -> String {
    match newest {
        1 => "1".to_owned(),
        newest => format!("1 to {newest}"),
    }
}

impl Malformed {
    /// Fault of a member with an invalid value.
    pub fn member(name: &str, expected: &'static str) -> Self {
        Self::Member { name: name.to_owned(), expected }
    }

    /// Adds the name of the part of the input that contains the fault.
    pub fn within(self, part: impl fmt::Display) -> Self {
        Self::Within { part: part.to_string(), fault: Box::new(self) }
    }
}

impl From<JsonFault> for Malformed {
    fn from(found: JsonFault) -> Self {
        Self::NotJson { found, expected: Document::Json }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing"),
            Self::CutOff { line, column } => {
                write!(f, "JSON that is cut off at line {line} column {column}")
            }
            Self::Trailing { line, column } => {
                write!(f, "more after the end of the JSON, at line {line} column {column}")
            }
            Self::Content(found) => f.write_str(found),
            Self::Syntax(found) => write!(f, "no JSON: {found}"),
        }
    }
}

impl Document {
    /// Name with an article.
    fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "a key file",
            Self::ItemPage => "an item page",
            Self::Request => "a request",
            Self::Json => "a document",
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile | Self::ItemPage | Self::Request => write!(f, "{} (JSON)", self.name()),
            Self::Json => f.write_str("JSON"),
        }
    }
}
