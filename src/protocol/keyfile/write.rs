//! Writing a key file: a key a line, so that people and diffs can follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{KeyFile, Role, Sent, Shop, VERSION};
use crate::ciphers::base64url;
use crate::protocol::json::{Object, SecretJson};
use crate::protocol::jwk::Jwk;
use crate::protocol::{Kid, Name, Program, Step};

impl KeyFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256 + self.keys.len() * 192));
        if self.lone {
            write(&mut out, &SecretJson::new(self.lone_key()));
        } else {
            out.extend_from_slice(b"{\"keys\":[");
            for (index, key) in self.keys.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
                write(&mut out, &SecretJson::new(key.to_json()));
            }
            out.extend_from_slice(b"\n]");
            if self.role != Role::Plain {
                out.extend_from_slice(b",\n\"orderseal\":");
                write(&mut out, &SecretJson::new(self.ours()));
            }
            out.push(b'}');
        }
        out.push(b'\n');
        out
    }

    fn lone_key(&self) -> Value {
        let mut ours = json!({});
        if self.sealed > 0 {
            ours["sealed"] = json!(self.sealed);
        }
        if !self.gaps.is_empty() {
            ours["gaps"] = json!(self.gaps);
        }
        self.with_ours(ours)
    }

    /// The key as it is wrapped and sent: without what this file says of its use so far.
    pub fn to_be_wrapped(&self) -> SecretJson {
        SecretJson::new(self.with_ours(json!({})))
    }

    fn with_ours(&self, mut ours: Value) -> Value {
        let mut value = self.keys[0].to_json();
        if let Some(sbox) = self.sbox {
            ours["toy_sbox"] = json!(sbox.to_string());
        }
        if ours != json!({}) {
            ours["version"] = json!(VERSION);
            value["orderseal"] = ours;
        }
        value
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

    /// The public keys of the file as a plain JWK Set; the private halves stay behind.
    pub fn public_keys(&self) -> KeyFile {
        let mut set = KeyFile::new(Role::Plain);
        for key in self.keys.iter().map(Jwk::encrypting_half) {
            if !key.material.is_secret() {
                set.push(key);
            }
        }
        set
    }
}

fn write(out: &mut Vec<u8>, value: &SecretJson) {
    serde_json::to_writer(out, &**value).expect("writing to memory does not fail");
}

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
        "output": base64url::encode_to_string(sent.output.as_os_str().as_bytes()),
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
