//! `convert`: decrypts old DES and triple-DES data, or seals it under a modern key.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::roles::convert::{
    Decryption, Iv, OldCipher, Padding, ToyEncryption, read_iv, read_key,
};
use orderseal::protocol::store::files::{self, FileId, Input, Inputs, Privacy};
use orderseal::protocol::{Error, KeyError, Result};
use serde_json::json;

use super::arguments::{Layers, Made, OutputFile, Sealing, TEACHING};
use super::encrypt::Encrypt;
use super::values::one_of;
use super::{Global, beginnings, main_input, one_from_stdin, ui};
use crate::cmd::hints::usage;

/// Longest key or IV file in bytes: 48 hexadecimal digits, and room to recognize a wrong file.
const MAX_SMALL: u64 = 4096;

/// Callback that receives each piece of output.
type Write<'a> = dyn FnMut(&[u8], &Totals) -> Result<()> + 'a;

/// Decrypt old DES data, or seal it under a modern key
///
/// With --bundle, --key or --password-file, each line of the text becomes a sealed order, as with
/// `encrypt`, or with --stream the whole text one sealed stream; the text itself is never written.
/// Without them, the text is written.
///
/// A key file has 8 bytes for DES, 24 for triple DES, or 16 for triple DES with two keys; an IV file
/// has 8. They hold the bytes themselves or hexadecimal digits, which their length shows. The toy DES
/// (figure 2 of the founding document) has a key of 3 hexadecimal digits: byte 4d under key 286 gives
/// 97. It is the only cipher for --to. It is for teaching and protects nothing.
///
/// Raw DES data carries no tag: nothing shows whether it was altered or whether the key was right,
/// except at times padding that does not fit. Check the text before you delete the old data.
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
  orderseal convert --from toydes-ecb --from-key toy.key toy.bin -o toy.txt
  orderseal convert --to toydes-ecb --to-key toy.key toy.txt \\
    --allow-weak -o toy.bin --force")]
pub struct Convert {
    /// Cipher and mode of the old data
    #[arg(long, value_name = "CIPHER", requires = "from_key", required_unless_present = "to",
          value_parser = one_of(OldCipher::ALL.map(|cipher| (cipher.name(), cipher))))]
    from: Option<OldCipher>,
    /// Key of the old data, raw or in hexadecimal
    #[arg(long, value_name = "FILE", requires = "from")]
    from_key: Option<PathBuf>,
    /// Initialization vector, raw or in hexadecimal; in CTR mode the first counter
    #[arg(long, value_name = "FILE", conflicts_with = "iv_in_front")]
    iv: Option<PathBuf>,
    /// The data begins with the initialization vector, 8 bytes
    #[arg(long)]
    iv_in_front: bool,
    /// Padding of the last block [default: pkcs7, none in CTR mode]
    #[arg(long, value_parser = one_of([
        ("pkcs7", Padding::Pkcs7), ("zero", Padding::Zero), ("none", Padding::None)]))]
    padding: Option<Padding>,
    #[command(flatten)]
    sealing: Sealing,
    /// Old data [default: stdin]
    #[arg(value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    output: OutputFile,
    /// Encrypt with the toy DES instead (weak)
    #[arg(long, value_name = "CIPHER", requires = "to_key", value_parser = [OldCipher::TOY.name()],
          conflicts_with_all = ["from", "from_key", "iv", "iv_in_front", "padding", "bundle", "key", "password_file",
                               "document", "stream"],
          help_heading = TEACHING)]
    to: Option<String>,
    /// Key to encrypt with, 3 hexadecimal digits
    #[arg(long, value_name = "FILE", requires = "to", help_heading = TEACHING)]
    to_key: Option<PathBuf>,
}

impl Convert {
    /// Runs the command.
    pub fn run(self, global: &Global) -> Result<()> {
        let (from, from_key) = match (self.from, &self.from_key, &self.to_key) {
            (_, _, Some(key)) => return self.encrypt_toy(key, global),
            (Some(from), Some(key), None) => (from, key),
            (Some(_) | None, _, None) => return Err(usage("--from goes with --from-key")),
        };
        let (decryption, ids) = self.decryption(from, from_key, global)?;
        let name = from.name();
        ui::warn(global, &format!("{name} has no tag: altered data cannot be told from genuine"));
        match self.seals() {
            true => self.seal(decryption, &ids, global),
            false => {
                if let Some((option, _)) = self.sealing.made().option() {
                    let found = "seals, and needs --bundle, --key or --password-file";
                    return Err(usage(format!("{option} {found}")));
                }
                self.write(ids, Privacy::Owner, "decrypted", global, |workers, mut input, write| {
                    beginnings::check_ciphertext(&mut input)?;
                    let place = input.place();
                    decryption.run(workers, input.reader, &place, write)
                })
            }
        }
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
        self.write(vec![file.id], Privacy::Umask, "encrypted", global, |workers, input, write| {
            let place = input.place();
            toy.run(workers, input.reader, &place, write)
        })
    }

    /// Returns the decryption settings and the files that they were read from.
    fn decryption(
        &self,
        cipher: OldCipher,
        from_key: &Path,
        global: &Global,
    ) -> Result<(Decryption, Vec<Option<FileId>>)> {
        let keys = [self.sealing.from().map(|from| from.path()), self.iv.as_deref()];
        one_from_stdin(keys.into_iter().chain([Some(from_key), main_input(&self.data)]))?;
        let from = cipher.name();
        let padding = self.padding(cipher)?;
        let file = files::load_small(from_key, MAX_SMALL, !global.allow_readable_keys)?;
        let key = read_key(cipher, &file.bytes, &file.place)?;
        if let Err(weak) = key.check() {
            ui::warn(global, &format!("{}: {weak}", file.place));
        }
        let mut ids = vec![file.id];
        let iv = match &self.iv {
            _ if !cipher.has_iv() && (self.iv.is_some() || self.iv_in_front) => {
                return Err(usage(format!("{from} has no initialization vector")));
            }
            Some(path) => {
                let file = files::load_small(path, MAX_SMALL, false)?;
                ids.push(file.id);
                Iv::Known(read_iv(&file.bytes, &file.place)?)
            }
            None if self.iv_in_front => Iv::InFront,
            None if cipher.has_iv() => {
                let found = format!("{from} needs --iv FILE or --iv-in-front");
                return Err(usage(found));
            }
            None => Iv::Known([0; 8]),
        };
        Ok((Decryption { key, iv, padding }, ids))
    }

    fn padding(&self, cipher: OldCipher) -> Result<Padding> {
        match self.padding {
            Some(Padding::Pkcs7 | Padding::Zero) if !cipher.is_padded() => {
                Err(usage(format!("{} has no padding", cipher.name())))
            }
            Some(padding) => Ok(padding),
            None if cipher.is_padded() => Ok(Padding::Pkcs7),
            None => Ok(Padding::None),
        }
    }

    /// Writes the output of `run`.
    fn write(
        &self,
        mut ids: Vec<Option<FileId>>,
        privacy: Privacy,
        done: &str,
        global: &Global,
        run: impl FnOnce(&Workers, Input, &mut Write<'_>) -> Result<Totals>,
    ) -> Result<()> {
        let input = Input::open(self.data.as_deref())?;
        ids.push(input.id);
        let mut output = self.output.create(privacy, &ids)?;
        output.refuse_terminal("binary data")?;
        let progress = ui::Progress::bytes(global, input.size, Some(&output));
        let workers = global.workers()?;
        let totals = run(&workers, input, &mut |text, totals| {
            progress.update_bytes(totals);
            output.write(text)
        })?;
        output.commit()?;
        progress.finish_bytes(done, &totals);
        if !global.json {
            return Ok(());
        }
        let report = json!({ "bytes_read": totals.read, "bytes_written": totals.written });
        ui::print_report(&report, self.output.is_stdout())
    }

    /// Seals the text as `encrypt` seals its orders.
    fn seal(self, decryption: Decryption, ids: &[Option<FileId>], global: &Global) -> Result<()> {
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
            let mut input = inputs.only("old data")?;
            beginnings::check_ciphertext(&mut input)?;
            let place = input.place();
            input.reader = decryption.into_reader(workers, input.reader, place);
            let mut inputs = input.into();
            if is_lines {
                beginnings::check_orders(global, &mut inputs)?;
            }
            Ok(inputs)
        };
        encrypt.seal(global, ids, Some(Box::new(convert)))
    }
}
