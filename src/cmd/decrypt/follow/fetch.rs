//! Keys that are missing when an order comes: they are fetched from the service.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orderseal::protocol::model::ExchangeFault;
use orderseal::protocol::roles::follow::Follower;
use orderseal::protocol::serve::client::Fetch;
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::{Error, Result};
use serde_json::json;

use super::pause;
use crate::cmd::Global;
use crate::cmd::arguments::SkipReport;
use crate::cmd::keys::fetch::FetchOptions;

/// How long nothing is asked after the service did not hand out keys.
const REST: Duration = Duration::from_secs(5);

/// What fetches them, and for which bundle.
pub struct Missing<'d> {
    options: &'d FetchOptions,
    bundles: &'d [PathBuf],
    from: Option<(Fetch, &'d Path)>,
    /// Until when the service is not asked again.
    rests: Option<Instant>,
    /// Whether it was said that orders wait.
    told: bool,
}

impl<'d> Missing<'d> {
    /// Fetches as the options say, if keys are to be fetched at all.
    pub fn new(options: &'d FetchOptions, bundles: &'d [PathBuf], global: &Global) -> Result<Self> {
        options.warn_of_end(global)?;
        let from = options.prepare(bundles, global)?;
        Ok(Self { options, bundles, from, rests: None, told: false })
    }

    /// Fetches if the next orders need it, and returns whether it was tried. While the service does not hand
    /// keys out, the orders wait; another token is read from its file.
    pub fn fetch(
        &mut self,
        follower: &mut Follower,
        keys: &OpeningKeys,
        report: &mut SkipReport,
        global: &Global,
    ) -> Result<bool> {
        let Some((fetch, bundle)) = &self.from else { return Ok(false) };
        if self.rests.is_some_and(|until| Instant::now() < until) {
            pause();
            return Ok(true);
        }
        let missing = follower.missing_keys(keys)?;
        if missing.is_empty() {
            return Ok(false);
        }
        match fetch.add_to(bundle, Some(&missing), global.access()?) {
            Ok(_) => (self.rests, self.told) = (None, false),
            Err(error) if may_answer(&error) => {
                follower.look_again();
                if !std::mem::replace(&mut self.told, true) {
                    let message = format!("{error}; orders wait for their keys");
                    report.write(&json!({ "kind": "waiting", "message": message }))?;
                }
                self.rests = Some(Instant::now() + REST);
                if let Ok(again) = self.options.prepare(self.bundles, global) {
                    self.from = again;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

/// Whether the service may hand out keys later.
fn may_answer(error: &Error) -> bool {
    let Error::Exchange { fault, .. } = error else { return false };
    match &**fault {
        // A proxy, a certificate or a token may be mended while orders wait.
        ExchangeFault::NoAnswer(_)
        | ExchangeFault::Refused(_)
        | ExchangeFault::Unreachable(_)
        | ExchangeFault::Redirect(_)
        | ExchangeFault::TooLong(_)
        | ExchangeFault::Unexpected { .. } => true,
        ExchangeFault::Program(_)
        | ExchangeFault::OtherKey
        | ExchangeFault::TooFew { .. }
        | ExchangeFault::PlainHttp
        | ExchangeFault::NoTls => false,
    }
}
