//! What key files of all kinds have in common.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shop::choose;
use super::text::MOST_RECORDED;
use super::{AnyKeys, FileText, MAX_KEY_FILE, Shop, Stage, Standing};
use crate::ciphers::Secret;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::Origin;
use crate::protocol::jose::jwk::JwkRef;
use crate::protocol::jose::tree::{LeafId, Leaves, TreeId};
use crate::protocol::model::{
    Enc, Error, KeyError, Kid, Name, OutOfDate, Place, Result, Role, ShopName, Time, WrapAlgorithm,
};
use crate::protocol::store::trees::HeldTree;

/// A key file of any kind.
pub trait KeyHolder {
    /// The role of the file's holder.
    fn role(&self) -> Role;

    /// The keys.
    fn all_keys(&self) -> &dyn AnyKeys;

    /// The shops that the file has keys for.
    fn shops(&self) -> Box<dyn Iterator<Item = (&ShopName, &Shop)> + '_> {
        Box::new(std::iter::empty())
    }

    /// The trees of the file, with their shops.
    fn trees(&self) -> Box<dyn Iterator<Item = (&ShopName, &dyn HeldTree)> + '_> {
        Box::new(std::iter::empty())
    }

    /// The tree of a shop with this identifier.
    fn tree(&self, _shop: &str, _id: TreeId) -> Option<&dyn HeldTree> {
        None
    }

    /// The tree that a transaction id of this form is a leaf of, and the leaf's number.
    fn leaf(&self, kid: &str) -> Option<(&dyn HeldTree, u32)> {
        let (shop, id) = kid.split_once('/')?;
        let LeafId { tree, leaf } = LeafId::parse(id)?;
        Some((self.tree(shop, tree)?, leaf))
    }

    /// A listed key or a user with the name of a leaf of one of the trees. There must be none, so
    /// that a name means one key.
    fn listed_leaf(&self) -> Option<Kid> {
        self.trees().next()?;
        let is_leaf = |kid: &Kid| self.leaf(kid.as_str()).is_some();
        let key =
            self.all_keys().views().find_map(|key| key.kid.filter(|kid| is_leaf(kid)).cloned());
        let mut users = self
            .shops()
            .flat_map(|(name, shop)| shop.users.keys().map(move |user| Kid::of_id(name, user)));
        key.or_else(|| users.find(is_leaf))
    }

    /// Number of transaction ids whose keys can be derived.
    fn count_derived(&self) -> u64 {
        self.trees().map(|(_, tree)| tree.part().count()).sum()
    }

    /// Number of keys that the file has or can still get back, listed and derived.
    fn count_held(&self) -> u64 {
        let derived: u64 = self.trees().map(|(_, tree)| tree.count_held()).sum();
        self.all_keys().count() as u64 + derived
    }

    /// Whether the file has the key named `kid`, or can still get it back.
    fn holds(&self, kid: &Kid) -> bool {
        match self.leaf(kid.as_str()) {
            Some((tree, leaf)) => tree.holds(leaf),
            None => self.all_keys().position(kid.as_str()).is_some(),
        }
    }

    /// The record of the shop with this name.
    fn shop_named(&self, name: &str) -> Option<&Shop> {
        self.shops().find_map(|(own, shop)| (own.as_str() == name).then_some(shop))
    }

    /// The member `orderseal` of the file, if it has one.
    fn member(&self) -> Option<Value> {
        None
    }

    /// The member `orderseal` when all keys of the file are used and recorded as such.
    fn member_when_used(&self) -> Option<Value> {
        self.member()
    }

    /// Serializes the file.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] if the file is too long to be read again, or would become so by the
    /// time all of its keys are used.
    fn to_bytes(&self, place: &Place) -> Result<Secret> {
        self.text(place).map(|text| text.to_bytes())
    }

    /// The text of the file, to be written piece by piece.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    fn text(&self, place: &Place) -> Result<FileText<'_>> {
        text(self, self.member(), MAX_KEY_FILE, place)
    }

    /// Length in bytes of the file when all of its keys are used and recorded as such. Erasing
    /// makes it shorter.
    fn full_len(&self) -> u64 {
        FileText::set(self.all_keys(), self.member_when_used()).length()
    }

    /// The record of the shop that a key belongs to, if the file has one.
    fn shop_of(&self, kid: &Kid) -> Option<&Shop> {
        self.shop_named(kid.parts().0)
    }

    /// The shop named `wanted`, or the only one of the file, with the newest generation of its keys.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`], or [`Error::Usage`] if there are several shops and none was chosen.
    fn choose_shop(&self, wanted: Option<&Name>, place: &Place) -> Result<(&ShopName, &Shop)> {
        choose(self.shops(), wanted, place)
    }

    /// Whether the file has a key for signing.
    fn can_sign(&self) -> bool {
        false
    }

    /// Whether the file contains a key that can decrypt, or sign.
    fn has_secrets(&self) -> bool {
        if self.can_sign() {
            return true;
        }
        let nodes = self.trees().any(|(_, tree)| !tree.part().nodes().is_empty());
        nodes || self.all_keys().views().any(|key| key.material.is_secret())
    }

    /// Whether the key named `kid` was erased from this file.
    fn was_erased(&self, kid: &Kid) -> bool {
        match self.leaf(kid.as_str()) {
            Some((tree, leaf)) => tree.part().given().contains(leaf) && !tree.holds(leaf),
            None => self.shop_of(kid).is_some_and(|shop| shop.was_erased(kid)),
        }
    }

    /// Whether the key named `kid` is that of a user who was revoked.
    fn has_revoked(&self, kid: &Kid) -> bool {
        match self.shop_of(kid).and_then(|shop| shop.standing(kid)) {
            Some(Standing::Revoked) => true,
            Some(Standing::Admitted) | None => false,
        }
    }

    /// Whether any key was erased from this file.
    fn has_erased(&self) -> bool {
        self.shops().any(|(_, shop)| shop.has_erased())
            || self.trees().any(|(_, tree)| tree.count_held() < tree.part().given().count())
    }

    /// The stage of a generation of a shop's keys at a time; `None` if the file has no record of it.
    fn stage(&self, generation: &ShopName, now: Time) -> Option<Stage> {
        let own = self.shop_named(generation.as_str())?;
        let of_generation =
            |key: JwkRef<'_>| key.kid.is_some_and(|kid| kid.parts().0 == generation.as_str());
        let trees: Vec<u64> = self
            .trees()
            .filter(|(name, _)| *name == generation)
            .map(|(_, tree)| tree.count_held())
            .collect();
        let holds =
            trees.iter().any(|held| *held > 0) || self.all_keys().views().any(of_generation);
        let erased = !holds && (own.has_erased() || !trees.is_empty());
        let later = |name: &ShopName| {
            name.is_of(&generation.name()) && name.generation() > generation.generation()
        };
        Some(match own.dates.check(now) {
            _ if erased => Stage::Erased,
            _ if own.retired => Stage::Retired,
            Err(OutOfDate::Until(_)) => Stage::Coming,
            Err(OutOfDate::Since(_) | OutOfDate::Unknown) => Stage::Retired,
            Ok(()) if self.shops().any(|(name, _)| later(name)) => Stage::Retiring,
            Ok(()) => Stage::Current,
        })
    }

    /// The error for a key that is not in the file.
    fn unknown(&self, kid: &Kid) -> KeyError {
        let shops: Vec<&str> = self.shops().map(|(name, _)| name.as_str()).collect();
        let of = match shops.is_empty() {
            true => String::new(),
            false => format!(" (of {})", shops.join(", ")),
        };
        KeyError::Unknown { kid: kid.to_string(), held: self.count_held(), of }
    }

    /// Refuses keys from a repeatable source, and weak algorithms, unless they are allowed.
    ///
    /// # Errors
    /// [`KeyError::Marked`] and [`KeyError::Weak`].
    fn refuse_weak(&self, allow_weak: bool, place: &Place) -> Result<()> {
        self.refuse_marked(allow_weak, place)?;
        match self.weak_algorithm().filter(|_| !allow_weak) {
            Some(name) => Err(Error::key(place, KeyError::Weak(name))),
            None => Ok(()),
        }
    }

    /// Refuses keys from a repeatable source unless they are allowed.
    ///
    /// # Errors
    /// [`KeyError::Marked`].
    fn refuse_marked(&self, allow_weak: bool, place: &Place) -> Result<()> {
        match self.all_keys().views().find(|key| key.origin != Origin::System && !allow_weak) {
            Some(key) => {
                let kid = key.kid.map_or("without a name".to_owned(), Kid::to_string);
                Err(Error::key(place, KeyError::Marked { kid, origin: key.origin }))
            }
            None => Ok(()),
        }
    }

    /// A weak algorithm that a key of this file is for, if there is one.
    fn weak_algorithm(&self) -> Option<&'static str> {
        let of_shops = self.shops().find_map(|(_, shop)| shop.suite.weak());
        let weak = |name: &str| {
            let enc = Enc::from_name(name).filter(|enc| enc.is_weak()).map(Enc::name);
            enc.or_else(|| {
                WrapAlgorithm::from_name(name)
                    .filter(|wrap| wrap.is_weak())
                    .map(WrapAlgorithm::name)
            })
        };
        of_shops.or_else(|| self.all_keys().views().find_map(|key| weak(key.alg?)))
    }
}

/// The text of a set with this member, as [`KeyHolder::text`]. It must not become longer than `most`.
pub(super) fn text<'f, F: KeyHolder + ?Sized>(
    file: &'f F,
    member: Option<Value>,
    most: u64,
    place: &Place,
) -> Result<FileText<'f>> {
    let keys = file.all_keys();
    let text = FileText::set(keys, member);
    let room = keys.count() as u64 * MOST_RECORDED;
    if text.length() + room <= most || file.full_len() <= most {
        return Ok(text);
    }
    Err(Error::KeyFileFull { place: place.clone(), len: file.full_len(), most: MAX_KEY_FILE })
}

/// A key file of several keys, which can be erased one by one.
pub trait KeySet: KeyHolder {
    /// Keeps only the keys with wanted names, and returns the names of the removed ones.
    fn retain(&mut self, wanted: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid>;

    /// Calls a function with each tree and the name of its shop.
    fn for_each_tree(&mut self, _change: &mut dyn FnMut(&ShopName, &mut dyn HeldTree)) {}

    /// The record of the shop with this name.
    fn shop_named_mut(&mut self, name: &str) -> Option<&mut Shop>;

    /// Whether the file has a program.
    fn has_program(&self) -> bool {
        false
    }

    /// Erases the program, and with it the keys that are built into it; returns their names.
    fn erase_program(&mut self) -> Vec<Kid> {
        Vec::new()
    }

    /// Erases keys and records their names as erased; returns the names.
    fn erase_keys(&mut self, chosen: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        let removed = self.retain(&|kid| !chosen(kid));
        removed.iter().for_each(|kid| self.remember_erased(kid));
        removed
    }

    /// Erases all keys; returns the names of those that were listed.
    fn erase_all_keys(&mut self) -> Vec<Kid> {
        self.erase_listed_and_derived()
    }

    /// Erases all keys for orders; returns the names of those that were listed.
    fn erase_listed_and_derived(&mut self) -> Vec<Kid> {
        self.for_each_tree(&mut |_, tree| {
            let all = tree.part().given().clone();
            tree.erase(Backend::detect(), &all);
        });
        self.erase_keys(&|_| true)
    }

    /// Erases the keys with these names; returns the names of those that were listed.
    fn erase_named(&mut self, kids: &[Kid]) -> Vec<Kid> {
        self.for_each_tree(&mut |shop, tree| {
            let id = tree.part().tree().id();
            let of_tree = kids.iter().filter_map(|kid| {
                let (name, leaf) = kid.parts();
                let leaf = LeafId::parse(leaf?).filter(|leaf| leaf.tree == id)?;
                (name == shop.as_str()).then_some(leaf.leaf)
            });
            let leaves: Leaves = of_tree.collect();
            tree.erase(Backend::detect(), &leaves);
        });
        let kids: BTreeSet<&Kid> = kids.iter().collect();
        self.erase_keys(&|kid| kid.is_some_and(|kid| kids.contains(kid)))
    }

    /// Erases all keys of a generation of a shop's keys; returns the names of those that were listed.
    fn erase_generation(&mut self, generation: &ShopName) -> Vec<Kid> {
        self.for_each_tree(&mut |name, tree| {
            if name == generation {
                let all = tree.part().given().clone();
                tree.erase(Backend::detect(), &all);
            }
        });
        self.erase_keys(&|kid| kid.is_some_and(|kid| kid.parts().0 == generation.as_str()))
    }

    /// Records that the key named `kid` was erased from this file.
    fn remember_erased(&mut self, kid: &Kid) {
        if let Some(shop) = self.shop_named_mut(kid.parts().0) {
            shop.remember_erased(kid);
        }
    }
}
