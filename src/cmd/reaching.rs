//! Servers that a command talks to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use orderseal::protocol::Result;
use orderseal::protocol::jose::ticket::claimed_expiry;
use orderseal::protocol::model::Time;
use orderseal::protocol::serve::client::{Settings, authorities};
use orderseal::protocol::store::files;

use super::arguments::MORE;
use super::dates::now;
use super::hints::usage;
use super::{Global, signals, ui};

/// Longest file with a token, in bytes.
const MAX_TOKEN: u64 = 16 << 10;

/// Seconds before expiry from which a warning is printed: one week.
const SOON: i64 = 7 * 24 * 3600;

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

/// Warns of a token that has expired, or will soon.
pub fn warn_of_end(path: &Path, global: &Global) -> Result<()> {
    let expires = claimed_expiry(&token(path, global)?);
    if let Some(words) = expires.and_then(|expires| ending(expires, now())) {
        let path = ui::shown(path);
        ui::warn(global, &format!("{path}: {words}: ask the service for a new one"));
    }
    Ok(())
}

/// Words for a token that has expired, or will soon.
fn ending(expires: Time, now: Time) -> Option<String> {
    match expires {
        expires if expires <= now => Some(format!("the token expired at {expires}")),
        expires if expires <= now.after(SOON) => Some(format!("the token expires at {expires}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_in_the_last_week_of_a_token() {
        let expires: Time = "2027-01-31T12:00:00Z".parse().unwrap();
        let ending = |now: &str| ending(expires, now.parse().unwrap());
        assert_eq!(ending("2027-01-24T11:59:59Z"), None);
        let soon = "the token expires at 2027-01-31T12:00:00Z";
        assert_eq!(ending("2027-01-24T12:00:00Z").as_deref(), Some(soon));
        assert_eq!(ending("2027-01-31T11:59:59Z").as_deref(), Some(soon));
        let over = "the token expired at 2027-01-31T12:00:00Z";
        assert_eq!(ending("2027-01-31T12:00:00Z").as_deref(), Some(over));
    }
}
