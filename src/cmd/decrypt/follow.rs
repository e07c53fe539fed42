//! `decrypt --follow`: orders are opened as they come into an inbox.

#[cfg(feature = "serve")]
mod fetch;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orderseal::protocol::model::LedgerTrouble;
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::roles::follow::{Follower, Notice};
use orderseal::protocol::roles::shop::Summary;
use orderseal::protocol::store::files::{self, Arrivals, LedgerUser, States};
use orderseal::protocol::{Error, Result, ShopName};
use serde_json::json;

use super::{Decrypt, write_skipped};
use crate::cmd::arguments::{SkipReport, is_stdout};
use crate::cmd::dates::{OnExpired, now, warn_expired};
use crate::cmd::hints::{usage, usage_with};
use crate::cmd::{Global, one_from_stdin, signals, ui};

/// How long nothing is looked for when nothing was there.
const PAUSE: Duration = Duration::from_millis(200);

/// How often a pause looks for a signal.
const LOOK: Duration = Duration::from_millis(20);

impl Decrypt {
    /// Opens the orders of an inbox until a signal ends it.
    pub(super) fn follow(&self, inbox: &Path, global: &Global) -> Result<()> {
        let Some(output) = self.to.path().filter(|path| !is_stdout(Some(path))) else {
            return Err(usage("--follow appends to a file: name it with -o"));
        };
        if files::is_dash(inbox) {
            return Err(usage("--follow takes a folder"));
        }
        if self.expired == OnExpired::Refuse {
            return Err(usage("--follow opens orders under keys that expire while it runs"));
        }
        if is_stdout(self.failures.path()) && self.failures.path().is_some() && global.json {
            return Err(usage("several outputs to stdout: name a file for all but one"));
        }
        let key_files = || self.bundle.iter().chain(&self.key).map(PathBuf::as_path);
        one_from_stdin(key_files().map(Some).chain([self.key_password.path()]))?;
        let arrivals = Arrivals::of(inbox)?;
        let uses = self.uses.following(output);
        let ledger = uses.find(false, global)?;
        uses.refuse_as_key(ledger.as_ref(), self.bundle.iter().chain(&self.key))?;
        // Looked at before they are read: what changes in between is read again.
        let mut state = States::of(key_files());
        let (mut keys, _, bundles) = self.keys(&uses, global)?;
        if !self.uses.records() {
            let own = ledger.as_ref().map(|ledger| ledger.number());
            let other =
                bundles.iter().find(|bundle| bundle.ledger.is_some_and(|it| Some(it) != own));
            if let Some(LedgerUser { place, .. }) = other {
                return Err(Error::key(place, LedgerTrouble::NotGiven.into()));
            }
        }
        let Some(ledger) = uses.join(ledger, &bundles, false)? else {
            return Err(usage("--follow needs a ledger"));
        };
        // The bundle in which the ledger was noted is another file now.
        let mut ids: Vec<_> = key_files().map(files::identify).collect();
        ids.extend([self.key_password.id(), ledger.id()]);
        let mut report = self.failures.add_to_report(&self.to, &ids)?;
        let mut follower = Follower::open(arrivals, output, &ids, ledger)?;
        let workers = global.workers()?;
        let progress = ui::Progress::bytes(global, None, None);
        #[cfg(feature = "serve")]
        let mut missing = fetch::Missing::new(&self.fetching, &self.bundle, global)?;
        let (mut totals, mut failed) = (Totals::default(), 0);
        let mut warned = BTreeSet::new();
        let _unfinished = signals::begin();
        if self.until_stdin_ends {
            stop_with_stdin()?;
        }
        while !signals::stop().is_requested() {
            let found = States::of(key_files());
            if found != state {
                keys = self.keys_again(&uses, &follower, global)?;
                state = found;
            }
            #[cfg(feature = "serve")]
            match missing.fetch(&mut follower, &keys, &mut report, global) {
                // Whether or not there are new keys, the files are looked at again.
                Ok(true) => continue,
                Ok(false) => {}
                Err(Error::Stopped) => break,
                Err(error) => return Err(error),
            }
            match follower.step(&workers, &keys, |notice| write_notice(&mut report, &notice)) {
                Ok(Some(summary)) => {
                    add(&mut totals, &summary);
                    failed += summary.failed;
                    progress.update(&totals);
                    // Once for each generation.
                    let is_new = |(shop, _): &(ShopName, u64)| {
                        keys.dates(shop).check_expiry(now()).is_err() && warned.insert(shop.clone())
                    };
                    let by_shop = || summary.by_shop(&keys).into_iter();
                    warn_expired(global, &keys, || by_shop().filter(is_new).collect());
                }
                Ok(None) => pause(),
                Err(Error::Stopped) => break,
                Err(error) => return Err(error),
            }
        }
        report.commit()?;
        progress.finish_orders("opened", &totals);
        if global.json {
            let report = json!({
                "orders": totals.orders,
                "failed": failed,
                "bytes_read": totals.read,
                "bytes_written": totals.written,
            });
            ui::print_report(&report, false)?;
        }
        Err(Error::Stopped)
    }

    /// The keys of files that have changed.
    fn keys_again(
        &self,
        uses: &super::UseOptions,
        follower: &Follower,
        global: &Global,
    ) -> Result<super::OpeningKeys> {
        let (keys, _, bundles) = self.keys(uses, global)?;
        let own = follower.ledger().number();
        match bundles.iter().find(|bundle| bundle.ledger != Some(own)) {
            None => Ok(keys),
            Some(bundle) => Err(usage_with(
                format!(
                    "{}: was replaced by a bundle that does not name this ledger",
                    bundle.place
                ),
                "start again: the ledger is noted in the bundle then",
            )),
        }
    }
}

fn add(totals: &mut Totals, summary: &Summary) {
    let Totals { orders, read, written } = summary.totals;
    totals.orders += orders;
    totals.read += read;
    totals.written += written;
}

fn write_notice(report: &mut SkipReport, notice: &Notice) -> Result<()> {
    match notice {
        Notice::Skipped(skipped) => write_skipped(report, skipped, true),
        Notice::Fault(place, fault) => report.write(&json!({
            "line": place.line,
            "kid": null,
            "kind": "inbox",
            "message": format!("{place}: {fault}"),
            "file": place.file,
        })),
    }
}

/// Asks the run to end when stdin does.
fn stop_with_stdin() -> Result<()> {
    let thread = std::thread::Builder::new().name("stdin".to_owned()).spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        signals::stop().request();
    });
    let failed = |error| Error::io("stdin", "cannot start its thread", error);
    thread.map(|_| ()).map_err(failed)
}

fn pause() {
    let until = Instant::now() + PAUSE;
    while Instant::now() < until && !signals::stop().is_requested() {
        std::thread::sleep(LOOK);
    }
}
