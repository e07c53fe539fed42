//! The security service's work: making keys, and handing out programs with keys.

mod client;
#[cfg(feature = "store")]
mod delivery;
mod own_pairs;
mod rotate;
mod share;
mod trees;
mod users;

use std::collections::BTreeMap;

use rand::Rng;

use crate::ciphers::Secret;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh::{self, Curve};
use crate::ciphers::random::{KeySource, KeyStream};
use crate::ciphers::{knapsack, rsa};
use crate::protocol::jose::jwk::{self, DecryptingKey, Jwk, PrivateHalf, Usage};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{
    Dates, Error, Family, KeyError, KeyUse, Kid, Misuse, Name, Place, Result, Scheme, Scope,
    ServiceUrl, ShopName, ShopProgram, Suite, Unfit,
};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::{
    self, Account, Generation, Issued, KeyHolder, Keyring, Keys, Shop, ShopBundle, Standing,
};
use crate::protocol::store::trees::{HeldTree, TreePart, Trees};

pub use client::{ClientRequest, Delivery, IdRequest, bundle_client, public_program};
#[cfg(feature = "store")]
pub use delivery::{Outputs, deliver, deliver_admission, deliver_rotation, deliver_split};
pub use own_pairs::{add_public_halves, public_half_of, public_halves};
use own_pairs::{refuse_own_pairs, whole};
pub use rotate::{Rotated, Rotation, rotate};
pub use share::Share;
pub(in crate::protocol) use trees::add_repeatable_tree;
pub use trees::{can_derive, rejoin, skip, split};
pub use users::{Admission, admit};

/// The stream of a source from which ids are drawn; key number n uses stream n.
const ID_STREAM: u64 = u64::MAX - 1;

/// Sizes of keys, for algorithms that leave them open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Size of an RSA modulus in bits.
    pub rsa_bits: usize,
    /// Length of a one-time pad in bytes.
    pub pad_bytes: usize,
    /// The elliptic curve.
    pub curve: Curve,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { rsa_bits: DEFAULT_RSA_BITS, pad_bytes: DEFAULT_PAD_BYTES, curve: DEFAULT_CURVE }
    }
}

/// A request for new keys.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    /// The shop that decrypts. Keys are added to the newest generation of those that it has.
    pub shop: Name,
    /// The shop's embodiment or variant.
    pub scheme: Scheme,
    /// The algorithms of its orders.
    pub suite: Suite,
    /// Number of transaction keys to make; at shop scope one key is made and this is ignored.
    pub orders: u64,
    /// How the file has transaction keys.
    pub pool: Pool,
    /// Sizes of the keys.
    pub sizes: Sizes,
    /// The address where clients request programs and keys.
    pub service: Option<ServiceUrl>,
    /// When the keys are made and when they seal, if the shop has none yet.
    pub dates: Dates,
}

/// How a keyring has the transaction keys of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// A key for each id.
    #[default]
    Listed,
    /// A tree from which keys are derived.
    Derived,
}

impl Pool {
    /// Name in options and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Derived => "derived",
        }
    }
}

/// The form in which a shop's program and key are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopForm {
    /// The key alone.
    Key,
    /// Program and key side by side.
    Program,
    /// The program with a built-in key; it works with no other key.
    BuiltIn,
}

/// Makes one key for an algorithm.
///
/// # Errors
/// [`KeyError::Unusable`] for an RSA size that is not supported.
pub fn make_material(
    suite: Suite,
    sizes: Sizes,
    rng: &mut KeyStream,
) -> std::result::Result<DecryptingKey, KeyError> {
    match suite.material() {
        Family::Rsa => {
            let mut pairs = make_pairs(1, sizes, rng)?;
            Ok(pairs.pop().expect("one was asked for"))
        }
        Family::Curve => {
            let mut pairs = make_pairs_on_curve(1, sizes, rng);
            Ok(pairs.pop().expect("one was asked for"))
        }
        Family::Knapsack => {
            let key = knapsack::PrivateKey::generate(rng);
            Ok(DecryptingKey::Private(PrivateHalf::Knapsack(Box::new(key))))
        }
        Family::Pad => {
            let mut key = Pad::unfilled(sizes.pad_bytes);
            rng.fill_bytes(&mut key);
            Pad::new(0, key).map(DecryptingKey::Pad).map_err(|fault| Unfit::from(fault).into())
        }
        Family::Password => Err(Unfit::Suite { key: "a key in a file", suite }.into()),
        Family::Secret => {
            let len = suite.secret_len().expect("a secret key has a length");
            let mut key = Secret::zeroed(len);
            match suite.key_use() {
                KeyUse::Direct(cipher) => cipher.fill_keys(rng, &mut key),
                KeyUse::Wrap(algorithm, _) => match algorithm.cipher() {
                    Some(cipher) => cipher.fill_keys(rng, &mut key),
                    None => rng.fill_bytes(&mut key),
                },
                KeyUse::Pad(_) | KeyUse::Blocks | KeyUse::Agree(_) | KeyUse::Password(..) => {
                    rng.fill_bytes(&mut key);
                }
            }
            Ok(DecryptingKey::Secret(key))
        }
    }
}

/// Makes keys on all threads, calling `made` for each.
///
/// # Errors
/// As [`make_material`].
pub fn make_keys<S: KeySource>(
    request: &KeyRequest,
    source: &S,
    workers: &Workers,
    made: &(impl Fn() + Sync),
    place: &Place,
) -> Result<Vec<DecryptingKey>> {
    let count = match (request.scheme.scope, request.pool) {
        (Scope::Shop, _) => 1,
        (Scope::Transaction, Pool::Listed) => request.orders,
        (Scope::Transaction, Pool::Derived) => 0,
    };
    // More would not fit into memory.
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let (suite, sizes) = (request.suite, request.sizes);
    let group = match suite.material() {
        Family::Rsa => PAIRS_AT_ONCE,
        Family::Curve => PAIRS_ON_CURVE_AT_ONCE,
        Family::Secret => SECRETS_AT_ONCE,
        Family::Knapsack | Family::Pad | Family::Password => 1,
    };
    let keys = workers.make(count.div_ceil(group), |number| {
        let mut rng = source.stream(number as u64);
        let wanted = group.min(count - number * group);
        let keys = match suite.material() {
            Family::Rsa => make_pairs(wanted, sizes, &mut rng)?,
            Family::Curve => make_pairs_on_curve(wanted, sizes, &mut rng),
            Family::Knapsack | Family::Pad | Family::Password | Family::Secret => {
                let keys = (0..wanted).map(|_| make_material(suite, sizes, &mut rng));
                keys.collect::<std::result::Result<_, _>>()?
            }
        };
        keys.iter().for_each(|_| made());
        Ok(keys)
    });
    let keys = keys.map_err(|error| Error::key(place, error))?;
    Ok(keys.into_iter().flatten().collect())
}

/// RSA pairs generated at once, to fill the lanes of the widest kernels.
const PAIRS_AT_ONCE: usize = 4;

/// Pairs on a curve made at once: as many as share an inversion in the widest kernels for X25519.
const PAIRS_ON_CURVE_AT_ONCE: usize = 128;

/// Secret keys made from one stream of random bytes: to begin one takes as long as to make ten keys.
const SECRETS_AT_ONCE: usize = 256;

fn make_pairs_on_curve(count: usize, sizes: Sizes, rng: &mut KeyStream) -> Vec<DecryptingKey> {
    let pairs = ecdh::generate(Backend::detect(), &vec![sizes.curve; count], rng);
    pairs.iter().map(DecryptingKey::on_curve).collect()
}

fn make_pairs(
    count: usize,
    sizes: Sizes,
    rng: &mut KeyStream,
) -> std::result::Result<Vec<DecryptingKey>, KeyError> {
    let pairs =
        rsa::generate(Backend::detect(), count, sizes.rsa_bits, rng).map_err(Unfit::from)?;
    let private = |pair| DecryptingKey::Private(PrivateHalf::Rsa(Box::new(pair)));
    Ok(pairs.into_iter().map(private).collect())
}

/// Adds keys to the service's keyring, under fresh ids at transaction scope; or a tree that derives
/// them. Returns the names of the keys.
///
/// # Errors
/// [`Error::Usage`] if the keyring has the shop with another scheme, or has its key already.
pub fn add_keys<S: KeySource>(
    file: &mut Keyring,
    request: &KeyRequest,
    keys: Vec<DecryptingKey>,
    source: &S,
    place: &Place,
) -> Result<Vec<Kid>> {
    check_room(file, request, place)?;
    let shop = file.newest(&request.shop);
    let account = file.shops.entry(shop.clone()).or_insert_with(|| {
        let issued = Issued::none_before(file.keys.len());
        let mut account = Account::new(request.scheme, request.suite);
        account.shop.dates = request.dates;
        Account { issued, ..account }
    });
    if request.service.is_some() {
        account.shop.service = request.service.clone();
    }
    match request.pool {
        Pool::Derived => trees::plant(account, &shop, request, source)?,
        Pool::Listed => {}
    }
    let mut rng = source.public_stream(ID_STREAM);
    let mut added = Vec::with_capacity(keys.len());
    for material in keys {
        let key = Jwk {
            kid: None,
            alg: Some(request.suite.key_alg().into()),
            usage: Usage::Encryption,
            origin: S::ORIGIN,
            material,
        };
        added.push(match request.scheme.scope {
            Scope::Shop => {
                let kid = Kid::of_shop(&shop);
                file.keys.push(Jwk { kid: Some(kid.clone()), ..key });
                kid
            }
            Scope::Transaction => add_fresh(file, key, &shop, &mut rng),
        });
    }
    Ok(added)
}

/// Checks that keys can be added, before time is spent on making them.
///
/// # Errors
/// As [`add_keys`].
pub fn check_room(file: &Keyring, request: &KeyRequest, place: &Place) -> Result<()> {
    trees::check(request)?;
    refuse_own_pairs(file, &request.shop, place)?;
    let newest = file.newest(&request.shop);
    let Some(Account { shop, .. }) = file.shops.get(&newest) else { return Ok(()) };
    if (shop.scheme, shop.suite) != (request.scheme, request.suite) {
        let (held, asked) = ((shop.scheme, shop.suite), (request.scheme, request.suite));
        let (keyring, shop) = (place.to_string(), request.shop.clone());
        return Err(Misuse::OtherScheme { keyring, shop, held, asked }.into());
    }
    let asked = request.dates;
    if !asked.is_always() && (Dates { made: shop.dates.made, ..asked }) != shop.dates {
        let (keyring, shop) = (place.to_string(), request.shop.clone());
        return Err(Misuse::OtherDates { keyring, shop }.into());
    }
    if request.scheme.scope == Scope::Shop && file.keys.index_of(newest.as_str()).is_some() {
        let (keyring, shop) = (place.to_string(), request.shop.clone());
        return Err(Misuse::KeyExists { keyring, shop }.into());
    }
    Ok(())
}

/// Checks that the keyring will not be too long to read with the new keys, before time is spent on
/// making them. The actual length is checked when the keyring is written.
///
/// # Errors
/// [`Error::KeyFileFull`].
pub fn check_len(file: &Keyring, request: &KeyRequest, place: &Place) -> Result<()> {
    keyfile::check_len(file.full_len().saturating_add(request.len()), place)
}

impl KeyRequest {
    /// Number of keys that the request makes, listed or derived.
    pub fn orders_made(&self) -> u64 {
        match self.scheme.scope {
            Scope::Shop => 1,
            Scope::Transaction => self.orders,
        }
    }

    /// Length in bytes that the keys will take in a keyring when all are handed out.
    fn len(&self) -> u64 {
        let (count, kid) = match (self.scheme.scope, self.pool) {
            (Scope::Transaction, Pool::Derived) => return TREE_LEN,
            (Scope::Shop, _) => (1, Kid::of_shop(&ShopName::first(&self.shop))),
            (Scope::Transaction, Pool::Listed) => {
                let shop = ShopName::first(&self.shop);
                (self.orders, Kid::of_id(&shop, &Name::of_transaction(0)))
            }
        };
        let recorded = match self.scheme.scope {
            Scope::Shop => 0,
            Scope::Transaction => ID_LEN as u64 + 3,
        };
        let alg = self.suite.key_alg();
        let Sizes { rsa_bits, pad_bytes, curve } = self.sizes;
        let sizes = (rsa_bits, pad_bytes, curve);
        let key = jwk::foreseen_len(&kid, alg, self.suite.material(), sizes) as u64;
        count.saturating_mul(key + ",\n".len() as u64 + recorded)
    }
}

/// Upper bound in bytes for a new tree in a keyring: 32 nodes.
const TREE_LEN: u64 = 4 << 10;

/// Length of a transaction id in characters.
const ID_LEN: usize = 16;

/// Adds a key under a transaction id of 64 random bits that the shop does not have yet.
fn add_fresh(
    file: &mut Keyring,
    key: Jwk<DecryptingKey>,
    shop: &ShopName,
    rng: &mut KeyStream,
) -> Kid {
    let mut key = Jwk::from(key);
    loop {
        let kid = Kid::of_id(shop, &Name::of_transaction(rng.next_u64()));
        if file.was_erased(&kid) {
            continue;
        }
        match file.keys.push_new(Jwk { kid: Some(kid.clone()), ..key }) {
            Ok(()) => return kid,
            Err(same) => key = same.key,
        }
    }
}

/// Makes a shop's bundle: its own decrypting keys of all generations, and no other shop's; and who was
/// revoked.
///
/// # Errors
/// [`KeyError::UnknownShop`], and [`KeyError::Missing`] if the shop has no keys and revoked nobody.
pub fn bundle_shop(
    file: &Keyring,
    shop: Option<&Name>,
    form: ShopForm,
    place: &Place,
) -> Result<ShopBundle> {
    let name = file.account(shop, place)?.0.name();
    let generations = file.generations(&name).map(|(name, account)| {
        let mut shop = account.shop.without_history();
        shop.users = account.shop.users.clone();
        if !file.keys.names().any(|kid| kid.parts().0 == name.as_str()) {
            // All that is left of the generation is what the shop must not take back.
            shop.erased = account.shop.erased.clone();
            shop.erased_shop_key = account.shop.erased_shop_key;
        }
        let trees = account.trees.iter().map(|(id, tree)| (*id, tree.part().clone())).collect();
        (name.clone(), Generation { shop, trees })
    });
    let generations: BTreeMap<_, _> = generations.collect();
    let own =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| generations.contains_key(kid.parts().0));
    let keys = file.keys.iter().filter(own).map(|key| whole(key, place)).collect::<Result<_>>()?;
    let bundle = shop_bundle(name, generations, keys, form);
    if form == ShopForm::BuiltIn && bundle.has_trees() {
        return Err(Misuse::NoBuiltIn(bundle.name).into());
    }
    let revokes = bundle
        .generations
        .values()
        .any(|own| own.shop.users_with(Standing::Revoked).next().is_some());
    if bundle.keys.is_empty() && !bundle.has_trees() && !revokes {
        return Err(Error::key(place, KeyError::Missing("key of this shop")));
    }
    Ok(bundle)
}

/// Which listed keys a shop asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedKeys {
    /// Those with these names, as far as there are such keys.
    Named(Vec<Kid>),
    /// Those that stand after one of them in the keyring; all of them if it is not there.
    After(Option<Kid>),
}

/// Listed keys of a shop, at most so many, in a bundle without program that has what is recorded of their
/// generations and users, to be [merged](crate::protocol::roles::merge).
///
/// # Errors
/// [`KeyError::UnknownShop`] and [`KeyError::OwnPairs`].
pub fn listed_keys(
    file: &Keyring,
    shop: &Name,
    wanted: &WantedKeys,
    most: usize,
    place: &Place,
) -> Result<ShopBundle> {
    let (newest, _) = file.account(Some(shop), place)?;
    let name = newest.name();
    refuse_own_pairs(file, &name, place)?;
    let of =
        |kid: &Kid| file.shops.get_key_value(kid.parts().0).filter(|(own, _)| own.name() == name);
    let own = |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| of(kid).is_some());
    let keys: Vec<_> = match wanted {
        WantedKeys::Named(kids) => {
            let named = kids.iter().filter_map(|kid| file.keys.named(kid.as_str()));
            named.filter(own).take(most).collect()
        }
        WantedKeys::After(kid) => {
            let kid = kid.as_ref().filter(|kid| of(kid).is_some());
            let last = kid.and_then(|kid| file.keys.index_of(kid.as_str()));
            file.keys[last.map_or(0, |last| last + 1)..].iter().filter(own).take(most).collect()
        }
    };
    let keys: Vec<_> = keys.into_iter().map(|key| whole(key, place)).collect::<Result<_>>()?;
    let mut generations = BTreeMap::new();
    let mut record = |kid: &Kid| {
        let Some((name, account)) = of(kid) else { return };
        let Generation { shop, .. } = generations.entry(name.clone()).or_insert_with(|| {
            Generation { shop: account.shop.without_history(), trees: Trees::new() }
        });
        let user = kid.id().and_then(|id| account.shop.users.get_key_value(&id));
        shop.users.extend(user.map(|(user, standing)| (user.clone(), *standing)));
    };
    record(&Kid::of_shop(newest));
    keys.iter().filter_map(|key| key.kid.as_ref()).for_each(record);
    Ok(shop_bundle(name, generations, keys, ShopForm::Key))
}

fn shop_bundle(
    name: Name,
    generations: BTreeMap<ShopName, Generation>,
    keys: Vec<Jwk<DecryptingKey>>,
    form: ShopForm,
) -> ShopBundle {
    let keys = Keys::of_different(keys);
    let (program, program_erased, ledger) = (None, false, None);
    let mut bundle = ShopBundle { name, generations, program, program_erased, keys, ledger };
    let content = bundle.scheme().content;
    bundle.program = match form {
        ShopForm::Key => None,
        ShopForm::Program => Some(ShopProgram { content, built_in: None }),
        ShopForm::BuiltIn => {
            let built_in = Some(bundle.keys.names().cloned().collect());
            Some(ShopProgram { content, built_in })
        }
    };
    bundle
}

/// The half of a shop for some keys of one generation.
fn shop_half(
    name: &ShopName,
    shop: Shop,
    trees: Trees<TreePart>,
    keys: Vec<Jwk<DecryptingKey>>,
) -> ShopBundle {
    let generations = BTreeMap::from([(name.clone(), Generation { shop, trees })]);
    shop_bundle(name.name(), generations, keys, ShopForm::Program)
}

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
fn choose_unused(file: &Keyring, shop: &ShopName, most: u64) -> Chosen {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (positions, kids) =
        unused(file, shop).take(most).map(|(position, kid)| (position, kid.clone())).unzip();
    Chosen { positions, kids }
}

/// Ids to be handed out, and the positions of their keys in the keyring.
struct Chosen {
    positions: Vec<usize>,
    kids: Vec<Kid>,
}

impl Chosen {
    /// Records that they were handed out.
    fn issue(&self, issued: &mut Issued) {
        issued.extend(self.kids.iter().filter_map(Kid::id));
        if let Some(last) = self.positions.last() {
            issued.look_from(last + 1);
        }
    }
}

/// Number of transaction ids of a shop that have not been handed out, listed and derived.
pub fn count_unused(file: &Keyring, shop: &ShopName) -> u64 {
    let derived = file.shops.get(shop).map_or(0, trees::unused);
    unused_ids(file, shop).count() as u64 + derived
}

/// Default size of an RSA modulus in bits (NIST SP 800-57 part 1, to 2030 and beyond).
pub const DEFAULT_RSA_BITS: usize = 3072;

/// Default curve: the one that every JOSE library and every browser has.
pub const DEFAULT_CURVE: Curve = Curve::P256;

/// Default length of a one-time pad in bytes: enough for some thousands of short orders.
pub const DEFAULT_PAD_BYTES: usize = 1 << 20;

#[cfg(all(test, feature = "store"))]
mod tests;
