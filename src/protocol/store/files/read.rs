//! Reads small files completely.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::input::Input;
use super::paths::FileId;
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, KeyError, Malformed, Place, Result};
use crate::protocol::store::keyfile::MAX_KEY_FILE;

/// Number of bytes read from data that is not JSON where a key file is expected.
const MAX_OTHER: u64 = 64 << 10;

/// Content of a small file.
pub struct Small {
    /// The bytes.
    pub bytes: Wiped,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
}

/// Reads a small file completely and keeps its identity; if `secrets` is set, only its owner may
/// have access.
///
/// # Errors
/// As [`read_small`], and [`KeyError::Readable`].
pub fn load_small(path: &Path, limit: u64, secrets: bool) -> Result<Small> {
    let Input { name, id, mode, reader, .. } = Input::open(Some(path))?;
    let place = Place::file(name);
    if secrets {
        refuse_readable(id, mode, &place)?;
    }
    Ok(Small { bytes: read_limited(reader, limit, &place)?, place, id })
}

/// Reads a small file completely: an item page, a passphrase, a table.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] if it is longer than `limit` bytes.
pub fn read_small(path: &Path, limit: u64) -> Result<Wiped> {
    let input = Input::open(Some(path))?;
    let place = input.place();
    read_limited(input.reader, limit, &place)
}

/// Reads a whole input that should be short.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] if it is longer than `limit` bytes.
pub fn read_limited(reader: impl Read, limit: u64, place: &Place) -> Result<Wiped> {
    let mut bytes = Wiped::default();
    read_rest(reader, limit, 0, &mut bytes, place)?;
    Ok(bytes)
}

/// Appends the rest of an input, about so many bytes, to those that were read.
fn read_rest(
    reader: impl Read,
    limit: u64,
    expected: u64,
    bytes: &mut Wiped,
    place: &Place,
) -> Result<()> {
    let left = limit + 1 - bytes.len() as u64;
    let read = bytes.read_all(reader.take(left), expected.min(left) as usize);
    read.map_err(|error| Error::io(place, "cannot read", error))?;
    match bytes.len() as u64 > limit {
        true => Err(too_long(limit, place)),
        false => Ok(()),
    }
}

/// Reads a key file that is a regular file; refuses one that is too long before reading it.
pub(super) fn read_regular(file: &File, place: &Place) -> Result<Wiped> {
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot read", error))?;
    match metadata.len() > MAX_KEY_FILE {
        true => Err(too_long(MAX_KEY_FILE, place)),
        false => read_key_file(file, metadata.len(), place),
    }
}

fn too_long(limit: u64, place: &Place) -> Error {
    Error::malformed(place, Malformed::TooLong(limit))
}

/// Reads the text of a key file. Data that does not begin like JSON, or like a JWE, is read only far
/// enough to recognize it: a device or pipe may be endless. `expected` is its length, if that is known.
pub(super) fn read_key_file(mut reader: impl Read, expected: u64, place: &Place) -> Result<Wiped> {
    let mut bytes = Wiped::default();
    let first = bytes.read_all(reader.by_ref().take(MAX_OTHER), MAX_OTHER.min(expected) as usize);
    first.map_err(|error| Error::io(place, "cannot read", error))?;
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"{") || text.starts_with(b"eyJ") {
        let rest = expected.saturating_sub(bytes.len() as u64);
        read_rest(reader, MAX_KEY_FILE, rest, &mut bytes, place)?;
    }
    Ok(bytes)
}

pub(super) fn refuse_readable(id: Option<FileId>, mode: u32, place: &Place) -> Result<()> {
    match id.is_some() && mode & 0o077 != 0 {
        true => Err(Error::key(place, KeyError::Readable(mode))),
        false => Ok(()),
    }
}
