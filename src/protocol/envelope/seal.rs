//! Sealing a block of orders.

use std::ops::Range;

use rand::Rng;

use super::header::HeaderText;
use super::seal_key::Purpose;
use super::stage::unwatched;
use super::{Failure, MAX_ORDER, SealingKey, Stage, TypedKey, Watch, blocks, chain};
use crate::ciphers::Wiped;
use crate::ciphers::base64url;
use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::wrap::{self, Wrapped, WrappingKey};
use crate::protocol::KeyTrouble;

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
    /// Told of each part of the work.
    pub watch: Watch,
}

impl Default for Sealer {
    /// Random keys, no chain, the widest backend, unwatched.
    fn default() -> Self {
        Self { layers: 1, typed: None, backend: Backend::detect(), watch: unwatched }
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
    /// The index of the first order that failed, and why; `out` has the lines before it.
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
                    &orders[done..done + group_len(&orders[done..fit], cipher.lanes())]
                }
            };
            self.seal_group(group, keys, first + done as u64, rng, out)
                .map_err(|(index, failure)| (done + index, failure))?;
            done += group.len();
        }
        if fit == orders.len() {
            return Ok(());
        }
        Err((fit, Failure::Malformed(format!("the order is longer than {MAX_ORDER} bytes"))))
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
        let sealed = blocks::seal(self.backend, public, &out[start..], &iv, order, rng);
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

/// How many orders to seal side by side: as many as the kernels have lanes for, fewer where orders
/// are long.
fn group_len(orders: &[&[u8]], lanes: usize) -> usize {
    let mut bytes = 0;
    let fitting = orders.iter().take(lanes).take_while(|order| {
        bytes += order.len();
        bytes <= GROUP_BYTES
    });
    fitting.count().max(1)
}

/// Orders that are sealed together under one content cipher.
struct Group<'a> {
    sealer: &'a Sealer,
    orders: &'a [&'a [u8]],
    keys: SealingKeys<'a>,
    first: u64,
    cipher: ContentCipher,
}

/// Where the parts of a line lie in the output.
struct Line {
    /// The encoded header; where all have the same one, that of the first line, so that kernels
    /// notice that the additional data are the same.
    header: Range<usize>,
    ciphertext: usize,
}

/// The key that encrypts each order.
enum ContentKeys<'a> {
    One(&'a [u8]),
    Each(Wiped),
}

/// An order's chain: CEK₂ … CEKₙ one after the other, and the links.
struct Chain {
    keys: Wiped,
    links: Vec<Vec<u8>>,
}

impl Group<'_> {
    fn seal(&self, rng: &mut KeyStream, out: &mut Vec<u8>) -> Result<(), (usize, Failure)> {
        let (cipher, backend, watch) = (self.cipher, self.sealer.backend, self.sealer.watch);
        let ceks = self.content_keys(rng)?;
        watch(Stage::Seal);
        let chains = self.chains(&ceks, rng)?;
        let wrapped = self.wrap(&ceks, &chains, rng);
        watch(Stage::Wrap);
        let ivs = self.ivs(rng);
        let lines = self.lay_out(&wrapped, &chains, &ivs, out);

        let lengths = self.orders.iter().map(|order| cipher.sealed_len(order.len()));
        let mut texts = Wiped::from(Vec::with_capacity(lengths.sum()));
        for order in self.orders {
            texts.extend_from_slice(order);
            let end = texts.len() + cipher.sealed_len(order.len()) - order.len();
            texts.resize(end, 0);
        }
        let mut rest = &mut texts[..];
        let mut records = Vec::with_capacity(self.orders.len());
        for (index, (order, line)) in self.orders.iter().zip(&lines).enumerate() {
            let text = rest.split_off_mut(..cipher.sealed_len(order.len())).expect("room for all");
            records.push(Record {
                iv: nth(&ivs, index, cipher.iv_len()),
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

        let mut rest = &texts[..];
        for ((order, line), tag) in self.orders.iter().zip(&lines).zip(&tags) {
            let text = rest.split_off(..cipher.sealed_len(order.len())).expect("as above");
            let at = line.ciphertext;
            let end = at + base64url::encode(backend, text, &mut out[at..]);
            out[end] = b'.';
            let tag = &tag[..cipher.tag_len()];
            let end = end + 1 + base64url::encode(backend, tag, &mut out[end + 1..]);
            out[end] = b'\n';
        }
        watch(Stage::Format);
        Ok(())
    }

    /// Random, or where each order's piece of pad lies in the whole.
    fn ivs(&self, rng: &mut KeyStream) -> Vec<u8> {
        let len = self.cipher.iv_len();
        let mut ivs = vec![0; self.orders.len() * len];
        if !self.cipher.takes_pad() {
            rng.fill_bytes(&mut ivs);
            return ivs;
        }
        for (index, iv) in ivs.chunks_exact_mut(len).enumerate() {
            if let Purpose::Pad(_, pad) = &self.keys.of(index).purpose {
                iv.copy_from_slice(&pad.offset().to_be_bytes());
            }
        }
        ivs
    }

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

    fn content_keys(&self, rng: &mut KeyStream) -> Result<ContentKeys<'_>, (usize, Failure)> {
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
    fn wrap(&self, ceks: &ContentKeys<'_>, chains: &[Chain], rng: &mut KeyStream) -> Wrapped {
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

    /// Writes each line up to its ciphertext, and makes room for the rest.
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
        let mut text = HeaderText::default();
        let (one_header, mut first) = (self.has_one_header(), None);
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

    /// Whether all lines have the same header: one key, and nothing of each order's own.
    fn has_one_header(&self) -> bool {
        let SealingKeys::Shared(key) = self.keys else { return false };
        self.sealer.layers <= 1
            && self.sealer.typed.is_none()
            && !matches!(key.purpose, Purpose::Wrap(_, WrappingKey::AesGcmKw(_)))
    }

    /// Writes a header with what it has for this order alone.
    fn write_header(
        &self,
        header: &mut HeaderText,
        index: usize,
        wrapped: &Wrapped,
        chains: &[Chain],
    ) {
        self.keys.of(index).begin_header(header);
        if let Some((iv, tag)) = wrapped.iv_and_tag(index) {
            header.bytes("iv", iv);
            header.bytes("tag", tag);
        }
        if let Some(chain) = chains.get(index) {
            chain::describe(&chain.links, header);
        }
        if let Some(typed) = &self.sealer.typed {
            header.json("typed", &typed.describe(self.first + index as u64));
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

fn nth(items: &[u8], index: usize, len: usize) -> &[u8] {
    &items[index * len..(index + 1) * len]
}
