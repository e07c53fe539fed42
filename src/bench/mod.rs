//! Measurements of the command `bench`, the Criterion suite and the comparison with other
//! libraries. Not part of the library's API.

pub mod choose;
pub mod clock;
pub mod compare;
pub mod copies;
pub mod cost;
pub mod cycles;
mod delivery;
pub mod grid;
pub mod machine;
pub mod measure;
pub mod pools;
mod rank;
pub mod report;
pub mod rows;
pub mod scale;
pub mod stats;
pub mod table;

/// Rounds to six digits, more than a measurement is accurate to.
pub fn rounded(rate: f64) -> f64 {
    format!("{rate:.5e}").parse().expect("a number that was just printed")
}
