//! A file without a name, for what must be read twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;

use super::paths::random_number;
use super::temporary::unnamed;
use crate::protocol::model::{Error, Result};

/// Bytes that are collected before they are written.
const BUFFER: usize = 256 << 10;

/// A file for this user alone without a name, in the folder for temporary files: it is gone when nothing
/// uses it any more.
#[derive(Debug)]
pub struct Spool {
    file: Arc<File>,
    /// Length of what was written to the file.
    written: u64,
    /// What is still to be written.
    buffer: Vec<u8>,
}

impl Spool {
    /// Creates an empty file.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder for temporary files cannot be written to.
    pub fn new() -> Result<Self> {
        let file = without_name().map_err(failed)?;
        Ok(Self { file: Arc::new(file), written: 0, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Number of bytes in it.
    pub fn bytes(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        match self.buffer.len() < BUFFER {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Cuts off what was added after the first `len` bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn cut(&mut self, len: u64) -> Result<()> {
        self.flush()?;
        self.file.set_len(len).map_err(failed)?;
        self.written = len;
        Ok(())
    }

    /// Reads a part of it. Nothing may be cut off or added before its end meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn reader(&mut self, part: Range<u64>) -> Result<Box<dyn Read + Send>> {
        self.flush()?;
        Ok(Box::new(Reader { file: Arc::clone(&self.file), part }))
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all_at(&self.buffer, self.written).map_err(failed)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

struct Reader {
    file: Arc<File>,
    /// What is left to be read.
    part: Range<u64>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.part.end - self.part.start).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let read = self.file.read_at(&mut buffer[..wanted], self.part.start)?;
        self.part.start += read as u64;
        Ok(read)
    }
}

fn without_name() -> io::Result<File> {
    if let Some(file) = unnamed(&std::env::temp_dir(), 0o600)? {
        return Ok(file);
    }
    let path = std::env::temp_dir().join(format!("orderseal-{:016x}", random_number()?));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn failed(error: io::Error) -> Error {
    Error::io(std::env::temp_dir().display(), "cannot keep a file in it", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_were_written_and_not_what_was_cut_off() {
        let mut spool = Spool::new().unwrap();
        let long = vec![b'x'; BUFFER + 1];
        spool.write(b"one").unwrap();
        spool.write(&long).unwrap();
        spool.cut(3).unwrap();
        assert_eq!(spool.bytes(), 3);
        spool.write(b"two").unwrap();
        spool.write(&long).unwrap();
        let mut read = |part| {
            let mut bytes = Vec::new();
            spool.reader(part).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(read(0..6), b"onetwo");
        assert_eq!(read(1..4), b"net");
        assert_eq!(read(6..6 + long.len() as u64), long);
        assert_eq!(read(2..2), b"");
    }
}
