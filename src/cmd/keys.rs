//! `keys`: admits and revokes users, rotates keys, puts pools together, takes them apart, exports and
//! imports keys, and protects key files.

#[cfg(feature = "serve")]
pub mod fetch;
mod plain;
mod pools;
mod protect;
mod rotate;
mod token;
mod users;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use orderseal::protocol::store::files::{self, Access, FileId, Output, Privacy};
use orderseal::protocol::store::keyfile::Keyring;
use orderseal::protocol::store::spend::Durable;
use orderseal::protocol::{Name, Place, Result};
use plain::{Export, Import};
use pools::{Merge, Skip, Split};
use protect::{Protect, Unprotect};
use rotate::Rotate;
use serde_json::Value;
use token::Token;
use users::{Admit, Revoke};

use super::arguments::{existing, is_stdout};
use super::bundle::keep_ledger;
use super::protection::NewProtection;
use super::{Global, ui};

/// Admit and revoke users, rotate, merge and protect keys
#[derive(Debug, Subcommand)]
pub enum Keys {
    Admit(Admit),
    Revoke(Revoke),
    Token(Token),
    #[cfg(feature = "serve")]
    Fetch(fetch::Fetching),
    /// Fetch keys that the service made on demand
    #[cfg(not(feature = "serve"))]
    Fetch(super::not_built::NotBuilt),
    Rotate(Rotate),
    Merge(Merge),
    Skip(Skip),
    Split(Split),
    Export(Export),
    Import(Import),
    Protect(Protect),
    Unprotect(Unprotect),
}

/// The keyring as other commands take it.
#[derive(Debug, Args)]
struct NamedKeyring {
    /// The security service's keyring
    #[arg(
        id = "named",
        long = "keyring",
        alias = "keys",
        short_alias = 'k',
        value_name = "FILE",
        hide = true
    )]
    keyring: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ShopName {
    /// The shop (optional if the file has only one)
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
}

/// Where the shop's half of new keys goes.
#[derive(Debug, Args)]
struct HalfOutput {
    /// Also write the shop's matching keys to FILE, for `keys merge`
    #[arg(long, value_name = "FILE")]
    shop_out: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    protection: NewProtection,
}

impl HalfOutput {
    /// Opens the output, if one was asked for: before keys are made, so that none are for a file that
    /// cannot be written.
    fn create(&self, keyring: Option<FileId>, global: &Global) -> Result<Option<Output>> {
        let Some(path) = &self.shop_out else {
            self.protection
                .refuse("--shop-out writes what is protected; the keyring stays as it is")?;
            return Ok(None);
        };
        let mut output =
            Output::create(Some(path), existing(self.force), Privacy::Owner, &[keyring])?;
        output.protect(self.protection.protection(global)?)?;
        keep_ledger(&output, global.access()?)?;
        output.refuse_terminal("keys")?;
        Ok(Some(output))
    }

    fn is_stdout(&self) -> bool {
        self.shop_out.as_deref().is_some_and(|path| is_stdout(Some(path)))
    }
}

impl Keys {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Admit(command) => command.run(global),
            Self::Revoke(command) => command.run(global),
            Self::Token(command) => command.run(global),
            #[cfg(feature = "serve")]
            Self::Fetch(command) => command.run(global),
            #[cfg(not(feature = "serve"))]
            Self::Fetch(command) => command.run("keys fetch"),
            Self::Rotate(command) => command.run(global),
            Self::Merge(command) => command.run(global),
            Self::Skip(command) => command.run(global),
            Self::Split(command) => command.run(global),
            Self::Export(command) => command.run(global),
            Self::Import(command) => command.run(global),
            Self::Protect(command) => command.run(global),
            Self::Unprotect(command) => command.run(global),
        }
    }
}

/// A keyring in a file.
struct InFile<'a> {
    path: &'a Path,
    place: &'a Place,
    access: &'a Access,
}

impl Durable<Keyring> for InFile<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut Keyring) -> Result<T>) -> Result<T> {
        files::update(self.path, self.access, |file| change(file.keyring_mut(self.place)?))
    }
}

fn report(global: &Global, done: &Value, words: &str) -> Result<()> {
    match (global.json, global.quiet) {
        (true, _) => ui::print(&ui::json_line(done)),
        (false, true) => Ok(()),
        (false, false) => ui::print(&format!("{}\n", ui::escaped(words))),
    }
}
