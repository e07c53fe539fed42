//! Overwrites files and keys, and reports exactly what was done.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};

use rand::Rng;

use super::beside::Swept;
use super::file_system::{Kept, file_system};
use super::journal::Journal;
use super::key_values::{self, Overwrite};
use super::locked::Locked;
use super::paths::random_number;
use crate::ciphers::random::{KeySource, SeededSource};
use crate::protocol::model::{Error, Kid, Misuse, Result, ShopName};
use crate::protocol::store::keyfile::{ClientBundle, KeyFile, KeySet};

/// Part of a file to erase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The whole file.
    File,
    /// All keys.
    Keys,
    /// The program.
    Programs,
    /// The keys with these names.
    Named(&'a [Kid]),
    /// A generation of a shop's keys.
    Generation(&'a ShopName),
}

/// Report on an erased file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The file's name.
    pub file: String,
    /// Bytes overwritten in place, synced, and read back.
    pub overwritten: u64,
    /// Bytes overwritten in files that killed processes had left beside it.
    pub leftover: u64,
    /// Whether keys were overwritten in place because the disk has no room for a new file.
    pub in_place: bool,
    /// Number of names that the file had.
    pub links: u64,
    /// Type of the file system, as in `ext4`.
    pub file_system: String,
    /// Where the file system itself keeps overwritten data.
    pub kept: Option<Kept>,
    /// Number of nodes that the trees of the file have left.
    pub nodes: u64,
    /// What is left of a key file, if there is one.
    pub left: Option<Left>,
}

/// What erasing left of a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Number of keys.
    pub keys: u64,
    /// Whether they seal or open nothing, because the program was erased.
    pub idle: bool,
}

/// What a selection removed from a key file.
struct Removed {
    /// The names of the keys.
    keys: BTreeSet<Kid>,
    /// Whether there was a program.
    program: bool,
    /// Derived keys.
    derived: RemovedDerived,
}

/// Derived keys that a selection removed from a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RemovedDerived {
    /// None of them.
    None,
    /// Some, so that other nodes take the place of those that were there.
    Some,
    /// All that the file had or could get back.
    All,
}

impl Selection<'_> {
    /// Removes the selected parts from a key file.
    fn apply(self, file: &mut dyn KeySet) -> Removed {
        let (program, before) = (file.has_program(), file.count_held());
        let keys = match self {
            Self::File => Vec::new(),
            Self::Keys => file.erase_all_keys(),
            Self::Programs => file.erase_program(),
            Self::Named(kids) => file.erase_named(kids),
            Self::Generation(name) => file.erase_generation(name),
        };
        let derived = match before - file.count_held() - keys.len() as u64 {
            0 => RemovedDerived::None,
            _ if file.trees().all(|(_, tree)| tree.count_held() == 0) => RemovedDerived::All,
            _ => RemovedDerived::Some,
        };
        Removed {
            keys: keys.into_iter().collect(),
            program: program && !file.has_program(),
            derived,
        }
    }
}

/// Error for a temporary file held by another process: it may contain keys that should be erased.
pub(super) fn in_the_way(name: &str) -> Error {
    Error::io(name, "cannot erase", io::Error::other("another process is writing this file"))
}

impl Locked {
    /// Erases the file.
    pub(super) fn erase(&self) -> Result<Erased> {
        self.refuse_held()?;
        let failed = |error| Error::io(&self.place, "cannot erase", error);
        // Steps that can fail without changing the file come first.
        let seed = random_number().map_err(failed)?;
        let name = self.put_aside().map_err(failed)?;
        let overwritten = overwrite(&self.file, seed);
        let report = overwritten.and_then(|bytes| self.report(bytes)).map_err(failed)?;
        self.unlink(&name).map_err(|error| {
            Error::io(&self.place, "overwritten and emptied, but not removed", error)
        })?;
        Journal::remove(&self.path).map_err(|error| {
            Error::io(&self.place, "erased, but its journal is not removed", error)
        })?;
        Ok(report)
    }

    /// Removes the selected parts from a key file, makes another change if it is a client's, and
    /// erases the file that it replaces.
    pub(super) fn rewrite_and_erase(
        &mut self,
        selection: Selection<'_>,
        change: impl FnOnce(&mut ClientBundle),
    ) -> Result<Erased> {
        self.refuse_held()?;
        let mut file = self.read()?;
        let Some(set) = file.as_set() else {
            return Err(Misuse::LoneKeyIsWhole(self.place.to_string()).into());
        };
        let removed = selection.apply(set);
        match &mut file {
            KeyFile::Client(client) => change(client),
            KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_) => {}
        }
        let nodes = file.holder().trees().map(|(_, tree)| tree.part().nodes().len() as u64).sum();
        let left = Left { keys: file.holder().count_held(), idle: file.is_idle() };
        let seed =
            random_number().map_err(|error| Error::io(&self.place, "cannot erase", error))?;
        let erased = match self.replace(&file) {
            Err(error) if is_full(&error) => self.strike_out(&removed, error),
            replaced => replaced.and_then(|old| {
                let overwritten = old.has_no_other_name().and_then(|()| overwrite(&old.file, seed));
                old.unlink()?;
                self.report(overwritten?)
            }),
        };
        erased
            .map(|erased| Erased { nodes, left: Some(left), ..erased })
            .map_err(|error| Error::io(&self.place, "cannot erase", error))
    }

    /// Overwrites the selected keys in place, if the disk has no room for a new file. If the power
    /// fails at any point, the file can be read, and the keys count as erased.
    fn strike_out(&self, selected: &Removed, full: io::Error) -> io::Result<Erased> {
        let (_, older) = file_system(&self.file);
        // Overwriting in place does not work on file systems that keep the old data, for parts that
        // are not keys, or for nodes in whose place others have to be written.
        // The journal of a bundle tells its keys by their numbers.
        let stays = selected.program || self.journal.is_some();
        if older.is_some() || stays || selected.derived == RemovedDerived::Some {
            return Err(full);
        }
        let all_nodes = selected.derived == RemovedDerived::All;
        let is_chosen = |kid: &str| selected.keys.contains(kid);
        // Allocate all memory for the keys at once: a growing buffer would leave copies.
        let len = self.file.metadata()?.len() as usize;
        let mut text = zeroize::Zeroizing::new(vec![0; len]);
        self.file.read_exact_at(&mut text, 0)?;
        let values = key_values::values_of(&text, is_chosen, all_nodes).ok_or(full)?;
        for Overwrite { range, with } in &values {
            text[range.clone()].fill(*with);
            self.file.write_all_at(&text[range.clone()], range.start as u64)?;
        }
        self.file.sync_all()?;
        let mut again = zeroize::Zeroizing::new(vec![0; len]);
        self.file.read_exact_at(&mut again, 0)?;
        if again != text {
            return Err(not_as_written());
        }
        let overwritten = values.iter().map(|value| value.range.len() as u64).sum();
        Ok(Erased { in_place: true, ..self.report(overwritten)? })
    }

    /// Refuses to erase while another process holds a file that may contain the same keys.
    fn refuse_held(&self) -> Result<()> {
        match self.swept {
            Swept::Owned => Err(in_the_way(&self.place.file)),
            Swept::Nothing | Swept::Leftover(_) => Ok(()),
        }
    }

    fn report(&self, overwritten: u64) -> io::Result<Erased> {
        let (file_system, kept) = file_system(&self.file);
        Ok(Erased {
            file: self.place.file.clone(),
            overwritten,
            leftover: match self.swept {
                Swept::Leftover(bytes) => bytes,
                Swept::Nothing | Swept::Owned => 0,
            },
            in_place: false,
            links: self.file.metadata()?.nlink().max(1),
            file_system,
            kept,
            nodes: 0,
            left: None,
        })
    }
}

/// Whether the disk or the user's quota is full.
fn is_full(error: &io::Error) -> bool {
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&error.kind())
}

fn not_as_written() -> io::Error {
    io::Error::other("the data read back differs from the data written")
}

/// Overwrites a file with bytes derived from `seed`, syncs it, and reads it back; returns its
/// length in bytes.
fn overwrite(file: &File, seed: u64) -> io::Result<u64> {
    let len = file.metadata()?.len();
    for_each_chunk(file, len, |mut file, chunk, index| {
        fill(chunk, seed, index);
        file.write_all(chunk)
    })?;
    file.sync_all()?;
    for_each_chunk(file, len, |mut file, chunk, index| {
        let mut expected = vec![0; chunk.len()];
        fill(&mut expected, seed, index);
        file.read_exact(chunk)?;
        if *chunk == expected[..] { Ok(()) } else { Err(not_as_written()) }
    })?;
    Ok(len)
}

/// Generates the pattern written over a file: not secret, only different from the old content.
fn fill(chunk: &mut [u8], seed: u64, index: u64) {
    SeededSource::new(seed).stream(index).fill_bytes(chunk);
}

fn for_each_chunk(
    mut file: &File,
    len: u64,
    mut action: impl FnMut(&File, &mut [u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    file.seek(SeekFrom::Start(0))?;
    let mut done = 0;
    while done < len {
        let now = (len - done).min(buffer.len() as u64);
        action(file, &mut buffer[..now as usize], done)?;
        done += now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overwriting_reaches_the_bytes_of_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        assert_eq!(overwrite(&file, 1).unwrap(), 100_000);
        let after = std::fs::read(&path).unwrap();
        assert_eq!(after.len(), 100_000);
        assert!(!after.windows(8).any(|window| window == [7; 8]));
    }

    #[test]
    fn a_file_that_does_not_take_what_is_written_over_it_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        // Everything written to it is appended.
        let file = File::options().read(true).append(true).open(&path).unwrap();
        assert!(overwrite(&file, 1).is_err());
    }
}
