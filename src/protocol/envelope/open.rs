//! Opening a block of sealed lines.

use std::ops::Range;
use std::sync::Arc;

use rand::Rng;
use zeroize::Zeroizing;

use super::open_key::Ready;
use super::{Carries, Failure, Header, MAX_ORDER, MAX_SEALED_LINE, OpeningKeys, blocks, chain};
use crate::ciphers::Wiped;
use crate::ciphers::base64url;
use crate::ciphers::content::{ContentCipher, Keys, MAX_IV, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::ciphers::wrap::{self, UnwrapJob, UnwrappingKey};
use crate::protocol::{Enc, Suite};

/// Lines that are opened side by side.
const GROUP: usize = 64;

/// Opens lines with a set of keys.
#[derive(Debug, Clone, Copy)]
pub struct Opener<'a> {
    /// The keys.
    pub keys: &'a OpeningKeys,
    /// What the lines carry.
    pub expect: Carries,
    /// The kernels to use.
    pub backend: Backend,
}

/// What a line became.
#[derive(Debug)]
pub struct Opened {
    /// The key that opened it, as an index for [`OpeningKeys::name`].
    pub key: usize,
    /// Where its text ends in [`OpenedBlock::text`], line feed included; it begins where the one
    /// before ends.
    pub end: usize,
}

/// What a block of lines became.
#[derive(Debug, Default)]
pub struct OpenedBlock {
    /// The orders that were opened, each followed by a line feed.
    pub text: Wiped,
    /// For each line, in order, the order or why there is none.
    pub lines: Vec<Result<Opened, Failure>>,
}

/// A line in parts, decoded, with the key that it names.
struct Parsed<'l, 'k> {
    aad: &'l [u8],
    header: Arc<Header>,
    encrypted_key: Range<usize>,
    ciphertext: Range<usize>,
    iv: [u8; MAX_IV],
    tag: [u8; MAX_TAG],
    key: usize,
    suite: Suite,
    ready: &'k Ready,
}

/// A line that is being opened under an authenticated cipher.
struct Candidate<'l, 'k> {
    line: usize,
    parsed: Parsed<'l, 'k>,
    cipher: ContentCipher,
    len: usize,
    authentic: bool,
}

/// The decoded bytes of a group of lines: encrypted keys and ciphertexts, each kind by itself.
#[derive(Default)]
struct Decoded {
    encrypted_keys: Vec<u8>,
    texts: Wiped,
}

/// The header that was read last, which the next line is likely to have as well.
type LastHeader<'l> = Option<(&'l [u8], Arc<Header>)>;

impl Opener<'_> {
    /// Opens lines; nothing that is not authentic is in the result.
    pub fn open(&self, lines: &[&[u8]], rng: &mut KeyStream) -> OpenedBlock {
        let mut block = OpenedBlock::default();
        // An order is shorter than its line, so that the text never has to be moved.
        block.text.reserve(lines.iter().map(|line| line.len()).sum());
        let mut last = None;
        for group in lines.chunks(GROUP) {
            self.open_group(group, &mut last, rng, &mut block);
        }
        block
    }

    fn open_group<'l>(
        &self,
        lines: &[&'l [u8]],
        last: &mut LastHeader<'l>,
        rng: &mut KeyStream,
        block: &mut OpenedBlock,
    ) {
        let mut results: Vec<Result<(usize, Text), Failure>> = Vec::with_capacity(lines.len());
        let mut candidates = Vec::with_capacity(lines.len());
        let mut decoded = Decoded::default();
        let sealed: usize = lines.iter().map(|line| line.len()).sum();
        decoded.texts.reserve(sealed);
        for (line, text) in lines.iter().enumerate() {
            let result = self.parse(text, last, &mut decoded).and_then(|parsed| {
                match (parsed.suite.enc(), parsed.ready) {
                    (Enc::Cipher(cipher), _) => {
                        let (len, authentic) = (0, false);
                        let key = parsed.key;
                        candidates.push(Candidate { line, parsed, cipher, len, authentic });
                        Ok((key, Text::Pending))
                    }
                    (Enc::RsaBlocks, Ready::Blocks(key)) => {
                        let sealed = &decoded.texts[parsed.ciphertext];
                        blocks::open(self.backend, key, parsed.aad, &parsed.iv, sealed, rng)
                            .map(|order| (parsed.key, Text::Blocks(order)))
                            .ok_or(Failure::Authentication)
                    }
                    (Enc::RsaBlocks, _) => Err(Failure::Authentication),
                }
            });
            results.push(result);
        }
        self.open_candidates(&mut candidates, &mut decoded, rng);
        for candidate in candidates {
            let start = candidate.parsed.ciphertext.start;
            results[candidate.line] = match candidate.authentic {
                true => Ok((candidate.parsed.key, Text::Record(start..start + candidate.len))),
                false => Err(Failure::Authentication),
            };
        }
        for result in results {
            let opened = result.and_then(|(key, text)| {
                let order = match &text {
                    Text::Record(range) => &decoded.texts[range.clone()],
                    Text::Blocks(order) => order,
                    Text::Pending => return Err(Failure::Authentication),
                };
                if self.expect == Carries::Order {
                    check_order(order)?;
                }
                block.text.extend_from_slice(order);
                block.text.push(b'\n');
                Ok(Opened { key, end: block.text.len() })
            });
            block.lines.push(opened);
        }
    }

    /// Takes a line apart and finds its key. The header is read once for a run of equal ones.
    fn parse<'l>(
        &self,
        line: &'l [u8],
        last: &mut LastHeader<'l>,
        decoded: &mut Decoded,
    ) -> Result<Parsed<'l, '_>, Failure> {
        if line.len() > MAX_SEALED_LINE {
            let found = format!("the sealed line is longer than {MAX_SEALED_LINE} bytes");
            return Err(Failure::Malformed(found));
        }
        let Some([aad, encrypted_key, iv, ciphertext, tag]) = segments(line) else {
            return Err(not_sealed(line));
        };
        let header = match last {
            Some((text, header)) if *text == aad => Arc::clone(header),
            _ => {
                let header = Arc::new(Header::decode(aad)?);
                *last = Some((aad, Arc::clone(&header)));
                header
            }
        };
        if header.carries != self.expect {
            let found = header.carries.words();
            return Err(Failure::Malformed(match self.expect {
                Carries::Order => format!("found {found} among orders: it opens only alone"),
                other => format!("found {found}, expected {}", other.words()),
            }));
        }
        let key = self.keys.find(&header)?;
        let (suite, ready) = self.keys.ready(key, &header)?;
        let (iv_len, tag_len) = match suite.enc() {
            Enc::Cipher(cipher) => (cipher.iv_len(), cipher.tag_len()),
            Enc::RsaBlocks => (blocks::IV_LEN, 0),
        };
        let parsed = Parsed {
            aad,
            iv: self.decode_exact(iv, iv_len, "initialization vector")?,
            tag: self.decode_exact(tag, tag_len, "tag")?,
            encrypted_key: self.decode(
                encrypted_key,
                &mut decoded.encrypted_keys,
                "encrypted key",
            )?,
            ciphertext: self.decode(ciphertext, &mut decoded.texts, "ciphertext")?,
            header,
            key,
            suite,
            ready,
        };
        parsed.check()?;
        Ok(parsed)
    }

    /// Appends what a segment decodes to.
    fn decode(
        &self,
        segment: &[u8],
        out: &mut Vec<u8>,
        name: &str,
    ) -> Result<Range<usize>, Failure> {
        let start = out.len();
        let decoded = base64url::decoded_length(segment.len()).and_then(|length| {
            out.resize(start + length, 0);
            base64url::decode(self.backend, segment, &mut out[start..])
        });
        match decoded {
            Some(_) => Ok(start..out.len()),
            None => {
                out.truncate(start);
                Err(Failure::Malformed(format!("the {name} is not canonical base64url")))
            }
        }
    }

    /// Decodes a short segment of known length.
    fn decode_exact<const N: usize>(
        &self,
        segment: &[u8],
        expected: usize,
        name: &str,
    ) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        let found = base64url::decoded_length(segment.len());
        if found.is_some_and(|found| found != expected) {
            let found = found.unwrap_or_default();
            let found = format!("the {name} has {found} bytes, expected {expected}");
            return Err(Failure::Malformed(found));
        }
        match base64url::decode(self.backend, segment, &mut bytes) {
            Some(_) => Ok(bytes),
            None => Err(Failure::Malformed(format!("the {name} is not canonical base64url"))),
        }
    }

    /// Finds every candidate's content key, verifies and decrypts.
    fn open_candidates(
        &self,
        candidates: &mut [Candidate<'_, '_>],
        decoded: &mut Decoded,
        rng: &mut KeyStream,
    ) {
        let ceks = self.content_keys(candidates, &decoded.encrypted_keys, rng);
        let mut rest = &mut decoded.texts[..];
        let mut taken = 0;
        let mut records = Vec::with_capacity(candidates.len());
        for candidate in candidates.iter() {
            let parsed = &candidate.parsed;
            let text = rest
                .split_at_mut_checked(parsed.ciphertext.start - taken)
                .map(|(_, text)| text)
                .expect("ciphertexts lie in the order of their lines");
            let (text, after) = text.split_at_mut(parsed.ciphertext.len());
            (rest, taken) = (after, parsed.ciphertext.end);
            records.push(Record {
                iv: &parsed.iv[..candidate.cipher.iv_len()],
                aad: parsed.aad,
                text,
                len: 0,
                tag: parsed.tag,
                authentic: false,
            });
        }
        // Lines under one cipher mostly stand together, and are opened together.
        let (mut from, mut cek_from) = (0, 0);
        for run in candidates.chunk_by(|a, b| a.cipher == b.cipher) {
            let cipher = run[0].cipher;
            let cek_to = cek_from + run.iter().map(Candidate::cek_len).sum::<usize>();
            let records = &mut records[from..from + run.len()];
            let keys = match one_direct_key(run) {
                Some(key) => Keys::One(key),
                None => Keys::Each(&ceks[cek_from..cek_to]),
            };
            cipher.open(self.backend, keys, records);
            (from, cek_from) = (from + run.len(), cek_to);
        }
        let verdicts: Vec<_> = records.iter().map(|it| (it.authentic, it.len)).collect();
        drop(records);
        for (candidate, (authentic, len)) in candidates.iter_mut().zip(verdicts) {
            (candidate.authentic, candidate.len) = (authentic, len);
        }
    }

    /// Every candidate's content-encryption key, one after the other: the right one, or a random
    /// one whose tag will not fit.
    fn content_keys(
        &self,
        candidates: &[Candidate<'_, '_>],
        encrypted_keys: &[u8],
        rng: &mut KeyStream,
    ) -> Wiped {
        let lengths = candidates.iter().map(Candidate::cek_len);
        let mut ceks = Wiped::from(vec![0; lengths.sum()]);
        let mut outermost = Zeroizing::new(vec![[0; chain::LINK_LEN]; candidates.len()]);
        rng.fill_bytes(&mut ceks);
        rng.fill_bytes(outermost.as_flattened_mut());
        let mut jobs = Vec::with_capacity(candidates.len());
        let (mut rest, mut links) = (&mut ceks[..], outermost.iter_mut());
        for candidate in candidates {
            let cek = rest.split_off_mut(..candidate.cek_len()).expect("room for all");
            let link = links.next().expect("one for each");
            let header = &candidate.parsed.header;
            let room = if header.chain.is_empty() { cek } else { &mut link[..] };
            match candidate.parsed.ready {
                Ready::Direct(key) if key.len() == room.len() => room.copy_from_slice(key),
                Ready::Pad(pad) => {
                    let (iv, _) = candidate.parsed.iv.split_first_chunk().expect("16 bytes");
                    if pad.copy_key(u64::from_be_bytes(*iv), room).is_none() {
                        rng.fill_bytes(room);
                    }
                }
                Ready::Unwrap(kek) => {
                    let (iv, tag) = header.gcm_kw.unwrap_or_default();
                    let encrypted_key = &encrypted_keys[candidate.parsed.encrypted_key.clone()];
                    jobs.push(UnwrapJob { kek, encrypted_key, iv, tag, cek: room });
                }
                // A direct key that cannot head a chain: what is random stays, and will not fit.
                _ => {}
            }
        }
        wrap::unwrap(self.backend, &mut jobs, rng);
        drop(jobs);
        let mut rest = &mut ceks[..];
        for (candidate, link) in candidates.iter().zip(outermost.iter()) {
            let cek = rest.split_off_mut(..candidate.cek_len()).expect("room for all");
            let links = &candidate.parsed.header.chain;
            if !links.is_empty() {
                chain::unwrap(link, links, cek);
            }
        }
        ceks
    }
}

impl Candidate<'_, '_> {
    /// Length in bytes of its content-encryption key.
    fn cek_len(&self) -> usize {
        self.cipher.key_len_for(self.parsed.ciphertext.len())
    }
}

impl Parsed<'_, '_> {
    /// What the algorithms ask of a line besides lengths.
    fn check(&self) -> Result<(), Failure> {
        let malformed = |found: &str| Err(Failure::Malformed(found.to_owned()));
        match self.ready {
            Ready::Unwrap(UnwrappingKey::AesGcmKw(_)) if self.header.gcm_kw.is_none() => {
                malformed("header: no members \"iv\" and \"tag\", which the algorithm needs")
            }
            Ready::Direct(_) | Ready::Pad(_) | Ready::Blocks(_)
                if !self.encrypted_key.is_empty() =>
            {
                malformed("an encrypted key beside the algorithm dir")
            }
            Ready::Blocks(_) if !self.header.chain.is_empty() => {
                malformed("a chain of keys beside RSA blocks")
            }
            Ready::Pad(_) if !self.header.chain.is_empty() => {
                malformed("a chain of keys beside a pad")
            }
            _ => Ok(()),
        }
    }
}

/// The distributed key, if it encrypts all these orders itself.
fn one_direct_key<'k>(run: &[Candidate<'_, 'k>]) -> Option<&'k [u8]> {
    let first = &run[0].parsed;
    let Ready::Direct(key) = first.ready else { return None };
    let same = |candidate: &Candidate<'_, '_>| {
        candidate.parsed.key == first.key && candidate.parsed.header.chain.is_empty()
    };
    run.iter().all(same).then_some(key)
}

/// The five parts of a compact JWE.
fn segments(line: &[u8]) -> Option<[&[u8]; 5]> {
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

/// An order that was opened, wherever its bytes are.
enum Text {
    /// Not yet.
    Pending,
    /// In the decoded texts.
    Record(Range<usize>),
    /// Put together from blocks.
    Blocks(Wiped),
}

/// What another tool may have sealed and an order cannot be.
fn check_order(order: &[u8]) -> Result<(), Failure> {
    if memchr::memchr(b'\n', order).is_some() {
        return Err(Failure::Malformed("the order has a line feed in it".to_owned()));
    }
    if order.len() > MAX_ORDER {
        return Err(Failure::Malformed(format!("the order is longer than {MAX_ORDER} bytes")));
    }
    Ok(())
}

fn not_sealed(line: &[u8]) -> Failure {
    let found = match memchr::memchr_iter(b'.', line).count() {
        _ if line.is_empty() => "an empty line".to_owned(),
        0 => "no sealed order (there is no dot in it)".to_owned(),
        dots => format!("{} segments", dots + 1),
    };
    Failure::Malformed(format!("{found}, expected a compact JWE of 5 segments"))
}
