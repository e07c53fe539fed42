//! `keys export` and `keys import`: keys for and of other software.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::ciphers::content::ContentCipher;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::jose::jwk::Encoding;
use orderseal::protocol::roles::{export, service};
use orderseal::protocol::store::files::{self, Loaded, Privacy};
use orderseal::protocol::store::keyfile::{JwkSet, KeyHolder, LoneKey};
use orderseal::protocol::{Alg, Enc, Kid, Name, Place, Result, Suite};

use super::report;
use crate::cmd::arguments::{MORE, OutputFile};
use crate::cmd::hints::usage;
use crate::cmd::keygen::{key_output, refuse_terminal};
use crate::cmd::passwords::KeyPassword;
use crate::cmd::protection::NewProtection;
use crate::cmd::values::{OneOf, one_of};
use crate::cmd::{Global, algorithms, one_from_stdin, ui};
use serde_json::json;

/// Write keys for other software
///
/// Without --format and --kid, all keys of a file with a derived pool, as a plain JWK Set. A client's
/// ids that were used are left out. Do not use the file and the set side by side: each would seal
/// orders under the ids of the other.
///
/// Otherwise one key of any key file. `pem` and `der` are for RSA and elliptic curves: PKCS #8 for a
/// private key, encrypted if --key-password-file is given, and SubjectPublicKeyInfo for a public one.
/// `hex`, `base64` and `raw` are for secret keys.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keys export client.jwks -o plain.jwks
  orderseal keys export key.jwk --format pem -o key.pem")]
pub struct Export {
    /// A key file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Form of one key [default: jwks]
    #[arg(long, value_name = "FORM", value_parser = formats())]
    format: Option<Format>,
    /// Name of the key, if the file has several
    #[arg(long, value_name = "KID", allow_hyphen_values = true)]
    kid: Option<Kid>,
    /// Algorithm of the key, if the file has several of its name
    #[arg(long, value_name = "NAME", requires = "kid", value_parser = algorithms::key_names(),
          help_heading = MORE)]
    alg: Option<&'static str>,
    #[command(flatten)]
    key_password: KeyPassword,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    protection: NewProtection,
}

/// A form of an exported key.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// A JWK Set.
    Set,
    /// A lone JWK.
    Lone,
    /// A form that is not JSON.
    Encoded(Encoding),
}

fn formats() -> OneOf<Format> {
    let encoded = Encoding::ALL.map(|encoding| (encoding.name(), Format::Encoded(encoding)));
    one_of([("jwks", Format::Set), ("jwk", Format::Lone)].into_iter().chain(encoded))
}

/// Write a key of other software as a JWK
///
/// Reads PEM and DER (PKCS #8, also encrypted, PKCS #1, SEC 1, SubjectPublicKeyInfo), raw, hexadecimal
/// and base64 keys, and one key of a JWK Set. The file is for --key; only its owner can read it.
///
/// With --into, public halves are added to the security service's keyring, for a shop that made its pairs
/// itself: those from `bundle service`, or with --shop one public key, which then seals all orders of
/// that shop.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keys import key.pem --kid tokyo-2026 --alg RSA-OAEP-256 \\
    -o tokyo.jwk
  orderseal keys import public.jwks --into service.jwks
  orderseal keys import public.pem --into service.jwks --shop uji \\
    --alg RSA-OAEP-256")]
pub struct Import {
    /// The key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the key: gives it to a lone key, chooses it from a set
    #[arg(long, value_name = "KID", allow_hyphen_values = true)]
    kid: Option<Kid>,
    #[command(flatten)]
    key_password: KeyPassword,
    /// Algorithm that the key is for, if it names none
    #[arg(long, value_name = "NAME", value_parser = algorithms::assumed_names())]
    alg: Option<&'static str>,
    /// Add public halves to this keyring
    #[arg(long, value_name = "KEYRING", conflicts_with_all = ["output", "force"])]
    into: Option<PathBuf>,
    /// Shop that the public key is for
    #[arg(long, value_name = "NAME", requires = "into")]
    shop: Option<Name>,
    /// Content cipher of the shop's orders [default: A256GCM]
    #[arg(long, value_name = "NAME", requires = "shop", value_parser = algorithms::content_names(),
          help_heading = MORE)]
    enc: Option<Enc>,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    protection: NewProtection,
}

impl Export {
    pub fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.file.as_path()), self.key_password.path()])?;
        let reader = self.key_password.reader(global)?;
        let Loaded { file, place, id, .. } = reader.load(&self.file)?;
        let ids = [id, self.key_password.id()];
        let protection = || self.protection.protection(global);
        if let (None, None | Some(Format::Set)) = (&self.kid, self.format) {
            file.holder().refuse_weak(global.allow_weak, &place)?;
            return key_output(&export::all(&file, &place)?, &self.to, protection()?, &ids)?
                .commit();
        }
        let key = export::one(&file, self.kid.as_ref(), self.alg, &place)?;
        key.refuse_weak(global.allow_weak, &place)?;
        match self.format.unwrap_or(Format::Set) {
            Format::Set => {
                key_output(&JwkSet::of(key.key), &self.to, protection()?, &ids)?.commit()
            }
            Format::Lone => key_output(&key, &self.to, protection()?, &ids)?.commit(),
            Format::Encoded(form) => {
                self.protection
                    .refuse("--protect is for JWKs: --key-password-file encrypts PEM and DER")?;
                let source = SystemSource::new()?;
                let encoded = key.key.view().encode(form, reader.password(), &source);
                let encoded = encoded.map_err(|why| why.at(&place))?;
                let mut output = self.to.create(Privacy::Owner, &ids)?;
                output.protect(None)?;
                refuse_terminal(&output, key.has_secrets())?;
                if !form.is_text() {
                    output.refuse_terminal("binary data")?;
                }
                output.write(&encoded)?;
                output.commit()
            }
        }
    }
}

impl Import {
    pub fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.file.as_path()), self.key_password.path()])?;
        let loaded = self.key_password.reader(global)?.load(&self.file)?;
        if let Some(path) = &self.into {
            self.protection.refuse("--into keeps the protection that the keyring has")?;
            return self.add(path, loaded, global);
        }
        let file = loaded.file.plain(&loaded.place)?;
        let key = file.import(self.kid.as_ref(), self.alg, &loaded.place)?;
        key.refuse_weak(global.allow_weak, &loaded.place)?;
        let protection = self.protection.protection(global)?;
        key_output(&key, &self.to, protection, &[loaded.id, self.key_password.id()])?.commit()
    }

    /// Adds public halves to the keyring at a path.
    fn add(&self, path: &Path, loaded: Loaded, global: &Global) -> Result<()> {
        files::check_changeable(path)?;
        let place = &loaded.place;
        let halves = match &self.shop {
            None => loaded.file.into_keyring(place)?,
            Some(shop) => {
                let key = loaded.file.plain(place)?.import(self.kid.as_ref(), self.alg, place)?;
                service::public_half_of(&key, shop, self.suite(&key)?, place)?
            }
        };
        let added = files::update(path, global.access()?, |file| {
            let file = file.keyring_mut(&Place::file(ui::shown(path)))?;
            service::add_public_halves(file, &halves, place)
        })?;
        let words = format!("{}: added {}", ui::shown(path), ui::counted(added, "public key"));
        report(global, &json!({"added": added}), &words)
    }

    /// The algorithms of orders under a public key.
    fn suite(&self, key: &LoneKey) -> Result<Suite> {
        let Some(name) = key.key.alg.as_deref() else {
            return Err(usage("the key does not say which algorithm it is for: name it by --alg"));
        };
        let enc = self.enc.unwrap_or(Enc::Cipher(ContentCipher::A256Gcm));
        let suite = match (Alg::from_name(name), Enc::from_name(name)) {
            (_, Some(own)) if self.enc.is_none_or(|enc| enc == own) => Suite::new(Alg::Direct, own),
            (Some(alg), None) => Suite::new(alg, enc),
            (None, None) | (_, Some(_)) => None,
        };
        suite.ok_or_else(|| usage(format!("{name} and {} do not go together", enc.name())))
    }
}
