//! The growing part of a ledger: records after the snapshot, each synced before the next is written.
//!
//! Only the last record can be incomplete after a crash, because each is on the disk before the next
//! is written. If a record is damaged and a sound one follows, the file was damaged in another way.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};

use super::followed::Followed;
use super::runs;
use super::snapshot::{ALIGNMENT, Identity, u64_at};
use crate::protocol::model::{Error, LedgerFault, Place, Result};
use crate::protocol::store::files::arrivals::InboxId;
use crate::protocol::store::uses::Use;

const HEADER_LEN: usize = 64;

/// Most uses in a record.
pub(super) const MOST_USES: usize = 1 << 22;

/// The way on which opened orders leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Route {
    /// Into a file that appears whole or not at all.
    File,
    /// Into a pipe, or anything else that shows at once what is written.
    Pipe,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// Orders that are about to be handed on; in ascending order of their slots.
    Opening { run: u64, route: Route, uses: Vec<Use> },
    /// All that a run opened was handed on.
    Done { run: u64 },
    /// Orders that were appended to the output of an inbox, in ascending order of their slots, and how
    /// far the inbox was followed with them.
    Followed { inbox: InboxId, followed: Followed, uses: Vec<Use> },
}

impl Record {
    fn kind(&self) -> u8 {
        match self {
            Self::Opening { .. } => 1,
            Self::Done { .. } => 2,
            Self::Followed { .. } => 3,
        }
    }

    fn content(&self) -> Vec<u8> {
        match self {
            Self::Done { run } => run.to_le_bytes().to_vec(),
            Self::Opening { run, route, uses } => {
                let mut bytes = Vec::with_capacity(32 + 18 * uses.len());
                bytes.extend(run.to_le_bytes());
                bytes.push(match route {
                    Route::File => 0,
                    Route::Pipe => 1,
                });
                put_uses(uses, &mut bytes);
                bytes
            }
            Self::Followed { inbox, followed, uses } => {
                let mut bytes = Vec::with_capacity(128 + 18 * uses.len());
                bytes.extend(inbox.0);
                followed.put(&mut bytes);
                put_uses(uses, &mut bytes);
                bytes
            }
        }
    }

    fn parse(kind: u8, content: &[u8]) -> Option<Self> {
        match kind {
            1 => {
                let (run, rest) = content.split_first_chunk()?;
                let run = u64::from_le_bytes(*run);
                let (&route, rest) = rest.split_first()?;
                let route = match route {
                    0 => Route::File,
                    1 => Route::Pipe,
                    _ => return None,
                };
                Some(Self::Opening { run, route, uses: uses(rest)? })
            }
            2 => {
                let (run, rest) = content.split_first_chunk()?;
                rest.is_empty().then_some(Self::Done { run: u64::from_le_bytes(*run) })
            }
            3 => {
                let (inbox, rest) = content.split_first_chunk()?;
                let (followed, rest) = Followed::parse(rest)?;
                Some(Self::Followed { inbox: InboxId(*inbox), followed, uses: uses(rest)? })
            }
            _ => None,
        }
    }

    /// The record in bytes, for this offset.
    fn to_bytes(&self, of: Identity, at: u64) -> Vec<u8> {
        let content = self.content();
        let mut header = [0; HEADER_LEN];
        header[0] = self.kind();
        header[8..16].copy_from_slice(&(content.len() as u64).to_le_bytes());
        header[16..24].copy_from_slice(&at.to_le_bytes());
        header[24..32].copy_from_slice(&of.generation.to_le_bytes());
        let check = check(of, &header, &content);
        header[32..].copy_from_slice(&check);
        let mut bytes = [&header[..], &content].concat();
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT as usize), 0);
        bytes
    }

    /// Writes the record at the end of the file, and syncs it; returns the new end. Room for
    /// `reserved` more bytes is taken as well, so that a record of that length cannot fail for lack of
    /// it.
    pub fn append(&self, file: &File, of: Identity, at: u64, reserved: u64) -> io::Result<u64> {
        let bytes = self.to_bytes(of, at);
        let end = at + bytes.len() as u64;
        file.write_all_at(&bytes, at)?;
        if reserved > 0 {
            reserve(file, end, reserved)?;
        }
        file.sync_data()?;
        Ok(end)
    }
}

/// Appends uses to the content of a record.
fn put_uses(uses: &[Use], bytes: &mut Vec<u8>) {
    bytes.extend((uses.len() as u32).to_le_bytes());
    let slots: Vec<u128> = uses.iter().map(|used| used.slot).collect();
    runs::encode(&slots, bytes);
    bytes.extend(uses.iter().flat_map(|used| used.mark.to_be_bytes()));
}

/// The uses at the end of a record.
fn uses(bytes: &[u8]) -> Option<Vec<Use>> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = u32::from_le_bytes(*count);
    let (slots, marks) = runs::decode(rest, count)?;
    let (marks, []) = marks.as_chunks() else { return None };
    let marks = marks.iter().copied().map(u128::from_be_bytes);
    let uses = runs::numbers(&slots).zip(marks).map(|(slot, mark)| Use { slot, mark });
    let uses: Vec<Use> = uses.collect();
    (uses.len() as u32 == count).then_some(uses)
}

/// Length in bytes of a record [`Done`](Record::Done).
pub(super) const DONE_LEN: u64 = 128;

/// Takes room on the disk after the end of a file, if system and file system can.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn reserve(file: &File, at: u64, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::KEEP_SIZE, at, len) {
        Err(full @ (Errno::NOSPC | Errno::DQUOT)) => Err(full.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn reserve(_: &File, _: u64, _: u64) -> io::Result<()> {
    Ok(())
}

/// What is done with an incomplete record at the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// It is cut off.
    Cut,
    /// It is passed over.
    Left,
}

/// Reads all records; returns them and where the last one ends.
///
/// # Errors
/// [`Error::Malformed`] if the file is damaged in another way, and [`Error::Io`].
pub(super) fn read(
    file: &File,
    of: Identity,
    from: u64,
    tail: Tail,
    place: &Place,
) -> Result<(Vec<Record>, u64)> {
    let failed = |error| Error::io(place, "cannot read", error);
    let end = file.metadata().map_err(failed)?.len();
    let mut bytes = vec![0; end.saturating_sub(from) as usize];
    file.read_exact_at(&mut bytes, from).map_err(failed)?;
    let mut records = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match record_at(&bytes, from, at, of) {
            Some((record, next)) => {
                let damaged = LedgerFault::Damaged { part: "record", at: from + at as u64 };
                records.push(record.ok_or_else(|| Error::malformed(place, damaged))?);
                at = next;
            }
            None => {
                let later = (at..bytes.len()).step_by(ALIGNMENT as usize).skip(1);
                for other in later {
                    if record_at(&bytes, from, other, of).is_some() {
                        let damaged = LedgerFault::Damaged { part: "record", at: from + at as u64 };
                        return Err(Error::malformed(place, damaged));
                    }
                }
                let cut = match tail {
                    Tail::Cut => file.set_len(from + at as u64).and_then(|()| file.sync_all()),
                    Tail::Left => Ok(()),
                };
                cut.map_err(|error| Error::io(place, "cannot cut an incomplete record", error))?;
                break;
            }
        }
    }
    Ok((records, from + at as u64))
}

/// The record at an index of these bytes, if its check value is right, and the index after it. The
/// record is `None` if its content makes no sense.
fn record_at(bytes: &[u8], from: u64, at: usize, of: Identity) -> Option<(Option<Record>, usize)> {
    let header: &[u8; HEADER_LEN] = bytes.get(at..)?.first_chunk()?;
    if u64_at::<16, _>(header) != from + at as u64 || u64_at::<24, _>(header) != of.generation {
        return None;
    }
    let begin = at + HEADER_LEN;
    let end = begin.checked_add(usize::try_from(u64_at::<8, _>(header)).ok()?)?;
    let content = bytes.get(begin..end)?;
    if header[32..] != check(of, header, content) {
        return None;
    }
    // The zeros after it do not matter: a file may end before them.
    let next = end.next_multiple_of(ALIGNMENT as usize);
    Some((Record::parse(header[0], content), next))
}

fn check(of: Identity, header: &[u8; HEADER_LEN], content: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(of.number.0).chain_update(&header[..32]);
    hash.chain_update(content).finalize().into()
}
