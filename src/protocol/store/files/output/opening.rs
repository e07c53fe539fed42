//! Which paths may be outputs, and of which kind each is.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::process::geteuid;

use super::spared::is_spared;
use super::{Destination, Draft, Existing, Output};
use crate::protocol::model::{Error, Misuse, Result};
use crate::protocol::store::files::beside::{Owner, sweep};
use crate::protocol::store::files::paths::{
    FileId, Privacy, folder_of, is_dash, is_stream, open_no_follow,
};
use crate::protocol::store::files::temporary::Temporary;

impl Output {
    /// Prepares a path for writing; no path, or `-`, is stdout.
    ///
    /// # Errors
    /// [`Error::Usage`] if the path is a link, a folder or one of the inputs, or if it exists and
    /// must be kept; [`Error::Io`] if it cannot be written.
    pub fn create(
        path: Option<&Path>,
        existing: Existing,
        privacy: Privacy,
        inputs: &[Option<FileId>],
    ) -> Result<Self> {
        match path.filter(|path| !is_dash(path)) {
            None => Self::stdout(inputs),
            Some(path) => Self::at(path, existing, privacy, inputs),
        }
    }

    fn stdout(inputs: &[Option<FileId>]) -> Result<Self> {
        let name = "stdout".to_owned();
        let fd = rustix::stdio::stdout()
            .try_clone_to_owned()
            .map_err(|error| Error::io(&name, "cannot open", error))?;
        let file = File::from(fd);
        refuse_inputs(&name, FileId::of(&file), inputs)?;
        Ok(Self::stream(name, file))
    }

    /// Opens a file to which lines are added one by one, and creates it if it is not there.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn add_to(path: &Path, inputs: &[Option<FileId>]) -> Result<Self> {
        let name = path.display().to_string();
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => return Self::through_link(path, name),
            Ok(found) if found.is_dir() => return Err(Misuse::NotAnOutput(name).into()),
            Ok(found) => refuse_foreign_pipe(path, &found, &name)?,
            Err(_) => {}
        }
        let mut options = OpenOptions::new();
        let file = open_no_follow(path, options.append(true).create(true));
        let file = file.map_err(|error| Error::io(&name, "cannot write", error))?;
        refuse_inputs(&name, FileId::of(&file), inputs)?;
        Ok(Self::stream(name, file))
    }

    fn stream(name: String, file: File) -> Self {
        Self { name, to: Destination::Stream(file), left: false, sealed: None }
    }

    fn at(
        path: &Path,
        existing: Existing,
        privacy: Privacy,
        inputs: &[Option<FileId>],
    ) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| Error::io(&name, "cannot write", error);
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(found) if is_stream(&found) => {
                refuse_foreign_pipe(path, &found, &name)?;
                let file = open_no_follow(path, OpenOptions::new().write(true))
                    .or_else(|_| OpenOptions::new().write(true).open(path))
                    .map_err(failed)?;
                return Ok(Self::stream(name, file));
            }
            Ok(found) if found.is_symlink() => return Self::through_link(path, name),
            Ok(found) if found.is_file() => {
                let file = File::open(path).ok();
                refuse_inputs(&name, file.as_ref().and_then(FileId::of), inputs)?;
                if existing == Existing::Keep {
                    return Err(Misuse::OutputExists(name).into());
                }
            }
            Ok(_) => return Err(Misuse::NotAnOutput(name).into()),
        }
        // Remove what a killed process left; if that fails, creating the new file reports the
        // error.
        let _ = sweep(path, Owner::IsLeftAlone);
        let new = Temporary::beside(path, privacy).map_err(failed)?;
        let draft = Draft { new, target: path.to_owned(), existing, privacy };
        Ok(Self { name, to: Destination::Draft(draft), left: false, sealed: None })
    }

    /// Follows system links to open descriptors (`/dev/stdout`, `/dev/fd/63`), which the caller
    /// opened; refuses all other links.
    fn through_link(path: &Path, name: String) -> Result<Self> {
        if path.starts_with("/dev") || path.starts_with("/proc") {
            let file = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(|error| Error::io(&name, "cannot write", error))?;
            if file.metadata().is_ok_and(|metadata| is_stream(&metadata)) {
                return Ok(Self::stream(name, file));
            }
        }
        Err(Misuse::OutputIsLink(name).into())
    }
}

/// Refuses a pipe that another user created in a world-writable folder: that user may be reading
/// it.
fn refuse_foreign_pipe(path: &Path, found: &std::fs::Metadata, name: &str) -> Result<()> {
    let folder = std::fs::metadata(folder_of(path))
        .map_err(|error| Error::io(name, "cannot write", error))?;
    let foreign = found.uid() != geteuid().as_raw() && folder.mode() & 0o002 != 0;
    match found.file_type().is_fifo() && foreign {
        true => Err(Misuse::ForeignPipe(name.to_owned()).into()),
        false => Ok(()),
    }
}

pub(in crate::protocol::store::files) fn refuse_inputs(
    name: &str,
    id: Option<FileId>,
    inputs: &[Option<FileId>],
) -> Result<()> {
    match id {
        Some(id) if inputs.contains(&Some(id)) || is_spared(id) => {
            Err(Misuse::OutputIsInput(name.to_owned()).into())
        }
        _ => Ok(()),
    }
}
