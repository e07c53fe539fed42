//! Runs compared with earlier ones: which rows became slower.
//!
//! A run's samples are cut into blocks in the order of time, and the medians of the blocks are ranked;
//! of several runs, the medians of the runs. Blocks and not samples, because samples that follow each
//! other are alike. Rates are compared by clock cycles where all runs know their clock.

use std::collections::BTreeSet;

use serde::Serialize;

use super::grid::{Column, Grid, Section};
use super::rank;
use super::report::{Id, Measured, Report};
use super::rounded;
use super::stats::Summary;
use super::table::{self, percent, scaled};

/// Number of blocks of a single run.
const BLOCKS: usize = 20;

/// Risk of a wrong verdict, for all rows together.
const RISK: f64 = 0.01;

/// Difference that does not matter if no other limit was given: code that merely moved makes as much.
pub const LEAST: f64 = 0.02;

/// Now and before, row by row.
pub struct Comparison {
    /// The rows, in the order of the later run, then those that only the baseline has.
    pub rows: Vec<Compared>,
    /// Whether clock cycles were compared.
    pub by_cycles: bool,
    /// Fraction by which a row has to differ.
    pub limit: f64,
}

/// A row, now and before.
pub struct Compared {
    /// The name of the row.
    pub id: Id,
    group: String,
    before: Option<Side>,
    now: Option<Side>,
    /// What became of the row.
    pub change: Change,
}

/// A row in the runs of one side.
struct Side {
    /// Operations per second.
    rate: f64,
    /// Spread of the rounds.
    spread: f64,
    /// Rates of the rounds, per second or per cycle.
    rounds: Vec<f64>,
}

/// The change of a row, as written by `--json`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Change {
    /// Rate now divided by the rate before, if both are known.
    pub ratio: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No difference beyond the limit.
    Same,
    /// Faster by more than the limit.
    Faster,
    /// Slower by more than the limit.
    Slower,
    /// The rounds differ so much that there is no telling.
    TooNoisy,
    /// There are too few rounds to tell.
    TooFew,
    /// Only the baseline has the row.
    OnlyBefore,
    /// The baseline lacks the row.
    OnlyNow,
}

impl Comparison {
    /// Compares runs with earlier ones. A row has to differ by more than `limit`, a fraction.
    pub fn of(before: &[Report], now: &[Report], limit: f64) -> Self {
        let by_cycles = before.iter().chain(now).all(|run| run.machine.clock.is_some());
        let seen = |runs: &[Report]| {
            let ids = runs.iter().flat_map(|run| run.rows.iter().map(|row| row.id.clone()));
            ids.collect::<BTreeSet<_>>()
        };
        let both = seen(before).intersection(&seen(now)).count();
        let mut met = BTreeSet::new();
        let mut rows = Vec::new();
        for row in now.iter().chain(before).flat_map(|run| &run.rows) {
            if met.insert(&row.id) {
                let [before, now] = [before, now].map(|runs| Side::of(runs, &row.id, by_cycles));
                let change = Change::of(before.as_ref(), now.as_ref(), limit, both);
                let (id, group) = (row.id.clone(), row.group.clone());
                rows.push(Compared { id, group, before, now, change });
            }
        }
        let mut groups: Vec<String> = rows.iter().map(|row: &Compared| row.group.clone()).collect();
        groups.dedup();
        rows.sort_by_key(|row| groups.iter().position(|group| *group == row.group));
        Self { rows, by_cycles, limit }
    }

    /// Counts the rows with a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.change.verdict == verdict).count()
    }

    /// Counts the rows that both sides have.
    pub fn both(&self) -> usize {
        self.rows.len() - self.count(Verdict::OnlyBefore) - self.count(Verdict::OnlyNow)
    }

    /// Returns the change of a row.
    pub fn change(&self, id: &Id) -> Option<Change> {
        self.rows.iter().find(|row| row.id == *id).map(|row| row.change)
    }

    /// Returns the rows, in one section per group.
    pub fn grid(&self) -> Grid {
        let columns = ["before", "spread", "now", "spread", "now / before"];
        let columns = columns.into_iter().map(Column::numbers).chain([Column::words("verdict")]);
        let groups = self.rows.chunk_by(|a, b| a.group == b.group);
        let sections = groups.map(|rows| Section {
            title: rows[0].group.clone(),
            rows: rows.iter().map(Compared::cells).collect(),
        });
        Grid { columns: columns.collect(), sections: sections.collect() }
    }

    /// Counts the verdicts, and explains how they were reached.
    pub fn legend(&self) -> String {
        let verdicts = [
            Verdict::Slower,
            Verdict::Faster,
            Verdict::Same,
            Verdict::TooNoisy,
            Verdict::TooFew,
            Verdict::OnlyBefore,
            Verdict::OnlyNow,
        ];
        let told = verdicts.map(|verdict| (self.count(verdict), verdict));
        let told = told.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> =
            told.map(|(count, verdict)| format!("{count} {}", verdict.name())).collect();
        let by = if self.by_cycles { "clock cycles" } else { "seconds" };
        format!(
            "{}\nnow / before: rates by {by}; slower and faster are differences over {} that the rank test \
             of Mann and Whitney finds, with a risk of {} for all rows together\n",
            told.join(", "),
            percent(self.limit),
            percent(RISK),
        )
    }
}

impl Compared {
    fn cells(&self) -> Vec<String> {
        let [before, now] = [&self.before, &self.now].map(|side| match side {
            Some(side) => [format!("{}/s", scaled(side.rate, "")), table::spread(side.spread)],
            None => ["–", ""].map(str::to_owned),
        });
        let ratio = self.change.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}"));
        let verdict = self.change.verdict.name().to_owned();
        [vec![self.id.to_string()], before.to_vec(), now.to_vec(), vec![ratio, verdict]].concat()
    }
}

impl Side {
    fn of(runs: &[Report], id: &Id, by_cycles: bool) -> Option<Self> {
        let found: Vec<(&Measured, f64)> = runs
            .iter()
            .filter_map(|run| {
                let row = run.rows.iter().find(|row| row.id == *id)?;
                let clock = run.machine.clock.filter(|_| by_cycles).unwrap_or(1.0);
                Some((row, clock))
            })
            .collect();
        let rounds: Vec<f64> = match found[..] {
            [] => return None,
            [(row, clock)] => blocks(&row.samples_per_second).map(|rate| rate / clock).collect(),
            _ => found.iter().map(|(row, clock)| row.median / clock).collect(),
        };
        let rate = Summary::of(found.iter().map(|(row, _)| row.median)).median;
        let spread = Summary::of(rounds.iter().copied()).spread();
        Some(Self { rate, spread, rounds })
    }
}

/// Returns the medians of blocks of samples that follow each other.
fn blocks(samples: &[f64]) -> impl Iterator<Item = f64> {
    let number = BLOCKS.min(samples.len());
    (0..number).map(move |block| {
        let [from, to] = [block, block + 1].map(|end| end * samples.len() / number);
        Summary::of(samples[from..to].iter().copied()).median
    })
}

impl Change {
    /// Compares a row that is one of `rows`.
    fn of(before: Option<&Side>, now: Option<&Side>, limit: f64, rows: usize) -> Self {
        let (before, now) = match (before, now) {
            (Some(before), Some(now)) => (before, now),
            (Some(_), None) => return Self { ratio: None, verdict: Verdict::OnlyBefore },
            (None, _) => return Self { ratio: None, verdict: Verdict::OnlyNow },
        };
        let [a, b] = [before, now].map(|side| Summary::of(side.rounds.iter().copied()).median);
        let ratio = b / a;
        let level = RISK / rows as f64;
        let certain = rank::chance(&before.rounds, &now.rounds) <= level;
        let (slower, faster) = (ratio < 1.0 - limit, ratio > 1.0 / (1.0 - limit));
        // Otherwise a difference of the limit might not be noticed.
        let steady = before.spread.max(now.spread) <= limit && !slower && !faster;
        let verdict = match () {
            () if rank::least(before.rounds.len(), now.rounds.len()) > level => Verdict::TooFew,
            () if certain && slower => Verdict::Slower,
            () if certain && faster => Verdict::Faster,
            () if !certain && !steady => Verdict::TooNoisy,
            () => Verdict::Same,
        };
        Self { ratio: Some(rounded(ratio)), verdict }
    }
}

impl Verdict {
    /// Returns the name shown to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::TooNoisy => "too noisy",
            Self::TooFew => "too few samples",
            Self::OnlyBefore => "only before",
            Self::OnlyNow => "only now",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::rows::Row;

    /// A run of one row, whose blocks have these rates, each with two samples beside it.
    fn run(rates: &[f64]) -> Report {
        let row = Row::new("seal", "none", "portable", 1, || || ());
        let samples = rates.iter().flat_map(|rate| [rate * 0.9, *rate, rate * 1.1]).collect();
        let rows = vec![Measured::of_rates("ciphers", &row, 1, samples)];
        Report { machine: Machine::this(1), rows }
    }

    /// As many rates as blocks around one, with a distance of `step` between them.
    fn rates(middle: f64, step: f64) -> Vec<f64> {
        let place = |block: usize| (block * 7 % BLOCKS) as f64 - (BLOCKS - 1) as f64 / 2.0;
        (0..BLOCKS).map(|block| middle * (1.0 + step * place(block))).collect()
    }

    fn verdict(before: &[f64], now: &[f64]) -> Verdict {
        let compared = Comparison::of(&[run(before)], &[run(now)], 0.05);
        compared.rows[0].change.verdict
    }

    #[test]
    fn a_difference_has_to_be_certain_and_beyond_the_limit() {
        let before = rates(1000.0, 0.002);
        assert_eq!(verdict(&before, &before), Verdict::Same);
        assert_eq!(verdict(&before, &rates(960.0, 0.002)), Verdict::Same);
        assert_eq!(verdict(&before, &rates(900.0, 0.002)), Verdict::Slower);
        assert_eq!(verdict(&before, &rates(1100.0, 0.002)), Verdict::Faster);
        // All blocks are slower, so their spread does not matter.
        assert_eq!(verdict(&rates(1000.0, 0.02), &rates(500.0, 0.02)), Verdict::Slower);
        // Some are as fast as before.
        assert_eq!(verdict(&rates(1000.0, 0.02), &rates(940.0, 0.02)), Verdict::TooNoisy);
        assert_eq!(verdict(&before[..1], &before[..1]), Verdict::TooFew);
    }

    #[test]
    fn one_slow_block_changes_no_verdict() {
        let before = rates(1000.0, 0.002);
        let mut now = before.clone();
        now[4] = 10.0;
        assert_eq!(verdict(&before, &now), Verdict::Same);
    }

    #[test]
    fn a_slower_clock_is_no_slower_program() {
        let at = |rate: f64, hertz: f64| {
            let Report { machine, rows } = run(&rates(rate, 0.002));
            [Report { machine: machine.at(Some(hertz)), rows }]
        };
        let compared = Comparison::of(&at(1000.0, 3e9), &at(800.0, 2.4e9), 0.05);
        assert!(compared.by_cycles);
        assert_eq!(compared.rows[0].change.verdict, Verdict::Same);
        let [unknown, known] = [[run(&rates(1000.0, 0.002))], at(800.0, 2.4e9)];
        let compared = Comparison::of(&unknown, &known, 0.05);
        assert!(!compared.by_cycles);
        assert_eq!(compared.rows[0].change.verdict, Verdict::Slower);
    }

    #[test]
    fn of_several_runs_their_medians_are_compared() {
        let runs =
            |rate: f64| rates(rate, 0.002).iter().map(|rate| run(&[*rate])).collect::<Vec<_>>();
        let compared = Comparison::of(&runs(1000.0), &runs(900.0), 0.05);
        assert_eq!(compared.count(Verdict::Slower), 1);
        let compared = Comparison::of(&runs(1000.0)[..2], &runs(1000.0)[..2], 0.05);
        assert_eq!(compared.count(Verdict::TooFew), 1);
    }

    #[test]
    fn rows_of_one_side_are_named() {
        let mut other = run(&[1.0]);
        other.rows[0].id.size = 2;
        let compared = Comparison::of(&[run(&[1.0])], &[other], 0.05);
        let verdicts: Vec<_> = compared.rows.iter().map(|row| row.change.verdict).collect();
        assert_eq!(verdicts, [Verdict::OnlyNow, Verdict::OnlyBefore]);
        assert_eq!(compared.both(), 0);
        assert!(compared.legend().starts_with("1 only before, 1 only now\n"));
    }
}
