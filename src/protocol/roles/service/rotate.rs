//! Generations of a shop's keys: making the next one, and retiring earlier ones.

use std::collections::BTreeSet;

use super::making::{add_keys, check_len, check_room, make_keys};
use super::own_pairs::whole;
use super::request::{KeyRequest, Pool, Sizes};
use super::shop::shop_half;
use super::users::admit;
use crate::ciphers::ecdh::Curve;
use crate::ciphers::random::{KeySource, RandomError};
use crate::protocol::jose::jwk::Jwk;
use crate::protocol::jose::tree::LEAVES;
use crate::protocol::model::{
    Dates, Family, Kid, Misuse, Name, Place, Result, Scheme, ShopName, Suite,
};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::{
    Account, Generation, KeyHolder, Keyring, ShopBundle, Standing,
};
use crate::protocol::store::trees::{HeldTree, Trees};

/// What the next generation of a shop's keys is, where it differs from the newest one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// Its algorithms, of the same scheme.
    pub suite: Option<Suite>,
    /// The size of its RSA moduli in bits.
    pub rsa_bits: Option<usize>,
    /// Its elliptic curve.
    pub curve: Option<Curve>,
    /// Number of its transaction ids.
    pub orders: Option<u64>,
    /// How the keyring has its transaction keys.
    pub pool: Option<Pool>,
    /// When its keys seal.
    pub dates: Dates,
    /// Number of generations that are not retired afterwards, the new one among them.
    pub keep_last: Option<u32>,
}

/// The result of a rotation.
#[derive(Debug)]
pub struct Rotated {
    /// The new generation.
    pub generation: ShopName,
    /// Its keys, for the shop, and which generations are retired.
    pub shop_half: ShopBundle,
    /// The generations that were retired.
    pub retired: Vec<ShopName>,
}

/// Adds a generation to the keys of a shop. From now on, bundles are made from it; those of earlier
/// generations stay usable, and the shop opens the orders of
/// all. Users who are admitted have a key in each generation, and revoked ones stay revoked. `fresh`
/// makes a source of key material that is independent of all others.
///
/// # Errors
/// [`KeyError::UnknownShop`](crate::protocol::KeyError::UnknownShop);
/// [`Error::Usage`](crate::protocol::Error::Usage) if the keys cannot be made, or not of this kind.
pub fn rotate<S: KeySource>(
    file: &mut Keyring,
    shop: Option<&Name>,
    rotation: &Rotation,
    mut fresh: impl FnMut() -> std::result::Result<S, RandomError>,
    workers: &Workers,
    place: &Place,
) -> Result<Rotated> {
    let (newest, account) = file.account(shop, place)?;
    let (name, newest) = (newest.name(), newest.clone());
    let Some(generation) = newest.next() else {
        return Err(Misuse::LastGeneration(name).into());
    };
    let request = request(file, &newest, rotation, place)?;
    let mut next = Account::new(request.scheme, request.suite);
    next.shop.service = account.shop.service.clone();
    next.shop.dates = rotation.dates;
    // A user whose key was erased gets none any more.
    let keeps = |user: &&Name| !file.was_erased(&Kid::of_id(&newest, user));
    let admitted: BTreeSet<Name> =
        account.shop.users_with(Standing::Admitted).filter(keeps).cloned().collect();
    for user in account.shop.users_with(Standing::Revoked) {
        next.shop.revoke(user.clone());
    }
    check_len(file, &request, place)?;
    file.shops.insert(generation.clone(), next);
    check_room(file, &request, place)?;
    // The keys of users come from another source than those of the pool.
    let source = fresh()?;
    let keys = make_keys(&request, &source, workers, &|| {}, place)?;
    add_keys(file, &request, keys, &source, place)?;
    if !admitted.is_empty() {
        admit(file, Some(&name), &admitted, &fresh()?, workers, place)?;
    }
    let retired = match rotation.keep_last {
        Some(keep) => retire(file, &name, keep),
        None => Vec::new(),
    };
    let account = file.record(&generation, place)?;
    let trees = account.trees.iter().map(|(id, tree)| (*id, tree.part().clone())).collect();
    let mut shop = account.shop.without_history();
    shop.users = account.shop.users.clone();
    let own =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| kid.parts().0 == generation.as_str());
    let keys = file.keys.iter().filter(own).map(|key| whole(key, place)).collect::<Result<_>>()?;
    let mut shop_half = shop_half(&generation, shop, trees, keys);
    for name in &retired {
        let shop = file.record(name, place)?.shop.without_history();
        let retired = Generation { shop, trees: Trees::new() };
        shop_half.generations.insert(name.clone(), retired);
    }
    Ok(Rotated { shop_half, generation, retired })
}

/// The keys to make.
fn request(
    file: &Keyring,
    newest: &ShopName,
    rotation: &Rotation,
    place: &Place,
) -> Result<KeyRequest> {
    let account = file.record(newest, place)?;
    let trees = || account.trees.values().map(|tree| tree.part().given().count());
    let pool = match (rotation.pool, account.trees.is_empty()) {
        (Some(pool), _) => pool,
        (None, true) => Pool::Listed,
        (None, false) => Pool::Derived,
    };
    let orders = rotation.orders.unwrap_or_else(|| match (pool, account.trees.is_empty()) {
        (Pool::Derived, true) => LEAVES,
        (Pool::Derived, false) => trees().sum(),
        (Pool::Listed, _) => count_listed(file, newest, account),
    });
    let like = KeyRequest::more(file, &newest.name(), orders, place)?;
    let suite = rotation.suite.unwrap_or(like.suite);
    let asked = (Scheme::new(suite.content(), like.scheme.scope, suite.kind()), suite);
    if asked.0 != like.scheme {
        let (keyring, shop) = (place.to_string(), newest.name());
        let held = (like.scheme, like.suite);
        return Err(Misuse::OtherScheme { keyring, shop, held, asked }.into());
    }
    let own = |kid: &Kid| kid.parts().0 == newest.as_str();
    let is_known = !account.trees.is_empty() || file.keys.names().any(own);
    let is_said = match suite.material() {
        Family::Rsa => rotation.rsa_bits.is_some(),
        Family::Curve => rotation.curve.is_some(),
        Family::Secret | Family::Knapsack | Family::Pad | Family::Password => true,
    };
    if !is_known && !is_said {
        return Err(Misuse::UnknownSize { keyring: place.to_string(), shop: newest.name() }.into());
    }
    let sizes = Sizes {
        rsa_bits: rotation.rsa_bits.unwrap_or(like.sizes.rsa_bits),
        curve: rotation.curve.unwrap_or(like.sizes.curve),
        ..like.sizes
    };
    Ok(KeyRequest { suite, pool, sizes, dates: rotation.dates, ..like })
}

/// Number of listed ids that a generation was made with.
fn count_listed(file: &Keyring, name: &ShopName, account: &Account) -> u64 {
    let own = |kid: &&Kid| kid.parts().0 == name.as_str() && !account.shop.is_reusable(kid);
    let erased = account.shop.erased.iter().filter(|id| !account.shop.users.contains_key(*id));
    (file.keys.names().filter(own).count() + erased.count()) as u64
}

/// Retires all generations of a shop's keys but the last ones: nothing is handed out of them any more.
fn retire(file: &mut Keyring, shop: &Name, keep: u32) -> Vec<ShopName> {
    let generations: Vec<ShopName> = file.generations(shop).map(|(name, _)| name.clone()).collect();
    let mut retired = Vec::new();
    for name in generations.into_iter().rev().skip(keep.max(1) as usize) {
        if let Some(account) = file.shops.get_mut(&name)
            && !std::mem::replace(&mut account.shop.retired, true)
        {
            retired.push(name);
        }
    }
    retired.reverse();
    retired
}
