//! Hints for orders that do not open: signed batches, orders seen before, old data.

use orderseal::protocol::model::{BatchFault, NoPadding, Reuse};

/// Returns a hint for a fault of a signed batch.
pub(super) fn batch_hint(fault: &BatchFault) -> Option<&'static str> {
    match fault {
        BatchFault::NoBatch => Some("get the batches again from their sender"),
        BatchFault::Unsigned => {
            Some("get it signed by its sender; --on-error skip opens what is signed")
        }
        BatchFault::UnknownSender(_) => {
            Some("`bundle client --signing-key FILE` wrote the public key of this sender")
        }
        BatchFault::CutOff(_)
        | BatchFault::Order { .. }
        | BatchFault::Count { .. }
        | BatchFault::Mixed(_)
        | BatchFault::TakenOver { .. }
        | BatchFault::OtherManifest
        | BatchFault::Changed
        | BatchFault::Shop(_)
        | BatchFault::Manifest(_) => {
            Some("get the whole batch again from its sender; --on-error skip opens the others")
        }
        BatchFault::Repeated(_) => Some("--on-error skip opens the others"),
    }
}

/// Returns a hint for old data that lacks its padding.
pub(super) fn not_decrypted_hint(found: &NoPadding) -> &'static str {
    match found.derived {
        false => {
            "compare the key check value (KCV) with the one that came with the key; --padding none shows \
             what the data decrypts to"
        }
        true => {
            "OpenSSL before 1.1.0 derived keys by --kdf md5, later ones by sha256, and with its option \
             -pbkdf2 by pbkdf2-sha256"
        }
    }
}

/// Returns a hint for an order that was opened before.
pub(super) fn reuse_hint(found: &Reuse) -> Option<&'static str> {
    match found {
        Reuse::InRun { .. } => Some("somebody sent this order twice, or altered a copy of it"),
        Reuse::Used(_) => {
            Some("two orders were sealed under one id: a bundle was copied, or restored")
        }
        Reuse::Pad => Some("a bundle was copied, or restored: neither order is secret any more"),
        Reuse::Repeat => Some("--on-error skip opens the others"),
        Reuse::Uncertain => Some("--reopen opens it again; the reader may then get it twice"),
    }
}
