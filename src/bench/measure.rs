//! Timing of rows against each other: many short samples in turn, and medians.
//!
//! A single thread is timed by its processor time, so that other programs do not count. Several
//! threads are timed by wall clock, from the start of the first to the end of the last, to measure
//! how they affect each other.

use std::time::{Duration, Instant};

use crate::protocol::pipeline::Workers;

use super::clock::thread_time;
use super::copies::Copies;
use super::rows::Row;

/// Duration of a sample, unless a single iteration takes longer.
const SAMPLE: Duration = Duration::from_millis(3);

/// Minimum number of samples of a row, for iterations that take longer than the row's share of the
/// time.
const FEWEST: u32 = 3;

/// The fraction of a sample that runs before the clock starts, while caches and the frequency for
/// wide registers settle.
const WARM_UP: u32 = 8;

/// Measuring time of each row.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    time: Duration,
    /// Number of samples in that time.
    pub rounds: u32,
}

impl Share {
    /// Divides the time equally among the rows.
    pub fn of(time: Duration, rows: usize) -> Self {
        let time = time / rows.max(1) as u32;
        let samples = time.as_secs_f64() / SAMPLE.as_secs_f64();
        Self { time, rounds: (samples as u32).max(FEWEST) }
    }
}

/// Measures rows, each on all threads of `workers` at once; every thread runs its own copy. Calls
/// `tick` after each round. Returns the seconds per iteration of each row, in the order of the rounds.
pub fn measure(
    rows: &[Row],
    workers: &Workers,
    share: Share,
    mut tick: impl FnMut(),
) -> Vec<Vec<f64>> {
    let mut runs: Vec<_> = rows.iter().map(|row| Run::new(row, workers, share)).collect();
    for round in 0..share.rounds {
        for run in &mut runs {
            if round < FEWEST || run.spent < share.time {
                run.sample();
            }
        }
        tick();
    }
    runs.into_iter().map(|run| run.samples).collect()
}

/// A row being measured.
struct Run<'a> {
    threads: usize,
    copies: Copies<'a>,
    /// Number of iterations in a sample.
    iterations: u32,
    spent: Duration,
    /// Seconds per iteration, by sample.
    samples: Vec<f64>,
}

impl<'a> Run<'a> {
    /// Sets up the row and determines how many iterations fill a sample.
    fn new(row: &'a Row, workers: &'a Workers, share: Share) -> Self {
        let mut run = Self {
            threads: workers.threads(),
            copies: Copies::of(row, workers),
            iterations: 1,
            spent: Duration::ZERO,
            samples: Vec::new(),
        };
        let sample = SAMPLE.min(share.time / FEWEST);
        let mut took = run.time();
        while took < sample / 4 && run.iterations < u32::MAX / 2 {
            run.iterations *= 2;
            took = run.time();
        }
        let filling = sample.as_secs_f64() / took.as_secs_f64() * f64::from(run.iterations);
        run.iterations = (filling as u32).max(1);
        run
    }

    fn sample(&mut self) {
        if self.iterations > 1 {
            self.copies.run(self.iterations.div_ceil(WARM_UP).into());
        }
        let took = self.time();
        self.samples.push(took.as_secs_f64() / f64::from(self.iterations));
    }

    /// Times the iterations of a sample.
    fn time(&mut self) -> Duration {
        let (start, start_thread) = (Instant::now(), thread_time());
        self.copies.run(self.iterations.into());
        let (took, took_thread) = (start.elapsed(), thread_time() - start_thread);
        self.spent += took;
        let took = if self.threads == 1 { took_thread } else { took };
        took.max(Duration::from_nanos(1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn every_thread_runs_a_copy_of_its_own_in_every_round() {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let set_up = || {
            COPIES.fetch_add(1, Ordering::Relaxed);
            || _ = RUNS.fetch_add(1, Ordering::Relaxed)
        };
        let rows = [Row::new("count", "", "portable", 1, set_up)];
        let workers = Workers::new(Some(2)).unwrap();
        let share = Share::of(Duration::from_millis(20), 1);
        let mut ticks = 0;
        let samples = measure(&rows, &workers, share, || ticks += 1);
        assert_eq!((ticks, samples.len()), (share.rounds, 1));
        assert!(samples[0].len() >= FEWEST as usize);
        assert_eq!(COPIES.load(Ordering::Relaxed), 2);
        assert!(RUNS.load(Ordering::Relaxed) >= 2 * FEWEST);
    }
}
