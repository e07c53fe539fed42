//! A sealed order in 32 bytes, to recognize it again.

use sha2::{Digest, Sha256};

use super::Shape;
use super::token::{Sealed, Token};

/// SHA-256 of all parts of a sealed order that its tag authenticates, and the tag:
/// `aad..iv.ciphertext.tag`, where `aad` is the protected header, followed in the JSON serialization
/// by `.` and the member `aad` if there is one (RFC 7516 section 5.1, step 14).
///
/// The encrypted key is left out, as it is not authenticated: the same order may come again with the
/// same content key wrapped anew, or for other recipients, or in another serialization. `None` if the
/// line is not a sealed order.
pub fn line_hash(line: &[u8], shape: Shape) -> Option<[u8; 32]> {
    let sealed = Sealed::read(line, shape).ok().flatten()?;
    sealed.tokens().next().map(|token| hash_of(&token))
}

fn hash_of(token: &Token<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [token.aad, b"..", token.iv, b".", token.ciphertext, b".", token.tag] {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encrypted_key_and_the_serialization_do_not_matter() {
        let hash = |line: &str| line_hash(line.as_bytes(), Shape::Line);
        let compact = hash("eyJ9.a2V5.aXY.dGV4dA.dGFn");
        assert_eq!(compact, Some(Sha256::digest(b"eyJ9..aXY.dGV4dA.dGFn").into()));
        assert_eq!(hash("not a line"), None);
        assert_eq!(compact, hash("eyJ9.b3RoZXI.aXY.dGV4dA.dGFn\r"));
        let protected = crate::ciphers::base64url::encode_to_string(br#"{"enc":"A256GCM"}"#);
        let compact = hash(&format!("{protected}.a2V5.aXY.dGV4dA.dGFn"));
        let parts =
            format!(r#"{{"protected":"{protected}","iv":"aXY","ciphertext":"dGV4dA","tag":"dGFn""#);
        assert_eq!(compact, hash(&format!(r#"{parts},"encrypted_key":"a2V5"}}"#)));
        assert_eq!(compact, hash(&format!(r#"{parts},"recipients":[{{}},{{}}]}}"#)));
        assert_ne!(compact, hash(&format!(r#"{parts},"aad":"YQ","encrypted_key":"a2V5"}}"#)));
    }

    #[test]
    fn every_authenticated_part_matters() {
        let hash = |line: &str| line_hash(line.as_bytes(), Shape::Line);
        let all = ["e.k.i.c.t", "f.k.i.c.t", "e.k.j.c.t", "e.k.i.d.t", "e.k.i.c.u"].map(hash);
        let different: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
