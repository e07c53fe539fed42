//! Protects key files where they are, and writes them in the clear.

use std::path::Path;

use super::access::Access;
use super::locked::Locked;
use super::protection::Protection;
use crate::protocol::model::{Error, Misuse, Result};
use crate::protocol::store::keyfile::Parsed;

/// Protects a key file, in another way if it is protected.
///
/// # Errors
/// As [`update`](super::update), and [`Misuse::NotToProtect`].
pub fn protect(path: &Path, access: &Access, protection: &Protection) -> Result<()> {
    let mut locked = Locked::open(path, access)?;
    let (text, before) = locked.read_clear()?;
    let cleared = locked.rewrite(&protection.seal(&text, &locked.place)?)?;
    match before {
        // What was overwritten, or not, was protected as well.
        Some(_) => Ok(()),
        None => cleared.map_err(|error| {
            let what = format!("{} was protected", locked.place);
            let error = Error::io(&locked.place, "cannot overwrite its old content", error);
            Error::Changed { what, source: Box::new(error) }
        }),
    }
}

/// Checks that a file can be protected, or opened if it is.
///
/// # Errors
/// As [`protect`].
pub fn check_openable(path: &Path, access: &Access) -> Result<()> {
    Locked::open(path, access)?.read_clear().map(|_| ())
}

/// Refuses to seal a file to a recipient whose private key is in it: nothing would open it any more.
///
/// # Errors
/// As [`protect`], and [`Misuse::OwnRecipient`].
pub fn refuse_own_recipient(path: &Path, access: &Access, protection: &Protection) -> Result<()> {
    let mut locked = Locked::open(path, access)?;
    let (text, _) = locked.read_clear()?;
    let own = Parsed::read(&text, None, &locked.place);
    match own.is_ok_and(|parsed| protection.seals_to(parsed.file.holder())) {
        true => Err(Misuse::OwnRecipient(locked.place.to_string()).into()),
        false => Ok(()),
    }
}

/// Writes a protected key file in the clear.
///
/// # Errors
/// As [`update`](super::update), and [`Misuse::NotProtected`].
pub fn unprotect(path: &Path, access: &Access) -> Result<()> {
    let mut locked = Locked::open(path, access)?;
    match locked.read_clear()? {
        // The old content is protected.
        (text, Some(_)) => locked.rewrite(&text).map(|_| ()),
        (_, None) => Err(Misuse::NotProtected(locked.place.to_string()).into()),
    }
}
