//! Limited resources that a client holds, and their return to the service if they will not be used.

use std::collections::BTreeMap;
use std::ops::{Range, Sub};

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwk::{AsKey, EncryptingKey, Jwk};
use crate::protocol::jose::tree::{LeafId, Leaves, TreeFault};
use crate::protocol::model::{Amounts, Error, Kid, Place, Result, ShopName, Unfit};
use crate::protocol::store::keyfile::{ClientBundle, KeyHolder, Keyring};
use crate::protocol::store::trees::{HeldTree, TreePart, Trees};

/// Limited resources that a client holds and has not used: transaction ids, random IVs, pieces of pads.
#[derive(Debug, Clone)]
pub struct Share {
    place: Place,
    shop: ShopName,
    keys: Vec<Jwk<EncryptingKey>>,
    ids: Vec<Kid>,
    /// Nodes of trees.
    nodes: Trees<TreePart>,
    /// Ids of trees, whose keys are derived from the nodes or among the listed ones.
    leaves: Trees<LeafIds>,
    ivs: BTreeMap<Kid, u64>,
    /// Ranges of bytes in the whole pad.
    pads: BTreeMap<Kid, Range<u64>>,
}

/// Ids of a tree that a client was given, and those of them that it has not used.
#[derive(Debug, Clone, Default)]
struct LeafIds {
    given: Leaves,
    unused: Leaves,
}

/// Number of keys compared at once with those that a tree derives.
const AT_ONCE: usize = 1024;

/// Subtracts amounts, down to zero.
impl Sub for Amounts {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            ids: self.ids.saturating_sub(other.ids),
            ivs: self.ivs.saturating_sub(other.ivs),
            pad_bytes: self.pad_bytes.saturating_sub(other.pad_bytes),
        }
    }
}

impl Share {
    /// The unused resources in a client's bundle.
    pub fn unused(client: &ClientBundle, place: &Place) -> Self {
        let mut share = Self {
            place: place.clone(),
            shop: client.name.clone(),
            keys: client.keys.to_vec(),
            ids: Vec::new(),
            nodes: client.trees.iter().map(|(id, tree)| (*id, tree.part().clone())).collect(),
            leaves: Trees::new(),
            ivs: BTreeMap::new(),
            pads: BTreeMap::new(),
        };
        for (id, part) in &share.nodes {
            let (given, unused) = (part.given().clone(), part.nodes().leaves());
            share.leaves.insert(*id, LeafIds { given, unused });
        }
        for key in client.keys.iter() {
            let Some(kid) = &key.kid else { continue };
            if let Some(id) = kid.id().filter(|_| !client.shop.is_reusable(kid)) {
                let is_unused = !client.spent.contains(&id);
                match LeafId::parse(id.as_str()) {
                    Some(leaf) => {
                        let ids = share.leaves.entry(leaf.tree).or_default();
                        ids.given.add(leaf.range());
                        if is_unused {
                            ids.unused.add(leaf.range());
                        }
                    }
                    None if is_unused => share.ids.push(kid.clone()),
                    None => {}
                }
                continue;
            }
            let left = client.budget.get(kid).copied().unwrap_or_default();
            match &key.material {
                EncryptingKey::Pad(pad) => {
                    let end = pad.offset() + pad.len();
                    share.pads.insert(kid.clone(), end - left.min(pad.len())..end);
                }
                EncryptingKey::Secret(_) | EncryptingKey::Public(_) => {
                    share.ivs.insert(kid.clone(), left);
                }
            }
        }
        for (tree, ids) in &mut share.leaves {
            let erased = client.shop.erased.iter().filter_map(|id| LeafId::parse(id.as_str()));
            let erased = erased.filter(|leaf| leaf.tree == *tree).map(|leaf| leaf.leaf);
            ids.given = ids.given.union(&erased.collect());
        }
        share
    }

    /// The amounts of these resources.
    pub fn amounts(&self) -> Amounts {
        let unused = self.leaves.values().map(|ids| ids.unused.count());
        Amounts {
            ids: self.ids.len() as u64 + unused.sum::<u64>(),
            ivs: self.ivs.values().sum(),
            pad_bytes: self.pads.values().map(|piece| piece.end - piece.start).sum(),
        }
    }

    /// Gives the resources back to the keyring that they came from, and returns how much was taken
    /// back. Ids that the keyring has not issued are not taken back, nor are ids of a tree that are
    /// followed by others that were handed out, nor is the end of a piece of
    /// pad that is followed by other pieces.
    ///
    /// The caller must make sure that no copy of the client's file is left; otherwise two clients
    /// will use the same resources.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`]; [`KeyError::Unfit`] if the keys are not those of the keyring.
    /// Nothing is changed in these cases.
    pub fn give_back(&self, keyring: &mut Keyring, place: &Place) -> Result<Amounts> {
        self.check_keys(keyring, place)?;
        let account = keyring.record(&self.shop, place)?;
        for (id, part) in &self.nodes {
            let own = account.trees.get(id).ok_or(TreeFault::Unknown(*id));
            let same = own
                .and_then(|own| own.part().nodes().intersection(Backend::detect(), part.nodes()));
            same.map_err(|fault| {
                Error::key(&self.place, Unfit::Tree(format!("{fault} in {place}")).into())
            })?;
        }
        let account = keyring.record_mut(&self.shop, place)?;
        let mut returned = Amounts::default();
        for id in self.ids.iter().filter_map(Kid::id) {
            returned.ids += u64::from(account.issued.remove(id.as_str()));
        }
        for (id, ids) in &self.leaves {
            let tree = account.trees.get_mut(id);
            returned.ids += tree.map_or(0, |tree| tree.take_back(&ids.given, &ids.unused));
        }
        for (kid, &left) in &self.ivs {
            let allotted = account.allotted.get_mut(kid);
            if let Some((allotted, rest)) =
                allotted.and_then(|all| all.checked_sub(left).map(|rest| (all, rest)))
            {
                *allotted = rest;
                returned.ivs += left;
            }
        }
        for (kid, piece) in &self.pads {
            if let Some(allotted) = account.allotted.get_mut(kid).filter(|all| **all == piece.end) {
                *allotted = piece.start;
                returned.pad_bytes += piece.end - piece.start;
            }
        }
        Ok(returned)
    }

    /// Checks that listed keys are the keyring's own. A key that was erased from the keyring cannot be
    /// compared; it is accepted, as it gives nothing back by itself.
    fn check_keys(&self, keyring: &Keyring, place: &Place) -> Result<()> {
        let account = keyring.record(&self.shop, place)?;
        let mut of_trees = Trees::<Vec<_>>::new();
        for key in &self.keys {
            let Some(kid) = &key.kid else { continue };
            if let Some(LeafId { tree, leaf }) = kid.parts().1.and_then(LeafId::parse)
                && account.trees.get(&tree).is_some_and(|own| own.part().nodes().contains(leaf))
            {
                of_trees.entry(tree).or_default().push((leaf, kid, &key.material));
                continue;
            }
            match keyring.keys.named(kid.as_str()) {
                Some(own) => {
                    let own = own.view().material.encrypting_half();
                    self.check_same(kid, own, &key.material, place)?;
                }
                None if keyring.was_erased(kid) => {}
                None => return Err(Error::key(place, keyring.unknown(kid))),
            }
        }
        for (id, mut theirs) in of_trees {
            theirs.sort_unstable_by_key(|(leaf, ..)| *leaf);
            for theirs in theirs.chunks(AT_ONCE) {
                let leaves: Vec<u32> = theirs.iter().map(|(leaf, ..)| *leaf).collect();
                let own = account.trees[&id].part().nodes().keys(Backend::detect(), &leaves);
                let own = own.expect("its nodes have these leaves");
                for ((_, kid, theirs), own) in theirs.iter().zip(&own) {
                    self.check_same(kid, own.as_key().encrypting_half(), theirs, place)?;
                }
            }
        }
        Ok(())
    }

    /// Checks that a key is what a client gets of the keyring's own.
    fn check_same(
        &self,
        kid: &Kid,
        own: EncryptingKey,
        theirs: &EncryptingKey,
        place: &Place,
    ) -> Result<()> {
        let same = match (own, theirs) {
            (EncryptingKey::Pad(whole), EncryptingKey::Pad(piece)) => {
                let from = piece.offset().checked_sub(whole.offset());
                from.and_then(|from| whole.piece(from, piece.len())).as_ref() == Some(piece)
            }
            (own, theirs) => own == *theirs,
        };
        match same {
            true => Ok(()),
            false => Err(Error::key(
                &self.place,
                Unfit::Namesake { kid: kid.clone(), place: place.clone() }.into(),
            )),
        }
    }
}
