//! `inspect`: shows structure and counts of any file of the protocol, never a secret.

mod key_file;
mod order_page;
mod outline;
mod pads;
mod sealed;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::ciphers::base64url;
use orderseal::protocol::jose::jwe::{Carries, is_sealed_json};
use orderseal::protocol::jose::jwk::Jwk;
use orderseal::protocol::model::{Expected, Form, WebPage};
use orderseal::protocol::page::Description;
use orderseal::protocol::page::item_page::Page;
use orderseal::protocol::page::request::Request;
use orderseal::protocol::roles::pad_use::PadUse;
use orderseal::protocol::store::files::{
    self, Input, JournalCounts, Ledger, LedgerCounts, ProtectedBy,
};
use orderseal::protocol::store::keyfile::{ClientBundle, JwkSet, KeyFile, KeyHolder, MAX_KEY_FILE};
use orderseal::protocol::{Error, Malformed, Name, Place, Result, ServiceUrl};
use serde_json::{Value, json};

use outline::show;

use super::passwords::KeyPassword;
use super::{Global, one_from_stdin, signing, ui};
use crate::cmd::hints::usage;

/// Show the structure of a file, never a secret
///
/// Reads key files, ledgers, item pages, requests, order pages, sealed orders and sealed streams. With
/// --verify-with, also what an address serves, such as https://shop.example/page.json: a monitor can check
/// a shop's page from outside.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal inspect sealed.jwe
  orderseal inspect --json client.jwks
  orderseal inspect tokyo.jwks --sealed sealed.jwe
  orderseal inspect --public tokyo.jwks > public.jwks
  orderseal inspect --verify-with service.jwk client.jwks")]
pub struct Inspect {
    /// Print the public keys as a plain JWK Set
    #[arg(long)]
    public: bool,
    /// Sealed orders that used the pads of this key file: count the bytes left, and those used twice
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    sealed: Vec<PathBuf>,
    /// First check that FILE.jws, or URL.jws, is a signature by this public key, or by the key that this item page names
    #[arg(long, value_name = "KEY", requires = "file")]
    verify_with: Option<PathBuf>,
    #[command(flatten)]
    key_password: KeyPassword,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    reaching: super::reaching::Reaching,
    /// File to show, or with --verify-with an address [default: stdin]
    file: Option<PathBuf>,
}

/// How long a request is sent again without a definite answer, in seconds.
#[cfg(feature = "serve")]
const RETRY_FOR: u32 = 10;

/// The address that a path is, if it is none of a file.
fn address(path: &Path) -> Option<ServiceUrl> {
    let text = path.to_str()?;
    let is_http = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    text.parse().ok().filter(|_| is_http)
}

impl Inspect {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let path = self.file.as_deref();
        one_from_stdin([Some(path.unwrap_or(Path::new("-"))), self.key_password.path()])?;
        let address = self.verify_with.as_deref().and(path).and_then(address);
        let path = path.filter(|_| address.is_none());
        let mut input = match (&self.verify_with, &address) {
            (Some(by), Some(address)) => self.served(address, by, global)?,
            (_, _) => {
                files::tidy(path);
                Input::open(path)?
            }
        };
        let place = input.place();
        if let (Some(by), Some(path)) = (&self.verify_with, path) {
            let bytes = files::read_limited(input.reader, MAX_KEY_FILE, &place)?;
            signing::verify(path, &bytes, by, global)?;
            input.reader = Box::new(Cursor::new(bytes));
        }
        let first = first_bytes(&mut input)?;
        if WebPage::recognized(&first).is_some() {
            return self.web_page(first, input, global);
        }
        let is_one_line = !first.trim_ascii().contains(&b'\n');
        let first = match is_one_line && Carries::claims_keys(&first) {
            false => first,
            true => {
                let read = std::mem::replace(&mut input.reader, Box::new(std::io::empty()));
                let reader = Cursor::new(first).chain(read);
                let bytes = files::read_limited(reader, MAX_KEY_FILE, &place)?;
                match ProtectedBy::read(&bytes, &place)? {
                    Some(by) => return self.protected(path, &bytes, &by, &place, global),
                    None => bytes.to_vec(),
                }
            }
        };
        let sealed = Form::of_file(first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first));
        if sealed == Some(Form::SealedOrders) {
            return self.sealed_orders(first, input, &place, global);
        }
        let is_json = first.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        match Form::of_file(&first) {
            Some(Form::Ledger) => return self.ledger(path, &place, global),
            Some(Form::Journal) => return self.journal(path, &place, global),
            _ if Jwk::from_encoding(&first, None).is_some() => {}
            Some(found) => return Err(Error::unexpected(&place, found, Expected::Inspectable)),
            None if !is_json => return self.sealed_orders(first, input, &place, global),
            None => {}
        }
        let reader = Box::new(Cursor::new(first).chain(input.reader));
        let bytes = files::read_limited(reader, MAX_KEY_FILE, &place)?;
        if is_sealed_json(&bytes) {
            input.reader = Box::new(std::io::empty());
            return self.sealed_orders(bytes.to_vec(), input, &place, global);
        }
        let file = match self.key_password.reader(global)?.parse(path, &bytes, &place) {
            Err(Error::Unexpected { found: Form::ItemPage, .. }) => {
                return show(global, &page_to_json(&Page::parse(&bytes, &place)?));
            }
            Err(Error::Unexpected { found: Form::Request, .. }) => {
                return show(global, &request_to_json(&Request::parse(&bytes, &place)?));
            }
            parsed => parsed?,
        };
        self.key_file(path, &file, None, &place, global)
    }

    /// What an address serves, if it is signed.
    #[cfg(feature = "serve")]
    fn served(&self, address: &ServiceUrl, by: &Path, global: &Global) -> Result<Input> {
        use orderseal::protocol::serve::client::{Settings, get_signed};
        // Whatever comes, by whatever way, must be signed.
        let settings = Settings { allow_http: true, ..self.reaching.settings(RETRY_FOR)? };
        let (bytes, token) = get_signed(address, &settings)?;
        signing::check(&Place::file(address.as_str()), &bytes, &token, by, global)?;
        Ok(Input::memory(address.as_str(), bytes))
    }

    #[cfg(not(feature = "serve"))]
    #[expect(clippy::unused_self, reason = "as in programs with servers")]
    fn served(&self, _: &ServiceUrl, _: &Path, _: &Global) -> Result<Input> {
        Err(super::not_built::error("inspect URL"))
    }

    /// Shows a protected key file: what it says itself, or its content if there is what opens it.
    fn protected(
        &self,
        path: Option<&Path>,
        bytes: &[u8],
        by: &ProtectedBy,
        place: &Place,
        global: &Global,
    ) -> Result<()> {
        let is_closed = !by.has_key(global.access()?) && !self.public && self.sealed.is_empty();
        if is_closed {
            let mut value = key_file::protection_to_json(by);
            value["kind"] = json!("protected key file");
            return show(global, &value);
        }
        let file = self.key_password.reader(global)?.parse(path, bytes, place)?;
        self.key_file(path, &file, Some(by), place, global)
    }

    fn key_file(
        &self,
        path: Option<&Path>,
        file: &KeyFile,
        by: Option<&ProtectedBy>,
        place: &Place,
        global: &Global,
    ) -> Result<()> {
        files::finish(path, file, global.access()?)?;
        if self.public {
            let public = JwkSet::of_public_keys(file.holder(), place)?;
            return ui::print(&String::from_utf8_lossy(&public.to_bytes(place)?));
        }
        let sealed = self.pad_use(file, global)?;
        let mut value = key_file::to_json(file, sealed.as_ref());
        if let Some(by) = by {
            value["protected"] = key_file::protection_to_json(by);
        }
        show(global, &value)
    }

    fn ledger(&self, path: Option<&Path>, place: &Place, global: &Global) -> Result<()> {
        let unexpected = || Error::unexpected(place, Form::Ledger, Expected::KeyFile);
        let path =
            path.filter(|_| !self.public && self.sealed.is_empty()).ok_or_else(unexpected)?;
        let file = File::open(path).map_err(|error| Error::io(place, "cannot open", error))?;
        let LedgerCounts { number, done, opening, uncertain } = Ledger::survey(&file, place)?;
        let (kind, number) = ("ledger", number.to_string());
        show(
            global,
            &json!({"kind": kind, "number": number, "done": done, "opening": opening, "uncertain": uncertain}),
        )
    }

    fn journal(&self, path: Option<&Path>, place: &Place, global: &Global) -> Result<()> {
        let path = path.filter(|_| !self.public && self.sealed.is_empty());
        let found = path.map(JournalCounts::survey).transpose()?.flatten();
        let JournalCounts { number, ids, spent } =
            found.ok_or_else(|| Error::unexpected(place, Form::Journal, Expected::KeyFile))?;
        let (kind, number) = ("journal", number.to_string());
        show(global, &json!({"kind": kind, "number": number, "ids": ids, "spent": spent}))
    }

    /// Returns how much of a file's pads the orders of `--sealed` used.
    fn pad_use(&self, file: &KeyFile, global: &Global) -> Result<Option<PadUse>> {
        if self.sealed.is_empty() {
            return Ok(None);
        }
        let keys = file.holder().all_keys();
        let counts = match file {
            KeyFile::Plain(_) | KeyFile::Shop(_) => true,
            KeyFile::Keyring(_) | KeyFile::Client(_) => false,
        };
        if !counts || !keys.views().any(|key| key.material.pad().is_some()) {
            let found = "--sealed counts what is left of the pads of a shop or a lone key";
            return Err(usage(found.to_owned()));
        }
        let mut pads = PadUse::new(keys);
        for path in &self.sealed {
            let input = Input::open(Some(path))?;
            let place = input.place();
            pads.add(&global.workers()?, input.reader, &place)?;
        }
        Ok(Some(pads))
    }

    fn web_page(&self, first: Vec<u8>, input: Input, global: &Global) -> Result<()> {
        let place = input.place();
        let reader = Cursor::new(first).chain(input.reader);
        let bytes = files::read_limited(reader, MAX_KEY_FILE, &place)?;
        let page = WebPage::recognized(&bytes).unwrap_or(WebPage::Other);
        let expected = if self.public || !self.sealed.is_empty() {
            Expected::KeyFile
        } else if page == WebPage::Order {
            return show(global, &order_page::to_json(&Description::parse(&bytes, &place)?));
        } else {
            Expected::Inspectable
        };
        Err(Error::unexpected(&place, Form::WebPage(page), expected))
    }
}

fn first_bytes(input: &mut Input) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    input
        .reader
        .by_ref()
        .take(64 << 10)
        .read_to_end(&mut first)
        .map_err(|error| Error::io(&input.name, "cannot read", error))?;
    if first.is_empty() {
        let expected = "a key file, an item page, a request, an order page or sealed orders";
        return Err(Error::malformed(&input.place(), Malformed::Empty(expected)));
    }
    Ok(first)
}

fn page_to_json(page: &Page) -> Value {
    json!({
        "kind": "item page",
        "shop": page.shop.as_str(),
        "service": page.service.as_ref().map(ServiceUrl::as_str),
        "service_key": page.service_key.as_ref().map(|key| key.thumbprint().to_string()),
        "program": page.program.as_ref().map(program_to_json),
        "items": page.items.as_array().map_or(0, Vec::len),
    })
}

fn program_to_json(program: &ClientBundle) -> Value {
    let suite = program.shop.suite;
    json!({ "key": program.name.as_str(), "alg": suite.alg().name(), "enc": suite.enc().name() })
}

fn request_to_json(request: &Request) -> Value {
    json!({
        "kind": "request",
        "shop": request.shop.as_str(),
        "service": request.service.as_ref().map(ServiceUrl::as_str),
        "page": base64url::encode_to_string(&request.page),
        "user": request.user.as_ref().map(Name::as_str),
        "orders": request.orders,
        "number": base64url::encode_to_string(&request.number),
    })
}
