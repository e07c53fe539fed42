//! What a shop says of its order form: goods, fields, and where orders go.

use std::str::FromStr;

use serde_json::{Value, json};

use crate::protocol::json::{self, Object};
use crate::protocol::jwk::{optional_text, text};
use crate::protocol::{Error, Name, Place, Result};

/// Longest text on the page, in characters.
const MAX_TEXT: usize = 200;

/// Most characters that a field may ask for.
const MAX_FIELD: u64 = 10_000;

/// An order form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// The goods; without them the user writes what is wanted.
    pub items: Option<Items>,
    /// What else is asked.
    pub fields: Fields,
    /// Where orders are sent; without it they are downloaded or copied.
    pub send_to: Option<SendTo>,
    /// The language of the page, `en` or `ja`, if it is not to be the browser's.
    pub lang: Option<String>,
}

impl Form {
    /// The title in the file, for readers that run no script.
    pub(super) fn title<'a>(&'a self, shop: &'a Name) -> &'a str {
        let title = self.items.as_ref().and_then(|items| items.title.as_ref());
        let any = |title: &'a Value| match title {
            Value::Object(languages) => languages.values().next(),
            title => Some(title),
        };
        title.and_then(any).and_then(Value::as_str).unwrap_or(shop.as_str())
    }
}

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

/// A text of the page: a string, or an object with a string for each language.
fn words(value: &Value, member: &str) -> Result<Value, String> {
    let short = |value: &Value| {
        value.as_str().is_some_and(|text| (1..=MAX_TEXT).contains(&text.chars().count()))
    };
    let fits = match value {
        Value::Object(languages) => !languages.is_empty() && languages.values().all(short),
        text => short(text),
    };
    fits.then(|| value.clone()).ok_or_else(|| {
        format!("{member:?} is not a text of 1 to {MAX_TEXT} characters, nor an object of such texts by language")
    })
}

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

/// The address that a page sends orders to, and the only one that its policy lets it reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendTo(String);

impl SendTo {
    /// The address.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// The address as a policy names it: without its query.
    pub(super) fn source(&self) -> &str {
        self.0.split('?').next().expect("there is a first part")
    }

    /// Whether the order's size and id travel in the clear over a network.
    pub fn is_plain_http(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let host = rest.split(['/', '?']).next().expect("there is a first part");
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        !["localhost", "127.0.0.1"].contains(&name)
    }
}

impl FromStr for SendTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("{why}, expected like https://shop.example/orders"));
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let Some(rest) = rest else { return refused("not an http or https address") };
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = address.split('/').next().expect("there is a first part");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        if host.is_empty() || !host.bytes().all(plain) {
            return refused("no plain host name in it (others than ASCII as xn--…)");
        }
        // Nothing may end the directive or the attribute that the address stands in.
        let safe = |byte: u8| plain(byte) || b"/_~%!$()+=@".contains(&byte);
        let printing = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !address.bytes().all(safe) || !query.bytes().all(printing) {
            return refused("characters in it that have to be percent-encoded");
        }
        Ok(Self(text.to_owned()))
    }
}
