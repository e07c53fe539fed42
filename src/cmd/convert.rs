//! `convert`: old DES and triple-DES data is decrypted, or sealed under a modern key.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use orderseal::protocol::batch::Workers;
use orderseal::protocol::convert::{Decryption, Iv, OldCipher, Padding, read_iv, read_key};
use orderseal::protocol::files::{self, Existing, FileId, Input, Inputs, Output, Privacy};
use orderseal::protocol::{Error, Result};
use serde_json::json;

use super::encrypt::Encrypt;
use super::keygen::is_stdout;
use super::{Global, main_input, one_from_stdin, ui};

/// Longest key or IV file in bytes: 48 hexadecimal digits, and room to be told of a wrong file.
const MAX_SMALL: u64 = 4096;

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal convert --from des-ede3-cbc --from-key old.key --iv old.iv old.bin -o old.ndjson
  orderseal convert --from des-ede3-cbc --from-key old.key --iv-in-front < front.bin > front.ndjson
  orderseal convert --from des-ede3-cbc --from-key old.key --iv old.iv old.bin \\
    --bundle client.jwks -o sealed.jwe
  orderseal convert --from des-ede3-cbc --from-key old.key --iv old.iv old.bin \\
    --key cek.jwk -o body.jwe
  orderseal convert --from des-ede3-cbc --from-key old.key --iv old.iv old.bin \\
    --bundle client.jwks --stream -o old.sealed

With --bundle or --key each line of the text becomes a sealed order, as `encrypt` makes it, or with
--stream the whole text one sealed stream; the text is never written anywhere. Without them the text
itself is written.

A key file has 8 bytes for DES, 24 for triple DES, or 16 for triple DES with two keys; an IV file
has 8. They hold the bytes themselves or hexadecimal digits, which their length tells.

Raw DES data carries no tag: nothing can tell whether it was altered, or whether the key was right.
Padding that does not fit is the only hint there may be. Check what comes out before the old data
is thrown away.")]
pub struct Convert {
    /// Cipher and mode of the old data
    #[arg(long, value_name = "CIPHER", value_parser = PossibleValuesParser::new(OldCipher::ALL.map(OldCipher::name)))]
    from: String,
    /// Key of the old data, raw or in hexadecimal
    #[arg(long, value_name = "FILE")]
    from_key: PathBuf,
    /// Initialization vector, raw or in hexadecimal; in ctr mode the first counter
    #[arg(long, value_name = "FILE", conflicts_with = "iv_in_front")]
    iv: Option<PathBuf>,
    /// The first 8 bytes of the data are the initialization vector
    #[arg(long)]
    iv_in_front: bool,
    /// What fills up the last block [default: pkcs7, none in ctr mode]
    #[arg(long, value_parser = ["pkcs7", "zero", "none"])]
    padding: Option<String>,
    /// Seal the text: the file from `bundle client`
    #[arg(short, long, value_name = "FILE", conflicts_with = "key")]
    bundle: Option<PathBuf>,
    /// Seal the text: a lone key (JWK)
    #[arg(short, long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Content cipher, with a key that wraps [default: A256GCM]
    #[arg(long, value_name = "NAME", requires = "key", conflicts_with = "bundle",
          value_parser = super::algorithms::content_names())]
    enc: Option<String>,
    /// Seal the text as one stream instead of line by line
    #[arg(long)]
    stream: bool,
    /// Old data
    data: Option<PathBuf>,
    /// Where to write the text or the sealed orders
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing output
    #[arg(short, long)]
    force: bool,
}

impl Convert {
    /// Runs the command.
    pub fn run(self, global: &Global) -> Result<()> {
        let (decryption, ids) = self.decryption(global)?;
        let warning = format!("{} has no tag: altered data cannot be told from genuine", self.from);
        ui::warn(global, &warning);
        match self.seals() {
            true => self.seal(decryption, &ids, global),
            false if self.stream => {
                Err(Error::Usage("--stream seals, and needs --bundle or --key".to_owned()))
            }
            false => self.write_text(&decryption, ids, global),
        }
    }

    /// Whether the data are sealed under a key, instead of written out.
    pub fn seals(&self) -> bool {
        self.bundle.is_some() || self.key.is_some()
    }

    /// How to decrypt, and the files that this was read from.
    fn decryption(&self, global: &Global) -> Result<(Decryption, Vec<Option<FileId>>)> {
        let keys = [&self.bundle, &self.key, &self.iv].map(Option::as_deref);
        one_from_stdin(
            keys.into_iter().chain([Some(self.from_key.as_path()), main_input(&self.data)]),
        )?;
        let cipher = OldCipher::named(&self.from).expect("clap knows the names");
        let padding = self.padding(cipher)?;
        let file = files::load_small(&self.from_key, MAX_SMALL, !global.allow_readable_keys)?;
        let key = read_key(cipher, &file.bytes, &file.place)?;
        if let Err(weak) = key.check() {
            ui::warn(global, &format!("{}: {weak}", file.place));
        }
        let mut ids = vec![file.id];
        let iv = match &self.iv {
            _ if !cipher.has_iv() && (self.iv.is_some() || self.iv_in_front) => {
                return Err(Error::Usage(format!("{} has no initialization vector", self.from)));
            }
            Some(path) => {
                let file = files::load_small(path, MAX_SMALL, false)?;
                ids.push(file.id);
                Iv::Known(read_iv(&file.bytes, &file.place)?)
            }
            None if self.iv_in_front => Iv::InFront,
            None if cipher.has_iv() => {
                let found = format!("{} needs --iv FILE or --iv-in-front", self.from);
                return Err(Error::Usage(found));
            }
            None => Iv::Known([0; 8]),
        };
        Ok((Decryption { key, iv, padding }, ids))
    }

    fn padding(&self, cipher: OldCipher) -> Result<Padding> {
        match self.padding.as_deref() {
            Some("pkcs7" | "zero") if !cipher.is_padded() => {
                Err(Error::Usage(format!("{} has no padding", self.from)))
            }
            None if cipher.is_padded() => Ok(Padding::Pkcs7),
            Some("pkcs7") => Ok(Padding::Pkcs7),
            Some("zero") => Ok(Padding::Zero),
            _ => Ok(Padding::None),
        }
    }

    /// Writes the text itself.
    fn write_text(
        &self,
        decryption: &Decryption,
        mut ids: Vec<Option<FileId>>,
        global: &Global,
    ) -> Result<()> {
        let input = Input::open(self.data.as_deref())?;
        ids.push(input.id);
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let mut output = Output::create(self.output.as_deref(), existing, Privacy::Owner, &ids)?;
        output.refuse_terminal("decrypted data is")?;
        let progress = ui::Progress::bytes(global, input.size, Some(&output));
        let workers = global.workers()?;
        let place = input.place();
        let totals = decryption.run(&workers, input.reader, &place, |text, totals| {
            progress.update_bytes(totals);
            output.write(text)
        })?;
        output.commit()?;
        progress.finish_bytes("decrypted", &totals);
        if !global.json {
            return Ok(());
        }
        let report = json!({ "bytes_read": totals.read, "bytes_written": totals.written });
        ui::print_report(&report, is_stdout(self.output.as_deref()))
    }

    /// Seals the text as `encrypt` does with its orders.
    fn seal(self, decryption: Decryption, ids: &[Option<FileId>], global: &Global) -> Result<()> {
        let encrypt = Encrypt {
            bundle: self.bundle,
            key: self.key,
            kid: None,
            alg: None,
            enc: self.enc,
            layers: None,
            typed_key: None,
            guided: false,
            stream: self.stream,
            orders: self.data.into_iter().collect(),
            output: self.output,
            force: self.force,
        };
        let convert = |inputs: Inputs, workers: &Workers| {
            let mut input = inputs.only("old data")?;
            let place = input.place();
            input.reader = decryption.into_reader(workers, input.reader, place);
            Ok(input.into())
        };
        encrypt.seal(global, ids, Some(Box::new(convert)))
    }
}
