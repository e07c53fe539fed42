//! `keys`: admits and revokes users, puts pools of keys together, takes them apart, and exports and
//! imports keys.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::roles::merge::{self, Merged, OnErased};
use orderseal::protocol::roles::revoke::{self, Revocation};
use orderseal::protocol::roles::service::{self, Admission};
use orderseal::protocol::store::files::{self, Output, Privacy};
use orderseal::protocol::store::keyfile::{KeyFile, KeyHolder, Keyring};
use orderseal::protocol::store::spend::Durable;
use orderseal::protocol::{Kid, Name, Place, Result};
use serde_json::{Value, json};

use super::arguments::{OutputFile, existing, is_stdout, orders_of_pool};
use super::bundle::keep_ledger;
use super::keygen::key_output;
use super::{Global, algorithms, one_from_stdin, signals, ui};
use crate::cmd::hints::{usage, usage_with};

/// Admit and revoke users, manage and import keys
#[derive(Debug, Subcommand)]
pub enum Keys {
    Admit(Admit),
    Revoke(Revoke),
    Merge(Merge),
    Skip(Skip),
    Split(Split),
    Export(Export),
    Import(Import),
}

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
    /// Also write the shop's matching keys to FILE, for `keys merge`
    #[arg(long, value_name = "FILE")]
    shop_out: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    force: bool,
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

/// Write a key of other software as a JWK
///
/// Reads PEM and DER (PKCS #8, PKCS #1, SEC 1, SubjectPublicKeyInfo), raw, hexadecimal and base64
/// keys, and one key of a JWK Set. The file is for --key; only its owner can read it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal keys import key.pem --kid tokyo-2026 --alg RSA-OAEP-256 \\
    -o tokyo.jwk")]
pub struct Import {
    /// The key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the key: gives it to a lone key, chooses it from a set
    #[arg(long, value_name = "KID")]
    kid: Option<Kid>,
    /// Algorithm that the key is for, if it names none
    #[arg(long, value_name = "NAME", value_parser = algorithms::assumed_names())]
    alg: Option<&'static str>,
    #[command(flatten)]
    to: OutputFile,
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

impl From {
    fn keyring(&self) -> &Path {
        let path = self.keyring.as_ref().or(self.named.keyring.as_ref());
        path.expect("clap requires one of the two")
    }

    fn shop(&self) -> Option<&Name> {
        self.shop.shop.as_ref()
    }
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

impl Keys {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Admit(command) => command.run(global),
            Self::Revoke(command) => command.run(global),
            Self::Merge(command) => command.run(global),
            Self::Skip(command) => command.run(global),
            Self::Split(command) => command.run(global),
            Self::Export(command) => command.run(global),
            Self::Import(command) => command.run(global),
        }
    }
}

impl Admit {
    /// Opens the output before anybody is admitted, so that nobody is for a file that cannot be
    /// written.
    fn run(&self, global: &Global) -> Result<()> {
        let (users, path) = self.users.take_apart()?;
        files::check_changeable(path)?;
        let loaded = files::load(path, global.allow_readable_keys)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let output = match &self.shop_out {
            Some(path) => {
                let path = Some(path.as_path());
                Some(Output::create(path, existing(self.force), Privacy::Owner, &[loaded.id])?)
            }
            None => None,
        };
        if let Some(output) = &output {
            keep_ledger(output)?;
            output.refuse_terminal("keys")?;
        }
        let keyring = InFile { path, place: &loaded.place };
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
        if self.shop_out.as_deref().is_some_and(|path| is_stdout(Some(path))) {
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
    fn run(&self, global: &Global) -> Result<()> {
        let (users, path) = self.users.take_apart()?;
        files::check_changeable(path)?;
        let place = Place::file(ui::shown(path));
        let Revocation { revoked, known } =
            files::update(path, |file| revoke::revoke(file, self.users.shop(), &users, &place))?;
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
        let keyring = self.from.keyring();
        files::check_changeable(keyring)?;
        let place = Place::file(ui::shown(keyring));
        let skipped = files::update(keyring, |file| {
            service::skip(file.keyring_mut(&place)?, self.from.shop(), self.orders, &place)
        })?;
        let words = format!("{place}: {} skipped", ui::counted(skipped, "id"));
        report(global, &json!({"skipped": skipped}), &words)
    }
}

impl Split {
    /// Opens the output before the cut is recorded, so that no ids are cut off for a file that cannot
    /// be written.
    fn run(&self, global: &Global) -> Result<()> {
        let path = self.from.keyring();
        files::check_changeable(path)?;
        let loaded = files::load(path, global.allow_readable_keys)?;
        let loaded = loaded.of(KeyFile::into_keyring)?;
        let output = self.to.create(Privacy::Owner, &[loaded.id])?;
        output.refuse_terminal("keys")?;
        let keyring = InFile { path, place: &loaded.place };
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

impl Import {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = files::load(&self.file, global.allow_readable_keys)?;
        let file = loaded.file.plain(&loaded.place)?;
        let key = file.import(self.kid.as_ref(), self.alg, &loaded.place)?;
        key.refuse_weak(global.allow_weak, &loaded.place)?;
        key_output(&key, &self.to, &[loaded.id])?.commit()
    }
}

fn report(global: &Global, done: &Value, words: &str) -> Result<()> {
    match (global.json, global.quiet) {
        (true, _) => ui::print(&ui::json_line(done)),
        (false, true) => Ok(()),
        (false, false) => ui::print(&format!("{}\n", ui::escaped(words))),
    }
}
