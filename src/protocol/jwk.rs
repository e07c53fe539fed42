//! JSON Web Keys (RFC 7517, RFC 7518 section 6).

mod material;

use serde_json::{Value, json};

pub use material::{Family, Material, RsaNumbers};

use crate::ciphers::Secret;
use crate::ciphers::base64url;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::Origin;
use crate::ciphers::wrap::WrapAlgorithm;
use crate::protocol::json::Object;
use crate::protocol::pad::Pad;
use crate::protocol::{Enc, Kid};

/// A key with its name and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// The key's name.
    pub kid: Option<Kid>,
    /// The one algorithm that the key is for, as in [`Suite::key_alg`](super::Suite::key_alg).
    pub alg: Option<String>,
    /// Where the key comes from.
    pub origin: Origin,
    /// The key itself.
    pub material: Material,
}

impl Jwk {
    /// Reads a JWK.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("expected a key as a JSON object")?;
        if let Some(usage) = optional_text(members, "use")?
            && usage != "enc"
        {
            return Err(format!("the key's \"use\" is {usage:?}, expected \"enc\""));
        }
        let kid = match optional_text(members, "kid")? {
            Some(text) => Some(Kid::new(text).ok_or_else(|| bad_kid(text))?),
            None => None,
        };
        let origin = match optional_text(members, "origin")? {
            None => Origin::System,
            Some("seeded") => Origin::Seeded,
            Some("register") => Origin::Register,
            Some(other) => return Err(format!("the key's origin {other:?} is unknown")),
        };
        let alg = optional_text(members, "alg")?.map(str::to_owned);
        let takes_pad = alg.as_deref().and_then(Enc::named).is_some_and(Enc::takes_pad);
        let material = match text(members, "kty")? {
            "oct" if takes_pad => Material::Pad(Pad::new(offset(members)?, secret(members, "k")?)?),
            "oct" => Material::Secret(secret(members, "k")?),
            "RSA" => rsa_numbers(members)?,
            KNAPSACK => match members.contains_key("priv") {
                true => Material::PrivateKnapsack {
                    public: number(members, "pub")?,
                    secret: secret(members, "priv")?,
                },
                false => Material::PublicKnapsack(number(members, "pub")?),
            },
            other => return Err(format!("key type {other:?}, expected \"oct\" or \"RSA\"")),
        };
        if let (Some(name), Material::Secret(key)) = (&alg, &material)
            && let Some(expected) = secret_len(name)
            && key.len() != expected
        {
            let found = key.len();
            return Err(format!("member \"k\" has {found} bytes, {name} takes {expected}"));
        }
        Ok(Self { kid, alg, origin, material })
    }

    /// Writes the JWK.
    pub fn to_json(&self) -> Value {
        let mut members = Object::new();
        let mut put = |name: &str, value: &str| members.insert(name.to_owned(), value.into());
        match &self.material {
            Material::Secret(key) => {
                put("kty", "oct");
                put("k", &base64url::encode_to_string(key));
            }
            Material::Pad(pad) => {
                put("kty", "oct");
                put("k", &base64url::encode_to_string(pad.key()));
            }
            Material::PublicRsa { n, e } => {
                put("kty", "RSA");
                put("n", &base64url::encode_to_string(n));
                put("e", &base64url::encode_to_string(e));
            }
            Material::PrivateRsa(numbers) => {
                put("kty", "RSA");
                put("n", &base64url::encode_to_string(&numbers.n));
                put("e", &base64url::encode_to_string(&numbers.e));
                put("d", &base64url::encode_to_string(&numbers.d));
                if let Some(primes) = &numbers.primes {
                    for (name, number) in PRIMES.into_iter().zip(primes) {
                        put(name, &base64url::encode_to_string(number));
                    }
                }
                if let Some(crt) = &numbers.crt {
                    for (name, number) in CRT.into_iter().zip(crt) {
                        put(name, &base64url::encode_to_string(number));
                    }
                }
            }
            Material::PublicKnapsack(_) | Material::PrivateKnapsack { .. } => {}
        }
        if let Material::PublicKnapsack(public) | Material::PrivateKnapsack { public, .. } =
            &self.material
        {
            put("kty", KNAPSACK);
            put("pub", &base64url::encode_to_string(public));
        }
        if let Material::PrivateKnapsack { secret, .. } = &self.material {
            put("priv", &base64url::encode_to_string(secret));
        }
        if let Some(kid) = &self.kid {
            put("kid", kid.as_str());
        }
        if let Some(alg) = &self.alg {
            put("alg", alg);
        }
        match self.origin {
            Origin::System => {}
            Origin::Seeded => {
                put("origin", "seeded");
            }
            Origin::Register => {
                put("origin", "register");
            }
        }
        if let Material::Pad(pad) = &self.material
            && pad.offset() > 0
        {
            members.insert("offset".to_owned(), json!(pad.offset()));
        }
        members.insert("use".to_owned(), json!("enc"));
        Value::Object(members)
    }
}

/// Length in bytes of a secret key for an algorithm, if that is known.
fn secret_len(alg: &str) -> Option<usize> {
    let content = ContentCipher::named(alg).map(ContentCipher::key_len);
    content.or_else(|| WrapAlgorithm::named(alg)?.key_len())
}

/// The key type of knapsacks, which no standard has.
const KNAPSACK: &str = "MH-KNAPSACK";

const PRIMES: [&str; 2] = ["p", "q"];
const CRT: [&str; 3] = ["dp", "dq", "qi"];

fn rsa_numbers(members: &Object) -> Result<Material, String> {
    let (n, e) = (number(members, "n")?, number(members, "e")?);
    if members.contains_key("oth") {
        return Err("the RSA key has more than two primes, which is not supported".to_owned());
    }
    if !members.contains_key("d") {
        return Ok(Material::PublicRsa { n, e });
    }
    let d = secret(members, "d")?;
    let primes = match members.contains_key("p") {
        true => Some([secret(members, "p")?, secret(members, "q")?]),
        false => None,
    };
    let crt = match primes.is_some() && members.contains_key("dp") {
        true => Some([secret(members, "dp")?, secret(members, "dq")?, secret(members, "qi")?]),
        false => None,
    };
    Ok(Material::PrivateRsa(Box::new(RsaNumbers { n, e, d, primes, crt })))
}

fn bad_kid(text: &str) -> String {
    format!("kid {text:?}, expected SHOP or SHOP/ID, each 1 to 64 of A-Z a-z 0-9 . _ -")
}

/// A member that has to be there and be a string.
pub(super) fn text<'a>(members: &'a Object, name: &str) -> Result<&'a str, String> {
    optional_text(members, name)?.ok_or_else(|| format!("no member {name:?}"))
}

/// A member that has to be a string if it is there.
pub(super) fn optional_text<'a>(
    members: &'a Object,
    name: &str,
) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("member {name:?} is not a string")),
    }
}

/// Where a piece of pad begins in the whole.
fn offset(members: &Object) -> Result<u64, String> {
    match members.get("offset") {
        None => Ok(0),
        Some(value) => value.as_u64().ok_or("member \"offset\" is not a whole number".to_owned()),
    }
}

fn number(members: &Object, name: &str) -> Result<Vec<u8>, String> {
    base64url::decode_to_vec(text(members, name)?.as_bytes())
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| format!("member {name:?} is not base64url without padding"))
}

fn secret(members: &Object, name: &str) -> Result<Secret, String> {
    number(members, name).map(Secret::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The symmetric key of RFC 7516 appendix A.3.3.
    const A3: &str = r#"{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"}"#;

    #[test]
    fn a_published_key_is_read_and_written() {
        let value: Value = serde_json::from_str(A3).unwrap();
        let jwk = Jwk::from_json(&value).unwrap();
        assert!(matches!(&jwk.material, Material::Secret(key) if key.len() == 16));
        assert_eq!(jwk.to_json()["k"], value["k"]);
        assert_eq!(Jwk::from_json(&jwk.to_json()), Ok(jwk));
    }

    #[test]
    fn malformed_keys_are_refused() {
        for (text, complaint) in [
            (r#"[]"#, "JSON object"),
            (r#"{"kty":"EC"}"#, "key type"),
            (r#"{"kty":"oct"}"#, "\"k\""),
            (r#"{"kty":"oct","k":"AB="}"#, "base64url"),
            (r#"{"kty":"oct","k":""}"#, "base64url"),
            (r#"{"kty":"oct","k":"AAAA","kid":"../x"}"#, "kid"),
            (r#"{"kty":"oct","k":"AAAA","use":"sig"}"#, "use"),
            (r#"{"kty":"oct","k":"AAAA","alg":7}"#, "alg"),
            (r#"{"kty":"RSA","n":"AAAA"}"#, "\"e\""),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"AQAB"}"#, "\"q\""),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let found = Jwk::from_json(&value).unwrap_err();
            assert!(found.contains(complaint), "{text}: {found}");
        }
    }
}
