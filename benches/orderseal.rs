//! The criterion suite: the rows of `orderseal bench`, in every size, with criterion's statistics
//! and HTML reports (`target/criterion/report/index.html`); whole orders on several threads as well.
//!
//! `cargo bench -- des` measures the rows whose id contains `des`; `cargo bench -- --test` runs
//! each once.

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use orderseal::bench::clock;
use orderseal::bench::copies::Copies;
use orderseal::bench::rows;
use orderseal::protocol::pipeline::Workers;

fn suite(criterion: &mut Criterion<ThreadTime>) {
    for (name, lists) in rows::GROUPS {
        let mut group = criterion.benchmark_group(name);
        for row in lists.iter().flat_map(|list| list()) {
            group.throughput(match name {
                "ciphers" => Throughput::BytesDecimal(row.bytes()),
                _ => Throughput::Elements(row.operations),
            });
            // Set up when criterion first asks for the row, which it does not if it is filtered
            // out; criterion comes back for every sample.
            let mut iteration = None;
            group.bench_function(row.id(), |bencher| {
                bencher.iter(iteration.get_or_insert_with(|| row.set_up()));
            });
        }
        group.finish();
    }
}

/// The usual rows of whole orders on two, four … all threads, by the clock on the wall.
fn threads(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut numbers: Vec<usize> =
        std::iter::successors(Some(2), |n| Some(n * 2)).take_while(|n| *n <= cores).collect();
    numbers.extend((cores > 2 && !cores.is_power_of_two()).then_some(cores));
    for number in numbers {
        let workers = Workers::new(Some(number)).expect("as many threads as cores");
        let mut group = criterion.benchmark_group(format!("orders on {number} threads"));
        let (_, lists) =
            rows::GROUPS.into_iter().find(|(name, _)| *name == "orders").expect("it is one");
        for row in lists.iter().flat_map(|list| list()).filter(|row| !row.extra) {
            group.throughput(Throughput::Elements(number as u64 * row.operations));
            let mut copies = None;
            group.bench_function(row.id(), |bencher| {
                let copies = copies.get_or_insert_with(|| Copies::of(&row, &workers));
                bencher.iter_custom(|iterations| {
                    let start = Instant::now();
                    copies.run(iterations);
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
}

/// As `orderseal bench` times a single thread: other programs do not count.
struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        clock::thread_time()
    }

    fn end(&self, start: Duration) -> Duration {
        clock::thread_time() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, time: &Duration) -> f64 {
        WallTime.to_f64(time)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Few and short samples, and few resamples of them: there are many rows, and criterion would take
/// longer to look at a row than to measure it.
fn short<M: Measurement + 'static>(measurement: M) -> Criterion<M> {
    Criterion::default()
        .with_measurement(measurement)
        .sample_size(10)
        .nresamples(5_000)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
}

criterion_group!(name = one; config = short(ThreadTime); targets = suite);
criterion_group!(name = several; config = short(WallTime); targets = threads);
criterion_main!(one, several);
