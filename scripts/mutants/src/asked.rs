//! Which mutant runs. This file becomes a module of the program under test.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static CHOSEN: LazyLock<usize> =
    LazyLock::new(|| std::env::var("ORDERSEAL_MUTANT").map_or(0, |number| number.parse().expect("a number")));

/// Where reached mutants are noted: an empty file each.
static NOTED: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os("ORDERSEAL_REACHED").map(PathBuf::from));

static REACHED: [AtomicBool; 4096] = [const { AtomicBool::new(false) }; 4096];

/// Whether this mutant runs.
pub fn is(number: usize) -> bool {
    if let Some(folder) = &*NOTED
        && !REACHED[number].swap(true, Ordering::Relaxed)
    {
        let _ = std::fs::File::create(folder.join(number.to_string()));
    }
    *CHOSEN == number
}
