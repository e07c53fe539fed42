//! What keys are used up by an order, and how a ledger records it.

use std::borrow::Cow;

use super::OpeningKeys;
use super::tree_at::leaf_names;
use crate::protocol::jose::jwe::KeyNumber;
use crate::protocol::jose::tree::LeafId;
use crate::protocol::model::{Kid, Scope};
use crate::protocol::store::uses::{PadSlots, TreeSlots, Use};

/// How a ledger records an order under the key of this name, which may open only one order or several.
pub(in crate::protocol) fn use_by_name(
    kid: Option<&Kid>,
    single_use: bool,
    line: &[u8; 32],
) -> Use {
    match kid {
        // A leaf's key that was exported is still that of the leaf.
        Some(kid) => match (named_leaf(kid), single_use) {
            (Some((slots, leaf)), _) => Use::of_leaf(slots, leaf, line),
            (None, true) => Use::of_id(kid, line),
            (None, false) => Use::of_order(line),
        },
        None => Use::of_order(line),
    }
}

/// What a ledger calls the leaf with this name, if it is a leaf's.
fn named_leaf(kid: &Kid) -> Option<(TreeSlots, u32)> {
    let (shop, id) = kid.parts();
    let LeafId { tree, leaf } = LeafId::parse(id?)?;
    Some((TreeSlots::new(&leaf_names(shop, tree)), leaf))
}

impl OpeningKeys {
    /// Whether the key may open only one order.
    pub fn is_single_use(&self, number: KeyNumber) -> bool {
        let number = match number {
            KeyNumber::Listed(number) => number,
            KeyNumber::Derived { .. } => return true,
            KeyNumber::Password => return false,
        };
        let Some(kid) = self.listed_name(number) else { return false };
        self.held(number)
            .file
            .holder()
            .shop_of(kid)
            .is_some_and(|shop| shop.scheme.scope == Scope::Transaction && !shop.is_reusable(kid))
    }

    /// The transaction id of a key that may open only one order; `None` for any other key.
    pub fn single_use_id(&self, number: KeyNumber) -> Option<Kid> {
        let name = self.is_single_use(number).then(|| self.name(number))?;
        name.map(Cow::into_owned)
    }

    /// How a ledger records an order that this key opened; `line` is its
    /// [hash](crate::protocol::jose::jwe::line_hash).
    pub fn use_of(&self, number: KeyNumber, line: &[u8; 32]) -> Use {
        match number {
            KeyNumber::Password => Use::of_order(line),
            KeyNumber::Derived { tree, leaf } => Use::of_leaf(self.trees[tree].slots, leaf, line),
            KeyNumber::Listed(listed) => {
                use_by_name(self.listed_name(listed), self.is_single_use(number), line)
            }
        }
    }

    /// The slots of a pad whose bytes several orders use, if this key is one.
    pub fn shared_pad(&self, number: KeyNumber) -> Option<PadSlots> {
        match number {
            KeyNumber::Listed(listed) => {
                let pad = self.key(listed).material.pad()?;
                (!self.is_single_use(number)).then(|| PadSlots::new(pad.mac_key()))
            }
            KeyNumber::Derived { .. } | KeyNumber::Password => None,
        }
    }
}
