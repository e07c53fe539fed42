//! Key files on the disk.

pub mod files;
pub mod keyfile;
mod opening_keys;
pub mod spend;

pub use opening_keys::OpeningKeys;
