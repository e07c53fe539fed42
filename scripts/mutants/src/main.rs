//! Compiles many mutants of orderseal into one program, and runs the tests that reach each of them.
//!
//! `cargo mutants` chooses the mutants, and would build the crate once for each. Here one build has all of them, each
//! behind a test of the environment variable `ORDERSEAL_MUTANT`. A first run of all tests without any mutant notes
//! which mutants each test reaches; then each mutant runs just with these tests, the quick ones first, until one fails.
//! `scripts/mutants.sh` calls the three commands in turn.

mod edit;
mod list;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["sample", list, count, seed, sample] => list::sample(list, count, seed, sample),
        ["apply", sample, tree] => edit::apply(sample, tree),
        ["run", sample, tree, folder] => run::run(sample, tree, folder),
        _ => Err("usage: mutants sample LIST COUNT SEED SAMPLE | apply SAMPLE TREE | run SAMPLE TREE FOLDER".into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The result of a command, with a text for people.
type Done = Result<ExitCode, Box<dyn std::error::Error>>;
