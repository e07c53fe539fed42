//! `keys export` and `keys import`: keys for and of other software.

use std::path::PathBuf;

use clap::Args;
use orderseal::protocol::roles::merge;
use orderseal::protocol::store::files;
use orderseal::protocol::store::keyfile::KeyHolder;
use orderseal::protocol::{Kid, Result};

use crate::cmd::arguments::OutputFile;
use crate::cmd::keygen::key_output;
use crate::cmd::passwords::KeyPassword;
use crate::cmd::{Global, algorithms, one_from_stdin};

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
/// Reads PEM and DER (PKCS #8, also encrypted, PKCS #1, SEC 1, SubjectPublicKeyInfo), raw, hexadecimal
/// and base64 keys, and one key of a JWK Set. The file is for --key; only its owner can read it.
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
    #[command(flatten)]
    key_password: KeyPassword,
    /// Algorithm that the key is for, if it names none
    #[arg(long, value_name = "NAME", value_parser = algorithms::assumed_names())]
    alg: Option<&'static str>,
    #[command(flatten)]
    to: OutputFile,
}

impl Export {
    pub fn run(&self, global: &Global) -> Result<()> {
        let loaded = files::load(&self.file, global.allow_readable_keys)?;
        loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
        let set = merge::export(&loaded.file, &loaded.place)?;
        key_output(&set, &self.to, &[loaded.id])?.commit()
    }
}

impl Import {
    pub fn run(&self, global: &Global) -> Result<()> {
        one_from_stdin([Some(self.file.as_path()), self.key_password.path()])?;
        let loaded = self.key_password.reader(global)?.load(&self.file)?;
        let file = loaded.file.plain(&loaded.place)?;
        let key = file.import(self.kid.as_ref(), self.alg, &loaded.place)?;
        key.refuse_weak(global.allow_weak, &loaded.place)?;
        key_output(&key, &self.to, &[loaded.id, self.key_password.id()])?.commit()
    }
}
