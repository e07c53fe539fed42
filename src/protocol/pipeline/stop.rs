//! Stops runs from outside, for example on a signal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Shared stop request, and count of unfinished work that must be completed before the process
/// ends. Clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requested: AtomicBool,
    unfinished: AtomicUsize,
}

/// Marks work as unfinished until dropped.
#[derive(Debug)]
pub struct Unfinished(Arc<State>);

impl Stop {
    /// Requests that all runs stop.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Marks the beginning of work that must be completed.
    pub fn begin(&self) -> Unfinished {
        self.0.unfinished.fetch_add(1, Ordering::SeqCst);
        Unfinished(Arc::clone(&self.0))
    }

    /// Whether any work is unfinished.
    pub fn is_unfinished(&self) -> bool {
        self.0.unfinished.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::SeqCst);
    }
}
