//! Which key opens a line: a name selects exactly one.

use std::collections::BTreeSet;

use super::file::OpeningFile;
use super::{Checked, OpeningKeys};
use crate::protocol::jose::jwe::KeyNumber;
use crate::protocol::jose::tree::LeafId;
use crate::protocol::model::{KeyError, Kid};

impl OpeningKeys {
    /// Chooses the key for lines that name no key.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], and the errors for a line that names the key.
    pub fn choose_for_unnamed(&mut self, kid: &Kid) -> Checked<()> {
        let number = self.position(kid.as_str()).ok_or_else(|| self.unknown(kid.as_str()))?;
        self.check_date(kid.as_str())?;
        self.unnamed = Some(number);
        Ok(())
    }

    /// Whether a key is missing that may yet come: one of a shop whose keys are here, and that was neither erased
    /// nor revoked.
    pub fn lacks(&self, kid: &Kid) -> bool {
        let Some(shop) = kid.shop().map(|shop| shop.name()) else { return false };
        let mut shops = self.files.iter().flat_map(|held| held.file.holder().shops());
        let is_missing = match self.find(Some(kid.as_str()), usize::MAX) {
            Err(KeyError::Unknown { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        is_missing && shops.any(|(own, _)| own.name() == shop)
    }

    /// Tree and leaf of the key for lines that name no key, if that is a derived key.
    pub(in crate::protocol::store) fn unnamed_leaf(&self) -> Option<(usize, u32)> {
        match self.unnamed? {
            KeyNumber::Listed(_) | KeyNumber::Password => None,
            KeyNumber::Derived { tree, leaf } => Some((tree, leaf)),
        }
    }

    /// The key for a line that names `kid`, or no key.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(in crate::protocol::store) fn find(
        &self,
        kid: Option<&str>,
        guess: usize,
    ) -> Checked<KeyNumber> {
        if self.password.is_some() {
            return Ok(KeyNumber::Password);
        }
        let Some(kid) = kid else { return self.unnamed.ok_or(KeyError::Unnamed) };
        let plain = self.repeated == 0 && self.revoked.is_empty() && self.in_date.is_none();
        let guessed = plain && guess < self.numbers();
        if guessed && self.listed_name(guess).is_some_and(|name| name.as_str() == kid) {
            return Ok(KeyNumber::Listed(guess));
        }
        if let Some(found) = self.position(kid) {
            self.check_date(kid)?;
            return Ok(found);
        }
        // If the user gave one key to open orders with, it also opens orders that name another key,
        // but only if it has no name itself.
        match self.unnamed.filter(|&only| self.name(only).is_none()) {
            Some(only) => Ok(only),
            None => Err(self.unknown(kid)),
        }
    }

    /// Checks that the keys of a shop have not expired, if that matters.
    pub(super) fn check_date(&self, kid: &str) -> Checked<()> {
        let Some(now) = self.in_date else { return Ok(()) };
        let Some(shop) = Kid::new(kid).and_then(|kid| kid.shop()) else { return Ok(()) };
        let found = self.dates(&shop).check_expiry(now);
        found.map_err(|why| KeyError::out_of_date(&shop, why))
    }

    /// The key named `kid`.
    pub(super) fn position(&self, kid: &str) -> Option<KeyNumber> {
        let derived = self.leaf(kid).map(|(tree, leaf)| KeyNumber::Derived { tree, leaf });
        let listed = || self.listed(kid).filter(|_| !self.revoked.contains(kid));
        derived.or_else(|| listed().map(KeyNumber::Listed))
    }

    /// The number of the listed key named `kid`.
    pub(super) fn listed(&self, kid: &str) -> Option<usize> {
        self.files.iter().find_map(|held| Some(held.first + held.file.keys().position(kid)?))
    }

    /// The name of a listed key.
    pub(super) fn listed_name(&self, number: usize) -> Option<&Kid> {
        let held = self.held(number);
        held.file.keys().name_at(number - held.first)
    }

    /// The leaf named `kid`, and the first tree that has its key.
    pub(in crate::protocol::store) fn leaf(&self, kid: &str) -> Option<(usize, u32)> {
        let (name, leaf) = kid.split_at_checked(kid.len().checked_sub(LeafId::DIGITS)?)?;
        let mut trees = self.trees_by_name.get(name)?.iter().copied();
        let leaf = LeafId::parse_leaf(leaf)?;
        Some((trees.find(|&tree| self.tree(tree).nodes().contains(leaf))?, leaf))
    }

    /// The error for a key that is in none of the files.
    pub(in crate::protocol::store) fn unknown(&self, kid: &str) -> KeyError {
        let passed_over = self.files.iter().find_map(|held| match &held.file {
            OpeningFile::Plain(file) => file.passed_over(kid),
            OpeningFile::Keyring(_) | OpeningFile::Shop(_) => None,
        });
        if let Some(error) = passed_over {
            return error;
        }
        if let Some(named) = Kid::new(kid) {
            let mut holders = self.files.iter().map(|held| held.file.holder());
            if holders.clone().any(|file| file.has_revoked(&named)) {
                return KeyError::Revoked(named);
            }
            if holders.any(|file| file.was_erased(&named)) {
                return KeyError::Erased(named);
            }
        }
        let of = self.shops.get_or_init(|| {
            let keys = self.files.iter().flat_map(|held| held.file.keys().views());
            let mut shops: BTreeSet<&str> =
                keys.filter_map(|key| Some(key.kid?.parts().0)).collect();
            let trees = self.files.iter().flat_map(|held| held.file.holder().trees());
            shops.extend(trees.map(|(shop, _)| shop.as_str()));
            let shops: Vec<&str> = shops.into_iter().collect();
            if shops.is_empty() { String::new() } else { format!(" (of {})", shops.join(", ")) }
        });
        let derived: u64 = (0..self.trees.len()).map(|tree| self.tree(tree).count()).sum();
        let held = self.len() as u64 + derived;
        KeyError::Unknown { kid: kid.to_owned(), held, of: of.clone() }
    }
}
