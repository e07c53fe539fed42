//! `serve shop`: shows the item page, and keeps sealed orders.

use std::path::PathBuf;

use clap::{Args, value_parser};
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::{self, Fields, Form, Items, LANGUAGES};
use orderseal::protocol::serve::peers::Origin;
use orderseal::protocol::serve::shop;
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, Result};

use super::opener::Opener;
use super::{Limiting, Listening, failed};
use crate::cmd::arguments::MORE;
use crate::cmd::dates::now;
use crate::cmd::hints::usage;
use crate::cmd::keys::fetch::FetchOptions;
use crate::cmd::{Global, signing};

/// Show a shop's item page, and keep the orders that come sealed
///
/// The server has no key and opens nothing: it keeps sealed lines in files of the inbox, each synced before
/// the client gets its answer. Tickets, which the service signs, say who may use a transaction id; the page
/// has the key that verifies them. `orderseal decrypt --follow` opens what comes. The server ends in order on Ctrl-C.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal serve shop [OPTIONS] --page FILE --inbox FOLDER\n       \
                      --listen ADDRESS:PORT",
    after_long_help = "\
Examples:
  orderseal serve shop --page page.json --items items.json --inbox inbox/ \\
    --listen 127.0.0.1:8702
  orderseal serve shop --page page.json --inbox inbox/ --static public/ \\
    --listen 127.0.0.1:8702 --behind-proxy 127.0.0.1"
)]
pub struct Shop {
    /// The shop's item page, from `bundle page`
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
    /// Items on offer (JSON) [default: those of the page, or free text]
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Folder for sealed orders, made if there is none
    #[arg(long, value_name = "FOLDER")]
    inbox: PathBuf,
    #[command(flatten)]
    listening: Listening,
    /// Also open orders as they come, with this bundle of the shop, in a process of its own
    #[arg(short, long, value_name = "FILE", requires = "output")]
    bundle: Option<PathBuf>,
    /// Where opened orders go
    #[arg(short, long, value_name = "FILE", requires = "bundle")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fetching: FetchOptions,
    /// Fields of the form (JSON)
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    fields: Option<PathBuf>,
    /// Language of the page [default: the browser's]
    #[arg(long, value_parser = LANGUAGES, help_heading = MORE)]
    lang: Option<String>,
    /// Folder with files for everybody, under /static/
    #[arg(long = "static", value_name = "FOLDER", help_heading = MORE)]
    files: Option<PathBuf>,
    /// Origin of other pages that may send orders; repeatable
    #[arg(long, value_name = "ORIGIN", num_args = 1.., help_heading = MORE)]
    origin: Vec<Origin>,
    /// Longest request in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, value_parser = value_parser!(u32).range(1024..=64 << 20),
          help_heading = MORE)]
    max_body: u32,
    #[command(flatten)]
    limiting: Limiting,
}

impl Shop {
    pub fn run(&self, global: &Global) -> Result<()> {
        let file = files::load_small(&self.page, MAX_PAGE, false)?;
        let page = Page::parse(&file.bytes, &file.place)?;
        let config = self.listening.config("shop", global)?;
        let html = page::live(&page, &file.bytes, &self.form(&page)?, &file.place)?;
        let opener = match (&self.bundle, &self.output) {
            (Some(bundle), Some(output)) => {
                Some(Opener::start((bundle, &self.fetching), &self.inbox, output, global)?)
            }
            (Some(_) | None, _) if self.fetching.is_wanted() => {
                return Err(usage("--token-file fetches keys for --bundle"));
            }
            (Some(_) | None, _) => None,
        };
        let served = shop::Shop {
            name: page.shop.clone(),
            service_key: page.service_key.clone(),
            html,
            page: file.bytes.to_vec(),
            signature: signing::signature_beside(&self.page)?,
            files: self.files.clone(),
            inbox: self.inbox.clone(),
            origins: self.origin.clone(),
            max_body: self.max_body as usize,
            limits: self.limiting.limits(),
            now,
            failed: Box::new(failed),
        }
        .serve(config);
        let opened = opener.map_or(Ok(()), Opener::end);
        served.and(opened)
    }

    fn form(&self, page: &Page) -> Result<Form> {
        let items = match &self.items {
            Some(path) => {
                let file = files::load_small(path, MAX_PAGE, false)?;
                let items = orderseal::protocol::jose::json::parse(&file.bytes)
                    .map_err(|found| Error::malformed(&file.place, found))?;
                Some(Items::from_json(&items, &file.place)?)
            }
            None => page.offered(&orderseal::protocol::Place::file("the page"))?,
        };
        let fields = match &self.fields {
            Some(path) => {
                let file = files::load_small(path, MAX_PAGE, false)?;
                Fields::parse(&file.bytes, &file.place)?
            }
            None => Fields::default(),
        };
        Ok(Form { items, fields, send_to: None, lang: self.lang.clone() })
    }
}
