//! `convert`: decrypts old DES and triple-DES data, or seals it under a modern key.

mod old_data;

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::roles::convert::{OldCipher, ToyEncryption};
use orderseal::protocol::store::files::{self, FileId, Input, Inputs, Privacy};
use orderseal::protocol::{Error, KeyError, Result};
use serde_json::{Value, json};

use self::old_data::{MAX_SMALL, OldData, Opened, Opening};
use super::arguments::{Failures, Layers, MORE, Made, OutputFile, Sealing, TEACHING};
use super::encrypt::Encrypt;
use super::{Global, beginnings, main_input, one_from_stdin, one_to_stdout, ui};
use crate::cmd::diagnosis::{Diagnosis, diagnose};
use crate::cmd::hints::usage;

/// Callback that receives each piece of output.
type Write<'a> = dyn FnMut(&[u8], &Totals) -> Result<()> + 'a;

/// Decrypt old DES data, or seal it under a modern key
///
/// With --bundle, --key or --password-file, each line of the text becomes a sealed order, as with
/// `encrypt`, or with --stream the whole text one sealed stream; the text itself is never written.
/// Without them, the text is written.
///
/// A key file has 8 bytes for DES, 24 for triple DES, or 16 for triple DES with two keys: in
/// hexadecimal, with colons or not, in base64, or raw, with a line feed or not. The key check value
/// (KCV), which is shown, tells whether it is the right one. The toy DES (figure 2 of the founding
/// document) has a key of 3 hexadecimal digits: byte 4d under key 286 gives 97. It is the only cipher
/// for --to. It is for teaching and protects nothing.
///
/// Raw DES data carries no tag: nothing shows whether it was altered or whether the key was right,
/// except at times padding that does not fit (exit code 5). Of the first MiB, nothing is written before
/// that is known. Check the text before you delete the old data.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  orderseal convert --from des-ede3-cbc --from-key old.key \\
    --iv old.iv old.bin -o old.ndjson
  orderseal convert --from des-ede3-cbc --from-key old.key \\
    --iv-in-front < front.bin > front.ndjson
  orderseal convert --from des-ede3-cbc --from-key old.key \\
    --iv old.iv old.bin --bundle client.jwks -o sealed.jwe
  orderseal convert --from des-ede3-cbc --from-key old.key \\
    --iv old.iv old.bin --key cek.jwk -o body.jwe
  orderseal convert --from des-ede3-cbc --from-key old.key \\
    --iv old.iv old.bin --bundle client.jwks --stream -o old.sealed
  orderseal convert --from des3 --from-key old.key --iv zero \\
    --armor base64 zero.b64 -o zero.ndjson
  orderseal convert --from des3 --from-key old.key --iv-in-front \\
    --armor hex --record line column.hex -o column.txt
  orderseal convert --from des3 --from-password-file password.txt \\
    salted.bin -o salted.txt
  orderseal convert --from toydes-ecb --from-key toy.key toy.bin -o toy.txt
  orderseal convert --to toydes-ecb --to-key toy.key toy.txt \\
    --allow-weak -o toy.bin --force")]
pub struct Convert {
    #[command(flatten)]
    old: OldData,
    #[command(flatten)]
    sealing: Sealing,
    /// Old data [default: stdin]
    #[arg(value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten, next_help_heading = MORE)]
    failures: Failures,
    #[command(flatten)]
    output: OutputFile,
    /// Encrypt with the toy DES instead (weak)
    #[arg(long, value_name = "CIPHER", requires = "to_key", value_parser = [OldCipher::TOY.name()],
          conflicts_with_all = ["from", "iv", "iv_in_front", "padding", "armor", "bundle", "key", "password_file",
                               "document", "stream", "report"],
          help_heading = TEACHING)]
    to: Option<String>,
    /// Key to encrypt with, 3 hexadecimal digits
    #[arg(long, value_name = "FILE", requires = "to", help_heading = TEACHING)]
    to_key: Option<PathBuf>,
}

impl Convert {
    /// Runs the command.
    pub fn run(self, global: &Global) -> Result<()> {
        let from = match (self.old.from, &self.to_key) {
            (_, Some(key)) => return self.encrypt_toy(key, global),
            (Some(from), None) => from,
            (None, None) => return Err(usage("--to goes with --to-key")),
        };
        let sealing = self.sealing.from().map(|from| from.path());
        let files = self.old.files().map(Some);
        one_from_stdin(files.chain([sealing, main_input(&self.data)]))?;
        self.check_options()?;
        let Opened { opening, ids, check_value } = self.old.open(from, global)?;
        let name = from.name();
        ui::warn(global, &format!("{name} has no tag: altered data cannot be told from genuine"));
        match self.seals() {
            true => self.seal(opening, &ids, global),
            false => self.decrypt(opening, ids, check_value, global),
        }
    }

    /// Refuses options that have nothing to act on.
    fn check_options(&self) -> Result<()> {
        let made = self.sealing.made().option();
        if let Some((option, _)) = made.filter(|_| !self.seals()) {
            let found = "seals, and needs --bundle, --key or --password-file";
            return Err(usage(format!("{option} {found}")));
        }
        let skips = self.failures.are_skipped() || self.failures.path().is_some();
        if skips && (self.seals() || !self.old.is_lines()) {
            return Err(usage("records are skipped with --record line, and not while sealing"));
        }
        one_to_stdout([Some(self.output.path().unwrap_or(Path::new("-"))), self.failures.path()])
    }

    /// Whether the data is sealed under a key instead of written as text.
    pub fn seals(&self) -> bool {
        self.sealing.from().is_some()
    }

    /// Encrypts with the toy DES.
    fn encrypt_toy(&self, key: &Path, global: &Global) -> Result<()> {
        one_from_stdin([Some(key), main_input(&self.data)])?;
        let file = files::load_small(key, MAX_SMALL, !global.allow_readable_keys)?;
        let toy = ToyEncryption::new(&file.bytes, &file.place)?;
        if !global.allow_weak {
            return Err(Error::key(&file.place, KeyError::Weak(OldCipher::TOY.name())));
        }
        let input = Input::open(self.data.as_deref())?;
        let ids = vec![file.id];
        let totals = self.write(
            input,
            ids,
            Privacy::Umask,
            "encrypted",
            global,
            |workers, input, write| {
                let place = input.place();
                toy.run(workers, input.reader, &place, write)
            },
        )?;
        self.report(json!({}), &totals, global)
    }

    /// Decrypts the data and writes its text.
    fn decrypt(
        &self,
        opening: Opening,
        ids: Vec<Option<FileId>>,
        check_value: Option<String>,
        global: &Global,
    ) -> Result<()> {
        let input = Input::open(self.data.as_deref())?;
        let mut failed = 0_u64;
        let mut skipped =
            self.failures.create_report(&self.output, &[&ids[..], &[input.id]].concat())?;
        let mut report = json!({});
        let totals = self.write(
            input,
            ids,
            Privacy::Owner,
            "decrypted",
            global,
            |workers, input, write| {
                opening.run(workers, input, write, |error| {
                    if !self.failures.are_skipped() {
                        return Err(error);
                    }
                    failed += 1;
                    let Diagnosis { kind, place, .. } = diagnose(&error);
                    let line = place.and_then(|place| place.line);
                    let entry = json!({"line": line, "kind": kind, "message": error.to_string()});
                    skipped.write(&entry)
                })
            },
        )?;
        skipped.commit()?;
        if self.old.is_lines() {
            (report["values"], report["failed"]) = (json!(totals.orders), json!(failed));
        }
        if let Some(value) = check_value {
            report["key_check_value"] = json!(value);
        }
        self.report(report, &totals, global)?;
        let total = totals.orders + failed;
        match failed {
            0 => Ok(()),
            _ => Err(Error::SomeFailed { what: "values", failed, total }),
        }
    }

    /// Writes the output of `run`.
    fn write(
        &self,
        input: Input,
        mut ids: Vec<Option<FileId>>,
        privacy: Privacy,
        done: &str,
        global: &Global,
        run: impl FnOnce(&Workers, Input, &mut Write<'_>) -> Result<Totals>,
    ) -> Result<Totals> {
        ids.push(input.id);
        let mut output = self.output.create(privacy, &ids)?;
        if !self.old.is_lines() {
            output.refuse_terminal("binary data")?;
        }
        // What is decoded from text is shorter than the text.
        let size = input.size.filter(|_| self.old.is_lines() || !self.old.is_armored());
        let progress = ui::Progress::bytes(global, size, Some(&output));
        let workers = global.workers()?;
        let totals = run(&workers, input, &mut |text, totals| {
            progress.update_bytes(totals);
            output.write(text)
        })?;
        output.commit()?;
        progress.finish_bytes(done, &totals);
        Ok(totals)
    }

    /// Prints the report of a run, to which `report` adds.
    fn report(&self, mut report: Value, totals: &Totals, global: &Global) -> Result<()> {
        if !global.json {
            return Ok(());
        }
        report["bytes_read"] = json!(totals.read);
        report["bytes_written"] = json!(totals.written);
        ui::print_report(&report, self.output.is_stdout())
    }

    /// Seals the text as `encrypt` seals its orders.
    fn seal(self, opening: Opening, ids: &[Option<FileId>], global: &Global) -> Result<()> {
        let is_lines = self.sealing.made() == Made::Orders && !self.sealing.text;
        let encrypt = Encrypt {
            sealing: self.sealing,
            orders: self.data.into_iter().collect(),
            to: self.output,
            guided: false,
            typed_key: None,
            layers: Layers::default(),
        };
        let convert = move |inputs: Inputs, workers: &Workers| {
            let mut inputs = opening.decrypt(workers, inputs.only("old data")?)?.into();
            if is_lines {
                beginnings::check_orders(global, &mut inputs)?;
            }
            Ok(inputs)
        };
        encrypt.seal(global, ids, Some(Box::new(convert)))
    }
}
