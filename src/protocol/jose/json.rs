//! JSON with the strictness that security needs: duplicate names are refused, numbers keep all
//! digits, and secrets can be wiped.

mod members;
mod object_text;
mod secret;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::protocol::model::{JsonFault, Malformed};

use members::{Borrowed, Element};
pub use members::{MemberValue, Members};
pub(in crate::protocol) use members::{name, optional_parsed, optional_text, text};
pub(super) use object_text::ObjectText;
pub use secret::SecretJson;
use secret::Values;
pub(in crate::protocol) use secret::{append, length};

/// The members of a JSON object.
pub type Object = Map<String, Value>;

/// Parses one JSON text; duplicate names are refused at every depth.
///
/// # Errors
/// The fault, with line and column, in words that follow "found".
pub fn parse(text: &[u8]) -> Result<SecretJson, JsonFault> {
    parse_as(text, Strict::Whole)
}

/// Parses one JSON text in the same way, and returns whether it is an object with an array under
/// `name`. The elements of that array are passed to `read` one by one, `None` for what is not an
/// object, and are not in the result: for a file of hundreds of thousands of keys, building and
/// dropping the tree takes longer than reading the text.
///
/// # Errors
/// As [`parse`].
pub fn parse_around(
    text: &[u8],
    name: &str,
    read: &mut dyn FnMut(Option<&dyn Members>),
) -> Result<(SecretJson, bool), JsonFault> {
    let mut elements = Elements { name, read, found: false };
    let value = parse_as(text, Strict::Around(&mut elements))?;
    Ok((value, elements.found))
}

/// Reads a JSON object in the same way, whose members are passed to `read`; `None` if the text is anything
/// else, or might be refused as nested too deeply where it stands in a larger text.
pub(super) fn read_object<T>(text: &[u8], read: impl FnOnce(&dyn Members) -> T) -> Option<T> {
    if memchr::memchr2_iter(b'[', b'{', text).count() > NEVER_DEEP {
        return None;
    }
    let mut object = Borrowed::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let is_object = Element(&mut object).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    is_object.then(|| read(&object))
}

/// With so many arrays and objects, no text is nested too deeply for `serde_json`, whose limit is 128, even
/// within others.
const NEVER_DEEP: usize = 100;

/// Whether a text stands in JSON as it is, and has neither spaces nor letters beyond ASCII.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

fn parse_as(text: &[u8], how: Strict<'_, '_>) -> Result<SecretJson, JsonFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = how.deserialize(&mut deserializer).map_err(|error| fault(&error))?;
    let value = SecretJson(value);
    deserializer
        .end()
        .map_err(|error| JsonFault::Trailing { line: error.line(), column: error.column() })?;
    Ok(value)
}

fn fault(error: &serde_json::Error) -> JsonFault {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if line == 1 && column == 0 => JsonFault::Empty,
        Category::Eof => JsonFault::CutOff { line, column },
        Category::Data => JsonFault::Content(error.to_string()),
        Category::Syntax | Category::Io => JsonFault::Syntax(error.to_string()),
    }
}

/// Values read so far; they are wiped if a later one cannot be read.
struct Unfinished<T: Values>(T);

impl<T: Values> Drop for Unfinished<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

/// The name of the single member by which `serde_json` represents a number that is not a 64-bit
/// integer, so that all of its digits are kept. An object in the input with only this member is
/// also read as a number; an object with this and other members is refused.
const NUMBER: &str = "$serde_json::private::Number";

/// A way to read a value; duplicate names are refused in all of them.
enum Strict<'s, 'n> {
    /// The whole value.
    Whole,
    /// An object without the elements of one of its members.
    Around(&'s mut Elements<'n>),
    /// The member whose elements are read separately.
    Member(&'s mut Elements<'n>),
}

/// The name of a member, and the function that takes its elements.
struct Elements<'n> {
    name: &'n str,
    read: &'n mut dyn FnMut(Option<&dyn Members>),
    /// Whether the member was found and is an array.
    found: bool,
}

impl<'de> DeserializeSeed<'de> for Strict<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_, '_> {
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

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Value, A::Error> {
        let mut values = Unfinished(Vec::new());
        if let Self::Member(elements) = self {
            elements.found = true;
            let mut object = Borrowed::default();
            while let Some(is_object) = array.next_element_seed(Element(&mut object))? {
                (elements.read)(is_object.then_some(&object));
            }
        } else {
            while let Some(value) = array.next_element_seed(Self::Whole)? {
                values.0.push(value);
            }
        }
        Ok(Value::Array(std::mem::take(&mut values.0)))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Unfinished(Object::new());
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER && object.0.is_empty() {
                let digits: String = members.next_value()?;
                return digits.parse().map(Value::Number).map_err(A::Error::custom);
            }
            if object.0.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate name {name:?}")));
            }
            let how = match &mut self {
                Self::Around(elements) if elements.name == name => Strict::Member(elements),
                Self::Around(_) | Self::Whole | Self::Member(_) => Strict::Whole,
            };
            let value = members.next_value_seed(how)?;
            object.0.insert(name, value);
        }
        Ok(Value::Object(std::mem::take(&mut object.0)))
    }
}

/// Reads the version of a member of ours, which must not be newer than `newest`.
pub(in crate::protocol) fn version(ours: &Object, newest: u64) -> Result<u64, Malformed> {
    let Some(value) = ours.get("version") else {
        return Err(Malformed::NoMember("version".to_owned()).within("orderseal"));
    };
    let known = value.as_u64().filter(|version| (1..=newest).contains(version));
    known.ok_or_else(|| Malformed::Version { found: value.to_string(), newest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_names_are_refused_at_every_depth() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"\u0061":1}}]"#] {
            assert!(
                parse(text.as_bytes()).unwrap_err().to_string().contains("duplicate name \"a\"")
            );
        }
    }

    #[test]
    fn elements_are_read_one_by_one_and_as_strictly() {
        let read = |text: &str| {
            let mut seen = Vec::new();
            let found = parse_around(text.as_bytes(), "a", &mut |object| {
                let member = |name| object?.member(name).map(|value| format!("{value:?}"));
                seen.push(object.map(|_| ["b", "c", "d"].map(member)));
            });
            found.map(|(value, found)| (value.to_string(), found, seen))
        };
        let text = r#"{"b":[1],"a":[2,{"b":[3],"c":"x\u0041","d":"y"},[{}],{"":1}],"c":4}"#;
        let (value, found, seen) = read(text).unwrap();
        assert_eq!((value.as_str(), found), (r#"{"a":[],"b":[1],"c":4}"#, true));
        let list = "Other(Array [Number(3)])";
        let members = [list, "Text(\"xA\")", "Text(\"y\")"].map(|text| Some(text.to_owned()));
        assert_eq!(seen, [None, Some(members), None, Some([None, None, None])]);
        for other in [r#"{"a":{"a":[1]}}"#, r#"[{"a":[1]}]"#, r#"{"b":{"a":[1]}}"#] {
            assert_eq!(read(other).unwrap(), (other.to_owned(), false, vec![]));
        }
        let many = |last: &str| {
            let members: Vec<_> = (0..60).map(|number| format!("\"m{number}\":\"\"")).collect();
            format!(r#"{{"a":[{{{},"{last}":1}}]}}"#, members.join(","))
        };
        assert!(read(&many("m60")).is_ok());
        for refused in [
            r#"{"a":[],"a":[]}"#,
            r#"{"a":[{"b":1,"b":1}]}"#,
            r#"{"a":[{"b":"x","\u0062":"x"}]}"#,
            r#"{"a":[{"b":{"c":1,"c":1}}]}"#,
            r#"{"a":[1,]}"#,
            "{} 1",
            &many("m7"),
            &many("m59"),
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn ordinary_values_come_through() {
        let text = r#"{"a":[null,true,-1,1,1.5,"x"],"b":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let read = |number: &str| parse(number.as_bytes()).unwrap().to_string();
        for number in ["0", "-0", "1.10", "1.0", "-7", "12345678901234567890123", "1.2e+400"] {
            assert_eq!(read(number), number);
        }
        // Exponents are normalized to one form.
        assert_eq!([read("1e400"), read("-1E-2")], ["1e+400", "-1e-2"]);
    }

    #[test]
    fn the_inner_name_of_numbers_is_no_way_around() {
        let read = |text: &str| parse(text.as_bytes()).map(|value| value.to_string());
        assert_eq!(read(r#"{"$serde_json::private::Number":"7"}"#).unwrap(), "7");
        for refused in [
            r#"{"$serde_json::private::Number":"7","a":1}"#,
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":7}"#,
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let complaint = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(complaint(""), "nothing");
        assert_eq!(complaint("{\"a\":\n[1,"), "JSON that is cut off at line 2 column 3");
        assert_eq!(complaint("{} {}"), "more after the end of the JSON, at line 1 column 4");
        assert_eq!(complaint("order"), "no JSON: expected value at line 1 column 1");
    }
}
