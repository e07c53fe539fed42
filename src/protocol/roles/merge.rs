//! Putting deliveries for a shop together.

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::tree::{Leaves, TreeFault};
use crate::protocol::model::{
    Error, KeyError, Kid, LedgerTrouble, Misuse, Name, Place, Result, ShopName, ShopProgram, Unfit,
};
use crate::protocol::store::keyfile::{
    Generation, KeyFile, KeyHolder, KeySet, ShopBundle, Standing,
};
use crate::protocol::store::trees::{HeldTree, Trees};

/// What a merge does with keys that one of two bundles has and the other has erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnErased {
    /// Keys that the first bundle erased stay erased; if the second erased some that the first has,
    /// the merge is refused.
    Refuse,
    /// What either of them erased is erased.
    Erase,
    /// What either of them has is kept, or brought back.
    Restore,
}

/// The changes of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// Number of keys that the bundle has in addition.
    pub added: u64,
    /// Number of keys that it no longer has.
    pub erased: u64,
}

/// Adds a second delivery, or another copy, to a shop's bundle. `place` is that of the second
/// bundle.
///
/// # Errors
/// [`KeyError::Unfit`] if the bundles are of different shops or algorithms, have different trees
/// under one name, or if keys would be erased against [`OnErased::Refuse`]; [`KeyError::Ledger`] for
/// different ledgers; [`KeyError::Conflict`] for different keys under one name; [`Error::Usage`] for trees and a program with built-in keys.
pub fn merge(
    bundle: &mut ShopBundle,
    second: &ShopBundle,
    on_erased: OnErased,
    place: &Place,
) -> Result<Merged> {
    let of = |bundle: &ShopBundle| (bundle.name.clone(), bundle.scheme());
    let alike = |(name, theirs): (&ShopName, &Generation)| {
        let own = bundle.generations.get(name);
        own.is_none_or(|own| own.shop.suite == theirs.shop.suite)
    };
    if of(bundle) != of(second) || !second.generations.iter().all(alike) {
        return Err(Error::key(place, Unfit::OtherBundle(second.name.clone()).into()));
    }
    if let (Some(own), Some(other)) = (bundle.ledger, second.ledger)
        && own != other
    {
        return Err(Error::key(place, LedgerTrouble::OtherBundle.into()));
    }
    let (mut merged, mut done) = (bundle.clone(), Merged { added: 0, erased: 0 });
    for (name, theirs) in &second.generations {
        let shop = theirs.shop.without_history();
        let generation = Generation { shop, trees: Trees::new() };
        let own = merged.generations.entry(name.clone()).or_insert(generation);
        own.shop.retired |= theirs.shop.retired;
        own.shop.dates = own.shop.dates.and(theirs.shop.dates);
        if !own.shop.dates.is_possible() {
            return Err(Error::key(place, KeyError::NeverValid(name.clone())));
        }
    }
    merge_listed(&mut merged, second, on_erased, &mut done, place)?;
    merge_trees(&mut merged, second, on_erased, &mut done, place)?;
    merge_users(&mut merged, second);
    merged.ledger = merged.ledger.or(second.ledger);
    if merged.program_erased && second.program.is_some() {
        merged.program = second.program.clone();
        merged.program_erased = false;
    }
    // Keys whose program was erased do not open beside others either.
    merged.program_erased |= second.program_erased && merged.program.is_none();
    if let Some(ShopProgram { built_in: Some(kids), .. }) = &mut merged.program {
        if merged.generations.values().any(|own| !own.trees.is_empty()) {
            return Err(Misuse::NoBuiltIn(bundle.name.clone()).into());
        }
        *kids = merged.keys.names().cloned().collect();
    }
    if let Some(kid) = merged.listed_leaf() {
        return Err(Error::key(place, KeyError::Conflict(kid.to_string())));
    }
    if done.erased > 0 && on_erased == OnErased::Refuse {
        return Err(Error::key(place, Unfit::WouldErase(done.erased).into()));
    }
    *bundle = merged;
    Ok(done)
}

/// Whether a key was erased from a bundle, or is that of a user who was revoked there, perhaps in another
/// generation.
fn is_gone(bundle: &ShopBundle, kid: &Kid) -> bool {
    bundle.was_erased(kid) || kid.id().is_some_and(|user| has_revoked(bundle, &user))
}

/// Whether a user was revoked in some generation of a shop's keys.
fn has_revoked(bundle: &ShopBundle, user: &Name) -> bool {
    let mut standings = bundle.generations.values().filter_map(|own| own.shop.users.get(user));
    standings.any(|standing| *standing == Standing::Revoked)
}

fn merge_listed(
    merged: &mut ShopBundle,
    second: &ShopBundle,
    on_erased: OnErased,
    done: &mut Merged,
    place: &Place,
) -> Result<()> {
    for key in second.keys.iter() {
        let Some(kid) = &key.kid else { continue };
        match merged.keys.named(kid.as_str()) {
            Some(own) if own.material == key.material => {}
            Some(_) => return Err(Error::key(place, KeyError::Conflict(kid.to_string()))),
            None if is_gone(merged, kid) && on_erased != OnErased::Restore => {}
            None => {
                if let Some(shop) = merged.shop_named_mut(kid.parts().0) {
                    shop.forget_erased(kid);
                }
                merged.keys.push(key.clone());
                done.added += 1;
            }
        }
    }
    if on_erased != OnErased::Restore {
        let gone = |kid: Option<&Kid>| {
            kid.is_some_and(|kid| {
                second.keys.index_of(kid.as_str()).is_none() && second.was_erased(kid)
            })
        };
        done.erased += merged.erase_keys(&gone).len() as u64;
    }
    Ok(())
}

/// Adds the users of the second bundle. Who was revoked in either stays so, unless their key is there.
fn merge_users(merged: &mut ShopBundle, second: &ShopBundle) {
    let before = merged.clone();
    for (name, theirs) in &second.generations {
        let Some(Generation { shop, .. }) = merged.generations.get_mut(name) else { continue };
        for (user, theirs) in &theirs.shop.users {
            let kid = Kid::of_id(name, user);
            let held = merged.keys.index_of(kid.as_str()).is_some();
            let ours = match has_revoked(&before, user) {
                true => Standing::Revoked,
                false => Standing::Admitted,
            };
            match (held, ours, theirs) {
                (true, _, _) | (false, Standing::Admitted, Standing::Admitted) => {
                    shop.users.insert(user.clone(), Standing::Admitted);
                }
                (false, Standing::Revoked, _) | (false, _, Standing::Revoked) => {
                    shop.revoke(user.clone());
                }
            }
        }
    }
}

fn merge_trees(
    merged: &mut ShopBundle,
    second: &ShopBundle,
    on_erased: OnErased,
    done: &mut Merged,
    place: &Place,
) -> Result<()> {
    let unfit = |fault: TreeFault| Error::key(place, Unfit::Tree(fault.to_string()).into());
    for (name, theirs) in &second.generations {
        let Some(Generation { trees, .. }) = merged.generations.get_mut(name) else { continue };
        for (id, tree) in &theirs.trees {
            let before = trees.get(id).map_or(Leaves::default(), |own| own.nodes().leaves());
            match (trees.get_mut(id), on_erased) {
                (Some(own), OnErased::Restore) => {
                    own.restore(Backend::detect(), tree).map_err(unfit)?;
                }
                (Some(own), OnErased::Refuse | OnErased::Erase) => {
                    own.merge(Backend::detect(), tree).map_err(unfit)?;
                }
                (None, _) => drop(trees.insert(*id, tree.clone())),
            }
            let after = trees.get(id).map_or(Leaves::default(), |own| own.nodes().leaves());
            done.added += after.difference(&before).count();
            done.erased += before.difference(&after).count();
        }
    }
    Ok(())
}

/// Refuses a shop's bundle that replaces one of the same shop whose orders are opened with a ledger,
/// and does not know that ledger.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_to_lose_ledger(new: &ShopBundle, old: &KeyFile, place: &Place) -> Result<()> {
    let KeyFile::Shop(old) = old else { return Ok(()) };
    match old.name == new.name && old.ledger.is_some() && new.ledger != old.ledger {
        true => Err(Misuse::WouldLoseLedger(place.to_string()).into()),
        false => Ok(()),
    }
}

/// Refuses a shop's bundle that replaces another state of itself and has keys, or a program, that were erased
/// from that.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_to_restore(new: &ShopBundle, old: &KeyFile, place: &Place) -> Result<()> {
    let KeyFile::Shop(old) = old else { return Ok(()) };
    let listed = old.name == new.name && new.keys.names().any(|kid| is_gone(old, kid));
    let restored = |(shop, tree): (&ShopName, &dyn HeldTree)| {
        let new = new.tree(shop.as_str(), tree.part().tree().id());
        new.is_some_and(|new| tree.part().would_restore(new.part()))
    };
    let derived = old.trees().any(restored);
    let program = old.name == new.name && old.program_erased && !new.program_erased;
    match listed || derived || program {
        true => Err(Misuse::WouldRestore(place.to_string()).into()),
        false => Ok(()),
    }
}
