//! Chained wrapping: each content-encryption key wrapped under the next.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::ciphers::aes::kw;
use crate::ciphers::base64url;
use crate::protocol::jose::json::{Object, ObjectText};
use crate::protocol::model::{LineFault, MAX_LAYERS, Malformed};

/// Length in bytes of every key of a chain except the first, whose length depends on its cipher.
pub(super) const LINK_LEN: usize = 32;

/// Wrapped keys, outermost first: CEKₙ₋₁ under CEKₙ … CEK₁ under CEK₂.
pub(super) type Links = Vec<Vec<u8>>;

/// An order's chain, for sealing.
pub(super) struct Chain {
    keys: Zeroizing<Vec<[u8; LINK_LEN]>>,
    links: Links,
}

impl Chain {
    /// Wraps keys along a chain. `keys` are CEK₂ … CEKₙ.
    pub(super) fn new(cek: &[u8], keys: Zeroizing<Vec<[u8; LINK_LEN]>>) -> Self {
        let wrapped = std::iter::once(cek).chain(keys.iter().map(|key| &key[..]));
        let pairs = keys.iter().zip(wrapped);
        let mut links: Vec<_> = pairs.map(|(kek, key)| kw::wrap_one(kek.into(), key)).collect();
        links.reverse();
        Self { keys, links }
    }

    /// The key CEKₙ.
    pub(super) fn outermost(&self) -> &[u8] {
        &self.keys[self.keys.len() - 1]
    }

    /// Writes the links, as a critical member.
    pub(super) fn write(&self, header: &mut ObjectText) {
        let links = self.links.iter();
        let links = links.map(|link| format!("\"{}\"", base64url::encode_to_string(link)));
        let links: Vec<String> = links.collect();
        header.json("chain", &format!("[{}]", links.join(",")));
        header.json("crit", r#"["chain"]"#);
    }
}

/// Reads the links from a header; none if it has no chain.
pub(super) fn read(members: &Object) -> Result<Links, Malformed> {
    let critical = match members.get("crit") {
        None => false,
        Some(Value::Array(names)) if names.len() == 1 && names[0] == "chain" => true,
        Some(Value::Array(names)) if names.is_empty() => {
            return Err(LineFault::NothingCritical.into());
        }
        Some(other) => {
            return Err(LineFault::Critical(other.to_string()).into());
        }
    };
    if !critical {
        // A member of this name that is not critical is another program's.
        return Ok(Vec::new());
    }
    let value = members.get("chain").ok_or(LineFault::NoChain)?;
    value
        .as_array()
        .filter(|links| (1..usize::from(MAX_LAYERS)).contains(&links.len()))
        .and_then(|links| {
            links.iter().map(|link| base64url::decode_to_vec(link.as_str()?.as_bytes())).collect()
        })
        .ok_or_else(|| LineFault::Chain(usize::from(MAX_LAYERS) - 1).into())
}

/// Follows a chain from CEKₙ down to CEK₁, and writes CEK₁ over the random bytes in `cek`. If a
/// link fails to verify, `cek` stays random.
pub(super) fn unwrap(outermost: &[u8; LINK_LEN], links: &[Vec<u8>], cek: &mut [u8]) {
    let mut key = Zeroizing::new([0; LINK_LEN]);
    key.copy_from_slice(outermost);
    let Some((last, inner)) = links.split_last() else { return };
    for link in inner {
        let mut next = Zeroizing::new([0; LINK_LEN]);
        if !kw::unwrap_one((&*key).into(), link, &mut *next) {
            return;
        }
        key = next;
    }
    let mut found = Zeroizing::new(vec![0; cek.len()]);
    if kw::unwrap_one((&*key).into(), last, &mut found) {
        cek.copy_from_slice(&found);
    }
}
