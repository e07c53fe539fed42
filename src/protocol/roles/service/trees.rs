//! Derived pools: making trees and handing out their ids.

use rand::Rng;
use zeroize::Zeroizing;

use super::request::{DEFAULT_CURVE, ID_STREAM, KeyRequest, Pool};
use super::unused::{choose_unused, unused_leaves};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, Origin};
use crate::protocol::jose::tree::{LEAVES, NODE_LEN, Tree, TreeId};
use crate::protocol::model::{
    Error, KeyError, Misuse, Name, Place, Result, Scheme, Scope, ShopName, Suite,
};
use crate::protocol::store::keyfile::{Account, Keyring, Standing};
use crate::protocol::store::trees::{ServiceTree, TreePart, Trees};

/// Whether the transaction keys of a scheme can be derived: secret keys that are no pads, and pairs on
/// curves.
pub fn can_derive(scheme: Scheme, suite: Suite) -> bool {
    let shop = ShopName::first(&Name::of_transaction(0));
    let (id, curve) = (TreeId::new(0), Some(DEFAULT_CURVE));
    scheme.scope == Scope::Transaction && Tree::new(id, &shop, suite, curve).is_some()
}

/// Checks that keys can be derived, if that is requested.
pub(super) fn check(request: &KeyRequest) -> std::result::Result<(), Misuse> {
    let KeyRequest { shop, scheme, suite, .. } = request;
    match request.pool {
        Pool::Listed => Ok(()),
        Pool::Derived if !can_derive(*scheme, *suite) => {
            Err(Misuse::NoTree { shop: shop.clone(), scheme: *scheme, suite: *suite })
        }
        Pool::Derived if (1..=LEAVES).contains(&request.orders) => Ok(()),
        Pool::Derived => Err(Misuse::TreeSize(request.orders)),
    }
}

/// Adds a tree with the requested ids, which was [checked](check), to the account of a shop.
pub(super) fn plant<S: KeySource>(
    account: &mut Account,
    shop: &ShopName,
    request: &KeyRequest,
    source: &S,
) -> std::result::Result<(), Misuse> {
    if S::ORIGIN != Origin::System {
        return Err(Misuse::RootNotRandom);
    }
    grow(account, shop, request, source);
    Ok(())
}

pub(super) fn grow<S: KeySource>(
    account: &mut Account,
    shop: &ShopName,
    request: &KeyRequest,
    source: &S,
) {
    let mut ids = source.public_stream(ID_STREAM);
    let id = std::iter::repeat_with(|| TreeId::new(ids.next_u64()))
        .find(|id| !account.trees.contains_key(id))
        .expect("the source does not end");
    let mut root = Zeroizing::new([0; NODE_LEN]);
    source.stream(0).fill_bytes(&mut root[..]);
    let tree = Tree::new(id, shop, request.suite, Some(request.sizes.curve));
    let tree = tree.expect("checked by the caller");
    let tree = ServiceTree::new(Backend::detect(), tree, &root, request.orders);
    account.trees.insert(id, tree);
}

/// Skips the next `count` ids of a shop, listed and derived, which may have been handed out from
/// another copy of the keyring. Returns how many were skipped, fewer if no more are left.
///
/// # Errors
/// [`KeyError::UnknownShop`].
pub fn skip(keyring: &mut Keyring, shop: Option<&Name>, count: u64, place: &Place) -> Result<u64> {
    let name = keyring.account(shop, place)?.0.clone();
    let listed = choose_unused(keyring, &name, count);
    let account = keyring.record_mut(&name, place)?;
    let mut left = count - listed.kids.len() as u64;
    listed.issue(&mut account.issued);
    for tree in account.trees.values_mut() {
        let before = tree.unused().count();
        tree.skip(left);
        left -= before - tree.unused().count();
    }
    Ok(count - left)
}

/// Cuts the last `count` ids of a shop's trees off, for the keyring of a second service, which is
/// returned. It knows who was revoked, and no other user.
///
/// # Errors
/// As [`skip`], and [`KeyError::PoolEmpty`] if no tree has so many ids that were not handed out.
pub fn split(
    keyring: &mut Keyring,
    shop: Option<&Name>,
    count: u64,
    place: &Place,
) -> Result<Keyring> {
    let name = keyring.account(shop, place)?.0.clone();
    let account = planted(keyring, shop, place)?;
    let empty =
        KeyError::PoolEmpty { shop: name.name(), unused: unused_leaves(account), wanted: count };
    let mut trees = account.trees.iter_mut().rev();
    let cut = trees.find_map(|(id, tree)| Some((*id, tree.split(Backend::detect(), count)?)));
    let (id, tree) = cut.ok_or_else(|| Error::key(place, empty))?;
    let mut second = Account::new(account.shop.scheme, account.shop.suite);
    second.shop = account.shop.without_history();
    let revoked = account.shop.users_with(Standing::Revoked);
    second.shop.users = revoked.map(|user| (user.clone(), Standing::Revoked)).collect();
    second.trees.insert(id, tree);
    // A shop's page names one key, by which the tickets of both services verify.
    let mut file = Keyring { signing: keyring.signing.clone(), ..Keyring::new() };
    file.shops.insert(name, second);
    Ok(file)
}

/// Puts the ids of a keyring back that were [cut off](split), which must not have left; returns
/// whether all of them are back.
pub fn rejoin(keyring: &mut Keyring, cut: &Keyring) -> bool {
    cut.shops.iter().all(|(name, second)| {
        second.trees.iter().all(|(id, cut)| {
            let own = keyring.shops.get_mut(name).and_then(|own| own.trees.get_mut(id));
            own.is_some_and(|own| own.rejoin(cut) == Ok(true))
        })
    })
}

/// The account of a shop that has trees.
fn planted<'k>(
    keyring: &'k mut Keyring,
    shop: Option<&Name>,
    place: &Place,
) -> Result<&'k mut Account> {
    let name = keyring.account(shop, place)?.0.clone();
    let account = keyring.record_mut(&name, place)?;
    match account.trees.is_empty() {
        true => Err(Error::key(place, KeyError::Missing("derived pool of this shop"))),
        false => Ok(account),
    }
}

/// Hands out the next ids, of one tree after the other.
pub(super) fn hand_out(account: &mut Account, mut count: u64) -> Trees<TreePart> {
    let mut parts = Trees::new();
    for (id, tree) in &mut account.trees {
        let part = tree.hand_out(Backend::detect(), count);
        let given = part.given().count();
        count -= given;
        if given > 0 {
            parts.insert(*id, part);
        }
    }
    parts
}
