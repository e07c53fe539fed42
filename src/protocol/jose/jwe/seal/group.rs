//! Orders sealed side by side: their lines are laid out, then the orders are encrypted into them.

use std::ops::Range;

use rand::Rng;

use super::content_keys::{Chain, Group, nth};
use crate::ciphers::Wiped;
use crate::ciphers::base64url;
use crate::ciphers::content::{MAX_TAG, Record};
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::{Sealing, Wrapped, one_time_pad};
use crate::protocol::jose::json::ObjectText;
use crate::protocol::jose::jwe::{Failure, Stage, chain};

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

    /// The IVs: random, or the offset of each order's piece in the whole pad.
    fn ivs(&self, rng: &mut KeyStream) -> Vec<u8> {
        match &self.keys.ready {
            Sealing::Pad(_, pads) => one_time_pad::ivs(&pads[self.at..][..self.orders.len()]),
            Sealing::Direct(..) | Sealing::Wrap(..) | Sealing::Blocks(_) => {
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
        self.keys.begin_header(self.at + index, header);
        wrapped.params(index).write(header);
        if let Some(chain) = chains.get(index) {
            chain::describe(&chain.links, header);
        }
        if let Some(typed) = &self.sealer.typed {
            header.json("typed", &typed.describe(self.number(index)));
        }
    }
}
