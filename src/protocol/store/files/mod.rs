//! The disk: the one place below the commands that touches it.
//!
//! Reading follows links. Outputs, changes of key files and erasing never do.

mod drain;
mod erase;
mod inputs;
mod locked;
mod measured;
mod output;
mod sent;
mod strike;
mod temporary;
mod users;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rand::Rng;
use rustix::fs::{FlockOperation, OFlags, flock};
use zeroize::Zeroizing;

pub use crate::protocol::store::keyfile::MAX_KEY_FILE;
pub use drain::is_readable;
pub use erase::{Erased, Kept, Selection, erase, erase_key_file};
pub use inputs::Inputs;
pub use locked::update;
pub use measured::Measured;
pub use output::{Existing, Output, Privacy};
use sent::Finished;
pub use temporary::remove_unfinished;
use temporary::{Owner, sweep};
pub use users::{AfterSending, InUse};

use crate::ciphers::Wiped;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::model::{Error, KeyTrouble, Place, Result};
use crate::protocol::store::keyfile::KeyFile;

/// Bytes of what is not JSON that are read where a key file is expected.
const MAX_OTHER: u64 = 64 << 10;

/// Which file something is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The identity of an open regular file; pipes and devices may be input and output at once.
    fn of(file: &File) -> Option<Self> {
        file.metadata().ok().as_ref().and_then(Self::from_metadata)
    }

    /// The identity of what a path names; links are not followed.
    fn at(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().as_ref().and_then(Self::from_metadata)
    }

    fn from_metadata(metadata: &std::fs::Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Something to read orders from.
pub struct Input {
    /// The name for messages: the path as given, or `stdin`.
    pub name: String,
    /// The size in bytes where it is known beforehand.
    pub size: Option<u64>,
    /// The file's identity, to keep outputs away from it.
    pub id: Option<FileId>,
    /// The mode bits of a regular file.
    mode: u32,
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
}

impl Input {
    /// Opens a path; none, or `-`, is stdin.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, or is a folder.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let (name, file) = match path.filter(|path| !is_dash(path)) {
            Some(path) => {
                let name = path.display().to_string();
                let file =
                    File::open(path).map_err(|error| Error::io(&name, "cannot open", error))?;
                (name, file)
            }
            None => {
                let name = "stdin".to_owned();
                let fd = rustix::stdio::stdin()
                    .try_clone_to_owned()
                    .map_err(|error| Error::io(&name, "cannot open", error))?;
                (name, File::from(fd))
            }
        };
        let metadata = file.metadata().map_err(|error| Error::io(&name, "cannot open", error))?;
        if metadata.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(Error::io(&name, "cannot read", error));
        }
        let size = metadata.is_file().then_some(metadata.len());
        let (id, mode) = (FileId::of(&file), metadata.mode() & 0o7777);
        Ok(Self { name, size, id, mode, reader: Box::new(file) })
    }

    /// Bytes in memory under a name, for simulations.
    pub fn memory(name: &str, bytes: Vec<u8>) -> Self {
        let size = Some(bytes.len() as u64);
        let reader = Box::new(io::Cursor::new(bytes));
        Self { name: name.to_owned(), size, id: None, mode: 0, reader }
    }

    /// How long the orders in a file are, without taking any from it; `None` for a pipe.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn measure(path: Option<&Path>) -> Result<Option<Measured>> {
        let input = match path.filter(|path| !is_dash(path)) {
            Some(path) => File::open(path),
            None => rustix::stdio::stdin().try_clone_to_owned().map(File::from),
        };
        let name = path.filter(|path| !is_dash(path)).map_or("stdin".into(), Path::to_string_lossy);
        let found = |error| Error::io(&name, "cannot read", error);
        let mut file = input.map_err(|error| Error::io(&name, "cannot open", error))?;
        match file.metadata().map_err(found)?.is_file() {
            true => measure_orders(&mut file, &Place::file(&*name)).map(Some).map_err(found),
            false => Ok(None),
        }
    }

    /// The input as a place for messages.
    pub fn place(&self) -> Place {
        Place::file(&self.name)
    }
}

/// Measures the lines of a file from where it stands, and leaves it there.
fn measure_orders(file: &mut File, place: &Place) -> io::Result<Measured> {
    let mut expected =
        Measured { orders: 0, bytes: 0, longest: 0, longest_at: place.at(1), files: Vec::new() };
    let mut at = file.stream_position()?;
    let (mut line, mut length) = (1, 0);
    let mut buffer = Zeroizing::new(vec![0; 256 << 10]);
    loop {
        let count = match file.read_at(&mut buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        for piece in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            let ends = piece.ends_with(b"\n");
            length += piece.len() as u64 - u64::from(ends);
            expected.bytes += piece.len() as u64 - u64::from(ends);
            expected.orders += u64::from(length == piece.len() as u64 - u64::from(ends));
            if length > expected.longest {
                (expected.longest, expected.longest_at) = (length, place.at(line));
            }
            if ends {
                (line, length) = (line + 1, 0);
            }
        }
        if count == 0 {
            expected.files.push((place.clone(), expected.orders));
            return Ok(expected);
        }
        at += count as u64;
    }
}

/// A key file with the identity of the file it came from.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub file: KeyFile,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
    /// Whether what it says can be changed: it is a regular file, not a pipe.
    pub changeable: bool,
}

/// Reads a key file; `-` is stdin. What a killed process left undone with it is done first.
///
/// # Errors
/// [`Error::Io`], [`Error::Malformed`], and [`KeyTrouble::Readable`] when the file holds secrets
/// and group or others can read it, unless that is allowed; [`KeyTrouble::ErasedNow`] when to do what was
/// left undone was to erase the file.
pub fn load(path: &Path, allow_readable: bool) -> Result<Loaded> {
    let (bytes, id, mode, place) = read_settled(path)?;
    let file = KeyFile::parse(&bytes, &place)?;
    if finish(Some(path), &file)? {
        return load(path, allow_readable);
    }
    if !allow_readable && file.has_secrets() {
        refuse_readable(id, mode, &place)?;
    }
    let changeable = id.is_some() && !is_dash(path);
    Ok(Loaded { file, changeable, id, place })
}

/// Removes what a killed process left beside a file, as far as that can be done.
pub fn tidy(path: Option<&Path>) {
    if let Some(path) = path.filter(|path| !is_dash(path)) {
        // Whoever may only read cannot remove it. A link leads to a file that has its own neighbours.
        let file = std::fs::canonicalize(path);
        let _ = sweep(file.as_deref().unwrap_or(path), Owner::IsLeftAlone);
    }
}

/// Whether a killed process left something beside a file.
pub fn has_leftover(path: &Path) -> bool {
    temporary::temporary_name(path).is_ok_and(|name| name.symlink_metadata().is_ok())
}

/// Does what killed processes left undone with the file that was read from a path, and tells whether the
/// file is another now.
///
/// # Errors
/// [`KeyTrouble::ErasedNow`] when to do it was to erase the file, and [`Error::Io`].
pub fn finish(path: Option<&Path>, file: &KeyFile) -> Result<bool> {
    let Some(path) = path.filter(|path| !is_dash(path) && file.is_unfinished()) else {
        return Ok(false);
    };
    match sent::finish(path)? {
        Finished::Nothing => Ok(false),
        Finished::Parts(_) => Ok(true),
        Finished::File(_) => {
            let place = Place::file(path.display().to_string());
            Err(Error::key(&place, KeyTrouble::ErasedNow))
        }
    }
}

/// Reads the text of a key file. What does not begin like JSON is read no further than to see what it
/// is: a device or pipe may have no end.
fn read_key_file(mut reader: impl Read, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let mut first = Zeroizing::new(Vec::with_capacity(MAX_OTHER as usize));
    reader
        .by_ref()
        .take(MAX_OTHER)
        .read_to_end(&mut first)
        .map_err(|error| Error::io(place, "cannot read", error))?;
    match first.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => read_limited(first.chain(reader), MAX_KEY_FILE, place),
        _ => Ok(first),
    }
}

/// What was read: the bytes, the file's identity and mode, and its name.
type Settled = (Zeroizing<Vec<u8>>, Option<FileId>, u32, Place);

/// Reads a key file while nobody changes it. Whoever changes one puts a new file in its place and
/// overwrites the old one, under a lock: a file that has lost its name meanwhile is not read.
fn read_settled(path: &Path) -> Result<Settled> {
    tidy(Some(path));
    loop {
        let input = Input::open(Some(path))?;
        let place = input.place();
        let file = match input.id {
            Some(_) if !is_dash(path) => {
                Some(File::open(path).map_err(|error| Error::io(&place, "cannot open", error))?)
            }
            _ => None,
        };
        let Some(file) = file else {
            let bytes = read_key_file(input.reader, &place)?;
            return Ok((bytes, input.id, input.mode, place));
        };
        // Where the file system has no locks, nobody can change the file by our rules either.
        let _ = flock(&file, FlockOperation::LockShared);
        let now = std::fs::metadata(path).ok();
        let now = now.map(|it| FileId { device: it.dev(), inode: it.ino() });
        if FileId::of(&file) != now {
            continue;
        }
        let mode = file
            .metadata()
            .map_err(|error| Error::io(&place, "cannot read the mode", error))?
            .mode();
        let bytes = read_regular(&file, &place)?;
        return Ok((bytes, now, mode & 0o7777, place));
    }
}

fn refuse_readable(id: Option<FileId>, mode: u32, place: &Place) -> Result<()> {
    match id.is_some() && mode & 0o077 != 0 {
        true => Err(Error::key(place, KeyTrouble::Readable(mode))),
        false => Ok(()),
    }
}

/// Checks that a key file can be changed or erased, before anything depends on it.
///
/// # Errors
/// [`Error::Usage`] for links, files of several names and what is not a regular file.
pub fn check_changeable(path: &Path) -> Result<()> {
    open_to_change(path, &Place::file(path.display().to_string())).map(|_| ())
}

/// The identity of the file under a path, if it is a regular one.
pub fn identify(path: &Path) -> Option<FileId> {
    File::open(path).ok().as_ref().and_then(FileId::of)
}

/// Whether two outputs would be the same file.
pub fn same_target(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| std::fs::canonicalize(folder_of(path)).ok();
    folder(one) == folder(other) && one.file_name() == other.file_name()
}

/// A small file as it is.
pub struct Small {
    /// What is in it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its name for messages.
    pub place: Place,
    /// Its identity.
    pub id: Option<FileId>,
}

/// Reads a small file whole and keeps its identity; one with `secrets` must be its owner's alone.
///
/// # Errors
/// As [`read_small`], and [`KeyTrouble::Readable`].
pub fn load_small(path: &Path, limit: u64, secrets: bool) -> Result<Small> {
    let Input { name, id, mode, reader, .. } = Input::open(Some(path))?;
    let place = Place::file(name);
    if secrets {
        refuse_readable(id, mode, &place)?;
    }
    Ok(Small { bytes: read_limited(reader, limit, &place)?, place, id })
}

/// Reads a small file whole: an item page, a passphrase, a table.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] when it is longer than `limit` bytes.
pub fn read_small(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>> {
    let input = Input::open(Some(path))?;
    let place = input.place();
    read_limited(input.reader, limit, &place)
}

/// Reads all of something that has no reason to be long.
///
/// # Errors
/// [`Error::Io`], and [`Error::Malformed`] when it is longer than `limit` bytes.
pub fn read_limited(reader: impl Read, limit: u64, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Wiped::default();
    bytes
        .read_all(reader.take(limit + 1))
        .map_err(|error| Error::io(place, "cannot read", error))?;
    if bytes.len() as u64 > limit {
        return Err(too_long(limit, place));
    }
    Ok(Zeroizing::new(bytes.into_vec()))
}

/// Reads a key file that is a regular one; if it is too long, it is refused before it is read.
fn read_regular(file: &File, place: &Place) -> Result<Zeroizing<Vec<u8>>> {
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot read", error))?;
    match metadata.len() > MAX_KEY_FILE {
        true => Err(too_long(MAX_KEY_FILE, place)),
        false => read_key_file(file, place),
    }
}

fn too_long(limit: u64, place: &Place) -> Error {
    Error::malformed(place, format!("longer than {limit} bytes"))
}

/// Whether a path means stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens without following a link at the end of the path.
fn open_no_follow(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits() as i32).open(path)?;
    rustix::fs::fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

/// Opens a key file that is going to be changed or destroyed.
fn open_to_change(path: &Path, place: &Place) -> Result<File> {
    let refused = |what: &str| Error::Usage(format!("{place}: {what}"));
    let found =
        std::fs::symlink_metadata(path).map_err(|error| Error::io(place, "cannot open", error))?;
    if found.file_type().is_symlink() {
        return Err(refused("is a symbolic link, which is never followed here"));
    }
    if !found.is_file() {
        return Err(refused("is not a regular file, which alone can be changed or erased"));
    }
    let file = open_no_follow(path, OpenOptions::new().read(true).write(true))
        .map_err(|error| Error::io(place, "cannot open", error))?;
    let metadata = file.metadata().map_err(|error| Error::io(place, "cannot open", error))?;
    if !metadata.is_file() || metadata.nlink() > 1 {
        return Err(refused("has several hard links: the others would keep what is changed here"));
    }
    Ok(file)
}

/// A number for the name of a file that no other file has.
fn random_number() -> io::Result<u64> {
    let source = SystemSource::new().map_err(|error| io::Error::other(Error::from(error)))?;
    Ok(source.stream(0).next_u64())
}

/// Makes a change of a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that a path is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether the metadata are those of a pipe or a character device.
fn is_stream(metadata: &std::fs::Metadata) -> bool {
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_char_device() || kind.is_socket()
}
