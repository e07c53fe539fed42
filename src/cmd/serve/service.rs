//! `serve service`: hands out programs.

use std::path::PathBuf;

use clap::{Args, value_parser};
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::Result;
use orderseal::protocol::serve::peers::Origin;
use orderseal::protocol::serve::service::{self, Handing};
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::KeyFile;

use super::{Limiting, Listening, failed};
use crate::cmd::arguments::MORE;
use crate::cmd::dates::now;
use crate::cmd::{Global, hints};

/// Hand out programs from a keyring, to the pages of shops and to `orderseal send`
///
/// Answers the requests that order buttons and `send` make: each gets a program with keys of its own, and
/// tickets for the shop's server, both signed. Commands may use the keyring at the same time. Other clients
/// follow docs/HTTP.md. The server ends in order on Ctrl-C.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal serve service [OPTIONS] --keyring FILE --listen ADDRESS:PORT\n       \
                      --origin ORIGIN...",
    after_long_help = "\
Examples:
  orderseal serve service --keyring service.jwks --listen 127.0.0.1:8701 \\
    --origin http://127.0.0.1:8702
  orderseal serve service --keyring service.jwks --listen 0.0.0.0:443 \\
    --origin https://shop.example --tls-cert chain.pem --tls-key key.pem
  orderseal serve service --keyring service.jwks --listen 127.0.0.1:8701 \\
    --origin http://127.0.0.1:8702 --on-demand"
)]
pub struct Service {
    /// The security service's keyring
    #[arg(long, alias = "keys", short_alias = 'k', value_name = "FILE")]
    keyring: PathBuf,
    #[command(flatten)]
    listening: Listening,
    /// Origin of pages that may ask, such as https://shop.example; repeatable
    #[arg(long, value_name = "ORIGIN", required = true, num_args = 1..)]
    origin: Vec<Origin>,
    /// Make keys that a shop's pool lacks; the shop fetches them with `keys fetch`
    #[arg(long)]
    on_demand: bool,
    /// Also hand out secret keys that open the orders of all clients of a shop
    #[arg(long)]
    allow_shared_secret: bool,
    /// Most orders for one request
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = value_parser!(u64).range(1..=100_000),
          help_heading = MORE)]
    most_orders: u64,
    /// For how many hours tickets are good
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = value_parser!(i64).range(1..=672),
          help_heading = MORE)]
    ticket_hours: i64,
    #[command(flatten)]
    limiting: Limiting,
}

impl Service {
    pub fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.keyring)?;
        let access = global.access()?;
        let loaded = files::load(&self.keyring, access)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let mut loaded = loaded.of(KeyFile::into_keyring)?;
        if loaded.file.shops.is_empty() {
            return Err(hints::usage(format!("{}: there is no shop in it", loaded.place)));
        }
        let config = self.listening.config("service", global)?;
        let mut random = SystemSource::new()?.stream(0);
        let place = loaded.place.clone();
        let key = files::update_known(&self.keyring, &mut loaded.known, access, |file| {
            Ok(file.keyring_mut(&place)?.signing_key(&mut random).clone())
        })?;
        service::Service {
            handing: Handing {
                path: self.keyring.clone(),
                place,
                access: access.clone(),
                known: loaded.known,
                shared_secret: self.allow_shared_secret,
                weak: global.allow_weak,
                on_demand: self.on_demand.then(|| global.workers()).transpose()?,
            },
            key,
            origins: self.origin.clone(),
            most_orders: self.most_orders,
            limits: self.limiting.limits(),
            ticket_seconds: self.ticket_hours * 3600,
            now,
            failed,
        }
        .serve(config)
    }
}
