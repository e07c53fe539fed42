//! Cost of each part of a scheme, from making keys to opening the last order.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use crate::ciphers::Wiped;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::{Carries, Opener, Sealer, SealingKeys, Stage};
use crate::protocol::model::Dates;
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::service::{self, KeyRequest, Sizes};
use crate::protocol::store::{BlockKeys, OpeningFile, OpeningKeys};
use crate::protocol::{Place, Result, Scheme, Scope};
use serde::Serialize;

use super::delivery::Delivery;
use super::rounded;
use super::rows::fixtures;
use super::stats::Summary;
use super::table::{digits, scaled};

/// Parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Number of orders, and of transactions at transaction scope.
    pub orders: usize,
    /// Size of an order in bytes.
    pub size: usize,
    /// Length of an RSA modulus in bits.
    pub rsa_bits: usize,
}

/// Time that the parts of one scheme take, in seconds for all orders together.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Parts {
    /// Making the keys.
    keys: f64,
    /// Handing them out, writing and reading the files, and preparing the keys in them.
    bundle: f64,
    /// Encrypting orders; in the hybrid forms, also drawing their keys.
    seal: f64,
    /// Wrapping those keys.
    wrap: f64,
    /// Writing lines, and parsing them.
    format: f64,
    unwrap: f64,
    open: f64,
}

/// The cost of a scheme.
#[derive(Debug, Serialize)]
pub struct Cost {
    /// The number of the embodiment, if it is one.
    embodiment: Option<u8>,
    scheme: String,
    orders: usize,
    size: usize,
    /// Number of whole runs; the parts are medians over them.
    runs: usize,
    seconds: Parts,
    total_seconds: f64,
    /// Orders sealed and opened per second, without making keys.
    orders_per_second: f64,
}

/// Runs a scheme repeatedly for about `time`, at least once.
pub fn measure(scheme: Scheme, setup: Setup, workers: &Workers, time: Duration) -> Result<Cost> {
    let started = Instant::now();
    let mut runs = vec![run(scheme, setup, workers)?];
    while started.elapsed() < time {
        runs.push(run(scheme, setup, workers)?);
    }
    let median = |part: fn(&Parts) -> f64| rounded(Summary::of(runs.iter().map(part)).median);
    let seconds = Parts {
        keys: median(|parts| parts.keys),
        bundle: median(|parts| parts.bundle),
        seal: median(|parts| parts.seal),
        wrap: median(|parts| parts.wrap),
        format: median(|parts| parts.format),
        unwrap: median(|parts| parts.unwrap),
        open: median(|parts| parts.open),
    };
    let orders = seconds.seal + seconds.wrap + seconds.format + seconds.unwrap + seconds.open;
    Ok(Cost {
        embodiment: scheme.number(),
        scheme: scheme.to_string(),
        orders: setup.orders,
        size: setup.size,
        runs: runs.len(),
        seconds,
        total_seconds: rounded(orders + seconds.keys + seconds.bundle),
        orders_per_second: rounded(setup.orders as f64 / orders),
    })
}

/// Runs a scheme once, end to end, and compares the opened orders with the originals.
fn run(scheme: Scheme, setup: Setup, workers: &Workers) -> Result<Parts> {
    let (source, place) = (SystemSource::new()?, Place::file("bench"));
    let suite = fixtures::usual_suite(scheme);
    let request = KeyRequest {
        pool: service::Pool::Listed,
        shop: fixtures::shop(),
        scheme,
        suite,
        orders: setup.orders as u64,
        sizes: Sizes { rsa_bits: setup.rsa_bits, ..Sizes::default() },
        service: None,
        dates: Dates::default(),
    };
    let texts = fixtures::orders(setup.orders, setup.size);
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let mut rng = source.stream(0);
    let mut parts = Parts::default();

    let start = Instant::now();
    let keys = service::make_keys(&request, &source, workers, &|| {}, &place)?;
    parts.keys = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let Delivery { client, shop } = Delivery::of(&request, keys, &source)?;
    let keys = match scheme.scope {
        Scope::Shop => SealingKeys::one(&client.keys[0], suite, Carries::Order),
        Scope::Transaction => SealingKeys::each(&client.keys, suite, Carries::Order),
    };
    let keys = keys.expect("made for this suite");
    let mut opening = OpeningKeys::new(false);
    opening.add(OpeningFile::Shop(shop.into()), &place)?;
    parts.bundle = start.elapsed().as_secs_f64();

    let mut lines = Vec::new();
    Stopwatch::restart();
    let sealer = Sealer { watch: Stopwatch::lap, ..Sealer::default() };
    sealer
        .seal(&texts, &keys, 0, &mut rng, &mut lines)
        .map_err(|(_, failure)| failure.at(place.clone()))?;
    let lines: Vec<&[u8]> = lines.trim_ascii_end().split(|&byte| byte == b'\n').collect();
    Stopwatch::lap(Stage::Format);
    let keys = BlockKeys::new(&opening, &lines);
    let opener = Opener { watch: Stopwatch::lap, ..Opener::new(&keys, Carries::Order) };
    let opened = opener.open(&lines, Wiped::default(), &mut rng);
    Stopwatch::lap(Stage::Format);
    let same = opened.text.trim_ascii_end().split(|&byte| byte == b'\n').eq(texts);
    assert!(same && opened.lines.iter().all(Result::is_ok), "what was sealed above opens");

    for (stage, time) in Stopwatch::read() {
        let part = match stage {
            Stage::Seal => &mut parts.seal,
            Stage::Wrap => &mut parts.wrap,
            Stage::Format => &mut parts.format,
            Stage::Unwrap => &mut parts.unwrap,
            Stage::Open => &mut parts.open,
        };
        *part += time.as_secs_f64();
    }
    Ok(parts)
}

/// Time per stage on this thread.
struct Stopwatch {
    last: Instant,
    laps: Vec<(Stage, Duration)>,
}

thread_local! {
    static STOPWATCH: RefCell<Stopwatch> =
        RefCell::new(Stopwatch { last: Instant::now(), laps: Vec::new() });
}

impl Stopwatch {
    fn restart() {
        STOPWATCH.with_borrow_mut(|watch| {
            *watch = Self { last: Instant::now(), laps: Vec::with_capacity(64) };
        });
    }

    /// Adds the time since the last call to this stage.
    fn lap(stage: Stage) {
        STOPWATCH.with_borrow_mut(|watch| {
            let now = Instant::now();
            watch.laps.push((stage, now - watch.last));
            watch.last = now;
        });
    }

    fn read() -> Vec<(Stage, Duration)> {
        STOPWATCH.with_borrow_mut(|watch| std::mem::take(&mut watch.laps))
    }
}

/// The costs as a table for users.
pub struct Costs<'a>(pub &'a [Cost]);

impl fmt::Display for Costs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return Ok(()) };
        let names: Vec<String> = self.0.iter().map(Cost::name).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        writeln!(f, "\n{} orders of {} B, microseconds an order\n", first.orders, first.size)?;
        write!(f, "{:width$}", "embodiment")?;
        for part in ["keys", "bundle", "seal", "wrap", "format", "unwrap", "open", "total"] {
            write!(f, "  {part:>7}")?;
        }
        writeln!(f, "  {:>8}", "orders/s")?;
        for (cost, name) in self.0.iter().zip(names) {
            write!(f, "{name:width$}")?;
            let Parts { keys, bundle, seal, wrap, format, unwrap, open } = cost.seconds;
            for part in [keys, bundle, seal, wrap, format, unwrap, open, cost.total_seconds] {
                write!(f, "  {:>7}", digits(part / cost.orders as f64 * 1e6))?;
            }
            writeln!(f, "  {:>8}", scaled(cost.orders_per_second, ""))?;
        }
        f.write_str(
            "\nkeys: making them; bundle: handing them out, writing and reading the files, making keys \
             ready;\nformat: writing lines and taking them apart; orders/s: sealed and opened, once \
             keys are there\n",
        )
    }
}

impl Cost {
    fn name(&self) -> String {
        let number = self.embodiment.map_or("–".to_owned(), |number| number.to_string());
        format!("{number}  {}", self.scheme)
    }
}
