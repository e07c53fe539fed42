//! Execution of the work on orders: spread over threads, and watched stage by stage.

use std::sync::{Mutex, PoisonError};

/// Runs the parts of the work on one line: calls the function once with each number below the
/// count, on any threads, and returns when all calls have returned.
pub type Spread = fn(usize, &(dyn Fn(usize) + Sync));

/// Runs the parts one after another on this thread.
pub(super) fn in_turn(count: usize, part: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(part);
}

/// Applies `part` to each item, and returns the results in the order of the items.
pub(super) fn gather<I: Send, T: Send>(
    spread: Spread,
    items: impl Iterator<Item = I>,
    part: impl Fn(I) -> T + Sync,
) -> Vec<T> {
    let cells: Vec<_> = items.map(|item| Mutex::new((Some(item), None))).collect();
    let cell = |number: usize| cells[number].lock().unwrap_or_else(PoisonError::into_inner);
    spread(cells.len(), &|number| {
        let item = cell(number).0.take().expect("each part is done once");
        let made = part(item);
        cell(number).1 = Some(made);
    });
    let made = |cell: Mutex<(Option<I>, Option<T>)>| {
        cell.into_inner().unwrap_or_else(PoisonError::into_inner).1.expect("every part was done")
    };
    cells.into_iter().map(made).collect()
}

/// A stage of the work on a group of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Drawing content-encryption keys and encrypting.
    Seal,
    /// Wrapping content-encryption keys.
    Wrap,
    /// Writing or parsing lines.
    Format,
    /// Unwrapping content-encryption keys.
    Unwrap,
    /// Verifying and decrypting.
    Open,
}

/// Called at the end of each stage, on the thread that ran it; some ten times per group of orders.
pub type Watch = fn(Stage);

/// Ignores every stage.
pub(super) fn unwatched(_: Stage) {}
