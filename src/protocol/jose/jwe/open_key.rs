//! The key that opens an order: its algorithms, and its preparation for use.

use std::fmt::Debug;

use super::{Failure, Header};
use crate::protocol::jose::alg::Opening;
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Material};
use crate::protocol::model::{Alg, KeyTrouble, Suite, Task, WrapAlgorithm};

type Checked<T> = Result<T, KeyTrouble>;

/// A set of keys for opening orders.
pub trait KeyLookup: Debug + Sync {
    /// Chooses the key that a header names, for the algorithms that it names. `guess` is the number
    /// of the key that is likely to be next; where orders come in the order of their keys, it saves
    /// the search by name.
    ///
    /// # Errors
    /// [`Failure::Key`].
    fn choose(&self, header: &Header<'_>, guess: usize) -> Result<Chosen<'_>, Failure>;
}

/// The algorithms that a key may be used with.
#[derive(Debug)]
pub(in crate::protocol) enum Algorithms {
    /// This suite, as the key file specifies.
    Fixed(Suite),
    /// This wrapping algorithm with any content cipher; weak ciphers only if they are allowed. A
    /// lone key specifies no more.
    AnyContent(WrapAlgorithm),
    /// Any algorithms that an order names, if they fit the key and are standard: neither weak,
    /// private nor derived from a password. A foreign key may specify nothing, and the user chose it.
    Unsaid,
}

/// The key chosen for a header.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'k> {
    /// Its number in the set of keys.
    pub(super) number: usize,
    /// The key itself, with the order's content cipher.
    pub(super) ready: Opening<'k>,
}

impl<'k> Chosen<'k> {
    /// Prepares a key with these algorithms for an order that names some of them.
    ///
    /// # Errors
    /// [`KeyTrouble`] if the key may not be used for the order.
    pub(in crate::protocol) fn new(
        number: usize,
        key: &'k Jwk,
        algorithms: &Algorithms,
        header: &Header<'_>,
        allow_weak: bool,
    ) -> Checked<Self> {
        let suite = algorithms.suite(key, header, allow_weak)?;
        key.check_usage(suite, Task::Open)?;
        Ok(Self { number, ready: Opening::prepare(&key.material, suite)? })
    }
}

impl Algorithms {
    /// The algorithms that the order names, if the key may be used with them.
    fn suite(&self, key: &Jwk, header: &Header<'_>, allow_weak: bool) -> Checked<Suite> {
        if let Self::Fixed(own) = self
            && own.alg().name() == header.alg
            && own.enc().name() == header.enc
        {
            return Ok(*own);
        }
        let asked = Suite::of_header(&header.alg, &header.enc)?;
        let is_for_it = match self {
            Self::Fixed(_) => false,
            Self::AnyContent(own) => {
                asked.alg() == Alg::Wrap(*own) && (allow_weak || !asked.enc().is_weak())
            }
            Self::Unsaid => asked.is_standard() && fits(key, asked),
        };
        match is_for_it {
            true => Ok(asked),
            false => Err(self.other(key, asked)),
        }
    }

    fn other(&self, key: &Jwk, asked: Suite) -> KeyTrouble {
        let own = match self {
            Self::Fixed(own) => own.to_string(),
            Self::AnyContent(own) if asked.alg() == Alg::Wrap(*own) => {
                return KeyTrouble::Weak(asked.enc().name());
            }
            Self::AnyContent(own) => own.name().to_owned(),
            Self::Unsaid => "standard algorithms of its type and size".to_owned(),
        };
        KeyTrouble::OtherAlgorithm { key: key.words(), own, asked }
    }
}

fn fits(key: &Jwk, suite: Suite) -> bool {
    match &key.material {
        Material::Decrypting(DecryptingKey::Secret(key)) => suite.secret_len() == Some(key.len()),
        Material::Decrypting(DecryptingKey::Pad(_) | DecryptingKey::Private(_))
        | Material::Public(_) => suite.material() == key.material.family(),
    }
}
