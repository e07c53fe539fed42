//! Bundles and their ledger: which belong together.

use std::path::{Path, PathBuf};

use super::{Ledger, Purpose};
use crate::protocol::model::{Error, LedgerTrouble, Place, Result};
use crate::protocol::store::FileNumber;
use crate::protocol::store::files::access::Access;
use crate::protocol::store::files::locked::update;
use crate::protocol::store::files::paths::check_changeable;

/// A file of a shop's keys, as far as it concerns the ledger.
#[derive(Debug)]
pub struct LedgerUser {
    /// The file.
    pub path: PathBuf,
    /// Its name for messages.
    pub place: Place,
    /// The number of its ledger, if it has one.
    pub ledger: Option<FileNumber>,
    /// Whether the file can be changed: it is a regular file, not a pipe.
    pub changeable: bool,
    /// What opens it, if it is protected.
    pub access: Access,
}

impl LedgerUser {
    /// Refuses a bundle in which the ledger has to be noted and cannot be.
    fn check_notable(&self) -> Result<()> {
        match (self.ledger, self.changeable) {
            (Some(_), _) => Ok(()),
            (None, true) => check_changeable(&self.path),
            (None, false) => Err(trouble(&self.place, LedgerTrouble::NotNoted)),
        }
    }
}

impl Ledger {
    /// Makes a ledger that of these bundles; `found` is what was [opened](Self::open) at the path before
    /// the bundles were read. At its first use the ledger is created; then its number is noted in each
    /// bundle, durably, so that the bundle is used with no other.
    ///
    /// # Errors
    /// [`KeyError::Ledger`](crate::protocol::model::KeyError::Ledger) if the bundles have another
    /// ledger, or this one is missing; and those of [`open`](Self::open).
    pub fn join(
        found: Option<Self>,
        path: &Path,
        bundles: &[LedgerUser],
        purpose: Purpose,
    ) -> Result<Option<Self>> {
        // Another process may have created it since, and noted it in the bundle.
        let found = match found {
            None if bundles.iter().any(|bundle| bundle.ledger.is_some()) => {
                Self::open(path, purpose)?
            }
            found => found,
        };
        for bundle in bundles {
            match (bundle.ledger, &found) {
                (None, _) => {}
                (Some(noted), Some(ledger)) if noted == ledger.number() => {}
                (Some(_), Some(ledger)) => return Err(other(&bundle.place, ledger.place())),
                (Some(_), None) => {
                    let missing = LedgerTrouble::Missing(bundle.place.clone());
                    return Err(trouble(&Place::file(path.display().to_string()), missing));
                }
            }
        }
        match purpose {
            Purpose::Look => Ok(found),
            Purpose::Record { .. } => {
                bundles.iter().try_for_each(LedgerUser::check_notable)?;
                let ledger = found.map_or_else(|| Self::create(path, purpose), Ok)?;
                bundles.iter().try_for_each(|bundle| ledger.note_in(bundle))?;
                Ok(Some(ledger))
            }
        }
    }

    /// Notes the ledger in a bundle.
    fn note_in(&self, bundle: &LedgerUser) -> Result<()> {
        if bundle.ledger.is_some() {
            return Ok(());
        }
        update(&bundle.path, &bundle.access, |file| {
            let file = file.shop_mut(&bundle.place)?;
            match *file.ledger.get_or_insert(self.number()) == self.number() {
                true => Ok(()),
                false => Err(other(&bundle.place, self.place())),
            }
        })
    }
}

fn other(bundle: &Place, ledger: &Place) -> Error {
    trouble(bundle, LedgerTrouble::Other(ledger.clone()))
}

fn trouble(place: &Place, trouble: LedgerTrouble) -> Error {
    Error::key(place, trouble.into())
}
