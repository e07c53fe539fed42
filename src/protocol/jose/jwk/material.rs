//! Key material: what it is, what it can do, and which half of it a client may hold.

use crate::ciphers::{Secret, knapsack, rsa};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{Family, Kind};

/// The key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// `oct`: a secret key.
    Secret(Secret),
    /// `oct` for a cipher that takes a pad: a MAC key and a pad, or a piece of one.
    Pad(Pad),
    /// `RSA` without private numbers.
    PublicRsa(Box<rsa::PublicKey>),
    /// `RSA` with private numbers.
    PrivateRsa(Box<rsa::PrivateKey>),
    /// `MH-KNAPSACK` without the secret knapsack.
    PublicKnapsack(Box<knapsack::PublicKey>),
    /// `MH-KNAPSACK` with the secret knapsack.
    PrivateKnapsack(Box<knapsack::PrivateKey>),
}

impl Material {
    /// What family it is of.
    pub fn family(&self) -> Family {
        match self {
            Self::Secret(_) => Family::Secret,
            Self::Pad(_) => Family::Pad,
            Self::PublicRsa(_) | Self::PrivateRsa(_) => Family::Rsa,
            Self::PublicKnapsack(_) | Self::PrivateKnapsack(_) => Family::Knapsack,
        }
    }

    /// Secret key or pair.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Secret(_) | Self::Pad(_) => Kind::Secret,
            _ => Kind::Public,
        }
    }

    /// What it is, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Secret(_) => "a secret key",
            Self::Pad(_) => "a one-time pad",
            Self::PublicRsa(_) => "a public RSA key",
            Self::PrivateRsa(_) => "a private RSA key",
            Self::PublicKnapsack(_) => "a public knapsack",
            Self::PrivateKnapsack(_) => "a secret knapsack",
        }
    }

    /// The public RSA key in it, if there is one.
    pub fn public_rsa(&self) -> Option<&rsa::PublicKey> {
        match self {
            Self::PublicRsa(key) => Some(key),
            Self::PrivateRsa(pair) => Some(pair.public()),
            Self::Secret(_) | Self::Pad(_) | Self::PublicKnapsack(_) | Self::PrivateKnapsack(_) => {
                None
            }
        }
    }

    /// The public knapsack in it, if there is one.
    pub fn public_knapsack(&self) -> Option<&knapsack::PublicKey> {
        match self {
            Self::PublicKnapsack(key) => Some(key),
            Self::PrivateKnapsack(key) => Some(key.public_key()),
            Self::Secret(_) | Self::Pad(_) | Self::PublicRsa(_) | Self::PrivateRsa(_) => None,
        }
    }

    /// What a client may hold of it: all of a secret key, the public half of a pair.
    pub fn encrypting_half(&self) -> Self {
        match self {
            Self::PrivateRsa(pair) => Self::PublicRsa(Box::new(pair.public().clone())),
            Self::PrivateKnapsack(key) => Self::PublicKnapsack(Box::new(key.public_key().clone())),
            Self::Secret(_) | Self::Pad(_) | Self::PublicRsa(_) | Self::PublicKnapsack(_) => {
                self.clone()
            }
        }
    }

    /// Whether whoever reads it could decrypt.
    pub fn is_secret(&self) -> bool {
        !matches!(self, Self::PublicRsa(_) | Self::PublicKnapsack(_))
    }

    /// Whether it is the private half of a pair.
    pub fn is_private_half(&self) -> bool {
        matches!(self, Self::PrivateRsa(_) | Self::PrivateKnapsack(_))
    }
}
