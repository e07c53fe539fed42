//! Keyrings and bundles, records of what is spent, and, with feature `store`, their files on the disk.
//! No other module below the commands accesses the disk. Reading follows links. Outputs, changes of key
//! files and erasing never do.

#![deny(clippy::wildcard_enum_match_arm)]

mod derived_keys;
mod file_number;
#[cfg(feature = "store")]
pub mod files;
pub mod keyfile;
mod opening_keys;
pub mod spend;
pub mod trees;
pub mod uses;

pub(in crate::protocol) use derived_keys::open_alone;
pub use derived_keys::{BlockKeys, named_key};
pub use file_number::FileNumber;
pub(in crate::protocol) use opening_keys::use_by_name;
pub use opening_keys::{OpeningFile, OpeningKeys};
