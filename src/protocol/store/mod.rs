//! Key files, what is spent of them, and the disk: the one room below the commands that touches it.
//!
//! Reading follows links. Outputs, changes of key files and erasing never do.

pub mod files;
pub mod keyfile;
mod opening_keys;
pub mod spend;

pub use opening_keys::OpeningKeys;
