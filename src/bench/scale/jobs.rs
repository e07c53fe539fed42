//! Jobs to run: a copy, batches of orders and streams, in memory.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use crate::ciphers::chunked::CHUNK_LEN;
use crate::ciphers::cpu::Backend;
use crate::ciphers::random::SystemSource;
use crate::protocol::model::{Dates, Time};
use crate::protocol::pipeline::{Part, Workers};
use crate::protocol::roles::client::{Plan, Sink, Totals};
use crate::protocol::roles::service::{self, KeyRequest, Sizes};
use crate::protocol::roles::shop::{self, Options, Uses};
use crate::protocol::roles::stream;
use crate::protocol::store::keyfile::ClientBundle;
use crate::protocol::store::{OpeningFile, OpeningKeys};
use crate::protocol::{Error, Place, Result, Scheme};

use crate::bench::delivery::Delivery;
use crate::bench::rows::fixtures;

/// Size in bytes of a batch, a stream, or a copy: more than caches hold.
const BYTES: usize = 128 << 20;

/// Size in bytes of an order, with its line feed.
const LINE: usize = 257;

/// Number of bytes that a thread copies at a time.
const PIECE: usize = 1 << 20;

/// A job that runs on any number of threads.
pub struct Job {
    /// `operation/cipher/backend/size`.
    pub id: String,
    /// Size in bytes of the plaintext of a run.
    pub bytes: usize,
    /// Number of pieces, orders or chunks in a run.
    pub operations: usize,
    /// Runs the job and returns the number of bytes read and written.
    pub run: Box<Run>,
}

type Run = dyn Fn(&Workers) -> Result<u64>;

/// Index of the copy among the jobs.
pub const COPY: usize = 0;

/// Returns all jobs, the copy first.
pub fn all(workers: &Workers) -> Result<Vec<Job>> {
    let request = KeyRequest {
        pool: service::Pool::Listed,
        shop: fixtures::shop(),
        scheme: Scheme::HYBRID_SHOP_SECRET,
        suite: fixtures::suite("A256KW", "A256GCM"),
        orders: 1,
        sizes: Sizes::default(),
        service: None,
        dates: Dates::default(),
    };
    let (source, place) = (SystemSource::new()?, Place::file("bench"));
    let keys = service::make_keys(&request, &source, workers, &|| {}, &place)?;
    let Delivery { client, shop } = Delivery::of(&request, keys, &source)?;
    let mut keys = OpeningKeys::new(false);
    keys.add(OpeningFile::Shop(shop.into()), &place)?;
    let (client, keys) = (Arc::new(client), Arc::new(keys));

    let texts = fixtures::orders(BYTES / LINE, LINE - 1);
    let orders: Arc<[u8]> =
        texts.iter().flat_map(|text| [text, &b"\n"[..]]).flatten().copied().collect();
    let file: Arc<[u8]> = fixtures::bytes(BYTES).into();
    let mut lines = Vec::new();
    seal_orders(&client, &orders, workers, &mut lines)?;
    let lines: Arc<[u8]> = lines.into();
    let mut sealed = Vec::new();
    seal_stream(&client, &file, workers, &mut sealed)?;
    let sealed: Arc<[u8]> = sealed.into();

    let backend = Backend::detect().name();
    let order_id = |name: &str| format!("{name}/A256KW+A256GCM/{backend}/{}", LINE - 1);
    let stream_id = |name: &str| format!("{name}/aes-256-gcm/{backend}/{CHUNK_LEN}");
    let job = |id, bytes, operations, run| Job { id, bytes, operations, run };
    let client_too = Arc::clone(&client);
    let keys_too = Arc::clone(&keys);
    Ok(vec![
        copy(),
        job(
            order_id("seal-jwe"),
            texts.len() * (LINE - 1),
            texts.len(),
            Box::new(move |workers| seal_orders(&client, &orders, workers, &mut Nowhere)),
        ),
        job(
            order_id("open-jwe"),
            texts.len() * (LINE - 1),
            texts.len(),
            Box::new(move |workers| open_orders(&keys, &lines, workers)),
        ),
        job(
            stream_id("seal-stream"),
            BYTES,
            BYTES / CHUNK_LEN,
            Box::new(move |workers| seal_stream(&client_too, &file, workers, &mut Nowhere)),
        ),
        job(
            stream_id("open-stream"),
            BYTES,
            BYTES / CHUNK_LEN,
            Box::new(move |workers| open_stream(&keys_too, &sealed, workers)),
        ),
    ])
}

/// Returns the copy, the upper limit of memory: it copies more data than the caches hold.
fn copy() -> Job {
    let pieces: Vec<Mutex<[Vec<u8>; 2]>> = (0..BYTES / PIECE)
        .map(|piece| Mutex::new([vec![piece as u8; PIECE], vec![0; PIECE]]))
        .collect();
    let run = move |workers: &Workers| {
        workers.make(pieces.len(), |piece| {
            let mut piece = pieces[piece].lock().expect("a copy does not panic");
            let [from, to] = &mut *piece;
            to.copy_from_slice(black_box(from));
            black_box(to);
            Ok::<(), Error>(())
        })?;
        Ok(2 * BYTES as u64)
    };
    let id = format!("copy/none/portable/{PIECE}");
    Job { id, bytes: BYTES, operations: BYTES / PIECE, run: Box::new(run) }
}

fn seal_orders(
    client: &ClientBundle,
    orders: &Arc<[u8]>,
    workers: &Workers,
    sink: &mut impl Sink,
) -> Result<u64> {
    let (store, plan) = ready(client)?;
    let (input, source) = (input(orders), SystemSource::new()?);
    let sealed = plan.seal(workers, input, &source, &store, sink, |_| {})?;
    Ok(moved(sealed.totals))
}

fn seal_stream(
    client: &ClientBundle,
    file: &Arc<[u8]>,
    workers: &Workers,
    sink: &mut impl Sink,
) -> Result<u64> {
    let (store, plan) = ready(client)?;
    let (input, source) = (input(file), SystemSource::new()?);
    let sealed = plan.seal_stream(workers, input, &source, &store, sink, |_| {})?;
    Ok(moved(sealed.totals))
}

/// A writer that discards everything.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        Ok(())
    }

    fn discard(&mut self) {}

    fn may_have_left(&self) -> bool {
        true
    }
}

fn ready(client: &ClientBundle) -> Result<(RefCell<ClientBundle>, Plan)> {
    let plan = Plan::of_client(client, Time::UNIX_EPOCH, &Place::file("bench"))?;
    Ok((RefCell::new(client.clone()), plan))
}

fn open_orders(keys: &OpeningKeys, lines: &Arc<[u8]>, workers: &Workers) -> Result<u64> {
    let options = Options::default();
    shop::open(workers, input(lines), keys, options, |_, _| Ok(()), |_| Ok(()))
        .map(|summary| moved(summary.totals))
}

fn open_stream(keys: &OpeningKeys, sealed: &Arc<[u8]>, workers: &Workers) -> Result<u64> {
    let mut input = Cursor::new(Arc::clone(sealed));
    let line = sealed.split(|&byte| byte == b'\n').next().unwrap_or_default();
    input.set_position(line.len() as u64 + 1);
    stream::open(workers, line, Box::new(input), &Place::file("bench"), keys, Uses::Any, |_, _| {
        Ok(())
    })
    .map(|opened| moved(opened.totals))
}

fn input(bytes: &Arc<[u8]>) -> Part {
    Part { place: Place::file("bench"), reader: Box::new(Cursor::new(Arc::clone(bytes))) }
}

fn moved(totals: Totals) -> u64 {
    totals.read + totals.written
}
