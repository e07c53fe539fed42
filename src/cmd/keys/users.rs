//! `keys admit` and `keys revoke`: users of a shop.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::roles::revoke::{self, Revocation};
use orderseal::protocol::roles::service::{self, Admission};
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{Name, Place, Result};
use serde_json::json;

use super::{HalfOutput, InFile, NamedKeyring, ShopName, report};
use crate::cmd::hints::{usage, usage_with};
use crate::cmd::{Global, signals, ui};

/// Admit users to a shop, each with an id that can be used again
///
/// Makes a key for each user and records it in the keyring. `bundle client --user` then hands it out.
/// The shop needs the keys too: from --shop-out, or in its next bundle. Somebody who was admitted
/// before keeps their key.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal keys admit [OPTIONS] <NAME>... <KEYRING>",
    after_long_help = "\
Examples:
  orderseal keys admit alice --shop tokyo service.jwks
  orderseal keys admit bob carol --shop-out half.jwks service.jwks"
)]
pub struct Admit {
    #[command(flatten)]
    users: Users,
    #[command(flatten)]
    half: HalfOutput,
}

/// Revoke users for good: erase their keys and take none back
///
/// In the service's keyring: no bundle that is made later has their keys. In a shop's bundle: their
/// orders do not open any more, and `keys merge` brings their keys back only with --restore. Revoke at
/// both: a user's own file keeps sealing.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal keys revoke [OPTIONS] <NAME>... <FILE>",
    after_long_help = "\
Examples:
  orderseal keys revoke alice --shop tokyo service.jwks
  orderseal keys revoke alice tokyo.jwks"
)]
pub struct Revoke {
    #[command(flatten)]
    users: Users,
}

#[derive(Debug, Args)]
struct Users {
    /// Names of users; the last argument is the file
    // With the file as an argument of its own, clap would not take options between the two.
    #[arg(value_name = "NAME", required = true, num_args = 1..)]
    names_and_file: Vec<PathBuf>,
    #[command(flatten)]
    named: NamedKeyring,
    #[command(flatten)]
    shop: ShopName,
}

impl Users {
    /// The names, and the file.
    fn take_apart(&self) -> Result<(BTreeSet<Name>, &Path)> {
        let (names, file) = match (&self.named.keyring, self.names_and_file.as_slice()) {
            (Some(keyring), names) => (names, keyring),
            (None, [names @ .., file]) if !names.is_empty() => (names, file),
            (None, _) => {
                let hint = "name users, then the file, as in: alice service.jwks";
                return Err(usage_with("no file, or no user", hint));
            }
        };
        let name = |text: &PathBuf| {
            let shown = ui::shown(text);
            shown.parse().map_err(|fault| usage(format!("user {shown:?}: {fault}")))
        };
        Ok((names.iter().map(name).collect::<Result<_>>()?, file))
    }

    fn shop(&self) -> Option<&Name> {
        self.shop.shop.as_ref()
    }
}

impl Admit {
    pub fn run(&self, global: &Global) -> Result<()> {
        let (users, path) = self.users.take_apart()?;
        files::check_changeable(path)?;
        let loaded = files::load(path, global.access()?)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let output = self.half.create(loaded.id, global)?;
        let keyring = InFile { path, place: &loaded.place, access: global.access()? };
        let (source, workers) = (SystemSource::new()?, global.workers()?);
        let _unfinished = signals::begin();
        let shop = self.users.shop();
        let Admission { admitted, known, .. } = service::deliver_admission(
            &keyring,
            shop,
            &users,
            &source,
            &workers,
            output,
            &loaded.place,
        )?;
        let done = json!({"admitted": names(&admitted), "admitted_before": names(&known)});
        if self.half.is_stdout() {
            return match global.json {
                true => ui::print_report(&done, true),
                false => Ok(()),
            };
        }
        let words = [("admitted", &admitted), ("admitted before:", &known)];
        report(global, &done, &about_users(&loaded.place, words))
    }
}

impl Revoke {
    pub fn run(&self, global: &Global) -> Result<()> {
        let (users, path) = self.users.take_apart()?;
        files::check_changeable(path)?;
        let place = Place::file(ui::shown(path));
        let Revocation { revoked, known } = files::update(path, global.access()?, |file| {
            revoke::revoke(file, self.users.shop(), &users, &place)
        })?;
        let done = json!({"revoked": names(&revoked), "revoked_before": names(&known)});
        let words = [("revoked", &revoked), ("revoked before:", &known)];
        report(global, &done, &about_users(&place, words))
    }
}

fn names(users: &[Name]) -> Vec<&str> {
    users.iter().map(Name::as_str).collect()
}

fn about_users(place: &Place, done: [(&str, &Vec<Name>); 2]) -> String {
    let some = done.into_iter().filter(|(_, users)| !users.is_empty());
    let parts: Vec<_> =
        some.map(|(what, users)| format!("{what} {}", names(users).join(", "))).collect();
    format!("{place}: {}", parts.join("; "))
}
