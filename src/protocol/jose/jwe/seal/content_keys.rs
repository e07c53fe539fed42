//! The keys of orders sealed side by side: each order's content key, its chain, and its wrapped key.

use rand::Rng;
use zeroize::Zeroizing;

use super::Sealer;
use crate::ciphers::Wiped;
use crate::ciphers::content::{ContentCipher, Keys};
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::{OneOrEach, Sealing, Wrapped, one_time_pad};
use crate::protocol::jose::jwe::{Failure, SealingKeys, chain};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{KeyTrouble, Unfit};

/// Orders that are sealed together under one content cipher.
pub(super) struct Group<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) orders: &'a [&'a [u8]],
    /// The keys of the batch.
    pub(super) keys: &'a SealingKeys<'a>,
    pub(super) cipher: ContentCipher,
    /// The index of the first order in the batch, and the number of the batch's first order in the run.
    pub(super) at: usize,
    pub(super) first: u64,
}

/// The key that encrypts each order.
pub(super) enum ContentKeys<'a> {
    One(&'a [u8]),
    Each(Wiped),
}

/// An order's chain: the keys CEK₂ … CEKₙ, and the links.
pub(super) struct Chain {
    keys: Zeroizing<Vec<[u8; chain::LINK_LEN]>>,
    pub(super) links: Vec<Vec<u8>>,
}

impl Group<'_> {
    /// The number in the run of an order of this group.
    pub(super) fn number(&self, index: usize) -> u64 {
        self.first + (self.at + index) as u64
    }

    /// The MAC key and a piece of pad, for each order.
    fn pieces_of_pad(&self, pads: &[&Pad]) -> Result<ContentKeys<'_>, (usize, Failure)> {
        if self.sealer.layers > 1 {
            return Err((0, KeyTrouble::from(Unfit::ChainOfPad).into()));
        }
        let keys = one_time_pad::keys(self.cipher, self.orders, pads);
        keys.map(ContentKeys::Each).map_err(|(index, trouble)| (index, trouble.into()))
    }

    pub(super) fn content_keys(
        &self,
        rng: &mut KeyStream,
    ) -> Result<ContentKeys<'_>, (usize, Failure)> {
        match &self.keys.ready {
            Sealing::Pad(_, pads) => self.pieces_of_pad(&pads[self.at..]),
            Sealing::Direct(_, keys) if self.sealer.layers <= 1 => Ok(match keys {
                OneOrEach::One(key) => ContentKeys::One(key),
                OneOrEach::Each(keys) => {
                    let keys = &keys[self.at..][..self.orders.len()];
                    let mut ceks = Wiped::with_capacity(keys.len() * self.cipher.key_len());
                    keys.iter().for_each(|key| ceks.extend_from_slice(key));
                    ContentKeys::Each(ceks)
                }
            }),
            Sealing::Direct(..) | Sealing::Wrap(..) | Sealing::Blocks(_) => self.fresh_keys(rng),
        }
    }

    /// Communication keys: random, or derived from the text that the user typed.
    fn fresh_keys(&self, rng: &mut KeyStream) -> Result<ContentKeys<'_>, (usize, Failure)> {
        let len = self.cipher.key_len();
        let mut ceks = Wiped::from(vec![0; self.orders.len() * len]);
        let Some(typed) = &self.sealer.typed else {
            self.cipher.fill_keys(rng, &mut ceks);
            return Ok(ContentKeys::Each(ceks));
        };
        for (index, cek) in (self.number(0)..).zip(ceks.chunks_exact_mut(len)) {
            typed.derive(index, cek);
        }
        self.cipher.shape_keys(&mut ceks);
        let weak = |cek| self.cipher.check_key(cek).is_err();
        if let Some(index) = ceks.chunks_exact(len).position(weak) {
            return Err((index, KeyTrouble::from(Unfit::TypedWeak).into()));
        }
        Ok(ContentKeys::Each(ceks))
    }

    /// For each order, the keys CEK₂ … CEKₙ of its chain and the links between them.
    pub(super) fn chains(
        &self,
        ceks: &ContentKeys<'_>,
        rng: &mut KeyStream,
    ) -> Result<Vec<Chain>, (usize, Failure)> {
        let layers = usize::from(self.sealer.layers.max(1));
        if layers == 1 {
            return Ok(Vec::new());
        }
        let mut chains = Vec::with_capacity(self.orders.len());
        for index in 0..self.orders.len() {
            let mut keys = Zeroizing::new(vec![[0; chain::LINK_LEN]; layers - 1]);
            rng.fill_bytes(keys.as_flattened_mut());
            if let Sealing::Direct(_, direct) = &self.keys.ready {
                let key = direct.of(self.at + index);
                let key: &[u8; chain::LINK_LEN] = key[..].try_into().map_err(|_| {
                    let unfit = Unfit::ChainKey { expected: chain::LINK_LEN, found: key.len() };
                    (index, KeyTrouble::from(unfit).into())
                })?;
                keys[layers - 2].copy_from_slice(key);
            }
            let links = chain::wrap(ceks.of(index, self.cipher.key_len()), &keys);
            chains.push(Chain { keys, links });
        }
        Ok(chains)
    }

    /// Wraps the outermost key of each order; does nothing in the direct forms.
    pub(super) fn wrap(
        &self,
        ceks: &ContentKeys<'_>,
        chains: &[Chain],
        rng: &mut KeyStream,
    ) -> Wrapped {
        let Sealing::Wrap(_, keks) = &self.keys.ready else { return Wrapped::default() };
        let outermost = |index: usize| match chains.get(index) {
            Some(chain) => &chain.keys[chain.keys.len() - 1][..],
            None => ceks.of(index, self.cipher.key_len()),
        };
        let keys: Vec<&[u8]> = (0..self.orders.len()).map(outermost).collect();
        keks.wrap(self.sealer.backend, self.at, &keys, rng)
    }
}

impl ContentKeys<'_> {
    fn of(&self, index: usize, len: usize) -> &[u8] {
        match self {
            Self::One(key) => key,
            Self::Each(keys) => nth(keys, index, len),
        }
    }

    pub(super) fn as_keys(&self) -> Keys<'_> {
        match self {
            Self::One(key) => Keys::One(key),
            Self::Each(keys) => Keys::Each(keys),
        }
    }
}

/// The item at `index` in a sequence of items of equal length.
pub(super) fn nth(items: &[u8], index: usize, len: usize) -> &[u8] {
    &items[index * len..(index + 1) * len]
}
