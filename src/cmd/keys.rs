//! `keys`: puts pools of keys together, takes them apart, and exports them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use orderseal::protocol::roles::{merge, service};
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{Error, Name, Place, Result};
use serde_json::json;

use super::arguments::{OutputFile, orders_of_pool};
use super::keygen::write_key_file;
use super::{Global, one_from_stdin, ui};

/// Merge, skip, split and export pools of keys
#[derive(Debug, Subcommand)]
pub enum Keys {
    Merge(Merge),
    Skip(Skip),
    Split(Split),
    Export(Export),
}

/// Add a second delivery to a shop's bundle
///
/// What was erased from the bundle stays erased. Of a derived pool, the keys stay that both files
/// can derive.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keys merge half.jwks --into tokyo.jwks
  orderseal keys merge backup.jwks --into tokyo.jwks --restore")]
pub struct Merge {
    /// The bundle to add
    #[arg(value_name = "FILE")]
    second: PathBuf,
    /// The shop's bundle
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
    /// Bring back keys that were erased
    #[arg(long)]
    restore: bool,
}

/// Skip ids of a derived pool that may have been handed out
///
/// For a keyring that was restored from a backup: ids that were handed out since then would be
/// handed out again.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal keys skip --keyring service.jwks --shop tokyo --orders 10000")]
pub struct Skip {
    #[command(flatten)]
    from: From,
    /// Ids to skip
    #[arg(long, value_name = "N", value_parser = orders_of_pool())]
    orders: u64,
}

/// Cut ids of a derived pool off for a second service
///
/// Both services then hand out ids of their own. The shop's bundle opens the orders of both.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal keys split --keyring service.jwks --shop tokyo \\
    --orders 1000000 -o second.jwks")]
pub struct Split {
    #[command(flatten)]
    from: From,
    /// Ids to cut off
    #[arg(long, value_name = "N", value_parser = orders_of_pool())]
    orders: u64,
    #[command(flatten)]
    to: OutputFile,
}

/// Write all keys as a plain JWK Set, for software that knows no derived pools
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal keys export client.jwks -o plain.jwks")]
pub struct Export {
    /// A key file with a derived pool
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    to: OutputFile,
}

#[derive(Debug, Args)]
struct From {
    /// The security service's keyring
    #[arg(long, alias = "keys", short_alias = 'k', value_name = "FILE")]
    keyring: PathBuf,
    /// The shop (optional if the keyring has only one)
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
}

impl Keys {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Merge(command) => command.run(global),
            Self::Skip(command) => command.run(global),
            Self::Split(command) => command.run(global),
            Self::Export(command) => command.run(global),
        }
    }
}

impl Merge {
    fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.second.as_path()), Some(self.into.as_path())])?;
        files::check_changeable(&self.into)?;
        let second = files::load(&self.second, global.allow_readable_keys)?;
        let second = second.of(KeyFile::into_shop)?;
        let place = Place::file(ui::shown(&self.into));
        let added = files::update(&self.into, |file| {
            let bundle = file.shop_mut(&place)?;
            merge::merge(bundle, &second.file, self.restore, &second.place)
        })?;
        report(global, "keys_added", added, &format!("{place}: {added} keys added"))
    }
}

impl Skip {
    fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.from.keyring)?;
        let place = Place::file(ui::shown(&self.from.keyring));
        let skipped = files::update(&self.from.keyring, |file| {
            let count = self.orders;
            service::skip(file.keyring_mut(&place)?, self.from.shop.as_ref(), count, &place)
        })?;
        report(global, "skipped", skipped, &format!("{place}: {skipped} ids skipped"))
    }
}

impl Split {
    /// Records the cut before the second keyring is written: a failure in between loses ids, but no
    /// two services have the same.
    fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.from.keyring)?;
        let place = Place::file(ui::shown(&self.from.keyring));
        let second = files::update(&self.from.keyring, |file| {
            let count = self.orders;
            service::split(file.keyring_mut(&place)?, self.from.shop.as_ref(), count, &place)
        })?;
        let written = write_key_file(&second, self.to.path(), self.to.existing(), &[]);
        written.map_err(|source| {
            let what = format!("{} ids were cut off {place}, and are lost,", self.orders);
            Error::Changed { what, source: Box::new(source) }
        })?;
        let ids = self.orders;
        match self.to.is_stdout() {
            true => Ok(()),
            false => report(global, "split_off", ids, &format!("{place}: {ids} ids split off")),
        }
    }
}

impl Export {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = files::load(&self.file, global.allow_readable_keys)?;
        let set = merge::export(loaded.file.holder(), &loaded.place)?;
        write_key_file(&set, self.to.path(), self.to.existing(), &[loaded.id])
    }
}

fn report(global: &Global, member: &str, count: impl Into<i128>, words: &str) -> Result<()> {
    match (global.json, global.quiet) {
        (true, _) => ui::print(&ui::json_line(&json!({ member: count.into() as i64 }))),
        (false, true) => Ok(()),
        (false, false) => ui::print(&format!("{}\n", ui::escaped(words))),
    }
}
