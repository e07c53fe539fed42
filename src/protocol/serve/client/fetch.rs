//! The shop's side of keys that a service makes on demand: it fetches them with its token.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::http::{Http, Request};
use super::{Settings, beneath};
use crate::protocol::model::{Error, ExchangeFault, Kid, Place, Result, ServiceUrl, Unfit};
use crate::protocol::roles::merge::{OnErased, merge};
use crate::protocol::store::files::{self, Access, Loaded};
use crate::protocol::store::keyfile::{KeyFile, ShopBundle};

/// Most names of keys in a request. They are names that are made here, and so have at most some 150 bytes.
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
        let address = beneath(service, "/v1/shop-keys")?;
        Ok(Self { http: Http::new(settings), address, bearer: format!("Bearer {token}") })
    }

    /// Adds keys to the bundle at a path: those with these names, as far as the service has them, or all
    /// listed keys of the shop. Returns the number of keys that the bundle has in addition. What was
    /// erased from it stays erased, also while the service is asked.
    ///
    /// # Errors
    /// [`Error::Exchange`]; and those of [merging](merge) and of changing the bundle.
    pub fn add_to(&self, bundle: &Path, kids: Option<&[Kid]>, access: &Access) -> Result<u64> {
        let Loaded { file: own, place, .. } =
            files::load(bundle, access)?.of(KeyFile::into_shop)?;
        let mut answers = match kids {
            Some(kids) => self.named(kids)?,
            None => self.all()?,
        }
        .into_iter();
        let from = Place::file(self.address.as_str());
        let Some(mut fetched) = answers.next() else { return Ok(0) };
        if fetched.name != own.name {
            return Err(Error::key(&from, Unfit::OtherBundle(fetched.name).into()));
        }
        answers.try_for_each(|answer| {
            merge(&mut fetched, &answer, OnErased::Refuse, &from).map(|_| ())
        })?;
        if fetched.keys.names().all(|kid| own.keys.named(kid.as_str()).is_some()) {
            return Ok(0);
        }
        // Into the bundle as it is now: it may have changed.
        let merged = files::update(bundle, access, |file| {
            merge(file.shop_mut(&place)?, &fetched, OnErased::Refuse, &from)
        })?;
        Ok(merged.added)
    }

    /// The keys with these names.
    fn named(&self, kids: &[Kid]) -> Result<Vec<ShopBundle>> {
        let get = |kids: &[Kid]| {
            let kids: Vec<_> = kids.iter().map(Kid::as_str).collect();
            self.get(&json!({ "kids": kids }))
        };
        kids.chunks(MOST_NAMES).map(get).collect()
    }

    /// All keys. If the last one of an answer is gone when the next one is asked for, the service begins again.
    fn all(&self) -> Result<Vec<ShopBundle>> {
        let (mut answers, mut seen, mut again) = (Vec::new(), BTreeSet::new(), false);
        let mut wanted = json!({});
        loop {
            let answer = self.get(&wanted)?;
            let last = answer.keys.names().last().cloned();
            answers.push(answer);
            let Some(last) = last else { return Ok(answers) };
            wanted = json!({ "after": last.as_str() });
            if !seen.insert(last) {
                if std::mem::replace(&mut again, true) {
                    return Err(self.unexpected("that repeats a key"));
                }
                seen.clear();
            }
        }
    }

    fn unexpected(&self, found: &str) -> Error {
        let fault =
            ExchangeFault::Unexpected { found: found.to_owned(), expected: "keys of a shop" };
        Error::exchange(&self.address, fault)
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
        let place = Place::file(self.address.as_str());
        let bundle = KeyFile::parse(&answer.body, &place).and_then(|file| file.into_shop(&place));
        let bundle = bundle.map_err(|_| self.unexpected("that is none"))?;
        match bundle.program.is_some() || bundle.has_trees() || bundle.ledger.is_some() {
            true => Err(self.unexpected("with more than listed keys")),
            false => Ok(bundle),
        }
    }
}
