//! JSON as security needs it: duplicate names are refused, and secrets can be wiped.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};
use zeroize::Zeroize;

/// The members of a JSON object.
pub type Object = Map<String, Value>;

/// Reads one JSON text, refusing duplicate names at every depth.
///
/// # Errors
/// What is wrong with it, in words that go on after "found", with line and column.
pub fn parse(text: &[u8]) -> Result<SecretJson, String> {
    let strict: Strict = serde_json::from_slice(text).map_err(|error| in_words(&error))?;
    Ok(SecretJson(strict.0))
}

fn in_words(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if line == 1 && column == 0 => "nothing".to_owned(),
        Category::Eof => format!("JSON that is cut off at line {line} column {column}"),
        _ if error.to_string().starts_with("trailing characters") => {
            format!("more after the end of the JSON, at line {line} column {column}")
        }
        Category::Data => error.to_string(),
        _ => format!("no JSON: {error}"),
    }
}

/// A JSON value whose strings are wiped when it goes.
pub struct SecretJson(Value);

impl SecretJson {
    /// Guards a value.
    pub fn new(value: Value) -> Self {
        Self(value)
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

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A value that was read with duplicate names refused.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate name {name:?}")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_names_are_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"\u0061":1}}]"#] {
            assert!(parse(text.as_bytes()).unwrap_err().contains("duplicate name \"a\""));
        }
    }

    #[test]
    fn ordinary_values_come_through() {
        let text = r#"{"a":[null,true,-1,1,1.5,"x"],"b":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let complaint = |text: &str| parse(text.as_bytes()).unwrap_err();
        assert_eq!(complaint(""), "nothing");
        assert_eq!(complaint("{\"a\":\n[1,"), "JSON that is cut off at line 2 column 3");
        assert_eq!(complaint("{} {}"), "more after the end of the JSON, at line 1 column 4");
        assert_eq!(complaint("order"), "no JSON: expected value at line 1 column 1");
    }
}
