//! Forms of data, recognized and expected, for error messages.

use std::fmt;

/// The first bytes of a shop's ledger.
pub const LEDGER_MAGIC: &[u8; 16] = b"orderseal-ledger";

/// Recognized form of data that was not expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// An empty file, or one that contains only white space.
    EmptyFile,
    /// An empty line.
    EmptyLine,
    /// Sealed orders, or another token of their form.
    SealedOrders,
    /// A key file, JWK Set or JWK.
    KeyFile,
    /// A JSON array of keys, which is not a JWK Set.
    KeyArray,
    /// A shop's ledger.
    Ledger,
    /// A journal of spent ids.
    Journal,
    /// A shop's item page.
    ItemPage,
    /// A client's request for a program.
    Request,
    /// A web page.
    WebPage(WebPage),
    /// A compact JWE that ends in the segment with this number.
    CutOff(usize),
    /// A compact JWE with white space inside it.
    WhiteSpace,
    /// A compact JWE in quotation marks.
    Quoted,
    /// UTF-8 text that begins with a byte-order mark.
    ByteOrderMark,
    /// UTF-16 text.
    Utf16,
    /// Compressed data or an archive, with its name.
    Packed(&'static str),
    /// Data that `openssl enc` encrypted under a password.
    Salted,
    /// A PKCS #12 file.
    Pkcs12,
    /// A JWE in the JSON serialization (RFC 7516 section 7.2).
    JsonSerialization(Syntax),
    /// A compact JWE as a member of a JSON object, with the path to it.
    TokenInJson(String),
    /// A signed token (JWS), with its algorithm if it names one.
    SignedToken(Option<String>),
    /// A PEM file.
    Pem {
        /// Label: the words after `BEGIN`.
        label: String,
        /// Whether a passphrase protects the key.
        protected: bool,
    },
    /// An OpenSSH public key, on one line.
    SshPublicKey,
    /// DER, or another ASN.1 encoding with the same beginning.
    Der,
    /// Some other JSON text.
    Json,
    /// Text with this number of segments; a compact JWE has five.
    Segments(usize),
    /// Anything else.
    Other,
}

/// The two forms of the JWE JSON serialization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// For several recipients (RFC 7516 section 7.2.1).
    General,
    /// For one recipient (RFC 7516 section 7.2.2).
    Flattened,
}

/// Form that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A key file.
    KeyFile,
    /// An item page.
    ItemPage,
    /// A request for a program.
    Request,
    /// A sealed order.
    SealedOrder,
    /// Orders, one per line.
    Orders,
    /// A key or IV for old data.
    OldKey,
    /// Raw ciphertext of an old system.
    Ciphertext,
    /// Anything that can be inspected.
    Inspectable,
}

/// A web page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebPage {
    /// An order page.
    Order,
    /// Any other web page.
    Other,
}

impl WebPage {
    /// Name with an article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "an order page",
            Self::Other => "a web page",
        }
    }
}

impl Form {
    /// Whether data of this form, recognized by its first bytes, can be read as lines of text.
    pub fn may_be_lines(&self) -> bool {
        match self {
            Self::Utf16
            | Self::Packed(_)
            | Self::Salted
            | Self::Pkcs12
            | Self::Ledger
            | Self::Journal => false,
            // Two bytes are all that speaks for DER.
            Self::Der
            | Self::EmptyFile
            | Self::EmptyLine
            | Self::SealedOrders
            | Self::KeyFile
            | Self::KeyArray
            | Self::ItemPage
            | Self::Request
            | Self::WebPage(_)
            | Self::CutOff(_)
            | Self::WhiteSpace
            | Self::Quoted
            | Self::ByteOrderMark
            | Self::JsonSerialization(_)
            | Self::TokenInJson(_)
            | Self::SignedToken(_)
            | Self::Pem { .. }
            | Self::SshPublicKey
            | Self::Json
            | Self::Segments(_)
            | Self::Other => true,
        }
    }

    /// Whether random bytes, such as ciphertext, may be taken for data of this form.
    pub fn may_be_chance(&self) -> bool {
        match self {
            Self::Packed(_)
            | Self::Salted
            | Self::Pkcs12
            | Self::Pem { .. }
            | Self::SshPublicKey
            | Self::WebPage(_)
            | Self::Ledger
            | Self::Journal
            | Self::SealedOrders
            | Self::Quoted
            | Self::KeyArray
            | Self::SignedToken(_) => false,
            Self::EmptyFile
            | Self::EmptyLine
            | Self::KeyFile
            | Self::ItemPage
            | Self::Request
            | Self::CutOff(_)
            | Self::WhiteSpace
            | Self::ByteOrderMark
            | Self::Utf16
            | Self::JsonSerialization(_)
            | Self::TokenInJson(_)
            | Self::Der
            | Self::Json
            | Self::Segments(_)
            | Self::Other => true,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFile => f.write_str("an empty file"),
            Self::EmptyLine => f.write_str("an empty line"),
            Self::SealedOrders => f.write_str("sealed orders"),
            Self::KeyFile => f.write_str("a key file"),
            Self::KeyArray => f.write_str("a JSON array of keys"),
            Self::Ledger => f.write_str("a shop's ledger"),
            Self::Journal => f.write_str("a journal of spent ids"),
            Self::ItemPage => f.write_str("a shop's item page"),
            Self::Request => f.write_str("a request for a program"),
            Self::WebPage(page) => f.write_str(page.name()),
            Self::CutOff(segment) => {
                write!(f, "a sealed order that is cut off (in segment {segment})")
            }
            Self::WhiteSpace => f.write_str("white space inside a compact JWE"),
            Self::Quoted => f.write_str("a sealed order in quotation marks"),
            Self::ByteOrderMark => f.write_str("a byte-order mark (U+FEFF) at the beginning"),
            Self::Utf16 => f.write_str("UTF-16 text"),
            Self::Packed(name) => f.write_str(name),
            Self::Salted => f.write_str("data that OpenSSL encrypted under a password (Salted__)"),
            Self::Pkcs12 => f.write_str("a PKCS #12 file"),
            Self::JsonSerialization(syntax) => {
                write!(f, "a JWE in the {syntax} JSON serialization")
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

/// Describes the PEM labels of RFC 7468 and OpenSSL.
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
            Self::ItemPage => "an item page (JSON)",
            Self::Request => "a request (JSON)",
            Self::SealedOrder => "a JWE, in 5 segments or in JSON",
            Self::Orders => "orders, one per line",
            Self::OldKey => "a key or IV as bytes or hexadecimal digits",
            Self::Ciphertext => "raw ciphertext",
            Self::Inspectable => {
                "a key file, an item page, a request, an order page or sealed orders"
            }
        })
    }
}
