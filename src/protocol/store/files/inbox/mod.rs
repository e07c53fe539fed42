//! The inbox of a shop's server: a folder of files of sealed lines, and beside it the index of what was
//! kept.
//!
//! A group of posts is kept by one write and one sync of the inbox; only then are they acknowledged. The
//! index is not synced each time: it says up to where the inbox is in it, and what comes after that is
//! entered again when the inbox is opened. So the inbox alone decides what was kept.
//!
//! Files only grow, and each process begins new ones: those who read them may do so at any time. A line that
//! was written in part was never acknowledged. When the inbox is opened the next time, it is ended in a way
//! that makes it malformed. After a write or a sync that failed, nobody knows what is on the disk: nothing
//! more is kept until the inbox is opened again, which writes the end of its files once more before it
//! trusts them.

mod folder;
mod index;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use folder::FileName;
use index::{Entry, Index, Position, Tables};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::paths::{FileId, folder_of, open_no_follow, sync_folder};
use crate::protocol::jose::batch::{Hash, hash_of_line};
use crate::protocol::jose::jwe::kid_of_posted;
use crate::protocol::jose::ticket::KeyUse;
use crate::protocol::model::{Error, Kid, Place, Result, Time};

/// Length of a file in bytes above which the next one begins.
const MOST: u64 = 64 << 20;

/// What ends a line that was written in part.
const TORN: &[u8] = b"!\n";

/// Number of bytes kept after which the index is synced.
const UNSYNCED: u64 = 16 << 20;

/// A line that was posted, whose form and ticket were checked.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line without its end.
    pub text: Vec<u8>,
    /// SHA-256 of it.
    pub hash: Hash,
    /// The key that it names.
    pub kid: Kid,
    /// How often its ticket allows orders under that key.
    pub uses: KeyUse,
}

/// What somebody posted.
#[derive(Debug, Clone)]
pub struct Post {
    /// The lines.
    pub lines: Vec<Line>,
    /// Whether the ticket has expired: lines that are known are still known, and others are not kept.
    pub expired: bool,
}

/// What became of the lines of a post. All of them are kept, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// They are in the inbox.
    Kept {
        /// Number of lines that are new.
        new: u64,
        /// Number of lines that were there before.
        known: u64,
    },
    /// Another order was kept before under the key of this line, counted from 0.
    Taken(usize),
    /// The ticket has expired, and some of the lines are new.
    Expired,
}

/// An inbox, open for this process alone.
#[derive(Debug)]
pub struct Inbox {
    place: Place,
    files: Files,
    index: Index,
    /// Number of bytes kept since the index was synced.
    unsynced: u64,
    /// Whether it is unknown what is on the disk, or in the index.
    broken: bool,
}

/// The files of an inbox.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    /// The folder, locked for this process.
    _locked: File,
    /// The one that grows.
    current: Option<Current>,
    /// Number of the last one.
    last: u64,
}

#[derive(Debug)]
struct Current {
    file: File,
    id: Option<FileId>,
    name: FileName,
    len: u64,
}

impl Inbox {
    /// Opens the inbox in a folder, which is created if there is none.
    ///
    /// # Errors
    /// [`Error::Io`], also if another process has it.
    pub fn open(folder: &Path, now: Time) -> Result<Self> {
        let place = Place::file(folder.display().to_string());
        let opened = create(folder).and_then(|()| {
            let locked = lock(folder)?;
            let index = Index::open(&index_path(folder), now)?;
            let files = Files::open(folder, locked, &index, now)?;
            Ok((index, files))
        });
        let (index, files) = opened.map_err(|error| Error::io(&place, "cannot open", error))?;
        Ok(Self { place, files, index, unsynced: 0, broken: false })
    }

    /// Keeps what was posted. When this returns, it is synced.
    ///
    /// # Errors
    /// [`Error::Io`]; then nothing of it counts as kept, and may be posted again.
    pub fn keep(&mut self, posts: &[&Post], now: Time) -> Result<Vec<Posted>> {
        let kept = self.try_keep(posts, now);
        kept.map_err(|error| Error::io(&self.place, "cannot keep orders in it", error))
    }

    /// Whether nothing more can be kept until the inbox is opened again.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    fn try_keep(&mut self, posts: &[&Post], now: Time) -> io::Result<Vec<Posted>> {
        if self.broken {
            return Err(io::Error::other("an earlier write failed in a way that cannot be undone"));
        }
        let Self { files, index, unsynced, broken, .. } = self;
        let mut appended = 0;
        let kept = index.write(now, |tables| {
            let (mut text, mut results) = (Vec::new(), Vec::with_capacity(posts.len()));
            for post in posts {
                results.push(enter(tables, post, &mut text)?);
            }
            if text.is_empty() {
                return Ok((results, None));
            }
            appended = text.len() as u64;
            let position = files.append(&text, now)?;
            Ok((results, Some(position)))
        });
        // Some of the lines may be in the inbox and not in the index.
        *broken |= appended > 0 && kept.is_err();
        *unsynced += appended;
        if *unsynced >= UNSYNCED {
            *unsynced = 0;
            *broken |= index.sync().is_err();
        }
        kept
    }
}

impl Files {
    /// Finds the files of an inbox, and enters into the index what they have after the recorded position.
    fn open(folder: &Path, locked: File, index: &Index, now: Time) -> io::Result<Self> {
        let known = index.position()?;
        let names = folder::names(folder)?;
        let last = names.last().map_or(0, |newest| newest.number).max(known.file);
        for name in names.iter().filter(|name| name.number >= known.file) {
            let from = if name.number == known.file { known.offset } else { 0 };
            enter_again(&folder.join(name.to_string()), name.number, from, index, now)?;
        }
        index.sync()?;
        Ok(Self { folder: folder.to_owned(), _locked: locked, current: None, last })
    }

    /// Appends whole lines and syncs them; returns where they end.
    fn append(&mut self, text: &[u8], now: Time) -> io::Result<Position> {
        let goes_on = |current: &Current| {
            let path = self.folder.join(current.name.to_string());
            current.name.is_of(now) && current.len < MOST && FileId::at(&path) == current.id
        };
        let current = match self.current.take().filter(goes_on) {
            Some(current) => current,
            None => {
                let name = FileName { number: self.last + 1, day: folder::day(now) };
                self.last = name.number;
                let path = self.folder.join(name.to_string());
                let mut options = OpenOptions::new();
                let file = options.append(true).create_new(true).mode(0o600).open(path)?;
                sync_folder(&self.folder)?;
                Current { id: FileId::of(&file), file, name, len: 0 }
            }
        };
        let current = self.current.insert(current);
        let mut file = &current.file;
        file.write_all(text)?;
        file.sync_data()?;
        current.len += text.len() as u64;
        let synced = current.len == text.len() as u64;
        Ok(Position { file: current.name.number, offset: current.len, synced })
    }
}

/// Enters the lines of a file from an offset on, when they are on the disk for certain.
fn enter_again(path: &Path, number: u64, from: u64, index: &Index, now: Time) -> io::Result<()> {
    let file = open_no_follow(path, OpenOptions::new().read(true).write(true))?;
    let len = file.metadata()?.len();
    if len < from {
        return Err(io::Error::other(format!(
            "{} is shorter than it was: bring it back, or remove the index, which is made anew",
            path.display()
        )));
    }
    let mut text = vec![0; usize::try_from(len - from).map_err(io::Error::other)?];
    file.read_exact_at(&mut text, from)?;
    if text.last().is_some_and(|last| *last != b'\n') {
        // A part of a line may have the form of a line; so that it is none, and uses no id up:
        text.extend_from_slice(TORN);
    }
    // What is read may be in memory alone, after a sync that failed.
    file.write_all_at(&text, from)?;
    file.sync_all()?;
    index.write(now, |tables| {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let hash = hash_of_line(line);
            if let Ok(kid) = kid_of_posted(line) {
                // The line does not say how often its key may be used; neither entry harms the other.
                for uses in [KeyUse::Once, KeyUse::Again] {
                    tables.enter(&Entry::of(&kid, &hash, uses), &hash)?;
                }
            }
        }
        let offset = from + text.len() as u64;
        Ok(((), Some(Position { file: number, offset, synced: true })))
    })
}

/// Enters the lines of a post, and adds those that are new to `text`.
fn enter(tables: &mut Tables<'_>, post: &Post, text: &mut Vec<u8>) -> io::Result<Posted> {
    let (before, mut new, mut entered) = (text.len(), 0, Vec::new());
    for (number, line) in post.lines.iter().enumerate() {
        let entry = Entry::of(&line.kid, &line.hash, line.uses);
        let refused = match tables.enter(&entry, &line.hash)? {
            None if post.expired => {
                entered.push(entry);
                Posted::Expired
            }
            None => {
                entered.push(entry);
                new += 1;
                text.extend_from_slice(&line.text);
                text.push(b'\n');
                continue;
            }
            Some(known) if known == line.hash => continue,
            Some(_) => Posted::Taken(number),
        };
        text.truncate(before);
        for entry in &entered {
            tables.remove(entry)?;
        }
        return Ok(refused);
    }
    Ok(Posted::Kept { new, known: post.lines.len() as u64 - new })
}

/// Locks the folder itself: it may have several names, and the index may be removed.
fn lock(folder: &Path) -> io::Result<File> {
    let handle = File::open(folder)?;
    match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(handle),
        Err(Errno::WOULDBLOCK) => Err(io::Error::other("another server has it")),
        Err(error) => Err(error.into()),
    }
}

fn create(folder: &Path) -> io::Result<()> {
    match std::fs::create_dir(folder) {
        Ok(()) => sync_folder(folder_of(folder)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where the index of an inbox is: beside the folder, which has nothing but lines.
fn index_path(folder: &Path) -> PathBuf {
    let mut name = folder.components().as_path().as_os_str().to_owned();
    name.push(".index");
    name.into()
}

#[cfg(test)]
mod tests;
