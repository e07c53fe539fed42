//! Processes blocks of an input on all cores and returns the results in input order.
//!
//! This is the only module that uses rayon. A reading thread splits the input into blocks: of whole
//! lines, or of chunks of one length. The caller's thread prepares each block in order, hands it to
//! the pool, and consumes the results in order. The number of blocks in progress is fixed, so that
//! memory does not grow with the input.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

pub use self::chunks::{ChunkBlock, Chunking};
pub use self::input_size::InputSize;
pub use self::lines::{Batch, Block, LineLimits, Part};
pub use self::passage::{Break, Inlet, Outlet, passage};
pub use self::stop::{Stop, Unfinished};
use crate::protocol::model::{Error, Place, Result};

mod chunks;
mod input_size;
mod lines;
mod passage;
mod stop;
#[cfg(test)]
mod tests;

/// Pool of threads for one run or several. Clones share the same threads.
#[derive(Clone)]
pub struct Workers {
    pool: Arc<ThreadPool>,
    stop: Stop,
}

impl Workers {
    /// Starts the given number of threads, or one per core.
    ///
    /// # Errors
    /// [`Error::Thread`] if the system cannot start them.
    pub fn new(threads: Option<usize>) -> Result<Self> {
        ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .build()
            .map(|pool| Self { pool: Arc::new(pool), stop: Stop::default() })
            .map_err(|error| Error::Thread(io::Error::other(error)))
    }

    /// Returns the same threads with a stop signal: their runs end with [`Error::Stopped`] when it
    /// is set.
    pub fn stopped_by(self, stop: &Stop) -> Self {
        Self { stop: stop.clone(), ..self }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Calls `make` with each number below `count`, on all threads.
    ///
    /// # Errors
    /// The error of the lowest number that failed.
    pub fn make<T: Send, E: Send>(
        &self,
        count: usize,
        make: impl Fn(usize) -> std::result::Result<T, E> + Send + Sync,
    ) -> std::result::Result<Vec<T>, E> {
        let made: Vec<_> = self.pool.install(|| (0..count).into_par_iter().map(make).collect());
        made.into_iter().collect()
    }

    /// Calls `part` once with each number below `count`, on all threads of the caller's pool: for
    /// work on a block that is worth dividing once more.
    pub fn spread(count: usize, part: &(dyn Fn(usize) + Sync)) {
        (0..count).into_par_iter().for_each(part);
    }

    /// Passes every block of the parts through `prepare` (in order, one at a time), `work` (on all
    /// threads) and `consume` (in order, one at a time). No block spans two parts.
    ///
    /// # Errors
    /// [`Error::Thread`] if the reading thread cannot be started; otherwise the first error in the
    /// order of the parts: from reading, from `prepare`, or from `consume`, which has received
    /// every result before it.
    ///
    /// # Panics
    /// A panic in `work` is resumed in the caller.
    pub fn run<P, T>(
        &self,
        parts: Vec<Part>,
        limits: LineLimits,
        prepare: impl FnMut(&Block) -> Result<P>,
        work: impl Fn(&mut Block, P) -> T + Sync,
        consume: impl FnMut(T, &mut Block) -> Result<()>,
    ) -> Result<()>
    where
        P: Send,
        T: Send + 'static,
    {
        let source = lines::Reader::new(parts, limits);
        self.pipe(source, prepare, work, consume)
    }

    /// Passes an input in chunks of one length through `work` (on all threads, in place) and
    /// `consume` (in order, one at a time).
    ///
    /// # Errors
    /// [`Error::Thread`] if the reading thread cannot be started; otherwise the first error in
    /// input order: from reading, or from `consume`, which has received every result before it.
    ///
    /// # Panics
    /// A panic in `work` is resumed in the caller.
    pub fn run_chunks<T: Send + 'static>(
        &self,
        input: Box<dyn Read + Send>,
        place: &Place,
        chunking: Chunking,
        work: impl Fn(&mut ChunkBlock) -> T + Sync,
        consume: impl FnMut(T, &mut ChunkBlock) -> Result<()>,
    ) -> Result<()> {
        let source = chunks::Reader::new(input, place.clone(), chunking);
        self.pipe(source, |_| Ok(()), |chunks, ()| work(chunks), consume)
    }

    fn pipe<S: Source, P: Send, T: Send + 'static>(
        &self,
        mut source: S,
        mut prepare: impl FnMut(&S::Block) -> Result<P>,
        work: impl Fn(&mut S::Block, P) -> T + Sync,
        mut consume: impl FnMut(T, &mut S::Block) -> Result<()>,
    ) -> Result<()> {
        let (events, arriving) = channel();
        let (recycle, buffers) = channel();
        let fresh = std::iter::repeat_with(|| None).take(2 * self.threads() + 2);
        let reading = events.clone();
        // The thread is not joined: after an error it may be blocked in a read that never returns.
        Builder::new()
            .spawn(move || {
                send_blocks(&mut source, fresh.chain(buffers.into_iter().map(Some)), &reading)
            })
            .map_err(Error::Thread)?;
        self.pool.in_place_scope(|scope| {
            let work = &work;
            let mut queue = InOrder::new();
            loop {
                let event = loop {
                    if self.stop.is_requested() {
                        return Err(Error::Stopped);
                    }
                    match arriving.recv_timeout(LOOK) {
                        Ok(event) => break event,
                        // This function holds a sender, so the channel is never closed.
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                    }
                };
                match event {
                    Event::Block(block) => {
                        let number = queue.expect_one();
                        match prepare(&block) {
                            Err(error) => queue.put(number, Some(Err(error))),
                            Ok(prepared) => {
                                let events = events.clone();
                                let mut block = block;
                                scope.spawn(move |_| {
                                    let result = catch_unwind(AssertUnwindSafe(|| {
                                        work(&mut block, prepared)
                                    }));
                                    // The receiver is gone only if an earlier error ended the run.
                                    let _ = events.send(Event::Done(number, result, block));
                                });
                            }
                        }
                    }
                    Event::Done(number, Ok(result), block) => {
                        queue.put(number, Some(Ok((result, block))));
                    }
                    Event::Done(_, Err(panic), _) => resume_unwind(panic),
                    Event::Failed(error) => {
                        let number = queue.expect_one();
                        queue.put(number, Some(Err(error)));
                    }
                    Event::End => {
                        let number = queue.expect_one();
                        queue.put(number, None);
                    }
                }
                while let Some(next) = queue.take() {
                    let Some(result) = next else { return Ok(()) };
                    let (result, mut block) = result?;
                    consume(result, &mut block)?;
                    // The reader has ended if the input has.
                    let _ = recycle.send(block);
                }
            }
        })
    }
}

/// Interval at which a run that waits for input checks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Messages to the caller's thread.
enum Event<B, T> {
    Block(B),
    Done(u64, std::thread::Result<T>, B),
    Failed(Error),
    End,
}

/// Restores the order of results that arrive out of order.
struct InOrder<T> {
    slots: VecDeque<Option<T>>,
    taken: u64,
}

impl<T> InOrder<T> {
    fn new() -> Self {
        Self { slots: VecDeque::new(), taken: 0 }
    }

    fn expect_one(&mut self) -> u64 {
        self.slots.push_back(None);
        self.taken + self.slots.len() as u64 - 1
    }

    fn put(&mut self, number: u64, result: T) {
        self.slots[(number - self.taken) as usize] = Some(result);
    }

    fn take(&mut self) -> Option<T> {
        let result = self.slots.front_mut()?.take()?;
        self.slots.pop_front();
        self.taken += 1;
        Some(result)
    }
}

/// Source of blocks.
trait Source: Send + 'static {
    type Block: Send + 'static;

    /// Reads the next block, if there is one, reusing the memory of `used` if given.
    fn next(&mut self, used: Option<Self::Block>) -> Result<Option<Self::Block>>;
}

/// Reads blocks until the receiver is dropped.
fn send_blocks<S: Source, T>(
    source: &mut S,
    used: impl Iterator<Item = Option<S::Block>>,
    events: &Sender<Event<S::Block, T>>,
) {
    // Both channels are closed if the run ended early.
    for used in used {
        let (event, last) = match source.next(used) {
            Ok(Some(block)) => (Event::Block(block), false),
            Ok(None) => (Event::End, true),
            Err(error) => (Event::Failed(error), true),
        };
        if events.send(event).is_err() || last {
            return;
        }
    }
}

/// Reads, and retries if a signal interrupts the read.
fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
