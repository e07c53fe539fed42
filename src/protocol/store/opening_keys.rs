//! The keys with which a shop opens orders.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwe::{Algorithms, Failure, Header, KeyNumber, OpeningKey, headers_of};
use crate::protocol::jose::jwk::{Jwk, JwkRef};
use crate::protocol::jose::password::OpeningPassword;
use crate::protocol::jose::tree::{LeafId, TreeId};
use crate::protocol::model::{
    Alg, Dates, Error, KeyError, Kid, Member, Misuse, Place, Result, Role, Scope, ShopName, Suite,
    Time, Unfit, Unimplemented,
};
use crate::protocol::store::keyfile::{
    AnyKeys, KeyFile, KeyHolder, Keyring, PlainFile, Shop, ShopBundle, Standing,
};
use crate::protocol::store::trees::TreePart;
use crate::protocol::store::uses::{PadSlots, TreeSlots, Use};

type Checked<T> = std::result::Result<T, KeyError>;

/// Keys by name, each with its algorithms.
///
/// A name selects exactly one key; keys are never tried one after another. Keys stay in their
/// files, which already have an index by name: at transaction scope there are as many keys as
/// orders, so any work per key matters.
#[derive(Debug, Default)]
pub struct OpeningKeys {
    files: Vec<Held>,
    /// A password in place of all keys.
    password: Option<OpeningPassword>,
    /// Number of keys that are also in an earlier file, which takes precedence.
    repeated: usize,
    /// The key for lines that name no key.
    unnamed: Option<KeyNumber>,
    /// Number of plain files with a single key that opens orders.
    lone: usize,
    allow_weak: bool,
    /// The time, if keys that have expired open nothing.
    in_date: Option<Time>,
    /// Users who were revoked according to one file, and whose keys another one has.
    revoked: BTreeSet<Kid>,
    /// The trees of all files.
    trees: Vec<TreeAt>,
    /// Indices of the trees whose leaves have names that begin with the same shop and identifier.
    trees_by_name: BTreeMap<String, Vec<usize>>,
    /// The shops of all keys in words, computed when first needed.
    shops: OnceLock<String>,
}

/// A tree of one of the files.
#[derive(Debug)]
struct TreeAt {
    /// Index of the file.
    file: usize,
    shop: ShopName,
    id: TreeId,
    /// What a ledger calls its leaves.
    slots: TreeSlots,
}

/// A key file that opens orders.
#[derive(Debug, Clone)]
pub enum OpeningFile {
    /// A lone key or a plain set that the user chose to open orders with.
    Plain(Arc<PlainFile>),
    /// The service's keyring.
    Keyring(Arc<Keyring>),
    /// A shop's bundle.
    Shop(Arc<ShopBundle>),
}

/// A key file, with the number of its first key in the numbering over all files.
#[derive(Debug)]
struct Held {
    file: OpeningFile,
    first: usize,
    /// Number of its keys.
    count: usize,
}

impl Held {
    /// The names of the keys of revoked users, none of which the file has.
    fn revoked(&self) -> impl Iterator<Item = Kid> {
        self.file.holder().shops().flat_map(|(name, shop)| {
            shop.users_with(Standing::Revoked).map(move |user| Kid::of_id(name, user))
        })
    }
}

impl TreeAt {
    fn new(file: usize, shop: ShopName, id: TreeId) -> Self {
        let slots = TreeSlots::new(&leaf_names(shop.as_str(), id));
        Self { file, shop, id, slots }
    }

    /// The beginning of the names of its leaves.
    fn name(&self) -> String {
        leaf_names(self.shop.as_str(), self.id)
    }
}

/// The beginning of the names of a tree's leaves.
fn leaf_names(shop: &str, id: TreeId) -> String {
    format!("{shop}/{id}.")
}

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

impl OpeningFile {
    /// The key file as one that opens orders.
    ///
    /// # Errors
    /// [`KeyError::Role`] for a client's file.
    pub fn of(file: KeyFile, place: &Place) -> Result<Self> {
        match file {
            KeyFile::Plain(file) => Ok(Self::Plain(Arc::new(file))),
            KeyFile::Keyring(file) => Ok(Self::Keyring(Arc::new(file))),
            KeyFile::Shop(file) => Ok(Self::Shop(Arc::new(file))),
            KeyFile::Client(_) => Err(file.other_than(Role::Shop, place)),
        }
    }

    /// The key file as one of a shop or of the service.
    ///
    /// # Errors
    /// [`KeyError::Role`] for any other file.
    pub fn of_shop(file: KeyFile, place: &Place) -> Result<Self> {
        match file {
            KeyFile::Plain(_) => Err(file.other_than(Role::Shop, place)),
            KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => Self::of(file, place),
        }
    }

    /// What files of all kinds have in common.
    pub fn holder(&self) -> &dyn KeyHolder {
        match self {
            Self::Plain(file) => file.holder(),
            Self::Keyring(file) => &**file,
            Self::Shop(file) => &**file,
        }
    }

    fn keys(&self) -> &dyn AnyKeys {
        match self {
            Self::Plain(file) => file.holder().all_keys(),
            Self::Keyring(file) => &file.keys,
            Self::Shop(file) => &file.keys,
        }
    }
}

impl OpeningKeys {
    /// Creates an empty set. Keys that do not name a content cipher open orders under a weak one
    /// only if `allow_weak` is set.
    pub fn new(allow_weak: bool) -> Self {
        Self { allow_weak, ..Self::default() }
    }

    /// Refuses orders under keys that have expired at this time; otherwise they open.
    #[must_use]
    pub fn in_date(self, now: Time) -> Self {
        Self { in_date: Some(now), ..self }
    }

    /// Creates a set of a password alone, which opens every order whose key was derived from it,
    /// whatever key the order names. It opens orders under a weak cipher only if `allow_weak` is set.
    pub fn of_password(password: OpeningPassword, allow_weak: bool) -> Self {
        Self { password: Some(password), ..Self::new(allow_weak) }
    }

    /// Adds the keys of a file.
    ///
    /// # Errors
    /// [`KeyError::Conflict`] if another key has the same name; [`KeyError::Missing`] if the file
    /// has no keys; the error for the first key of a plain file if none of its keys can open orders.
    pub fn add(&mut self, file: OpeningFile, place: &Place) -> Result<()> {
        let (first, repeated) = (self.numbers(), self.count_repeated(&file, place)?);
        match &file {
            OpeningFile::Plain(file) => {
                let in_date = self.in_date.map_or(Ok(()), |now| file.check_expiry(now));
                in_date.map_err(|error| Error::key(place, error))?;
                let single = single_key(file).map_err(|error| Error::key(place, error))?;
                if let (Some(index), 0) = (single, repeated) {
                    if file.keys()[index].kid.is_none() && self.unnamed.is_some() {
                        return Err(Misuse::SecondUnnamedKey.into());
                    }
                    // With two lone keys, neither is chosen for lines that name no key.
                    let number = KeyNumber::Listed(first + index);
                    self.unnamed = (self.lone == 0).then_some(number);
                    self.lone += 1;
                }
            }
            OpeningFile::Shop(file) if file.program_erased => {
                let missing = KeyError::Missing("program any more: it was erased");
                return Err(Error::key(place, missing));
            }
            OpeningFile::Keyring(_) | OpeningFile::Shop(_) => {}
        }
        let trees = self.trees_of(&file, place)?;
        let count = file.keys().count();
        let empty = count == 0 && trees.is_empty();
        self.repeated += repeated;
        self.shops.take();
        self.files.push(Held { file, first, count });
        for tree in trees {
            self.trees_by_name.entry(tree.name()).or_default().push(self.trees.len());
            self.trees.push(tree);
        }
        self.note_revoked();
        if empty && !self.files.iter().any(|held| held.file.holder().has_erased()) {
            return Err(Error::key(place, KeyError::Missing("key at all")));
        }
        Ok(())
    }

    /// Notes users whom the last file revokes and an earlier one has a key of, or the other way round.
    fn note_revoked(&mut self) {
        let Some((last, earlier)) = self.files.split_last() else { return };
        let by_last = last.revoked().filter(|kid| self.listed(kid.as_str()).is_some());
        let by_earlier = earlier.iter().flat_map(Held::revoked);
        let by_earlier = by_earlier.filter(|kid| last.file.keys().position(kid.as_str()).is_some());
        let found: Vec<Kid> = by_last.chain(by_earlier).collect();
        self.revoked.extend(found);
    }

    /// Chooses the key for lines that name no key.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], and the errors for a line that names the key.
    pub fn choose_for_unnamed(&mut self, kid: &Kid) -> std::result::Result<(), KeyError> {
        let number = self.position(kid.as_str()).ok_or_else(|| self.unknown(kid.as_str()))?;
        self.check_date(kid.as_str())?;
        self.unnamed = Some(number);
        Ok(())
    }

    /// The trees of a file that is added to the set.
    ///
    /// # Errors
    /// [`KeyError::Conflict`] if another file has a tree with the same name and other keys.
    fn trees_of(&self, file: &OpeningFile, place: &Place) -> Result<Vec<TreeAt>> {
        let backend = Backend::detect();
        let mut trees = Vec::new();
        for (shop, tree) in file.holder().trees() {
            let (part, id) = (tree.part(), tree.part().tree().id());
            let tree = TreeAt::new(self.files.len(), shop.clone(), id);
            for &own in self.trees_by_name.get(&tree.name()).into_iter().flatten() {
                let own = self.tree(own);
                if own.nodes().intersection(backend, part.nodes()).is_err() {
                    let name = format!("{shop}/{id}");
                    return Err(Error::key(place, KeyError::Conflict(name)));
                }
            }
            trees.push(tree);
        }
        Ok(trees)
    }

    /// Number of keys of a file that are already in the set.
    fn count_repeated(&self, file: &OpeningFile, place: &Place) -> Result<usize> {
        let mut repeated = 0;
        for key in file.keys().views().filter(|_| !self.files.is_empty()) {
            let Some(kid) = key.kid else { continue };
            match self.listed(kid.as_str()) {
                Some(held) if self.has_alike(held, key) => repeated += 1,
                Some(_) => return Err(Error::key(place, KeyError::Conflict(kid.to_string()))),
                None => {}
            }
        }
        Ok(repeated)
    }

    /// Whether one of the keys with the name of a held key is the same as another one.
    fn has_alike(&self, number: usize, other: JwkRef<'_>) -> bool {
        let alike = self.alike(number);
        let mut alike = alike.iter().copied().chain([number]);
        alike.any(|number| self.key(number).material == other.material)
    }

    /// The numbers of all keys of the same file with the name of a key, if there are several.
    fn alike(&self, number: usize) -> Vec<usize> {
        let held = self.held(number);
        let alike = held.file.keys().alike(number - held.first);
        alike.iter().map(|index| held.first + index).collect()
    }

    /// Whether a key is missing that may yet come: one of a shop whose keys are here, and that was neither erased
    /// nor revoked.
    pub fn lacks(&self, kid: &Kid) -> bool {
        let Some(shop) = kid.shop().map(|shop| shop.name()) else { return false };
        let mut shops = self.files.iter().flat_map(|held| held.file.holder().shops());
        let is_missing = match self.find(Some(kid.as_str()), usize::MAX) {
            Err(KeyError::Unknown { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        is_missing && shops.any(|(own, _)| own.name() == shop)
    }

    /// Number of key numbers, which is more than [`len`](Self::len) if some keys are repeated.
    pub fn numbers(&self) -> usize {
        self.files.last().map_or(0, |held| held.first + held.count)
    }

    /// Number of different keys.
    pub fn len(&self) -> usize {
        self.numbers() - self.repeated
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether opening a line may take long: with an RSA pair, or a password.
    pub fn is_slow(&self) -> bool {
        let mut keys = self.files.iter().flat_map(|held| held.file.keys().views());
        self.password.is_some() || keys.any(|key| key.material.rsa_pair().is_some())
    }

    /// The name of a key, for counts and reports.
    pub fn name(&self, number: KeyNumber) -> Option<Cow<'_, Kid>> {
        match number {
            KeyNumber::Listed(number) => self.listed_name(number).map(Cow::Borrowed),
            KeyNumber::Derived { tree, leaf } => {
                let TreeAt { shop, id, .. } = &self.trees[tree];
                let leaf = LeafId { tree: *id, leaf };
                Some(Cow::Owned(Kid::of_id(shop, &leaf.name())))
            }
            KeyNumber::Password => None,
        }
    }

    /// The shop that the key belongs to, if the key file has it.
    pub fn shop(&self, number: KeyNumber) -> Option<ShopName> {
        match number {
            KeyNumber::Listed(number) => {
                let (held, kid) = (self.held(number), self.listed_name(number)?);
                held.file.holder().shop_of(kid).and_then(|_| kid.shop())
            }
            KeyNumber::Derived { tree, .. } => Some(self.trees[tree].shop.clone()),
            KeyNumber::Password => None,
        }
    }

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

    /// Tree and leaf of the key for lines that name no key, if that is a derived key.
    pub(super) fn unnamed_leaf(&self) -> Option<(usize, u32)> {
        match self.unnamed? {
            KeyNumber::Listed(_) | KeyNumber::Password => None,
            KeyNumber::Derived { tree, leaf } => Some((tree, leaf)),
        }
    }

    /// The key for a line that names `kid`, or no key.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn find(&self, kid: Option<&str>, guess: usize) -> Checked<KeyNumber> {
        if self.password.is_some() {
            return Ok(KeyNumber::Password);
        }
        let Some(kid) = kid else { return self.unnamed.ok_or(KeyError::Unnamed) };
        let plain = self.repeated == 0 && self.revoked.is_empty() && self.in_date.is_none();
        let guessed = plain && guess < self.numbers();
        if guessed && self.listed_name(guess).is_some_and(|name| name.as_str() == kid) {
            return Ok(KeyNumber::Listed(guess));
        }
        if let Some(found) = self.position(kid) {
            self.check_date(kid)?;
            return Ok(found);
        }
        // If the user gave one key to open orders with, it also opens orders that name another key,
        // but only if it has no name itself.
        match self.unnamed.filter(|&only| self.name(only).is_none()) {
            Some(only) => Ok(only),
            None => Err(self.unknown(kid)),
        }
    }

    /// Checks that the keys of a shop have not expired, if that matters.
    fn check_date(&self, kid: &str) -> Checked<()> {
        let Some(now) = self.in_date else { return Ok(()) };
        let Some(shop) = Kid::new(kid).and_then(|kid| kid.shop()) else { return Ok(()) };
        let found = self.dates(&shop).check_expiry(now);
        found.map_err(|why| KeyError::out_of_date(&shop, why))
    }

    /// The dates of a generation of a shop's keys.
    pub fn dates(&self, shop: &ShopName) -> Dates {
        let mut holders = self.files.iter().map(|held| held.file.holder());
        let record = holders.find_map(|file| file.shop_named(shop.as_str()));
        record.map_or(Dates::default(), |record| record.dates)
    }

    /// Whether keys of any shop have dates.
    pub fn have_dates(&self) -> bool {
        let mut shops = self.files.iter().flat_map(|held| held.file.holder().shops());
        shops.any(|(_, shop)| !shop.dates.is_always())
    }

    /// The key named `kid`.
    fn position(&self, kid: &str) -> Option<KeyNumber> {
        let derived = self.leaf(kid).map(|(tree, leaf)| KeyNumber::Derived { tree, leaf });
        let listed = || self.listed(kid).filter(|_| !self.revoked.contains(kid));
        derived.or_else(|| listed().map(KeyNumber::Listed))
    }

    /// The number of the listed key named `kid`.
    fn listed(&self, kid: &str) -> Option<usize> {
        self.files.iter().find_map(|held| Some(held.first + held.file.keys().position(kid)?))
    }

    /// The name of a listed key.
    fn listed_name(&self, number: usize) -> Option<&Kid> {
        let held = self.held(number);
        held.file.keys().name_at(number - held.first)
    }

    /// The leaf named `kid`, and the first tree that has its key.
    pub(super) fn leaf(&self, kid: &str) -> Option<(usize, u32)> {
        let (name, leaf) = kid.split_at_checked(kid.len().checked_sub(LeafId::DIGITS)?)?;
        let mut trees = self.trees_by_name.get(name)?.iter().copied();
        let leaf = LeafId::parse_leaf(leaf)?;
        Some((trees.find(|&tree| self.tree(tree).nodes().contains(leaf))?, leaf))
    }

    /// The error for a key that is in none of the files.
    pub(super) fn unknown(&self, kid: &str) -> KeyError {
        let passed_over = self.files.iter().find_map(|held| match &held.file {
            OpeningFile::Plain(file) => file.passed_over(kid),
            OpeningFile::Keyring(_) | OpeningFile::Shop(_) => None,
        });
        if let Some(error) = passed_over {
            return error;
        }
        if let Some(named) = Kid::new(kid) {
            let mut holders = self.files.iter().map(|held| held.file.holder());
            if holders.clone().any(|file| file.has_revoked(&named)) {
                return KeyError::Revoked(named);
            }
            if holders.any(|file| file.was_erased(&named)) {
                return KeyError::Erased(named);
            }
        }
        let of = self.shops.get_or_init(|| {
            let keys = self.files.iter().flat_map(|held| held.file.keys().views());
            let mut shops: BTreeSet<&str> =
                keys.filter_map(|key| Some(key.kid?.parts().0)).collect();
            let trees = self.files.iter().flat_map(|held| held.file.holder().trees());
            shops.extend(trees.map(|(shop, _)| shop.as_str()));
            let shops: Vec<&str> = shops.into_iter().collect();
            if shops.is_empty() { String::new() } else { format!(" (of {})", shops.join(", ")) }
        });
        let derived: u64 = (0..self.trees.len()).map(|tree| self.tree(tree).count()).sum();
        let held = self.len() as u64 + derived;
        KeyError::Unknown { kid: kid.to_owned(), held, of: of.clone() }
    }

    /// Whether some file has trees.
    pub(super) fn has_trees(&self) -> bool {
        !self.trees.is_empty()
    }

    /// A tree.
    pub(super) fn tree(&self, tree: usize) -> &TreePart {
        let TreeAt { file, shop, id, .. } = &self.trees[tree];
        let tree = self.files[*file].file.holder().tree(shop.as_str(), *id);
        tree.expect("files in a set are not changed").part()
    }

    /// Prepares a listed key for an order: of several with its name, the one that fits the header.
    ///
    /// # Errors
    /// [`KeyError`] if no key of the name may be used for the order, or several.
    pub(super) fn ready(&self, number: usize, header: &Header<'_>) -> Checked<OpeningKey<'_>> {
        let alike = self.alike(number);
        let Some(first) = alike.first() else { return self.ready_one(number, header) };
        let mut fit = alike.iter().filter_map(|&number| self.ready_one(number, header).ok());
        match (fit.next(), fit.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => self.ready_one(*first, header),
            (Some(_), Some(_)) => {
                let kid = self.listed_name(number).map_or(String::new(), Kid::to_string);
                Err(KeyError::Alike { kid, keys: alike.len() })
            }
        }
    }

    /// Prepares a listed key for an order.
    fn ready_one(&self, number: usize, header: &Header<'_>) -> Checked<OpeningKey<'_>> {
        let held = self.held(number);
        let key = held.file.keys().at(number - held.first);
        let algorithms = algorithms(&held.file, key)?;
        OpeningKey::new(KeyNumber::Listed(number), key, &algorithms, header, self.allow_weak)
    }

    /// Allots rounds of PBES2 to the keys that headers of these lines describe, if there is a password.
    /// Lines get them in the order of these calls, whenever they are opened.
    pub(in crate::protocol) fn allot(&self, lines: &[&[u8]]) {
        let Some(password) = &self.password else { return };
        let mut headers: Vec<_> = lines.iter().flat_map(|line| headers_of(line)).collect();
        // Most lines of a run have one header.
        headers.dedup();
        for header in headers {
            // What is malformed is refused when it is opened.
            if let Ok(header) = Header::decode(&header, &mut Vec::new())
                && let Some(derivation) = header.params.derivation()
            {
                password.allot(derivation);
            }
        }
    }

    /// Prepares the password for an order.
    ///
    /// # Errors
    /// [`Failure`] if the password does not open the order, or deriving its key takes too many rounds.
    pub(super) fn ready_password(&self, header: &Header<'_>) -> Result<OpeningKey<'_>, Failure> {
        let password = self.password.as_ref().ok_or(KeyError::Unnamed)?;
        OpeningKey::by_password(password, header, self.allow_weak)
    }

    /// The file that contains the key with this number.
    fn held(&self, number: usize) -> &Held {
        let mut files = self.files.iter().rev();
        files.find(|held| held.first <= number).expect("the number of a key")
    }

    /// The password.
    #[cfg(feature = "store")]
    pub(super) fn password(&self) -> Option<&OpeningPassword> {
        self.password.as_ref()
    }

    /// The listed key with this number.
    pub(super) fn key(&self, number: usize) -> JwkRef<'_> {
        let held = self.held(number);
        held.file.keys().at(number - held.first)
    }
}

/// The algorithms of a key, according to its file.
fn algorithms(file: &OpeningFile, key: JwkRef<'_>) -> Checked<Algorithms> {
    let fixed = |shop: &Shop| Algorithms::Fixed(shop.suite);
    match file {
        OpeningFile::Plain(file) => plain_algorithms(file, key.alg),
        OpeningFile::Shop(_) | OpeningFile::Keyring(_) => {
            let shop = key.kid.and_then(|kid| file.holder().shop_of(kid));
            shop.map(fixed).ok_or_else(|| KeyError::NoAlgorithm(key.words()))
        }
    }
}

/// The algorithms of a key of a plain file.
fn plain_algorithms(file: &PlainFile, alg: Option<&str>) -> Checked<Algorithms> {
    let Some(alg) = alg else { return Ok(Algorithms::Unsaid) };
    match (Alg::from_name(alg), file.direct_cipher(alg)) {
        (Some(alg @ (Alg::Agree | Alg::Wrap(_))), _) => Ok(Algorithms::AnyContent(alg)),
        (Some(Alg::Password(own)), _) => Err(Unfit::Password(own).into()),
        (Some(Alg::Direct) | None, Some(enc)) => Ok(Algorithms::Fixed(Suite::direct(enc))),
        (Some(Alg::Direct) | None, None) => Err(Unimplemented::new(Member::Alg, alg).into()),
    }
}

/// The only key of a plain file that can open orders; `None` if there are several.
///
/// # Errors
/// The error for the first key if none can.
fn single_key(file: &PlainFile) -> Checked<Option<usize>> {
    let usable = |key: &Jwk| plain_algorithms(file, key.alg.as_deref()).map(|_| ());
    let mut found = file.keys().iter().enumerate().filter(|(_, key)| usable(key).is_ok());
    match (found.next(), found.next()) {
        (Some((only, _)), None) => Ok(Some(only)),
        (Some(_), Some(_)) => Ok(None),
        (None, _) => file.keys().first().map_or(Ok(()), usable).map(|()| None),
    }
}
