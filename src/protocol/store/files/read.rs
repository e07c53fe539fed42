//! Reads small files completely.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

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
    pub bytes: Zeroizing<Vec<u8>>,
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
pub fn read_small(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
    let input = Input::open(Some(path))?;
    let place = input.place();
    read_limited(input.reader, limit, &place)
}

/// Reads a whole input that should be short.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] if it is longer than `limit` bytes.
pub fn read_limited(reader: impl Read, limit: u64, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Wiped::default();
    bytes
        .read_all(reader.take(limit + 1))
        .map_err(|error| Error::io(place, "cannot read", error))?;
    if bytes.len() as u64 > limit {
        return Err(too_long(limit, place));
    }
    Ok(Zeroizing::new(bytes.into_vec()))
}

/// Reads a key file that is a regular file; refuses one that is too long before reading it.
pub(super) fn read_regular(file: &File, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot read", error))?;
    match metadata.len() > MAX_KEY_FILE {
        true => Err(too_long(MAX_KEY_FILE, place)),
        false => read_key_file(file, place),
    }
}

fn too_long(limit: u64, place: &Place) -> Error {
    Error::malformed(place, Malformed::TooLong(limit))
}

/// Reads the text of a key file. Data that does not begin like JSON, or like a JWE, is read only far
/// enough to recognize it: a device or pipe may be endless.
pub(super) fn read_key_file(mut reader: impl Read, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let mut first = Zeroizing::new(Vec::with_capacity(MAX_OTHER as usize));
    reader
        .by_ref()
        .take(MAX_OTHER)
        .read_to_end(&mut first)
        .map_err(|error| Error::io(place, "cannot read", error))?;
    let text = first.trim_ascii_start();
    match text.starts_with(b"{") || text.starts_with(b"eyJ") {
        true => read_limited(first.chain(reader), MAX_KEY_FILE, place),
        false => Ok(first),
    }
}

pub(super) fn refuse_readable(id: Option<FileId>, mode: u32, place: &Place) -> Result<()> {
    match id.is_some() && mode & 0o077 != 0 {
        true => Err(Error::key(place, KeyError::Readable(mode))),
        false => Ok(()),
    }
}
