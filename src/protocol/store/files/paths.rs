//! Paths, file identities, and opening files.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rand::Rng;
use rustix::fs::OFlags;

use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::model::{Error, Misuse, Place, Result};

/// Identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Identity of an open regular file; `None` for pipes and devices, which may be input and
    /// output at once.
    pub(super) fn of(file: &File) -> Option<Self> {
        file.metadata().ok().as_ref().and_then(Self::from_metadata)
    }

    /// Identity of the file at a path; links are not followed.
    pub(super) fn at(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().as_ref().and_then(Self::from_metadata)
    }

    pub(super) fn from_metadata(metadata: &std::fs::Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self { device: metadata.dev(), inode: metadata.ino() })
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        let [device, inode] = [self.device, self.inode].map(u128::from);
        (inode << 64 | device).to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(bytes);
        Self { device: both as u64, inode: (both >> 64) as u64 }
    }
}

/// The state of files: another one if a file was replaced or written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct States(Vec<Option<(FileId, u64, i64, i64)>>);

impl States {
    /// The state of the files at these paths.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let state = |path| {
            let found = std::fs::metadata(path).ok()?;
            let id = FileId::from_metadata(&found)?;
            Some((id, found.len(), found.mtime(), found.mtime_nsec()))
        };
        Self(paths.into_iter().map(state).collect())
    }
}

/// Users who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privacy {
    /// The owner only: mode 0600 whatever the umask, for keys and opened orders.
    Owner,
    /// Those that the umask permits.
    Umask,
}

/// Identity of the file at a path, if it is a regular file.
pub fn identify(path: &Path) -> Option<FileId> {
    File::open(path).ok().as_ref().and_then(FileId::of)
}

/// Whether two output paths name the same file.
pub fn same_target(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| std::fs::canonicalize(folder_of(path)).ok();
    folder(one) == folder(other) && one.file_name() == other.file_name()
}

/// Checks in advance that a key file can be changed or erased.
///
/// # Errors
/// [`Error::Usage`] for links, files with several names and anything that is not a regular file.
pub fn check_changeable(path: &Path) -> Result<()> {
    open_to_change(path, &Place::file(path.display().to_string())).map(|_| ())
}

/// Whether a path means stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file without following a link at the end of the path.
pub(super) fn open_no_follow(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits() as i32).open(path)?;
    rustix::fs::fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

/// Opens a key file for changing or erasing.
pub(super) fn open_to_change(path: &Path, place: &Place) -> Result<File> {
    open_regular(path, OpenOptions::new().read(true).write(true), place)
}

/// Opens a file that has one name and is not a link.
pub(super) fn open_regular(path: &Path, options: &mut OpenOptions, place: &Place) -> Result<File> {
    let refused = |why: fn(String) -> Misuse| Error::Usage(why(place.to_string()));
    let found =
        std::fs::symlink_metadata(path).map_err(|error| Error::io(place, "cannot open", error))?;
    if found.file_type().is_symlink() {
        return Err(refused(Misuse::FileIsLink));
    }
    if !found.is_file() {
        return Err(refused(Misuse::NotRegular));
    }
    let file =
        open_no_follow(path, options).map_err(|error| Error::io(place, "cannot open", error))?;
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot open", error))?;
    if !metadata.is_file() || metadata.nlink() > 1 {
        return Err(refused(Misuse::SeveralNames));
    }
    Ok(file)
}

/// Random number for a unique file name.
pub(super) fn random_number() -> io::Result<u64> {
    let source = SystemSource::new().map_err(|error| io::Error::other(Error::from(error)))?;
    Ok(source.stream(0).next_u64())
}

/// Syncs a folder, so that changes in it survive a power failure.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folder that contains a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether the metadata describes a pipe or a character device.
pub(super) fn is_stream(metadata: &std::fs::Metadata) -> bool {
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_char_device() || kind.is_socket()
}
