//! Writes key files, one key per line, so that people and diffs can follow them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AnyKeys, Shop, Standing, VERSION, VERSION_WITH_DATES, VERSION_WITH_TREES};
use crate::ciphers::{Secret, Wiped};
use crate::protocol::jose::json::{self, Object, SecretJson};
use crate::protocol::jose::jwk::{JwkRef, KeyTexts};
use crate::protocol::model::{Dates, Kid, Name, Role, Step};
use crate::protocol::store::trees::{HeldTree, Trees};

/// Serializes a set.
pub(super) fn set(keys: &dyn AnyKeys, member: Option<Value>) -> Secret {
    let member = text_of_member(member);
    let mut out = Wiped::with_capacity(text_len(keys, &member));
    out.append(BEFORE_KEYS);
    let mut texts = KeyTexts::default();
    for (index, key) in keys.views().enumerate() {
        out.append(if index == 0 { b"\n" } else { b",\n" });
        texts.write(key, &mut out);
    }
    out.append(AFTER_KEYS);
    out.append(&member);
    out.append(b"}\n");
    out.into()
}

/// Serializes a lone key with a member `orderseal`.
pub(super) fn lone(key: JwkRef<'_>, member: Option<&Value>) -> Secret {
    let mut out = Wiped::with_capacity(key.text_len() + MOST_RECORDED as usize);
    key.write(member, &mut out);
    out.append(b"\n");
    out.into()
}

/// Length in bytes of a set with a member `orderseal`.
pub(super) fn len(keys: &dyn AnyKeys, member: Option<Value>) -> u64 {
    text_len(keys, &text_of_member(member)) as u64
}

/// Length in characters of the file, if no text of a key needs an escape.
fn text_len(keys: &dyn AnyKeys, member: &[u8]) -> usize {
    let mut texts = KeyTexts::default();
    let keys: usize = keys.views().map(|key| texts.len(key) + ",\n".len()).sum();
    // The first key has no comma before it.
    let keys = keys.saturating_sub(1);
    BEFORE_KEYS.len() + keys + AFTER_KEYS.len() + member.len() + "}\n".len()
}

/// Serializes the part of a set besides the keys, with the member's name. It may have the nodes of
/// trees.
fn text_of_member(member: Option<Value>) -> Wiped {
    let mut text = Wiped::default();
    if let Some(member) = member.map(SecretJson::new) {
        text.append(b",\n\"orderseal\":");
        json::append(&mut text, &*member);
    }
    text
}

/// Upper bound in bytes for the record of one key: its id among those issued or spent, or its name
/// and a count, and the name of the member.
pub(super) const MOST_RECORDED: u64 = 256;

const BEFORE_KEYS: &[u8] = b"{\"keys\":[";
const AFTER_KEYS: &[u8] = b"\n]";

/// What is before and after the keys in a file with a member `orderseal`.
pub const AROUND_KEYS: (&[u8], &[u8]) = (BEFORE_KEYS, b"\n],\n\"orderseal\":");

/// The texts of the keys in a file as it is written here, and all that follows them; `None` if the file
/// is another.
pub(super) fn parts(file: &[u8]) -> Option<(Lines<'_>, &[u8])> {
    let keys = file.strip_prefix(BEFORE_KEYS)?;
    let end = memchr::memmem::find(keys, AFTER_KEYS)?;
    let (keys, rest) = keys.split_at(end);
    let text = match keys {
        [] => None,
        [b'\n', keys @ ..] => Some(keys),
        _ => return None,
    };
    let count = memchr::memchr_iter(b'\n', keys).count();
    // Room is made for as many keys as there are lines.
    if keys.len() < count * LEAST_KEY {
        return None;
    }
    Some((Lines { text, count }, &rest[AFTER_KEYS.len()..]))
}

/// No key has a shorter text.
const LEAST_KEY: usize = r#"{"k":"AA","kty":"oct"}"#.len();

/// A file with the same members and no keys, which has `rest` after them.
pub(super) fn without_keys(rest: &[u8]) -> Wiped {
    Wiped::from([BEFORE_KEYS, AFTER_KEYS, rest].concat())
}

/// Texts of keys, each on a line of its own.
pub(super) struct Lines<'f> {
    /// The lines that are left, if any.
    text: Option<&'f [u8]>,
    count: usize,
}

impl<'f> Iterator for Lines<'f> {
    type Item = &'f [u8];

    fn next(&mut self) -> Option<&'f [u8]> {
        let text = self.text?;
        self.count -= 1;
        let Some(end) = memchr::memchr(b'\n', text) else {
            self.text = None;
            return Some(text);
        };
        self.text = Some(&text[end + 1..]);
        // A line without a comma at its end is no key, and neither is the rest of one with two.
        Some(text[..end].strip_suffix(b",").unwrap_or_default())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

/// Members that older programs must not overlook.
pub(super) const DATED: [&str; 4] = ["not_before", "expires", "retired", "program_erased"];

/// The member `orderseal`.
pub(super) fn member(role: Role, shops: Object) -> Value {
    let has = |member: &str| shops.values().any(|shop| shop.get(member).is_some());
    let version = if DATED.into_iter().any(has) {
        VERSION_WITH_DATES
    } else if has("trees") {
        VERSION_WITH_TREES
    } else {
        VERSION
    };
    let mut value = json!({"version": version, "role": role.name()});
    value["shops"] = Value::Object(shops);
    value
}

/// A program with these steps.
pub(super) fn program(steps: Vec<Step>) -> Value {
    json!({ "steps": steps.into_iter().map(Step::name).collect::<Vec<_>>() })
}

/// The record of a shop that files of all roles have.
pub(super) fn of_shop(shop: &Shop) -> Value {
    let scheme = json!({
        "content": shop.scheme.content.name(),
        "scope": shop.scheme.scope.name(),
        "kind": shop.scheme.kind.name(),
    });
    let mut value = json!({
        "scheme": scheme,
        "alg": shop.suite.alg().name(),
        "enc": shop.suite.enc().name(),
    });
    if let Some(sbox) = shop.suite.enc().own_sbox() {
        value["toy_sbox"] = json!(sbox.to_string());
    }
    if let Some(service) = &shop.service {
        value["service"] = json!(service.as_str());
    }
    add_names(&mut value, "users", shop.users_with(Standing::Admitted));
    // For programs that know only `erased`, it has the ids of revoked users as well.
    let revoked = || shop.users_with(Standing::Revoked);
    add_names(&mut value, "erased", shop.erased.iter().chain(revoked()));
    add_names(&mut value, "revoked", revoked());
    if shop.erased_shop_key {
        value["erased_shop_key"] = json!(true);
    }
    add_dates(&mut value, shop.dates);
    if shop.retired {
        value["retired"] = json!(true);
    }
    value
}

/// Adds when keys were made and when they seal, as far as that is said.
pub(super) fn add_dates(value: &mut Value, dates: Dates) {
    let Dates { made, not_before, expires } = dates;
    for (member, time) in [("made", made), ("not_before", not_before), ("expires", expires)] {
        if let Some(time) = time {
            value[member] = json!(time.to_string());
        }
    }
}

/// Adds a list of names, unless it is empty.
pub(super) fn add_names<'n>(
    value: &mut Value,
    member: &str,
    names: impl IntoIterator<Item = &'n Name>,
) {
    let mut names = names.into_iter().map(Name::as_str).peekable();
    if names.peek().is_some() {
        value[member] = names.collect();
    }
}

/// Adds the trees of a shop, unless there are none.
pub(super) fn add_trees<T: HeldTree>(value: &mut Value, trees: &Trees<T>) {
    if !trees.is_empty() {
        let trees = trees.iter().map(|(id, tree)| (id.to_string(), tree.to_json()));
        value["trees"] = trees.collect();
    }
}

/// Adds numbers by key, unless there are none.
pub(super) fn add_counts(value: &mut Value, member: &str, counts: &BTreeMap<Kid, u64>) {
    if !counts.is_empty() {
        value[member] = counts.iter().map(|(kid, count)| (kid.to_string(), json!(count))).collect();
    }
}
