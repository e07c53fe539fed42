//! Errors, worded so that users can act on them.

use std::fmt;
use std::io;

use super::amounts::{Amounts, Spent};
use super::batch_fault::BatchFault;
use super::exchange::{ExchangeFault, Unfinished};
use super::form::{Expected, Form};
use super::key_error::KeyError;
use super::malformed::{Malformed, NoPadding};
use super::misuse::Misuse;
use super::place::Place;
use super::reuse::Reuse;
use crate::ciphers::random::RandomError;

/// Result type of the protocol.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Error of the protocol.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("{file}: {action}: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// Action that failed, as in "cannot read".
        action: &'static str,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The source of random numbers failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The operating system cannot start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The reader of the output closed its end.
    #[error("{file}: the reader closed the pipe")]
    ClosedPipe {
        /// The output's name.
        file: String,
    },
    /// The request contradicts itself or the current state of files and keys.
    #[error(transparent)]
    Usage(#[from] Misuse),
    /// The caller's own error, returned by a function that was passed in.
    #[error(transparent)]
    Caller(Box<dyn std::error::Error + Send + Sync>),
    /// A fault in an input that only the caller reads.
    #[error("{place}: {found}")]
    Misread {
        /// Place of the fault.
        place: Place,
        /// The fault.
        found: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Malformed input.
    #[error("{place}: {found}")]
    Malformed {
        /// Place of the fault.
        place: Place,
        /// Fault, with the expected and the actual value.
        found: Malformed,
    },
    /// Input in another, recognized form.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Place of the input.
        place: Place,
        /// Form that was found.
        found: Form,
        /// Form that was expected.
        expected: Expected,
    },
    /// Key file that would be too long to be read again.
    #[error(
        "{place}: the key file would take {len} bytes, including what will be recorded in it; the \
         limit is {most}"
    )]
    KeyFileFull {
        /// The key file, or the party that creates it.
        place: Place,
        /// Length that the file would have, in bytes.
        len: u64,
        /// Longest key file, in bytes.
        most: u64,
    },
    /// Failure after a change that remains in effect.
    #[error("{source}")]
    Changed {
        /// Description of the change.
        what: String,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Key that is missing or must not be used for this purpose.
    #[error("{place}: {error}")]
    Key {
        /// Place where the key was needed, or of the key itself.
        place: Place,
        /// Problem with the key.
        error: KeyError,
    },
    /// Keys or ids could not be delivered, and not all of them could be taken back.
    #[error("{source}")]
    Undelivered {
        /// What could not be undone.
        not_undone: Box<NotUndone>,
        /// Cause of the failed delivery.
        source: Box<Error>,
    },
    /// The run was stopped on request.
    #[error("stopped by a signal")]
    Stopped,
    /// Failure after something was recorded as used.
    #[error("{source}")]
    Spending {
        /// Resources that remain spent.
        spent: Spent,
        /// The client's file or lone key.
        bundle: String,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Everything was sent, but unused resources could not be given back.
    #[error("{source}")]
    Unsettled {
        /// The client's file or lone key.
        bundle: String,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Orders that a killed process had prepared could not be sent.
    #[error("{bundle}: cannot finish sending {output}: {source}")]
    Unpublished {
        /// The client's file.
        bundle: String,
        /// Destination of the orders.
        output: String,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Everything was sent, but erasing failed.
    #[error("{source}")]
    NotErased {
        /// The client's file.
        bundle: String,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Orders were sent, and the ledger could not record that.
    #[error("{source}")]
    Unrecorded {
        /// Name of the output.
        output: String,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Order or key that is not authentic. All causes share this one form.
    #[error("{0}: authentication failed")]
    Authentication(Place),
    /// Signed batch, or line where one is expected, that was refused.
    #[error("{place}: {fault}")]
    Batch {
        /// Place of the fault.
        place: Place,
        /// The fault.
        fault: BatchFault,
    },
    /// Old data that does not decrypt to what it should.
    #[error("{place}: {found}")]
    NotDecrypted {
        /// Place of the data.
        place: Place,
        /// What is missing.
        found: NoPadding,
    },
    /// Authentic order that was opened before.
    #[error("{place}: {found}")]
    Reused {
        /// Place of the order.
        place: Place,
        /// What is known about the earlier time.
        found: Reuse,
    },
    /// Exchange with a server that failed.
    #[error("{}{address}: {fault}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    Exchange {
        /// Place of the orders in the input, if it was about orders.
        place: Option<Place>,
        /// Address of the server.
        address: String,
        /// The fault.
        fault: Box<ExchangeFault>,
    },
    /// Orders that were not all sent.
    #[error("{source}")]
    NotSent {
        /// What became of them.
        unfinished: Box<Unfinished>,
        /// Cause of the failure.
        source: Box<Error>,
    },
    /// Some records failed; the others were written as requested.
    #[error("{failed} of {total} {what} failed")]
    SomeFailed {
        /// Kind of records, in the plural.
        what: &'static str,
        /// Number of records that failed.
        failed: u64,
        /// Number of all records.
        total: u64,
    },
    /// Simulation with an outcome that was not expected.
    #[error("the simulation does not hold: {failed} of {total} embodiments failed")]
    NotHeld {
        /// Number of embodiments that failed.
        failed: u64,
        /// Number of all embodiments.
        total: u64,
    },
    /// Benchmark with rows slower than before.
    #[error("{slower} of {total} rows are slower than in the baseline")]
    Slower {
        /// Number of slower rows.
        slower: u64,
        /// Number of rows compared.
        total: u64,
    },
}

/// What a failed delivery could not undo.
#[derive(Debug, Default)]
pub struct NotUndone {
    /// Amounts recorded as issued that no client has.
    pub lost: Amounts,
    /// Error from taking back what had not been sent, if that was tried.
    pub not_taken_back: Option<Error>,
    /// File that may contain the shop's half of the keys.
    pub shop_half: Option<String>,
}

impl Error {
    /// Wraps an input or output error. A closed pipe becomes [`Error::ClosedPipe`]; an error of
    /// this crate that passed through a reader is returned unchanged.
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

    /// Creates an error for malformed input.
    pub fn malformed(place: &Place, found: impl Into<Malformed>) -> Self {
        Self::Malformed { place: place.clone(), found: found.into() }
    }

    /// Creates an error for input in another form.
    pub fn unexpected(place: &Place, found: Form, expected: Expected) -> Self {
        Self::Unexpected { place: place.clone(), found, expected }
    }

    /// Creates an error for an exchange with the server at an address.
    pub fn exchange(address: impl fmt::Display, fault: ExchangeFault) -> Self {
        Self::Exchange { place: None, address: address.to_string(), fault: Box::new(fault) }
    }

    /// Creates an error for a problem with a key.
    pub fn key(place: &Place, error: KeyError) -> Self {
        Self::Key { place: place.clone(), error }
    }
}
