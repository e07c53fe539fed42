//! The keys of a set: each is for a shop of the file, under its algorithm, and of the kind that the role holds.

use super::members::Checked;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, EncryptingKey, Jwk, KeyRef, Material};
use crate::protocol::model::{Error, KeyFileFault, Kid, Place, Result, Role, Scope, shortened};
use crate::protocol::store::keyfile::plain::PassedOver;
use crate::protocol::store::keyfile::{Keys, Shop, Standing};

/// A key of a set, or the reason why it was not read.
pub(super) type Read = std::result::Result<Jwk, PassedOver>;

/// The keys of a set, in its order.
pub(super) type Reads<'k> = &'k mut dyn Iterator<Item = Read>;

/// The place of a key in a set, for messages.
pub(super) fn key_place(place: &Place, number: usize, kid: Option<&str>) -> Place {
    let kid = kid.map_or(String::new(), |kid| format!(" ({})", shortened(kid)));
    Place::file(format!("{place}: key {number}{kid}"))
}

/// The keys of a file that belongs to a role, each of the kind that `convert` finds in it.
pub(super) fn keys_of<'s, K: AsKey + Clone>(
    read: Reads<'_>,
    role: Role,
    shop_of: impl Fn(&str) -> Option<&'s Shop>,
    convert: impl Fn(Material, &Kid, Role) -> Checked<K>,
    place: &Place,
) -> Result<Keys<K>> {
    let mut keys = Vec::with_capacity(read.size_hint().1.unwrap_or_default());
    let read = (1..).zip(read).try_for_each(|(number, key)| {
        let key = key
            .map_err(|PassedOver { kid, why }| why.at(&key_place(place, number, kid.as_deref())))?;
        let key = key_of(key, role, &shop_of, &convert);
        let malformed = |found| Error::malformed(&key_place(place, number, None), found);
        keys.push(key.map_err(malformed)?);
        Ok(())
    });
    // A fault of a later key does not hide that a name stands twice before it.
    let keys = Keys::of_unique(keys).map_err(|(index, kid)| {
        Error::malformed(&key_place(place, index + 1, None), KeyFileFault::SameName(kid))
    })?;
    read.map(|()| keys)
}

fn key_of<'s, K>(
    key: Jwk,
    role: Role,
    shop_of: impl Fn(&str) -> Option<&'s Shop>,
    convert: impl Fn(Material, &Kid, Role) -> Checked<K>,
) -> Checked<Jwk<K>> {
    let Jwk { kid, alg, usage, origin, material } = key;
    let Some(kid) = kid else {
        return Err(KeyFileFault::NoName(role).into());
    };
    let shop = kid.is_ours().then(|| shop_of(kid.parts().0)).flatten();
    let Some(shop) = shop else {
        return Err(KeyFileFault::NoShop(kid).into());
    };
    if kid.parts().1.is_some() != (shop.scheme.scope == Scope::Transaction) {
        return Err(KeyFileFault::Scope { kid, scope: shop.scheme.scope }.into());
    }
    match shop.standing(&kid) {
        Some(Standing::Revoked) => return Err(KeyFileFault::KeyOfRevoked(kid).into()),
        Some(Standing::Admitted) | None => {}
    }
    if alg.as_deref() != Some(shop.suite.key_alg()) {
        return Err(KeyFileFault::Algorithm { kid, expected: shop.suite.key_alg() }.into());
    }
    let (key, expected) = (material.as_key(), shop.suite.material());
    if expected != key.family() {
        return Err(KeyFileFault::Family { kid, found: key.name(), expected }.into());
    }
    if let (Some(secret), Some(expected)) = (key.secret(), shop.suite.secret_len())
        && secret.len() != expected
    {
        return Err(KeyFileFault::Length { kid, found: secret.len(), expected }.into());
    }
    let material = convert(material, &kid, role)?;
    Ok(Jwk { kid: Some(kid), alg, usage, origin, material })
}

/// The key that a shop or the service holds.
pub(super) fn decrypting(key: Material, kid: &Kid, role: Role) -> Checked<DecryptingKey> {
    key.into_decrypting().map_err(|half| {
        let (kid, found) = (kid.clone(), KeyRef::Public(&half).name());
        KeyFileFault::PublicOnly { kid, found, role }.into()
    })
}

/// The key that a client holds.
pub(super) fn encrypting(key: Material, kid: &Kid, _: Role) -> Checked<EncryptingKey> {
    key.into_encrypting().map_err(|half| {
        let (kid, found) = (kid.clone(), KeyRef::Private(&half).name());
        KeyFileFault::Private { kid, found }.into()
    })
}
