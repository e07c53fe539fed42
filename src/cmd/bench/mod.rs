//! `bench`: measures ciphers and whole orders on this machine.

mod csv;
mod rows;
mod svg;

use std::time::Duration;

use clap::Args;
use orderseal::bench::cost::{self, Costs};
use orderseal::bench::machine::{self, Machine};
use orderseal::bench::pools::{self, PoolCosts};
use orderseal::bench::report::json_line;
use orderseal::bench::scale::{self, Scale};
use orderseal::ciphers::ecdh::Curve;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::{DEFAULT_CURVE, DEFAULT_RSA_BITS, Pool, Sizes};
use orderseal::protocol::{Result, Scheme, Suite};
use serde::Serialize;

use self::rows::Rows;
use super::arguments::{curves, rsa_bits};
use super::values::{OneOf, one_of};
use super::{Global, signals, ui};
use crate::cmd::hints::{usage, usage_with};

/// Measure ciphers and whole orders on this machine
///
/// A row is named operation/cipher/backend/size, with the size in bytes of a message, an order or a
/// key. Without --filter the usual sizes are measured, with it every row that matches; `--filter /`
/// matches all. Rows run on one thread, or with --threads N as N copies side by side, whose rates are
/// added up. With --fail-on the exit code is 9 if a row is slower than in the baseline.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bench
  orderseal bench --filter des --seconds 10
  orderseal bench --filter seal-jwe open-jwe --threads 2
  orderseal bench --compare rustcrypto portable
  orderseal bench --svg bench.svg
  orderseal bench --filter A256KW --json > before.json
  orderseal bench --baseline before.json --fail-on 5%
  orderseal bench --from before.json --markdown
  orderseal bench --scale
  orderseal bench --embodiment all --orders 100 --size 256
  orderseal bench --embodiment 4 --pool listed derived --orders 10000")]
pub struct Bench {
    #[command(flatten)]
    rows: Rows,
    /// Batches and streams on 1 to all threads, beside a copy in memory
    #[arg(long, conflicts_with_all = rows::OPTIONS)]
    scale: bool,
    /// Run an embodiment, `public-shop` or `all`, and time its parts
    #[arg(short, long, value_name = "N", conflicts_with_all = rows::OPTIONS, conflicts_with = "scale",
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
    /// Curve of the keys of embodiment 6, with --pool: ECDH-ES instead of RSA [default: P-256 if derived]
    #[arg(long, help_heading = EMBODIMENT, value_name = "NAME", requires = "pool", value_parser = curves())]
    curve: Option<Curve>,
    /// Time to measure, without setting up [default: 1 per row, at most 40]
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<f64>,
}

/// Heading of the options of an embodiment's run.
const EMBODIMENT: &str = "Embodiment options (with --embodiment)";

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
            None => self.rows.run(self.seconds, global),
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
        let machine = Machine::this(workers.threads());
        let progress = ui::Progress::count(global, schemes.len() as u64);
        let mut costs = Vec::with_capacity(schemes.len());
        for scheme in schemes {
            costs.push(cost::measure(*scheme, setup, &workers, Duration::from_secs_f64(time))?);
            progress.tick();
        }
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&machine, &costs)),
            false => ui::print(&format!("{machine}{}", Costs(&costs))),
        }
    }

    fn pools(&self, schemes: &[Scheme], global: &Global) -> Result<()> {
        let suited = schemes.iter().map(|&scheme| {
            let hint =
                "embodiments 3 to 6 have listed pools, 3, 4 and 6 derived ones; --curve is for 6";
            let suite = pools::suite(scheme, &self.pool, self.curve);
            let none = || usage_with(format!("{scheme} has no such pool"), hint.to_owned());
            Ok((scheme, suite.ok_or_else(none)?))
        });
        let suited: Vec<(Scheme, Suite)> = suited.collect::<Result<_>>()?;
        let orders = u64::from(self.orders);
        let counts: Vec<u64> =
            [100, 10, 1].map(|part| orders / part).into_iter().filter(|&ids| ids > 0).collect();
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        // A run that is interrupted removes its files.
        let workers = workers.stopped_by(signals::stop());
        let curve = self.curve.unwrap_or(DEFAULT_CURVE);
        let sizes = Sizes { rsa_bits: self.rsa_bits, curve, ..Sizes::default() };
        let progress =
            ui::Progress::count(global, (schemes.len() * self.pool.len() * counts.len()) as u64);
        let machine = Machine::this(workers.threads());
        let _unfinished = signals::begin();
        let mut costs = Vec::new();
        let size = self.size as usize;
        for (scheme, suite) in suited {
            for &pool in &self.pool {
                for &ids in &counts {
                    let setup = pools::Setup { scheme, suite, pool, ids, size, sizes };
                    costs.push(pools::measure(setup, &workers)?);
                    progress.tick();
                }
            }
        }
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&machine, &costs)),
            false => ui::print(&format!("{machine}{}", PoolCosts(&costs))),
        }
    }

    fn scale(&self, global: &Global) -> Result<()> {
        let most = global.threads.map_or_else(machine::cores, usize::from);
        let time = Duration::from_secs_f64(self.seconds.unwrap_or(SCALE_TIME));
        let machine = Machine::this(most);
        let progress = ui::Progress::count(global, time.as_secs());
        let points = scale::measure(most, time, |spent| progress.reach(spent.as_secs()))?;
        progress.finish("");
        match global.json {
            true => ui::print(&json_lines(&machine, &points)),
            false => ui::print(&format!("{machine}{}", Scale(&points))),
        }
    }
}

/// Returns a header and one JSON object per line.
fn json_lines(machine: &Machine, reports: &[impl Serialize]) -> String {
    json_line(machine) + &reports.iter().map(json_line).collect::<String>()
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
