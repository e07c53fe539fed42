//! Stopping runs from outside, as on a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether runs are to stop, and whether something is under way that then has to be ended in order. Clones
/// are the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    asked: AtomicBool,
    unfinished: AtomicUsize,
}

/// Something that is under way until this is dropped.
#[derive(Debug)]
pub struct Unfinished(Arc<State>);

impl Stop {
    /// Asks all runs to stop.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
    }

    /// Whether runs are to stop.
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Says that something is under way.
    pub fn begin(&self) -> Unfinished {
        self.0.unfinished.fetch_add(1, Ordering::SeqCst);
        Unfinished(Arc::clone(&self.0))
    }

    /// Whether something is under way.
    pub fn is_unfinished(&self) -> bool {
        self.0.unfinished.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::SeqCst);
    }
}
