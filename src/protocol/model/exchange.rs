//! What goes wrong between a client and the servers of shop and service.

use std::fmt;

/// Why an exchange with a server failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeFault {
    /// No server at this address, or none that can be talked to.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No complete answer: whether the request arrived is not known.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer that refuses the request.
    #[error("refused: {0}")]
    Refused(Problem),
    /// An answer that names another address.
    #[error("redirects to {0}, which is not followed")]
    Redirect(String),
    /// An answer that is too long.
    #[error("the answer has more than {0} bytes")]
    TooLong(u64),
    /// An answer of another kind than expected.
    #[error("found an answer {found}, expected {expected}")]
    Unexpected {
        /// The answer that was found.
        found: String,
        /// The answer that was expected.
        expected: &'static str,
    },
    /// A program that is not authentic, or answers another request.
    #[error("the program is refused: {0}")]
    Program(String),
    /// An item page with another key of the service than the one that is trusted, or with none.
    #[error("the item page does not name the service's key that was given")]
    OtherKey,
    /// A program with too few keys or tickets for the orders.
    #[error("the program has {found} {what} for {orders} orders")]
    TooFew {
        /// What there are too few of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// Number of orders that it was requested for.
        orders: usize,
    },
    /// An address over which everybody on the way reads along.
    #[error("plain http is used for addresses of this computer only")]
    PlainHttp,
    /// A processor without the instructions that TLS needs.
    #[error("this processor lacks instructions that https needs here")]
    NoTls,
}

/// What an answer says about why a request is refused (RFC 9457).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The status of the answer.
    pub status: u16,
    /// The code for programs, as in `id-used`.
    pub code: Option<String>,
    /// The words for people.
    pub detail: Option<String>,
    /// The line of the request that is at fault, counted from 1.
    pub line: Option<u64>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

/// What became of orders that were to be sent, when not all of them were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Number of orders that the shop has kept now.
    pub kept: u64,
    /// Number of orders that it had before.
    pub known: u64,
    /// Number of sealed orders without a definite answer, and the file that holds them.
    pub held: Option<(u64, String)>,
    /// The first line of the input that was not sealed.
    pub next_line: Option<u64>,
}
