//! Faults and attacks between client and shop, each with its expected outcome.

#[cfg(feature = "store")]
mod batches;
mod blocks;
mod kinds;
#[cfg(feature = "store")]
mod ledgers;
mod lines;
mod streams;

use std::cell::OnceCell;

pub use blocks::BlockAttack;
pub use kinds::{BatchCase, Fault, LedgerCase, Outcome};
pub use streams::StreamAttack;

#[cfg(feature = "store")]
use self::batches::Batches;
use self::lines::{change_header, foreign_name, replace, segment, tamper, with_wrong_keys};
use self::streams::Streams;
use super::generations;
use super::play::{Played, PlayedShop, open};
use super::users::{self, UserCase};
use super::{Case, FaultReport, Setup};
use crate::protocol::model::{Error, Result};
use crate::protocol::pipeline::Workers;

/// Plays every fault on a shop that received at least two orders.
pub(super) fn play(
    setup: &Setup,
    case: &Case,
    played: &Played,
    workers: &Workers,
) -> Result<Vec<FaultReport>> {
    let shop = played.shops.iter().find(|shop| shop.orders.len() > 1);
    let scene = shop.map(|shop| Scene {
        setup,
        case,
        played,
        shop,
        workers,
        streams: OnceCell::new(),
        #[cfg(feature = "store")]
        batches: OnceCell::new(),
    });
    let mut reports = Vec::with_capacity(Fault::ALL.len());
    for fault in
        Fault::ALL.into_iter().filter(|fault| fault.applies_to(case.scheme.scope, case.suite))
    {
        let start = (setup.clock)();
        let instead = setup.expected.iter().rev().find(|(other, _)| *other == fault);
        let expected = instead.map_or(fault.expected(case.scheme.scope), |(_, outcome)| *outcome);
        let observed = match &scene {
            Some(scene) => scene.observe(fault)?,
            None => Outcome::NotPlayed,
        };
        let took = (setup.clock)().saturating_sub(start);
        reports.push(FaultReport { fault, expected, observed, took });
    }
    Ok(reports)
}

/// What faults are tried on.
struct Scene<'a> {
    setup: &'a Setup,
    case: &'a Case,
    played: &'a Played,
    shop: &'a PlayedShop,
    workers: &'a Workers,
    streams: OnceCell<Streams>,
    #[cfg(feature = "store")]
    batches: OnceCell<Batches>,
}

impl Scene<'_> {
    fn observe(&self, fault: Fault) -> Result<Outcome> {
        let &Scene { case, played, shop, workers, .. } = self;
        let other = played.shops.iter().find(|other| !std::ptr::eq(*other, shop));
        let mut bundle = shop.bundle.clone();
        let text = String::from_utf8_lossy(&shop.sealed).into_owned();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match fault {
            Fault::TamperedCiphertext => tamper(&mut lines[0], 3),
            Fault::ChangedHeader => change_header(&mut lines[0], |header| {
                let own = case.suite.enc().name();
                header.replace(own, if own == "A256GCM" { "A128CBC-HS256" } else { "A256GCM" })
            }),
            Fault::ExchangedHeader => {
                change_header(&mut lines[0], |header| header.replacen('{', r#"{"typ":"JOSE","#, 1));
            }
            Fault::Blocks(attack) => {
                let [line, other, ..] = &mut lines[..] else { return Ok(Outcome::NotPlayed) };
                if !blocks::attack(attack, line, other, &shop.bundle) {
                    return Ok(Outcome::NotPlayed);
                }
            }
            Fault::SwappedCiphertexts => {
                let (first, second) = (segment(&lines[0], 3), segment(&lines[1], 3));
                replace(&mut lines[0], 3, &second);
                replace(&mut lines[1], 3, &first);
            }
            Fault::TruncatedLine => {
                let cut = lines[0].len() / 2;
                lines[0].truncate(cut);
            }
            Fault::WrongKey => bundle = with_wrong_keys(&bundle, case)?,
            Fault::MixedUpShop => match other {
                Some(other) => bundle = other.bundle.clone(),
                None => return Ok(Outcome::NotPlayed),
            },
            Fault::ForeignId => {
                match foreign_name(&lines, &shop.bundle, other.map(|other| &other.bundle)) {
                    Some((own, foreign)) => {
                        change_header(&mut lines[0], |header| header.replace(&own, &foreign));
                    }
                    None => return Ok(Outcome::NotPlayed),
                }
            }
            Fault::Repeated => lines.push(lines[0].clone()),
            Fault::Reordered => lines.reverse(),
            Fault::Dropped => {
                lines.remove(0);
            }
            Fault::SecondRun => {
                let first = open(workers, &bundle, shop.sealed.clone())?;
                let second = open(workers, &bundle, shop.sealed.clone());
                return classify(second.map(|second| [first, second].concat()), &shop.orders);
            }
            Fault::Ledger(case) => return self.observe_ledger(case, &lines),
            Fault::Stream(attack) => {
                let streams = self.streams()?;
                return classify(streams.open(attack, workers), streams.content());
            }
            Fault::Keys(key_case) => {
                let Scene { setup, .. } = self;
                let service = &played.service;
                let opened = generations::order(key_case, setup, service, &shop.bundle, workers);
                return self.of_client(fault, opened, &generations::ORDERS);
            }
            Fault::Batch(batch_case) => return self.observe_batch(fault, batch_case),
            Fault::User(case) => {
                let opened = users::order(case, &played.service, &shop.bundle, workers);
                let outcome = classify(opened, &users::ORDERS.map(str::to_owned))?;
                // Even as it was sent, an order of somebody who must not order is not harmless.
                let wrongly = outcome == Outcome::Harmless && case != UserCase::Admitted;
                return Ok(if wrongly { Outcome::Undetectable } else { outcome });
            }
        }
        let sealed = lines.join("\n") + "\n";
        classify(open(workers, &bundle, sealed.into_bytes()), &shop.orders)
    }

    fn streams(&self) -> Result<&Streams> {
        if let Some(streams) = self.streams.get() {
            return Ok(streams);
        }
        let Scene { setup, case, played, shop, workers, .. } = self;
        let streams = Streams::seal(setup, case, &played.service, &shop.bundle, workers)?;
        Ok(self.streams.get_or_init(|| streams))
    }

    /// The outcome of orders of one more client. Even as they were sent, orders that should be refused are
    /// not harmless.
    fn of_client(
        &self,
        fault: Fault,
        opened: Result<Vec<String>>,
        sent: &[&str],
    ) -> Result<Outcome> {
        let sent: Vec<String> = sent.iter().map(|&order| order.to_owned()).collect();
        let outcome = classify(opened, &sent)?;
        let wrongly = outcome == Outcome::Harmless
            && fault.expected(self.case.scheme.scope) == Outcome::Refused;
        Ok(if wrongly { Outcome::Undetectable } else { outcome })
    }

    #[cfg(feature = "store")]
    fn observe_batch(&self, fault: Fault, case: BatchCase) -> Result<Outcome> {
        let &Scene { setup, played, shop, workers, .. } = self;
        let batches = match self.batches.get() {
            Some(batches) => batches,
            None => {
                let made = Batches::seal(setup, &played.service, &shop.bundle, workers)?;
                self.batches.get_or_init(|| made)
            }
        };
        let opened = batches.open(case, &shop.sealed, workers);
        self.of_client(fault, opened, &batches::ORDERS)
    }

    #[cfg(not(feature = "store"))]
    fn observe_batch(&self, _: Fault, _: BatchCase) -> Result<Outcome> {
        Ok(Outcome::NotPlayed)
    }

    #[cfg(feature = "store")]
    fn observe_ledger(&self, case: LedgerCase, lines: &[String]) -> Result<Outcome> {
        let (lines, sent) = (&lines[..2], &self.shop.orders[..2]);
        classify(ledgers::open_twice(case, &self.shop.bundle, lines, self.workers)?, sent)
    }

    #[cfg(not(feature = "store"))]
    fn observe_ledger(&self, _: LedgerCase, _: &[String]) -> Result<Outcome> {
        Ok(Outcome::NotPlayed)
    }
}

/// The outcome of an attempt to open orders.
///
/// # Errors
/// Errors that have nothing to do with the orders.
fn classify(opened: Result<Vec<String>>, sent: &[String]) -> Result<Outcome> {
    match opened {
        Err(Error::Reused { .. }) => Ok(Outcome::Noticed),
        Err(
            Error::Malformed { .. }
            | Error::Unexpected { .. }
            | Error::Key { .. }
            | Error::Batch { .. }
            | Error::Authentication(_),
        ) => Ok(Outcome::Refused),
        Err(other) => Err(other),
        Ok(mut opened) => {
            let mut sent = sent.to_vec();
            opened.sort_unstable();
            sent.sort_unstable();
            Ok(if opened == sent { Outcome::Harmless } else { Outcome::Undetectable })
        }
    }
}
