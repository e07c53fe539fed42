//! `inspect` for a key file: roles, shops, schemes and counts.

use std::collections::BTreeSet;

use orderseal::ciphers::random::Origin;
use orderseal::protocol::jose::jwk::Jwk;
use orderseal::protocol::model::Role;
use orderseal::protocol::roles::pad_use::PadUse;
use orderseal::protocol::roles::service;
use orderseal::protocol::store::keyfile::{KeyFile, Shop};
use orderseal::protocol::{Name, Program, Scope, Step};
use serde_json::{Value, json};

use super::pads;

/// Returns a report on a key file, without any of its keys.
pub fn to_json(file: &KeyFile, sealed: Option<&PadUse>) -> Value {
    let mut value = json!({ "kind": "key file", "role": file.role.name() });
    value["keys"] = json!(file.keys().len());
    if file.role == Role::Plain {
        let algs = file.keys().iter().map(|key| key.alg.clone().unwrap_or("unknown".to_owned()));
        value["algorithms"] = algs.collect::<BTreeSet<_>>().into_iter().collect();
        match file.keys() {
            [key] if let Some(pad) = key.material.pad() => {
                pads::of_lone(file, pad, sealed, &mut value);
            }
            _ if file.sealed > 0 => value["sealed_directly"] = json!(file.sealed),
            _ => {}
        }
        not_random(file.keys(), &mut value);
        return value;
    }
    let shops: serde_json::Map<String, Value> = file
        .shops
        .iter()
        .map(|(name, shop)| (name.to_string(), shop_to_json(file, name, shop, sealed)))
        .collect();
    value["shops"] = Value::Object(shops);
    if let Some(program) = &file.program {
        value["program"] = program_to_json(program);
    }
    value
}

/// Reports how many keys are marked as not random, if any.
fn not_random<'k>(keys: impl IntoIterator<Item = &'k Jwk>, value: &mut Value) {
    let marked = keys.into_iter().filter(|key| key.origin != Origin::System).count();
    if marked > 0 {
        value["keys_not_random"] = json!(marked);
    }
}

fn shop_to_json(file: &KeyFile, name: &Name, shop: &Shop, sealed: Option<&PadUse>) -> Value {
    let of_shop = |kid: &orderseal::protocol::Kid| kid.shop() == *name;
    let keys = file.keys().iter().filter(|key| key.kid.as_ref().is_some_and(of_shop));
    let mut value = json!({
        "scheme": shop.scheme.to_string(),
        "alg": shop.suite.alg().name(),
        "enc": shop.suite.enc().name(),
        "keys": keys.clone().count(),
    });
    not_random(keys, &mut value);
    if let Some(number) = shop.scheme.number() {
        value["embodiment"] = json!(number);
    }
    if let Some(service) = &shop.service {
        value["service"] = json!(service.as_str());
    }
    if shop.suite.weak().is_some() {
        value["weak"] = json!(true);
    }
    let history = |value: &mut Value, what: &str, count: usize| {
        if count > 0 {
            value[what] = json!(count);
        }
    };
    history(&mut value, "users", shop.users.len());
    history(&mut value, "erased", shop.erased.len() + usize::from(shop.erased_shop_key));
    match (file.role, shop.scheme.scope) {
        (Role::Service, Scope::Transaction) => {
            value["issued"] = json!(shop.issued.len());
            value["unused"] = json!(service::unused_ids(file, name).count());
        }
        (Role::Client, Scope::Transaction) if shop.users.is_empty() => {
            value["spent"] = json!(shop.spent.len());
            let held = file.keys().iter().filter_map(|key| key.kid.as_ref()?.id());
            value["unused"] = json!(held.filter(|id| !shop.spent.contains(id)).count());
        }
        _ => {}
    }
    if shop.suite.enc().takes_pad() {
        pads::of_shop(file, name, shop, sealed, &mut value);
    } else if let Some(left) = shop.budget.values().next() {
        value["orders_left"] = json!(left);
    }
    value
}

fn program_to_json(program: &Program) -> Value {
    let steps: Vec<&str> = program.steps().into_iter().map(Step::name).collect();
    let mut value = json!({ "steps": steps });
    match program {
        Program::Client { run, erase, layers, .. } => {
            value["run"] = json!(run.name());
            value["layers"] = json!(layers);
            if let Some(erase) = erase {
                value["erases"] = json!(erase.name());
            }
        }
        Program::Shop { built_in, .. } => {
            if let Some(kids) = built_in {
                value["built_in_keys"] = json!(kids.len());
            }
        }
    }
    value
}
