//! The clock, and the dates of keys on the command line.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use orderseal::protocol::model::{Dates, Time};
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::{Result, ShopName};

use super::arguments::MORE;
use super::{Global, ui};
use crate::cmd::hints::usage;

/// The current time.
pub fn now() -> Time {
    // A clock that is set before 1970 is as wrong as one that stands still.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).ok();
    seconds.and_then(Time::from_unix).unwrap_or(Time::UNIX_EPOCH)
}

/// When keys seal.
#[derive(Debug, Args)]
pub struct KeyDates {
    /// From when on the keys seal orders: a time (RFC 3339) or a date
    #[arg(long, value_name = "TIME", help_heading = MORE)]
    not_before: Option<Time>,
    /// From when on the keys seal no orders any more
    #[arg(long, value_name = "TIME", help_heading = MORE)]
    expires: Option<Time>,
}

impl KeyDates {
    /// Whether none is given.
    pub fn are_always(&self) -> bool {
        self.not_before.is_none() && self.expires.is_none()
    }

    /// The dates of keys that are made now.
    pub fn made_now(&self, global: &Global) -> Result<Dates> {
        let dates = Dates { made: Some(now()), not_before: self.not_before, expires: self.expires };
        match dates.is_possible() {
            true => {
                if let Some(expires) = dates.expires.filter(|expires| *expires <= now()) {
                    ui::warn(global, &format!("the keys expire at once: {expires} is in the past"));
                }
                Ok(dates)
            }
            false => Err(usage("--expires is not after --not-before")),
        }
    }
}

/// What opening does with orders under keys that have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExpired {
    /// Open them, and say so
    Warn,
    /// Refuse them
    Refuse,
}

/// Warns of keys that opened orders although they have expired.
pub fn warn_expired(
    global: &Global,
    keys: &OpeningKeys,
    opened: impl FnOnce() -> BTreeMap<ShopName, u64>,
) {
    if !keys.have_dates() {
        return;
    }
    for (shop, orders) in opened() {
        if let Err(why) = keys.dates(&shop).check_expiry(now()) {
            let orders = ui::counted(orders, "order");
            ui::warn(global, &format!("the keys of {shop} {why}; they opened {orders}"));
        }
    }
}
