//! Revoking users: their keys are erased, and the file remembers that it takes none from anywhere
//! else.

use std::collections::BTreeSet;

use crate::protocol::model::{Error, KeyError, Kid, Misuse, Name, Place, Result, Role, Scope};
use crate::protocol::store::keyfile::{KeyFile, KeyHolder, KeySet, Keyring, ShopBundle, Standing};

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
        KeyFile::Shop(file) => {
            file.choose_shop(shop, place)?;
            at_shop(file, users, place)
        }
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
    let name = file.account(shop, place)?.0.clone();
    strike(file, &name, users, place)
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
    let name = bundle.name.clone();
    strike(bundle, &name, users, place)
}

fn strike(
    file: &mut dyn KeySet,
    name: &Name,
    users: &BTreeSet<Name>,
    place: &Place,
) -> Result<Revocation> {
    let (_, shop) = file.choose_shop(Some(name), place)?;
    match shop.scheme.scope {
        Scope::Shop => {
            return Err(Misuse::OneKeyForAll { shop: name.clone(), scheme: shop.scheme }.into());
        }
        Scope::Transaction => {}
    }
    let mut revocation = Revocation::default();
    for user in users {
        let kid = Kid::of_id(name, user);
        match (shop.standing(&kid), file.holds(&kid)) {
            (Some(Standing::Admitted), _) => revocation.revoked.push(user.clone()),
            (Some(Standing::Revoked), _) => revocation.known.push(user.clone()),
            (None, true) => return Err(Misuse::NotAUser(kid).into()),
            (None, false) => return Err(Error::key(place, KeyError::NotAdmitted(kid))),
        }
    }
    let kids: Vec<Kid> = revocation.revoked.iter().map(|user| Kid::of_id(name, user)).collect();
    file.erase_named(&kids);
    if let Some(shop) = file.shop_named_mut(name.as_str()) {
        revocation.revoked.iter().for_each(|user| shop.revoke(user.clone()));
    }
    Ok(revocation)
}
