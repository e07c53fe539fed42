//! `decrypt`: the shop opens sealed orders.

mod follow;
mod keys;
mod one;
mod report;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use orderseal::protocol::jose::jwe::{Carries, KeyNumber};
use orderseal::protocol::jose::password::MOST_ROUNDS;
use orderseal::protocol::roles::shop::{self, Options, Summary};
use orderseal::protocol::store::OpeningKeys;
use orderseal::protocol::store::files::{self, FileId, Inputs, Ledger, Output, Privacy};
use orderseal::protocol::{Kid, Result};

use super::arguments::is_stdout;
use super::arguments::{Failures, MORE, OutputFile, SkipReport};
use super::batches::SenderKeys;
use super::beginnings::{joined_json, peek_line};
use super::dates::{OnExpired, warn_expired};
use super::ledger::{Delivery, UseOptions};
use super::passwords::KeyPassword;
use super::{Global, algorithms, main_inputs, one_from_stdin, one_to_stdout, ui};
use crate::cmd::hints::usage;
pub use report::write_skipped;

/// Open sealed orders
///
/// The key name in each line selects its key; no key is ever tried. Several files are opened one
/// after the other. A line that carries a key (from `wrap`) opens like an order, as the only line of
/// the only file; so does a sealed stream, which its first line identifies. Orders of other software
/// may be in the compact or a JSON serialization, one per line, or one over several lines. With
/// --document, the input is one order of any content, which is written as it is, byte for byte.
///
/// With --ledger, each order opens once, in all runs. The file is created at first use, and the bundle
/// then opens orders only with it. Orders that went into a pipe, or into a file by >, are uncertain if
/// the run does not finish: prefer -o.
///
/// With --follow, the orders in the files of a folder, such as 00000001-20261128.jwe, are opened as they
/// come, in the order of the names, and appended to -o. It always has a ledger, which also records how
/// far it came: FILE.ledger, unless --ledger names another one. Lines that do not open are reported and
/// skipped. After a crash, the same command goes on: no order is lost, and none is there twice. With
/// --token-file, keys that the service made on demand are fetched when an order comes that needs them;
/// while the service gives no answer, orders wait.
///
/// If a record fails with --on-error fail, the command stops and the exit code gives the reason (3
/// malformed, 4 key, 5 authentication, 7 opened before). With -o FILE, no file appears then. stdout, or a pipe, may
/// have received orders before the failing one, each of them verified: check the exit code before you
/// use them. With --on-error skip, the output holds every order that opened, and the exit code is 6 if
/// some did not.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("opening_key").args(["bundle", "key", "password_file"]).required(true).multiple(true)),
    override_usage = "orderseal decrypt [OPTIONS] --bundle|--key|--password-file FILE [FILE]...",
    after_long_help = "\
Examples:
  orderseal decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson
  orderseal decrypt --bundle tokyo.jwks --bundle half.jwks < sealed.jwe
  orderseal decrypt --bundle tokyo.jwks monday.jwe tuesday.jwe \\
    -o week.ndjson
  orderseal decrypt --bundle tokyo.jwks --check sealed.jwe
  orderseal decrypt --key cek.jwk body.jwe -o body.ndjson
  orderseal decrypt --bundle tokyo.jwks --document order.jwe -o order.xml
  orderseal decrypt --bundle tokyo.jwks photo.sealed -o photo.raw
  orderseal decrypt --password-file password.txt diary.jwe -o diary.ndjson
  orderseal decrypt --bundle tokyo.jwks --ledger tokyo.ledger sealed.jwe \\
    -o once.ndjson
  orderseal decrypt --bundle tokyo.jwks --follow inbox/ -o opened.ndjson")]
pub struct Decrypt {
    /// A shop's file from `bundle shop`, or its keys from `bundle client --shop-out`; repeatable
    #[arg(short, long, value_name = "FILE")]
    bundle: Vec<PathBuf>,
    /// A key (JWK), or any JWK Set; repeatable
    #[arg(short, long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// A password, one line, for orders whose keys were derived from it (PBES2)
    ///
    /// The end of that line is not part of the password; all other bytes are, as they are.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundle", "key", "kid"],
          help_heading = MORE)]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    key_password: KeyPassword,
    /// Most rounds of PBES2 in this run, for all keys together
    #[arg(long, value_name = "N", requires = "password_file", conflicts_with_all = ["bundle", "key"],
          default_value_t = MOST_ROUNDS, help_heading = MORE)]
    password_rounds: u64,
    /// Name of the key for lines that name none
    #[arg(long, value_name = "KID", allow_hyphen_values = true, help_heading = MORE)]
    kid: Option<Kid>,
    /// Algorithm of keys in --key that name none [default: standard ones, as each line says]
    #[arg(long, value_name = "NAME", requires = "key", value_parser = algorithms::assumed_names(),
          help_heading = MORE)]
    alg: Option<&'static str>,
    #[command(flatten)]
    failures: Failures,
    /// With --json, also count the orders of each key
    #[arg(long, help_heading = MORE)]
    ids: bool,
    #[command(flatten)]
    uses: UseOptions,
    #[command(flatten)]
    senders: SenderKeys,
    /// What to do with orders under keys that have expired
    #[arg(long, value_name = "WHAT", value_enum, default_value = "warn", help_heading = MORE)]
    expired: OnExpired,
    /// Verify, and print only how many orders each key opened
    #[arg(long)]
    check: bool,
    /// Open one order of any content and write it as it is
    ///
    /// Up to 64 MiB, byte for byte.
    #[arg(long, conflicts_with_all = ["on_error", "report", "once"])]
    document: bool,
    /// Open orders as they come into a folder; append to -o
    ///
    /// Until a signal ends it.
    #[arg(long, value_name = "FOLDER", requires = "output",
          conflicts_with_all = ["check", "document", "on_error", "once", "erase", "ids", "verify_with", "force",
                                "password_file", "sealed"])]
    follow: Option<PathBuf>,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    fetching: super::keys::fetch::FetchOptions,
    /// With --follow, end when stdin does: whoever started it holds the other end
    #[arg(long, hide = true, requires = "follow")]
    until_stdin_ends: bool,
    /// Files with sealed orders, one per line; or a sealed stream [default: stdin]
    #[arg(value_name = "FILE")]
    sealed: Vec<PathBuf>,
    #[command(flatten)]
    to: OutputFile,
}

/// What was opened.
enum Outcome {
    /// Orders.
    Orders(Summary),
    /// One text, by the key with this number.
    One(KeyNumber),
}

impl Decrypt {
    /// Whether the command records what it opened, so that it matters whether the reader has it.
    pub fn records(&self) -> bool {
        self.uses.records() || self.follow.is_some()
    }

    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        if let Some(inbox) = &self.follow {
            return self.follow(inbox, global);
        }
        #[cfg(feature = "serve")]
        if self.fetching.is_wanted() {
            return Err(usage("--token-file goes with --follow: `keys fetch` fetches keys before"));
        }
        let key_files = self
            .bundle
            .iter()
            .chain(&self.key)
            .chain(&self.password_file)
            .map(|path| Some(path.as_path()))
            .chain(self.senders.paths().iter().map(|path| Some(path.as_path())))
            .chain([self.key_password.path()]);
        one_from_stdin(key_files.chain(main_inputs(&self.sealed)))?;
        one_to_stdout([self.main_output(), self.failures.path()])?;
        if self.ids && !global.json {
            return Err(usage("--ids adds to the report of --json".to_owned()));
        }
        // The keys are read when the ledger is locked: while this process waited, they may have changed.
        let ledger = self.uses.find(self.check, global)?;
        self.uses.refuse_as_key(ledger.as_ref(), self.bundle.iter().chain(&self.key))?;
        let (keys, mut ids, bundles) = self.keys(&self.uses, global)?;
        self.uses.check_erasable(&bundles)?;
        let inputs = Inputs::open(&self.sealed)?;
        ids.extend(inputs.ids());
        ids.extend(self.senders.ids());
        let mut ledger = self.uses.join(ledger, &bundles, self.check)?;
        // A bundle in which the ledger was noted is another file now.
        let files = bundles.iter().filter(|bundle| bundle.changeable);
        ids.extend(files.map(|bundle| files::identify(&bundle.path)));
        let ledger = ledger.as_mut();
        ids.extend(ledger.as_ref().map(|ledger| ledger.id()));
        let opened = self.open_input(global, inputs, &keys, &ids, ledger)?;
        warn_expired(global, &keys, || match &opened {
            Outcome::Orders(summary) => summary.by_shop(&keys),
            Outcome::One(key) => keys.shop(*key).into_iter().map(|shop| (shop, 1)).collect(),
        });
        let finished = || match &opened {
            Outcome::Orders(summary) => summary.finished_ids(&keys),
            Outcome::One(key) => keys.single_use_id(*key).into_iter().collect(),
        };
        self.uses.erase(&bundles, finished, global)?;
        match opened {
            Outcome::Orders(summary) => shop::skipped_error(&summary).map_or(Ok(()), Err),
            Outcome::One(_) => Ok(()),
        }
    }

    /// Opens the input, whatever it is.
    fn open_input(
        &self,
        global: &Global,
        inputs: Inputs,
        keys: &OpeningKeys,
        ids: &[Option<FileId>],
        ledger: Option<&mut Ledger>,
    ) -> Result<Outcome> {
        if self.document {
            return self.open_document(global, inputs, keys, ids, ledger);
        }
        let mut report = self.failures.create_report(&self.to, ids)?;
        let (mut inputs, batches) =
            self.senders.verify(inputs, &self.failures, &mut report, global)?;
        let first = peek_line(inputs.first(), Vec::new())?;
        match Carries::of_line(&first) {
            Carries::Order | Carries::KeySet => {}
            Carries::Key => return self.open_key(&first, inputs, keys, ids, ledger, global),
            Carries::StreamKey => {
                return self.open_stream(global, &first, inputs, keys, ids, ledger);
            }
        }
        let first = joined_json(inputs.first(), first)?;
        let read = std::mem::replace(&mut inputs.first().reader, Box::new(std::io::empty()));
        inputs.first().reader = Box::new(Cursor::new(first).chain(read));
        let mut to = self.delivery(ids, ledger)?;
        let progress = ui::Progress::bytes(global, inputs.size(), to.output.as_ref());
        let mut summary = self.open(global, inputs, keys, report, &mut to, &progress)?;
        summary.failed += batches.failed;
        to.send()?;
        progress.finish_orders(if self.check { "verified" } else { "opened" }, &summary.totals);
        self.report_summary(global, &summary, keys, &batches)?;
        Ok(Outcome::Orders(summary))
    }

    fn open(
        &self,
        global: &Global,
        inputs: Inputs,
        keys: &OpeningKeys,
        mut report: SkipReport,
        to: &mut Delivery<'_>,
        progress: &ui::Progress,
    ) -> Result<Summary> {
        let several = inputs.count() > 1;
        let Delivery { output, ledger } = to;
        let uses = self.uses.uses(ledger.as_deref_mut());
        let options = Options { uses, skip_failed: self.failures.are_skipped(), each: None };
        let summary = shop::open(
            &global.workers()?,
            inputs,
            keys,
            options,
            |orders, totals| {
                progress.update(totals);
                output.as_mut().map_or(Ok(()), |output| output.write(orders))
            },
            |skipped| write_skipped(&mut report, &skipped, several),
        )?;
        report.commit()?;
        Ok(summary)
    }

    /// Returns the output for the orders; with `--check`, stdout for the counts.
    fn main_output(&self) -> Option<&Path> {
        let output = self.to.path().filter(|_| !self.check);
        Some(output.unwrap_or(Path::new("-")))
    }

    /// Whether stdout carries data that a report must not mix with.
    fn stdout_has_data(&self) -> bool {
        let report = self.failures.path().is_some_and(|path| is_stdout(Some(path)));
        report || !self.check && self.to.is_stdout()
    }

    fn create_output(&self, inputs: &[Option<FileId>]) -> Result<Output> {
        self.to.create(Privacy::Owner, inputs)
    }

    /// The output for opened orders, unless they are only verified.
    fn delivery<'l>(
        &self,
        inputs: &[Option<FileId>],
        ledger: Option<&'l mut Ledger>,
    ) -> Result<Delivery<'l>> {
        let output = match self.check {
            true => None,
            false => Some(self.create_output(inputs)?),
        };
        Ok(Delivery::new(output, ledger))
    }
}
