//! `encrypt`: the client seals orders, sends them, and erases what it received.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::Result;
use orderseal::protocol::jose::jwe::MAX_DOCUMENT;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::client::{Plan, Totals};
use orderseal::protocol::roles::send::{Attendant, Sender};
use orderseal::protocol::store::files::{self, FileId, InUse, Inputs, Loaded, Privacy};
use serde_json::json;

use super::arguments::{Layers, MORE, Made, OutputFile, Sealing, TEACHING};
use super::guide::Guide;
use super::seal_with::SealWith;
use super::{Global, beginnings, main_inputs, one_from_stdin, signals, ui};
use crate::cmd::dates::now;
use crate::cmd::hints::usage;

/// Longest typed communication key in bytes.
const MAX_TYPED: u64 = 64 << 10;

/// Seal orders, send them, and erase if the program says so
///
/// An order is a line: any bytes up to 1 MiB without a line feed. Each becomes one sealed line, in
/// the same order, so batches can be cut and joined between lines. Several files are sealed one after
/// the other; the end of a file ends its last order. What does not look like lines, such as gzip or
/// UTF-16, is refused, unless --text is given. With --document, the one file given is one
/// order, whatever it contains, up to 64 MiB. With --stream, it may have any size, and becomes a line
/// that carries its key, then chunks, which only orderseal opens.
///
/// A program that erases does so after sending: when the output file is on the disk, or the reader of
/// the pipe has taken everything. If the reader has gone, nothing is erased and the exit code is 1. A
/// reader that takes every byte and then fails cannot be noticed: in that case write to a file, send
/// it, and run `orderseal erase` on the bundle.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("sealing_key").args(["bundle", "key", "password_file"]).required(true)),
    override_usage = "orderseal encrypt [OPTIONS] --bundle|--key|--password-file FILE [FILE]...",
    after_long_help = "\
Examples:
  orderseal encrypt --bundle client.jwks orders.ndjson -o sealed.jwe
  orderseal encrypt --bundle client.jwks < orders.ndjson > sealed.jwe
  orderseal encrypt --bundle client.jwks monday.ndjson tuesday.ndjson \\
    -o week.jwe
  orderseal encrypt --key cek.jwk orders.ndjson -o body.jwe
  orderseal encrypt --bundle client.jwks --document order.xml -o order.jwe
  orderseal encrypt --bundle client.jwks --stream photo.raw -o photo.sealed
  orderseal encrypt --password-file password.txt orders.ndjson -o diary.jwe")]
pub struct Encrypt {
    #[command(flatten)]
    pub(super) sealing: Sealing,
    /// Files with orders, one per line; one file of any kind with --document or --stream [default: stdin]
    #[arg(value_name = "FILE")]
    pub(super) orders: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) to: OutputFile,
    /// Confirm each step interactively
    #[arg(long, requires = "bundle", help_heading = MORE)]
    pub(super) guided: bool,
    /// Derive the communication key from the text in this file, at least 12 characters
    #[arg(long, value_name = "FILE", help_heading = TEACHING)]
    pub(super) typed_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) layers: Layers,
}

impl Encrypt {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        self.seal(global, &[], None)
    }

    /// Seals the input, or the output of `convert` for it; the output must not be one of `others`.
    pub fn seal(
        &self,
        global: &Global,
        others: &[Option<FileId>],
        convert: Option<Conversion<'_>>,
    ) -> Result<()> {
        let made = self.sealing.made();
        let Some(from) = self.sealing.from() else {
            return Err(usage("--bundle, --key or --password-file is needed"));
        };
        let path = from.path();
        let key_password = &self.sealing.key_password;
        let keys = [Some(path), self.typed_key.as_deref(), key_password.path()];
        one_from_stdin(keys.into_iter().chain(main_inputs(&self.orders)))?;
        if let Some((option, _)) = made.option().filter(|_| self.orders.len() > 1) {
            return Err(usage(format!("{option} seals one file, several were given")));
        }
        let with = SealWith::load(from, self.sealing.alg, key_password, global)?;
        let source = SystemSource::new()?;
        let mut plan = self.plan(&with, &source)?;
        if let Some(layers) = self.layers.layers {
            plan.set_layers(layers)?;
        }
        with.admit(&plan, global)?;
        if let Some(text) = &self.typed_key {
            let typed = files::load_small(text, MAX_TYPED, !global.allow_readable_keys)?.bytes;
            let line = typed.strip_suffix(b"\n").unwrap_or(&typed);
            plan.type_key(line, &source)?;
        }
        let guide = Guide::for_program(with.program(), self.guided, &self.orders);

        if plan.wants_expected()
            && made == Made::Orders
            && convert.is_none()
            && let Some(expected) = Inputs::measure(&self.orders)?
        {
            plan.set_expected(expected);
        }
        let workers = global.workers()?;
        let mut inputs = Inputs::open(&self.orders)?;
        if made == Made::Orders && convert.is_none() && !self.sealing.text {
            beginnings::check_orders(global, &mut inputs)?;
        }
        let typed = self.typed_key.as_deref().and_then(files::identify);
        let ids = [&[with.id(), typed, key_password.id()], others, &inputs.ids()].concat();
        self.to.refuse_journal_of(path)?;
        let output = self.to.create(Privacy::Umask, &ids)?;
        if made == Made::Stream {
            output.refuse_terminal("a sealed stream")?;
        }
        if guide.is_guided() && !output.is_revocable() {
            let found = "a guided run takes -o FILE: what goes to stdout or a pipe is sent at once";
            return Err(usage(found.to_owned()));
        }
        guide.before_sealing()?;
        let progress = ui::Progress::bytes(global, inputs.size(), Some(&output));
        let inputs = match convert {
            Some(convert) => convert(inputs, &workers)?,
            None => inputs,
        };
        let _unfinished = signals::begin();
        let mut bundle = match plan.spends() || plan.erases() {
            true => InUse::join(path, with.known(), global.access()?)?,
            false => InUse::unchanged(path),
        };
        // An unfinished output is removed before the file is given up.
        let mut output = output;
        let (place, erases) = (with.place(), plan.erases());
        let attended = Attended {
            guide: &guide,
            progress: &progress,
            made,
            output: output.name().to_owned(),
            bundle: &place.file,
        };
        let sender = Sender { file: &mut bundle, place, erases, attendant: &attended };
        let (sealed, erased) = sender.run(&mut output, |bundle, sink| match made {
            Made::Stream => {
                let update = |totals: &Totals| progress.update_bytes(totals);
                let input = inputs.only("a stream")?;
                plan.seal_stream(&workers, input, &source, bundle, sink, update)
            }
            Made::Document => {
                let input = inputs.only("a document")?;
                let place = input.place();
                let text = files::read_limited(input.reader, MAX_DOCUMENT as u64, &place)?;
                plan.seal_document(&text, &place, &source, bundle, sink)
            }
            Made::Orders => {
                let update = |totals: &Totals| progress.update(totals);
                plan.seal(&workers, inputs, &source, bundle, sink, update)
            }
        })?;
        if let Some(erased) = erased {
            super::erase::say_after_sending(&erased, &place.file, global);
        }
        self.report(global, &sealed.totals)
    }

    fn plan(&self, with: &SealWith, source: &SystemSource) -> Result<Plan> {
        let Sealing { bundle, kid, enc, .. } = &self.sealing;
        match with {
            SealWith::Keys(loaded) if bundle.is_some() => {
                Plan::of_client(loaded.file.client(&loaded.place)?, now(), &loaded.place)
            }
            SealWith::Keys(loaded) => {
                let (file, place) = (loaded.file.plain(&loaded.place)?, &loaded.place);
                Plan::of_key(file, kid.as_ref(), *enc, now(), place)
            }
            SealWith::Password(Loaded { file, place, .. }, alg, rounds) => {
                Plan::of_password(file.seal_with(*alg, *rounds, source), *enc, place)
            }
        }
    }

    fn report(&self, global: &Global, totals: &Totals) -> Result<()> {
        if !global.json {
            return Ok(());
        }
        let mut report = json!({
            "bytes_read": totals.read,
            "bytes_written": totals.written,
        });
        match self.sealing.made() {
            Made::Stream => report["streams"] = json!(1),
            Made::Document | Made::Orders => report["orders"] = json!(totals.orders),
        }
        ui::print_report(&report, self.to.is_stdout())
    }
}

/// Converts the opened inputs to other inputs.
pub type Conversion<'a> = Box<dyn FnOnce(Inputs, &Workers) -> Result<Inputs> + 'a>;

/// The user, who follows the progress and confirms each step of a guided run.
struct Attended<'a> {
    guide: &'a Guide,
    progress: &'a ui::Progress,
    made: Made,
    /// Names for the questions.
    output: String,
    bundle: &'a str,
}

impl Attendant for Attended<'_> {
    fn before_sending(&self) -> Result<()> {
        self.guide.before_sending(&self.output)
    }

    fn sent(&self, totals: &Totals) {
        match self.made {
            Made::Stream => self.progress.finish_bytes("sealed", totals),
            Made::Document | Made::Orders => self.progress.finish_orders("sealed", totals),
        }
    }

    fn before_erasing(&self) -> Result<()> {
        self.guide.before_erasing(self.bundle)
    }
}
