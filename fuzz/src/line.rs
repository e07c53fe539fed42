//! Sealed lines with their encoded parts in the clear, so that a changed byte changes a header and
//! not only its encoding.

use serde_json::Value;

use crate::plain;

/// Separates parts; it does not occur in UTF-8.
const MARK: u8 = 0xff;

/// Names of encoded members of the JSON serialization.
const ENCODED: [&str; 6] = ["protected", "encrypted_key", "iv", "ciphertext", "tag", "aad"];

/// The text that an input stands for. After the mark, the parts of a compact line follow, each in
/// the clear; after two marks, a JSON text, with the protected header before it. Anything else is
/// the text itself.
pub fn text(input: &[u8]) -> Vec<u8> {
    match input {
        [MARK, MARK, rest @ ..] => {
            let mut parts = rest.splitn(2, |&byte| byte == MARK);
            let (header, json) = (parts.next().unwrap_or(&[]), parts.next().unwrap_or(&[]));
            let encoded = format!("{{\"protected\":\"{}\",", plain::encode(header));
            [encoded.as_bytes(), json].concat()
        }
        [MARK, rest @ ..] => {
            let parts: Vec<String> = rest.split(|&byte| byte == MARK).map(plain::encode).collect();
            parts.join(".").into_bytes()
        }
        text => text.to_vec(),
    }
}

/// Inputs that stand for a line: itself, and with parts in the clear.
pub fn inputs(line: &[u8]) -> Vec<Vec<u8>> {
    let mut inputs = vec![line.to_vec()];
    let trimmed = plain::trimmed(line);
    if let Ok(Value::Object(mut members)) = serde_json::from_slice(trimmed) {
        let header =
            members.remove("protected").and_then(|text| plain::decode(text.as_str()?.as_bytes()));
        if let Some(header) = header.filter(|header| !header.contains(&MARK)) {
            let rest = Value::Object(members).to_string();
            inputs.push([&[MARK, MARK], &header[..], &[MARK], &rest.as_bytes()[1..]].concat());
        }
        return inputs;
    }
    let parts: Option<Vec<Vec<u8>>> =
        trimmed.split(|&byte| byte == b'.').map(plain::decode).collect();
    if let Some(parts) = parts.filter(|parts| parts.len() > 1 && !parts.concat().contains(&MARK)) {
        inputs.push(parts.iter().flat_map(|part| [&[MARK], &part[..]].concat()).collect());
    }
    inputs
}

/// The same sealed order in the flattened and in the general JSON serialization; none for other
/// texts.
pub fn serialized(line: &[u8]) -> Vec<Vec<u8>> {
    let Ok(line) = str::from_utf8(plain::trimmed(line)) else { return Vec::new() };
    let segments: Vec<&str> = line.split('.').collect();
    let [protected, encrypted_key, iv, ciphertext, tag] = segments[..] else { return Vec::new() };
    let mut whole = serde_json::Map::new();
    let parts = [protected, encrypted_key, iv, ciphertext, tag];
    for (name, part) in ENCODED.into_iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
        whole.insert(name.to_owned(), part.into());
    }
    let flattened = Value::Object(whole.clone());
    let mut recipient = serde_json::Map::new();
    recipient.extend(whole.remove_entry("encrypted_key"));
    whole.insert("recipients".to_owned(), Value::Array(vec![Value::Object(recipient)]));
    [flattened, Value::Object(whole)].map(|value| value.to_string().into_bytes()).into()
}
