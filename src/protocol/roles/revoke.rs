//! Revoking users: their keys are erased, and the file remembers that it takes none from anywhere
//! else.

use std::collections::BTreeSet;

use crate::protocol::model::{
    Error, KeyError, Kid, Misuse, Name, Place, Result, Role, Scope, ShopName,
};
use crate::protocol::store::keyfile::{KeyFile, KeySet, Keyring, ShopBundle};

/// The result of revoking users.
#[derive(Debug, Default)]
pub struct Revocation {
    /// Users who were revoked now.
    pub revoked: Vec<Name>,
    /// Users who had been revoked before.
    pub known: Vec<Name>,
}

/// Revokes users in a keyring or a shop's bundle, whichever the file is.
///
/// # Errors
/// As [`at_service`] and [`at_shop`]; [`KeyError::Role`] for any other file.
pub fn revoke(
    file: &mut KeyFile,
    shop: Option<&Name>,
    users: &BTreeSet<Name>,
    place: &Place,
) -> Result<Revocation> {
    match file {
        KeyFile::Keyring(file) => at_service(file, shop, users, place),
        KeyFile::Shop(file) => strike(file, shop, users, place),
        KeyFile::Plain(_) | KeyFile::Client(_) => Err(file.other_than(Role::Shop, place)),
    }
}

/// Revokes users at the service: no bundle that is made later has their keys, and no key is made under
/// their ids again.
///
/// # Errors
/// [`KeyError::NotAdmitted`] for a user who was never admitted; [`Error::Usage`] at shop scope and for
/// the name of a transaction id; [`KeyError::UnknownShop`]. Nothing is changed in these cases.
pub fn at_service(
    file: &mut Keyring,
    shop: Option<&Name>,
    users: &BTreeSet<Name>,
    place: &Place,
) -> Result<Revocation> {
    strike(file, shop, users, place)
}

/// Revokes users at a shop: their orders do not open any more, and a merge does not bring their keys
/// back unless it restores them.
///
/// # Errors
/// As [`at_service`].
pub fn at_shop(
    bundle: &mut ShopBundle,
    users: &BTreeSet<Name>,
    place: &Place,
) -> Result<Revocation> {
    strike(bundle, None, users, place)
}

/// Revokes users in every generation of a shop's keys.
fn strike(
    file: &mut dyn KeySet,
    shop: Option<&Name>,
    users: &BTreeSet<Name>,
    place: &Place,
) -> Result<Revocation> {
    let (newest, shop) = file.choose_shop(shop, place)?;
    let (newest, name) = (newest.clone(), newest.name());
    match shop.scheme.scope {
        Scope::Shop => return Err(Misuse::OneKeyForAll { shop: name, scheme: shop.scheme }.into()),
        Scope::Transaction => {}
    }
    let generations = file.shops().filter(|(own, _)| own.is_of(&name));
    let generations: Vec<ShopName> = generations.map(|(own, _)| own.clone()).collect();
    let (mut revocation, mut kids) = (Revocation::default(), Vec::new());
    for user in users {
        let own = generations.iter().map(|generation| Kid::of_id(generation, user));
        let (users, others): (Vec<Kid>, Vec<Kid>) =
            own.partition(|kid| file.shop_of(kid).is_some_and(|shop| shop.standing(kid).is_some()));
        let mut admitted = users.into_iter().filter(|kid| !file.has_revoked(kid)).peekable();
        match (admitted.peek(), generations.len() - others.len()) {
            (Some(_), _) => revocation.revoked.push(user.clone()),
            (None, 1..) => revocation.known.push(user.clone()),
            (None, 0) => {
                return Err(match others.into_iter().find(|kid| file.holds(kid)) {
                    Some(kid) => Misuse::NotAUser(kid).into(),
                    None => Error::key(place, KeyError::NotAdmitted(Kid::of_id(&newest, user))),
                });
            }
        }
        kids.extend(admitted);
    }
    file.erase_named(&kids);
    for kid in &kids {
        if let (Some(user), Some(shop)) = (kid.id(), file.shop_named_mut(kid.parts().0)) {
            shop.revoke(user);
        }
    }
    Ok(revocation)
}
