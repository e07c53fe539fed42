//! The random IVs that are left for a key that seals many orders.

use super::{KeyStore, Left, Patience, Reserved, change_left};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::model::{Error, KeyError, Place, Result};
use crate::protocol::store::keyfile::IV_BUDGET;

/// Number of IVs in the first block that is reserved.
const FIRST_BLOCK: u64 = 256;

/// The random IVs that are left for a key that seals many orders.
#[derive(Debug)]
pub struct Budget<'s, S: ?Sized> {
    store: &'s S,
    bundle: Place,
    key: Jwk<EncryptingKey>,
    reserved: u64,
    used: u64,
    block: u64,
}

impl<'s, S: KeyStore + ?Sized> Budget<'s, S> {
    /// Manages the budget of a key in a client's file named `bundle`, or of a lone key.
    pub fn new(store: &'s S, bundle: Place, key: Jwk<EncryptingKey>) -> Self {
        Self { store, bundle, key, reserved: 0, used: 0, block: FIRST_BLOCK }
    }

    /// Reserves exactly what `orders` orders need; `place_of` returns the place of an order.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn expect(&mut self, orders: u64, place_of: impl Fn(u64) -> Place) -> Result<()> {
        self.block = 0;
        self.make_ready(orders, place_of)
    }

    /// Takes the budget for the orders that start at a line.
    ///
    /// # Errors
    /// [`KeyError::Budget`] if too little is left.
    pub fn take(&mut self, orders: u64, first: &Place) -> Result<()> {
        self.make_ready(orders, |order| first.lines_on(order))?;
        self.reserved -= orders;
        self.used += orders;
        Ok(())
    }

    fn make_ready(&mut self, orders: u64, place_of: impl Fn(u64) -> Place) -> Result<()> {
        let mut patience = Patience::new();
        while self.reserved < orders {
            match self.reserve(orders - self.reserved)? {
                Reserved::Enough(more) => self.reserved += more,
                Reserved::TooLittle { shared: true, .. }
                    if patience.wait_after(|| self.give_back())? => {}
                Reserved::TooLittle { left, .. } => {
                    let key = self.key.view().words();
                    let line = place_of(self.reserved + left);
                    return Err(Error::key(&line, KeyError::Budget { key }));
                }
            }
        }
        Ok(())
    }

    fn reserve(&mut self, needed: u64) -> Result<Reserved<u64>> {
        let want = self.block.max(needed);
        self.block *= 2;
        self.change(|left| {
            if left.count < needed {
                let shared = self.store.is_shared()?;
                return Ok(Reserved::TooLittle { left: left.count, shared });
            }
            let got = want.min(left.count);
            left.count -= got;
            Ok(Reserved::Enough(got))
        })
    }

    /// Gives back the IVs that were reserved but not used.
    ///
    /// # Errors
    /// [`Error::Io`]; the IVs are then lost, but never used again.
    pub fn give_back(&mut self) -> Result<()> {
        match std::mem::take(&mut self.reserved) {
            0 => Ok(()),
            unused => self.change(|left| {
                left.count += unused;
                Ok(())
            }),
        }
    }

    /// Number of IVs that stay used, whether or not the orders sealed with them have left.
    pub fn used(&self) -> u64 {
        self.used
    }

    fn change<T>(&self, change: impl FnOnce(&mut Left<'_>) -> Result<T>) -> Result<T> {
        change_left(self.store, &self.key, &self.bundle, IV_BUDGET, change)
    }
}
