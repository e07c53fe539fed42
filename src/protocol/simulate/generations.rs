//! Orders under keys of a shop that has newer ones.

use std::cell::RefCell;

use super::on_demand;
use super::play::open_with;
use super::{NOW, Setup};
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::merge::{self, OnErased};
use crate::protocol::roles::service::{self, Pool, Rotation};
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::keyfile::{KeySet, Keyring, ShopBundle};

/// What happens to the client's keys between the client's request and the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCase {
    /// The service makes the next generation, and the client orders with the old one.
    UnderWay,
    /// The same, and the old generation is retired.
    Retired,
    /// The old generation is erased at the shop before the orders arrive.
    Erased,
    /// It is erased, and the shop merges a copy of its bundle that has it.
    MergedAgain,
    /// The client's keys expire before it orders.
    Expired,
    /// They expire before the orders arrive, and the shop refuses keys that have expired.
    ExpiredAtShop,
}

/// The client's order.
pub(super) const ORDERS: [&str; 1] = ["tea"];

/// Plays a client from the request to the shop that opens the orders, which are returned.
///
/// # Errors
/// [`KeyError::OutOfDate`](crate::protocol::KeyError::OutOfDate) and
/// [`KeyError::Erased`](crate::protocol::KeyError::Erased), from the client or the shop.
pub(super) fn order(
    case: KeyCase,
    setup: &Setup,
    service: &Keyring,
    bundle: &ShopBundle,
    workers: &Workers,
) -> Result<Vec<String>> {
    let (place, shop) = (Place::file("rotation"), bundle.name.clone());
    let source = SeededSource::new(0).child("rotation");
    let (mut service, mut bundle) = (service.clone(), bundle.clone());
    let (old, _) = service.account(Some(&shop), &place)?;
    let old = old.clone();
    let expires = match case {
        KeyCase::Expired => Some(NOW),
        KeyCase::UnderWay
        | KeyCase::Retired
        | KeyCase::Erased
        | KeyCase::MergedAgain
        | KeyCase::ExpiredAtShop => None,
    };
    let change = |request: &mut on_demand::ClientRequest| request.dates.expires = expires;
    let client =
        on_demand::client(setup, (&mut service, &mut bundle), 1, change, &source, workers, &place)?;
    let copy = bundle.clone();
    match case {
        KeyCase::UnderWay => rotate(None, &mut service, &mut bundle, workers)?,
        KeyCase::Retired => rotate(Some(1), &mut service, &mut bundle, workers)?,
        KeyCase::Erased | KeyCase::MergedAgain | KeyCase::Expired | KeyCase::ExpiredAtShop => {}
    }

    let client = RefCell::new(client);
    let plan = Plan::of_client(&client.borrow(), NOW, &place)?;
    let input = Part::memory(&place.file, format!("{}\n", ORDERS.join("\n")).into_bytes());
    let mut sealed = Vec::new();
    plan.seal(workers, input, &source.child("orders"), &client, &mut sealed, |_| {})?;

    let mut keys = OpeningKeys::new(false);
    match case {
        KeyCase::UnderWay | KeyCase::Retired | KeyCase::Expired => {}
        KeyCase::Erased => drop(bundle.erase_generation(&old)),
        KeyCase::MergedAgain => {
            bundle.erase_generation(&old);
            merge::merge(&mut bundle, &copy, OnErased::Refuse, &place)?;
        }
        KeyCase::ExpiredAtShop => {
            if let Some(own) = bundle.generations.get_mut(&old) {
                own.shop.dates.expires = Some(NOW);
            }
            keys = keys.in_date(NOW);
        }
    }
    open_with(workers, keys, &bundle, sealed)
}

/// Makes the next generation of the shop's keys and takes them to the shop.
fn rotate(
    keep_last: Option<u32>,
    service: &mut Keyring,
    bundle: &mut ShopBundle,
    workers: &Workers,
) -> Result<()> {
    let place = Place::file("rotation");
    let rotation = Rotation {
        orders: Some(1),
        // A tree takes its root from the operating system only.
        pool: Some(Pool::Listed),
        keep_last,
        ..Rotation::default()
    };
    let mut sources = 0;
    let fresh = || {
        sources += 1;
        Ok(SeededSource::new(sources).child("next generation"))
    };
    let shop = Some(&bundle.name);
    let rotated = service::rotate(service, shop, &rotation, fresh, workers, &place)?;
    merge::merge(bundle, &rotated.shop_half, OnErased::Refuse, &place)?;
    Ok(())
}
