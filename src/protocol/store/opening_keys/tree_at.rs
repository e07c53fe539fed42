//! Trees of key files.

use crate::protocol::jose::tree::TreeId;
use crate::protocol::model::ShopName;
use crate::protocol::store::uses::TreeSlots;

/// A tree of one of the files.
#[derive(Debug)]
pub(super) struct TreeAt {
    /// Index of the file.
    pub(super) file: usize,
    pub(super) shop: ShopName,
    pub(super) id: TreeId,
    /// What a ledger calls its leaves.
    pub(super) slots: TreeSlots,
}

impl TreeAt {
    pub(super) fn new(file: usize, shop: ShopName, id: TreeId) -> Self {
        let slots = TreeSlots::new(&leaf_names(shop.as_str(), id));
        Self { file, shop, id, slots }
    }

    /// The beginning of the names of its leaves.
    pub(super) fn name(&self) -> String {
        leaf_names(self.shop.as_str(), self.id)
    }
}

/// The beginning of the names of a tree's leaves.
pub(super) fn leaf_names(shop: &str, id: TreeId) -> String {
    format!("{shop}/{id}.")
}
