//! What the targets share: seeds from the repository's tests, inputs in the clear that become
//! sealed lines, and plain versions of what orderseal does fast.

pub mod keys;
pub mod line;
pub mod plain;
pub mod repository;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use orderseal::Place;
use orderseal::protocol::pipeline::Workers;
use sha2::{Digest, Sha256};

/// Name of the variable with the folder for a target's seeds.
const SEEDS: &str = "ORDERSEAL_FUZZ_SEEDS";

/// Writes the target's seeds and ends, if the variable `ORDERSEAL_FUZZ_SEEDS` names a folder for
/// them.
pub fn begin(seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(folder) = std::env::var_os(SEEDS).map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("the folder for seeds can be created");
    let seeds: BTreeSet<Vec<u8>> = seeds().into_iter().collect();
    for seed in &seeds {
        let hash: String = Sha256::digest(seed)[..8].iter().map(|b| format!("{b:02x}")).collect();
        std::fs::write(folder.join(hash), seed).expect("a seed can be written");
    }
    println!("{} seeds", seeds.len());
    std::process::exit(0);
}

/// A place for messages.
pub fn place() -> Place {
    Place::file("input")
}

/// One thread for what needs some.
pub fn workers() -> &'static Workers {
    static WORKERS: OnceLock<Workers> = OnceLock::new();
    WORKERS.get_or_init(|| Workers::new(Some(1)).expect("a thread can be started"))
}

/// An empty folder of this process, in memory if the system has a place for that.
pub fn folder(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = base.join(format!("orderseal-fuzz-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder can be created");
    folder
}

/// An input that is read piece by piece; zeros follow its end.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Reads from the beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// The next number below a limit of at most 65,536.
    pub fn below(&mut self, limit: usize) -> usize {
        let number =
            if limit > 256 { u16::from_le_bytes(self.bytes()) } else { self.byte().into() };
        usize::from(number) % limit.max(1)
    }

    /// The next bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// The next bytes, as far as there are so many.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
