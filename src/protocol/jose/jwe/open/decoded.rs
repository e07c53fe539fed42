//! Lines decoded: their headers and the keys that these select, and their other parts.

use std::ops::Range;

use super::{KeyNumber, Opener, OpeningKey, Token};
use crate::ciphers::base64url;
use crate::ciphers::cpu::Backend;
use crate::protocol::jose::alg::KeyParams;
use crate::protocol::jose::jwe::chain::Links;
use crate::protocol::jose::jwe::{Carries, Failure, Header};
use crate::protocol::model::Malformed;

/// What was decoded of a group of lines; the memory is reused from group to group.
pub(super) struct Decoded<'o, 'l, 'k> {
    opener: &'o Opener<'k>,
    /// The headers; a run of equal headers is stored once.
    heads: Vec<Head<'k>>,
    /// The last of these headers, which the next line is likely to repeat.
    last: &'l [u8],
    /// The decoded segments, except headers and ciphertexts.
    parts: Vec<u8>,
    /// The number of the listed key that is likely to be used next.
    guess: usize,
    /// Buffer for a decoded header.
    header: Vec<u8>,
}

/// A parsed header and the key it selects.
pub(super) struct Head<'k> {
    pub key: OpeningKey<'k>,
    /// Members that belong to one order alone, in the forms that have any.
    own: Option<Box<(KeyParams, Links)>>,
}

/// Positions of the parts of a line, which is kept small because it is moved more than once.
pub(super) struct Parts<'l> {
    pub aad: &'l [u8],
    /// Index of its header in [`Decoded::heads`].
    head: usize,
    /// Range of IV, tag and encrypted key, concatenated, in [`Decoded::parts`].
    parts: Range<usize>,
    /// Range of the ciphertext in the texts.
    pub ciphertext: Range<usize>,
}

impl<'o, 'l, 'k> Decoded<'o, 'l, 'k> {
    pub fn new(opener: &'o Opener<'k>) -> Self {
        let (heads, parts, header) = (Vec::new(), Vec::new(), Vec::new());
        Self { opener, heads, last: &[], parts, guess: 0, header }
    }

    /// Forgets the lines.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.parts.clear();
    }

    /// The header of a line.
    pub fn head(&self, line: &Parts<'_>) -> &Head<'k> {
        &self.heads[line.head]
    }

    /// Decodes an order and finds its key. The ciphertext is appended to `texts`.
    pub fn decode(&mut self, token: Token<'l>, texts: &mut Vec<u8>) -> Result<Parts<'l>, Failure> {
        let Token { header, aad, encrypted_key, iv, ciphertext, tag } = token;
        self.read_header(header, !aad.is_empty())?;
        let (backend, index) = (self.opener.backend, self.heads.len() - 1);
        let head = &self.heads[index];
        let (iv_len, tag_len) = head.key.ready.lengths();
        let (start, parts) = (self.parts.len(), &mut self.parts);
        decode_exact(backend, iv, iv_len, parts, "the initialization vector")?;
        decode_exact(backend, tag, tag_len, parts, "the tag")?;
        decode(backend, encrypted_key, parts, "the encrypted key")?;
        let (parts, start) = (start..parts.len(), texts.len());
        decode(backend, ciphertext, texts, "the ciphertext")?;
        let (has_key, has_chain) = (parts.len() > iv_len + tag_len, !head.chain().is_empty());
        head.key.ready.check(head.params(), has_key, has_chain).map_err(Failure::Malformed)?;
        Ok(Parts { aad, head: index, parts, ciphertext: start..texts.len() })
    }

    /// Parses a header and finds its key, unless the header is the same as that of the previous line.
    fn read_header(&mut self, text: &'l [u8], protected: bool) -> Result<(), Failure> {
        if self.last == text && !self.heads.is_empty() {
            return Ok(());
        }
        let (header, expect) = (
            Header {
                protected,
                ..Header::decode(text, &mut self.header).map_err(Failure::Malformed)?
            },
            self.opener.expect,
        );
        // Other software seals sets of keys like any text (RFC 7520 section 5.3).
        let is_text = (expect, header.carries) == (Carries::Order, Carries::KeySet);
        if header.carries != expect && !is_text {
            let found = header.carries.words();
            return Err(Failure::Malformed(match expect {
                Carries::Order => Malformed::AmongOrders(found),
                Carries::Key | Carries::KeySet | Carries::StreamKey => {
                    Malformed::Carries { found, expected: expect.words() }
                }
            }));
        }
        let key = self.opener.keys.choose(&header, self.guess)?;
        let Header { params, chain, .. } = header;
        let has_own = params != KeyParams::None || !chain.is_empty();
        let own = has_own.then(|| Box::new((params, chain)));
        match key.number {
            KeyNumber::Listed(number) => self.guess = number + 1,
            KeyNumber::Derived { .. } | KeyNumber::Password => {}
        }
        self.last = text;
        self.heads.push(Head { key, own });
        Ok(())
    }

    /// Initialization vector, tag and encrypted key of a line.
    pub fn split(&self, line: &Parts<'_>) -> (&[u8], &[u8], &[u8]) {
        let (iv_len, tag_len) = self.heads[line.head].key.ready.lengths();
        let (iv, rest) = self.parts[line.parts.clone()].split_at(iv_len);
        let (tag, encrypted_key) = rest.split_at(tag_len);
        (iv, tag, encrypted_key)
    }
}

impl Head<'_> {
    /// What the header carries beside the encrypted key.
    pub fn params(&self) -> &KeyParams {
        self.own.as_ref().map_or(&KeyParams::None, |own| &own.0)
    }

    /// The links of a chain; empty if there is none.
    pub fn chain(&self) -> &[Vec<u8>] {
        self.own.as_ref().map_or(&[], |own| &own.1)
    }
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
