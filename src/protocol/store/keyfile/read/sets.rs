//! JWK Sets: those of a role, and those of other software.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::keys::{Reads, key_place};
use super::roles::{client_bundle, keyring, shop_bundle};
use crate::protocol::jose::json::{Object, text};
use crate::protocol::jose::jwk::{AsKey, Jwk};
use crate::protocol::model::{Error, KeyFileFault, Kid, Place, Result};
use crate::protocol::store::keyfile::plain::PassedOver;
use crate::protocol::store::keyfile::{JwkSet, KeyFile, PlainFile};

/// Reads a set; `foreign` are the names of members that are unknown here.
pub(super) fn set(
    keys: Reads<'_>,
    ours: Option<&Object>,
    foreign: Vec<String>,
    place: &Place,
) -> Result<KeyFile> {
    let Some(ours) = ours else {
        let mut file = plain_set(keys, place)?;
        file.foreign = foreign;
        return Ok(KeyFile::Plain(PlainFile::Set(file)));
    };
    let file = match text(ours, "role").map_err(|found| Error::malformed(place, found))? {
        "service" => keyring(keys, ours, place).map(KeyFile::Keyring)?,
        "shop" => shop_bundle(keys, ours, place).map(KeyFile::Shop)?,
        "client" => client_bundle(keys, ours, place).map(KeyFile::Client)?,
        other => return Err(Error::malformed(place, KeyFileFault::Role(other.to_owned()))),
    };
    match file.holder().listed_leaf() {
        Some(kid) => Err(Error::malformed(place, KeyFileFault::DerivedKid(kid))),
        None => Ok(file),
    }
}

/// A set made by other software may contain keys that are not for us (RFC 7517 section 5). Several may
/// have the same name if they differ in algorithm or type (section 4.5).
fn plain_set(keys: Reads<'_>, place: &Place) -> Result<JwkSet> {
    let mut file = JwkSet::default();
    let mut alike = BTreeSet::new();
    for (number, key) in (1..).zip(keys) {
        match key {
            Ok(key) => {
                if let Some(kid) = &key.kid
                    && let Some(first) = file.keys.index_of(kid.as_str())
                {
                    alike.insert(kind(&file.keys[first]));
                    if !alike.insert(kind(&key)) {
                        let found = KeyFileFault::SameName(kid.clone());
                        return Err(Error::malformed(&key_place(place, number, None), found));
                    }
                }
                file.keys.push_alike(key);
            }
            Err(passed_over) => {
                let at = key_place(place, number, passed_over.kid.as_deref());
                file.passed_over.push((at, passed_over));
            }
        }
    }
    match (file.keys.first(), file.passed_over.first()) {
        (None, Some((place, PassedOver { why, .. }))) => Err(why.clone().at(place)),
        (Some(_), _) | (None, None) => Ok(file),
    }
}

/// What tells keys of the same name apart.
fn kind(key: &Jwk) -> (Option<Kid>, Option<Cow<'static, str>>, &'static str) {
    (key.kid.clone(), key.alg.clone(), key.material.as_key().name())
}
