//! Somebody orders under a user's id, whom the service and the shop know or do not know.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::NOW;
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
    /// The user was revoked at the service, and is admitted again.
    AdmittedAgain,
    /// The user was revoked at the shop, which merges the user's key again.
    MergedAgain,
    /// The user was revoked at the shop, which goes back to a copy of its bundle.
    OldBundle,
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
    let admit = |service: &mut Keyring, bundle: &mut ShopBundle| -> Result<ShopBundle> {
        let admission = service::admit(service, Some(shop), &users, &source, workers, &place)?;
        merge::merge(bundle, &admission.shop_half, OnErased::Refuse, &place)?;
        Ok(admission.shop_half)
    };
    let half = match case {
        UserCase::NotAdmitted => None,
        UserCase::Admitted
        | UserCase::RevokedAtService
        | UserCase::RevokedAtShop
        | UserCase::AdmittedAgain
        | UserCase::MergedAgain
        | UserCase::OldBundle => Some(admit(&mut service, &mut bundle)?),
    };
    match case {
        UserCase::RevokedAtService => {
            revoke::at_service(&mut service, Some(shop), &users, &place)?;
        }
        UserCase::AdmittedAgain => {
            revoke::at_service(&mut service, Some(shop), &users, &place)?;
            admit(&mut service, &mut bundle)?;
        }
        UserCase::Admitted
        | UserCase::NotAdmitted
        | UserCase::RevokedAtShop
        | UserCase::MergedAgain
        | UserCase::OldBundle => {}
    }
    let request = ClientRequest::new(shop.clone(), IdRequest::User(user), NOW);
    // The key was made when the user was admitted.
    let made = |_: &KeyRequest| Ok(Vec::new());
    let delivery = service::bundle_client(&mut service, &request, &source, made, &place)?;
    let client = RefCell::new(delivery.client);
    let plan = Plan::of_client(&client.borrow(), NOW, &place)?;
    let input = Part::memory(&place.file, format!("{}\n", ORDERS.join("\n")).into_bytes());
    let mut sealed = Vec::new();
    plan.seal(workers, input, &source.child("orders"), &client, &mut sealed, |_| {})?;
    let copy = bundle.clone();
    match (case, half) {
        (UserCase::RevokedAtShop, _) => {
            revoke::at_shop(&mut bundle, &users, &place)?;
        }
        (UserCase::MergedAgain, Some(half)) => {
            revoke::at_shop(&mut bundle, &users, &place)?;
            merge::merge(&mut bundle, &half, OnErased::Refuse, &place)?;
        }
        (UserCase::OldBundle, _) => {
            revoke::at_shop(&mut bundle, &users, &place)?;
            bundle = copy;
        }
        (
            UserCase::Admitted
            | UserCase::NotAdmitted
            | UserCase::RevokedAtService
            | UserCase::AdmittedAgain
            | UserCase::MergedAgain,
            _,
        ) => {}
    }
    open(workers, &bundle, sealed)
}
