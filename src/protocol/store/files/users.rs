//! Users of a client's file: the processes that seal with it.
//!
//! Each user holds a shared lock on an empty file beside it, `.NAME.orderseal-users`; the last one
//! removes that file. All of this happens under the lock on the client's file itself, so that an
//! answer about other users stays valid for as long as that lock is held.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::beside::{belongs_here, beside};
use super::paths::{FileId, open_no_follow};
use crate::protocol::model::{Error, Place, Result};

/// Whether any process uses the file. Call this only while the file is locked.
pub(super) fn are_there(path: &Path) -> Result<bool> {
    let alone = match open_users(path, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        opened => opened.and_then(|file| lock(&file, FlockOperation::NonBlockingLockExclusive)),
    };
    let place = Place::file(path.display().to_string());
    alone.map(|alone| !alone).map_err(|error| Error::io(place, "cannot tell who uses it", error))
}

/// Removes the file with the locks if no process holds one.
pub(super) fn remove_unused(path: &Path) {
    // It is empty and does no harm if it remains.
    if let Ok(file) = open_users(path, false)
        && lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok_and(|alone| alone)
        && let Ok(name) = users_name(path)
        && FileId::of(&file) == FileId::at(&name)
    {
        let _ = std::fs::remove_file(name);
    }
}

pub(super) fn open_users(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).mode(0o600);
    let file = open_no_follow(&users_name(path)?, &mut options)?;
    let metadata = file.metadata()?;
    let private = metadata.mode() & 0o077 == 0 && belongs_here(&metadata, path);
    match metadata.is_file() && metadata.nlink() == 1 && private {
        true => Ok(file),
        false => {
            Err(io::Error::other("the users file beside it is not a private file of this user"))
        }
    }
}

fn users_name(path: &Path) -> io::Result<PathBuf> {
    beside(path, "orderseal-users")
}

/// Takes a lock; returns `false` if another process holds one.
pub(super) fn lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
