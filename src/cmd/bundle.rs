//! `bundle`: the security service issues programs and keys.

mod client;
mod form;

use std::path::PathBuf;

use clap::builder::ValueHint;
use clap::{Args, Subcommand};
use client::Client;
use form::FormArgs;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::protocol::jose::jws::VerifyingKey;
use orderseal::protocol::model::Misuse;
use orderseal::protocol::page::Items;
use orderseal::protocol::page::item_page::{MAX_PAGE, Page};
use orderseal::protocol::roles::merge::{refuse_to_lose_ledger, refuse_to_restore};
use orderseal::protocol::roles::service::{self, ShopForm};
use orderseal::protocol::store::files::{self, Access, Loaded, Output, Privacy};
use orderseal::protocol::store::keyfile::{ClientBundle, KeyFile, KeyHolder, Keyring};
use orderseal::protocol::{Error, KeyError, Name, Place, Result, ServiceUrl};
use serde_json::json;

use super::arguments::{MORE, OutputFile};
use super::keygen::key_output;
use super::protection::NewProtection;
use super::signing::{self, SignWith};
use super::values::one_of;
use super::{Global, one_from_stdin, ui};
use crate::cmd::dates::now;
use crate::cmd::hints::usage;

/// Hand out keys and programs to shops, clients and services
#[derive(Debug, Subcommand)]
pub enum Bundle {
    Shop(Shop),
    Service(ServiceArgs),
    Page(PageArgs),
    Form(FormArgs),
    Client(Box<Client>),
}

/// Write a shop's decrypting keys and its program
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  orderseal bundle shop --keyring service.jwks --shop tokyo -o tokyo.jwks")]
pub struct Shop {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    shop: ShopName,
    /// What is handed out: the key alone, program and key side by side, or the program with the key
    /// built in
    #[arg(long, default_value = "program", value_parser = one_of([
        ("key", ShopForm::Key), ("program", ShopForm::Program), ("built-in", ShopForm::BuiltIn)]))]
    form: ShopForm,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    sign: SignWith,
    #[command(flatten)]
    protection: NewProtection,
    /// With --force, bring back keys that were erased from the file
    #[arg(long, requires = "force", help_heading = MORE)]
    restore: bool,
}

/// Write the public halves of a shop's own pairs, for the security service
///
/// For a shop that makes its pairs itself, with `keygen`. The service hands the halves out, from this
/// file or from its own keyring with `keys import --into`, and cannot open any order.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bundle service --keyring own.jwks -o public.jwks
  orderseal bundle client --keyring public.jwks -o client.jwks")]
pub struct ServiceArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    shop: ShopName,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    sign: SignWith,
}

/// Write a shop's item page, with its items and the service's address
///
/// docs/PAGE.md describes the items; members that it does not name are refused. A page with an address
/// also has the service's public key, by which programs and tickets verify: the keyring gets a key for
/// signing when it is first needed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal bundle page --keyring service.jwks --shop tokyo \\
    --service https://service.example/ -o page.json
  orderseal bundle page --keyring service.jwks --shop tokyo \\
    --items items.json -o items-page.json")]
pub struct PageArgs {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    shop: ShopName,
    /// Address of the security service, where clients ask for programs and keys
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    service: Option<ServiceUrl>,
    /// The shop's items (JSON): id, name, price, picture, specification, performance
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    sign: SignWith,
    /// Put the service's public key, with which it signs what it hands out, into the page
    #[arg(long, value_name = "KEY", help_heading = MORE)]
    service_key: Option<PathBuf>,
    /// Put the shop's public key into the page: clients then seal without asking a service
    ///
    /// The key has to be a public one for all orders: `keygen --scope shop --kind public`. A page with it
    /// names no service.
    #[arg(long, conflicts_with_all = ["service", "service_key"], help_heading = MORE)]
    with_key: bool,
}

#[derive(Debug, Args)]
struct From {
    /// The security service's keyring
    #[arg(long, alias = "keys", short_alias = 'k', value_name = "FILE")]
    keyring: PathBuf,
}

#[derive(Debug, Args)]
struct ShopName {
    /// The shop (optional if the keyring has only one)
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
}

impl Bundle {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Shop(command) => command.run(global),
            Self::Service(command) => command.run(global),
            Self::Page(command) => command.run(global),
            Self::Form(command) => command.run(global),
            Self::Client(command) => command.run(global),
        }
    }
}

impl From {
    fn load(&self, global: &Global) -> Result<Loaded> {
        let loaded = files::load(&self.keyring, global.access()?)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        Ok(loaded)
    }

    fn load_keyring(&self, global: &Global) -> Result<Loaded<Keyring>> {
        self.load(global)?.of(KeyFile::into_keyring)
    }

    /// The public half of the keyring's key for signing, which is made if there is none and the keyring is a
    /// file that can be changed.
    fn signing_key(&self, loaded: &Loaded, global: &Global) -> Result<Option<VerifyingKey>> {
        let KeyFile::Keyring(keyring) = &loaded.file else { return Ok(None) };
        match &keyring.signing {
            Some(key) => Ok(Some(key.verifying())),
            None if loaded.changeable => {
                files::check_changeable(&self.keyring)?;
                let mut random = SystemSource::new()?.stream(0);
                let key = files::update(&self.keyring, global.access()?, |file| {
                    Ok(file.keyring_mut(&loaded.place)?.signing_key(&mut random).verifying())
                })?;
                Ok(Some(key))
            }
            None => Ok(None),
        }
    }

    /// Updates the keyring in its file. A keyring from a pipe works if nothing has to change.
    fn change<T>(
        &self,
        loaded: &Loaded<Keyring>,
        access: &Access,
        change: impl FnOnce(&mut Keyring) -> Result<T>,
    ) -> Result<T> {
        if loaded.changeable {
            let mut known = loaded.known.clone();
            let change = |file: &mut KeyFile| change(file.keyring_mut(&loaded.place)?);
            return files::update_known(&self.keyring, &mut known, access, change);
        }
        let mut changed = loaded.file.clone();
        let result = change(&mut changed)?;
        match changed == loaded.file {
            true => Ok(result),
            false => Err(usage(format!(
                "{}: what is handed out is recorded in the keyring, which therefore cannot be a pipe",
                loaded.place
            ))),
        }
    }
}

/// Returns the name of an output for messages.
fn shown(to: &OutputFile) -> String {
    to.path().filter(|path| !files::is_dash(path)).map_or("stdout".into(), ui::shown)
}

fn report(to: &OutputFile, global: &Global, bundle: &dyn KeyHolder) -> Result<()> {
    if !global.json {
        return Ok(());
    }
    let report = json!({
        "role": bundle.role().name(),
        "shop": bundle.shops().next().map(|(name, _)| name.as_str()),
        "keys": bundle.all_keys().count() as u64 + bundle.count_derived(),
    });
    ui::print_report(&report, to.is_stdout())
}

impl Shop {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = self.from.load_keyring(global)?;
        let shop = self.shop.shop.as_ref();
        let bundle = service::bundle_shop(&loaded.file, shop, self.form, &loaded.place)?;
        let protection = self.protection.protection(global)?;
        let signer = self.sign.prepare(&self.to, &[loaded.id], protection.as_ref(), global)?;
        let mut output = key_output(&bundle, &self.to, protection, &[loaded.id])?;
        output.send_over(global.access()?, |old, place| {
            refuse_to_lose_ledger(&bundle, old, place)?;
            match self.restore {
                true => Ok(()),
                false => refuse_to_restore(&bundle, old, place),
            }
        })?;
        if let Some(signer) = signer {
            signer.sign("shop's bundle", &bundle.to_bytes(&loaded.place)?)?;
        }
        if self.form == ShopForm::Key {
            ui::warn(
                global,
                "a key without its program should not travel over a network by itself",
            );
        }
        report(&self.to, global, &bundle)
    }
}

/// Refuses to write the shop's half over a bundle whose orders are opened with a ledger.
pub fn keep_ledger(half: &Output, access: &Access) -> Result<()> {
    let Some((path, true)) = half.target() else { return Ok(()) };
    match files::load(path, &access.to_readable()).map(|loaded| loaded.file) {
        Ok(KeyFile::Shop(file)) if file.ledger.is_some() => {
            Err(Misuse::WouldLoseLedger(path.display().to_string()).into())
        }
        Err(error @ Error::Key { error: KeyError::Protected(_), .. }) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl ServiceArgs {
    fn run(&self, global: &Global) -> Result<()> {
        let loaded = self.from.load_keyring(global)?;
        let shop = self.shop.shop.as_ref();
        let halves = service::public_halves(&loaded.file, shop, &loaded.place)?;
        let signer = self.sign.prepare(&self.to, &[loaded.id], None, global)?;
        let mut output = self.to.create(Privacy::Umask, &[loaded.id])?;
        output.protect(None)?;
        let bytes = halves.to_bytes(&Place::file(output.name()))?;
        output.write(&bytes)?;
        output.commit()?;
        if let Some(signer) = signer {
            signer.sign("keyring of public halves", &bytes)?;
        }
        report(&self.to, global, &halves)
    }
}

/// The program of a page that is to have the shop's key.
fn public_program(loaded: &Loaded, shop: &Name) -> Result<ClientBundle> {
    let keyring = loaded.file.clone().into_keyring(&loaded.place)?;
    service::public_program(&keyring, shop, now(), &SystemSource::new()?, &loaded.place)
}

impl PageArgs {
    fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.from.keyring.as_path()), self.items.as_deref()])?;
        let loaded = self.from.load(global)?;
        let wanted = self.shop.shop.as_ref();
        let (name, shop) = loaded.file.holder().choose_shop(wanted, &loaded.place)?;
        let mut inputs = vec![loaded.id];
        let items = match &self.items {
            Some(path) => {
                let file = files::load_small(path, MAX_PAGE, false)?;
                inputs.push(file.id);
                let items = orderseal::protocol::jose::json::parse(&file.bytes)
                    .map_err(|found| Error::malformed(&file.place, found))?;
                Items::from_json(&items, &file.place)?;
                (*items).clone()
            }
            None => json!([]),
        };
        let service = self.service.clone().or_else(|| shop.service.clone());
        let service = service.filter(|_| !self.with_key);
        let name = name.name();
        let mut service_key = self.service_key.as_deref().map(signing::known_key).transpose()?;
        if service_key.is_none() && service.is_some() {
            service_key = self.from.signing_key(&loaded, global)?;
            // A keyring with a new key is another file.
            inputs.push(files::identify(&self.from.keyring));
        }
        let page = Page { shop: name, service, service_key, program: None, items };
        let program = self.with_key.then(|| public_program(&loaded, &page.shop)).transpose()?;
        let page = Page { program, ..page };
        let signer = self.sign.prepare(&self.to, &inputs, None, global)?;
        let mut output = self.to.create(Privacy::Umask, &inputs)?;
        output.protect(None)?;
        output.write(&page.to_bytes())?;
        output.commit()?;
        match signer {
            Some(signer) => signer.sign("item page", &page.to_bytes()),
            None => Ok(()),
        }
    }
}
