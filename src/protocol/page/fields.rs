//! Fields of the order form: the default ones and a shop's own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::words::{LANGUAGES, shown, words};
use crate::protocol::jose::json::{self, Object, optional_text, text};
use crate::protocol::model::{Error, Malformed, PageFault, Place, Result};

/// Greatest length that a field may have, in characters.
const MAX_FIELD: u64 = 10_000;

/// Fields of the form, in addition to the goods.
#[derive(Debug, Clone)]
pub struct Fields(Vec<Object>);

impl Default for Fields {
    /// Fields of the document: name, address, telephone, card number, delivery address.
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
                .map(|(name, kind, required)| field(name, kind, required))
                .collect(),
        )
    }
}

fn field(name: &str, kind: &str, required: bool) -> Object {
    let members = [("name", json!(name)), ("type", json!(kind)), ("required", json!(required))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Fields {
    const TYPES: [&str; 8] =
        ["text", "multiline", "telephone", "email", "number", "date", "card", "choice"];
    /// Members of an order whose names no field can have.
    const TAKEN: [&str; 2] = ["items", "ordered"];

    /// Parses a fields file: a list of fields that are added after the default ones. A field with
    /// the name of a default one changes it, and `"omit": true` removes it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let malformed = |found: Malformed| Error::malformed(place, found);
        let value = json::parse(bytes).map_err(|found| malformed(found.into()))?;
        Self::read(&value).map_err(malformed)
    }

    fn read(value: &Value) -> Result<Self, Malformed> {
        let list = value.as_array().ok_or(Malformed::Expected("a list of fields"))?;
        let mut fields = Self::default();
        let mut seen = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = |fault: Malformed| fault.within(format_args!("field {}", index + 1));
            let members = value.as_object().ok_or_else(|| at(Malformed::Expected("an object")))?;
            let name = text(members, "name").map_err(at)?;
            if seen.contains(&name) {
                return Err(at(PageFault::SameName(name.to_owned()).into()));
            }
            seen.push(name);
            fields.take(name, members).map_err(at)?;
        }
        Ok(fields)
    }

    fn take(&mut self, name: &str, members: &Object) -> Result<(), Malformed> {
        let usual = self.0.iter().position(|field| field["name"] == name);
        let omit = flag(members, "omit")?.unwrap_or(false);
        let mut field = match usual {
            Some(index) => {
                only_members(members, members_of_usual(name))?;
                if omit {
                    self.0.remove(index);
                    return Ok(());
                }
                self.0[index].clone()
            }
            None if omit => return Err(PageFault::NoField(name.to_owned()).into()),
            None => own_field(name, members)?,
        };
        if let Some(label) = members.get("label") {
            field.insert("label".to_owned(), words(label, "label")?);
        }
        if let Some(required) = flag(members, "required")? {
            field.insert("required".to_owned(), json!(required));
        }
        if let Some(max) = members.get("max") {
            if !max.as_u64().is_some_and(|max| (1..=MAX_FIELD).contains(&max)) {
                return Err(Malformed::OutOfRange { name: "max", least: 1, most: MAX_FIELD });
            }
            field.insert("max".to_owned(), max.clone());
        }
        match usual {
            Some(index) => self.0[index] = field,
            None => self.0.push(field),
        }
        Ok(())
    }

    pub(super) fn to_json(&self) -> Value {
        self.0.iter().cloned().map(Value::Object).collect()
    }
}

/// Members allowed for a default field.
fn members_of_usual(name: &str) -> &'static [&'static str] {
    match name {
        // A check box that shows three fields: it has a label, and nothing to fill in.
        "delivery_address" => &["name", "label", "omit"],
        _ => &["name", "label", "required", "max", "omit"],
    }
}

/// Members allowed for a shop's own field.
fn members_of_own(kind: &str) -> &'static [&'static str] {
    match kind {
        "choice" => &["name", "label", "type", "choices", "required", "omit"],
        "date" => &["name", "label", "type", "required", "omit"],
        _ => &["name", "label", "type", "required", "max", "omit"],
    }
}

/// Refuses members that would have no effect: most often, they are misspelt.
pub(super) fn only_members(
    members: &Object,
    known: &'static [&'static str],
) -> Result<(), PageFault> {
    match members.keys().find(|member| !known.contains(&member.as_str())) {
        Some(member) => Err(PageFault::NoEffect { member: member.clone(), expected: known }),
        None => Ok(()),
    }
}

fn flag(members: &Object, member: &str) -> Result<Option<bool>, Malformed> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(Malformed::member(member, "true or false")),
    }
}

/// Reads a field that is not one of the default ones.
fn own_field(name: &str, members: &Object) -> Result<Object, Malformed> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=32).contains(&name.len())
        || !name.bytes().all(letters)
        || !name.as_bytes()[0].is_ascii_lowercase()
    {
        return Err(PageFault::FieldName(name.to_owned()).into());
    }
    if Fields::TAKEN.contains(&name) {
        return Err(PageFault::NameTaken(name.to_owned()).into());
    }
    let kind = optional_text(members, "type")?.unwrap_or("text");
    if !Fields::TYPES.contains(&kind) {
        let (found, expected) = (kind.to_owned(), &Fields::TYPES);
        return Err(PageFault::FieldType { found, expected }.into());
    }
    if kind != "choice" && members.contains_key("choices") {
        return Err(PageFault::ChoicesOf(kind.to_owned()).into());
    }
    only_members(members, members_of_own(kind))?;
    if !members.contains_key("label") {
        return Err(Malformed::NoMember("label".to_owned()));
    }
    let mut field = field(name, kind, false);
    if kind == "choice" {
        field.insert("choices".to_owned(), choices(members)?);
    }
    Ok(field)
}

/// Reads the texts to choose from; they must differ in every language.
fn choices(members: &Object) -> Result<Value, Malformed> {
    let list = members.get("choices").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Malformed::member("choices", "a list of texts"))?;
    let list = list.iter().map(|text| words(text, "choices")).collect::<Result<Vec<_>, _>>()?;
    for language in LANGUAGES {
        let mut seen = BTreeSet::new();
        for text in list.iter().map(|text| shown(text, language).trim()) {
            if !seen.insert(text) {
                return Err(PageFault::SameChoice { text: text.to_owned(), language }.into());
            }
        }
    }
    Ok(Value::Array(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let read = Fields::parse(text.as_bytes(), &Place::file("fields.json"));
        read.map(|fields| fields.to_json().to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn own_fields_come_after_the_documents_and_change_them() {
        let text = r#"[{"name":"card","omit":true},{"name":"telephone","required":false,"omit":false},
            {"name":"delivery_address","label":"Elsewhere"},
            {"name":"gift","label":{"en":"Gift note","ja":"のし"},"type":"multiline","max":80},
            {"name":"size","label":"Size","type":"choice","choices":["S",{"en":"L","ja":"大"}]}]"#;
        let read = read(text).unwrap();
        assert!(!read.contains("card"));
        assert!(
            read.contains(r#"{"name":"telephone","required":false,"type":"telephone"}"#),
            "{read}"
        );
        assert!(read.contains(r#"{"label":"Elsewhere","name":"delivery_address""#), "{read}");
        assert!(read.find("delivery_address").unwrap() < read.find("gift").unwrap());
        assert!(read.contains(r#""choices":["S",{"en":"L","ja":"大"}]"#), "{read}");
    }

    #[test]
    fn names_that_scripts_know_are_names_like_others() {
        for name in ["constructor", "prototype", "length", "elements", "submit", "toString"] {
            let found = read(&format!(r#"[{{"name":"{name}","label":"x"}}]"#));
            match name.bytes().all(|byte| byte.is_ascii_lowercase()) {
                true => assert!(found.unwrap().contains(&format!(r#""name":"{name}""#))),
                false => assert!(found.unwrap_err().contains("expected 1 to 32")),
            }
        }
        assert!(read(r#"[{"name":"__proto__","label":"x"}]"#).unwrap_err().contains("a letter"));
    }

    #[test]
    fn malformed_fields_are_refused() {
        for (text, complaint) in [
            ("[", "fields.json: found JSON that is cut off"),
            ("{}", "expected a list"),
            ("[1]", "field 1: expected an object"),
            (r#"[{"label":"x"}]"#, "field 1: no member \"name\""),
            (r#"[{"name":"x"}]"#, "no member \"label\""),
            (r#"[{"name":"x","omit":false}]"#, "no member \"label\""),
            (r#"[{"name":"x","label":""}]"#, "\"label\""),
            (r#"[{"name":"X","label":"x"}]"#, "expected 1 to 32"),
            (r#"[{"name":"items","label":"x"}]"#, "another member"),
            (r#"[{"name":"x","label":"x","type":"file"}]"#, "type \"file\""),
            (r#"[{"name":"x","label":"x","type":"choice"}]"#, "choices"),
            (r#"[{"name":"x","label":"x","type":"choice","choices":[]}]"#, "choices"),
            (r#"[{"name":"x","label":"x","required":1}]"#, "required"),
            (r#"[{"name":"x","label":"x","max":0}]"#, "max"),
            (r#"[{"name":"x","omit":true}]"#, "no field \"x\""),
            (r#"[{"name":"card","omit":1}]"#, "\"omit\" is not true or false"),
            (r#"[{"name":"card","omit":true},{"name":"card","omit":true}]"#, "twice"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(complaint), "{text}: {found}");
        }
    }

    #[test]
    fn members_without_effect_are_refused() {
        for (text, complaint) in [
            (r#"[{"name":"x","label":"x","requird":true}]"#, "\"requird\""),
            (r#"[{"name":"card","requird":true}]"#, "\"requird\""),
            (r#"[{"name":"card","omit":true,"lable":"x"}]"#, "\"lable\""),
            (r#"[{"name":"card","type":"text"}]"#, "\"type\""),
            (r#"[{"name":"card","choices":["x"]}]"#, "\"choices\""),
            (r#"[{"name":"x","label":"x","choices":["x"]}]"#, "for the type \"choice\""),
            (
                r#"[{"name":"x","label":"x","type":"date","choices":["x"]}]"#,
                "for the type \"choice\", found \"date\"",
            ),
            (r#"[{"name":"x","label":"x","type":"date","max":3}]"#, "\"max\""),
            (r#"[{"name":"x","label":"x","type":"choice","choices":["x"],"max":3}]"#, "\"max\""),
            (r#"[{"name":"delivery_address","required":true}]"#, "\"required\""),
            (r#"[{"name":"delivery_address","max":10}]"#, "\"max\" has no effect here"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.contains(complaint) && found.contains("field 1: "), "{text}: {found}");
        }
    }

    #[test]
    fn choices_that_look_alike_or_empty_are_refused() {
        let choices = |list: &str| {
            read(&format!(r#"[{{"name":"x","label":"x","type":"choice","choices":{list}}}]"#))
        };
        for (list, complaint) in [
            (r#"["a","b","a"]"#, "\"a\" twice (in en)"),
            (r#"["a"," a "]"#, "\"a\" twice"),
            (r#"[{"en":"a","ja":"x"},{"en":"b","ja":"x"}]"#, "\"x\" twice (in ja)"),
            (r#"[{"en":"a","ja":"x"},"a"]"#, "twice (in en)"),
            (r#"[{"de":"a"},"a"]"#, "twice (in en)"),
            (r#"["a",""]"#, "\"choices\" is blank"),
            (r#"["a",{"en":"b","ja":" "}]"#, "\"choices.ja\" is blank"),
            (r#"["a",1]"#, "choices"),
        ] {
            let found = choices(list).unwrap_err();
            assert!(found.contains(complaint), "{list}: {found}");
        }
        assert!(choices(r#"[{"en":"a","ja":"b"},{"en":"b","ja":"a"}]"#).is_ok());
    }
}
