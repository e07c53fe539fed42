//! What a process may read of key files, and what opens those that are protected.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::protocol::jose::password::{MOST_ROUNDS, OpeningPassword, Password};
use crate::protocol::model::{Error, Place, Protected, Result};
use crate::protocol::store::keyfile::PlainFile;
use crate::protocol::store::{OpeningFile, OpeningKeys};

/// What a process may read of key files, and what opens those that are protected. Clones share the keys
/// that were derived from a passphrase.
#[derive(Clone, Default)]
pub struct Access {
    /// Whether key files that group or others can read are accepted.
    pub(super) allow_readable: bool,
    /// The password of encrypted private keys (PKCS #8).
    key_password: Option<Arc<Password>>,
    /// The passphrase, once it is known.
    passphrase: Arc<OnceLock<OpeningKeys>>,
    ask: Option<Arc<Ask>>,
    identity: Option<Arc<OpeningKeys>>,
}

/// Asks for the passphrase of a file; `None` if there is nobody to ask.
type Ask = dyn Fn(&Place) -> Result<Option<Password>> + Send + Sync;

impl Access {
    /// Opens no protected files.
    pub fn new(allow_readable: bool) -> Self {
        Self { allow_readable, ..Self::default() }
    }

    /// Opens files that are protected by a passphrase.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Password) -> Self {
        Self { passphrase: Arc::new(OnceLock::from(opening(passphrase))), ..self }
    }

    /// Asks for the passphrase when the first file is met that it protects.
    #[must_use]
    pub fn asking(
        self,
        ask: impl Fn(&Place) -> Result<Option<Password>> + Send + Sync + 'static,
    ) -> Self {
        Self { ask: Some(Arc::new(ask)), ..self }
    }

    /// Accepts key files that group or others can read.
    #[must_use]
    pub fn to_readable(&self) -> Self {
        Self { allow_readable: true, ..self.clone() }
    }

    /// Opens encrypted private keys with this password.
    #[must_use]
    pub fn with_key_password(&self, password: Option<Password>) -> Self {
        Self { key_password: password.map(Arc::new), ..self.clone() }
    }

    /// Does not ask.
    #[must_use]
    pub fn without_asking(&self) -> Self {
        Self { ask: None, ..self.clone() }
    }

    /// Opens files that are sealed to the public half of a key in a file.
    ///
    /// # Errors
    /// Those of [`OpeningKeys::add`].
    pub fn with_identity(self, file: PlainFile, place: &Place) -> Result<Self> {
        let mut keys = OpeningKeys::new(false);
        keys.add(OpeningFile::Plain(Arc::new(file)), place)?;
        Ok(Self { identity: Some(Arc::new(keys)), ..self })
    }

    /// The password of encrypted private keys.
    pub fn key_password(&self) -> Option<&Password> {
        self.key_password.as_deref()
    }

    /// The passphrase, if it was given and does not have to be asked for.
    pub fn passphrase_given(&self) -> Option<&Password> {
        let given = self.passphrase.get().filter(|_| self.ask.is_none());
        given.and_then(|keys| keys.password()).map(OpeningPassword::password)
    }

    /// Whether a passphrase would have to be asked for.
    pub(super) fn would_ask(&self) -> bool {
        self.ask.is_some() && self.passphrase.get().is_none()
    }

    /// Whether there are private keys.
    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// The passphrase, which opens a file.
    ///
    /// # Errors
    /// [`Protected::NoPassphrase`], and those of asking.
    pub(super) fn passphrase(&self, place: &Place) -> Result<&OpeningKeys> {
        if let Some(known) = self.passphrase.get() {
            return Ok(known);
        }
        match self.ask.as_ref().map_or(Ok(None), |ask| ask(place))? {
            Some(answer) => Ok(self.passphrase.get_or_init(|| opening(answer))),
            None => Err(Error::key(place, Protected::NoPassphrase.into())),
        }
    }

    /// The private keys, one of which opens a file.
    ///
    /// # Errors
    /// [`Protected::NoIdentity`].
    pub(super) fn identity(&self, place: &Place) -> Result<&OpeningKeys> {
        let identity = self.identity.as_deref();
        identity.ok_or_else(|| Error::key(place, Protected::NoIdentity.into()))
    }
}

fn opening(passphrase: Password) -> OpeningKeys {
    OpeningKeys::of_password(passphrase.open_with(MOST_ROUNDS), false)
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(..)")
    }
}
