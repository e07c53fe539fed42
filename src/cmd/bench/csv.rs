//! The results as comma-separated values (RFC 4180), for spreadsheets.

use orderseal::bench::report::{Measured, Report};

/// Names of the columns.
const COLUMNS: [&str; 14] = [
    "id",
    "group",
    "threads",
    "bytes_per_second",
    "operations_per_second",
    "quartile_1",
    "quartile_3",
    "spread",
    "cycles_per_byte",
    "noisy",
    "weak",
    "processor",
    "version",
    "date",
];

/// Returns a line of names, then a line for each row of each run.
pub fn lines(runs: &[Report]) -> String {
    let rows = runs.iter().flat_map(|run| run.rows.iter().map(move |row| fields(run, row)));
    let names = COLUMNS.map(str::to_owned);
    std::iter::once(names).chain(rows).map(|fields| fields.map(quoted).join(",") + "\n").collect()
}

fn fields(run: &Report, row: &Measured) -> [String; 14] {
    [
        row.id.to_string(),
        row.group.clone(),
        row.threads.to_string(),
        row.bytes_per_second.to_string(),
        row.operations_per_second.to_string(),
        row.quartiles[0].to_string(),
        row.quartiles[1].to_string(),
        row.spread.to_string(),
        row.cycles_per_byte.map(|cycles| cycles.to_string()).unwrap_or_default(),
        row.noisy.to_string(),
        row.weak.to_string(),
        run.machine.processor.clone(),
        run.machine.version.clone(),
        run.machine.date.clone(),
    ]
}

fn quoted(field: String) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_and_quotation_marks_are_quoted() {
        let quoted_as = |field: &str| quoted(field.to_owned());
        assert_eq!(quoted_as("AMD EPYC"), "AMD EPYC");
        assert_eq!(quoted_as("a, \"b\""), "\"a, \"\"b\"\"\"");
    }
}
