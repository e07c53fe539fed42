//! Simulation of all three roles in one process: every message is built, serialized, carried and
//! parsed.

#![deny(clippy::wildcard_enum_match_arm)]

mod faults;
mod messages;
mod orders;
mod play;
mod trace;
mod users;

use sha2::{Digest, Sha256};

pub use faults::{BlockAttack, Fault, Outcome};
pub use trace::{Event, Party, mermaid};
pub use users::UserCase;

use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Erase, Result, Scheme, Suite};
use crate::protocol::pipeline::Workers;

/// Parameters of a simulation.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The schemes, each with its algorithms and a label for the report.
    pub cases: Vec<Case>,
    /// Number of shops.
    pub shops: usize,
    /// Number of clients; client c orders at shop c modulo the number of shops.
    pub clients: usize,
    /// Number of orders per client.
    pub orders: usize,
    /// Size of RSA moduli, in bits.
    pub rsa_bits: usize,
    /// The curve of elliptic-curve keys.
    pub curve: Curve,
    /// Whether ids are made for each request instead of taken from a pool.
    pub on_demand: bool,
    /// Whether to play the faults as well.
    pub faults: bool,
    /// Seed of the random generator.
    pub seed: u64,
}

/// A scheme to play.
#[derive(Debug, Clone)]
pub struct Case {
    /// Name in the report: the embodiment's number, or the words of the scheme.
    pub label: String,
    /// The scheme.
    pub scheme: Scheme,
    /// Its algorithms.
    pub suite: Suite,
    /// Content-encryption keys per order; more than one form a chain.
    pub layers: u8,
    /// Part of their files that clients erase after sending, if any.
    pub erase: Option<Erase>,
}

/// Result of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One report per case, in the same order.
    pub cases: Vec<CaseReport>,
}

/// Result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// The case's label.
    pub label: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// Its algorithms.
    pub suite: Suite,
    /// Number of orders that clients sealed.
    pub sent: usize,
    /// Number of orders that shops opened and that equal what was sent.
    pub received: usize,
    /// Number of messages carried.
    pub messages: usize,
    /// SHA-256 of all messages: the same for the same seed.
    pub transcript: [u8; 32],
    /// Expected events that did not happen.
    pub violations: Vec<String>,
    /// The faults that were played.
    pub faults: Vec<FaultReport>,
}

/// Result of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReport {
    /// The fault.
    pub fault: Fault,
    /// Outcome that the fault should have.
    pub expected: Outcome,
    /// Outcome that it had.
    pub observed: Outcome,
}

impl Report {
    /// Whether all cases passed.
    pub fn held(&self) -> bool {
        self.cases.iter().all(CaseReport::held)
    }
}

impl CaseReport {
    /// Whether every order arrived and every fault had its expected outcome.
    pub fn held(&self) -> bool {
        self.sent == self.received
            && self.violations.is_empty()
            && self.faults.iter().all(|fault| fault.expected == fault.observed)
    }
}

/// Plays all cases and calls `watch` for each event.
///
/// # Errors
/// Errors that end the simulation; orders that do not arrive are in the report.
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
