//! JWS (RFC 7515): EdDSA with Ed25519 (RFC 8037) in compact serialization, and its keys.

mod file;

use std::fmt;

use ed25519_dalek::{Signature, Signer};
use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::json::{self, Object, optional_text, text};
use crate::ciphers::base64url;
use crate::ciphers::random::KeyStream;
use crate::protocol::model::Malformed;

pub use file::{SignedFault, verify_file};

/// The only algorithm (RFC 8037 section 3.1).
const ALG: &str = "EdDSA";

/// Length in bytes of a seed and of a public key.
const KEY_LEN: usize = 32;

/// Why a signed token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsFault {
    /// Not three segments in base64url with a JSON header in front.
    #[error("not a signed token")]
    Form,
    /// Another `alg`, or a critical member of the header.
    #[error("not signed with EdDSA alone: another algorithm, or a critical header member")]
    Algorithm,
    /// Another `typ`: a token that was signed for another purpose.
    #[error("a signed token of another type")]
    Type,
    /// The signature is not one by the key.
    #[error("the signature does not verify")]
    Signature,
}

/// A key that signs. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    pair: ed25519_dalek::SigningKey,
    /// That of the public half, which every token names.
    thumbprint: Thumbprint,
}

/// A public key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

/// The thumbprint of a public key: SHA-256 (RFC 7638, RFC 8037 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thumbprint([u8; 32]);

impl SigningKey {
    /// Draws a new key.
    pub fn random(random: &mut KeyStream) -> Self {
        let mut seed = Zeroizing::new([0; KEY_LEN]);
        random.fill_bytes(&mut seed[..]);
        Self::from_seed(&seed)
    }

    fn from_seed(seed: &[u8; KEY_LEN]) -> Self {
        let pair = ed25519_dalek::SigningKey::from_bytes(seed);
        let thumbprint = VerifyingKey(pair.verifying_key()).thumbprint();
        Self { pair, thumbprint }
    }

    /// The public half.
    pub fn verifying(&self) -> VerifyingKey {
        VerifyingKey(self.pair.verifying_key())
    }

    /// Signs a payload; `typ` says what the token is for. The header names the key by its thumbprint.
    pub fn sign(&self, typ: &str, payload: &[u8]) -> String {
        let header = json!({ "alg": ALG, "typ": typ, "kid": self.thumbprint.to_string() });
        self.sign_under(&header, payload)
    }

    fn sign_under(&self, header: &Value, payload: &[u8]) -> String {
        let header = base64url::encode_to_string(header.to_string().as_bytes());
        let mut token = signed_text(&header, payload);
        let signature = self.signature(&token);
        token.push('.');
        token.push_str(&signature);
        std::mem::take(&mut token)
    }

    /// The signature of a text, in base64url.
    fn signature(&self, signed: &str) -> String {
        base64url::encode_to_string(&self.pair.sign(signed.as_bytes()).to_bytes())
    }

    /// Reads a file with a JWK with its private member.
    ///
    /// # Errors
    /// As [`from_jwk`](Self::from_jwk), and for a text that is no JSON object.
    pub fn parse(file: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse(file)?;
        Self::from_jwk(value.as_object().ok_or(Malformed::Expected("a JSON object"))?)
    }

    /// The key as a JWK (RFC 8037 section 2), with its private member.
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.verifying().to_jwk();
        let seed = Zeroizing::new(self.pair.to_bytes());
        jwk["d"] = json!(base64url::encode_to_string(&seed[..]));
        jwk
    }

    /// Reads a JWK with its private member.
    ///
    /// # Errors
    /// What is missing or contradicts itself.
    pub fn from_jwk(jwk: &Object) -> Result<Self, Malformed> {
        let public = VerifyingKey::from_jwk(jwk)?;
        let seed = Zeroizing::new(bytes(jwk, "d")?);
        let key = Self::from_seed(&seed);
        match key.verifying() == public {
            true => Ok(key),
            false => Err(Malformed::member("x", "the public half of \"d\"")),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

impl VerifyingKey {
    /// The thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        let x = base64url::encode_to_string(self.0.as_bytes());
        let text = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Thumbprint(Sha256::digest(text).into())
    }

    /// Verifies a token of exactly this type, and returns its payload.
    ///
    /// # Errors
    /// [`JwsFault`].
    pub fn verify(&self, typ: &str, token: &str) -> Result<Vec<u8>, JwsFault> {
        self.verify_as(Some(typ), token)
    }

    fn verify_as(&self, typ: Option<&str>, token: &str) -> Result<Vec<u8>, JwsFault> {
        let decode = |segment: &str| base64url::decode_to_vec(segment.as_bytes());
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsFault::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsFault::Form)?;
        check_header(&decode(header).ok_or(JwsFault::Form)?, typ)?;
        let payload = decode(payload).ok_or(JwsFault::Form)?;
        self.verify_text(signed, signature).map(|()| payload)
    }

    /// Verifies the signature of a text, in base64url.
    fn verify_text(&self, signed: &str, signature: &str) -> Result<(), JwsFault> {
        let signature = base64url::decode_to_vec(signature.as_bytes()).ok_or(JwsFault::Form)?;
        let signature = Signature::from_slice(&signature).map_err(|_| JwsFault::Form)?;
        let verified = self.0.verify_strict(signed.as_bytes(), &signature);
        verified.map_err(|_| JwsFault::Signature)
    }

    /// Reads a file with a JWK; a private member is ignored.
    ///
    /// # Errors
    /// As [`from_jwk`](Self::from_jwk), and for a text that is no JSON object.
    pub fn parse(file: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse(file)?;
        Self::from_jwk(value.as_object().ok_or(Malformed::Expected("a JSON object"))?)
    }

    /// The key as a JWK (RFC 8037 section 2).
    pub fn to_jwk(&self) -> Value {
        let x = base64url::encode_to_string(self.0.as_bytes());
        json!({ "alg": ALG, "crv": "Ed25519", "kty": "OKP", "use": "sig", "x": x })
    }

    /// Reads a JWK; a private member is ignored.
    ///
    /// # Errors
    /// What is missing, or no point of the curve of full order.
    pub fn from_jwk(jwk: &Object) -> Result<Self, Malformed> {
        for (member, expected) in [("kty", "OKP"), ("crv", "Ed25519")] {
            if text(jwk, member)? != expected {
                return Err(Malformed::member(member, "that of an Ed25519 key"));
            }
        }
        for (member, allowed) in [("alg", &[ALG, "Ed25519"][..]), ("use", &["sig"][..])] {
            if optional_text(jwk, member)?.is_some_and(|found| !allowed.contains(&found)) {
                return Err(Malformed::member(member, "that of an Ed25519 key"));
            }
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes(jwk, "x")?);
        let key = key.ok().filter(|key| !key.is_weak());
        key.map(Self).ok_or_else(|| Malformed::member("x", "an Ed25519 public key"))
    }
}

/// The text that is signed (RFC 7515 section 5.1): the payload may be secret.
fn signed_text(header: &str, payload: &[u8]) -> Zeroizing<String> {
    // With room for the signature.
    let segments = [payload.len(), Signature::BYTE_SIZE].map(base64url::encoded_length);
    let len = header.len() + segments.map(|len| 1 + len).iter().sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(len));
    text.push_str(header);
    text.push('.');
    text.push_str(&Zeroizing::new(base64url::encode_to_string(payload)));
    text
}

/// The key that the header of a token names, by its thumbprint. Nothing of it is verified.
pub fn key_id(token: &str) -> Option<Thumbprint> {
    let header = base64url::decode_to_vec(token.split('.').next()?.as_bytes())?;
    let header = json::parse(&header).ok()?;
    Thumbprint::parse(header.get("kid")?.as_str()?)
}

impl Thumbprint {
    /// Reads it in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_to_vec(text.as_bytes())?.try_into().ok().map(Self)
    }
}

/// In base64url.
impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode_to_string(&self.0))
    }
}

/// Checks the header of a token. Nothing in it chooses the algorithm or the key.
fn check_header(header: &[u8], typ: Option<&str>) -> Result<(), JwsFault> {
    let header = json::parse(header).map_err(|_| JwsFault::Form)?;
    let header = header.as_object().ok_or(JwsFault::Form)?;
    if optional_text(header, "alg") != Ok(Some(ALG)) || header.contains_key("crit") {
        return Err(JwsFault::Algorithm);
    }
    match optional_text(header, "typ") {
        Ok(found) if found == typ => Ok(()),
        Ok(_) | Err(_) => Err(JwsFault::Type),
    }
}

/// A member of 32 bytes.
fn bytes(jwk: &Object, name: &'static str) -> Result<[u8; KEY_LEN], Malformed> {
    let decoded = base64url::decode_to_vec(text(jwk, name)?.as_bytes()).map(Zeroizing::new);
    let decoded = decoded.ok_or(Malformed::Base64(name))?;
    let found = decoded.len();
    let fitting = <[u8; KEY_LEN]>::try_from(&decoded[..]);
    fitting.map_err(|_| Malformed::Length { what: name, found, expected: KEY_LEN })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SystemSource};

    /// RFC 8037 appendix A.1.
    const PRIVATE: &str = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 8037 appendix A.4.
    const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn object(text: &str) -> Object {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn signs_and_verifies_rfc_8037_appendix_a_4() {
        let key = SigningKey::from_jwk(&object(PRIVATE)).unwrap();
        assert_eq!(key.sign_under(&json!({ "alg": ALG }), b"Example of Ed25519 signing"), SIGNED);
        let public = VerifyingKey::from_jwk(&object(PRIVATE)).unwrap();
        assert_eq!(public.verify_as(None, SIGNED).unwrap(), b"Example of Ed25519 signing");
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let public = VerifyingKey::from_jwk(&object(PRIVATE)).unwrap();
        let expected = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert_eq!(public.thumbprint().to_string(), expected);
        assert_eq!(Thumbprint::parse(expected), Some(public.thumbprint()));
    }

    #[test]
    fn keys_are_read_back_as_written_and_never_printed() {
        let key = SigningKey::random(&mut SystemSource::new().unwrap().stream(0));
        let jwk = key.to_jwk();
        assert_eq!(SigningKey::from_jwk(jwk.as_object().unwrap()).unwrap(), key);
        assert_eq!(format!("{key:?}"), "SigningKey([redacted])");
        let public = key.verifying();
        assert_eq!(VerifyingKey::from_jwk(public.to_jwk().as_object().unwrap()).unwrap(), public);
        assert!(public.to_jwk().get("d").is_none());
    }

    #[test]
    fn keys_that_contradict_themselves_are_refused() {
        let other = SigningKey::random(&mut SystemSource::new().unwrap().stream(0));
        let x = other.verifying().to_jwk()["x"].as_str().unwrap().to_owned();
        for (member, value, told) in [
            ("x", x.as_str(), "member \"x\" is not the public half of \"d\""),
            // The point of order 1.
            (
                "x",
                "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "member \"x\" is not an Ed25519 public key",
            ),
            ("kty", "oct", "member \"kty\" is not that of an Ed25519 key"),
            ("crv", "X25519", "member \"crv\" is not that of an Ed25519 key"),
            ("alg", "ES256", "member \"alg\" is not that of an Ed25519 key"),
            ("use", "enc", "member \"use\" is not that of an Ed25519 key"),
        ] {
            let mut jwk = object(PRIVATE);
            jwk.insert(member.to_owned(), json!(value));
            let found = SigningKey::from_jwk(&jwk).unwrap_err();
            assert_eq!(found.to_string(), told);
        }
        for member in ["kty", "crv", "x", "d"] {
            let mut jwk = object(PRIVATE);
            jwk.remove(member);
            assert!(SigningKey::from_jwk(&jwk).is_err(), "{member}");
        }
    }

    #[test]
    fn tokens_of_another_form_type_algorithm_or_signature_are_refused() {
        let key = SigningKey::from_jwk(&object(PRIVATE)).unwrap();
        let public = key.verifying();
        let token = key.sign("a+jwt", b"{}");
        assert_eq!(public.verify("a+jwt", &token).unwrap(), b"{}");
        assert_eq!(key_id(&token), Some(public.thumbprint()));
        assert_eq!(public.verify("b+jwt", &token), Err(JwsFault::Type));
        assert_eq!(public.verify_as(None, &token), Err(JwsFault::Type));
        assert_eq!(public.verify("a+jwt", SIGNED), Err(JwsFault::Type));

        let with_header = |header: &str| {
            let header = base64url::encode_to_string(header.as_bytes());
            let signed = format!("{header}.e30");
            let signature = key.pair.sign(signed.as_bytes()).to_bytes();
            format!("{signed}.{}", base64url::encode_to_string(&signature))
        };
        for (header, fault) in [
            (r#"{"alg":"none"}"#, JwsFault::Algorithm),
            (r#"{"alg":"HS256"}"#, JwsFault::Algorithm),
            (r#"{}"#, JwsFault::Algorithm),
            (r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, JwsFault::Algorithm),
            (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, JwsFault::Form),
            ("[]", JwsFault::Form),
        ] {
            assert_eq!(public.verify_as(None, &with_header(header)), Err(fault), "{header}");
        }
        assert!(public.verify_as(None, &with_header(r#"{"alg":"EdDSA","kid":"x"}"#)).is_ok());

        for index in 0..SIGNED.len() {
            let mut changed = SIGNED.as_bytes().to_vec();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(public.verify_as(None, &changed).is_err(), "{index}");
        }
        for cut in 0..SIGNED.len() {
            assert!(public.verify_as(None, &SIGNED[..cut]).is_err(), "{cut}");
        }
        for wrong in [format!("{SIGNED}="), format!("{SIGNED}.AA"), format!(".{SIGNED}")] {
            assert!(public.verify_as(None, &wrong).is_err(), "{wrong}");
        }
    }
}
