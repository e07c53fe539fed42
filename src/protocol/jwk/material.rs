//! Key material: what it is, what it can do, and which half of it a client may hold.

use std::fmt;

use zeroize::Zeroizing;

use crate::ciphers::{Secret, knapsack, rsa};
use crate::protocol::Kind;
use crate::protocol::pad::Pad;

/// The key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// `oct`: a secret key.
    Secret(Secret),
    /// `oct` for a cipher that takes a pad: a MAC key and a pad, or a piece of one.
    Pad(Pad),
    /// `RSA` without private numbers.
    PublicRsa {
        /// Modulus, big-endian.
        n: Vec<u8>,
        /// Public exponent, big-endian.
        e: Vec<u8>,
    },
    /// `RSA` with private numbers.
    PrivateRsa(Box<RsaNumbers>),
    /// `MH-KNAPSACK` without the secret knapsack.
    PublicKnapsack(Vec<u8>),
    /// `MH-KNAPSACK` with the secret knapsack.
    PrivateKnapsack {
        /// The public one.
        public: Vec<u8>,
        /// The secret one.
        secret: Secret,
    },
}

/// Keys that serve the same algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Secret bytes.
    Secret,
    /// A one-time pad.
    Pad,
    /// RSA, either half.
    Rsa,
    /// Knapsacks, either half.
    Knapsack,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "a secret key",
            Self::Pad => "a one-time pad",
            Self::Rsa => "an RSA key",
            Self::Knapsack => "a knapsack",
        })
    }
}

/// The numbers of a private RSA key as RFC 7518 section 6.3 names them, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaNumbers {
    /// Modulus.
    pub n: Vec<u8>,
    /// Public exponent.
    pub e: Vec<u8>,
    /// Private exponent.
    pub d: Secret,
    /// The prime factors p and q; recovered where a key comes without them.
    pub primes: Option<[Secret; 2]>,
    /// d mod (p − 1), d mod (q − 1) and q⁻¹ mod p.
    pub crt: Option<[Secret; 3]>,
}

impl Material {
    /// The numbers of a pair that was made here.
    pub fn of_pair(pair: &rsa::PrivateKey) -> Self {
        let secret = |bytes: Zeroizing<Vec<u8>>| Secret::from(&bytes[..]);
        let e = pair.public().exponent().to_be_bytes();
        let zeros = e.iter().take_while(|&&byte| byte == 0).count();
        Self::PrivateRsa(Box::new(RsaNumbers {
            n: pair.public().modulus_be_bytes(),
            e: e[zeros..].to_vec(),
            d: secret(pair.d()),
            primes: Some([secret(pair.p()), secret(pair.q())]),
            crt: Some([secret(pair.dp()), secret(pair.dq()), secret(pair.qi())]),
        }))
    }

    /// What family it is of.
    pub fn family(&self) -> Family {
        match self {
            Self::Secret(_) => Family::Secret,
            Self::Pad(_) => Family::Pad,
            Self::PublicRsa { .. } | Self::PrivateRsa(_) => Family::Rsa,
            Self::PublicKnapsack(_) | Self::PrivateKnapsack { .. } => Family::Knapsack,
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
            Self::PublicRsa { .. } => "a public RSA key",
            Self::PrivateRsa(_) => "a private RSA key",
            Self::PublicKnapsack(_) => "a public knapsack",
            Self::PrivateKnapsack { .. } => "a secret knapsack",
        }
    }

    /// The public RSA key in it, if there is one; an error says why it is not usable.
    pub fn public_rsa(&self) -> Option<Result<rsa::PublicKey, String>> {
        let (n, e) = match self {
            Self::PublicRsa { n, e } => (n, e),
            Self::PrivateRsa(numbers) => (&numbers.n, &numbers.e),
            _ => return None,
        };
        Some(rsa::PublicKey::from_be_bytes(n, e).map_err(|error| error.to_string()))
    }

    /// The private RSA key in it, if there is one; an error says why it is not usable.
    pub fn private_rsa(&self) -> Option<Result<rsa::PrivateKey, String>> {
        match self {
            Self::PrivateRsa(numbers) => Some(numbers.to_key().map_err(|error| error.to_string())),
            _ => None,
        }
    }

    /// The public knapsack in it, if there is one; an error says why it is not usable.
    pub fn public_knapsack(&self) -> Option<Result<knapsack::PublicKey, String>> {
        match self {
            Self::PublicKnapsack(bytes) | Self::PrivateKnapsack { public: bytes, .. } => {
                let key = knapsack::PublicKey::from_bytes(bytes);
                Some(key.map_err(|error| error.to_string()))
            }
            _ => None,
        }
    }

    /// The secret knapsack in it, if there is one; an error says why it is not usable.
    pub fn private_knapsack(&self) -> Option<Result<knapsack::PrivateKey, String>> {
        match self {
            Self::PrivateKnapsack { secret, .. } => {
                let key = knapsack::PrivateKey::from_bytes(secret);
                Some(key.map_err(|error| error.to_string()))
            }
            _ => None,
        }
    }

    /// What a client may hold of it: all of a secret key, the public half of a pair.
    pub fn encrypting_half(&self) -> Self {
        match self {
            Self::PrivateRsa(numbers) => {
                Self::PublicRsa { n: numbers.n.clone(), e: numbers.e.clone() }
            }
            Self::PrivateKnapsack { public, .. } => Self::PublicKnapsack(public.clone()),
            other => other.clone(),
        }
    }

    /// Whether whoever reads it could decrypt.
    pub fn is_secret(&self) -> bool {
        !matches!(self, Self::PublicRsa { .. } | Self::PublicKnapsack(_))
    }

    /// Whether it is the private half of a pair.
    pub fn is_private_half(&self) -> bool {
        matches!(self, Self::PrivateRsa(_) | Self::PrivateKnapsack { .. })
    }
}

impl RsaNumbers {
    fn to_key(&self) -> Result<rsa::PrivateKey, rsa::KeyError> {
        let (n, e, d) = (&self.n[..], &self.e[..], &self.d[..]);
        match (&self.primes, &self.crt) {
            (Some([p, q]), Some([dp, dq, qi])) => {
                rsa::PrivateKey::from_components(&rsa::Components { n, e, d, p, q, dp, dq, qi })
            }
            (Some([p, q]), None) => rsa::PrivateKey::complete(n, e, d, Some([p, q])),
            (None, _) => rsa::PrivateKey::complete(n, e, d, None),
        }
    }
}
