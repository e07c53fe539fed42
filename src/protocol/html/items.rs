//! The goods on offer, from an items file or an item page.

use serde_json::{Value, json};

use super::words::{MAX_TEXT, words};
use crate::protocol::json::{self, Object};
use crate::protocol::jwk::optional_text;
use crate::protocol::{Error, Place, Result};

/// The goods on offer.
#[derive(Debug, Clone)]
pub struct Items {
    pub(super) list: Value,
    pub(super) title: Option<Value>,
    pub(super) currency: Option<String>,
}

impl Items {
    /// Reads an items file: a list of items, or an object with `items`, `title` and `currency`.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let value = json::parse(bytes)
            .map_err(|found| Error::malformed(place, format!("found {found}, expected JSON")))?;
        Self::from_json(&value, place)
    }

    /// Takes the items of an item page.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_json(value: &Value, place: &Place) -> Result<Self> {
        Self::read(value).map_err(|found| Error::malformed(place, found))
    }

    fn read(value: &Value) -> Result<Self, String> {
        let empty = Object::new();
        let (list, members) = match value {
            Value::Object(members) => (members.get("items").unwrap_or(&Value::Null), members),
            list => (list, &empty),
        };
        let list = list.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or("expected a list of items, with one at least")?;
        let items = list.iter().enumerate().map(|(index, item)| {
            read_item(item).map_err(|found| format!("item {}: {found}", index + 1))
        });
        let list = items.collect::<Result<Vec<_>, _>>()?;
        let currency = optional_text(members, "currency")?;
        if currency
            .is_some_and(|code| code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err("\"currency\" is not a code of three letters, like JPY".to_owned());
        }
        Ok(Self {
            list: Value::Array(list),
            title: members.get("title").map(|title| words(title, "title")).transpose()?,
            currency: currency.map(str::to_owned),
        })
    }
}

fn read_item(value: &Value) -> Result<Value, String> {
    let members = value.as_object().ok_or("expected an object with id, name and price")?;
    let id = match members.get("id") {
        Some(Value::String(id)) if (1..=MAX_TEXT).contains(&id.chars().count()) => json!(id),
        Some(id @ Value::Number(_)) => id.clone(),
        _ => return Err(format!("\"id\" is not a number or a text of 1 to {MAX_TEXT} characters")),
    };
    let name = members.get("name").ok_or("no member \"name\"")?;
    let mut item = json!({"id": id, "name": words(name, "name")?});
    if let Some(price) = members.get("price") {
        if price.as_f64().is_none_or(|price| price < 0.0) {
            return Err("\"price\" is not a number of 0 or more".to_owned());
        }
        item["price"] = price.clone();
    }
    if let Some(picture) = optional_text(members, "picture")? {
        if !picture.starts_with("data:image/") {
            return Err(
                "\"picture\" is not a data URL (data:image/…): a page loads nothing".to_owned()
            );
        }
        item["picture"] = json!(picture);
    }
    Ok(item)
}
