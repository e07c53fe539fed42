//! Renames in one step. Where the system or the file system has none, they fail with `NOSYS`,
//! `INVAL` or `OPNOTSUPP`.

pub(super) use calls::{exchange, rename_to_free};

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod calls {
    use std::path::Path;

    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Result;

    /// Exchanges two files.
    pub fn exchange(one: &Path, other: &Path) -> Result<()> {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
    }

    /// Renames to a name that no file has.
    pub fn rename_to_free(from: &Path, to: &Path) -> Result<()> {
        renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod calls {
    use std::path::Path;

    use rustix::io::{Errno, Result};

    pub fn exchange(_: &Path, _: &Path) -> Result<()> {
        Err(Errno::NOSYS)
    }

    pub fn rename_to_free(_: &Path, _: &Path) -> Result<()> {
        Err(Errno::NOSYS)
    }
}
