//! The mutants, as `cargo mutants --list --json` describes them.

use std::fs;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::Done;

/// One mutant. Its number is its place in the sample, from 1.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    pub span: Span,
    pub replacement: String,
    pub genre: String,
}

/// A range of text; lines and columns (characters) count from 1.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

pub fn read(path: &str) -> Result<Vec<Mutant>, Box<dyn std::error::Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Chooses `count` of the mutants in `list`, always the same ones for a seed.
pub fn sample(list: &str, count: &str, seed: &str, sample: &str) -> Done {
    let mut mutants = read(list)?;
    let (count, mut state): (usize, u64) = (count.parse()?, seed.parse()?);
    let all = mutants.len();
    let count = count.min(all);
    for at in 0..count {
        let other = at + (next(&mut state) % (all - at) as u64) as usize;
        mutants.swap(at, other);
    }
    mutants.truncate(count);
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    fs::write(sample, serde_json::to_vec_pretty(&mutants)?)?;
    println!("mutants: {count} of {all}, seed {seed}");
    Ok(ExitCode::SUCCESS)
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
