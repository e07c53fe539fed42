//! Goods on offer, read from an items file or an item page.

use std::collections::BTreeMap;

use base64_simd::forgiving_decode_to_vec;
use serde_json::{Value, json};

use super::fields::only_members;
use super::price::price;
use super::words::{description, readable, words};
use crate::protocol::jose::json::{self, Object, optional_text};
use crate::protocol::model::{Error, Malformed, PageFault, Place, Result};

/// Largest whole number that a browser represents exactly.
const MAX_SAFE: f64 = ((1_i64 << 53) - 1) as f64;

/// Members allowed in an items file.
const OF_LIST: [&str; 3] = ["items", "title", "currency"];

/// Members allowed in an item.
const OF_ITEM: [&str; 6] = ["id", "name", "price", "picture", "specification", "performance"];

/// Members that describe an item in addition to its name (paragraph 0101), in the order in which a
/// page shows them.
const DESCRIPTIONS: [&str; 2] = ["specification", "performance"];

/// Goods on offer.
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
        let value = json::parse(bytes).map_err(|found| Error::malformed(place, found))?;
        Self::from_json(&value, place)
    }

    /// Reads the items of an item page.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn from_json(value: &Value, place: &Place) -> Result<Self> {
        Self::read(value).map_err(|found| Error::malformed(place, found))
    }

    fn read(value: &Value) -> Result<Self, Malformed> {
        let empty = Object::new();
        let (list, members) = match value {
            Value::Object(members) => (members.get("items").unwrap_or(&Value::Null), members),
            list => (list, &empty),
        };
        only_members(members, &OF_LIST)?;
        let list = list.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or(Malformed::Expected("a list of at least one item"))?;
        let currency = optional_text(members, "currency")?;
        if currency
            .is_some_and(|code| code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(Malformed::member("currency", "a code of three letters, like JPY"));
        }
        Ok(Self {
            list: read_list(list, currency)?,
            title: members.get("title").map(|title| words(title, "title")).transpose()?,
            currency: currency.map(str::to_owned),
        })
    }
}

fn read_list(list: &[Value], currency: Option<&str>) -> Result<Value, Malformed> {
    let mut items = Vec::with_capacity(list.len());
    let mut places = BTreeMap::new();
    for (index, item) in list.iter().enumerate() {
        let number = index + 1;
        let at = |fault: Malformed| fault.within(format_args!("item {number}"));
        let item = read_item(item, currency).map_err(at)?;
        let id = item["id"].to_string();
        if let Some(&first) = places.get(&id) {
            return Err(at(PageFault::SameId { id, first }.into()));
        }
        places.insert(id, number);
        items.push(item);
    }
    Ok(Value::Array(items))
}

fn read_item(value: &Value, currency: Option<&str>) -> Result<Value, Malformed> {
    let expected = Malformed::Expected("an object with id, name and price");
    let members = value.as_object().ok_or(expected)?;
    only_members(members, &OF_ITEM)?;
    let member = |name: &str| members.get(name).ok_or_else(|| Malformed::NoMember(name.to_owned()));
    let (id, name) = (read_id(member("id")?)?, member("name")?);
    let mut item = json!({"id": id, "name": words(name, "name")?});
    if let Some(value) = members.get("price") {
        item["price"] = price(value, currency)?;
    }
    if let Some(picture) = optional_text(members, "picture")? {
        check_picture(picture)?;
        item["picture"] = json!(picture);
    }
    for member in DESCRIPTIONS {
        if let Some(text) = members.get(member) {
            item[member] = description(text, member)?;
        }
    }
    Ok(item)
}

/// Checks a picture. It has to be embedded (RFC 2397), as a page loads nothing.
fn check_picture(url: &str) -> Result<(), Malformed> {
    let parts = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(','));
    let Some((kind, data)) = parts else {
        let expected = "a data URL (data:image/…,…): a page loads nothing";
        return Err(Malformed::member("picture", expected));
    };
    let in_base64 = kind.to_ascii_lowercase().ends_with(";base64");
    // Decoded as browsers do, which ignore white space and missing padding. Percent-encoded data is
    // left to the browser.
    let readable = data.contains('%') || forgiving_decode_to_vec(data.as_bytes()).is_ok();
    if in_base64 && !readable {
        return Err(Malformed::member("picture", "in base64, as its data URL says"));
    }
    Ok(())
}

/// Reads an id as a browser does: a number has to be whole and keep all its digits.
fn read_id(id: &Value) -> Result<Value, Malformed> {
    match id {
        Value::String(text) => Ok(readable(text, "id").map(|()| id.clone())?),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= MAX_SAFE);
            let whole = whole.ok_or_else(|| PageFault::InexactId(number.to_string()))?;
            Ok(json!(whole as i64))
        }
        _ => Err(PageFault::Id.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Items, String> {
        Items::parse(text.as_bytes(), &Place::file("items.json")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_and_an_object_with_a_list_are_read() {
        let items = read(
            r#"{"title":"茶屋","currency":"JPY","items":[{"id":1,"name":"緑茶","price":1280.0,
                "specification":"100 g","performance":{"en":"30 cups","ja":"30 杯"}}]}"#,
        )
        .unwrap();
        assert_eq!(items.currency.as_deref(), Some("JPY"));
        assert_eq!(items.title, Some(json!("茶屋")));
        let tea = json!({"id": 1, "name": "緑茶", "price": 1280, "specification": "100 g",
                         "performance": {"en": "30 cups", "ja": "30 杯"}});
        assert_eq!(items.list, json!([tea]));
        let items = read(r#"[{"id":"a","name":{"en":"Tea"},"price":1.5}]"#).unwrap();
        assert_eq!(items.list, json!([{"id": "a", "name": {"en": "Tea"}, "price": 1.5}]));
    }

    #[test]
    fn malformed_items_are_refused() {
        for (text, complaint) in [
            ("", "items.json: found nothing, expected JSON"),
            ("[]", "at least one item"),
            ("{}", "at least one item"),
            ("[1]", "item 1: expected an object"),
            (r#"[{"name":"x"}]"#, "\"id\""),
            (r#"[{"id":"a"}]"#, "\"name\""),
            (r#"[{"id":"a","name":{}}]"#, "\"name\""),
            (r#"[{"id":"a","name":"\u2028"}]"#, "\"name\" is blank"),
            (r#"[{"id":"a","name":"x","price":-1}]"#, "\"price\""),
            (r#"[{"id":"a","name":"x","price":1.001}]"#, "without a currency"),
            (r#"[{"id":"a","name":"x","picture":"https://x/y.png"}]"#, "data URL"),
            (r#"[{"id":"a","name":"x","picture":"data:image/png;base64"}]"#, "data URL"),
            (r#"[{"id":"a","name":"x","picture":"data:image/png;base64,?"}]"#, "not in base64"),
            (r#"[{"id":"a","name":"x","picture":"data:image/png;BASE64,iVBOR"}]"#, "base64"),
            (r#"[{"id":"a","name":"x","specification":" "}]"#, "\"specification\" is blank"),
            (r#"[{"id":"a","name":"x","performance":7}]"#, "item 1: \"performance\" is neither"),
            (
                r#"[{"id":"a","name":"x"},{"id":"b","name":"x","stock":7}]"#,
                "items.json: item 2: member \"stock\" has no effect here, expected id, name, price",
            ),
            (
                r#"{"items":[{"id":"a","name":"x"}],"more":1}"#,
                "items.json: member \"more\" has no effect here, expected items, title, currency",
            ),
            (r#"{"items":[{"id":"a","name":"x"}],"currency":"yen"}"#, "currency"),
            (r#"{"items":[{"id":"a","name":"x","price":0.5}],"currency":"JPY"}"#, "0 in JPY"),
            (r#"{"items":[{"id":"a","name":"x"}],"title":"\t"}"#, "\"title\" is blank"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(complaint), "{text}: {found}");
        }
    }

    #[test]
    fn pictures_may_be_written_as_browsers_read_them() {
        for data in [
            ";base64,iVBORw0KGgo=",
            ";base64,iVBORw0KGgo",
            ";base64,iVBO\\nRw0K",
            ";base64,iVBORw0KGgo%3D",
        ] {
            let item = format!(r#"[{{"id":"a","name":"x","picture":"data:image/png{data}"}}]"#);
            assert!(read(&item).is_ok(), "{data}");
        }
        assert!(read(r#"[{"id":"a","name":"x","picture":"data:image/svg+xml,<svg/>"}]"#).is_ok());
    }

    #[test]
    fn ids_that_a_browser_would_alter_are_refused() {
        let id = |id: &str| {
            read(&format!(r#"[{{"id":{id},"name":"x"}}]"#)).map(|items| items.list[0]["id"].clone())
        };
        assert_eq!(id("9007199254740991").unwrap(), json!(9_007_199_254_740_991_i64));
        assert_eq!(id("-7.0").unwrap().to_string(), "-7");
        assert_eq!(id("-0").unwrap().to_string(), "0");
        assert_eq!(id("\"12345678901234567890\"").unwrap(), "12345678901234567890");
        for text in ["9007199254740992", "12345678901234567890", "1e30", "1.5", "-9007199254740993"]
        {
            assert!(id(text).unwrap_err().contains("write it as a string"), "{text}");
        }
        for text in ["null", "true", "[1]", "\"\"", "\" \"", "\"a\\nb\"", "\"\\u202e\""] {
            assert!(id(text).unwrap_err().contains("item 1: \"id\""), "{text}");
        }
    }

    #[test]
    fn ids_that_are_equal_in_a_browser_are_refused() {
        let both = |one: &str, other: &str| {
            read(&format!(r#"[{{"id":{one},"name":"x"}},{{"id":{other},"name":"y"}}]"#))
        };
        for (one, other) in [("1", "1"), ("1", "1.0"), ("0", "-0"), ("\"a\"", "\"\\u0061\"")] {
            let found = both(one, other).unwrap_err();
            assert!(found.contains("item 2: \"id\"") && found.contains("of item 1"), "{found}");
        }
        for (one, other) in [("1", "\"1\""), ("1", "2"), ("\"a\"", "\"A\"")] {
            assert!(both(one, other).is_ok(), "{one} {other}");
        }
    }
}
