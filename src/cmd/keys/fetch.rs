//! `keys fetch`: the shop gets the keys that the service made on demand.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use orderseal::protocol::Result;
use orderseal::protocol::model::ServiceUrl;
use orderseal::protocol::serve::client::{Fetch, Settings};
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::{KeyFile, ShopBundle};
use serde_json::json;

use super::report;
use crate::cmd::arguments::MORE;
use crate::cmd::hints::{usage, usage_with};
use crate::cmd::reaching::{self, Reaching};
use crate::cmd::{Global, ui};

/// How long a request is sent again without a definite answer, by commands that go on anyway: in seconds.
const RETRY_FOR: u32 = 5;

/// Fetch keys that the service made on demand
///
/// Adds to the shop's bundle the listed keys of the shop that it lacks. What was erased from the bundle
/// stays erased. `decrypt --follow` with the same options fetches by itself what an order needs.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal keys fetch [OPTIONS] --token-file <FILE> <BUNDLE>",
    after_long_help = "\
Examples:
  orderseal keys fetch --token-file tokyo.token \\
    --service https://service.example/ tokyo.jwks"
)]
pub struct Fetching {
    /// The shop's bundle
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The shop's token, from `keys token --fetch`
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Address of the service [default: as the bundle says]
    #[arg(long, value_name = "URL")]
    service: Option<ServiceUrl>,
    /// How long to send a request again that has no definite answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = value_parser!(u32).range(..=86_400),
          help_heading = MORE)]
    retry_for: u32,
    #[command(flatten)]
    reaching: Reaching,
}

/// Where keys that are missing are fetched, for commands that open orders as they come.
#[derive(Debug, Args)]
pub struct FetchOptions {
    /// Fetch missing keys from the service, with this token from `keys token --fetch`
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    token_file: Option<PathBuf>,
    /// Address of that service [default: as the bundle says]
    #[arg(long, value_name = "URL", requires = "token_file", help_heading = MORE)]
    service: Option<ServiceUrl>,
    #[command(flatten)]
    reaching: Reaching,
}

impl FetchOptions {
    /// Whether keys are fetched.
    pub fn is_wanted(&self) -> bool {
        self.token_file.is_some()
    }

    /// Prepares to fetch for the one bundle that opens orders, if that is wanted; and returns its path.
    pub fn prepare<'b>(
        &self,
        bundles: &'b [PathBuf],
        global: &Global,
    ) -> Result<Option<(Fetch, &'b Path)>> {
        let Some(token) = &self.token_file else { return Ok(None) };
        let [bundle] = bundles else {
            return Err(usage("--token-file fetches keys for one --bundle"));
        };
        files::check_changeable(bundle)?;
        let settings = self.reaching.settings(RETRY_FOR)?;
        let fetch = with_token(token, self.service.as_ref(), bundle, &settings, global)?;
        Ok(Some((fetch, bundle)))
    }

    /// Warns of a token that has expired, or will soon.
    pub fn warn_of_end(&self, global: &Global) -> Result<()> {
        self.token_file.as_ref().map_or(Ok(()), |token| reaching::warn_of_end(token, global))
    }

    /// The options as arguments, for another process.
    pub fn arguments(&self) -> Vec<OsString> {
        let Self { token_file, service, reaching: Reaching { ca } } = self;
        let service = service.as_ref().map(|url| OsString::from(url.as_str()));
        let named = [
            ("--token-file", token_file.as_ref().map(OsString::from)),
            ("--service", service),
            ("--ca", ca.as_ref().map(OsString::from)),
        ];
        let given = named.into_iter().filter_map(|(name, value)| Some([name.into(), value?]));
        given.flatten().collect()
    }
}

impl Fetching {
    pub fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.bundle)?;
        reaching::warn_of_end(&self.token_file, global)?;
        let (service, settings) = (self.service.as_ref(), self.reaching.settings(self.retry_for)?);
        let fetch = with_token(&self.token_file, service, &self.bundle, &settings, global)?;
        let added = fetch.add_to(&self.bundle, None, global.access()?)?;
        let words = format!("{}: {} added", ui::shown(&self.bundle), ui::counted(added, "key"));
        report(global, &json!({ "keys_added": added }), &words)
    }
}

/// Prepares to fetch for a bundle, from the service that is named, or that the bundle names.
fn with_token(
    token: &Path,
    service: Option<&ServiceUrl>,
    bundle: &Path,
    settings: &Settings,
    global: &Global,
) -> Result<Fetch> {
    let token = reaching::token(token, global)?;
    let loaded = files::load(bundle, global.access()?)?.of(KeyFile::into_shop)?;
    let service = service.or_else(|| named(&loaded.file)).ok_or_else(|| {
        usage_with(
            format!("{}: does not say where its service is", loaded.place),
            "name it with --service URL",
        )
    })?;
    Fetch::new(service, &token, settings)
}

/// The service that a bundle names.
fn named(bundle: &ShopBundle) -> Option<&ServiceUrl> {
    bundle.generations.values().rev().find_map(|generation| generation.shop.service.as_ref())
}
