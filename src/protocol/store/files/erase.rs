//! Erasing files.

use std::io::ErrorKind;
use std::path::Path;

use super::access::Access;
use super::beside::{Owner, Swept, sweep};
use super::journal::Journal;
use super::locked::Locked;
use super::overwrite::{Erased, Selection, in_the_way};
use super::{sent, users};
use crate::protocol::model::{Error, Result};
use crate::protocol::store::keyfile::KeyFile;

/// Erases a file, or the selected parts of a key file, which is then rewritten and the old file
/// erased.
///
/// A whole file is renamed, its folder synced, and the file overwritten, synced, read back, truncated and unlinked, in this order.
/// Files that killed processes left beside it are also erased, even if the file itself is gone.
/// Overwriting reaches the blocks that the file system currently uses for the file, and no copies.
///
/// # Errors
/// [`Error::Usage`] for a link, a file with several names, and a part of a lone key; [`Error::Io`]
/// if a step fails, in which case a damaged file may remain under its name or a temporary one.
pub fn erase(path: &Path, selection: Selection<'_>, access: &Access) -> Result<Erased> {
    let mut locked = match Locked::open(path, access) {
        Ok(locked) => locked,
        Err(error) => return erase_leftover(path, error),
    };
    match selection {
        Selection::File => {
            sent::publish_of(&mut locked)?;
            users::remove_unused(path);
            locked.erase()
        }
        Selection::Keys | Selection::Programs | Selection::Named(_) | Selection::Generation(_) => {
            locked.rewrite_and_erase(selection, |_| {})
        }
    }
}

/// Erases a client's file, or another key file, after calling `look` with it. If `look` fails,
/// nothing is erased.
///
/// # Errors
/// As [`erase`], and those that `look` returns.
pub fn erase_key_file<T>(
    path: &Path,
    access: &Access,
    look: impl FnOnce(KeyFile) -> Result<T>,
) -> Result<(T, Erased)> {
    let mut locked = Locked::open(path, access)?;
    sent::publish_of(&mut locked)?;
    let seen = look(locked.read()?)?;
    users::remove_unused(path);
    Ok((seen, locked.erase()?))
}

/// Erases what a killed process left beside a file that no longer exists; otherwise returns the
/// error `missing`.
fn erase_leftover(path: &Path, missing: Error) -> Result<Erased> {
    let Error::Io { source, .. } = &missing else { return Err(missing) };
    if source.kind() != ErrorKind::NotFound {
        return Err(missing);
    }
    let name = path.display().to_string();
    let failed = |error| Error::io(&name, "cannot erase what was left of it", error);
    let swept = sweep(path, Owner::IsWaitedFor);
    users::remove_unused(path);
    let had_journal = Journal::remove(path).map_err(failed)?;
    let leftover = match swept.map_err(failed)? {
        Swept::Leftover(leftover) => leftover,
        Swept::Nothing if had_journal => 0,
        Swept::Nothing => return Err(missing),
        Swept::Owned => return Err(in_the_way(&name)),
    };
    Ok(Erased {
        file: name,
        overwritten: 0,
        leftover,
        in_place: false,
        links: 0,
        file_system: "unknown".to_owned(),
        kept: None,
        nodes: 0,
        left: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_file_is_gone_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let report = erase(&path, Selection::File, &Access::default()).unwrap();
        assert_eq!((report.overwritten, report.links), (100_000, 1));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_are_refused_and_their_targets_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, b"secret").unwrap();
        let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        assert!(matches!(erase(&soft, Selection::File, &Access::default()), Err(Error::Usage(_))));
        std::fs::hard_link(&path, &hard).unwrap();
        assert!(matches!(erase(&path, Selection::File, &Access::default()), Err(Error::Usage(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    }
}
