//! The reports of a simulation: a table, and JSON.

use orderseal::protocol::simulate::{CaseReport, Report};
use serde_json::{Value, json};

use super::Simulate;

/// Version of the JSON, raised when a member goes away or gets another meaning.
const SCHEMA: u32 = 1;

/// Returns the report of `--json`.
pub fn to_json(command: &Simulate, report: &Report) -> Value {
    let cases: Vec<Value> = report.cases.iter().map(case_to_json).collect();
    json!({
        "schema": SCHEMA,
        "seed": command.seed,
        "shops": command.shops,
        "clients": command.clients,
        "orders_each": command.orders_each,
        "held": report.held(),
        "embodiments": cases,
    })
}

fn case_to_json(case: &CaseReport) -> Value {
    let faults: Vec<Value> = case
        .faults
        .iter()
        .map(|fault| {
            json!({
                "fault": fault.fault.name(),
                "expected": fault.expected.name(),
                "observed": fault.observed.name(),
                "held": fault.held(),
            })
        })
        .collect();
    json!({
        "embodiment": case.label,
        "scheme": case.scheme.to_string(),
        "alg": case.suite.alg().name(),
        "enc": case.suite.enc().name(),
        "weak": case.suite.weak().is_some(),
        "sent": case.sent,
        "received": case.received,
        "messages": case.messages,
        "transcript_sha256": hex::encode(case.transcript),
        "held": case.held(),
        "violations": case.all_violations().collect::<Vec<_>>(),
        "faults": faults,
    })
}

/// Returns the report for people.
pub fn to_table(report: &Report) -> String {
    let mut text = format!(
        "{:<22} {:<26} {:<14} {:<26} {:>6} {:>8}  result\n",
        "embodiment", "scheme", "alg", "enc", "sent", "received"
    );
    for case in &report.cases {
        text.push_str(&format!(
            "{:<22} {:<26} {:<14} {:<26} {:>6} {:>8}  {}\n",
            case.label,
            case.scheme.to_string(),
            case.suite.alg().name(),
            case.suite.enc().name(),
            case.sent,
            case.received,
            if case.held() { "held" } else { "FAILED" }
        ));
        for violation in case.all_violations() {
            text.push_str(&format!("    {violation}\n"));
        }
        for fault in &case.faults {
            let verdict = match fault.held() {
                true => String::new(),
                false => format!(", expected {}", fault.expected.name()),
            };
            let observed = fault.observed.name();
            text.push_str(&format!("    {:<26} {observed}{verdict}\n", fault.fault.name()));
        }
    }
    text
}
