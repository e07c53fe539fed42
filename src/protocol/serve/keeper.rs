//! The thread that keeps what was posted in the inbox.

use std::path::Path;
use std::thread::JoinHandle;

use super::http::Received;
use super::worker::{Job, Worker};
use crate::protocol::model::{Error, Result, Time};
use crate::protocol::pipeline::Stop;
use crate::protocol::store::files::inbox::{Inbox, Post, Posted};

/// Most posts that are kept by one sync.
const GROUP: usize = 1024;

/// A post, and the memory of its body: it is free again when the post was kept.
pub type Keeping = (Post, Received);

/// What became of a post; `None` if the disk failed.
pub type Kept = Option<Posted>;

/// The way to the thread.
pub type Keeper = Worker<Keeping, Kept>;

/// Opens the inbox and starts the thread. It calls `failed` with the errors of the disk.
///
/// # Errors
/// As [`Inbox::open`].
pub fn start(
    folder: &Path,
    now: fn() -> Time,
    stop: Stop,
    failed: impl Fn(&Error) + Send + 'static,
) -> Result<(Keeper, JoinHandle<()>)> {
    let mut inbox = Some(Inbox::open(folder, now())?);
    let folder = folder.to_owned();
    let work = move |jobs: Vec<Job<Keeping, Kept>>| {
        // After a failure that cannot be undone, what is on the disk is read again.
        if inbox.as_ref().is_none_or(Inbox::is_broken) {
            drop(inbox.take());
            inbox = Inbox::open(&folder, now()).inspect_err(&failed).ok();
        }
        let posts: Vec<&Post> = jobs.iter().map(|job| &job.job.0).collect();
        let results =
            inbox.as_mut().and_then(|inbox| inbox.keep(&posts, now()).inspect_err(&failed).ok());
        let results: Vec<Kept> = match results {
            Some(results) => results.into_iter().map(Some).collect(),
            None => vec![None; jobs.len()],
        };
        for (job, result) in jobs.into_iter().zip(results) {
            // Nobody waits for it if the client is gone; what was kept stays.
            let _ = job.reply.send(result);
        }
    };
    Worker::start("inbox", GROUP, stop, work)
}
