//! What all files that have keys of a shop record about it.

use std::collections::BTreeSet;

use crate::protocol::model::{
    Error, KeyError, Kid, Misuse, Name, Place, Result, Scheme, ServiceUrl, Suite,
};

/// A key file's record of a shop, whoever holds the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// The shop's embodiment or variant.
    pub scheme: Scheme,
    /// The algorithms of its orders.
    pub suite: Suite,
    /// The address where clients request programs and keys.
    pub service: Option<ServiceUrl>,
    /// Ids that belong to users and may be used again.
    pub users: BTreeSet<Name>,
    /// Ids whose keys were erased from this file.
    pub erased: BTreeSet<Name>,
    /// Whether the shop's own key was erased from this file.
    pub erased_shop_key: bool,
}

impl Shop {
    /// Creates a shop with no history.
    pub fn new(scheme: Scheme, suite: Suite) -> Self {
        Self {
            scheme,
            suite,
            service: None,
            users: BTreeSet::new(),
            erased: BTreeSet::new(),
            erased_shop_key: false,
        }
    }

    /// A copy of the record for another role, without the history.
    pub fn without_history(&self) -> Self {
        Self { service: self.service.clone(), ..Self::new(self.scheme, self.suite) }
    }

    /// Whether a key of this shop may seal more than one order: the shop's own, or a user's.
    pub fn is_reusable(&self, kid: &Kid) -> bool {
        kid.parts().1.is_none_or(|id| self.users.contains(id))
    }

    /// Records that the key named `kid`, a key of this shop, was erased from the file.
    pub(super) fn remember_erased(&mut self, kid: &Kid) {
        match kid.id() {
            Some(id) => {
                self.erased.insert(id);
            }
            None => self.erased_shop_key = true,
        }
    }

    /// Records that the key named `kid`, a key of this shop, is in the file again.
    pub fn forget_erased(&mut self, kid: &Kid) {
        match kid.parts().1 {
            Some(id) => {
                self.erased.remove(id);
            }
            None => self.erased_shop_key = false,
        }
    }

    /// Whether the key named `kid`, a key of this shop, was erased from the file.
    pub(super) fn was_erased(&self, kid: &Kid) -> bool {
        match kid.parts().1 {
            Some(id) => self.erased.contains(id),
            None => self.erased_shop_key,
        }
    }

    /// Whether any key of the shop was erased from the file.
    pub(super) fn has_erased(&self) -> bool {
        self.erased_shop_key || !self.erased.is_empty()
    }
}

/// Chooses among the shops of a file the one named `wanted`, or the only one.
///
/// # Errors
/// [`KeyError::UnknownShop`], or [`Error::Usage`] if there are several shops and none was chosen.
pub(super) fn choose<'f, S>(
    shops: impl Iterator<Item = (&'f Name, S)>,
    wanted: Option<&Name>,
    place: &Place,
) -> Result<(&'f Name, S)> {
    let mut shops: Vec<(&Name, S)> = shops.collect();
    let chosen = match wanted {
        Some(wanted) => shops.iter().position(|(name, _)| *name == wanted).ok_or_else(|| {
            let held = shops.iter().map(|(name, _)| (*name).clone()).collect();
            Error::key(place, KeyError::UnknownShop { wanted: wanted.clone(), held })
        })?,
        None => match shops.len() {
            0 => return Err(Error::key(place, KeyError::Missing("key of any shop"))),
            1 => 0,
            shops => return Err(Misuse::SeveralShops { file: place.to_string(), shops }.into()),
        },
    };
    Ok(shops.swap_remove(chosen))
}
