//! Writes objects for headers, in buffers that are reused.

use serde_json::Value;

use super::is_plain;
use crate::ciphers::base64url;

/// Writes an object member by member, in a buffer that is reused.
#[derive(Debug, Default)]
pub(in crate::protocol::jose) struct ObjectText(String);

impl ObjectText {
    /// Clears the buffer and begins an object with its first members, in JSON.
    pub(in crate::protocol::jose) fn begin(&mut self, start: &str) {
        self.0.clear();
        self.0.push_str(start);
    }

    /// Adds a member whose value is a string of plain ASCII.
    pub(in crate::protocol::jose) fn text(&mut self, name: &str, value: &str) {
        for part in [",\"", name, "\":\"", value, "\""] {
            self.0.push_str(part);
        }
    }

    /// Adds a member whose value is any string.
    pub(in crate::protocol::jose) fn any_text(&mut self, name: &str, value: &str) {
        match is_plain(value) {
            true => self.text(name, value),
            false => self.json(name, &Value::from(value).to_string()),
        }
    }

    /// Adds a member whose value is bytes, encoded in base64url.
    pub(in crate::protocol::jose) fn bytes(&mut self, name: &str, value: &[u8]) {
        self.text(name, &base64url::encode_to_string(value));
    }

    /// Adds a member whose value is JSON.
    pub(in crate::protocol::jose) fn json(&mut self, name: &str, value: &str) {
        for part in [",\"", name, "\":", value] {
            self.0.push_str(part);
        }
    }

    /// The members so far, with which other objects can begin.
    pub(in crate::protocol::jose) fn into_start(self) -> String {
        self.0
    }

    /// Ends the object and returns it.
    pub(in crate::protocol::jose) fn finish(&mut self) -> &[u8] {
        self.0.push('}');
        self.0.as_bytes()
    }
}
