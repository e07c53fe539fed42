//! Options that several commands share.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum, value_parser};
use orderseal::ciphers::ecdh::Curve;
use orderseal::protocol::jose::password::Rounds;
use orderseal::protocol::jose::tree::LEAVES;
use orderseal::protocol::model::MAX_LAYERS;
use orderseal::protocol::model::Misuse;
use orderseal::protocol::roles::service::Pool;
use orderseal::protocol::store::files::{self, Existing, FileId, Output, Privacy};
use orderseal::protocol::{Alg, Enc, Erase, Error, Kid, Result};
use serde_json::Value;

use super::algorithms::{self, SealingAlg};
pub use super::help::{COMMON, MORE, TEACHING};
use super::passwords::KeyPassword;
use super::seal_with::SealFrom;
use super::ui;
use super::values::{OneOf, one_of};
use crate::cmd::hints::usage;

/// Where a command writes.
#[derive(Debug, Args)]
pub struct OutputFile {
    /// Where to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    pub force: bool,
}

impl OutputFile {
    /// Path of the output file, if given.
    pub fn path(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Whether to replace an existing file.
    pub fn existing(&self) -> Existing {
        existing(self.force)
    }

    /// Whether the output goes to stdout.
    pub fn is_stdout(&self) -> bool {
        is_stdout(self.path())
    }

    /// Refuses the output if it is the file with the spent ids of the bundle at a path.
    pub fn refuse_journal_of(&self, bundle: &Path) -> Result<()> {
        match self.path().filter(|path| files::is_journal_of(path, bundle)) {
            Some(path) => Err(Misuse::OutputIsInput(ui::shown(path)).into()),
            None => Ok(()),
        }
    }

    /// Opens the output, which must not be one of the inputs.
    pub fn create(&self, privacy: Privacy, inputs: &[Option<FileId>]) -> Result<Output> {
        Output::create(self.path(), self.existing(), privacy, inputs)
    }
}

/// What happens to records that fail.
#[derive(Debug, Args)]
pub struct Failures {
    /// When a record fails, stop without output, or skip it and go on
    #[arg(long, value_name = "WHAT", value_enum, default_value = "fail")]
    on_error: OnError,
    /// Where to report skipped records as JSON [default: stderr]
    ///
    /// One object per line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// What happens when a record fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// Stop at it
    Fail,
    /// Report it and go on
    Skip,
}

/// Where skipped records are reported: a file, or stderr.
pub struct SkipReport(Option<Output>);

impl Failures {
    /// Whether they are skipped.
    pub fn are_skipped(&self) -> bool {
        self.on_error == OnError::Skip
    }

    /// Path of the report, if given.
    pub fn path(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    /// Opens the report, which must not be one of the inputs nor the output.
    pub fn create_report(&self, to: &OutputFile, inputs: &[Option<FileId>]) -> Result<SkipReport> {
        let Some(path) = &self.report else { return Ok(SkipReport(None)) };
        refuse_same(path, to)?;
        Output::create(Some(path), to.existing(), Privacy::Umask, inputs).map(Some).map(SkipReport)
    }

    /// Opens the report to add to it, each record at once.
    pub fn add_to_report(&self, to: &OutputFile, inputs: &[Option<FileId>]) -> Result<SkipReport> {
        let Some(path) = &self.report else { return Ok(SkipReport(None)) };
        refuse_same(path, to)?;
        match is_stdout(Some(path)) {
            true => Output::create(Some(path), Existing::Keep, Privacy::Umask, inputs),
            false => Output::add_to(path, inputs),
        }
        .map(Some)
        .map(SkipReport)
    }
}

fn refuse_same(report: &Path, to: &OutputFile) -> Result<()> {
    match to.path().is_some_and(|output| files::same_target(report, output)) {
        true => Err(usage("-o and --report name the same file")),
        false => Ok(()),
    }
}

impl SkipReport {
    /// Adds a record.
    pub fn write(&mut self, entry: &Value) -> Result<()> {
        let entry = ui::json_line(entry);
        match &mut self.0 {
            Some(report) => report.write(entry.as_bytes()),
            None => std::io::stderr()
                .write_all(entry.as_bytes())
                .map_err(|error| Error::io("stderr", "cannot write", error)),
        }
    }

    /// Makes the file appear.
    pub fn commit(self) -> Result<()> {
        self.0.map_or(Ok(()), Output::commit)
    }
}

/// Translates `--force`.
pub fn existing(force: bool) -> Existing {
    if force { Existing::Replace } else { Existing::Keep }
}

/// The key that seals.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("plain_key").args(["key", "password_file"])))]
pub struct Sealing {
    /// The client's file, from `bundle client`
    #[arg(short, long, value_name = "FILE", conflicts_with = "plain_key")]
    pub bundle: Option<PathBuf>,
    /// A key (JWK), or a JWK Set with one that seals
    ///
    /// A content key encrypts directly; a wrapping key wraps a new key per order.
    #[arg(short, long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A password, one line, from which a wrapping key is derived (PBES2)
    ///
    /// The end of that line is not part of the password; all other bytes are, as they are.
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    pub password_file: Option<PathBuf>,
    /// Rounds of PBES2 for the password [default: 600000]
    #[arg(long, value_name = "N", requires = "password_file", conflicts_with_all = ["bundle", "key"],
          value_parser = password_rounds(), help_heading = MORE)]
    pub password_rounds: Option<Rounds>,
    #[command(flatten)]
    pub key_password: KeyPassword,
    /// Name of the key in --key, if several could seal
    #[arg(long, value_name = "KID", allow_hyphen_values = true, requires = "key", conflicts_with = "bundle",
          help_heading = MORE)]
    pub kid: Option<Kid>,
    /// Algorithm of the key in --key, if it names none, or for the password [default for a password:
    /// PBES2-HS512+A256KW]
    #[arg(long, value_name = "NAME", requires = "plain_key", conflicts_with = "bundle",
          value_parser = algorithms::sealing_names(), help_heading = MORE)]
    pub alg: Option<SealingAlg>,
    /// Content cipher, with a key that wraps or a password [default: A256GCM]
    #[arg(long, value_name = "NAME", requires = "plain_key", conflicts_with = "bundle",
          value_parser = algorithms::content_names(), help_heading = MORE)]
    pub enc: Option<Enc>,
    /// Seal the whole input as one order, of any kind, up to 64 MiB
    #[arg(long, conflicts_with = "stream")]
    pub document: bool,
    /// Seal the whole input as one stream, of any size and kind
    #[arg(long)]
    pub stream: bool,
    /// Seal the lines of the input even if it does not look like text
    #[arg(long, conflicts_with_all = ["document", "stream"], help_heading = MORE)]
    pub text: bool,
}

/// The rounds for deriving a key that seals, for `--password-rounds`.
pub fn password_rounds() -> impl TypedValueParser<Value = Rounds> {
    RangedU64ValueParser::<u64>::new().try_map(|rounds| {
        let (least, most) = (Rounds::LEAST, Rounds::MOST);
        Rounds::new(rounds).ok_or_else(|| format!("{rounds} is not in {least}..={most}"))
    })
}

/// What is made of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// An order of each line.
    Orders,
    /// One order of all of it.
    Document,
    /// A stream.
    Stream,
}

impl Sealing {
    /// The file with the keys or the password; none if it is not given.
    pub fn from(&self) -> Option<SealFrom<'_>> {
        let Self { bundle, key, password_file, password_rounds, .. } = self;
        let keys = bundle.as_deref().or(key.as_deref()).map(SealFrom::Keys);
        let rounds = password_rounds.unwrap_or_default();
        keys.or(password_file.as_deref().map(|path| SealFrom::Password(path, rounds)))
    }

    /// What is made of the input.
    pub fn made(&self) -> Made {
        match (self.document, self.stream) {
            (_, true) => Made::Stream,
            (true, false) => Made::Document,
            (false, false) => Made::Orders,
        }
    }
}

impl Made {
    /// The option that asks for it, and its name; none for orders.
    pub fn option(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Orders => None,
            Self::Document => Some(("--document", "a document")),
            Self::Stream => Some(("--stream", "a stream")),
        }
    }
}

/// The algorithms of a scheme.
#[derive(Debug, Args)]
pub struct Algorithms {
    /// Content cipher [default: A256GCM]
    #[arg(long, value_name = "NAME", value_parser = algorithms::content_names())]
    pub enc: Option<Enc>,
    /// Key management [default: A256KW, or RSA-OAEP-256 for public keys]
    #[arg(long, value_name = "NAME", value_parser = algorithms::wrap_names())]
    pub wrap: Option<Alg>,
}

/// The content-encryption keys of an order.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Layers {
    /// Content-encryption keys per order, chained if more than one [default: as the program says, or 1]
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=i64::from(MAX_LAYERS)),
          help_heading = TEACHING)]
    pub layers: Option<u8>,
}

/// What clients erase.
#[derive(Debug, Clone, Copy, Args)]
pub struct Erasing {
    /// What clients erase after sending, `all` if not named
    #[arg(long, value_name = "WHAT", num_args = 0..=1, default_missing_value = "all",
          value_parser = one_of([Erase::Keys, Erase::Programs, Erase::All].map(|it| (it.name(), it))))]
    pub erase: Option<Erase>,
}

/// Numbers of ids that a derived pool can have.
pub fn orders_of_pool() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=LEAVES)
}

/// Ways to have transaction keys.
pub fn pools() -> OneOf<Pool> {
    one_of([Pool::Listed, Pool::Derived].map(|pool| (pool.name(), pool)))
}

/// Sizes of RSA moduli.
pub fn rsa_bits() -> OneOf<usize> {
    one_of([("2048", 2048), ("3072", 3072), ("4096", 4096)])
}

/// Elliptic curves.
pub fn curves() -> OneOf<Curve> {
    one_of(Curve::ALL.map(|curve| (curve.name(), curve)))
}

/// Whether an output path means stdout.
pub fn is_stdout(path: Option<&Path>) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    path.is_none_or(|path| names.iter().any(|name| path == Path::new(name)))
}
