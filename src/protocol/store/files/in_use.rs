//! Client's files while a process seals with them.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::access::Access;
use super::beside::lock_soon;
use super::journaled::Journaled;
use super::known::Known;
use super::locked::Locked;
use super::overwrite::{Erased, Selection};
use super::sent::{Finished, settle};
use super::users::{lock, open_users, remove_unused};
use crate::protocol::jose::tree::Leaves;
use crate::protocol::model::{Erase, Error, KeyError, Kid, Place, Result, ShopName};
use crate::protocol::store::FileNumber;
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, Sent};
use crate::protocol::store::spend::{Durable, FromJournal, KeyStore};

/// A client's file, or a lone key, that this process seals with.
#[derive(Debug)]
pub struct InUse {
    path: PathBuf,
    /// What opens it, if it is protected.
    access: Access,
    /// File with the shared lock; `None` if nothing is spent and nothing is erased.
    users: Option<File>,
    /// What is known of the file's content.
    known: RefCell<Known>,
    /// The numbers of the keys that were reserved in journals, in this order.
    reserved: RefCell<Vec<(FileNumber, Leaves)>>,
}

/// Part of a client's file that was erased after sending.
#[derive(Debug)]
pub enum AfterSending {
    /// All that the program erases.
    All(Erased),
    /// The keys that this process used; other processes still use the rest.
    Own(Erased),
    /// Nothing, as other processes still use the file.
    Nothing,
}

impl InUse {
    /// Uses a file that is only read.
    pub fn unchanged(path: &Path) -> Self {
        let (access, known, reserved) = (Access::default(), RefCell::default(), RefCell::default());
        Self { path: path.to_owned(), access, users: None, known, reserved }
    }

    /// Registers this process as a user of the file, of which something may be known.
    ///
    /// # Errors
    /// As [`update`](super::update).
    pub fn join(path: &Path, known: Known, access: &Access) -> Result<Self> {
        let locked = Locked::open(path, access)?;
        let users = open_users(path, true)
            .and_then(|file| match lock_soon(&file, FlockOperation::NonBlockingLockShared)? {
                true => Ok(file),
                false => Err(io::Error::other("another process has locked its users file")),
            })
            .map_err(|error| Error::io(&locked.place, "cannot write beside it", error))?;
        let (access, known, reserved) = (access.clone(), known.into(), RefCell::default());
        Ok(Self { path: path.to_owned(), access, users: Some(users), known, reserved })
    }

    /// Changes the client's bundle in the file.
    ///
    /// # Errors
    /// As [`update`](super::update), and [`KeyError::Role`] for another file.
    pub fn update_client(&self, change: impl FnOnce(&mut ClientBundle)) -> Result<()> {
        let place = Place::file(self.path.display().to_string());
        self.update(|file| file.client_mut(&place).map(change))
    }

    /// Whether other processes also use the file. Call this only while the file is locked, as in
    /// `update`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn is_shared(&self) -> Result<bool> {
        let Some(users) = &self.users else { return Ok(false) };
        let failed = |error| {
            let place = Place::file(self.path.display().to_string());
            Error::io(place, "cannot tell who uses it", error)
        };
        // Requesting an exclusive lock gives up the shared one. Meanwhile no process can join or
        // leave, except by dying.
        let alone = lock(users, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
        lock(users, FlockOperation::LockShared).map_err(failed)?;
        Ok(!alone)
    }

    /// Erases what the program requires after sending. While other processes use the file, this
    /// erases only the keys that were `used`; the last process erases the rest.
    ///
    /// # Errors
    /// [`KeyError::Exchanged`] if the file is no longer the one that was used; and as
    /// [`erase`](super::erase).
    pub fn erase(&mut self, sent: Option<&Sent>, used: &[Kid]) -> Result<AfterSending> {
        let mut locked = Locked::open(&self.path, &self.access)?;
        locked.known = self.known.take();
        let file = match locked.read()? {
            KeyFile::Client(file) if is_ours(&file, sent, used) => file,
            KeyFile::Client(_) | KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_) => {
                return Err(Error::key(&locked.place, KeyError::Exchanged));
            }
        };
        if !self.is_shared()? {
            self.users = None;
            return match settle(&mut locked, true)? {
                Finished::Nothing => Ok(AfterSending::Nothing),
                Finished::File(erased) | Finished::Parts(erased) => Ok(AfterSending::All(erased)),
            };
        }
        let change = |file: &mut ClientBundle| {
            file.sent.retain(|other| Some(other) != sent);
            file.erase_due = true;
        };
        let done = match file.erases() {
            Some(Erase::All | Erase::Keys) if !used.is_empty() => {
                locked.rewrite_and_erase(Selection::Named(used), change).map(AfterSending::Own)?
            }
            Some(Erase::All | Erase::Keys | Erase::Programs) | None => {
                locked.update_client(change).map(|()| AfterSending::Nothing)?
            }
        };
        // Other processes must not rely on this one to erase the rest.
        self.users = None;
        Ok(done)
    }
}

impl InUse {
    /// Does something with the file while it is locked.
    fn with_locked<T>(&self, action: impl FnOnce(&mut Locked) -> Result<T>) -> Result<T> {
        let mut locked = Locked::open(&self.path, &self.access)?;
        locked.known = self.known.take();
        let result = action(&mut locked);
        self.known.replace(locked.known);
        result
    }
}

impl Durable<KeyFile> for InUse {
    fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
        super::update_known(&self.path, &mut self.known.borrow_mut(), &self.access, change)
    }
}

impl KeyStore for InUse {
    type File = KeyFile;

    fn is_shared(&self) -> Result<bool> {
        Self::is_shared(self)
    }

    fn reserve_in_journal(
        &self,
        shop: &ShopName,
        want: &dyn Fn(u64, u64) -> u64,
    ) -> Result<Option<FromJournal>> {
        self.with_locked(|locked| {
            let place = locked.place.clone();
            let Some(mut journaled) = Journaled::open_or_begin(locked)? else { return Ok(None) };
            if journaled.shop() != shop {
                return Err(Error::key(&place, KeyError::Exchanged));
            }
            let left = journaled.journal.unspent().count();
            let want = want(journaled.journal.names.count, left);
            let (numbers, keys) = journaled.reserve(want)?;
            self.reserved.borrow_mut().push((journaled.journal.number, numbers));
            Ok(Some(FromJournal { keys, left, is_shared: Self::is_shared(self)? }))
        })
    }

    fn return_to_journal(&self, count: u64) -> Result<bool> {
        self.with_locked(|locked| {
            let Some(mut journaled) = Journaled::open(locked)? else { return Ok(false) };
            let number = journaled.journal.number;
            let mut reserved = self.reserved.borrow_mut();
            let Some(last) = take_last(&mut reserved, count, number) else { return Ok(false) };
            for range in last.ranges() {
                journaled.journal.give_back(range.clone())?;
            }
            Ok(true)
        })
    }
}

/// Takes the last of the numbers that were reserved, if all of them are in the journal of this number.
fn take_last(
    reserved: &mut Vec<(FileNumber, Leaves)>,
    mut count: u64,
    journal: FileNumber,
) -> Option<Leaves> {
    let mut last = Leaves::default();
    while count > 0 {
        let (_, numbers) = reserved.last_mut().filter(|(number, _)| *number == journal)?;
        let kept = numbers.first(numbers.count().saturating_sub(count));
        let taken = numbers.difference(&kept);
        count -= taken.count();
        last = last.union(&taken);
        match kept.is_empty() {
            true => drop(reserved.pop()),
            false => *numbers = kept,
        }
    }
    Some(last)
}

/// Whether the file is still the one that this process used, and not a replacement.
fn is_ours(file: &ClientBundle, sent: Option<&Sent>, used: &[Kid]) -> bool {
    let spent = |kid: &Kid| match (file.leaf(kid.as_str()), kid.parts()) {
        (Some((tree, leaf)), _) => tree.part().lacks(leaf),
        (None, (shop, Some(id))) => {
            shop == file.name.as_str() && (file.spent.contains(id) || file.shop.erased.contains(id))
        }
        (None, (_, None)) => false,
    };
    sent.is_none_or(|sent| file.sent.contains(sent)) && used.iter().all(spent)
}

impl Drop for InUse {
    /// Unregisters this process. The last one removes the file with the locks and finishes pending
    /// work.
    fn drop(&mut self) {
        if self.users.is_none() {
            return;
        }
        let locked = Locked::open(&self.path, &self.access);
        let alone = self.is_shared().is_ok_and(|shared| !shared);
        self.users = None;
        match locked {
            Ok(mut locked) if alone => {
                locked.known = self.known.take();
                remove_unused(&self.path);
                // If this fails, the next command repeats it.
                let _ = settle(&mut locked, false);
            }
            Ok(_) => {}
            // If the file is gone, nobody uses it.
            Err(_) => remove_unused(&self.path),
        }
    }
}
