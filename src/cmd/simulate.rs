//! `simulate`: plays all roles in one process.

mod expect;
mod junit;
mod play;
mod report;
mod scenario;
mod trace;

use std::path::PathBuf;

use clap::Args;
use orderseal::protocol::simulate::{self, Setup};
use orderseal::protocol::store::files::{FileId, Output, Privacy};
use orderseal::protocol::{Error, KeyError, Place, Result};

use self::play::{DEFAULT_SEED, Play};
use self::report::Played;
use self::scenario::NamedPlay;
use self::trace::{Trace, Traced};
use super::arguments::{MORE, existing, is_stdout};
use super::{Global, ui};
use crate::cmd::diagnosis::diagnose;
use crate::cmd::hints::{misread, usage};

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
  orderseal simulate --faults --junit simulate.xml
  orderseal simulate --scenario scenario.toml --seed 42")]
pub struct Simulate {
    #[command(flatten)]
    play: Play,
    /// Play what a TOML file says, instead of these options
    ///
    /// Each [[play]] has a name, and options of this command without the dashes as members. --seed is
    /// for plays that name none.
    #[arg(long, value_name = "FILE", conflicts_with_all = play::options())]
    scenario: Option<PathBuf>,
    /// Seed of the random generator [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Also write the report as JUnit XML, for CI
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Replace an existing file
    #[arg(short, long, requires = "junit", help_heading = MORE)]
    force: bool,
    /// Print the messages, with the founding document's step numbers
    ///
    /// The form is text unless you name one, or json with --json.
    #[arg(long, value_name = "FORM", num_args = 0..=1, value_enum)]
    trace: Option<Option<Trace>>,
}

/// A play that is ready.
struct Ready {
    /// Its name in the scenario.
    name: Option<String>,
    setup: Setup,
}

impl Simulate {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let (plays, scenario) = self.plays(global)?;
        if self.junit_on_stdout() && self.trace.is_some() {
            let both = "--trace and --junit both write to stdout: name a file for --junit";
            return Err(usage(both.to_owned()));
        }
        let junit = self.junit.as_deref().map(|path| {
            Output::create(Some(path), existing(self.force), Privacy::Umask, &[scenario])
        });
        let junit = junit.transpose()?;
        let (played, traced) = self.simulate(plays, global)?;
        if let Some(mut junit) = junit {
            junit.write(junit::to_junit(&played).as_bytes())?;
            junit.commit()?;
        }
        let traces = self.trace.map(|form| Trace::chosen(form, global.json));
        let printed = traces.map_or(Ok(()), |form| form.print(&traced));
        let printed = printed.and_then(|()| self.print_report(&played, global));
        let cases = || played.iter().flat_map(|played| &played.report.cases);
        let failed = cases().filter(|case| !case.held()).count() as u64;
        if failed == 0 {
            return printed;
        }
        // Even if the reader of the report has gone.
        Err(Error::NotHeld { failed, total: cases().count() as u64 })
    }

    /// What to play, and the identity of the scenario's file.
    fn plays(&self, global: &Global) -> Result<(Vec<Ready>, Option<FileId>)> {
        let Some(path) = &self.scenario else {
            let setup = self.play.setup(self.seed.unwrap_or(DEFAULT_SEED))?;
            refuse_weak(&setup, &Place::file("simulate"), global)?;
            return Ok((vec![Ready { name: None, setup }], None));
        };
        let ready = |NamedPlay { name, place, play, seed }| {
            if let (Some(own), Some(_)) = (seed, self.seed) {
                let found = format!("{place}: the play has seed {own}, and --seed another");
                return Err(usage(found));
            }
            let seed = seed.or(self.seed).unwrap_or(DEFAULT_SEED);
            let setup = play.setup(seed);
            let setup = setup
                .map_err(|error| misread(&place, error.to_string(), diagnose(&error).hints))?;
            refuse_weak(&setup, &place, global)?;
            Ok(Ready { name: Some(name), setup })
        };
        let (plays, id) = scenario::read(path)?;
        Ok((plays.into_iter().map(ready).collect::<Result<_>>()?, id))
    }

    fn simulate(&self, plays: Vec<Ready>, global: &Global) -> Result<(Vec<Played>, Vec<Traced>)> {
        let workers = global.workers()?;
        let total = plays.iter().map(|play| play.setup.cases.len() as u64).sum();
        let progress = ui::Progress::count(global, total);
        let (mut played, mut traced) = (Vec::with_capacity(plays.len()), Vec::new());
        for Ready { name, setup } in plays {
            let mut current = String::new();
            let report = simulate::run(&setup, &workers, |case, event| {
                if current != case.label {
                    if !current.is_empty() {
                        progress.tick();
                    }
                    current.clone_from(&case.label);
                }
                if self.trace.is_some() {
                    traced.push(Traced::new(name.as_deref(), case, event));
                }
            })?;
            progress.tick();
            played.push(Played { name, setup, report });
        }
        progress.finish("");
        Ok((played, traced))
    }

    fn print_report(&self, played: &[Played], global: &Global) -> Result<()> {
        if global.json {
            let to_stderr = self.junit_on_stdout();
            return played
                .iter()
                .try_for_each(|played| ui::print_report(&report::to_json(played), to_stderr));
        }
        let table = report::to_table(played);
        if self.trace.is_some() || self.junit_on_stdout() {
            ui::say_lines(table.trim_end());
            return Ok(());
        }
        ui::print(&table)
    }

    fn junit_on_stdout(&self) -> bool {
        self.junit.as_deref().is_some_and(|path| is_stdout(Some(path)))
    }
}

fn refuse_weak(setup: &Setup, place: &Place, global: &Global) -> Result<()> {
    let weak = setup.cases.iter().find_map(|case| case.suite.weak());
    match weak.filter(|_| !global.allow_weak) {
        Some(name) => Err(Error::key(place, KeyError::Weak(name))),
        None => Ok(()),
    }
}
