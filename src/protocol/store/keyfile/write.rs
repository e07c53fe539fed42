//! Writes key files, one key per line, so that people and diffs can follow them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::{Value, json};

use super::{
    Account, AnyKeys, ClientBundle, KeyHolder, Keyring, LoneKey, MAX_KEY_FILE, Sent, Shop,
    ShopBundle, VERSION,
};
use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::json::{Object, SecretJson};
use crate::protocol::model::{Error, Kid, Name, Place, Result, Role, Step};

/// Serializes a set, as [`KeyHolder::to_bytes`], which must not become longer than `most`.
pub(super) fn set<F: KeyHolder + ?Sized>(file: &F, most: u64, place: &Place) -> Result<Secret> {
    let (keys, member) = (file.all_keys(), text_of_member(file.member()));
    let mut out = Wiped::with_capacity(text_len(keys, &member));
    write_set(keys, &member, &mut out).expect("writing to memory does not fail");
    let len = out.len() as u64;
    let room = keys.count() as u64 * MOST_RECORDED;
    if len + room <= most || file.full_len() <= most {
        return Ok(out.into());
    }
    Err(Error::KeyFileFull { place: place.clone(), len: file.full_len(), most: MAX_KEY_FILE })
}

/// Serializes a lone key, as [`KeyHolder::to_bytes`].
pub(super) fn lone(file: &LoneKey, place: &Place) -> Result<Secret> {
    let mut out = Wiped::with_capacity(text_len(&file.key, b"") + MOST_RECORDED as usize);
    let json = lone_key(file, true);
    let written = serde_json::to_writer(&mut out, &*json).map_err(std::io::Error::from);
    written.and_then(|()| out.write_all(b"\n")).expect("writing to memory does not fail");
    match out.len() as u64 {
        len if len + MOST_RECORDED <= MAX_KEY_FILE => Ok(out.into()),
        len => Err(Error::KeyFileFull { place: place.clone(), len, most: MAX_KEY_FILE }),
    }
}

/// Length in bytes of a set with a member `orderseal`.
pub(super) fn len(keys: &dyn AnyKeys, member: Option<Value>) -> u64 {
    text_len(keys, &text_of_member(member)) as u64
}

fn write_set(keys: &dyn AnyKeys, member: &[u8], out: &mut Wiped) -> std::io::Result<()> {
    out.write_all(BEFORE_KEYS)?;
    for (index, key) in keys.views().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &*key.to_json(None))?;
    }
    out.write_all(AFTER_KEYS)?;
    out.write_all(member)?;
    out.write_all(b"}\n")
}

/// Length in characters of the file, if no text of a key needs an escape.
fn text_len(keys: &dyn AnyKeys, member: &[u8]) -> usize {
    let keys: usize = keys.views().map(|key| key.text_len() + ",\n".len()).sum();
    // The first key has no comma before it.
    let keys = keys.saturating_sub(1);
    BEFORE_KEYS.len() + keys + AFTER_KEYS.len() + member.len() + "}\n".len()
}

/// Serializes the part of a set besides the keys, with the member's name.
fn text_of_member(member: Option<Value>) -> Vec<u8> {
    member.map_or(Vec::new(), |member| format!(",\n\"orderseal\":{member}").into_bytes())
}

impl LoneKey {
    /// The key as it is wrapped and sent, without the record of its use so far.
    pub fn to_be_wrapped(&self) -> Secret {
        lone_key(self, false).to_bytes()
    }
}

/// Serializes a lone key, with the record of its use so far if `used`.
fn lone_key(file: &LoneKey, used: bool) -> SecretJson {
    let mut ours = json!({});
    if used && file.sealed > 0 {
        ours["sealed"] = json!(file.sealed);
    }
    if used && !file.gaps.is_empty() {
        ours["gaps"] = json!(file.gaps);
    }
    if let Some(sbox) = file.sbox {
        ours["toy_sbox"] = json!(sbox.to_string());
    }
    let says_something = ours != json!({});
    ours["version"] = json!(VERSION);
    file.key.view().to_json(says_something.then_some(ours))
}

/// Upper bound in bytes for the record of one key: its id among those issued or spent, or its name
/// and a count, and the name of the member.
const MOST_RECORDED: u64 = 256;

const BEFORE_KEYS: &[u8] = b"{\"keys\":[";
const AFTER_KEYS: &[u8] = b"\n]";

/// The member `orderseal` of a keyring.
pub(super) fn keyring(file: &Keyring) -> Value {
    let shops = file.shops.iter().map(|(name, account)| (name.to_string(), of_account(account)));
    member(Role::Service, shops.collect())
}

/// The member `orderseal` of a shop's bundle.
pub(super) fn shop_bundle(file: &ShopBundle) -> Value {
    let shops = [(file.name.to_string(), of_shop(&file.shop))];
    let mut value = member(Role::Shop, Object::from_iter(shops));
    if let Some(own) = &file.program {
        let mut program = program(own.steps());
        if let Some(kids) = &own.built_in {
            program["built_in"] = kids.iter().map(Kid::as_str).collect();
        }
        value["program"] = program;
    }
    value
}

/// The member `orderseal` of a client's bundle.
pub(super) fn client_bundle(file: &ClientBundle) -> Value {
    let shops = [(file.name.to_string(), of_shop_at_client(file))];
    let mut value = member(Role::Client, Object::from_iter(shops));
    if let Some(own) = file.program {
        let mut program = program(own.steps());
        program["run"] = json!(own.run.name());
        if own.layers > 1 {
            program["layers"] = json!(own.layers);
        }
        if let Some(erase) = own.erase {
            program["erase"] = json!(erase.name());
        }
        value["program"] = program;
    }
    if !file.sent.is_empty() {
        value["sent"] = file.sent.iter().map(of_sent).collect();
    }
    if file.erase_due {
        value["erase_due"] = json!(true);
    }
    value
}

fn member(role: Role, shops: Object) -> Value {
    json!({"version": VERSION, "role": role.name(), "shops": shops})
}

fn program(steps: Vec<Step>) -> Value {
    json!({ "steps": steps.into_iter().map(Step::name).collect::<Vec<_>>() })
}

fn of_account(account: &Account) -> Value {
    let mut value = of_shop(&account.shop);
    add_names(&mut value, "issued", &account.issued);
    add_counts(&mut value, "allotted", &account.allotted);
    value
}

fn of_shop_at_client(file: &ClientBundle) -> Value {
    let mut value = of_shop(&file.shop);
    add_names(&mut value, "spent", &file.spent);
    add_counts(&mut value, "budget", &file.budget);
    if !file.gaps.is_empty() {
        let gaps = file.gaps.iter().map(|(kid, gaps)| (kid.to_string(), json!(gaps)));
        value["gaps"] = gaps.collect();
    }
    value
}

fn of_shop(shop: &Shop) -> Value {
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
    add_names(&mut value, "users", &shop.users);
    add_names(&mut value, "erased", &shop.erased);
    if shop.erased_shop_key {
        value["erased_shop_key"] = json!(true);
    }
    value
}

fn of_sent(sent: &Sent) -> Value {
    json!({
        "output": base64url::encode_to_string(&sent.output),
        "token": sent.token,
        "replace": sent.replace,
    })
}

fn add_names(value: &mut Value, member: &str, names: &BTreeSet<Name>) {
    if !names.is_empty() {
        value[member] = names.iter().map(Name::as_str).collect();
    }
}

fn add_counts(value: &mut Value, member: &str, counts: &BTreeMap<Kid, u64>) {
    if !counts.is_empty() {
        value[member] = counts.iter().map(|(kid, count)| (kid.to_string(), json!(count))).collect();
    }
}
