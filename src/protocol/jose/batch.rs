//! Signed batches: what each line says of its batch, and the manifest that ends it.

use std::fmt;

use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::json::{self, Object, text};
use super::jws::{JwsFault, SigningKey, Thumbprint, VerifyingKey, key_id};
use super::line::{MAX_HEADER, trimmed};
use crate::ciphers::base64url;
use crate::ciphers::random::KeyStream;
use crate::protocol::model::{Kid, Malformed, Name, Time};

/// The header member of a line that belongs to a signed batch.
pub(super) const MEMBER: &str = "batch";

/// The type of a manifest.
const TYP: &str = "orderseal-batch";

/// The longest encoded header of a manifest that is looked at.
const MAX_SIGNED_HEADER: usize = 1 << 10;

/// A hash by SHA-256.
pub type Hash = [u8; 32];

/// What identifies a batch: 16 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId([u8; 16]);

/// The batch of a line: who signs it, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchMark {
    /// The key that signs.
    pub by: Thumbprint,
    /// The id of the batch.
    pub batch: BatchId,
}

/// What the protected header of a line says of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMark {
    /// The batch.
    pub of: BatchMark,
    /// The number of the line in it, counted from 1.
    pub line: u64,
    /// The name of the line's key.
    pub kid: Option<Kid>,
}

/// What a sender signs of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The shop that the orders are for.
    pub shop: Name,
    /// The id of the batch.
    pub batch: BatchId,
    /// The number of this batch among those of the sender's bundle, counted from 1.
    pub sequence: u64,
    /// The hash of the manifest before this one.
    pub previous: Option<Hash>,
    /// When it was signed.
    pub time: Time,
    /// Number of its lines.
    pub count: u64,
    /// The hash over all of them, in order.
    pub lines: Hash,
}

/// The hash over the lines of a batch: of the hashes of all of them, one after the other.
#[derive(Debug, Clone, Default)]
pub struct LinesHash(Sha256);

impl BatchId {
    /// Draws an id.
    pub fn random(random: &mut KeyStream) -> Self {
        let mut id = [0; 16];
        random.fill_bytes(&mut id);
        Self(id)
    }

    fn parse(text: &str) -> Option<Self> {
        base64url::decode_to_vec(text.as_bytes())?.try_into().ok().map(Self)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode_to_string(&self.0))
    }
}

impl BatchMark {
    /// The value of the header member of a line, in JSON.
    pub(super) fn member(&self, line: u64) -> String {
        let Self { by, batch } = self;
        format!(r#"{{"by":"{by}","id":"{batch}","line":{line}}}"#)
    }
}

impl LineMark {
    /// What the header of a line in the compact serialization says; `None` if nothing.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        let line = trimmed(line);
        let header = &line[..memchr::memchr(b'.', line)?];
        if header.len() > base64url::encoded_length(MAX_HEADER) {
            return None;
        }
        let text = base64url::decode_to_vec(header)?;
        if let Some(mark) = Self::plain(&text) {
            return Some(mark);
        }
        let header = json::parse(&text).ok()?;
        let mark = header.get(MEMBER)?.as_object()?;
        let kid = header.get("kid").and_then(Value::as_str).and_then(Kid::new);
        let of = BatchMark {
            by: Thumbprint::parse(text_of(mark, "by")?)?,
            batch: BatchId::parse(text_of(mark, "id")?)?,
        };
        Some(Self { of, line: mark.get("line")?.as_u64()?, kid })
    }

    /// Reads the form of most headers, exactly `{"alg":"…","enc":"…","batch":{…},"kid":"…"}`.
    fn plain(text: &[u8]) -> Option<Self> {
        let name =
            |text| take_while(text, |byte| byte.is_ascii_alphanumeric() || b"-+".contains(&byte));
        let (_, rest) = name(text.strip_prefix(br#"{"alg":""#)?);
        let (_, rest) = name(rest.strip_prefix(br#"","enc":""#)?);
        let (of, line, rest) = read_member(rest.strip_prefix(b"\",")?)?;
        let kid = rest.strip_prefix(br#""kid":""#)?.strip_suffix(br#""}"#)?;
        let kid = str::from_utf8(kid).ok().filter(|kid| Kid::has_form(kid))?;
        Some(Self { of, line, kid: Kid::new(kid) })
    }
}

/// Splits a text where its bytes stop to be wanted.
fn take_while(text: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|&byte| !wanted(byte)).unwrap_or(text.len()))
}

/// Reads the header member in exactly the form in which it is written here, with the comma after it; returns
/// the rest of the text as well.
fn read_member(text: &[u8]) -> Option<(BatchMark, u64, &[u8])> {
    let (by, rest) = text.strip_prefix(br#""batch":{"by":""#)?.split_at_checked(43)?;
    let (batch, rest) = rest.strip_prefix(br#"","id":""#)?.split_at_checked(22)?;
    let (line, rest) =
        take_while(rest.strip_prefix(br#"","line":"#)?, |byte| byte.is_ascii_digit());
    let rest = rest.strip_prefix(b"},")?;
    let number = str::from_utf8(line).ok().filter(|line| !line.starts_with('0'))?;
    let by = Thumbprint::parse(str::from_utf8(by).ok()?)?;
    let batch = BatchId::parse(str::from_utf8(batch).ok()?)?;
    Some((BatchMark { by, batch }, number.parse().ok()?, rest))
}

/// What follows the header member, if a text begins with it in exactly the form in which it is written
/// here; otherwise the text.
pub(super) fn after_plain(text: &[u8]) -> &[u8] {
    read_member(text).map_or(text, |(.., rest)| rest)
}

/// Whether there is nothing on a line.
pub fn is_blank(line: &[u8]) -> bool {
    trimmed(line).is_empty()
}

fn text_of<'m>(members: &'m Object, name: &str) -> Option<&'m str> {
    members.get(name)?.as_str()
}

/// Reads a hash in base64url.
pub(in crate::protocol) fn parse_hash(member: &str, text: &str) -> Result<Hash, Malformed> {
    let hash = base64url::decode_to_vec(text.as_bytes()).and_then(|hash| hash.try_into().ok());
    hash.ok_or(Malformed::member(member, "a hash in base64url"))
}

/// The hash of a line: without a byte-order mark before it and white space around it.
pub fn hash_of_line(line: &[u8]) -> Hash {
    Sha256::digest(trimmed(line)).into()
}

impl LinesHash {
    /// Adds the hash of the next line.
    pub fn add(&mut self, line: &Hash) {
        self.0.update(line);
    }

    /// The hash of all lines so far.
    pub fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

impl Manifest {
    /// Whether a line has the form of a manifest.
    pub fn is_one(line: &[u8]) -> bool {
        let mut segments = trimmed(line).split(|&byte| byte == b'.');
        let (header, others) = (segments.next(), segments.count());
        let header = header.filter(|header| others == 2 && header.len() <= MAX_SIGNED_HEADER);
        let typ = |header: &[u8]| {
            let header = json::parse(&base64url::decode_to_vec(header)?).ok()?;
            Some(header.get("typ")?.as_str()? == TYP)
        };
        header.and_then(typ) == Some(true)
    }

    /// The key that a manifest says it is signed by.
    pub fn signer(line: &[u8]) -> Option<Thumbprint> {
        key_id(str::from_utf8(trimmed(line)).ok()?)
    }

    /// Signs it: a line, without a line feed.
    pub fn sign(&self, key: &SigningKey) -> String {
        let encoded = |hash: &Hash| base64url::encode_to_string(hash);
        let mut payload = json!({
            "shop": self.shop.as_str(),
            "batch": self.batch.to_string(),
            "sequence": self.sequence,
            "time": self.time.to_string(),
            "count": self.count,
            "lines": encoded(&self.lines),
        });
        if let Some(previous) = &self.previous {
            payload["previous"] = json!(encoded(previous));
        }
        key.sign(TYP, payload.to_string().as_bytes())
    }

    /// Reads a manifest that a key signed.
    ///
    /// # Errors
    /// [`ManifestFault`].
    pub fn verify(line: &[u8], key: &VerifyingKey) -> Result<Self, ManifestFault> {
        let line = str::from_utf8(trimmed(line)).map_err(|_| JwsFault::Form)?;
        let payload = key.verify(TYP, line)?;
        Ok(Self::read(&payload)?)
    }

    fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse(payload)?;
        let members = value.as_object().ok_or(Malformed::Expected("a JSON object"))?;
        let number = |name: &'static str| {
            let number = members.get(name).and_then(Value::as_u64);
            number.ok_or(Malformed::member(name, "a number"))
        };
        let shop = text(members, "shop")?.parse().ok();
        let time = text(members, "time")?.parse().ok();
        Ok(Self {
            shop: shop.ok_or(Malformed::member("shop", "a name"))?,
            batch: BatchId::parse(text(members, "batch")?)
                .ok_or(Malformed::member("batch", "16 bytes in base64url"))?,
            sequence: number("sequence")?,
            previous: json::optional_text(members, "previous")?
                .map(|text| parse_hash("previous", text))
                .transpose()?,
            time: time.ok_or(Malformed::member("time", "a time"))?,
            count: number("count")?,
            lines: parse_hash("lines", text(members, "lines")?)?,
        })
    }
}

/// Why a manifest was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// The signature.
    #[error(transparent)]
    Signature(#[from] JwsFault),
    /// What was signed.
    #[error(transparent)]
    Content(#[from] Malformed),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mark, and the header of its seventh line as it is written here.
    fn marked() -> (LineMark, String) {
        let by = Thumbprint::parse(&"A".repeat(43)).unwrap();
        let of = BatchMark { by, batch: BatchId([3; 16]) };
        let member = of.member(7);
        let header = format!(
            r#"{{"alg":"ECDH-ES+A256KW","enc":"A256GCM","batch":{member},"kid":"tokyo/1"}}"#
        );
        (LineMark { of, line: 7, kid: Kid::new("tokyo/1") }, header)
    }

    #[test]
    fn headers_in_our_form_are_read_without_json() {
        let (mark, header) = marked();
        assert_eq!(LineMark::plain(header.as_bytes()), Some(mark));
        let member = &header[header.find(r#""batch""#).unwrap()..];
        assert_eq!(after_plain(member.as_bytes()), br#""kid":"tokyo/1"}"#);
    }

    #[test]
    fn headers_in_any_other_form_say_the_same() {
        let (mark, header) = marked();
        let of_header = |header: &str| {
            LineMark::of_line(
                format!("{}....", base64url::encode_to_string(header.as_bytes())).as_bytes(),
            )
        };
        let kid_first =
            header.replacen('{', r#"{"kid":"tokyo/1","#, 1).replace(r#","kid":"tokyo/1"}"#, "}");
        for header in [
            &header,
            &header.replace(':', " : "),
            &header.replace("tokyo", "t\\u006fkyo"),
            &kid_first,
        ] {
            assert_eq!(of_header(header).as_ref(), Some(&mark), "{header}");
        }
        for header in [
            header.replace("batch", "match"),
            header.replace(":7", ":-7"),
            header.replace("AAA\"", "AA\""),
        ] {
            assert_eq!(of_header(&header), None, "{header}");
        }
        let zero = header.replace(":7", ":07");
        assert_eq!((LineMark::plain(zero.as_bytes()), of_header(&zero)), (None, None));
    }
}
