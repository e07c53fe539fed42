//! Servers that a command talks to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use orderseal::protocol::Result;
use orderseal::protocol::serve::client::{Settings, authorities};
use orderseal::protocol::store::files;

use super::arguments::MORE;
use super::hints::usage;
use super::{Global, signals};

/// Longest file with a token, in bytes.
const MAX_TOKEN: u64 = 16 << 10;

/// Longest file with certificates, in bytes.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// How servers are reached.
#[derive(Debug, Args)]
pub struct Reaching {
    /// Trust the authorities in this file (PEM) for https, instead of the public ones
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    pub ca: Option<PathBuf>,
}

impl Reaching {
    /// Settings for a client that sends requests again for so many seconds, and by plain http to this computer
    /// only.
    pub fn settings(&self, retry_for: u32) -> Result<Settings> {
        let authorities = match &self.ca {
            Some(path) => {
                let file = files::load_small(path, MAX_CERTIFICATES, false)?;
                Some(authorities(&file.bytes, &file.place)?)
            }
            None => None,
        };
        Ok(Settings {
            service_key: None,
            allow_http: false,
            authorities,
            retry_for: Duration::from_secs(retry_for.into()),
            stop: signals::stop().clone(),
        })
    }
}

/// Reads a token, as `keys token` writes it.
pub fn token(path: &Path, global: &Global) -> Result<String> {
    let token = files::load_small(path, MAX_TOKEN, !global.allow_readable_keys)?;
    let text = str::from_utf8(&token.bytes).unwrap_or_default().trim();
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(usage(format!("{}: is not a token", token.place))),
    }
}
