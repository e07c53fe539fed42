//! `wrap`: wraps a key, step by step, as a sealed line.

use std::path::PathBuf;

use clap::Args;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::jose::password::Rounds;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::send::{Sender, Unattended};
use orderseal::protocol::store::files::{self, InUse, Loaded, Privacy};
use orderseal::protocol::store::keyfile::{KeyFile, PlainFile};
use orderseal::protocol::{Error, Kid, Result, Unfit};

use super::algorithms::{self, SealingAlg};
use super::arguments::{Layers, MORE, OutputFile, password_rounds};
use super::passwords::KeyPassword;
use super::seal_with::{SealFrom, SealWith};
use super::{Global, main_input, one_from_stdin, signals};
use crate::cmd::dates::now;
use crate::cmd::hints::usage;

/// Wrap a key as a sealed line of its own
///
/// The examples run the hybrid schemes step by step.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal wrap [OPTIONS] --with|--password-file FILE [FILE]",
    after_long_help = "\
Examples:
  orderseal keygen --alg A256GCM -o cek.jwk
  orderseal encrypt --key cek.jwk orders.ndjson -o body.jwe
  orderseal wrap --with client.jwks cek.jwk -o cek.jwe
  orderseal decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk
  orderseal decrypt --key cek2.jwk body.jwe -o opened.ndjson
  orderseal wrap --password-file password.txt cek.jwk -o backup.jwe"
)]
pub struct Wrap {
    /// The client's file, a key (JWK), or a JWK Set with one that seals
    #[arg(short, long, value_name = "FILE", required_unless_present = "password_file")]
    with: Option<PathBuf>,
    /// A password, one line, from which a wrapping key is derived (PBES2)
    ///
    /// The end of that line is not part of the password; all other bytes are, as they are.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["with", "kid"], help_heading = MORE)]
    password_file: Option<PathBuf>,
    /// Rounds of PBES2 for the password [default: 600000]
    #[arg(long, value_name = "N", requires = "password_file", conflicts_with = "with",
          value_parser = password_rounds(), help_heading = MORE)]
    password_rounds: Option<Rounds>,
    #[command(flatten)]
    key_password: KeyPassword,
    /// Name of the key in --with, if several could seal
    #[arg(long, value_name = "KID", allow_hyphen_values = true, help_heading = MORE)]
    kid: Option<Kid>,
    /// Algorithm of the key in --with, if it names none, or for the password [default for a password:
    /// PBES2-HS512+A256KW]
    #[arg(long, value_name = "NAME", value_parser = algorithms::sealing_names(), help_heading = MORE)]
    alg: Option<SealingAlg>,
    /// The key to wrap, a lone JWK [default: stdin]
    #[arg(value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    layers: Layers,
}

impl Wrap {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let from = match (&self.with, &self.password_file) {
            (Some(path), _) => SealFrom::Keys(path),
            (None, Some(path)) => {
                SealFrom::Password(path, self.password_rounds.unwrap_or_default())
            }
            (None, None) => return Err(usage("--with or --password-file is needed")),
        };
        one_from_stdin([Some(from.path()), self.key_password.path(), main_input(&self.key)])?;
        let with = SealWith::load(from, self.alg, &self.key_password, global)?;
        let stdin = PathBuf::from("-");
        let key = files::load(self.key.as_ref().unwrap_or(&stdin), global.access()?)?;
        key.file.holder().refuse_weak(global.allow_weak, &key.place)?;
        let lone = match key.file.plain(&key.place)? {
            PlainFile::Lone(lone) => lone,
            PlainFile::Set(set) => {
                return Err(Error::key(&key.place, Unfit::SetOfKeys(set.keys.len()).into()));
            }
        };
        let source = SystemSource::new()?;
        let mut plan = match &with {
            SealWith::Keys(loaded) => match &loaded.file {
                KeyFile::Plain(file) => {
                    Plan::of_key(file, self.kid.as_ref(), None, now(), &loaded.place)?
                }
                KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => {
                    Plan::of_client(loaded.file.client(&loaded.place)?, now(), &loaded.place)?
                }
            },
            SealWith::Password(Loaded { file, place, .. }, alg, rounds) => {
                Plan::of_password(file.seal_with(*alg, *rounds, &source), None, place)?
            }
        };
        if let Some(layers) = self.layers.layers {
            plan.set_layers(layers)?;
        }
        with.admit(&plan, global)?;
        self.to.refuse_journal_of(from.path())?;
        let mut output =
            self.to.create(Privacy::Umask, &[with.id(), key.id, self.key_password.id()])?;
        let _unfinished = signals::begin();
        let mut file = match plan.spends() {
            true => InUse::join(from.path(), with.known(), global.access()?)?,
            false => InUse::unchanged(from.path()),
        };
        // Erasing is a step of its own.
        let place = with.place();
        let sender = Sender { file: &mut file, place, erases: false, attendant: &Unattended };
        let wrapped = sender
            .run(&mut output, |file, sink| plan.wrap_key(lone, &key.place, &source, file, sink));
        wrapped.map(|_| ())
    }
}
