//! Parses a sealed line: decodes its five segments and finds the key that the header names.

use std::ops::Range;

use super::open_key::Chosen;
use super::{Carries, Failure, Header, KeyLookup, KeyParams, MAX_SEALED_LINE};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::protocol::model::{Form, Malformed};

/// A parsed line. It is kept small because it is moved more than once.
pub(super) struct Parsed<'l> {
    pub(super) aad: &'l [u8],
    /// Index of its header in [`Parser::meanings`].
    meaning: usize,
    /// Range of IV, tag and encrypted key, concatenated, in [`Parser::parts`].
    parts: Range<usize>,
    /// Range of the ciphertext in the texts.
    pub(super) ciphertext: Range<usize>,
}

/// A parsed header and the key it selects.
#[derive(Debug)]
pub(super) struct Meaning<'k> {
    /// The key that the header names.
    pub(super) key: Chosen<'k>,
    own: Option<Box<OfOrder>>,
}

/// Header members that belong to one order alone, in the forms that have any.
#[derive(Debug)]
struct OfOrder {
    params: KeyParams,
    chain: Vec<Vec<u8>>,
}

/// Parses lines one after another.
pub(super) struct Parser<'l, 'k> {
    keys: &'k dyn KeyLookup,
    expect: Carries,
    backend: Backend,
    /// The decoded segments of a group of lines, except the ciphertexts.
    parts: Vec<u8>,
    /// The headers of a group of lines; a run of equal headers is stored once.
    meanings: Vec<Meaning<'k>>,
    /// The last of these headers, which the next line is likely to repeat.
    last: &'l [u8],
    /// The number of the key that is likely to be used next.
    guess: usize,
    /// Buffer for a decoded header.
    header: Vec<u8>,
}

impl<'l, 'k> Parser<'l, 'k> {
    pub(super) fn new(keys: &'k dyn KeyLookup, expect: Carries, backend: Backend) -> Self {
        Self {
            keys,
            expect,
            backend,
            parts: Vec::new(),
            meanings: Vec::new(),
            last: &[],
            guess: 0,
            header: Vec::new(),
        }
    }

    /// Clears the lines of the previous group.
    pub(super) fn next_group(&mut self) {
        self.parts.clear();
        self.meanings.clear();
    }

    /// The parsed header of a line of this group.
    pub(super) fn meaning(&self, parsed: &Parsed<'_>) -> &Meaning<'k> {
        &self.meanings[parsed.meaning]
    }

    /// Initialization vector, tag and encrypted key of a line of this group.
    pub(super) fn split(&self, parsed: &Parsed<'_>) -> (&[u8], &[u8], &[u8]) {
        let (iv_len, tag_len) = self.meaning(parsed).key.ready.lengths();
        let (iv, rest) = self.parts[parsed.parts.clone()].split_at(iv_len);
        let (tag, encrypted_key) = rest.split_at(tag_len);
        (iv, tag, encrypted_key)
    }

    /// Parses a line and finds its key. The ciphertext is appended to `texts`.
    pub(super) fn parse(
        &mut self,
        line: &'l [u8],
        texts: &mut Vec<u8>,
    ) -> Result<Parsed<'l>, Failure> {
        self.take_apart(line, texts).map_err(|failure| match failure {
            Failure::Malformed(_) => Form::of_line(line).map_or(failure, Failure::Unexpected),
            Failure::Unexpected(_) | Failure::Key(_) | Failure::Authentication => failure,
        })
    }

    fn take_apart(&mut self, line: &'l [u8], texts: &mut Vec<u8>) -> Result<Parsed<'l>, Failure> {
        if line.len() > MAX_SEALED_LINE {
            let most = MAX_SEALED_LINE as u64;
            return Err(Failure::Malformed(Malformed::TooLong { what: "sealed line", most }));
        }
        let [aad, encrypted_key, iv, ciphertext, tag] =
            segments(line).ok_or_else(|| Failure::Malformed("expected 5 segments".into()))?;
        self.read_header(aad)?;
        let meaning = self.meanings.len() - 1;
        let (iv_len, tag_len) = self.meanings[meaning].key.ready.lengths();
        let (start, parts) = (self.parts.len(), &mut self.parts);
        decode_exact(self.backend, iv, iv_len, parts, "the initialization vector")?;
        decode_exact(self.backend, tag, tag_len, parts, "the tag")?;
        decode(self.backend, encrypted_key, parts, "the encrypted key")?;
        let (parts, start) = (start..parts.len(), texts.len());
        decode(self.backend, ciphertext, texts, "the ciphertext")?;
        let meaning_of = &self.meanings[meaning];
        let has_encrypted_key = parts.len() > iv_len + tag_len;
        meaning_of
            .key
            .ready
            .check(meaning_of.params(), has_encrypted_key, !meaning_of.chain().is_empty())
            .map_err(Failure::Malformed)?;
        Ok(Parsed { aad, meaning, parts, ciphertext: start..texts.len() })
    }

    /// Parses a header and finds its key, unless the header is the same as that of the previous line.
    fn read_header(&mut self, aad: &'l [u8]) -> Result<(), Failure> {
        if self.last == aad && !self.meanings.is_empty() {
            return Ok(());
        }
        let header = Header::decode(aad, &mut self.header)?;
        if header.carries != self.expect {
            let found = header.carries.words();
            return Err(Failure::Malformed(match self.expect {
                Carries::Order => Malformed::AmongOrders(found),
                Carries::Key | Carries::StreamKey => {
                    Malformed::Carries { found, expected: self.expect.words() }
                }
            }));
        }
        let key = self.keys.choose(&header, self.guess)?;
        let Header { params, chain, .. } = header;
        let own = (params != KeyParams::None || !chain.is_empty())
            .then(|| Box::new(OfOrder { params, chain }));
        self.guess = key.number + 1;
        self.last = aad;
        self.meanings.push(Meaning { key, own });
        Ok(())
    }
}

impl Meaning<'_> {
    /// What the header carries beside the encrypted key.
    pub(super) fn params(&self) -> &KeyParams {
        self.own.as_ref().map_or(&KeyParams::None, |own| &own.params)
    }

    /// The links of a chain; empty if there is none.
    pub(super) fn chain(&self) -> &[Vec<u8>] {
        self.own.as_ref().map_or(&[], |own| &own.chain)
    }
}

/// Splits a compact JWE into its five segments.
pub(in crate::protocol) fn segments(line: &[u8]) -> Option<[&[u8]; 5]> {
    let mut dots = memchr::memchr_iter(b'.', line);
    let ends = [dots.next()?, dots.next()?, dots.next()?, dots.next()?];
    if dots.next().is_some() {
        return None;
    }
    Some([
        &line[..ends[0]],
        &line[ends[0] + 1..ends[1]],
        &line[ends[1] + 1..ends[2]],
        &line[ends[2] + 1..ends[3]],
        &line[ends[3] + 1..],
    ])
}

/// Appends a decoded segment. It is decoded directly into place: if a small array is moved, it is
/// read before its writes have completed, and the processor stalls.
fn decode(
    backend: Backend,
    segment: &[u8],
    out: &mut Vec<u8>,
    what: &'static str,
) -> Result<(), Failure> {
    match base64url::decode_append(backend, segment, out) {
        Some(_) => Ok(()),
        None => Err(Failure::Malformed(Malformed::Base64(what))),
    }
}

/// Appends a decoded segment of known length.
fn decode_exact(
    backend: Backend,
    segment: &[u8],
    expected: usize,
    out: &mut Vec<u8>,
    what: &'static str,
) -> Result<(), Failure> {
    match base64url::decoded_length(segment.len()) {
        Some(found) if found != expected => {
            Err(Failure::Malformed(Malformed::Length { what, found, expected }))
        }
        _ => decode(backend, segment, out, what),
    }
}
