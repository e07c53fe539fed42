//! The results as a table for users.

use std::fmt::{self, Write};

use super::Measured;

/// Spread from which a row counts as noisy.
pub const NOISY: f64 = 0.1;

/// Rows with their results, in one section per group.
pub struct Table<'a> {
    /// The rows, sorted by group and question.
    pub measured: &'a [Measured],
    /// Cycles per second, if known.
    pub hertz: Option<f64>,
    /// The backend that the others are compared with; if none, the fastest of each question.
    pub base: Option<&'a str>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<String> = self.measured.iter().map(|one| one.row.id()).collect();
        let width = ids.iter().map(String::len).max().unwrap_or(0);
        let ratio = self.base.map_or("of best".to_owned(), |base| format!("× {base}"));
        let ratio_width = ratio.chars().count().max(7);
        let mut group = "";
        for (one, id) in self.measured.iter().zip(&ids) {
            if one.group != group {
                group = one.group;
                let (bytes, operations) = ("bytes/s", "operations/s");
                write!(f, "\n{group:width$}  {bytes:>10}  {operations:>12}  ")?;
                self.hertz.map_or(Ok(()), |_| write!(f, "{:>8}  ", "cycles/B"))?;
                writeln!(f, "{ratio:>ratio_width$}  {:>6}", "spread")?;
            }
            let mut line = format!(
                "{id:width$}  {:>10}  {:>12}  ",
                scaled(one.speed.bytes, "B"),
                scaled(one.speed.operations, ""),
            );
            if let Some(hertz) = self.hertz {
                let _ = write!(line, "{:>8}  ", digits(hertz / one.speed.bytes));
            }
            let _ = write!(
                line,
                "{:>ratio_width$}  {:>6}  {}",
                self.ratio(one),
                spread(one.speed.spread),
                if one.row.weak { "weak" } else { "" },
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(f, "\n{}", self.legend())
    }
}

impl Table<'_> {
    /// Returns the rate relative to the fastest of the same question, or as a multiple of the
    /// base's.
    fn ratio(&self, one: &Measured) -> String {
        let question = one.row.question();
        let same = self.measured.iter().filter(|other| other.row.question() == question);
        let rate = one.speed.operations;
        if let Some(base) = self.base {
            let mut same = same;
            let base = same.find(|other| other.row.backend == base);
            return base
                .map_or("–".to_owned(), |base| format!("{:.2} ×", rate / base.speed.operations));
        }
        let rates: Vec<f64> = same.map(|other| other.speed.operations).collect();
        match rates[..] {
            [_] => "–".to_owned(),
            _ => percent(rate / rates.into_iter().fold(0.0, f64::max)),
        }
    }

    /// Explains the columns that need an explanation.
    fn legend(&self) -> String {
        let mut out = String::from(
            "Rows are operation/cipher/backend/size, size in bytes of a message, order or key; medians.\n",
        );
        out.push_str(&match self.base {
            None => {
                "of best: compared with the fastest backend for the same operation, cipher and \
                     size\n"
                    .to_owned()
            }
            Some(base) => {
                format!("× {base}: how many times as fast as {base}, in the same run\n")
            }
        });
        out.push_str("spread: between the quartiles of the samples\n");
        if self.measured.iter().any(|one| one.row.weak) {
            out.push_str("weak: for teaching and old data only\n");
        }
        let noisy = self.measured.iter().filter(|one| one.speed.spread > NOISY).count();
        if noisy > 0 {
            let _ = writeln!(
                out,
                "~: {noisy} of {} rows are noisy, with a spread over {}: the machine was busy, or \
                 the work is random",
                self.measured.len(),
                percent(NOISY)
            );
        }
        out
    }
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
