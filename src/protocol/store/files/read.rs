//! Reading small files whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::input::Input;
use super::paths::FileId;
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, KeyTrouble, Malformed, Place, Result};
use crate::protocol::store::keyfile::MAX_KEY_FILE;

/// Bytes of what is not JSON that are read where a key file is expected.
const MAX_OTHER: u64 = 64 << 10;

/// A small file as it is.
pub struct Small {
    /// What is in it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
}

/// Reads a small file whole and keeps its identity; one with `secrets` must be its owner's alone.
///
/// # Errors
/// As [`read_small`], and [`KeyTrouble::Readable`].
pub fn load_small(path: &Path, limit: u64, secrets: bool) -> Result<Small> {
    let Input { name, id, mode, reader, .. } = Input::open(Some(path))?;
    let place = Place::file(name);
    if secrets {
        refuse_readable(id, mode, &place)?;
    }
    Ok(Small { bytes: read_limited(reader, limit, &place)?, place, id })
}

/// Reads a small file whole: an item page, a passphrase, a table.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] when it is longer than `limit` bytes.
pub fn read_small(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
    let input = Input::open(Some(path))?;
    let place = input.place();
    read_limited(input.reader, limit, &place)
}

/// Reads all of something that has no reason to be long.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] when it is longer than `limit` bytes.
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

/// Reads a key file that is a regular one; if it is too long, it is refused before it is read.
pub(super) fn read_regular(file: &File, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot read", error))?;
    match metadata.len() > MAX_KEY_FILE {
        true => Err(too_long(MAX_KEY_FILE, place)),
        false => read_key_file(file, place),
    }
}

fn too_long(limit: u64, place: &Place) -> Error {
    Error::malformed(place, Malformed::Long(limit))
}

/// Reads the text of a key file. What does not begin like JSON is read no further than to see what it
/// is: a device or pipe may have no end.
pub(super) fn read_key_file(mut reader: impl Read, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let mut first = Zeroizing::new(Vec::with_capacity(MAX_OTHER as usize));
    reader
        .by_ref()
        .take(MAX_OTHER)
        .read_to_end(&mut first)
        .map_err(|error| Error::io(place, "cannot read", error))?;
    match first.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => read_limited(first.chain(reader), MAX_KEY_FILE, place),
        _ => Ok(first),
    }
}

pub(super) fn refuse_readable(id: Option<FileId>, mode: u32, place: &Place) -> Result<()> {
    match id.is_some() && mode & 0o077 != 0 {
        true => Err(Error::key(place, KeyTrouble::Readable(mode))),
        false => Ok(()),
    }
}
