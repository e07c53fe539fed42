//! JSON Web Keys (RFC 7517, RFC 7518 section 6).

pub(super) mod curve;
pub(in crate::protocol) mod encodings;
mod material;
mod read;
mod shown;
mod texts;
mod usage;
mod written;

use std::borrow::Cow;

pub use encodings::{Encoded, Encoding};
pub use material::{
    AsKey, DecryptingKey, EncryptingKey, KeyRef, Material, PrivateHalf, PublicHalf,
};
pub(in crate::protocol) use texts::KeyTexts;
pub use usage::Usage;
pub(in crate::protocol) use written::foreseen_len;

use crate::ciphers::content::ContentCipher;
use crate::ciphers::random::Origin;
use crate::ciphers::{Secret, base64url};
use crate::protocol::jose::json::{Members, text};
use crate::protocol::model::{
    Error, KeyError, KeyFault, KeyFileFault, Kid, Malformed, Place, Suite, Task, WrapAlgorithm,
};

/// A key with its name and permitted uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk<K = Material> {
    /// The key's name.
    pub kid: Option<Kid>,
    /// The one algorithm that the key may be used with, as in
    /// [`Suite::key_alg`](crate::protocol::model::Suite::key_alg).
    pub alg: Option<Cow<'static, str>>,
    /// The uses that `use` and `key_ops` permit.
    pub usage: Usage,
    /// The origin of the key.
    pub origin: Origin,
    /// The key itself.
    pub material: K,
}

/// A key of any kind, borrowed, with its name and permitted uses.
#[derive(Debug, Clone, Copy)]
pub struct JwkRef<'k> {
    /// The key's name.
    pub kid: Option<&'k Kid>,
    /// The one algorithm that the key may be used with.
    pub alg: Option<&'k str>,
    /// The uses that `use` and `key_ops` permit.
    pub usage: &'k Usage,
    /// The origin of the key.
    pub origin: Origin,
    /// The key itself.
    pub material: KeyRef<'k>,
}

/// The reason why a key, or a file of keys, is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is malformed.
    Malformed(Malformed),
    /// It is well formed but cannot be used here.
    Unusable(KeyError),
}

impl Refusal {
    /// Adds the part of the file concerned in front of the message.
    pub(in crate::protocol) fn within(self, part: impl std::fmt::Display) -> Self {
        match self {
            Self::Malformed(found) => Self::Malformed(found.within(part)),
            Self::Unusable(error) => Self::Unusable(error),
        }
    }

    /// The corresponding error at a place.
    pub fn at(self, place: &Place) -> Error {
        match self {
            Self::Malformed(found) => Error::malformed(place, found),
            Self::Unusable(error) => Error::key(place, error),
        }
    }
}

impl From<KeyFileFault> for Refusal {
    fn from(fault: KeyFileFault) -> Self {
        Self::Malformed(fault.into())
    }
}

impl From<KeyFault> for Refusal {
    fn from(fault: KeyFault) -> Self {
        Self::Malformed(fault.into())
    }
}

impl From<Malformed> for Refusal {
    fn from(found: Malformed) -> Self {
        Self::Malformed(found)
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Unusable(error)
    }
}

impl<K> Jwk<K> {
    /// A key with other material, and the same name and uses.
    pub fn with<L>(&self, material: L) -> Jwk<L> {
        Jwk {
            kid: self.kid.clone(),
            alg: self.alg.clone(),
            usage: self.usage.clone(),
            origin: self.origin,
            material,
        }
    }
}

impl From<Jwk<DecryptingKey>> for Jwk {
    fn from(key: Jwk<DecryptingKey>) -> Self {
        let Jwk { kid, alg, usage, origin, material } = key;
        Self { kid, alg, usage, origin, material: material.into() }
    }
}

impl From<Jwk<EncryptingKey>> for Jwk {
    fn from(key: Jwk<EncryptingKey>) -> Self {
        let Jwk { kid, alg, usage, origin, material } = key;
        Self { kid, alg, usage, origin, material: material.into() }
    }
}

impl Jwk<DecryptingKey> {
    /// The part that a client may hold, as in [`encrypting_half`](Self::encrypting_half).
    pub fn into_encrypting_half(self) -> Jwk<EncryptingKey> {
        let usage = self.view().usage_of_half();
        let Self { kid, alg, origin, material, .. } = self;
        Jwk { kid, alg, usage, origin, material: material.into_encrypting_half() }
    }
}

impl<K: AsKey> Jwk<K> {
    /// The key, borrowed.
    pub fn view(&self) -> JwkRef<'_> {
        JwkRef {
            kid: self.kid.as_ref(),
            alg: self.alg.as_deref(),
            usage: &self.usage,
            origin: self.origin,
            material: self.material.as_key(),
        }
    }

    /// The part that a client may hold: all of a secret key, the public half of a pair.
    pub fn encrypting_half(&self) -> Jwk<EncryptingKey> {
        self.view().half_for(self.alg.clone())
    }
}

impl JwkRef<'_> {
    /// The name of the key for messages.
    pub fn words(&self) -> String {
        self.kid.map_or("the key".to_owned(), |kid| format!("key {kid}"))
    }

    /// The part that a client may hold, as in [`Jwk::encrypting_half`].
    pub fn encrypting_half(&self) -> Jwk<EncryptingKey> {
        self.half_for(self.alg.map(|alg| alg.to_owned().into()))
    }

    /// A copy of the whole key.
    pub fn owned(&self) -> Jwk {
        Jwk {
            kid: self.kid.cloned(),
            alg: self.alg.map(|alg| alg.to_owned().into()),
            usage: self.usage.clone(),
            origin: self.origin,
            material: self.material.owned(),
        }
    }

    fn half_for(&self, alg: Option<Cow<'static, str>>) -> Jwk<EncryptingKey> {
        Jwk {
            kid: self.kid.cloned(),
            alg,
            usage: self.usage_of_half(),
            origin: self.origin,
            material: self.material.encrypting_half(),
        }
    }

    /// The usage of the part that a client may hold.
    fn usage_of_half(&self) -> Usage {
        match self.material {
            KeyRef::Private(_) => self.usage.of_public_half(),
            KeyRef::Secret(_) | KeyRef::Pad(_) | KeyRef::Public(_) => self.usage.clone(),
        }
    }

    /// Checks that `use` and `key_ops` permit what the algorithms require of the key.
    ///
    /// # Errors
    /// [`KeyError::OtherUse`].
    pub fn check_usage(&self, suite: Suite, task: Task) -> Result<(), KeyError> {
        let needed = suite.operations(task);
        match self.usage.permits(needed) {
            true => Ok(()),
            false => Err(KeyError::OtherUse {
                key: self.words(),
                own: self.usage.to_string(),
                wanted: needed.join(" or "),
            }),
        }
    }
}

/// Length in bytes of a secret key for an algorithm, if known.
fn secret_len(alg: &str) -> Option<usize> {
    let content = ContentCipher::from_name(alg).map(ContentCipher::key_len);
    content.or_else(|| WrapAlgorithm::from_name(alg)?.key_len())
}

/// The key type of knapsacks, which no standard defines.
const KNAPSACK: &str = "MH-KNAPSACK";

/// The members of a private RSA key in addition to those of the public one (RFC 7518 section 6.3.2).
const PRIVATE_RSA: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

fn number(members: &dyn Members, name: &str) -> Result<Vec<u8>, Malformed> {
    base64url::decode_to_vec(text(members, name)?.as_bytes())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(Malformed::member(name, "base64url without padding"))
}

fn secret(members: &dyn Members, name: &str) -> Result<Secret, Malformed> {
    number(members, name).map(Secret::from)
}
