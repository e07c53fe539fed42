//! The shop's side of keys that a service makes on demand: it fetches them with its token.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::Settings;
use super::http::{Http, Request};
use crate::protocol::model::{Error, ExchangeFault, Kid, Place, Result, ServiceUrl};
use crate::protocol::roles::merge::{OnErased, merge};
use crate::protocol::store::files::{self, Access};
use crate::protocol::store::keyfile::{KeyFile, ShopBundle};

/// Most names of keys in a request.
const MOST_NAMES: usize = 1000;

/// Longest answer in bytes: a thousand of the longest keys.
const MAX_KEYS: u64 = 64 << 20;

/// Fetches a shop's keys from a service.
pub struct Fetch {
    http: Http,
    address: ServiceUrl,
    bearer: String,
}

impl Fetch {
    /// Prepares to fetch from a service with a token.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an address to which nothing can be added.
    pub fn new(service: &ServiceUrl, token: &str, settings: &Settings) -> Result<Self> {
        let address = format!("{}/v1/shop-keys", service.as_str().trim_end_matches('/')).parse();
        let place = Place::file(service.as_str());
        Ok(Self {
            http: Http::new(settings),
            address: address.map_err(|fault| Error::malformed(&place, fault))?,
            bearer: format!("Bearer {token}"),
        })
    }

    /// Adds keys to the bundle at a path: those with these names, as far as the service has them, or all
    /// listed keys of the shop. Returns the number of keys that the bundle has in addition. What was erased from it stays erased.
    ///
    /// # Errors
    /// [`Error::Exchange`]; and those of [merging](merge) and of changing the bundle.
    pub fn add_to(&self, bundle: &Path, kids: Option<&[Kid]>, access: &Access) -> Result<u64> {
        let loaded = files::load(bundle, access)?.of(KeyFile::into_shop)?;
        let (mut all, place) = (loaded.file, Place::file(self.address.as_str()));
        let mut added = 0;
        let mut add = |answer: &ShopBundle| -> Result<()> {
            added += merge(&mut all, answer, OnErased::Refuse, &place)?.added;
            Ok(())
        };
        match kids {
            Some(kids) => kids.chunks(MOST_NAMES).try_for_each(|kids| {
                let kids: Vec<_> = kids.iter().map(Kid::as_str).collect();
                add(&self.get(&json!({ "kids": kids }))?)
            })?,
            None => {
                let mut seen = BTreeSet::new();
                let mut asked = json!({});
                loop {
                    let answer = self.get(&asked)?;
                    add(&answer)?;
                    let Some(last) = answer.keys.names().last() else { break };
                    if !seen.insert(last.clone()) {
                        let found = "that repeats a key".to_owned();
                        let fault =
                            ExchangeFault::Unexpected { found, expected: "the keys after it" };
                        return Err(Error::exchange(&self.address, fault));
                    }
                    asked = json!({ "after": last.as_str() });
                }
            }
        }
        if added > 0 {
            files::update(bundle, access, |file| {
                merge(file.shop_mut(&loaded.place)?, &all, OnErased::Refuse, &place)
            })?;
        }
        Ok(added)
    }

    fn get(&self, wanted: &Value) -> Result<ShopBundle> {
        let body = wanted.to_string();
        let request = Request {
            address: &self.address,
            fields: &[
                ("content-type", "application/json"),
                ("accept", "application/jwk-set+json"),
                ("authorization", &self.bearer),
            ],
            body: Some(body.as_bytes()),
            limit: MAX_KEYS,
        };
        let answer = self.http.exchange(&request)?;
        let place = Place::file(format!("keys from {}", self.address));
        KeyFile::parse(&answer.body, &place)?.into_shop(&place)
    }
}
