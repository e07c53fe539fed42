//! Transaction ids that have not been handed out.

use crate::protocol::model::{Kid, ShopName};
use crate::protocol::store::keyfile::{Account, Issued, Keyring};

/// Listed transaction ids of a shop that have not been handed out.
pub fn unused_ids<'f>(file: &'f Keyring, shop: &'f ShopName) -> impl Iterator<Item = Kid> + 'f {
    unused(file, shop).map(|(_, kid)| kid.clone())
}

/// Listed transaction ids of a shop that have not been handed out, each with the index of its key.
fn unused<'f>(file: &'f Keyring, shop: &'f ShopName) -> impl Iterator<Item = (usize, &'f Kid)> {
    file.shops.get(shop).into_iter().flat_map(move |account| {
        let keys = file.keys.iter().enumerate().skip(account.issued.from());
        keys.filter_map(move |(index, key)| {
            let kid = key.kid.as_ref()?;
            let (owner, id) = (kid.parts().0, kid.parts().1?);
            let used = account.issued.contains(id) || account.shop.users.contains_key(id);
            (owner == shop.as_str() && !used).then_some((index, kid))
        })
    })
}

/// Chooses up to `most` listed ids of a shop to be handed out, the first ones that were not.
pub(super) fn choose_unused(file: &Keyring, shop: &ShopName, most: u64) -> Chosen {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (positions, kids) =
        unused(file, shop).take(most).map(|(position, kid)| (position, kid.clone())).unzip();
    Chosen { positions, kids }
}

/// Ids to be handed out, and the positions of their keys in the keyring.
pub(super) struct Chosen {
    pub(super) positions: Vec<usize>,
    pub(super) kids: Vec<Kid>,
}

impl Chosen {
    /// Records that they were handed out.
    pub(super) fn issue(&self, issued: &mut Issued) {
        issued.extend(self.kids.iter().filter_map(Kid::id));
        if let Some(last) = self.positions.last() {
            issued.look_from(last + 1);
        }
    }
}

/// Number of transaction ids of a shop that have not been handed out, listed and derived.
pub fn count_unused(file: &Keyring, shop: &ShopName) -> u64 {
    let derived = file.shops.get(shop).map_or(0, unused_leaves);
    unused_ids(file, shop).count() as u64 + derived
}

/// Number of ids that were not handed out.
pub(super) fn unused_leaves(account: &Account) -> u64 {
    account.trees.values().map(|tree| tree.unused().count()).sum()
}
