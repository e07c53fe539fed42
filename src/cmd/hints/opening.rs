//! Hints for orders that do not open: orders seen before, old data.

use orderseal::protocol::model::{NoPadding, Reuse};

/// Returns a hint for old data that lacks its padding.
pub fn not_decrypted_hint(found: &NoPadding) -> &'static str {
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
pub fn reuse_hint(found: &Reuse) -> Option<&'static str> {
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
