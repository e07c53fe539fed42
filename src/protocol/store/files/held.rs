//! Lines that are held on the disk until somebody else has them.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use super::output::{Existing, Output};
use super::paths::{FileId, Privacy};
use crate::protocol::model::{Error, Misuse, Place, Result};

/// A file of lines that are on the way. Only its owner can read it; it exists from the first line on.
pub struct Held {
    path: PathBuf,
    file: Option<File>,
}

impl Held {
    /// Prepares a path at which there must be nothing yet.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is; [`Error::Io`] if no file can be made there.
    pub fn at(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(Misuse::OutputExists(path.display().to_string()).into());
        }
        drop(Output::create(Some(path), Existing::Keep, Privacy::Owner, &[])?);
        Ok(Self { path: path.to_owned(), file: None })
    }

    /// Takes up a file that is there.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Usage`] for what is not a regular file.
    pub fn existing(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::io(&name, "cannot open", error))?;
        match FileId::of(&file) {
            Some(found) if FileId::at(path) == Some(found) => {
                Ok(Self { path: path.to_owned(), file: Some(file) })
            }
            Some(_) | None => Err(Misuse::NotRegular(name).into()),
        }
    }

    /// Name of the file for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Replaces all lines, which nobody needs any more; when this returns, the new ones are on the disk.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Usage`] if another file came to be at the path.
    pub fn replace(&mut self, lines: &[u8]) -> Result<()> {
        if let Some(file) = &mut self.file {
            let written = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(lines))
                .and_then(|()| file.sync_data());
            return written.map_err(|error| Error::io(self.name(), "cannot write", error));
        }
        self.write_new(Existing::Keep, lines)?;
        let file = File::options().write(true).open(&self.path);
        self.file = Some(file.map_err(|error| Error::io(self.name(), "cannot open", error))?);
        Ok(())
    }

    /// Keeps some of the lines only. If that fails, the file has all of them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep(&mut self, lines: &[u8]) -> Result<()> {
        self.file = None;
        self.write_new(Existing::Replace, lines)
    }

    /// Removes the file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        // Another file that came to be here is not ours.
        if FileId::of(file) != FileId::at(&self.path) {
            return Ok(());
        }
        let removed = std::fs::remove_file(&self.path);
        removed.map_err(|error| Error::io(Place::file(self.name()), "cannot remove", error))
    }

    fn write_new(&self, existing: Existing, lines: &[u8]) -> Result<()> {
        let mut output = Output::create(Some(&self.path), existing, Privacy::Owner, &[])?;
        output.write(lines)?;
        output.commit()
    }
}
