//! A shop's bundle: decrypting keys of one shop, and the program.

use std::collections::BTreeMap;

use super::own_pairs::{refuse_own_pairs, whole};
use crate::protocol::jose::jwk::{DecryptingKey, Jwk};
use crate::protocol::model::{
    Error, KeyError, Kid, Misuse, Name, Place, Result, ShopName, ShopProgram,
};
use crate::protocol::store::keyfile::{Generation, Keyring, Keys, Shop, ShopBundle, Standing};
use crate::protocol::store::trees::{HeldTree, TreePart, Trees};

/// The form in which a shop's program and key are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopForm {
    /// The key alone.
    Key,
    /// Program and key side by side.
    Program,
    /// The program with a built-in key; it works with no other key.
    BuiltIn,
}

/// Makes a shop's bundle: its own decrypting keys of all generations, and no other shop's; and who was
/// revoked.
///
/// # Errors
/// [`KeyError::UnknownShop`], and [`KeyError::Missing`] if the shop has no keys and revoked nobody.
pub fn bundle_shop(
    file: &Keyring,
    shop: Option<&Name>,
    form: ShopForm,
    place: &Place,
) -> Result<ShopBundle> {
    let name = file.account(shop, place)?.0.name();
    let generations = file.generations(&name).map(|(name, account)| {
        let mut shop = account.shop.without_history();
        shop.users = account.shop.users.clone();
        if !file.keys.names().any(|kid| kid.parts().0 == name.as_str()) {
            // All that is left of the generation is what the shop must not take back.
            shop.erased = account.shop.erased.clone();
            shop.erased_shop_key = account.shop.erased_shop_key;
        }
        let trees = account.trees.iter().map(|(id, tree)| (*id, tree.part().clone())).collect();
        (name.clone(), Generation { shop, trees })
    });
    let generations: BTreeMap<_, _> = generations.collect();
    let own =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| generations.contains_key(kid.parts().0));
    let keys = file.keys.iter().filter(own).map(|key| whole(key, place)).collect::<Result<_>>()?;
    let bundle = shop_bundle(name, generations, keys, form);
    if form == ShopForm::BuiltIn && bundle.has_trees() {
        return Err(Misuse::NoBuiltIn(bundle.name).into());
    }
    let revokes = bundle
        .generations
        .values()
        .any(|own| own.shop.users_with(Standing::Revoked).next().is_some());
    if bundle.keys.is_empty() && !bundle.has_trees() && !revokes {
        return Err(Error::key(place, KeyError::Missing("key of this shop")));
    }
    Ok(bundle)
}

/// Which listed keys a shop asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedKeys {
    /// Those with these names, as far as there are such keys.
    Named(Vec<Kid>),
    /// Those that stand after one of them in the keyring; all of them if it is not there.
    After(Option<Kid>),
}

/// Listed keys of a shop, at most so many, in a bundle without program that has what is recorded of their
/// generations and users, to be [merged](crate::protocol::roles::merge).
///
/// # Errors
/// [`KeyError::UnknownShop`] and [`KeyError::OwnPairs`].
pub fn listed_keys(
    file: &Keyring,
    shop: &Name,
    wanted: &WantedKeys,
    most: usize,
    place: &Place,
) -> Result<ShopBundle> {
    let (newest, _) = file.account(Some(shop), place)?;
    let name = newest.name();
    refuse_own_pairs(file, &name, place)?;
    let of =
        |kid: &Kid| file.shops.get_key_value(kid.parts().0).filter(|(own, _)| own.name() == name);
    let own = |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| of(kid).is_some());
    let keys: Vec<_> = match wanted {
        WantedKeys::Named(kids) => {
            let named = kids.iter().filter_map(|kid| file.keys.named(kid.as_str()));
            named.filter(own).take(most).collect()
        }
        WantedKeys::After(kid) => {
            let kid = kid.as_ref().filter(|kid| of(kid).is_some());
            let last = kid.and_then(|kid| file.keys.index_of(kid.as_str()));
            file.keys[last.map_or(0, |last| last + 1)..].iter().filter(own).take(most).collect()
        }
    };
    let keys: Vec<_> = keys.into_iter().map(|key| whole(key, place)).collect::<Result<_>>()?;
    let mut generations = BTreeMap::new();
    let mut record = |kid: &Kid| {
        let Some((name, account)) = of(kid) else { return };
        let Generation { shop, .. } = generations.entry(name.clone()).or_insert_with(|| {
            Generation { shop: account.shop.without_history(), trees: Trees::new() }
        });
        let user = kid.id().and_then(|id| account.shop.users.get_key_value(&id));
        shop.users.extend(user.map(|(user, standing)| (user.clone(), *standing)));
    };
    record(&Kid::of_shop(newest));
    keys.iter().filter_map(|key| key.kid.as_ref()).for_each(record);
    Ok(shop_bundle(name, generations, keys, ShopForm::Key))
}

fn shop_bundle(
    name: Name,
    generations: BTreeMap<ShopName, Generation>,
    keys: Vec<Jwk<DecryptingKey>>,
    form: ShopForm,
) -> ShopBundle {
    let keys = Keys::of_different(keys);
    let (program, program_erased, ledger) = (None, false, None);
    let mut bundle = ShopBundle { name, generations, program, program_erased, keys, ledger };
    let content = bundle.scheme().content;
    bundle.program = match form {
        ShopForm::Key => None,
        ShopForm::Program => Some(ShopProgram { content, built_in: None }),
        ShopForm::BuiltIn => {
            let built_in = Some(bundle.keys.names().cloned().collect());
            Some(ShopProgram { content, built_in })
        }
    };
    bundle
}

/// The half of a shop for some keys of one generation.
pub(super) fn shop_half(
    name: &ShopName,
    shop: Shop,
    trees: Trees<TreePart>,
    keys: Vec<Jwk<DecryptingKey>>,
) -> ShopBundle {
    let generations = BTreeMap::from([(name.clone(), Generation { shop, trees })]);
    shop_bundle(name.name(), generations, keys, ShopForm::Program)
}
