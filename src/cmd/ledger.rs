//! The shop's ledger on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::model::{LedgerTrouble, Role};
use orderseal::protocol::roles::shop::Uses;
use orderseal::protocol::store::OpeningFile;
use orderseal::protocol::store::files::{
    self, Ledger, LedgerPurpose, LedgerUser, Loaded, Output, Selection,
};
use orderseal::protocol::{Error, KeyError, Kid, Result};

use super::arguments::MORE;
use super::{Global, signals, ui};
use crate::cmd::hints::usage;

/// Number of nodes of a shop's trees above which reading and changing the file takes noticeable time.
const FRAYED: u64 = 100_000;

/// How often a transaction id may open an order.
#[derive(Debug, Args)]
pub struct UseOptions {
    /// Refuse a transaction id that occurs twice in this run
    #[arg(long, help_heading = MORE)]
    once: bool,
    /// Open each order once, in all runs; FILE is the record
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Erase the keys of opened transaction ids
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true,
          default_missing_value = "keys", value_parser = ["keys"], ignore_case = true,
          hide_possible_values = true, requires = "bundle", conflicts_with = "check")]
    erase: Option<String>,
    /// With --ledger, open again what an unfinished run may have handed on
    #[arg(long, requires = "ledger", conflicts_with = "check", help_heading = MORE)]
    reopen: bool,
}

impl UseOptions {
    /// A ledger, if one is given.
    pub fn of_ledger(ledger: Option<PathBuf>, reopen: bool) -> Self {
        Self { once: false, ledger, erase: None, reopen }
    }

    /// The same for orders that are appended to an output, which always has a ledger: beside it, if none
    /// is given.
    pub fn following(&self, output: &Path) -> Self {
        let beside = || {
            let mut name = output.as_os_str().to_owned();
            name.push(".ledger");
            PathBuf::from(name)
        };
        Self::of_ledger(Some(self.ledger.clone().unwrap_or_else(beside)), self.reopen)
    }

    /// Whether something is changed when orders were opened.
    pub fn records(&self) -> bool {
        self.ledger.is_some() || self.erase.is_some()
    }

    /// Opens the ledger, if one was given and exists. With `check`, nothing will be recorded.
    pub fn find(&self, check: bool, global: &Global) -> Result<Option<Ledger>> {
        let Some(path) = &self.ledger else { return Ok(None) };
        if files::is_dash(path) {
            return Err(usage("--ledger takes a file"));
        }
        let purpose = self.purpose(check);
        if Ledger::is_held(path, purpose) && !global.quiet {
            ui::say(&format!("waiting for another process, which has {}", path.display()));
        }
        Ledger::open(path, purpose)
    }

    /// Refuses a key file that is the ledger, before it is read: this process has it locked.
    pub fn refuse_as_key<'p>(
        &self,
        ledger: Option<&Ledger>,
        key_files: impl Iterator<Item = &'p PathBuf>,
    ) -> Result<()> {
        let Some(ledger) = ledger else { return Ok(()) };
        match key_files.into_iter().find(|path| ledger.is_at(path)) {
            Some(path) => Err(usage(format!("{} is both ledger and key file", path.display()))),
            None => Ok(()),
        }
    }

    /// Makes the ledger that of these bundles. With `check`, nothing is created or noted, and bundles
    /// that have a ledger can be used without it.
    pub fn join(
        &self,
        found: Option<Ledger>,
        bundles: &[LedgerUser],
        check: bool,
    ) -> Result<Option<Ledger>> {
        let Some(path) = &self.ledger else {
            return match bundles.iter().find(|bundle| bundle.ledger.is_some()) {
                Some(bundle) if !check => {
                    Err(Error::key(&bundle.place, LedgerTrouble::NotGiven.into()))
                }
                Some(_) | None => Ok(None),
            };
        };
        if bundles.is_empty() {
            return Err(usage("--ledger belongs to a shop's bundle: name that with --bundle"));
        }
        Ledger::join(found, path, bundles, self.purpose(check))
    }

    fn purpose(&self, check: bool) -> LedgerPurpose {
        match check {
            true => LedgerPurpose::Look,
            false => LedgerPurpose::Record { reopen: self.reopen },
        }
    }

    /// Refuses bundles from which no keys could be erased in the end.
    pub fn check_erasable(&self, bundles: &[LedgerUser]) -> Result<()> {
        if self.erase.is_none() {
            return Ok(());
        }
        if bundles.is_empty() {
            return Err(usage("--erase erases from a shop's bundle: name that with --bundle"));
        }
        bundles.iter().try_for_each(|bundle| files::check_changeable(&bundle.path))
    }

    /// Erases the keys of these transaction ids, whose orders have been handed on, if that was asked
    /// for.
    pub fn erase(
        &self,
        bundles: &[LedgerUser],
        ids: impl FnOnce() -> Vec<Kid>,
        global: &Global,
    ) -> Result<()> {
        if self.erase.is_none() {
            return Ok(());
        }
        let ids = ids();
        if ids.is_empty() {
            return Ok(());
        }
        let _unfinished = signals::begin();
        for bundle in bundles {
            let erased = files::erase(&bundle.path, Selection::Named(&ids), &bundle.access)
                .map_err(|source| {
                    let what = "the orders were opened".to_owned();
                    Error::Changed { what, source: Box::new(source) }
                })?;
            if erased.nodes > FRAYED {
                let (file, nodes) = (&bundle.place, erased.nodes);
                ui::warn(
                    global,
                    &format!(
                        "{file}: its key trees have {nodes} nodes now, as erased ids have others between them"
                    ),
                );
            }
        }
        Ok(())
    }

    /// What the library is asked to check.
    pub fn uses<'u>(&self, ledger: Option<&'u mut Ledger>) -> Uses<'u> {
        match (ledger, self.once) {
            (Some(ledger), _) => Uses::Ledger(ledger),
            (None, true) => Uses::OnceInRun,
            (None, false) => Uses::Any,
        }
    }

    /// What the ledger has to know about a key file.
    pub fn user(
        &self,
        path: &Path,
        loaded: &Loaded<OpeningFile>,
        global: &Global,
    ) -> Result<Option<LedgerUser>> {
        let place = &loaded.place;
        match (&loaded.file, self.records()) {
            (OpeningFile::Plain(_), _) | (OpeningFile::Keyring(_), false) => Ok(None),
            (OpeningFile::Keyring(_), true) => {
                let (found, expected) = (Role::Service, Role::Shop);
                Err(Error::key(place, KeyError::Role { found, expected }))
            }
            (OpeningFile::Shop(file), _) => Ok(Some(LedgerUser {
                path: path.to_owned(),
                place: place.clone(),
                ledger: file.ledger,
                changeable: loaded.changeable,
                access: global.access()?.clone(),
            })),
        }
    }
}

/// Where opened orders go, and the ledger that records them.
pub struct Delivery<'l> {
    /// The output; none if the orders are only verified.
    pub output: Option<Output>,
    /// The ledger.
    pub ledger: Option<&'l mut Ledger>,
}

impl<'l> Delivery<'l> {
    /// Puts an output and the ledger together.
    pub fn new(output: Option<Output>, mut ledger: Option<&'l mut Ledger>) -> Self {
        if let (Some(ledger), Some(output)) = (&mut ledger, &output) {
            ledger.set_output(output);
        }
        Self { output, ledger }
    }

    /// Sends the output; the ledger records that before and after.
    pub fn send(self) -> Result<()> {
        match (self.output, self.ledger) {
            (None, _) => Ok(()),
            (Some(output), None) => output.commit(),
            (Some(mut output), Some(ledger)) => {
                // A file must not stay published and unrecorded; a pipe may wait for its reader.
                let _unfinished = output.is_revocable().then(signals::begin);
                ledger.send(&mut output)
            }
        }
    }
}
