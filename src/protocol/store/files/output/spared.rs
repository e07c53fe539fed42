//! Files that no output may replace.

use std::sync::{Mutex, PoisonError};

use crate::protocol::store::files::paths::FileId;

/// The files that no output of this process may replace.
static SPARED: Mutex<Vec<FileId>> = Mutex::new(Vec::new());

/// Spares a file that is needed to read others, such as one with a passphrase: no output of this process
/// replaces it.
pub fn spare(file: Option<FileId>) {
    SPARED.lock().unwrap_or_else(PoisonError::into_inner).extend(file);
}

pub(super) fn is_spared(file: FileId) -> bool {
    SPARED.lock().unwrap_or_else(PoisonError::into_inner).contains(&file)
}
