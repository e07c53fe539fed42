//! The parts of sealing and opening, for whoever wants to know where the time goes.

/// A part of the work on a group of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Drawing content-encryption keys, and encrypting.
    Seal,
    /// Wrapping content-encryption keys.
    Wrap,
    /// Writing lines, or taking them apart.
    Format,
    /// Unwrapping content-encryption keys.
    Unwrap,
    /// Verifying and decrypting.
    Open,
}

/// Called at the end of each part, on the thread that did it; some ten times for a group of orders.
pub type Watch = fn(Stage);

/// Nobody wants to know.
pub(super) fn unwatched(_: Stage) {}
