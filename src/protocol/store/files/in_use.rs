//! A client's file while a process seals with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::locked::Locked;
use super::output::Output;
use super::overwrite::{Erased, Selection};
use super::sent::{self, Finished, erasing, settle};
use super::temporary::lock_soon;
use super::users::{forget, lock, open_users};
use crate::protocol::model::{Erase, Error, KeyTrouble, Kid, Place, Result};
use crate::protocol::store::keyfile::{KeyFile, Sent};

/// A client's file, or a lone key, that this process seals with.
#[derive(Debug)]
pub struct InUse {
    path: PathBuf,
    /// The file with the shared lock; none where nothing is spent and nothing is erased.
    users: Option<File>,
}

/// What was erased of a client's file after sending.
#[derive(Debug)]
pub enum AfterSending {
    /// What the program erases.
    All(Erased),
    /// The keys that this process used; the rest is for the others that still use the file.
    Own(Erased),
    /// Nothing, as others still use the file.
    Nothing,
}

impl InUse {
    /// A file that is only read.
    pub fn unchanged(path: &Path) -> Self {
        Self { path: path.to_owned(), users: None }
    }

    /// Joins those who use the file.
    ///
    /// # Errors
    /// As [`update`](super::update).
    pub fn join(path: &Path) -> Result<Self> {
        let locked = Locked::open(path)?;
        let users = open_users(path, true)
            .and_then(|file| match lock_soon(&file, FlockOperation::NonBlockingLockShared)? {
                true => Ok(file),
                false => Err(io::Error::other("another process holds the file for its users")),
            })
            .map_err(|error| Error::io(&locked.place, "cannot write beside it", error))?;
        Ok(Self { path: path.to_owned(), users: Some(users) })
    }

    /// Changes the file; when this returns, the change is durable.
    ///
    /// # Errors
    /// As [`update`](super::update).
    pub fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
        super::update(&self.path, change)
    }

    /// Whether others use the file as well. To be asked while the file is locked, as in `update`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn is_shared(&self) -> Result<bool> {
        let Some(users) = &self.users else { return Ok(false) };
        let failed = |error| {
            let place = Place::file(self.path.display().to_string());
            Error::io(place, "cannot tell who uses it", error)
        };
        // To ask for more is to lose what is held. Nobody comes or goes meanwhile, but by dying.
        let alone = lock(users, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
        lock(users, FlockOperation::LockShared).map_err(failed)?;
        Ok(!alone)
    }

    /// Sends a finished output. Where the program erases, it is recorded first that from here on there is
    /// no way back.
    ///
    /// # Errors
    /// As [`Output::send`] and [`update`](super::update).
    pub fn send(&self, output: &mut Output, erases: bool) -> Result<Option<Sent>> {
        let Some(sent) = (if erases { output.make_ready()? } else { None }) else {
            return output.send().map(|()| None);
        };
        let recorded = self.update(|file| {
            file.sent.push(sent.clone());
            Ok(())
        });
        match recorded.and_then(|()| output.send()) {
            Ok(()) => Ok(Some(sent)),
            Err(error) => {
                // In this order, as an output that is ready no longer counts as sent.
                self.keep(Some(&sent))?;
                sent::withdraw(&sent);
                Err(error)
            }
        }
    }

    /// Leaves the file as it is, although its program erases: whoever runs it has stopped before that.
    ///
    /// # Errors
    /// As [`update`](super::update).
    pub fn keep(&self, sent: Option<&Sent>) -> Result<()> {
        match sent {
            Some(sent) => self.update(|file| {
                file.sent.retain(|other| other != sent);
                Ok(())
            }),
            None => Ok(()),
        }
    }

    /// Erases after sending what the program says; while others use the file, only the keys that were
    /// `used`, and the last of them the rest.
    ///
    /// # Errors
    /// [`KeyTrouble::Exchanged`] when it is no longer the file that was used; and as [`erase`](super::erase).
    pub fn erase(mut self, sent: Option<&Sent>, used: &[Kid]) -> Result<AfterSending> {
        let mut locked = Locked::open(&self.path)?;
        let file = locked.read()?;
        if !is_ours(&file, sent, used) {
            return Err(Error::key(&locked.place, KeyTrouble::Exchanged));
        }
        if !self.is_shared()? {
            self.users = None;
            return match settle(&mut locked, true)? {
                Finished::Nothing => Ok(AfterSending::Nothing),
                Finished::File(erased) | Finished::Parts(erased) => Ok(AfterSending::All(erased)),
            };
        }
        let change = |file: &mut KeyFile| {
            file.sent.retain(|other| Some(other) != sent);
            file.erase_due = true;
        };
        let done = match erasing(&file) {
            Some(Erase::All | Erase::Keys) if !used.is_empty() => {
                locked.rewrite_and_erase(Selection::Named(used), change).map(AfterSending::Own)?
            }
            Some(Erase::All | Erase::Keys | Erase::Programs) | None => locked.update(|file| {
                change(file);
                Ok(AfterSending::Nothing)
            })?,
        };
        // Nobody may believe that this process still takes care of the rest.
        self.users = None;
        Ok(done)
    }
}

/// Whether it is still the file that a process used, and not another that was put there.
fn is_ours(file: &KeyFile, sent: Option<&Sent>, used: &[Kid]) -> bool {
    let spent = |kid: &Kid| {
        let state = file.shop_of(kid);
        state
            .zip(kid.parts().1)
            .is_some_and(|(state, id)| state.spent.contains(id) || state.erased.contains(id))
    };
    sent.is_none_or(|sent| file.sent.contains(sent)) && used.iter().all(spent)
}

impl Drop for InUse {
    /// Leaves the others. The last one removes the file with the locks, and does what is due.
    fn drop(&mut self) {
        if self.users.is_none() {
            return;
        }
        let locked = Locked::open(&self.path);
        let alone = self.is_shared().is_ok_and(|shared| !shared);
        self.users = None;
        match locked {
            Ok(mut locked) if alone => {
                forget(&self.path);
                // What cannot be done now, the next command does.
                let _ = settle(&mut locked, false);
            }
            Ok(_) => {}
            // Where the file is gone, so are its users.
            Err(_) => forget(&self.path),
        }
    }
}
