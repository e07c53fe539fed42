//! Putting deliveries for a shop together, and exporting keys for software that knows no trees.

use crate::ciphers::cpu::Backend;
use crate::ciphers::random::Origin;
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Usage};
use crate::protocol::jose::tree::TreeFault;
use crate::protocol::model::{Error, KeyError, Place, Result, Unfit};
use crate::protocol::store::keyfile::{JwkSet, KeyHolder, MAX_KEY_FILE, ShopBundle};

/// Number of keys derived at once.
const AT_ONCE: usize = 1024;

/// Lower bound in bytes for a key in an exported set.
const LEAST_KEY: u64 = 64;

/// Adds a second delivery, or another copy, to a shop's bundle. Keys that were erased from the
/// bundle, and ids of a tree that one of the two cannot derive any more, stay erased unless
/// `restore` is set. `place` is that of the second bundle. Returns the number of keys added.
///
/// # Errors
/// [`KeyError::Unfit`] if the bundles are of different shops or algorithms, or have different
/// trees under one name; [`KeyError::Conflict`] for different keys under one name.
pub fn merge(
    bundle: &mut ShopBundle,
    second: &ShopBundle,
    restore: bool,
    place: &Place,
) -> Result<i64> {
    let of = |bundle: &ShopBundle| (bundle.name.clone(), bundle.shop.scheme, bundle.shop.suite);
    if of(bundle) != of(second) {
        return Err(Error::key(place, Unfit::OtherBundle(second.name.clone()).into()));
    }
    let count = |bundle: &ShopBundle| bundle.keys.len() as i64 + bundle.count_derived() as i64;
    let before = count(bundle);
    for key in second.keys.iter() {
        let Some(kid) = &key.kid else { continue };
        match bundle.keys.named(kid.as_str()) {
            Some(own) if own.material == key.material => {}
            Some(_) => {
                return Err(Error::key(place, KeyError::Conflict(kid.to_string())));
            }
            None if bundle.was_erased(kid) && !restore => {}
            None => {
                if let Some(id) = kid.id() {
                    bundle.shop.erased.remove(&id);
                }
                bundle.keys.push(key.clone());
            }
        }
    }
    bundle.shop.users.extend(second.shop.users.iter().cloned());
    for (id, tree) in &second.trees {
        let unfit = |fault: TreeFault| Error::key(place, Unfit::Tree(fault.to_string()).into());
        match bundle.trees.get_mut(id) {
            Some(own) if restore => own.restore(Backend::detect(), tree).map_err(unfit)?,
            Some(own) => own.merge(Backend::detect(), tree).map_err(unfit)?,
            None => drop(bundle.trees.insert(*id, tree.clone())),
        }
    }
    Ok(count(bundle) - before)
}

/// All keys of a file as a plain JWK Set, those of trees derived.
///
/// # Errors
/// [`KeyError::Missing`] if the file has no trees, or no key left; [`Error::KeyFileFull`] if there are more keys than a key file can hold.
pub fn export(file: &dyn KeyHolder, place: &Place) -> Result<JwkSet> {
    if file.trees().next().is_none() {
        let missing = "tree: its keys are plain JWKs as they are";
        return Err(Error::key(place, KeyError::Missing(missing)));
    }
    if file.count_derived() == 0 && file.all_keys().count() == 0 {
        return Err(Error::key(place, KeyError::Missing("key that is left")));
    }
    let len = LEAST_KEY * file.count_derived();
    if len > MAX_KEY_FILE {
        return Err(Error::KeyFileFull { place: place.clone(), len, most: MAX_KEY_FILE });
    }
    let mut set = JwkSet::default();
    for key in file.all_keys().views() {
        // A shop with trees has secret keys, of which both halves are the same.
        set.keys.push(key.encrypting_half());
    }
    for (name, part) in file.trees() {
        let alg = file.shop_named(name.as_str()).map(|shop| shop.suite.key_alg().to_owned());
        let leaves: Vec<u32> = part.nodes().leaves().iter().collect();
        for leaves in leaves.chunks(AT_ONCE) {
            let keys = part.nodes().named_keys(Backend::detect(), name, leaves);
            for (kid, key) in keys.expect("the leaves are its own") {
                let material = DecryptingKey::Secret(key);
                let (alg, usage) = (alg.clone(), Usage::Encryption);
                let origin = Origin::System;
                set.keys.push(Jwk { kid: Some(kid), alg, usage, origin, material });
            }
        }
    }
    Ok(set)
}
