//! `bench`: measures ciphers and whole orders on this machine.

mod svg;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use orderseal::bench::choose::{self, Choice};
use orderseal::bench::cost::{self, Costs};
use orderseal::bench::machine::{self, Machine};
use orderseal::bench::measure::{self, Share};
use orderseal::bench::pools::{self, PoolCosts};
use orderseal::bench::scale::{self, Scale};
use orderseal::bench::table::{self, Table};
use orderseal::bench::{Measured, cycles, rounded};
use orderseal::ciphers::cpu::Backend;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::{DEFAULT_RSA_BITS, Pool, Sizes};
use orderseal::protocol::store::files::{Output, Privacy};
use orderseal::protocol::{Error, Kind, Result, Scheme, Scope};
use serde::Serialize;

use self::svg::Chart;
use super::arguments::{existing, rsa_bits};
use super::values::{OneOf, one_of};
use super::{Global, signals, ui};
use crate::cmd::hints::{usage, usage_with};

/// Measure ciphers and whole orders on this machine
///
/// A row is named operation/cipher/backend/size, with the size in bytes of a message, an order or a
/// key. Without --filter the usual sizes are measured, with it every row that matches; `--filter /`
/// matches all. Rows run on one thread, or with --threads N as N copies side by side, whose rates are
/// added up.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bench
  orderseal bench --filter des --seconds 10
  orderseal bench --filter seal-jwe open-jwe --threads 2
  orderseal bench --filter aes-256 --json
  orderseal bench --compare rustcrypto portable
  orderseal bench --svg bench.svg
  orderseal bench --scale
  orderseal bench --embodiment all --orders 100 --size 256
  orderseal bench --embodiment 4 --pool listed derived --orders 10000")]
pub struct Bench {
    /// Measure the rows whose name contains one of these, in upper or lower case
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    filter: Vec<String>,
    /// Measure only these backends, and compare the others with the first
    #[arg(long, value_name = "BACKEND", num_args = 2.., value_parser = backends())]
    compare: Vec<Backend>,
    /// Measure batches and streams on 1 to all threads, beside a copy in memory
    #[arg(long, conflicts_with_all = ["filter", "compare", "svg"])]
    scale: bool,
    /// Run an embodiment, `public-shop` or `all` from end to end, and split its time into parts
    #[arg(short, long, value_name = "N", conflicts_with_all = ["filter", "compare", "svg", "scale"],
          value_parser = embodiments())]
    embodiment: Option<&'static [Scheme]>,
    /// Measure commands with key files of up to --orders ids instead: a listed pool, a derived one
    ///
    /// Makes the files in the folder for temporary files, which 1,000,000 orders of 256 bytes take 1 GB
    /// of.
    #[arg(long, help_heading = EMBODIMENT, value_name = "POOL", num_args = 1..=2, requires = "embodiment",
          value_parser = one_of([Pool::Listed, Pool::Derived].map(|pool| (pools::name(pool), pool))))]
    pool: Vec<Pool>,
    /// Orders in a run, at most 100,000 without --pool
    #[arg(long, help_heading = EMBODIMENT, value_name = "N", default_value_t = 100, requires = "embodiment",
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    orders: u32,
    /// Bytes of an order
    #[arg(long, help_heading = EMBODIMENT, value_name = "N", default_value_t = 256, requires = "embodiment",
          value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    size: u32,
    /// Bits of an RSA modulus
    #[arg(long, help_heading = EMBODIMENT, value_name = "N", default_value_t = DEFAULT_RSA_BITS, requires = "embodiment",
          value_parser = rsa_bits())]
    rsa_bits: usize,
    /// Time to measure, without setting up [default: 1 per row, at most 40]
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<f64>,
    /// Also draw the results as a chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Replace an existing chart
    #[arg(short, long, requires = "svg")]
    force: bool,
}

/// Heading of the options of an embodiment's run.
const EMBODIMENT: &str = "Embodiment options (with --embodiment)";

/// Default limit on the total time, in seconds.
const MOST: f64 = 40.0;

/// Most orders of a run in memory.
const MOST_IN_MEMORY: u32 = 100_000;

/// Default time of `--scale`, in seconds.
const SCALE_TIME: f64 = 20.0;

impl Bench {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self.embodiment {
            Some(schemes) if self.pool.is_empty() => self.cost(schemes, global),
            Some(schemes) => self.pools(schemes, global),
            None if self.scale => self.scale(global),
            None => self.rows(global),
        }
    }

    fn cost(&self, schemes: &[Scheme], global: &Global) -> Result<()> {
        if self.orders > MOST_IN_MEMORY {
            let found =
                format!("--orders {}: at most {MOST_IN_MEMORY} without --pool", self.orders);
            return Err(usage(found));
        }
        let setup = cost::Setup {
            orders: self.orders as usize,
            size: self.size as usize,
            rsa_bits: self.rsa_bits,
        };
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        let time = self.seconds.unwrap_or(schemes.len() as f64) / schemes.len() as f64;
        let progress = ui::Progress::count(global, schemes.len() as u64);
        let mut costs = Vec::with_capacity(schemes.len());
        for scheme in schemes {
            costs.push(cost::measure(*scheme, setup, &workers, Duration::from_secs_f64(time))?);
            progress.tick();
        }
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&costs)),
            false => {
                let machine = Machine::this(workers.threads(), None);
                ui::print(&format!("{machine}{}", Costs(&costs)))
            }
        }
    }

    fn pools(&self, schemes: &[Scheme], global: &Global) -> Result<()> {
        let unfit = |scheme: &&Scheme| match (scheme.scope, scheme.kind) {
            (Scope::Shop, _) => true,
            (Scope::Transaction, Kind::Public) => self.pool.contains(&Pool::Derived),
            (Scope::Transaction, Kind::Secret) => false,
        };
        if let Some(scheme) = schemes.iter().find(unfit) {
            let hint = "embodiments 3 and 4 have derived pools, 5 and 6 only listed ones";
            return Err(usage_with(format!("{scheme} has no such pool"), hint.to_owned()));
        }
        let orders = u64::from(self.orders);
        let counts: Vec<u64> =
            [100, 10, 1].map(|part| orders / part).into_iter().filter(|&ids| ids > 0).collect();
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        // A run that is interrupted removes its files.
        let workers = workers.stopped_by(signals::stop());
        let sizes = Sizes { rsa_bits: self.rsa_bits, ..Sizes::default() };
        let progress =
            ui::Progress::count(global, (schemes.len() * self.pool.len() * counts.len()) as u64);
        let _unfinished = signals::begin();
        let mut costs = Vec::new();
        for (&scheme, &pool) in schemes.iter().flat_map(|s| self.pool.iter().map(move |p| (s, p))) {
            for &ids in &counts {
                let setup = pools::Setup { scheme, pool, ids, size: self.size as usize, sizes };
                costs.push(pools::measure(setup, &workers)?);
                progress.tick();
            }
        }
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&costs)),
            false => {
                let machine = Machine::this(workers.threads(), None);
                ui::print(&format!("{machine}{}", PoolCosts(&costs)))
            }
        }
    }

    fn scale(&self, global: &Global) -> Result<()> {
        let most = global.threads.map_or_else(machine::cores, usize::from);
        let time = Duration::from_secs_f64(self.seconds.unwrap_or(SCALE_TIME));
        let progress = ui::Progress::count(global, time.as_secs());
        let points = scale::measure(most, time, |spent| progress.reach(spent.as_secs()))?;
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&points)),
            false => ui::print(&format!("{}{}", Machine::this(most, None), Scale(&points))),
        }
    }

    fn rows(&self, global: &Global) -> Result<()> {
        let choice = Choice { filter: &self.filter, compare: &self.compare };
        let (groups, mut rows): (Vec<_>, Vec<_>) = choice.rows().into_iter().unzip();
        if rows.is_empty() {
            return Err(no_match(&choice));
        }
        let chart = self.svg.as_deref().map(|path| self.create(path)).transpose()?;
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        let time = self.seconds.unwrap_or(MOST.min(rows.len() as f64));
        let share = Share::of(Duration::from_secs_f64(time), rows.len());
        // Several threads may run at different clock rates.
        let chain = cycles::row().filter(|_| workers.threads() == 1);
        rows.extend(chain);
        let progress = ui::Progress::count(global, share.rounds.into());
        let speeds = measure::measure(&rows, &workers, share, || progress.tick());
        progress.finish("");
        let hertz = speeds.get(groups.len()).copied().map(cycles::hertz);
        let measured: Vec<Measured> = groups
            .into_iter()
            .zip(rows)
            .zip(speeds)
            .map(|((group, row), speed)| Measured { group, row, speed })
            .collect();
        let machine = Machine::this(workers.threads(), hertz);
        if let Some(mut chart) = chart {
            let drawn = Chart { measured: &measured, machine: &machine }.to_string();
            chart.write(drawn.as_bytes())?;
            chart.commit()?;
        }
        if global.json {
            warn_of_noise(&measured, global);
            let threads = workers.threads();
            let reports: Vec<_> = measured.iter().map(|one| Report::of(one, threads)).collect();
            return ui::print(&json_lines(&reports));
        }
        let base = self.compare.first().map(|backend| backend.name());
        ui::print(&format!("{machine}{}", Table { measured: &measured, hertz, base }))
    }

    fn create(&self, path: &Path) -> Result<Output> {
        Output::create(Some(path), existing(self.force), Privacy::Umask, &[])
    }
}

/// Returns the error for a filter that matches no row.
fn no_match(choice: &Choice<'_>) -> Error {
    let called = "no row of bench is called";
    let like = || format!("rows are called like {}", choose::examples().join(", "));
    let names: Vec<_> = choice.compare.iter().map(|backend| backend.name()).collect();
    match (choice.filter, &names[..]) {
        (filter, []) => usage_with(format!("{called} {}", filter.join(" or ")), like()),
        ([], names) => usage(format!("no row of bench has both of {}", names.join(" and "))),
        (filter, names) => {
            let (filter, names) = (filter.join(" or "), names.join(" and "));
            usage_with(format!("{called} {filter} and has both of {names}"), like())
        }
    }
}

/// A row as printed by `--json`.
#[derive(Serialize)]
struct Report {
    id: String,
    threads: usize,
    bytes_per_second: f64,
    operations_per_second: f64,
}

impl Report {
    fn of(one: &Measured, threads: usize) -> Self {
        Self {
            id: one.row.id(),
            threads,
            bytes_per_second: rounded(one.speed.bytes),
            operations_per_second: rounded(one.speed.operations),
        }
    }
}

/// Returns one JSON object per line.
fn json_lines(reports: &[impl Serialize]) -> String {
    let object =
        |report| serde_json::to_string(report).expect("writing to memory does not fail") + "\n";
    reports.iter().map(object).collect()
}

fn warn_of_noise(measured: &[Measured], global: &Global) {
    let noisy = measured.iter().filter(|one| one.speed.spread > table::NOISY).count();
    if noisy > 0 {
        ui::warn(global, &format!("{noisy} of {} rows are noisy", measured.len()));
    }
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0.01 to 86400".to_owned()),
    }
}

/// Scheme names, including those that stand for several schemes.
fn embodiments() -> OneOf<&'static [Scheme]> {
    static ALL: [Scheme; 8] = Scheme::ALL;
    let (numbered, public_shop) = ALL.split_at(6);
    let numbers = ["1", "2", "3", "4", "5", "6"].into_iter().zip(numbered.chunks(1));
    one_of(numbers.chain([("public-shop", public_shop), ("all", &ALL)]))
}

/// Names of the backends that this processor supports.
fn backends() -> OneOf<Backend> {
    one_of(Backend::available().into_iter().map(|backend| (backend.name(), backend)))
}
