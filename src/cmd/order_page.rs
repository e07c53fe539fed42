//! `bundle client --form html`: contents of the shop's order form.

use std::path::{Path, PathBuf};

use super::{Global, ui};
use crate::cmd::hints::usage;
use clap::builder::ValueHint;
use clap::{Args, ValueEnum};
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::{
    self, Description, Fields, Form, Items, LANGUAGES, MAX_ORDERS, SendTo,
};
use orderseal::protocol::roles::service::ClientRequest;
use orderseal::protocol::store::files::{self, FileId, Loaded, Small};
use orderseal::protocol::store::keyfile::{Account, Keyring};
use orderseal::protocol::{Erase, Error, Name, Place, Result};

/// Size in bytes of a page without its pictures that causes a warning.
const LARGE: usize = 100_000;

/// Heading of the options of a page.
const PAGE: &str = "Order page options (with --form html)";

/// Options of a page.
#[derive(Debug, Args)]
pub struct OrderPage {
    /// What is handed out: program and key side by side, or a web page with the key built in
    #[arg(long, default_value = "program", value_enum)]
    form: ClientForm,
    /// Items on offer (JSON) [default: those of --page, or free text]
    #[arg(long, value_name = "FILE", help_heading = PAGE)]
    items: Option<PathBuf>,
    /// Fields of the form (JSON)
    #[arg(long, value_name = "FILE", help_heading = PAGE)]
    fields: Option<PathBuf>,
    /// Where the page sends orders [default: download or copy]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = PAGE)]
    send_to: Option<SendTo>,
    /// Language of the page [default: the browser's]
    #[arg(long, value_parser = LANGUAGES, help_heading = PAGE)]
    lang: Option<String>,
    /// Make the page even if its key opens the orders of all clients of the shop
    #[arg(long, help_heading = PAGE)]
    allow_shared_secret: bool,
}

/// Forms of a client's bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClientForm {
    /// A key file with the program
    #[value(alias = "jwks")]
    Program,
    /// A web page that seals and sends orders
    Html,
}

impl OrderPage {
    /// Returns the form if a page was requested. Adds the identities of the files that it was read
    /// from to `inputs`.
    ///
    /// # Errors
    /// A usage error for options that contradict each other; `KeyError::Unfit` if browsers lack
    /// the shop's algorithms; [`Error::Malformed`] for items and fields.
    pub fn form(
        &self,
        request: &ClientRequest,
        loaded: &Loaded<Keyring>,
        item_page: Option<&(Page, Place)>,
        inputs: &mut Vec<Option<FileId>>,
        global: &Global,
    ) -> Result<Option<Form>> {
        if self.form != ClientForm::Html {
            return self.refuse_options().map(|()| None);
        }
        let (_, Account { shop, .. }) = loaded.file.account(Some(&request.shop), &loaded.place)?;
        if let Some(reason) = page::refusal(shop.suite) {
            return Err(Error::key(&loaded.place, reason.into()));
        }
        if request.ids.orders().is_some_and(|orders| orders > MAX_ORDERS as u64) {
            return Err(usage(format!("a page has {MAX_ORDERS} orders at most")));
        }
        if request.signs {
            return Err(usage(
                "a page sends one order, and signs no batch: leave out --signing-key",
            ));
        }
        if let Some(what @ (Erase::Keys | Erase::Programs)) = request.erase {
            let what = what.name();
            let found = format!("--erase={what}: a page erases all that it can, say --erase alone");
            return Err(usage(found));
        }
        if request.erase.is_some() && request.ids.orders().is_some_and(|orders| orders > 1) {
            return Err(usage(
                "a page that erases takes one order: --erase goes with --orders 1".to_owned(),
            ));
        }
        if shop.scheme.shares_secret() {
            self.accept_shared_secret(&request.shop, global)?;
        }
        if self.send_to.as_ref().is_some_and(SendTo::is_plain_http) {
            ui::warn(global, "--send-to is no https address: who orders, and how much, is visible");
        }
        Ok(Some(Form {
            items: self.offered(item_page, inputs)?,
            fields: match &self.fields {
                Some(path) => {
                    let file = read(path, inputs)?;
                    Fields::parse(&file.bytes, &file.place)?
                }
                None => Fields::default(),
            },
            send_to: self.send_to.clone(),
            lang: self.lang.clone(),
        }))
    }

    /// Requires explicit consent if anyone who can read the page can also read everybody's orders.
    fn accept_shared_secret(&self, shop: &Name, global: &Global) -> Result<()> {
        let found = format!(
            "every visitor of this page gets the secret key of {shop}, which opens the orders of all \
             its clients"
        );
        if !self.allow_shared_secret {
            return Err(usage(format!(
                "{found}: use keys of the public kind, or of transactions, or pass \
                 --allow-shared-secret"
            )));
        }
        ui::warn(global, &found);
        Ok(())
    }

    /// The file with the items on offer.
    pub fn items(&self) -> Option<&Path> {
        self.items.as_deref()
    }

    /// The file with custom form fields.
    pub fn fields(&self) -> Option<&Path> {
        self.fields.as_deref()
    }

    fn offered(
        &self,
        item_page: Option<&(Page, Place)>,
        inputs: &mut Vec<Option<FileId>>,
    ) -> Result<Option<Items>> {
        if let Some(path) = &self.items {
            let file = read(path, inputs)?;
            return Items::parse(&file.bytes, &file.place).map(Some);
        }
        let Some((page, place)) = item_page else { return Ok(None) };
        page.offered(place)
    }

    fn refuse_options(&self) -> Result<()> {
        let given = [
            ("--items", self.items.is_some()),
            ("--fields", self.fields.is_some()),
            ("--send-to", self.send_to.is_some()),
            ("--lang", self.lang.is_some()),
            ("--allow-shared-secret", self.allow_shared_secret),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(usage(format!("{option} goes with --form html"))),
            None => Ok(()),
        }
    }
}

/// Warns about a page that is slow to send and to open, and names the cause.
pub fn tell_size(page: &[u8], name: &str, global: &Global) {
    if page.len() <= LARGE {
        return;
    }
    let Ok(page) = Description::parse(page, &Place::file(name)) else { return };
    let sizes = page.sizes;
    let without_pictures = sizes.page - sizes.pictures;
    if without_pictures > LARGE {
        let keys = format!("{} {} keys take", page.keys, page.suite.kind().name());
        let largest = (sizes.keys, keys.as_str())
            .max((sizes.items, "the texts of its goods take"))
            .max((sizes.fields, "its fields take"));
        let (bytes, what) = largest;
        let (whole, part) = (thousands(without_pictures), thousands(bytes));
        ui::warn(global, &format!("{name}: {whole} kB without pictures: {what} {part} kB"));
    }
}

/// Converts bytes to kB, rounded.
fn thousands(bytes: usize) -> usize {
    (bytes + 500) / 1000
}

/// Reads a file of the form; no output may overwrite it.
fn read(path: &Path, inputs: &mut Vec<Option<FileId>>) -> Result<Small> {
    let file = files::load_small(path, MAX_PAGE, false)?;
    inputs.push(file.id);
    Ok(file)
}
