//! Protection of key files at rest: the file is one compact JWE whose content is the key file itself
//! (RFC 7517 section 7), under a passphrase or sealed to a recipient's public key.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::access::Access;
use super::read::{Small, load_small};
use crate::ciphers::Wiped;
use crate::ciphers::base64url::encoded_length;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::{
    Carries, Failure, Header, KeyNumber, KeyParams, MAX_DOCUMENT, MAX_HEADER, Sealer, SealingKeys,
    Shape, headers_of,
};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jose::password::{DerivedKey, Password, Rounds};
use crate::protocol::model::{
    Alg, Enc, Error, KeyUse, Kid, Kind, Malformed, Misuse, Pbes2, Place, Protected, Result, Suite,
    Task,
};
use crate::protocol::pipeline::Workers;
use crate::protocol::store::keyfile::{KeyHolder, Parsed, PlainFile};
use crate::protocol::store::{OpeningKeys, open_alone};

/// Bytes that tell whether a file may be a protected one.
const FEW: u64 = 64;

/// How a key file is protected, as it says without being opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedBy {
    /// Its algorithms.
    pub suite: Suite,
    /// The name of the recipient's key, if it has one.
    pub kid: Option<String>,
    carries: Carries,
    params: KeyParams,
}

/// How to protect a key file. Its content gets a new key each time.
#[derive(Debug, Clone)]
pub struct Protection(Arc<Sealing>);

#[derive(Debug)]
struct Sealing {
    suite: Suite,
    by: SealBy,
}

#[derive(Debug)]
enum SealBy {
    Passphrase(DerivedKey),
    Recipient(Jwk<EncryptingKey>),
}

impl ProtectedBy {
    /// Reads how these bytes are protected; `None` if they are not a protected key file.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a header that is not one, or asks for too many rounds.
    pub fn read(bytes: &[u8], place: &Place) -> Result<Option<Self>> {
        let line = bytes.trim_ascii();
        let is_one = line.starts_with(b"eyJ") && !line.contains(&b'\n');
        if !is_one || !Carries::claims_keys(line) {
            return Ok(None);
        }
        let (headers, mut text) = (headers_of(line), Vec::new());
        let Some(header) = headers.first() else { return Ok(None) };
        let header =
            Header::decode(header, &mut text).map_err(|found| Error::malformed(place, found))?;
        let suite = Suite::from_header(&header.alg, &header.enc);
        let suite = suite.ok().filter(|suite| can_protect(*suite));
        let Header { kid, carries, params, .. } = header;
        let kid = kid.map(|kid| kid.into_owned());
        Ok(suite.map(|suite| Self { suite, kid, carries, params }))
    }

    /// Reads how the file at a path is protected, from its beginning alone.
    ///
    /// # Errors
    /// [`Error::Io`], and as [`read`](Self::read).
    pub(super) fn at(path: &Path) -> Result<Option<Self>> {
        let place = Place::file(path.display().to_string());
        let failed = |error| Error::io(&place, "cannot read", error);
        let (file, mut bytes) = (File::open(path).map_err(failed)?, Zeroizing::new(Vec::new()));
        let mut file = file.take(FEW);
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.trim_ascii_start().starts_with(b"eyJ") {
            file.set_limit(encoded_length(MAX_HEADER) as u64);
            file.read_to_end(&mut bytes).map_err(failed)?;
        }
        Self::read(&bytes, &place)
    }

    /// Rounds of PBKDF2, if a passphrase opens the file.
    pub fn rounds(&self) -> Option<Rounds> {
        self.params.derivation().map(|derivation| derivation.rounds())
    }

    /// Whether there is what opens the file, without asking. It may be wrong.
    pub fn has_key(&self, access: &Access) -> bool {
        match self.rounds() {
            Some(_) => access.passphrase_given().is_some(),
            None => access.has_identity(),
        }
    }

    /// Opens the file, and returns its content and how to protect it again.
    fn open(self, line: &[u8], access: &Access, place: &Place) -> Result<Clear> {
        let (keys, wrong) = match self.suite.key_use() {
            KeyUse::Password(..) => (access.passphrase(place)?, Protected::WrongPassphrase),
            KeyUse::Agree(_)
            | KeyUse::Wrap(..)
            | KeyUse::Direct(_)
            | KeyUse::Pad(_)
            | KeyUse::Blocks => (access.identity(place)?, Protected::WrongIdentity),
        };
        let mut rng = SystemSource::new()?.stream(0);
        let opened = open_alone(line, self.carries, Shape::Document, keys, &mut rng);
        let (number, text) = opened.map_err(|failure| match failure {
            Failure::Authentication | Failure::Key(_) => Error::key(place, wrong.into()),
            Failure::Rounds { most } => Error::key(place, Protected::Rounds { most }.into()),
            Failure::Malformed(_) | Failure::Unexpected(_) => failure.at(place.clone()),
        })?;
        if text.len() > MAX_DOCUMENT {
            return Err(Error::malformed(place, Malformed::TooLong(MAX_DOCUMENT as u64)));
        }
        let protection = self.again(keys, number).ok_or_else(|| Error::key(place, wrong.into()))?;
        Ok(Clear { text, protection })
    }

    /// The same protection, with the key that opened the file.
    fn again(&self, keys: &OpeningKeys, number: KeyNumber) -> Option<Protection> {
        let by = match number {
            KeyNumber::Password => {
                SealBy::Passphrase(keys.password()?.sealing_key(self.params.derivation()?)?)
            }
            KeyNumber::Listed(number) => {
                let key = keys.key(number).encrypting_half();
                let kid = key.kid.clone().or_else(|| Kid::new(self.kid.as_deref()?));
                SealBy::Recipient(Jwk { kid, ..key })
            }
            KeyNumber::Derived { .. } => return None,
        };
        Some(Protection(Arc::new(Sealing { suite: self.suite, by })))
    }
}

/// Whether these algorithms protect key files: standard ones, with a new content key each time.
fn can_protect(suite: Suite) -> bool {
    match suite.key_use() {
        KeyUse::Password(_, cipher) => !cipher.is_weak(),
        KeyUse::Agree(_) | KeyUse::Wrap(..) => match suite.kind() {
            Kind::Public => suite.is_standard() && suite.weak().is_none(),
            Kind::Secret => false,
        },
        KeyUse::Direct(_) | KeyUse::Pad(_) | KeyUse::Blocks => false,
    }
}

/// Asks for the passphrase of a file that it protects, if nobody did so far: before the file is locked, as the
/// answer may take long.
///
/// # Errors
/// Those of asking.
pub(super) fn ask_before(path: &Path, access: &Access) -> Result<()> {
    if !access.would_ask() || !path.is_file() {
        return Ok(());
    }
    match ProtectedBy::at(path) {
        Ok(Some(by)) if by.rounds().is_some() => {
            access.passphrase(&Place::file(path.display().to_string())).map(|_| ())
        }
        // What is wrong with it is said when it is read.
        Ok(Some(_) | None) | Err(_) => Ok(()),
    }
}

/// A protected key file that was opened.
struct Clear {
    text: Wiped,
    protection: Protection,
}

/// Reads a key file, whether it is protected or not.
///
/// # Errors
/// [`Protected`], and those of [`Parsed::read`].
pub(super) fn read(
    bytes: &[u8],
    password: Option<&Password>,
    access: &Access,
    place: &Place,
) -> Result<(Parsed, Option<Protection>)> {
    match ProtectedBy::read(bytes, place)? {
        None => Ok((Parsed::read(bytes, password, place)?, None)),
        Some(by) => {
            let Clear { text, protection } = by.open(bytes, access, place)?;
            Ok((Parsed::read(&text, None, place)?, Some(protection)))
        }
    }
}

/// Reads a small file that may be a protected one, for the owner's eyes unless `access` allows others.
///
/// # Errors
/// As [`load_small`](super::load_small), and [`Protected`].
pub fn load_secret(path: &Path, limit: u64, access: &Access) -> Result<Small> {
    let file = load_small(path, limit, !access.allow_readable)?;
    match ProtectedBy::read(&file.bytes, &file.place)? {
        None => Ok(file),
        Some(by) => {
            let bytes = by.open(&file.bytes, access, &file.place)?.text;
            Ok(Small { bytes, ..file })
        }
    }
}

/// The content of a key file as it is, whether it is protected or not.
///
/// # Errors
/// As [`read`], and [`Misuse::NotToProtect`] for a file that is not JSON.
pub(super) fn clear_text(
    bytes: Wiped,
    access: &Access,
    place: &Place,
) -> Result<(Wiped, Option<Protection>)> {
    let (text, protection) = match ProtectedBy::read(&bytes, place)? {
        None => (bytes, None),
        Some(by) => {
            let Clear { text, protection } = by.open(&bytes, access, place)?;
            (text, Some(protection))
        }
    };
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Misuse::NotToProtect(place.to_string()).into());
    }
    if let Err(error) = Parsed::read(&text, None, place)
        && !is_signing_key(&text)
    {
        return Err(error);
    }
    Ok((text, protection))
}

impl Protection {
    /// Protects by a passphrase. Deliberately takes some tenths of a second with the default number of rounds.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn by_passphrase(passphrase: &Password, rounds: Rounds) -> Result<Self> {
        let algorithm = Pbes2::default();
        let key = passphrase.seal_with(algorithm, rounds, &SystemSource::new()?);
        let cipher = Enc::Cipher(ContentCipher::A256Gcm);
        let suite = Suite::new(Alg::Password(algorithm), cipher).expect("they go together");
        Ok(Self(Arc::new(Sealing { suite, by: SealBy::Passphrase(key) })))
    }

    /// Seals to the public key in a file, which has no other.
    ///
    /// # Errors
    /// [`Error::Key`] if the key cannot be one of a recipient.
    pub fn to_recipient(file: &PlainFile, place: &Place) -> Result<Self> {
        /// The algorithms of keys that name none.
        const DEFAULTS: [&str; 2] = ["RSA-OAEP-256", "ECDH-ES+A256KW"];
        let [key] = file.keys() else {
            return Err(Misuse::SeveralRecipients(place.to_string()).into());
        };
        let fitting = key.view().material.algorithms();
        let default = || DEFAULTS.into_iter().find(|name| fitting.contains(name));
        let alg = key.alg.as_deref().or_else(default).and_then(Alg::from_name);
        let suite = alg.and_then(|alg| Suite::new(alg, Enc::Cipher(ContentCipher::A256Gcm)));
        let suite = suite.filter(|suite| can_protect(*suite) && key.view().material.fits(*suite));
        let suite = suite.ok_or_else(|| Misuse::NotARecipient(place.to_string()))?;
        let key = key.encrypting_half();
        key.view().check_usage(suite, Task::Seal).map_err(|error| Error::key(place, error))?;
        Ok(Self(Arc::new(Sealing { suite, by: SealBy::Recipient(key) })))
    }

    /// Whether a file has the private key that would open what is sealed in this way.
    pub fn seals_to(&self, file: &dyn KeyHolder) -> bool {
        match &self.0.by {
            SealBy::Passphrase(_) => false,
            SealBy::Recipient(own) => file.all_keys().views().any(|key| {
                key.material.is_secret() && key.material.encrypting_half() == own.material
            }),
        }
    }

    /// Seals the text of a key file.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] for more than 64 MiB, [`Error::Random`], and [`Error::Key`].
    pub(super) fn seal(&self, text: &[u8], place: &Place) -> Result<Vec<u8>> {
        let (len, most) = (text.len() as u64, MAX_DOCUMENT as u64);
        if len > most {
            return Err(Error::KeyFileFull { place: place.clone(), len, most });
        }
        let Sealing { suite, by } = &*self.0;
        let carries = if is_set(text) { Carries::KeySet } else { Carries::Key };
        let keys = match by {
            SealBy::Passphrase(key) => SealingKeys::by_password(key, *suite, carries),
            SealBy::Recipient(key) => SealingKeys::one(key, *suite, carries),
        };
        let keys = keys.map_err(|error| Error::key(place, error))?;
        let mut rng = SystemSource::new()?.stream(0);
        let mut line = Vec::with_capacity(encoded_length(text.len()) + MAX_HEADER);
        let sealer =
            Sealer { shape: Shape::Document, spread: Workers::spread, ..Sealer::default() };
        sealer
            .seal(&[text], &keys, 0, &mut rng, &mut line)
            .map_err(|(_, failure)| failure.at(place.clone()))?;
        Ok(line)
    }
}

/// Whether the text is that of a key that signs, which is no key for orders.
fn is_signing_key(text: &[u8]) -> bool {
    SigningKey::parse(text).is_ok()
}

/// Whether the text of a key file is a set of keys.
fn is_set(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Set<'t> {
        #[serde(borrow)]
        keys: Option<&'t RawValue>,
    }
    serde_json::from_slice::<Set<'_>>(text).is_ok_and(|set| set.keys.is_some())
}
