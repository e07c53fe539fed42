//! The results of a run as a table for users.

use std::fmt::Write;

use super::grid::{Column, Grid, Section};
use super::report::{Measured, NOISY, Report};

/// A run with its results, in one section per group.
pub struct Table<'a> {
    /// The run.
    pub report: &'a Report,
    /// The backend that the others are compared with; if none, the fastest of each question.
    pub base: Option<&'a str>,
}

impl Table<'_> {
    /// Returns the rows.
    pub fn grid(&self) -> Grid {
        let cycles = self.report.machine.clock.is_some();
        let ratio = self.base.map_or("of best".to_owned(), |base| format!("× {base}"));
        let mut columns: Vec<Column> =
            ["bytes/s", "operations/s"].into_iter().map(Column::numbers).collect();
        columns.extend(cycles.then(|| Column::numbers("cycles/B")));
        columns.extend([
            Column::numbers("spread"),
            Column::numbers(ratio),
            Column::numbers("its spread"),
            Column::words(""),
        ]);
        let groups = self.report.rows.chunk_by(|a, b| a.group == b.group);
        let sections = groups.map(|rows| Section {
            title: rows[0].group.clone(),
            rows: rows.iter().map(|row| self.cells(row, cycles)).collect(),
        });
        Grid { columns, sections: sections.collect() }
    }

    fn cells(&self, row: &Measured, cycles: bool) -> Vec<String> {
        let mut cells = vec![
            row.id.to_string(),
            scaled(row.bytes_per_second, "B"),
            scaled(row.operations_per_second, ""),
        ];
        cells.extend(cycles.then(|| row.cycles_per_byte.map_or_else(dash, digits)));
        cells.push(spread(row.spread));
        cells.extend(self.ratio(row));
        cells.push(if row.weak { "weak" } else { "" }.to_owned());
        cells
    }

    /// Returns the ratio to the fastest of the same question, or to the base, and its spread.
    fn ratio(&self, row: &Measured) -> [String; 2] {
        let rows = self.report.rows.iter();
        let mut same = rows.filter(|other| other.id.question() == row.id.question());
        let base = match self.base {
            Some(base) => same.find(|other| other.id.backend == base),
            None => same.max_by(|a, b| a.median.total_cmp(&b.median)),
        };
        let alone = || self.base.is_none() && self.is_alone(row);
        let Some(base) = base.filter(|_| !alone()) else { return [dash(), dash()] };
        let ratio = row.ratio(base);
        let shown = match self.base {
            Some(_) => format!("{} ×", digits(ratio.median)),
            None => percent(ratio.median),
        };
        match row.id == base.id {
            true => [shown, dash()],
            false => [shown, spread(ratio.spread())],
        }
    }

    fn is_alone(&self, row: &Measured) -> bool {
        let rows = self.report.rows.iter();
        rows.filter(|other| other.id.question() == row.id.question()).count() == 1
    }

    /// Explains the columns that need an explanation.
    pub fn legend(&self) -> String {
        let mut out = String::from(
            "Rows are operation/cipher/backend/size, size in bytes of a message, order or key; medians.\n",
        );
        out.push_str(&match self.base {
            None => "of best: rate divided by that of the fastest backend for the same operation, cipher \
                     and size, round by round\n"
                .to_owned(),
            Some(base) => format!("× {base}: rate divided by that of {base}, round by round\n"),
        });
        out.push_str("spread: between the quartiles of the samples\n");
        let rows = &self.report.rows;
        if rows.iter().any(|row| row.weak) {
            out.push_str("weak: for teaching and old data only\n");
        }
        let noisy = rows.iter().filter(|row| row.noisy).count();
        if noisy > 0 {
            let _ = writeln!(
                out,
                "~: {noisy} of {} rows are noisy, with a spread over {}: the machine was busy, or \
                 the work is random; ratios by the round repeat better",
                rows.len(),
                percent(NOISY)
            );
        }
        out
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// Formats a spread, marked if it is noisy.
pub fn spread(share: f64) -> String {
    format!("{}{}", if share > NOISY { "~" } else { "" }, percent(share))
}
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Formats three digits with a decimal prefix.
pub fn scaled(amount: f64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T"];
    // 999.5 and more would be printed as four digits.
    let power = (0..4).find(|power| amount < 999.5 * 1e3_f64.powi(*power)).unwrap_or(4);
    let unit = format!("{}{unit}", prefixes[power as usize]);
    format!("{} {unit}", digits(amount / 1e3_f64.powi(power))).trim_end().to_owned()
}

/// Formats three digits, or as many as the whole number has.
pub fn digits(number: f64) -> String {
    let decimals = match number {
        ..0.0995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_a_prefix() {
        for (amount, text) in [
            (0.0, "0.000 B"),
            (1.234, "1.23 B"),
            (12.34, "12.3 B"),
            (999.4, "999 B"),
            (999.6, "1.00 kB"),
            (37_000_000.0, "37.0 MB"),
            (9.996e9, "10.0 GB"),
            (2.5e15, "2500 TB"),
        ] {
            assert_eq!(scaled(amount, "B"), text);
        }
        assert_eq!(scaled(5.0, ""), "5.00");
    }
}
