//! Recognizes files and lines written by other software, so that error messages can name them. All
//! first bytes of inputs are looked at here.

mod beginning;
mod csv;

use serde_json::Value;

use super::batch::Manifest;
use super::json::{self, Object};
use super::line::MAX_HEADER;
use memchr::memmem;

pub use csv::quoted_line_feed;

use crate::ciphers::base64url;
use crate::protocol::model::{Form, JOURNAL_MAGIC, LEDGER_MAGIC, Syntax, WebPage, shortened};

/// The generator tag in the head of an order page; the version follows.
const GENERATOR: &str = "<meta name=\"generator\" content=\"orderseal ";

impl Form {
    /// Recognizes the form of a line that is not a sealed order; `None` if the line has the form of
    /// one and the fault lies within a segment.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        if line.is_empty() {
            return Some(Self::EmptyLine);
        }
        if let Some(form) = Self::of_beginning(line) {
            return Some(form);
        }
        let text = line.trim_ascii();
        if is_quoted(text) {
            return Some(Self::Quoted);
        }
        let dots = memchr::memchr_iter(b'.', text).count();
        if header_of(text).is_some_and(|header| header.contains_key("enc")) {
            if text.iter().any(u8::is_ascii_whitespace) {
                return Some(Self::WhiteSpace);
            }
            if (1..4).contains(&dots) {
                return Some(Self::CutOff(dots + 1));
            }
        }
        match Self::of_signed(text).or_else(|| Self::of_json(text)) {
            Some(form) => Some(form),
            None if dots == 4 => None,
            None if dots == 0 => Some(Self::Other),
            None => Some(Self::Segments(dots + 1)),
        }
    }

    /// Recognizes the form of a file that is not a key file, from all of its bytes or from its
    /// beginning. `None` if nothing can be said before the file is read as JSON.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Some(Self::EmptyFile);
        }
        if let Some(form) = Self::of_beginning(bytes) {
            return Some(form);
        }
        // The header of a token starts with an open brace.
        let first = bytes.trim_ascii().split(|&byte| byte == b'\n').next().unwrap_or_default();
        let first = first.trim_ascii();
        if is_quoted(first) {
            return Some(Self::Quoted);
        }
        if is_key_array(bytes) {
            return Some(Self::KeyArray);
        }
        if !first.starts_with(b"eyJ") || !first.contains(&b'.') {
            return None;
        }
        Some(Self::of_signed(first).unwrap_or(Self::SealedOrders))
    }

    /// Recognizes an input that cannot be orders, one per line, from its beginning: in such data, a
    /// line feed is a byte like any other. Text of any form can be orders.
    pub fn of_no_orders(beginning: &[u8]) -> Option<Self> {
        Self::of_beginning(beginning).filter(|form| !form.may_be_lines())
    }

    /// Recognizes an input that is not raw ciphertext of an old system, from its beginning. Only
    /// what ciphertext does not begin with by chance is recognized.
    pub fn of_no_ciphertext(beginning: &[u8]) -> Option<Self> {
        Self::of_file(beginning).filter(|form| !form.may_be_chance())
    }

    /// Recognizes the form of a JSON object that is neither a JWK nor a JWK Set.
    pub fn of_object(members: &Object) -> Self {
        let has = |name: &str| members.contains_key(name);
        if has("ciphertext") && has("recipients") {
            return Self::JsonSerialization(Syntax::General);
        }
        if has("ciphertext") && (has("protected") || has("header") || has("unprotected")) {
            return Self::JsonSerialization(Syntax::Flattened);
        }
        if has("payload") && (has("signature") || has("signatures")) {
            return Self::SignedToken(None);
        }
        path_to_token(members).map_or(Self::Json, Self::TokenInJson)
    }

    /// Recognizes a form by its first bytes.
    fn of_beginning(bytes: &[u8]) -> Option<Self> {
        if let Some(page) = WebPage::recognized(bytes) {
            return Some(Self::WebPage(page));
        }
        if bytes.starts_with(LEDGER_MAGIC) {
            return Some(Self::Ledger);
        }
        if bytes.starts_with(JOURNAL_MAGIC) {
            return Some(Self::Journal);
        }
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => return Some(Self::ByteOrderMark),
            _ if beginning::is_utf_16(bytes) => return Some(Self::Utf16),
            _ if beginning::is_salted(bytes) => return Some(Self::Salted),
            _ if beginning::is_pkcs12(bytes) => return Some(Self::Pkcs12),
            _ => {}
        }
        if let Some(name) = beginning::packed(bytes) {
            return Some(Self::Packed(name));
        }
        if begins_as_der(bytes) {
            return Some(Self::Der);
        }
        let text = bytes.trim_ascii_start();
        let ssh = ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"];
        if ssh.iter().any(|begin| text.starts_with(begin.as_bytes())) {
            return Some(Self::SshPublicKey);
        }
        let label = text.strip_prefix(b"-----BEGIN ")?;
        let label = &label[..memmem::find(label, b"-----")?];
        let label = shortened(str::from_utf8(label).ok()?);
        // RFC 1421 section 4.6.1.1, as OpenSSL writes it, and PKCS #8.
        let protected = label.starts_with("ENCRYPTED")
            || memmem::find(text, b"Proc-Type: 4,ENCRYPTED").is_some();
        Some(Self::Pem { label, protected })
    }

    /// Recognizes a signed token in the compact serialization (RFC 7515 section 7.1).
    fn of_signed(text: &[u8]) -> Option<Self> {
        if Manifest::is_one(text) {
            return Some(Self::SealedOrders);
        }
        let header = header_of(text)?;
        let signed = !header.contains_key("enc") && memchr::memchr_iter(b'.', text).count() == 2;
        let alg = header.get("alg")?.as_str()?;
        signed.then(|| Self::SignedToken(Some(shortened(alg))))
    }

    /// Recognizes a line of JSON.
    fn of_json(text: &[u8]) -> Option<Self> {
        if !text.starts_with(b"{") {
            return None;
        }
        // Our own key files span several lines, so one line of them may not parse.
        let Ok(value) = json::parse(text) else {
            let is_set = text.starts_with(br#"{"keys":["#);
            return Some(if is_set { Self::KeyFile } else { Self::Json });
        };
        let members = value.as_object()?;
        match members.contains_key("kty") || members.get("keys").is_some_and(Value::is_array) {
            true => Some(Self::KeyFile),
            false => Some(Self::of_object(members)),
        }
    }
}

/// The header of a token, if it is a JSON object; the rest of the token is not looked at.
fn header_of(text: &[u8]) -> Option<Object> {
    let header = text.split(|&byte| byte == b'.').next()?;
    if header.len() > base64url::encoded_length(MAX_HEADER) {
        return None;
    }
    let header = base64url::decode_to_vec(header)?;
    json::parse(&header).ok()?.as_object().cloned()
}

/// Whether a line begins with a quotation mark and a compact JWE.
fn is_quoted(line: &[u8]) -> bool {
    let token = line.strip_prefix(b"\"");
    token.and_then(header_of).is_some_and(|header| header.contains_key("enc"))
}

/// Whether a text begins as an array of objects, one of which has the member that every JWK has.
fn is_key_array(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    first.is_some_and(|first| first.starts_with(b"{") && memmem::find(first, b"\"kty\"").is_some())
}

/// The path to the first compact JWE among the members of an object, in the notation of `jq`.
fn path_to_token(members: &Object) -> Option<String> {
    members.iter().find_map(|(name, value)| {
        let path = match value {
            Value::String(text) => {
                let segments = memchr::memchr_iter(b'.', text.as_bytes()).count() + 1;
                let sealed = header_of(text.as_bytes())?.contains_key("enc");
                (segments == 5 && sealed).then(String::new)
            }
            Value::Object(inner) => path_to_token(inner),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        }?;
        Some(format!(".{}{path}", shortened(name)))
    })
}

/// Whether bytes begin like the DER encoding of a key or a certificate: a SEQUENCE whose stated
/// length is that of the bytes or longer, with an INTEGER or another SEQUENCE as its first element.
fn begins_as_der(bytes: &[u8]) -> bool {
    let (len, content) = match bytes {
        [0x30, len @ ..=0x7f, content @ ..] => (usize::from(*len), content),
        [0x30, 0x81, len, content @ ..] => (usize::from(*len), content),
        [0x30, 0x82, high, low, content @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), content)
        }
        _ => return false,
    };
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    content.len() <= len && matches!(content.first(), Some(0x02 | 0x30)) && !is_text
}

impl WebPage {
    /// Recognizes a web page and its kind, from all of its bytes or from the beginning of its head.
    pub fn recognized(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let begins = |with: &str| {
            text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
        };
        if !begins("<!doctype html") && !begins("<html") {
            return None;
        }
        let ours = memmem::find(text, GENERATOR.as_bytes()).is_some();
        Some(if ours { Self::Order } else { Self::Other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_other_files() {
        for page in ["<!doctype html><title>x</title>", "<HTML lang=en>", "<!DOCTYPE html PUBLIC"] {
            assert_eq!(WebPage::recognized(page.as_bytes()), Some(WebPage::Other));
        }
        for other in ["", "{}", "eyJ", "<!doc", "<svg>", "a <html>", "{\"a\":\"<!doctype html>\"}"]
        {
            assert_eq!(WebPage::recognized(other.as_bytes()), None, "{other}");
        }
    }
}
