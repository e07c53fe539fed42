//! Key files: JWK Sets (RFC 7517 section 5) with one set-level member of ours, `orderseal`.
//!
//! The same format is used for the service's keyring and for the bundles of shop and client; a lone
//! JWK can be read as well. `docs/FORMATS.md` has the full description.

mod read;
mod write;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::read::PassedOver;
use crate::ciphers::random::Origin;
use crate::ciphers::toy_des::SBox;
use crate::protocol::jose::jwk::{Jwk, Refusal};
use crate::protocol::model::{
    Enc, Erase, Error, KeyTrouble, Kid, KidMap, Misuse, Name, Place, Program, Result, Role, Scheme,
    ServiceUrl, Suite, Unfit, Unsound, WrapAlgorithm,
};

/// Maximum number of random IVs for one key (NIST SP 800-38D section 8.3).
pub const IV_BUDGET: u64 = 1 << 32;

/// Maximum length of a key file in bytes; longer files are neither read nor written.
pub const MAX_KEY_FILE: u64 = 512 << 20;

/// The version of the member `orderseal` that this program reads and writes.
pub const VERSION: u64 = 1;

/// A key file's record of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// The shop's embodiment or variant.
    pub scheme: Scheme,
    /// The algorithms of its orders.
    pub suite: Suite,
    /// The address where clients request programs and keys.
    pub service: Option<ServiceUrl>,
    /// At the service: transaction ids that were handed out.
    pub issued: BTreeSet<Name>,
    /// Ids that belong to users and may be used again.
    pub users: BTreeSet<Name>,
    /// At a client: transaction ids that have sealed an order.
    pub spent: BTreeSet<Name>,
    /// Ids whose keys were erased from this file.
    pub erased: BTreeSet<Name>,
    /// Whether the shop's own key was erased from this file.
    pub erased_shop_key: bool,
    /// At the service: for each key with a budget, the amount given to clients.
    pub allotted: BTreeMap<Kid, u64>,
    /// At a client: for each key with a budget, the number of orders that it may still seal.
    pub budget: BTreeMap<Kid, u64>,
    /// At a client: for each pad, the unused pieces before the remaining part, as start and end.
    pub gaps: BTreeMap<Kid, Vec<(u64, u64)>>,
}

/// An output of a client whose program erases. It was ready to be sent; once it is sent, erasing is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The output's path, in the bytes of the operating system.
    pub output: Vec<u8>,
    /// The token in the temporary name that the output has until it is sent.
    pub token: u64,
    /// Whether the output replaces another file.
    pub replace: bool,
}

/// A key file in memory. Clones share the keys until one of them changes its keys, so changing
/// anything else is cheap even with many keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The role of the file's holder.
    pub role: Role,
    /// The shops that the file has keys for.
    pub shops: BTreeMap<Name, Shop>,
    /// The delivered program, at a client or shop.
    pub program: Option<Program>,
    /// Number of orders sealed directly under a lone key so far, or bytes used of a lone pad.
    pub sealed: u64,
    /// Unused pieces within the used part of a lone pad, as start and end.
    pub gaps: Vec<(u64, u64)>,
    /// At a client: outputs that were ready to be sent, by processes that have not erased yet.
    pub sent: Vec<Sent>,
    /// At a client: whether the last process that uses the file must erase it.
    pub erase_due: bool,
    /// The S-box of a lone key of the toy DES, if it is not the default one.
    pub sbox: Option<SBox>,
    keys: Arc<Vec<Jwk>>,
    /// Keys of a plain set that are not read, with their places.
    passed_over: Vec<(Place, PassedOver)>,
    index: Arc<KidMap<usize>>,
    lone: bool,
}

impl Shop {
    /// Creates a shop with no history.
    pub fn new(scheme: Scheme, suite: Suite) -> Self {
        Self {
            scheme,
            suite,
            service: None,
            issued: BTreeSet::new(),
            users: BTreeSet::new(),
            spent: BTreeSet::new(),
            erased: BTreeSet::new(),
            erased_shop_key: false,
            allotted: BTreeMap::new(),
            budget: BTreeMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// A copy of the record for another role, without the history.
    pub fn without_history(&self) -> Self {
        Self { service: self.service.clone(), ..Self::new(self.scheme, self.suite) }
    }
}

impl KeyFile {
    /// Creates a file with no keys.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            shops: BTreeMap::new(),
            program: None,
            sealed: 0,
            gaps: Vec::new(),
            sent: Vec::new(),
            erase_due: false,
            sbox: None,
            keys: Arc::default(),
            passed_over: Vec::new(),
            index: Arc::default(),
            lone: false,
        }
    }

    /// Creates a file that is a lone key.
    pub fn lone(key: impl Into<Jwk>) -> Self {
        let mut file = Self::new(Role::Plain);
        file.lone = true;
        file.push(key);
        file
    }

    /// The content cipher of a lone key that encrypts orders directly.
    pub fn direct_cipher(&self, name: &str) -> Option<Enc> {
        let enc = Enc::named(name)?;
        self.sbox.map_or(Some(enc), |sbox| enc.with_sbox(sbox))
    }

    /// Whether the file is a lone key rather than a set.
    pub fn is_lone(&self) -> bool {
        self.lone
    }

    /// The keys, in the order of the file.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The key named `kid`.
    pub fn key(&self, kid: &str) -> Option<&Jwk> {
        self.position(kid).map(|index| &self.keys[index])
    }

    /// Index in [`keys`](Self::keys) of the key named `kid`.
    pub fn position(&self, kid: &str) -> Option<usize> {
        self.index.get(kid).copied()
    }

    /// The error for a key that is not in the file.
    pub fn unknown(&self, kid: &Kid) -> KeyTrouble {
        let shops: Vec<&str> = self.shops.keys().map(Name::as_str).collect();
        let of = match shops.is_empty() {
            true => String::new(),
            false => format!(" (of {})", shops.join(", ")),
        };
        KeyTrouble::Unknown { kid: kid.to_string(), held: self.keys().len(), of }
    }

    /// The error for the key named `kid`, if it is in the file but was not read.
    pub fn passed_over(&self, kid: &str) -> Option<KeyTrouble> {
        let named = |it: &&(Place, PassedOver)| it.1.kid.as_deref() == Some(kid);
        let (place, passed_over) = self.passed_over.iter().find(named)?;
        Some(match &passed_over.why {
            Refusal::Unusable(KeyTrouble::Unsound(fault)) => {
                Unsound::Within { place: place.clone(), fault: Box::new(fault.clone()) }.into()
            }
            Refusal::Unusable(trouble) => trouble.clone(),
            Refusal::Malformed(found) => {
                Unfit::PassedOver { place: place.clone(), fault: Box::new(found.clone()) }.into()
            }
        })
    }

    /// Sets the algorithm of keys that name none, and returns whether any key is now for `alg`.
    pub fn assume_alg(&mut self, alg: &str) -> bool {
        let mut found = false;
        for key in Arc::make_mut(&mut self.keys) {
            let own = key.alg.get_or_insert_with(|| alg.to_owned());
            found |= own == alg;
        }
        found
    }

    /// The record of the shop that a key belongs to, if the file has one.
    pub fn shop_of(&self, kid: &Kid) -> Option<&Shop> {
        self.shops.get(kid.parts().0)
    }

    /// Adds a key, or replaces the key of the same name.
    pub fn push(&mut self, key: impl Into<Jwk>) {
        let key = key.into();
        let keys = Arc::make_mut(&mut self.keys);
        if let Some(kid) = &key.kid {
            match Arc::make_mut(&mut self.index).entry(kid.clone()) {
                Entry::Occupied(entry) => {
                    keys[*entry.get()] = key;
                    return;
                }
                Entry::Vacant(entry) => entry.insert(keys.len()),
            };
        }
        keys.push(key);
    }

    /// Keeps only the wanted keys, and returns the names of the removed ones.
    pub fn retain(&mut self, wanted: impl Fn(&Jwk) -> bool) -> Vec<Kid> {
        let keys = std::mem::take(Arc::make_mut(&mut self.keys));
        let (kept, removed): (Vec<_>, Vec<_>) = keys.into_iter().partition(wanted);
        let named = kept.iter().enumerate().filter_map(|(at, key)| Some((key.kid.clone()?, at)));
        self.index = Arc::new(named.collect());
        self.keys = Arc::new(kept);
        removed.into_iter().filter_map(|key| key.kid).collect()
    }

    /// Erases keys and records their names as erased; returns the names.
    pub fn erase_keys(&mut self, chosen: impl Fn(&Jwk) -> bool) -> Vec<Kid> {
        let removed = self.retain(|key| !chosen(key));
        removed.iter().for_each(|kid| self.remember_erased(kid));
        removed
    }

    /// Erases what a client's program erases after sending.
    pub fn erase(&mut self, what: Erase) {
        match what {
            Erase::Keys => {
                self.erase_keys(|_| true);
            }
            Erase::Programs => self.program = None,
            Erase::All => {
                self.erase_keys(|_| true);
                self.program = None;
            }
        }
    }

    /// Records that the key named `kid` was erased from this file.
    pub fn remember_erased(&mut self, kid: &Kid) {
        if let Some(shop) = self.shops.get_mut(&kid.shop()) {
            match kid.id() {
                Some(id) => {
                    shop.erased.insert(id);
                }
                None => shop.erased_shop_key = true,
            }
        }
    }

    /// Whether the key named `kid` was erased from this file.
    pub fn was_erased(&self, kid: &Kid) -> bool {
        self.shop_of(kid).is_some_and(|shop| match kid.parts() {
            (_, Some(id)) => shop.erased.contains(id),
            (_, None) => shop.erased_shop_key,
        })
    }

    /// Whether any key was erased from this file.
    pub fn has_erased(&self) -> bool {
        self.shops.values().any(|shop| shop.erased_shop_key || !shop.erased.is_empty())
    }

    /// Whether a process that used the file has sent but not erased yet.
    pub fn is_unfinished(&self) -> bool {
        self.erase_due || !self.sent.is_empty()
    }

    /// Whether the file contains a key that can decrypt.
    pub fn has_secrets(&self) -> bool {
        self.keys.iter().any(|key| key.material.is_secret())
    }

    /// Returns the shop named `wanted`, or the only shop of the file.
    ///
    /// # Errors
    /// [`KeyTrouble::UnknownShop`], or [`Error::Usage`] if there are several shops and none was chosen.
    pub fn shop_named(&self, wanted: Option<&Name>, place: &Place) -> Result<(&Name, &Shop)> {
        match wanted {
            Some(name) => self.shops.get_key_value(name).ok_or_else(|| {
                let held = self.shops.keys().cloned().collect();
                Error::key(place, KeyTrouble::UnknownShop { wanted: name.clone(), held })
            }),
            None => {
                let mut shops = self.shops.iter();
                match (shops.next(), shops.next()) {
                    (Some(only), None) => Ok(only),
                    (None, _) => Err(Error::key(place, KeyTrouble::Missing("key of any shop"))),
                    _ => Err(Misuse::SeveralShops {
                        file: place.to_string(),
                        shops: self.shops.len(),
                    }
                    .into()),
                }
            }
        }
    }

    /// Refuses keys from a repeatable source, and weak algorithms, unless they are allowed.
    ///
    /// # Errors
    /// [`KeyTrouble::Marked`] and [`KeyTrouble::Weak`].
    pub fn refuse_weak(&self, allow_weak: bool, place: &Place) -> Result<()> {
        self.refuse_marked(allow_weak, place)?;
        match self.weak_algorithm().filter(|_| !allow_weak) {
            Some(name) => Err(Error::key(place, KeyTrouble::Weak(name))),
            None => Ok(()),
        }
    }

    /// Refuses keys from a repeatable source unless they are allowed.
    ///
    /// # Errors
    /// [`KeyTrouble::Marked`].
    pub fn refuse_marked(&self, allow_weak: bool, place: &Place) -> Result<()> {
        match self.keys.iter().find(|key| key.origin != Origin::System && !allow_weak) {
            Some(key) => {
                let kid = key.kid.as_ref().map_or("without a name".to_owned(), Kid::to_string);
                Err(Error::key(place, KeyTrouble::Marked { kid, origin: key.origin }))
            }
            None => Ok(()),
        }
    }

    /// A weak algorithm that a key of this file is for, if there is one.
    pub fn weak_algorithm(&self) -> Option<&'static str> {
        let of_shops = self.shops.values().find_map(|shop| shop.suite.weak());
        let weak = |name: &str| {
            let enc = Enc::named(name).filter(|enc| enc.is_weak()).map(Enc::name);
            enc.or_else(|| {
                WrapAlgorithm::named(name).filter(|wrap| wrap.is_weak()).map(WrapAlgorithm::name)
            })
        };
        of_shops.or_else(|| self.keys.iter().find_map(|key| weak(key.alg.as_deref()?)))
    }

    /// Checks that the file has one of these roles.
    ///
    /// # Errors
    /// [`KeyTrouble::Role`].
    pub fn require(&self, roles: &[Role], expected: Role, place: &Place) -> Result<()> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        Err(Error::key(place, KeyTrouble::Role { found: self.role, expected }))
    }
}

#[cfg(test)]
mod tests;
