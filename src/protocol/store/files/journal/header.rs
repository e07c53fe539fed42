//! The header of a journal: its number, and the names of the keys in its bundle.

use sha2::{Digest, Sha256};

use crate::ciphers::cut::part;
use crate::protocol::model::{JOURNAL_MAGIC, JournalFault, Kid};
use crate::protocol::store::FileNumber;

/// The check value of the header, or of a record.
pub(super) type Check = [u8; 32];

const VERSION: u32 = 1;
pub(super) const HEADER_LEN: usize = 128;
/// Length of the header without its check value.
const CHECKED_LEN: usize = 96;

/// The names of a bundle's keys, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol::store::files) struct Names {
    pub count: u64,
    pub(super) hash: [u8; 16],
    /// Parts of the hashes of the first and the last name.
    pub(super) ends: [[u8; 8]; 2],
}

impl Names {
    /// The names of keys that all have one.
    pub fn of<'k>(names: impl Iterator<Item = &'k Kid>) -> Self {
        let (mut count, mut hash, mut ends) = (0, Sha256::new(), None);
        for name in names {
            hash.update(name.as_str());
            hash.update(b"\n");
            count += 1;
            let (first, _) = ends.unwrap_or((name, name));
            ends = Some((first, name));
        }
        let end = |name: &Kid| *part::<0, _, 32>(&Sha256::digest(name.as_str()).into());
        let ends = ends.map_or([[0; 8]; 2], |(first, last)| [end(first), end(last)]);
        Self { count, hash: half(hash), ends }
    }

    /// Whether both may be the names of one bundle, of which keys were erased in between.
    pub fn are_related(&self, other: &Self) -> bool {
        self.ends.iter().zip(other.ends).any(|(own, other)| *own == other)
    }
}

/// Half of a hash.
pub(super) fn half(hash: Sha256) -> [u8; 16] {
    *part::<0, _, 32>(&hash.finalize().into())
}

/// The header in bytes, and its check value.
pub(super) fn header(number: FileNumber, names: Names) -> ([u8; HEADER_LEN], Check) {
    let mut header = [0; HEADER_LEN];
    header[..16].copy_from_slice(JOURNAL_MAGIC);
    header[16..20].copy_from_slice(&VERSION.to_le_bytes());
    header[24..40].copy_from_slice(&number.0);
    header[40..48].copy_from_slice(&names.count.to_le_bytes());
    header[48..64].copy_from_slice(&names.hash);
    header[64..80].copy_from_slice(names.ends.as_flattened());
    let check: Check = Sha256::digest(&header[..CHECKED_LEN]).into();
    header[CHECKED_LEN..].copy_from_slice(&check);
    (header, check)
}

/// Reads the header at the start of a journal.
pub(super) fn parse(bytes: &[u8]) -> Result<(FileNumber, Names, Check), JournalFault> {
    if !bytes.starts_with(JOURNAL_MAGIC) {
        return Err(JournalFault::NotOne);
    }
    let damaged = JournalFault::Damaged { part: "header", at: 0 };
    let found: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(damaged.clone())?;
    let version = u32::from_le_bytes(*part::<16, _, _>(found));
    if version != VERSION {
        return Err(JournalFault::Version(version));
    }
    let number = FileNumber(*part::<24, _, _>(found));
    let count = u64::from_le_bytes(*part::<40, _, _>(found));
    let ends = [*part::<64, _, _>(found), *part::<72, _, _>(found)];
    let names = Names { count, hash: *part::<48, _, _>(found), ends };
    let (expected, check) = header(number, names);
    match *found == expected {
        true => Ok((number, names, check)),
        false => Err(damaged),
    }
}
