//! Key files: JWK Sets (RFC 7517 section 5) with one set-level member of ours, `orderseal`.
//!
//! The same format is used for the service's keyring and for the bundles of shop and client; any
//! JWK Set and a lone JWK can be read as well. Each kind of file has a type of its own, with what it
//! records; a function takes the one that it can use. `docs/FORMATS.md` has the full description.

mod bundles;
mod holder;
mod issued;
mod keyring;
mod keys;
mod plain;
mod read;
mod shop;
mod signer;
mod text;
mod write;

pub use bundles::{ClientBundle, Generation, JournalEnd, Sent, ShopBundle};
pub use holder::{KeyHolder, KeySet};
pub use issued::Issued;
pub use keyring::{Account, Keyring};
pub use keys::{AnyKeys, Keys, SameName};
pub use plain::{JwkSet, LoneKey, PlainFile};
pub use read::Parsed;
pub use shop::{Shop, Stage, Standing};
pub use signer::{Signer, ToSign};
pub use text::{AROUND_KEYS, FileText};

use crate::protocol::model::{Error, KeyError, Place, Result, Role};

/// Maximum number of random IVs for one key (NIST SP 800-38D section 8.3).
pub const IV_BUDGET: u64 = 1 << 32;

/// Maximum length of a key file in bytes; longer files are neither read nor written.
pub const MAX_KEY_FILE: u64 = 512 << 20;

/// Number of listed transaction ids from which on a client's bundle has a journal of those that are
/// spent: fewer are written faster than a file is synced.
pub const JOURNALED: usize = 1024;

/// The version of the member `orderseal` in files without trees.
pub const VERSION: u64 = 1;

/// The version of the member `orderseal` in files with trees. Programs that know only the first
/// version refuse such a file; otherwise they would drop the trees when they change it.
pub const VERSION_WITH_TREES: u64 = 2;

/// The version of the member `orderseal` in bundles whose spent ids are in a journal. Programs that
/// know only earlier versions refuse such a file; otherwise they would use ids again.
pub const VERSION_WITH_JOURNAL: u64 = 3;

/// The version of the member `orderseal` in files whose keys have dates, or are retired. Programs that
/// know only earlier versions refuse such a file; otherwise they would seal under keys that expired.
pub const VERSION_WITH_DATES: u64 = 4;

/// The version of the member `orderseal` in keyrings with a key for signing. Programs that know only
/// earlier versions refuse such a file; otherwise they would drop the key when they change it.
pub const VERSION_WITH_SIGNING: u64 = 5;

/// Checks the length of a key file before it is made.
///
/// # Errors
/// [`Error::KeyFileFull`].
pub fn check_len(len: u64, place: &Place) -> Result<()> {
    match len <= MAX_KEY_FILE {
        true => Ok(()),
        false => Err(Error::KeyFileFull { place: place.clone(), len, most: MAX_KEY_FILE }),
    }
}

/// A key file of any kind, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFile {
    /// A lone key, or a plain JWK Set.
    Plain(PlainFile),
    /// The service's keyring.
    Keyring(Keyring),
    /// A shop's bundle.
    Shop(ShopBundle),
    /// A client's bundle.
    Client(ClientBundle),
}

impl KeyFile {
    /// What files of all kinds have in common.
    pub fn holder(&self) -> &dyn KeyHolder {
        match self {
            Self::Plain(file) => file.holder(),
            Self::Keyring(file) => file,
            Self::Shop(file) => file,
            Self::Client(file) => file,
        }
    }

    /// The file as a set of keys, unless it is a lone key.
    pub fn as_set(&mut self) -> Option<&mut dyn KeySet> {
        match self {
            Self::Plain(PlainFile::Lone(_)) => None,
            Self::Plain(PlainFile::Set(file)) => Some(file),
            Self::Keyring(file) => Some(file),
            Self::Shop(file) => Some(file),
            Self::Client(file) => Some(file),
        }
    }

    /// Whether the file has a program.
    pub fn has_program(&self) -> bool {
        match self {
            Self::Shop(file) => file.has_program(),
            Self::Client(file) => file.has_program(),
            Self::Plain(_) | Self::Keyring(_) => false,
        }
    }

    /// Whether the program was erased, so that the keys seal or open nothing.
    pub fn is_idle(&self) -> bool {
        match self {
            Self::Shop(file) => file.program_erased,
            Self::Client(file) => file.program.is_none(),
            Self::Plain(_) | Self::Keyring(_) => false,
        }
    }

    /// Whether a process that used a client's file has sent but not erased yet.
    pub fn is_unfinished(&self) -> bool {
        match self {
            Self::Client(file) => file.is_unfinished(),
            Self::Plain(_) | Self::Keyring(_) | Self::Shop(_) => false,
        }
    }

    /// The file as the service's keyring.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn into_keyring(self, place: &Place) -> Result<Keyring> {
        let Self::Keyring(file) = self else { return Err(self.other_than(Role::Service, place)) };
        Ok(file)
    }

    /// The file as the service's keyring, to be changed.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn keyring_mut(&mut self, place: &Place) -> Result<&mut Keyring> {
        let Self::Keyring(file) = self else { return Err(self.other_than(Role::Service, place)) };
        Ok(file)
    }

    /// The file as a shop's bundle.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn into_shop(self, place: &Place) -> Result<ShopBundle> {
        let Self::Shop(file) = self else { return Err(self.other_than(Role::Shop, place)) };
        Ok(file)
    }

    /// The file as a shop's bundle, to be changed.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn shop_mut(&mut self, place: &Place) -> Result<&mut ShopBundle> {
        let Self::Shop(file) = self else { return Err(self.other_than(Role::Shop, place)) };
        Ok(file)
    }

    /// The file as a client's bundle.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn into_client(self, place: &Place) -> Result<ClientBundle> {
        let Self::Client(file) = self else { return Err(self.other_than(Role::Client, place)) };
        Ok(file)
    }

    /// The file as a client's bundle, borrowed.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn client(&self, place: &Place) -> Result<&ClientBundle> {
        let Self::Client(file) = self else { return Err(self.other_than(Role::Client, place)) };
        Ok(file)
    }

    /// The file as a client's bundle, to be changed.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn client_mut(&mut self, place: &Place) -> Result<&mut ClientBundle> {
        let Self::Client(file) = self else { return Err(self.other_than(Role::Client, place)) };
        Ok(file)
    }

    /// The file as one of no role, borrowed.
    ///
    /// # Errors
    /// [`KeyError::Role`].
    pub fn plain(&self, place: &Place) -> Result<&PlainFile> {
        let Self::Plain(file) = self else { return Err(self.other_than(Role::Plain, place)) };
        Ok(file)
    }

    /// The error for a file of another kind than expected.
    pub fn other_than(&self, expected: Role, place: &Place) -> Error {
        Error::key(place, KeyError::Role { found: self.holder().role(), expected })
    }
}

#[cfg(test)]
mod tests;
