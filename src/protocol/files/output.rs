//! Outputs: atomic where they are files, in place where they are pipes or devices.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{FileId, folder_of, is_dash, is_stream, open_no_follow, random_number, sync_folder};
use crate::protocol::{Error, Result};

/// What to do with a regular file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Replace it, in one step at the end.
    Replace,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// Mode 0600 whatever the umask: keys and opened orders.
    Owner,
    /// As the umask says.
    Umask,
}

/// Where results go. A regular file appears only with [`Output::commit`], whole and synced; an
/// output that is dropped before leaves no file.
pub struct Output {
    name: String,
    file: File,
    temporary: Option<Temporary>,
}

struct Temporary {
    path: PathBuf,
    target: PathBuf,
    existing: Existing,
    kept: bool,
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
        Ok(Self { name, file, temporary: None })
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
                let file = open_no_follow(path, OpenOptions::new().write(true))
                    .or_else(|_| OpenOptions::new().write(true).open(path))
                    .map_err(failed)?;
                return Ok(Self { name, file, temporary: None });
            }
            Ok(found) if found.is_symlink() => return Self::through_link(path, name),
            Ok(found) if found.is_file() => {
                let file = File::open(path).ok();
                refuse_inputs(&name, file.as_ref().and_then(FileId::of), inputs)?;
                if existing == Existing::Keep {
                    return Err(Error::Usage(format!("{name}: exists already")));
                }
            }
            Ok(_) => return Err(Error::Usage(format!("{name}: is not a file, pipe or device"))),
        }
        let (temporary, file) = create_beside(path, privacy).map_err(failed)?;
        let temporary =
            Temporary { path: temporary, target: path.to_owned(), existing, kept: false };
        Ok(Self { name, file, temporary: Some(temporary) })
    }

    /// Links of the system to open descriptors (`/dev/stdout`, `/dev/fd/63`) lead to what the
    /// caller opened himself; no other link is followed.
    fn through_link(path: &Path, name: String) -> Result<Self> {
        if path.starts_with("/dev") || path.starts_with("/proc") {
            let file = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(|error| Error::io(&name, "cannot write", error))?;
            if file.metadata().is_ok_and(|metadata| is_stream(&metadata)) {
                return Ok(Self { name, file, temporary: None });
            }
        }
        Err(Error::Usage(format!("{name}: is a symbolic link, which outputs never follow")))
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the bytes go straight to a terminal.
    pub fn is_terminal(&self) -> bool {
        use std::io::IsTerminal;
        self.file.is_terminal()
    }

    /// Refuses to write bytes of any kind to a terminal.
    ///
    /// # Errors
    /// [`Error::Usage`] if the output is one.
    pub fn refuse_terminal(&self, what: &str) -> Result<()> {
        match self.is_terminal() {
            true => Err(Error::Usage(format!("{what} not written to a terminal: use -o FILE"))),
            false => Ok(()),
        }
    }

    /// Whether what was written can still be taken back: it is a file not yet committed.
    pub fn is_revocable(&self) -> bool {
        self.temporary.is_some()
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::ClosedPipe`] when nobody reads any more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Error::io(&self.name, "cannot write", error))
    }

    /// Writes pieces one after the other, in as few calls as possible.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_pieces(&mut self, mut pieces: &mut [IoSlice<'_>]) -> Result<()> {
        // Empty pieces at the front go away, so that a write of nothing always is a failure.
        IoSlice::advance_slices(&mut pieces, 0);
        while !pieces.is_empty() {
            let written = match self.file.write_vectored(pieces) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                done => done,
            };
            let written = written.map_err(|error| Error::io(&self.name, "cannot write", error))?;
            IoSlice::advance_slices(&mut pieces, written);
        }
        Ok(())
    }

    /// Makes the output final: synced, and under its name. After this it counts as sent.
    ///
    /// # Errors
    /// [`Error::Io`] when the bytes may not have reached the disk; a new file is then not there.
    pub fn commit(mut self) -> Result<()> {
        let failed = |name: &str, error| Error::io(name, "cannot write", error);
        let Some(temporary) = &mut self.temporary else {
            let regular = FileId::of(&self.file).is_some();
            if regular {
                self.file.sync_all().map_err(|error| failed(&self.name, error))?;
            }
            return Ok(());
        };
        self.file.sync_all().map_err(|error| failed(&self.name, error))?;
        temporary.publish().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Usage(format!("{}: exists already", self.name)),
            _ => failed(&self.name, error),
        })
    }
}

impl Temporary {
    fn publish(&mut self) -> io::Result<()> {
        match self.existing {
            Existing::Replace => std::fs::rename(&self.path, &self.target)?,
            Existing::Keep => rename_to_new(&self.path, &self.target)?,
        }
        self.kept = true;
        sync_folder(folder_of(&self.target)).inspect_err(|_| {
            // A name that may not outlast a power failure is no output. What stood there before
            // is gone, if there was anything: then the new file is better than none.
            if self.existing == Existing::Keep {
                let _ = std::fs::remove_file(&self.target);
            }
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing can be done about a failure here; a leftover is recognizable by its name.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Renames without replacing; file systems that cannot do it in one step check first.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if std::fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

/// Creates an empty file with a name of its own in the folder of `path`.
pub(super) fn create_beside(path: &Path, privacy: Privacy) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let short: String = name.chars().take(100).collect();
    loop {
        let random = random_number()?;
        let temporary = folder_of(path).join(format!(".{short}.{random:016x}.orderseal-tmp"));
        let mode = match privacy {
            Privacy::Owner => 0o600,
            Privacy::Umask => 0o666,
        };
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary) {
            Ok(file) => {
                if privacy == Privacy::Owner {
                    // A umask can only take bits away: those of the owner have to be there.
                    file.set_permissions(Permissions::from_mode(mode))?;
                }
                return Ok((temporary, file));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn refuse_inputs(name: &str, id: Option<FileId>, inputs: &[Option<FileId>]) -> Result<()> {
    match id {
        Some(id) if inputs.contains(&Some(id)) => {
            Err(Error::Usage(format!("{name}: is an input as well as the output")))
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
