//! The records of a journal, chained by their check values. Each is on the disk before the next is
//! written, so that after a crash only the last one can be incomplete.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;

use sha2::{Digest, Sha256};

use super::header::{Check, half};
use crate::ciphers::cut::part;

pub(super) const RECORD_LEN: usize = 64;
/// Length of a record without its check value.
const BODY_LEN: usize = 32;
/// Number of zero bytes at its end by which a record is known that was not written completely.
const ZEROS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// The ids of these keys are spent. Where the key after them begins, if that is known.
    Reserve { keys: Range<u64>, end: Option<u64> },
    /// The ids of these keys were not used.
    Return { keys: Range<u64> },
    /// The bundle was read whole.
    Read(ReadWhole),
}

/// A bundle's file that was read whole, and found sound and laid out as this program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol::store::files) struct ReadWhole {
    pub file: FileState,
    /// Where the list of its keys ends.
    pub keys_end: u64,
}

/// A file as it is until somebody changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol::store::files) struct FileState(pub [u8; 16]);

impl FileState {
    /// The state of an open file.
    pub fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        let mut hash = Sha256::new();
        let numbers = [found.dev(), found.ino(), found.len()].into_iter();
        for number in numbers.chain(times.map(i64::cast_unsigned)) {
            hash.update(number.to_le_bytes());
        }
        Ok(Self(half(hash)))
    }
}

/// What follows the sound records at the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    Sound,
    /// A record that was not written completely; nobody relied on it.
    Torn,
    /// Something that a crash does not leave.
    Damaged,
}

impl Record {
    /// The record's bytes after one with this check value, and its own check value.
    pub fn to_bytes(&self, before: Check) -> ([u8; RECORD_LEN], Check) {
        let mut bytes = [0; RECORD_LEN];
        let (kind, numbers) = match self {
            Self::Reserve { keys, end } => (1, [keys.start, keys.end, end.unwrap_or(0)]),
            Self::Return { keys } => (2, [keys.start, keys.end, 0]),
            Self::Read(ReadWhole { file: FileState(state), keys_end }) => {
                let state = u128::from_le_bytes(*state);
                (3, [state as u64, (state >> 64) as u64, *keys_end])
            }
        };
        bytes[0] = kind;
        for (field, number) in bytes[8..].chunks_mut(8).zip(numbers) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        let check = check(before, &bytes);
        bytes[BODY_LEN..].copy_from_slice(&check);
        (bytes, check)
    }

    /// The record in these bytes, whose check value is right.
    fn parse(bytes: &[u8; RECORD_LEN]) -> Option<Self> {
        let [from, to, at] =
            [part::<8, 8, _>(bytes), part::<16, 8, _>(bytes), part::<24, 8, _>(bytes)]
                .map(|number| u64::from_le_bytes(*number));
        match bytes[0] {
            1 => Some(Self::Reserve { keys: from..to, end: (at != 0).then_some(at) }),
            2 => Some(Self::Return { keys: from..to }),
            3 => {
                let state = u128::from(from) | u128::from(to) << 64;
                let file = FileState(state.to_le_bytes());
                Some(Self::Read(ReadWhole { file, keys_end: at }))
            }
            _ => None,
        }
    }
}

/// Reads the records that follow a check value: the sound ones, each with its own, and what comes after
/// them.
pub(super) fn read(bytes: &[u8], mut before: Check) -> (Vec<(Record, Check)>, Tail) {
    let (whole, rest) = bytes.as_chunks::<RECORD_LEN>();
    let mut records = Vec::with_capacity(whole.len());
    for (index, bytes) in whole.iter().enumerate() {
        let own = check(before, bytes);
        let is_sound = bytes[BODY_LEN..] == own;
        match Record::parse(bytes).filter(|_| is_sound) {
            Some(record) => records.push((record, own)),
            None => {
                let is_last = index + 1 == whole.len() && rest.is_empty();
                let is_torn = !is_sound && bytes.ends_with(&[0; ZEROS]);
                let tail = if is_last && is_torn { Tail::Torn } else { Tail::Damaged };
                return (records, tail);
            }
        }
        before = own;
    }
    (records, if rest.is_empty() { Tail::Sound } else { Tail::Torn })
}

fn check(before: Check, bytes: &[u8; RECORD_LEN]) -> Check {
    Sha256::new().chain_update(before).chain_update(&bytes[..BODY_LEN]).finalize().into()
}
