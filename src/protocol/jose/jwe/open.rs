//! Opening a block of sealed lines.

use std::ops::Range;

use rand::Rng;
use zeroize::{Zeroize, Zeroizing};

use super::open_key::Chosen;
use super::parse::{Parsed, Parser};
use super::{Carries, Failure, KeyLookup, MAX_ORDER, Spread, Stage, Watch, chain};
use crate::ciphers::Wiped;
use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::KeyStream;
use crate::protocol::jose::alg::{Opening, UnwrapJob, UnwrapJobs, one_time_pad, rsa_blocks};
use crate::protocol::jose::run::{in_turn, unwatched};
use crate::protocol::model::Malformed;

/// Lines opened side by side: enough that the memory cleared by kernels hardly counts, and few
/// enough to stay in the cache.
const GROUP: usize = 256;

/// Opens lines with a set of keys.
#[derive(Debug, Clone, Copy)]
pub struct Opener<'a> {
    /// The keys to choose from.
    pub keys: &'a dyn KeyLookup,
    /// The content that the lines must carry.
    pub expect: Carries,
    /// The kernels to use.
    pub backend: Backend,
    /// Spreads the blocks of an order over threads.
    pub spread: Spread,
    /// Called at the end of each stage.
    pub watch: Watch,
}

/// A line that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The number of the key that opened it.
    pub key: usize,
    /// End of its text in [`OpenedBlock::text`], including the line feed; it begins where the
    /// previous one ends.
    pub end: usize,
}

/// The result of opening a block of lines.
#[derive(Debug, Default)]
pub struct OpenedBlock {
    /// The orders that were opened, each followed by a line feed.
    pub text: Wiped,
    /// For each line, in the order of the input: the order, or the reason why it failed.
    pub lines: Vec<Result<Opened, Failure>>,
}

/// A line that is being opened under an authenticated cipher.
struct Candidate<'l> {
    line: usize,
    parsed: Parsed<'l>,
    cipher: ContentCipher,
    len: usize,
    authentic: bool,
}

/// Location of an order's text.
enum Text {
    /// Not opened yet.
    Pending,
    /// At this range, in place of its ciphertext.
    Record(Range<usize>),
}

impl<'a> Opener<'a> {
    /// Creates an opener with the widest backend, one thread, and no watch.
    pub fn new(keys: &'a dyn KeyLookup, expect: Carries) -> Self {
        Self { keys, expect, backend: Backend::detect(), spread: in_turn, watch: unwatched }
    }

    /// Opens lines; `memory` may be reused from an earlier block. The result contains authentic
    /// text only.
    pub fn open(&self, lines: &[&[u8]], memory: Wiped, rng: &mut KeyStream) -> OpenedBlock {
        let mut block = OpenedBlock { text: memory, lines: Vec::new() };
        block.text.clear();
        // A ciphertext is shorter than its line, so the text never has to be reallocated.
        block.text.reserve(lines.iter().map(|line| line.len() + 1).sum());
        block.lines.reserve(lines.len());
        let mut parser = Parser::new(self.keys, self.expect, self.backend);
        for group in lines.chunks(GROUP) {
            self.open_group(group, &mut parser, rng, &mut block);
        }
        block
    }

    /// Opens orders in place, where their ciphertexts were decoded to: after the text so far, each
    /// with room for its line feed.
    fn open_group<'l>(
        &self,
        lines: &[&'l [u8]],
        parser: &mut Parser<'l, 'a>,
        rng: &mut KeyStream,
        block: &mut OpenedBlock,
    ) {
        let mut results: Vec<Result<(usize, Text), Failure>> = Vec::with_capacity(lines.len());
        let mut candidates = Vec::with_capacity(lines.len());
        let (start, text) = (block.text.len(), &mut block.text);
        parser.next_group();
        for (line, sealed) in lines.iter().enumerate() {
            let result = parser.parse(sealed, text).and_then(|parsed| {
                let Chosen { number: key, ready } = parser.meaning(&parsed).key;
                match ready {
                    Opening::Direct(cipher, _)
                    | Opening::Pad(cipher, _)
                    | Opening::Wrap(cipher, _) => {
                        let (len, authentic) = (0, false);
                        candidates.push(Candidate { line, parsed, cipher, len, authentic });
                        Ok((key, Text::Pending))
                    }
                    Opening::Blocks(pair) => {
                        let (iv, _, _) = parser.split(&parsed);
                        let start = parsed.ciphertext.start;
                        let sealed = &mut text[parsed.ciphertext];
                        let kernels = (self.backend, self.spread);
                        (self.watch)(Stage::Format);
                        let len = rsa_blocks::open(kernels, pair, parsed.aad, iv, sealed, rng);
                        (self.watch)(Stage::Open);
                        len.map(|len| (key, Text::Record(start..start + len)))
                            .ok_or(Failure::Authentication)
                    }
                }
            });
            results.push(result);
            text.push(b'\n');
        }
        (self.watch)(Stage::Format);
        self.open_candidates(&mut candidates, parser, text, rng);
        for candidate in candidates {
            let start = candidate.parsed.ciphertext.start;
            results[candidate.line] = match candidate.authentic {
                true => {
                    let key = parser.meaning(&candidate.parsed).key.number;
                    Ok((key, Text::Record(start..start + candidate.len)))
                }
                false => Err(Failure::Authentication),
            };
        }
        let mut end = start;
        for result in results {
            let opened = result.and_then(|(key, order)| {
                let len = self.settle(&order, end, text)?;
                end += len + 1;
                Ok(Opened { key, end })
            });
            block.lines.push(opened);
        }
        text[end..].zeroize();
        text.truncate(end);
        (self.watch)(Stage::Format);
    }

    /// Moves an order to the end of the previous one, unless it is already there, and returns its length.
    fn settle(&self, order: &Text, to: usize, text: &mut [u8]) -> Result<usize, Failure> {
        let range = match order {
            Text::Record(range) => range.clone(),
            Text::Pending => return Err(Failure::Authentication),
        };
        if self.expect == Carries::Order {
            check_order(&text[range.clone()])?;
        }
        let len = range.len();
        if range.start != to {
            text.copy_within(range, to);
        }
        text[to + len] = b'\n';
        Ok(len)
    }

    /// Finds the content key of every candidate, then verifies and decrypts.
    fn open_candidates(
        &self,
        candidates: &mut [Candidate<'_>],
        parser: &Parser<'_, '_>,
        texts: &mut [u8],
        rng: &mut KeyStream,
    ) {
        let ceks = self.content_keys(candidates, parser, rng);
        (self.watch)(Stage::Unwrap);
        let mut rest = texts;
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
            let ((iv, sent, _), mut tag) = (parser.split(parsed), [0; MAX_TAG]);
            tag[..sent.len()].copy_from_slice(sent);
            records.push(Record { iv, aad: parsed.aad, text, len: 0, tag, authentic: false });
        }
        // Lines under one cipher are mostly adjacent, and each run of them is opened together.
        let (mut from, mut cek_from) = (0, 0);
        for run in candidates.chunk_by(|a, b| a.cipher == b.cipher) {
            let cipher = run[0].cipher;
            let cek_to = cek_from + run.iter().map(Candidate::cek_len).sum::<usize>();
            let records = &mut records[from..from + run.len()];
            let keys = match one_direct_key(run, parser) {
                Some(key) => Keys::One(key),
                None => Keys::Each(&ceks[cek_from..cek_to]),
            };
            cipher.open(self.backend, keys, records);
            (from, cek_from) = (from + run.len(), cek_to);
        }
        (self.watch)(Stage::Open);
        let verdicts: Vec<_> = records.iter().map(|it| (it.authentic, it.len)).collect();
        drop(records);
        for (candidate, (authentic, len)) in candidates.iter_mut().zip(verdicts) {
            (candidate.authentic, candidate.len) = (authentic, len);
        }
    }

    /// The content-encryption keys of all candidates, concatenated. A key that cannot be unwrapped
    /// is replaced by a random one, under which the tag will not verify.
    fn content_keys(
        &self,
        candidates: &[Candidate<'_>],
        parser: &Parser<'_, '_>,
        rng: &mut KeyStream,
    ) -> Wiped {
        let lengths = candidates.iter().map(Candidate::cek_len);
        let mut ceks = Wiped::from(vec![0; lengths.sum()]);
        let chained = candidates.iter().filter(|it| !parser.meaning(&it.parsed).chain().is_empty());
        let mut outermost = Zeroizing::new(vec![[0; chain::LINK_LEN]; chained.count()]);
        rng.fill_bytes(&mut ceks);
        rng.fill_bytes(outermost.as_flattened_mut());
        let mut jobs = UnwrapJobs::default();
        let (mut rest, mut heads) = (&mut ceks[..], outermost.iter_mut());
        for candidate in candidates {
            let cek = rest.split_off_mut(..candidate.cek_len()).expect("room for all");
            let meaning = parser.meaning(&candidate.parsed);
            let (iv, _, encrypted_key) = parser.split(&candidate.parsed);
            let room = match meaning.chain() {
                [] => cek,
                _ => heads.next().expect("one for each chain"),
            };
            match meaning.key.ready {
                Opening::Direct(_, key) if key.len() == room.len() => room.copy_from_slice(key),
                Opening::Pad(_, pad) => one_time_pad::key(pad, iv, room, rng),
                Opening::Wrap(_, key) => {
                    let params = meaning.params();
                    jobs.push(UnwrapJob { key, encrypted_key, params, cek: room });
                }
                // A direct key that cannot head a chain: the random bytes stay, and the tag will
                // not verify.
                Opening::Direct(..) | Opening::Blocks(_) => {}
            }
        }
        jobs.unwrap(self.backend, rng);
        let (mut rest, mut heads) = (&mut ceks[..], outermost.iter());
        for candidate in candidates {
            let cek = rest.split_off_mut(..candidate.cek_len()).expect("room for all");
            let links = parser.meaning(&candidate.parsed).chain();
            if !links.is_empty() {
                chain::unwrap(heads.next().expect("as above"), links, cek);
            }
        }
        ceks
    }
}

impl Candidate<'_> {
    /// Length in bytes of the content-encryption key.
    fn cek_len(&self) -> usize {
        self.cipher.key_len_for(self.parsed.ciphertext.len())
    }
}

/// The distributed key, if one key encrypts all these orders directly. A key that encrypts one
/// order directly may also wrap a key for the next order, or head its chain.
fn one_direct_key<'k>(run: &[Candidate<'_>], parser: &Parser<'_, 'k>) -> Option<&'k [u8]> {
    let direct = |candidate: &Candidate<'_>| {
        let meaning = parser.meaning(&candidate.parsed);
        match meaning.key.ready {
            Opening::Direct(_, key) if meaning.chain().is_empty() => {
                Some((meaning.key.number, key))
            }
            Opening::Direct(..) | Opening::Pad(..) | Opening::Wrap(..) | Opening::Blocks(_) => None,
        }
    };
    let (number, key) = direct(&run[0])?;
    let same = |candidate| direct(candidate).is_some_and(|(other, _)| other == number);
    run.iter().all(same).then_some(key)
}

/// Refuses content that another tool may have sealed but that cannot be an order.
fn check_order(order: &[u8]) -> Result<(), Failure> {
    if memchr::memchr(b'\n', order).is_some() {
        return Err(Failure::Malformed(Malformed::LineFeed));
    }
    if order.len() > MAX_ORDER {
        return Err(Failure::Malformed(Malformed::TooLong {
            what: "order",
            most: MAX_ORDER as u64,
        }));
    }
    Ok(())
}
