//! Plain versions of encodings and of the parser of sealed lines, written for these checks alone.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes bit by bit.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for bits in bits(bytes, 8).chunks(6) {
        let number = (0..6).fold(0, |sum, at| 2 * sum + usize::from(bits.get(at) == Some(&true)));
        text.push(char::from(ALPHABET[number]));
    }
    text
}

/// Decodes bit by bit; `None` for other characters, padding, and bits that are not used and not
/// zero.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| ALPHABET.iter().position(|own| own == byte);
    let digits: Vec<u8> = text.iter().map(|b| digit(b).map(|n| n as u8)).collect::<Option<_>>()?;
    let bits = bits(&digits, 6);
    let (whole, rest) = bits.split_at(bits.len() / 8 * 8);
    if rest.len() >= 6 || rest.contains(&true) {
        return None;
    }
    Some(whole.chunks(8).map(|b| b.iter().fold(0, |n, &bit| 2 * n + u8::from(bit))).collect())
}

fn bits(numbers: &[u8], width: u32) -> Vec<bool> {
    numbers.iter().flat_map(|n| (0..width).rev().map(move |at| n >> at & 1 == 1)).collect()
}

/// A JSON text without duplicate names; `None` for anything else.
pub fn json(text: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Once>(text).ok()?;
    serde_json::from_slice(text).ok()
}

/// Any value in which no object has a name twice.
struct Once;

impl<'de> serde::Deserialize<'de> for Once {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once)
    }
}

impl<'de> serde::de::Visitor<'de> for Once {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut array: A) -> Result<Once, A::Error> {
        while array.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Once, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            // By this name serde_json passes a number on.
            if names.is_empty() && name == "$serde_json::private::Number" {
                members.next_value::<String>()?;
                return Ok(Once);
            }
            if !names.insert(name) {
                return Err(serde::de::Error::custom("duplicate name"));
            }
            members.next_value::<Once>()?;
        }
        Ok(Once)
    }
}

/// A line without a byte-order mark before it and white space around it.
pub fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

/// The headers of a sealed line for its recipients, in any serialization; `None` if it is certainly
/// not a sealed line.
pub fn headers(line: &[u8]) -> Option<Vec<Map<String, Value>>> {
    let line = trimmed(line);
    if line.first() == Some(&b'{') {
        return json_headers(json(line)?.as_object()?);
    }
    let segments: Vec<&[u8]> = line.split(|&byte| byte == b'.').collect();
    let [header, _, _, _, _] = segments[..] else { return None };
    Some(vec![json(&decode(header)?)?.as_object()?.clone()])
}

fn json_headers(members: &Map<String, Value>) -> Option<Vec<Map<String, Value>>> {
    if let Some(aad) = members.get("aad").filter(|aad| !aad.is_null()) {
        decode(aad.as_str()?.as_bytes())?;
    }
    members.get("ciphertext")?.as_str()?;
    for optional in ["iv", "tag"].iter().filter_map(|name| members.get(*name)) {
        optional.as_str()?;
    }
    let protected = match members.get("protected") {
        None => Map::new(),
        Some(text) if text.as_str()?.is_empty() => Map::new(),
        Some(text) => json(&decode(text.as_str()?.as_bytes())?)?.as_object()?.clone(),
    };
    let recipients = match members.get("recipients") {
        None => vec![members.clone()],
        // With a list, no recipient stands outside of it (RFC 7516 section 7.2.1).
        Some(_) if ["header", "encrypted_key"].iter().any(|name| members.contains_key(*name)) => {
            return None;
        }
        Some(several) => {
            let several = several.as_array().filter(|several| !several.is_empty())?;
            several.iter().map(|one| one.as_object().cloned()).collect::<Option<_>>()?
        }
    };
    let union = |recipient: &Map<String, Value>| {
        if let Some(key) = recipient.get("encrypted_key") {
            key.as_str()?;
        }
        let mut all = protected.clone();
        for more in [members.get("unprotected"), recipient.get("header")].into_iter().flatten() {
            for (name, value) in more.as_object()? {
                if all.insert(name.clone(), value.clone()).is_some() {
                    return None;
                }
            }
        }
        // What a line is must be protected.
        for name in ["cty", "typ", "chain"] {
            if !protected.contains_key(name) {
                all.remove(name);
            }
        }
        Some(all)
    };
    recipients.iter().map(union).collect()
}
