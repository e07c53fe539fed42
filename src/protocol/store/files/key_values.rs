//! Striking out keys in key files: they are overwritten in place, so that no disk space is needed
//! and the file can be read at every moment.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Byte that replaces struck-out keys; it does not occur in base64url.
const BLANK: u8 = b'*';

/// Members that name a key or describe its use; all others are parts of the key.
const NAMES: [&str; 8] = ["kty", "crv", "kid", "alg", "use", "key_ops", "origin", "offset"];

/// Text of a file to be overwritten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overwrite {
    /// Where it is.
    pub(super) range: Range<usize>,
    /// The byte that replaces it.
    pub(super) with: u8,
}

#[derive(Deserialize)]
struct Set<'t> {
    #[serde(borrow)]
    keys: Vec<&'t RawValue>,
    #[serde(borrow)]
    orderseal: Option<Ours<'t>>,
}

#[derive(Deserialize)]
struct Ours<'t> {
    #[serde(borrow, default)]
    shops: BTreeMap<String, OfShop<'t>>,
}

#[derive(Deserialize)]
struct OfShop<'t> {
    #[serde(borrow, default)]
    trees: BTreeMap<String, OfTree<'t>>,
}

#[derive(Deserialize)]
struct OfTree<'t> {
    #[serde(borrow)]
    nodes: Vec<Node<'t>>,
    #[serde(borrow)]
    reserved: Option<&'t RawValue>,
}

#[derive(Deserialize)]
struct Node<'t> {
    #[serde(borrow)]
    k: &'t RawValue,
}

/// Finds the parts of the chosen keys in the text of a key set, without their quotation marks, and
/// those of all nodes if `all_nodes` is set; `None` if the text cannot be parsed. With the nodes,
/// the list of reserved ids is emptied, so that none of them can be given back.
pub(super) fn values_of(
    text: &[u8],
    is_chosen: impl Fn(&str) -> bool,
    all_nodes: bool,
) -> Option<Vec<Overwrite>> {
    let set: Set<'_> = serde_json::from_slice(text).ok()?;
    let mut values = Vec::new();
    let mut add = |inner: &str, with: u8| {
        let start = (inner.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let range = start..start + inner.len();
        values.push(Overwrite { range: (range.end <= text.len()).then_some(range)?, with });
        Some(())
    };
    for key in set.keys {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(key.get()).ok()?;
        let kid: Option<String> =
            members.get("kid").and_then(|kid| serde_json::from_str(kid.get()).ok());
        if !kid.is_some_and(|kid| is_chosen(&kid)) {
            continue;
        }
        for (name, value) in &members {
            let inner = within(value, '"', '"').filter(|_| !NAMES.contains(&name.as_str()));
            inner.map_or(Some(()), |inner| add(inner, BLANK))?;
        }
    }
    let shops = set.orderseal.into_iter().flat_map(|ours| ours.shops.into_values());
    for tree in shops.flat_map(|shop| shop.trees.into_values()).filter(|_| all_nodes) {
        for node in tree.nodes {
            add(within(node.k, '"', '"')?, BLANK)?;
        }
        if let Some(reserved) = tree.reserved {
            add(within(reserved, '[', ']')?, b' ')?;
        }
    }
    Some(values)
}

fn within(value: &RawValue, open: char, close: char) -> Option<&str> {
    value.get().strip_prefix(open)?.strip_suffix(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_parts_of_chosen_keys_are_found() {
        let text = br#"{"keys":[
            {"kty":"oct","kid":"a","k":"AAAA","alg":"A256KW"},
            {"k":"BBBB","kid":"b","kty":"oct","offset":7},
            {"kty":"RSA","kid":"c","n":"NN","d":"DDD","p":"P"},
            {"kty":"OKP","crv":"X25519","kid":"e","x":"XX","d":"SS"}],"orderseal":{"k":"x","shops":{"t":
            {"trees":{"u":{"ids":[[0,9]],"nodes":[{"depth":1,"index":0,"k":"XX"},{"k":"YY"}],
            "reserved":[[3,5],[7,8]]}}},"v":{}}}}"#;
        let found = |chosen: &str| -> Vec<&str> {
            let values = values_of(text, |kid| chosen.contains(kid), chosen.contains('*')).unwrap();
            let text = |value: Overwrite| str::from_utf8(&text[value.range]).unwrap();
            values.into_iter().map(text).collect()
        };
        assert_eq!(found("b"), ["BBBB"]);
        assert_eq!(found("ac"), ["AAAA", "DDD", "NN", "P"]);
        assert_eq!(found("e"), ["SS", "XX"]);
        assert_eq!(found("z"), [""; 0]);
        assert_eq!(found("b*"), ["BBBB", "XX", "YY", "[3,5],[7,8]"]);
        assert_eq!(values_of(b"{", |_| true, true), None);
    }
}
