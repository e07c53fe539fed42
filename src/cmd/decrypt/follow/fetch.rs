//! Keys that are missing when an order comes: they are fetched from the service.

use std::path::Path;

use orderseal::protocol::model::ExchangeFault;
use orderseal::protocol::roles::follow::Follower;
use orderseal::protocol::serve::client::Fetch;
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::{Error, Result};

use super::pause;
use crate::cmd::{Global, ui};

/// What fetches them, and for which bundle.
pub struct Missing<'b> {
    from: Option<(Fetch, &'b Path)>,
    /// Whether it was said that the service does not answer.
    told: bool,
}

impl<'b> Missing<'b> {
    /// Fetches for a bundle, if keys are to be fetched at all.
    pub fn new(from: Option<(Fetch, &'b Path)>) -> Self {
        Self { from, told: false }
    }

    /// Fetches if the next orders need it, and returns whether it was tried. While the service gives no
    /// answer, the orders wait.
    pub fn fetch(
        &mut self,
        follower: &mut Follower,
        keys: &OpeningKeys,
        global: &Global,
    ) -> Result<bool> {
        let Some((fetch, bundle)) = &self.from else { return Ok(false) };
        let missing = follower.missing_keys(keys)?;
        if missing.is_empty() {
            return Ok(false);
        }
        match fetch.add_to(bundle, Some(&missing), global.access()?) {
            Ok(_) => self.told = false,
            Err(error) if may_answer(&error) => {
                follower.look_again();
                if !std::mem::replace(&mut self.told, true) {
                    ui::warn(global, &format!("{error}; orders wait for their keys"));
                }
                pause();
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

/// Whether the service may answer later.
fn may_answer(error: &Error) -> bool {
    let Error::Exchange { fault, .. } = error else { return false };
    match &**fault {
        ExchangeFault::NoAnswer(_) => true,
        ExchangeFault::Refused(problem) => problem.is_for_now(),
        ExchangeFault::Unreachable(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. }
        | ExchangeFault::Program(_)
        | ExchangeFault::OtherKey
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::PlainHttp
        | ExchangeFault::NoTls => false,
    }
}
