//! An output that grows: what is appended can be cut off again, until its new length is recorded.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::output::refuse_inputs;
use super::paths::{FileId, folder_of, open_no_follow, sync_folder};
use crate::protocol::model::{Error, Misuse, Result};

/// A file for its owner only, locked, to which is appended.
#[derive(Debug)]
pub struct Appended {
    file: File,
    name: String,
    id: FileId,
    len: u64,
}

impl Appended {
    /// Opens the file at a path, or creates it, durably.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is a link, no file, one of the inputs, or if others can read it;
    /// [`Error::Io`], also if another process has it.
    pub fn open(path: &Path, inputs: &[Option<FileId>]) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| Error::io(&name, "cannot write", error);
        let file = open_or_create(path, &name)?;
        let found = file.metadata().map_err(failed)?;
        let id = FileId::from_metadata(&found).ok_or(Misuse::NotAnOutput(name.clone()))?;
        refuse_inputs(&name, Some(id), inputs)?;
        if found.mode() & 0o077 != 0 {
            return Err(
                Misuse::OutputIsReadable { output: name, mode: found.mode() & 0o7777 }.into()
            );
        }
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                let held = io::Error::other("another process is writing to it");
                return Err(Error::io(&name, "cannot lock", held));
            }
            locked => locked.map_err(|error| Error::io(&name, "cannot lock", error.into()))?,
        }
        if FileId::at(path) != Some(id) {
            return Err(failed(io::Error::other("another program has replaced the file")));
        }
        // What is in it may not be on the disk yet.
        file.sync_all().and_then(|()| sync_folder(folder_of(path))).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        Ok(Self { file, name, id, len })
    }

    /// Its name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Cuts off what is after so many bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn cut(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).and_then(|()| self.file.sync_all()).map_err(|e| self.failed(e))?;
        self.len = len;
        Ok(())
    }

    /// Appends bytes, durably. If that fails, they are cut off again as far as possible.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let found = self.file.metadata().map_err(|error| self.failed(error))?.len();
        if found != self.len {
            return Err(self.failed(io::Error::other("another program has changed its length")));
        }
        let written = self.file.write_all_at(bytes, self.len).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.len);
            return Err(self.failed(error));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io(&self.name, "cannot write", error)
    }
}

fn open_or_create(path: &Path, name: &str) -> Result<File> {
    let failed = |error| Error::io(name, "cannot write", error);
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(Misuse::OutputIsLink(name.to_owned()).into()),
        Ok(found) if !found.is_file() => Err(Misuse::NotAnOutput(name.to_owned()).into()),
        Ok(_) => open_no_follow(path, &mut options).map_err(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let file = open_no_follow(path, options.create_new(true).mode(0o600));
            let file = file.map_err(failed)?;
            // A umask can only remove bits; the owner's have to be set.
            file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
            Ok(file)
        }
        Err(error) => Err(failed(error)),
    }
}
