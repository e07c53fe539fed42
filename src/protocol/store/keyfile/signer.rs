//! A client's key for signing batches, and how many it has signed.

use serde_json::{Value, json};

use crate::ciphers::base64url;
use crate::protocol::jose::batch::{BatchId, Hash, Manifest, hash_of_line, parse_hash};
use crate::protocol::jose::json::{Object, optional_text};
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::model::{Malformed, Name, Time};

/// A client's key for signing batches, and how many it has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: SigningKey,
    /// Number of batches signed.
    pub signed: u64,
    /// The hash of the last manifest.
    last: Option<Hash>,
}

/// A batch that was sealed and is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'b> {
    /// The shop that it is for.
    pub shop: &'b Name,
    /// Its id.
    pub batch: BatchId,
    /// The time.
    pub time: Time,
    /// Number of its lines.
    pub count: u64,
    /// The hash over all of them.
    pub lines: Hash,
}

impl Signer {
    /// A signer that has signed nothing.
    pub fn new(key: SigningKey) -> Self {
        Self { key, signed: 0, last: None }
    }

    /// Signs a batch; returns its manifest.
    pub fn sign(&mut self, batch: &ToSign<'_>) -> String {
        let ToSign { shop, batch, time, count, lines } = *batch;
        self.signed += 1;
        let (sequence, previous) = (self.signed, self.last);
        let manifest =
            Manifest { shop: shop.clone(), batch, sequence, previous, time, count, lines };
        let manifest = manifest.sign(&self.key);
        self.last = Some(hash_of_line(manifest.as_bytes()));
        manifest
    }

    pub(super) fn to_json(&self) -> Value {
        let mut value = json!({ "key": self.key.to_jwk(), "signed": self.signed });
        if let Some(last) = &self.last {
            value["last"] = json!(base64url::encode_to_string(last));
        }
        value
    }

    pub(super) fn from_json(members: &Object) -> Result<Self, Malformed> {
        let key = members.get("key").and_then(Value::as_object);
        let key = key.ok_or(Malformed::member("key", "an object"))?;
        let signed = members.get("signed").and_then(Value::as_u64).filter(|it| *it < u64::MAX);
        let last = optional_text(members, "last")?.map(|text| parse_hash("last", text));
        Ok(Self {
            key: SigningKey::from_jwk(key).map_err(|fault| fault.within("key"))?,
            signed: signed.ok_or(Malformed::member("signed", "a number"))?,
            last: last.transpose()?,
        })
    }
}
