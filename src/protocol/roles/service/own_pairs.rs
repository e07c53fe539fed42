//! Shops that make their pairs themselves: the service has the public halves alone, hands them out,
//! and can open nothing.

use std::collections::BTreeSet;

use crate::protocol::jose::jwk::{DecryptingKey, Jwk, KeyRef, Material};
use crate::protocol::model::{
    Error, KeyError, Kid, Kind, Misuse, Name, Place, Result, Scheme, Scope, ShopName, Suite, Unfit,
};
use crate::protocol::store::keyfile::{Account, KeyHolder, KeySet, Keyring, LoneKey, Standing};

/// The public halves of a shop's keys, as a keyring that hands them out.
///
/// # Errors
/// [`KeyError::UnknownShop`]; [`Error::Usage`] for secret keys, and for a derived pool, which has no
/// public half; [`KeyError::Missing`] if there are no keys.
pub fn public_halves(file: &Keyring, shop: Option<&Name>, place: &Place) -> Result<Keyring> {
    let name = file.account(shop, place)?.0.name();
    let mut halves = Keyring::new();
    for (generation, account) in file.generations(&name) {
        match account.shop.scheme.kind {
            Kind::Public if account.trees.is_empty() => {}
            Kind::Public => return Err(Misuse::NoPublicPool(name).into()),
            Kind::Secret => return Err(Misuse::NoPublicHalf(name).into()),
        }
        let mut own = Account::new(account.shop.scheme, account.shop.suite);
        own.shop = account.shop.without_history();
        own.shop.users = account.shop.users.clone();
        own.own_pairs = true;
        halves.shops.insert(generation.clone(), own);
    }
    for key in file.keys.iter() {
        if key.kid.as_ref().is_some_and(|kid| halves.shops.contains_key(kid.parts().0)) {
            halves.keys.push(Jwk::<Material>::from(key.encrypting_half()));
        }
    }
    match halves.keys.is_empty() {
        true => Err(Error::key(place, KeyError::Missing("key of this shop"))),
        false => Ok(halves),
    }
}

/// A shop's public key from anywhere, as a keyring: that of a shop with one pair for all orders.
///
/// # Errors
/// [`Error::Usage`] for a key that can decrypt; [`KeyError::Unfit`] if it does not fit the algorithms.
pub fn public_half_of(key: &LoneKey, shop: &Name, suite: Suite, place: &Place) -> Result<Keyring> {
    let half = match key.key.view().material {
        KeyRef::Public(half) => Material::Public(half.clone()),
        KeyRef::Secret(_) | KeyRef::Pad(_) | KeyRef::Private(_) => {
            return Err(Misuse::NotPublic(place.to_string()).into());
        }
    };
    let view = key.key.view();
    if !view.material.fits(suite) {
        let key = view.material.name();
        return Err(Error::key(place, Unfit::Suite { key, suite }.into()));
    }
    let name = ShopName::first(shop);
    let mut halves = Keyring::new();
    let mut account = Account::new(Scheme::new(suite.content(), Scope::Shop, suite.kind()), suite);
    account.shop.dates = key.dates;
    account.own_pairs = true;
    halves.shops.insert(name.clone(), account);
    halves.keys.push(Jwk {
        kid: Some(Kid::of_shop(&name)),
        alg: Some(suite.key_alg().into()),
        ..key.key.with(half)
    });
    Ok(halves)
}

/// Adds public halves to the service's keyring: new shops, new generations, and new keys of those that
/// it has. Returns the number of keys added.
///
/// # Errors
/// [`Error::Usage`] for keys that can decrypt, and for a shop that the keyring has with another scheme;
/// [`KeyError::Conflict`] for different keys under one name. Nothing is changed then.
pub fn add_public_halves(file: &mut Keyring, halves: &Keyring, place: &Place) -> Result<u64> {
    let (mut changed, mut added) = (file.clone(), 0);
    for (name, theirs) in &halves.shops {
        match theirs.shop.scheme.kind {
            Kind::Public if theirs.trees.is_empty() => {}
            Kind::Public => return Err(Misuse::NoPublicPool(name.name()).into()),
            Kind::Secret => return Err(Misuse::NotPublic(place.to_string()).into()),
        }
        let own = changed.shops.entry(name.clone()).or_insert_with(|| {
            let mut own = Account::new(theirs.shop.scheme, theirs.shop.suite);
            own.shop = theirs.shop.without_history();
            own.own_pairs = true;
            own
        });
        let (held, asked) = (&own.shop, &theirs.shop);
        if (held.scheme, held.suite) != (asked.scheme, asked.suite) {
            let (held, asked) = ((held.scheme, held.suite), (asked.scheme, asked.suite));
            let (keyring, shop) = (place.to_string(), name.name());
            return Err(Misuse::OtherScheme { keyring, shop, held, asked }.into());
        }
        own.shop.retired |= theirs.shop.retired;
        for (user, standing) in &theirs.shop.users {
            match standing {
                Standing::Admitted => drop(own.shop.users.entry(user.clone()).or_insert(*standing)),
                Standing::Revoked => own.shop.revoke(user.clone()),
            }
        }
    }
    for key in halves.keys.iter() {
        let Some(kid) = &key.kid else { continue };
        let same = |own: &Jwk| own.encrypting_half().material == key.encrypting_half().material;
        match (&key.material, changed.keys.named(kid.as_str())) {
            (Material::Decrypting(_), _) => {
                return Err(Misuse::NotPublic(place.to_string()).into());
            }
            (Material::Public(_), Some(own)) if same(own) => {}
            (Material::Public(_), Some(_)) => {
                return Err(Error::key(place, KeyError::Conflict(kid.to_string())));
            }
            (Material::Public(_), None) if changed.was_erased(kid) || is_revoked(&changed, kid) => {
            }
            (Material::Public(_), None) => {
                changed.keys.push(key.clone());
                added += 1;
            }
        }
    }
    let revoked: BTreeSet<Kid> =
        changed.keys.names().filter(|kid| is_revoked(&changed, kid)).cloned().collect();
    changed.retain(&|kid| kid.is_none_or(|kid| !revoked.contains(kid)));
    *file = changed;
    Ok(added)
}

fn is_revoked(file: &Keyring, kid: &Kid) -> bool {
    let shop = file.shop_named(kid.parts().0);
    shop.and_then(|shop| shop.standing(kid)) == Some(Standing::Revoked)
}

/// Refuses to make keys for a shop that makes its pairs itself.
///
/// # Errors
/// [`KeyError::OwnPairs`].
pub(super) fn refuse_own_pairs(file: &Keyring, shop: &Name, place: &Place) -> Result<()> {
    match file.generations(shop).any(|(_, account)| account.own_pairs) {
        true => Err(Error::key(place, KeyError::OwnPairs(shop.clone()))),
        false => Ok(()),
    }
}

/// The key as the shop holds it.
///
/// # Errors
/// [`KeyError::OwnPairs`] if the service has the public half alone.
pub(super) fn whole(key: &Jwk, place: &Place) -> Result<Jwk<DecryptingKey>> {
    match &key.material {
        Material::Decrypting(own) => Ok(key.with(own.clone())),
        Material::Public(_) => {
            let shop = key.kid.as_ref().and_then(Kid::shop).expect("keys of a keyring have names");
            Err(Error::key(place, KeyError::OwnPairs(shop.name())))
        }
    }
}
