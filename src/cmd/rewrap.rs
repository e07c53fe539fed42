//! `rewrap`: orders are opened with old keys and sealed under new ones, in one pass.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::Args;
use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::jose::jwe::{Carries, Shape};
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::client::{Plan, Sealed, Sink, Totals};
use orderseal::protocol::roles::rewrap::{self, New, Old, Recorded, SharedLedger};
use orderseal::protocol::roles::send::{Attendant, Sender};
use orderseal::protocol::roles::shop::{self, Summary, Uses};
use orderseal::protocol::store::files::{self, InUse, Inputs, LedgerUser, Loaded, Privacy};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::store::spend::KeyStore;
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::protocol::{Enc, Error, Kid, Malformed, Result};
use serde_json::json;

use super::arguments::{Failures, MORE, OutputFile, SkipReport};
use super::batches::SenderKeys;
use super::beginnings::{joined_json, peek_line};
use super::dates::now;
use super::decrypt::write_skipped;
use super::ledger::UseOptions;
use super::passwords::KeyPassword;
use super::seal_with::{SealFrom, SealWith};
use super::{Global, algorithms, main_inputs, one_from_stdin, one_to_stdout, signals, ui};
use crate::cmd::hints::usage;

/// Seal orders anew under other keys
///
/// Lines that authenticate under the old keys are opened and sealed under the new ones, in one pass, in
/// memory, each with a new content key, in the order of the input. A wrapped key, a document (with
/// --document) and a sealed stream are sealed anew as what they are. The old file stays as it is.
///
/// --from-key takes what opens: a shop's bundle, a keyring, a key or a JWK Set. --to-key takes what seals:
/// a client's bundle, whose ids are used as by `encrypt`, a key, a JWK Set, or the bundle of a shop with
/// one key for all orders. If more people could have made the old line than can make the new one,
/// because its key was public or its cipher weak, the new line says so: `inspect` shows it.
///
/// With --ledger, an old line and the line that takes its place count as one order: the old one does
/// not open any more, and the new one opens if the old one had not been opened.
#[derive(Debug, Args)]
#[command(
    override_usage = "orderseal rewrap [OPTIONS] --from-key FILE --to-key FILE [FILE]...",
    after_long_help = "\
Examples:
  orderseal rewrap --from-key old.jwk --to-key new.jwk sealed.jwe \\
    -o resealed.jwe
  orderseal rewrap --from-key tokyo.jwks --to-key tokyo.jwks archive.jwe \\
    -o archive-2.jwe
  orderseal rewrap --check --from-key old.jwk --to-key new.jwk sealed.jwe \\
    resealed.jwe"
)]
pub struct Rewrap {
    /// Keys that open the old lines; repeatable
    #[arg(long, value_name = "FILE", required = true)]
    from_key: Vec<PathBuf>,
    /// Key or client's bundle that seals the new lines
    #[arg(long, value_name = "FILE")]
    to_key: PathBuf,
    #[command(flatten)]
    key_password: KeyPassword,
    /// Name of the key in --to-key, if several could seal
    #[arg(long, value_name = "KID", allow_hyphen_values = true, help_heading = MORE)]
    kid: Option<Kid>,
    /// Content cipher, with a new key that wraps [default: A256GCM]
    #[arg(long, value_name = "NAME", value_parser = algorithms::content_names(), help_heading = MORE)]
    enc: Option<Enc>,
    #[command(flatten)]
    failures: Failures,
    #[command(flatten)]
    senders: SenderKeys,
    /// Record the old lines as opened, and the new ones if the old ones had been
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    ledger: Option<PathBuf>,
    /// With --ledger, go on with what an unfinished run may have handed on
    #[arg(long, requires = "ledger", help_heading = MORE)]
    reopen: bool,
    /// The input is one order of any content, up to 64 MiB
    #[arg(long, conflicts_with_all = ["on_error", "report", "check"])]
    document: bool,
    /// Compare two files, the old one and the new one, order by order, and write nothing
    #[arg(long, conflicts_with_all = ["on_error", "report", "output", "force"])]
    check: bool,
    /// Files with sealed orders, one per line; or a sealed stream [default: stdin]
    #[arg(value_name = "FILE")]
    sealed: Vec<PathBuf>,
    #[command(flatten)]
    to: OutputFile,
}

/// Asks nobody.
struct Silent;

impl Attendant for Silent {}

impl Rewrap {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let keys = self.from_key.iter().chain([&self.to_key]).map(|path| Some(path.as_path()));
        let keys = keys.chain([self.key_password.path()]);
        let senders = self.senders.paths().iter().map(|path| Some(path.as_path()));
        one_from_stdin(keys.chain(senders).chain(main_inputs(&self.sealed)))?;
        if self.check && !self.senders.paths().is_empty() {
            return Err(usage("--check compares orders, and verifies no batches"));
        }
        if self.check {
            return self.compare(global);
        }
        one_to_stdout([self.to.path(), self.failures.path()])?;
        let uses = UseOptions::of_ledger(self.ledger.clone(), self.reopen);
        let ledger = uses.find(false, global)?;
        uses.refuse_as_key(ledger.as_ref(), self.from_key.iter().chain([&self.to_key]))?;
        let mut ids = vec![self.key_password.id()];
        let mut bundles = Vec::new();
        let keys = self.keys(&self.from_key, global, |path, loaded| {
            ids.push(loaded.id);
            bundles.extend(uses.user(path, loaded, global)?);
            Ok(())
        })?;
        let with = SealWith::load(SealFrom::Keys(&self.to_key), None, &self.key_password, global)?;
        let source = SystemSource::new()?;
        let plan = self.plan(&with)?;
        with.admit(&plan, global)?;
        ids.push(with.id());
        let inputs = Inputs::open(&self.sealed)?;
        ids.extend(inputs.ids());
        ids.extend(self.senders.ids());
        let ledger = uses.join(ledger, &bundles, false)?;
        let changed = bundles.iter().filter(|bundle: &&LedgerUser| bundle.changeable);
        ids.extend(changed.map(|bundle| files::identify(&bundle.path)));
        ids.extend(ledger.as_ref().map(|ledger| ledger.id()));
        self.to.refuse_journal_of(&self.to_key)?;
        let output = self.to.create(Privacy::Umask, &ids)?;
        let mut report = self.failures.create_report(&self.to, &ids)?;
        let (inputs, batches) = self.senders.verify(inputs, &self.failures, &mut report, global)?;
        let progress = ui::Progress::bytes(global, inputs.size(), Some(&output));

        let ledger = ledger.map(|mut ledger| {
            ledger.set_output(&output);
            Mutex::new(ledger)
        });
        let replaces = ledger.as_ref().map(|ledger| |used| SharedLedger(ledger).replace(used));
        let mut shared = ledger.as_ref().map(SharedLedger);
        let workers = global.workers()?;
        let old = Old {
            workers: &workers,
            keys: &keys,
            uses: shared.as_mut().map_or(Uses::Any, |shared| Uses::Ledger(shared)),
            skip_failed: self.failures.are_skipped(),
        };
        let _unfinished = signals::begin();
        let mut file = match plan.spends() || plan.erases() {
            true => InUse::join(&self.to_key, with.known(), global.access()?)?,
            false => InUse::unchanged(&self.to_key),
        };
        let mut sink = Recorded { output, ledger: ledger.as_ref() };
        let (place, erases) = (with.place(), plan.erases());
        let sender = Sender { file: &mut file, place, erases, attendant: &Silent };
        let mut summary = None;
        let (sealed, erased) = sender.run(&mut sink, |file, sink| {
            let replaces = replaces.as_ref().map(|replaces| replaces as _);
            let new = New { plan, source: &source, store: file, sink, replaces };
            let (opened, sealed) = self.rewrap(old, inputs, new, &mut report, &progress)?;
            summary = opened;
            Ok(sealed)
        })?;
        report.commit()?;
        if let Some(summary) = &mut summary {
            summary.failed += batches.failed;
        }
        match summary {
            Some(_) => progress.finish_orders("rewrapped", &sealed.totals),
            None => progress.finish_bytes("rewrapped", &sealed.totals),
        }
        if let Some(erased) = erased {
            super::erase::say_after_sending(&erased, &place.file, global);
        }
        let failed = summary.as_ref().map_or(0, |summary| summary.failed);
        if global.json {
            let Totals { orders, read, written } = sealed.totals;
            let mut report = json!({
                "orders": orders,
                "failed": failed,
                "bytes_read": read,
                "bytes_written": written,
            });
            if let Some(batches) = batches.to_json() {
                report["batches"] = batches;
            }
            ui::print_report(&report, self.to.is_stdout())?;
        }
        summary.and_then(|summary| shop::skipped_error(&summary)).map_or(Ok(()), Err)
    }

    /// Opens the input, whatever it is, and seals it anew; for orders, with what is known of opening.
    fn rewrap<K: KeyStore + ?Sized, O: Sink>(
        &self,
        old: Old<'_>,
        mut inputs: Inputs,
        new: New<'_, SystemSource, K, O>,
        report: &mut SkipReport,
        progress: &ui::Progress,
    ) -> Result<(Option<Summary>, Sealed)> {
        if self.document {
            let input = inputs.only("a document")?;
            let place = input.place();
            let sealed =
                files::read_limited(input.reader, Shape::Document.max_sealed() as u64, &place)?;
            let (summary, sealed) = rewrap::document(old, &sealed, &place, new)?;
            return Ok((Some(summary), sealed));
        }
        let (several, place) = (inputs.count() > 1, inputs.first().place());
        let first = peek_line(inputs.first(), Vec::new())?;
        match Carries::of_line(&first) {
            Carries::Order | Carries::KeySet => {
                let first = joined_json(inputs.first(), first)?;
                put_back(&mut inputs, first);
                let skipped = |skipped| write_skipped(report, &skipped, several);
                let update = |totals: &Totals| progress.update(totals);
                let (summary, sealed) = rewrap::orders(old, inputs, new, skipped, update)?;
                Ok((Some(summary), sealed))
            }
            Carries::Key => {
                let input = inputs.only("a wrapped key")?;
                let reader = Cursor::new(first).chain(input.reader);
                let most = Shape::Line.max_sealed() as u64;
                let line = files::read_limited(Box::new(reader), most, &place)?;
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                if line.contains(&b'\n') {
                    let found = Malformed::AmongOrders(Carries::Key.words());
                    return Err(Error::malformed(&place.at(1), found));
                }
                let (_, sealed) = rewrap::key(old, line, &place, new)?;
                Ok((None, sealed))
            }
            Carries::StreamKey => {
                let input = inputs.only("a sealed stream")?;
                let end = memchr::memchr(b'\n', &first).unwrap_or(first.len());
                let rest = first.get(end + 1..).unwrap_or_default().to_vec();
                let reader = Box::new(Cursor::new(rest).chain(input.reader));
                let rest = Part { place, reader };
                let update = |totals: &Totals| progress.update_bytes(totals);
                let (_, sealed) = rewrap::sealed_stream(old, &first[..end], rest, new, update)?;
                Ok((None, sealed))
            }
        }
    }

    /// The keys of these files, each of which is passed to `seen`.
    fn keys(
        &self,
        paths: &[PathBuf],
        global: &Global,
        mut seen: impl FnMut(&Path, &Loaded<OpeningFile>) -> Result<()>,
    ) -> Result<OpeningKeys> {
        let reader = self.key_password.reader(global)?;
        let mut keys = OpeningKeys::new(global.allow_weak);
        for path in paths {
            let loaded = reader.load(path)?.of(OpeningFile::of)?;
            seen(path, &loaded)?;
            let (file, place) = (loaded.file.holder(), &loaded.place);
            file.refuse_marked(global.allow_weak, place)?;
            if let Some(name) = file.weak_algorithm().filter(|_| !global.allow_weak) {
                ui::warn(
                    global,
                    &format!("{place}: {name} is weak, for teaching and old data only"),
                );
            }
            keys.add(loaded.file, &loaded.place)?;
        }
        Ok(keys)
    }

    fn plan(&self, with: &SealWith) -> Result<Plan> {
        let SealWith::Keys(loaded) = with else {
            return Err(usage("--to-key takes a key file"));
        };
        let (place, now) = (&loaded.place, now());
        match &loaded.file {
            KeyFile::Plain(file) => Plan::of_key(file, self.kid.as_ref(), self.enc, now, place),
            KeyFile::Shop(file) => Plan::of_shop(file, now, place),
            KeyFile::Client(_) | KeyFile::Keyring(_) => {
                Plan::of_client(loaded.file.client(place)?, now, place)
            }
        }
    }

    /// Compares two files, order by order.
    fn compare(&self, global: &Global) -> Result<()> {
        let [old, new] = self.sealed.as_slice() else {
            return Err(usage("--check takes two files: the old one and the new one"));
        };
        let from = self.keys(&self.from_key, global, |_, _| Ok(()))?;
        let to = self.keys(std::slice::from_ref(&self.to_key), global, |_, _| Ok(()))?;
        let workers = global.workers()?;
        let open = |path: &PathBuf| Inputs::open(std::slice::from_ref(path));
        let same = rewrap::compare(&workers, (open(old)?, &from), (open(new)?, &to))?;
        match global.json {
            true => ui::print_report(&json!({"orders": same, "same": true}), false),
            false => ui::print(&format!("{} the same\n", ui::counted(same, "order"))),
        }
    }
}

/// Puts what was read of the first input back.
fn put_back(inputs: &mut Inputs, first: Vec<u8>) {
    let read = std::mem::replace(&mut inputs.first().reader, Box::new(std::io::empty()));
    inputs.first().reader = Box::new(Cursor::new(first).chain(read));
}
