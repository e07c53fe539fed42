//! Hidden names beside a file, and what killed processes left under them.
//!
//! The fixed name for NAME is `.NAME.orderseal-tmp`. A process that gives a file this name holds a
//! lock on it, so a file with such a name and without a lock was left by a killed process.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::file_system::is_remote;
use super::paths::{FileId, folder_of, open_no_follow, sync_folder};

/// Returns the fixed name for a file beside `path`.
pub(super) fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    beside(path, "orderseal-tmp")
}

/// Returns the name of an output that is ready to be sent, made unique by a token.
pub(super) fn ready_name(path: &Path, token: u64) -> io::Result<PathBuf> {
    beside(path, &format!("{token:016x}.orderseal-sent"))
}

/// Returns a hidden name beside `path`, derived from its name.
pub(super) fn beside(path: &Path, what: &str) -> io::Result<PathBuf> {
    /// Longest name that is used unchanged, in bytes; Linux allows names of 255 bytes.
    const MOST: usize = 200;
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let mut hidden = OsString::from(".");
    if name.len() <= MOST {
        hidden.push(name);
    } else {
        hidden.push(OsStr::from_bytes(&name.as_bytes()[..100]));
        hidden.push(format!(".{}", hex::encode(&Sha256::digest(name.as_bytes())[..16])));
    }
    hidden.push(format!(".{what}"));
    Ok(folder_of(path).join(hidden))
}

/// What to do with a file under a fixed name that a running process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Do not wait for it.
    IsLeftAlone,
    /// Wait a short time; possible for the holder of the lock on the file proper.
    IsWaitedFor,
}

/// What was found under a fixed name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swept {
    /// Nothing, or nothing that this program would leave there.
    Nothing,
    /// A file that a running process owns.
    Owned,
    /// A file that a killed process left; this number of bytes was overwritten and removed.
    Leftover(u64),
}

/// Overwrites and removes what a killed process left under the fixed name of `path`.
///
/// # Errors
/// If there is such a file and it cannot be removed.
pub(super) fn sweep(path: &Path, owner: Owner) -> io::Result<Swept> {
    let name = temporary_name(path)?;
    let opened = open_no_follow(&name, OpenOptions::new().read(true).write(true));
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Swept::Nothing),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.nlink() > 1 || !belongs_here(&metadata, path) {
        let found = format!("{} is not a file of this program and is left alone", name.display());
        return Err(io::Error::other(found));
    }
    if is_remote(&file) {
        // Its owner may hold the lock on another computer.
        return Ok(Swept::Owned);
    }
    let locked = match owner {
        Owner::IsLeftAlone => match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => false,
            locked => locked.map(|()| true)?,
        },
        Owner::IsWaitedFor => lock_soon(&file, FlockOperation::NonBlockingLockExclusive)?,
    };
    if !locked {
        return Ok(Swept::Owned);
    }
    // Its owner may have renamed or removed it before releasing the lock.
    if FileId::of(&file) != FileId::at(&name) {
        return Ok(Swept::Nothing);
    }
    // Until this is durable, a power failure may undo the exchange.
    sync_folder(folder_of(path))?;
    let cleared = clear(&file);
    std::fs::remove_file(&name)?;
    sync_folder(folder_of(path))?;
    cleared.map(|()| Swept::Leftover(metadata.len()))
}

/// Whether a file beside `path` belongs to this user, or to the owner of the file at `path`.
pub(super) fn belongs_here(metadata: &Metadata, path: &Path) -> bool {
    let of_file = std::fs::symlink_metadata(path).is_ok_and(|file| file.uid() == metadata.uid());
    of_file || metadata.uid() == geteuid().as_raw()
}

/// Number of attempts to lock a file that another process may hold, and the pause between them: two
/// seconds in all. A process that was killed or only read the file releases it long before.
pub(super) const TRIES: usize = 200;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Takes a lock with retries; returns `false` if another process still holds the file.
pub(super) fn lock_soon(file: &File, operation: FlockOperation) -> io::Result<bool> {
    for _ in 0..TRIES {
        match flock(file, operation) {
            Err(Errno::WOULDBLOCK) => std::thread::sleep(BETWEEN_TRIES),
            locked => return locked.map(|()| true).map_err(io::Error::from),
        }
    }
    Ok(false)
}

/// Overwrites a file with zeros.
pub(super) fn clear(mut file: &File) -> io::Result<()> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(len), &mut file)?;
    file.flush()?;
    file.sync_data()
}
