//! What other software writes and this program does not read, recognized so that a message can name
//! it.
//!
//! One place decides what a name or a text is: *not supported* (known, from a standard), *unknown
//! here*, or nothing of which more can be said.

use std::fmt;

use serde_json::Value;

use crate::ciphers::base64url;
use crate::protocol::jose::json;
use crate::protocol::jose::json::Object;
use crate::protocol::jose::jwe::MAX_HEADER;
use crate::protocol::model::KeyTrouble;
use crate::protocol::page::WebPage;

/// The member of a header or a key in which a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// `alg` of a header or a key.
    Alg,
    /// `enc` of a header.
    Enc,
    /// `kty` of a key.
    KeyType,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alg => "alg",
            Self::Enc => "enc",
            Self::KeyType => "key type",
        })
    }
}

/// Names of standards that have no implementation here, and where they are defined.
const NOT_SUPPORTED: &[(&str, &str)] = &[
    ("RSA1_5", "RFC 7518 section 4.2"),
    ("RSA-OAEP", "RFC 7518 section 4.3"),
    ("RSA-OAEP-384", "Web Cryptography API"),
    ("RSA-OAEP-512", "Web Cryptography API"),
    ("A192KW", "RFC 7518 section 4.4"),
    ("ECDH-ES", "RFC 7518 section 4.6"),
    ("ECDH-ES+A128KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A192KW", "RFC 7518 section 4.6"),
    ("ECDH-ES+A256KW", "RFC 7518 section 4.6"),
    ("A192GCMKW", "RFC 7518 section 4.7"),
    ("PBES2-HS256+A128KW", "RFC 7518 section 4.8"),
    ("PBES2-HS384+A192KW", "RFC 7518 section 4.8"),
    ("PBES2-HS512+A256KW", "RFC 7518 section 4.8"),
    ("A192CBC-HS384", "RFC 7518 section 5.2.4"),
    ("A256CBC-HS512", "RFC 7518 section 5.2.5"),
    ("A192GCM", "RFC 7518 section 5.3"),
    ("HS256", "a signature, RFC 7518 section 3"),
    ("HS384", "a signature, RFC 7518 section 3"),
    ("HS512", "a signature, RFC 7518 section 3"),
    ("RS256", "a signature, RFC 7518 section 3"),
    ("RS384", "a signature, RFC 7518 section 3"),
    ("RS512", "a signature, RFC 7518 section 3"),
    ("ES256", "a signature, RFC 7518 section 3"),
    ("ES384", "a signature, RFC 7518 section 3"),
    ("ES512", "a signature, RFC 7518 section 3"),
    ("PS256", "a signature, RFC 7518 section 3"),
    ("PS384", "a signature, RFC 7518 section 3"),
    ("PS512", "a signature, RFC 7518 section 3"),
    ("none", "no signature, RFC 7518 section 3"),
    ("EdDSA", "a signature, RFC 8037 section 3.1"),
    ("Ed25519", "a signature, RFC 9864"),
    ("Ed448", "a signature, RFC 9864"),
    ("ES256K", "a signature, RFC 8812"),
    ("EC", "RFC 7518 section 6.2"),
    ("OKP", "RFC 8037 section 2"),
];

/// The error for a name that is not implemented.
pub fn no_such_name(member: Member, name: &str) -> KeyTrouble {
    let standard = NOT_SUPPORTED.iter().find(|(known, _)| *known == name);
    let name = shortened(name);
    match standard {
        Some((_, standard)) => KeyTrouble::NotSupported { member, name, standard },
        None => KeyTrouble::UnknownHere { member, name },
    }
}

/// The beginning of a name or a text from outside.
pub fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A form of data that is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A file of nothing, or of nothing but white space.
    EmptyFile,
    /// A line of nothing.
    EmptyLine,
    /// Sealed orders, or a token of their form.
    SealedOrders,
    /// A key file, JWK Set or JWK.
    KeyFile,
    /// A shop's item page.
    ItemPage,
    /// A web page.
    WebPage(WebPage),
    /// A compact JWE that ends in the segment of that number.
    CutOff(usize),
    /// A compact JWE with white space in front, behind or inside.
    WhiteSpace(Position),
    /// A line that ends in a carriage return.
    CarriageReturn,
    /// UTF-8 text that begins with a byte-order mark.
    ByteOrderMark,
    /// UTF-16 text.
    Utf16,
    /// A JWE in the JSON serialization (RFC 7516 section 7.2).
    JsonSerialization(Syntax),
    /// A compact JWE as a member of a JSON object: the path to it.
    TokenInJson(String),
    /// A signed token (JWS) under that algorithm, if it names one.
    SignedToken(Option<String>),
    /// A PEM file with that label.
    Pem {
        /// The words after `BEGIN`.
        label: String,
        /// Whether a passphrase protects the key.
        protected: bool,
    },
    /// An OpenSSH public key, a line.
    SshPublicKey,
    /// DER, or another encoding of ASN.1 that begins like it.
    Der,
    /// Some other JSON text.
    Json,
    /// As many segments, of which a compact JWE has five.
    Segments(usize),
    /// Anything else.
    Other,
}

/// Where white space stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// In front.
    Before,
    /// Behind.
    After,
    /// Inside.
    Inside,
}

/// The two forms of the JSON serialization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// For several recipients (RFC 7516 section 7.2.1).
    General,
    /// For one (RFC 7516 section 7.2.2).
    Flattened,
}

/// What was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A key file.
    KeyFile,
    /// A sealed order.
    SealedOrder,
    /// Anything that can be inspected.
    Inspectable,
}

impl Form {
    /// The form of a line that did not turn out to be a sealed order; `None` where it has that form,
    /// and what is wrong lies within a segment.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        if line.is_empty() {
            return Some(Self::EmptyLine);
        }
        if let Some(form) = Self::of_beginning(line) {
            return Some(form);
        }
        let text = line.trim_ascii();
        let dots = memchr::memchr_iter(b'.', text).count();
        if header_of(text).is_some_and(|header| header.contains_key("enc")) {
            if line.last() == Some(&b'\r') {
                return Some(Self::CarriageReturn);
            }
            if let Some(position) = Position::of_white_space(line) {
                return Some(Self::WhiteSpace(position));
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

    /// The form of a file that is not a key file: all of its bytes, or as many as there are of its
    /// beginning. `None` where nothing can be said before it is read as JSON.
    pub fn of_file(bytes: &[u8]) -> Option<Self> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Some(Self::EmptyFile);
        }
        if let Some(form) = Self::of_beginning(bytes) {
            return Some(form);
        }
        // The header of a token starts with an open brace.
        let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
        if !first.starts_with(b"eyJ") || !first.contains(&b'.') {
            return None;
        }
        Some(Self::of_signed(first).unwrap_or(Self::SealedOrders))
    }

    /// The form of a JSON object that is neither a JWK nor a JWK Set.
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

    /// What the first bytes say.
    fn of_beginning(bytes: &[u8]) -> Option<Self> {
        if let Some(page) = WebPage::recognized(bytes) {
            return Some(Self::WebPage(page));
        }
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => return Some(Self::ByteOrderMark),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(Self::Utf16),
            _ => {}
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
        let label = &label[..memchr::memmem::find(label, b"-----")?];
        let label = shortened(str::from_utf8(label).ok()?);
        // RFC 1421 section 4.6.1.1, as OpenSSL writes it, and PKCS #8.
        let protected = label.starts_with("ENCRYPTED")
            || memchr::memmem::find(text, b"Proc-Type: 4,ENCRYPTED").is_some();
        Some(Self::Pem { label, protected })
    }

    /// A signed token in the compact serialization (RFC 7515 section 7.1).
    fn of_signed(text: &[u8]) -> Option<Self> {
        let header = header_of(text)?;
        let signed = !header.contains_key("enc") && memchr::memchr_iter(b'.', text).count() == 2;
        let alg = header.get("alg")?.as_str()?;
        signed.then(|| Self::SignedToken(Some(shortened(alg))))
    }

    /// JSON on a line.
    fn of_json(text: &[u8]) -> Option<Self> {
        if !text.starts_with(b"{") {
            return None;
        }
        // We write a key file over several lines.
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

impl Position {
    /// Where white space stands in a line, if anywhere.
    fn of_white_space(line: &[u8]) -> Option<Self> {
        let first = line.iter().position(u8::is_ascii_whitespace)?;
        match line[first..].iter().all(u8::is_ascii_whitespace) {
            _ if first == 0 => Some(Self::Before),
            true => Some(Self::After),
            false => Some(Self::Inside),
        }
    }
}

/// The header of a token, however it goes on, if it is a JSON object.
fn header_of(text: &[u8]) -> Option<Object> {
    let header = text.split(|&byte| byte == b'.').next()?;
    if header.len() > base64url::encoded_length(MAX_HEADER) {
        return None;
    }
    let header = base64url::decode_to_vec(header)?;
    json::parse(&header).ok()?.as_object().cloned()
}

/// The path to the first compact JWE among the members of an object, as `jq` writes it.
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

/// Whether bytes begin as the DER encoding of a key or a certificate: a SEQUENCE that is as long as it
/// says, or longer than what is there, and holds an INTEGER or another SEQUENCE first.
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

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFile => f.write_str("an empty file"),
            Self::EmptyLine => f.write_str("an empty line"),
            Self::SealedOrders => f.write_str("sealed orders"),
            Self::KeyFile => f.write_str("a key file"),
            Self::ItemPage => f.write_str("a shop's item page"),
            Self::WebPage(page) => f.write_str(page.name()),
            Self::CutOff(segment) => {
                write!(f, "a sealed order that is cut off (in segment {segment})")
            }
            Self::WhiteSpace(position) => write!(f, "white space {position} a compact JWE"),
            Self::CarriageReturn => f.write_str("a carriage return at the end of the line"),
            Self::ByteOrderMark => f.write_str("a byte-order mark (U+FEFF) at the beginning"),
            Self::Utf16 => f.write_str("UTF-16 text"),
            Self::JsonSerialization(syntax) => {
                write!(f, "a JWE in the {syntax} JSON serialization, which is not supported")
            }
            Self::TokenInJson(path) => write!(f, "a JSON object with a compact JWE at {path}"),
            Self::SignedToken(Some(alg)) => write!(f, "a signed token (JWS, alg {alg})"),
            Self::SignedToken(None) => f.write_str("a signed token (JWS, JSON serialization)"),
            Self::Pem { label, protected } => {
                let protected = if *protected { ", protected by a passphrase" } else { "" };
                match pem_words(label) {
                    Some(words) => write!(f, "{words} in PEM form ({label}{protected})"),
                    None => write!(f, "PEM data ({label}{protected})"),
                }
            }
            Self::SshPublicKey => f.write_str("an OpenSSH public key"),
            Self::Der => f.write_str("DER data (a key or certificate)"),
            Self::Json => f.write_str("a JSON text"),
            Self::Segments(count) => write!(f, "{count} segments"),
            Self::Other => f.write_str("a line without a dot"),
        }
    }
}

/// What the labels of RFC 7468 and of OpenSSL stand for.
fn pem_words(label: &str) -> Option<&'static str> {
    match label {
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Some("a PKCS #8 private key"),
        "RSA PRIVATE KEY" => Some("a PKCS #1 private key"),
        "EC PRIVATE KEY" => Some("a SEC 1 private key"),
        "OPENSSH PRIVATE KEY" => Some("an OpenSSH private key"),
        "PUBLIC KEY" => Some("a public key"),
        "RSA PUBLIC KEY" => Some("a PKCS #1 public key"),
        "CERTIFICATE" => Some("a certificate"),
        _ => None,
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "in front of",
            Self::After => "behind",
            Self::Inside => "inside",
        })
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::General => "general",
            Self::Flattened => "flattened",
        })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyFile => "a key file (JSON)",
            Self::SealedOrder => "a compact JWE of 5 segments",
            Self::Inspectable => "a key file, an item page, an order page or sealed orders",
        })
    }
}
