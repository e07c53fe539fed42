//! The members of JSON objects, however they are held.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::secret::wipe;
use super::{NUMBER, Object, Strict};
use crate::protocol::model::{Malformed, NotName};

/// A JSON object whose members are looked up by name.
pub trait Members {
    /// The value of a member.
    fn member(&self, name: &str) -> Option<MemberValue<'_>>;

    /// Whether there is such a member.
    fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }
}

/// The value of a member.
#[derive(Debug, Clone, Copy)]
pub enum MemberValue<'m> {
    /// A string.
    Text(&'m str),
    /// Any other value.
    Other(&'m Value),
}

impl<'m> From<&'m Value> for MemberValue<'m> {
    fn from(value: &'m Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Self::Other(value),
        }
    }
}

impl<'m> MemberValue<'m> {
    /// The string, if it is one.
    pub fn text(self) -> Option<&'m str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    /// The value, unless it is a string.
    pub fn other(self) -> Option<&'m Value> {
        match self {
            Self::Text(_) => None,
            Self::Other(value) => Some(value),
        }
    }
}

impl Members for Object {
    fn member(&self, name: &str) -> Option<MemberValue<'_>> {
        self.get(name).map(MemberValue::from)
    }
}

/// Returns a required member, which must be a string.
pub(in crate::protocol) fn text<'a>(
    members: &'a dyn Members,
    name: &str,
) -> Result<&'a str, Malformed> {
    optional_text(members, name)?.ok_or_else(|| Malformed::NoMember(name.to_owned()))
}

/// Returns an optional member, which must be a string if present; `null` counts as absent.
pub(in crate::protocol) fn optional_text<'a>(
    members: &'a dyn Members,
    name: &str,
) -> Result<Option<&'a str>, Malformed> {
    match members.member(name) {
        None | Some(MemberValue::Other(Value::Null)) => Ok(None),
        Some(MemberValue::Text(text)) => Ok(Some(text)),
        Some(MemberValue::Other(_)) => Err(Malformed::member(name, "a string")),
    }
}

/// Parses an optional member, which must be a string that parses as `T` if present.
///
/// # Errors
/// The fault in the member.
pub(in crate::protocol) fn optional_parsed<T: FromStr<Err = Malformed>>(
    members: &dyn Members,
    name: &str,
) -> Result<Option<T>, Malformed> {
    let value = optional_text(members, name)?.map(str::parse).transpose();
    value.map_err(|fault: Malformed| {
        let (name, fault) = (name.to_owned(), Box::new(fault));
        Malformed::Unreadable { name, fault }
    })
}

/// Returns a required member, which must be a name of some kind.
pub(in crate::protocol) fn name<N>(members: &dyn Members, member: &str) -> Result<N, Malformed>
where
    N: FromStr<Err = NotName>,
{
    let found = text(members, member)?;
    let name = found.parse::<N>().map_err(Malformed::from);
    name.map_err(|fault| fault.within(format_args!("{member} {found:?}")))
}

/// Number of members up to which a list is searched for a name.
const FEW: usize = 24;

/// The members of an object in the order of the text. Strings without an escape are borrowed from the
/// text, so that an object with nothing else takes no memory of its own.
#[derive(Default)]
pub(super) struct Borrowed<'t> {
    list: Vec<(Cow<'t, str>, Held<'t>)>,
    /// The names, if there are many.
    names: BTreeSet<String>,
}

/// A value that is borrowed from the text if it can be.
enum Held<'t> {
    Borrowed(&'t str),
    Owned(Value),
}

impl Members for Borrowed<'_> {
    fn member(&self, name: &str) -> Option<MemberValue<'_>> {
        let (_, value) = self.list.iter().find(|(own, _)| own == name)?;
        Some(match value {
            Held::Borrowed(text) => MemberValue::Text(text),
            Held::Owned(value) => value.into(),
        })
    }
}

impl Borrowed<'_> {
    /// Removes the members, and wipes those that are not borrowed.
    fn clear(&mut self) {
        for (_, value) in &mut self.list {
            if let Held::Owned(value) = value {
                wipe(value);
            }
        }
        self.list.clear();
        self.names.clear();
    }

    /// Whether another member has this name.
    fn repeats(&mut self, name: &str) -> bool {
        if self.list.len() < FEW {
            return self.list.iter().any(|(other, _)| other == name);
        }
        if self.names.is_empty() {
            self.names.extend(self.list.iter().map(|(name, _)| name.to_string()));
        }
        !self.names.insert(name.to_owned())
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Reads an element of an array into members that are reused; returns whether it is an object.
pub(super) struct Element<'b, 't>(pub(super) &'b mut Borrowed<'t>);

impl<'t> DeserializeSeed<'t> for Element<'_, 't> {
    type Value = bool;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<bool, D::Error> {
        self.0.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Element<'_, 't> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, array: A) -> Result<bool, A::Error> {
        Strict::Whole.visit_seq(array).map(|mut value| {
            wipe(&mut value);
            false
        })
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<bool, A::Error> {
        let Self(object) = self;
        while let Some(name) = members.next_key_seed(Text)? {
            if name == NUMBER && object.list.is_empty() {
                members.next_value::<String>()?;
                return Ok(false);
            }
            if object.repeats(&name) {
                return Err(A::Error::custom(format_args!("duplicate name {name:?}")));
            }
            object.list.push((name, members.next_value_seed(AnyValue)?));
        }
        Ok(true)
    }
}

/// Reads a string.
struct Text;

impl<'t> DeserializeSeed<'t> for Text {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Cow<'t, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Text {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Reads any value.
struct AnyValue;

impl<'t> DeserializeSeed<'t> for AnyValue {
    type Value = Held<'t>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Held<'t>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for AnyValue {
    type Value = Held<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Held<'t>, E> {
        Ok(Held::Borrowed(text))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Held<'t>, E> {
        Strict::Whole.visit_bool(value).map(Held::Owned)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Held<'t>, E> {
        Strict::Whole.visit_i64(value).map(Held::Owned)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Held<'t>, E> {
        Strict::Whole.visit_u64(value).map(Held::Owned)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Held<'t>, E> {
        Strict::Whole.visit_str(value).map(Held::Owned)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Held<'t>, E> {
        Strict::Whole.visit_unit().map(Held::Owned)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, array: A) -> Result<Held<'t>, A::Error> {
        Strict::Whole.visit_seq(array).map(Held::Owned)
    }

    fn visit_map<A: MapAccess<'t>>(self, members: A) -> Result<Held<'t>, A::Error> {
        Strict::Whole.visit_map(members).map(Held::Owned)
    }
}
