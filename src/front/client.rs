//! A client.

use std::cell::RefCell;
use std::io::{Read, Write};

use super::context::{ORDERS, SEALED, time, workers};
use crate::ciphers::random::SystemSource;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::model::{Error, Malformed, Place, Result, Time};
use crate::protocol::pipeline::{Batch, Part};
use crate::protocol::roles::client::{Plan, Sink, Totals};
use crate::protocol::roles::send::{Sender, Unattended};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder};

/// The name of a client's bundle in memory, for messages.
const CLIENT: &str = "client bundle";

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
    pub(super) bundle: RefCell<ClientBundle>,
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
        Ok(Self::new(bundle, None))
    }

    pub(super) fn new(bundle: ClientBundle, now: Option<Time>) -> Self {
        Self { bundle: RefCell::new(bundle), now }
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
    /// [`Spent`](crate::KeyError::Spent) or [`Budget`](crate::KeyError::Budget) if too little is left;
    /// nothing is used up in these cases.
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
