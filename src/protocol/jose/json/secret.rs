//! JSON values that are secret, and their texts.

use std::ops::Deref;
use std::{fmt, io};

use serde::Serialize;
use serde_json::Value;

use super::Object;
use crate::ciphers::{Secret, Wiped};

/// A JSON value whose strings are wiped on drop.
pub struct SecretJson(pub(super) Value);

impl SecretJson {
    /// Wraps a value.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// Serializes the value as a JSON text, which is wiped on drop as well.
    pub fn to_bytes(&self) -> Secret {
        let mut bytes = Wiped::with_capacity(length(&self.0));
        append(&mut bytes, &self.0);
        bytes.into()
    }
}

impl Deref for SecretJson {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretJson(..)")
    }
}

/// Appends a value as JSON text.
pub(in crate::protocol) fn append(text: &mut Wiped, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(text, value).expect("writing to memory does not fail");
}

/// Length in bytes of a value as JSON.
pub(in crate::protocol) fn length(value: &(impl Serialize + ?Sized)) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0 += text.len();
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("JSON values can be serialized");
    counter.0
}

pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => drop(Wiped::from(std::mem::take(text).into_bytes())),
        Value::Array(values) => values.wipe(),
        Value::Object(members) => members.wipe(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A container of JSON values.
pub(super) trait Values {
    fn wipe(&mut self);
}

impl Values for Vec<Value> {
    fn wipe(&mut self) {
        self.iter_mut().for_each(wipe);
    }
}

impl Values for Object {
    fn wipe(&mut self) {
        self.values_mut().for_each(wipe);
    }
}
