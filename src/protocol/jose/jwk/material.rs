//! Keys by what they can do. A client holds [`EncryptingKey`]s, which are derived from the
//! service's [`DecryptingKey`]s by one total match.

use crate::ciphers::{Secret, knapsack, rsa};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Family, Kind};

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
    /// `MH-KNAPSACK` without the secret knapsack.
    Knapsack(Box<knapsack::PublicKey>),
}

/// The private half of a pair; it includes the public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateHalf {
    /// `RSA` with private numbers.
    Rsa(Box<rsa::PrivateKey>),
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
            Self::Knapsack(key) => PublicHalf::Knapsack(Box::new(key.public_key().clone())),
        }
    }
}

impl DecryptingKey {
    /// The part that a client may hold: all of a secret key, the public half of a pair.
    pub fn encrypting_half(&self) -> EncryptingKey {
        match self {
            Self::Secret(key) => EncryptingKey::Secret(key.clone()),
            Self::Pad(pad) => EncryptingKey::Pad(pad.clone()),
            Self::Private(half) => EncryptingKey::Public(half.public_half()),
        }
    }
}

impl EncryptingKey {
    /// A name for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Secret(_) => SECRET,
            Self::Pad(_) => PAD,
            Self::Public(half) => half.name(),
        }
    }

    /// The secret bytes, if it is a secret key.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(key) => Some(key),
            Self::Pad(_) | Self::Public(_) => None,
        }
    }

    /// The pad, if it is a pad.
    pub fn pad(&self) -> Option<&Pad> {
        match self {
            Self::Pad(pad) => Some(pad),
            Self::Secret(_) | Self::Public(_) => None,
        }
    }

    /// The RSA public key, if it is one.
    pub fn rsa(&self) -> Option<&rsa::PublicKey> {
        match self {
            Self::Public(PublicHalf::Rsa(key)) => Some(key),
            Self::Public(PublicHalf::Knapsack(_)) | Self::Secret(_) | Self::Pad(_) => None,
        }
    }

    /// The public knapsack, if it is one.
    pub fn knapsack(&self) -> Option<&knapsack::PublicKey> {
        match self {
            Self::Public(PublicHalf::Knapsack(key)) => Some(key),
            Self::Public(PublicHalf::Rsa(_)) | Self::Secret(_) | Self::Pad(_) => None,
        }
    }
}

impl PublicHalf {
    fn name(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "a public RSA key",
            Self::Knapsack(_) => "a public knapsack",
        }
    }

    fn family(&self) -> Family {
        match self {
            Self::Rsa(_) => Family::Rsa,
            Self::Knapsack(_) => Family::Knapsack,
        }
    }
}

impl PrivateHalf {
    fn name(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "a private RSA key",
            Self::Knapsack(_) => "a secret knapsack",
        }
    }

    fn family(&self) -> Family {
        match self {
            Self::Rsa(_) => Family::Rsa,
            Self::Knapsack(_) => Family::Knapsack,
        }
    }
}

impl Material {
    /// The family of the key.
    pub fn family(&self) -> Family {
        match self {
            Self::Public(half) => half.family(),
            Self::Decrypting(key) => match key {
                DecryptingKey::Secret(_) => Family::Secret,
                DecryptingKey::Pad(_) => Family::Pad,
                DecryptingKey::Private(half) => half.family(),
            },
        }
    }

    /// Whether it is a secret key or a pair.
    pub fn kind(&self) -> Kind {
        self.family().kind()
    }

    /// A name for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Public(half) => half.name(),
            Self::Decrypting(key) => match key {
                DecryptingKey::Secret(_) => SECRET,
                DecryptingKey::Pad(_) => PAD,
                DecryptingKey::Private(half) => half.name(),
            },
        }
    }

    /// The part that a client may hold: all but the private half of a pair.
    pub fn encrypting_half(&self) -> EncryptingKey {
        match self {
            Self::Public(half) => EncryptingKey::Public(half.clone()),
            Self::Decrypting(key) => key.encrypting_half(),
        }
    }

    /// The secret bytes, if it is a secret key.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Decrypting(DecryptingKey::Secret(key)) => Some(key),
            Self::Decrypting(DecryptingKey::Pad(_) | DecryptingKey::Private(_))
            | Self::Public(_) => None,
        }
    }

    /// The pad, if it is a pad.
    pub fn pad(&self) -> Option<&Pad> {
        match self {
            Self::Decrypting(DecryptingKey::Pad(pad)) => Some(pad),
            Self::Decrypting(DecryptingKey::Secret(_) | DecryptingKey::Private(_))
            | Self::Public(_) => None,
        }
    }

    /// The private half, if it is a pair.
    pub fn private_half(&self) -> Option<&PrivateHalf> {
        match self {
            Self::Decrypting(DecryptingKey::Private(half)) => Some(half),
            Self::Decrypting(DecryptingKey::Secret(_) | DecryptingKey::Pad(_))
            | Self::Public(_) => None,
        }
    }

    /// The RSA private key, if it is an RSA pair.
    pub fn rsa_pair(&self) -> Option<&rsa::PrivateKey> {
        match self.private_half()? {
            PrivateHalf::Rsa(pair) => Some(pair),
            PrivateHalf::Knapsack(_) => None,
        }
    }

    /// The secret knapsack, if it is a knapsack pair.
    pub fn knapsack(&self) -> Option<&knapsack::PrivateKey> {
        match self.private_half()? {
            PrivateHalf::Knapsack(key) => Some(key),
            PrivateHalf::Rsa(_) => None,
        }
    }

    /// Whether the key must be kept secret because it can decrypt.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Public(_) => false,
            Self::Decrypting(_) => true,
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

const SECRET: &str = "a secret key";
const PAD: &str = "a one-time pad";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, SeededSource};

    #[test]
    fn a_client_gets_secret_keys_whole_and_of_pairs_the_public_half() {
        let sack = knapsack::PrivateKey::generate(&mut SeededSource::new(1).stream(0));
        let public = PublicHalf::Knapsack(Box::new(sack.public_key().clone()));
        let pair = DecryptingKey::Private(PrivateHalf::Knapsack(Box::new(sack)));
        assert_eq!(pair.encrypting_half(), EncryptingKey::Public(public.clone()));
        assert_eq!(Material::from(pair.encrypting_half()), Material::Public(public));

        let pad = Pad::new(0, vec![1; 20].into()).unwrap();
        for key in [DecryptingKey::Secret(vec![7; 16].into()), DecryptingKey::Pad(pad)] {
            let written = Material::from(key.encrypting_half());
            assert_eq!(written, Material::Decrypting(key), "as it is written, both are the same");
        }
    }
}
