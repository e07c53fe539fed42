//! `keys merge`, `keys skip` and `keys split`: pools of keys.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::roles::merge::{self, Merged, OnErased};
use orderseal::protocol::roles::service;
use orderseal::protocol::store::files::{self, Privacy};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{Name, Place, Result};
use serde_json::json;

use super::{InFile, NamedKeyring, ShopName, report};
use crate::cmd::arguments::{OutputFile, orders_of_pool};
use crate::cmd::hints::usage;
use crate::cmd::protection::NewProtection;
use crate::cmd::{Global, one_from_stdin, signals, ui};

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
  orderseal keys skip --shop tokyo --orders 10000 service.jwks")]
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
  orderseal keys split --shop tokyo --orders 1000000 service.jwks \\
    -o second.jwks")]
pub struct Split {
    #[command(flatten)]
    from: From,
    /// Ids to cut off
    #[arg(long, value_name = "N", value_parser = orders_of_pool())]
    orders: u64,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    protection: NewProtection,
}

#[derive(Debug, Args)]
struct From {
    /// The security service's keyring
    #[arg(value_name = "KEYRING", required = true, conflicts_with = "named")]
    keyring: Option<PathBuf>,
    #[command(flatten)]
    named: NamedKeyring,
    #[command(flatten)]
    shop: ShopName,
}

impl From {
    fn keyring(&self) -> Result<&Path> {
        let path = self.keyring.as_deref().or(self.named.keyring.as_deref());
        path.ok_or_else(|| usage("a keyring is needed"))
    }

    fn shop(&self) -> Option<&Name> {
        self.shop.shop.as_ref()
    }
}

impl Merge {
    pub fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.second.as_path()), Some(self.into.as_path())])?;
        files::check_changeable(&self.into)?;
        let second = files::load(&self.second, global.access()?)?;
        let second = second.of(KeyFile::into_shop)?;
        let place = Place::file(ui::shown(&self.into));
        let on_erased = match (self.restore, self.drop_erased) {
            (true, _) => OnErased::Restore,
            (false, true) => OnErased::Erase,
            (false, false) => OnErased::Refuse,
        };
        let Merged { added, erased } = files::update(&self.into, global.access()?, |file| {
            merge::merge(file.shop_mut(&place)?, &second.file, on_erased, &second.place)
        })?;
        let done = json!({"keys_added": added, "keys_erased": erased});
        let (added, erased) = (ui::counted(added, "key"), ui::counted(erased, "key"));
        report(global, &done, &format!("{place}: {added} added, {erased} erased"))
    }
}

impl Skip {
    pub fn run(&self, global: &Global) -> Result<()> {
        let keyring = self.from.keyring()?;
        files::check_changeable(keyring)?;
        let place = Place::file(ui::shown(keyring));
        let skipped = files::update(keyring, global.access()?, |file| {
            service::skip(file.keyring_mut(&place)?, self.from.shop(), self.orders, &place)
        })?;
        let words = format!("{place}: {} skipped", ui::counted(skipped, "id"));
        report(global, &json!({"skipped": skipped}), &words)
    }
}

impl Split {
    /// Opens the output before the cut is recorded, so that no ids are cut off for a file that cannot
    /// be written.
    pub fn run(&self, global: &Global) -> Result<()> {
        let path = self.from.keyring()?;
        files::check_changeable(path)?;
        let loaded = files::load(path, global.access()?)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let mut output = self.to.create(Privacy::Owner, &[loaded.id])?;
        output.protect(self.protection.protection(global)?)?;
        output.refuse_terminal("keys")?;
        let keyring = InFile { path, place: &loaded.place, access: global.access()? };
        let ids = self.orders;
        let _unfinished = signals::begin();
        service::deliver_split(&keyring, self.from.shop(), ids, output, &loaded.place)?;
        match self.to.is_stdout() {
            true => Ok(()),
            false => {
                let words = format!("{}: {} split off", loaded.place, ui::counted(ids, "id"));
                report(global, &json!({"split_off": ids}), &words)
            }
        }
    }
}
