//! `request`: a client asks the security service for a program.

use std::path::PathBuf;

use clap::Args;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::page::request;
use orderseal::protocol::store::files::{self, Privacy};
use orderseal::protocol::{Name, Result};
use serde_json::json;

use super::arguments::{OutputFile, orders_of_pool};
use super::{Global, ui};

/// Ask the service for a program, as a shop's item page says
///
/// Writes the message that the order button sends: the shop, a hash of the item page, the user or the
/// number of orders, and a random number. Send it to the address in the page; `orderseal bundle
/// client --request` answers it. It holds no secret and is not signed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal request --page page.json -o request.json
  orderseal request --page page.json --orders 20 -o many.json
  orderseal request --page page.json --user alice -o alice.json")]
pub struct Request {
    /// The shop's item page
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
    /// Orders to send, each with an id of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = orders_of_pool())]
    orders: u64,
    /// Ask for the reusable id of a user instead
    #[arg(long, value_name = "NAME", conflicts_with = "orders")]
    user: Option<Name>,
    #[command(flatten)]
    to: OutputFile,
}

impl Request {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let file = files::load_small(&self.page, MAX_PAGE, false)?;
        let page = Page::parse(&file.bytes, &file.place)?;
        let mut output = self.to.create(Privacy::Umask, &[file.id])?;
        let mut random = SystemSource::new()?.stream(0);
        let user = self.user.clone();
        let request = request::Request::new(&page, &file.bytes, user, self.orders, &mut random);
        output.write(&request.to_bytes())?;
        output.commit()?;
        if global.json {
            let report = json!({ "shop": page.shop.as_str(), "orders": self.orders });
            ui::print_report(&report, self.to.is_stdout())?;
        }
        Ok(())
    }
}
