//! `simulate`: plays all roles in one process.

mod expect;
mod junit;
mod report;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use orderseal::ciphers::ecdh::Curve;
use orderseal::protocol::roles::service::{DEFAULT_CURVE, Pool};
use orderseal::protocol::simulate::{self, Case, Event, Report, Setup};
use orderseal::protocol::store::files::{Output, Privacy};
use orderseal::protocol::{Alg, Enc, Erase, Error, KeyError, Place, Result, Scheme};
use serde_json::json;

use self::expect::Expectation;
use super::arguments::{Algorithms, Erasing, Layers, MORE, curves, existing, is_stdout, rsa_bits};
use super::{Global, algorithms, ui};
use crate::cmd::hints::usage;

/// Play all roles in one process and check every outcome
///
/// Builds, writes and reads every message of the flow, and compares each opened order with the
/// original. The exit code is 0 only if every order arrived and every fault had its expected outcome,
/// otherwise 8.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal simulate --embodiment all --shops 3 --clients 10 \\
    --orders-each 5 --seed 42
  orderseal simulate --embodiment 4 --shops 2 --clients 1 \\
    --orders-each 1 --trace
  orderseal simulate --embodiment all --faults --json
  orderseal simulate --faults --junit simulate.xml")]
pub struct Simulate {
    /// Embodiment, `public-shop` or `all`
    ///
    /// `public-shop` has public keys at shop scope, which no embodiment of the founding document has.
    #[arg(short, long, value_name = "N", default_value = "all",
          value_parser = ["1", "2", "3", "4", "5", "6", "7", "public-shop", "all"])]
    embodiment: String,
    /// Shops
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    shops: u16,
    /// Clients, spread evenly over the shops
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// Orders that each client sends
    #[arg(long, alias = "orders", value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    orders_each: u32,
    /// Seed of the random generator
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    erasing: Erasing,
    /// Also play the table of faults
    #[arg(long)]
    faults: bool,
    /// Expect another outcome of a fault than the table has; both are named as in the report
    #[arg(long, value_name = "FAULT=OUTCOME", requires = "faults", help_heading = MORE,
          value_parser = expect::parse)]
    expect: Vec<Expectation>,
    /// Also write the report as JUnit XML, for CI
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Replace an existing file
    #[arg(short, long, requires = "junit", help_heading = MORE)]
    force: bool,
    /// Print the messages, with the step numbers of the founding document [default form: text, or
    /// json with --json]
    #[arg(long, value_name = "FORM", num_args = 0..=1, value_enum)]
    trace: Option<Option<Trace>>,
    /// Make new ids for each request instead of taking them from a pool
    #[arg(long, help_heading = MORE)]
    on_demand: bool,
    #[command(flatten)]
    algorithms: Algorithms,
    /// Bits of an RSA modulus
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = rsa_bits())]
    rsa_bits: usize,
    /// Curve of ECDH-ES keys
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CURVE.name(), value_parser = curves())]
    curve: Curve,
    #[command(flatten)]
    layers: Layers,
}

/// Forms of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trace {
    /// One message per line
    Text,
    /// One JSON object per line
    Json,
    /// A Mermaid sequence diagram
    Mermaid,
}

impl Simulate {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let setup = self.setup()?;
        let weak = setup.cases.iter().find_map(|case| case.suite.weak());
        if let Some(name) = weak.filter(|_| !global.allow_weak) {
            return Err(Error::key(&Place::file("simulate"), KeyError::Weak(name)));
        }
        if self.junit_on_stdout() && self.trace.is_some() {
            let both = "--trace and --junit both write to stdout: name a file for --junit";
            return Err(usage(both.to_owned()));
        }
        let junit = self
            .junit
            .as_deref()
            .map(|path| Output::create(Some(path), existing(self.force), Privacy::Umask, &[]));
        let junit = junit.transpose()?;
        let mut traced: Vec<(String, Event)> = Vec::new();
        let progress = ui::Progress::count(global, setup.cases.len() as u64);
        let mut current = String::new();
        let report = simulate::run(&setup, &global.workers()?, |case, event| {
            if current != case.label {
                if !current.is_empty() {
                    progress.tick();
                }
                current.clone_from(&case.label);
            }
            if self.trace.is_some() {
                traced.push((case.label.clone(), event.clone()));
            }
        })?;
        progress.finish("");
        if let Some(mut junit) = junit {
            junit.write(junit::to_junit(&report, self.seed).as_bytes())?;
            junit.commit()?;
        }
        let printed =
            self.print_trace(&traced, global).and_then(|()| self.print_report(&report, global));
        if report.held() {
            return printed;
        }
        // Even if the reader of the report has gone.
        let failed = report.cases.iter().filter(|case| !case.held()).count() as u64;
        Err(Error::NotHeld { failed, total: report.cases.len() as u64 })
    }

    fn print_report(&self, report: &Report, global: &Global) -> Result<()> {
        if global.json {
            let report = report::to_json(self, report);
            return ui::print_report(&report, self.junit_on_stdout());
        }
        let table = report::to_table(report);
        if self.trace.is_some() || self.junit_on_stdout() {
            ui::say_lines(table.trim_end());
            return Ok(());
        }
        ui::print(&table)
    }

    fn junit_on_stdout(&self) -> bool {
        self.junit.as_deref().is_some_and(|path| is_stdout(Some(path)))
    }

    fn setup(&self) -> Result<Setup> {
        let clients_of_a_shop = self.clients.div_ceil(self.shops.into());
        let orders_at_a_shop = u64::from(clients_of_a_shop) * u64::from(self.orders_each);
        if self.faults && (self.shops < 2 || orders_at_a_shop < 2) {
            let needed = "--faults takes at least 2 shops, and 2 orders at one of them";
            return Err(usage(needed.to_owned()));
        }
        let cases = self.cases()?;
        expect::check(&self.expect, &cases)?;
        Ok(Setup {
            cases,
            shops: self.shops.into(),
            clients: self.clients as usize,
            users: 0,
            orders: self.orders_each as usize,
            rsa_bits: self.rsa_bits,
            curve: self.curve,
            on_demand: self.on_demand,
            faults: self.faults,
            expected: self.expect.clone(),
            seed: self.seed,
            clock: since_start,
        })
    }

    fn cases(&self) -> Result<Vec<Case>> {
        let everywhere = self.erasing.erase;
        let numbered = || {
            let numbers = (1..=6).zip(Scheme::ALL);
            numbers.map(|(number, scheme)| (number.to_string(), scheme, everywhere))
        };
        let public_shop =
            || Scheme::ALL[6..].iter().map(|scheme| (scheme.to_string(), *scheme, everywhere));
        // Embodiment 7 adds erasing to any of the others; on its own it runs as the fourth.
        let seventh = ("7".to_owned(), Scheme::HYBRID_TRANSACTION_SECRET, Some(Erase::All));
        let schemes: Vec<(String, Scheme, Option<Erase>)> = match self.embodiment.as_str() {
            "all" => numbered().chain([seventh]).chain(public_shop()).collect(),
            "public-shop" => public_shop().collect(),
            "7" => vec![seventh],
            number => numbered().filter(|(own, ..)| own == number).collect(),
        };
        let several = schemes.len() > 1;
        schemes
            .into_iter()
            .map(|(label, scheme, erase)| {
                let suite = match several {
                    true => algorithms::suite(scheme, self.enc_for(scheme), self.wrap_for(scheme)),
                    false => algorithms::suite(scheme, self.algorithms.enc, self.algorithms.wrap),
                }?;
                // With several schemes, a chain applies only to those that support one.
                let layers = self.layers.layers.filter(|_| !several || suite.takes_chain());
                let layers = layers.unwrap_or(1);
                Ok(Case { label, scheme, suite, layers, pool: Pool::Listed, erase })
            })
            .collect()
    }

    /// With several schemes, an algorithm applies only to those that support it.
    fn enc_for(&self, scheme: Scheme) -> Option<Enc> {
        self.algorithms.enc.filter(|enc| algorithms::suite(scheme, Some(*enc), None).is_ok())
    }

    fn wrap_for(&self, scheme: Scheme) -> Option<Alg> {
        self.algorithms.wrap.filter(|wrap| algorithms::suite(scheme, None, Some(*wrap)).is_ok())
    }

    fn print_trace(&self, traced: &[(String, Event)], global: &Global) -> Result<()> {
        let Some(form) = self.trace else { return Ok(()) };
        match form.unwrap_or(if global.json { Trace::Json } else { Trace::Text }) {
            Trace::Mermaid => ui::print(&simulate::mermaid(traced.iter().map(|(_, event)| event))),
            Trace::Json => {
                let line = |(label, event): &(String, Event)| {
                    let value = json!({
                        "embodiment": label,
                        "step": event.step,
                        "from": event.from.to_string(),
                        "to": event.to.to_string(),
                        "what": event.what,
                        "bytes": event.bytes.as_ref().map(Vec::len),
                    });
                    format!("{value}\n")
                };
                ui::print(&traced.iter().map(line).collect::<String>())
            }
            Trace::Text => {
                let line = |(label, event): &(String, Event)| format!("{label:>3} {event}\n");
                ui::print(&traced.iter().map(line).collect::<String>())
            }
        }
    }
}

/// The clock of a simulation.
fn since_start() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
