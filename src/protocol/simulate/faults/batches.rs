//! Signed batches on their way from a client to a shop that opens whole batches only.

use std::cell::RefCell;

use super::BatchCase;
use crate::ciphers::random::SeededSource;
use crate::protocol::jose::jws::VerifyingKey;
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::verify::{OnRefused, Senders, Verifier};
use crate::protocol::simulate::on_demand::{self, ClientRequest};
use crate::protocol::simulate::play::open_with;
use crate::protocol::simulate::{NOW, Setup};
use crate::protocol::store::OpeningKeys;
use crate::protocol::store::keyfile::{ClientBundle, Keyring, ShopBundle};

/// The orders of each client.
pub(super) const ORDERS: [&str; 2] = ["tea", "rice"];

/// Batches of two clients, and the bundle of their shop.
pub(super) struct Batches {
    bundle: ShopBundle,
    own: Batch,
    other: Batch,
}

/// A batch, and the key that signed it.
struct Batch {
    lines: Vec<Vec<u8>>,
    key: Option<VerifyingKey>,
}

impl Batches {
    /// Lets two clients order.
    pub fn seal(
        setup: &Setup,
        service: &Keyring,
        bundle: &ShopBundle,
        workers: &Workers,
    ) -> Result<Self> {
        let (mut service, mut bundle) = (service.clone(), bundle.clone());
        let mut batch = |name: &str| {
            let (source, place) = (SeededSource::new(0).child(name), place());
            let parties = (&mut service, &mut bundle);
            let sign = |request: &mut ClientRequest| request.signs = true;
            let count = ORDERS.len() as u64;
            let client = on_demand::client(setup, parties, count, sign, &source, workers, &place)?;
            let key = client.signer.as_ref().map(|signer| signer.key.verifying());
            Ok::<_, Error>(Batch { lines: seal(client, &source.child("orders"), workers)?, key })
        };
        let (own, other) = (batch("alice")?, batch("mallory")?);
        Ok(Self { bundle, own, other })
    }

    /// Opens what arrives, at a shop that knows the key of the first client; `unsigned` are orders of a
    /// client that does not sign. Returns the orders.
    ///
    /// # Errors
    /// [`Error::Batch`] for what the shop refuses.
    pub fn open(&self, case: BatchCase, unsigned: &[u8], workers: &Workers) -> Result<Vec<String>> {
        let Self { bundle, own, other } = self;
        let (mut lines, mut known) = (own.lines.clone(), vec![&own.key]);
        match case {
            BatchCase::Whole => {}
            BatchCase::Unsigned => lines = vec![unsigned.to_vec()],
            BatchCase::ForeignSigned => lines.clone_from(&other.lines),
            BatchCase::TakenOver => {
                lines.pop();
                lines.extend(other.lines.last().cloned());
                known.push(&other.key);
            }
            BatchCase::CutOff => drop(lines.pop()),
            BatchCase::Moved => lines.swap(0, 1),
            BatchCase::Replayed => lines.extend(own.lines.clone()),
        }
        let (mut senders, place) = (Senders::default(), place());
        for key in known.into_iter().flatten().map(VerifyingKey::to_jwk) {
            senders.add(key.to_string().as_bytes(), &place)?;
        }
        let mut verifier = Verifier::new(workers, senders, OnRefused::Fail)?;
        let mut verified = Vec::new();
        let mut part = verifier.verify(Part::memory(&place.file, lines.concat()))?;
        part.reader
            .read_to_end(&mut verified)
            .map_err(|error| Error::io(&place, "cannot read", error))?;
        open_with(workers, OpeningKeys::new(false), bundle, verified)
    }
}

fn place() -> Place {
    Place::file("batch")
}

/// Seals the orders; returns the lines.
fn seal(client: ClientBundle, source: &SeededSource, workers: &Workers) -> Result<Vec<Vec<u8>>> {
    let (client, place) = (RefCell::new(client), place());
    let plan = Plan::of_client(&client.borrow(), NOW, &place)?;
    let input = Part::memory(&place.file, format!("{}\n", ORDERS.join("\n")).into_bytes());
    let mut sealed = Vec::new();
    plan.seal(workers, input, source, &client, &mut sealed, |_| {})?;
    Ok(sealed.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect())
}
