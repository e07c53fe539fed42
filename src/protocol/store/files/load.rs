//! Reading key files, after what killed processes left undone with them is done.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use super::input::Input;
use super::paths::{FileId, is_dash};
use super::read::{read_key_file, read_regular, refuse_readable};
use super::sent::{self, Finished};
use super::temporary::{Owner, sweep, temporary_name};
use crate::protocol::model::{Error, KeyTrouble, Place, Result};
use crate::protocol::store::keyfile::KeyFile;

/// A key file with the identity of the file it came from.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub file: KeyFile,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
    /// Whether what it says can be changed: it is a regular file, not a pipe.
    pub changeable: bool,
}

/// Reads a key file; `-` is stdin. What a killed process left undone with it is done first.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`], and [`KeyTrouble::Readable`] when the file holds secrets
/// and group or others can read it, unless that is allowed; [`KeyTrouble::ErasedNow`] when to do what was
/// left undone was to erase the file.
pub fn load(path: &Path, allow_readable: bool) -> Result<Loaded> {
    let (bytes, id, mode, place) = read_settled(path)?;
    let file = KeyFile::parse(&bytes, &place)?;
    if finish(Some(path), &file)? {
        return load(path, allow_readable);
    }
    if !allow_readable && file.has_secrets() {
        refuse_readable(id, mode, &place)?;
    }
    let changeable = id.is_some() && !is_dash(path);
    Ok(Loaded { file, changeable, id, place })
}

/// Removes what a killed process left beside a file, as far as that can be done.
pub fn tidy(path: Option<&Path>) {
    if let Some(path) = path.filter(|path| !is_dash(path)) {
        // Whoever may only read cannot remove it. A link leads to a file that has its own neighbours.
        let file = std::fs::canonicalize(path);
        let _ = sweep(file.as_deref().unwrap_or(path), Owner::IsLeftAlone);
    }
}

/// Whether a killed process left something beside a file.
pub fn has_leftover(path: &Path) -> bool {
    temporary_name(path).is_ok_and(|name| name.symlink_metadata().is_ok())
}

/// Does what killed processes left undone with the file that was read from a path, and tells whether the
/// file is another now.
///
/// # Errors
/// [`KeyTrouble::ErasedNow`] when to do it was to erase the file, and [`Error::Io`].
pub fn finish(path: Option<&Path>, file: &KeyFile) -> Result<bool> {
    let Some(path) = path.filter(|path| !is_dash(path) && file.is_unfinished()) else {
        return Ok(false);
    };
    match sent::finish(path)? {
        Finished::Nothing => Ok(false),
        Finished::Parts(_) => Ok(true),
        Finished::File(_) => {
            let place = Place::file(path.display().to_string());
            Err(Error::key(&place, KeyTrouble::ErasedNow))
        }
    }
}

/// What was read: the bytes, the file's identity and mode, and its name.
type Settled = (Zeroizing<Vec<u8>>, Option<FileId>, u32, Place);

/// Reads a key file while nobody changes it. Whoever changes one puts a new file in its place and
/// overwrites the old one, under a lock: a file that has lost its name meanwhile is not read.
fn read_settled(path: &Path) -> Result<Settled> {
    tidy(Some(path));
    loop {
        let input = Input::open(Some(path))?;
        let place = input.place();
        let file = match input.id {
            Some(_) if !is_dash(path) => {
                Some(File::open(path).map_err(|error| Error::io(&place, "cannot open", error))?)
            }
            _ => None,
        };
        let Some(file) = file else {
            let bytes = read_key_file(input.reader, &place)?;
            return Ok((bytes, input.id, input.mode, place));
        };
        // Where the file system has no locks, nobody can change the file by our rules either.
        let _ = flock(&file, FlockOperation::LockShared);
        let now = std::fs::metadata(path).ok();
        let now = now.as_ref().and_then(FileId::from_metadata);
        if FileId::of(&file) != now {
            continue;
        }
        let mode = file
            .metadata()
            .map_err(|error| Error::io(&place, "cannot read the mode", error))?
            .mode();
        let bytes = read_regular(&file, &place)?;
        return Ok((bytes, now, mode & 0o7777, place));
    }
}
