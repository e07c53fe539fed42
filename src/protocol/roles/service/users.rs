//! Users, who are admitted before they get a bundle: each has one key, which may be used again.

use std::collections::BTreeSet;

use super::making::{check_len, make_keys};
use super::own_pairs::whole;
use super::request::KeyRequest;
use super::shop::shop_half;
use crate::ciphers::random::KeySource;
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Usage};
use crate::protocol::jose::tree::LeafId;
use crate::protocol::model::{Error, KeyError, Kid, Misuse, Name, Place, Result, Scope};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::{Account, KeyHolder, Keyring, ShopBundle, Standing};
use crate::protocol::store::trees::Trees;

/// The result of admitting users.
#[derive(Debug)]
pub struct Admission {
    /// The shop's half: the keys of these users, whether or not they are new.
    pub shop_half: ShopBundle,
    /// Users who were admitted now.
    pub admitted: Vec<Name>,
    /// Users who had been admitted before.
    pub known: Vec<Name>,
}

/// Admits users to a shop: makes a key for each one who has none, and records it. The shop needs the
/// half, or a new bundle.
///
/// # Errors
/// [`KeyError::Revoked`] for a user who was revoked, and [`KeyError::Erased`] for an id whose key was
/// erased; [`Error::Usage`] at shop scope, for the name of a transaction id, and for one that has the
/// form of a derived id. Nothing is changed in these cases.
pub fn admit<S: KeySource>(
    file: &mut Keyring,
    shop: Option<&Name>,
    users: &BTreeSet<Name>,
    source: &S,
    workers: &Workers,
    place: &Place,
) -> Result<Admission> {
    let (name, Account { shop, .. }) = file.account(shop, place)?;
    let (name, suite) = (name.clone(), shop.suite);
    match shop.scheme.scope {
        Scope::Shop => {
            return Err(Misuse::OneKeyForAll { shop: name.name(), scheme: shop.scheme }.into());
        }
        Scope::Transaction => {}
    }
    let (mut admitted, mut known) = (Vec::new(), Vec::new());
    for user in users {
        let kid = Kid::of_id(&name, user);
        let held = file.keys.index_of(kid.as_str()).is_some();
        match (shop.standing(&kid), held) {
            (Some(Standing::Revoked), _) => {
                return Err(Error::key(place, KeyError::Revoked(kid)));
            }
            (Some(Standing::Admitted), true) => known.push(user.clone()),
            (Some(Standing::Admitted) | None, false) => {
                check_new(file, &kid, user, place)?;
                admitted.push(user.clone());
            }
            (None, true) => return Err(Misuse::NotAUser(kid).into()),
        }
    }
    if !admitted.is_empty() {
        let request = KeyRequest::more(file, &name.name(), admitted.len() as u64, place)?;
        check_len(file, &request, place)?;
        let keys = make_keys(&request, source, workers, &|| {}, place)?;
        for (user, material) in admitted.iter().zip(keys) {
            file.keys.push(Jwk::<DecryptingKey> {
                kid: Some(Kid::of_id(&name, user)),
                alg: Some(suite.key_alg().into()),
                usage: Usage::Encryption,
                origin: S::ORIGIN,
                material,
            });
        }
        let users = &mut file.record_mut(&name, place)?.shop.users;
        users.extend(admitted.iter().map(|user| (user.clone(), Standing::Admitted)));
    }
    let kids: Vec<Kid> = users.iter().map(|user| Kid::of_id(&name, user)).collect();
    let keys = kids.iter().filter_map(|kid| file.keys.named(kid.as_str()));
    let keys = keys.map(|key| whole(key, place)).collect::<Result<_>>()?;
    let shop = file.record(&name, place)?.shop.for_keys(&kids);
    let shop_half = shop_half(&name, shop, Trees::new(), keys);
    Ok(Admission { shop_half, admitted, known })
}

/// Checks that a key can be made under a user's id.
fn check_new(file: &Keyring, kid: &Kid, user: &Name, place: &Place) -> Result<()> {
    if LeafId::parse(user.as_str()).is_some() {
        return Err(Misuse::UserLikeLeaf(user.clone()).into());
    }
    match file.was_erased(kid) {
        true => Err(Error::key(place, KeyError::Erased(kid.clone()))),
        false => Ok(()),
    }
}

/// The key of a user who was admitted.
///
/// # Errors
/// [`KeyError::NotAdmitted`], [`KeyError::Revoked`] and [`KeyError::Erased`]; [`Error::Usage`] for the
/// name of a transaction id.
pub(super) fn key_of(file: &Keyring, shop: &Name, user: &Name, place: &Place) -> Result<Kid> {
    let (shop, account) = file.account(Some(shop), place)?;
    let kid = Kid::of_id(shop, user);
    let held = file.keys.index_of(kid.as_str()).is_some();
    let error = match (account.shop.standing(&kid), held) {
        (Some(Standing::Admitted), true) => return Ok(kid),
        (Some(Standing::Revoked), _) => KeyError::Revoked(kid),
        (None, true) => return Err(Misuse::NotAUser(kid).into()),
        (Some(Standing::Admitted) | None, false) if file.was_erased(&kid) => KeyError::Erased(kid),
        (Some(Standing::Admitted) | None, false) => KeyError::NotAdmitted(kid),
    };
    Err(Error::key(place, error))
}
