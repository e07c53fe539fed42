//! The reports of a simulation: a table, and JSON.

use orderseal::protocol::simulate::{CaseReport, Report, Setup};
use serde_json::{Value, json};

/// Version of the JSON, raised when a member goes away or gets another meaning.
const SCHEMA: u32 = 1;

/// What was played, and how it went.
pub struct Played {
    /// The play's name, if it is of a scenario.
    pub name: Option<String>,
    /// Its parameters.
    pub setup: Setup,
    /// The report.
    pub report: Report,
}

/// Returns the report of `--json`.
pub fn to_json(Played { name, setup, report }: &Played) -> Value {
    let cases: Vec<Value> = report.cases.iter().map(case_to_json).collect();
    let mut value = json!({
        "schema": SCHEMA,
        "seed": setup.seed,
        "shops": setup.shops,
        "clients": setup.clients,
        "users": setup.users,
        "orders_each": setup.orders,
        "held": report.held(),
        "embodiments": cases,
    });
    if let Some(name) = name {
        value["play"] = json!(name);
    }
    value
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
        "pool": case.pool.name(),
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
pub fn to_table(played: &[Played]) -> String {
    let mut text = format!(
        "{:<22} {:<26} {:<14} {:<26} {:>6} {:>8}  result\n",
        "embodiment", "scheme", "alg", "enc", "sent", "received"
    );
    for Played { name, report, .. } in played {
        if let Some(name) = name {
            text.push_str(&format!("{name}:\n"));
        }
        report.cases.iter().for_each(|case| add_case(case, &mut text));
    }
    text
}

fn add_case(case: &CaseReport, text: &mut String) {
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
        text.push_str(&format!("    {:<27} {observed}{verdict}\n", fault.fault.name()));
    }
}
