//! What an address serves, for whoever checks it from outside.

use super::http::Http;
use super::origin::Origin;
use super::{Settings, get};
use crate::protocol::model::{Error, Place, Result, ServiceUrl};

/// Gets a file from an address, and its signature from the same address with `.jws` at the end of the path.
///
/// # Errors
/// [`Error::Exchange`], and [`Error::Malformed`] for an address to which nothing can be added.
pub fn get_signed(address: &ServiceUrl, settings: &Settings) -> Result<(Vec<u8>, Vec<u8>)> {
    let (http, origin) = (Http::new(settings), Origin::of(address));
    let text = address.as_str();
    let (path, query) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let signature = format!("{path}.jws{query}").parse();
    let place = Place::file(text);
    let signature: ServiceUrl = signature.map_err(|fault| Error::malformed(&place, fault))?;
    // As a program gets it, not as a browser shows it.
    let file = get(&http, address, &origin, "*/*")?;
    Ok((file, get(&http, &signature, &origin, "*/*")?))
}
