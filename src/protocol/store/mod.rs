//! Key files on the disk.

pub mod files;
pub mod keyfile;
pub mod spend;
