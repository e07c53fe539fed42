//! Clock rate of the processor, so that rates can be given in cycles.

use std::hint::black_box;

use super::rows::Row;
use super::stats::Summary;

/// Number of steps of the chain per iteration.
const STEPS: u64 = 1024;

/// Cycles of an exclusive-or and a rotation, each of which depends on the result before: two per
/// step on every x86-64 processor of the last twenty years.
const CYCLES_A_STEP: f64 = 2.0;

/// Returns a row that runs a chain of known length. It is measured among the other rows, so the
/// clock rate computed from it is the rate that they ran at. `None` where the length in cycles is
/// not known.
pub fn row() -> Option<Row> {
    let chain = || {
        let mut state = 1_u64;
        move || {
            for step in 0..STEPS {
                state = (state ^ step).rotate_left(5);
            }
            state = black_box(state);
        }
    };
    cfg!(target_arch = "x86_64")
        .then(|| Row::new("chain", "none", "portable", 8, chain).batch(STEPS as usize))
}

/// Computes the clock rate in hertz from the seconds per iteration of the chain.
pub fn hertz(seconds: &[f64]) -> f64 {
    STEPS as f64 * CYCLES_A_STEP / Summary::of(seconds.iter().copied()).median
}
