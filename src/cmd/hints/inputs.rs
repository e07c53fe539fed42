//! Hints for files of another kind, and for damaged ones.

use orderseal::protocol::model::{Document, Expected, Form, JsonFault, Malformed, WebPage};

/// Returns a hint for data in another format.
pub fn unexpected_hint(found: &Form, expected: Expected) -> Option<String> {
    let hint = match found {
        Form::Utf16 if expected == Expected::Orders => {
            "convert it with `iconv -f UTF-16 -t UTF-8`; --document and --stream seal it as it is, and \
             --text its lines all the same"
        }
        Form::Packed(_) | Form::Salted | Form::Pkcs12 if expected == Expected::Orders => {
            "--document seals a file of any kind up to 64 MiB, --stream one of any size; --text seals \
             its lines all the same"
        }
        Form::Packed(_) => "unpack it first",
        Form::Salted if expected == Expected::Ciphertext => {
            "its key comes from a password: name a file with the password by --from-password-file"
        }
        Form::Salted => "decrypt it first, with `openssl enc -d` and the options that encrypted it",
        Form::Pkcs12 => {
            "take the key out first, as with: openssl pkcs12 -nocerts -in FILE -out NEW"
        }
        Form::ByteOrderMark => "write the file again as UTF-8 without a byte-order mark",
        Form::Utf16 => "convert it to UTF-8 without a byte-order mark: iconv -f UTF-16 -t UTF-8",
        Form::Pem { protected: true, .. } => {
            "convert it to PKCS #8 with `openssl pkcs8 -topk8 -in FILE -out NEW`, which is read with \
             --key-password-file"
        }
        Form::Pem { .. } | Form::Der => {
            "keys are read as JWK, PKCS #8, PKCS #1, SEC 1 and SubjectPublicKeyInfo"
        }
        Form::SshPublicKey => "convert it with: ssh-keygen -e -m PKCS8 -f FILE",
        Form::SignedToken(_) => "a signed token is not encrypted: a JOSE tool verifies it",
        // The path comes from the input: do not suggest one that contains shell metacharacters.
        Form::TokenInJson(path) if path.chars().all(is_plain) => {
            return Some(format!("take the token out first, as with: jq -r {path}"));
        }
        Form::TokenInJson(_) => "take the token out of the object first",
        Form::Ledger => "a ledger is given with --ledger; `orderseal inspect` counts what is in it",
        Form::Journal => "it belongs to the bundle whose name it has, without .spent",
        Form::ItemPage => {
            "an item page only says where to ask: `orderseal request --page` makes the request"
        }
        Form::Request => "a request is answered by `orderseal bundle client --request`",
        Form::WebPage(WebPage::Order) => "open it in a browser; `orderseal erase` destroys it",
        Form::CutOff(_) => {
            "the line is not complete: was the file copied in part, or wrapped by an editor or a \
             mail program? each sealed order is one line"
        }
        Form::WhiteSpace => "was the line wrapped? join its parts, as with: tr -d '[:space:]'",
        Form::Quoted => "remove the quotation marks, as with: tr -d '\"'",
        Form::KeyArray => "a JWK Set is an object with this array in it: {\"keys\":[…]}",
        Form::SealedOrders | Form::JsonSerialization(_) => {
            "sealed orders are the input; the key file goes with --bundle or --key"
        }
        Form::KeyFile => "the key file goes with --bundle or --key; sealed orders are the input",
        Form::WebPage(WebPage::Other)
        | Form::EmptyFile
        | Form::EmptyLine
        | Form::Json
        | Form::Segments(_)
        | Form::Other => match expected {
            Expected::KeyFile => KEY_FILES,
            Expected::SealedOrder => {
                "decrypt reads what encrypt writes; are these orders not sealed yet?"
            }
            Expected::ItemPage => ITEM_PAGES,
            Expected::Request => REQUESTS,
            Expected::Orders | Expected::OldKey | Expected::Ciphertext | Expected::Inspectable => {
                return None;
            }
        },
    };
    Some(hint.to_owned())
}

/// Returns a hint for a file of another kind, or a damaged one.
pub fn malformed_hint(found: &Malformed) -> Option<&'static str> {
    match found {
        Malformed::NotJson { found: JsonFault::CutOff { .. }, .. } => {
            Some("the file is not complete: copy it again, or have it made again")
        }
        Malformed::NotJson { expected, .. }
        | Malformed::OtherDocument { expected, .. }
        | Malformed::Incomplete { expected, .. } => match expected {
            Document::KeyFile => Some(KEY_FILES),
            Document::ItemPage => Some(ITEM_PAGES),
            Document::Request => Some(REQUESTS),
            Document::Json => None,
        },
        Malformed::AmongOrders(_) => {
            Some("put the wrapped key into a file of its own and decrypt that first")
        }
        Malformed::Measurements(_) => Some("expected the output of `orderseal bench --json`"),
        Malformed::LineFeed => Some("--document opens a line of any content, alone"),
        Malformed::Within { fault, .. } | Malformed::Unreadable { fault, .. } => {
            malformed_hint(fault)
        }
        Malformed::TooLong(_)
        | Malformed::PartTooLong { .. }
        | Malformed::Length { .. }
        | Malformed::Base64(_)
        | Malformed::NoMember(_)
        | Malformed::Member { .. }
        | Malformed::OutOfRange { .. }
        | Malformed::Expected(_)
        | Malformed::Version { .. }
        | Malformed::Name(_)
        | Malformed::Time(_)
        | Malformed::Differs
        | Malformed::Kid(_)
        | Malformed::Address { .. }
        | Malformed::Line(_)
        | Malformed::Key(_)
        | Malformed::KeyFile(_)
        | Malformed::Ledger(_)
        | Malformed::Journal(_)
        | Malformed::Page(_)
        | Malformed::OldData(_)
        | Malformed::Seed(_)
        | Malformed::Stream(_)
        | Malformed::StreamKey { .. }
        | Malformed::CutStream
        | Malformed::StreamAmongFiles
        | Malformed::Empty(_)
        | Malformed::Request(_)
        | Malformed::Carries { .. } => None,
    }
}

const ITEM_PAGES: &str = "an item page comes from `orderseal bundle page`";

const REQUESTS: &str = "a request comes from `orderseal request --page`";

const KEY_FILES: &str = "key files come from `orderseal keygen` and `orderseal bundle`; orders are \
                         given without an option";

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_')
}
