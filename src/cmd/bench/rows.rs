//! The rows of `bench`: measured now or read from earlier runs, compared, and shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use orderseal::bench::choose::{self, Choice, Filter};
use orderseal::bench::compare::{Change, Comparison, LEAST, Verdict};
use orderseal::bench::cycles;
use orderseal::bench::machine::Machine;
use orderseal::bench::measure::{self, Share};
use orderseal::bench::report::{Id, Measured, Report, json_line};
use orderseal::bench::table::Table;
use orderseal::ciphers::cpu::Backend;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::store::files::{Output, Privacy, read_small};
use orderseal::protocol::{Error, Malformed, Place, Result};
use serde::Serialize;

use super::csv;
use super::svg::Chart;
use crate::cmd::algorithms::SPELLINGS;
use crate::cmd::arguments::{MORE, existing};
use crate::cmd::hints::{usage, usage_with};
use crate::cmd::values::{OneOf, one_of};
use crate::cmd::{Global, ui};

/// What only rows have, as opposed to other measurements.
pub const OPTIONS: [&str; 10] =
    ["filter", "compare", "list", "from", "baseline", "fail_on", "csv", "markdown", "svg", "force"];

/// Default limit on the total time, in seconds.
const MOST: f64 = 40.0;

/// Size limit of the files of earlier runs, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// Which rows, from where, and in which form.
#[derive(Debug, Args)]
pub struct Rows {
    /// Rows whose name contains one of these, in any case and spelling
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    filter: Vec<String>,
    /// Only these backends, and compare the others with the first
    #[arg(long, value_name = "BACKEND", num_args = 2.., value_parser = backends(), conflicts_with = "from")]
    compare: Vec<Backend>,
    /// Compare with an earlier run, written by --json
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Fail if a row is slower by more than this, such as 5%
    #[arg(long, value_name = "PERCENT", requires = "baseline", value_parser = percentage)]
    fail_on: Option<f64>,
    /// Also draw the results as a chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Replace an existing chart
    #[arg(short, long, requires = "svg")]
    force: bool,
    /// Show earlier runs, written by --json, instead of measuring; a chart shows them side by side
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = MORE)]
    from: Vec<PathBuf>,
    /// List the names of the rows, and measure nothing
    #[arg(long, conflicts_with_all = ["from", "baseline", "svg", "csv", "markdown"], help_heading = MORE)]
    list: bool,
    /// Print comma-separated values (RFC 4180) with a line of names
    #[arg(long, conflicts_with_all = ["markdown", "baseline"], help_heading = MORE)]
    csv: bool,
    /// Print the tables in Markdown
    #[arg(long, help_heading = MORE)]
    markdown: bool,
}

impl Rows {
    /// Measures or reads the rows, and prints them.
    pub fn run(&self, seconds: Option<f64>, global: &Global) -> Result<()> {
        if global.json && (self.csv || self.markdown) {
            return Err(usage("--json, --csv and --markdown exclude each other"));
        }
        let baseline = self.baseline.as_deref().map(read).transpose()?;
        let among: Option<BTreeSet<Id>> = baseline.as_ref().map(|runs| {
            runs.iter().flat_map(|run| run.rows.iter().map(|row| row.id.clone())).collect()
        });
        let filter = Filter { parts: &self.filter, spellings: SPELLINGS };
        let choice = Choice { filter, compare: &self.compare, among: among.as_ref() };
        if self.list {
            let rows = choice.rows();
            let ids: String = rows.iter().map(|(_, row)| row.id() + "\n").collect();
            return if ids.is_empty() { Err(no_match(&choice)) } else { ui::print(&ids) };
        }
        let chart = self.svg.as_deref().map(|path| self.create(path)).transpose()?;
        let runs = match self.from.is_empty() {
            true => vec![measured(&choice, seconds, global)?],
            false => self.earlier(&choice)?,
        };
        if let Some(mut chart) = chart {
            chart.write(Chart(&runs).to_string().as_bytes())?;
            chart.commit()?;
        }
        match baseline {
            None => self.show(&runs, global),
            Some(before) => self.compare(&before, &runs, global),
        }
    }

    /// Reads the chosen rows of earlier runs.
    fn earlier(&self, choice: &Choice<'_>) -> Result<Vec<Report>> {
        let mut runs = Vec::new();
        for path in &self.from {
            runs.extend(read(path)?);
        }
        if !self.filter.is_empty() {
            runs.iter_mut().for_each(|run| run.rows.retain(|row| choice.filter.matches(&row.id)));
            runs.retain(|run| !run.rows.is_empty());
        }
        if runs.is_empty() { Err(no_match(choice)) } else { Ok(runs) }
    }

    /// Prints the runs, one after the other.
    fn show(&self, runs: &[Report], global: &Global) -> Result<()> {
        if global.json {
            warn_of_noise(runs, global);
            return ui::print(&runs.iter().map(Report::to_lines).collect::<String>());
        }
        if self.csv {
            warn_of_noise(runs, global);
            return ui::print(&csv::lines(runs));
        }
        let base = self.compare.first().map(|backend| backend.name());
        let shown = runs.iter().map(|report| {
            let table = Table { report, base };
            self.section(&report.machine.to_string(), &table.grid(), &table.legend())
        });
        ui::print(&shown.collect::<Vec<_>>().join("\n"))
    }

    /// Formats a table with what stands above and below it.
    fn section(&self, head: &str, grid: &orderseal::bench::grid::Grid, legend: &str) -> String {
        match self.markdown {
            true => format!("```text\n{head}```\n{}\n{}", grid.to_markdown(), paragraphs(legend)),
            false => format!("{head}{grid}\n{legend}"),
        }
    }

    /// Prints what changed since the baseline, and fails if a row is slower and `--fail-on` is given.
    fn compare(&self, before: &[Report], now: &[Report], global: &Global) -> Result<()> {
        self.check_machines(before, now, global)?;
        let limit = self.fail_on.unwrap_or(LEAST);
        let comparison = Comparison::of(before, now, limit);
        if comparison.both() == 0 {
            return Err(usage("no row is both in the baseline and among those measured now"));
        }
        match global.json {
            true => ui::print(
                &now.iter().map(|run| compared_lines(run, &comparison)).collect::<String>(),
            )?,
            false => {
                let machines = before.last().into_iter().chain(now.last()).map(|run| &run.machine);
                let heads: Vec<String> = machines.map(ToString::to_string).collect();
                let (grid, legend) = (comparison.grid(), comparison.legend());
                ui::print(&self.section(&heads.join("\n"), &grid, &legend))?;
            }
        }
        let of_both = |verdict| comparison.count(verdict) as u64;
        let (slower, total) = (of_both(Verdict::Slower), comparison.both() as u64);
        let untold = of_both(Verdict::TooNoisy) + of_both(Verdict::TooFew);
        if untold > 0 {
            let found = "are too noisy, or have too few samples, to judge: try more --seconds";
            ui::warn(global, &format!("{untold} of {total} rows {found}"));
        }
        match self.fail_on {
            Some(_) if slower > 0 => Err(Error::Slower { slower, total }),
            _ => Ok(()),
        }
    }

    /// Refuses to judge, or warns, if the runs come from different machines.
    fn check_machines(&self, before: &[Report], now: &[Report], global: &Global) -> Result<()> {
        let mut pairs = before.iter().flat_map(|a| now.iter().map(move |b| (a, b)));
        let Some(differs) = pairs.find_map(|(a, b)| a.machine.differs(&b.machine)) else {
            return Ok(());
        };
        let found = format!("the baseline was measured with another {differs}");
        match self.fail_on {
            None => {
                ui::warn(global, &found);
                Ok(())
            }
            Some(_) => Err(usage_with(
                found,
                "measure the baseline on this machine, in the same job, and with the same --threads",
            )),
        }
    }

    fn create(&self, path: &Path) -> Result<Output> {
        Output::create(Some(path), existing(self.force), Privacy::Umask, &[])
    }
}

/// Measures the chosen rows.
fn measured(choice: &Choice<'_>, seconds: Option<f64>, global: &Global) -> Result<Report> {
    let (groups, mut rows): (Vec<_>, Vec<_>) = choice.rows().into_iter().unzip();
    if rows.is_empty() {
        return Err(no_match(choice));
    }
    let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
    let time = seconds.unwrap_or(MOST.min(rows.len() as f64));
    let share = Share::of(Duration::from_secs_f64(time), rows.len());
    // Several threads may run at different clock rates.
    rows.extend(cycles::row().filter(|_| workers.threads() == 1));
    let machine = Machine::this(workers.threads());
    let progress = ui::Progress::count(global, share.rounds.into());
    let samples = measure::measure(&rows, &workers, share, || progress.tick());
    progress.finish("");
    let hertz = samples.get(groups.len()).map(|chain| cycles::hertz(chain));
    let rows = groups.iter().zip(&rows).zip(&samples).map(|((group, row), samples)| {
        Measured::of(group, row, workers.threads(), samples).at(hertz)
    });
    Ok(Report { machine: machine.at(hertz), rows: rows.collect() })
}

/// Reads the runs of a file.
fn read(path: &Path) -> Result<Vec<Report>> {
    let bytes = read_small(path, MAX_FILE)?;
    let place = Place::file(path.display().to_string());
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| Error::malformed(&place, Malformed::Measurements(error.to_string())))?;
    Report::read(text, &place)
}

/// Returns the header and the rows of a run, each with its change since the baseline.
fn compared_lines(run: &Report, comparison: &Comparison) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        row: &'a Measured,
        baseline: Option<Change>,
    }
    let line = |row| json_line(&Line { row, baseline: comparison.change(&row.id) });
    json_line(&run.machine) + &run.rows.iter().map(line).collect::<String>()
}

/// Makes each line a paragraph of its own.
fn paragraphs(lines: &str) -> String {
    lines.lines().map(|line| format!("{line}\n\n")).collect()
}

/// Returns the error for a choice that matches no row.
fn no_match(choice: &Choice<'_>) -> Error {
    let called = "no row of bench is called";
    let like = || format!("rows are called like {}", choose::examples().join(", "));
    let names: Vec<_> = choice.compare.iter().map(|backend| backend.name()).collect();
    match (choice.filter.parts, &names[..]) {
        ([], []) => usage("no row of the baseline is measured by this version"),
        (filter, []) => usage_with(format!("{called} {}", filter.join(" or ")), like()),
        ([], names) => usage(format!("no row of bench has both of {}", names.join(" and "))),
        (filter, names) => {
            let (filter, names) = (filter.join(" or "), names.join(" and "));
            usage_with(format!("{called} {filter} and has both of {names}"), like())
        }
    }
}

fn warn_of_noise(runs: &[Report], global: &Global) {
    let rows = || runs.iter().flat_map(|run| &run.rows);
    let noisy = rows().filter(|row| row.noisy).count();
    if noisy > 0 {
        ui::warn(global, &format!("{noisy} of {} rows are noisy", rows().count()));
    }
}

/// Parses a percentage as a fraction.
fn percentage(text: &str) -> std::result::Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse::<f64>() {
        Ok(percent) if (0.1..=90.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("expected a percentage from 0.1 to 90, such as 5%".to_owned()),
    }
}

/// Names of the backends that this processor supports.
fn backends() -> OneOf<Backend> {
    one_of(Backend::available().into_iter().map(|backend| (backend.name(), backend)))
}
