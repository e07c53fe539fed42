//! `bundle client`: what a client gets.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::pad::MAX_PAD;
use orderseal::protocol::page;
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::request::{MAX_REQUEST, Request};
use orderseal::protocol::roles::service::{self, ClientRequest, Delivered, IdRequest, Outputs};
use orderseal::protocol::store::files::{self, Access, FileId, Loaded, Output, Privacy};
use orderseal::protocol::store::keyfile::{KeyHolder, Keyring, Signer};
use orderseal::protocol::store::spend::Durable;
use orderseal::protocol::{Error, Name, Place, Result, Run};
use serde_json::json;

use super::{From, ShopName, keep_ledger, report, shown};
use crate::cmd::arguments::{Erasing, Layers, MORE, OutputFile, TEACHING, orders_of_pool};
use crate::cmd::dates::{KeyDates, now};
use crate::cmd::hints::{usage, usage_with};
use crate::cmd::order_page::{self, OrderPage};
use crate::cmd::protection::NewProtection;
use crate::cmd::signing::SignWith;
use crate::cmd::{Global, one_from_stdin, signals};

/// Stream of the source from which a page's id is drawn.
const PAGE_STREAM: u64 = u64::MAX - 2;

/// Most orders that a request may ask for, unless the command line says otherwise.
const MOST_ORDERS: u64 = 1000;

/// Write a client's encrypting keys and its program
///
/// The keyring records what is handed out. A client's file never holds a decrypting key of the
/// public kind, and only the ids issued to it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bundle client --keyring service.jwks --shop tokyo \\
    --orders 20 -o client.jwks
  orderseal bundle client --keyring service.jwks --request request.json \\
    --erase -o erasing.jwks
  orderseal bundle client --keyring service.jwks --shop tokyo \\
    --user alice -o alice.jwks
  orderseal bundle client --keyring service.jwks --shop tokyo \\
    --on-demand --shop-out half.jwks -o new.jwks
  orderseal bundle client --keyring service.jwks --shop tokyo \\
    --orders 9 --signing-key sender.jwk -o signing.jwks
  orderseal bundle client --keyring service.jwks --shop tokyo \\
    --form html --items items.json \\
    --send-to https://shop.example/orders -o order.html")]
pub struct Client {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    shop: ShopName,
    /// The shop's item page, which names the shop
    #[arg(long, value_name = "FILE", conflicts_with = "shop")]
    page: Option<PathBuf>,
    /// A client's request, which names the shop and the user or the number of orders
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shop", "page", "orders", "user"])]
    request: Option<PathBuf>,
    /// Most orders that a request may ask for [default: 1000]
    #[arg(long, value_name = "N", value_parser = orders_of_pool(), help_heading = MORE)]
    most_orders: Option<u64>,
    /// Orders that the client can send, each with an id of its own
    #[arg(long, alias = "count", value_name = "N", default_value_t = 1,
          value_parser = orders_of_pool())]
    orders: u64,
    /// Reusable id of a user, whom `keys admit` admitted
    #[arg(long, value_name = "NAME", conflicts_with_all = ["on_demand", "orders"])]
    user: Option<Name>,
    /// Make new ids for this request instead of taking them from the pool
    #[arg(long)]
    on_demand: bool,
    /// Also write the shop's matching keys to FILE
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    shop_out: Option<PathBuf>,
    /// Let the client sign its batches; write the public half of its key to FILE
    ///
    /// The key is an Ed25519 key (RFC 8037). The keyring does not keep it. The shop passes FILE to
    /// `decrypt --verify-with`.
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    signing_key: Option<PathBuf>,
    #[command(flatten)]
    erasing: Erasing,
    #[command(flatten)]
    order_page: OrderPage,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    sign: SignWith,
    #[command(flatten)]
    protection: NewProtection,
    #[command(flatten)]
    dates: KeyDates,
    /// Let the user confirm each step
    #[arg(long, help_heading = MORE)]
    guided: bool,
    /// Bytes of a one-time pad that clients share [default: a sixteenth, or what is left of it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PAD),
          help_heading = TEACHING)]
    pad_bytes: Option<u64>,
    #[command(flatten)]
    layers: Layers,
}

/// The keyring to issue from.
struct Issuer<'a> {
    from: &'a From,
    loaded: &'a Loaded<Keyring>,
    access: &'a Access,
}

impl Durable<Keyring> for Issuer<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T>) -> Result<T> {
        self.from.change(self.loaded, self.access, change)
    }
}

/// Reads an item page and returns its place as well; adds its identity to `inputs`.
fn read_page(path: &Path, inputs: &mut Vec<Option<FileId>>) -> Result<(Page, Place)> {
    let file = files::load_small(path, MAX_PAGE, false)?;
    inputs.push(file.id);
    Ok((Page::parse(&file.bytes, &file.place)?, file.place))
}

/// Writes the public key of a client that signs.
fn write_sender(mut output: Output, signer: &Signer) -> Result<()> {
    let mut key = signer.key.verifying().to_jwk();
    key["kid"] = json!(signer.key.verifying().thumbprint().to_string());
    output.write(format!("{key}\n").as_bytes())?;
    output.commit()
}

impl Client {
    pub fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([
            Some(self.from.keyring.as_path()),
            self.page.as_deref(),
            self.request.as_deref(),
            self.order_page.items(),
            self.order_page.fields(),
            self.sign.path(),
        ])?;
        let loaded = self.from.load_keyring(global)?;
        let mut inputs = vec![loaded.id];
        let page = self.page.as_deref().map(|path| read_page(path, &mut inputs)).transpose()?;
        if self.most_orders.is_some() && self.request.is_none() {
            return Err(usage("--most-orders limits what a --request asks for"));
        }
        let asked =
            self.request.as_deref().map(|path| self.asked(path, &mut inputs)).transpose()?;
        let request = self.answer(&loaded, page.as_ref().map(|(page, _)| page), asked, global)?;
        let form = self.order_page.form(&request, &loaded, page.as_ref(), &mut inputs, global)?;
        self.refuse_same_output()?;
        // Opens all outputs first, so that no id is issued to a file that cannot be written.
        let existing = self.to.existing();
        if form.is_some() && self.protection.is_wanted() {
            return Err(usage("an order page is not protected: it is for a browser"));
        }
        let protection = self.protection.protection(global)?;
        let signer = self.sign.prepare(&self.to, &inputs, protection.as_ref(), global)?;
        let create = |path| -> Result<Output> {
            let mut output = Output::create(path, existing, Privacy::Owner, &inputs)?;
            output.protect(protection.clone())?;
            Ok(output)
        };
        let output = create(self.to.path())?;
        let shop_output = self.shop_out.as_deref().map(|path| create(Some(path))).transpose()?;
        let public = |path| -> Result<Output> {
            let mut output = Output::create(Some(path), existing, Privacy::Umask, &inputs)?;
            output.protect(None)?;
            Ok(output)
        };
        let key_output = self.signing_key.as_deref().map(public).transpose()?;
        let keep_ledger = |half| keep_ledger(half, global.access()?);
        shop_output.as_ref().map_or(Ok(()), keep_ledger)?;
        if output.is_terminal() || shop_output.as_ref().is_some_and(Output::is_terminal) {
            return Err(usage("keys are not printed to a terminal: use -o FILE".to_owned()));
        }
        let workers = global.workers()?;
        let source = SystemSource::new()?;
        let place = &loaded.place;
        let keyring = Issuer { from: &self.from, loaded: &loaded, access: global.access()? };
        let name = Place::file(output.name());
        let _unfinished = signals::begin();
        let (delivery, delivered) = service::deliver(
            &keyring,
            &request,
            &source,
            |making| service::make_keys(making, &source, &workers, &|| {}, place),
            |client| match &form {
                Some(form) => page::page(client, form, &mut source.stream(PAGE_STREAM))
                    .map_err(|error| Error::key(place, error))
                    .map(Delivered::Page),
                None => Ok(Delivered::Bundle),
            },
            Outputs { client: output, shop: shop_output },
            place,
        )?;
        if let Delivered::Page(page) = &delivered {
            order_page::tell_size(page, &shown(&self.to), global);
        }
        let written = match (key_output, &delivery.client.signer) {
            (Some(output), Some(signer)) => write_sender(output, signer),
            (Some(_) | None, _) => Ok(()),
        };
        let signed = written.and_then(|()| match (signer, &delivered) {
            (Some(signer), Delivered::Page(page)) => signer.sign("order page", page),
            (Some(signer), Delivered::Bundle) => {
                signer.sign("client's bundle", &delivery.client.to_bytes(&name)?)
            }
            (None, Delivered::Page(_) | Delivered::Bundle) => Ok(()),
        });
        signed.and_then(|()| report(&self.to, global, &delivery.client)).map_err(|source| {
            let what = format!("the bundle was written to {}", name.file);
            Error::Changed { what, source: Box::new(source) }
        })
    }

    /// Refuses two outputs of the same name.
    fn refuse_same_output(&self) -> Result<()> {
        let client = self.to.path().unwrap_or(Path::new("-"));
        let signature = self.sign.output(&self.to);
        let outputs = [
            ("-o", Some(client)),
            ("--shop-out", self.shop_out.as_deref()),
            ("--signing-key", self.signing_key.as_deref()),
            ("--sign-with", signature.as_deref()),
        ];
        for (index, (name, path)) in outputs.iter().enumerate() {
            for (other, found) in &outputs[..index] {
                if let (Some(path), Some(found)) = (path, found)
                    && (path == found || files::same_target(path, found))
                {
                    return Err(usage(format!("{other} and {name} name the same file")));
                }
            }
        }
        Ok(())
    }

    /// Reads a client's request. What it may ask for is limited: it comes from anybody.
    fn asked(&self, path: &Path, inputs: &mut Vec<Option<FileId>>) -> Result<Request> {
        let file = files::load_small(path, MAX_REQUEST, false)?;
        inputs.push(file.id);
        let asked = Request::parse(&file.bytes, &file.place)?;
        let (orders, most) = (asked.orders, self.most_orders.unwrap_or(MOST_ORDERS));
        if asked.user.is_none() && orders > most {
            return Err(usage_with(
                format!("{}: asks for {orders} orders, more than {most}", file.place),
                "hand out as many with --most-orders, if the client is to have them",
            ));
        }
        Ok(asked)
    }

    /// Says what the client gets: what it asked for, or what the command line says.
    fn answer(
        &self,
        loaded: &Loaded<Keyring>,
        page: Option<&Page>,
        asked: Option<Request>,
        global: &Global,
    ) -> Result<ClientRequest> {
        let from = match asked {
            Some(Request { shop, service, user, orders, .. }) => {
                (Some(shop), service, user, orders)
            }
            None => {
                let shop = page.map(|page| &page.shop).or(self.shop.shop.as_ref()).cloned();
                let service = page.and_then(|page| page.service.clone());
                (shop, service, self.user.clone(), self.orders)
            }
        };
        let (shop, service, user, orders) = from;
        let (shop, _) = loaded.file.account(shop.as_ref(), &loaded.place)?;
        Ok(ClientRequest {
            shop: shop.name(),
            ids: match user {
                Some(user) if self.on_demand => {
                    let found = format!("a request for the reusable id of {user}");
                    return Err(usage(format!(
                        "{found} is not answered with ids made --on-demand"
                    )));
                }
                Some(user) => IdRequest::User(user),
                None if self.on_demand => IdRequest::OnDemand(orders),
                None => IdRequest::Pool(orders),
            },
            erase: self.erasing.erase,
            run: if self.guided { Run::Guided } else { Run::Automatic },
            layers: self.layers.layers.unwrap_or(1),
            pad_bytes: self.pad_bytes,
            budget: None,
            signs: self.signing_key.is_some(),
            service,
            now: now(),
            dates: self.dates.made_now(global)?,
        })
    }
}
