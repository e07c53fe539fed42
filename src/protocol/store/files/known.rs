//! What this process knows of a key file.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::protection::Protection;
use crate::protocol::store::keyfile::{FileText, Parsed};

/// What a key file contained when this process last read or wrote it, if it did. The file is read
/// again under its lock, but it is parsed again only if its bytes are others: parsing a file of a
/// million keys takes ten times as long as hashing it.
#[derive(Debug, Clone, Default)]
pub struct Known(Option<Arc<Content>>);

/// SHA-256 of a file.
type Hash = [u8; 32];

#[derive(Debug)]
struct Content {
    hash: Hash,
    parsed: Parsed,
    protection: Option<Protection>,
}

impl Known {
    /// Remembers the file that these bytes are.
    pub(super) fn of(bytes: &[u8], parsed: &Parsed, protection: Option<&Protection>) -> Self {
        Self::of_hash(Sha256::digest(bytes).into(), parsed, protection)
    }

    /// Remembers the file with this hash.
    pub(super) fn of_hash(hash: Hash, parsed: &Parsed, protection: Option<&Protection>) -> Self {
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
    fn is(&self, bytes: &[u8]) -> bool {
        self.has(Sha256::digest(bytes).into())
    }

    /// Whether this text is the known file.
    pub(super) fn is_text(&self, text: &FileText<'_>) -> bool {
        let Ok(hash) = write_hashed(text, |_| Ok::<_, std::convert::Infallible>(()));
        self.has(hash)
    }

    fn has(&self, hash: Hash) -> bool {
        self.0.as_deref().is_some_and(|known| known.hash == hash)
    }
}

/// Writes a text piece by piece, and returns its hash.
///
/// # Errors
/// Those of `write`.
pub(super) fn write_hashed<E>(
    text: &FileText<'_>,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Hash, E> {
    let mut hash = Sha256::new();
    text.pieces(|piece| {
        hash.update(piece);
        write(piece)
    })?;
    Ok(hash.finalize().into())
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
