//! Searches for small circuits of the DES S-boxes, and generates the code of the crate from them.
//! See the README beside this crate's manifest.

mod circuit;
mod file;
mod generate;
mod search;
mod select;
mod start;
mod tables;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use circuit::Circuit;
use search::{Params, Rng, Walk};

const USAGE: &str = "\
usage: des-sbox search <2|3|select> <file> [seconds, 60] [seed, 1]   improve the circuits in a file
       des-sbox generate <folder>   write lut3.rs, logic.rs and select.rs from the .txt beside each
       des-sbox check <folder>      compare them";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |at: usize, default: u64| match args.get(at) {
        Some(text) => text.parse().map_err(|_| format!("not a number: {text}")),
        None => Ok(default),
    };
    let result = match args[..] {
        ["search", gates @ ("2" | "3" | "select"), file, ..] => number(3, 60).and_then(|seconds| {
            let gates = match gates {
                "2" => Gates::Two,
                "3" => Gates::Three,
                _ => Gates::Select,
            };
            search(gates, Path::new(file), Duration::from_secs(seconds), number(4, 1)?)
        }),
        ["generate", folder] => each_file(folder, |path, code| {
            fs::write(path, code).map_err(|error| format!("{}: {error}", path.display()))
        }),
        ["check", folder] => each_file(folder, |path, code| match fs::read_to_string(path) {
            Ok(found) if found == code => Ok(()),
            _ => Err(format!("{} is not what its data say", path.display())),
        }),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Reads circuits and makes sure that they compute the S-boxes.
fn read(path: &Path) -> Result<Vec<Circuit>, String> {
    let in_file = |error: String| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
    let circuits = file::parse(&text).map_err(in_file)?;
    for (i, circuit) in circuits.iter().enumerate() {
        if !circuit.computes(&tables::functions(i)) {
            return Err(in_file(format!("S{} is wrong", i + 1)));
        }
    }
    Ok(circuits)
}

/// Hands the code generated from each data file of a folder, and where it belongs, to `f`.
fn each_file(folder: &str, f: impl Fn(&Path, &str) -> Result<(), String>) -> Result<(), String> {
    let folder = Path::new(folder);
    f(&folder.join("lut3.rs"), &generate::lut3(&read(&folder.join("lut3.txt"))?))?;
    f(&folder.join("logic.rs"), &generate::logic(&read(&folder.join("logic.txt"))?))?;
    f(&folder.join("select.rs"), &generate::select(&read(&folder.join("select.txt"))?))
}

/// The gates that a search may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gates {
    /// All of two inputs.
    Two,
    /// All of three inputs.
    Three,
    /// Those of [`select::Kind`].
    Select,
}

/// Circuits of a box that are kept: the best size only.
const POOL: usize = 30;

/// Walks from the circuits in the file, or from nothing, box after box, and writes the best ones
/// back whenever a box gets smaller.
fn search(gates: Gates, path: &Path, time: Duration, seed: u64) -> Result<(), String> {
    let mut first = match path.exists() {
        true => read(path)?,
        false => (0..8).map(start::tree).collect(),
    };
    for circuit in &mut first {
        let two_inputs = circuit.gates.iter().all(|gate| gate.inputs[1] == gate.inputs[2]);
        if gates == Gates::Two && !two_inputs {
            *circuit = start::split(circuit);
        }
        if gates == Gates::Select && two_inputs {
            *circuit = select::without_inversions(circuit);
        }
        if gates == Gates::Select && select::zero_row(circuit).is_none() {
            return Err(format!("{}: start from a copy of logic.txt", path.display()));
        }
    }
    let mut pools: Vec<Vec<Circuit>> = first.into_iter().map(|circuit| vec![circuit]).collect();
    let mut rng = Rng::new(seed);
    let begin = Instant::now();
    for sbox in (0..8).cycle() {
        if begin.elapsed() > time {
            break;
        }
        let pool = &mut pools[sbox];
        let circuit = pool[rng.below(pool.len())].clone();
        let size = circuit.gates.len();
        // A portfolio instead of tuning.
        let params = Params {
            arity: if gates == Gates::Two { 2 } else { 3 },
            two_gates: [50, 100, 200][rng.below(3)],
            grow: [0, 2, 10, 40][rng.below(4)],
            slack: 1 + rng.below(3),
        };
        let moves = [3_000, 10_000, 30_000][rng.below(3)];
        let circuit = match gates {
            Gates::Two | Gates::Three => Walk::new(circuit, params, &mut rng).best_of(moves),
            Gates::Select => select::Walk::new(circuit, params, &mut rng).best_of(moves),
        };
        assert!(circuit.computes(&tables::functions(sbox)), "moves keep circuits correct");
        if circuit.gates.len() < size {
            *pool = vec![circuit];
            let best: Vec<Circuit> = pools.iter().map(|pool| pool[0].clone()).collect();
            let sizes: Vec<usize> = best.iter().map(|circuit| circuit.gates.len()).collect();
            let (seconds, total) = (begin.elapsed().as_secs(), sizes.iter().sum::<usize>());
            println!("{seconds:5} s  {total} gates {sizes:?}");
            fs::write(path, file::print(&best))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        } else if pool.len() < POOL {
            pool.push(circuit);
        } else {
            let at = rng.below(POOL);
            pool[at] = circuit;
        }
    }
    Ok(())
}
