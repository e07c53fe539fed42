//! Errors that commands make themselves, with their hints.

use orderseal::protocol::{Error, Place};

/// A contradictory command line, with an optional hint.
#[derive(Debug, thiserror::Error)]
#[error("{found}")]
pub struct Usage {
    found: String,
    pub hint: Option<String>,
}

/// Returns the error for a contradictory command line.
pub fn usage(found: impl Into<String>) -> Error {
    Error::Caller(Box::new(Usage { found: found.into(), hint: None }))
}

/// Returns the same error with a hint.
pub fn usage_with(found: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Caller(Box::new(Usage { found: found.into(), hint: Some(hint.into()) }))
}

/// A fault in an input that a command reads itself, with hints.
#[derive(Debug, thiserror::Error)]
#[error("{found}")]
pub struct Misread {
    found: String,
    pub hints: Vec<String>,
}

/// Returns the error for a fault in an input.
pub fn misread(place: &Place, found: impl Into<String>, hints: Vec<String>) -> Error {
    let found = Box::new(Misread { found: found.into(), hints });
    Error::Misread { place: place.clone(), found }
}
