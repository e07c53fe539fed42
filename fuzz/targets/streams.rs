//! Opens sealed streams that were changed: what is passed on is always the beginning of the content
//! that was sealed, and all of it if opening succeeds.

#![no_main]

use std::cell::RefCell;
use std::io::Cursor;
use std::sync::OnceLock;

use orderseal::ciphers::random::SystemSource;
use orderseal::protocol::pipeline::Part;
use orderseal::protocol::roles::client::Plan;
use orderseal::protocol::roles::shop::Uses;
use orderseal::protocol::roles::stream;
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::{Result, Time};
use orderseal_fuzz::{Input, begin, keys, line, place, repository, workers};

/// Bytes in a sealed chunk, and in the part between first line and chunks.
const CHUNK: usize = (16 << 10) + 16;

struct Stream {
    keys: OpeningKeys,
    sealed: Vec<u8>,
    content: Vec<u8>,
}

/// Streams of the test kit that open, and longer ones under a key of the keyring.
fn streams() -> &'static [Stream] {
    static STREAMS: OnceLock<Vec<Stream>> = OnceLock::new();
    STREAMS.get_or_init(|| {
        let mut streams: Vec<Stream> = Vec::new();
        for length in [0, 1, CHUNK - 16, CHUNK - 15, 3 * CHUNK] {
            let content: Vec<u8> = (0..length).map(|at| (at * 31 / 7) as u8).collect();
            let sealed = seal(&content).expect("the shop has keys");
            streams.push(Stream { keys: keys::opening(keys::keyring()), sealed, content });
        }
        let vectors = repository::vectors();
        for vector in vectors.into_iter().filter(|vector| vector.field("kind") == "stream") {
            let Some(keys) = opening(vector.field("keys")) else { continue };
            let mut content = Vec::new();
            let opened = open(&keys, &vector.body, &mut content);
            // What precedes a fault is content, too.
            assert_eq!(opened.is_ok(), vector.field("expect") == "opens", "{}", vector.name);
            if !content.is_empty() || opened.is_ok() {
                streams.push(Stream { keys, sealed: vector.body, content });
            }
        }
        streams
    })
}

fn seal(content: &[u8]) -> Result<Vec<u8>> {
    let shop = keys::name("s0");
    let client = keys::client(&mut keys::keyring().clone(), &shop, 1)?;
    let plan = Plan::of_client(&client, Time::UNIX_EPOCH, &place())?;
    let (part, mut sealed) = (Part::memory("content", content.to_vec()), Vec::new());
    let (source, store) = (SystemSource::new()?, RefCell::new(client));
    plan.seal_stream(workers(), part, &source, &store, &mut sealed, |_| {})?;
    Ok(sealed)
}

fn opening(file: &str) -> Option<OpeningKeys> {
    let file = KeyFile::parse(file.as_bytes(), &place()).ok()?;
    let mut keys = OpeningKeys::new(true);
    keys.add(OpeningFile::of(file, &place()).ok()?, &place()).ok()?;
    Some(keys)
}

fn open(keys: &OpeningKeys, sealed: &[u8], content: &mut Vec<u8>) -> Result<()> {
    let end = sealed.iter().position(|&byte| byte == b'\n').unwrap_or(sealed.len());
    let rest = sealed.get(end + 1..).unwrap_or_default().to_vec();
    let opened = stream::open(
        workers(),
        &sealed[..end],
        Box::new(Cursor::new(rest)),
        &place(),
        keys,
        Uses::Any,
        |texts, _| {
            texts.iter().for_each(|text| content.extend_from_slice(text));
            Ok(())
        },
    )?;
    assert_eq!(opened.totals.written, content.len() as u64);
    assert_eq!(stream::content_len(sealed.len() as u64, end + 1), Some(content.len() as u64));
    Ok(())
}

/// Changes a stream as the input says.
fn changed(stream: &[u8], other: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    while !input.is_empty() && bytes.len() < 8 * CHUNK {
        let kind = input.byte();
        // Places near the ends of parts are the likely ones.
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0) + 1;
        let part = [0, line, line + 24, line + 56, bytes.len()][input.below(5)];
        let at =
            (part + input.below(8) * CHUNK + input.below(64)).saturating_sub(32).min(bytes.len());
        match kind % 8 {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= input.byte();
                }
            }
            1 => bytes.truncate(at),
            2 => bytes.splice(at..at, input.take(40).iter().copied()).for_each(drop),
            3 => bytes.drain(at..(at + 1 + input.below(64)).min(bytes.len())).for_each(drop),
            4 => bytes.drain(at..(at + CHUNK).min(bytes.len())).for_each(drop),
            5 => {
                let chunk = bytes[at..(at + CHUNK).min(bytes.len())].to_vec();
                bytes.splice(at..at, chunk).for_each(drop);
            }
            6 => bytes.extend(other.iter().skip(at).take(CHUNK)),
            _ => bytes
                .splice(..line.min(bytes.len()), other.iter().copied().take(line))
                .for_each(drop),
        }
    }
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    let numbers = 0..streams().len() as u8;
    let changes =
        [&[0][..], &[0, 3, 0, 9, 1], &[1, 4, 2, 3], &[4, 2, 1, 0], &[5, 3, 1, 32], &[7, 1, 1, 1]];
    let changed =
        numbers.clone().flat_map(|number| changes.map(|change| [&[number, 0], change].concat()));
    let mut seeds: Vec<Vec<u8>> = changed.collect();
    for (number, stream) in numbers.zip(streams()).filter(|(_, stream)| stream.sealed.len() < 4096)
    {
        seeds.push([&[number, 1], &stream.sealed[..]].concat());
        let end = stream.sealed.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        for first in line::inputs(&stream.sealed[..end]).iter().skip(1) {
            seeds.push(
                [&[number, 2, first.len() as u8], &first[..], &stream.sealed[end..]].concat(),
            );
        }
    }
    seeds
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        let (number, kind) = (input.below(streams().len()), input.byte() % 3);
        let stream = &streams()[number];
        let sealed = match kind {
            0 => {
                let other = &streams()[(number + 1) % streams().len()];
                changed(&stream.sealed, &other.sealed, &mut input)
            }
            1 => input.rest().to_vec(),
            _ => {
                let length = input.byte().into();
                [&line::text(input.take(length)), input.rest()].concat()
            }
        };
        let mut content = Vec::new();
        let opened = open(&stream.keys, &sealed, &mut content);
        assert!(streams().iter().any(|own| match opened {
            Ok(()) => own.content == content,
            Err(_) => own.content.starts_with(&content),
        }), "content was passed on that nobody sealed");
    }
);
