//! Keys prepared for sealing.

use super::header::{Carries, HeaderText};
use crate::ciphers::Secret;
use crate::ciphers::content::ContentCipher;
use crate::ciphers::knapsack;
use crate::ciphers::rsa::PublicKey;
use crate::ciphers::wrap::{OneOrEach, WrapAlgorithm, WrappingKeys};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk, PublicHalf};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{KeyTrouble, KeyUse, Kid, Suite, Unfit};

/// The distributed keys of a batch, prepared for one suite, with their header members: one for all
/// orders, or one for each. Keys are borrowed, as at transaction scope there are as many as orders.
#[derive(Debug)]
pub struct SealingKeys<'k> {
    pub(super) ready: Ready<'k>,
    kids: OneOrEach<Option<&'k Kid>>,
    suite: Suite,
    carries: Carries,
}

type Keys<'k> = OneOrEach<&'k Jwk<EncryptingKey>>;

/// The keys of a batch by how they are used; all are used alike.
#[derive(Debug)]
pub(super) enum Ready<'k> {
    /// Encrypt orders directly.
    Direct(ContentCipher, OneOrEach<&'k Secret>),
    /// Encrypt one order each, from the first byte of the pad.
    Pads(ContentCipher, Vec<&'k Pad>),
    /// Wrap content-encryption keys.
    Wrap(ContentCipher, WrappingKeys<'k>),
    /// Encrypt orders in blocks of RSA.
    Blocks(OneOrEach<&'k PublicKey>),
}

impl<'k> SealingKeys<'k> {
    /// Prepares one key for all orders. A pad can seal one order only.
    ///
    /// # Errors
    /// [`KeyTrouble`] if the key does not fit the algorithms, or the cipher refuses it.
    pub fn one(
        key: &'k Jwk<EncryptingKey>,
        suite: Suite,
        carries: Carries,
    ) -> Result<Self, KeyTrouble> {
        Self::new(&OneOrEach::One(key), suite, carries)
    }

    /// Prepares one key for each order, in the same order.
    ///
    /// # Errors
    /// As [`one`](Self::one), for the first key that does not fit.
    pub fn each(
        keys: &'k [Jwk<EncryptingKey>],
        suite: Suite,
        carries: Carries,
    ) -> Result<Self, KeyTrouble> {
        Self::new(&OneOrEach::Each(keys.iter().collect()), suite, carries)
    }

    fn new(keys: &Keys<'k>, suite: Suite, carries: Carries) -> Result<Self, KeyTrouble> {
        let kids = keys.map(|key| key.kid.as_ref());
        Ok(Self { ready: Ready::new(keys, suite)?, kids, suite, carries })
    }

    /// Checks that there is a key for each order.
    ///
    /// # Errors
    /// [`KeyTrouble::Unfit`].
    pub(super) fn check_count(&self, orders: usize) -> Result<(), KeyTrouble> {
        let keys = match (&self.ready, &self.kids) {
            (Ready::Pads(_, pads), _) => pads.len(),
            (_, OneOrEach::Each(kids)) => kids.len(),
            (_, OneOrEach::One(_)) => orders,
        };
        match keys == orders {
            true => Ok(()),
            false => Err(Unfit::Counts { keys, orders }.into()),
        }
    }

    /// Whether all lines have the same header, except for members that belong to one order.
    pub(super) fn have_one_header(&self) -> bool {
        match &self.kids {
            OneOrEach::One(_) => true,
            OneOrEach::Each(_) => false,
        }
    }

    /// Begins the header of line `index`.
    pub(super) fn begin_header(&self, index: usize, header: &mut HeaderText) {
        header.begin(self.suite, *self.kids.of(index));
        if let Some((name, value)) = self.carries.member() {
            header.text(name, value);
        }
    }
}

impl<'k> Ready<'k> {
    fn new(keys: &Keys<'k>, suite: Suite) -> Result<Self, KeyTrouble> {
        Ok(match suite.key_use() {
            KeyUse::Direct(cipher) => {
                let ready = |key: &&'k Jwk<_>| {
                    let key = secret(&key.material, suite)?;
                    cipher.check_key(key)?;
                    Ok::<_, KeyTrouble>(key)
                };
                Self::Direct(cipher, keys.try_map(ready)?)
            }
            KeyUse::Pad(cipher) => {
                let pads = keys.try_map(|key| pad(&key.material, suite))?;
                Self::Pads(cipher, pads.into_vec())
            }
            KeyUse::Wrap(algorithm, cipher) => {
                Self::Wrap(cipher, wrapping_keys(keys, suite, algorithm)?)
            }
            KeyUse::Blocks => Self::Blocks(keys.try_map(|key| rsa(&key.material, suite))?),
        })
    }
}

fn wrapping_keys<'k>(
    keys: &Keys<'k>,
    suite: Suite,
    algorithm: WrapAlgorithm,
) -> Result<WrappingKeys<'k>, KeyTrouble> {
    Ok(match algorithm {
        WrapAlgorithm::A128Kw => WrappingKeys::A128Kw(sized(keys, suite, algorithm)?),
        WrapAlgorithm::A256Kw => WrappingKeys::A256Kw(sized(keys, suite, algorithm)?),
        WrapAlgorithm::A128GcmKw => WrappingKeys::A128GcmKw(sized(keys, suite, algorithm)?),
        WrapAlgorithm::A256GcmKw => WrappingKeys::A256GcmKw(sized(keys, suite, algorithm)?),
        WrapAlgorithm::RsaOaep256 => {
            WrappingKeys::Rsa(keys.try_map(|key| rsa(&key.material, suite))?)
        }
        WrapAlgorithm::MhKnapsack => {
            WrappingKeys::Knapsack(keys.try_map(|key| knapsack(&key.material, suite))?)
        }
    })
}

fn sized<'k, const N: usize>(
    keys: &Keys<'k>,
    suite: Suite,
    algorithm: WrapAlgorithm,
) -> Result<OneOrEach<&'k [u8; N]>, KeyTrouble> {
    keys.try_map(|key| Ok(algorithm.sized(secret(&key.material, suite)?)?))
}

fn secret(key: &EncryptingKey, suite: Suite) -> Result<&Secret, KeyTrouble> {
    match key {
        EncryptingKey::Secret(secret) => Ok(secret),
        EncryptingKey::Pad(_) | EncryptingKey::Public(_) => Err(unfit(key.name(), suite)),
    }
}

fn pad(key: &EncryptingKey, suite: Suite) -> Result<&Pad, KeyTrouble> {
    match key {
        EncryptingKey::Pad(pad) => Ok(pad),
        EncryptingKey::Secret(_) | EncryptingKey::Public(_) => Err(unfit(key.name(), suite)),
    }
}

fn rsa(key: &EncryptingKey, suite: Suite) -> Result<&PublicKey, KeyTrouble> {
    match key {
        EncryptingKey::Public(PublicHalf::Rsa(key)) => Ok(key),
        EncryptingKey::Public(PublicHalf::Knapsack(_))
        | EncryptingKey::Secret(_)
        | EncryptingKey::Pad(_) => Err(unfit(key.name(), suite)),
    }
}

fn knapsack(key: &EncryptingKey, suite: Suite) -> Result<&knapsack::PublicKey, KeyTrouble> {
    match key {
        EncryptingKey::Public(PublicHalf::Knapsack(key)) => Ok(key),
        EncryptingKey::Public(PublicHalf::Rsa(_))
        | EncryptingKey::Secret(_)
        | EncryptingKey::Pad(_) => Err(unfit(key.name(), suite)),
    }
}

/// The error for a key of the wrong kind.
pub(super) fn unfit(key: &'static str, suite: Suite) -> KeyTrouble {
    Unfit::Suite { key, suite }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, Origin, SeededSource};
    use crate::protocol::jose::jwe::{Failure, Sealer};
    use crate::protocol::jose::jwk::Usage;

    fn jwk(material: EncryptingKey) -> Jwk<EncryptingKey> {
        Jwk { kid: None, alg: None, usage: Usage::Unsaid, origin: Origin::System, material }
    }

    fn secret(len: usize) -> Jwk<EncryptingKey> {
        jwk(EncryptingKey::Secret(vec![7; len].into()))
    }

    fn pad() -> Jwk<EncryptingKey> {
        jwk(EncryptingKey::Pad(Pad::new(0, vec![7; 116].into()).unwrap()))
    }

    fn suite(alg: &str, enc: &str) -> Suite {
        Suite::of_header(alg, enc).unwrap()
    }

    #[test]
    fn a_key_that_does_not_fit_the_suite_of_the_batch_is_refused() {
        let refused = |keys: &[Jwk<EncryptingKey>], suite| {
            let made = SealingKeys::each(keys, suite, Carries::Order);
            assert!(made.is_err(), "{suite}");
        };
        refused(&[secret(32), secret(16)], suite("dir", "A256GCM"));
        refused(&[secret(32), secret(16)], suite("A256KW", "A256GCM"));
        refused(&[secret(16), secret(32)], suite("A128GCMKW", "A256GCM"));
        refused(&[secret(32), pad()], suite("A256KW", "A256GCM"));
        refused(&[pad(), secret(32)], suite("dir", "VERNAM-HS256"));
        refused(&[secret(32)], suite("RSA-OAEP-256", "A256GCM"));
        refused(&[secret(32)], suite("dir", "RSA-OAEP-256-BOUND-BLOCKS"));
    }

    #[test]
    fn there_is_a_key_for_each_order() {
        let seal = |keys: Result<SealingKeys<'_>, KeyTrouble>, orders: usize| {
            let (mut lines, mut rng) = (Vec::new(), SeededSource::new(7).stream(0));
            let orders = vec![&b"order"[..]; orders];
            let sealed = Sealer::default().seal(&orders, &keys.unwrap(), 0, &mut rng, &mut lines);
            let lines = lines.iter().filter(|&&byte| byte == b'\n').count();
            match sealed {
                Ok(()) => Ok(lines),
                Err((0, Failure::Key(trouble))) if lines == 0 => Err(trouble.to_string()),
                Err(other) => panic!("{other:?}, {lines} lines"),
            }
        };
        let (secrets, pads) = ([secret(32), secret(32)], [pad(), pad()]);
        for (keys, suite) in
            [(&secrets, suite("dir", "A256GCM")), (&pads, suite("dir", "VERNAM-HS256"))]
        {
            let each = || SealingKeys::each(keys, suite, Carries::Order);
            assert_eq!(seal(each(), 2), Ok(2));
            for orders in [1, 3] {
                let refusal = format!("the numbers of keys (2) and of orders ({orders}) differ");
                assert_eq!(seal(each(), orders), Err(refusal));
            }
        }
        let one = SealingKeys::one(&secrets[0], suite("A256KW", "A256GCM"), Carries::Order);
        assert_eq!(seal(one, 3), Ok(3));
        // The second order would be encrypted under the same bytes of the pad.
        let one = SealingKeys::one(&pads[0], suite("dir", "VERNAM-HS256"), Carries::Order);
        assert_eq!(
            seal(one, 2),
            Err("the numbers of keys (1) and of orders (2) differ".to_owned())
        );
    }
}
