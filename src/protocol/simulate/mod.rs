//! All three roles in one process: every message is built, serialized, carried and parsed.

mod faults;
mod messages;
mod orders;
mod play;
mod trace;

use sha2::{Digest, Sha256};

pub use faults::{BlockAttack, Fault, Outcome};
pub use trace::{Event, Party, mermaid};

use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Erase, Result, Scheme, Suite};
use crate::protocol::pipeline::Workers;

/// What to play.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The schemes, each with its algorithms and a label for the report.
    pub cases: Vec<Case>,
    /// How many shops.
    pub shops: usize,
    /// How many clients; client number c orders at shop number c modulo shops.
    pub clients: usize,
    /// Orders of each client.
    pub orders: usize,
    /// Bits of RSA moduli.
    pub rsa_bits: usize,
    /// Whether ids are made for each request instead of taken from a pool.
    pub on_demand: bool,
    /// Whether to play the table of faults as well.
    pub faults: bool,
    /// What everything random is made from.
    pub seed: u64,
}

/// A scheme to play.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name in the report: the embodiment's number, or the scheme's words.
    pub label: String,
    /// The scheme.
    pub scheme: Scheme,
    /// Its algorithms.
    pub suite: Suite,
    /// Content-encryption keys of an order, chained if more than one.
    pub layers: u8,
    /// What clients erase after sending, if anything.
    pub erase: Option<Erase>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each case, in their order.
    pub cases: Vec<CaseReport>,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The case's label.
    pub label: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its algorithms.
    pub suite: Suite,
    /// Orders that clients sealed.
    pub sent: usize,
    /// Orders that shops opened and that equal what was sent.
    pub received: usize,
    /// Messages carried.
    pub messages: usize,
    /// SHA-256 over all messages: the same for the same seed.
    pub transcript: [u8; 32],
    /// What was expected and did not happen.
    pub violations: Vec<String>,
    /// The faults that were played.
    pub faults: Vec<FaultReport>,
}

/// What came of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReport {
    /// The fault.
    pub fault: Fault,
    /// What the table says.
    pub expected: Outcome,
    /// What happened.
    pub observed: Outcome,
}

impl Report {
    /// Whether everything was as it should be.
    pub fn held(&self) -> bool {
        self.cases.iter().all(CaseReport::held)
    }
}

impl CaseReport {
    /// Whether every order came through and every fault had the outcome of the table.
    pub fn held(&self) -> bool {
        self.sent == self.received
            && self.violations.is_empty()
            && self.faults.iter().all(|fault| fault.expected == fault.observed)
    }
}

/// Plays all cases, telling `watch` of each event.
///
/// # Errors
/// What stops the play itself; orders that do not come through are in the report.
pub fn run(
    setup: &Setup,
    workers: &Workers,
    mut watch: impl FnMut(&Case, &Event),
) -> Result<Report> {
    let root = SeededSource::new(setup.seed);
    let mut cases = Vec::with_capacity(setup.cases.len());
    for case in &setup.cases {
        let source = root.child(&format!("case {}", case.label));
        let mut transcript = Sha256::new();
        let mut messages = 0;
        let mut record = |event: &Event| {
            if let Some(bytes) = &event.bytes {
                transcript.update((bytes.len() as u64).to_be_bytes());
                transcript.update(bytes);
                messages += 1;
            }
            watch(case, event);
        };
        let played = play::play(setup, case, &source, workers, &mut record)?;
        let faults = match setup.faults {
            true => faults::play(case, &played, workers)?,
            false => Vec::new(),
        };
        cases.push(CaseReport {
            label: case.label.clone(),
            scheme: case.scheme,
            suite: case.suite,
            sent: played.sent,
            received: played.received,
            messages,
            transcript: transcript.finalize().into(),
            violations: played.violations,
            faults,
        });
    }
    Ok(Report { cases })
}
