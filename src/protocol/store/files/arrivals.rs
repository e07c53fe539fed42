//! The files of an inbox, read in the order of their names while the newest one grows.
//!
//! A line counts once it has its line feed. Whoever writes an inbox begins a file when the one before is
//! complete, so the folder is listed first and a file read to its end after that: what then has no line
//! feed, and is followed by another file, never gets one.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::paths::{folder_of, open_no_follow};
use crate::ciphers::cut::part;
use crate::protocol::jose::jwe::MAX_SEALED_LINE;
use crate::protocol::model::{Error, InboxFault, Place, Result};

/// Bytes that are read at once.
const BLOCK: usize = 8 << 20;

/// Bytes before a place by which it is recognized.
const BEFORE: u64 = 4096;

/// An inbox, as records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxId(pub(super) [u8; 16]);

impl InboxId {
    /// The inbox at a path, whether it is there or not.
    ///
    /// # Errors
    /// If the folder in which it should be cannot be read.
    fn of(path: &Path) -> io::Result<Self> {
        let full = match path.file_name() {
            Some(name) => std::fs::canonicalize(folder_of(path))?.join(name),
            None => std::fs::canonicalize(path)?,
        };
        let hash = Sha256::new().chain_update(b"orderseal inbox\0");
        let hash = hash.chain_update(full.as_os_str().as_encoded_bytes()).finalize().into();
        Ok(Self(*part::<0, _, 32>(&hash)))
    }
}

/// A place in an inbox, between two lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spot {
    /// The name of the file; before the first one, none.
    pub file: String,
    /// Bytes before it in the file.
    pub offset: u64,
    /// Lines before it in the file.
    pub lines: u64,
    /// The beginning of the SHA-256 of the last 4,096 of these bytes, which tells whether the file is
    /// still the same.
    pub before: [u8; 8],
}

impl Spot {
    fn beginning(file: String) -> Self {
        Self { file, before: digest(&[]), ..Self::default() }
    }
}

fn digest(bytes: &[u8]) -> [u8; 8] {
    *part::<0, _, 32>(&Sha256::digest(bytes).into())
}

/// What comes next in an inbox.
#[derive(Debug)]
pub enum Arrival {
    /// Nothing yet.
    Nothing,
    /// Whole lines.
    Lines {
        /// Their file, and the first of them.
        place: Place,
        /// The lines.
        bytes: Vec<u8>,
        /// The place after them.
        next: Spot,
    },
    /// Nothing to open, but reading goes on at another place.
    Onward {
        /// What is wrong, if anything.
        fault: Option<(Place, InboxFault)>,
        /// That place.
        next: Spot,
    },
}

/// Reader of an inbox.
#[derive(Debug)]
pub struct Arrivals {
    folder: PathBuf,
    id: InboxId,
    /// Length of the file, and whether a newer one was there, when nothing was found.
    last: Option<(Spot, u64, bool)>,
    /// Up to where the line after a place, which is too long, was looked through for its end.
    searched: (Spot, u64),
}

/// The files around a place.
struct Around {
    /// Whether its file is there.
    is_there: bool,
    /// The file after it.
    newer: Option<String>,
}

impl Arrivals {
    /// A reader of the inbox at a path, which may not be there yet.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn of(folder: &Path) -> Result<Self> {
        let id = InboxId::of(folder)
            .map_err(|error| Error::io(folder.display(), "cannot open", error))?;
        Ok(Self { folder: folder.to_owned(), id, last: None, searched: Default::default() })
    }

    /// The inbox.
    pub fn id(&self) -> InboxId {
        self.id
    }

    /// Reads what comes after a place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn after(&mut self, spot: &Spot) -> Result<Arrival> {
        let Some(Around { is_there, newer }) = self.around(&spot.file)? else {
            return Ok(Arrival::Nothing);
        };
        let place = self.place(&spot.file);
        let onward = |fault, next| Ok(Arrival::Onward { fault, next });
        let file = match is_there {
            true => self.open(&spot.file)?,
            false => None,
        };
        let (file, newer) = match (file, newer) {
            (Some(file), newer) => (file, newer),
            (None, None) => return Ok(Arrival::Nothing),
            (None, Some(newer)) => {
                let gone = Some((place, InboxFault::Gone)).filter(|_| !spot.file.is_empty());
                return onward(gone, Spot::beginning(newer));
            }
        };
        let failed = |error| Error::io(&place, "cannot read", error);
        let len = file.metadata().map_err(failed)?.len();
        let now = (spot.clone(), len, newer.is_some());
        if self.last.as_ref() == Some(&now) {
            return Ok(Arrival::Nothing);
        }
        if len < spot.offset || before(&file, spot.offset).map_err(failed)? != spot.before {
            let changed = (place, InboxFault::Changed);
            return onward(Some(changed), Spot::beginning(spot.file.clone()));
        }
        let mut bytes = Vec::new();
        while memchr::memchr(b'\n', &bytes).is_none() && bytes.len() <= MAX_SEALED_LINE {
            if !read_more(&file, spot.offset, &mut bytes).map_err(failed)? {
                break;
            }
        }
        let line = place.at(spot.lines + 1);
        let first = memchr::memchr(b'\n', &bytes);
        if first.unwrap_or(bytes.len()) > MAX_SEALED_LINE {
            let end = match first {
                Some(end) => Some(spot.offset + end as u64),
                None => {
                    self.search(spot, &file, spot.offset + bytes.len() as u64).map_err(failed)?
                }
            };
            let too_long = Some((line, InboxFault::TooLong { most: MAX_SEALED_LINE as u64 }));
            return match (end, newer) {
                (Some(end), _) => {
                    let next = self.spot(spot, &file, end + 1, 1).map_err(failed)?;
                    onward(too_long, next)
                }
                (None, Some(newer)) => onward(too_long, Spot::beginning(newer)),
                (None, None) => self.nothing(now),
            };
        }
        match (whole_lines(&bytes), newer) {
            (Some(end), _) => {
                bytes.truncate(end);
                let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
                let end = spot.offset + bytes.len() as u64;
                let next = self.spot(spot, &file, end, lines).map_err(failed)?;
                // After a power failure, what is opened from these lines must not be there without them.
                let _ = file.sync_data();
                Ok(Arrival::Lines { place: line, bytes, next })
            }
            (None, Some(newer)) => {
                let cut = Some((line, InboxFault::Unfinished)).filter(|_| !bytes.is_empty());
                onward(cut, Spot::beginning(newer))
            }
            (None, None) => self.nothing(now),
        }
    }

    /// Number of bytes after a place; `None` if the inbox is not there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn unread(&self, spot: &Spot) -> Result<Option<u64>> {
        let (mut unread, mut file, mut offset) = (0, spot.file.clone(), spot.offset);
        loop {
            let Some(around) = self.around(&file)? else { return Ok(None) };
            if let Some(found) = self.open(&file)?.filter(|_| around.is_there) {
                let len = found.metadata().map_or(0, |found| found.len());
                unread += len.saturating_sub(offset);
            }
            match around.newer {
                Some(newer) => (file, offset) = (newer, 0),
                None => return Ok(Some(unread)),
            }
        }
    }

    fn nothing(&mut self, now: (Spot, u64, bool)) -> Result<Arrival> {
        self.last = Some(now);
        Ok(Arrival::Nothing)
    }

    fn place(&self, file: &str) -> Place {
        Place::file(self.folder.join(file).display().to_string())
    }

    /// The files around one; `None` if the inbox is not there.
    fn around(&self, file: &str) -> Result<Option<Around>> {
        let failed = |error| Error::io(self.folder.display(), "cannot read", error);
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(failed)?,
        };
        let mut around = Around { is_there: false, newer: None };
        let this = number_of(file);
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some((name, number)) =
                name.to_str().and_then(|name| Some((name, number_of(name)?)))
            else {
                continue;
            };
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let key = (Some(number), name);
            let newest = around.newer.as_deref().map(|newer| (number_of(newer), newer));
            if name == file {
                around.is_there = true;
            } else if key > (this, file) && newest.is_none_or(|newest| key < newest) {
                around.newer = Some(name.to_owned());
            }
        }
        Ok(Some(around))
    }

    /// Opens a file; `None` if it has gone meanwhile.
    fn open(&self, file: &str) -> Result<Option<File>> {
        if file.is_empty() {
            return Ok(None);
        }
        let path = self.folder.join(file);
        match open_no_follow(&path, OpenOptions::new().read(true)) {
            Ok(file) if file.metadata().is_ok_and(|found| found.is_file()) => Ok(Some(file)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(path.display(), "cannot open", error)),
        }
    }

    /// The place at an offset that is `lines` after another.
    fn spot(&self, from: &Spot, file: &File, offset: u64, lines: u64) -> io::Result<Spot> {
        let lines = from.lines + lines;
        Ok(Spot { file: from.file.clone(), offset, lines, before: before(file, offset)? })
    }

    /// Looks for the end of the line after a place from an offset on, or from where the last search for it
    /// ended.
    fn search(&mut self, spot: &Spot, file: &File, from: u64) -> io::Result<Option<u64>> {
        let (of, searched) = &mut self.searched;
        if of != spot {
            (*of, *searched) = (spot.clone(), from);
        }
        let mut bytes = Vec::new();
        while read_more(file, *searched, &mut bytes)? {
            if let Some(end) = memchr::memchr(b'\n', &bytes) {
                return Ok(Some(*searched + end as u64));
            }
            *searched += bytes.len() as u64;
            bytes.clear();
        }
        Ok(None)
    }
}

/// The number in the name of a file of an inbox, as in `00000001-20261128.jwe`; other files are none of
/// its business.
fn number_of(name: &str) -> Option<u64> {
    let (number, day) = name.strip_suffix(".jwe")?.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = number.len() == 8 || number.len() > 8 && !number.starts_with('0');
    (fits && day.len() == 8 && digits(number) && digits(day)).then(|| number.parse().ok())?
}

/// The end of the whole lines at the beginning of these bytes, up to one that is too long, if there are
/// any.
fn whole_lines(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    for feed in memchr::memchr_iter(b'\n', bytes) {
        if feed - end > MAX_SEALED_LINE {
            break;
        }
        end = feed + 1;
    }
    (end > 0).then_some(end)
}

/// Reads what follows the bytes from `offset` on; whether there was anything.
fn read_more(file: &File, offset: u64, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let old = bytes.len();
    bytes.resize(old + BLOCK, 0);
    let mut len = old;
    while len < bytes.len() {
        match file.read_at(&mut bytes[len..], offset + len as u64) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(len);
    Ok(len > old)
}

/// What [`Spot::before`] has for an offset.
fn before(file: &File, offset: u64) -> io::Result<[u8; 8]> {
    let len = offset.min(BEFORE);
    let mut bytes = vec![0; len as usize];
    match file.read_exact_at(&mut bytes, offset - len) {
        // It became shorter meanwhile.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(digest(&[])),
        read => read.map(|()| digest(&bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_form_are_files_of_an_inbox() {
        assert_eq!(number_of("00000012-20261128.jwe"), Some(12));
        assert_eq!(number_of("123456789-20261128.jwe"), Some(123_456_789));
        for other in [
            "12-20261128.jwe",
            "00000012.jwe",
            "00000012-20261128.jwe.gz",
            ".00000012-20261128.jwe",
            "000000012-20261128.jwe",
            "00000012-2026112.jwe",
            "+0000012-20261128.jwe",
            "monday.jwe",
            "",
        ] {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
