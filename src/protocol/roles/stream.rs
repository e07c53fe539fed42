//! Sealed streams: a whole file of any kind under a key of its own.
//!
//! The first line is a sealed line like that of an order, but carries the stream's key: 32 random
//! bytes. It is followed by bytes in the format of C2SP chunked-encryption, with that line, without
//! its line feed, as the context, so that neither part can be combined with another.

use std::io::{ErrorKind, IoSlice, Read};

use rand::Rng;
use zeroize::Zeroizing;

use crate::ciphers::chunked::{
    CHUNK_LEN, KEY_LEN, Message, PREFIX_LEN, SALT_LEN, SEALED_CHUNK_LEN, TAG_LEN,
};
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::{KeySource, SystemSource};
use crate::protocol::jose::jwe::{Carries, Failure, KeyNumber, Shape};
use crate::protocol::model::{Error, Malformed, Place, Result};
use crate::protocol::pipeline::{Chunking, Part, Workers};
use crate::protocol::roles::client::{Plan, Sealed, Sink, Totals};
use crate::protocol::roles::register::Register;
use crate::protocol::roles::shop::Uses;
use crate::protocol::store::spend::KeyStore;
use crate::protocol::store::{OpeningKeys, open_alone};

/// ChunkBlock per block: few enough that the blocks in progress stay in the cache between reading,
/// sealing and writing, and enough that passing blocks between threads costs little.
const BLOCK_CHUNKS: usize = 64;

/// The result of opening a stream.
#[derive(Debug)]
pub struct Opened {
    /// The key that opened the first line.
    pub key: KeyNumber,
    /// Number of bytes read and written.
    pub totals: Totals,
}

impl Plan {
    /// Seals an input as one stream, writes it to `sink` piece by piece, and sends it. At
    /// transaction scope it uses one id, like an order.
    ///
    /// # Errors
    /// As [`Plan::seal`].
    pub fn seal_stream<S: KeySource, K: KeyStore + ?Sized, O: Sink>(
        self,
        workers: &Workers,
        input: impl Into<Part>,
        source: &S,
        store: &K,
        sink: &mut O,
        mut progress: impl FnMut(&Totals),
    ) -> Result<Sealed> {
        let Part { place, reader } = input.into();
        let place = &place;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let mut salt = [0; SALT_LEN];
        let mut rng = source.stream(1);
        rng.fill_bytes(&mut *key);
        rng.fill_bytes(&mut salt);
        let mut totals = Totals::default();
        let write = |mut line: Vec<u8>, sink: &mut O| {
            let context = line.strip_suffix(b"\n").unwrap_or(&line);
            let message = Message::new(Backend::detect(), &key, &salt, context);
            line.extend_from_slice(message.prefix());
            totals.written = line.len() as u64;
            sink.write(&line)?;
            let chunking = Chunking { len: CHUNK_LEN, room: TAG_LEN, count: BLOCK_CHUNKS };
            workers.run_chunks(
                reader,
                place,
                chunking,
                |chunks| message.seal(chunks.first, chunks.cells()),
                |sealed, chunks| {
                    sealed.map_err(|why| Error::malformed(place, why))?;
                    totals.read += chunks.read as u64;
                    totals.written += chunks.cells().len() as u64;
                    progress(&totals);
                    sink.write(chunks.cells())
                },
            )
        };
        let carries = Carries::StreamKey;
        let used =
            self.seal_alone(&key[..], Shape::Line, carries, place, source, store, sink, write)?;
        Ok(Sealed { totals, used })
    }
}

/// Opens a stream from its first line, without line feed, and the bytes that follow. Authentic
/// chunks are passed to `write` in the order of the input.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Key`] for the first line; [`Error::Authentication`] in one
/// form for everything else, after all chunks before the failure have been written.
pub fn open(
    workers: &Workers,
    line: &[u8],
    mut input: Box<dyn Read + Send>,
    place: &Place,
    keys: &OpeningKeys,
    uses: Uses<'_>,
    mut write: impl FnMut(&mut [IoSlice<'_>], &Totals) -> Result<()>,
) -> Result<Opened> {
    let forged = || Error::Authentication(place.clone());
    let mut rng = SystemSource::new()?.stream(0);
    let opened = open_alone(line, Carries::StreamKey, Shape::Line, keys, &mut rng);
    let (index, key) = opened.map_err(|failure| match failure {
        Failure::Authentication => forged(),
        failure @ (Failure::Malformed(_)
        | Failure::Unexpected(_)
        | Failure::Key(_)
        | Failure::Rounds { .. }) => failure.at(place.at(1)),
    })?;
    let key: &[u8; KEY_LEN] = key[..].try_into().map_err(|_| {
        let found = Malformed::StreamKey { found: key.len(), expected: KEY_LEN };
        Error::malformed(&place.at(1), found)
    })?;
    let mut prefix = [0; PREFIX_LEN];
    input.read_exact(&mut prefix).map_err(|error| {
        match error.kind() == ErrorKind::UnexpectedEof {
            true => forged(),
            false => Error::io(place, "cannot read", error),
        }
    })?;
    // Anyone can put other chunks behind the first line, so the stream counts as opened when a chunk
    // is authentic, too.
    let mut register = Some(Register::new(keys, uses));
    let message = Message::begin(Backend::detect(), key, &prefix, line).map_err(|_| forged())?;

    let head = line.len() + 1 + PREFIX_LEN;
    let mut totals = Totals { read: head as u64, ..Totals::default() };
    let chunking = Chunking { len: SEALED_CHUNK_LEN, room: 0, count: BLOCK_CHUNKS };
    workers.run_chunks(
        input,
        place,
        chunking,
        |chunks| {
            let (first, last) = (chunks.first, chunks.last);
            message.open(first, chunks.cells(), last)
        },
        |opened, chunks| {
            totals.read += chunks.read as u64;
            let good = opened.map_or_else(|error| error.authentic, |()| BLOCK_CHUNKS);
            let cells = chunks.cells().chunks(SEALED_CHUNK_LEN).take(good);
            let mut texts: Vec<IoSlice<'_>> =
                cells.map(|cell| IoSlice::new(&cell[..cell.len() - TAG_LEN])).collect();
            if let Some(mut register) = register.take_if(|_| good > 0) {
                register.enter_alone(index, line, Shape::Line, &place.at(1))?;
            }
            totals.written += texts.iter().map(|text| text.len() as u64).sum::<u64>();
            write(&mut texts, &totals)?;
            opened.map_err(|_| forged())
        },
    )?;
    Ok(Opened { key: index, totals })
}

/// Length in bytes of the content of a stream of `sealed` bytes, whose first line has `line` bytes
/// including its line feed; `None` if no stream has that length.
pub fn content_len(sealed: u64, line: usize) -> Option<u64> {
    let chunks = sealed.checked_sub((line + PREFIX_LEN) as u64)?;
    let last = (chunks % SEALED_CHUNK_LEN as u64).checked_sub(TAG_LEN as u64)?;
    Some(chunks / SEALED_CHUNK_LEN as u64 * CHUNK_LEN as u64 + last)
}
