//! `--expect`: outcomes that a user expects of faults.

use orderseal::protocol::Result;
use orderseal::protocol::simulate::{Case, Fault, Outcome};

use crate::cmd::hints::usage;

/// A fault and its expected outcome.
pub type Expectation = (Fault, Outcome);

/// Parses `FAULT=OUTCOME`, both named as in reports.
pub fn parse(text: &str) -> std::result::Result<Expectation, String> {
    let (fault, outcome) = text.split_once('=').ok_or("expected FAULT=OUTCOME")?;
    Ok((
        named("fault", fault, Fault::ALL.map(|fault| (fault.name(), fault)))?,
        named("outcome", outcome, Outcome::ALL.map(|outcome| (outcome.name(), outcome)))?,
    ))
}

fn named<T: Copy, const N: usize>(
    what: &str,
    name: &str,
    known: [(&str, T); N],
) -> std::result::Result<T, String> {
    let found = known.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names = known.map(|(own, _)| own).join(", ");
        format!("no {what} is called {name:?}, only {names}")
    })
}

/// Rejects an expectation that no case checks.
pub fn check(expected: &[Expectation], cases: &[Case]) -> Result<()> {
    let is_played =
        |fault: Fault| cases.iter().any(|case| fault.applies_to(case.scheme.scope, case.suite));
    match expected.iter().find(|(fault, _)| !is_played(*fault)) {
        Some((fault, _)) => {
            Err(usage(format!("expect: no embodiment here has the fault {:?}", fault.name())))
        }
        None => Ok(()),
    }
}
