//! What the service hands out: the bundles of shops and clients.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::holder::text;
use super::{
    AnyKeys, FileText, JOURNALED, KeyHolder, KeySet, Keys, MAX_KEY_FILE, Shop, Signer,
    VERSION_WITH_DATES, VERSION_WITH_JOURNAL, write,
};
use crate::ciphers::base64url;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::jwk::{DecryptingKey, EncryptingKey, Jwk};
use crate::protocol::jose::tree::TreeId;
use crate::protocol::model::{
    ClientProgram, Erase, Kid, Name, Place, Result, Role, Scheme, Scope, ShopName, ShopProgram,
};
use crate::protocol::store::FileNumber;
use crate::protocol::store::trees::{ClientTree, HeldTree, TreePart, Trees};

/// A shop's bundle: its decrypting keys, and perhaps a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopBundle {
    /// The shop's name.
    pub name: Name,
    /// The generations of its keys, at least one, all of one scheme.
    pub generations: BTreeMap<ShopName, Generation>,
    /// The program.
    pub program: Option<ShopProgram>,
    /// Whether the program was erased: then the keys open nothing until there is one again.
    pub program_erased: bool,
    /// The keys of all generations.
    pub keys: Keys<DecryptingKey>,
    /// The ledger with which its orders are opened, if they are opened with one.
    pub ledger: Option<FileNumber>,
}

/// A shop's record of one generation of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The shop.
    pub shop: Shop,
    /// Trees that derive transaction keys.
    pub trees: Trees<TreePart>,
}

/// A client's bundle: keys that encrypt orders for one shop, and a program. It never holds a key
/// that decrypts orders, unless that is the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientBundle {
    /// The shop's name, and the generation of its keys.
    pub name: ShopName,
    /// The shop.
    pub shop: Shop,
    /// The program, if it was not erased.
    pub program: Option<ClientProgram>,
    /// The keys.
    pub keys: Keys<EncryptingKey>,
    /// Trees that derive transaction keys.
    pub trees: Trees<ClientTree>,
    /// Listed transaction ids that have sealed an order.
    pub spent: BTreeSet<Name>,
    /// For each key with a budget, the number of orders that it may still seal.
    pub budget: BTreeMap<Kid, u64>,
    /// For each pad, the unused pieces before the remaining part, as start and end.
    pub gaps: BTreeMap<Kid, Vec<(u64, u64)>>,
    /// Outputs that were ready to be sent, by processes that have not erased yet.
    pub sent: Vec<Sent>,
    /// Whether the last process that uses the file must erase it.
    pub erase_due: bool,
    /// The end of the journal whose spent ids were moved to `spent`.
    pub absorbed: Option<JournalEnd>,
    /// The key that signs batches.
    pub signer: Option<Box<Signer>>,
}

/// The check value at the end of a journal of spent ids.
pub type JournalEnd = [u8; 32];

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

impl ShopBundle {
    /// Creates a bundle of one generation, with no keys and no program.
    pub fn new(name: ShopName, shop: Shop) -> Self {
        let generation = Generation { shop, trees: Trees::new() };
        Self {
            generations: BTreeMap::from([(name.clone(), generation)]),
            name: name.name(),
            program: None,
            program_erased: false,
            keys: Keys::default(),
            ledger: None,
        }
    }

    /// The scheme of all generations.
    pub fn scheme(&self) -> Scheme {
        let mut generations = self.generations.values();
        generations.next().expect("there is at least one").shop.scheme
    }

    /// Whether any generation has a tree.
    pub fn has_trees(&self) -> bool {
        self.generations.values().any(|generation| !generation.trees.is_empty())
    }
}

impl ClientBundle {
    /// Creates a bundle with no keys and no program.
    pub fn new(name: ShopName, shop: Shop) -> Self {
        Self {
            name,
            shop,
            program: None,
            keys: Keys::default(),
            trees: Trees::new(),
            spent: BTreeSet::new(),
            budget: BTreeMap::new(),
            gaps: BTreeMap::new(),
            sent: Vec::new(),
            erase_due: false,
            absorbed: None,
            signer: None,
        }
    }

    /// Whether the spent ids are so many that they belong in a journal. A program that erases uses
    /// the bundle only once, and one that signs records every batch in it.
    pub fn wants_journal(&self) -> bool {
        let listed = self.shop.scheme.scope == Scope::Transaction && self.trees.is_empty();
        let once = self.erases().is_some() || self.signer.is_some();
        let single = listed && self.shop.users.is_empty() && !once;
        single && self.keys.len() >= JOURNALED && !self.is_unfinished()
    }

    /// Serializes the bundle with its spent ids in the journal of this number, which are not in
    /// `spent`.
    ///
    /// # Errors
    /// As [`KeyHolder::text`].
    pub fn text_with(&self, journal: FileNumber, place: &Place) -> Result<FileText<'_>> {
        let mut member = client_bundle(&Self { absorbed: None, ..self.clone() });
        let version = member["version"].as_u64().unwrap_or_default().max(VERSION_WITH_JOURNAL);
        member["version"] = json!(version);
        member["journal"] = json!(journal.to_string());
        text(self, Some(member), MAX_KEY_FILE, place)
    }

    /// Part of the file that the program erases after sending.
    pub fn erases(&self) -> Option<Erase> {
        self.program.and_then(|program| program.erase)
    }

    /// Erases what the program erases after sending.
    pub fn erase(&mut self, what: Erase) {
        match what {
            Erase::Keys => drop(self.erase_all_keys()),
            Erase::Programs => self.program = None,
            Erase::All => {
                self.erase_all_keys();
                self.program = None;
            }
        }
    }

    /// The bundle with all keys listed, those of trees derived.
    pub fn with_listed_keys(&self) -> Self {
        let mut listed = self.clone();
        listed.trees.clear();
        for key in self.trees.values().flat_map(|tree| tree.part().keys(&self.name)) {
            listed.keys.push(key.into_encrypting_half());
        }
        listed
    }

    /// Whether a process that used the file has sent but not erased yet.
    pub fn is_unfinished(&self) -> bool {
        self.erase_due || !self.sent.is_empty()
    }
}

impl KeyHolder for ShopBundle {
    fn role(&self) -> Role {
        Role::Shop
    }

    fn all_keys(&self) -> &dyn AnyKeys {
        &self.keys
    }

    fn shops(&self) -> Box<dyn Iterator<Item = (&ShopName, &Shop)> + '_> {
        Box::new(self.generations.iter().map(|(name, generation)| (name, &generation.shop)))
    }

    fn shop_named(&self, name: &str) -> Option<&Shop> {
        self.generations.get(name).map(|generation| &generation.shop)
    }

    fn trees(&self) -> Box<dyn Iterator<Item = (&ShopName, &dyn HeldTree)> + '_> {
        let trees = self.generations.iter().map(|(name, generation)| {
            generation.trees.values().map(move |tree| (name, tree as &dyn HeldTree))
        });
        Box::new(trees.flatten())
    }

    fn tree(&self, shop: &str, id: TreeId) -> Option<&dyn HeldTree> {
        self.generations.get(shop)?.trees.get(&id).map(|tree| tree as &dyn HeldTree)
    }

    fn member(&self) -> Option<Value> {
        Some(shop_bundle(self))
    }
}

impl KeySet for ShopBundle {
    fn retain(&mut self, wanted: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        self.keys.retain(wanted)
    }

    fn for_each_tree(&mut self, change: &mut dyn FnMut(&ShopName, &mut dyn HeldTree)) {
        for (name, generation) in &mut self.generations {
            generation.trees.values_mut().for_each(|tree| change(name, tree));
        }
    }

    fn shop_named_mut(&mut self, name: &str) -> Option<&mut Shop> {
        self.generations.get_mut(name).map(|generation| &mut generation.shop)
    }

    fn has_program(&self) -> bool {
        self.program.is_some()
    }

    fn erase_program(&mut self) -> Vec<Kid> {
        self.program_erased |= self.program.is_some();
        match self.program.take() {
            Some(ShopProgram { built_in: Some(_), .. }) => self.erase_all_keys(),
            Some(ShopProgram { built_in: None, .. }) | None => Vec::new(),
        }
    }
}

impl KeyHolder for ClientBundle {
    fn role(&self) -> Role {
        Role::Client
    }

    fn all_keys(&self) -> &dyn AnyKeys {
        &self.keys
    }

    fn shops(&self) -> Box<dyn Iterator<Item = (&ShopName, &Shop)> + '_> {
        Box::new(std::iter::once((&self.name, &self.shop)))
    }

    fn trees(&self) -> Box<dyn Iterator<Item = (&ShopName, &dyn HeldTree)> + '_> {
        Box::new(self.trees.values().map(|tree| (&self.name, tree as &dyn HeldTree)))
    }

    fn tree(&self, shop: &str, id: TreeId) -> Option<&dyn HeldTree> {
        let tree = self.trees.get(&id).filter(|_| self.name.as_str() == shop);
        tree.map(|tree| tree as &dyn HeldTree)
    }

    fn member(&self) -> Option<Value> {
        Some(client_bundle(self))
    }

    fn has_secrets(&self) -> bool {
        let nodes = self.trees.values().any(|tree| !tree.part().nodes().is_empty());
        let secret = |key: &Jwk<EncryptingKey>| key.view().material.is_secret();
        nodes || self.signer.is_some() || self.keys.iter().any(secret)
    }

    fn member_when_used(&self) -> Option<Value> {
        let mut used = self.clone();
        let single = self.keys.names().filter(|kid| !self.shop.is_reusable(kid));
        used.spent.extend(single.filter_map(Kid::id));
        used.member()
    }
}

impl KeySet for ClientBundle {
    fn retain(&mut self, wanted: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        self.keys.retain(wanted)
    }

    fn for_each_tree(&mut self, change: &mut dyn FnMut(&ShopName, &mut dyn HeldTree)) {
        for tree in self.trees.values_mut() {
            change(&self.name, tree);
        }
    }

    fn shop_named_mut(&mut self, name: &str) -> Option<&mut Shop> {
        (self.name.as_str() == name).then_some(&mut self.shop)
    }

    fn has_program(&self) -> bool {
        self.program.is_some()
    }

    fn erase_program(&mut self) -> Vec<Kid> {
        self.program = None;
        Vec::new()
    }

    fn erase_all_keys(&mut self) -> Vec<Kid> {
        self.signer = None;
        self.erase_listed_and_derived()
    }
}

fn shop_bundle(file: &ShopBundle) -> Value {
    let shops = file.generations.iter().map(|(name, generation)| {
        let mut shop = write::of_shop(&generation.shop);
        write::add_trees(&mut shop, &generation.trees);
        (name.to_string(), shop)
    });
    let mut value = write::member(Role::Shop, shops.collect());
    if let Some(own) = &file.program {
        let mut program = write::program(own.steps());
        if let Some(kids) = &own.built_in {
            program["built_in"] = kids.iter().map(Kid::as_str).collect();
        }
        value["program"] = program;
    }
    if file.program_erased {
        value["program_erased"] = json!(true);
        value["version"] = json!(VERSION_WITH_DATES);
    }
    if let Some(number) = file.ledger {
        value["ledger"] = json!(number.to_string());
    }
    value
}

fn client_bundle(file: &ClientBundle) -> Value {
    let shops = [(file.name.to_string(), of_shop_at_client(file))];
    let mut value = write::member(Role::Client, Object::from_iter(shops));
    if let Some(own) = file.program {
        let mut program = write::program(own.steps());
        program["run"] = json!(own.run.name());
        if own.layers > 1 {
            program["layers"] = json!(own.layers);
        }
        if let Some(erase) = own.erase {
            program["erase"] = json!(erase.name());
        }
        value["program"] = program;
    }
    if !file.sent.is_empty() {
        value["sent"] = file.sent.iter().map(of_sent).collect();
    }
    if file.erase_due {
        value["erase_due"] = json!(true);
    }
    if let Some(end) = file.absorbed {
        value["absorbed"] = json!(base64url::encode_to_string(&end));
    }
    if let Some(signer) = &file.signer {
        value["signer"] = signer.to_json();
    }
    value
}

fn of_shop_at_client(file: &ClientBundle) -> Value {
    let mut value = write::of_shop(&file.shop);
    write::add_trees(&mut value, &file.trees);
    write::add_names(&mut value, "spent", &file.spent);
    write::add_counts(&mut value, "budget", &file.budget);
    if !file.gaps.is_empty() {
        let gaps = file.gaps.iter().map(|(kid, gaps)| (kid.to_string(), json!(gaps)));
        value["gaps"] = gaps.collect();
    }
    value
}

fn of_sent(sent: &Sent) -> Value {
    json!({
        "output": base64url::encode_to_string(&sent.output),
        "token": sent.token,
        "replace": sent.replace,
    })
}
