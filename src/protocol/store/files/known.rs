//! What this process knows of a key file.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::protection::Protection;
use crate::protocol::store::keyfile::Parsed;

/// What a key file contained when this process last read or wrote it, if it did. The file is read
/// again under its lock, but it is parsed again only if its bytes are others: parsing a file of a
/// million keys takes ten times as long as hashing it.
#[derive(Debug, Clone, Default)]
pub struct Known(Option<Arc<Content>>);

#[derive(Debug)]
struct Content {
    hash: [u8; 32],
    parsed: Parsed,
    protection: Option<Protection>,
}

impl Known {
    /// Remembers the file that these bytes are.
    pub(super) fn of(bytes: &[u8], parsed: &Parsed, protection: Option<&Protection>) -> Self {
        let hash = Sha256::digest(bytes).into();
        let (parsed, protection) = (parsed.clone(), protection.cloned());
        Self(Some(Arc::new(Content { hash, parsed, protection })))
    }

    /// How the file is protected.
    pub(super) fn protection(&self) -> Option<&Protection> {
        self.0.as_deref()?.protection.as_ref()
    }

    /// The file that these bytes are, if they are the known ones.
    pub(super) fn file_of(&self, bytes: &[u8]) -> Option<&Parsed> {
        let known = self.0.as_deref()?;
        self.is(bytes).then_some(&known.parsed)
    }

    /// Whether these bytes are the known ones.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        let hash = <[u8; 32]>::from(Sha256::digest(bytes));
        self.0.as_deref().is_some_and(|known| known.hash == hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::model::Place;

    #[test]
    fn other_bytes_are_not_known() {
        let parsed = Parsed::read(br#"{"keys":[]}"#, None, &Place::file("test")).unwrap();
        let known = Known::of(b"as read", &parsed, None);
        assert!(known.file_of(b"as read").is_some());
        assert!(known.file_of(b"as Read").is_none());
        assert!(Known::default().file_of(b"").is_none());
    }
}
