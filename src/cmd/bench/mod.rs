//! `bench`: how fast is each cipher here, and how many orders a second does that make.

mod clock;
mod machine;
mod measure;
mod rows;
mod table;

use std::time::Duration;

use clap::Args;
use orderseal::protocol::batch::Workers;
use orderseal::protocol::{Error, Result};
use serde::Serialize;

use self::machine::Machine;
use self::measure::{Share, Speed};
use self::rows::{GROUPS, Row};
use super::{Global, ui};

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal bench
  orderseal bench --filter des --seconds 10
  orderseal bench --filter seal-jwe open-jwe --threads 2
  orderseal bench --filter aes-256 --json

A row is called operation/cipher/backend/size, with the size in bytes of a message, an order or a
key. Without --filter the usual sizes are measured, with it all that match; --filter / is all.
Rows run on one thread, or with --threads N as N copies side by side, whose rates are added up.")]
pub struct Bench {
    /// Measure the rows whose id contains one of these, in either case
    #[arg(long, value_name = "SUBSTRING", num_args = 1..)]
    filter: Vec<String>,
    /// Time to measure for, besides setting up [default: 1 for each row, 40 at most]
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,
}

/// The most time that is taken unless more is asked for.
const MOST: f64 = 40.0;

/// A row with what came of it.
struct Measured {
    group: &'static str,
    row: Row,
    speed: Speed,
}

impl Bench {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let (groups, rows): (Vec<_>, Vec<_>) = self.chosen().into_iter().unzip();
        if rows.is_empty() {
            return Err(Error::Usage(format!("{NO_MATCH} {}", self.filter.join(" or "))));
        }
        let workers = Workers::new(Some(global.threads.map_or(1, usize::from)))?;
        let time = self.seconds.unwrap_or(MOST.min(rows.len() as f64));
        let share = Share::of(Duration::from_secs_f64(time), rows.len());
        let progress = ui::Progress::count(global, share.rounds.into());
        let speeds = measure::measure(&rows, &workers, share, || progress.tick());
        progress.finish("");
        let measured: Vec<Measured> = groups
            .into_iter()
            .zip(rows)
            .zip(speeds)
            .map(|((group, row), speed)| Measured { group, row, speed })
            .collect();
        if global.json {
            warn_of_noise(&measured, global);
            return ui::print(&json_lines(&measured, workers.threads()));
        }
        let machine = Machine::this(workers.threads());
        ui::print(&format!("{machine}{}", table::table(&measured)))
    }

    fn chosen(&self) -> Vec<(&'static str, Row)> {
        let filters: Vec<String> = self.filter.iter().map(|text| text.to_lowercase()).collect();
        let matches = |row: &Row| {
            let id = row.id().to_lowercase();
            filters.iter().any(|filter| id.contains(filter))
        };
        let wanted = |row: &Row| if filters.is_empty() { !row.extra } else { matches(row) };
        let mut chosen: Vec<_> = all().filter(|(_, row)| wanted(row)).collect();
        // Backends that answer the same question stand, and are timed, one after the other.
        let mut questions: Vec<_> = chosen.iter().map(|(_, row)| row.question()).collect();
        questions.dedup();
        chosen.sort_by_cached_key(|(_, row)| {
            questions.iter().position(|question| *question == row.question())
        });
        chosen
    }
}

fn all() -> impl Iterator<Item = (&'static str, Row)> {
    let rows = |(group, lists): (&'static str, &'static [rows::List])| {
        lists.iter().flat_map(|list| list()).map(move |row| (group, row))
    };
    GROUPS.into_iter().flat_map(rows)
}

/// How the message begins when no row was chosen.
const NO_MATCH: &str = "no row of bench is called";

/// What to do when an error is that no row was chosen.
pub fn hint(found: &str) -> Option<String> {
    if !found.starts_with(NO_MATCH) {
        return None;
    }
    let usual: Vec<_> = all().filter(|(_, row)| !row.extra).collect();
    let some = usual.iter().step_by(usual.len().div_ceil(6)).map(|(_, row)| row.id());
    Some(format!("rows are called like {}", some.collect::<Vec<_>>().join(", ")))
}

/// A row in `--json`.
#[derive(Serialize)]
struct Report {
    id: String,
    threads: usize,
    bytes_per_second: f64,
    operations_per_second: f64,
}

/// A JSON object for each row, one a line.
fn json_lines(measured: &[Measured], threads: usize) -> String {
    let object = |one: &Measured| {
        let report = Report {
            id: one.row.id(),
            threads,
            bytes_per_second: rounded(one.speed.bytes),
            operations_per_second: rounded(one.speed.operations),
        };
        serde_json::to_string(&report).expect("writing to memory does not fail") + "\n"
    };
    measured.iter().map(object).collect()
}

/// Six digits, which is more than a measurement has.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.5e}").parse().expect("a number that was just printed")
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_comes_twice_and_each_has_four_parts() {
        let ids: Vec<String> = all().map(|(_, row)| row.id()).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        for id in &ids {
            let parts: Vec<_> = id.split('/').collect();
            assert_eq!(parts.len(), 4, "{id}");
            assert!(parts.iter().all(|part| !part.is_empty()), "{id}");
        }
    }

    #[test]
    fn backends_of_a_question_stand_together_and_those_asked_for_rarely_are_left_out() {
        let bench = Bench { filter: Vec::new(), seconds: None };
        let chosen = bench.chosen();
        let mut questions: Vec<_> = chosen.iter().map(|(_, row)| row.question()).collect();
        questions.dedup();
        let distinct: BTreeSet<_> = questions.iter().collect();
        assert_eq!(distinct.len(), questions.len());
        assert!(chosen.len() < all().count());
        let everything = Bench { filter: vec!["/".to_owned()], seconds: None };
        assert_eq!(everything.chosen().len(), all().count());
    }
}
