//! Somebody orders under a user's id, whom the service and the shop know or do not know.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::play::open;
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Name, Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::merge::{self, OnErased};
use crate::protocol::roles::revoke;
use crate::protocol::roles::service::{self, ClientRequest, IdRequest, KeyRequest};
use crate::protocol::store::keyfile::{Keyring, ShopBundle};

/// What happened to the user before the shop opens the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCase {
    /// The user was admitted.
    Admitted,
    /// Nobody admitted the user.
    NotAdmitted,
    /// The user was admitted, and was revoked at the service before the order.
    RevokedAtService,
    /// The user was admitted, and was revoked at the shop after the order.
    RevokedAtShop,
}

/// The user's orders.
pub(super) const ORDERS: [&str; 2] = ["tea", "paper"];

/// Plays a user from being admitted to the shop that opens the orders, which are returned.
///
/// # Errors
/// [`KeyError::NotAdmitted`](crate::protocol::KeyError::NotAdmitted) and
/// [`KeyError::Revoked`](crate::protocol::KeyError::Revoked), from the service or the shop.
pub(super) fn order(
    case: UserCase,
    service: &Keyring,
    bundle: &ShopBundle,
    workers: &Workers,
) -> Result<Vec<String>> {
    let (place, shop) = (Place::file("user"), &bundle.name);
    let user = Name::new("alice").expect("a name by its form");
    let users = BTreeSet::from([user.clone()]);
    let source = SeededSource::new(0).child("user");
    let (mut service, mut bundle) = (service.clone(), bundle.clone());
    match case {
        UserCase::NotAdmitted => {}
        UserCase::Admitted | UserCase::RevokedAtService | UserCase::RevokedAtShop => {
            let admission =
                service::admit(&mut service, Some(shop), &users, &source, workers, &place)?;
            merge::merge(&mut bundle, &admission.shop_half, OnErased::Refuse, &place)?;
        }
    }
    match case {
        UserCase::RevokedAtService => {
            revoke::at_service(&mut service, Some(shop), &users, &place)?;
        }
        UserCase::Admitted | UserCase::NotAdmitted | UserCase::RevokedAtShop => {}
    }
    let request = ClientRequest::new(shop.clone(), IdRequest::User(user));
    // The key was made when the user was admitted.
    let made = |_: &KeyRequest| Ok(Vec::new());
    let delivery = service::bundle_client(&mut service, &request, &source, made, &place)?;
    let client = RefCell::new(delivery.client);
    let plan = Plan::of_client(&client.borrow(), &place)?;
    let input = Part::memory(&place.file, format!("{}\n", ORDERS.join("\n")).into_bytes());
    let mut sealed = Vec::new();
    plan.seal(workers, input, &source.child("orders"), &client, &mut sealed, |_| {})?;
    match case {
        UserCase::RevokedAtShop => {
            revoke::at_shop(&mut bundle, &users, &place)?;
        }
        UserCase::Admitted | UserCase::NotAdmitted | UserCase::RevokedAtService => {}
    }
    open(workers, &bundle, sealed)
}
