//! Reads keys from JSON, and checks everything in them.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    AsKey, DecryptingKey, Jwk, KNAPSACK, Material, PRIVATE_RSA, PrivateHalf, PublicHalf, Refusal,
    Usage, curve, encodings, number, secret,
};
use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::Origin;
use crate::ciphers::{ecdh, knapsack, rsa};
use crate::protocol::jose::json::{Members, optional_text, text};
use crate::protocol::jose::pad::Pad;
use crate::protocol::jose::password::Password;
use crate::protocol::model::{
    Enc, KeyError, KeyFault, Kid, Malformed, Member, Unimplemented, Unsound, WrapAlgorithm,
};

impl Jwk {
    /// Reads a key in PEM or DER, or a secret key as raw bytes, in hexadecimal or in base64; `None` if
    /// the file has none of these encodings. `password` is the one of an encrypted private key.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and [`KeyError::Encrypted`].
    pub fn from_encoding(
        file: &[u8],
        password: Option<&Password>,
    ) -> Option<Result<Self, Refusal>> {
        let jwk = encodings::translate(file, password)?;
        Some(jwk.and_then(|jwk| Self::from_json(&jwk)))
    }

    /// Reads a JWK and checks that its components belong together.
    ///
    /// # Errors
    /// [`Refusal::Unusable`] for an unsupported key type, a key that is not for encryption, or
    /// components that contradict each other; [`Refusal::Malformed`] for anything else.
    pub fn from_json(value: &Value) -> Result<Self, Refusal> {
        Self::from_members(value.as_object().map(|members| members as &dyn Members))
    }

    /// Reads a JWK from the members of a JSON object, as [`from_json`](Self::from_json); `None` is
    /// another JSON value.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub(in crate::protocol) fn from_members(
        members: Option<&dyn Members>,
    ) -> Result<Self, Refusal> {
        let members = members.ok_or(Malformed::Expected("a key as a JSON object"))?;
        let usage = Usage::read(members)?;
        let kid = match optional_text(members, "kid")? {
            Some(text) => Some(Kid::new(text).ok_or(Malformed::Kid(text.len()))?),
            None => None,
        };
        let origin = match optional_text(members, "origin")? {
            None => Origin::System,
            Some("seeded") => Origin::Seeded,
            Some("register") => Origin::Register,
            Some(other) => return Err(KeyFault::Origin(other.to_owned()).into()),
        };
        let alg = optional_text(members, "alg")?;
        let cipher = alg.and_then(ContentCipher::from_name);
        let wrap = alg.filter(|_| cipher.is_none()).and_then(WrapAlgorithm::from_name);
        let takes_pad = cipher.is_some_and(|cipher| Enc::Cipher(cipher).takes_pad());
        let material = match text(members, "kty")? {
            "oct" if takes_pad => {
                DecryptingKey::Pad(Pad::new(offset(members)?, secret(members, "k")?)?).into()
            }
            "oct" => DecryptingKey::Secret(secret(members, "k")?).into(),
            "RSA" => rsa_key(members)?,
            kty @ (curve::EC | curve::OKP) => curve::key(kty, members)?,
            KNAPSACK => knapsack_key(members)?,
            other => {
                return Err(KeyError::from(Unimplemented::new(Member::KeyType, other)).into());
            }
        };
        let expected = cipher.map(ContentCipher::key_len).or_else(|| wrap?.key_len());
        if let (Some(alg), Some(key), Some(expected)) = (alg, material.as_key().secret(), expected)
            && key.len() != expected
        {
            let (alg, found) = (alg.to_owned(), key.len());
            return Err(KeyFault::Length { alg, found, expected }.into());
        }
        // A name that is known here is not copied.
        let known = cipher.map(ContentCipher::name).or_else(|| wrap.map(WrapAlgorithm::name));
        let alg = alg.map(|alg| known.map_or_else(|| alg.to_owned().into(), Cow::Borrowed));
        Ok(Self { kid, alg, usage, origin, material })
    }
}

fn rsa_key(members: &dyn Members) -> Result<Material, Refusal> {
    let (n, e) = (number(members, "n")?, number(members, "e")?);
    if members.has("oth") {
        return Err(KeyFault::ManyPrimes.into());
    }
    let [d, p, q, dp, dq, qi] = PRIVATE_RSA.map(|name| match members.has(name) {
        true => secret(members, name).map(Some),
        false => Ok(None),
    });
    let crt = match (dp?, dq?, qi?) {
        (Some(dp), Some(dq), Some(qi)) => Some((dp, dq, qi)),
        (None, None, None) => None,
        _ => return Err(KeyFault::PartOfCrt.into()),
    };
    let primes = match (p?, q?) {
        (Some(p), Some(q)) => Some((p, q)),
        (None, None) if crt.is_none() => None,
        (None, None) => return Err(KeyFault::NoPrimes.into()),
        _ => return Err(KeyFault::OnePrime.into()),
    };
    let Some(d) = d? else {
        return match primes {
            Some(_) => Err(KeyFault::NoExponent.into()),
            None => {
                let key = rsa::PublicKey::from_be_bytes(&n, &e)?;
                Ok(Material::Public(PublicHalf::Rsa(Box::new(key))))
            }
        };
    };
    let crt = crt.as_ref().map(|(dp, dq, qi)| rsa::Crt { dp, dq, qi });
    let primes = primes.as_ref().map(|(p, q)| rsa::Primes { p, q, crt });
    let components = rsa::Components { n: &n, e: &e, d: &d, primes };
    let pair = rsa::PrivateKey::from_components(&components)?;
    Ok(DecryptingKey::Private(PrivateHalf::Rsa(Box::new(pair))).into())
}

fn knapsack_key(members: &dyn Members) -> Result<Material, Refusal> {
    let within =
        |name: &'static str| move |fault| KeyError::Unsound(Unsound::Member { name, fault });
    let public =
        knapsack::PublicKey::from_bytes(&number(members, "pub")?).map_err(within("pub"))?;
    if !members.has("priv") {
        return Ok(Material::Public(PublicHalf::Knapsack(Box::new(public))));
    }
    let key =
        knapsack::PrivateKey::from_bytes(&secret(members, "priv")?).map_err(within("priv"))?;
    key.check_public(&public)?;
    Ok(DecryptingKey::Private(PrivateHalf::Knapsack(Box::new(key))).into())
}

/// Offset of a piece of pad within the whole.
fn offset(members: &dyn Members) -> Result<u64, Malformed> {
    let Some(value) = members.member("offset") else { return Ok(0) };
    let number = value.other().and_then(Value::as_u64);
    number.ok_or_else(|| Malformed::member("offset", "a whole number"))
}

impl From<rsa::KeyError> for Refusal {
    fn from(error: rsa::KeyError) -> Self {
        KeyError::Unsound(error.into()).into()
    }
}

impl From<ecdh::KeyError> for Refusal {
    fn from(error: ecdh::KeyError) -> Self {
        KeyError::Unsound(error.into()).into()
    }
}

impl From<knapsack::KeyError> for Refusal {
    fn from(error: knapsack::KeyError) -> Self {
        KeyError::Unsound(error.into()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::Wiped;
    use crate::protocol::jose::json::{self, SecretJson};

    /// The symmetric key of RFC 7516 appendix A.3.3.
    const A3: &str = r#"{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"}"#;

    fn json_of(key: &Jwk) -> SecretJson {
        let mut text = Wiped::default();
        key.view().write(None, &mut text);
        json::parse(&text).unwrap()
    }

    #[test]
    fn a_published_key_is_read_and_written() {
        let value: Value = serde_json::from_str(A3).unwrap();
        let jwk = Jwk::from_json(&value).unwrap();
        assert_eq!(jwk.material.as_key().secret().map(|key| key.len()), Some(16));
        let written = json_of(&jwk);
        assert_eq!(written["k"], value["k"]);
        assert_eq!(Jwk::from_json(&written), Ok(jwk));
    }

    #[test]
    fn malformed_keys_are_refused() {
        for (text, complaint) in [
            (r#"[]"#, "JSON object"),
            (r#"{"kty":"oct"}"#, "\"k\""),
            (r#"{"kty":"oct","k":"AB="}"#, "base64url"),
            (r#"{"kty":"oct","k":""}"#, "base64url"),
            (r#"{"kty":"oct","k":"AAAA","kid":7}"#, "kid"),
            (r#"{"kty":"oct","k":"AAAA","use":1}"#, "use"),
            (r#"{"kty":"oct","k":"AAAA","key_ops":"decrypt"}"#, "key_ops"),
            (r#"{"kty":"oct","k":"AAAA","key_ops":["decrypt",1]}"#, "key_ops"),
            (r#"{"kty":"oct","k":"AAAA","key_ops":["decrypt","decrypt"]}"#, "twice"),
            (r#"{"kty":"oct","k":"AAAA","alg":7}"#, "alg"),
            (r#"{"kty":"RSA","n":"AAAA"}"#, "\"e\""),
            (r#"{"kty":"EC","x":"AAAA","y":"AAAA"}"#, "\"crv\""),
            (r#"{"kty":"EC","crv":"P-256","x":"AAAA"}"#, "\"y\""),
            (r#"{"kty":"OKP","crv":"X25519"}"#, "\"x\""),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"AQAB"}"#, "\"q\""),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","q":"AQAB"}"#, "\"p\""),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","dq":"AQAB"}"#, "\"qi\""),
            (r#"{"kty":"RSA","n":"AA","e":"AA","d":"AA","dp":"AA","dq":"AA","qi":"AA"}"#, "\"p\""),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","p":"AQAB","q":"AQAB"}"#, "\"d\""),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let Err(Refusal::Malformed(found)) = Jwk::from_json(&value) else {
                panic!("{text}: not malformed");
            };
            assert!(found.to_string().contains(complaint), "{text}: {found}");
        }
    }

    #[test]
    fn keys_for_other_things_are_recognized() {
        for (text, complaint) in [
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
                "curve \"Ed25519\" (a signature, RFC 8037 section 3.1) is not supported",
            ),
            (
                r#"{"kty":"OKP","crv":"X448","x":"AAAA"}"#,
                "curve \"X448\" (RFC 8037 section 3.2) is not supported",
            ),
            (r#"{"kty":"OKP","crv":"P-256","x":"AAAA"}"#, "curve \"P-256\" is unknown here"),
            (r#"{"kty":"EC","crv":"X25519","x":"AAAA"}"#, "curve \"X25519\" is unknown here"),
            (r#"{"kty":"AKP"}"#, "key type \"AKP\" is unknown here"),
            (
                r#"{"kty":"oct","k":"AAAA","use":"sig"}"#,
                "the key is for \"sig\" (use), encryption is needed",
            ),
            (
                r#"{"kty":"oct","k":"AAAA","key_ops":["sign","verify"]}"#,
                "the key is for \"sign\", \"verify\" (key_ops), encryption is needed",
            ),
            (r#"{"kty":"oct","k":"AAAA","key_ops":[]}"#, "the key is for nothing (key_ops)"),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let Err(Refusal::Unusable(error)) = Jwk::from_json(&value) else {
                panic!("{text}: not unusable");
            };
            assert!(error.to_string().contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn use_and_key_ops_are_kept_as_they_were() {
        for usage in [
            "",
            r#","use":"enc""#,
            r#","key_ops":["unwrapKey","org.example"]"#,
            r#","key_ops":["decrypt"],"use":"enc""#,
        ] {
            let text = format!("{{\"k\":\"GawgguFyGrWKav7AX4VKUg\",\"kty\":\"oct\"{usage}}}");
            let value: Value = serde_json::from_str(&text).unwrap();
            let jwk = Jwk::from_json(&value).unwrap();
            assert_eq!(*json_of(&jwk), value);
            assert_eq!(jwk.view().text_len(), value.to_string().len());
        }
    }
}
