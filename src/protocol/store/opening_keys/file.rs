//! Key files that open orders.

use std::sync::Arc;

use crate::protocol::model::{Kid, Place, Result, Role};
use crate::protocol::store::keyfile::{
    AnyKeys, KeyFile, KeyHolder, Keyring, PlainFile, ShopBundle, Standing,
};

/// A key file that opens orders.
#[derive(Debug, Clone)]
pub enum OpeningFile {
    /// A lone key or a plain set that the user chose to open orders with.
    Plain(Arc<PlainFile>),
    /// The service's keyring.
    Keyring(Arc<Keyring>),
    /// A shop's bundle.
    Shop(Arc<ShopBundle>),
}

impl OpeningFile {
    /// The key file as one that opens orders.
    ///
    /// # Errors
    /// [`KeyError::Role`] for a client's file.
    pub fn of(file: KeyFile, place: &Place) -> Result<Self> {
        match file {
            KeyFile::Plain(file) => Ok(Self::Plain(Arc::new(file))),
            KeyFile::Keyring(file) => Ok(Self::Keyring(Arc::new(file))),
            KeyFile::Shop(file) => Ok(Self::Shop(Arc::new(file))),
            KeyFile::Client(_) => Err(file.other_than(Role::Shop, place)),
        }
    }

    /// The key file as one of a shop or of the service.
    ///
    /// # Errors
    /// [`KeyError::Role`] for any other file.
    pub fn of_shop(file: KeyFile, place: &Place) -> Result<Self> {
        match file {
            KeyFile::Plain(_) => Err(file.other_than(Role::Shop, place)),
            KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => Self::of(file, place),
        }
    }

    /// What files of all kinds have in common.
    pub fn holder(&self) -> &dyn KeyHolder {
        match self {
            Self::Plain(file) => file.holder(),
            Self::Keyring(file) => &**file,
            Self::Shop(file) => &**file,
        }
    }

    pub(super) fn keys(&self) -> &dyn AnyKeys {
        match self {
            Self::Plain(file) => file.holder().all_keys(),
            Self::Keyring(file) => &file.keys,
            Self::Shop(file) => &file.keys,
        }
    }
}

/// A key file, with the number of its first key in the numbering over all files.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: OpeningFile,
    pub(super) first: usize,
    /// Number of its keys.
    pub(super) count: usize,
}

impl Held {
    /// The names of the keys of revoked users, none of which the file has.
    pub(super) fn revoked(&self) -> impl Iterator<Item = Kid> {
        self.file.holder().shops().flat_map(|(name, shop)| {
            shop.users_with(Standing::Revoked).map(move |user| Kid::of_id(name, user))
        })
    }
}
