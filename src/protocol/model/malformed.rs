//! What is wrong with input that is not what it should be.

use std::fmt;

/// What was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Text that is not JSON.
    #[error("found {found}, expected {expected}")]
    NotJson {
        /// What is wrong with the text.
        found: JsonFault,
        /// What was expected.
        expected: Document,
    },
    /// JSON, or another form of data, that is not the document which was expected.
    #[error("found {found}, expected {expected}")]
    OtherDocument {
        /// What was found.
        found: &'static str,
        /// What was expected.
        expected: Document,
    },
    /// JSON that lacks what the document needs.
    #[error("not {}: {fault}", .expected.name())]
    Incomplete {
        /// What was expected.
        expected: Document,
        /// What is wrong.
        fault: Box<Self>,
    },
    /// A file or part that is too long.
    #[error("longer than {0} bytes")]
    Long(u64),
    /// Something in a file that is too long.
    #[error("{what} longer than {most} bytes")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The most bytes that it may have.
        most: u64,
    },
    /// Something of another length than its kind has.
    #[error("{what} has {found} bytes, expected {expected}")]
    Length {
        /// What it is.
        what: &'static str,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A segment that is not base64url, or has bits that decoding would ignore.
    #[error("{0} is not canonical base64url")]
    Base64(&'static str),
    /// A member that is missing.
    #[error("no member {0:?}")]
    NoMember(String),
    /// A member whose value is not what it should be.
    #[error("member {name:?} is not {expected}")]
    Member {
        /// The member's name.
        name: String,
        /// What its value should be.
        expected: &'static str,
    },
    /// A sealed line that carries something else among orders.
    #[error("found {0} among orders: it opens only alone")]
    AmongOrders(&'static str),
    /// A sealed line that carries something else than was asked for.
    #[error("found {found}, expected {expected}")]
    Carries {
        /// What it carries.
        found: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// A fault in a part of the input.
    #[error("{part}: {fault}")]
    Within {
        /// The part.
        part: String,
        /// What is wrong with it.
        fault: Box<Self>,
    },
    /// A value that breaks a rule, and the rule, in words.
    #[error("{0}")]
    Value(String),
}

/// What is wrong with a text that should be JSON (RFC 8259).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// There is no text.
    Empty,
    /// The text ends too early.
    CutOff {
        /// Where it ends, counted from 1.
        line: usize,
        /// Where it ends, counted from 1.
        column: usize,
    },
    /// More text follows the value.
    Trailing {
        /// Where that begins, counted from 1.
        line: usize,
        /// Where that begins, counted from 1.
        column: usize,
    },
    /// A name comes twice, or a number is out of range.
    Content(String),
    /// The text has another syntax.
    Syntax(String),
}

/// Documents that are read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// A key file.
    KeyFile,
    /// A shop's item page.
    ItemPage,
    /// Any other.
    Json,
}

impl Malformed {
    /// A member whose value is not what it should be.
    pub fn member(name: &str, expected: &'static str) -> Self {
        Self::Member { name: name.to_owned(), expected }
    }

    /// The same in a part of the input.
    pub fn within(self, part: impl fmt::Display) -> Self {
        Self::Within { part: part.to_string(), fault: Box::new(self) }
    }
}

impl From<String> for Malformed {
    fn from(rule: String) -> Self {
        Self::Value(rule)
    }
}

impl From<&str> for Malformed {
    fn from(rule: &str) -> Self {
        Self::Value(rule.to_owned())
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
    /// Its name with an article.
    fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "a key file",
            Self::ItemPage => "an item page",
            Self::Json => "a document",
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyFile | Self::ItemPage => write!(f, "{} (JSON)", self.name()),
            Self::Json => f.write_str("JSON"),
        }
    }
}
