//! Hints for errors: what to do about them. The library's messages name no command-line option; these
//! do.

use orderseal::ciphers::content::ContentCipher;
use orderseal::protocol::model::{
    Amounts, BatchFault, Document, Encrypted, ExchangeFault, Expected, Family, Form,
    JournalTrouble, JsonFault, LedgerTrouble, Malformed, Misuse, NoPadding, NotUndone, OutOfDate,
    Pbes2, Protected, Reuse, Role, Unfinished, Unfit, Unimplemented, WebPage, WrapAlgorithm,
};
use orderseal::protocol::{Error, KeyError, Place, Spent};

use super::ui;

/// A contradictory command line, with an optional hint.
#[derive(Debug, thiserror::Error)]
#[error("{found}")]
struct Usage {
    found: String,
    hint: Option<String>,
}

/// Returns the error for a contradictory command line.
pub fn usage(found: impl Into<String>) -> Error {
    Error::Caller(Box::new(Usage { found: found.into(), hint: None }))
}

/// Returns the same error with a hint.
pub fn usage_with(found: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Caller(Box::new(Usage { found: found.into(), hint: Some(hint.into()) }))
}

/// A fault in an input that a command reads itself, with hints.
#[derive(Debug, thiserror::Error)]
#[error("{found}")]
struct Misread {
    found: String,
    hints: Vec<String>,
}

/// Returns the error for a fault in an input.
pub fn misread(place: &Place, found: impl Into<String>, hints: Vec<String>) -> Error {
    let found = Box::new(Misread { found: found.into(), hints });
    Error::Misread { place: place.clone(), found }
}

/// Returns hints: changes that took effect despite the error, and what to do.
pub fn hints(error: &Error) -> Vec<String> {
    match error {
        Error::Spending { spent, bundle, source } => {
            let spent = match spent {
                Spent::Ids(count) => ui::counted(*count, "transaction id"),
                Spent::Ivs(count) => ui::counted(*count, "random IV"),
                Spent::PadBytes(count) => ui::counted(*count, "byte") + " of pad",
            };
            let changed = format!("{spent} of {bundle} stay spent, and nothing was erased");
            [vec![changed], hints(source)].concat()
        }
        Error::NotSent { unfinished, source } => {
            [not_sent_hints(unfinished), hints(source)].concat()
        }
        Error::Exchange { fault, .. } => exchange_hint(fault).into_iter().map(str::to_owned).collect(),
        Error::Unsettled { bundle, .. } => vec![format!(
            "all orders were sealed and sent; what was reserved for more of them in {bundle} stays spent"
        )],
        Error::NotErased { bundle, .. } => vec![format!(
            "all orders were sealed and sent; destroy the keys with: orderseal erase {bundle}"
        )],
        Error::Unrecorded { output, .. } => vec![format!(
            "all orders were written to {output}; the ledger could not record that, and would let them \
             open again"
        )],
        Error::Undelivered { not_undone, .. } => vec![aftermath_hint(not_undone)],
        Error::Changed { what, .. } => vec![format!("{what} all the same")],
        Error::KeyFileFull { .. } => {
            vec!["make fewer keys or shorter pads, or use another keyring".to_owned()]
        }
        Error::Key { error, .. } => key_hint(error).into_iter().collect(),
        Error::Thread(_) => vec![
            "--threads 1 needs the fewest threads; the system's limits are those of `ulimit -u` and \
             of the control group"
                .to_owned(),
        ],
        Error::Usage(misuse) => misuse_hint(misuse).into_iter().map(str::to_owned).collect(),
        Error::Caller(own) => {
            own.downcast_ref::<Usage>().and_then(|own| own.hint.clone()).into_iter().collect()
        }
        Error::Misread { found, .. } => {
            found.downcast_ref::<Misread>().map_or(Vec::new(), |own| own.hints.clone())
        }
        Error::Malformed { found, .. } => malformed_hint(found).into_iter().map(str::to_owned).collect(),
        Error::Unexpected { found, expected, .. } => {
            unexpected_hint(found, *expected).into_iter().collect()
        }
        Error::Reused { found, .. } => reuse_hint(found).into_iter().map(str::to_owned).collect(),
        Error::Batch { fault, .. } => batch_hint(fault).into_iter().map(str::to_owned).collect(),
        Error::NotDecrypted { found, .. } => vec![not_decrypted_hint(found).to_owned()],
        Error::NotHeld { .. } => {
            vec!["the report names what failed; the same command repeats it, --trace shows the messages".to_owned()]
        }
        Error::Io { .. }
        | Error::Random(_)
        | Error::ClosedPipe { .. }
        | Error::Stopped
        | Error::Unpublished { .. }
        | Error::Authentication(_)
        | Error::SomeFailed { .. }
        | Error::Slower { .. } => Vec::new(),
    }
}

/// Returns hints for orders that were not all sent.
fn not_sent_hints(unfinished: &Unfinished) -> Vec<String> {
    let Unfinished { kept, known, held, next_line } = unfinished;
    let mut hints = vec![format!(
        "the shop has kept {} now and had {known} before",
        ui::counted(*kept, "order")
    )];
    if let Some((count, file)) = held {
        let count = ui::counted(*count, "sealed order");
        hints.push(format!(
            "{count} without an answer in {file}; to send them: orderseal send --page URL --resend {file}"
        ));
    }
    if let Some(line) = next_line {
        hints.push(format!(
            "no order from line {line} on is sealed; --from-line {line} goes on there"
        ));
    }
    hints
}

/// Returns a hint for a failed exchange with a server.
fn exchange_hint(fault: &ExchangeFault) -> Option<&'static str> {
    match fault {
        ExchangeFault::PlainHttp => {
            Some("use https; `send --allow-http` lets everybody on the way read tickets and sizes")
        }
        ExchangeFault::Program(_) => {
            Some("the service's key in the item page is not that of the service")
        }
        ExchangeFault::OtherKey => {
            Some("ask the shop, or the service, in another way which key is right")
        }
        ExchangeFault::Unreachable(_)
        | ExchangeFault::NoAnswer(_)
        | ExchangeFault::Refused(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. }
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::NoTls => None,
    }
}

/// Returns a hint for a fault of a signed batch.
fn batch_hint(fault: &BatchFault) -> Option<&'static str> {
    match fault {
        BatchFault::NoBatch => Some("get the batches again from their sender"),
        BatchFault::Unsigned => {
            Some("get it signed by its sender; --on-error skip opens what is signed")
        }
        BatchFault::UnknownSender(_) => {
            Some("`bundle client --signing-key FILE` wrote the public key of this sender")
        }
        BatchFault::CutOff(_)
        | BatchFault::Order { .. }
        | BatchFault::Count { .. }
        | BatchFault::Mixed(_)
        | BatchFault::TakenOver { .. }
        | BatchFault::OtherManifest
        | BatchFault::Changed
        | BatchFault::Shop(_)
        | BatchFault::Manifest(_) => {
            Some("get the whole batch again from its sender; --on-error skip opens the others")
        }
        BatchFault::Repeated(_) => Some("--on-error skip opens the others"),
    }
}

/// Returns a hint for old data that lacks its padding.
fn not_decrypted_hint(found: &NoPadding) -> &'static str {
    match found.derived {
        false => {
            "compare the key check value (KCV) with the one that came with the key; --padding none shows \
             what the data decrypts to"
        }
        true => {
            "OpenSSL before 1.1.0 derived keys by --kdf md5, later ones by sha256, and with its option \
             -pbkdf2 by pbkdf2-sha256"
        }
    }
}

/// Returns a hint for a request that cannot be carried out.
fn misuse_hint(misuse: &Misuse) -> Option<&'static str> {
    match misuse {
        Misuse::OutputIsReadable { .. } => Some("chmod 600 the file, or choose another name"),
        Misuse::NotOfInbox { .. } => Some(
            "move it away, and following goes on in a new file; or restore the one that is recorded",
        ),
        Misuse::OutputExists(_) => Some("choose another name, or replace it with --force"),
        Misuse::OutputIsLink(_) | Misuse::FileIsLink(_) => Some("name the file itself"),
        Misuse::ToTerminal { .. } => Some("write to a file with -o, or into a pipe"),
        Misuse::SeveralShops { .. } => Some("choose one with --shop"),
        Misuse::NoSharedPad { .. } => Some("leave out --pad-bytes"),
        Misuse::NoTree { .. } => Some("leave out --pool for a listed pool"),
        Misuse::RootNotRandom => Some("leave out --rng, or make a listed pool"),
        Misuse::WouldLoseLedger(_) => {
            Some("add to the file with `keys merge`, which can also bring keys back")
        }
        Misuse::WouldRestore(_) => {
            Some("add to the file with `keys merge`, or bring the keys back with --restore")
        }
        Misuse::UnknownSize { .. } => Some("give it with --rsa-bits or --curve"),
        Misuse::NoPublicPool(_) => Some("make a listed pool"),
        Misuse::NotPublic(_) => Some("`orderseal bundle service` writes the public halves"),
        Misuse::NoBuiltIn(_) => Some("choose --form program or key"),
        Misuse::KeyExists { .. } | Misuse::OtherDates { .. } => {
            Some("`orderseal keys rotate` makes the next generation of a shop's keys")
        }
        Misuse::NotToProtect(_) => Some(
            "a private key in PEM has an encryption of its own: `orderseal keys export --format pem`",
        ),
        Misuse::WouldUnprotect(_) => {
            Some("protect the new ones with --protect or --recipient, or choose another name")
        }
        Misuse::SeveralRecipients(_) => {
            Some("take one of them out with `orderseal keys export --kid`")
        }
        Misuse::NotInItemPages { .. } => Some(
            "name the service with --service, or make a key with `orderseal keygen --scope shop --kind public`",
        ),
        Misuse::NotAnOutput(_)
        | Misuse::NotProtected(_)
        | Misuse::NotARecipient(_)
        | Misuse::OutputIsInput(_)
        | Misuse::ForeignPipe(_)
        | Misuse::SeveralInputs { .. }
        | Misuse::NotRegular(_)
        | Misuse::SeveralNames(_)
        | Misuse::LoneKeyIsWhole(_)
        | Misuse::SecondUnnamedKey
        | Misuse::OwnRecipient(_)
        | Misuse::SignsBatches
        | Misuse::NoPublicHalf(_)
        | Misuse::Layers(_)
        | Misuse::NothingToChain(_)
        | Misuse::NoChainByRsa(_)
        | Misuse::NoChainUnder(_)
        | Misuse::NothingToType(_)
        | Misuse::TypedTooShort { .. }
        | Misuse::OneKeyForAll { .. }
        | Misuse::NotAUser(_)
        | Misuse::UserLikeLeaf(_)
        | Misuse::TreeSize(_)
        | Misuse::LastGeneration(_)
        | Misuse::PadInLedger
        | Misuse::OtherScheme { .. } => None,
    }
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Describes changes that took effect although nothing was delivered.
fn aftermath_hint(not_undone: &NotUndone) -> String {
    let mut parts = Vec::new();
    if let Some(lost) = amounts_in_words(not_undone.lost) {
        let Amounts { ids, ivs, pad_bytes } = not_undone.lost;
        let (were, are) = match ids + ivs + pad_bytes {
            1 => ("was", "is"),
            _ => ("were", "are"),
        };
        parts.push(format!("{lost} {were} recorded as issued and {are} lost"));
    }
    if let Some(error) = &not_undone.not_taken_back {
        parts.push(format!("taking back failed ({error})"));
    }
    if let Some(file) = &not_undone.shop_half {
        parts.push(format!("{file} may hold the shop's half of what was not delivered"));
    }
    parts.push("ask again".to_owned());
    parts.join("; ")
}

/// Describes limited resources in words, as in `2 transaction ids and 10 random IVs`.
pub fn amounts_in_words(amounts: Amounts) -> Option<String> {
    let Amounts { ids, ivs, pad_bytes } = amounts;
    let parts = [
        (ids, "transaction id", "transaction ids"),
        (ivs, "random IV", "random IVs"),
        (pad_bytes, "byte of pad", "bytes of pad"),
    ];
    let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> = parts
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

/// Returns a hint for a file of another kind, or a damaged one.
fn malformed_hint(found: &Malformed) -> Option<&'static str> {
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

/// Returns a hint for an order that was opened before.
fn reuse_hint(found: &Reuse) -> Option<&'static str> {
    match found {
        Reuse::InRun { .. } => Some("somebody sent this order twice, or altered a copy of it"),
        Reuse::Used(_) => {
            Some("two orders were sealed under one id: a bundle was copied, or restored")
        }
        Reuse::Pad => Some("a bundle was copied, or restored: neither order is secret any more"),
        Reuse::Repeat => Some("--on-error skip opens the others"),
        Reuse::Uncertain => Some("--reopen opens it again; the reader may then get it twice"),
    }
}

/// Returns a hint for a client's bundle and a journal that do not belong together.
fn journal_hint(trouble: &JournalTrouble) -> String {
    match trouble {
        JournalTrouble::Missing(journal) => format!(
            "a bundle of many ids has its journal beside it: move or copy {journal} with it, or get another \
             bundle"
        ),
        JournalTrouble::Other(_) | JournalTrouble::OtherKeys(_) => {
            "restore the journal that belongs to this bundle, or get another bundle".to_owned()
        }
        JournalTrouble::Ahead(journal) => format!(
            "an older copy of the bundle was put back: get another bundle. Remove {journal} only if it \
             belongs to a bundle that is gone"
        ),
        JournalTrouble::NotBeside => "name the file of the bundle instead of a pipe".to_owned(),
    }
}

/// Returns a hint for a bundle and a ledger that do not belong together.
fn ledger_hint(trouble: &LedgerTrouble) -> Option<&'static str> {
    match trouble {
        LedgerTrouble::NotGiven => Some("name it with --ledger; --check needs none"),
        LedgerTrouble::Missing(_) | LedgerTrouble::Other(_) => {
            Some("restore the ledger that belongs to this bundle")
        }
        LedgerTrouble::NotNoted => Some("copy it into a file with mode 0600 and use that"),
        LedgerTrouble::OtherBundle => None,
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_')
}

const ITEM_PAGES: &str = "an item page comes from `orderseal bundle page`";

const REQUESTS: &str = "a request comes from `orderseal request --page`";

const KEY_FILES: &str = "key files come from `orderseal keygen` and `orderseal bundle`; orders are \
                         given without an option";

/// Returns a hint for data in another format.
fn unexpected_hint(found: &Form, expected: Expected) -> Option<String> {
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

const DERIVED_FROM_PASSWORD: &str = "write the password into a file and name it by --password-file; \
                                     the bytes of a key are never used as a password";

fn key_hint(error: &KeyError) -> Option<String> {
    let hint = match error {
        KeyError::Unknown { .. } => {
            "is this order for another shop, or made after this bundle? `orderseal bundle shop` \
             makes a new one; --bundle may be given several times"
        }
        KeyError::Unnamed => "give the key alone by --key, or choose one by --kid",
        KeyError::Unimplemented(Unimplemented { name, .. }) if name == "RSA1_5" => {
            "RSA1_5 is not read on purpose: its padding betrays content keys to anyone who can try \
             many lines; ask the sender for RSA-OAEP-256"
        }
        KeyError::Unimplemented(Unimplemented { standard: Some(_), .. }) => {
            let wrap = WrapAlgorithm::ALL.into_iter().filter(|it| !it.is_weak());
            let wrap = wrap.map(WrapAlgorithm::name);
            return Some(format!(
                "supported are alg dir, ECDH-ES, {} with enc {}",
                names(wrap.chain(Pbes2::ALL.map(Pbes2::name))),
                names(
                    ContentCipher::ALL
                        .into_iter()
                        .filter(|it| !it.is_weak())
                        .map(ContentCipher::name)
                ),
            ));
        }
        KeyError::Several(_) => "choose one by --kid",
        KeyError::Alike { .. } => "choose one by --alg",
        KeyError::Uncounted { .. } => "put the key into a file of its own",
        KeyError::NoAlgorithm(_) | KeyError::Unprotected(_) => "name it by --alg",
        KeyError::Unsaid { fitting, .. } if fitting.is_empty() => {
            "no standard algorithm is for keys of this type and size: is the key complete?"
        }
        KeyError::Unsaid { fitting, .. } => {
            let fitting = names(fitting.iter().copied());
            return Some(format!("name it by --alg; for a key of this type and size: {fitting}"));
        }
        KeyError::NoneFor(_) => "leave --alg out: it is for keys that name no algorithm",
        KeyError::Role { found: Role::Client, expected: Role::Shop } => {
            "a client's bundle only encrypts; decrypt with the file from `orderseal bundle shop`"
        }
        KeyError::Role { found: Role::Plain, expected: Role::Client } => {
            "a lone key goes with --key; a client's file comes from `orderseal bundle client`"
        }
        KeyError::Role { expected: Role::Plain, .. } => {
            "a lone key comes from `orderseal keygen --alg`; the file of a client or shop goes with \
             --bundle"
        }
        KeyError::Role { expected: Role::Client, .. } => {
            "make a client's file with `orderseal bundle client`"
        }
        KeyError::Role { found: Role::Plain, expected: Role::Shop } => {
            "a lone key, or one of another tool, goes with --key"
        }
        KeyError::Role { .. } => "the security service's keyring is what `keygen` makes",
        KeyError::Spent { shop, .. } => {
            return Some(format!(
                "get more: orderseal bundle client --keyring SERVICE.jwks --shop {shop} --orders N -o FILE"
            ));
        }
        KeyError::PoolEmpty { shop, wanted, unused } => {
            return Some(format!(
                "make more: orderseal keygen … --shop {shop} --orders {} --into KEYRING; or use \
                 --on-demand",
                wanted - unused
            ));
        }
        KeyError::Budget { .. } => {
            "get another bundle with `orderseal bundle client`; for a lone key, make a new one"
        }
        KeyError::AllAllotted(_) => {
            "take back what bundles have left with `orderseal erase --return-to KEYRING CLIENT.jwks`; \
             or make a key without this limit, for a shop of another name: \
             `orderseal keygen --embodiment 2 --shop NAME --into KEYRING`"
        }
        KeyError::PadShort { .. } => {
            "no byte of pad serves twice: get a new piece with `orderseal bundle client --pad-bytes N`, \
             or make a longer pad with `orderseal keygen --pad-bytes N`"
        }
        KeyError::NotAdmitted(kid) => {
            let (shop, user) = kid.parts();
            let user = user.unwrap_or_default();
            return Some(format!(
                "`orderseal inspect` names the users; to admit this one: orderseal keys admit {user} --shop \
                 {shop} KEYRING"
            ));
        }
        KeyError::Revoked(_) => {
            "a revoked id is not admitted again: choose another one for the user"
        }
        KeyError::OutOfDate { why: OutOfDate::Since(_), .. } => {
            "ask for a new bundle; the service makes new keys with `orderseal keys rotate`"
        }
        KeyError::OutOfDate { why: OutOfDate::Until(_) | OutOfDate::Unknown, .. } => return None,
        KeyError::NeverValid(_) => "`orderseal inspect` shows the dates of the shop's keys",
        KeyError::Weak(_) => "to use it anyway, pass --allow-weak",
        KeyError::Marked { .. } => "such keys are for simulations; --allow-weak accepts them",
        KeyError::Readable(_) => "chmod 600 the file, or pass --allow-readable-keys",
        KeyError::UnknownShop { .. } => "--shop takes one of these",
        KeyError::Unsound(_) => "the key is at fault, not the orders: get it again from its owner",
        KeyError::OwnPairs(_) => {
            "the shop does this with its own keyring, and `bundle service` writes what the service needs"
        }
        KeyError::Missing(_) | KeyError::ErasedNow => "get a new file with `orderseal bundle`",
        KeyError::Ledger(trouble) => ledger_hint(trouble)?,
        KeyError::Journal(trouble) => return Some(journal_hint(trouble)),
        KeyError::OtherAlgorithm { asked, .. } if asked.material() == Family::Password => {
            DERIVED_FROM_PASSWORD
        }
        KeyError::OtherAlgorithm { .. } => {
            "a key serves what its record allows, whatever an order asks for; for a key without alg, \
             --alg names the algorithm"
        }
        KeyError::Encrypted(Encrypted::NoPassword) => {
            "write the password into a file and name it by --key-password-file"
        }
        KeyError::Encrypted(
            Encrypted::Scheme(_) | Encrypted::Rounds { .. } | Encrypted::Scrypt { .. },
        ) => "encrypt it anew, with `openssl pkcs8 -topk8 -in FILE -out NEW`",
        KeyError::Protected(Protected::NoPassphrase) => {
            "name a file with the passphrase by --passphrase-file, or run the command at a terminal"
        }
        KeyError::Protected(Protected::Rounds { .. }) => {
            "give fewer files at a time, or protect them with fewer rounds"
        }
        KeyError::Protected(Protected::NoIdentity) => "name the private key by --identity",
        KeyError::Unfit(Unfit::Password(_)) => DERIVED_FROM_PASSWORD,
        KeyError::Unfit(Unfit::Rounds { .. }) => {
            "whoever seals chooses the rounds; if the orders are worth the time, raise the limit by \
             --password-rounds"
        }
        KeyError::Unfit(Unfit::NotWritten { .. }) => {
            "--format pem and der are for RSA and elliptic curves, hex, base64 and raw for secret keys, \
             jwk for every key"
        }
        KeyError::Unfit(Unfit::WouldErase(_)) => {
            "to erase them here as well, pass --drop-erased; to keep them, --restore"
        }
        KeyError::Unimplemented(Unimplemented { standard: None, .. })
        | KeyError::Unpaired(_)
        | KeyError::OtherUse { .. }
        | KeyError::Exchanged
        | KeyError::Erased(_)
        | KeyError::Conflict(_)
        | KeyError::Unusable(_)
        | KeyError::Encrypted(Encrypted::WrongPassword)
        | KeyError::Protected(Protected::WrongPassphrase | Protected::WrongIdentity)
        | KeyError::Unfit(_) => return None,
    };
    Some(hint.to_owned())
}
