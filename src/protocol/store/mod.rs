//! Key files, records of what is spent, and the disk: the only module below the commands that
//! accesses it.
//!
//! Reading follows links. Outputs, changes of key files and erasing never do.

pub mod files;
pub mod keyfile;
mod opening_keys;
pub mod spend;

pub use opening_keys::OpeningKeys;
