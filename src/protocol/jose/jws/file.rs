//! Signatures of files: tokens without their payload, which is the file (RFC 7515 appendix F).

use serde_json::{Value, json};

use super::{ALG, JwsFault, SigningKey, Thumbprint, VerifyingKey, check_header, signed_text};
use crate::ciphers::base64url;
use crate::protocol::jose::json;

/// The type of the signature of a file.
const TYP: &str = "orderseal-file";

/// Why a signed file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedFault {
    /// The signature.
    #[error(transparent)]
    Signature(#[from] JwsFault),
    /// Another key than the one that is known.
    #[error("signed by {found}, expected {expected}")]
    OtherKey {
        /// The key that signed.
        found: Thumbprint,
        /// The key that was expected.
        expected: Thumbprint,
    },
}

impl SigningKey {
    /// Signs a file; `kind` says what it is. The header has the public key, which counts only where its
    /// thumbprint is known.
    pub fn sign_file(&self, kind: &str, file: &[u8]) -> String {
        let public = self.verifying();
        let kid = public.thumbprint().to_string();
        let x = base64url::encode_to_string(public.0.as_bytes());
        let jwk = json!({ "crv": "Ed25519", "kty": "OKP", "x": x });
        let header = json!({ "alg": ALG, "typ": TYP, "kid": kid, "kind": kind, "jwk": jwk });
        let header = base64url::encode_to_string(header.to_string().as_bytes());
        let signature = self.signature(&signed_text(&header, file));
        format!("{header}..{signature}")
    }
}

/// Verifies the signature of a file by the key of a thumbprint; returns what the file was signed as.
///
/// # Errors
/// [`SignedFault`].
pub fn verify_file(token: &str, file: &[u8], expected: Thumbprint) -> Result<String, SignedFault> {
    let (header, signature) = token.split_once("..").ok_or(JwsFault::Form)?;
    let text = base64url::decode_to_vec(header.as_bytes()).ok_or(JwsFault::Form)?;
    check_header(&text, Some(TYP))?;
    let members = json::parse(&text).map_err(|_| JwsFault::Form)?;
    let key = members.get("jwk").and_then(Value::as_object).ok_or(JwsFault::Form)?;
    let key = VerifyingKey::from_jwk(key).map_err(|_| JwsFault::Form)?;
    let found = key.thumbprint();
    if found != expected {
        return Err(SignedFault::OtherKey { found, expected });
    }
    key.verify_text(&signed_text(header, file), signature)?;
    let kind = members.get("kind").and_then(Value::as_str).ok_or(JwsFault::Form)?;
    Ok(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SystemSource};

    #[test]
    fn a_signed_file_verifies_by_its_key_and_no_other() {
        let key = SigningKey::random(&mut SystemSource::new().unwrap().stream(1));
        let other = SigningKey::random(&mut SystemSource::new().unwrap().stream(0));
        let known = key.verifying().thumbprint();
        let token = key.sign_file("client's bundle", b"file");
        assert_eq!(verify_file(&token, b"file", known).unwrap(), "client's bundle");
        let wrong = Err(SignedFault::Signature(JwsFault::Signature));
        assert_eq!(verify_file(&token, b"filf", known), wrong);
        assert_eq!(verify_file(&token, b"", known), wrong);
        let (found, expected) = (known, other.verifying().thumbprint());
        assert_eq!(
            verify_file(&token, b"file", expected),
            Err(SignedFault::OtherKey { found, expected })
        );
        // The header is signed: another kind does not verify.
        let (header, signature) = token.split_once("..").unwrap();
        let header =
            String::from_utf8(base64url::decode_to_vec(header.as_bytes()).unwrap()).unwrap();
        let header = base64url::encode_to_string(header.replace("client's", "shop's").as_bytes());
        assert_eq!(verify_file(&format!("{header}..{signature}"), b"file", known), wrong);
        // A manifest is no signature of a file, whatever the file is.
        let batch = key.sign("orderseal-batch", b"file");
        for token in [batch.as_str(), "", "..", &token[1..], &token[..token.len() - 1]] {
            assert!(verify_file(token, b"file", known).is_err(), "{token}");
        }
    }
}
