//! What all files that have keys of a shop record about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::model::{
    Dates, Error, KeyError, Kid, Misuse, Name, Place, Result, Scheme, ServiceUrl, ShopName, Suite,
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
    /// Ids that belong to users, each of which may be used again while its user is admitted.
    pub users: BTreeMap<Name, Standing>,
    /// Ids whose keys were erased from this file, apart from those of revoked users.
    pub erased: BTreeSet<Name>,
    /// Whether the shop's own key was erased from this file.
    pub erased_shop_key: bool,
    /// When the keys seal.
    pub dates: Dates,
    /// Whether the keys are not handed out any more, because a later generation is.
    pub retired: bool,
}

/// Whether a user may order. The file has no key of a user who was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The user has a key, unless it was erased.
    Admitted,
    /// The key was erased, and no other is made under this id.
    Revoked,
}

/// What becomes of a generation of a shop's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its keys seal later.
    Coming,
    /// Clients get its keys.
    Current,
    /// Clients who have its keys may seal, and no others get some.
    Retiring,
    /// Its keys open orders, and seal none.
    Retired,
    /// Its keys were erased.
    Erased,
}

impl Stage {
    /// Name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::Current => "current",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Erased => "erased",
        }
    }
}

impl Shop {
    /// Creates a shop with no history.
    pub fn new(scheme: Scheme, suite: Suite) -> Self {
        Self {
            scheme,
            suite,
            service: None,
            users: BTreeMap::new(),
            erased: BTreeSet::new(),
            erased_shop_key: false,
            dates: Dates::default(),
            retired: false,
        }
    }

    /// A copy of the record for another role, without the history.
    pub fn without_history(&self) -> Self {
        Self {
            service: self.service.clone(),
            dates: self.dates,
            retired: self.retired,
            ..Self::new(self.scheme, self.suite)
        }
    }

    /// A copy of the record for somebody who gets these keys, without the history and with no other
    /// users.
    pub fn for_keys(&self, kids: &[Kid]) -> Self {
        let own = kids.iter().filter_map(Kid::id);
        let users = own.filter_map(|id| Some((id.clone(), *self.users.get(&id)?))).collect();
        Self { users, ..self.without_history() }
    }

    /// Whether a key of this shop may seal more than one order: the shop's own, or a user's.
    pub fn is_reusable(&self, kid: &Kid) -> bool {
        kid.parts().1.is_none_or(|id| self.users.contains_key(id))
    }

    /// The standing of the user that an id belongs to, if it is a user's.
    pub fn standing(&self, kid: &Kid) -> Option<Standing> {
        self.users.get(kid.parts().1?).copied()
    }

    /// The users with this standing.
    pub fn users_with(&self, standing: Standing) -> impl Iterator<Item = &Name> {
        self.users.iter().filter(move |(_, own)| **own == standing).map(|(user, _)| user)
    }

    /// Records that a user was revoked, whose key the file does not have any more.
    pub fn revoke(&mut self, user: Name) {
        self.erased.remove(&user);
        self.users.insert(user, Standing::Revoked);
    }

    /// Records that the key named `kid`, a key of this shop, was erased from the file.
    pub(super) fn remember_erased(&mut self, kid: &Kid) {
        match kid.id() {
            Some(id) => match self.users.get(&id) {
                Some(Standing::Revoked) => {}
                Some(Standing::Admitted) | None => drop(self.erased.insert(id)),
            },
            None => self.erased_shop_key = true,
        }
    }

    /// Records that the key named `kid`, a key of this shop, is in the file again.
    pub fn forget_erased(&mut self, kid: &Kid) {
        match kid.parts().1 {
            Some(id) => {
                self.erased.remove(id);
                if let Some(standing) = self.users.get_mut(id) {
                    *standing = Standing::Admitted;
                }
            }
            None => self.erased_shop_key = false,
        }
    }

    /// Whether the key named `kid`, a key of this shop, was erased from the file.
    pub(super) fn was_erased(&self, kid: &Kid) -> bool {
        match kid.parts().1 {
            Some(id) => match self.users.get(id) {
                Some(Standing::Revoked) => true,
                Some(Standing::Admitted) | None => self.erased.contains(id),
            },
            None => self.erased_shop_key,
        }
    }

    /// Whether any key of the shop was erased from the file.
    pub(super) fn has_erased(&self) -> bool {
        let revoked = self.users_with(Standing::Revoked).next().is_some();
        self.erased_shop_key || revoked || !self.erased.is_empty()
    }
}

/// Chooses among the shops of a file the one named `wanted`, or the only one, with the newest
/// generation of its keys.
///
/// # Errors
/// [`KeyError::UnknownShop`], or [`Error::Usage`] if there are several shops and none was chosen.
pub(super) fn choose<'f, S>(
    shops: impl Iterator<Item = (&'f ShopName, S)>,
    wanted: Option<&Name>,
    place: &Place,
) -> Result<(&'f ShopName, S)> {
    let (mut names, mut newest) = (BTreeSet::new(), None);
    for (name, shop) in shops {
        names.insert(name);
        let newer = |(newest, _): &(&ShopName, S)| newest.generation() < name.generation();
        if wanted.is_none_or(|wanted| name.is_of(wanted)) && newest.as_ref().is_none_or(newer) {
            newest = Some((name, shop));
        }
    }
    let shops: BTreeSet<Name> = names.iter().map(|name| name.name()).collect();
    match (newest, wanted, shops.len()) {
        (Some(newest), Some(_), _) | (Some(newest), None, 1) => Ok(newest),
        (Some(_), None, shops) => {
            Err(Misuse::SeveralShops { file: place.to_string(), shops }.into())
        }
        (None, Some(wanted), _) => Err(unknown_shop(wanted, names, place)),
        (None, None, _) => Err(Error::key(place, KeyError::Missing("key of any shop"))),
    }
}

/// The error for a shop that a file does not have.
pub(super) fn unknown_shop<'f>(
    wanted: &Name,
    held: impl IntoIterator<Item = &'f ShopName>,
    place: &Place,
) -> Error {
    let held: BTreeSet<Name> = held.into_iter().map(ShopName::name).collect();
    let held = held.into_iter().collect();
    Error::key(place, KeyError::UnknownShop { wanted: wanted.clone(), held })
}
