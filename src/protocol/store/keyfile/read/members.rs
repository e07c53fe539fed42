//! Members of key files, of whatever kind: names, counts, gaps, numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::protocol::jose::json::{Object, optional_text, text};
use crate::protocol::jose::jwk::Refusal;
use crate::protocol::model::{
    KeyError, KeyFileFault, Kid, Malformed, Member, Name, ShopName, Unimplemented,
};
use crate::protocol::store::FileNumber;
use crate::protocol::store::keyfile::IV_BUDGET;

pub(super) type Checked<T> = Result<T, Malformed>;

pub(super) fn object<'a>(members: &'a Object, name: &str) -> Checked<&'a Object> {
    members.get(name).and_then(Value::as_object).ok_or_else(|| Malformed::member(name, "an object"))
}

pub(super) fn choice<T>(
    members: &Object,
    name: &'static str,
    named: impl Fn(&str) -> Option<T>,
) -> Checked<T> {
    let found = text(members, name)?;
    named(found).ok_or_else(|| KeyFileFault::Unknown { name, found: found.to_owned() }.into())
}

/// Reads an algorithm, which may be one that is not implemented.
pub(super) fn algorithm<T>(
    members: &Object,
    member: Member,
    named: impl Fn(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let found = text(members, &member.to_string())?;
    named(found).ok_or_else(|| KeyError::from(Unimplemented::new(member, found)).into())
}

pub(super) fn names(members: &Object, member: &'static str) -> Checked<BTreeSet<Name>> {
    let Some(value) = members.get(member) else { return Ok(BTreeSet::new()) };
    let names = value.as_array().ok_or_else(|| Malformed::member(member, "an array"))?;
    names
        .iter()
        .map(|name| name.as_str().and_then(Name::new))
        .collect::<Option<_>>()
        .ok_or_else(|| KeyFileFault::NotIds(member).into())
}

pub(super) fn counts(
    members: &Object,
    member: &'static str,
    shop: &ShopName,
) -> Checked<BTreeMap<Kid, u64>> {
    let Some(value) = members.get(member) else { return Ok(BTreeMap::new()) };
    let counts = value.as_object().ok_or_else(|| Malformed::member(member, "an object"))?;
    counts
        .iter()
        .map(|(kid, count)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop().as_ref() == Some(shop))?;
            let count = count.as_u64().filter(|&count| count <= IV_BUDGET)?;
            Some((kid, count))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| KeyFileFault::NotCounts(member).into())
}

pub(super) fn gaps(members: &Object, shop: &ShopName) -> Checked<BTreeMap<Kid, Vec<(u64, u64)>>> {
    let Some(value) = members.get("gaps") else { return Ok(BTreeMap::new()) };
    let gaps = value.as_object().ok_or_else(|| Malformed::member("gaps", "an object"))?;
    gaps.iter()
        .map(|(kid, gaps)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop().as_ref() == Some(shop));
            Ok((kid.ok_or(KeyFileFault::ForeignGaps)?, pieces(gaps)?))
        })
        .collect()
}

/// Reads pieces of a pad, each from its first byte to the one after its last.
pub(super) fn pieces(value: &Value) -> Checked<Vec<(u64, u64)>> {
    let piece = |value: &Value| match &value.as_array()?[..] {
        [from, to] => Some((from.as_u64()?, to.as_u64()?)),
        _ => None,
    };
    let pieces = value.as_array().and_then(|pieces| pieces.iter().map(piece).collect());
    pieces.ok_or_else(|| KeyFileFault::NotGaps.into())
}

pub(super) fn count(members: &Object, name: &str) -> Checked<u64> {
    match members.get(name) {
        None => Ok(0),
        Some(value) => value.as_u64().ok_or_else(|| Malformed::member(name, "a whole number")),
    }
}

/// The number of a file that belongs to the bundle, if there is one.
pub(super) fn number(ours: &Object, member: &'static str) -> Checked<Option<FileNumber>> {
    let number = |text: &str| FileNumber::parse(text).ok_or(Malformed::Base64(member));
    optional_text(ours, member)?.map(number).transpose()
}
