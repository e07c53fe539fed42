//! Erasing files, and telling honestly what was done.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rand::Rng;

use super::locked::{lock, replace};
use super::{folder_of, open_no_follow, random_number, sync_folder};
use crate::ciphers::random::{KeySource, SeededSource};
use crate::protocol::keyfile::KeyFile;
use crate::protocol::{Error, Place, Result};

/// What was done to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The file's name.
    pub file: String,
    /// Bytes overwritten in place, synced, and read back.
    pub overwritten: u64,
    /// Names that the file had.
    pub links: u64,
    /// The type of the file system, as in `ext4`.
    pub file_system: String,
}

/// Erases a file: overwritten, synced, read back, renamed, truncated, unlinked, in this order.
///
/// Overwriting reaches the blocks that the file system uses for the file now, and no copies.
///
/// # Errors
/// [`Error::Usage`] for a link or a file with several names; [`Error::Io`] when a step fails, in
/// which case the file may be left damaged under its name or a random one, never whole.
pub fn erase_file(path: &Path) -> Result<Erased> {
    let place = Place::file(path.display().to_string());
    let file = lock(path, &place)?;
    let failed = |error| Error::io(&place, "cannot erase", error);
    let name = format!(".{:016x}.orderseal-tmp", random_number().map_err(failed)?);
    let report = overwrite(&file, &place).map_err(failed)?;
    unlink(&file, path, &folder_of(path).join(name))
        .map_err(|error| Error::io(&place, "overwritten and emptied, but not removed", error))?;
    Ok(report)
}

/// Changes a key file and erases the one that it replaces.
///
/// # Errors
/// As [`erase_file`], and what `change` returns.
pub fn rewrite_and_erase(
    path: &Path,
    change: impl FnOnce(&mut KeyFile) -> Result<()>,
) -> Result<Erased> {
    let place = Place::file(path.display().to_string());
    let failed = |error| Error::io(&place, "cannot erase", error);
    let mut old = lock(path, &place)?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    old.read_to_end(&mut bytes).map_err(failed)?;
    let mut file = KeyFile::parse(&bytes, &place)?;
    if file.is_lone() {
        return Err(Error::Usage(format!(
            "{place}: a lone key has no parts: erase the whole file"
        )));
    }
    change(&mut file)?;
    replace(path, &file).map_err(failed)?;
    let report = Erased { links: 1, ..overwrite(&old, &place).map_err(failed)? };
    old.set_len(0).map_err(failed)?;
    old.sync_all().map_err(failed)?;
    Ok(report)
}

fn overwrite(file: &File, place: &Place) -> io::Result<Erased> {
    let metadata = file.metadata()?;
    let len = metadata.len();
    let seed = random_number()?;
    for_each_chunk(file, len, |mut file, chunk, index| {
        fill(chunk, seed, index);
        file.write_all(chunk)
    })?;
    file.sync_all()?;
    for_each_chunk(file, len, |mut file, chunk, index| {
        let mut expected = vec![0; chunk.len()];
        fill(&mut expected, seed, index);
        file.read_exact(chunk)?;
        if *chunk == expected[..] {
            return Ok(());
        }
        Err(io::Error::other("what was written over the file is not what is read back"))
    })?;
    Ok(Erased {
        file: place.file.clone(),
        overwritten: len,
        links: metadata.nlink(),
        file_system: file_system(file),
    })
}

/// The pattern written over a file: not a secret, only different from what was there.
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

/// Takes the name away first, so that a crash leaves no key file that looks whole. The length goes in
/// any case, also where the folder does not let go of the name.
fn unlink(file: &File, path: &Path, nameless: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    let renamed = std::fs::rename(path, nameless).and_then(|()| sync_folder(folder));
    file.set_len(0).and(renamed)?;
    std::fs::remove_file(nameless)?;
    sync_folder(folder)?;
    let again = open_no_follow(path, OpenOptions::new().read(true));
    match again {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("another file has appeared under this name")),
    }
}

/// The file system's type, as far as its number is known.
fn file_system(file: &File) -> String {
    let Ok(found) = rustix::fs::fstatfs(file) else { return "unknown".to_owned() };
    match found.f_type as u64 {
        0xef53 => "ext2/3/4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x794c_7630 => "overlayfs".to_owned(),
        0x2fc1_2fc1 => "zfs".to_owned(),
        0xf2f5_2010 => "f2fs".to_owned(),
        0x6969 => "nfs".to_owned(),
        0x0102_1997 => "9p".to_owned(),
        other => format!("type {other:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_file_is_gone_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let report = erase_file(&path).unwrap();
        assert_eq!((report.overwritten, report.links), (100_000, 1));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn overwriting_reaches_the_bytes_of_the_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        overwrite(&file, &Place::file("key")).unwrap();
        let after = std::fs::read(&path).unwrap();
        assert_eq!(after.len(), 100_000);
        assert!(!after.windows(8).any(|window| window == [7; 8]));
    }

    #[test]
    fn links_are_refused_and_their_targets_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, b"secret").unwrap();
        let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        assert!(matches!(erase_file(&soft), Err(Error::Usage(_))));
        std::fs::hard_link(&path, &hard).unwrap();
        assert!(matches!(erase_file(&path), Err(Error::Usage(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    }
}
