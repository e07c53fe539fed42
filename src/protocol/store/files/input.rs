//! Inputs: files, stdin, and bytes in memory.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::paths::{FileId, is_dash};
use crate::protocol::model::{Error, Place, Result};
use crate::protocol::pipeline::{InputSize, Part};

/// Input from which orders are read.
pub struct Input {
    /// Name for messages: the path as given, or `stdin`.
    pub name: String,
    /// Size in bytes, if known in advance.
    pub size: Option<u64>,
    /// Identity of the file, to keep outputs away from it.
    pub id: Option<FileId>,
    /// Mode bits of a regular file.
    pub(super) mode: u32,
    /// Source of the bytes.
    pub reader: Box<dyn Read + Send>,
}

/// Most bytes that are looked at before an input is read.
const MAX_BEGINNING: usize = 64 << 10;

/// Fewest bytes that are waited for, unless a line or the input ends before.
const MIN_BEGINNING: usize = 32;

impl Input {
    /// What was read already, from somewhere else.
    pub fn memory(name: &str, bytes: Vec<u8>) -> Self {
        let (size, reader) = (Some(bytes.len() as u64), Box::new(Cursor::new(bytes)));
        Self { name: name.to_owned(), size, id: None, mode: 0, reader }
    }

    /// Opens a path; no path, or `-`, is stdin.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened or is a folder.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let (name, file) = match path.filter(|path| !is_dash(path)) {
            Some(path) => {
                let name = path.display().to_string();
                let file =
                    File::open(path).map_err(|error| Error::io(&name, "cannot open", error))?;
                (name, file)
            }
            None => {
                let name = "stdin".to_owned();
                let fd = rustix::stdio::stdin()
                    .try_clone_to_owned()
                    .map_err(|error| Error::io(&name, "cannot open", error))?;
                (name, File::from(fd))
            }
        };
        let metadata = file.metadata().map_err(|error| Error::io(&name, "cannot open", error))?;
        if metadata.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(Error::io(&name, "cannot read", error));
        }
        let size = metadata.is_file().then_some(metadata.len());
        let (id, mode) = (FileId::of(&file), metadata.mode() & 0o7777);
        Ok(Self { name, size, id, mode, reader: Box::new(file) })
    }

    /// Looks at the first bytes, which will be read again: of a pipe those that are there, so that a
    /// slow writer delays nothing, at most 64 KiB.
    ///
    /// # Errors
    /// [`Error::Io`], and those of `look`.
    pub fn look(&mut self, look: impl FnOnce(&[u8], &Place) -> Result<()>) -> Result<()> {
        let mut bytes = Zeroizing::new(vec![0; MAX_BEGINNING]);
        let mut count = 0;
        while count < MIN_BEGINNING && memchr::memchr(b'\n', &bytes[..count]).is_none() {
            match self.reader.read(&mut bytes[count..]) {
                Ok(0) => break,
                Ok(read) => count += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(&self.name, "cannot read", error)),
            }
        }
        bytes.truncate(count);
        look(&bytes, &self.place())?;
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(bytes).chain(rest));
        Ok(())
    }

    /// Measures the orders in a file without consuming any; `None` for a pipe.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn measure(path: Option<&Path>) -> Result<Option<InputSize>> {
        let input = match path.filter(|path| !is_dash(path)) {
            Some(path) => File::open(path),
            None => rustix::stdio::stdin().try_clone_to_owned().map(File::from),
        };
        let name = path.filter(|path| !is_dash(path)).map_or("stdin".into(), Path::to_string_lossy);
        let found = |error| Error::io(&name, "cannot read", error);
        let mut file = input.map_err(|error| Error::io(&name, "cannot open", error))?;
        match file.metadata().map_err(found)?.is_file() {
            true => measure_orders(&mut file, &Place::file(&*name)).map(Some).map_err(found),
            false => Ok(None),
        }
    }

    /// Place of the input, for messages.
    pub fn place(&self) -> Place {
        Place::file(&self.name)
    }
}

impl From<Input> for Part {
    fn from(input: Input) -> Self {
        Self { place: input.place(), reader: input.reader }
    }
}

/// Measures the lines of a file from its current position, which stays the same.
fn measure_orders(file: &mut File, place: &Place) -> io::Result<InputSize> {
    let mut expected =
        InputSize { orders: 0, bytes: 0, longest: 0, longest_at: place.at(1), files: Vec::new() };
    let mut at = file.stream_position()?;
    let (mut line, mut length) = (1, 0);
    let mut buffer = Zeroizing::new(vec![0; 256 << 10]);
    loop {
        let count = match file.read_at(&mut buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        for piece in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            length += piece.len() as u64 - u64::from(ends);
            expected.bytes += piece.len() as u64 - u64::from(ends);
            expected.orders += u64::from(length == piece.len() as u64 - u64::from(ends));
            if length > expected.longest {
                (expected.longest, expected.longest_at) = (length, place.at(line));
            }
            if ends {
                (line, length) = (line + 1, 0);
            }
        }
        if count == 0 {
            expected.files.push((place.clone(), expected.orders));
            return Ok(expected);
        }
        at += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_line_is_measured_with_the_last_one_and_those_that_are_longer_than_the_buffer() {
        let long = vec![b'x'; (256 << 10) + 7];
        for (text, sizes) in [
            (&b""[..], (0, 0, 0, 1)),
            (b"\n", (1, 0, 0, 1)),
            (b"a\nbbb\n\ncc", (4, 6, 3, 2)),
            (b"a\nbbb\n\ncc\n", (4, 6, 3, 2)),
            (
                &[&b"a\n"[..], &long, b"\nb\n"].concat(),
                (3, long.len() as u64 + 2, long.len() as u64, 2),
            ),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text).unwrap();
            file.rewind().unwrap();
            let place = Place::file("orders");
            let InputSize { orders, bytes, longest, longest_at, .. } =
                measure_orders(&mut file, &place).unwrap();
            let line = longest_at.line.unwrap();
            assert_eq!((orders, bytes, longest, line), sizes, "{:?}", &text[..text.len().min(20)]);
            assert_eq!(file.stream_position().unwrap(), 0);
        }
    }
}
