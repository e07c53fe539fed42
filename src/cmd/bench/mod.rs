//! `bench`: how fast is each cipher here, and how many orders a second does that make.

mod svg;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use orderseal::bench::choose::{self, Choice};
use orderseal::bench::cost::{self, Costs};
use orderseal::bench::machine::{self, Machine};
use orderseal::bench::measure::{self, Share};
use orderseal::bench::scale::{self, Scale};
use orderseal::bench::table::{self, Table};
use orderseal::bench::{Measured, cycles, rounded};
use orderseal::ciphers::cpu::Backend;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::DEFAULT_RSA_BITS;
use orderseal::protocol::store::files::{Existing, Output, Privacy};
use orderseal::protocol::{Result, Scheme};
use serde::Serialize;

use self::svg::Chart;
use super::{Global, ui};
use crate::cmd::exit::usage;

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal bench
  orderseal bench --filter des --seconds 10
  orderseal bench --filter seal-jwe open-jwe --threads 2
  orderseal bench --filter aes-256 --json
  orderseal bench --compare rustcrypto portable
  orderseal bench --svg bench.svg
  orderseal bench --scale
  orderseal bench --embodiment all --orders 100 --size 256

A row is called operation/cipher/backend/size, with the size in bytes of a message, an order or a
key. Without --filter the usual sizes are measured, with it all that match; --filter / is all.
Rows run on one thread, or with --threads N as N copies side by side, whose rates are added up.")]
pub struct Bench {
    /// Measure the rows whose id contains one of these, in either case
    #[arg(long, value_name = "SUBSTRING", num_args = 1..)]
    filter: Vec<String>,
    /// Measure these backends only, and compare the others with the first
    #[arg(long, value_name = "BACKEND", num_args = 2.., value_parser = backend)]
    compare: Vec<Backend>,
    /// Seal and open whole batches and streams on 1 to all threads, beside a copy in memory
    #[arg(long, conflicts_with_all = ["filter", "compare", "svg"])]
    scale: bool,
    /// Run an embodiment end to end, 1 to 6, `public-shop` or `all`, and split its time into parts
    #[arg(long, value_name = "N", conflicts_with_all = ["filter", "compare", "svg", "scale"],
          value_parser = ["1", "2", "3", "4", "5", "6", "public-shop", "all"])]
    embodiment: Option<String>,
    /// Orders of an embodiment's run
    #[arg(long, value_name = "N", default_value_t = 100, requires = "embodiment",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// Bytes of an order in an embodiment's run
    #[arg(long, value_name = "B", default_value_t = 256, requires = "embodiment",
          value_parser = clap::value_parser!(u32).range(0..=1 << 20))]
    size: u32,
    /// Bits of an RSA modulus in an embodiment's run
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RSA_BITS, requires = "embodiment",
          value_parser = super::keygen::rsa_bits)]
    rsa_bits: usize,
    /// Time to measure for, besides setting up [default: 1 for each row, 40 at most]
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,
    /// Draw the results as a chart as well
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Replace an existing chart
    #[arg(short, long, requires = "svg")]
    force: bool,
}

/// The most time that is taken unless more is asked for.
const MOST: f64 = 40.0;

/// Seconds that `--scale` takes unless told.
const SCALE_TIME: f64 = 20.0;

impl Bench {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match &self.embodiment {
            Some(name) => self.cost(name, global),
            None if self.scale => self.scale(global),
            None => self.rows(global),
        }
    }

    fn cost(&self, name: &str, global: &Global) -> Result<()> {
        let schemes = match (name, name.parse().ok().and_then(Scheme::embodiment)) {
            (_, Some(scheme)) => vec![scheme],
            ("public-shop", _) => Scheme::ALL[6..].to_vec(),
            _ => Scheme::ALL.to_vec(),
        };
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
            costs.push(cost::measure(scheme, setup, &workers, Duration::from_secs_f64(time))?);
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
            return Err(usage(no_match(&choice)));
        }
        let chart = self.svg.as_deref().map(|path| self.create(path)).transpose()?;
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        let time = self.seconds.unwrap_or(MOST.min(rows.len() as f64));
        let share = Share::of(Duration::from_secs_f64(time), rows.len());
        // Several threads may run at a clock each.
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
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        Output::create(Some(path), existing, Privacy::Umask, &[])
    }
}

/// How the message begins when no row was chosen.
const NO_MATCH: &str = "no row of bench is called";

/// The message when no row was chosen.
fn no_match(choice: &Choice<'_>) -> String {
    let names: Vec<_> = choice.compare.iter().map(|backend| backend.name()).collect();
    match (choice.filter, &names[..]) {
        (filter, []) => format!("{NO_MATCH} {}", filter.join(" or ")),
        ([], names) => format!("no row of bench has both of {}", names.join(" and ")),
        (filter, names) => {
            let (filter, names) = (filter.join(" or "), names.join(" and "));
            format!("{NO_MATCH} {filter} and has both of {names}")
        }
    }
}

/// The hint when no row was chosen.
pub fn hint(found: &str) -> Option<String> {
    let hint = || format!("rows are called like {}", choose::examples().join(", "));
    found.starts_with(NO_MATCH).then(hint)
}

/// A row in `--json`.
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

/// JSON objects, one a line.
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

fn backend(name: &str) -> std::result::Result<Backend, String> {
    Backend::named(name).map_err(|error| error.to_string())
}
