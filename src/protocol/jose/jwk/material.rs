//! Keys by what they can do. A client holds [`EncryptingKey`]s, which are derived from the
//! service's [`DecryptingKey`]s by one total match.

use crate::ciphers::content::ContentCipher;
use crate::ciphers::{Secret, ecdh, knapsack, rsa};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Alg, Enc, Family, Suite, WrapAlgorithm};

/// A key that encrypts, as a client holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncryptingKey {
    /// `oct`: a secret key.
    Secret(Secret),
    /// `oct` for a cipher that takes a pad: a MAC key and a pad, or a piece of one.
    Pad(Pad),
    /// The public half of a pair.
    Public(PublicHalf),
}

/// A key that decrypts, as a shop and the service hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecryptingKey {
    /// `oct`: a secret key.
    Secret(Secret),
    /// `oct` for a cipher that takes a pad: a MAC key and a pad, or a piece of one.
    Pad(Pad),
    /// The private half of a pair.
    Private(PrivateHalf),
}

/// The public half of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicHalf {
    /// `RSA` without private numbers.
    Rsa(Box<rsa::PublicKey>),
    /// `EC` or `OKP` without the secret number.
    Curve(Box<ecdh::PublicKey>),
    /// `MH-KNAPSACK` without the secret knapsack.
    Knapsack(Box<knapsack::PublicKey>),
}

/// The private half of a pair; it includes the public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateHalf {
    /// `RSA` with private numbers.
    Rsa(Box<rsa::PrivateKey>),
    /// `EC` or `OKP` with the secret number.
    Curve(Box<ecdh::PrivateKey>),
    /// `MH-KNAPSACK` with the secret knapsack.
    Knapsack(Box<knapsack::PrivateKey>),
}

/// The key in a JWK. Secret bytes always count as a key that decrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// A public half alone.
    Public(PublicHalf),
    /// A key that decrypts.
    Decrypting(DecryptingKey),
}

impl PrivateHalf {
    /// The public half.
    pub fn public_half(&self) -> PublicHalf {
        match self {
            Self::Rsa(pair) => PublicHalf::Rsa(Box::new(pair.public().clone())),
            Self::Curve(key) => PublicHalf::Curve(Box::new(*key.public())),
            Self::Knapsack(key) => PublicHalf::Knapsack(Box::new(key.public_key().clone())),
        }
    }
}

/// Any key, borrowed: what it is, whatever its holder may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRef<'k> {
    /// A secret key.
    Secret(&'k Secret),
    /// A pad, or a piece of one.
    Pad(&'k Pad),
    /// A public half alone.
    Public(&'k PublicHalf),
    /// A private half with its public half.
    Private(&'k PrivateHalf),
}

/// A key that can be looked at as any key.
pub trait AsKey {
    /// The key, borrowed.
    fn as_key(&self) -> KeyRef<'_>;
}

impl EncryptingKey {
    /// A name for messages.
    pub fn name(&self) -> &'static str {
        self.as_key().name()
    }
}

impl Material {
    /// The key of a shop or the service.
    ///
    /// # Errors
    /// A public half alone.
    pub fn into_decrypting(self) -> Result<DecryptingKey, PublicHalf> {
        match self {
            Self::Decrypting(key) => Ok(key),
            Self::Public(half) => Err(half),
        }
    }

    /// The key of a client.
    ///
    /// # Errors
    /// A private half.
    pub fn into_encrypting(self) -> Result<EncryptingKey, PrivateHalf> {
        match self {
            Self::Public(half) => Ok(EncryptingKey::Public(half)),
            Self::Decrypting(DecryptingKey::Secret(key)) => Ok(EncryptingKey::Secret(key)),
            Self::Decrypting(DecryptingKey::Pad(pad)) => Ok(EncryptingKey::Pad(pad)),
            Self::Decrypting(DecryptingKey::Private(half)) => Err(half),
        }
    }
}

impl DecryptingKey {
    /// A pair on a curve. It is copied, as moving it out of a list would leave it behind in memory that
    /// is not wiped.
    pub fn on_curve(pair: &ecdh::PrivateKey) -> Self {
        Self::Private(PrivateHalf::Curve(Box::new(pair.clone())))
    }

    /// The part that a client may hold, as in [`KeyRef::encrypting_half`].
    pub fn into_encrypting_half(self) -> EncryptingKey {
        match self {
            Self::Secret(key) => EncryptingKey::Secret(key),
            Self::Pad(pad) => EncryptingKey::Pad(pad),
            Self::Private(half) => EncryptingKey::Public(half.public_half()),
        }
    }
}

impl AsKey for EncryptingKey {
    fn as_key(&self) -> KeyRef<'_> {
        match self {
            Self::Secret(key) => KeyRef::Secret(key),
            Self::Pad(pad) => KeyRef::Pad(pad),
            Self::Public(half) => KeyRef::Public(half),
        }
    }
}

impl AsKey for DecryptingKey {
    fn as_key(&self) -> KeyRef<'_> {
        match self {
            Self::Secret(key) => KeyRef::Secret(key),
            Self::Pad(pad) => KeyRef::Pad(pad),
            Self::Private(half) => KeyRef::Private(half),
        }
    }
}

impl AsKey for Material {
    fn as_key(&self) -> KeyRef<'_> {
        match self {
            Self::Public(half) => KeyRef::Public(half),
            Self::Decrypting(key) => key.as_key(),
        }
    }
}

impl<'k> KeyRef<'k> {
    /// A copy of the key.
    pub fn owned(self) -> Material {
        match self {
            Self::Secret(key) => DecryptingKey::Secret(key.clone()).into(),
            Self::Pad(pad) => DecryptingKey::Pad(pad.clone()).into(),
            Self::Public(half) => Material::Public(half.clone()),
            Self::Private(half) => DecryptingKey::Private(half.clone()).into(),
        }
    }

    /// The part that a client may hold: all of a secret key, the public half of a pair.
    pub fn encrypting_half(self) -> EncryptingKey {
        match self {
            Self::Secret(key) => EncryptingKey::Secret(key.clone()),
            Self::Pad(pad) => EncryptingKey::Pad(pad.clone()),
            Self::Public(half) => EncryptingKey::Public(half.clone()),
            Self::Private(half) => EncryptingKey::Public(half.public_half()),
        }
    }

    /// The family of the key.
    pub fn family(self) -> Family {
        match self {
            Self::Secret(_) => Family::Secret,
            Self::Pad(_) => Family::Pad,
            Self::Public(PublicHalf::Rsa(_)) | Self::Private(PrivateHalf::Rsa(_)) => Family::Rsa,
            Self::Public(PublicHalf::Curve(_)) | Self::Private(PrivateHalf::Curve(_)) => {
                Family::Curve
            }
            Self::Public(PublicHalf::Knapsack(_)) | Self::Private(PrivateHalf::Knapsack(_)) => {
                Family::Knapsack
            }
        }
    }

    /// Whether the key has the type and the size that the algorithms take.
    pub fn fits(self, suite: Suite) -> bool {
        match self {
            Self::Secret(key) => suite.secret_len() == Some(key.len()),
            Self::Pad(_) | Self::Public(_) | Self::Private(_) => suite.material() == self.family(),
        }
    }

    /// Names of the standard algorithms that the key fits, in the form of a JWK's `alg`.
    pub fn algorithms(self) -> Vec<&'static str> {
        let cipher = ContentCipher::A256Gcm;
        let managing = WrapAlgorithm::ALL.into_iter().map(Alg::Wrap).chain([Alg::Agree]);
        let managing = managing.filter_map(|alg| Suite::new(alg, Enc::Cipher(cipher)));
        let direct = ContentCipher::ALL.map(|cipher| Suite::direct(Enc::Cipher(cipher)));
        let suites =
            managing.chain(direct).filter(|suite| suite.is_standard() && self.fits(*suite));
        suites.map(Suite::key_alg).collect()
    }

    /// A name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Secret(_) => "a secret key",
            Self::Pad(_) => "a one-time pad",
            Self::Public(PublicHalf::Rsa(_)) => "a public RSA key",
            Self::Public(PublicHalf::Curve(_)) => "a public elliptic-curve key",
            Self::Public(PublicHalf::Knapsack(_)) => "a public knapsack",
            Self::Private(PrivateHalf::Rsa(_)) => "a private RSA key",
            Self::Private(PrivateHalf::Curve(_)) => "a private elliptic-curve key",
            Self::Private(PrivateHalf::Knapsack(_)) => "a secret knapsack",
        }
    }

    /// Whether the key is no part of a pair: who encrypts with it can decrypt.
    pub fn is_secret_alone(self) -> bool {
        match self {
            Self::Secret(_) | Self::Pad(_) => true,
            Self::Public(_) | Self::Private(_) => false,
        }
    }

    /// The secret bytes, if it is a secret key.
    pub fn secret(self) -> Option<&'k Secret> {
        match self {
            Self::Secret(key) => Some(key),
            Self::Pad(_) | Self::Public(_) | Self::Private(_) => None,
        }
    }

    /// The pad, if it is a pad.
    pub fn pad(self) -> Option<&'k Pad> {
        match self {
            Self::Pad(pad) => Some(pad),
            Self::Secret(_) | Self::Public(_) | Self::Private(_) => None,
        }
    }

    /// The RSA private key, if it is an RSA pair.
    pub fn rsa_pair(self) -> Option<&'k rsa::PrivateKey> {
        match self {
            Self::Private(PrivateHalf::Rsa(pair)) => Some(pair),
            Self::Private(PrivateHalf::Curve(_) | PrivateHalf::Knapsack(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Public(_) => None,
        }
    }

    /// The private key on an elliptic curve, if it is such a pair.
    pub fn curve_pair(self) -> Option<&'k ecdh::PrivateKey> {
        match self {
            Self::Private(PrivateHalf::Curve(key)) => Some(key),
            Self::Private(PrivateHalf::Rsa(_) | PrivateHalf::Knapsack(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Public(_) => None,
        }
    }

    /// The secret knapsack, if it is a knapsack pair.
    pub fn knapsack(self) -> Option<&'k knapsack::PrivateKey> {
        match self {
            Self::Private(PrivateHalf::Knapsack(key)) => Some(key),
            Self::Private(PrivateHalf::Rsa(_) | PrivateHalf::Curve(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Public(_) => None,
        }
    }

    /// The RSA public key, if it is a public half alone.
    pub fn public_rsa(self) -> Option<&'k rsa::PublicKey> {
        match self {
            Self::Public(PublicHalf::Rsa(key)) => Some(key),
            Self::Public(PublicHalf::Curve(_) | PublicHalf::Knapsack(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Private(_) => None,
        }
    }

    /// The public key on an elliptic curve, if it is a public half alone.
    pub fn public_curve(self) -> Option<&'k ecdh::PublicKey> {
        match self {
            Self::Public(PublicHalf::Curve(key)) => Some(key),
            Self::Public(PublicHalf::Rsa(_) | PublicHalf::Knapsack(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Private(_) => None,
        }
    }

    /// The public knapsack, if it is a public half alone.
    pub fn public_knapsack(self) -> Option<&'k knapsack::PublicKey> {
        match self {
            Self::Public(PublicHalf::Knapsack(key)) => Some(key),
            Self::Public(PublicHalf::Rsa(_) | PublicHalf::Curve(_))
            | Self::Secret(_)
            | Self::Pad(_)
            | Self::Private(_) => None,
        }
    }

    /// Whether the key must be kept secret because it can decrypt.
    pub fn is_secret(self) -> bool {
        match self {
            Self::Public(_) => false,
            Self::Secret(_) | Self::Pad(_) | Self::Private(_) => true,
        }
    }
}

impl From<DecryptingKey> for Material {
    fn from(key: DecryptingKey) -> Self {
        Self::Decrypting(key)
    }
}

impl From<EncryptingKey> for Material {
    fn from(key: EncryptingKey) -> Self {
        match key {
            EncryptingKey::Secret(key) => Self::Decrypting(DecryptingKey::Secret(key)),
            EncryptingKey::Pad(pad) => Self::Decrypting(DecryptingKey::Pad(pad)),
            EncryptingKey::Public(half) => Self::Public(half),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SeededSource};

    #[test]
    fn a_client_gets_secret_keys_whole_and_of_pairs_the_public_half() {
        let sack = knapsack::PrivateKey::generate(&mut SeededSource::new(1).stream(0));
        let public = PublicHalf::Knapsack(Box::new(sack.public_key().clone()));
        let pair = DecryptingKey::Private(PrivateHalf::Knapsack(Box::new(sack)));
        assert_eq!(pair.as_key().encrypting_half(), EncryptingKey::Public(public.clone()));
        assert_eq!(Material::from(pair.as_key().encrypting_half()), Material::Public(public));

        let pad = Pad::new(0, vec![1; 20].into()).unwrap();
        for key in [DecryptingKey::Secret(vec![7; 16].into()), DecryptingKey::Pad(pad)] {
            let written = Material::from(key.as_key().encrypting_half());
            assert_eq!(written, Material::Decrypting(key), "as it is written, both are the same");
        }
    }
}
