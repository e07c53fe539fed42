//! The verdicts of `scripts/bench-compare.sh`, on rounds that are made up.

use std::fmt::Write;
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

const VERDICT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/bench-compare/verdict.awk");

/// Ten rounds of rows at a rate each, which varies by 3 %.
fn rounds(rows: &[(&str, f64)]) -> String {
    varying(rows, 0.003)
}

/// Ten rounds of rows, nine steps of that share between the slowest and the fastest.
fn varying(rows: &[(&str, f64)], step: f64) -> String {
    let mut lines = String::new();
    for round in 0..10 {
        for (id, rate) in rows {
            let rate = rate * (1.0 + step * f64::from(round * 7 % 10));
            let object =
                format!(r#""threads":1,"bytes_per_second":1,"operations_per_second":{rate}"#);
            writeln!(lines, r#"{{"id":"{id}",{object}}}"#).unwrap();
        }
    }
    lines
}

fn compare(a: &str, b: &str) -> Assert {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, lines).unwrap();
        path
    };
    let (a, b) = (file("a", a), file("b", b));
    awk(&["side=a", text(&a), "side=b", text(&b)])
}

fn awk(arguments: &[&str]) -> Assert {
    Command::new("awk").env("LC_ALL", "C").args(["-f", VERDICT]).args(arguments).assert()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The end of the line about a row.
fn verdict(compared: &Assert, id: &str) -> String {
    let table = String::from_utf8(compared.get_output().stdout.clone()).unwrap();
    let line = table.lines().find(|line| line.starts_with(id));
    let line = line.unwrap_or_else(|| panic!("{id}\n{table}"));
    line.rsplit("  ").next().unwrap().to_owned()
}

#[test]
fn alike_is_the_same_and_so_is_what_differs_by_less_than_it_varies() {
    let a = rounds(&[("equal/", 1e9), ("close/", 100.0)]);
    let b = rounds(&[("equal/", 1e9), ("close/", 100.9)]);
    let compared = compare(&a, &b).code(0);
    assert_eq!(verdict(&compared, "equal/"), "same");
    assert_eq!(verdict(&compared, "close/"), "same");
}

#[test]
fn a_difference_beyond_the_spread_has_a_verdict_and_a_slower_row_an_exit_code() {
    let a = rounds(&[("slow/", 1000.0), ("fast/", 1e6), ("old/", 1.0)]);
    let b = rounds(&[("slow/", 960.0), ("fast/", 1.04e6), ("new/", 1.0)]);
    let compared = compare(&a, &b).code(1);
    for (id, word) in
        [("slow", "slower"), ("fast", "faster"), ("old", "only in a"), ("new", "only in b")]
    {
        assert_eq!(verdict(&compared, id), word);
    }
    compare(&b, &rounds(&[("fast/", 1.1e6)])).code(0);
}

#[test]
fn a_difference_that_is_certain_but_small_does_not_matter() {
    let steady = |rate| varying(&[("row/", rate)], 0.0);
    assert_eq!(verdict(&compare(&steady(1000.0), &steady(985.0)).code(0), "row/"), "same");
    assert_eq!(verdict(&compare(&steady(1000.0), &steady(975.0)).code(1), "row/"), "slower");
}

#[test]
fn one_outlier_changes_no_verdict() {
    let a = rounds(&[("row/", 1000.0)]);
    let outlier = a.replacen("1000", "10", 1);
    assert_ne!(a, outlier);
    assert_eq!(verdict(&compare(&a, &outlier).code(0), "row/"), "same");
}

#[test]
fn nothing_in_common_or_too_few_rounds_to_tell_is_refused() {
    compare(&rounds(&[("one/", 1.0)]), &rounds(&[("other/", 1.0)])).code(2);
    // Of the 252 orders of five rounds and five, two are the extremes: one row at 1 %.
    awk(&["-v", "rounds=5", "-v", "rows=1"]).code(0);
    awk(&["-v", "rounds=5", "-v", "rows=2"]).code(2);
    awk(&["-v", "rounds=4", "-v", "rows=1"]).code(2);
}
