//! Sealed orders taken apart, in every serialization of RFC 7516 section 7.

use std::borrow::Cow;

use serde_json::Value;

use super::{Failure, MAX_HEADER, MAX_RECIPIENTS, Shape};
use crate::ciphers::base64url;
use crate::protocol::jose::batch::Manifest;
use crate::protocol::jose::json::{self, Object, SecretJson, text};
use crate::protocol::jose::line::trimmed;
use crate::protocol::model::{Form, JsonFault, LineFault, Malformed};

/// A sealed order for one recipient. All parts but `aad` are encoded in base64url.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct Token<'l> {
    /// The JOSE header.
    pub header: &'l [u8],
    /// The additional authenticated data of the content cipher.
    pub aad: &'l [u8],
    /// The encrypted key.
    pub encrypted_key: &'l [u8],
    /// The initialization vector.
    pub iv: &'l [u8],
    /// The ciphertext.
    pub ciphertext: &'l [u8],
    /// The tag.
    pub tag: &'l [u8],
}

impl<'l> Token<'l> {
    /// Splits a compact JWE (section 7.1) into its five segments.
    pub fn compact(line: &'l [u8]) -> Option<Self> {
        let mut dots = memchr::memchr_iter(b'.', line);
        let ends = [dots.next()?, dots.next()?, dots.next()?, dots.next()?];
        if dots.next().is_some() {
            return None;
        }
        let header = &line[..ends[0]];
        Some(Self {
            header,
            aad: header,
            encrypted_key: &line[ends[0] + 1..ends[1]],
            iv: &line[ends[1] + 1..ends[2]],
            ciphertext: &line[ends[2] + 1..ends[3]],
            tag: &line[ends[3] + 1..],
        })
    }
}

/// A sealed order in one of its serializations.
#[derive(Debug)]
pub(in crate::protocol) enum Sealed<'l> {
    /// The compact serialization.
    Compact(Token<'l>),
    /// The JSON serialization, general or flattened.
    Json(JsonToken),
}

impl<'l> Sealed<'l> {
    /// Takes a line or a document apart; `None` if there is nothing but white space, or the manifest of a
    /// batch.
    ///
    /// # Errors
    /// [`Failure`] if it is too long or not a sealed order.
    pub fn read(line: &'l [u8], shape: Shape) -> Result<Option<Self>, Failure> {
        if line.len() > shape.max_sealed() {
            let (what, most) = (shape.sealed_name(), shape.max_sealed() as u64);
            return Err(Failure::Malformed(Malformed::PartTooLong { what, most }));
        }
        let line = trimmed(line);
        match line.first() {
            None => Ok(None),
            Some(b'{') => JsonToken::read(line).map(Self::Json).map(Some),
            Some(_) => match Token::compact(line) {
                Some(token) => Ok(Some(Self::Compact(token))),
                None if shape == Shape::Line && Manifest::is_one(line) => Ok(None),
                None => Err(recognized(line, LineFault::Segments.into())),
            },
        }
    }

    /// The order for each of its recipients; at least one.
    pub fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        let (compact, json) = match self {
            Self::Compact(token) => (Some(*token), None),
            Self::Json(token) => (None, Some(token.tokens())),
        };
        compact.into_iter().chain(json.into_iter().flatten())
    }
}

/// The headers of a line, or of the first line of several, for all of its recipients.
pub(in crate::protocol) fn headers(lines: &[u8]) -> Vec<Cow<'_, [u8]>> {
    headers_of(trimmed(lines).split(|&byte| byte == b'\n').next().unwrap_or_default())
}

/// The headers of a line or a document for all of its recipients. The other parts of a compact JWE are
/// not looked at.
pub(in crate::protocol) fn headers_of(sealed: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let sealed = trimmed(sealed);
    if !is_json(sealed) {
        return sealed.split(|&byte| byte == b'.').next().map(Cow::Borrowed).into_iter().collect();
    }
    let recipients = JsonToken::read(sealed).map_or(Vec::new(), |token| token.recipients);
    recipients.into_iter().map(|one| Cow::Owned(one.header.into_bytes())).collect()
}

/// Whether a line is in the JSON serialization, or in none.
pub(super) fn is_json(line: &[u8]) -> bool {
    trimmed(line).first() == Some(&b'{')
}

/// Whether a JSON text, or its first line, is a sealed order in a JSON serialization.
pub fn is_sealed_json(text: &[u8]) -> bool {
    is_json(text) && (!headers(text).is_empty() || JsonToken::read(trimmed(text)).is_ok())
}

/// Whether a JSON text begins on the first line of these and goes on after it.
pub fn is_unfinished_json(lines: &[u8]) -> bool {
    let line = trimmed(lines).split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.first() == Some(&b'{') && matches!(json::parse(line), Err(JsonFault::CutOff { .. }))
}

/// The failure for a line that is not a sealed order: what it was recognized as, or the fault.
pub(super) fn recognized(line: &[u8], fault: Malformed) -> Failure {
    Form::of_line(trimmed(line)).map_or(Failure::Malformed(fault), Failure::Unexpected)
}

/// A sealed order in the JSON serialization (section 7.2).
#[derive(Debug)]
pub(in crate::protocol) struct JsonToken {
    recipients: Vec<Recipient>,
    aad: Vec<u8>,
    iv: String,
    ciphertext: String,
    tag: String,
}

/// What belongs to one recipient.
#[derive(Debug)]
struct Recipient {
    /// The JOSE header: the union of the protected, the shared and the recipient's members.
    header: String,
    encrypted_key: String,
}

impl JsonToken {
    fn read(line: &[u8]) -> Result<Self, Failure> {
        let value = json::parse(line).map_err(|fault| recognized(line, fault.into()))?;
        let members = value.as_object().ok_or(Failure::Malformed(LineFault::NoObject.into()))?;
        let Form::JsonSerialization(_) = Form::of_object(members) else {
            return Err(recognized(line, LineFault::NoObject.into()));
        };
        Self::of(members).map_err(Failure::Malformed)
    }

    fn of(members: &Object) -> Result<Self, Malformed> {
        let protected = part(members, "protected")?;
        let own = Headers {
            protected: decoded(protected).map_err(|fault| fault.within("header"))?,
            shared: object(members, "unprotected")?,
        };
        let one = |of: &Object| {
            Ok(Recipient {
                header: own.with(object(of, "header")?)?,
                encrypted_key: part(of, "encrypted_key")?.to_owned(),
            })
        };
        let recipients = match members.get("recipients") {
            None => vec![one(members)?],
            Some(Value::Array(several)) if several.len() > MAX_RECIPIENTS => {
                return Err(LineFault::Recipients(several.len()).into());
            }
            Some(Value::Array(several)) if !several.is_empty() => {
                if members.contains_key("header") || members.contains_key("encrypted_key") {
                    return Err(LineFault::TwoSyntaxes.into());
                }
                let object = |value: &'_ Value| match value.as_object() {
                    Some(recipient) => one(recipient),
                    None => Err(Malformed::member("recipients", "an array of objects")),
                };
                several.iter().map(object).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(Malformed::member("recipients", "an array of objects")),
        };
        let mut aad = protected.as_bytes().to_vec();
        if members.contains_key("aad") {
            let more = part(members, "aad")?;
            base64url::decode_to_vec(more.as_bytes()).ok_or(Malformed::Base64("aad"))?;
            aad.push(b'.');
            aad.extend_from_slice(more.as_bytes());
        }
        let (iv, tag) = (part(members, "iv")?.to_owned(), part(members, "tag")?.to_owned());
        let ciphertext = text(members, "ciphertext")?.to_owned();
        Ok(Self { recipients, aad, iv, ciphertext, tag })
    }

    fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        self.recipients.iter().map(|recipient| Token {
            header: recipient.header.as_bytes(),
            aad: &self.aad,
            encrypted_key: recipient.encrypted_key.as_bytes(),
            iv: self.iv.as_bytes(),
            ciphertext: self.ciphertext.as_bytes(),
            tag: self.tag.as_bytes(),
        })
    }
}

/// A member of the serialization: a string, or absent if it is empty (RFC 7516 section 7.2.1).
fn part<'a>(members: &'a Object, name: &str) -> Result<&'a str, Malformed> {
    match members.get(name) {
        None => Ok(""),
        Some(Value::Null) => Err(Malformed::member(name, "a string")),
        Some(_) => text(members, name),
    }
}

/// Headers that all recipients share.
struct Headers<'t> {
    /// Integrity-protected by the tag.
    protected: Option<SecretJson>,
    shared: Option<&'t Object>,
}

/// Members that decide what a line is. They must be protected: whoever could add them would turn an
/// order into a key.
const PROTECTED: [&str; 4] = ["crit", "cty", "typ", "chain"];

impl Headers<'_> {
    /// The header of a recipient, in base64url. Names may occur in one of the headers only
    /// (section 7.2.1).
    fn with(&self, own: Option<&Object>) -> Result<String, Malformed> {
        let mut all = match &self.protected {
            Some(protected) => protected.as_object().ok_or(LineFault::NoObject)?.clone(),
            None => Object::new(),
        };
        for (name, value) in [self.shared, own].into_iter().flatten().flatten() {
            if all.contains_key(name) {
                return Err(LineFault::NamedTwice(name.clone()).into());
            }
            if name == "crit" {
                return Err(LineFault::Unprotected("crit").into());
            }
            all.insert(name.clone(), value.clone());
        }
        for name in PROTECTED {
            if self.protected.as_ref().is_none_or(|protected| protected.get(name).is_none()) {
                all.remove(name);
            }
        }
        let text = SecretJson::new(Value::Object(all)).to_bytes();
        match text.len() > MAX_HEADER {
            true => Err(Malformed::TooLong(MAX_HEADER as u64).within("header")),
            false => Ok(base64url::encode_to_string(&text)),
        }
    }
}

/// A header that is an object, or nothing if it is empty.
fn decoded(protected: &str) -> Result<Option<SecretJson>, Malformed> {
    if protected.is_empty() {
        return Ok(None);
    }
    let text = base64url::decode_to_vec(protected.as_bytes()).ok_or(LineFault::Base64)?;
    Ok(Some(json::parse(&text)?))
}

fn object<'o>(members: &'o Object, name: &str) -> Result<Option<&'o Object>, Malformed> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Malformed::member(name, "an object")),
    }
}
