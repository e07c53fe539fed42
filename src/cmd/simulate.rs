//! `simulate`: plays all roles in one process.

use clap::{Args, ValueEnum};
use orderseal::ciphers::ecdh::Curve;
use orderseal::protocol::roles::service::DEFAULT_CURVE;
use orderseal::protocol::simulate::{self, Case, CaseReport, Event, Report, Setup};
use orderseal::protocol::{Alg, Enc, Erase, Error, KeyError, Place, Result, Scheme};
use serde_json::{Value, json};

use super::arguments::{Algorithms, Erasing, Layers, MORE, curves, rsa_bits};
use super::{Global, algorithms, ui};
use crate::cmd::hints::usage;

/// Play all roles in one process and check every outcome
///
/// Builds, writes and reads every message of the flow, and compares each opened order with the
/// original. The exit code is 0 only if every order arrived and every fault had its expected outcome.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal simulate --embodiment all --shops 3 --clients 10 \\
    --orders-each 5 --seed 42
  orderseal simulate --embodiment 4 --shops 2 --clients 1 \\
    --orders-each 1 --trace
  orderseal simulate --embodiment all --faults --json")]
pub struct Simulate {
    /// Embodiment, `public-shop` for public keys at shop scope, or `all`
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
        self.print_trace(&traced, global)?;
        match global.json {
            true => ui::print(&format!("{}\n", to_json(self, &report)))?,
            false if self.trace.is_some() => ui::say_lines(to_table(&report).trim_end()),
            false => ui::print(&to_table(&report))?,
        }
        if report.held() {
            return Ok(());
        }
        let failed = report.cases.iter().filter(|case| !case.held()).count() as u64;
        let total = report.cases.len() as u64;
        Err(Error::SomeFailed { what: "simulated embodiments", failed, total })
    }

    fn setup(&self) -> Result<Setup> {
        let clients_of_a_shop = self.clients.div_ceil(self.shops.into());
        let orders_at_a_shop = u64::from(clients_of_a_shop) * u64::from(self.orders_each);
        if self.faults && (self.shops < 2 || orders_at_a_shop < 2) {
            let needed = "--faults takes at least 2 shops, and 2 orders at one of them";
            return Err(usage(needed.to_owned()));
        }
        Ok(Setup {
            cases: self.cases()?,
            shops: self.shops.into(),
            clients: self.clients as usize,
            orders: self.orders_each as usize,
            rsa_bits: self.rsa_bits,
            curve: self.curve,
            on_demand: self.on_demand,
            faults: self.faults,
            seed: self.seed,
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
                Ok(Case { label, scheme, suite, layers, erase })
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

fn to_json(command: &Simulate, report: &Report) -> Value {
    let cases: Vec<Value> = report.cases.iter().map(case_to_json).collect();
    json!({
        "seed": command.seed,
        "shops": command.shops,
        "clients": command.clients,
        "orders_each": command.orders_each,
        "held": report.held(),
        "embodiments": cases,
    })
}

fn case_to_json(case: &CaseReport) -> Value {
    let faults: Vec<Value> = case
        .faults
        .iter()
        .map(|fault| {
            json!({
                "fault": fault.fault.name(),
                "expected": fault.expected.name(),
                "observed": fault.observed.name(),
                "held": fault.expected == fault.observed,
            })
        })
        .collect();
    json!({
        "embodiment": case.label,
        "scheme": case.scheme.to_string(),
        "alg": case.suite.alg().name(),
        "enc": case.suite.enc().name(),
        "weak": case.suite.weak().is_some(),
        "sent": case.sent,
        "received": case.received,
        "messages": case.messages,
        "transcript_sha256": hex::encode(case.transcript),
        "held": case.held(),
        "violations": case.violations,
        "faults": faults,
    })
}

fn to_table(report: &Report) -> String {
    let mut text = format!(
        "{:<22} {:<26} {:<14} {:<26} {:>6} {:>8}  result\n",
        "embodiment", "scheme", "alg", "enc", "sent", "received"
    );
    for case in &report.cases {
        text.push_str(&format!(
            "{:<22} {:<26} {:<14} {:<26} {:>6} {:>8}  {}\n",
            case.label,
            case.scheme.to_string(),
            case.suite.alg().name(),
            case.suite.enc().name(),
            case.sent,
            case.received,
            if case.held() { "held" } else { "FAILED" }
        ));
        for violation in &case.violations {
            text.push_str(&format!("    {violation}\n"));
        }
        for fault in &case.faults {
            let verdict = match fault.expected == fault.observed {
                true => String::new(),
                false => format!(", expected {}", fault.expected.name()),
            };
            let observed = fault.observed.name();
            text.push_str(&format!("    {:<26} {observed}{verdict}\n", fault.fault.name()));
        }
    }
    text
}
