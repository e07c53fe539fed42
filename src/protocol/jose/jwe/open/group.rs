//! Lines opened side by side: they are decoded, their content keys unwrapped, and the orders
//! decrypted in place.

use std::ops::Range;

use rand::Rng;
use zeroize::{Zeroize, Zeroizing};

use super::decoded::{Decoded, Parts};
use super::{KeyNumber, Opened, OpenedBlock, Opener, OpeningKey, Sealed, Token};
use crate::ciphers::Wiped;
use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cut::parts_mut;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::{
    OpenBy, Opening, UnwrapJob, UnwrapJobs, Unwrapping, one_time_pad, rsa_blocks,
};
use crate::protocol::jose::jwe::chain::{self, LINK_LEN};
use crate::protocol::jose::jwe::token::recognized;
use crate::protocol::jose::jwe::{Carries, Failure, Shape, Stage};
use crate::protocol::model::Malformed;

/// Lines that are opened together; the memory is reused from group to group.
pub(super) struct Group<'o, 'l, 'k> {
    opener: &'o Opener<'k>,
    decoded: Decoded<'o, 'l, 'k>,
    /// The lines under content ciphers.
    lines: Vec<Line<'l, 'k>>,
}

/// An order that was opened, with the number of its key and its range in the text; nothing for a
/// blank line.
type Begun = Result<Option<(KeyNumber, Range<usize>)>, Failure>;

/// A line under a content cipher.
struct Line<'l, 'k> {
    /// Index of the line in the group.
    index: usize,
    cipher: ContentCipher,
    by: OpenBy<'k>,
    parts: Parts<'l>,
}

impl<'o, 'l, 'k> Group<'o, 'l, 'k> {
    pub(super) fn new(opener: &'o Opener<'k>) -> Self {
        Self { opener, decoded: Decoded::new(opener), lines: Vec::new() }
    }

    /// Opens orders in place, where their ciphertexts were decoded to: after the text so far, each
    /// with room for its line feed.
    pub(super) fn open(
        &mut self,
        lines: &[&'l [u8]],
        rng: &mut KeyStream,
        block: &mut OpenedBlock,
    ) {
        self.lines.clear();
        self.decoded.clear();
        let start = block.text.len();
        let mut results = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            results.push(self.begin_line(index, line, &mut block.text, rng));
            block.text.push(b'\n');
        }
        self.finish(start, results, rng, block);
    }

    /// Opens one order that was already taken apart, in the same way.
    pub(super) fn open_token(
        &mut self,
        token: Token<'l>,
        rng: &mut KeyStream,
        block: &mut OpenedBlock,
    ) {
        let start = block.text.len();
        let begun = self.begin(0, token, &mut block.text, rng).map(Some);
        block.text.push(b'\n');
        self.finish(start, vec![begun], rng, block);
    }

    /// Decrypts the orders that were begun, and moves the authentic ones together.
    fn finish(
        &self,
        start: usize,
        mut results: Vec<Begun>,
        rng: &mut KeyStream,
        block: &mut OpenedBlock,
    ) {
        let text = &mut block.text;
        (self.opener.watch)(Stage::Format);
        let ceks = self.content_keys(rng);
        (self.opener.watch)(Stage::Unwrap);
        for (line, authentic) in self.lines.iter().zip(self.decrypt(&ceks, text)) {
            if let Some(len) = authentic {
                let start = line.parts.ciphertext.start;
                results[line.index] =
                    Ok(Some((self.decoded.head(&line.parts).key.number, start..start + len)));
            }
        }
        (self.opener.watch)(Stage::Open);
        let mut end = start;
        for result in results {
            let opened = result.and_then(|opened| match opened {
                None => Ok(None),
                Some((key, order)) => {
                    end += self.settle(order, end, text)? + 1;
                    Ok(Some(Opened { key, end }))
                }
            });
            block.lines.push(opened);
        }
        text[end..].zeroize();
        text.truncate(end);
        (self.opener.watch)(Stage::Format);
    }

    /// Parses a line in the compact serialization; `None` if it is blank.
    fn begin_line(
        &mut self,
        index: usize,
        line: &'l [u8],
        text: &mut Vec<u8>,
        rng: &mut KeyStream,
    ) -> Begun {
        let Some(sealed) = Sealed::read(line, self.opener.shape)? else { return Ok(None) };
        let Sealed::Compact(token) = sealed else { unreachable!("lines of JSON are opened alone") };
        self.begin(index, token, text, rng).map(Some).map_err(|failure| match failure {
            Failure::Malformed(fault) => recognized(line, fault),
            Failure::Unexpected(_)
            | Failure::Key(_)
            | Failure::Rounds { .. }
            | Failure::Authentication => failure,
        })
    }

    /// Decodes an order and finds its key. If it is in RSA blocks, opens it at once, and returns the
    /// number of its key and the range of the order in `text`; otherwise it counts as forged until
    /// it is found authentic.
    fn begin(
        &mut self,
        index: usize,
        token: Token<'l>,
        text: &mut Vec<u8>,
        rng: &mut KeyStream,
    ) -> Result<(KeyNumber, Range<usize>), Failure> {
        let parts = self.decoded.decode(token, text)?;
        let OpeningKey { number, ready } = self.decoded.head(&parts).key;
        match ready {
            Opening::Cipher(cipher, by) => {
                self.lines.push(Line { index, cipher, by, parts });
                Err(Failure::Authentication)
            }
            Opening::Blocks(pair) => {
                let (iv, _, _) = self.decoded.split(&parts);
                let start = parts.ciphertext.start;
                let sealed = &mut text[parts.ciphertext];
                let kernels = (self.opener.backend, self.opener.spread);
                (self.opener.watch)(Stage::Format);
                let len = rsa_blocks::open(kernels, pair, parts.aad, iv, sealed, rng);
                (self.opener.watch)(Stage::Open);
                len.map(|len| (number, start..start + len)).ok_or(Failure::Authentication)
            }
        }
    }

    /// The content-encryption keys of all lines, concatenated. A key that cannot be unwrapped is
    /// replaced by a random one, under which the tag will not verify.
    fn content_keys(&self, rng: &mut KeyStream) -> Wiped {
        let lengths = self.lines.iter().map(Line::cek_len);
        let mut ceks = Wiped::from(vec![0; lengths.clone().sum()]);
        let links = |line: &Line<'_, '_>| self.decoded.head(&line.parts).chain();
        let chains = self.lines.iter().filter(|line| !links(line).is_empty());
        let mut outermost = Zeroizing::new(vec![[0; LINK_LEN]; chains.count()]);
        rng.fill_bytes(&mut ceks);
        rng.fill_bytes(outermost.as_flattened_mut());
        let mut jobs = UnwrapJobs::with_capacity(self.lines.len());
        let mut chained = outermost.iter_mut();
        for (line, cek) in self.lines.iter().zip(parts_mut(&mut ceks, lengths.clone())) {
            let head = self.decoded.head(&line.parts);
            let (iv, _, encrypted_key) = self.decoded.split(&line.parts);
            let cek = match head.chain() {
                [] => cek,
                _ => chained.next().expect("one for each chain"),
            };
            match line.by {
                OpenBy::Direct(key) if key.len() == cek.len() => cek.copy_from_slice(key),
                // It cannot head a chain: the random bytes stay, and the tag will not verify.
                OpenBy::Direct(_) => {}
                OpenBy::Pad(pad) => one_time_pad::key(pad, iv, cek, rng),
                OpenBy::Agree(key) => {
                    let (key, params) = (Unwrapping::content(key, line.cipher), head.params());
                    jobs.push(UnwrapJob { key, encrypted_key, params, cek });
                }
                OpenBy::Wrap(key) => {
                    jobs.push(UnwrapJob { key, encrypted_key, params: head.params(), cek });
                }
            }
        }
        jobs.unwrap(self.opener.backend, rng);
        let each = self.lines.iter().map(links).zip(parts_mut(&mut ceks, lengths));
        let chained = each.filter(|(links, _)| !links.is_empty());
        for ((links, cek), outermost) in chained.zip(&*outermost) {
            chain::unwrap(outermost, links, cek);
        }
        ceks
    }

    /// Verifies and decrypts all lines in place. Returns the length of each order that is authentic.
    fn decrypt(&self, ceks: &[u8], texts: &mut [u8]) -> Vec<Option<usize>> {
        let (mut rest, mut taken) = (texts, 0);
        let mut records = Vec::with_capacity(self.lines.len());
        for Line { parts, .. } in &self.lines {
            // Ciphertexts lie in the order of their lines.
            let (text, after) =
                rest[parts.ciphertext.start - taken..].split_at_mut(parts.ciphertext.len());
            (rest, taken) = (after, parts.ciphertext.end);
            let ((iv, sent, _), mut tag) = (self.decoded.split(parts), [0; MAX_TAG]);
            tag[..sent.len()].copy_from_slice(sent);
            records.push(Record { iv, aad: parts.aad, text, len: 0, tag, authentic: false });
        }
        // Lines under one cipher are mostly adjacent, and each run of them is opened together.
        let (mut from, mut cek_from) = (0, 0);
        for run in self.lines.chunk_by(|a, b| a.cipher == b.cipher) {
            let cek_to = cek_from + run.iter().map(Line::cek_len).sum::<usize>();
            let keys = match self.one_direct_key(run) {
                Some(key) => Keys::One(key),
                None => Keys::Each(&ceks[cek_from..cek_to]),
            };
            let records = &mut records[from..from + run.len()];
            run[0].cipher.open(self.opener.backend, keys, records);
            (from, cek_from) = (from + run.len(), cek_to);
        }
        records.iter().map(|record| record.authentic.then_some(record.len)).collect()
    }

    /// The distributed key, if one key encrypts all these orders directly. A key that encrypts one
    /// order directly may also wrap a key for the next order, or head its chain.
    fn one_direct_key(&self, run: &[Line<'_, 'k>]) -> Option<&'k [u8]> {
        let direct = |line: &Line<'_, 'k>| {
            let head = self.decoded.head(&line.parts);
            match line.by {
                OpenBy::Direct(key) if head.chain().is_empty() => Some((head.key.number, key)),
                OpenBy::Direct(_) | OpenBy::Pad(_) | OpenBy::Agree(_) | OpenBy::Wrap(_) => None,
            }
        };
        let (number, key) = direct(&run[0])?;
        let same = |line| direct(line).is_some_and(|(other, _)| other == number);
        run.iter().all(same).then_some(key)
    }

    /// Moves an order to the end of the previous one, unless it is already there, and returns its
    /// length.
    fn settle(&self, order: Range<usize>, to: usize, text: &mut [u8]) -> Result<usize, Failure> {
        if self.opener.expect == Carries::Order {
            check_order(&text[order.clone()], self.opener.shape)?;
        }
        let len = order.len();
        if order.start != to {
            text.copy_within(order, to);
        }
        text[to + len] = b'\n';
        Ok(len)
    }
}

impl Line<'_, '_> {
    /// Length in bytes of the content-encryption key.
    fn cek_len(&self) -> usize {
        self.cipher.key_len_for(self.parts.ciphertext.len())
    }
}

/// Refuses content that another tool may have sealed but that cannot be an order.
fn check_order(order: &[u8], shape: Shape) -> Result<(), Failure> {
    if shape == Shape::Line && memchr::memchr(b'\n', order).is_some() {
        return Err(Failure::Malformed(Malformed::LineFeed));
    }
    if order.len() > shape.max_text() {
        let (what, most) = (shape.name(), shape.max_text() as u64);
        return Err(Failure::Malformed(Malformed::PartTooLong { what, most }));
    }
    Ok(())
}
