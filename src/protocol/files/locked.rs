//! Changing a key file: under a lock, and so that a crash leaves the old file or the new one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use super::output::create_beside;
use super::{FileId, Privacy, folder_of, open_to_change, sync_folder};
use crate::protocol::keyfile::KeyFile;
use crate::protocol::{Error, Place, Result};

/// Reads a key file, changes it, and puts the new one in the place of the old one.
///
/// Others who call this for the same file wait. If `change` fails, nothing is changed.
///
/// # Errors
/// [`Error::Usage`] when the path is a link or has several names; [`Error::Io`]; and what
/// `change` returns.
pub fn update<T>(path: &Path, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
    let place = Place::file(path.display().to_string());
    let mut locked = lock(path, &place)?;
    let mut bytes = Zeroizing::new(Vec::new());
    locked.read_to_end(&mut bytes).map_err(|error| Error::io(&place, "cannot read", error))?;
    let before = KeyFile::parse(&bytes, &place)?;
    let mut after = before.clone();
    let result = change(&mut after)?;
    if after != before {
        replace(path, &after).map_err(|error| Error::io(&place, "cannot change", error))?;
        // The change is durable; of what was there before, no more than necessary should be left.
        let _ = clear(&locked);
    }
    Ok(result)
}

/// Locks the file that stands under `path` at the moment the lock is granted: while this process
/// waited, another may have put a new file there.
pub(super) fn lock(path: &Path, place: &Place) -> Result<File> {
    loop {
        let file = open_to_change(path, place)?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| Error::io(place, "cannot lock", error.into()))?;
        let current = std::fs::symlink_metadata(path)
            .ok()
            .map(|metadata| FileId { device: metadata.dev(), inode: metadata.ino() });
        if current.is_some() && FileId::of(&file) == current {
            return Ok(file);
        }
    }
}

/// Overwrites a file that has lost its name.
fn clear(mut file: &File) -> std::io::Result<()> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    std::io::copy(&mut std::io::repeat(0).take(len), &mut file)?;
    file.sync_data()?;
    file.set_len(0)
}

/// Writes a new file beside the old one, synced, and renames it into its place.
pub(super) fn replace(path: &Path, file: &KeyFile) -> std::io::Result<()> {
    let (temporary, mut new) = create_beside(path, Privacy::Owner)?;
    let written = new
        .write_all(&file.to_bytes())
        .and_then(|()| new.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The old file is untouched; a leftover is recognizable by its name.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    sync_folder(folder_of(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keyfile::Role;

    #[test]
    fn changes_by_many_threads_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.jwk");
        let key = crate::protocol::jwk::Jwk {
            kid: None,
            alg: None,
            origin: crate::ciphers::random::Origin::System,
            material: crate::protocol::jwk::Material::Secret(vec![1; 16].into()),
        };
        replace(&path, &KeyFile::lone(key)).unwrap();
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
        replace(&path, &KeyFile::new(Role::Plain)).unwrap();
        let before = std::fs::read(&path).unwrap();
        let failed: Result<()> = update(&path, |file| {
            file.role = Role::Service;
            Err(Error::Usage("no".to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
