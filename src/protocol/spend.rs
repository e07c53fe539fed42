//! What may be used only so often: transaction ids, the random IVs of a key, the bytes of a pad.
//!
//! Use is recorded durably before anything is sealed, in blocks that double, so that a crash may
//! lose some of it and never repeats any. What was reserved and not used is given back at the end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;

use crate::protocol::files;
use crate::protocol::jwk::{Jwk, Material};
use crate::protocol::keyfile::{IV_BUDGET, KeyFile};
use crate::protocol::pad::Pad;
use crate::protocol::{Error, KeyTrouble, Kid, Name, Place, Result};

/// A key file that can be changed durably.
pub trait KeyStore {
    /// Changes the file; when this returns, the change is durable.
    ///
    /// # Errors
    /// What `change` returns, in which case nothing is changed, and [`Error::Io`].
    fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T>;
}

/// A key file on the disk.
impl KeyStore for Path {
    fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
        files::update(self, change)
    }
}

/// A key file in memory, for simulations.
impl KeyStore for RefCell<KeyFile> {
    fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
        let mut changed = self.borrow().clone();
        let result = change(&mut changed)?;
        *self.borrow_mut() = changed;
        Ok(result)
    }
}

/// Transaction ids or IVs in the first block that is reserved.
const FIRST_BLOCK: u64 = 256;

/// Bytes of pad in the first block that is reserved.
const FIRST_PIECE: u64 = 64 << 10;

/// The part of a client's ids or of a pad that the first block is, where that is more: then the file
/// is long, too, which is written again for each block.
const FIRST_PART: u64 = 16;

/// Transaction ids of a client, each good for one order.
#[derive(Debug)]
pub struct Ids<'s, S: ?Sized> {
    store: &'s S,
    bundle: Place,
    place: Place,
    shop: Name,
    ready: VecDeque<Jwk>,
    used: Vec<Name>,
    takes_pad: bool,
    block: u64,
}

impl<'s, S: KeyStore + ?Sized> Ids<'s, S> {
    /// The ids of a shop in a client's file, whose name is `bundle`; `place` is the input's.
    pub fn new(store: &'s S, bundle: Place, shop: Name, place: Place) -> Self {
        Self {
            store,
            bundle,
            place,
            shop,
            ready: VecDeque::new(),
            used: Vec::new(),
            takes_pad: false,
            block: FIRST_BLOCK,
        }
    }

    /// Keys for the orders that start at a line.
    ///
    /// # Errors
    /// [`KeyTrouble::Spent`] at the first line for which none is left.
    pub fn take(&mut self, orders: usize, first_line: u64) -> Result<Vec<Jwk>> {
        while self.ready.len() < orders {
            if self.reserve(orders)? == 0 {
                let line = first_line + self.ready.len() as u64;
                let issued = self.store.update(|file| Ok(file.keys().len()))?;
                let (bundle, shop) = (self.bundle.file.clone(), self.shop.clone());
                let trouble = KeyTrouble::Spent { bundle, shop, issued };
                return Err(Error::key(&self.place.at(line), trouble));
            }
        }
        let taken: Vec<Jwk> = self.ready.drain(..orders).collect();
        self.used.extend(taken.iter().filter_map(|key| key.kid.as_ref()?.id()));
        self.takes_pad = taken.iter().any(|key| matches!(key.material, Material::Pad(_)));
        Ok(taken)
    }

    fn reserve(&mut self, orders: usize) -> Result<usize> {
        let mut block = self.block;
        let reserved = self.store.update(|file| {
            if block == FIRST_BLOCK {
                block = block.max(file.keys().len() as u64 / FIRST_PART);
            }
            let want = block.max(orders as u64) as usize;
            let Some(shop) = file.shops.get(&self.shop) else { return Ok(Vec::new()) };
            let unspent = |key: &&Jwk| {
                let id = key.kid.as_ref().and_then(|kid| kid.parts().1);
                id.is_some_and(|id| !shop.spent.contains(id))
            };
            let reserved: Vec<Jwk> =
                file.keys().iter().filter(unspent).take(want).cloned().collect();
            let ids = reserved.iter().filter_map(|key| key.kid.as_ref()?.id());
            if let Some(shop) = file.shops.get_mut(&self.shop) {
                shop.spent.extend(ids);
            }
            Ok(reserved)
        })?;
        self.block = 2 * block;
        let count = reserved.len();
        self.ready.extend(reserved);
        Ok(count)
    }

    /// Gives back the ids that no order was sealed with; also the others if what was sealed never
    /// left. A pad that has sealed stays used all the same: what was discarded may lie on the disk.
    ///
    /// # Errors
    /// [`Error::Io`]; the ids are then lost, never repeated.
    pub fn settle(self, nothing_left: bool) -> Result<()> {
        let unused = self.ready.iter().filter_map(|key| key.kid.as_ref()?.id());
        let mut returned: Vec<Name> = unused.collect();
        if nothing_left && !self.takes_pad {
            returned.extend(self.used);
        }
        if returned.is_empty() {
            return Ok(());
        }
        self.store.update(|file| {
            if let Some(shop) = file.shops.get_mut(&self.shop) {
                for id in &returned {
                    shop.spent.remove(id);
                }
            }
            Ok(())
        })
    }
}

/// The random IVs that may still be drawn for a key which seals many orders.
#[derive(Debug)]
pub struct Budget<'s, S: ?Sized> {
    store: &'s S,
    place: Place,
    kid: Option<Kid>,
    reserved: u64,
    block: u64,
}

impl<'s, S: KeyStore + ?Sized> Budget<'s, S> {
    /// The budget of a client's key, or of a lone key if it has no name.
    pub fn new(store: &'s S, kid: Option<Kid>, place: Place) -> Self {
        Self { store, place, kid, reserved: 0, block: FIRST_BLOCK }
    }

    /// Takes the budget for the orders that start at a line.
    ///
    /// # Errors
    /// [`KeyTrouble::Budget`] when not so much is left.
    pub fn take(&mut self, orders: u64, first_line: u64) -> Result<()> {
        while self.reserved < orders {
            let got = self.reserve(orders - self.reserved)?;
            if got == 0 {
                let kid = self.kid.as_ref().map_or("given by --key".to_owned(), Kid::to_string);
                let line = self.place.at(first_line + self.reserved);
                return Err(Error::key(&line, KeyTrouble::Budget { kid }));
            }
            self.reserved += got;
        }
        self.reserved -= orders;
        Ok(())
    }

    fn reserve(&mut self, at_least: u64) -> Result<u64> {
        let want = self.block.max(at_least);
        self.block *= 2;
        self.change(|left| {
            let got = want.min(*left);
            *left -= got;
            got
        })
    }

    /// Gives back what was not used. What was used stays used, whether it left or not.
    ///
    /// # Errors
    /// [`Error::Io`]; the budget is then lost, never repeated.
    pub fn settle(self) -> Result<()> {
        match self.reserved {
            0 => Ok(()),
            unused => self.change(|left| *left += unused),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut u64) -> T) -> Result<T> {
        change_left(self.store, self.kid.as_ref(), IV_BUDGET, change)
    }
}

/// The bytes of a pad, or of a client's piece of one, that have sealed nothing yet. They are used up
/// from the front.
#[derive(Debug)]
pub struct Pads<'s, S: ?Sized> {
    store: &'s S,
    place: Place,
    key: Jwk,
    pad: Pad,
    /// Reserved and not used, as places in `pad`.
    reserved: Range<u64>,
    block: u64,
}

impl<'s, S: KeyStore + ?Sized> Pads<'s, S> {
    /// The pad of a client's key, or of a lone key.
    pub fn new(store: &'s S, key: Jwk, pad: Pad, place: Place) -> Self {
        let block = FIRST_PIECE.max(pad.len() / FIRST_PART);
        Self { store, place, key, pad, reserved: 0..0, block }
    }

    /// Reserves what all orders together need, before the first of them is sealed.
    ///
    /// # Errors
    /// [`KeyTrouble::PadShort`] when not so much is left.
    pub fn expect(&mut self, needed: u64) -> Result<()> {
        let block = std::mem::take(&mut self.block);
        let reserved = self.reserve(needed)?;
        self.block = block;
        match reserved {
            Ok(()) => Ok(()),
            Err(left) => Err(Error::key(&self.place, KeyTrouble::PadShort { needed, left })),
        }
    }

    /// A key for each of the orders that start at a line: a piece of pad as long as the order.
    ///
    /// # Errors
    /// [`KeyTrouble::PadShort`] at the first line for which not enough is left; nothing is used then.
    pub fn take(&mut self, orders: &[&[u8]], first_line: u64) -> Result<Vec<Jwk>> {
        let needed = orders.iter().map(|order| order.len() as u64).sum();
        if self.reserved.end - self.reserved.start < needed
            && let Err(left) = self.reserve(needed)?
        {
            let mut rest = left;
            let fits = |order: &&&[u8]| {
                let after = rest.checked_sub(order.len() as u64);
                rest = after.unwrap_or(rest);
                after.is_some()
            };
            let line = self.place.at(first_line + orders.iter().take_while(fits).count() as u64);
            return Err(Error::key(&line, KeyTrouble::PadShort { needed, left }));
        }
        let mut pieces = Vec::with_capacity(orders.len());
        for order in orders {
            let len = order.len() as u64;
            let piece = self.pad.piece(self.reserved.start, len).expect("it is reserved");
            self.reserved.start += len;
            pieces.push(Jwk { material: Material::Pad(piece), ..self.key.clone() });
        }
        Ok(pieces)
    }

    /// Reserves at least `needed` bytes in one piece, or tells how many are left.
    fn reserve(&mut self, needed: u64) -> Result<std::result::Result<(), u64>> {
        let block = self.block;
        self.block *= 2;
        let (reserved, len) = (self.reserved.clone(), self.pad.len());
        let got = self.change(|left| {
            *left = (*left).min(len);
            let next = len - *left;
            // What is left of a block that another run has followed cannot be continued, and is lost.
            let start = if next == reserved.end { reserved.start } else { next };
            let missing = needed.saturating_sub(next - start);
            if missing > *left {
                return Err(next - start + *left);
            }
            let more = missing.max(block).min(*left);
            *left -= more;
            Ok(start..next + more)
        })?;
        Ok(got.map(|reserved| self.reserved = reserved))
    }

    /// Gives back what was not used, unless another run has gone on after it. What was used stays
    /// used, whether it left or not.
    ///
    /// # Errors
    /// [`Error::Io`]; the rest is then lost, never repeated.
    pub fn settle(self) -> Result<()> {
        let Range { start, end } = self.reserved;
        if start == end {
            return Ok(());
        }
        let len = self.pad.len();
        self.change(|left| {
            if len - *left == end {
                *left += end - start;
            }
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut u64) -> T) -> Result<T> {
        change_left(self.store, self.key.kid.as_ref(), self.pad.len(), change)
    }
}

/// Changes what is left of a key's use, wherever the file keeps it: a client as what remains, a lone
/// key as what is gone of `whole`.
fn change_left<S: KeyStore + ?Sized, T>(
    store: &S,
    kid: Option<&Kid>,
    whole: u64,
    change: impl FnOnce(&mut u64) -> T,
) -> Result<T> {
    store.update(|file| {
        let Some(kid) = kid.filter(|_| !file.is_lone()) else {
            let mut left = whole.saturating_sub(file.sealed);
            let result = change(&mut left);
            file.sealed = whole - left;
            return Ok(result);
        };
        let mut none = 0;
        let shop = file.shops.get_mut(&kid.shop());
        Ok(change(shop.map_or(&mut none, |shop| shop.budget.entry(kid.clone()).or_default())))
    })
}
