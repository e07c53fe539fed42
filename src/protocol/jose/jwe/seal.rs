//! Sealing a block of orders.

mod content_keys;
mod group;

use crate::protocol::model::Malformed;
use rand::Rng;

use self::content_keys::Group;
use super::header::HeaderText;
use super::run::{in_turn, unwatched};
use super::seal_key::Purpose;
use super::{Failure, MAX_ORDER, SealingKey, Spread, Stage, TypedKey, Watch, blocks};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;

/// Bytes of orders that are sealed side by side at most, so that they stay in the cache.
const GROUP_BYTES: usize = 256 << 10;

/// How orders are sealed, whatever the key.
pub struct Sealer {
    /// Content-encryption keys of an order, chained if more than one.
    pub layers: u8,
    /// Where the communication key comes from, if not from random data.
    pub typed: Option<TypedKey>,
    /// The kernels to use.
    pub backend: Backend,
    /// How the blocks of an order are spread over threads.
    pub spread: Spread,
    /// Told of each part of the work.
    pub watch: Watch,
}

impl Default for Sealer {
    /// Random keys, no chain, the widest backend, one thread, unwatched.
    fn default() -> Self {
        let backend = Backend::detect();
        Self { layers: 1, typed: None, backend, spread: in_turn, watch: unwatched }
    }
}

/// The distributed keys of a block.
#[derive(Debug, Clone, Copy)]
pub enum SealingKeys<'a> {
    /// One for all.
    Shared(&'a SealingKey<'a>),
    /// One for each order.
    Each(&'a [SealingKey<'a>]),
}

impl<'a> SealingKeys<'a> {
    fn of(self, index: usize) -> &'a SealingKey<'a> {
        match self {
            Self::Shared(key) => key,
            Self::Each(keys) => &keys[index],
        }
    }

    fn skip(self, orders: usize) -> Self {
        match self {
            Self::Shared(_) => self,
            Self::Each(keys) => Self::Each(&keys[orders..]),
        }
    }
}

impl Sealer {
    /// Seals orders, and appends a line for each to `out`. `first` is the number of the first
    /// order in the run, from 0.
    ///
    /// # Errors
    /// The index of the first order that failed, and why; `out` has the lines of
    /// the groups before it.
    pub fn seal(
        &self,
        orders: &[&[u8]],
        keys: SealingKeys<'_>,
        first: u64,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Failure)> {
        let fit = orders.iter().position(|order| order.len() > MAX_ORDER).unwrap_or(orders.len());
        let mut done = 0;
        while done < fit {
            let keys = keys.skip(done);
            let group = match keys.of(0).purpose {
                Purpose::Blocks(_) => &orders[done..done + 1],
                Purpose::Direct(cipher, _) | Purpose::Pad(cipher, _) | Purpose::Wrap(cipher, _) => {
                    &orders[done..done + group_len(&orders[done..fit], cipher.at_once())]
                }
            };
            self.seal_group(group, keys, first + done as u64, rng, out)
                .map_err(|(index, failure)| (done + index, failure))?;
            done += group.len();
        }
        if fit == orders.len() {
            return Ok(());
        }
        Err((fit, Failure::Malformed(Malformed::TooLong { what: "order", most: MAX_ORDER as u64 })))
    }

    fn seal_group(
        &self,
        orders: &[&[u8]],
        keys: SealingKeys<'_>,
        first: u64,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Failure)> {
        match &keys.of(0).purpose {
            Purpose::Blocks(_) => {
                self.seal_in_blocks(orders[0], keys.of(0), rng, out);
                Ok(())
            }
            Purpose::Direct(cipher, _) | Purpose::Pad(cipher, _) | Purpose::Wrap(cipher, _) => {
                Group { sealer: self, orders, keys, first, cipher: *cipher }.seal(rng, out)
            }
        }
    }

    fn seal_in_blocks(
        &self,
        order: &[u8],
        key: &SealingKey<'_>,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) {
        let Purpose::Blocks(public) = &key.purpose else {
            unreachable!("the caller looked at the purpose");
        };
        let mut header = HeaderText::default();
        key.begin_header(&mut header);
        let start = out.len();
        self.encode(header.finish(), out);
        let mut iv = [0; blocks::IV_LEN];
        rng.fill_bytes(&mut iv);
        let kernels = (self.backend, self.spread);
        let sealed = blocks::seal(kernels, public, &out[start..], &iv, order, rng);
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

/// How many orders to seal side by side: `at_once`, fewer where orders are long.
fn group_len(orders: &[&[u8]], at_once: usize) -> usize {
    let mut bytes = 0;
    let fitting = orders.iter().take(at_once).take_while(|order| {
        bytes += order.len();
        bytes <= GROUP_BYTES
    });
    fitting.count().max(1)
}
