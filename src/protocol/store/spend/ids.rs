//! A client's transaction ids, each of which can seal one order.

use std::collections::VecDeque;

use super::{KeyStore, Patience, Reserved, Spendable, Spending};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::model::{Error, KeyError, Kid, Name, Place, Result};
use crate::protocol::store::keyfile::ClientBundle;

/// Divisor of the number of a client's ids for the first block: every block requires writing the
/// whole file again.
const FIRST_PART: usize = 64;

/// A client's transaction ids, each of which can seal one order.
#[derive(Debug)]
pub struct Ids<'s, S: ?Sized> {
    store: &'s S,
    bundle: Place,
    shop: Name,
    ready: VecDeque<Jwk<EncryptingKey>>,
    used: Vec<Kid>,
    takes_pad: bool,
    next: Block,
}

/// Number of ids reserved at once, unless more are needed.
#[derive(Debug, Clone, Copy)]
enum Block {
    /// None beyond what is needed, as that is known.
    None,
    /// A small part of all ids.
    Part,
    /// This many.
    Of(usize),
}

impl<'s, S: KeyStore + ?Sized> Ids<'s, S> {
    /// Manages the ids of a shop in a client's file named `bundle`.
    pub fn new(store: &'s S, bundle: Place, shop: Name) -> Self {
        Self {
            store,
            bundle,
            shop,
            ready: VecDeque::new(),
            used: Vec::new(),
            takes_pad: false,
            next: Block::Part,
        }
    }

    /// Reserves an id for each of `orders` orders, before the first of them is sealed; `place_of`
    /// returns the place of an order.
    ///
    /// # Errors
    /// [`KeyError::Spent`] at the first line for which no id is left.
    pub fn expect(&mut self, orders: usize, place_of: impl Fn(u64) -> Place) -> Result<()> {
        self.next = Block::None;
        self.make_ready(orders, place_of)
    }

    /// Takes keys for the orders that start at a line.
    ///
    /// # Errors
    /// As [`expect`](Self::expect).
    pub fn take(&mut self, orders: usize, first: &Place) -> Result<Vec<Jwk<EncryptingKey>>> {
        self.make_ready(orders, |order| first.lines_on(order))?;
        let taken: Vec<Jwk<_>> = self.ready.drain(..orders).collect();
        self.used.extend(taken.iter().filter_map(|key| key.kid.clone()));
        self.takes_pad = taken.iter().any(is_pad);
        Ok(taken)
    }

    fn make_ready(&mut self, orders: usize, place_of: impl Fn(u64) -> Place) -> Result<()> {
        let mut patience = Patience::new();
        while self.ready.len() < orders {
            match self.reserve(orders - self.ready.len())? {
                Reserved::Enough(more) => self.ready.extend(more),
                Reserved::TooLittle { shared: true, .. }
                    if patience.wait_after(|| self.give_back())? => {}
                Reserved::TooLittle { left, .. } => {
                    let line = place_of(self.ready.len() as u64 + left);
                    let issued = self.store.update(|file| Ok(self.client(file)?.keys.len()))?;
                    let (bundle, shop) = (self.bundle.file.clone(), self.shop.clone());
                    return Err(Error::key(&line, KeyError::Spent { bundle, shop, issued }));
                }
            }
        }
        Ok(())
    }

    fn reserve(&mut self, needed: usize) -> Result<Reserved<Vec<Jwk<EncryptingKey>>>> {
        let next = self.next;
        let (reserved, shared) = self.store.update(|file| {
            let client = self.client(file)?;
            let want = match next {
                Block::None => 0,
                Block::Part => client.keys.len() / FIRST_PART,
                Block::Of(count) => count,
            };
            let unspent = unspent(client, want.max(needed));
            let shared = self.store.is_shared()?;
            if unspent.len() < needed {
                let left = unspent.len() as u64;
                return Ok((Reserved::TooLittle { left, shared }, shared));
            }
            client.spent.extend(unspent.iter().filter_map(|key| key.kid.as_ref()?.id()));
            Ok((Reserved::Enough(unspent), shared))
        })?;
        self.next = match (next, &reserved) {
            (Block::Part | Block::Of(_), Reserved::Enough(more)) if !shared => {
                Block::Of(2 * more.len())
            }
            (Block::None, _) => Block::None,
            // Other processes may wait for what this one reserves, so it stays small.
            (Block::Part | Block::Of(_), _) => Block::Part,
        };
        Ok(reserved)
    }

    /// Gives back the reserved ids that have not sealed an order.
    ///
    /// # Errors
    /// [`Error::Io`]; the ids are then lost, but never used again.
    pub fn give_back(&mut self) -> Result<()> {
        let unused: Vec<Name> =
            self.ready.drain(..).filter_map(|key| key.kid.as_ref()?.id()).collect();
        self.return_ids(&unused)
    }

    fn return_ids(&self, returned: &[Name]) -> Result<()> {
        if returned.is_empty() {
            return Ok(());
        }
        self.store.update(|file| {
            // If the file is another by now, these ids are gone with the one that had them.
            if let Ok(client) = self.client(file) {
                for id in returned {
                    client.spent.remove(id);
                }
            }
            Ok(())
        })
    }

    /// The client's file with these ids.
    ///
    /// # Errors
    /// [`KeyError::Exchanged`] if it is another file by now.
    fn client<'f>(&self, file: &'f mut S::File) -> Result<&'f mut ClientBundle> {
        match file.spending() {
            Some(Spending::Client(client)) if client.name == self.shop => Ok(client),
            Some(Spending::Client(_) | Spending::Lone(_)) | None => {
                Err(Error::key(&self.bundle, KeyError::Exchanged))
            }
        }
    }

    /// Gives back used ids if nothing that they sealed has left. Returns the names of the ids that
    /// stay spent, and whether the change could be recorded. If the keys are pads, the ids stay
    /// spent in any case, because discarded output may still be on the disk.
    pub fn settle(mut self, nothing_left: bool) -> (Vec<Kid>, Result<()>) {
        let used = std::mem::take(&mut self.used);
        if !nothing_left || self.takes_pad {
            return (used, Ok(()));
        }
        let returned: Vec<Name> = used.iter().filter_map(Kid::id).collect();
        match self.return_ids(&returned) {
            Ok(()) => (Vec::new(), Ok(())),
            failed => (used, failed),
        }
    }
}

fn is_pad(key: &Jwk<EncryptingKey>) -> bool {
    match &key.material {
        EncryptingKey::Pad(_) => true,
        EncryptingKey::Secret(_) | EncryptingKey::Public(_) => false,
    }
}

/// The first keys that have not sealed anything, at most `want`.
fn unspent(client: &ClientBundle, want: usize) -> Vec<Jwk<EncryptingKey>> {
    let unspent = |key: &&Jwk<_>| {
        let id = key.kid.as_ref().and_then(|kid| kid.parts().1);
        id.is_some_and(|id| !client.spent.contains(id))
    };
    client.keys.iter().filter(unspent).take(want).cloned().collect()
}
