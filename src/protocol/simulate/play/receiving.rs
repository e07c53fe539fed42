//! What a shop of the simulation opens, compared with what was sent to it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::PlayedShop;
use crate::protocol::model::{Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::shop::{self, Options, Skipped, Uses};
use crate::protocol::simulate::ShopReport;
use crate::protocol::simulate::trace::Party;
use crate::protocol::store::keyfile::ShopBundle;
use crate::protocol::store::{OpeningFile, OpeningKeys};

/// Compares what a shop opened with what was sent to it.
pub(super) fn compare(shop: &PlayedShop, opening: Opening, took: Duration) -> ShopReport {
    let Opening { orders, skipped } = opening;
    let (me, sent) = (Party::Shop(shop.bundle.name.to_string()), shop.orders.len());
    let lines: BTreeSet<_> = skipped.iter().filter_map(|skipped| skipped.place.line).collect();
    let expected = (1..).zip(&shop.orders).filter(|(line, _)| !lines.contains(line));
    let same = expected.zip(&orders).filter(|((_, sent), opened)| sent == opened).count();
    let mut violations = Vec::new();
    if orders.len() != sent {
        violations.push(format!("{me} opened {} orders of {sent}", orders.len()));
    } else if same != sent {
        violations.push(format!("{me} opened {} orders that differ from those sent", sent - same));
    }
    let first = skipped.into_iter().next();
    violations.extend(first.map(|first| format!("{me}: {}", first.refused.at(first.place))));
    ShopReport { name: shop.bundle.name.to_string(), sent, received: same, violations, took }
}

/// Opens a batch as a shop does, with the ledger of transaction ids, until the first failure.
pub(in crate::protocol::simulate) fn open(
    workers: &Workers,
    bundle: &ShopBundle,
    sealed: Vec<u8>,
) -> Result<Vec<String>> {
    open_with(workers, OpeningKeys::new(false), bundle, sealed)
}

/// Opens a batch as [`open`] does, with a set to which the bundle's keys are added.
pub(in crate::protocol::simulate) fn open_with(
    workers: &Workers,
    keys: OpeningKeys,
    bundle: &ShopBundle,
    sealed: Vec<u8>,
) -> Result<Vec<String>> {
    open_each(workers, keys, bundle, sealed, false).map(|opening| opening.orders)
}

/// What a shop opened, and what it could not open.
pub(super) struct Opening {
    pub(super) orders: Vec<String>,
    skipped: Vec<Skipped>,
}

pub(super) fn open_each(
    workers: &Workers,
    mut keys: OpeningKeys,
    bundle: &ShopBundle,
    sealed: Vec<u8>,
    skip_failed: bool,
) -> Result<Opening> {
    let place = Place::file("sealed orders");
    keys.add(OpeningFile::Shop(bundle.clone().into()), &place)?;
    let (mut opened, mut skipped) = (Vec::new(), Vec::new());
    shop::open(
        workers,
        Part::memory(&place.file, sealed),
        &keys,
        Options { uses: Uses::OnceInRun, skip_failed, each: None },
        |orders, _| {
            opened.extend_from_slice(orders);
            Ok(())
        },
        |failed| {
            skipped.push(failed);
            Ok(())
        },
    )?;
    let text = String::from_utf8_lossy(&opened).into_owned();
    Ok(Opening { orders: text.lines().map(str::to_owned).collect(), skipped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::SeededSource;
    use crate::protocol::model::{Scheme, Suite};
    use crate::protocol::roles::service::{Pool, Sizes};
    use crate::protocol::simulate::play::play;
    use crate::protocol::simulate::{Case, Setup};

    #[test]
    fn a_shop_reports_orders_that_do_not_open_or_differ() {
        let scheme = Scheme::embodiment(4).unwrap();
        let case = Case {
            label: "4".into(),
            scheme,
            suite: Suite::default_for(scheme),
            layers: 1,
            pool: Pool::Listed,
            erase: None,
        };
        let setup = Setup {
            cases: Vec::new(),
            shops: 1,
            clients: 1,
            users: 0,
            orders: 3,
            rsa_bits: 2048,
            curve: Sizes::default().curve,
            on_demand: false,
            faults: false,
            expected: Vec::new(),
            seed: 1,
            clock: || Duration::ZERO,
        };
        let (source, workers) = (SeededSource::new(1), Workers::new(Some(1)).unwrap());
        let mut played = play(&setup, &case, &source, &workers, &mut |_| {}).unwrap();
        assert!(played.received[0].held());
        let shop = &mut played.shops[0];
        let report = |shop: &PlayedShop| {
            let opening = open_each(
                &workers,
                OpeningKeys::new(false),
                &shop.bundle,
                shop.sealed.clone(),
                true,
            )
            .unwrap();
            let ShopReport { sent, received, violations, .. } =
                compare(shop, opening, Duration::ZERO);
            (sent, received, violations.join("; "))
        };
        shop.orders[1].push('!');
        let differs = "shop-0 opened 1 orders that differ from those sent";
        assert_eq!(report(shop), (3, 2, differs.to_owned()));
        shop.orders[1].pop();
        let end = shop.sealed.iter().position(|byte| *byte == b'\n').unwrap();
        shop.sealed[end - 5] ^= 1;
        let failed = "shop-0 opened 2 orders of 3; \
                      shop-0: sealed orders: line 1: authentication failed";
        assert_eq!(report(shop), (3, 2, failed.to_owned()));
    }
}
