//! `inspect` for a key file: roles, shops, schemes and counts.

use std::collections::BTreeSet;

use orderseal::ciphers::random::Origin;
use orderseal::protocol::jose::jwk::{AsKey, Jwk, JwkRef};
use orderseal::protocol::jose::tree::TreeId;
use orderseal::protocol::model::Dates;
use orderseal::protocol::roles::pad_use::PadUse;
use orderseal::protocol::roles::service;
use orderseal::protocol::store::files::ProtectedBy;
use orderseal::protocol::store::keyfile::{
    Account, ClientBundle, KeyFile, KeyHolder, Keyring, PlainFile, Shop, ShopBundle, Stage,
    Standing,
};
use orderseal::protocol::store::trees::{ClientTree, HeldTree, Trees};
use orderseal::protocol::{Name, Scope, ShopName, Step};
use serde_json::{Value, json};

use super::pads;
use crate::cmd::dates::now;

/// Most keys in a file whose thumbprints and check values are shown.
const MOST_SHOWN: usize = 16;

/// Returns a report on a key file, without any of its keys.
pub fn to_json(file: &KeyFile, sealed: Option<&PadUse>) -> Value {
    let mut value = match file {
        KeyFile::Plain(file) => plain_to_json(file, sealed),
        KeyFile::Keyring(file) => {
            let shops = file
                .shops
                .iter()
                .map(|(name, account)| (name.to_string(), account_to_json(file, name, account)));
            json!({ "shops": shops.collect::<Value>() })
        }
        KeyFile::Shop(file) => shop_bundle_to_json(file, sealed),
        KeyFile::Client(file) => client_bundle_to_json(file),
    };
    value["kind"] = json!("key file");
    value["role"] = json!(file.holder().role().name());
    value["keys"] = json!(file.holder().all_keys().count());
    value
}

/// Returns how a key file is protected.
pub fn protection_to_json(by: &ProtectedBy) -> Value {
    let mut value = json!({"alg": by.suite.alg().name(), "enc": by.suite.enc().name()});
    if let Some(rounds) = by.rounds() {
        value["rounds"] = json!(rounds.get());
    }
    if let Some(kid) = &by.kid {
        value["recipient"] = json!(kid);
    }
    value
}

fn plain_to_json(file: &PlainFile, sealed: Option<&PadUse>) -> Value {
    let keys = file.holder().all_keys();
    let algs: BTreeSet<&str> = keys.views().map(|key| key.alg.unwrap_or("unknown")).collect();
    let mut value = json!({ "algorithms": algs });
    let used = match file {
        PlainFile::Lone(file) => {
            add_dates(&mut value, file.dates);
            file.sealed
        }
        PlainFile::Set(_) => 0,
    };
    match file.keys() {
        [key] if let Some(pad) = key.material.as_key().pad() => {
            pads::of_lone(pad, used, sealed, &mut value);
        }
        _ if used > 0 => value["sealed_directly"] = json!(used),
        _ => {}
    }
    match file.keys() {
        keys if keys.len() > MOST_SHOWN => {}
        keys => {
            let views = || keys.iter().map(Jwk::view);
            add_texts(&mut value, "thumbprint", views().filter_map(|key| key.thumbprint()));
            add_texts(&mut value, "key_check_value", views().filter_map(|key| key.check_value()));
        }
    }
    not_random(keys.views(), &mut value);
    value
}

/// Reports texts, if there are any; one alone not as a list.
fn add_texts(value: &mut Value, what: &str, texts: impl Iterator<Item = String>) {
    let texts: Vec<String> = texts.collect();
    match texts.as_slice() {
        [] => {}
        [text] => value[what] = json!(text),
        texts => value[what] = json!(texts),
    }
}

/// Reports how many keys are marked as not random, if any.
fn not_random<'k>(keys: impl Iterator<Item = JwkRef<'k>>, value: &mut Value) {
    add_count(value, "keys_not_random", keys.filter(|key| key.origin != Origin::System).count());
}

/// Reports a number, unless it is zero.
fn add_count(value: &mut Value, what: &str, count: usize) {
    if count > 0 {
        value[what] = json!(count);
    }
}

fn account_to_json(file: &Keyring, name: &ShopName, account: &Account) -> Value {
    let mut value = shop_to_json(file, name, &account.shop);
    match account.shop.scheme.scope {
        Scope::Transaction => {
            value["issued"] = json!(account.issued.len());
            value["unused"] = json!(service::count_unused(file, name));
            add_trees(
                &mut value,
                &account.trees,
                |tree| json!({"next": tree.mark(), "unused": tree.unused().count()}),
            );
        }
        Scope::Shop => {}
    }
    if account.shop.suite.enc().takes_pad() {
        pads::of_account(&file.keys, name, account, &mut value);
    }
    value
}

fn shop_bundle_to_json(file: &ShopBundle, sealed: Option<&PadUse>) -> Value {
    let shops = file.generations.iter().map(|(name, own)| {
        let mut shop = shop_to_json(file, name, &own.shop);
        add_trees(&mut shop, &own.trees, |_| json!({}));
        if own.shop.suite.enc().takes_pad() {
            pads::of_shop(file, name, sealed, &mut shop);
        }
        (name.to_string(), shop)
    });
    let mut value = json!({"shops": shops.collect::<Value>()});
    if let Some(number) = file.ledger {
        value["ledger"] = json!(number.to_string());
    }
    if let Some(own) = &file.program {
        value["program"] = program_to_json(own.steps());
        if let Some(kids) = &own.built_in {
            value["program"]["built_in_keys"] = json!(kids.len());
        }
    }
    value
}

fn client_bundle_to_json(file: &ClientBundle) -> Value {
    let mut shop = shop_to_json(file, &file.name, &file.shop);
    match file.shop.scheme.scope {
        Scope::Transaction if file.shop.users.is_empty() => {
            let reserved: u64 = file.trees.values().map(ClientTree::count_reserved).sum();
            shop["spent"] = json!(file.spent.len() as u64 + reserved);
            let held = file.keys.names().filter_map(|kid| kid.id());
            let listed = held.filter(|id| !file.spent.contains(id)).count() as u64;
            shop["unused"] = json!(listed + file.count_derived());
        }
        Scope::Transaction | Scope::Shop => {}
    }
    add_trees(
        &mut shop,
        &file.trees,
        |tree| json!({"spent": tree.count_reserved(), "unused": tree.part().count()}),
    );
    if file.shop.suite.enc().takes_pad() {
        pads::of_client(file, &mut shop);
    } else if let Some(left) = file.budget.values().next() {
        shop["orders_left"] = json!(left);
    }
    let mut value = json!({"shops": {file.name.as_str(): shop}});
    if let Some(own) = &file.program {
        let mut program = program_to_json(own.steps());
        program["run"] = json!(own.run.name());
        program["layers"] = json!(own.layers);
        if let Some(erase) = own.erase {
            program["erases"] = json!(erase.name());
        }
        value["program"] = program;
    }
    if let Some(signer) = &file.signer {
        let sender = signer.key.verifying().thumbprint().to_string();
        let public = signer.key.verifying().to_jwk();
        value["signer"] = json!({"sender": sender, "batches": signer.signed, "public": public});
    }
    value
}

/// Reports the trees of a shop, each with the members that depend on the role.
fn add_trees<T: HeldTree>(value: &mut Value, trees: &Trees<T>, own: impl Fn(&T) -> Value) {
    let of_tree = |(id, tree): (&TreeId, &T)| {
        let part = tree.part();
        let mut value = own(tree);
        value["ids"] = json!(part.given().count());
        value["keys"] = json!(part.count());
        value["nodes"] = json!(part.nodes().len());
        if let Some(curve) = part.tree().curve() {
            value["curve"] = json!(curve.name());
        }
        (id.to_string(), value)
    };
    if !trees.is_empty() {
        value["trees"] = trees.iter().map(of_tree).collect();
    }
}

/// Reports what files of all roles record of a shop.
fn shop_to_json(file: &dyn KeyHolder, name: &ShopName, shop: &Shop) -> Value {
    let keys = file.all_keys();
    let of_shop = |key: &JwkRef<'_>| key.kid.is_some_and(|kid| kid.shop().as_ref() == Some(name));
    let mut value = json!({
        "scheme": shop.scheme.to_string(),
        "alg": shop.suite.alg().name(),
        "enc": shop.suite.enc().name(),
        "keys": keys.views().filter(of_shop).count(),
    });
    if shop.scheme.scope == Scope::Shop {
        let own = || keys.views().filter(of_shop);
        add_texts(&mut value, "thumbprint", own().filter_map(|key| key.thumbprint()));
        add_texts(&mut value, "key_check_value", own().filter_map(|key| key.check_value()));
    }
    not_random(keys.views().filter(of_shop), &mut value);
    value["generation"] = json!(name.generation());
    value["stage"] = json!(file.stage(name, now()).map(Stage::name));
    add_dates(&mut value, shop.dates);
    if let Some(number) = shop.scheme.number() {
        value["embodiment"] = json!(number);
    }
    if let Some(service) = &shop.service {
        value["service"] = json!(service.as_str());
    }
    if shop.suite.weak().is_some() {
        value["weak"] = json!(true);
    }
    add_users(&mut value, "users", shop, Standing::Admitted);
    add_users(&mut value, "revoked", shop, Standing::Revoked);
    add_count(&mut value, "erased", shop.erased.len() + usize::from(shop.erased_shop_key));
    value
}

/// Reports when keys were made and when they seal.
fn add_dates(value: &mut Value, dates: Dates) {
    let Dates { made, not_before, expires } = dates;
    for (what, time) in [("made", made), ("not_before", not_before), ("expires", expires)] {
        if let Some(time) = time {
            value[what] = json!(time.to_string());
        }
    }
}

/// Reports the names of the users with this standing, if any.
fn add_users(value: &mut Value, what: &str, shop: &Shop, standing: Standing) {
    let users: Vec<&str> = shop.users_with(standing).map(Name::as_str).collect();
    if !users.is_empty() {
        value[what] = json!(users);
    }
}

fn program_to_json(steps: Vec<Step>) -> Value {
    json!({ "steps": steps.into_iter().map(Step::name).collect::<Vec<_>>() })
}
