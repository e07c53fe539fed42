//! The fields of the order form, the usual ones and a shop's own.

use serde_json::{Value, json};

use super::words::words;
use crate::protocol::json::{self, Object};
use crate::protocol::jwk::{optional_text, text};
use crate::protocol::{Error, Place, Result};

/// Most characters that a field may ask for.
const MAX_FIELD: u64 = 10_000;

/// The fields of the form besides the goods.
#[derive(Debug, Clone)]
pub struct Fields(Vec<Object>);

impl Default for Fields {
    /// The document's: name, address, telephone, card number, delivery address.
    fn default() -> Self {
        let built_in = [
            ("name", "text", true),
            ("address", "multiline", true),
            ("telephone", "telephone", true),
            ("card", "card", true),
            ("delivery_address", "delivery", false),
        ];
        Self(
            built_in
                .into_iter()
                .map(|(name, kind, required)| {
                    let field = json!({"name": name, "type": kind, "required": required});
                    field.as_object().expect("it is one").clone()
                })
                .collect(),
        )
    }
}

impl Fields {
    const TYPES: [&str; 8] =
        ["text", "multiline", "telephone", "email", "number", "date", "card", "choice"];
    /// Members of an order that no field can have.
    const TAKEN: [&str; 2] = ["items", "ordered"];

    /// Reads a fields file: a list of fields that come after the document's; one of the same name
    /// as one of these changes it, and `"omit": true` takes it away.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let malformed = |found: String| Error::malformed(place, found);
        let value = json::parse(bytes).map_err(malformed)?;
        Self::read(&value).map_err(malformed)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let list = value.as_array().ok_or("expected a list of fields")?;
        let mut fields = Self::default();
        let mut seen = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = |found: String| format!("field {}: {found}", index + 1);
            let members = value.as_object().ok_or_else(|| at("expected an object".to_owned()))?;
            let name = text(members, "name").map_err(at)?;
            if seen.contains(&name) {
                return Err(at(format!("name {name:?} comes twice")));
            }
            seen.push(name);
            fields.take(name, members).map_err(at)?;
        }
        Ok(fields)
    }

    fn take(&mut self, name: &str, members: &Object) -> Result<(), String> {
        let built_in = self.0.iter().position(|field| field["name"] == name);
        match (members.get("omit"), built_in) {
            (None | Some(Value::Bool(false)), _) => {}
            (Some(Value::Bool(true)), Some(index)) => {
                self.0.remove(index);
                return Ok(());
            }
            (Some(Value::Bool(true)), None) => {
                return Err(format!("there is no field {name:?} that could be left out"));
            }
            (Some(_), _) => return Err("\"omit\" is not true or false".to_owned()),
        }
        let mut field = match built_in {
            Some(index) => self.0[index].clone(),
            None => own_field(name, members)?,
        };
        if let Some(label) = members.get("label") {
            field.insert("label".to_owned(), words(label, "label")?);
        }
        match members.get("required") {
            None => {}
            Some(required @ Value::Bool(_)) => {
                field.insert("required".to_owned(), required.clone());
            }
            Some(_) => return Err("\"required\" is not true or false".to_owned()),
        }
        if let Some(max) = members.get("max") {
            if !max.as_u64().is_some_and(|max| (1..=MAX_FIELD).contains(&max)) {
                return Err(format!("\"max\" is not a number from 1 to {MAX_FIELD}"));
            }
            field.insert("max".to_owned(), max.clone());
        }
        match built_in {
            Some(index) => self.0[index] = field,
            None => self.0.push(field),
        }
        Ok(())
    }

    pub(super) fn to_json(&self) -> Value {
        self.0.iter().cloned().map(Value::Object).collect()
    }
}

/// A field that the document does not have.
fn own_field(name: &str, members: &Object) -> Result<Object, String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=32).contains(&name.len())
        || !name.bytes().all(letters)
        || !name.as_bytes()[0].is_ascii_lowercase()
    {
        return Err(format!("name {name:?}, expected 1 to 32 of a-z 0-9 _ with a letter in front"));
    }
    if Fields::TAKEN.contains(&name) {
        return Err(format!("name {name:?} is that of another member of the order"));
    }
    let kind = optional_text(members, "type")?.unwrap_or("text");
    if !Fields::TYPES.contains(&kind) {
        return Err(format!("type {kind:?}, expected one of {}", Fields::TYPES.join(", ")));
    }
    if !members.contains_key("label") {
        return Err("no member \"label\"".to_owned());
    }
    let mut field = json!({"name": name, "type": kind, "required": false});
    if kind == "choice" {
        let choices =
            members.get("choices").and_then(Value::as_array).filter(|list| !list.is_empty());
        let choices = choices.ok_or("no member \"choices\" that is a list of texts")?;
        field["choices"] =
            choices.iter().map(|choice| words(choice, "choices")).collect::<Result<Value, _>>()?;
    }
    Ok(field.as_object().expect("it is one").clone())
}
