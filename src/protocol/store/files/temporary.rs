//! Files that are being written: they have no name until they are complete, and one fixed name
//! while they replace another file.
//!
//! The fixed name for NAME is `.NAME.orderseal-tmp`. A process that gives a file this name holds a
//! lock on it, so a file with such a name and without a lock was left by a killed process.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, flock, linkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use super::file_system::is_remote;
use super::paths::{FileId, Privacy, folder_of, open_no_follow, sync_folder};
use super::renames::{exchange, rename_to_free};
use super::scratch;

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

/// New file that will get the name `target`, locked by this process. It leaves nothing behind if it
/// is dropped before it is published.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    target: PathBuf,
    /// Temporary name, while the file has one.
    name: Option<PathBuf>,
    /// Whether its content is for its owner only.
    private: bool,
    /// Mode to set when it is published, if it has another mode until then.
    mode: Option<u32>,
    /// Whether another process may publish it, so that its temporary name must stay.
    kept: bool,
}

/// Temporary names of this process's unfinished files.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes this process's unfinished files that have a name, because the file system has no unnamed
/// files, and its [folders](super::Scratch) of temporary files. For a process that exits at once.
pub fn remove_unfinished() {
    scratch::remove_all();
    let mut names = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for name in names.drain(..) {
        let _ = std::fs::remove_file(name);
    }
}

/// How a finished file replaced another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    /// The old file now has the fixed name.
    Exchanged,
    /// The old file has no name any more.
    Renamed,
}

impl Temporary {
    /// Creates an empty file in the folder of `target`.
    pub(super) fn beside(target: &Path, privacy: Privacy) -> io::Result<Self> {
        let mode = match privacy {
            Privacy::Owner => 0o600,
            Privacy::Umask => 0o666,
        };
        let private = privacy == Privacy::Owner;
        let (file, name) = match unnamed(folder_of(target), mode)? {
            Some(file) => (file, None),
            None => {
                let (file, name) = create_named(target, mode)?;
                UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
                (file, Some(name))
            }
        };
        let new = Self { file, target: target.to_owned(), name, private, mode: None, kept: false };
        if private {
            // A umask can only remove bits; the owner's have to be set.
            new.file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(new)
    }

    /// The file, for writing.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the finished file its name, durably, if no other file has it.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], and others; after any error the file does not exist.
    pub(super) fn publish_new(mut self) -> io::Result<()> {
        self.take_mode()?;
        self.is_finished();
        match &self.name {
            None => link(&self.file, &self.target)?,
            Some(name) => rename_to_new(name, &self.target)?,
        }
        self.name = None;
        sync_folder(folder_of(&self.target)).inspect_err(|_| {
            // A name that might not survive a power failure does not count as an output.
            let _ = std::fs::remove_file(&self.target);
        })
    }

    /// Gives the file the fixed name, and returns it. A file that a killed process left there is
    /// removed first.
    fn take_name(&mut self) -> io::Result<PathBuf> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let name = temporary_name(&self.target)?;
        for _ in 0..TRIES {
            match link(&self.file, &name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if sweep(&self.target, Owner::IsWaitedFor)? == Swept::Owned {
                        break;
                    }
                }
                linked => {
                    linked?;
                    self.name = Some(name.clone());
                    return Ok(name);
                }
            }
        }
        Err(io::Error::other("another process is writing this file"))
    }

    /// Gives the finished file a name under which another process can publish it, durably. Until
    /// then only its owner can read it. The name stays unless the file is published.
    pub(super) fn make_ready(&mut self, token: u64) -> io::Result<()> {
        let name = ready_name(&self.target, token)?;
        self.is_finished();
        self.mode = Some(self.file.metadata()?.mode() & 0o7777);
        self.file.set_permissions(Permissions::from_mode(0o600))?;
        match &self.name {
            None => link(&self.file, &name)?,
            Some(old) => rename_to_new(old, &name)?,
        }
        self.name = Some(name);
        self.kept = true;
        sync_folder(folder_of(&self.target))
    }

    /// Marks the file as finished: [`remove_unfinished`] no longer removes it.
    fn is_finished(&self) {
        let mut names = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        names.retain(|name| Some(name) != self.name.as_ref());
    }

    fn take_mode(&mut self) -> io::Result<()> {
        match self.mode.take() {
            Some(mode) => self.file.set_permissions(Permissions::from_mode(mode)),
            None => Ok(()),
        }
    }

    /// Replaces `old`, which the caller has locked, by the finished file, durably. Returns the new
    /// file, whose lock is now the lock on the name.
    ///
    /// # Errors
    /// After any error, `old` keeps its place or has it back, with one exception: if the file
    /// system cannot exchange two files and the folder cannot be synced, the new file stays there.
    pub(super) fn replace(mut self, old: &File) -> io::Result<(File, Replaced)> {
        self.is_finished();
        let name = self.take_name()?;
        // After the exchange, every step that can fail must be undone.
        let file = self.file.try_clone()?;
        let replaced = match exchange(&name, &self.target) {
            Ok(()) => {
                let durable = match FileId::at(&name) == FileId::of(old) {
                    true => sync_folder(folder_of(&self.target)),
                    false => Err(changed_meanwhile()),
                };
                if let Err(why) = durable {
                    // After a power failure either file may have the name, so neither is
                    // overwritten.
                    self.private = false;
                    return exchange(&name, &self.target).map_err(io::Error::from).and(Err(why));
                }
                Replaced::Exchanged
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if FileId::at(&self.target) != FileId::of(old) {
                    return Err(changed_meanwhile());
                }
                std::fs::rename(&name, &self.target)?;
                self.name = None;
                sync_folder(folder_of(&self.target))?;
                Replaced::Renamed
            }
            Err(error) => return Err(error.into()),
        };
        self.name = None;
        Ok((file, replaced))
    }

    /// Gives the finished file its name, replacing any existing file without reading or overwriting
    /// it.
    pub(super) fn publish_over(mut self) -> io::Result<()> {
        self.take_mode()?;
        self.is_finished();
        let name = self.take_name()?;
        std::fs::rename(name, &self.target)?;
        self.name = None;
        sync_folder(folder_of(&self.target))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = self.name.as_ref().filter(|_| !self.kept) {
            // A failure here cannot be handled; the next command removes what is left.
            if self.private {
                let _ = clear(&self.file);
            }
            let _ = std::fs::remove_file(name);
            self.is_finished();
        }
    }
}

pub(super) fn changed_meanwhile() -> io::Error {
    io::Error::other("another program has replaced the file")
}

/// Creates a file without a name, if the file system supports that and can name such files later.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unnamed(folder: &Path, mode: u32) -> io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags, open};

    if !Path::new("/proc/self/fd").exists() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match open(folder, flags, Mode::from_raw_mode(mode)) {
        Ok(file) => {
            let file = File::from(file);
            // If the file system has no locks, no other process can take one either.
            let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
            Ok(Some(file))
        }
        // Errors of file systems and kernels that do not support unnamed files.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn unnamed(_: &Path, _: u32) -> io::Result<Option<File>> {
    Ok(None)
}

/// Creates a file with the fixed name.
fn create_named(target: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    let name = temporary_name(target)?;
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(mode);
        match options.open(&name) {
            Ok(file) => {
                let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                // Before it was locked, another process may have removed it as a leftover.
                if FileId::of(&file) == FileId::at(&name) {
                    return Ok((file, name));
                }
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if sweep(target, Owner::IsLeftAlone)? == Swept::Owned {
                    return Err(io::Error::other("another process is writing this file"));
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Gives a name to an open file that has none.
fn link(file: &File, name: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

/// Renames without replacing; on file systems that cannot do this in one step, a check comes first.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match rename_to_free(from, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if std::fs::symlink_metadata(to).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        done => Ok(done?),
    }
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

/// Overwrites a file with zeros.
pub(super) fn clear(mut file: &File) -> io::Result<()> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(len), &mut file)?;
    file.flush()?;
    file.sync_data()
}
