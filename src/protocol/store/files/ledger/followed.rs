//! How far an inbox was followed, in bytes.

use crate::protocol::store::files::arrivals::Spot;
use crate::protocol::store::files::paths::FileId;

/// How far an inbox was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The place up to which it was read.
    pub read: Spot,
    /// The output.
    pub output: FileId,
    /// The length of the output in bytes, with all that was opened up to that place.
    pub written: u64,
}

impl Followed {
    /// Appends this to the content of a record.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let Spot { file, offset, lines, before } = &self.read;
        bytes.extend(offset.to_le_bytes());
        bytes.extend(lines.to_le_bytes());
        bytes.extend(before);
        bytes.extend(self.output.to_bytes());
        bytes.extend(self.written.to_le_bytes());
        bytes.extend((file.len() as u16).to_le_bytes());
        bytes.extend(file.as_bytes());
    }

    /// Reads this from the beginning of bytes; returns what follows.
    pub(super) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let (lines, rest) = rest.split_first_chunk()?;
        let (before, rest) = rest.split_first_chunk()?;
        let (output, rest) = rest.split_first_chunk()?;
        let (written, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (file, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        let read = Spot {
            file: String::from_utf8(file.to_vec()).ok()?,
            offset: u64::from_le_bytes(*offset),
            lines: u64::from_le_bytes(*lines),
            before: *before,
        };
        let (output, written) = (FileId::from_bytes(*output), u64::from_le_bytes(*written));
        Some((Self { read, output, written }, rest))
    }
}
