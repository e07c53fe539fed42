//! Simulation of all three roles in one process: every message is built, serialized, carried and
//! parsed.

#![deny(clippy::wildcard_enum_match_arm)]

mod faults;
mod generations;
mod messages;
mod on_demand;
mod orders;
mod play;
mod trace;
mod users;

use std::time::Duration;

use sha2::{Digest, Sha256};

pub use faults::{BatchCase, BlockAttack, Fault, LedgerCase, Outcome, StreamAttack};
pub use generations::KeyCase;
pub use trace::{Event, Party, mermaid};
pub use users::UserCase;

use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Erase, Result, Scheme, Scope, Suite, Time};
use crate::protocol::pipeline::Workers;
use crate::protocol::roles::service::{Pool, Sizes};

/// The time of every simulation, so that it can be repeated.
const NOW: Time = Time::UNIX_EPOCH;

/// Parameters of a simulation.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The schemes, each with its algorithms and a label for the report.
    pub cases: Vec<Case>,
    /// Number of shops.
    pub shops: usize,
    /// Number of clients; client c orders at shop c modulo the number of shops.
    pub clients: usize,
    /// Number of users who are admitted and order under an id of their own, where a scheme
    /// [has users](Case::has_users); spread like clients.
    pub users: usize,
    /// Number of orders per client and user.
    pub orders: usize,
    /// Size of RSA moduli, in bits.
    pub rsa_bits: usize,
    /// The curve of elliptic-curve keys.
    pub curve: Curve,
    /// Whether ids are made for each request instead of taken from a pool.
    pub on_demand: bool,
    /// Whether to play the faults as well.
    pub faults: bool,
    /// Outcomes to expect instead of [`Fault::expected`]; for a fault that is here twice, the last.
    pub expected: Vec<(Fault, Outcome)>,
    /// Seed of the random generator.
    pub seed: u64,
    /// Time since a fixed moment, for the times in the report.
    pub clock: fn() -> Duration,
}

impl Setup {
    fn sizes(&self) -> Sizes {
        Sizes { rsa_bits: self.rsa_bits, pad_bytes: play::PAD_OF_ORDER, curve: self.curve }
    }
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
    /// How files have transaction keys.
    pub pool: Pool,
    /// Part of their files that clients erase after sending, if any.
    pub erase: Option<Erase>,
}

impl Case {
    /// Whether users can have ids of their own: at transaction scope, unless keys are pads.
    pub fn has_users(&self) -> bool {
        self.scheme.scope == Scope::Transaction && !self.suite.enc().takes_pad()
    }
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
    /// How files had transaction keys.
    pub pool: Pool,
    /// Number of orders that clients sealed.
    pub sent: usize,
    /// Number of orders that shops opened and that equal what was sent.
    pub received: usize,
    /// Number of messages carried.
    pub messages: usize,
    /// SHA-256 of all messages: the same for the same seed.
    pub transcript: [u8; 32],
    /// Expected events that did not happen on the way to the shops.
    pub violations: Vec<String>,
    /// What the shops received, by name.
    pub shops: Vec<ShopReport>,
    /// The faults that were played.
    pub faults: Vec<FaultReport>,
    /// Time from making keys to the last fault.
    pub took: Duration,
}

/// What a shop received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopReport {
    /// Name of the shop.
    pub name: String,
    /// Number of orders that clients sealed for it.
    pub sent: usize,
    /// Number of orders that it opened and that equal what was sent.
    pub received: usize,
    /// What went wrong with the others.
    pub violations: Vec<String>,
    /// Time for opening.
    pub took: Duration,
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
    /// Time for playing it.
    pub took: Duration,
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
        self.violations.is_empty()
            && self.shops.iter().all(ShopReport::held)
            && self.faults.iter().all(FaultReport::held)
    }

    /// Expected events that did not happen, on the way to the shops and at the shops.
    pub fn all_violations(&self) -> impl Iterator<Item = &str> {
        let at_shops = self.shops.iter().flat_map(|shop| &shop.violations);
        self.violations.iter().chain(at_shops).map(String::as_str)
    }
}

impl ShopReport {
    /// Whether every order arrived as it was sent, and no other.
    pub fn held(&self) -> bool {
        self.sent == self.received && self.violations.is_empty()
    }
}

impl FaultReport {
    /// Whether the fault had its expected outcome.
    pub fn held(&self) -> bool {
        self.expected == self.observed
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
        let start = (setup.clock)();
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
            true => faults::play(setup, case, &played, workers)?,
            false => Vec::new(),
        };
        cases.push(CaseReport {
            label: case.label.clone(),
            scheme: case.scheme,
            suite: case.suite,
            pool: case.pool,
            sent: played.shops.iter().map(|shop| shop.orders.len()).sum(),
            received: played.received.iter().map(|shop| shop.received).sum(),
            messages,
            transcript: transcript.finalize().into(),
            violations: played.violations,
            shops: played.received,
            faults,
            took: (setup.clock)().saturating_sub(start),
        });
    }
    Ok(Report { cases })
}
