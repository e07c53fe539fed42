//! Reads key files, after finishing what killed processes left undone.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::access::Access;
use super::beside::{Owner, sweep, temporary_name};
use super::input::Input;
use super::joined::{Light, join};
use super::journal::{Journal, Purpose};
use super::known::Known;
use super::paths::{FileId, is_dash, open_no_follow, same_target};
use super::protection;
use super::read::{read_key_file, read_regular, refuse_readable};
use super::sent::{self, Finished};
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, KeyError, Place, Result};
use crate::protocol::store::keyfile::KeyFile;

/// A key file, with the identity of the file it was read from.
#[derive(Debug)]
pub struct Loaded<F = KeyFile> {
    /// Content of the file.
    pub file: F,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
    /// Whether the content can be changed: it is in a regular file, not a pipe.
    pub changeable: bool,
    /// What is known for changing it.
    pub known: Known,
}

impl Loaded {
    /// The key file as one of the kind that `kind` takes it for, as in [`KeyFile::into_keyring`].
    ///
    /// # Errors
    /// Those of `kind`.
    pub fn of<F>(self, kind: impl FnOnce(KeyFile, &Place) -> Result<F>) -> Result<Loaded<F>> {
        let Self { file, place, id, changeable, known } = self;
        Ok(Loaded { file: kind(file, &place)?, place, id, changeable, known })
    }
}

/// Reads a key file; `-` is stdin. Work that a killed process left undone is finished first.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`], and [`KeyError::Readable`] if the file holds secrets and
/// group or others can read it, unless that is allowed; [`KeyError::Protected`] and
/// [`KeyError::Encrypted`]; [`KeyError::ErasedNow`] if finishing the work meant erasing the file.
pub fn load(path: &Path, access: &Access) -> Result<Loaded> {
    protection::ask_before(path, access)?;
    let Settled { bytes, id, mode, place, held } = read_settled(path)?;
    let password = access.key_password();
    let (parsed, protection) = protection::read(&bytes, password, access, &place)?;
    let changeable = id.is_some() && !is_dash(path);
    let known = match &parsed.file {
        KeyFile::Client(_) | KeyFile::Keyring(_) if changeable => {
            Known::of(&bytes, &parsed, protection.as_ref())
        }
        // A lone key is parsed at once, and what shops and others have is rarely changed.
        KeyFile::Client(_) | KeyFile::Keyring(_) | KeyFile::Plain(_) | KeyFile::Shop(_) => {
            Known::default()
        }
    };
    let file = match &held {
        Some(_) => join(parsed, &without_link(path), &place)?.0,
        None => parsed.without_journal(&place)?,
    };
    drop(held);
    if finish(Some(path), &file, access)? {
        return load(path, access);
    }
    if !access.allow_readable && file.holder().has_secrets() {
        refuse_readable(id, mode, &place)?;
    }
    Ok(Loaded { file, changeable, id, place, known })
}

/// The path of the file itself, if there is a link to it at a path.
fn without_link(path: &Path) -> PathBuf {
    match std::fs::read_link(path) {
        Ok(_) => std::fs::canonicalize(path).unwrap_or(path.to_owned()),
        Err(_) => path.to_owned(),
    }
}

/// Reads a client's bundle to seal with it: of one with a journal, only a key that is unspent, if that is
/// possible. Other key files are read whole.
///
/// # Errors
/// As [`load`].
pub fn load_to_seal(path: &Path, access: &Access) -> Result<Loaded> {
    match load_light(path, access.allow_readable)? {
        Some(loaded) => Ok(loaded),
        None => load(path, access),
    }
}

/// Whether a path is that of the journal of the bundle at another one.
pub fn is_journal_of(path: &Path, bundle: &Path) -> bool {
    same_target(path, &Journal::path_beside(&without_link(bundle)))
}

/// Parses the bytes of the key file at a path, with the spent ids in its journal.
///
/// # Errors
/// As [`load`].
pub fn parse_at(
    path: Option<&Path>,
    bytes: &[u8],
    access: &Access,
    place: &Place,
) -> Result<KeyFile> {
    let password = access.key_password();
    let (parsed, _) = protection::read(bytes, password, access, place)?;
    match path.filter(|path| !is_dash(path) && parsed.journal.is_some()) {
        // Bundle and journal have to be read together.
        Some(path) => load(path, &access.to_readable()).map(|loaded| loaded.file),
        None => parsed.without_journal(place),
    }
}

fn load_light(path: &Path, allow_readable: bool) -> Result<Option<Loaded>> {
    if is_dash(path) || std::fs::symlink_metadata(Journal::path_beside(path)).is_err() {
        return Ok(None);
    }
    tidy(Some(path));
    let place = Place::file(path.display().to_string());
    let Ok(file) = open_no_follow(path, OpenOptions::new().read(true)) else { return Ok(None) };
    let _ = flock(&file, FlockOperation::LockShared);
    let id = FileId::of(&file);
    if id.is_none() || id != FileId::at(path) {
        return Ok(None);
    }
    let Some(light) = Light::open(&file, path, &place, Purpose::Look)? else { return Ok(None) };
    let next = light.with_next_key(&file, &place)?.filter(|next| !next.is_unfinished());
    let Some(next) = next else { return Ok(None) };
    if !allow_readable && next.holder().has_secrets() {
        let metadata = file.metadata().map_err(|error| Error::io(&place, "cannot read", error))?;
        refuse_readable(id, metadata.mode() & 0o7777, &place)?;
    }
    Ok(Some(Loaded { file: next, changeable: true, id, place, known: Known::default() }))
}

/// Removes what a killed process left beside a file, if possible.
pub fn tidy(path: Option<&Path>) {
    if let Some(path) = path.filter(|path| !is_dash(path)) {
        // A process with read access only cannot remove it. For a link, look beside the file that
        // it points to.
        let file = std::fs::canonicalize(path);
        let _ = sweep(file.as_deref().unwrap_or(path), Owner::IsLeftAlone);
    }
}

/// Whether a killed process left something beside a file.
pub fn has_leftover(path: &Path) -> bool {
    let unfinished = temporary_name(path).is_ok_and(|name| name.symlink_metadata().is_ok());
    unfinished || Journal::is_beside(path)
}

/// Finishes what killed processes left undone with the file at a path; returns whether the file has
/// changed.
///
/// # Errors
/// [`KeyError::ErasedNow`] if that meant erasing the file, and [`Error::Io`].
pub fn finish(path: Option<&Path>, file: &KeyFile, access: &Access) -> Result<bool> {
    let Some(path) = path.filter(|path| !is_dash(path) && file.is_unfinished()) else {
        return Ok(false);
    };
    match sent::finish(path, access)? {
        Finished::Nothing => Ok(false),
        Finished::Parts(_) => Ok(true),
        Finished::File(_) => {
            let place = Place::file(path.display().to_string());
            Err(Error::key(&place, KeyError::ErasedNow))
        }
    }
}

/// What was read.
struct Settled {
    bytes: Wiped,
    /// The file's identity and mode, and its name.
    id: Option<FileId>,
    mode: u32,
    place: Place,
    /// The file, locked, if it is a regular one.
    held: Option<File>,
}

/// Reads a key file while no process changes it. A process that changes a key file replaces it by a
/// new one and overwrites the old one, under a lock; so a file that has lost its name meanwhile is
/// not read.
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
            let bytes = read_key_file(input.reader, input.size.unwrap_or_default(), &place)?;
            return Ok(Settled { bytes, id: input.id, mode: input.mode, place, held: None });
        };
        // If the file system has no locks, no process can change the file by these rules either.
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
        return Ok(Settled { bytes, id: now, mode: mode & 0o7777, place, held: Some(file) });
    }
}
