//! Making keys, and adding them to the keyring.

use rand::Rng;

use super::own_pairs::refuse_own_pairs;
use super::request::{ID_STREAM, KeyRequest, Pool, Sizes};
use super::trees;
use crate::ciphers::Secret;
use crate::ciphers::cpu::Backend;
use crate::ciphers::ecdh;
use crate::ciphers::random::{KeySource, KeyStream, SeededSource};
use crate::ciphers::{knapsack, rsa};
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, PrivateHalf, Usage};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{
    Dates, Error, Family, KeyError, KeyUse, Kid, Misuse, Name, Place, Result, Scope, ShopName,
    Suite, Unfit,
};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::{self, Account, Issued, KeyHolder, Keyring};

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

/// Adds a tree to the keyring of a simulation, whose root is repeatable. Its keys bear no mark of that,
/// so they must not leave the simulation.
///
/// # Errors
/// As [`add_keys`].
pub(in crate::protocol) fn add_repeatable_tree(
    file: &mut Keyring,
    request: &KeyRequest,
    source: &SeededSource,
    place: &Place,
) -> Result<()> {
    // The account, without keys.
    let listed = KeyRequest { pool: Pool::Listed, ..request.clone() };
    add_keys(file, &listed, Vec::new(), source, place)?;
    trees::check(request)?;
    let shop = file.newest(&request.shop);
    trees::grow(file.record_mut(&shop, place)?, &shop, request, source);
    Ok(())
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
