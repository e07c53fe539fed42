//! The three roles, with keyrings and bundles in memory. All rules are implemented in `protocol::roles`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ciphers::random::SystemSource;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::model::{
    Dates, Error, KeyError, Malformed, Name, NotName, OutOfDate, Place, Result, Scheme, Scope,
    Suite, Time,
};
use crate::protocol::pipeline::{Batch, Part, Workers};
use crate::protocol::roles::client::{Plan, Sink, Totals};
use crate::protocol::roles::revoke;
use crate::protocol::roles::send::{Sender, Unattended};
use crate::protocol::roles::service::{
    self, ClientRequest, IdRequest, KeyRequest, Rotation, ShopForm, Sizes,
};
use crate::protocol::roles::shop::{self, Options, Uses};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, Keyring, ShopBundle};
use crate::protocol::store::spend::Durable;
use crate::protocol::store::{OpeningFile, OpeningKeys};

/// Names of the values in memory, for messages.
const KEYRING: &str = "keyring";
const CLIENT: &str = "client bundle";
const SHOP: &str = "shop bundle";
const ORDERS: &str = "orders";
const SEALED: &str = "sealed orders";

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
        Ok(Client { bundle: RefCell::new(bundle), now: self.now })
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
        Ok(Client { bundle: RefCell::new(bundle), now: self.now })
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

/// A client: seals orders for one shop.
///
/// What sealing uses up (transaction ids, or the random IVs of a key) is recorded in the bundle.
/// Store [`to_bytes`](Self::to_bytes) before the sealed orders leave, so that nothing is used twice
/// after a crash, and keep only one copy.
///
/// ```
/// use orderseal::{Client, Scheme, Service};
///
/// let mut service = Service::new();
/// service.add_shop("tokyo", Scheme::DIRECT_TRANSACTION_SECRET)?;
/// let sent_to_client = service.client_bundle("tokyo", 3)?.to_bytes()?;
///
/// let mut client = Client::parse(&sent_to_client)?;
/// let sealed = client.seal(["2 x green tea", "1 x rice paper"])?;
/// let stored = client.to_bytes()?;
/// assert_eq!(sealed.lines().count(), 2);
///
/// let mut client = Client::parse(&stored)?;
/// client.seal(["1 x ink"])?;
/// assert!(client.seal(["1 x brush"]).is_err(), "all 3 ids are spent");
/// # Ok::<(), orderseal::Error>(())
/// ```
#[derive(Debug)]
pub struct Client {
    bundle: RefCell<ClientBundle>,
    now: Option<Time>,
}

impl Client {
    /// Reads a client bundle written by [`to_bytes`](Self::to_bytes) or `orderseal bundle client`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Unexpected`] and [`Error::Key`] for bytes that are not a client
    /// bundle, or whose keys are not random or are for a weak algorithm.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let place = Place::file(CLIENT);
        let bundle = KeyFile::parse(bytes, &place)?.into_client(&place)?;
        bundle.refuse_weak(false, &place)?;
        Ok(Self { bundle: RefCell::new(bundle), now: None })
    }

    /// Serializes the bundle as a JWK Set with the keys, the program, and a record of what was used up.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] above 512 MiB.
    pub fn to_bytes(&self) -> Result<Secret> {
        self.bundle.borrow().to_bytes(&Place::file(CLIENT))
    }

    /// Sets the time, which is needed only for keys that have dates: they seal from and until these.
    pub fn set_time(&mut self, now: Time) {
        self.now = Some(now);
    }

    /// Seals orders: any bytes up to 1 MiB each, without a line feed. Returns one line per order,
    /// in the same order; each is a JWE in compact serialization (RFC 7516).
    ///
    /// If the client's program erases after sending, its keys are erased from this bundle before
    /// this method returns.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an order that contains a line feed or is too long, and
    /// [`KeyError::Spent`] or [`KeyError::Budget`] if too little is left; nothing is used up in
    /// these cases.
    pub fn seal<T: AsRef<[u8]>>(&mut self, orders: impl IntoIterator<Item = T>) -> Result<String> {
        let place = Place::file(ORDERS);
        let mut text = Wiped::default();
        for (number, order) in (1..).zip(orders) {
            let order = order.as_ref();
            if memchr::memchr(b'\n', order).is_some() {
                return Err(Error::malformed(&place.at(number), Malformed::LineFeed));
            }
            let added = text.write_all(order).and_then(|()| text.write_all(b"\n"));
            added.map_err(|error| Error::io(&place, "cannot copy", error))?;
        }
        let mut sealed = Vec::new();
        self.run(Part::memory(ORDERS, text), &mut sealed)?;
        Ok(String::from_utf8(sealed).expect("base64url, dots and line feeds"))
    }

    fn run(&mut self, orders: impl Into<Batch>, sink: &mut impl Sink) -> Result<Totals> {
        let place = Place::file(CLIENT);
        let now = time(self.now, &*self.bundle.borrow())?;
        let plan = Plan::of_client(&self.bundle.borrow(), now, &place)?;
        let (workers, source, erases) = (workers()?, SystemSource::new()?, plan.erases());
        let bundle = &mut self.bundle;
        let sender = Sender { file: bundle, place: &place, erases, attendant: &Unattended };
        let (sealed, _) = sender
            .run(sink, |bundle, sink| plan.seal(&workers, orders, &source, bundle, sink, |_| {}))?;
        Ok(sealed.totals)
    }
}

/// A shop: opens the orders that clients sealed for it.
///
/// ```
/// use orderseal::{Scheme, Service, Shop};
///
/// let mut service = Service::new();
/// service.add_shop("tokyo", Scheme::HYBRID_SHOP_SECRET)?;
/// let sealed = service.client_bundle("tokyo", 1)?.seal(["tea", "paper"])?;
/// let sent_to_shop = service.shop_bundle("tokyo")?.to_bytes()?;
///
/// let shop = Shop::parse(&sent_to_shop)?;
/// let orders = shop.open(&sealed)?;
/// assert_eq!(orders, ["tea", "paper"]);
/// assert_eq!(std::str::from_utf8(&orders[0]), Ok("tea"));
///
/// let mut changed = sealed.into_bytes();
/// changed[80] ^= 1;
/// assert!(shop.open(changed).is_err());
/// # Ok::<(), orderseal::Error>(())
/// ```
#[derive(Debug)]
pub struct Shop {
    bundle: Arc<ShopBundle>,
    keys: OpeningKeys,
}

impl Shop {
    /// Reads a shop bundle written by [`to_bytes`](Self::to_bytes) or `orderseal bundle shop`.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Unexpected`] and [`Error::Key`] for bytes that are not a shop
    /// bundle, or whose keys are not random.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let place = Place::file(SHOP);
        Self::new(KeyFile::parse(bytes, &place)?.into_shop(&place)?)
    }

    fn new(bundle: ShopBundle) -> Result<Self> {
        let (bundle, place) = (Arc::new(bundle), Place::file(SHOP));
        bundle.refuse_marked(false, &place)?;
        let mut keys = OpeningKeys::new(false);
        keys.add(OpeningFile::Shop(Arc::clone(&bundle)), &place)?;
        Ok(Self { bundle, keys })
    }

    /// Serializes the bundle as a JWK Set with the shop's decrypting keys.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] above 512 MiB.
    pub fn to_bytes(&self) -> Result<Secret> {
        self.bundle.to_bytes(&Place::file(SHOP))
    }

    /// Revokes a user: their orders do not open here any more. Store [`to_bytes`](Self::to_bytes)
    /// afterwards.
    ///
    /// # Errors
    /// As [`Service::revoke`].
    pub fn revoke(&mut self, user: &str) -> Result<()> {
        let mut bundle = ShopBundle::clone(&self.bundle);
        revoke::at_shop(&mut bundle, &only(user)?, &Place::file(SHOP))?;
        *self = Self::new(bundle)?;
        Ok(())
    }

    /// Opens sealed orders, one per line, and returns them in the same order.
    ///
    /// A transaction id that occurs twice within one call is refused. Repetitions across calls or
    /// at shop scope are not detected, nor are orders that were dropped or reordered.
    ///
    /// # Errors
    /// The error of the first line that does not open: [`Error::Malformed`], [`Error::Key`] or
    /// [`Error::Authentication`].
    pub fn open(&self, sealed: impl AsRef<[u8]>) -> Result<Vec<Secret>> {
        let mut orders = Vec::new();
        self.run(Part::memory(SEALED, sealed.as_ref().to_vec()), |text| {
            let lines = text.split_inclusive(|&byte| byte == b'\n');
            orders.extend(lines.map(|line| Secret::from(&line[..line.len() - 1])));
            Ok(())
        })?;
        Ok(orders)
    }

    fn run(
        &self,
        sealed: impl Into<Batch>,
        mut write: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Totals> {
        let options = Options { uses: Uses::OnceInRun, skip_failed: false, each: None };
        let write = |text: &[u8], _: &Totals| write(text);
        let opened = shop::open(&workers()?, sealed, &self.keys, options, write, |_| Ok(()))?;
        Ok(opened.totals)
    }
}

/// Seals a batch of any length: reads orders, one per line, and writes one sealed line per order,
/// on all cores and in memory that does not grow with the batch.
///
/// ```
/// use std::io::Cursor;
/// use orderseal::{Scheme, Service};
///
/// let mut service = Service::new();
/// service.add_shop("tokyo", Scheme::HYBRID_SHOP_PUBLIC)?;
/// let (mut client, shop) = (service.client_bundle("tokyo", 1)?, service.shop_bundle("tokyo")?);
/// let (mut sealed, mut opened) = (Vec::new(), Vec::new());
/// let totals = orderseal::seal(&mut client, Cursor::new("tea\npaper\n"), &mut sealed)?;
/// assert_eq!(totals.orders, 2);
/// orderseal::open(&shop, Cursor::new(sealed), &mut opened)?;
/// assert_eq!(opened, b"tea\npaper\n");
/// # Ok::<(), orderseal::Error>(())
/// ```
///
/// Lines are written while the batch runs, before you can store the client. If they leave from there,
/// write them to a file or buffer first, store [`Client::to_bytes`], and send them only then: a client
/// that is read again from older bytes uses the same ids, IVs and pad bytes a second time.
///
/// # Errors
/// As [`Client::seal`], at the first line that fails, and [`Error::Io`]. If something may have left
/// by then, [`Error::Spending`] reports what was used up; otherwise nothing is used up.
pub fn seal(
    client: &mut Client,
    orders: impl Read + Send + 'static,
    sealed: impl Write,
) -> Result<Totals> {
    let orders = Part { place: Place::file(ORDERS), reader: Box::new(orders) };
    client.run(orders, &mut Outgoing { to: sealed, written: false })
}

/// Opens a batch of any length: reads sealed lines and writes the orders, one per line, on all
/// cores and in memory that does not grow with the batch.
///
/// ```
/// use std::io::Cursor;
/// use orderseal::{Scheme, Service};
///
/// let mut service = Service::new();
/// service.add_shop("tokyo", Scheme::HYBRID_SHOP_SECRET)?;
/// // Sealed batches can be joined, here those of two clients.
/// let mut sealed = service.client_bundle("tokyo", 1)?.seal(["tea"])?;
/// sealed += &service.client_bundle("tokyo", 1)?.seal(["paper"])?;
/// let (shop, mut orders) = (service.shop_bundle("tokyo")?, Vec::new());
/// orderseal::open(&shop, Cursor::new(sealed), &mut orders)?;
/// assert_eq!(orders, b"tea\npaper\n");
/// # Ok::<(), orderseal::Error>(())
/// ```
///
/// Every order that was written is authentic, even if a later one fails.
///
/// # Errors
/// As [`Shop::open`], at the first line that fails, and [`Error::Io`].
pub fn open(
    shop: &Shop,
    sealed: impl Read + Send + 'static,
    mut orders: impl Write,
) -> Result<Totals> {
    let failed = |error| Error::io(ORDERS, "cannot write", error);
    let sealed = Part { place: Place::file(SEALED), reader: Box::new(sealed) };
    let totals = shop.run(sealed, |text| orders.write_all(text).map_err(failed))?;
    orders.flush().map_err(failed)?;
    Ok(totals)
}

/// Writes sealed orders to any writer; what was written cannot be taken back.
struct Outgoing<W> {
    to: W,
    written: bool,
}

impl<W: Write> Sink for Outgoing<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written = true;
        self.to.write_all(bytes).map_err(|error| Error::io(SEALED, "cannot write", error))
    }

    fn send(&mut self) -> Result<()> {
        self.to.flush().map_err(|error| Error::io(SEALED, "cannot write", error))
    }

    fn discard(&mut self) {}

    fn may_have_left(&self) -> bool {
        self.written
    }
}

fn name(text: &str) -> Result<Name> {
    let place = || Place::file(format!("name {text:?}"));
    text.parse().map_err(|fault: NotName| Error::malformed(&place(), fault))
}

fn only(text: &str) -> Result<BTreeSet<Name>> {
    name(text).map(|name| BTreeSet::from([name]))
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

/// The time, which has to be known if keys of a file have dates.
fn time(now: Option<Time>, file: &dyn KeyHolder) -> Result<Time> {
    let dated = file.shops().find(|(_, shop)| !shop.dates.is_always());
    match (now, dated) {
        (Some(now), _) => Ok(now),
        (None, None) => Ok(Time::UNIX_EPOCH),
        (None, Some((shop, _))) => {
            let error = KeyError::out_of_date(shop, OutOfDate::Unknown);
            Err(Error::key(&Place::file("clock"), error))
        }
    }
}

fn add_keys(keyring: &mut Keyring, request: &KeyRequest, place: &Place) -> Result<()> {
    service::check_room(keyring, request, place)?;
    service::check_len(keyring, request, place)?;
    let source = SystemSource::new()?;
    let keys = service::make_keys(request, &source, &workers()?, &|| {}, place)?;
    service::add_keys(keyring, request, keys, &source, place).map(|_| ())
}

/// The threads of this process, as many as there are cores; started when first needed, and kept.
fn workers() -> Result<Workers> {
    static WORKERS: Mutex<Option<Workers>> = Mutex::new(None);
    let mut started = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(workers) = &*started {
        return Ok(workers.clone());
    }
    let workers = Workers::new(None)?;
    *started = Some(workers.clone());
    Ok(workers)
}

#[cfg(test)]
mod tests;
