//! Outputs: atomic where they are files, in place where they are pipes or devices.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::drain::wait_until_drained;
use super::locked::Locked;
use super::paths::{FileId, Privacy, folder_of, is_dash, is_stream, open_no_follow, random_number};
use super::temporary::{Owner, Temporary, sweep};
use crate::protocol::model::{Error, Misuse, Result};
use crate::protocol::store::keyfile::Sent;

/// What to do with a regular file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Replace it, in one step at the end.
    Replace,
}

/// Where results go. A regular file appears only with [`Output::send`], whole and synced; an output that
/// is dropped before leaves no file.
pub struct Output {
    name: String,
    to: Destination,
    left: bool,
}

enum Destination {
    /// A pipe, a device, or a file that the caller opened: what is written is there at once.
    Stream(File),
    /// A file that has no name before it is finished.
    Draft(Draft),
    /// A file that has its name, or was given up.
    Done,
}

struct Draft {
    new: Temporary,
    target: PathBuf,
    existing: Existing,
    privacy: Privacy,
}

impl Output {
    /// Prepares a path for writing; none, or `-`, is stdout.
    ///
    /// # Errors
    /// [`Error::Usage`] when the path is a link, a folder, one of the inputs, or exists and is to
    /// be kept; [`Error::Io`] when it cannot be written.
    pub fn create(
        path: Option<&Path>,
        existing: Existing,
        privacy: Privacy,
        inputs: &[Option<FileId>],
    ) -> Result<Self> {
        match path.filter(|path| !is_dash(path)) {
            None => Self::stdout(inputs),
            Some(path) => Self::at(path, existing, privacy, inputs),
        }
    }

    fn stdout(inputs: &[Option<FileId>]) -> Result<Self> {
        let name = "stdout".to_owned();
        let fd = rustix::stdio::stdout()
            .try_clone_to_owned()
            .map_err(|error| Error::io(&name, "cannot open", error))?;
        let file = File::from(fd);
        refuse_inputs(&name, FileId::of(&file), inputs)?;
        Ok(Self::stream(name, file))
    }

    fn stream(name: String, file: File) -> Self {
        Self { name, to: Destination::Stream(file), left: false }
    }

    fn at(
        path: &Path,
        existing: Existing,
        privacy: Privacy,
        inputs: &[Option<FileId>],
    ) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error| Error::io(&name, "cannot write", error);
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(found) if is_stream(&found) => {
                refuse_foreign_pipe(path, &found, &name)?;
                let file = open_no_follow(path, OpenOptions::new().write(true))
                    .or_else(|_| OpenOptions::new().write(true).open(path))
                    .map_err(failed)?;
                return Ok(Self::stream(name, file));
            }
            Ok(found) if found.is_symlink() => return Self::through_link(path, name),
            Ok(found) if found.is_file() => {
                let file = File::open(path).ok();
                refuse_inputs(&name, file.as_ref().and_then(FileId::of), inputs)?;
                if existing == Existing::Keep {
                    return Err(Misuse::OutputExists(name).into());
                }
            }
            Ok(_) => return Err(Misuse::NotAnOutput(name).into()),
        }
        // What a killed process left; where it cannot be removed, the new file tells why it cannot be made.
        let _ = sweep(path, Owner::IsLeftAlone);
        let new = Temporary::beside(path, privacy).map_err(failed)?;
        let draft = Draft { new, target: path.to_owned(), existing, privacy };
        Ok(Self { name, to: Destination::Draft(draft), left: false })
    }

    /// Links of the system to open descriptors (`/dev/stdout`, `/dev/fd/63`) lead to what the
    /// caller opened; no other link is followed.
    fn through_link(path: &Path, name: String) -> Result<Self> {
        if path.starts_with("/dev") || path.starts_with("/proc") {
            let file = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(|error| Error::io(&name, "cannot write", error))?;
            if file.metadata().is_ok_and(|metadata| is_stream(&metadata)) {
                return Ok(Self::stream(name, file));
            }
        }
        Err(Misuse::OutputIsLink(name).into())
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn file(&self) -> io::Result<&File> {
        match &self.to {
            Destination::Stream(file) => Ok(file),
            Destination::Draft(draft) => Ok(draft.new.file()),
            Destination::Done => Err(io::Error::other("this output was sent before")),
        }
    }

    /// Whether the bytes go straight to a terminal.
    pub fn is_terminal(&self) -> bool {
        use std::io::IsTerminal;
        self.file().is_ok_and(File::is_terminal)
    }

    /// Refuses to write bytes of any kind to a terminal.
    ///
    /// # Errors
    /// [`Error::Usage`] if the output is one.
    pub fn refuse_terminal(&self, what: &'static str) -> Result<()> {
        match self.is_terminal() {
            true => Err(Misuse::ToTerminal { what }.into()),
            false => Ok(()),
        }
    }

    /// Whether what is written can be taken back until it is sent: it goes to a file without a name.
    pub fn is_revocable(&self) -> bool {
        match self.to {
            Destination::Stream(_) => false,
            Destination::Draft(_) | Destination::Done => true,
        }
    }

    /// The file that the output will become, if it becomes one, and whether it replaces another.
    pub fn target(&self) -> Option<(&Path, bool)> {
        match &self.to {
            Destination::Draft(Draft { target, .. }) => {
                Some((target, std::fs::symlink_metadata(target).is_ok()))
            }
            Destination::Stream(_) | Destination::Done => None,
        }
    }

    /// Whether some of what was written may have reached somebody.
    pub fn may_have_left(&self) -> bool {
        self.left
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::ClosedPipe`] when nobody reads any more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_pieces(&mut [IoSlice::new(bytes)])
    }

    /// Writes pieces one after the other, in as few calls as possible.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_pieces(&mut self, mut pieces: &mut [IoSlice<'_>]) -> Result<()> {
        // Empty pieces at the front go away, so that a write of nothing always is a failure.
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

    /// Writes what there is to the disk. What can fail for lack of space fails here: then an output only has
    /// to be given its name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(&mut self) -> Result<()> {
        let finished = self.file().and_then(|file| match FileId::of(file) {
            Some(_) => file.sync_all(),
            None => Ok(()),
        });
        finished.map_err(|error| Error::io(&self.name, "cannot write", error))
    }

    /// Makes the output final. After this it counts as sent: a file is synced and under its name, and the
    /// reader of a pipe has taken everything.
    ///
    /// # Errors
    /// [`Error::ClosedPipe`] when the reader has gone; [`Error::Usage`] when a file to be kept has appeared
    /// meanwhile; [`Error::Io`] when the bytes may not have reached the disk. A new file is then not there.
    pub fn send(&mut self) -> Result<()> {
        self.finish()?;
        let sent = match std::mem::replace(&mut self.to, Destination::Done) {
            Destination::Stream(file) => {
                let drained = wait_until_drained(&file);
                self.to = Destination::Stream(file);
                drained
            }
            Destination::Draft(draft) => {
                let published = draft.publish();
                // A name that was there for a moment may have been seen.
                let refused = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
                self.left |= !published.as_ref().is_err_and(refused);
                published
            }
            Destination::Done => Ok(()),
        };
        sent.map_err(|error| self.failed(error))
    }

    /// Gives up a file that was not sent.
    pub fn discard(&mut self) {
        match self.to {
            Destination::Draft(_) => self.to = Destination::Done,
            Destination::Stream(_) | Destination::Done => {}
        }
    }

    fn failed(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Misuse::OutputExists(self.name.clone()).into(),
            _ => Error::io(&self.name, "cannot write", error),
        }
    }

    /// [`Output::send`], where nothing depends on what became of it.
    ///
    /// # Errors
    /// As [`Output::send`].
    pub fn commit(mut self) -> Result<()> {
        self.send()
    }

    /// Gives a finished file a temporary name, under which another process can publish it, and returns
    /// what that needs; `None` if the output is no new file.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Usage`] when a file to be kept is there.
    pub(super) fn make_ready(&mut self) -> Result<Option<Sent>> {
        self.finish()?;
        let Destination::Draft(draft) = &mut self.to else { return Ok(None) };
        let ready = draft.make_ready();
        ready.map(Some).map_err(|error| self.failed(error))
    }
}

impl Draft {
    fn make_ready(&mut self) -> io::Result<Sent> {
        if self.existing == Existing::Keep && std::fs::symlink_metadata(&self.target).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (output, token) = (std::path::absolute(&self.target)?, random_number()?);
        self.new.make_ready(token)?;
        Ok(Sent { output, token, replace: self.existing == Existing::Replace })
    }

    fn publish(self) -> io::Result<()> {
        match self.existing {
            Existing::Keep => self.new.publish_new(),
            Existing::Replace => self.publish_over(),
        }
    }

    /// Gives the file the name of another that may be there. The old content of a private file is
    /// overwritten, unless it has other names or cannot be written to.
    fn publish_over(self) -> io::Result<()> {
        if self.privacy == Privacy::Owner
            && let Ok(mut old) = Locked::open(&self.target)
        {
            return old.replace_by(self.new)?.clear();
        }
        self.new.publish_over()
    }
}

/// Refuses a pipe that another user put into a folder where everybody can: its reader is whoever made it.
fn refuse_foreign_pipe(path: &Path, found: &std::fs::Metadata, name: &str) -> Result<()> {
    let folder = std::fs::metadata(folder_of(path))
        .map_err(|error| Error::io(name, "cannot write", error))?;
    let foreign = found.uid() != geteuid().as_raw() && folder.mode() & 0o002 != 0;
    match found.file_type().is_fifo() && foreign {
        true => Err(Misuse::ForeignPipe(name.to_owned()).into()),
        false => Ok(()),
    }
}

fn refuse_inputs(name: &str, id: Option<FileId>, inputs: &[Option<FileId>]) -> Result<()> {
    match id {
        Some(id) if inputs.contains(&Some(id)) => {
            Err(Misuse::OutputIsInput(name.to_owned()).into())
        }
        _ => Ok(()),
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
