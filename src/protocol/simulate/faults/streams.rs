//! Attacks on a sealed stream, by someone who has two streams for the same shop.

use std::cell::RefCell;
use std::io::Cursor;

use crate::ciphers::chunked::{CHUNK_LEN, PREFIX_LEN, SEALED_CHUNK_LEN};
use crate::ciphers::random::SeededSource;
use crate::protocol::model::{Place, Result, Scope};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::Plan;
use crate::protocol::roles::merge::{self, OnErased};
use crate::protocol::roles::service::{self, ClientRequest, IdRequest, KeyRequest};
use crate::protocol::roles::shop::Uses;
use crate::protocol::roles::stream;
use crate::protocol::simulate::NOW;
use crate::protocol::simulate::{Case, Setup};
use crate::protocol::store::keyfile::{Keyring, ShopBundle};
use crate::protocol::store::{OpeningFile, OpeningKeys};

/// Attacks on a sealed stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamAttack {
    /// The stream arrives as it was sent.
    None,
    /// A chunk is replaced by the one at the same place of the other stream.
    Spliced,
    /// All chunks are replaced by those of the other stream.
    OtherChunks,
    /// Two chunks change places.
    Swapped,
    /// The last chunk is cut off.
    CutOff,
}

/// Two streams for a shop, and what opens them.
pub struct Streams {
    keys: OpeningKeys,
    content: [String; 1],
    sealed: [Vec<u8>; 2],
}

/// Length in bytes of a stream's key, which takes as much of a pad.
const KEY_LEN: u64 = 32;

impl Streams {
    /// Lets a client with keys of its own seal two streams of three full chunks, and an empty one.
    pub fn seal(
        setup: &Setup,
        case: &Case,
        service: &Keyring,
        bundle: &ShopBundle,
        workers: &Workers,
    ) -> Result<Self> {
        let place = Place::file("streams");
        let source = SeededSource::new(0).child("streams");
        let (mut service, mut bundle) = (service.clone(), bundle.clone());
        let at_shop_scope = case.scheme.scope == Scope::Shop;
        let takes_shared_pad = at_shop_scope && case.suite.enc().takes_pad();
        let ids = if at_shop_scope { IdRequest::Pool(2) } else { IdRequest::OnDemand(2) };
        let request = ClientRequest {
            layers: case.layers,
            pad_bytes: takes_shared_pad.then_some(2 * KEY_LEN),
            ..ClientRequest::new(bundle.name.clone(), ids, NOW)
        };
        let make = |making: &KeyRequest| {
            let making = KeyRequest { sizes: setup.sizes(), ..making.clone() };
            service::make_keys(&making, &source, workers, &|| {}, &place)
        };
        let delivery = service::bundle_client(&mut service, &request, &source, make, &place)?;
        if !at_shop_scope {
            let half = delivery.shop_half(&service, &place)?;
            merge::merge(&mut bundle, &half, OnErased::Refuse, &place)?;
        }
        let mut keys = OpeningKeys::new(false);
        keys.add(OpeningFile::Shop(bundle.into()), &place)?;
        let client = RefCell::new(delivery.client);
        let [content, other] = ["tea", "ink"].map(|word| word.repeat(CHUNK_LEN));
        let seal = |content: &str| -> Result<Vec<u8>> {
            let plan = Plan::of_client(&client.borrow(), NOW, &place)?;
            let input = Part::memory(&place.file, content.as_bytes().to_vec());
            let source = source.child(&content[..3]);
            let mut sealed = Vec::new();
            plan.seal_stream(workers, input, &source, &client, &mut sealed, |_| {})?;
            Ok(sealed)
        };
        let sealed = [seal(&content)?, seal(&other)?];
        Ok(Self { keys, content: [content], sealed })
    }

    /// The content of the first stream.
    pub fn content(&self) -> &[String] {
        &self.content
    }

    /// Opens the first stream after an attack, and returns its content.
    ///
    /// # Errors
    /// Those of [`stream::open`].
    pub fn open(&self, attack: StreamAttack, workers: &Workers) -> Result<Vec<String>> {
        let [(line, prefix, mut chunks), (_, _, mut others)] =
            [&self.sealed[0], &self.sealed[1]].map(|sealed| parts(sealed));
        match attack {
            StreamAttack::None => {}
            StreamAttack::Spliced => chunks[1] = others[1],
            StreamAttack::OtherChunks => std::mem::swap(&mut chunks, &mut others),
            StreamAttack::Swapped => chunks.swap(0, 1),
            StreamAttack::CutOff => drop(chunks.pop()),
        }
        let rest = [prefix, &chunks.concat()[..]].concat();
        let (place, mut opened) = (Place::file("stream"), Vec::new());
        let input = Box::new(Cursor::new(rest));
        stream::open(workers, line, input, &place, &self.keys, Uses::Any, |pieces, _| {
            pieces.iter().for_each(|piece| opened.extend_from_slice(piece));
            Ok(())
        })?;
        Ok(vec![String::from_utf8_lossy(&opened).into_owned()])
    }
}

/// The first line of a stream, the bytes before its chunks, and the chunks.
fn parts(sealed: &[u8]) -> (&[u8], &[u8], Vec<&[u8]>) {
    let end = memchr::memchr(b'\n', sealed).expect("a stream has a first line");
    let (prefix, chunks) = sealed[end + 1..].split_at(PREFIX_LEN);
    (&sealed[..end], prefix, chunks.chunks(SEALED_CHUNK_LEN).collect())
}
