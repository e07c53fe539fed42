//! Orders sealed side by side: their content keys are made and wrapped, their lines laid out, and
//! the orders encrypted into them.

use std::ops::Range;

use rand::Rng;
use zeroize::Zeroizing;

use super::{Sealer, SealingKeys};
use crate::ciphers::Wiped;
use crate::ciphers::base64url;
use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cut::parts_mut;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::{OneOrEach, SealBy, Wrapped, ecdh, one_time_pad};
use crate::protocol::jose::json::ObjectText;
use crate::protocol::jose::jwe::chain::{Chain, LINK_LEN};
use crate::protocol::jose::jwe::{Failure, Stage};
use crate::protocol::jose::pad::Pad;
use crate::protocol::model::{KeyError, Unfit};

/// Orders that are sealed together under one content cipher.
pub(super) struct Group<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) orders: &'a [&'a [u8]],
    /// The keys of the batch.
    pub(super) keys: &'a SealingKeys<'a>,
    pub(super) cipher: ContentCipher,
    /// How the keys lead to content-encryption keys.
    pub(super) by: &'a SealBy<'a>,
    /// The index of the first order in the batch, and the number of the batch's first order in the run.
    pub(super) at: usize,
    pub(super) first: u64,
}

/// The key that encrypts each order.
enum ContentKeys<'a> {
    One(&'a [u8]),
    Each(Wiped),
}

/// Positions of the parts of a line in the output.
struct Line {
    /// The encoded header. If all headers are the same, that of the first line, so that kernels
    /// notice that the additional data are the same.
    header: Range<usize>,
    ciphertext: usize,
}

impl Group<'_> {
    pub(super) fn seal(
        &self,
        rng: &mut KeyStream,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Failure)> {
        let watch = self.sealer.watch;
        let (ceks, agreed) = self.content_keys(rng)?;
        watch(Stage::Seal);
        let chains = self.chains(&ceks, rng)?;
        let wrapped = self.wrap(&ceks, &chains, rng).unwrap_or(agreed);
        watch(Stage::Wrap);
        let ivs = self.ivs(rng);
        let lines = self.lay_out(&wrapped, &chains, &ivs, out);
        self.encrypt(&lines, &ceks, &ivs, out);
        Ok(())
    }

    /// Encrypts the orders into their lines.
    fn encrypt(&self, lines: &[Line], ceks: &ContentKeys<'_>, ivs: &[u8], out: &mut [u8]) {
        let (cipher, backend, watch) = (self.cipher, self.sealer.backend, self.sealer.watch);
        let lengths = self.orders.iter().map(|order| cipher.sealed_len(order.len()));
        let mut texts = Wiped::from(Vec::with_capacity(lengths.clone().sum()));
        for order in self.orders {
            texts.extend_from_slice(order);
            let end = texts.len() + cipher.sealed_len(order.len()) - order.len();
            texts.resize(end, 0);
        }
        let mut records = Vec::with_capacity(self.orders.len());
        let parts = self.orders.iter().zip(lines).zip(parts_mut(&mut texts, lengths.clone()));
        for (index, ((order, line), text)) in parts.enumerate() {
            records.push(Record {
                iv: nth(ivs, index, cipher.iv_len()),
                aad: &out[line.header.clone()],
                text,
                len: order.len(),
                tag: [0; MAX_TAG],
                authentic: false,
            });
        }
        watch(Stage::Format);
        cipher.seal(backend, ceks.as_keys(), &mut records);
        watch(Stage::Seal);
        let tags: Vec<[u8; MAX_TAG]> = records.iter().map(|record| record.tag).collect();
        drop(records);

        for ((line, tag), text) in lines.iter().zip(&tags).zip(parts_mut(&mut texts, lengths)) {
            let at = line.ciphertext;
            let end = at + base64url::encode(backend, text, &mut out[at..]);
            out[end] = b'.';
            let tag = &tag[..cipher.tag_len()];
            let end = end + 1 + base64url::encode(backend, tag, &mut out[end + 1..]);
            out[end] = b'\n';
        }
        watch(Stage::Format);
    }

    /// The number in the run of an order of this group.
    fn number(&self, index: usize) -> u64 {
        self.first + (self.at + index) as u64
    }

    /// The MAC key and a piece of pad, for each order.
    fn pieces_of_pad(&self, pads: &[&Pad]) -> Result<ContentKeys<'_>, (usize, Failure)> {
        if self.sealer.layers > 1 {
            return Err((0, KeyError::from(Unfit::ChainOfPad).into()));
        }
        let keys = one_time_pad::keys(self.cipher, self.orders, pads);
        keys.map(ContentKeys::Each).map_err(|(index, error)| (index, error.into()))
    }

    /// The key that encrypts each order, and what headers have to say of keys that were agreed on.
    fn content_keys(
        &self,
        rng: &mut KeyStream,
    ) -> Result<(ContentKeys<'_>, Wrapped), (usize, Failure)> {
        let keys = match self.by {
            SealBy::Agree(_) if self.sealer.layers > 1 => {
                return Err((0, KeyError::from(Unfit::ChainOfAgreed).into()));
            }
            SealBy::Agree(keys) => {
                let (backend, count) = (self.sealer.backend, self.orders.len());
                let agreed = ecdh::content_keys(backend, keys, (self.at, count), self.cipher, rng);
                return Ok((ContentKeys::Each(agreed.0), agreed.1));
            }
            SealBy::Pad(pads) => self.pieces_of_pad(&pads[self.at..]),
            SealBy::Direct(keys) if self.sealer.layers <= 1 => Ok(match keys {
                OneOrEach::One(key) => ContentKeys::One(key),
                OneOrEach::Each(keys) => {
                    let keys = &keys[self.at..][..self.orders.len()];
                    let mut ceks = Wiped::with_capacity(keys.len() * self.cipher.key_len());
                    keys.iter().for_each(|key| ceks.extend_from_slice(key));
                    ContentKeys::Each(ceks)
                }
            }),
            SealBy::Direct(_) | SealBy::Wrap(_) => self.fresh_keys(rng),
        };
        Ok((keys?, Wrapped::default()))
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
            return Err((index, KeyError::from(Unfit::TypedWeak).into()));
        }
        Ok(ContentKeys::Each(ceks))
    }

    /// For each order, the keys CEK₂ … CEKₙ of its chain and the links between them.
    fn chains(
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
            let mut keys = Zeroizing::new(vec![[0; LINK_LEN]; layers - 1]);
            rng.fill_bytes(keys.as_flattened_mut());
            match self.by {
                SealBy::Direct(direct) => {
                    let key = direct.of(self.at + index);
                    keys[layers - 2] = key[..].try_into().map_err(|_| {
                        let unfit = Unfit::ChainKey { expected: LINK_LEN, found: key.len() };
                        (index, KeyError::from(unfit).into())
                    })?;
                }
                SealBy::Wrap(_) | SealBy::Pad(_) | SealBy::Agree(_) => {}
            }
            chains.push(Chain::new(ceks.of(index, self.cipher.key_len()), keys));
        }
        Ok(chains)
    }

    /// Wraps the outermost key of each order; `None` in the direct forms, which wrap none.
    fn wrap(
        &self,
        ceks: &ContentKeys<'_>,
        chains: &[Chain],
        rng: &mut KeyStream,
    ) -> Option<Wrapped> {
        let keks = match self.by {
            SealBy::Wrap(keks) => keks,
            SealBy::Direct(_) | SealBy::Pad(_) | SealBy::Agree(_) => return None,
        };
        let outermost = |index: usize| match chains.get(index) {
            Some(chain) => chain.outermost(),
            None => ceks.of(index, self.cipher.key_len()),
        };
        let keys: Vec<&[u8]> = (0..self.orders.len()).map(outermost).collect();
        Some(keks.wrap(self.sealer.backend, self.at, &keys, rng))
    }

    /// The IVs: random, or the offset of each order's piece in the whole pad.
    fn ivs(&self, rng: &mut KeyStream) -> Vec<u8> {
        match self.by {
            SealBy::Pad(pads) => one_time_pad::ivs(&pads[self.at..][..self.orders.len()]),
            SealBy::Direct(_) | SealBy::Agree(_) | SealBy::Wrap(_) => {
                let mut ivs = vec![0; self.orders.len() * self.cipher.iv_len()];
                rng.fill_bytes(&mut ivs);
                ivs
            }
        }
    }

    /// Writes each line up to its ciphertext, and reserves space for the rest.
    fn lay_out(
        &self,
        wrapped: &Wrapped,
        chains: &[Chain],
        ivs: &[u8],
        out: &mut Vec<u8>,
    ) -> Vec<Line> {
        let iv_len = self.cipher.iv_len();
        let tag = base64url::encoded_length(self.cipher.tag_len());
        let mut lines = Vec::with_capacity(self.orders.len());
        let mut text = ObjectText::default();
        let (one_header, mut first) = (self.has_one_header(wrapped), None);
        for (index, order) in self.orders.iter().enumerate() {
            let header = if let Some(header) = &first {
                out.extend_from_within(Range::clone(header));
                Range::clone(header)
            } else {
                let start = out.len();
                self.write_header(&mut text, index, wrapped, chains);
                self.sealer.encode(text.finish(), out);
                start..out.len()
            };
            if one_header {
                first = Some(header.clone());
            }
            out.push(b'.');
            self.sealer.encode(wrapped.encrypted_key(index), out);
            out.push(b'.');
            self.sealer.encode(nth(ivs, index, iv_len), out);
            out.push(b'.');
            let ciphertext = out.len();
            let sealed = base64url::encoded_length(self.cipher.sealed_len(order.len()));
            out.resize(ciphertext + sealed + tag + 2, 0);
            lines.push(Line { header, ciphertext });
        }
        lines
    }

    /// Whether all lines have the same header: one key, and no member that belongs to one order.
    fn has_one_header(&self, wrapped: &Wrapped) -> bool {
        self.keys.have_one_header()
            && self.sealer.layers <= 1
            && self.sealer.typed.is_none()
            && !wrapped.has_params()
    }

    /// Writes a header, including the members that belong to this order alone.
    fn write_header(
        &self,
        header: &mut ObjectText,
        index: usize,
        wrapped: &Wrapped,
        chains: &[Chain],
    ) {
        self.keys.begin_header(self.at + index, self.number(index), header);
        wrapped.params(index).write(header);
        if let Some(chain) = chains.get(index) {
            chain.write(header);
        }
        if let Some(typed) = &self.sealer.typed {
            header.json("typed", &typed.describe(self.number(index)));
        }
    }
}

impl ContentKeys<'_> {
    fn of(&self, index: usize, len: usize) -> &[u8] {
        match self {
            Self::One(key) => key,
            Self::Each(keys) => nth(keys, index, len),
        }
    }

    fn as_keys(&self) -> Keys<'_> {
        match self {
            Self::One(key) => Keys::One(key),
            Self::Each(keys) => Keys::Each(keys),
        }
    }
}

/// The item at `index` in a sequence of items of equal length.
fn nth(items: &[u8], index: usize, len: usize) -> &[u8] {
    &items[index * len..(index + 1) * len]
}
