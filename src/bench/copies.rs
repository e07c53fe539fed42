//! A row on several threads at once; each thread runs its own copy.

use std::convert::Infallible;
use std::sync::Mutex;

use crate::protocol::pipeline::Workers;

use super::rows::{Iteration, Row};

/// A row, set up once for each thread.
pub struct Copies<'a> {
    workers: &'a Workers,
    /// One copy per thread; only that thread locks it.
    copies: Vec<Mutex<Iteration>>,
}

impl<'a> Copies<'a> {
    /// Sets up the row on each thread.
    pub fn of(row: &Row, workers: &'a Workers) -> Self {
        let copies = (0..workers.threads()).map(|_| Mutex::new(row.set_up())).collect();
        Self { workers, copies }
    }

    /// Runs `iterations` on each thread; a single copy stays on the calling thread.
    pub fn run(&self, iterations: u64) {
        let copy = |thread: usize| {
            let mut iteration = self.copies[thread].lock().expect("no iteration panicked");
            for _ in 0..iterations {
                iteration();
            }
            Ok::<(), Infallible>(())
        };
        let Ok(_) = match self.copies.len() {
            1 => copy(0).map(|()| Vec::new()),
            threads => self.workers.make(threads, copy),
        };
    }
}
