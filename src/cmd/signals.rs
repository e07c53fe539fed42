//! Signals that end the program, after work in progress has ended cleanly.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use orderseal::protocol::pipeline::{Stop, Unfinished};
use orderseal::protocol::store::files;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::ui;

/// Time limit for work in progress to end, unless another signal arrives. After that the program
/// ends as if killed.
const GRACE: Duration = Duration::from_secs(10);

/// Time limit for the main thread's final output.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Whether the program ends by itself when it is asked to stop.
static FINISHES: AtomicBool = AtomicBool::new(false);
static STOP: LazyLock<Stop> = LazyLock::new(Stop::default);
static CAUGHT: AtomicI32 = AtomicI32::new(0);

/// Ends the program cleanly on SIGHUP, SIGINT and SIGTERM, unless they are ignored. If the thread
/// for this cannot be started, the signals end the program at once.
pub fn heed() {
    let ignored = ignored();
    let wanted: Vec<i32> = [SIGHUP, SIGINT, SIGTERM]
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0)
        .collect();
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Ok(mut signals) = Signals::new(wanted) else { return };
        if let Some(signal) = signals.forever().next() {
            end(signal, &mut signals);
        }
    });
}

/// Registers work in progress that must end cleanly.
pub fn begin() -> Unfinished {
    STOP.begin()
}

/// Returns the flag that asks runs to stop.
pub fn stop() -> &'static Stop {
    &STOP
}

/// Returns the flag that asks runs to stop, and lets this one end by itself then, as servers do: it exits as
/// if it were done. A second signal ends it at once.
#[cfg(feature = "serve")]
pub fn let_finish() -> &'static Stop {
    FINISHES.store(true, Ordering::SeqCst);
    &STOP
}

/// Whether a signal asked the program to end.
#[cfg(feature = "serve")]
pub fn was_caught() -> bool {
    CAUGHT.load(Ordering::SeqCst) != 0
}

/// Returns the exit code of a program ended by a signal.
pub fn exit_code() -> u8 {
    u8::try_from(128 + CAUGHT.load(Ordering::SeqCst)).unwrap_or(1)
}

fn end(signal: i32, signals: &mut Signals) {
    CAUGHT.store(signal, Ordering::SeqCst);
    STOP.request();
    let is_unfinished = || STOP.is_unfinished() || FINISHES.load(Ordering::SeqCst);
    if is_unfinished() {
        let until = Instant::now() + GRACE;
        while is_unfinished() && Instant::now() < until && signals.pending().next().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        if is_unfinished() {
            ui::say_error("stopped before the run could end: what it reserved stays spent");
        }
        std::thread::sleep(LAST_WORDS);
    }
    files::remove_unfinished();
    std::process::exit(128 + signal);
}

/// Returns the signals that were ignored when the program started, as after `nohup`, one bit each.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
