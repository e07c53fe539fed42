//! Scaling: whole batches and streams on 1 to all threads, compared with a memory copy.

use std::fmt;
use std::time::{Duration, Instant};

use crate::protocol::Result;
use crate::protocol::pipeline::Workers;
use serde::Serialize;

use super::report::NOISY;
use super::rounded;
use super::stats::Summary;
use super::table::{percent, scaled, spread};

mod jobs;

/// Minimum number of runs on each number of threads.
const FEWEST: usize = 3;

/// Fraction of a copy's throughput from which memory counts as the limit.
const LIMIT: f64 = 0.75;

/// Result of one kind of run on one number of threads.
#[derive(Serialize)]
pub struct Point {
    id: String,
    threads: usize,
    bytes_per_second: f64,
    operations_per_second: f64,
    /// Speed relative to one thread.
    speed_up: f64,
    /// Bytes read and written, relative to a copy on the same number of threads, round by round.
    share_of_copy: f64,
    spread: f64,
    /// Spread of the share of a copy.
    share_spread: f64,
}

/// Measures for about `time`, on up to `most` threads; calls `spent` with the elapsed time after
/// each round.
pub fn measure(most: usize, time: Duration, mut spent: impl FnMut(Duration)) -> Result<Vec<Point>> {
    let jobs = jobs::all(&Workers::new(Some(most))?)?;
    let teams: Vec<Workers> =
        numbers(most).into_iter().map(|n| Workers::new(Some(n))).collect::<Result<_>>()?;
    let mut moved = vec![0; jobs.len()];
    let mut samples = vec![vec![Vec::new(); teams.len()]; jobs.len()];
    let started = Instant::now();
    for round in 0.. {
        if round >= FEWEST && started.elapsed() >= time {
            break;
        }
        for (number, job) in jobs.iter().enumerate() {
            for (team, samples) in teams.iter().zip(&mut samples[number]) {
                let start = Instant::now();
                moved[number] = (job.run)(team)?;
                samples.push(start.elapsed().as_secs_f64());
            }
        }
        spent(started.elapsed());
    }
    let mut points = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        for (team, workers) in teams.iter().enumerate() {
            let seconds = |team: usize| Summary::of(samples[number][team].iter().copied());
            let one = seconds(team);
            // Bytes moved per second.
            let rates = |job: usize| -> Vec<f64> {
                samples[job][team].iter().map(|seconds| moved[job] as f64 / seconds).collect()
            };
            let share = Summary::of_ratios(&rates(number), &rates(jobs::COPY));
            points.push(Point {
                id: job.id.clone(),
                threads: workers.threads(),
                bytes_per_second: rounded(job.bytes as f64 / one.median),
                operations_per_second: rounded(job.operations as f64 / one.median),
                speed_up: rounded(seconds(0).median / one.median),
                share_of_copy: rounded(share.median),
                spread: rounded(one.spread()),
                share_spread: rounded(share.spread()),
            });
        }
    }
    Ok(points)
}

/// Returns the numbers of threads to measure: all up to 8, else the powers of two and `most`.
fn numbers(most: usize) -> Vec<usize> {
    let doubling = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n < most);
    match most {
        ..=8 => (1..=most).collect(),
        _ => doubling.chain([most]).collect(),
    }
}

/// The points as a table for users, with a verdict on memory.
pub struct Scale<'a>(pub &'a [Point]);

impl fmt::Display for Scale<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|point| point.id.len()).max().unwrap_or(0);
        writeln!(
            f,
            "\n{:width$}  threads     bytes/s  operations/s  speed-up  of a copy  spread",
            "scaling"
        )?;
        for point in self.0 {
            writeln!(
                f,
                "{:width$}  {:>7}  {:>10}  {:>12}  {:>8}  {:>9}  {:>6}",
                point.id,
                point.threads,
                scaled(point.bytes_per_second, "B"),
                scaled(point.operations_per_second, ""),
                format!("{:.2} ×", point.speed_up),
                percent(point.share_of_copy),
                spread(point.spread),
            )?;
        }
        writeln!(f)?;
        for points in self.0.chunk_by(|a, b| a.id == b.id).skip(1) {
            writeln!(f, "{}", verdict(points))?;
        }
        f.write_str(
            "\nWhole batches and streams in memory, by the clock on the wall; what comes out is thrown \
             away.\nof a copy: bytes read and written, compared with a copy on as many threads\n",
        )
    }
}

/// Describes where memory becomes the limit of one kind of run, if the shares of a copy are certain.
fn verdict(points: &[Point]) -> String {
    let last = points.last().expect("a run has points");
    let id = &last.id;
    if let Some(noisy) = points.iter().find(|point| point.share_spread > NOISY) {
        return format!(
            "{id}: too noisy to tell whether memory bandwidth is the limit: on {} the share of a copy \
             varies by {}",
            threads(noisy.threads),
            percent(noisy.share_spread)
        );
    }
    match points.iter().find(|point| point.share_of_copy >= LIMIT) {
        Some(point) => format!(
            "{id}: memory bandwidth is the limit from {} on, at {} of a copy",
            threads(point.threads),
            percent(point.share_of_copy)
        ),
        None => format!(
            "{id}: memory bandwidth is not the limit up to {}, at {} of a copy",
            threads(last.threads),
            percent(last.share_of_copy)
        ),
    }
}

fn threads(number: usize) -> String {
    format!("{number} thread{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(threads: usize, share_of_copy: f64) -> Point {
        Point {
            id: "seal/x/y/1".to_owned(),
            threads,
            bytes_per_second: 1e9,
            operations_per_second: 1e6,
            speed_up: threads as f64,
            share_of_copy,
            spread: 0.01,
            share_spread: 0.02,
        }
    }

    #[test]
    fn memory_is_the_limit_from_the_first_number_of_threads_that_comes_near_a_copy() {
        let far = verdict(&[point(1, 0.1), point(2, 0.2)]);
        assert!(far.contains("not the limit up to 2 threads, at 20 %"), "{far}");
        let near = verdict(&[point(1, 0.4), point(2, 0.8), point(4, 0.9)]);
        assert!(near.contains("the limit from 2 threads on, at 80 %"), "{near}");
    }

    #[test]
    fn no_verdict_rests_on_a_share_that_is_noisy() {
        let noisy = Point { share_spread: 0.2, ..point(2, 0.9) };
        let told = verdict(&[point(1, 0.4), noisy]);
        assert!(told.contains("too noisy to tell") && told.contains("2 threads"), "{told}");
    }

    #[test]
    fn many_threads_are_doubled_up_to_all() {
        assert_eq!(numbers(1), [1]);
        assert_eq!(numbers(3), [1, 2, 3]);
        assert_eq!(numbers(24), [1, 2, 4, 8, 16, 24]);
    }
}
