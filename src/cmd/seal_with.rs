//! What seals: the keys of a file, or a password.

use std::path::Path;

use orderseal::protocol::jose::password::{Password, Rounds};
use orderseal::protocol::model::{ClientProgram, Pbes2};
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::store::files::{FileId, Known, Loaded};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::{Error, KeyError, Place, Result};

use super::Global;
use super::algorithms::{self, SealingAlg};
use super::passwords::{KeyPassword, load_password};
use crate::cmd::hints::usage;

/// A file with what seals.
#[derive(Debug, Clone, Copy)]
pub enum SealFrom<'p> {
    /// A key file.
    Keys(&'p Path),
    /// A password file, and the rounds for its key.
    Password(&'p Path, Rounds),
}

/// What seals.
pub enum SealWith {
    /// The keys of a file.
    Keys(Box<Loaded>),
    /// A password, and how to derive a key from it.
    Password(Loaded<Password>, Pbes2, Rounds),
}

impl<'p> SealFrom<'p> {
    /// Path of the file.
    pub fn path(self) -> &'p Path {
        match self {
            Self::Keys(path) | Self::Password(path, _) => path,
        }
    }
}

impl SealWith {
    /// Reads the file. `alg` is the algorithm of keys that name none, or the one for the password;
    /// `key_password` is that of an encrypted private key.
    ///
    /// # Errors
    /// A usage error if the algorithm is not for what is in the file, and errors of reading.
    pub fn load(
        from: SealFrom<'_>,
        alg: Option<SealingAlg>,
        key_password: &KeyPassword,
        global: &Global,
    ) -> Result<Self> {
        match from {
            SealFrom::Keys(path) => {
                let alg = match alg {
                    None => None,
                    Some(SealingAlg::Key(name)) => Some(name),
                    Some(SealingAlg::Password(alg)) => {
                        let name = alg.name();
                        return Err(usage(format!(
                            "{name} takes a password, from --password-file"
                        )));
                    }
                };
                let mut loaded = key_password.reader(global)?.load_to_seal(path)?;
                algorithms::assume(alg, [&mut loaded])?;
                Ok(Self::Keys(Box::new(loaded)))
            }
            SealFrom::Password(path, rounds) => {
                let alg = match alg {
                    None => Pbes2::default(),
                    Some(SealingAlg::Password(alg)) => alg,
                    Some(SealingAlg::Key(name)) => {
                        let names = Pbes2::ALL.map(Pbes2::name).join(", ");
                        let found = format!("{name} takes a key; with a password, --alg is one of");
                        return Err(usage(format!("{found} {names}")));
                    }
                };
                Ok(Self::Password(load_password(path, global)?, alg, rounds))
            }
        }
    }

    /// Name of the file for messages.
    pub fn place(&self) -> &Place {
        match self {
            Self::Keys(loaded) => &loaded.place,
            Self::Password(loaded, ..) => &loaded.place,
        }
    }

    /// Identity of the file.
    pub fn id(&self) -> Option<FileId> {
        match self {
            Self::Keys(loaded) => loaded.id,
            Self::Password(loaded, ..) => loaded.id,
        }
    }

    /// What is known of a key file.
    pub fn known(&self) -> Known {
        match self {
            Self::Keys(loaded) => loaded.known.clone(),
            Self::Password(..) => Known::default(),
        }
    }

    /// The client's program, if the file has one.
    pub fn program(&self) -> Option<ClientProgram> {
        match self {
            Self::Keys(loaded) => match &loaded.file {
                KeyFile::Client(client) => client.program,
                KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_) => None,
            },
            Self::Password(..) => None,
        }
    }

    /// Refuses to seal with a weak algorithm or a key that is not random, unless explicitly allowed,
    /// and with a key whose use cannot be recorded.
    ///
    /// # Errors
    /// [`KeyError::Weak`] and [`KeyError::Marked`]; a usage error.
    pub fn admit(&self, plan: &Plan, global: &Global) -> Result<()> {
        let changeable = match self {
            Self::Keys(loaded) => {
                loaded.file.holder().refuse_weak(global.allow_weak, &loaded.place)?;
                loaded.changeable
            }
            Self::Password(loaded, ..) => loaded.changeable,
        };
        if let Some(name) = plan.suite().weak().filter(|_| !global.allow_weak) {
            return Err(Error::key(self.place(), KeyError::Weak(name)));
        }
        if plan.spends() && !changeable {
            return Err(usage(format!(
                "{}: what is spent is recorded in the key file, which therefore cannot be a pipe",
                self.place()
            )));
        }
        Ok(())
    }
}
