//! Delivery of bundles, and their return to the keyring if the delivery fails.

use std::collections::BTreeSet;

use super::trees::{rejoin, split};
use super::{
    Admission, ClientRequest, Delivery, KeyRequest, Rotated, Rotation, admit, bundle_client, rotate,
};
use crate::ciphers::Secret;
use crate::ciphers::random::{KeySource, RandomError};
use crate::protocol::jose::jwk::DecryptingKey;
use crate::protocol::model::{Amounts, Error, Name, NotUndone, Place, Result};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::files::{self, Access, Output, Selection};
use crate::protocol::store::keyfile::{ClientBundle, KeyHolder, Keyring};
use crate::protocol::store::spend::Durable;

/// Destinations of a delivery.
pub struct Outputs {
    /// The client's bundle.
    pub client: Output,
    /// The shop's half, if wanted.
    pub shop: Option<Output>,
}

/// Progress of a delivery.
#[derive(Default)]
struct Progress {
    may_have_left: bool,
    shop_half: Option<String>,
}

/// The form in which a bundle is delivered.
#[derive(Debug)]
pub enum Delivered {
    /// The bundle's file.
    Bundle,
    /// An order page with the bundle in it.
    Page(Secret),
}

/// Makes the bundle that a client requests, records it in the keyring, and delivers it in the form
/// that `form` gives it; returns that form as well. If the delivery fails and nothing can have
/// left, everything handed out is taken back.
///
/// # Errors
/// As [`bundle_client`], in which case nothing is changed; [`Error::Undelivered`] if a change
/// remains; otherwise the failure of the delivery itself.
pub fn deliver<S: KeySource, K: Durable<Keyring> + ?Sized>(
    keyring: &K,
    request: &ClientRequest,
    source: &S,
    make: impl FnMut(&KeyRequest) -> Result<Vec<DecryptingKey>>,
    form: impl FnOnce(&ClientBundle) -> Result<Delivered>,
    outputs: Outputs,
    place: &Place,
) -> Result<(Delivery, Delivered)> {
    let name = Place::file(outputs.client.name());
    let (delivery, form, half) = keyring.update(|file| {
        let delivery = bundle_client(file, request, source, make, place)?;
        let form = form(&delivery.client)?;
        if let Delivered::Bundle = form {
            // Whether it fits into a file is known before it is recorded.
            delivery.client.text(&name)?;
        }
        let half = match &outputs.shop {
            Some(output) => {
                let half = delivery.shop_half(file, place)?;
                Some(half.to_bytes(&Place::file(output.name()))?)
            }
            None => None,
        };
        Ok((delivery, form, half))
    })?;
    let mut progress = Progress::default();
    let write = |output: &mut Output| match &form {
        Delivered::Bundle => output.write_text(&delivery.client.text(&name)?),
        Delivered::Page(page) => output.write(page),
    };
    match send(outputs, write, half.as_deref(), &mut progress) {
        Ok(()) => Ok((delivery, form)),
        Err(error) => Err(not_undone(keyring, &delivery, progress, error, place)),
    }
}

/// Admits users and delivers the shop's half of their keys, if `output` is given. Who was admitted
/// stays admitted even if the delivery fails: admitting them again delivers the half.
///
/// # Errors
/// As [`admit`], in which case nothing is changed; [`Error::Changed`] if users were admitted and the
/// half was not delivered; otherwise the failure of the delivery itself.
pub fn deliver_admission<S: KeySource, K: Durable<Keyring> + ?Sized>(
    keyring: &K,
    shop: Option<&Name>,
    users: &BTreeSet<Name>,
    source: &S,
    workers: &Workers,
    output: Option<Output>,
    place: &Place,
) -> Result<Admission> {
    let (admission, half) = keyring.update(|file| {
        let admission = admit(file, shop, users, source, workers, place)?;
        let half = match &output {
            Some(output) => Some(admission.shop_half.to_bytes(&Place::file(output.name()))?),
            None => None,
        };
        Ok((admission, half))
    })?;
    let (Some(mut output), Some(half)) = (output, half) else { return Ok(admission) };
    match (output.write(&half).and_then(|()| output.send()), admission.admitted.as_slice()) {
        (Ok(()), _) => Ok(admission),
        (Err(error), []) => Err(error),
        (Err(error), admitted) => {
            let names: Vec<&str> = admitted.iter().map(Name::as_str).collect();
            let what = format!("{place}: admitted {}", names.join(", "));
            Err(Error::Changed { what, source: Box::new(error) })
        }
    }
}

/// Makes the next generation of a shop's keys and delivers them to the shop, if `output` is given. The
/// generation stays even if the delivery fails: the shop's next bundle has it.
///
/// # Errors
/// As [`rotate`](super::rotate()), in which case nothing is changed; [`Error::Changed`] if the keys were made and not
/// delivered.
pub fn deliver_rotation<S: KeySource, K: Durable<Keyring> + ?Sized>(
    keyring: &K,
    shop: Option<&Name>,
    rotation: &Rotation,
    mut fresh: impl FnMut() -> std::result::Result<S, RandomError>,
    workers: &Workers,
    output: Option<Output>,
    place: &Place,
) -> Result<Rotated> {
    let (rotated, half) = keyring.update(|file| {
        let rotated = rotate(file, shop, rotation, &mut fresh, workers, place)?;
        let half = match &output {
            Some(output) => Some(rotated.shop_half.to_bytes(&Place::file(output.name()))?),
            None => None,
        };
        Ok((rotated, half))
    })?;
    let (Some(mut output), Some(half)) = (output, half) else { return Ok(rotated) };
    output.write(&half).and_then(|()| output.send()).map_err(|error| {
        let what = format!("{place}: made {}", rotated.generation);
        Error::Changed { what, source: Box::new(error) }
    })?;
    Ok(rotated)
}

/// Cuts the last `count` ids of a shop's trees off and delivers them as the keyring of a second
/// service. The cut is recorded first, so that no two services have the same ids; if the delivery
/// fails and nothing can have left, the ids are put back.
///
/// # Errors
/// As [`split`], in which case nothing is changed; [`Error::Undelivered`] if the ids are lost;
/// otherwise the failure of the delivery itself.
pub fn deliver_split<K: Durable<Keyring> + ?Sized>(
    keyring: &K,
    shop: Option<&Name>,
    count: u64,
    mut output: Output,
    place: &Place,
) -> Result<()> {
    let (second, bytes) = keyring.update(|file| {
        let second = split(file, shop, count, place)?;
        let bytes = second.to_bytes(&Place::file(output.name()))?;
        Ok((second, bytes))
    })?;
    let sent = output.write(&bytes).and_then(|()| output.send());
    sent.map_err(|source| {
        let back = match output.may_have_left() {
            true => Ok(false),
            false => keyring.update(|file| Ok(rejoin(file, &second))),
        };
        let (is_back, not_taken_back) = match back {
            Ok(is_back) => (is_back, None),
            Err(error) => (false, Some(error)),
        };
        if is_back {
            return source;
        }
        let not_undone = NotUndone {
            lost: Amounts { ids: count, ..Amounts::default() },
            not_taken_back,
            shop_half: None,
        };
        Error::Undelivered { not_undone: Box::new(not_undone), source: Box::new(source) }
    })
}

/// Writes both bundles in an order that leaves as few ways to fail as possible once the first is in
/// place: if the client's bundle goes to a stream, it is sent last.
fn send(
    outputs: Outputs,
    write_client: impl Fn(&mut Output) -> Result<()>,
    half: Option<&[u8]>,
    progress: &mut Progress,
) -> Result<()> {
    let Outputs { client: mut to_client, shop: mut to_shop } = outputs;
    if let (Some(output), Some(half)) = (&mut to_shop, half) {
        let written = output.write(half).and_then(|()| output.finish());
        progress.may_have_left = output.may_have_left();
        written?;
    }
    if to_client.is_revocable() {
        write_client(&mut to_client)?;
        to_client.finish()?;
    }
    let target = to_shop.as_ref().and_then(Output::target);
    let target = target.map(|(path, replaces)| (path.to_owned(), replaces));
    if let Some(output) = &mut to_shop {
        output.send().inspect_err(|_| {
            if target.as_ref().is_some_and(|(_, replaces)| *replaces) && output.may_have_left() {
                progress.shop_half = Some(output.name().to_owned());
            }
        })?;
    }
    let written = match to_client.is_revocable() {
        true => Ok(()),
        false => write_client(&mut to_client),
    };
    let sent = written.and_then(|()| to_client.send());
    if sent.is_err() {
        progress.may_have_left |= to_client.may_have_left();
        if let Some((path, replaces)) = target
            && (replaces || files::erase(&path, Selection::File, &Access::default()).is_err())
        {
            progress.shop_half = Some(path.display().to_string());
        }
    }
    sent
}

/// Takes back what did not leave, and returns the error of the delivery, with whatever remains changed.
fn not_undone<K: Durable<Keyring> + ?Sized>(
    keyring: &K,
    delivery: &Delivery,
    progress: Progress,
    source: Error,
    place: &Place,
) -> Error {
    let all = delivery.share(place).amounts();
    let (lost, not_taken_back) = match progress.may_have_left {
        true => (all, None),
        false => match keyring.update(|file| delivery.take_back(file, place)) {
            Ok(rest) => (rest, None),
            Err(error) => (all, Some(error)),
        },
    };
    let not_undone = NotUndone { lost, not_taken_back, shop_half: progress.shop_half };
    match lost.is_empty() && not_undone.shop_half.is_none() {
        true => source,
        false => Error::Undelivered { not_undone: Box::new(not_undone), source: Box::new(source) },
    }
}
