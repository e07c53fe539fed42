//! `bundle`: the security service hands out programs and keys.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::pad::MAX_PAD;
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::{self, Items};
use orderseal::protocol::roles::service::{self, ClientRequest, IdRequest, Outputs, ShopForm};
use orderseal::protocol::store::files::{self, Existing, FileId, Loaded, Output, Privacy};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::store::spend::KeyStore;
use orderseal::protocol::{Erase, Error, Name, Place, Result, Run, ServiceUrl};
use serde_json::json;

use super::keygen::{is_stdout, write_key_file};
use super::order_page::{self, OrderPage};
use super::{Global, one_from_stdin, signals, ui};
use crate::cmd::exit::usage;

/// Stream of the source that a page's id is drawn from.
const PAGE_STREAM: u64 = u64::MAX - 2;

/// The three receivers.
#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// For a shop: its decrypting keys and program
    Shop(Shop),
    /// For a shop's item page: shop name and service address
    Page(PageArgs),
    /// For a client: encrypting keys of one shop and program
    Client(Client),
}

/// Arguments of `bundle shop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  orderseal bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks")]
pub struct Shop {
    #[command(flatten)]
    from: From,
    /// The shop; may be left out where the keyring has only one
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
    /// Key alone, program and key side by side, or program with the key built in
    #[arg(long, value_parser = ["key", "program", "built-in"], default_value = "program")]
    form: String,
    #[command(flatten)]
    to: To,
}

/// Arguments of `bundle page`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  orderseal bundle page --keys service.jwks --shop tokyo --service https://service.example/ -o page.json
  orderseal bundle page --keys service.jwks --items items.json -o page.json

docs/PAGE.md describes the items; members that it does not name are refused.")]
pub struct PageArgs {
    #[command(flatten)]
    from: From,
    /// The shop; may be left out where the keyring has only one
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
    /// Where clients ask for programs and keys
    #[arg(long, value_name = "URL")]
    service: Option<ServiceUrl>,
    /// The shop's items (JSON): id, name, price, picture, specification, performance
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    #[command(flatten)]
    to: To,
}

/// Arguments of `bundle client`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal bundle client --keys service.jwks --shop tokyo --orders 20 -o client.jwks
  orderseal bundle client --keys service.jwks --page page.json --erase -o client.jwks
  orderseal bundle client --keys service.jwks --shop tokyo --user alice -o alice.jwks
  orderseal bundle client --keys service.jwks --shop tokyo --on-demand --shop-out half.jwks -o client.jwks
  orderseal bundle client --keys service.jwks --shop tokyo --form html --items items.json \
    --send-to https://shop.example/orders -o order.html")]
pub struct Client {
    #[command(flatten)]
    from: From,
    /// The shop; may be left out where the keyring has only one
    #[arg(long, value_name = "NAME", conflicts_with = "page")]
    shop: Option<Name>,
    /// The shop's item page, which says which shop it is
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Transactions: ids taken from the pool, each good for one order
    #[arg(long, visible_alias = "count", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..))]
    orders: u32,
    /// A user's own id, which may be used again
    #[arg(long, value_name = "NAME", conflicts_with_all = ["on_demand", "orders"])]
    user: Option<Name>,
    /// Make the ids for this request instead of taking them from the pool
    #[arg(long)]
    on_demand: bool,
    /// Also write the shop's matching keys to FILE
    #[arg(long, value_name = "FILE")]
    shop_out: Option<PathBuf>,
    /// What the client erases after sending; a page erases all, and takes one order then
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true,
          default_missing_value = "all", value_parser = ["keys", "programs", "all"])]
    erase: Option<String>,
    /// The client is told of each step and starts it
    #[arg(long)]
    guided: bool,
    /// Content-encryption keys of an order, chained if more than one (at most 16)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    layers: u8,
    /// Bytes of a one-time pad that clients share [default: a sixteenth, or what is left of it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PAD))]
    pad_bytes: Option<u64>,
    #[command(flatten)]
    order_page: OrderPage,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
struct From {
    /// The security service's keyring
    #[arg(short, long, value_name = "FILE")]
    keys: PathBuf,
}

#[derive(Debug, Args)]
struct To {
    /// Where to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    force: bool,
}

impl Bundle {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Shop(command) => command.run(global),
            Self::Page(command) => command.run(global),
            Self::Client(command) => command.run(global),
        }
    }
}

impl From {
    fn load(&self, global: &Global) -> Result<Loaded> {
        let loaded = files::load(&self.keys, global.allow_readable_keys)?;
        loaded.file.refuse_weak(global.allow_weak, &loaded.place)?;
        Ok(loaded)
    }

    /// Changes the keyring in its file. One that came by a pipe serves where nothing has to change.
    fn change<T>(
        &self,
        loaded: &Loaded,
        change: impl FnOnce(&mut KeyFile) -> Result<T>,
    ) -> Result<T> {
        if loaded.changeable {
            return files::update(&self.keys, change);
        }
        let mut changed = loaded.file.clone();
        let result = change(&mut changed)?;
        match changed == loaded.file {
            true => Ok(result),
            false => Err(usage(format!(
                "{}: what is handed out is recorded in the keyring, which therefore cannot be a pipe",
                loaded.place
            ))),
        }
    }
}

/// The keyring that is handed out from.
struct Keyring<'a> {
    from: &'a From,
    loaded: &'a Loaded,
}

impl KeyStore for Keyring<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T>) -> Result<T> {
        self.from.change(self.loaded, change)
    }

    fn is_shared(&self) -> Result<bool> {
        Ok(false)
    }
}

impl To {
    fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Keep }
    }

    fn name(&self) -> String {
        self.output
            .as_deref()
            .filter(|path| !files::is_dash(path))
            .map_or("stdout".into(), ui::shown)
    }

    fn report(&self, global: &Global, bundle: &KeyFile) -> Result<()> {
        if !global.json {
            return Ok(());
        }
        let shops: Vec<&str> = bundle.shops.keys().map(Name::as_str).collect();
        let report = json!({
            "role": bundle.role.name(),
            "shop": shops[0],
            "keys": bundle.keys().len(),
        });
        ui::print_report(&report, is_stdout(self.output.as_deref()))
    }
}

impl Shop {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = self.from.load(global)?;
        let form = match self.form.as_str() {
            "key" => ShopForm::Key,
            "program" => ShopForm::Program,
            _ => ShopForm::BuiltIn,
        };
        let bundle = service::bundle_shop(&loaded.file, self.shop.as_ref(), form, &loaded.place)?;
        write_key_file(&bundle, self.to.output.as_deref(), self.to.existing(), &[loaded.id])?;
        if form == ShopForm::Key {
            ui::warn(
                global,
                "a key without its program should not travel over a network by itself",
            );
        }
        self.to.report(global, &bundle)
    }
}

impl PageArgs {
    fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.from.keys.as_path()), self.items.as_deref()])?;
        let loaded = self.from.load(global)?;
        let (name, shop) = loaded.file.shop_named(self.shop.as_ref(), &loaded.place)?;
        let mut inputs = vec![loaded.id];
        let items = match &self.items {
            Some(path) => {
                let file = files::load_small(path, MAX_PAGE, false)?;
                inputs.push(file.id);
                let items =
                    orderseal::protocol::jose::json::parse(&file.bytes).map_err(|found| {
                        Error::malformed(&file.place, format!("found {found}, expected JSON"))
                    })?;
                Items::from_json(&items, &file.place)?;
                (*items).clone()
            }
            None => json!([]),
        };
        let service = self.service.clone().or_else(|| shop.service.clone());
        let page = Page { shop: name.clone(), service, items };
        let path = self.to.output.as_deref();
        let mut output = Output::create(path, self.to.existing(), Privacy::Umask, &inputs)?;
        output.write(&page.to_bytes())?;
        output.commit()
    }
}

/// An item page, and where it stands; its identity is added to `inputs`.
fn read_page(path: &Path, inputs: &mut Vec<Option<FileId>>) -> Result<(Page, Place)> {
    let file = files::load_small(path, MAX_PAGE, false)?;
    inputs.push(file.id);
    Ok((Page::parse(&file.bytes, &file.place)?, file.place))
}

impl Client {
    fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([
            Some(self.from.keys.as_path()),
            self.page.as_deref(),
            self.order_page.items(),
            self.order_page.fields(),
        ])?;
        let loaded = self.from.load(global)?;
        let mut inputs = vec![loaded.id];
        let page = self.page.as_deref().map(|path| read_page(path, &mut inputs)).transpose()?;
        let request = self.request(&loaded, page.as_ref().map(|(page, _)| page))?;
        let form = self.order_page.form(&request, &loaded, page.as_ref(), &mut inputs, global)?;
        let outputs = [self.to.output.as_deref(), self.shop_out.as_deref()];
        let stdout = PathBuf::from("-");
        let client = outputs[0].unwrap_or(&stdout);
        if outputs[1].is_some_and(|shop| shop == client || files::same_target(shop, client)) {
            return Err(usage("-o and --shop-out name the same file".to_owned()));
        }
        // Both outputs are opened first, so that no id is handed out to a file that cannot be.
        let existing = self.to.existing();
        let output = Output::create(outputs[0], existing, Privacy::Owner, &inputs)?;
        let shop_output = match outputs[1] {
            Some(path) => Some(Output::create(Some(path), existing, Privacy::Owner, &inputs)?),
            None => None,
        };
        if output.is_terminal() || shop_output.as_ref().is_some_and(Output::is_terminal) {
            return Err(usage("keys are not printed to a terminal: use -o FILE".to_owned()));
        }
        let workers = global.workers()?;
        let source = SystemSource::new()?;
        let place = &loaded.place;
        let keyring = Keyring { from: &self.from, loaded: &loaded };
        let name = Place::file(output.name());
        let _unfinished = signals::begin();
        let (delivery, bytes) = service::deliver(
            &keyring,
            &request,
            &source,
            |making| service::make_keys(making, &source, &workers, &|| {}, place),
            |client| match &form {
                Some(form) => Ok(page::page(client, form, &mut source.stream(PAGE_STREAM))),
                None => client.to_bytes(&name),
            },
            Outputs { client: output, shop: shop_output },
            place,
        )?;
        if form.is_some() {
            order_page::tell_size(&bytes, &self.to.name(), global);
        }
        self.to.report(global, &delivery.client).map_err(|source| {
            let what = format!("the bundle was written to {}", name.file);
            Error::Changed { what, source: Box::new(source) }
        })
    }

    fn request(&self, loaded: &Loaded, page: Option<&Page>) -> Result<ClientRequest> {
        let named = page.map(|page| &page.shop).or(self.shop.as_ref());
        let (shop, _) = loaded.file.shop_named(named, &loaded.place)?;
        Ok(ClientRequest {
            shop: shop.clone(),
            ids: match &self.user {
                Some(user) => IdRequest::User(user.clone()),
                None if self.on_demand => IdRequest::OnDemand(self.orders as usize),
                None => IdRequest::Pool(self.orders as usize),
            },
            erase: self.erase.as_deref().and_then(Erase::named),
            run: if self.guided { Run::Guided } else { Run::Automatic },
            layers: self.layers,
            pad_bytes: self.pad_bytes,
            service: page.and_then(|page| page.service.clone()),
        })
    }
}
