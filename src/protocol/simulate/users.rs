//! Faults of users: a user who was not admitted asks for a bundle, and a revoked one orders.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::Case;
use super::faults::Outcome;
use super::play::open;
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Error, KeyError, Name, Place, Result, Run};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::merge::{self, OnErased};
use crate::protocol::roles::revoke;
use crate::protocol::roles::service::{self, ClientRequest, IdRequest};
use crate::protocol::store::keyfile::{ClientBundle, Keyring, ShopBundle};

const ORDER: &str = "an order of a user";

fn user() -> Name {
    Name::new("user").expect("a name by its form")
}

/// A user asks for a bundle without having been admitted.
pub(super) fn not_admitted(
    case: &Case,
    service: &Keyring,
    shop: &Name,
    workers: &Workers,
) -> Result<Outcome> {
    let (mut keyring, source) = (service.clone(), SeededSource::new(0));
    match ask(case, &mut keyring, shop, &source, workers) {
        Err(Error::Key { error: KeyError::NotAdmitted(_), .. }) => Ok(Outcome::Refused),
        Err(error) => Err(error),
        Ok(_) => Ok(Outcome::Undetectable),
    }
}

/// A user is admitted and orders, is revoked at the shop, and orders again; then the shop gets the
/// user's key a second time.
pub(super) fn revoked(
    case: &Case,
    service: &Keyring,
    shop: &ShopBundle,
    workers: &Workers,
) -> Result<Outcome> {
    let (mut keyring, source) = (service.clone(), SeededSource::new(0));
    let (name, users, place) = (&shop.name, BTreeSet::from([user()]), Place::file("shop"));
    let mut shop = ShopBundle { program: None, ..shop.clone() };
    let half =
        service::admit(&mut keyring, Some(name), &users, &source, workers, &place)?.shop_half;
    merge::merge(&mut shop, &half, OnErased::Refuse, &place)?;
    let mut client = RefCell::new(ask(case, &mut keyring, name, &source, workers)?);
    let first = seal(&mut client, &source, workers)?;
    if open(workers, &shop, first)? != [ORDER] {
        return Ok(Outcome::Undetectable);
    }
    revoke::at_shop(&mut shop, &users, &place)?;
    merge::merge(&mut shop, &half, OnErased::Refuse, &place)?;
    let second = seal(&mut client, &source, workers)?;
    match open(workers, &shop, second) {
        Err(Error::Key { error: KeyError::Revoked(_), .. }) => Ok(Outcome::Refused),
        Err(error) => Err(error),
        Ok(_) => Ok(Outcome::Undetectable),
    }
}

fn ask(
    case: &Case,
    keyring: &mut Keyring,
    shop: &Name,
    source: &SeededSource,
    workers: &Workers,
) -> Result<ClientBundle> {
    let place = Place::file("service");
    let request = ClientRequest {
        shop: shop.clone(),
        ids: IdRequest::User(user()),
        erase: None,
        run: Run::Automatic,
        layers: case.layers,
        pad_bytes: None,
        service: None,
    };
    let make = |making: &_| service::make_keys(making, source, workers, &|| {}, &place);
    service::bundle_client(keyring, &request, source, make, &place).map(|delivery| delivery.client)
}

fn seal(
    client: &mut RefCell<ClientBundle>,
    source: &SeededSource,
    workers: &Workers,
) -> Result<Vec<u8>> {
    let place = Place::file("orders of a user");
    let plan = Plan::of_client(client.get_mut(), &place)?;
    let (input, mut sealed) = (Part::memory(&place.file, ORDER.into()), Vec::new());
    plan.seal(workers, input, source, client, &mut sealed, |_| {})?;
    Ok(sealed)
}
