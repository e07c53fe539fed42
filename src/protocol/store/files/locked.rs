//! Changes a key file under a lock; a crash leaves either the old file or the new one.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::access::Access;
use super::beside::{Owner, Swept, clear, sweep, temporary_name};
use super::joined::{Light, join};
use super::journal::{Journal, Purpose};
use super::known::{Known, write_hashed};
use super::paths::{FileId, Privacy, folder_of, open_regular, open_to_change, sync_folder};
use super::protection::{self, Protection};
use super::read::read_regular;
use super::temporary::{Replaced, Temporary, rename_to_new};
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::store::FileNumber;
use crate::protocol::store::keyfile::{ClientBundle, FileText, JournalEnd, KeyFile, Parsed};

/// Reads a key file, changes it, and replaces the old file by the new one.
///
/// Other callers for the same file wait. If `change` fails, nothing is changed.
///
/// # Errors
/// [`Error::Usage`] if the path is a link or has several names; [`Error::Io`], in which case
/// nothing has changed; and those that `change` returns.
pub fn update<T>(
    path: &Path,
    access: &Access,
    change: impl FnOnce(&mut KeyFile) -> Result<T>,
) -> Result<T> {
    update_known(path, &mut Known::default(), access, change)
}

/// As [`update`], for a file of which something is known.
///
/// # Errors
/// As [`update`].
pub fn update_known<T>(
    path: &Path,
    known: &mut Known,
    access: &Access,
    change: impl FnOnce(&mut KeyFile) -> Result<T>,
) -> Result<T> {
    let mut locked = Locked::open(path, access)?;
    locked.known = std::mem::take(known);
    let result = locked.update(change);
    *known = locked.known;
    result
}

/// File at a path, locked. A process that changes or erases it holds this lock.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) place: Place,
    /// Files that a killed process had left beside it.
    pub(super) swept: Swept,
    /// What opens it, if it is protected.
    access: Access,
    /// What is known of its content, which says how it is protected when it is written again.
    pub(super) known: Known,
    /// The end of the journal from which spent ids were read; a file that replaces this one has them.
    pub(super) journal: Option<JournalEnd>,
}

impl Locked {
    /// Locks the file that is at `path` when the lock is granted: while this process waited,
    /// another may have put a new file there. Files that a killed process left beside it are
    /// removed.
    ///
    /// # Errors
    /// [`Error::Usage`] if the path is a link or has several names, and [`Error::Io`].
    pub(super) fn open(path: &Path, access: &Access) -> Result<Self> {
        protection::ask_before(path, access)?;
        let mut locked = Self::lock(path, access, FlockOperation::LockExclusive, open_to_change)?;
        locked.swept = sweep(path, Owner::IsWaitedFor)
            .map_err(|error| Error::io(&locked.place, "cannot lock", error))?;
        Ok(locked)
    }

    /// Locks the file at `path` against changes, to read it: others may read it too, and it may be one that
    /// this process cannot change.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn look(path: &Path) -> Result<Self> {
        let open = |path: &_, place: &_| open_regular(path, OpenOptions::new().read(true), place);
        Self::lock(path, &Access::default(), FlockOperation::LockShared, open)
    }

    fn lock(
        path: &Path,
        access: &Access,
        lock: FlockOperation,
        open: impl Fn(&Path, &Place) -> Result<File>,
    ) -> Result<Self> {
        let place = Place::file(path.display().to_string());
        loop {
            let file = open(path, &place)?;
            flock(&file, lock).map_err(|error| Error::io(&place, "cannot lock", error.into()))?;
            if FileId::of(&file) == FileId::at(path) {
                let (path, access, known) = (path.to_owned(), access.clone(), Known::default());
                let swept = Swept::Nothing;
                return Ok(Self { file, path, place, swept, access, known, journal: None });
            }
        }
    }

    /// Reads the content of the file, with the spent ids in its journal.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Malformed`], and those of [`join`].
    pub(super) fn read(&mut self) -> Result<KeyFile> {
        let parsed = self.read_parsed()?;
        let (file, journal) = join(parsed, &self.path, &self.place)?;
        self.journal = journal;
        Ok(file)
    }

    /// Reads the content of the file itself.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Malformed`].
    pub(super) fn read_parsed(&mut self) -> Result<Parsed> {
        let bytes = self.read_bytes()?;
        if let Some(parsed) = self.known.file_of(&bytes) {
            return Ok(parsed.clone());
        }
        let (parsed, protection) = protection::read(&bytes, None, &self.access, &self.place)?;
        self.known = Known::of(&bytes, &parsed, protection.as_ref());
        Ok(parsed)
    }

    /// Reads the content of the file as it is in the clear.
    pub(super) fn read_clear(&mut self) -> Result<(Wiped, Option<Protection>)> {
        protection::clear_text(self.read_bytes()?, &self.access, &self.place)
    }

    fn read_bytes(&mut self) -> Result<Wiped> {
        let failed = |error| Error::io(&self.place, "cannot read", error);
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        read_regular(&self.file, &self.place)
    }

    /// Whether the file is a bundle with a journal, as it was noted there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn is_journaled(&self) -> Result<bool> {
        Ok(Light::open(&self.file, &self.path, &self.place, Purpose::Look)?
            .is_some_and(|light| !light.client.is_unfinished()))
    }

    /// Whether the file has this text, as far as is known.
    pub(super) fn is(&self, text: &FileText<'_>) -> bool {
        self.known.is_text(text)
    }

    /// Whether the file is protected, as far as is known.
    pub(super) fn is_protected(&self) -> bool {
        self.known.protection().is_some()
    }

    /// Reads the file, changes it, and replaces it by the new one, locked.
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
                // The change is durable; this only overwrites the old content as far as possible.
                let _ = old.clear();
            });
            changed.map_err(|error| Error::io(&self.place, "cannot change", error))?;
        }
        Ok(result)
    }

    /// Changes a client's file, as [`update`](Self::update).
    ///
    /// # Errors
    /// Also [`KeyError::Role`](crate::protocol::model::KeyError::Role).
    pub(super) fn update_client(&mut self, change: impl FnOnce(&mut ClientBundle)) -> Result<()> {
        let place = self.place.clone();
        self.update(|file| file.client_mut(&place).map(change))
    }

    /// Replaces this file by a new one, which is written and synced first and is locked from then
    /// on. Returns the old file with its content unchanged.
    ///
    /// # Errors
    /// As [`Temporary::replace`], and those of [`KeyHolder::text`](crate::protocol::store::keyfile::KeyHolder::text).
    pub(super) fn replace(&mut self, file: &KeyFile) -> io::Result<Old> {
        let file = match (file, self.journal) {
            (KeyFile::Client(client), Some(end)) => {
                KeyFile::Client(ClientBundle { absorbed: Some(end), ..client.clone() })
            }
            (file, _) => file.clone(),
        };
        let text = file.holder().text(&self.place).map_err(io::Error::other)?;
        let old = self.replace_with(&text, &Parsed { file: file.clone(), journal: None })?;
        if self.journal.take().is_some() {
            // If it stays, it is known as one that the bundle does not need any more.
            let _ = Journal::remove(&self.path);
        }
        Ok(old)
    }

    /// Replaces this file by a bundle with this text, whose spent ids are in the journal of this number.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub(super) fn mark(
        &mut self,
        text: &FileText<'_>,
        client: &ClientBundle,
        journal: FileNumber,
    ) -> Result<()> {
        let parsed = Parsed { file: KeyFile::Client(client.clone()), journal: Some(journal) };
        let marked = self.replace_with(text, &parsed).map(|old| {
            // The change is durable; this only overwrites the old content as far as possible.
            let _ = old.clear();
        });
        marked.map_err(|error| Error::io(&self.place, "cannot change", error))
    }

    /// Replaces the content, protected as it was when it was read.
    fn replace_with(&mut self, text: &FileText<'_>, parsed: &Parsed) -> io::Result<Old> {
        let Some(protection) = self.known.protection().cloned() else {
            let (old, hash) =
                self.replace_written(|mut file| write_hashed(text, |piece| file.write_all(piece)))?;
            self.known = Known::of_hash(hash, parsed, None);
            return Ok(old);
        };
        let sealed = protection.seal(&text.to_bytes(), &self.place).map_err(io::Error::other)?;
        let (old, ()) = self.replace_written(|mut file| file.write_all(&sealed))?;
        self.known = Known::of(&sealed, parsed, Some(&protection));
        Ok(old)
    }

    /// Replaces this file by a new one that `write` writes.
    fn replace_written<T>(
        &mut self,
        write: impl FnOnce(&File) -> io::Result<T>,
    ) -> io::Result<(Old, T)> {
        let new = Temporary::beside(&self.path, Privacy::Owner)?;
        let written = write(new.file())?;
        new.file().sync_all()?;
        Ok((self.replace_by(new)?, written))
    }

    /// Replaces the bytes of the file, and overwrites the old ones as far as possible; that may fail,
    /// when the change is durable.
    pub(super) fn rewrite(&mut self, bytes: &[u8]) -> Result<io::Result<()>> {
        let replaced = self.replace_written(|mut file| file.write_all(bytes));
        let replaced = replaced.map(|(old, ())| old.clear());
        replaced.map_err(|error| Error::io(&self.place, "cannot change", error))
    }

    /// Replaces this file by a finished one.
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

    /// Renames this file to the temporary name, so that a killed process or a power failure leaves
    /// no damaged file except one that the next command removes. If that fails, the file keeps its
    /// name; if the folder cannot be synced, it is overwritten all the same.
    pub(super) fn put_aside(&self) -> io::Result<PathBuf> {
        let name = temporary_name(&self.path)?;
        match rename_to_new(&self.path, &name) {
            Ok(()) => {
                let _ = sync_folder(folder_of(&self.path));
                Ok(name)
            }
            Err(_) => Ok(self.path.clone()),
        }
    }

    /// Truncates this file, whose content was overwritten, and removes its `name`. It is truncated
    /// even if the folder does not permit removing the name.
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

/// File that was replaced by another.
#[derive(Debug)]
pub(super) struct Old {
    pub(super) file: File,
    /// Its new name, if it has one.
    name: Option<PathBuf>,
}

impl Old {
    /// Overwrites the file and removes its name.
    pub(super) fn clear(self) -> io::Result<()> {
        let cleared = self.has_no_other_name().and_then(|()| clear(&self.file));
        self.unlink().and(cleared)
    }

    /// Refuses a file that has been given another name meanwhile: overwriting would also destroy
    /// that one.
    pub(super) fn has_no_other_name(&self) -> io::Result<()> {
        match self.file.metadata()?.nlink() <= u64::from(self.name.is_some()) {
            true => Ok(()),
            false => {
                Err(io::Error::other("it now has another hard link, which keeps the old content"))
            }
        }
    }

    /// Removes the name.
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
    use crate::protocol::store::keyfile::{JwkSet, Keyring, LoneKey, PlainFile};

    fn write(path: &Path, file: &KeyFile) {
        std::fs::write(path, &file.holder().to_bytes(&Place::file("key")).unwrap()[..]).unwrap();
    }

    fn lone(file: &mut KeyFile) -> &mut LoneKey {
        let KeyFile::Plain(PlainFile::Lone(file)) = file else { panic!("{file:?}") };
        file
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
            material: crate::protocol::jose::jwk::DecryptingKey::Secret(vec![1; 16].into()),
        };
        write(&path, &KeyFile::Plain(PlainFile::Lone(LoneKey::new(key))));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        update(&path, &Access::default(), |file| {
                            lone(file).sealed += 1;
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        let sealed = update(&path, &Access::default(), |file| Ok(lone(file).sealed)).unwrap();
        assert_eq!(sealed, 64);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_change_leaves_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.jwks");
        write(&path, &KeyFile::Plain(PlainFile::Set(JwkSet::default())));
        let before = std::fs::read(&path).unwrap();
        let failed: Result<()> = update(&path, &Access::default(), |file| {
            *file = KeyFile::Keyring(Keyring::new());
            Err(Misuse::SecondUnnamedKey.into())
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
