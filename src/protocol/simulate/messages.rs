//! The request for a shop's item page, for which only the simulation has a form.

use serde_json::json;

use crate::protocol::store::keyfile::VERSION;

/// Returns the request.
pub(super) fn request_for_page() -> Vec<u8> {
    json!({"orderseal": {"version": VERSION, "role": "request", "for": "page"}})
        .to_string()
        .into_bytes()
}
