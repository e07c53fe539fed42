//! What this process knows of a key file.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::protocol::store::keyfile::KeyFile;

/// What a key file contained when this process last read or wrote it, if it did. The file is read
/// again under its lock, but it is parsed again only if its bytes are others: parsing a file of a
/// million keys takes ten times as long as hashing it.
#[derive(Debug, Clone, Default)]
pub struct Known(Option<Arc<Content>>);

#[derive(Debug)]
struct Content {
    hash: [u8; 32],
    file: KeyFile,
}

impl Known {
    /// Remembers the file that these bytes are.
    pub(super) fn of(bytes: &[u8], file: &KeyFile) -> Self {
        Self(Some(Arc::new(Content { hash: Sha256::digest(bytes).into(), file: file.clone() })))
    }

    /// The file that these bytes are, if they are the known ones.
    pub(super) fn file_of(&self, bytes: &[u8]) -> Option<&KeyFile> {
        let known = self.0.as_deref()?;
        (known.hash == <[u8; 32]>::from(Sha256::digest(bytes))).then_some(&known.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::store::keyfile::Keyring;

    #[test]
    fn other_bytes_are_not_known() {
        let file = KeyFile::Keyring(Keyring::new());
        let known = Known::of(b"as read", &file);
        assert_eq!(known.file_of(b"as read"), Some(&file));
        assert_eq!(known.file_of(b"as Read"), None);
        assert_eq!(Known::default().file_of(b""), None);
    }
}
