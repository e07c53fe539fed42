//! Changing a key file: under a lock, and so that a crash leaves the old file or the new one.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::paths::{FileId, Privacy, folder_of, open_to_change, sync_folder};
use super::read::read_regular;
use super::temporary::{
    Owner, Replaced, Swept, Temporary, clear, rename_to_new, sweep, temporary_name,
};
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::store::keyfile::KeyFile;

/// Reads a key file, changes it, and puts the new one in the place of the old one.
///
/// Others who call this for the same file wait. If `change` fails, nothing is changed.
///
/// # Errors
/// [`Error::Usage`] when the path is a link or has several names; [`Error::Io`], when nothing has changed;
/// and what `change` returns.
pub fn update<T>(path: &Path, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
    Locked::open(path)?.update(change)
}

/// The file that stands under a name, locked. Whoever changes or erases it holds this lock.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) place: Place,
    /// What a killed process had left beside it.
    pub(super) swept: Swept,
}

impl Locked {
    /// Locks the file that stands under `path` at the moment the lock is granted: while this process
    /// waited, another may have put a new file there. What a killed process left beside it is removed.
    ///
    /// # Errors
    /// [`Error::Usage`] when the path is a link or has several names, and [`Error::Io`].
    pub(super) fn open(path: &Path) -> Result<Self> {
        let place = Place::file(path.display().to_string());
        loop {
            let file = open_to_change(path, &place)?;
            flock(&file, FlockOperation::LockExclusive)
                .map_err(|error| Error::io(&place, "cannot lock", error.into()))?;
            if FileId::of(&file) == FileId::at(path) {
                let swept = sweep(path, Owner::IsWaitedFor)
                    .map_err(|error| Error::io(&place, "cannot lock", error))?;
                return Ok(Self { file, path: path.to_owned(), place, swept });
            }
        }
    }

    /// What the file says.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Malformed`].
    pub(super) fn read(&mut self) -> Result<KeyFile> {
        let failed = |error| Error::io(&self.place, "cannot read", error);
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let bytes = read_regular(&self.file, &self.place)?;
        KeyFile::parse(&bytes, &self.place)
    }

    /// Reads the file, changes it, and puts the new one in its place, locked.
    ///
    /// # Errors
    /// As [`update`].
    pub(super) fn update<T>(
        &mut self,
        change: impl FnOnce(&mut KeyFile) -> Result<T>,
    ) -> Result<T> {
        let before = self.read()?;
        let mut after = before.clone();
        let result = change(&mut after)?;
        if after != before {
            let changed = self.replace(&after).map(|old| {
                // The change is durable; of what was there before, no more than necessary should be left.
                let _ = old.clear();
            });
            changed.map_err(|error| Error::io(&self.place, "cannot change", error))?;
        }
        Ok(result)
    }

    /// Writes a new file, synced, and puts it in the place of this one, whose content is returned as it is.
    /// The new file is locked from here on.
    ///
    /// # Errors
    /// As [`Temporary::replace`], and those of [`KeyFile::to_bytes`].
    pub(super) fn replace(&mut self, file: &KeyFile) -> io::Result<Old> {
        let bytes = file.to_bytes(&self.place).map_err(io::Error::other)?;
        let new = Temporary::beside(&self.path, Privacy::Owner)?;
        new.file().write_all(&bytes)?;
        new.file().sync_all()?;
        self.replace_by(new)
    }

    /// Puts a finished file in the place of this one.
    ///
    /// # Errors
    /// As [`Temporary::replace`].
    pub(super) fn replace_by(&mut self, new: Temporary) -> io::Result<Old> {
        let (new, replaced) = new.replace(&self.file)?;
        let name = match replaced {
            Replaced::Exchanged => Some(temporary_name(&self.path)?),
            Replaced::Renamed => None,
        };
        Ok(Old { file: std::mem::replace(&mut self.file, new), name })
    }

    /// Gives this file the temporary name instead of its own, so that a process which is killed leaves no
    /// damaged file, but one that the next command removes. Where that cannot be done, it keeps its name.
    pub(super) fn put_aside(&self) -> io::Result<PathBuf> {
        let name = temporary_name(&self.path)?;
        match rename_to_new(&self.path, &name) {
            Ok(()) => Ok(name),
            Err(_) => Ok(self.path.clone()),
        }
    }

    /// Takes its `name` away from this file, whose content was overwritten. The length goes in any case,
    /// also where the folder does not let go of the name.
    pub(super) fn unlink(&self, name: &Path) -> io::Result<()> {
        let folder = folder_of(&self.path);
        self.file.set_len(0)?;
        match FileId::at(name) == FileId::of(&self.file) {
            true => std::fs::remove_file(name)?,
            false => return Err(io::Error::other("another file has appeared under this name")),
        }
        sync_folder(folder)?;
        match std::fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(io::Error::other("another file has appeared under this name")),
        }
    }
}

/// A file that has lost its place to another.
#[derive(Debug)]
pub(super) struct Old {
    pub(super) file: File,
    /// The name that it has instead, if any.
    name: Option<PathBuf>,
}

impl Old {
    /// Overwrites the file and takes its name away.
    pub(super) fn clear(self) -> io::Result<()> {
        let cleared = self.has_no_other_name().and_then(|()| clear(&self.file));
        self.unlink().and(cleared)
    }

    /// Refuses a file that somebody gave another name meanwhile: that one would be overwritten as well.
    pub(super) fn has_no_other_name(&self) -> io::Result<()> {
        match self.file.metadata()?.nlink() <= u64::from(self.name.is_some()) {
            true => Ok(()),
            false => {
                Err(io::Error::other("it has got another hard link, which keeps the old content"))
            }
        }
    }

    /// Takes the name away.
    pub(super) fn unlink(&self) -> io::Result<()> {
        match &self.name {
            Some(name) => std::fs::remove_file(name),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::model::Misuse;
    use crate::protocol::model::Role;

    fn write(path: &Path, file: &KeyFile) {
        std::fs::write(path, &file.to_bytes(&Place::file("key")).unwrap()[..]).unwrap();
    }

    #[test]
    fn changes_by_many_threads_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.jwk");
        let key = crate::protocol::jose::jwk::Jwk {
            kid: None,
            alg: None,
            usage: crate::protocol::jose::jwk::Usage::Encryption,
            origin: crate::ciphers::random::Origin::System,
            material: crate::protocol::jose::jwk::Material::Secret(vec![1; 16].into()),
        };
        write(&path, &KeyFile::lone(key));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        update(&path, |file| {
                            file.sealed += 1;
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        let sealed = update(&path, |file| Ok(file.sealed)).unwrap();
        assert_eq!(sealed, 64);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_change_leaves_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.jwks");
        write(&path, &KeyFile::new(Role::Plain));
        let before = std::fs::read(&path).unwrap();
        let failed: Result<()> = update(&path, |file| {
            file.role = Role::Service;
            Err(Misuse::SecondUnnamedKey.into())
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
