//! Outputs: written atomically if they are files, in place if they are pipes or devices.

mod opening;
mod spared;

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::drain::wait_until_drained;
use super::locked::Locked;
use super::paths::{FileId, Privacy, random_number};
use super::protection::{ProtectedBy, Protection};
use super::sent;
use super::temporary::Temporary;
use crate::ciphers::Wiped;
use crate::protocol::model::{Error, Malformed, Misuse, Place, Result};
use crate::protocol::store::keyfile::{FileText, KeyFile, Sent};

pub(super) use self::opening::refuse_inputs;
pub use self::spared::spare;

/// Handling of a regular file that already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse the output.
    Keep,
    /// Replace the file, in one step at the end.
    Replace,
}

/// Output for results. A regular file appears only on [`Output::send`], complete and synced; an
/// output that is dropped before leaves no file.
pub struct Output {
    name: String,
    to: Destination,
    left: bool,
    /// Keys that are sealed when they are complete.
    sealed: Option<(Protection, Wiped)>,
}

enum Destination {
    /// A pipe, a device, or a file that the caller opened: written data is visible at once.
    Stream(File),
    /// A file that has no name until it is finished.
    Draft(Draft),
    /// A file that has been given its name, or has been discarded.
    Done,
}

struct Draft {
    new: Temporary,
    target: PathBuf,
    existing: Existing,
    privacy: Privacy,
}

impl Output {
    /// Name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn file(&self) -> io::Result<&File> {
        match &self.to {
            Destination::Stream(file) => Ok(file),
            Destination::Draft(draft) => Ok(draft.new.file()),
            Destination::Done => Err(io::Error::other("this output has already been sent")),
        }
    }

    /// Whether the output is a terminal.
    pub fn is_terminal(&self) -> bool {
        use std::io::IsTerminal;
        self.file().is_ok_and(File::is_terminal)
    }

    /// Refuses an output that is a terminal.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is one; `what` names the data.
    pub fn refuse_terminal(&self, what: &'static str) -> Result<()> {
        match self.is_terminal() {
            true => Err(Misuse::ToTerminal { what }.into()),
            false => Ok(()),
        }
    }

    /// Whether written data can be discarded until it is sent: it goes to a file without a name.
    pub fn is_revocable(&self) -> bool {
        match self.to {
            Destination::Stream(_) => false,
            Destination::Draft(_) | Destination::Done => true,
        }
    }

    /// Path that the output will have, if it becomes a file, and whether it replaces another file.
    pub fn target(&self) -> Option<(&Path, bool)> {
        match &self.to {
            Destination::Draft(Draft { target, .. }) => {
                Some((target, std::fs::symlink_metadata(target).is_ok()))
            }
            Destination::Stream(_) | Destination::Done => None,
        }
    }

    /// Whether a reader may have received some of the data.
    pub fn may_have_left(&self) -> bool {
        self.left
    }

    /// Protects the keys that are written from now on, or leaves them as they are.
    ///
    /// # Errors
    /// [`Misuse::WouldUnprotect`] if they are not protected and replace a file that is.
    pub fn protect(&mut self, protection: Option<Protection>) -> Result<()> {
        self.sealed = protection.map(|protection| (protection, Wiped::default()));
        match self.target() {
            Some((path, true)) if self.sealed.is_none() && is_protected(path)? => {
                Err(Misuse::WouldUnprotect(self.name.clone()).into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::ClosedPipe`] if the reader is gone.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_pieces(&mut [IoSlice::new(bytes)])
    }

    /// Writes a key file, piece by piece.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_text(&mut self, text: &FileText<'_>) -> Result<()> {
        if self.sealed.is_some() {
            // It is sealed whole.
            return self.write(&text.to_bytes());
        }
        text.pieces(|piece| self.write(piece))
    }

    /// Writes several pieces in sequence, in as few calls as possible.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_pieces(&mut self, mut pieces: &mut [IoSlice<'_>]) -> Result<()> {
        if let Some((_, text)) = &mut self.sealed {
            pieces.iter().for_each(|piece| text.append(piece));
            return Ok(());
        }
        // Skip empty pieces at the front, so that a write of 0 bytes is always an error.
        IoSlice::advance_slices(&mut pieces, 0);
        while !pieces.is_empty() {
            let written = match self.file().and_then(|mut file| file.write_vectored(pieces)) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                done => done,
            };
            let written = written.map_err(|error| Error::io(&self.name, "cannot write", error))?;
            self.left |= written > 0 && !self.is_revocable();
            IoSlice::advance_slices(&mut pieces, written);
        }
        Ok(())
    }

    /// Syncs the data to the disk. Errors for lack of space occur here; afterwards the output only
    /// has to be given its name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(&mut self) -> Result<()> {
        if let Some((protection, text)) = self.sealed.take() {
            self.write(&protection.seal(&text, &Place::file(&self.name))?)?;
        }
        let finished = self.file().and_then(|file| match FileId::of(file) {
            Some(_) => file.sync_all(),
            None => Ok(()),
        });
        finished.map_err(|error| Error::io(&self.name, "cannot write", error))
    }

    /// Makes the output final. Afterwards it counts as sent: a file is synced and has its name; the
    /// reader of a pipe has taken everything.
    ///
    /// # Errors
    /// [`Error::ClosedPipe`] if the reader is gone; [`Error::Usage`] if a file that must be kept
    /// has appeared meanwhile; [`Error::Io`] if the bytes may not have reached the disk. In these
    /// cases no new file exists.
    pub fn send(&mut self) -> Result<()> {
        self.finish()?;
        self.give_name(Draft::publish)
    }

    /// Makes the output final as [`send`](Self::send). A key file that it replaces is checked first;
    /// no process can change that file in between. Files that are not key files are replaced as they
    /// are.
    ///
    /// # Errors
    /// Those of `check` and of [`send`](Self::send); [`Error::Io`], [`Error::Malformed`] and
    /// [`Error::Key`] for a key file that cannot be read.
    pub fn send_over(
        &mut self,
        access: &Access,
        check: impl FnOnce(&KeyFile, &Place) -> Result<()>,
    ) -> Result<()> {
        let Destination::Draft(draft) = &mut self.to else { return self.send() };
        let mut old = match Locked::open(&draft.target, access) {
            Ok(old) => old,
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                // A file that appears from now on is not replaced.
                draft.existing = Existing::Keep;
                return self.send();
            }
            Err(error) => return Err(error),
        };
        if draft.existing == Existing::Keep {
            return self.send();
        }
        match old.read() {
            Ok(file) => check(&file, &old.place)?,
            Err(
                Error::Unexpected { .. }
                | Error::Malformed { found: Malformed::NotJson { .. }, .. },
            ) => {}
            Err(error) => return Err(error),
        }
        self.finish()?;
        self.give_name(|draft| old.replace_by(draft.new)?.clear())
    }

    /// Gives a draft its name with `publish`; waits until the reader of a stream has everything.
    fn give_name(&mut self, publish: impl FnOnce(Draft) -> io::Result<()>) -> Result<()> {
        let sent = match std::mem::replace(&mut self.to, Destination::Done) {
            Destination::Stream(file) => {
                let drained = wait_until_drained(&file);
                self.to = Destination::Stream(file);
                drained
            }
            Destination::Draft(draft) => {
                let published = publish(draft);
                // A name that existed for a moment may have been seen.
                let refused = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
                self.left |= !published.as_ref().is_err_and(refused);
                published
            }
            Destination::Done => Ok(()),
        };
        sent.map_err(|error| self.failed(error))
    }

    /// Discards a file that was not sent.
    pub fn discard(&mut self) {
        match self.to {
            Destination::Draft(_) => self.to = Destination::Done,
            Destination::Stream(_) | Destination::Done => {}
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        match error.kind() == io::ErrorKind::AlreadyExists {
            true => Misuse::OutputExists(self.name.clone()).into(),
            false => Error::io(&self.name, "cannot write", error),
        }
    }

    /// Sends the output and drops it, for callers that need no further access.
    ///
    /// # Errors
    /// As [`Output::send`].
    pub fn commit(mut self) -> Result<()> {
        self.send()
    }

    /// Gives a finished file a temporary name, under which another process can publish it, and
    /// returns the data needed for that; `None` if the output is not a new file.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Usage`] if a file that must be kept exists.
    pub fn make_ready(&mut self) -> Result<Option<Sent>> {
        self.finish()?;
        let Destination::Draft(draft) = &mut self.to else { return Ok(None) };
        let ready = draft.make_ready();
        ready.map(Some).map_err(|error| self.failed(error))
    }

    /// Removes a file that is ready but must not be sent.
    pub fn withdraw(&mut self, ready: &Sent) {
        sent::withdraw(ready);
    }
}

impl Draft {
    fn make_ready(&mut self) -> io::Result<Sent> {
        if self.existing == Existing::Keep && std::fs::symlink_metadata(&self.target).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let output = std::path::absolute(&self.target)?.into_os_string().into_vec();
        let token = random_number()?;
        self.new.make_ready(token)?;
        Ok(Sent { output, token, replace: self.existing == Existing::Replace })
    }

    fn publish(self) -> io::Result<()> {
        match self.existing {
            Existing::Keep => self.new.publish_new(),
            Existing::Replace => self.publish_over(),
        }
    }

    /// Publishes the file under its name, replacing any existing file. The old content of a private
    /// file is overwritten, unless it has other names or cannot be written to.
    fn publish_over(self) -> io::Result<()> {
        if self.privacy == Privacy::Owner
            && let Ok(mut old) = Locked::open(&self.target, &Access::default())
        {
            return old.replace_by(self.new)?.clear();
        }
        self.new.publish_over()
    }
}

/// Whether there is a protected key file at a path.
fn is_protected(path: &Path) -> Result<bool> {
    match ProtectedBy::at(path) {
        Ok(found) => Ok(found.is_some()),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error @ Error::Io { .. }) => Err(error),
        // One that is damaged may be mended.
        Err(_) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn create(path: &Path, existing: Existing) -> Result<Output> {
        Output::create(Some(path), existing, Privacy::Owner, &[])
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut output = create(&path, Existing::Keep).unwrap();
        output.write(b"half").unwrap();
        drop(output);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut output = create(&path, Existing::Keep).unwrap();
        output.write(b"whole").unwrap();
        assert!(!path.exists());
        output.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_existing_file_is_kept_unless_replacing_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, b"old").unwrap();
        assert!(matches!(create(&path, Existing::Keep), Err(Error::Usage(_))));
        let mut output = create(&path, Existing::Replace).unwrap();
        output.write(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_came_in_between_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let output = create(&path, Existing::Keep).unwrap();
        std::fs::write(&path, b"other").unwrap();
        assert!(matches!(output.commit(), Err(Error::Usage(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"other");
    }

    #[test]
    fn links_are_not_followed_and_inputs_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("in"), folder.path().join("link"));
        std::fs::write(&path, b"input").unwrap();
        symlink(&path, &link).unwrap();
        assert!(matches!(create(&link, Existing::Replace), Err(Error::Usage(_))));
        let id = FileId::of(&File::open(&path).unwrap());
        let output = Output::create(Some(&path), Existing::Replace, Privacy::Umask, &[id]);
        assert!(matches!(output, Err(Error::Usage(_))));
    }
}
