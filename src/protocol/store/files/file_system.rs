//! File systems, and how they treat overwritten data.

use std::fs::File;

/// Where a file system keeps overwritten data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In a lower layer, from which the file was copied when it was first changed.
    LowerLayer,
    /// In the file's previous blocks: new content goes to other blocks.
    OlderBlocks,
    /// On another computer, whose behaviour is unknown.
    Server,
}

/// Whether a file is on another computer, as far as this can be detected.
pub(super) fn is_remote(file: &File) -> bool {
    file_system(file).1 == Some(Kept::Server)
}

/// Type of a file's file system, if its number is known, and where it keeps overwritten data.
pub(super) fn file_system(file: &File) -> (String, Option<Kept>) {
    let Ok(found) = rustix::fs::fstatfs(file) else { return ("unknown".to_owned(), None) };
    let (name, kept) = match found.f_type as u64 {
        0xef53 => ("ext2/3/4", None),
        0x0102_1994 => ("tmpfs", None),
        0x5846_5342 => ("xfs", None),
        0x9123_683e => ("btrfs", Some(Kept::OlderBlocks)),
        0x2fc1_2fc1 => ("zfs", Some(Kept::OlderBlocks)),
        0xca45_1a4e => ("bcachefs", Some(Kept::OlderBlocks)),
        0xf2f5_2010 => ("f2fs", Some(Kept::OlderBlocks)),
        0x3434 => ("nilfs2", Some(Kept::OlderBlocks)),
        0x794c_7630 => ("overlayfs", Some(Kept::LowerLayer)),
        0x6969 => ("nfs", Some(Kept::Server)),
        0xff53_4d42 | 0xfe53_4d42 => ("cifs", Some(Kept::Server)),
        0x0102_1997 => ("9p", Some(Kept::Server)),
        0x6573_5546 => ("fuse", Some(Kept::Server)),
        other => return (format!("type {other:#x}"), None),
    };
    (name.to_owned(), kept)
}
