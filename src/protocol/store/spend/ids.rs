//! A client's transaction ids, each of which can seal one order.

use std::collections::VecDeque;

use super::leaves::ReservedLeaves;
use super::{FromJournal, KeyStore, Patience, Reserved, Spendable, Spending};
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::tree::Cover;
use crate::protocol::model::{Error, KeyError, Kid, Name, Place, Result, ShopName};
use crate::protocol::store::keyfile::{ClientBundle, KeyHolder};
use crate::protocol::store::trees::HeldTree;

/// Divisor of the number of a client's ids for the first block: every block requires writing the
/// whole file again.
const FIRST_PART: u64 = 64;

/// Maximum number of ids of trees reserved at once, unless more are needed: a killed process loses
/// no more than these. Recording them takes no longer than recording one.
const MOST_LEAVES: usize = 1 << 16;

/// A client's transaction ids, each of which can seal one order.
#[derive(Debug)]
pub struct Ids<'s, S: ?Sized> {
    store: &'s S,
    bundle: Place,
    shop: ShopName,
    ready: VecDeque<Jwk<EncryptingKey>>,
    used: Vec<Kid>,
    /// Ids of trees, which are taken after those that are listed.
    leaves: ReservedLeaves,
    takes_pad: bool,
    next: Block,
}

/// Ids that stay spent.
#[derive(Debug, Default)]
pub struct Used {
    /// Their number.
    pub count: u64,
    /// The names of those that are listed, and of one id for each time that ids of a tree were
    /// reserved.
    pub names: Vec<Kid>,
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

/// Listed ids and ids of trees.
type Ready = (Vec<Jwk<EncryptingKey>>, ReservedLeaves);

impl Block {
    /// The number of ids, for a client that has `all`.
    fn count(self, all: u64) -> u64 {
        match self {
            Self::None => 0,
            Self::Part => all / FIRST_PART,
            Self::Of(count) => count as u64,
        }
    }
}

impl<'s, S: KeyStore + ?Sized> Ids<'s, S> {
    /// Manages the ids of a shop in a client's file named `bundle`.
    pub fn new(store: &'s S, bundle: Place, shop: ShopName) -> Self {
        Self {
            store,
            bundle,
            shop,
            ready: VecDeque::new(),
            used: Vec::new(),
            leaves: ReservedLeaves::default(),
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
        let listed = self.ready.len().min(orders);
        let mut taken: Vec<Jwk<_>> = self.ready.drain(..listed).collect();
        self.used.extend(taken.iter().filter_map(|key| key.kid.clone()));
        self.takes_pad = taken.iter().any(is_pad);
        taken.extend(self.leaves.take((orders - listed) as u64, &self.shop));
        Ok(taken)
    }

    fn make_ready(&mut self, orders: usize, place_of: impl Fn(u64) -> Place) -> Result<()> {
        let mut patience = Patience::new();
        while self.count_ready() < orders {
            match self.reserve(orders - self.count_ready())? {
                Reserved::Enough(()) => {}
                Reserved::TooLittle { shared: true, .. }
                    if patience.wait_after(|| self.give_back())? => {}
                Reserved::TooLittle { left, .. } => {
                    let line = place_of(self.count_ready() as u64 + left);
                    let issued = self.store.update(|file| {
                        let client = self.client(file)?;
                        let given = client.trees.values().map(|tree| tree.part().given().count());
                        Ok(client.keys.len() as u64 + given.sum::<u64>())
                    })?;
                    let (bundle, shop) = (self.bundle.file.clone(), self.shop.clone());
                    return Err(Error::key(
                        &line,
                        KeyError::Spent { bundle, shop: shop.name(), issued },
                    ));
                }
            }
        }
        Ok(())
    }

    /// Number of ids that are reserved and not taken.
    fn count_ready(&self) -> usize {
        self.ready.len() + self.leaves.count_left() as usize
    }

    fn reserve(&mut self, needed: usize) -> Result<Reserved<()>> {
        let next = self.next;
        let (reserved, shared) = match self.reserve_in_journal(needed)? {
            Some(reserved) => reserved,
            None => self.reserve_in_file(needed)?,
        };
        let before = self.count_ready();
        let reserved = match reserved {
            Reserved::Enough((listed, leaves)) => {
                match self.ready.is_empty() {
                    true => self.ready = listed.into(),
                    false => self.ready.extend(listed),
                }
                self.leaves.extend(leaves);
                Reserved::Enough(())
            }
            Reserved::TooLittle { left, shared } => Reserved::TooLittle { left, shared },
        };
        let more = self.count_ready() - before;
        self.next = match (next, &reserved) {
            (Block::Part | Block::Of(_), Reserved::Enough(())) if !shared => Block::Of(2 * more),
            (Block::None, _) => Block::None,
            // Other processes may wait for what this one reserves, so it stays small.
            (Block::Part | Block::Of(_), _) => Block::Part,
        };
        Ok(reserved)
    }

    /// Reserves ids in the file's journal, if it has one; returns them, and whether others use the file.
    fn reserve_in_journal(&self, needed: usize) -> Result<Option<(Reserved<Ready>, bool)>> {
        let needed = needed as u64;
        let want = |all, left| match left < needed {
            true => 0,
            false => self.next.count(all).max(needed),
        };
        let reserved = self.store.reserve_in_journal(&self.shop, &want)?;
        Ok(reserved.map(|FromJournal { keys, left, is_shared: shared }| match left < needed {
            true => (Reserved::TooLittle { left, shared }, shared),
            false => (Reserved::Enough((keys, ReservedLeaves::default())), shared),
        }))
    }

    /// Reserves ids in the file itself; returns them, and whether others use the file.
    fn reserve_in_file(&self, needed: usize) -> Result<(Reserved<Ready>, bool)> {
        self.store.update(|file| {
            let client = self.client(file)?;
            let derived = client.count_derived();
            let want = self.next.count(client.keys.len() as u64 + derived) as usize;
            let want = want.max(needed);
            let listed = unspent(client, want);
            let shared = self.store.is_shared()?;
            let left = listed.len() as u64 + derived;
            if left < needed as u64 {
                return Ok((Reserved::TooLittle { left, shared }, shared));
            }
            // Appending a set takes much less time than inserting its names one by one.
            client
                .spent
                .append(&mut listed.iter().filter_map(|key| key.kid.as_ref()?.id()).collect());
            let most = MOST_LEAVES.max(needed.saturating_sub(listed.len()));
            let leaves = ReservedLeaves::reserve(client, (want - listed.len()).min(most) as u64);
            Ok((Reserved::Enough((listed, leaves)), shared))
        })
    }

    /// Gives back the reserved ids that have not sealed an order.
    ///
    /// # Errors
    /// [`Error::Io`]; the ids are then lost, but never used again.
    pub fn give_back(&mut self) -> Result<()> {
        let unused: Vec<Name> =
            self.ready.drain(..).filter_map(|key| key.kid.as_ref()?.id()).collect();
        let leaves = self.leaves.return_left();
        self.return_ids(&unused, &leaves)
    }

    fn return_ids(&self, returned: &[Name], leaves: &[Cover]) -> Result<()> {
        if returned.is_empty() && leaves.is_empty() {
            return Ok(());
        }
        if leaves.is_empty() && self.store.return_to_journal(returned.len() as u64)? {
            return Ok(());
        }
        self.store.update(|file| {
            // If the file is another by now, these ids are gone with the one that had them.
            if let Ok(client) = self.client(file) {
                for id in returned {
                    client.spent.remove(id);
                }
                for nodes in leaves {
                    if let Some(tree) = client.trees.get_mut(&nodes.tree().id()) {
                        let returned = tree.give_back(Backend::detect(), nodes);
                        let exchanged = |_| Error::key(&self.bundle, KeyError::Exchanged);
                        returned.map_err(exchanged)?;
                    }
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

    /// Gives back used ids if nothing that they sealed has left. Returns the ids that stay spent, and
    /// whether the change could be recorded. If the keys are pads, the ids stay
    /// spent in any case, because discarded output may still be on the disk.
    pub fn settle(mut self, nothing_left: bool) -> (Used, Result<()>) {
        let mut used = Used {
            count: self.used.len() as u64 + self.leaves.count_used(),
            names: std::mem::take(&mut self.used),
        };
        let listed = used.names.len();
        used.names.extend(self.leaves.names(&self.shop));
        if !nothing_left || self.takes_pad {
            return (used, Ok(()));
        }
        let returned: Vec<Name> = used.names[..listed].iter().filter_map(Kid::id).collect();
        match self.return_ids(&returned, &self.leaves.used()) {
            Ok(()) => (Used::default(), Ok(())),
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
