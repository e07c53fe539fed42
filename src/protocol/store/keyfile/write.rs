//! Writes key files, one key per line, so that people and diffs can follow them.

use std::collections::{BTreeMap, BTreeSet};

use std::io::Write;

use serde_json::{Value, json};

use super::{IV_BUDGET, KeyFile, MAX_KEY_FILE, Sent, Shop, VERSION};
use crate::ciphers::{Secret, Wiped, base64url};
use crate::protocol::jose::json::{Object, SecretJson};
use crate::protocol::jose::jwk::{EncryptingKey, Jwk};
use crate::protocol::model::{Error, Kid, Name, Place, Program, Result, Role, Step};

impl KeyFile {
    /// Serializes the file.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] if the file is too long to be read again, or would become so by the
    /// time all of its keys are used.
    pub fn to_bytes(&self, place: &Place) -> Result<Secret> {
        self.to_bytes_within(MAX_KEY_FILE, place)
    }

    pub(super) fn to_bytes_within(&self, most: u64, place: &Place) -> Result<Secret> {
        let ours = self.ours_to_bytes();
        let mut out = Wiped::with_capacity(self.text_len(&ours));
        self.write(&ours, &mut out).expect("writing to memory does not fail");
        let len = out.len() as u64;
        let room = self.keys.len() as u64 * MOST_RECORDED;
        if len + room <= most || self.full_len() <= most {
            return Ok(out.into());
        }
        Err(Error::KeyFileFull { place: place.clone(), len: self.full_len(), most: MAX_KEY_FILE })
    }

    /// Length in bytes of the file when all of its keys are used and recorded as such. Erasing
    /// makes it shorter.
    pub fn full_len(&self) -> u64 {
        self.text_len(&self.when_used().ours_to_bytes()) as u64
    }

    fn when_used(&self) -> Self {
        let mut used = self.clone();
        for kid in self.keys.iter().filter_map(|key| key.kid.as_ref()) {
            let Some(shop) = used.shops.get_mut(kid.parts().0) else { continue };
            let single = kid.id().filter(|id| !shop.users.contains(id));
            let counted = shop.suite.has_budget() || shop.suite.enc().takes_pad();
            match (self.role, single) {
                (Role::Service, Some(id)) => drop(shop.issued.insert(id)),
                (Role::Service, None) if counted => {
                    shop.allotted.insert(kid.clone(), IV_BUDGET);
                }
                (Role::Client, Some(id)) => drop(shop.spent.insert(id)),
                (Role::Service | Role::Client, None) | (Role::Shop | Role::Plain, _) => {}
            }
        }
        used
    }

    fn write(&self, ours: &[u8], out: &mut Wiped) -> std::io::Result<()> {
        if self.lone {
            serde_json::to_writer(&mut *out, &*self.lone_key(true))?;
        } else {
            out.write_all(BEFORE_KEYS)?;
            for (index, key) in self.keys.iter().enumerate() {
                out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *out, &*key.to_json())?;
            }
            out.write_all(AFTER_KEYS)?;
            out.write_all(ours)?;
            out.write_all(b"}")?;
        }
        out.write_all(b"\n")
    }

    /// Length in characters of the file, if no text of a key needs an escape.
    fn text_len(&self, ours: &[u8]) -> usize {
        let keys: usize = self.keys.iter().map(|key| key.text_len() + ",\n".len()).sum();
        // The first key has no comma before it.
        let keys = keys.saturating_sub(1);
        BEFORE_KEYS.len() + keys + AFTER_KEYS.len() + ours.len() + "}\n".len()
    }

    /// The key as it is wrapped and sent, without the record of its use so far.
    pub fn to_be_wrapped(&self) -> Secret {
        self.lone_key(false).to_bytes()
    }

    /// Serializes the lone key, with the record of its use so far if `used`.
    fn lone_key(&self, used: bool) -> SecretJson {
        let mut ours = json!({});
        if used && self.sealed > 0 {
            ours["sealed"] = json!(self.sealed);
        }
        if used && !self.gaps.is_empty() {
            ours["gaps"] = json!(self.gaps);
        }
        if let Some(sbox) = self.sbox {
            ours["toy_sbox"] = json!(sbox.to_string());
        }
        let says_something = ours != json!({});
        ours["version"] = json!(VERSION);
        self.keys[0].to_json_with(says_something.then_some(ours))
    }

    /// Serializes the part of the file besides the keys, with the member's name.
    fn ours_to_bytes(&self) -> Vec<u8> {
        match self.role {
            Role::Plain => Vec::new(),
            Role::Service | Role::Shop | Role::Client => {
                format!(",\n\"orderseal\":{}", self.ours()).into_bytes()
            }
        }
    }

    fn ours(&self) -> Value {
        let shops: Object =
            self.shops.iter().map(|(name, shop)| (name.to_string(), shop_to_json(shop))).collect();
        let mut ours = json!({"version": VERSION, "role": self.role.name(), "shops": shops});
        if let Some(program) = &self.program {
            ours["program"] = program_to_json(program);
        }
        if !self.sent.is_empty() {
            ours["sent"] = self.sent.iter().map(sent_to_json).collect();
        }
        if self.erase_due {
            ours["erase_due"] = json!(true);
        }
        ours
    }

    /// The public keys of the file as a plain JWK Set, without private halves.
    pub fn public_keys(&self) -> KeyFile {
        let mut set = KeyFile::new(Role::Plain);
        for key in self.keys.iter().map(Jwk::encrypting_half) {
            match key.material {
                EncryptingKey::Public(_) => set.push(key),
                EncryptingKey::Secret(_) | EncryptingKey::Pad(_) => {}
            }
        }
        set
    }
}

/// Upper bound in bytes for the record of one key: its id among those issued or spent, or its name
/// and a count, and the name of the member.
const MOST_RECORDED: u64 = 256;

const BEFORE_KEYS: &[u8] = b"{\"keys\":[";
const AFTER_KEYS: &[u8] = b"\n]";

fn shop_to_json(shop: &Shop) -> Value {
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
    for (member, names) in [
        ("issued", &shop.issued),
        ("users", &shop.users),
        ("spent", &shop.spent),
        ("erased", &shop.erased),
    ] {
        if !names.is_empty() {
            value[member] = names_to_json(names);
        }
    }
    if shop.erased_shop_key {
        value["erased_shop_key"] = json!(true);
    }
    for (member, counts) in [("allotted", &shop.allotted), ("budget", &shop.budget)] {
        if !counts.is_empty() {
            value[member] = counts_to_json(counts);
        }
    }
    if !shop.gaps.is_empty() {
        let gaps = shop.gaps.iter().map(|(kid, gaps)| (kid.to_string(), json!(gaps)));
        value["gaps"] = gaps.collect();
    }
    value
}

fn sent_to_json(sent: &Sent) -> Value {
    json!({
        "output": base64url::encode_to_string(&sent.output),
        "token": sent.token,
        "replace": sent.replace,
    })
}

fn names_to_json(names: &BTreeSet<Name>) -> Value {
    names.iter().map(Name::as_str).collect()
}

fn counts_to_json(counts: &BTreeMap<Kid, u64>) -> Value {
    counts.iter().map(|(kid, count)| (kid.to_string(), json!(count))).collect()
}

fn program_to_json(program: &Program) -> Value {
    let steps: Vec<&str> = program.steps().into_iter().map(Step::name).collect();
    let mut value = json!({ "steps": steps });
    match program {
        Program::Client { run, erase, layers, .. } => {
            value["run"] = json!(run.name());
            if *layers > 1 {
                value["layers"] = json!(layers);
            }
            if let Some(erase) = erase {
                value["erase"] = json!(erase.name());
            }
        }
        Program::Shop { built_in, .. } => {
            if let Some(kids) = built_in {
                value["built_in"] = kids.iter().map(Kid::as_str).collect();
            }
        }
    }
    value
}
