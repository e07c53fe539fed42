//! The client's bundle: encrypting keys of one shop, and the program.

use std::collections::{BTreeMap, BTreeSet};

use super::making::{add_keys, check_len};
use super::own_pairs::{refuse_own_pairs, whole};
use super::request::{KeyRequest, Pool, Sizes};
use super::share::Share;
use super::shop::shop_half;
use super::unused::{Chosen, choose_unused, unused_leaves};
use super::{trees as service_trees, users};
use crate::ciphers::random::KeySource;
use crate::protocol::jose::jwk::{AsKey, DecryptingKey, EncryptingKey, Jwk};
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{
    Amounts, ClientProgram, Dates, Enc, Erase, Error, KeyError, Kid, Kind, Misuse, Name, OutOfDate,
    Place, Result, Run, Scope, ServiceUrl, ShopName, Time,
};
use crate::protocol::store::keyfile::{
    self, Account, ClientBundle, IV_BUDGET, KeyHolder, Keyring, Keys, Shop, ShopBundle, Signer,
};
use crate::protocol::store::trees::{ClientTree, HeldTree, TreePart, Trees};

/// Divisor for a client's share of what is left of a key's budget of random IVs: the first client
/// may seal 16 million orders, and 4,653 clients exhaust the budget.
const BUDGET_SHARE: u64 = 256;

/// Divisor for a client's share of a pad, if the request does not say how much.
const PAD_SHARES: u64 = 16;

/// The stream of a source from which a client's signing key is drawn.
const SIGNING_STREAM: u64 = u64::MAX - 3;

/// A client's request.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    /// The shop to order at.
    pub shop: Name,
    /// The time: keys that have expired are not handed out.
    pub now: Time,
    /// When the client's keys seal, besides what holds for all of their generation.
    pub dates: Dates,
    /// The ids to hand out.
    pub ids: IdRequest,
    /// The part of the client's file that the program erases after sending.
    pub erase: Option<Erase>,
    /// The way in which the program's steps are started.
    pub run: Run,
    /// Content-encryption keys per order; chained if more than one.
    pub layers: u8,
    /// Bytes of a pad that is shared with other clients; a default share if `None`.
    pub pad_bytes: Option<u64>,
    /// Orders that a key with a budget of random IVs may seal for this client; a default share if `None`.
    pub budget: Option<u64>,
    /// Whether the client gets a key of its own, with which the program signs batches.
    pub signs: bool,
    /// The service's address, if the client takes it from the shop's page.
    pub service: Option<ServiceUrl>,
}

impl ClientRequest {
    /// A request for ids at a shop, for a program that runs automatically, wraps one content key and
    /// erases nothing.
    pub fn new(shop: Name, ids: IdRequest, now: Time) -> Self {
        Self {
            shop,
            now,
            dates: Dates::default(),
            ids,
            erase: None,
            run: Run::Automatic,
            layers: 1,
            pad_bytes: None,
            budget: None,
            signs: false,
            service: None,
        }
    }
}

/// The ids that a client gets at transaction scope; at shop scope there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdRequest {
    /// This many unused ids from the pool.
    Pool(u64),
    /// This many ids made for this request.
    OnDemand(u64),
    /// The id of a user who was [admitted](super::admit), which may be used again.
    User(Name),
}

impl IdRequest {
    /// Number of orders that the ids are for, unless they may be used again.
    pub fn orders(&self) -> Option<u64> {
        match self {
            Self::Pool(orders) | Self::OnDemand(orders) => Some(*orders),
            Self::User(_) => None,
        }
    }
}

/// The result of a client's request.
#[derive(Debug)]
pub struct Delivery {
    /// The bundle for the client.
    pub client: ClientBundle,
    /// The names of the keys that were handed out.
    kids: Vec<Kid>,
    /// What was handed out of trees.
    trees: Trees<TreePart>,
    /// Whether the keys were made for this request.
    made_now: bool,
}

impl Delivery {
    /// The shop's half, to be sent to the shop with the request; from the keyring as the delivery left it.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`] and [`KeyError::Unknown`] for another keyring.
    pub fn shop_half(&self, keyring: &Keyring, place: &Place) -> Result<ShopBundle> {
        let name = &self.client.name;
        let shop = keyring.record(name, place)?.shop.for_keys(&self.kids);
        let keys = at(keyring, self.kids.clone(), place)?.positions;
        let keys = keys.into_iter().map(|position| whole(&keyring.keys[position], place));
        let keys = keys.collect::<Result<_>>()?;
        Ok(shop_half(name, shop, self.trees.clone(), keys))
    }

    /// All limited resources that were handed out.
    pub fn share(&self, place: &Place) -> Share {
        Share::unused(&self.client, place)
    }

    /// Returns undelivered resources to the keyring; the result is what could not be taken back.
    ///
    /// # Errors
    /// As [`Share::give_back`].
    pub fn take_back(&self, keyring: &mut Keyring, place: &Place) -> Result<Amounts> {
        let share = self.share(place);
        let returned = share.give_back(keyring, place)?;
        if self.made_now {
            let made: BTreeSet<&Kid> = self.kids.iter().collect();
            keyring.keys.retain(|kid| kid.is_none_or(|kid| !made.contains(kid)));
        }
        Ok(share.amounts() - returned)
    }
}

/// Makes a client's bundle, with encrypting keys of one shop and the program, and records it in the
/// keyring as handed out. Keys made for this request come from `make`.
///
/// # Errors
/// [`KeyError::PoolEmpty`] if the pool has too few unused ids; [`KeyError::NotAdmitted`] and
/// [`KeyError::Revoked`] for a user; [`KeyError::AllAllotted`] and [`KeyError::PadShort`] if other
/// clients have all that a key allows; [`Error::Usage`] if the request does not fit the shop's scheme.
pub fn bundle_client<S: KeySource>(
    file: &mut Keyring,
    request: &ClientRequest,
    source: &S,
    make: impl FnMut(&KeyRequest) -> Result<Vec<DecryptingKey>>,
    place: &Place,
) -> Result<Delivery> {
    let (name, Account { shop, .. }) = file.account(Some(&request.shop), place)?;
    let (name, shop) = (name.clone(), shop.clone());
    check_request(request, &shop)?;
    match shop.dates.check(request.now) {
        // Keys for later may be handed out before.
        Ok(()) | Err(OutOfDate::Until(_)) => {}
        Err(why @ (OutOfDate::Since(_) | OutOfDate::Unknown)) => {
            return Err(Error::key(place, KeyError::out_of_date(&name, why)));
        }
    }
    let dates = shop.dates.and(request.dates);
    if !dates.is_possible() {
        return Err(Error::key(place, KeyError::NeverValid(name)));
    }
    let (Chosen { positions, kids }, trees) = match shop.scheme.scope {
        Scope::Shop => (at(file, vec![Kid::of_shop(&name)], place)?, Trees::new()),
        Scope::Transaction => hand_out(file, &name, request, source, make, place)?,
    };
    let made_now = match request.ids {
        IdRequest::OnDemand(_) => true,
        IdRequest::Pool(_) | IdRequest::User(_) => false,
    };
    let mut client = ClientBundle::new(name.clone(), shop.for_keys(&kids));
    client.shop.dates = dates;
    if request.service.is_some() {
        client.shop.service = request.service.clone();
    }
    let pieces = pieces_of_pads(file, file.record(&name, place)?, request.pad_bytes, &kids, place)?;
    let account = file.record_mut(&name, place)?;
    for kid in &kids {
        if account.shop.is_reusable(kid) && shop.suite.has_budget() {
            let allotted = account.allotted.entry(kid.clone()).or_default();
            let left = IV_BUDGET.saturating_sub(*allotted);
            if left == 0 {
                return Err(Error::key(place, KeyError::AllAllotted(kid.clone())));
            }
            let share = request.budget.unwrap_or(left / BUDGET_SHARE).clamp(1, left);
            *allotted += share;
            client.budget.insert(kid.clone(), share);
        }
        if let Some(piece) = pieces.get(kid) {
            account.allotted.insert(kid.clone(), piece.offset() + piece.len());
            client.budget.insert(kid.clone(), piece.len());
        }
    }
    client.program = Some(ClientProgram {
        content: shop.scheme.content,
        layers: request.layers,
        run: request.run,
        erase: request.erase,
        signs: request.signs,
    });
    if request.signs {
        // No key of a pool is drawn from this stream.
        let key = SigningKey::random(&mut source.stream(SIGNING_STREAM));
        client.signer = Some(Box::new(Signer::new(key)));
    }
    let keys = positions.iter().map(|&position| &file.keys[position]).zip(&kids);
    let encrypting = keys.map(|(key, kid)| match pieces.get(kid) {
        Some(piece) => key.with(EncryptingKey::Pad(piece.clone())),
        None => key.encrypting_half(),
    });
    let mut keys: Vec<_> = encrypting.collect();
    match shop.scheme.kind {
        Kind::Secret => {
            let clients = trees.iter().map(|(id, part)| (*id, ClientTree::new(part.clone())));
            client.trees = clients.collect();
        }
        // With the nodes, a client could open what others send under its ids.
        Kind::Public => {
            let half = Jwk::into_encrypting_half;
            let len = trees.values().map(|part| part.keys_len(&name, half)).sum();
            keyfile::check_len(len, &Place::file("the client's bundle"))?;
            keys.extend(trees.values().flat_map(|part| part.keys(&name)).map(half));
        }
    }
    client.keys = Keys::of_different(keys);
    Ok(Delivery { client, kids, trees, made_now })
}

/// A program with the public key of a shop, for all clients that the shop's page reaches. Nothing is
/// recorded: any number of clients may have it.
///
/// # Errors
/// [`Error::Usage`] for a shop with other keys; otherwise as [`bundle_client`].
pub fn public_program<S: KeySource>(
    file: &Keyring,
    shop: &Name,
    now: Time,
    source: &S,
    place: &Place,
) -> Result<ClientBundle> {
    let (name, Account { shop, .. }) = file.account(Some(shop), place)?;
    let scheme = shop.scheme;
    if (scheme.scope, scheme.kind) != (Scope::Shop, Kind::Public) {
        return Err(Misuse::NotInItemPages { shop: name.name(), scheme }.into());
    }
    let request = ClientRequest::new(name.name(), IdRequest::Pool(1), now);
    let made = bundle_client(&mut file.clone(), &request, source, |_| Ok(Vec::new()), place)?;
    Ok(made.client)
}

/// The keys with these names.
fn at(file: &Keyring, kids: Vec<Kid>, place: &Place) -> Result<Chosen> {
    let missing = |kid: &Kid| match file.was_erased(kid) {
        true => Error::key(place, KeyError::Erased(kid.clone())),
        false => Error::key(place, file.unknown(kid)),
    };
    let position = |kid: &Kid| file.keys.index_of(kid.as_str()).ok_or_else(|| missing(kid));
    let positions = kids.iter().map(position).collect::<Result<_>>()?;
    Ok(Chosen { positions, kids })
}

/// For every key that is a pad shared with other clients, the piece for this client: the next bytes
/// that no other client has.
fn pieces_of_pads(
    file: &Keyring,
    account: &Account,
    wanted: Option<u64>,
    kids: &[Kid],
    place: &Place,
) -> Result<BTreeMap<Kid, Pad>> {
    let mut pieces = BTreeMap::new();
    for kid in kids.iter().filter(|kid| account.shop.is_reusable(kid)) {
        let key = file.keys.named(kid.as_str());
        let Some(pad) = key.and_then(|key| key.material.as_key().pad()) else { continue };
        let allotted = account.allotted.get(kid).copied().unwrap_or_default();
        let left = pad.len().saturating_sub(allotted);
        let share = (pad.len() / PAD_SHARES).max(1);
        let needed = wanted.unwrap_or(share.min(left)).max(1);
        let piece = pad
            .piece(allotted, needed)
            .filter(|_| needed <= left)
            .ok_or_else(|| Error::key(place, KeyError::PadShort { needed, left }))?;
        pieces.insert(kid.clone(), piece);
    }
    Ok(pieces)
}

fn check_request(request: &ClientRequest, shop: &Shop) -> Result<()> {
    let (scheme, suite) = (shop.scheme, shop.suite);
    let shop = request.shop.clone();
    let shared = match (scheme.scope, &request.ids) {
        (Scope::Shop, IdRequest::OnDemand(_) | IdRequest::User(_)) => {
            return Err(Misuse::OneKeyForAll { shop, scheme }.into());
        }
        (Scope::Shop, IdRequest::Pool(_)) | (Scope::Transaction, IdRequest::User(_)) => true,
        (Scope::Transaction, IdRequest::Pool(_) | IdRequest::OnDemand(_)) => false,
    };
    if request.pad_bytes.is_some() && !(shared && suite.enc().takes_pad()) {
        return Err(Misuse::NoSharedPad { shop, scheme, suite }.into());
    }
    if request.layers > 1 && suite.enc() == Enc::RsaBlocks {
        return Err(Misuse::NoChainByRsa(shop).into());
    }
    if request.layers > 1 && !suite.takes_chain() {
        return Err(Misuse::NoChainUnder(suite.enc()).into());
    }
    Ok(())
}

/// Chooses or makes the ids for a client, and records them as issued.
fn hand_out<S: KeySource>(
    file: &mut Keyring,
    shop: &ShopName,
    request: &ClientRequest,
    source: &S,
    mut make: impl FnMut(&KeyRequest) -> Result<Vec<DecryptingKey>>,
    place: &Place,
) -> Result<(Chosen, Trees<TreePart>)> {
    let mut trees = Trees::new();
    let chosen = match &request.ids {
        IdRequest::Pool(wanted) => {
            let listed = choose_unused(file, shop, *wanted);
            let derived = *wanted - listed.kids.len() as u64;
            let account = file.record_mut(shop, place)?;
            let unused = unused_leaves(account);
            if unused < derived {
                let unused = listed.kids.len() as u64 + unused;
                let shop = shop.name();
                let error = KeyError::PoolEmpty { shop, unused, wanted: *wanted };
                return Err(Error::key(place, error));
            }
            trees = service_trees::hand_out(account, derived);
            listed.issue(&mut account.issued);
            listed
        }
        IdRequest::OnDemand(wanted) => {
            let making = KeyRequest::more(file, &request.shop, *wanted, place)?;
            check_len(file, &making, place)?;
            let keys = make(&making)?;
            let made = add_keys(file, &making, keys, source, place)?;
            let issued = &mut file.record_mut(shop, place)?.issued;
            made.iter().filter_map(Kid::id).for_each(|id| issued.insert(id));
            at(file, made, place)?
        }
        IdRequest::User(user) => {
            let kid = users::key_of(file, &request.shop, user, place)?;
            at(file, vec![kid], place)?
        }
    };
    Ok((chosen, trees))
}

impl KeyRequest {
    /// A request for more transaction keys like those that the shop has.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`].
    pub fn more(file: &Keyring, name: &Name, orders: u64, place: &Place) -> Result<Self> {
        refuse_own_pairs(file, name, place)?;
        let (newest, Account { shop, .. }) = file.account(Some(name), place)?;
        Ok(Self {
            shop: name.clone(),
            scheme: shop.scheme,
            suite: shop.suite,
            orders,
            pool: Pool::Listed,
            sizes: sizes(file, newest),
            service: None,
            dates: Dates::default(),
        })
    }
}

/// The sizes of the shop's keys, or the defaults if it has none yet.
fn sizes(file: &Keyring, shop: &ShopName) -> Sizes {
    let mut sizes = Sizes::default();
    let mut trees = file.shops.get(shop).into_iter().flat_map(|account| account.trees.values());
    if let Some(curve) = trees.find_map(|tree| tree.part().tree().curve()) {
        sizes.curve = curve;
    }
    let of_shop =
        |key: &&Jwk<_>| key.kid.as_ref().is_some_and(|kid| kid.parts().0 == shop.as_str());
    let Some(key) = file.keys.iter().find(of_shop) else { return sizes };
    if let Some(pair) = key.material.as_key().rsa_pair() {
        sizes.rsa_bits = pair.public().bits();
    }
    if let Some(pair) = key.material.as_key().curve_pair() {
        sizes.curve = pair.curve();
    }
    if let Some(pad) = key.material.as_key().pad() {
        sizes.pad_bytes = pad.len() as usize;
    }
    sizes
}
