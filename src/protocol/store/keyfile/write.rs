//! Writes the member `orderseal` of key files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Shop, Standing, VERSION, VERSION_WITH_DATES, VERSION_WITH_TREES};
use crate::protocol::jose::json::Object;
use crate::protocol::model::{Dates, Kid, Name, Role, Step};
use crate::protocol::store::trees::{HeldTree, Trees};

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
