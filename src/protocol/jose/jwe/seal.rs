//! Sealing a block of orders.

mod group;

use rand::Rng;

use self::group::Group;
use super::{Carries, Failure, Provenance, Shape, Spread, Stage, TypedKey, Watch, provenance};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::PublicKey;
use crate::protocol::jose::alg::{KeyParams, OneOrEach, SealBy, Sealing, rsa_blocks};
use crate::protocol::jose::batch::{self, BatchMark};
use crate::protocol::jose::json::ObjectText;
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::jose::password::DerivedKey;
use crate::protocol::jose::run::{in_turn, unwatched};
use crate::protocol::model::{KeyError, Kid, Malformed, Suite, Unfit};

/// Maximum number of bytes of orders sealed side by side, so that they stay in the cache.
const GROUP_BYTES: usize = 256 << 10;

/// Settings for sealing, independent of the key.
pub struct Sealer {
    /// Content-encryption keys per order; chained if more than one.
    pub layers: u8,
    /// Source of the communication key, if it is not random.
    pub typed: Option<TypedKey>,
    /// The form of the orders.
    pub shape: Shape,
    /// The kernels to use.
    pub backend: Backend,
    /// Spreads the blocks of an order over threads.
    pub spread: Spread,
    /// Called at the end of each stage.
    pub watch: Watch,
}

/// The distributed keys of a batch, prepared for one suite, with their header members: one for all
/// orders, or one for each. Keys are borrowed, as at transaction scope there are as many as orders.
#[derive(Debug)]
pub struct SealingKeys<'k> {
    ready: Sealing<'k>,
    kids: OneOrEach<Option<&'k Kid>>,
    /// The beginning of every header.
    start: String,
    carries: Carries,
    was: Option<&'k Provenance>,
    batch: Option<&'k BatchMark>,
}

impl<'k> SealingKeys<'k> {
    /// Prepares one key for all orders. A pad can seal one order only.
    ///
    /// # Errors
    /// [`KeyError`] if the key does not fit the algorithms, or the cipher refuses it.
    pub fn one(
        key: &'k Jwk<EncryptingKey>,
        suite: Suite,
        carries: Carries,
    ) -> Result<Self, KeyError> {
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
    ) -> Result<Self, KeyError> {
        Self::new(&OneOrEach::Each(keys.iter().collect()), suite, carries)
    }

    /// Prepares a key that was derived from a password, for all orders.
    ///
    /// # Errors
    /// [`KeyError::Unfit`] if it is for other algorithms.
    pub fn by_password(
        key: &'k DerivedKey,
        suite: Suite,
        carries: Carries,
    ) -> Result<Self, KeyError> {
        let ready = Sealing::by_password(key, suite)?;
        let mut header = ObjectText::default();
        header.begin(&start(suite));
        KeyParams::Pbes2(Box::new(key.derivation().clone())).write(&mut header);
        let (kids, start) = (OneOrEach::One(None), header.into_start());
        Ok(Self { ready, kids, start, carries, was: None, batch: None })
    }

    fn new(
        keys: &OneOrEach<&'k Jwk<EncryptingKey>>,
        suite: Suite,
        carries: Carries,
    ) -> Result<Self, KeyError> {
        let kids = keys.map(|key| key.kid.as_ref());
        let (ready, start) = (Sealing::prepare(keys, suite)?, start(suite));
        Ok(Self { ready, kids, start, carries, was: None, batch: None })
    }

    /// Says in each header what the line was before it was rewrapped.
    #[must_use]
    pub fn with_provenance(self, was: Option<&'k Provenance>) -> Self {
        Self { was, ..self }
    }

    /// Says in each header which signed batch the line belongs to.
    #[must_use]
    pub fn in_batch(self, batch: Option<&'k BatchMark>) -> Self {
        Self { batch, ..self }
    }

    /// Checks that there is a key for each order.
    ///
    /// # Errors
    /// [`KeyError::Unfit`].
    fn check_count(&self, orders: usize) -> Result<(), KeyError> {
        let keys = match (&self.ready, &self.kids) {
            (Sealing::Cipher(_, SealBy::Pad(pads)), _) => pads.len(),
            (_, OneOrEach::Each(kids)) => kids.len(),
            (_, OneOrEach::One(_)) => orders,
        };
        match keys == orders {
            true => Ok(()),
            false => Err(Unfit::Counts { keys, orders }.into()),
        }
    }

    /// Whether all lines have the same header, except for members that belong to one order.
    fn have_one_header(&self) -> bool {
        match &self.kids {
            OneOrEach::One(_) => self.batch.is_none(),
            OneOrEach::Each(_) => false,
        }
    }

    /// Begins the header of line `index`; `number` is that of its order in the run, counted from 0.
    fn begin_header(&self, index: usize, number: u64, header: &mut ObjectText) {
        header.begin(&self.start);
        // Before the name, where the fast ways to read a header expect it.
        if let Some(batch) = self.batch {
            header.json(batch::MEMBER, &batch.member(number + 1));
        }
        if let Some(kid) = self.kids.of(index) {
            header.any_text("kid", kid.as_str());
        }
        if let Some((name, value)) = self.carries.member() {
            header.text(name, value);
        }
        if let Some(was) = self.was {
            header.text(provenance::MEMBER, was.as_str());
        }
    }
}

/// The beginning of the headers for these algorithms.
fn start(suite: Suite) -> String {
    format!(r#"{{"alg":"{}","enc":"{}""#, suite.alg().name(), suite.enc().name())
}

impl Default for Sealer {
    /// Random keys, no chain, the widest backend, one thread, no watch.
    fn default() -> Self {
        let backend = Backend::detect();
        let shape = Shape::Line;
        Self { layers: 1, typed: None, shape, backend, spread: in_turn, watch: unwatched }
    }
}

impl Sealer {
    /// Seals orders, and appends a line for each to `out`. `first` is the number of the first order
    /// in the run, counted from 0.
    ///
    /// # Errors
    /// The index of the first order that failed, and the reason; `out` then has the lines of the
    /// groups before it. [`KeyError::Unfit`] if the numbers of keys and orders differ.
    ///
    /// [`KeyError::Unfit`]: crate::protocol::model::KeyError::Unfit
    pub fn seal(
        &self,
        orders: &[&[u8]],
        keys: &SealingKeys<'_>,
        first: u64,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Failure)> {
        keys.check_count(orders.len()).map_err(|error| (0, error.into()))?;
        let most = self.shape.max_text();
        let fit = orders.iter().position(|order| order.len() > most).unwrap_or(orders.len());
        match &keys.ready {
            Sealing::Blocks(public) => {
                for (index, order) in orders[..fit].iter().enumerate() {
                    let mut header = ObjectText::default();
                    keys.begin_header(index, first + index as u64, &mut header);
                    self.seal_in_blocks(order, header.finish(), public.of(index), rng, out);
                }
            }
            Sealing::Cipher(cipher, by) => {
                let mut done = 0;
                while done < fit {
                    let count = group_len(&orders[done..fit], cipher.at_once().max(by.at_once()));
                    let (orders, cipher) = (&orders[done..done + count], *cipher);
                    Group { sealer: self, orders, keys, cipher, by, at: done, first }
                        .seal(rng, out)
                        .map_err(|(index, failure)| (done + index, failure))?;
                    done += count;
                }
            }
        }
        if fit == orders.len() {
            return Ok(());
        }
        let (what, most) = (self.shape.name(), most as u64);
        Err((fit, Failure::Malformed(Malformed::PartTooLong { what, most })))
    }

    fn seal_in_blocks(
        &self,
        order: &[u8],
        header: &[u8],
        key: &PublicKey,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        self.encode(header, out);
        let mut iv = [0; rsa_blocks::IV_LEN];
        rng.fill_bytes(&mut iv);
        let kernels = (self.backend, self.spread);
        let sealed = rsa_blocks::seal(kernels, key, &out[start..], &iv, order, rng);
        (self.watch)(Stage::Seal);
        out.extend_from_slice(b"..");
        self.encode(&iv, out);
        out.push(b'.');
        self.encode(&sealed, out);
        out.extend_from_slice(b".\n");
        (self.watch)(Stage::Format);
    }

    /// Appends bytes in base64url.
    fn encode(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + base64url::encoded_length(bytes.len()), 0);
        base64url::encode(self.backend, bytes, &mut out[start..]);
    }
}

/// Number of orders to seal side by side: `at_once`, or fewer if orders are long.
fn group_len(orders: &[&[u8]], at_once: usize) -> usize {
    let mut bytes = 0;
    let fitting = orders.iter().take(at_once).take_while(|order| {
        bytes += order.len();
        bytes <= GROUP_BYTES
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::random::{KeySource, Origin, SeededSource};
    use crate::protocol::jose::jwk::Usage;
    use crate::protocol::jose::pad::Pad;

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
        Suite::from_header(alg, enc).unwrap()
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
        let seal = |keys: Result<SealingKeys<'_>, KeyError>, orders: usize| {
            let (mut lines, mut rng) = (Vec::new(), SeededSource::new(7).stream(0));
            let orders = vec![&b"order"[..]; orders];
            let sealed = Sealer::default().seal(&orders, &keys.unwrap(), 0, &mut rng, &mut lines);
            let lines = lines.iter().filter(|&&byte| byte == b'\n').count();
            match sealed {
                Ok(()) => Ok(lines),
                Err((0, Failure::Key(error))) if lines == 0 => Err(error.to_string()),
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
