//! Errors, worded so that users can act on them.

use std::fmt;
use std::io;

use super::amounts::{Amounts, Spent};
use super::form::{Expected, Form};
use super::malformed::Malformed;
use super::misuse::Misuse;
use super::names::Kid;
use super::place::Place;
use super::trouble::KeyTrouble;
use crate::ciphers::random::RandomError;

/// Result type of the protocol.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the protocol.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("{file}: {action}: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// What was being done, as in "cannot read".
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// There is nothing to make keys from.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The operating system has no thread to give.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The reader of our output went away.
    #[error("{file}: the reader closed the pipe")]
    ClosedPipe {
        /// The output's name.
        file: String,
    },
    /// What was asked for contradicts itself or what is there.
    #[error(transparent)]
    Usage(#[from] Misuse),
    /// An error of the caller's own, from a function that was passed in.
    #[error(transparent)]
    Caller(Box<dyn std::error::Error + Send + Sync>),
    /// Input that is not what it should be.
    #[error("{place}: {found}")]
    Malformed {
        /// Where it stands.
        place: Place,
        /// What was found, and what was expected.
        found: Malformed,
    },
    /// Input of another form, which was recognized.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where it stands.
        place: Place,
        /// What was found.
        found: Form,
        /// What was expected.
        expected: Expected,
    },
    /// A key file that would be too long to be read again.
    #[error(
        "{place}: the key file would take {len} bytes, with what will be recorded in it; {most} is \
         the most"
    )]
    KeyFileFull {
        /// The key file, or who makes it.
        place: Place,
        /// Bytes that it would take.
        len: u64,
        /// Bytes that a key file may take.
        most: u64,
    },
    /// A failure after something had been changed that stays changed.
    #[error("{source}")]
    Changed {
        /// What was changed, in words.
        what: String,
        /// Why the command failed.
        source: Box<Error>,
    },
    /// A key that is missing, or may not be used for this.
    #[error("{place}: {trouble}")]
    Key {
        /// Where the key was needed, or where it stands.
        place: Place,
        /// What is the matter.
        trouble: KeyTrouble,
    },
    /// What was handed out could not be delivered, and not everything could be taken back.
    #[error("{source}")]
    Undelivered {
        /// What is different now.
        aftermath: Box<Aftermath>,
        /// Why it could not be delivered.
        source: Box<Error>,
    },
    /// The run was asked to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// A run failed after something was recorded as used.
    #[error("{source}")]
    Spending {
        /// What stays spent.
        spent: Spent,
        /// The client's file or lone key.
        bundle: String,
        /// Why the run failed.
        source: Box<Error>,
    },
    /// Everything was sent, but what was not used could not be given back.
    #[error("{source}")]
    Unsettled {
        /// The client's file or lone key.
        bundle: String,
        /// Why it could not be given back.
        source: Box<Error>,
    },
    /// What a killed process had ready to be sent could not be published.
    #[error("{bundle}: cannot finish sending {output}: {source}")]
    Unpublished {
        /// The client's file.
        bundle: String,
        /// Where the orders were to go.
        output: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Everything was sent, but the program could not erase.
    #[error("{source}")]
    NotErased {
        /// The client's file.
        bundle: String,
        /// Why it could not be erased.
        source: Box<Error>,
    },
    /// An order or a key that is not authentic. Every cause has this one form.
    #[error("{0}: authentication failed")]
    Authentication(Place),
    /// Some records failed, and the others went out as asked.
    #[error("{failed} of {total} {what} failed")]
    SomeFailed {
        /// What they are, in the plural.
        what: &'static str,
        /// How many failed.
        failed: u64,
        /// How many there are in all.
        total: u64,
    },
}

/// What is different after a delivery that failed.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Recorded as issued, and in nobody's hands.
    pub lost: Amounts,
    /// Why what had not left could not be taken back, if that was tried.
    pub not_taken_back: Option<Error>,
    /// A user who has a key now.
    pub admitted: Option<Kid>,
    /// A file that may hold the shop's half.
    pub shop_half: Option<String>,
}

impl Error {
    /// An input or output error; a closed pipe has a form of its own, and an error of ours that
    /// came by way of a reader stays what it was.
    pub fn io(file: impl fmt::Display, action: &'static str, source: io::Error) -> Self {
        let source = match source.downcast::<Self>() {
            Ok(own) => return own,
            Err(source) => source,
        };
        let file = file.to_string();
        match source.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe { file },
            _ => Self::Io { file, action, source },
        }
    }

    /// Malformed input.
    pub fn malformed(place: &Place, found: impl Into<Malformed>) -> Self {
        Self::Malformed { place: place.clone(), found: found.into() }
    }

    /// Input of another form.
    pub fn unexpected(place: &Place, found: Form, expected: Expected) -> Self {
        Self::Unexpected { place: place.clone(), found, expected }
    }

    /// Trouble with a key.
    pub fn key(place: &Place, trouble: KeyTrouble) -> Self {
        Self::Key { place: place.clone(), trouble }
    }
}
