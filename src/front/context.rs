//! What all three roles need: names, the time, threads, and what their values are called in messages.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::protocol::model::{Error, KeyError, Name, NotName, OutOfDate, Place, Result, Time};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::KeyHolder;

/// The names of orders and of sealed orders, for messages.
pub(super) const ORDERS: &str = "orders";
pub(super) const SEALED: &str = "sealed orders";

pub(super) fn name(text: &str) -> Result<Name> {
    let place = || Place::file(format!("name {text:?}"));
    text.parse().map_err(|fault: NotName| Error::malformed(&place(), fault))
}

pub(super) fn only(text: &str) -> Result<BTreeSet<Name>> {
    name(text).map(|name| BTreeSet::from([name]))
}

/// The time, which has to be known if keys of a file have dates.
pub(super) fn time(now: Option<Time>, file: &dyn KeyHolder) -> Result<Time> {
    let dated = file.shops().find(|(_, shop)| !shop.dates.is_always());
    match (now, dated) {
        (Some(now), _) => Ok(now),
        (None, None) => Ok(Time::UNIX_EPOCH),
        (None, Some((shop, _))) => {
            let error = KeyError::out_of_date(shop, OutOfDate::Unknown);
            Err(Error::key(&Place::file("clock"), error))
        }
    }
}

/// The threads of this process, as many as there are cores; started when first needed, and kept.
pub(super) fn workers() -> Result<Workers> {
    static WORKERS: Mutex<Option<Workers>> = Mutex::new(None);
    let mut started = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(workers) = &*started {
        return Ok(workers.clone());
    }
    let workers = Workers::new(None)?;
    *started = Some(workers.clone());
    Ok(workers)
}
