//! A thread that does the work of many requests in one go: one change of a file, one sync of the disk.

use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::problem::{Fault, Problem};
use crate::protocol::model::{Error, Result};
use crate::protocol::pipeline::Stop;

/// Most jobs that wait.
const WAITING: usize = 4096;

/// A job, and where its result goes.
pub struct Job<J, R> {
    /// What is to be done.
    pub job: J,
    /// Where the result goes.
    pub reply: oneshot::Sender<R>,
}

/// Stops the server if a thread panics.
struct StopsOnPanic(Stop);

impl Drop for StopsOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.request();
        }
    }
}

/// The way to the thread. It ends when the last one is dropped and all jobs are done.
pub struct Worker<J, R>(mpsc::Sender<Job<J, R>>);

impl<J, R> Clone for Worker<J, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J: Send + 'static, R: Send + 'static> Worker<J, R> {
    /// Starts a thread that calls `work` with all jobs that wait, at most `most`. If it panics, it stops
    /// the server.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn start(
        name: &str,
        most: usize,
        stop: Stop,
        mut work: impl FnMut(Vec<Job<J, R>>) + Send + 'static,
    ) -> Result<(Self, JoinHandle<()>)> {
        let (sender, mut jobs) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _stops = StopsOnPanic(stop);
            let mut waiting = Vec::new();
            while jobs.blocking_recv_many(&mut waiting, most) > 0 {
                work(std::mem::take(&mut waiting));
            }
        });
        let failed = |error| Error::io(name, "cannot start its thread", error);
        Ok((Self(sender), thread.map_err(failed)?))
    }

    /// Has a job done.
    ///
    /// # Errors
    /// [`Fault::Busy`] if too many wait, and [`Fault::Unavailable`] if the thread is no more.
    pub async fn ask(&self, job: J) -> std::result::Result<R, Problem> {
        let (reply, result) = oneshot::channel();
        self.0.try_send(Job { job, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Problem { retry_after: Some(1), ..Fault::Busy.plain() }
            }
            mpsc::error::TrySendError::Closed(_) => Fault::Unavailable.plain(),
        })?;
        result.await.map_err(|_| Fault::Unavailable.plain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_thread_that_panics_stops_the_server_and_says_so_to_all() {
        let stop = Stop::default();
        let work = |_: Vec<Job<(), ()>>| panic!("as a test wants it");
        let (worker, thread) = Worker::start("test", 4, stop.clone(), work).unwrap();
        let problem = block_on(worker.ask(())).err().unwrap();
        assert_eq!(problem.fault, Fault::Unavailable);
        assert!(thread.join().is_err());
        assert!(stop.is_requested());
        let problem = block_on(worker.ask(())).err().unwrap();
        assert_eq!(problem.fault, Fault::Unavailable, "there is no thread any more");
    }
}
