//! Files with a password: one from which a key is derived, or one that encrypts a private key.

use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::jose::password::Password;
use orderseal::protocol::store::files::{self, Access, FileId, Known, Loaded};
use orderseal::protocol::store::keyfile::{KeyFile, PlainFile};
use orderseal::protocol::{Error, Place, Result};

use super::help::MORE;
use super::{Global, ui};

/// Most bytes that are read of a password file: room to recognize a wrong file.
pub const MAX_FILE: u64 = 4096;

/// The password of an encrypted private key.
#[derive(Debug, Args)]
pub struct KeyPassword {
    /// Password of an encrypted private key (PKCS #8), one line
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    key_password_file: Option<PathBuf>,
}

/// Reads key files, with a password that those of them that are not encrypted do not need.
pub struct KeyReader<'g> {
    access: Access,
    global: &'g Global,
}

impl KeyPassword {
    /// Path of the password file, if given.
    pub fn path(&self) -> Option<&Path> {
        self.key_password_file.as_deref()
    }

    /// Identity of the password file.
    pub fn id(&self) -> Option<FileId> {
        self.path().and_then(files::identify)
    }

    /// Reads the password, if there is one.
    ///
    /// # Errors
    /// As [`load_password`].
    pub fn reader<'g>(&self, global: &'g Global) -> Result<KeyReader<'g>> {
        let loaded = self.path().map(|path| load_password(path, global)).transpose()?;
        let access = global.access()?.with_key_password(loaded.map(|loaded| loaded.file));
        Ok(KeyReader { access, global })
    }
}

impl KeyReader<'_> {
    /// The password.
    pub fn password(&self) -> Option<&Password> {
        self.access.key_password()
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// As [`files::load`].
    pub fn load(&self, path: &Path) -> Result<Loaded> {
        let loaded = files::load(path, &self.access)?;
        self.warn(&loaded.file, &loaded.place);
        Ok(loaded)
    }

    /// Reads a key file to seal with it.
    ///
    /// # Errors
    /// As [`files::load_to_seal`].
    pub fn load_to_seal(&self, path: &Path) -> Result<Loaded> {
        let loaded = files::load_to_seal(path, &self.access)?;
        self.warn(&loaded.file, &loaded.place);
        Ok(loaded)
    }

    /// Reads a key file from its bytes, which come from the file at a path.
    ///
    /// # Errors
    /// As [`files::parse_at`].
    pub fn parse(&self, path: Option<&Path>, bytes: &[u8], place: &Place) -> Result<KeyFile> {
        let file = files::parse_at(path, bytes, &self.access, place)?;
        self.warn(&file, place);
        Ok(file)
    }

    /// Names what was passed over in a set of other software.
    fn warn(&self, file: &KeyFile, place: &Place) {
        let passed_over = match file {
            KeyFile::Plain(PlainFile::Set(set)) => set.words_of_passed_over(),
            KeyFile::Plain(PlainFile::Lone(_))
            | KeyFile::Keyring(_)
            | KeyFile::Shop(_)
            | KeyFile::Client(_) => None,
        };
        if let Some(words) = passed_over {
            ui::warn(self.global, &format!("{place}: {words}"));
        }
    }
}

/// Reads a password file.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] if it has no password; `KeyError::Readable`.
pub fn load_password(path: &Path, global: &Global) -> Result<Loaded<Password>> {
    let small = files::load_small(path, MAX_FILE, !global.allow_readable_keys)?;
    let password = Password::read(&small.bytes);
    let file = password.map_err(|found| Error::malformed(&small.place, found))?;
    let (place, known) = (small.place, Known::default());
    Ok(Loaded { file, place, id: small.id, changeable: false, known })
}
