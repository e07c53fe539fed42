//! `keys`: puts pools of keys together, takes them apart, and exports them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use orderseal::protocol::roles::merge::{self, Merged, OnErased};
use orderseal::protocol::roles::service;
use orderseal::protocol::store::files::{self, Privacy};
use orderseal::protocol::store::keyfile::{KeyFile, Keyring};
use orderseal::protocol::store::spend::Durable;
use orderseal::protocol::{Name, Place, Result};
use serde_json::{Value, json};

use super::arguments::{OutputFile, orders_of_pool};
use super::keygen::key_output;
use super::{Global, one_from_stdin, signals, ui};

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
/// What was erased from the bundle stays erased. A FILE from which keys were erased that the bundle
/// has is refused, unless --drop-erased or --restore says what to do with them.
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
    /// Erase from the bundle what was erased from FILE
    #[arg(long, conflicts_with = "restore")]
    drop_erased: bool,
    /// Bring back keys that were erased
    #[arg(long)]
    restore: bool,
}

/// Skip ids that may have been handed out
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
///
/// A client's ids that were used are left out. Do not use the file and the set side by side: each
/// would seal orders under the ids of the other.
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
        let on_erased = match (self.restore, self.drop_erased) {
            (true, _) => OnErased::Restore,
            (false, true) => OnErased::Erase,
            (false, false) => OnErased::Refuse,
        };
        let Merged { added, erased } = files::update(&self.into, |file| {
            merge::merge(file.shop_mut(&place)?, &second.file, on_erased, &second.place)
        })?;
        let done = json!({"keys_added": added, "keys_erased": erased});
        let (added, erased) = (ui::counted(added, "key"), ui::counted(erased, "key"));
        report(global, &done, &format!("{place}: {added} added, {erased} erased"))
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
        let words = format!("{place}: {} skipped", ui::counted(skipped, "id"));
        report(global, &json!({"skipped": skipped}), &words)
    }
}

impl Split {
    /// Opens the output before the cut is recorded, so that no ids are cut off for a file that cannot
    /// be written.
    fn run(&self, global: &Global) -> Result<()> {
        files::check_changeable(&self.from.keyring)?;
        let loaded = files::load(&self.from.keyring, global.allow_readable_keys)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let output = self.to.create(Privacy::Owner, &[loaded.id])?;
        output.refuse_terminal("keys")?;
        let keyring = InFile { path: &self.from.keyring, place: &loaded.place };
        let (shop, ids) = (self.from.shop.as_ref(), self.orders);
        let _unfinished = signals::begin();
        service::deliver_split(&keyring, shop, ids, output, &loaded.place)?;
        match self.to.is_stdout() {
            true => Ok(()),
            false => {
                let words = format!("{}: {} split off", loaded.place, ui::counted(ids, "id"));
                report(global, &json!({"split_off": ids}), &words)
            }
        }
    }
}

/// A keyring in a file.
struct InFile<'a> {
    path: &'a Path,
    place: &'a Place,
}

impl Durable<Keyring> for InFile<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T>) -> Result<T> {
        files::update(self.path, |file| change(file.keyring_mut(self.place)?))
    }
}

impl Export {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = files::load(&self.file, global.allow_readable_keys)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let set = merge::export(&loaded.file, &loaded.place)?;
        key_output(&set, &self.to, &[loaded.id])?.commit()
    }
}

fn report(global: &Global, done: &Value, words: &str) -> Result<()> {
    match (global.json, global.quiet) {
        (true, _) => ui::print(&ui::json_line(done)),
        (false, true) => Ok(()),
        (false, false) => ui::print(&format!("{}\n", ui::escaped(words))),
    }
}
