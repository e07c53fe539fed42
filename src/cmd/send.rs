//! `send`: the client gets programs, seals orders, and sends them to the shop's server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use orderseal::protocol::model::{Misuse, ServiceUrl, Unfinished};
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::serve::client::{Asking, Client, Counts, Orders, Settings};
use orderseal::protocol::store::files::{self, Held, Input, Inputs};
use orderseal::protocol::{Error, Name, Result};
use serde_json::json;

use super::arguments::MORE;
use super::dates::now;
use super::hints::{usage, usage_with};
use super::reaching::{self, Reaching};
use super::{Global, beginnings, signals, signing, ui};

/// Seal orders and send them to a shop's server
///
/// Gets the shop's item page, requests programs from the service that it names, verifies their
/// signature, seals in memory, and sends the sealed orders in their order; an order is a line, as for
/// `encrypt`. Each program is for at most --orders-per-request orders. If the page has a program built
/// in, that one seals and no service is asked.
///
/// While a server gives no definite answer, the same bytes are sent again. Sealed orders are in
/// the file of --unsent before they are sent, and stay there until the shop has them: whatever stops the
/// command, --resend sends them later, and the shop recognizes those that it has. No order is ever sealed
/// twice.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal send [OPTIONS] --page URL [FILE]\n       \
                      orderseal send [OPTIONS] --page URL --resend FILE",
    after_long_help = "\
Examples:
  orderseal send --page http://127.0.0.1:8702/page.json orders.ndjson
  orderseal send --page http://127.0.0.1:8702/page.json < orders.ndjson
  orderseal send --page http://127.0.0.1:8702/page.json \\
    --user alice --token-file alice.token orders.ndjson
  orderseal send --page http://127.0.0.1:8702/page.json \\
    --resend orders.ndjson.unsent
  orderseal send --page http://127.0.0.1:8702/page.json \\
    --from-line 2001 orders.ndjson"
)]
pub struct Send {
    /// Address of the shop's item page
    #[arg(long, value_name = "URL")]
    page: ServiceUrl,
    /// File with orders, one per line [default: stdin]
    #[arg(value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Seal with the reusable key of this user
    #[arg(long, value_name = "NAME", requires = "token_file", conflicts_with = "resend")]
    user: Option<Name>,
    /// The user's token, from `keys token`
    #[arg(long, value_name = "FILE", requires = "user")]
    token_file: Option<PathBuf>,
    /// Where orders stay that have no answer [default: FILE.unsent, or orders.unsent]
    #[arg(long, value_name = "FILE", conflicts_with = "resend")]
    unsent: Option<PathBuf>,
    /// Send the sealed orders of such a file instead, and remove it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["orders", "from_line", "text"])]
    resend: Option<PathBuf>,
    /// Begin at this line of the orders
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true,
          value_parser = value_parser!(u64).range(1..))]
    from_line: u64,
    /// Most orders for which one program is requested
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u16).range(1..=10_000),
          help_heading = MORE)]
    orders_per_request: u16,
    /// How long to send a request again that has no definite answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = value_parser!(u32).range(..=86_400),
          help_heading = MORE)]
    retry_for: u32,
    /// The service's key, or an item page with it: pages that name another are refused
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    service_key: Option<PathBuf>,
    #[command(flatten)]
    reaching: Reaching,
    /// Send by plain http to other computers than this one, too
    #[arg(long, help_heading = MORE)]
    allow_http: bool,
    /// Seal the lines of the input even if it does not look like text
    #[arg(long, help_heading = MORE)]
    text: bool,
}

impl Send {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let settings = self.settings()?;
        let done = match &self.resend {
            Some(path) => self.send_again(path, &settings, global),
            None => self.send(&settings, global),
        };
        match &done {
            Ok(Counts { kept, known, .. }) => {
                let (kept, known) = (*kept, *known);
                self.report(global, &Unfinished { kept, known, ..Unfinished::default() })?;
            }
            Err(Error::NotSent { unfinished, .. }) if global.json => {
                self.report(global, unfinished)?;
            }
            Err(_) => {}
        }
        done.map(|_| ())
    }

    fn send(&self, settings: &Settings, global: &Global) -> Result<Counts> {
        let user = match (&self.user, &self.token_file) {
            (Some(user), Some(path)) => {
                reaching::warn_of_end(path, global)?;
                Some((user.clone(), reaching::token(path, global)?))
            }
            (None, _) | (_, None) => None,
        };
        let at_once = usize::from(self.orders_per_request);
        let asking = Asking { user, at_once, allow_weak: global.allow_weak, now };
        let held = self.hold()?;
        let workers = global.workers()?;
        let mut inputs = Inputs::open(self.orders.as_slice())?;
        if !self.text {
            beginnings::check_orders(global, &mut inputs)?;
        }
        let client = Client::new(&self.page, settings)?;
        let progress = ui::Progress::bytes(global, inputs.size(), None);
        let _unfinished = signals::begin();
        let size = inputs.size();
        let part = inputs.only("a batch")?.into();
        let orders = Orders { part, size, from: self.from_line };
        client.send(orders, &asking, &workers, held, |counts| progress.update(&totals(counts)))
    }

    fn send_again(&self, path: &Path, settings: &Settings, global: &Global) -> Result<Counts> {
        let held = Held::existing(path)?;
        let workers = global.workers()?;
        let input = Input::open(Some(path))?;
        let client = Client::new(&self.page, settings)?;
        let progress = ui::Progress::bytes(global, input.size, None);
        let _unfinished = signals::begin();
        client.send_again(input.into(), held, &workers, |counts| progress.update(&totals(counts)))
    }

    fn settings(&self) -> Result<Settings> {
        let service_key = self.service_key.as_deref().map(signing::known_key).transpose()?;
        let allow_http = self.allow_http;
        Ok(Settings { service_key, allow_http, ..self.reaching.settings(self.retry_for)? })
    }

    /// The file in which sealed orders stay until the shop has them.
    fn hold(&self) -> Result<Held> {
        let path = match (&self.unsent, &self.orders) {
            (Some(path), _) => path.clone(),
            (None, Some(orders)) if !files::is_dash(orders) => {
                let mut path = OsString::from(orders);
                path.push(".unsent");
                path.into()
            }
            (None, _) => PathBuf::from("orders.unsent"),
        };
        if files::is_dash(&path) {
            return Err(usage("--unsent names a file, not stdout"));
        }
        Held::at(&path).map_err(|error| match error {
            Error::Usage(Misuse::OutputExists(name)) => usage_with(
                format!("{name}: already exists, and may have orders of an earlier run"),
                format!("send them with --resend {name}, or choose another name with --unsent"),
            ),
            other => other,
        })
    }

    fn report(&self, global: &Global, end: &Unfinished) -> Result<()> {
        let Unfinished { kept, known, held, next_line } = end;
        if global.json {
            let mut report = json!({ "kept": kept, "known": known });
            if let Some((count, file)) = held {
                report["unsent"] = json!(count);
                report["unsent_file"] = json!(file);
            }
            if let Some(line) = next_line {
                report["from_line"] = json!(line);
            }
            return ui::print_report(&report, false);
        }
        if !global.quiet {
            let sent = ui::counted(kept + known, "order");
            ui::say(&format!("sent {sent}: {kept} kept now, {known} known from before"));
        }
        Ok(())
    }
}

fn totals(counts: &Counts) -> Totals {
    let Counts { kept, known, read } = *counts;
    Totals { orders: kept + known, read, written: 0 }
}
