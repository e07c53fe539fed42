//! The security service.

use std::cell::RefCell;

use super::client::Client;
use super::context::{name, only, time, workers};
use super::shop::Shop;
use crate::ciphers::Secret;
use crate::ciphers::random::SystemSource;
use crate::protocol::model::{
    Dates, Error, KeyError, Name, Place, Result, Scheme, Scope, Suite, Time,
};
use crate::protocol::roles::revoke;
use crate::protocol::roles::service::{
    self, ClientRequest, IdRequest, KeyRequest, Rotation, ShopForm, Sizes,
};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, Keyring};
use crate::protocol::store::spend::Durable;

/// Names of the values in memory, for messages.
/// The name of a keyring in memory, for messages.
const KEYRING: &str = "keyring";

/// The security service: makes all keys and hands them out.
///
/// ```
/// use orderseal::{Scheme, Service};
///
/// let mut service = Service::new();
/// service.add_shop("tokyo", Scheme::HYBRID_TRANSACTION_SECRET)?;
/// service.add_keys("tokyo", 10)?;
/// let shop = service.shop_bundle("tokyo")?; // opens orders under all 10 keys
/// let mut client = service.client_bundle("tokyo", 4)?; // seals 4 orders
///
/// // The keyring records which keys were handed out: store it before you send a bundle.
/// let stored = service.to_bytes()?;
/// let mut service = Service::parse(&stored)?;
/// let mut another = service.client_bundle("tokyo", 6)?;
/// assert_eq!(shop.open(client.seal(["tea"])?)?, ["tea"]);
/// assert_eq!(shop.open(another.seal(["paper"])?)?, ["paper"]);
/// # Ok::<(), orderseal::Error>(())
/// ```
#[derive(Debug)]
pub struct Service {
    keyring: RefCell<Keyring>,
    now: Option<Time>,
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

impl Service {
    /// Creates an empty keyring.
    pub fn new() -> Self {
        Self { keyring: RefCell::new(Keyring::new()), now: None }
    }

    /// Reads a keyring written by [`to_bytes`](Self::to_bytes) or `orderseal keygen`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Unexpected`] and [`Error::Key`] for bytes that are not a keyring.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let place = Place::file(KEYRING);
        let keyring = KeyFile::parse(bytes, &place)?.into_keyring(&place)?;
        Ok(Self { keyring: RefCell::new(keyring), now: None })
    }

    /// Serializes the keyring as a JWK Set with the secret keys of all shops.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] above 512 MiB.
    pub fn to_bytes(&self) -> Result<Secret> {
        self.keyring.borrow().to_bytes(&Place::file(KEYRING))
    }

    /// Sets the time, which is needed only for keys that have dates: those that have expired are not
    /// handed out.
    pub fn set_time(&mut self, now: Time) {
        self.now = Some(now);
    }

    /// Adds a shop with the default algorithms of a scheme: A256GCM, with A256KW or RSA-OAEP-256 in
    /// hybrid schemes; RSA keys have 3,072 bits.
    ///
    /// At shop scope this makes the shop's key. At transaction scope keys are made by
    /// [`add_keys`](Self::add_keys) and [`client_bundle`](Self::client_bundle).
    ///
    /// # Errors
    /// [`Error::Malformed`] for a name that is not 1 to 64 of `A-Z a-z 0-9 . _ -`; [`Error::Usage`]
    /// if the keyring already has the shop with a key or with another scheme.
    pub fn add_shop(&mut self, shop: &str, scheme: Scheme) -> Result<()> {
        self.add_shop_with(shop, scheme.scope, Suite::default_for(scheme))
    }

    /// Adds a shop with the algorithms of your choice. They determine whether its scheme is direct
    /// or hybrid, secret or public.
    ///
    /// ```
    /// use orderseal::{Scope, Service, Suite};
    ///
    /// let mut service = Service::new();
    /// let suite = Suite::from_header("A128KW", "A128CBC-HS256").expect("algorithms of RFC 7518");
    /// service.add_shop_with("tokyo", Scope::Shop, suite)?;
    /// let sealed = service.client_bundle("tokyo", 1)?.seal(["tea"])?;
    /// assert_eq!(service.shop_bundle("tokyo")?.open(sealed)?, ["tea"]);
    /// # Ok::<(), orderseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`add_shop`](Self::add_shop), and [`KeyError::Weak`] for algorithms that are only for
    /// teaching and old data.
    pub fn add_shop_with(&mut self, shop: &str, scope: Scope, suite: Suite) -> Result<()> {
        let place = Place::file(KEYRING);
        if let Some(weak) = suite.weak() {
            return Err(Error::key(&place, KeyError::Weak(weak)));
        }
        let request = KeyRequest {
            pool: service::Pool::Listed,
            shop: name(shop)?,
            scheme: Scheme::new(suite.content(), scope, suite.kind()),
            suite,
            orders: 0,
            sizes: Sizes::default(),
            service: None,
            dates: Dates::default(),
        };
        self.keyring.update(|keyring| add_keys(keyring, &request, &place))
    }

    /// Makes keys for this many transactions, to be handed out later. Afterwards, give the shop a
    /// new [`shop_bundle`](Self::shop_bundle).
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`]; [`Error::Usage`] at shop scope, where one key serves all orders;
    /// [`Error::KeyFileFull`].
    pub fn add_keys(&mut self, shop: &str, transactions: usize) -> Result<()> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        self.keyring.update(|keyring| {
            let request = KeyRequest::more(keyring, &shop, transactions as u64, &place)?;
            add_keys(keyring, &request, &place)
        })
    }

    /// Makes a derived pool of keys for this many transactions, to be handed out later: 1 to 2³²,
    /// which take no more room than one. Afterwards, give the shop a new
    /// [`shop_bundle`](Self::shop_bundle).
    ///
    /// ```
    /// use orderseal::{Scheme, Service};
    ///
    /// let mut service = Service::new();
    /// service.add_shop("tokyo", Scheme::HYBRID_TRANSACTION_SECRET)?;
    /// service.add_derived_keys("tokyo", 1 << 32)?;
    /// let sealed = service.client_bundle("tokyo", 1_000_000)?.seal(["tea"])?;
    /// assert_eq!(service.shop_bundle("tokyo")?.open(sealed)?, ["tea"]);
    /// # Ok::<(), orderseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`]; [`Error::Usage`] for other numbers, and for shops whose keys cannot
    /// be derived: at shop scope, or with RSA keys.
    pub fn add_derived_keys(&mut self, shop: &str, transactions: u64) -> Result<()> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        self.keyring.update(|keyring| {
            let request = KeyRequest::more(keyring, &shop, transactions, &place)?;
            let request = KeyRequest { pool: service::Pool::Derived, ..request };
            add_keys(keyring, &request, &place)
        })
    }

    /// Makes a bundle with which a client can seal orders for a shop, and records it in the keyring.
    ///
    /// At transaction scope the client gets a key for each of `orders` orders, from those that have
    /// not been handed out yet. If there are too few, the missing keys are made, and the shop then
    /// needs a new [`shop_bundle`](Self::shop_bundle). At shop scope every client gets the shop's
    /// one key, and `orders` has no effect.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`]; [`KeyError::AllAllotted`] if other clients have all that the
    /// shop's key may seal; [`Error::KeyFileFull`].
    pub fn client_bundle(&mut self, shop: &str, orders: usize) -> Result<Client> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        let bundle = self.keyring.update(|keyring| {
            let orders = orders as u64;
            let (newest, account) = keyring.account(Some(&shop), &place)?;
            let missing = match account.shop.scheme.scope {
                Scope::Shop => 0,
                Scope::Transaction => orders.saturating_sub(service::count_unused(keyring, newest)),
            };
            if missing > 0 {
                let request = KeyRequest::more(keyring, &shop, missing, &place)?;
                add_keys(keyring, &request, &place)?;
            }
            hand_out(keyring, shop, IdRequest::Pool(orders), self.now, &place)
        })?;
        Ok(Client::new(bundle, self.now))
    }

    /// Admits a user, whose id may seal any number of orders, to a shop at transaction scope. The shop
    /// then needs a new [`shop_bundle`](Self::shop_bundle). A user who is admitted already keeps their
    /// key.
    ///
    /// ```
    /// use orderseal::{Scheme, Service};
    ///
    /// let mut service = Service::new();
    /// service.add_shop("tokyo", Scheme::HYBRID_TRANSACTION_SECRET)?;
    /// assert!(service.user_bundle("tokyo", "alice").is_err());
    /// service.admit("tokyo", "alice")?;
    /// let mut alice = service.user_bundle("tokyo", "alice")?;
    /// let mut shop = service.shop_bundle("tokyo")?;
    /// assert_eq!(shop.open(alice.seal(["tea", "paper"])?)?, ["tea", "paper"]);
    ///
    /// // Alice's file keeps sealing. Her orders do not open where she was revoked.
    /// service.revoke("tokyo", "alice")?;
    /// shop.revoke("alice")?;
    /// assert!(shop.open(alice.seal(["ink"])?).is_err());
    /// assert!(service.shop_bundle("tokyo")?.open(alice.seal(["ink"])?).is_err());
    /// assert!(service.admit("tokyo", "alice").is_err());
    /// # Ok::<(), orderseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`], and [`KeyError::Revoked`] for a user who was revoked;
    /// [`Error::Malformed`] for a name that is not 1 to 64 of `A-Z a-z 0-9 . _ -`; [`Error::Usage`] at
    /// shop scope, where one key serves all orders, and for the id of a transaction.
    pub fn admit(&mut self, shop: &str, user: &str) -> Result<()> {
        let (shop, users, place) = (name(shop)?, only(user)?, Place::file(KEYRING));
        let (source, workers) = (SystemSource::new()?, workers()?);
        self.keyring.update(|keyring| {
            service::admit(keyring, Some(&shop), &users, &source, &workers, &place).map(|_| ())
        })
    }

    /// Makes a bundle with which a user can seal orders for a shop. Every bundle of a user has the same
    /// key.
    ///
    /// # Errors
    /// As [`client_bundle`](Self::client_bundle); [`KeyError::NotAdmitted`] and [`KeyError::Revoked`];
    /// [`Error::Usage`] as for [`admit`](Self::admit).
    pub fn user_bundle(&mut self, shop: &str, user: &str) -> Result<Client> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        let ids = IdRequest::User(name(user)?);
        let bundle =
            self.keyring.update(|keyring| hand_out(keyring, shop, ids, self.now, &place))?;
        Ok(Client::new(bundle, self.now))
    }

    /// Revokes a user for good: no bundle that is made later has their key. Shops that have it need a
    /// new [`shop_bundle`](Self::shop_bundle), or [`Shop::revoke`].
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`], and [`KeyError::NotAdmitted`] for a user who was never admitted;
    /// [`Error::Usage`] as for [`admit`](Self::admit).
    pub fn revoke(&mut self, shop: &str, user: &str) -> Result<()> {
        let (shop, users, place) = (name(shop)?, only(user)?, Place::file(KEYRING));
        self.keyring
            .update(|keyring| revoke::at_service(keyring, Some(&shop), &users, &place).map(|_| ()))
    }

    /// Makes the next generation of a shop's keys, like the newest one. Bundles for clients that are made
    /// from now on have its keys; earlier ones still work. Afterwards, give the shop a new
    /// [`shop_bundle`](Self::shop_bundle).
    ///
    /// ```
    /// use orderseal::{Scheme, Service};
    ///
    /// let mut service = Service::new();
    /// service.add_shop("tokyo", Scheme::HYBRID_SHOP_SECRET)?;
    /// let mut old = service.client_bundle("tokyo", 1)?;
    /// service.rotate("tokyo")?;
    /// let mut new = service.client_bundle("tokyo", 1)?;
    /// let shop = service.shop_bundle("tokyo")?;
    /// let sealed = [old.seal(["tea"])?, new.seal(["paper"])?].concat();
    /// assert_eq!(shop.open(sealed)?, ["tea", "paper"]);
    /// # Ok::<(), orderseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`]; [`Error::KeyFileFull`].
    pub fn rotate(&mut self, shop: &str) -> Result<()> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        self.keyring.update(|keyring| {
            let (rotation, fresh) = (Rotation::default(), SystemSource::new);
            service::rotate(keyring, Some(&shop), &rotation, fresh, &workers()?, &place).map(|_| ())
        })
    }

    /// Makes a bundle with which a shop can open its orders: all keys that it has so far, and no
    /// other shop's.
    ///
    /// # Errors
    /// [`KeyError::UnknownShop`], and [`KeyError::Missing`] if the shop has no keys yet.
    pub fn shop_bundle(&self, shop: &str) -> Result<Shop> {
        let (shop, place) = (name(shop)?, Place::file(KEYRING));
        let keyring = self.keyring.borrow();
        Shop::new(service::bundle_shop(&keyring, Some(&shop), ShopForm::Program, &place)?)
    }
}

fn hand_out(
    keyring: &mut Keyring,
    shop: Name,
    ids: IdRequest,
    now: Option<Time>,
    place: &Place,
) -> Result<ClientBundle> {
    let (source, workers) = (SystemSource::new()?, workers()?);
    let request = ClientRequest::new(shop, ids, time(now, keyring)?);
    let make = |making: &KeyRequest| service::make_keys(making, &source, &workers, &|| {}, place);
    service::bundle_client(keyring, &request, &source, make, place).map(|delivery| delivery.client)
}

fn add_keys(keyring: &mut Keyring, request: &KeyRequest, place: &Place) -> Result<()> {
    service::check_room(keyring, request, place)?;
    service::check_len(keyring, request, place)?;
    let source = SystemSource::new()?;
    let keys = service::make_keys(request, &source, &workers()?, &|| {}, place)?;
    service::add_keys(keyring, request, keys, &source, place).map(|_| ())
}
