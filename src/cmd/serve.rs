//! `serve`: the security service and the shop as servers.

mod opener;
mod service;
mod shop;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use orderseal::protocol::serve::{Config, Limits, Method, Record, tls};
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, Result};
use serde_json::json;
use service::Service;
use shop::Shop;

use super::arguments::MORE;
use super::dates::now;
use super::hints::usage_with;
use super::{Global, signals, ui};

/// Longest file with certificates or a key for TLS, in bytes.
const MAX_PEM: u64 = 1 << 20;

/// Run the security service or a shop as a server
#[derive(Debug, Subcommand)]
pub enum Serve {
    Service(Box<Service>),
    Shop(Box<Shop>),
}

impl Serve {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Service(command) => command.run(global),
            Self::Shop(command) => command.run(global),
        }
    }
}

/// Where a server listens, and what is in front of it.
#[derive(Debug, Args)]
struct Listening {
    /// Address and port to listen at
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Certificate chain for TLS (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = MORE)]
    tls_cert: Option<PathBuf>,
    /// Private key for TLS (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = MORE)]
    tls_key: Option<PathBuf>,
    /// Address of a proxy in front, which has TLS; repeatable
    ///
    /// The clients' addresses are then those that it forwards in X-Forwarded-For, and nobody else is
    /// answered.
    #[arg(long, value_name = "HOP", num_args = 1.., conflicts_with = "tls_cert", help_heading = MORE)]
    behind_proxy: Vec<IpAddr>,
    /// Names by which the server is asked; requests for other hosts are refused [default: those of this
    /// machine on loopback, otherwise any]
    #[arg(long, value_name = "NAME", num_args = 1.., help_heading = MORE)]
    host: Vec<String>,
}

/// How much may be asked for.
#[derive(Debug, Args)]
struct Limiting {
    /// Most orders an hour for one address
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = MORE)]
    limit_address: u64,
    /// Most orders an hour for one shop
    #[arg(long, value_name = "N", default_value_t = 1_000_000, help_heading = MORE)]
    limit_shop: u64,
}

impl Limiting {
    fn limits(&self) -> Limits {
        Limits::new(self.limit_address, self.limit_shop)
    }
}

impl Listening {
    /// How the server listens; what is logged goes to stderr.
    fn config(&self, what: &'static str, global: &Global) -> Result<Config> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => {
                let chain = files::load_small(chain, MAX_PEM, false)?;
                let key = files::load_small(key, MAX_PEM, !global.allow_readable_keys)?;
                let config = tls::server(&chain.bytes, &key.bytes);
                Some(config.map_err(|fault| usage_with(
                    format!("no TLS with {} and {}: {fault}", chain.place, key.place),
                    "--tls-cert takes a chain of certificates, --tls-key its private key, both in PEM",
                ))?)
            }
            (_, _) => None,
        };
        if tls.is_none() && self.behind_proxy.is_empty() && !self.listen.ip().is_loopback() {
            return Err(usage_with(
                format!("{} can be reached from other computers, and has no TLS", self.listen),
                "use --tls-cert and --tls-key, or --behind-proxy with the address of a proxy that has it",
            ));
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (quiet, as_json) = (global.quiet, global.json);
        Ok(Config {
            listen: self.listen,
            tls,
            hops: self.behind_proxy.iter().map(|hop| hop.to_canonical()).collect(),
            hosts: self.host.iter().map(|host| host.to_ascii_lowercase()).collect(),
            stop: signals::let_finish().clone(),
            ready: Box::new(move |address| match as_json {
                true => ui::say(
                    &json!({ "listening": format!("{scheme}://{address}/"), "server": what })
                        .to_string(),
                ),
                false => ui::say(&format!("{what}: listening at {scheme}://{address}/")),
            }),
            log: Arc::new(move |record| {
                if !quiet {
                    log(record);
                }
            }),
        })
    }
}

/// Writes what is logged of a request as JSON.
fn log(record: &Record<'_>) {
    let mut line = json!({
        "time": now().to_string(),
        "method": method(record.method),
        "route": record.route,
        "status": record.status,
        "ms": (record.took.as_secs_f64() * 1e4).round() / 10.0,
    });
    if let Some(fault) = record.fault {
        line["code"] = json!(fault.code());
    }
    ui::say(&line.to_string());
}

/// The name of a method; clients may send any.
fn method(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "OPTIONS" | "PUT" | "PATCH" | "DELETE") => known,
        _ => "other",
    }
}

/// Says what failed at a server that goes on.
fn failed(error: &Error) {
    ui::say(&json!({ "time": now().to_string(), "error": error.to_string() }).to_string());
}
