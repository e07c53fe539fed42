//! Measurements of the command `bench`, the Criterion suite and the comparison with other
//! libraries. Not part of the library's API.

pub mod choose;
pub mod clock;
pub mod copies;
pub mod cost;
pub mod cycles;
mod delivery;
pub mod machine;
pub mod measure;
pub mod pools;
pub mod rows;
pub mod scale;
pub mod table;

use measure::Speed;
use rows::Row;

/// A row and its speed.
pub struct Measured {
    /// The group of the row, see [`rows::GROUPS`].
    pub group: &'static str,
    /// The row.
    pub row: Row,
    /// Its speed.
    pub speed: Speed,
}

/// Rounds to six digits, more than a measurement is accurate to.
pub fn rounded(rate: f64) -> f64 {
    format!("{rate:.5e}").parse().expect("a number that was just printed")
}
