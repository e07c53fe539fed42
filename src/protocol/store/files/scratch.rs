//! A folder for files that are needed for a moment.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::paths::random_number;
use crate::protocol::model::{Error, Result};

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// A folder for this user alone, in memory if possible, which is removed with all files in it when it is
/// dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// The folders of this process.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes this process's folders, for a process that exits at once.
pub(super) fn remove_all() {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    for folder in folders.drain(..) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

impl Scratch {
    /// Creates an empty folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder for temporary files cannot be written to.
    pub fn new() -> Result<Self> {
        let elsewhere = std::env::temp_dir();
        Self::within(Path::new(MEMORY)).or_else(|_| Self::within(&elsewhere)).map_err(|error| {
            Error::io(elsewhere.display().to_string(), "cannot create a folder in it", error)
        })
    }

    fn within(parent: &Path) -> io::Result<Self> {
        loop {
            let folder = parent.join(format!("orderseal-{:016x}", random_number()?));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                created => {
                    created?;
                    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
                    folders.push(folder.clone());
                    return Ok(Self(folder));
                }
            }
        }
    }

    /// Path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Content of a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        std::fs::read(self.path(name)).map_err(|error| self.failed(name, "cannot read", error))
    }

    /// Writes a file, or writes it anew.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(self.path(name));
        let written = file.and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| self.failed(name, "cannot write", error))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let removed = std::fs::remove_file(self.path(name));
        removed.map_err(|error| self.failed(name, "cannot remove", error))
    }

    fn failed(&self, name: &str, what: &'static str, error: io::Error) -> Error {
        Error::io(self.path(name).display().to_string(), what, error)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|folder| *folder != self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_is_for_its_owner_and_is_gone_when_it_is_dropped() {
        let folder = Scratch::new().unwrap();
        folder.write("keys", b"one").unwrap();
        folder.write("keys", b"2").unwrap();
        assert_eq!(folder.read("keys").unwrap(), b"2");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.0), mode(&folder.path("keys"))), (0o700, 0o600));
        let path = folder.0.clone();
        drop(folder);
        assert!(!path.exists());
        assert!(!FOLDERS.lock().unwrap().contains(&path));
    }

    #[test]
    fn two_folders_are_different_and_a_file_that_is_gone_is_an_error() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        one.write("keys", b"one").unwrap();
        assert!(matches!(other.read("keys"), Err(Error::Io { .. })));
        one.remove("keys").unwrap();
        assert!(matches!(one.remove("keys"), Err(Error::Io { .. })));
    }
}
