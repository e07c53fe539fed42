//! `serve shop --bundle`: `decrypt --follow` as a process of its own, so that the one that talks to the network
//! never has a key.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use orderseal::protocol::{Error, Result};

use crate::cmd::keys::fetch::FetchOptions;
use crate::cmd::{Global, signals};

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A process that opens orders.
pub struct Opener {
    /// Waits for its end; and stops the server if it comes too early.
    watch: JoinHandle<io::Result<ExitStatus>>,
    /// Asks it to end.
    ending: Arc<AtomicBool>,
}

impl Opener {
    /// Starts it.
    pub fn start(
        (bundle, fetching): (&Path, &FetchOptions),
        inbox: &Path,
        output: &Path,
        global: &Global,
    ) -> Result<Self> {
        let failed = |error| Error::io("decrypt --follow", "cannot start", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(["decrypt", "--quiet", "--bundle"]).arg(bundle);
        command.arg("--until-stdin-ends").arg("--follow").arg(inbox).arg("-o").arg(output);
        command.args(global.unlocking.arguments()).args(fetching.arguments());
        if global.allow_weak {
            command.arg("--allow-weak");
        }
        if global.allow_readable_keys {
            command.arg("--allow-readable-keys");
        }
        let (hand_over, child) = std::sync::mpsc::channel();
        let ending = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&ending);
        // The thread first: without it, no process is left alone.
        let watch = std::thread::Builder::new().name("opener".to_owned());
        let watch = watch.spawn(move || {
            let ended = child.recv().map_err(io::Error::other);
            let ended = ended.and_then(|mut child| wait(&mut child, &asked));
            signals::stop().request();
            ended
        });
        let watch = watch.map_err(failed)?;
        // The other end is closed with this process, however that ends.
        let child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
        let _ = hand_over.send(child);
        Ok(Self { watch, ending })
    }

    /// Ends it, between two batches.
    pub fn end(self) -> Result<()> {
        let Self { watch, ending } = self;
        let early = watch.is_finished() && !signals::was_caught();
        ending.store(true, Ordering::SeqCst);
        let status = watch.join().unwrap_or_else(|_| Err(io::Error::other("it was not watched")));
        match status {
            Ok(status) if early => {
                let ended = io::Error::other(format!("it ended by itself: {status}"));
                Err(Error::io("decrypt --follow", "cannot open orders", ended))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Error::io("decrypt --follow", "cannot wait for it", error)),
        }
    }
}

/// Waits for the end of the process, which is asked to end when that is wanted.
fn wait(child: &mut Child, ending: &AtomicBool) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if ending.load(Ordering::SeqCst) {
            drop(child.stdin.take());
        }
        std::thread::sleep(LOOK);
    }
}
