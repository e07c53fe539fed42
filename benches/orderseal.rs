//! The criterion suite: the rows of `orderseal bench`, in every size, with criterion's statistics
//! and HTML reports (`target/criterion/report/index.html`).
//!
//! `cargo bench -- des` measures the rows whose id contains `des`; `cargo bench -- --test` runs
//! each once.

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../src/cmd/bench/clock.rs"]
mod clock;
#[allow(dead_code, reason = "the table of `orderseal bench` uses more of a row")]
#[path = "../src/cmd/bench/rows/mod.rs"]
mod rows;

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

/// Few and short samples: there are many rows.
fn short() -> Criterion<ThreadTime> {
    Criterion::default()
        .with_measurement(ThreadTime)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
}

criterion_group!(name = benches; config = short(); targets = suite);
criterion_main!(benches);
