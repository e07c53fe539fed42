//! `keygen`: the security service makes keys.

mod keyring;
mod lone;
mod register;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{RangedU64ValueParser, ValueHint};
use orderseal::ciphers::ecdh::Curve;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::ciphers::toy_des::SBox;
use orderseal::protocol::jose::pad::MAX_PAD;
use orderseal::protocol::jose::tree::LEAVES;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::{DEFAULT_CURVE, DEFAULT_RSA_BITS, Pool, Sizes};
use orderseal::protocol::store::files::{self, FileId, Output, Privacy, Protection};
use orderseal::protocol::store::keyfile::KeyHolder;
use orderseal::protocol::{
    Content, Error, Family, KeyError, Kid, Kind, Name, Place, Result, Scheme, Scope, ServiceUrl,
    Suite,
};
use register::Register;
use serde_json::json;

use super::arguments::{Algorithms, MORE, OutputFile, TEACHING, curves, pools, rsa_bits};
use super::dates::KeyDates;
use super::protection::NewProtection;
use super::values::{OneOf, one_of};
use super::{Global, algorithms, ui};
use crate::cmd::hints::usage;

/// Make keys for a shop, or a lone key
///
/// A keyring holds the keys of all shops. Name the kind of keys by the embodiment, or by --content,
/// --scope and --kind. A lone key, for one algorithm, is for `encrypt --key` and `wrap`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Keygen {
    /// Embodiment of the system
    #[arg(short, long, value_name = "N", group = "what", value_parser = embodiments())]
    embodiment: Option<Scheme>,
    /// Encrypt orders with the key itself, or with new keys
    #[arg(long, group = "what", requires_all = ["scope", "kind"],
          value_parser = one_of([Content::Direct, Content::Hybrid].map(|it| (it.name(), it))))]
    content: Option<Content>,
    /// One key for the shop, or one per transaction
    #[arg(long, requires = "content",
          value_parser = one_of([Scope::Shop, Scope::Transaction].map(|it| (it.name(), it))))]
    scope: Option<Scope>,
    /// Secret or public keys
    #[arg(long, requires = "content",
          value_parser = one_of([Kind::Secret, Kind::Public].map(|it| (it.name(), it))))]
    kind: Option<Kind>,
    /// Make a lone key (JWK) for this algorithm
    #[arg(long, value_name = "NAME", group = "what", value_parser = algorithms::made_names(),
          conflicts_with_all = ["shop", "orders", "enc", "wrap", "service", "into"])]
    alg: Option<&'static str>,
    /// Name of the lone key
    #[arg(long, requires = "alg", value_name = "KID", allow_hyphen_values = true, help_heading = MORE)]
    kid: Option<Kid>,
    /// Shop that the keys are for
    #[arg(long, value_name = "NAME")]
    shop: Option<Name>,
    /// Orders to make keys for [default: 1]
    ///
    /// Ignored at shop scope. A derived pool has 2^32 keys unless you name a number.
    #[arg(long, alias = "count", value_name = "N",
          value_parser = RangedU64ValueParser::<u64>::new().range(..=LEAVES))]
    orders: Option<u64>,
    /// Keys that are listed or derived [default: listed]
    ///
    /// A listed pool has a key for each order. In a derived pool all keys come from one, so that a
    /// million ids cost no more than one; its ids show about how many were handed out, and which
    /// come from one client. Secret keys and keys on a curve can be derived.
    #[arg(long, value_name = "KIND", default_value = "listed", hide_default_value = true,
          hide_possible_values = true, value_parser = pools(), conflicts_with = "alg")]
    pool: Pool,
    #[command(flatten)]
    algorithms: Algorithms,
    /// Bits of an RSA modulus
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RSA_BITS, value_parser = rsa_bits())]
    rsa_bits: usize,
    /// Curve of ECDH-ES keys [default: P-256]
    #[arg(long, value_name = "NAME", value_parser = curves(), help_heading = MORE)]
    curve: Option<Curve>,
    /// Address of the security service, passed on to shops and clients
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = MORE)]
    service: Option<ServiceUrl>,
    #[command(flatten)]
    dates: KeyDates,
    /// Also write the public halves to FILE, for a service that is to open nothing
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    public_out: Option<PathBuf>,
    /// Add to a keyring instead of writing a new one
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["output", "protect", "new_passphrase_file", "recipient"])]
    into: Option<PathBuf>,
    #[command(flatten)]
    to: OutputFile,
    #[command(flatten)]
    protection: NewProtection,
    /// S-box of the toy DES: 16 hexadecimal digits, S(0) first
    #[arg(long, value_name = "HEX", help_heading = TEACHING)]
    toy_sbox: Option<SBox>,
    /// Bytes of a one-time pad [default: 1 MiB, or 4 KiB per transaction]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PAD),
          help_heading = TEACHING)]
    pad_bytes: Option<u64>,
    #[command(flatten)]
    register: Register,
}

/// Default length of a transaction's pad in bytes.
const PAD_OF_TRANSACTION: usize = 4 << 10;

const EXAMPLES: &str = "\
Examples:
  orderseal keygen --embodiment 4 --shop tokyo --orders 20 -o service.jwks
  orderseal keygen --embodiment 2 --shop osaka --into service.jwks
  orderseal keygen --content hybrid --scope shop --kind public \\
    --shop kyoto --into service.jwks
  orderseal keygen --embodiment 4 --shop nara --pool derived \\
    --into service.jwks
  orderseal keygen --embodiment 6 --wrap ECDH-ES+A256KW --curve X25519 \\
    --shop kobe --pool derived --into service.jwks
  orderseal keygen --embodiment 5 --shop uji -o own.jwks \\
    --public-out public.jwks
  orderseal keygen --alg A256GCM -o cek.jwk
  orderseal keygen --alg EdDSA -o sign.jwk --public-out service.jwk
  orderseal keygen --alg VERNAM --pad-bytes 65536 --allow-weak -o pad.jwk
  orderseal keygen --alg A256GCM --rng lfsr --trinomial 127,63 \\
    --seed-file seed.bin --allow-weak -o weak.jwk";

impl Keygen {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self.register.source(global)? {
            // Uses one thread, so that the register's output is assigned in the same order each
            // time.
            Some(register) => self.make(&register, &Workers::new(Some(1))?, global),
            None => self.make(&SystemSource::new()?, &global.workers()?, global),
        }
    }

    fn make<S: KeySource>(&self, source: &S, workers: &Workers, global: &Global) -> Result<()> {
        // A passphrase is asked for before the keys are made.
        let protection = self.protection.protection(global)?;
        match self.alg {
            Some(algorithms::SIGNING) => self.signing_key(source, protection, global),
            Some(alg) => self.lone_key(alg, source, protection, global),
            None => self.keyring(source, workers, protection, global),
        }
    }

    /// Returns the requested sizes, if the algorithm and the source of key material support them.
    fn sizes(&self, suite: Suite, scope: Scope) -> Result<Sizes> {
        let takes_pad = suite.enc().takes_pad();
        if self.pad_bytes.is_some() && !takes_pad {
            let name = suite.key_alg();
            return Err(usage(format!("--pad-bytes is for VERNAM-HS256, the key is for {name}")));
        }
        if self.curve.is_some() && suite.material() != Family::Curve {
            let name = suite.key_alg();
            return Err(usage(format!("--curve is for ECDH-ES keys, the key is for {name}")));
        }
        if suite.kind() == Kind::Public {
            self.register.refuse_short()?;
        }
        let default = match scope {
            Scope::Shop => Sizes::default().pad_bytes,
            Scope::Transaction => PAD_OF_TRANSACTION,
        };
        let pad_bytes = self.pad_bytes.map_or(default, |bytes| bytes as usize);
        let curve = self.curve.unwrap_or(DEFAULT_CURVE);
        Ok(Sizes { rsa_bits: self.rsa_bits, pad_bytes, curve })
    }

    fn with_sbox(&self, suite: Suite) -> Result<Suite> {
        let Some(sbox) = self.toy_sbox else { return Ok(suite) };
        let other = suite.enc().with_sbox(sbox).and_then(|enc| Suite::new(suite.alg(), enc));
        other.ok_or_else(|| {
            let name = suite.enc().name();
            usage(format!("--toy-sbox is for TOYDES-ECB-HS256, the cipher is {name}"))
        })
    }

    fn create_public(&self, inputs: &[Option<FileId>]) -> Result<Option<Output>> {
        let Some(path) = &self.public_out else { return Ok(None) };
        let other = self.to.path().unwrap_or(Path::new("-"));
        if self.into.is_none() && (other == path || files::same_target(other, path)) {
            return Err(usage("-o and --public-out name the same file"));
        }
        let mut output = Output::create(Some(path), self.to.existing(), Privacy::Umask, inputs)?;
        output.protect(None)?;
        Ok(Some(output))
    }

    fn write(&self, file: &dyn KeyHolder, protection: Option<Protection>) -> Result<()> {
        key_output(file, &self.to, protection, &[])?.commit()
    }

    fn report(&self, global: &Global, count: u64, of: Option<(&Name, Suite)>) -> Result<()> {
        if !global.json {
            return Ok(());
        }
        let mut report = json!({ "keys": count });
        if let Some((shop, suite)) = of {
            report["shop"] = json!(shop.as_str());
            report["alg"] = json!(suite.alg().name());
            report["enc"] = json!(suite.enc().name());
        }
        ui::print_report(&report, self.into.is_none() && self.to.is_stdout())
    }
}

/// An output that only its owner can read, with a key file; secrets are not written to a terminal.
pub fn key_output(
    file: &dyn KeyHolder,
    to: &OutputFile,
    protection: Option<Protection>,
    inputs: &[Option<FileId>],
) -> Result<Output> {
    let mut output = to.create(Privacy::Owner, inputs)?;
    output.protect(protection)?;
    refuse_terminal(&output, file.has_secrets())?;
    output.write_text(&file.text(&Place::file(output.name()))?)?;
    Ok(output)
}

fn write_public(mut output: Output, halves: &dyn KeyHolder) -> Result<()> {
    output.write_text(&halves.text(&Place::file(output.name()))?)?;
    output.commit()
}

/// Refuses to print keys to a terminal if they are secret, or not text.
pub fn refuse_terminal(output: &Output, secret: bool) -> Result<()> {
    match output.is_terminal() && secret {
        true => Err(usage("secret keys are not printed to a terminal: use -o FILE")),
        false => Ok(()),
    }
}

fn refuse_weak(suite: Suite, global: &Global, place: &Place) -> Result<()> {
    match suite.weak().filter(|_| !global.allow_weak) {
        Some(name) => Err(Error::key(place, KeyError::Weak(name))),
        None => Ok(()),
    }
}

/// Embodiments to make keys for.
fn embodiments() -> OneOf<Scheme> {
    let numbers = ["1", "2", "3", "4", "5", "6"];
    one_of(numbers.into_iter().zip(Scheme::ALL)).refusing(
        "7",
        "embodiment 7 is any of 1 to 6 whose client erases: make keys for one of these and pass \
         --erase to `bundle client`",
    )
}
