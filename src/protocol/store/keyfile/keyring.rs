//! The service's keyring: the keys of all shops, and what was handed out.

use std::collections::BTreeMap;
use std::ops::Bound;

use rand::Rng;
use serde_json::{Value, json};

use super::shop::{choose, unknown_shop};
use super::{
    AnyKeys, IV_BUDGET, Issued, KeyHolder, KeySet, Keys, Shop, VERSION_WITH_SIGNING, write,
};
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::jwk::Material;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jose::tree::TreeId;
use crate::protocol::model::{Kid, Name, Place, Result, Role, Scheme, ShopName, Suite};
use crate::protocol::store::FileNumber;
use crate::protocol::store::trees::{HeldTree, ServiceTree, Trees};

/// The service's keyring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyring {
    /// The shops, each with a record for every generation of its keys.
    pub shops: BTreeMap<ShopName, Account>,
    /// The keys of all shops.
    pub keys: Keys<Material>,
    /// The service's key for signing what it hands out over the network, once it was needed. It does
    /// not stand among the keys for orders: no bundle and no export has it.
    pub signing: Option<Box<SigningKey>>,
    /// The numbers of the tokens with which shops may fetch their keys over the network, one each. A program
    /// that does not know them drops them, and then no token is taken.
    pub fetch_tokens: BTreeMap<Name, FileNumber>,
}

/// A keyring's record of a shop and of what was handed out to its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The shop.
    pub shop: Shop,
    /// Trees that derive transaction keys.
    pub trees: Trees<ServiceTree>,
    /// Listed transaction ids that were handed out.
    pub issued: Issued,
    /// For each key with a budget, the amount given to clients.
    pub allotted: BTreeMap<Kid, u64>,
    /// Whether the shop makes its pairs itself: the keyring then has their public halves alone.
    pub own_pairs: bool,
}

impl Account {
    /// Creates the record of a shop to whose clients nothing was handed out.
    pub fn new(scheme: Scheme, suite: Suite) -> Self {
        let shop = Shop::new(scheme, suite);
        Self {
            shop,
            trees: Trees::new(),
            issued: Issued::default(),
            allotted: BTreeMap::new(),
            own_pairs: false,
        }
    }
}

impl Keyring {
    /// Creates a keyring with no shops.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key for signing what is handed out, which is made if there is none yet.
    pub fn signing_key(&mut self, random: &mut KeyStream) -> &SigningKey {
        self.signing.get_or_insert_with(|| Box::new(SigningKey::random(random)))
    }

    /// Sets a new number for the token with which a shop fetches its keys: earlier tokens end.
    pub fn renew_fetch_token(&mut self, shop: &Name, random: &mut KeyStream) -> FileNumber {
        let mut number = [0; 16];
        random.fill_bytes(&mut number);
        let number = FileNumber(number);
        self.fetch_tokens.insert(shop.clone(), number);
        number
    }

    /// The shop named `wanted`, or the only one, with the newest generation of its keys.
    ///
    /// # Errors
    /// As [`KeyHolder::choose_shop`].
    pub fn account(&self, wanted: Option<&Name>, place: &Place) -> Result<(&ShopName, &Account)> {
        match wanted.and_then(|wanted| self.generations(wanted).next_back()) {
            Some(found) => Ok(found),
            None => choose(self.shops.iter(), wanted, place),
        }
    }

    /// The record of a generation.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`](crate::protocol::model::KeyError::UnknownShop).
    pub fn record(&self, name: &ShopName, place: &Place) -> Result<&Account> {
        let found = self.shops.get(name);
        found.ok_or_else(|| unknown_shop(&name.name(), self.shops.keys(), place))
    }

    /// The record of a generation, to be changed.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn record_mut(&mut self, name: &ShopName, place: &Place) -> Result<&mut Account> {
        self.record(name, place)?;
        Ok(self.shops.get_mut(name).expect("it was found"))
    }

    /// The newest generation of a shop's keys, or the first if it has none yet.
    pub fn newest(&self, shop: &Name) -> ShopName {
        let newest = self.generations(shop).next_back();
        newest.map_or_else(|| ShopName::first(shop), |(name, _)| name.clone())
    }

    /// The generations of a shop's keys, the oldest first.
    pub fn generations(
        &self,
        shop: &Name,
    ) -> impl DoubleEndedIterator<Item = (&ShopName, &Account)> + use<'_> {
        let first = self.shops.get_key_value(shop.as_str());
        // No other name has an `@`, and names begin with none of the bytes around it.
        let (from, to) = (format!("{shop}@"), format!("{shop}A"));
        let range = (Bound::Included(from.as_str()), Bound::Excluded(to.as_str()));
        let mut later: Vec<_> = self.shops.range::<str, _>(range).collect();
        later.sort_unstable_by_key(|(name, _)| name.generation());
        first.into_iter().chain(later)
    }
}

impl KeyHolder for Keyring {
    fn role(&self) -> Role {
        Role::Service
    }

    fn all_keys(&self) -> &dyn AnyKeys {
        &self.keys
    }

    fn can_sign(&self) -> bool {
        self.signing.is_some()
    }

    fn shops(&self) -> Box<dyn Iterator<Item = (&ShopName, &Shop)> + '_> {
        Box::new(self.shops.iter().map(|(name, account)| (name, &account.shop)))
    }

    fn shop_named(&self, name: &str) -> Option<&Shop> {
        self.shops.get(name).map(|account| &account.shop)
    }

    fn trees(&self) -> Box<dyn Iterator<Item = (&ShopName, &dyn HeldTree)> + '_> {
        let trees = self.shops.iter().map(|(name, account)| {
            account.trees.values().map(move |tree| (name, tree as &dyn HeldTree))
        });
        Box::new(trees.flatten())
    }

    fn tree(&self, shop: &str, id: TreeId) -> Option<&dyn HeldTree> {
        self.shops.get(shop)?.trees.get(&id).map(|tree| tree as &dyn HeldTree)
    }

    fn member(&self) -> Option<Value> {
        Some(keyring(self))
    }

    fn member_when_used(&self) -> Option<Value> {
        let mut used = self.clone();
        for kid in self.keys.names() {
            let Some(account) = used.shops.get_mut(kid.parts().0) else { continue };
            let suite = account.shop.suite;
            match kid.id().filter(|_| !account.shop.is_reusable(kid)) {
                Some(id) => account.issued.insert(id),
                None if suite.has_budget() || suite.enc().takes_pad() => {
                    account.allotted.insert(kid.clone(), IV_BUDGET);
                }
                None => {}
            }
        }
        used.member()
    }
}

impl KeySet for Keyring {
    fn retain(&mut self, wanted: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        // Other keys are in their places now.
        self.shops.values_mut().for_each(|account| account.issued.look_from(0));
        self.keys.retain(wanted)
    }

    fn for_each_tree(&mut self, change: &mut dyn FnMut(&ShopName, &mut dyn HeldTree)) {
        for (name, account) in &mut self.shops {
            for tree in account.trees.values_mut() {
                change(name, tree);
            }
        }
    }

    fn shop_named_mut(&mut self, name: &str) -> Option<&mut Shop> {
        self.shops.get_mut(name).map(|account| &mut account.shop)
    }
}

fn keyring(file: &Keyring) -> Value {
    let shops = file.shops.iter().map(|(name, account)| (name.to_string(), of_account(account)));
    let mut member = write::member(Role::Service, shops.collect());
    if let Some(key) = &file.signing {
        member["signing"] = key.to_jwk();
        member["version"] = json!(VERSION_WITH_SIGNING);
    }
    if !file.fetch_tokens.is_empty() {
        let numbers = file.fetch_tokens.iter();
        let numbers = numbers.map(|(shop, number)| (shop.to_string(), json!(number.to_string())));
        member["fetch_tokens"] = Value::Object(numbers.collect());
    }
    member
}

fn of_account(account: &Account) -> Value {
    let mut value = write::of_shop(&account.shop);
    write::add_trees(&mut value, &account.trees);
    write::add_names(&mut value, "issued", account.issued.iter());
    write::add_counts(&mut value, "allotted", &account.allotted);
    if account.own_pairs {
        value["own_pairs"] = json!(true);
    }
    value
}
