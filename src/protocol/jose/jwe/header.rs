//! The protected header of a sealed order.

use std::borrow::Cow;

use super::chain::{self, Links};
use super::{MAX_HEADER, headers};
use crate::ciphers::base64url::{self, encoded_length};
use crate::protocol::jose::alg::KeyParams;
use crate::protocol::jose::batch::after_plain;
use crate::protocol::jose::json::{self, optional_text, text};
use crate::protocol::model::{Kid, LineFault, MAX_KID, Malformed};

/// Content type of a line that carries a key instead of an order (RFC 7517 section 7).
const CTY_JWK: &str = "jwk+json";

/// Content type of a sealed JWK Set.
const CTY_JWK_SET: &str = "jwk-set+json";

/// Type of the first line of a sealed stream.
const TYP_STREAM: &str = "orderseal-stream";

/// The content of a sealed line, according to its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carries {
    /// An order.
    Order,
    /// A key, as a JWK (`cty` is `jwk+json`).
    Key,
    /// A set of keys, as a JWK Set (`cty` is `jwk-set+json`).
    KeySet,
    /// The key of the stream that follows (`typ` is `orderseal-stream`).
    StreamKey,
}

impl Carries {
    /// Reads the content from the header of a line; an order unless the header names something else.
    pub fn of_line(line: &[u8]) -> Self {
        let headers = headers(line);
        let Some(header) = headers.first() else { return Self::Order };
        Header::decode(header, &mut Vec::new()).map_or(Self::Order, |header| header.carries)
    }

    /// Whether a line says in its header that it carries a key or a set of keys. The rest of the header may
    /// be malformed.
    pub fn claims_keys(line: &[u8]) -> bool {
        let headers = headers(line);
        let header = headers.first().filter(|header| header.len() <= encoded_length(MAX_HEADER));
        let text = header.and_then(|header| base64url::decode_to_vec(header));
        let value = text.and_then(|text| json::parse(&text).ok());
        let cty = value.as_ref().and_then(|value| value.get("cty")?.as_str());
        cty.is_some_and(|cty| [CTY_JWK, CTY_JWK_SET].contains(&cty))
    }

    /// The header member that names this content.
    pub(super) fn member(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Order => None,
            Self::Key => Some(("cty", CTY_JWK)),
            Self::KeySet => Some(("cty", CTY_JWK_SET)),
            Self::StreamKey => Some(("typ", TYP_STREAM)),
        }
    }

    /// The content in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Order => "an order",
            Self::Key => "a wrapped key (cty jwk+json)",
            Self::KeySet => "protected keys (cty jwk-set+json)",
            Self::StreamKey => "a sealed stream (typ orderseal-stream)",
        }
    }
}

/// A parsed and well-formed protected header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'t> {
    /// Key management algorithm, by name; checked against the key later.
    pub alg: Cow<'t, str>,
    /// Content encryption algorithm, by name.
    pub enc: Cow<'t, str>,
    /// Whether the tag protects any of it; in the compact serialization it protects everything.
    pub protected: bool,
    /// The name of the key, as in a [`Kid`].
    pub kid: Option<Cow<'t, str>>,
    /// What the header carries beside the encrypted key.
    pub params: KeyParams,
    /// Links of a chain: wrapped content-encryption keys, outermost first.
    pub chain: Links,
    /// The content of the line.
    pub carries: Carries,
    /// The header's `typ`, if present.
    pub typ: Option<String>,
}

impl<'t> Header<'t> {
    /// Decodes and parses the first segment of a line. `text` is the buffer for the decoded bytes.
    ///
    /// # Errors
    /// [`Malformed`] if the header is too long, not canonical base64url, not JSON, or has
    /// duplicate names or an unknown critical member, or if the content is compressed.
    pub fn decode(segment: &[u8], text: &'t mut Vec<u8>) -> Result<Self, Malformed> {
        Self::read(segment, text).map_err(|found| found.within("header"))
    }

    fn read(segment: &[u8], text: &'t mut Vec<u8>) -> Result<Self, Malformed> {
        if segment.len() > encoded_length(MAX_HEADER) {
            return Err(Malformed::TooLong(MAX_HEADER as u64));
        }
        base64url::decode_into(segment, text).ok_or(LineFault::Base64)?;
        if let Some(header) = Self::plain(text) {
            return Ok(header);
        }
        let value = json::parse(text)?;
        let members = value.as_object().ok_or(LineFault::NoObject)?;
        if members.contains_key("zip") {
            return Err(LineFault::Compressed.into());
        }
        let kid = optional_text(members, "kid")?;
        if let Some(kid) = kid.filter(|kid| kid.len() > MAX_KID) {
            return Err(Malformed::Kid(kid.len()));
        }
        let owned = |text: &str| Cow::Owned(text.to_owned());
        Ok(Self {
            alg: owned(self::text(members, "alg")?),
            enc: owned(self::text(members, "enc")?),
            protected: true,
            kid: kid.map(owned),
            params: KeyParams::read(self::text(members, "alg")?, members)?,
            chain: chain::read(members)?,
            carries: match (optional_text(members, "typ")?, optional_text(members, "cty")?) {
                (Some(TYP_STREAM), _) => Carries::StreamKey,
                (_, Some(CTY_JWK)) => Carries::Key,
                (_, Some(CTY_JWK_SET)) => Carries::KeySet,
                _ => Carries::Order,
            },
            typ: optional_text(members, "typ")?.map(str::to_owned),
        })
    }

    /// The name of the key in a decoded header, if that is the last member, as in the form of most
    /// headers. It is a hint only: the text is not checked.
    pub(in crate::protocol) fn hint(text: &[u8]) -> Option<&[u8]> {
        let text = text.strip_suffix(br#""}"#)?;
        let (rest, kid) = text.split_at(memchr::memrchr(b'"', text)? + 1);
        // A name with escapes is read with the whole header.
        (rest.ends_with(br#","kid":""#) && !kid.contains(&b'\\')).then_some(kid)
    }

    /// Parses the form of most headers, exactly `{"alg":"…","enc":"…","kid":"…"}`, also with the member of a
    /// signed batch before the name, and the ephemeral key that is added on X25519. This is many times as
    /// fast as parsing JSON in general, and just as strict, as the names made here contain no characters
    /// that need escapes.
    fn plain(text: &'t [u8]) -> Option<Self> {
        let (alg, rest) = plain_name(text.strip_prefix(br#"{"alg":""#)?)?;
        let (enc, rest) = plain_name(rest.strip_prefix(br#"","enc":""#)?)?;
        let rest = after_plain(rest.strip_prefix(b"\",")?).strip_prefix(br#""kid":""#)?;
        let (kid, rest) = rest.split_at(rest.iter().position(|&byte| byte == b'"')?);
        let params = match rest {
            br#""}"# => KeyParams::None,
            rest => KeyParams::plain(alg, rest.strip_prefix(b"\",")?.strip_suffix(b"}")?)?,
        };
        let kid = str::from_utf8(kid).ok().filter(|kid| Kid::has_form(kid))?;
        Some(Self {
            alg: Cow::Borrowed(alg),
            enc: Cow::Borrowed(enc),
            protected: true,
            kid: Some(Cow::Borrowed(kid)),
            params,
            chain: Vec::new(),
            carries: Carries::Order,
            typ: None,
        })
    }
}

/// Splits off the name of an algorithm before a quotation mark; returns the name and the rest,
/// which starts with that mark.
fn plain_name(text: &[u8]) -> Option<(&str, &[u8])> {
    let (name, rest) = text.split_at(text.iter().position(|&byte| byte == b'"')?);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || [b'-', b'+'].contains(byte);
    let name = name.iter().all(plain).then(|| str::from_utf8(name).ok())??;
    Some((name, rest))
}
