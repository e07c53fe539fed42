//! Sealing a block of orders.

mod content_keys;
mod group;

use crate::protocol::model::Malformed;
use rand::Rng;

use self::content_keys::Group;
use super::{Failure, MAX_ORDER, SealingKeys, Spread, Stage, TypedKey, Watch};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::rsa::PublicKey;
use crate::protocol::jose::alg::{Sealing, rsa_blocks};
use crate::protocol::jose::json::ObjectText;
use crate::protocol::jose::run::{in_turn, unwatched};

/// Maximum number of bytes of orders sealed side by side, so that they stay in the cache.
const GROUP_BYTES: usize = 256 << 10;

/// Settings for sealing, independent of the key.
pub struct Sealer {
    /// Content-encryption keys per order; chained if more than one.
    pub layers: u8,
    /// Source of the communication key, if it is not random.
    pub typed: Option<TypedKey>,
    /// The kernels to use.
    pub backend: Backend,
    /// Spreads the blocks of an order over threads.
    pub spread: Spread,
    /// Called at the end of each stage.
    pub watch: Watch,
}

impl Default for Sealer {
    /// Random keys, no chain, the widest backend, one thread, no watch.
    fn default() -> Self {
        let backend = Backend::detect();
        Self { layers: 1, typed: None, backend, spread: in_turn, watch: unwatched }
    }
}

impl Sealer {
    /// Seals orders, and appends a line for each to `out`. `first` is the number of the first order
    /// in the run, counted from 0.
    ///
    /// # Errors
    /// The index of the first order that failed, and the reason; `out` then has the lines of the
    /// groups before it. [`KeyTrouble::Unfit`] if the numbers of keys and orders differ.
    ///
    /// [`KeyTrouble::Unfit`]: crate::protocol::model::KeyTrouble::Unfit
    pub fn seal(
        &self,
        orders: &[&[u8]],
        keys: &SealingKeys<'_>,
        first: u64,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Failure)> {
        keys.check_count(orders.len()).map_err(|trouble| (0, trouble.into()))?;
        let fit = orders.iter().position(|order| order.len() > MAX_ORDER).unwrap_or(orders.len());
        match &keys.ready {
            Sealing::Blocks(public) => {
                for (index, order) in orders[..fit].iter().enumerate() {
                    let mut header = ObjectText::default();
                    keys.begin_header(index, &mut header);
                    self.seal_in_blocks(order, header.finish(), public.of(index), rng, out);
                }
            }
            Sealing::Direct(cipher, _) | Sealing::Pad(cipher, _) | Sealing::Wrap(cipher, _) => {
                let mut done = 0;
                while done < fit {
                    let count = group_len(&orders[done..fit], cipher.at_once());
                    let (orders, cipher) = (&orders[done..done + count], *cipher);
                    Group { sealer: self, orders, keys, cipher, at: done, first }
                        .seal(rng, out)
                        .map_err(|(index, failure)| (done + index, failure))?;
                    done += count;
                }
            }
        }
        if fit == orders.len() {
            return Ok(());
        }
        Err((fit, Failure::Malformed(Malformed::TooLong { what: "order", most: MAX_ORDER as u64 })))
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
