//! `wrap`: wraps a key, step by step, as a sealed line.

use std::path::PathBuf;

use clap::Args;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::send::{Sender, Unattended};
use orderseal::protocol::store::files::{self, InUse, Privacy};
use orderseal::protocol::store::keyfile::{KeyFile, PlainFile};
use orderseal::protocol::{Error, Kid, Result, Unfit};

use super::arguments::{Layers, MORE, OutputFile};
use super::{Global, algorithms, main_input, one_from_stdin, signals};

/// Wrap a key as a sealed line of its own
///
/// The examples run the hybrid schemes step by step.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal keygen --alg A256GCM -o cek.jwk
  orderseal encrypt --key cek.jwk orders.ndjson -o body.jwe
  orderseal wrap --with client.jwks cek.jwk -o cek.jwe
  orderseal decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk
  orderseal decrypt --key cek2.jwk body.jwe -o opened.ndjson")]
pub struct Wrap {
    /// The client's file, a key (JWK), or a JWK Set with one that seals
    #[arg(short, long, value_name = "FILE")]
    with: PathBuf,
    /// Name of the key in --with, if several could seal
    #[arg(long, value_name = "KID", help_heading = MORE)]
    kid: Option<Kid>,
    /// Algorithm of the key in --with, if it names none
    #[arg(long, value_name = "NAME", value_parser = algorithms::assumed_names(), help_heading = MORE)]
    alg: Option<&'static str>,
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
        one_from_stdin([Some(self.with.as_path()), main_input(&self.key)])?;
        let mut with = files::load(&self.with, global.allow_readable_keys)?;
        algorithms::assume(self.alg, [&mut with])?;
        let stdin = PathBuf::from("-");
        let key = files::load(self.key.as_ref().unwrap_or(&stdin), global.allow_readable_keys)?;
        key.file.holder().refuse_weak(global.allow_weak, &key.place)?;
        let lone = match key.file.plain(&key.place)? {
            PlainFile::Lone(lone) => lone,
            PlainFile::Set(set) => {
                return Err(Error::key(&key.place, Unfit::SetOfKeys(set.keys.len()).into()));
            }
        };
        let mut plan = match &with.file {
            KeyFile::Plain(file) => Plan::of_key(file, self.kid.as_ref(), None, &with.place)?,
            KeyFile::Keyring(_) | KeyFile::Shop(_) | KeyFile::Client(_) => {
                Plan::of_client(with.file.client(&with.place)?, &with.place)?
            }
        };
        if let Some(layers) = self.layers.layers {
            plan.set_layers(layers)?;
        }
        super::encrypt::admit(&plan, &with, global)?;
        let mut output = self.to.create(Privacy::Umask, &[with.id, key.id])?;
        let _unfinished = signals::begin();
        let mut file = match plan.spends() {
            true => InUse::join(&self.with)?,
            false => InUse::unchanged(&self.with),
        };
        // Erasing is a step of its own.
        let place = &with.place;
        let sender = Sender { file: &mut file, place, erases: false, attendant: &Unattended };
        let source = SystemSource::new()?;
        let wrapped = sender
            .run(&mut output, |file, sink| plan.wrap_key(lone, &key.place, &source, file, sink));
        wrapped.map(|_| ())
    }
}
