//! The keys of orders that are sealed side by side: what encrypts each, its chain, and how it is
//! wrapped.

use rand::Rng;

use super::{Sealer, SealingKeys};
use crate::ciphers::Wiped;
use crate::ciphers::content::{ContentCipher, Keys};
use crate::ciphers::random::KeyStream;
use crate::ciphers::wrap::{self, Wrapped, WrappingKey};
use crate::protocol::jose::jwe::seal_key::Purpose;
use crate::protocol::jose::jwe::{Failure, chain};
use crate::protocol::model::KeyTrouble;

/// Orders that are sealed together under one content cipher.
pub(super) struct Group<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) orders: &'a [&'a [u8]],
    pub(super) keys: SealingKeys<'a>,
    pub(super) first: u64,
    pub(super) cipher: ContentCipher,
}

/// The key that encrypts each order.
pub(super) enum ContentKeys<'a> {
    One(&'a [u8]),
    Each(Wiped),
}

/// An order's chain: CEK₂ … CEKₙ one after the other, and the links.
pub(super) struct Chain {
    keys: Wiped,
    pub(super) links: Vec<Vec<u8>>,
}

impl Group<'_> {
    /// The MAC key and a piece of pad for each order.
    fn pieces_of_pad(&self) -> Result<ContentKeys<'_>, (usize, Failure)> {
        if self.sealer.layers > 1 {
            let why = "a pad encrypts orders itself: there is no key to chain".to_owned();
            return Err((0, KeyTrouble::Unfit(why).into()));
        }
        let lengths = self.orders.iter().map(|order| self.cipher.key_len_for(order.len()));
        let mut keys = Wiped::from(vec![0; lengths.sum()]);
        let mut rest = &mut keys[..];
        for (index, order) in self.orders.iter().enumerate() {
            let len = self.cipher.key_len_for(order.len());
            let key = rest.split_off_mut(..len).expect("room for all");
            let Purpose::Pad(_, pad) = &self.keys.of(index).purpose else {
                unreachable!("the keys of a run are for one cipher");
            };
            pad.copy_key(pad.offset(), key).ok_or_else(|| {
                let (needed, left) = (order.len() as u64, pad.len());
                (index, KeyTrouble::PadShort { needed, left }.into())
            })?;
        }
        Ok(ContentKeys::Each(keys))
    }

    pub(super) fn content_keys(
        &self,
        rng: &mut KeyStream,
    ) -> Result<ContentKeys<'_>, (usize, Failure)> {
        if self.cipher.takes_pad() {
            return self.pieces_of_pad();
        }
        let len = self.cipher.key_len();
        if self.sealer.layers <= 1
            && let SealingKeys::Shared(shared) = self.keys
            && let Purpose::Direct(_, key) = &shared.purpose
        {
            return Ok(ContentKeys::One(key));
        }
        let mut ceks = Wiped::from(vec![0; self.orders.len() * len]);
        let direct = matches!(self.keys.of(0).purpose, Purpose::Direct(..));
        if direct && self.sealer.layers <= 1 {
            for (index, cek) in ceks.chunks_exact_mut(len).enumerate() {
                if let Purpose::Direct(_, key) = &self.keys.of(index).purpose {
                    cek.copy_from_slice(key);
                }
            }
        } else if let Some(typed) = &self.sealer.typed {
            for (index, cek) in (self.first..).zip(ceks.chunks_exact_mut(len)) {
                typed.derive(index, cek);
            }
            self.cipher.shape_keys(&mut ceks);
            let weak = |cek| self.cipher.check_key(cek).is_err();
            if let Some(index) = ceks.chunks_exact(len).position(weak) {
                let why = "the typed text makes a weak key for this order".to_owned();
                return Err((index, KeyTrouble::Unfit(why).into()));
            }
        } else {
            self.cipher.fill_keys(rng, &mut ceks);
        }
        Ok(ContentKeys::Each(ceks))
    }

    /// For each order the keys CEK₂ … CEKₙ of its chain, and the links that wrap along it.
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
            let mut keys = Wiped::from(vec![0; (layers - 1) * chain::LINK_LEN]);
            rng.fill_bytes(&mut keys);
            if let Purpose::Direct(_, key) = &self.keys.of(index).purpose {
                if key.len() != chain::LINK_LEN {
                    let why = format!(
                        "a chain under a direct key takes one of {} bytes, found {}",
                        chain::LINK_LEN,
                        key.len()
                    );
                    return Err((index, KeyTrouble::Unfit(why).into()));
                }
                keys[(layers - 2) * chain::LINK_LEN..].copy_from_slice(key);
            }
            let mut all = vec![ceks.of(index, self.cipher.key_len())];
            all.extend(keys.chunks_exact(chain::LINK_LEN));
            let links = chain::wrap(&all);
            chains.push(Chain { keys, links });
        }
        Ok(chains)
    }

    /// Wraps the outermost key of each order; nothing in the direct forms.
    pub(super) fn wrap(
        &self,
        ceks: &ContentKeys<'_>,
        chains: &[Chain],
        rng: &mut KeyStream,
    ) -> Wrapped {
        let mut keks: Vec<&WrappingKey<'_>> = Vec::with_capacity(self.orders.len());
        let mut keys: Vec<&[u8]> = Vec::with_capacity(self.orders.len());
        for index in 0..self.orders.len() {
            if let Purpose::Wrap(_, kek) = &self.keys.of(index).purpose {
                keks.push(kek);
                keys.push(match chains.get(index) {
                    Some(chain) => &chain.keys[chain.keys.len() - chain::LINK_LEN..],
                    None => ceks.of(index, self.cipher.key_len()),
                });
            }
        }
        wrap::wrap(self.sealer.backend, &keks, &keys, rng)
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

/// The item of that number among items of one length.
pub(super) fn nth(items: &[u8], index: usize, len: usize) -> &[u8] {
    &items[index * len..(index + 1) * len]
}
