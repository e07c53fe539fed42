//! `keys rotate`: the next generation of a shop's keys.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use orderseal::ciphers::ecdh::Curve;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::jose::tree::LEAVES;
use orderseal::protocol::roles::service::{self, Pool, Rotated, Rotation};
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::{KeyFile, KeyHolder, Keyring};
use orderseal::protocol::{
    Alg, Enc, Error, Family, KeyError, Name, Place, Result, Scope, ShopName, Suite,
};
use serde_json::json;

use super::{HalfOutput, InFile, NamedKeyring, report};
use crate::cmd::arguments::{MORE, curves, pools, rsa_bits};
use crate::cmd::dates::KeyDates;
use crate::cmd::hints::usage;
use crate::cmd::{Global, algorithms, signals, ui};

/// Make the next generation of a shop's keys
///
/// Bundles that are made from now on have keys of the new generation. Bundles of earlier ones go on to work, and the shop opens the orders of all. The shop needs the new keys
/// before clients use them: from --shop-out, or in its next bundle. Users who were admitted have a key in
/// the new generation as well, and get it with their next bundle.
///
/// The new generation is like the newest one, as far as options say nothing else. Its keys are named
/// SHOP@2, then SHOP@3, and so on; `inspect` shows the stage of each. --keep-last retires earlier ones:
/// they open orders and are not handed out any more. `erase --generation` erases them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keys rotate --shop tokyo --shop-out half.jwks service.jwks
  orderseal keys rotate --shop tokyo --keep-last 2 service.jwks
  orderseal keys rotate --shop tokyo --expires 2030-01-01 service.jwks")]
pub struct Rotate {
    /// The security service's keyring
    #[arg(value_name = "KEYRING", required = true, conflicts_with = "named")]
    keyring: Option<PathBuf>,
    #[command(flatten)]
    named: NamedKeyring,
    #[command(flatten)]
    shop: super::ShopName,
    /// Retire all generations but the last N, the new one among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_last: Option<u32>,
    /// Transaction ids to make keys for [default: as many as the newest generation had]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(..=LEAVES))]
    orders: Option<u64>,
    #[command(flatten)]
    half: HalfOutput,
    /// Keys that are listed or derived
    #[arg(long, value_name = "KIND", hide_possible_values = true, value_parser = pools(),
          help_heading = MORE)]
    pool: Option<Pool>,
    /// Content cipher
    #[arg(long, value_name = "NAME", value_parser = algorithms::content_names(), help_heading = MORE)]
    enc: Option<Enc>,
    /// Key management
    #[arg(long, value_name = "NAME", value_parser = algorithms::wrap_names(), help_heading = MORE)]
    wrap: Option<Alg>,
    /// Bits of an RSA modulus
    #[arg(long, value_name = "N", value_parser = rsa_bits(), help_heading = MORE)]
    rsa_bits: Option<usize>,
    /// Curve of ECDH-ES keys
    #[arg(long, value_name = "NAME", value_parser = curves(), help_heading = MORE)]
    curve: Option<Curve>,
    #[command(flatten)]
    dates: KeyDates,
}

impl Rotate {
    pub fn run(&self, global: &Global) -> Result<()> {
        let path = self.keyring.as_deref().or(self.named.keyring.as_deref());
        let path = path.ok_or_else(|| usage("a keyring is needed"))?;
        files::check_changeable(path)?;
        let loaded = files::load(path, global.access()?)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let place = &loaded.place;
        let rotation = self.rotation(&loaded.file, place, global)?;
        if let Some(name) = rotation.suite.and_then(Suite::weak).filter(|_| !global.allow_weak) {
            return Err(Error::key(place, KeyError::Weak(name)));
        }
        let output = self.half.create(loaded.id, global)?;
        let workers = global.workers()?;
        let _unfinished = signals::begin();
        let Rotated { generation, retired, shop_half } = service::deliver_rotation(
            &InFile { path, place, access: global.access()? },
            self.shop.shop.as_ref(),
            &rotation,
            SystemSource::new,
            &workers,
            output,
            place,
        )?;
        let retired: Vec<&str> = retired.iter().map(ShopName::as_str).collect();
        let keys = shop_half.all_keys().count() as u64 + shop_half.count_derived();
        let done = json!({"generation": generation.as_str(), "keys": keys, "retired": retired});
        if self.half.is_stdout() {
            return match global.json {
                true => ui::print_report(&done, true),
                false => Ok(()),
            };
        }
        let also = match retired.is_empty() {
            true => String::new(),
            false => format!("; retired {}", retired.join(", ")),
        };
        let keys = ui::counted(keys, "key");
        report(global, &done, &format!("{place}: made {generation} with {keys}{also}"))
    }

    fn rotation(&self, keyring: &Keyring, place: &Place, global: &Global) -> Result<Rotation> {
        let (_, newest) = keyring.account(self.shop.shop.as_ref(), place)?;
        let own = newest.shop.suite;
        let suite = match (self.wrap, self.enc) {
            (None, None) => None,
            (alg, enc) => {
                let (alg, enc) = (alg.unwrap_or(own.alg()), enc.unwrap_or(own.enc()));
                let suite = Suite::new(alg, enc);
                let unpaired =
                    || usage(format!("{} and {} do not go together", alg.name(), enc.name()));
                Some(suite.ok_or_else(unpaired)?)
            }
        };
        let material = suite.unwrap_or(own).material();
        let one_for_all = newest.shop.scheme.scope == Scope::Shop;
        for (option, given, fits, what) in [
            ("--rsa-bits", self.rsa_bits.is_some(), material == Family::Rsa, "has no RSA keys"),
            ("--curve", self.curve.is_some(), material == Family::Curve, "has no ECDH-ES keys"),
            ("--orders", self.orders.is_some(), !one_for_all, "has one key for all orders"),
            ("--pool", self.pool.is_some(), !one_for_all, "has one key for all orders"),
        ] {
            if given && !fits {
                let shop = self.shop.shop.as_ref().map_or("the shop".to_owned(), Name::to_string);
                return Err(usage(format!("{option} does not apply: {shop} {what}")));
            }
        }
        Ok(Rotation {
            suite,
            rsa_bits: self.rsa_bits,
            curve: self.curve,
            orders: self.orders,
            pool: self.pool,
            dates: self.dates.made_now(global)?,
            keep_last: self.keep_last,
        })
    }
}
