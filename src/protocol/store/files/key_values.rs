//! Striking out keys in key files: they are overwritten in place, so that no disk space is needed
//! and the file can be read at every moment.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Byte that replaces struck-out values; it does not occur in base64url.
pub(super) const BLANK: u8 = b'*';

/// Members that name a key or describe its use; all others are parts of the key.
const NAMES: [&str; 7] = ["kty", "kid", "alg", "use", "key_ops", "origin", "offset"];

#[derive(Deserialize)]
struct Set<'t> {
    #[serde(borrow)]
    keys: Vec<&'t RawValue>,
}

/// Finds the parts of the chosen keys in the text of a key set, without their quotation marks;
/// `None` if the text cannot be parsed.
pub(super) fn values_of(
    text: &[u8],
    is_chosen: impl Fn(&str) -> bool,
) -> Option<Vec<Range<usize>>> {
    let set: Set<'_> = serde_json::from_slice(text).ok()?;
    let mut values = Vec::new();
    for key in set.keys {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(key.get()).ok()?;
        let kid: Option<String> =
            members.get("kid").and_then(|kid| serde_json::from_str(kid.get()).ok());
        if !kid.is_some_and(|kid| is_chosen(&kid)) {
            continue;
        }
        for (name, value) in &members {
            let inner = value.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            if let Some(inner) = inner.filter(|_| !NAMES.contains(&name.as_str())) {
                let start = (inner.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
                values.push(start..start + inner.len());
            }
        }
    }
    values.iter().all(|value| value.end <= text.len()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_parts_of_chosen_keys_are_found() {
        let text = br#"{"keys":[
            {"kty":"oct","kid":"a","k":"AAAA","alg":"A256KW"},
            {"k":"BBBB","kid":"b","kty":"oct","offset":7},
            {"kty":"RSA","kid":"c","n":"NN","d":"DDD","p":"P"}],"orderseal":{"k":"x"}}"#;
        let found = |chosen: &str| -> Vec<&str> {
            let values = values_of(text, |kid| chosen.contains(kid)).unwrap();
            values.into_iter().map(|value| str::from_utf8(&text[value]).unwrap()).collect()
        };
        assert_eq!(found("b"), ["BBBB"]);
        assert_eq!(found("ac"), ["AAAA", "DDD", "NN", "P"]);
        assert_eq!(found("z"), [""; 0]);
        assert_eq!(values_of(b"{", |_| true), None);
    }
}
