//! Exporting keys for software that knows no trees, and single keys.

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwk::{DecryptingKey, Jwk};
use crate::protocol::model::{Error, KeyError, Kid, Place, Result, Unfit};
use crate::protocol::store::keyfile::{
    ClientBundle, JwkSet, KeyFile, KeyHolder, LoneKey, PlainFile, check_len,
};

/// All keys of a file as a plain JWK Set, those of trees derived. A client's ids that sealed an
/// order are left out.
///
/// # Errors
/// [`KeyError::Missing`] if the file has no trees, or no key left; [`KeyError::Unfit`] for keys that
/// need more than a plain set says; [`Error::KeyFileFull`] if there are more keys than a key file can
/// hold.
pub fn all(file: &KeyFile, place: &Place) -> Result<JwkSet> {
    let holder = file.holder();
    if holder.trees().next().is_none() {
        let missing = "tree: its keys are plain JWKs as they are";
        return Err(Error::key(place, KeyError::Missing(missing)));
    }
    if let Some((name, _)) = holder.shops().find(|(_, shop)| shop.suite.enc().own_sbox().is_some())
    {
        return Err(Error::key(place, Unfit::OwnSbox(name.name()).into()));
    }
    let own = |key| key;
    check_len(holder.trees().map(|(shop, tree)| tree.part().keys_len(shop, own)).sum(), place)?;
    let mut set = JwkSet::default();
    for key in
        holder.all_keys().views().filter(|key| !key.kid.is_some_and(|kid| is_spent(file, kid)))
    {
        set.keys.push(key.owned());
    }
    for key in holder.trees().flat_map(|(shop, tree)| tree.part().keys(shop)) {
        set.keys.push(key);
    }
    match set.keys.is_empty() {
        true => Err(Error::key(place, KeyError::Missing("key that is left"))),
        false => Ok(set),
    }
}

/// One key of a file as a file of its own: the only one, or the one named `kid` and, if several have
/// that name, for `alg`.
///
/// # Errors
/// [`KeyError::Several`] or [`KeyError::Alike`] if the key is not clear, and the error for a key that is not in the file.
pub fn one(file: &KeyFile, kid: Option<&Kid>, alg: Option<&str>, place: &Place) -> Result<LoneKey> {
    let refused = |error| Error::key(place, error);
    let holder = file.holder();
    let keys = holder.all_keys();
    let index = match kid {
        None if holder.count_derived() > 0 || keys.count() != 1 => {
            let count = usize::try_from(holder.count_held()).unwrap_or(usize::MAX);
            return Err(refused(KeyError::Several(count)));
        }
        None => Some(0),
        Some(kid) => {
            let index = keys.choose(kid.as_str(), alg).map_err(refused)?;
            index.filter(|_| !is_spent(file, kid))
        }
    };
    let Some(index) = index else {
        return match kid.and_then(|kid| leaf(holder, kid)) {
            Some(key) => Ok(LoneKey::new(key)),
            None => Err(refused(not_held(file, kid))),
        };
    };
    let shop = keys.name_at(index).and_then(|kid| holder.shop_of(kid));
    let sbox = shop.and_then(|shop| shop.suite.enc().own_sbox());
    Ok(match file {
        KeyFile::Plain(PlainFile::Lone(file)) => file.clone(),
        KeyFile::Plain(PlainFile::Set(file)) => LoneKey::new(file.keys[index].clone()),
        KeyFile::Keyring(file) => LoneKey { sbox, ..LoneKey::new(file.keys[index].clone()) },
        KeyFile::Shop(file) => LoneKey { sbox, ..LoneKey::new(file.keys[index].clone()) },
        KeyFile::Client(file) => LoneKey { sbox, ..LoneKey::new(file.keys[index].clone()) },
    })
}

/// The key of a leaf, if a tree of the file still derives it.
fn leaf(holder: &dyn KeyHolder, kid: &Kid) -> Option<Jwk<DecryptingKey>> {
    let (tree, leaf) = holder.leaf(kid.as_str())?;
    let nodes = tree.part().nodes();
    let keys = nodes.named_keys(Backend::detect(), &kid.shop()?, &[leaf]).ok()?;
    keys.into_iter().next()
}

/// The error for a key that the file does not have.
fn not_held(file: &KeyFile, kid: Option<&Kid>) -> KeyError {
    let Some(kid) = kid else { return KeyError::Missing("key at all") };
    let holder = file.holder();
    let passed_over = match file {
        KeyFile::Plain(file) => file.passed_over(kid.as_str()),
        KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => None,
    };
    match passed_over {
        Some(error) => error,
        None if holder.was_erased(kid) => KeyError::Erased(kid.clone()),
        None => holder.unknown(kid),
    }
}

/// Whether a client has sealed an order under the id.
fn is_spent(file: &KeyFile, kid: &Kid) -> bool {
    match file {
        KeyFile::Client(ClientBundle { spent, .. }) => {
            kid.parts().1.is_some_and(|id| spent.contains(id))
        }
        KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_) => false,
    }
}
