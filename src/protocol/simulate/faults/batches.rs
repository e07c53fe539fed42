//! Signed batches on their way from a client to a shop that opens whole batches only.

use std::cell::RefCell;

use super::BatchCase;
use crate::ciphers::random::SeededSource;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::verify::{OnRefused, Senders, Verifier};
use crate::protocol::simulate::on_demand::{self, ORDERS};
use crate::protocol::simulate::play::open_with;
use crate::protocol::simulate::{NOW, Setup};
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::keyfile::{ClientBundle, Keyring, ShopBundle};

/// Plays a client that signs, and a shop that opens what it verified; returns the orders.
///
/// # Errors
/// [`Error::Batch`] for what the shop refuses.
pub(super) fn order(
    case: BatchCase,
    setup: &Setup,
    service: &Keyring,
    bundle: &ShopBundle,
    workers: &Workers,
) -> Result<Vec<String>> {
    let (mut service, mut bundle) = (service.clone(), bundle.clone());
    let place = Place::file("batch");
    let mut batch = |name: &str, signs| {
        let source = SeededSource::new(0).child(name);
        let change = |request: &mut on_demand::ClientRequest| request.signs = signs;
        let client =
            on_demand::client(setup, &mut service, &mut bundle, change, &source, workers, &place)?;
        let key = client.signer.as_ref().map(|signer| signer.key.verifying());
        Ok::<_, Error>((seal(client, &source.child("orders"), workers, &place)?, key))
    };
    let (own, known) = batch("alice", case != BatchCase::Unsigned)?;
    let (other, foreign) = batch("mallory", true)?;
    let mut lines = own.clone();
    match case {
        BatchCase::Whole | BatchCase::Unsigned => {}
        BatchCase::ForeignSigned => lines = other,
        BatchCase::TakenOver => {
            lines.pop();
            lines.extend(other.last().cloned());
        }
        BatchCase::CutOff => drop(lines.pop()),
        BatchCase::Moved => lines.swap(0, 1),
        BatchCase::Replayed => lines.extend(own),
    }
    let mut senders = Senders::default();
    let keys = match case {
        BatchCase::TakenOver => [known, foreign],
        BatchCase::Whole
        | BatchCase::Unsigned
        | BatchCase::ForeignSigned
        | BatchCase::CutOff
        | BatchCase::Moved
        | BatchCase::Replayed => [known, None],
    };
    for key in keys.iter().flatten().map(VerifyingKey::to_jwk) {
        senders.add(key.to_string().as_bytes(), &place)?;
    }
    let mut verifier = Verifier::new(workers, senders, OnRefused::Fail)?;
    let mut verified = Vec::new();
    let mut part = verifier.verify(Part::memory(&place.file, lines.concat()))?;
    part.reader
        .read_to_end(&mut verified)
        .map_err(|error| Error::io(&place, "cannot read", error))?;
    open_with(workers, OpeningKeys::new(false), &bundle, verified)
}

/// Seals the orders; returns the lines.
fn seal(
    client: ClientBundle,
    source: &SeededSource,
    workers: &Workers,
    place: &Place,
) -> Result<Vec<Vec<u8>>> {
    let client = RefCell::new(client);
    let plan = Plan::of_client(&client.borrow(), NOW, place)?;
    let input = Part::memory(&place.file, format!("{}\n", ORDERS.join("\n")).into_bytes());
    let mut sealed = Vec::new();
    plan.seal(workers, input, source, &client, &mut sealed, |_| {})?;
    Ok(sealed.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect())
}
