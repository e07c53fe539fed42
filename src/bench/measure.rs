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

/// Speed of a row.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    /// Bytes per second, all threads together.
    pub bytes: f64,
    /// Operations per second, all threads together.
    pub operations: f64,
    /// Interquartile range of the samples, as a fraction of their median.
    pub spread: f64,
}

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
/// `tick` after each round.
pub fn measure(
    rows: &[Row],
    workers: &Workers,
    share: Share,
    mut tick: impl FnMut(),
) -> Vec<Speed> {
    let mut runs: Vec<_> = rows.iter().map(|row| Run::new(row, workers, share)).collect();
    for round in 0..share.rounds {
        for run in &mut runs {
            if round < FEWEST || run.spent < share.time {
                run.sample();
            }
        }
        tick();
    }
    runs.iter().map(Run::speed).collect()
}

/// A row being measured.
struct Run<'a> {
    row: &'a Row,
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
            row,
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

    fn speed(&self) -> Speed {
        Speed::of(self.row, self.threads, &self.samples)
    }
}

impl Speed {
    /// Computes the speed from the median seconds per iteration on `threads` threads.
    fn of(row: &Row, threads: usize, samples: &[f64]) -> Self {
        let (median, spread) = median_and_spread(samples);
        let a_second = |amount: u64| (threads as u64 * amount) as f64 / median;
        Self { bytes: a_second(row.bytes()), operations: a_second(row.operations), spread }
    }
}

/// Returns the median of the samples and their interquartile range as a fraction of it.
pub fn median_and_spread(samples: &[f64]) -> (f64, f64) {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    let median = quantile(&samples, 0.5);
    (median, (quantile(&samples, 0.75) - quantile(&samples, 0.25)) / median)
}

/// Returns a quantile of sorted samples, interpolated between the two nearest.
fn quantile(samples: &[f64], quantile: f64) -> f64 {
    let place = quantile * (samples.len() - 1) as f64;
    let (low, high) = (samples[place.floor() as usize], samples[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn quantiles_lie_between_samples() {
        let samples = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&samples, 0.5), 3.0);
        assert_eq!(quantile(&samples, 0.25), 1.75);
        assert_eq!(quantile(&samples[..1], 0.75), 1.0);
    }

    #[test]
    fn speed_is_work_by_time_on_every_thread() {
        let row = Row::new("none", "", "portable", 100, || || ()).batch(5);
        let speed = Speed::of(&row, 2, &[0.3, 0.1, 0.2]);
        assert_eq!(speed.operations, 2.0 * 5.0 / 0.2);
        assert_eq!(speed.bytes, 100.0 * speed.operations);
        assert!((speed.spread - 0.5).abs() < 1e-9, "{speed:?}");
    }

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
        let speeds = measure(&rows, &workers, share, || ticks += 1);
        assert_eq!((ticks, speeds.len()), (share.rounds, 1));
        assert_eq!(COPIES.load(Ordering::Relaxed), 2);
        assert!(RUNS.load(Ordering::Relaxed) >= 2 * FEWEST);
    }
}
