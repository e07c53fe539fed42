//! Keys made ready for a suite: each leads to content-encryption keys in one of a few ways.

use super::{
    KeyParams, OneOrEach, Unwrapping, Wrapping, direct, ecdh, one_time_pad, pbes2, rsa_blocks,
    rsa_oaep,
};
use crate::ciphers::Secret;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::ecdh as curves;
use crate::ciphers::rsa::{PrivateKey, PublicKey};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk, KeyRef};
use crate::protocol::jose::pad::Pad;
use crate::protocol::jose::password::{DerivedKey, OpeningPassword};
use crate::protocol::model::{KeyError, KeyUse, LineFault, Malformed, Suite, Unfit};

/// The keys of a batch, which are all used alike.
#[derive(Debug)]
pub(in crate::protocol::jose) enum Sealing<'k> {
    /// For orders under a content cipher.
    Cipher(ContentCipher, SealBy<'k>),
    /// Encrypt orders in blocks of RSA.
    Blocks(OneOrEach<&'k PublicKey>),
}

/// The key that opens an order.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol::jose) enum Opening<'k> {
    /// For orders under a content cipher.
    Cipher(ContentCipher, OpenBy<'k>),
    /// Decrypts orders in blocks of RSA.
    Blocks(&'k PrivateKey),
}

/// How keys lead to content-encryption keys.
#[derive(Debug)]
pub(in crate::protocol::jose) enum SealBy<'k> {
    /// They are the content-encryption keys.
    Direct(OneOrEach<&'k Secret>),
    /// Each encrypts one order, from the first byte of the pad.
    Pad(Vec<&'k Pad>),
    /// Content-encryption keys are agreed on with them.
    Agree(OneOrEach<&'k curves::PublicKey>),
    /// They wrap content-encryption keys.
    Wrap(Wrapping<'k>),
}

/// How a key leads to a content-encryption key.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol::jose) enum OpenBy<'k> {
    /// It is the content-encryption key.
    Direct(&'k Secret),
    /// It decrypts orders, each with its own piece of the pad.
    Pad(&'k Pad),
    /// Content-encryption keys are agreed on with it.
    Agree(&'k curves::PrivateKey),
    /// It unwraps content-encryption keys.
    Wrap(Unwrapping<'k>),
}

impl<'k> Sealing<'k> {
    /// Prepares keys for a suite.
    ///
    /// # Errors
    /// [`KeyError`] for the first key that does not fit or that the cipher refuses.
    pub(in crate::protocol::jose) fn prepare(
        keys: &OneOrEach<&'k Jwk<EncryptingKey>>,
        suite: Suite,
    ) -> Result<Self, KeyError> {
        let (cipher, by) = match suite.key_use() {
            KeyUse::Direct(cipher) => {
                let ready = |key: &&'k Jwk<_>| direct::sealing_key(&key.material, cipher, suite);
                (cipher, SealBy::Direct(keys.try_map(ready)?))
            }
            KeyUse::Pad(cipher) => {
                let pads = keys.try_map(|key| one_time_pad::sealing_key(&key.material, suite))?;
                (cipher, SealBy::Pad(pads.into_vec()))
            }
            KeyUse::Agree(cipher) => {
                let keys = keys.try_map(|key| ecdh::sealing_key(&key.material, suite))?;
                (cipher, SealBy::Agree(keys))
            }
            KeyUse::Password(own, _) => return Err(Unfit::Password(own).into()),
            KeyUse::Wrap(algorithm, cipher) => {
                (cipher, SealBy::Wrap(Wrapping::prepare(keys, algorithm, suite)?))
            }
            KeyUse::Blocks => {
                let keys = keys.try_map(|key| rsa_oaep::wrapping_key(&key.material, suite))?;
                return Ok(Self::Blocks(keys));
            }
        };
        Ok(Self::Cipher(cipher, by))
    }

    /// Prepares a key that was derived from a password.
    ///
    /// # Errors
    /// [`Unfit::Suite`] if it is for other algorithms.
    pub(in crate::protocol::jose) fn by_password(
        key: &'k DerivedKey,
        suite: Suite,
    ) -> Result<Self, KeyError> {
        match suite.key_use() {
            KeyUse::Password(own, cipher) if own == key.algorithm() => {
                let keks = OneOrEach::One(pbes2::wrapping_key(key));
                Ok(Self::Cipher(cipher, SealBy::Wrap(Wrapping::AesKw(keks))))
            }
            KeyUse::Direct(_)
            | KeyUse::Pad(_)
            | KeyUse::Blocks
            | KeyUse::Agree(_)
            | KeyUse::Password(..)
            | KeyUse::Wrap(..) => Err(Unfit::Suite { key: "a password", suite }.into()),
        }
    }
}

impl<'k> Opening<'k> {
    /// Prepares a key for a suite.
    ///
    /// # Errors
    /// [`KeyError`] if the key does not fit.
    pub(in crate::protocol::jose) fn prepare(
        key: KeyRef<'k>,
        suite: Suite,
    ) -> Result<Self, KeyError> {
        let (cipher, by) = match suite.key_use() {
            KeyUse::Direct(cipher) => {
                (cipher, OpenBy::Direct(direct::opening_key(key, cipher, suite)?))
            }
            KeyUse::Pad(cipher) => (cipher, OpenBy::Pad(one_time_pad::opening_key(key, suite)?)),
            KeyUse::Agree(cipher) => (cipher, OpenBy::Agree(ecdh::opening_key(key, suite)?)),
            KeyUse::Password(own, _) => return Err(Unfit::Password(own).into()),
            KeyUse::Wrap(algorithm, cipher) => {
                (cipher, OpenBy::Wrap(Unwrapping::prepare(key, algorithm, suite)?))
            }
            KeyUse::Blocks => return Ok(Self::Blocks(rsa_oaep::unwrapping_key(key, suite)?)),
        };
        Ok(Self::Cipher(cipher, by))
    }

    /// Prepares a password for an order under this cipher.
    pub(in crate::protocol::jose) fn by_password(
        password: &'k OpeningPassword,
        cipher: ContentCipher,
    ) -> Self {
        Self::Cipher(cipher, OpenBy::Wrap(Unwrapping::Password(password)))
    }

    /// Lengths in bytes of an order's initialization vector and tag.
    pub(in crate::protocol::jose) fn lengths(self) -> (usize, usize) {
        match self {
            Self::Cipher(cipher, _) => (cipher.iv_len(), cipher.tag_len()),
            Self::Blocks(_) => (rsa_blocks::IV_LEN, 0),
        }
    }

    /// Checks what the algorithms require of a line, apart from lengths.
    pub(in crate::protocol::jose) fn check(
        self,
        params: &KeyParams,
        has_encrypted_key: bool,
        has_chain: bool,
    ) -> Result<(), Malformed> {
        let beside = match self {
            Self::Cipher(_, OpenBy::Wrap(key)) => return key.check(params),
            Self::Cipher(_, OpenBy::Direct(_)) => None,
            Self::Cipher(_, OpenBy::Agree(key)) => {
                ecdh::check(key, params)?;
                Some("direct key agreement")
            }
            Self::Cipher(_, OpenBy::Pad(_)) => Some("a pad"),
            Self::Blocks(_) => Some("RSA blocks"),
        };
        if has_encrypted_key {
            return Err(LineFault::KeyBesideDirect.into());
        }
        match beside.filter(|_| has_chain) {
            Some(found) => Err(LineFault::ChainBeside(found).into()),
            None => Ok(()),
        }
    }
}

impl SealBy<'_> {
    /// Number of orders worth sealing together to fill the lanes of a cipher that wraps keys.
    pub(in crate::protocol::jose) fn at_once(&self) -> usize {
        match self {
            Self::Wrap(keys) => keys.at_once(),
            Self::Direct(_) | Self::Agree(_) | Self::Pad(_) => 1,
        }
    }
}
