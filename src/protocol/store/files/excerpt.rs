//! Some of the keys in a bundle's file, without reading the others. This works only with a file as this
//! program writes it: each key is on a line of its own.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use zeroize::Zeroizing;

use crate::ciphers::Wiped;
use crate::protocol::store::keyfile::{AROUND_KEYS, MAX_KEY_FILE};

/// The text of a key file with some of the keys in another.
pub(super) struct Excerpt<'f> {
    file: &'f File,
    text: Wiped,
}

impl<'f> Excerpt<'f> {
    /// An excerpt without keys.
    pub fn of(file: &'f File) -> Self {
        Self { file, text: Wiped::from(AROUND_KEYS.0.to_vec()) }
    }

    /// Where the first key begins.
    pub const FIRST: (u64, u64) = (0, AROUND_KEYS.0.len() as u64 + 1);

    /// Adds the keys with these numbers; a key that does not come after them begins at the noted place.
    /// Returns where the key after them begins, if the file has so many lines.
    pub fn add(&mut self, keys: &Range<u64>, noted: (u64, u64)) -> io::Result<Option<u64>> {
        let (mut key, mut at) = noted;
        let mut buffer = Zeroizing::new(vec![0; 64 << 10]);
        self.text.write_all(if self.text.len() == AROUND_KEYS.0.len() { b"\n" } else { b",\n" })?;
        while key < keys.end {
            let read = self.file.read_at(&mut buffer, at)?;
            if read == 0 {
                return Ok(None);
            }
            let mut from = 0;
            while from < read && key < keys.end {
                let line_end = memchr::memchr(b'\n', &buffer[from..read]);
                let to = line_end.map_or(read, |end| from + end + 1);
                if keys.start <= key {
                    self.text.write_all(&buffer[from..to])?;
                }
                key += u64::from(line_end.is_some());
                from = to;
            }
            at += from as u64;
        }
        let line = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        let len = line.strip_suffix(b",").unwrap_or(line).len();
        self.text.truncate(len);
        Ok(Some(at))
    }

    /// Adds all that follows the keys, whose list ends at this byte.
    pub fn finish(mut self, keys_end: u64) -> io::Result<Wiped> {
        self.text.write_all(b"\n")?;
        let len = self.file.metadata()?.len().saturating_sub(keys_end).min(MAX_KEY_FILE);
        let mut rest = Zeroizing::new(vec![0; len as usize]);
        self.file.read_exact_at(&mut rest, keys_end)?;
        self.text.write_all(&rest)?;
        Ok(self.text)
    }
}
