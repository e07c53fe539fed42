//! A shop.

use std::io::{Read, Write};
use std::sync::Arc;

use super::context::{ORDERS, SEALED, only, workers};
use crate::ciphers::Secret;
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::{Batch, Part};
use crate::protocol::roles::client::Totals;
use crate::protocol::roles::revoke;
use crate::protocol::roles::shop::{self, Options, Uses};
use crate::protocol::store::keyfile::{KeyFile, KeyHolder, ShopBundle};
use crate::protocol::store::{OpeningFile, OpeningKeys};

/// The name of a shop's bundle in memory, for messages.
const SHOP: &str = "shop bundle";

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

    pub(super) fn new(bundle: ShopBundle) -> Result<Self> {
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
    /// As [`Service::revoke`](crate::Service::revoke).
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
