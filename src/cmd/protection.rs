//! What opens protected key files, and how new ones are protected.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Args;
use orderseal::protocol::jose::password::{Password, Rounds};
use orderseal::protocol::store::files::{self, Access, FileId, Protection};
use orderseal::protocol::{Error, Place, Result};
use zeroize::Zeroizing;

use super::Global;
use super::arguments::password_rounds;
use super::dates::now;
use super::help::{COMMON, MORE};
use super::hints::{usage, usage_with};
use super::passwords::{MAX_FILE, load_password};
use super::terminal;

/// What opens protected key files.
#[derive(Debug, Args)]
pub struct Unlocking {
    /// Passphrase of protected key files, one line [default: ask at the terminal]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "passphrase_fd",
          help_heading = COMMON)]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from file descriptor N, one line
    #[arg(long, global = true, value_name = "N", help_heading = COMMON)]
    passphrase_fd: Option<u32>,
    /// Private key that opens key files sealed to its public key
    #[arg(long, global = true, value_name = "FILE", help_heading = COMMON)]
    identity: Option<PathBuf>,
    #[arg(skip)]
    access: OnceCell<Access>,
}

/// How new key files are protected.
#[derive(Debug, Args)]
pub struct NewProtection {
    /// Protect the keys that are written, by a passphrase
    #[arg(long, conflicts_with = "recipient", help_heading = MORE)]
    protect: bool,
    #[command(flatten)]
    with: With,
}

/// What protects a key file.
#[derive(Debug, Args)]
pub struct With {
    /// The new passphrase, one line [default: --passphrase-file, or ask at the terminal]
    #[arg(long, value_name = "FILE", conflicts_with = "recipient", help_heading = MORE)]
    new_passphrase_file: Option<PathBuf>,
    /// Rounds of PBES2 for the new passphrase [default: 600000]
    #[arg(long, value_name = "N", conflicts_with = "recipient", value_parser = password_rounds(),
          help_heading = MORE)]
    new_passphrase_rounds: Option<Rounds>,
    /// Encrypt new key files for the public key in FILE
    #[arg(long, value_name = "FILE", help_heading = MORE)]
    recipient: Option<PathBuf>,
}

impl Unlocking {
    /// The options as another process takes them.
    #[cfg(feature = "serve")]
    pub fn arguments(&self) -> Vec<&std::ffi::OsStr> {
        let files = [("--passphrase-file", &self.passphrase_file), ("--identity", &self.identity)];
        let given = files.into_iter().filter_map(|(name, file)| Some((name, file.as_ref()?)));
        given.flat_map(|(name, file)| [name.as_ref(), file.as_os_str()]).collect()
    }

    /// What key files the command may read, and what opens those that are protected.
    ///
    /// # Errors
    /// Those of reading the passphrase and the private key.
    pub fn access(&self, global: &Global) -> Result<&Access> {
        if let Some(access) = self.access.get() {
            return Ok(access);
        }
        let access = Access::new(global.allow_readable_keys);
        let access = match self.passphrase(global)? {
            Some(passphrase) => access.with_passphrase(passphrase),
            None => access.asking(terminal::passphrase_of),
        };
        let access = match &self.identity {
            Some(path) => {
                let loaded = files::load(path, &access)?;
                files::spare(loaded.id);
                let file = loaded.file.plain(&loaded.place)?.clone();
                access.with_identity(file, &loaded.place)?
            }
            None => access,
        };
        Ok(self.access.get_or_init(|| access))
    }

    /// The files that open others.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        let paths = [&self.passphrase_file, &self.identity];
        paths.into_iter().flatten().filter_map(|path| files::identify(path))
    }

    /// The passphrase that was given.
    fn passphrase(&self, global: &Global) -> Result<Option<Password>> {
        match (&self.passphrase_file, self.passphrase_fd) {
            (Some(path), _) => passphrase_in(path, global).map(Some),
            (None, Some(descriptor)) => from_descriptor(descriptor).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn passphrase_in(path: &Path, global: &Global) -> Result<Password> {
    match files::is_dash(path) {
        true => Err(usage_with(
            "--passphrase-file takes a file",
            "--passphrase-fd 0 reads it from the first line of stdin",
        )),
        false => {
            let loaded = load_password(path, global)?;
            files::spare(loaded.id);
            Ok(loaded.file)
        }
    }
}

/// Reads a line from a descriptor, and nothing after it.
fn from_descriptor(descriptor: u32) -> Result<Password> {
    let place = Place::file(format!("descriptor {descriptor}"));
    let failed = |error| Error::io(&place, "cannot read the passphrase", error);
    let mut file = opened(descriptor).map_err(failed)?;
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
    let mut byte = Zeroizing::new([0]);
    while line.len() < MAX_FILE as usize && line.last() != Some(&b'\n') {
        match file.read(&mut byte[..]) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Password::read(&line).map_err(|found| Error::malformed(&place, found))
}

/// An open descriptor. What is read from standard input is gone from it for the rest of the command; another
/// file is read from where the descriptor stands.
fn opened(descriptor: u32) -> io::Result<File> {
    if descriptor == 0 {
        return rustix::stdio::stdin().try_clone_to_owned().map(File::from);
    }
    let mut file = File::open(format!("/dev/fd/{descriptor}"))?;
    if file.metadata()?.is_file() {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"));
        let position = info.ok().and_then(|info| {
            info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse().ok())
        });
        file.seek(SeekFrom::Start(position.unwrap_or(0)))?;
    }
    Ok(file)
}

impl NewProtection {
    /// How the keys that are written are protected, if they are.
    ///
    /// # Errors
    /// Those of [`With::protection`].
    pub fn protection(&self, global: &Global) -> Result<Option<Protection>> {
        match self.is_wanted() {
            true => self.with.protection(global).map(Some),
            false if self.with.new_passphrase_rounds.is_some() => {
                Err(usage("--new-passphrase-rounds goes with --protect"))
            }
            false => Ok(None),
        }
    }

    /// Refuses options that have no effect.
    ///
    /// # Errors
    /// A usage error that says `why` if keys are to be protected.
    pub fn refuse(&self, why: &str) -> Result<()> {
        match self.is_wanted() || self.with.new_passphrase_rounds.is_some() {
            true => Err(usage(why)),
            false => Ok(()),
        }
    }

    /// Whether the keys are to be protected.
    pub fn is_wanted(&self) -> bool {
        let With { new_passphrase_file, recipient, .. } = &self.with;
        self.protect || new_passphrase_file.is_some() || recipient.is_some()
    }
}

impl With {
    /// The files that say how to protect.
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        let paths = [&self.new_passphrase_file, &self.recipient];
        paths.into_iter().flatten().filter_map(|path| files::identify(path))
    }

    /// How to protect: to a recipient, or by a passphrase.
    ///
    /// # Errors
    /// Those of reading the passphrase or the public key; a usage error if there is no passphrase.
    pub fn protection(&self, global: &Global) -> Result<Protection> {
        if let Some(path) = &self.recipient {
            let loaded = files::load(path, global.access()?)?;
            files::spare(loaded.id);
            loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
            let plain = loaded.file.plain(&loaded.place)?;
            plain.check_dates(now()).map_err(|error| Error::key(&loaded.place, error))?;
            return Protection::to_recipient(loaded.file.plain(&loaded.place)?, &loaded.place);
        }
        let rounds = self.new_passphrase_rounds.unwrap_or_default();
        let access = global.access()?;
        if let Some(path) = &self.new_passphrase_file {
            return Protection::by_passphrase(&passphrase_in(path, global)?, rounds);
        }
        if let Some(passphrase) = access.passphrase_given() {
            return Protection::by_passphrase(passphrase, rounds);
        }
        let passphrase = terminal::new_passphrase()?.ok_or_else(|| {
            usage_with(
                "no passphrase was given, and there is no terminal to ask at",
                "name a file with it by --new-passphrase-file or --passphrase-file",
            )
        })?;
        Protection::by_passphrase(&passphrase, rounds)
    }
}
