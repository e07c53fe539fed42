//! Options that say what old data is, and how it is decrypted.

use std::convert::Infallible;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueHint};
use orderseal::protocol::pipeline::Workers;
use orderseal::protocol::roles::client::Totals;
use orderseal::protocol::roles::convert::{
    Armor, Decryption, Iv, Kdf, OPENSSL_ROUNDS, OldCipher, OldKey, OldPassword, Opener, Padding,
    ValueIv, ValueOpener, Values, read_iv, read_key,
};
use orderseal::protocol::store::files::{self, FileId, Input};
use orderseal::protocol::{Error, Result};

use crate::cmd::arguments::MORE;
use crate::cmd::hints::usage;
use crate::cmd::values::one_of;
use crate::cmd::{Global, beginnings, ui};

/// Longest key, password or IV file in bytes: a few lines, and room to recognize a wrong file.
pub(super) const MAX_SMALL: u64 = 4096;

/// What the old data is.
#[derive(Debug, Args)]
pub(super) struct OldData {
    /// Cipher and mode of the old data, as OpenSSL names it
    #[arg(long, value_name = "CIPHER", required_unless_present = "to",
          value_parser = one_of(OldCipher::ALL.map(|cipher| (cipher.name(), cipher)))
              .spelled(OldCipher::ALIASES))]
    pub(super) from: Option<OldCipher>,
    /// Key of the old data: raw, hexadecimal or base64
    #[arg(long, value_name = "FILE", requires = "from", conflicts_with = "from_password_file")]
    from_key: Option<PathBuf>,
    /// Password of data from `openssl enc`, one line, instead of a key; see --kdf
    ///
    /// Such data begins with Salted__. All bytes of the line are the password, as they are.
    #[arg(long, value_name = "FILE", requires = "from",
          conflicts_with_all = ["iv", "iv_in_front", "columns"], help_heading = MORE)]
    from_password_file: Option<PathBuf>,
    /// Initialization vector: 16 hexadecimal digits, zero, or its file
    ///
    /// Any other text is the name of a file with 8 bytes in the forms of a key; for a file that is called
    /// zero, or has a name of 16 hexadecimal digits, write its folder too, as in ./zero. In CTR mode it is
    /// the first counter.
    #[arg(long, value_name = "IV", conflicts_with = "iv_in_front",
          value_hint = ValueHint::FilePath)]
    iv: Option<IvOption>,
    /// The data, or each value, begins with its IV, 8 bytes
    #[arg(long)]
    iv_in_front: bool,
    /// Padding of the last block [default: pkcs7, or none]
    ///
    /// Only ECB and CBC mode have padding.
    #[arg(long, value_parser = one_of(Padding::ALL.map(|it| (it.name(), it))))]
    padding: Option<Padding>,
    /// The data is text: base64 or hex, with white space anywhere
    #[arg(long, value_parser = one_of(Armor::ALL.map(|it| (it.name(), it))),
          hide_possible_values = true)]
    armor: Option<Armor>,
    /// With `line`: each line is a value, and becomes a line of text
    #[arg(long, requires = "armor", value_parser = one_of([("line", Record::Line)]),
          hide_possible_values = true)]
    record: Option<Record>,
    /// What a line holds, separated by tabs, with --record [default: value]
    ///
    /// All columns are written as --armor says.
    #[arg(long, value_name = "LIST", requires = "record", value_parser = one_of(Columns::ALL),
          help_heading = MORE)]
    columns: Option<Columns>,
    /// How OpenSSL derived key and IV from the password [default: sha256]
    ///
    /// Nothing in the data says it, and nothing is tried. sha256 is what `openssl enc` does since OpenSSL
    /// 1.1.0 (2016) unless it is given other options, md5 what it did before; the pbkdf2 names are its
    /// option -pbkdf2. Other hashes are its option -md.
    #[arg(long, value_name = "NAME", requires = "from_password_file",
          conflicts_with_all = ["from_key", "columns"],
          value_parser = one_of(Kdf::ALL), help_heading = MORE)]
    kdf: Option<Kdf>,
    /// Rounds of PBKDF2 with --kdf, OpenSSL's option -iter [default: 10000]
    #[arg(long, value_name = "N", requires = "kdf", conflicts_with_all = ["from_key", "columns"],
          value_parser = clap::value_parser!(u32).range(1..=10_000_000), help_heading = MORE)]
    kdf_rounds: Option<u32>,
}

/// An initialization vector, or the file with it.
#[derive(Debug, Clone)]
enum IvOption {
    Given([u8; 8]),
    File(PathBuf),
}

impl FromStr for IvOption {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut iv = [0; 8];
        Ok(match text {
            "zero" => Self::Given(iv),
            _ => match hex::decode_to_slice(text, &mut iv) {
                Ok(()) => Self::Given(iv),
                Err(_) => Self::File(PathBuf::from(text)),
            },
        })
    }
}

/// What is encrypted by itself.
#[derive(Debug, Clone, Copy)]
enum Record {
    /// Each line.
    Line,
}

/// What a line holds beside the value.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    key: bool,
    iv: bool,
}

impl Columns {
    const ALL: [(&str, Self); 4] = [
        ("value", Self { key: false, iv: false }),
        ("value,iv", Self { key: false, iv: true }),
        ("value,key", Self { key: true, iv: false }),
        ("value,key,iv", Self { key: true, iv: true }),
    ];
}

/// What decrypts old data.
pub(super) enum Opening {
    /// All of it.
    Whole(Decryption, Option<Armor>),
    /// Line by line.
    Values(Values),
}

/// What decrypts old data, and what is known of its key.
pub(super) struct Opened {
    pub(super) opening: Opening,
    /// The files that were read.
    pub(super) ids: Vec<Option<FileId>>,
    /// The key check value of the one key.
    pub(super) check_value: Option<String>,
}

/// The initialization vector, as the options say.
enum From {
    Known([u8; 8]),
    InFront,
    Column,
}

impl OldData {
    /// The files that hold the key, the password and the initialization vector.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let iv = self.iv.as_ref().and_then(|iv| match iv {
            IvOption::Given(_) => None,
            IvOption::File(path) => Some(path),
        });
        let files = [self.from_key.as_ref(), self.from_password_file.as_ref(), iv];
        files.into_iter().flatten().map(PathBuf::as_path)
    }

    /// Whether the data is text.
    pub(super) fn is_armored(&self) -> bool {
        self.armor.is_some()
    }

    /// Whether each line is a value.
    pub(super) fn is_lines(&self) -> bool {
        self.record.is_some_and(|Record::Line| true)
    }

    /// Reads the files, and returns what decrypts the data.
    pub(super) fn open(&self, cipher: OldCipher, global: &Global) -> Result<Opened> {
        let padding = self.padding(cipher)?;
        let mut ids = Vec::new();
        let columns = self.columns.unwrap_or_default();
        if let Some(path) = &self.from_password_file {
            if cipher.is_toy() {
                return Err(usage(format!("{} takes a key, not a password", cipher.name())));
            }
            let file = files::load_small(path, MAX_SMALL, !global.allow_readable_keys)?;
            ids.push(file.id);
            let kdf = self.kdf.unwrap_or_default();
            let rounds = match (kdf, self.kdf_rounds) {
                (Kdf::BytesToKey(_), Some(_)) => {
                    return Err(usage("--kdf-rounds goes with a pbkdf2 name for --kdf"));
                }
                (Kdf::BytesToKey(_), None) => OPENSSL_ROUNDS,
                (Kdf::Pbkdf2(_), rounds) => rounds.unwrap_or(OPENSSL_ROUNDS),
            };
            let password = OldPassword::read(cipher, &file.bytes, kdf, rounds, &file.place)?;
            let opening = match (self.is_lines(), self.armor) {
                (true, Some(armor)) => Opening::Values(Values {
                    with: ValueOpener::Password(password),
                    armor,
                    padding,
                }),
                (_, armor) => {
                    Opening::Whole(Decryption { with: Opener::Password(password), padding }, armor)
                }
            };
            return Ok(Opened { opening, ids, check_value: None });
        }
        let iv = self.iv(cipher, columns, &mut ids)?;
        let key = match (&self.from_key, columns.key) {
            (Some(_), true) => {
                return Err(usage("--from-key is one key for all, and --columns has one for each"));
            }
            (None, false) => {
                return Err(usage("--from goes with --from-key or --from-password-file"));
            }
            (None, true) if cipher.is_toy() => {
                return Err(usage(format!("{} takes one key, from --from-key", cipher.name())));
            }
            (None, true) => None,
            (Some(path), false) => Some(read_key_file(cipher, path, global, &mut ids)?),
        };
        let check_value = key.as_ref().and_then(OldKey::check_value);
        let opening = match (self.is_lines(), self.armor, key) {
            (true, Some(armor), key) => {
                let iv = match iv {
                    From::Known(iv) => ValueIv::Known(iv),
                    From::InFront => ValueIv::InFront,
                    From::Column => ValueIv::Column,
                };
                let with = match key {
                    Some(key) => ValueOpener::Key { key, iv },
                    None => ValueOpener::Column { cipher, iv },
                };
                Opening::Values(Values { with, armor, padding })
            }
            (_, armor, Some(key)) => {
                let iv = match iv {
                    From::Known(iv) => Iv::Known(iv),
                    From::InFront => Iv::InFront,
                    From::Column => return Err(usage("--columns goes with --record line")),
                };
                Opening::Whole(Decryption { with: Opener::Key { key, iv }, padding }, armor)
            }
            (_, _, None) => return Err(usage("--columns goes with --record line")),
        };
        Ok(Opened { opening, ids, check_value })
    }

    fn iv(
        &self,
        cipher: OldCipher,
        columns: Columns,
        ids: &mut Vec<Option<FileId>>,
    ) -> Result<From> {
        let name = cipher.name();
        let given = self.iv.is_some() || self.iv_in_front;
        if (given || columns.iv) && !cipher.has_iv() {
            return Err(usage(format!("{name} has no initialization vector")));
        }
        if given && columns.iv {
            return Err(usage("--columns has an initialization vector for each value"));
        }
        Ok(match &self.iv {
            Some(IvOption::Given(iv)) => From::Known(*iv),
            Some(IvOption::File(path)) => {
                let file = files::load_small(path, MAX_SMALL, false)?;
                ids.push(file.id);
                From::Known(read_iv(&file.bytes, &file.place)?)
            }
            None if self.iv_in_front => From::InFront,
            None if columns.iv => From::Column,
            None if cipher.has_iv() => {
                return Err(usage(format!("{name} needs --iv or --iv-in-front")));
            }
            None => From::Known([0; 8]),
        })
    }

    fn padding(&self, cipher: OldCipher) -> Result<Padding> {
        match (self.padding, cipher.is_padded()) {
            (None, true) => Ok(Padding::Pkcs7),
            (None | Some(Padding::None), false) => Ok(Padding::None),
            (Some(padding), true) => Ok(padding),
            (
                Some(
                    Padding::Pkcs7
                    | Padding::X923
                    | Padding::Iso10126
                    | Padding::Iso9797M2
                    | Padding::Zero
                    | Padding::Spaces,
                ),
                false,
            ) => Err(usage(format!("{} has no padding", cipher.name()))),
        }
    }
}

fn read_key_file(
    cipher: OldCipher,
    path: &Path,
    global: &Global,
    ids: &mut Vec<Option<FileId>>,
) -> Result<OldKey> {
    let file = files::load_small(path, MAX_SMALL, !global.allow_readable_keys)?;
    ids.push(file.id);
    let key = read_key(cipher, &file.bytes, &file.place)?;
    if let Err(weak) = key.check() {
        ui::warn(global, &format!("{}: {weak}", file.place));
    }
    if let Some(value) = key.check_value() {
        ui::note(global, &format!("{}: key check value {value}", file.place));
    }
    Ok(key)
}

impl Opening {
    /// Decrypts the data. What is wrong with a line goes to `failed`.
    pub(super) fn run(
        self,
        workers: &Workers,
        mut input: Input,
        write: impl FnMut(&[u8], &Totals) -> Result<()>,
        failed: impl FnMut(Error) -> Result<()>,
    ) -> Result<Totals> {
        let place = input.place();
        let reader = self.look(&mut input)?;
        match self {
            Self::Whole(decryption, _) => decryption.run(workers, reader, &place, write),
            Self::Values(values) => values.run(workers, reader, &place, write, failed),
        }
    }

    /// Makes the input one that is decrypted as it is read.
    pub(super) fn decrypt(self, workers: &Workers, mut input: Input) -> Result<Input> {
        let place = input.place();
        let reader = self.look(&mut input)?;
        input.reader = match self {
            Self::Whole(decryption, _) => decryption.into_reader(workers, reader, place),
            Self::Values(values) => values.into_reader(workers, reader, place),
        };
        Ok(input)
    }

    /// Refuses data that begins like something else, as it is and as its text form holds it.
    fn look(&self, input: &mut Input) -> Result<Box<dyn Read + Send>> {
        let (salted, armor) = match self {
            Self::Whole(Decryption { with: Opener::Password(_), .. }, armor) => (true, *armor),
            Self::Whole(Decryption { with: Opener::Key { .. }, .. }, armor) => (false, *armor),
            Self::Values(_) => (true, None),
        };
        beginnings::check_ciphertext(input, salted)?;
        if let Some(armor) = armor {
            let text = std::mem::replace(&mut input.reader, Box::new(std::io::empty()));
            input.reader = armor.reader(text, input.place());
            beginnings::check_ciphertext(input, salted)?;
        }
        Ok(std::mem::replace(&mut input.reader, Box::new(std::io::empty())))
    }
}
