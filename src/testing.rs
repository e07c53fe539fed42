//! What unit tests share.

use std::io::{self, Write};

/// Says that a check did not run, past the test harness's capture, which hides what a passing test
/// prints.
pub(crate) fn not_run(what: &str, why: &str) {
    writeln!(io::stderr(), "    NOT RUN: {what}: {why}").expect("standard error is open");
}
