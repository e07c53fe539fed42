//! Files that are being written: they have no name until they are complete, and one fixed name
//! [beside](super::beside) while they replace another file.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, FlockOperation, flock, linkat};
use rustix::io::Errno;

use super::beside::{Owner, Swept, TRIES, clear, ready_name, sweep, temporary_name};
use super::paths::{FileId, Privacy, folder_of, sync_folder};
use super::renames::{exchange, rename_to_free};
use super::scratch;

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
