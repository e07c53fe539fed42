//! `keygen`: the security service makes keys.

mod register;

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::ciphers::random::{KeySource, SystemSource};
use orderseal::ciphers::toy_des::SBox;
use orderseal::protocol::jose::jwk::{Jwk, Usage};
use orderseal::protocol::jose::pad::MAX_PAD;
use orderseal::protocol::model::Role;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::service::{self, DEFAULT_RSA_BITS, KeyRequest, Sizes};
use orderseal::protocol::store::files::{self, Existing, FileId, Output, Privacy};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{
    Alg, Content, Enc, Error, KeyTrouble, Kid, Kind, Name, Place, Result, Scheme, Scope,
    ServiceUrl, Suite,
};
use register::Register;
use serde_json::json;

use super::{Global, algorithms, ui};
use crate::cmd::exit::usage;

/// Arguments of `keygen`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Keygen {
    /// Embodiment of the system, 1 to 6
    #[arg(short, long, value_name = "N", group = "what", value_parser = embodiment)]
    embodiment: Option<Scheme>,
    /// Encrypt orders with the key itself, or with fresh keys that it wraps
    #[arg(long, value_parser = ["direct", "hybrid"], group = "what", requires_all = ["scope", "kind"])]
    content: Option<String>,
    /// A key for the shop, or one for each transaction
    #[arg(long, value_parser = ["shop", "transaction"], requires = "content")]
    scope: Option<String>,
    /// Secret or public keys
    #[arg(long, value_parser = ["secret", "public"], requires = "content")]
    kind: Option<String>,
    /// Make one key for this algorithm, as a lone JWK
    #[arg(long, value_name = "NAME", group = "what", value_parser = algorithms::key_names())]
    alg: Option<String>,
    /// Name of the lone key
    #[arg(long, requires = "alg", value_name = "KID")]
    kid: Option<Kid>,
    /// The shop that the keys are for
    #[arg(long, value_name = "NAME", conflicts_with = "alg")]
    shop: Option<Name>,
    /// Transaction keys to make, as many as a keyring of 512 MiB holds (ignored at shop scope)
    #[arg(
        long,
        visible_alias = "count",
        value_name = "N",
        default_value_t = 1,
        conflicts_with = "alg"
    )]
    orders: u32,
    /// Content cipher [default: A256GCM]
    #[arg(long, value_name = "NAME", value_parser = algorithms::content_names(), conflicts_with = "alg")]
    enc: Option<String>,
    /// S-box of the toy DES: 16 hexadecimal digits, S(0) first
    #[arg(long, value_name = "HEX")]
    toy_sbox: Option<SBox>,
    /// Key wrapping [default: A256KW, or RSA-OAEP-256 for public keys]
    #[arg(long, value_name = "NAME", value_parser = algorithms::wrap_names(), conflicts_with = "alg")]
    wrap: Option<String>,
    /// Bits of an RSA modulus, at least 2048
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RSA_BITS, value_parser = rsa_bits)]
    rsa_bits: usize,
    /// Bytes of a one-time pad [default: 1 MiB, or 4 KiB for each transaction]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PAD))]
    pad_bytes: Option<u64>,
    #[command(flatten)]
    register: Register,
    /// Address of the security service, to be told to shops and clients
    #[arg(long, value_name = "URL", conflicts_with = "alg")]
    service: Option<ServiceUrl>,
    /// Write a new keyring, or the lone key
    #[arg(short, long, value_name = "FILE", conflicts_with = "into")]
    output: Option<PathBuf>,
    /// Add to a keyring, under its lock
    #[arg(long, value_name = "FILE", conflicts_with = "alg")]
    into: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    force: bool,
}

/// Bytes of pad for a transaction, where nothing is said.
const PAD_OF_TRANSACTION: usize = 4 << 10;

const EXAMPLES: &str = "\
Examples:
  orderseal keygen --embodiment 4 --shop tokyo --orders 20 -o service.jwks
  orderseal keygen --embodiment 2 --shop osaka --into service.jwks
  orderseal keygen --content hybrid --scope shop --kind public --shop kyoto --into service.jwks
  orderseal keygen --alg A256GCM -o cek.jwk
  orderseal keygen --alg VERNAM --pad-bytes 65536 --allow-weak -o pad.jwk
  orderseal keygen --alg A256GCM --rng lfsr --trinomial 127,63 --seed-file seed --allow-weak -o cek.jwk";

impl Keygen {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        match self.register.source(global)? {
            // One thread, so that the register's output is dealt out in the same order each time.
            Some(register) => self.make(&register, &Workers::new(Some(1))?, global),
            None => self.make(&SystemSource::new()?, &global.workers()?, global),
        }
    }

    fn make<S: KeySource>(&self, source: &S, workers: &Workers, global: &Global) -> Result<()> {
        match &self.alg {
            Some(alg) => self.lone_key(algorithms::full_name(alg), source, global),
            None => self.keyring(source, workers, global),
        }
    }

    fn lone_key<S: KeySource>(&self, name: &str, source: &S, global: &Global) -> Result<()> {
        let suite = match (Alg::named(name), Enc::named(name)) {
            (_, Some(enc)) => Suite::new(Alg::Direct, enc),
            (Some(alg), None) => Suite::new(alg, Enc::named("A256GCM").expect("a cipher of ours")),
            (None, None) => None,
        }
        .expect("clap knows the names");
        let suite = self.with_sbox(suite)?;
        let place = Place::file("keygen");
        refuse_weak(suite, global, &place)?;
        let sizes = self.sizes(suite, Scope::Shop)?;
        let material = service::make_material(suite, sizes, &mut source.stream(0))
            .map_err(|trouble| Error::key(&place, trouble))?;
        let key = Jwk {
            kid: self.kid.clone(),
            alg: Some(name.to_owned()),
            usage: Usage::Encryption,
            origin: S::ORIGIN,
            material,
        };
        let mut file = KeyFile::lone(key);
        file.sbox = suite.enc().own_sbox();
        self.write(&file)?;
        self.report(global, 1, None)
    }

    fn keyring<S: KeySource>(&self, source: &S, workers: &Workers, global: &Global) -> Result<()> {
        let scheme = self.scheme()?;
        let shop = self
            .shop
            .clone()
            .ok_or_else(|| usage("say which shop the keys are for: --shop NAME".to_owned()))?;
        let suite = algorithms::suite(scheme, self.enc.as_deref(), self.wrap.as_deref())?;
        let suite = self.with_sbox(suite)?;
        let request = KeyRequest {
            shop,
            scheme,
            suite,
            orders: self.orders as usize,
            sizes: self.sizes(suite, scheme.scope)?,
            service: self.service.clone(),
        };
        let name = self.into.as_deref().map_or("keygen".to_owned(), ui::shown);
        let place = Place::file(name);
        refuse_weak(suite, global, &place)?;
        match &self.into {
            Some(keyring) => {
                let loaded = files::load(keyring, global.allow_readable_keys)?;
                service::check_room(&loaded.file, &request, &place)?;
                service::check_len(&loaded.file, &request, &place)?;
            }
            None => service::check_len(&KeyFile::new(Role::Service), &request, &place)?,
        }
        let count = if scheme.scope == Scope::Shop { 1 } else { self.orders as usize };
        let progress = ui::Progress::count(global, count as u64);
        let keys = service::make_keys(&request, source, workers, &|| progress.tick(), &place)?;
        let made = ui::counted(count as u64, "key");
        progress.finish(&format!("made {made} in {:.1} s", progress.elapsed().as_secs_f64()));
        match &self.into {
            Some(keyring) => {
                files::update(keyring, |file| {
                    service::add_keys(file, &request, keys, source, &place)
                })?;
            }
            None => {
                let mut file = KeyFile::new(Role::Service);
                service::add_keys(&mut file, &request, keys, source, &place)?;
                self.write(&file)?;
            }
        }
        let reported = self.report(global, count, Some((&request.shop, suite)));
        reported.map_err(|source| match &self.into {
            Some(keyring) => {
                let what = format!("{made} added to {}", ui::shown(keyring));
                Error::Changed { what, source: Box::new(source) }
            }
            None => source,
        })
    }

    fn scheme(&self) -> Result<Scheme> {
        if let Some(scheme) = self.embodiment {
            return Ok(scheme);
        }
        match (&self.content, &self.scope, &self.kind) {
            (Some(content), Some(scope), Some(kind)) => Ok(Scheme::new(
                Content::named(content).expect("clap knows the names"),
                Scope::named(scope).expect("clap knows the names"),
                Kind::named(kind).expect("clap knows the names"),
            )),
            _ => Err(usage(
                "say what to make: --embodiment 1 to 6, or --content, --scope and --kind, or --alg"
                    .to_owned(),
            )),
        }
    }

    /// The sizes that were asked for, if the algorithm and the source of key material take them.
    fn sizes(&self, suite: Suite, scope: Scope) -> Result<Sizes> {
        let takes_pad = suite.enc().takes_pad();
        if self.pad_bytes.is_some() && !takes_pad {
            let name = suite.key_alg();
            return Err(usage(format!("--pad-bytes is for VERNAM-HS256, the key is for {name}")));
        }
        if suite.kind() == Kind::Public {
            self.register.refuse_short()?;
        }
        let default = match scope {
            Scope::Shop => Sizes::default().pad_bytes,
            Scope::Transaction => PAD_OF_TRANSACTION,
        };
        let pad_bytes = self.pad_bytes.map_or(default, |bytes| bytes as usize);
        Ok(Sizes { rsa_bits: self.rsa_bits, pad_bytes })
    }

    fn with_sbox(&self, suite: Suite) -> Result<Suite> {
        let Some(sbox) = self.toy_sbox else { return Ok(suite) };
        let enc = suite.enc().with_sbox(sbox).ok_or_else(|| {
            let name = suite.enc().name();
            usage(format!("--toy-sbox is for TOYDES-ECB-HS256, the cipher is {name}"))
        })?;
        Ok(Suite::new(suite.alg(), enc).expect("only the S-box is another"))
    }

    fn write(&self, file: &KeyFile) -> Result<()> {
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        write_key_file(file, self.output.as_deref(), existing, &[])
    }

    fn report(&self, global: &Global, count: usize, of: Option<(&Name, Suite)>) -> Result<()> {
        if !global.json {
            return Ok(());
        }
        let mut report = json!({ "keys": count });
        if let Some((shop, suite)) = of {
            report["shop"] = json!(shop.as_str());
            report["alg"] = json!(suite.alg().name());
            report["enc"] = json!(suite.enc().name());
        }
        ui::print_report(&report, self.into.is_none() && is_stdout(self.output.as_deref()))
    }
}

/// Whether an output path means stdout.
pub fn is_stdout(path: Option<&Path>) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    path.is_none_or(|path| names.iter().any(|name| path == Path::new(name)))
}

/// Writes a key file, readable by its owner only; secrets do not go to a terminal.
pub fn write_key_file(
    file: &KeyFile,
    path: Option<&Path>,
    existing: Existing,
    inputs: &[Option<FileId>],
) -> Result<()> {
    let mut output = Output::create(path, existing, Privacy::Owner, inputs)?;
    if output.is_terminal() && file.has_secrets() {
        return Err(usage("secret keys are not printed to a terminal: use -o FILE"));
    }
    let bytes = file.to_bytes(&Place::file(output.name()))?;
    output.write(&bytes)?;
    output.commit()
}

fn refuse_weak(suite: Suite, global: &Global, place: &Place) -> Result<()> {
    match suite.weak().filter(|_| !global.allow_weak) {
        Some(name) => Err(Error::key(place, KeyTrouble::Weak(name))),
        None => Ok(()),
    }
}

fn embodiment(text: &str) -> std::result::Result<Scheme, String> {
    match text.parse::<u8>() {
        Ok(7) => Err("embodiment 7 is any of 1 to 6 whose client erases: make keys for one of \
                      these and say --erase at `bundle client`"
            .to_owned()),
        number => number
            .ok()
            .and_then(Scheme::embodiment)
            .ok_or_else(|| "expected a number from 1 to 6".to_owned()),
    }
}

/// Sizes of RSA moduli that can be asked for.
pub fn rsa_bits(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(bits @ (2048 | 3072 | 4096)) => Ok(bits),
        _ => Err("expected 2048, 3072 or 4096".to_owned()),
    }
}
