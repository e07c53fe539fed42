//! Telling the processor's clock, so that a rate can be said in cycles.

use std::hint::black_box;

use super::measure::Speed;
use super::rows::Row;

/// Steps of the chain in an iteration.
const STEPS: u64 = 1024;

/// An exclusive-or and a rotation, each of which waits for the one before: two cycles a step on
/// every x86-64 processor of the last twenty years.
const CYCLES_A_STEP: f64 = 2.0;

/// A chain of steps of known length, to be measured among the other rows: the clock that it tells is
/// the one that they had. None where the length is not known.
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

/// Cycles a second, from how fast the chain was.
pub fn hertz(chain: Speed) -> f64 {
    chain.operations * CYCLES_A_STEP
}
