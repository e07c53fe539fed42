//! The results as a person reads them.

use std::fmt::Write;

use super::Measured;

/// Spread from which on a row counts as noisy.
pub const NOISY: f64 = 0.1;

/// The table, a section for each group.
pub fn table(measured: &[Measured]) -> String {
    let ids: Vec<String> = measured.iter().map(|one| one.row.id()).collect();
    let width = ids.iter().map(String::len).max().unwrap_or(0);
    let mut out = String::new();
    let mut group = "";
    for (one, id) in measured.iter().zip(&ids) {
        if one.group != group {
            group = one.group;
            let _ = writeln!(
                out,
                "\n{group:width$}  {:>10}  {:>12}  {:>7}  {:>6}",
                "bytes/s", "operations/s", "of best", "spread"
            );
        }
        let noisy = if one.speed.spread > NOISY { "~" } else { "" };
        let line = format!(
            "{id:width$}  {:>10}  {:>12}  {:>7}  {:>6}  {}",
            scaled(one.speed.bytes, "B"),
            scaled(one.speed.operations, ""),
            of_best(measured, one),
            format!("{noisy}{}", percent(one.speed.spread)),
            if one.row.weak { "weak" } else { "" },
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push('\n');
    out.push_str(&legend(measured));
    out
}

/// The rate as a share of the highest of the same operation, cipher and size.
fn of_best(measured: &[Measured], one: &Measured) -> String {
    let question = one.row.question();
    let rates: Vec<f64> = measured
        .iter()
        .filter(|other| other.row.question() == question)
        .map(|other| other.speed.operations)
        .collect();
    match rates[..] {
        [_] => "–".to_owned(),
        _ => percent(one.speed.operations / rates.into_iter().fold(0.0, f64::max)),
    }
}

/// What the columns mean, as far as it is not plain.
fn legend(measured: &[Measured]) -> String {
    let mut out = String::from(
        "Rows are operation/cipher/backend/size, size in bytes of a message, order or key; medians.\n\
         of best: compared with the fastest backend for the same operation, cipher and size\n\
         spread: between the quartiles of the samples\n",
    );
    if measured.iter().any(|one| one.row.weak) {
        out.push_str("weak: for teaching and old data only\n");
    }
    let noisy = measured.iter().filter(|one| one.speed.spread > NOISY).count();
    if noisy > 0 {
        let _ = writeln!(
            out,
            "~: {noisy} of {} rows are noisy, with a spread over {}: the machine was busy, or the \
             work is random",
            measured.len(),
            percent(NOISY)
        );
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Three digits with a decimal prefix.
fn scaled(amount: f64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T"];
    // 999.5 and more would be printed as four digits.
    let power = (0..4).find(|power| amount < 999.5 * 1e3_f64.powi(*power)).unwrap_or(4);
    let number = amount / 1e3_f64.powi(power);
    let decimals = if number < 9.995 {
        2
    } else if number < 99.95 {
        1
    } else {
        0
    };
    let unit = format!("{}{unit}", prefixes[power as usize]);
    format!("{number:.decimals$} {unit}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_a_prefix() {
        for (amount, text) in [
            (0.0, "0.00 B"),
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
