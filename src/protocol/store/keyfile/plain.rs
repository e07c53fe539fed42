//! Files of no role: a lone key, or any JWK Set.

use serde_json::{Value, json};

use super::{AnyKeys, KeyHolder, KeySet, Keys, MAX_KEY_FILE, Shop, VERSION, write};
use crate::ciphers::toy_des::SBox;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::jose::json;
use crate::protocol::jose::jwk::{Jwk, KeyRef, Material, Refusal};
use crate::protocol::model::{
    Document, Enc, Error, KeyError, Kid, Malformed, Place, Result, Role, Unfit, Unsound,
};

/// A lone JWK, with the record of its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoneKey {
    /// The key.
    pub key: Jwk,
    /// Number of orders sealed directly so far, or bytes used of a pad.
    pub sealed: u64,
    /// Unused pieces within the used part of a pad, as start and end.
    pub gaps: Vec<(u64, u64)>,
    /// The S-box of a key of the toy DES, if it is not the default one.
    pub sbox: Option<SBox>,
}

/// A JWK Set without a member of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JwkSet {
    /// The keys that were read.
    pub keys: Keys<Material>,
    /// Keys that were not read, with their places.
    pub(super) passed_over: Vec<(Place, PassedOver)>,
}

impl JwkSet {
    /// A set of one key.
    pub fn of(key: Jwk) -> Self {
        let mut set = Self::default();
        set.keys.push(key);
        set
    }

    /// The public keys of a file as a plain set, without private halves.
    pub fn of_public_keys(file: &dyn KeyHolder) -> Self {
        let mut set = Self::default();
        for key in file.all_keys().views() {
            match key.material {
                KeyRef::Public(_) | KeyRef::Private(_) => set.keys.push(key.encrypting_half()),
                KeyRef::Secret(_) | KeyRef::Pad(_) => {}
            }
        }
        set
    }
}

/// A key of a plain set that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PassedOver {
    /// The key's name, in any form.
    pub(super) kid: Option<String>,
    /// The reason.
    pub(super) why: Refusal,
}

/// A file of no role. The user chooses what it is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainFile {
    /// A lone key.
    Lone(LoneKey),
    /// A set.
    Set(JwkSet),
}

impl LoneKey {
    /// Creates a file of a key that has not been used.
    pub fn new(key: impl Into<Jwk>) -> Self {
        Self { key: key.into(), sealed: 0, gaps: Vec::new(), sbox: None }
    }

    /// The key as it is wrapped and sent, without the record of its use so far.
    pub fn to_be_wrapped(&self) -> Secret {
        let mut text = Wiped::default();
        self.key.view().write(record(self, false).as_ref(), &mut text);
        text.into()
    }
}

impl PlainFile {
    /// The keys, in the order of the file.
    pub fn keys(&self) -> &[Jwk] {
        match self {
            Self::Lone(file) => std::slice::from_ref(&file.key),
            Self::Set(file) => &file.keys,
        }
    }

    /// The content cipher of a key that encrypts orders directly.
    pub fn direct_cipher(&self, name: &str) -> Option<Enc> {
        let enc = Enc::from_name(name)?;
        match self {
            Self::Lone(LoneKey { sbox: Some(sbox), .. }) => enc.with_sbox(*sbox),
            Self::Lone(_) | Self::Set(_) => Some(enc),
        }
    }

    /// The error for the key named `kid`, if it is in the file but was not read.
    pub fn passed_over(&self, kid: &str) -> Option<KeyError> {
        let Self::Set(file) = self else { return None };
        let named = |it: &&(Place, PassedOver)| it.1.kid.as_deref() == Some(kid);
        let (place, passed_over) = file.passed_over.iter().find(named)?;
        Some(match &passed_over.why {
            Refusal::Unusable(KeyError::Unsound(fault)) => {
                Unsound::Within { place: place.clone(), fault: Box::new(fault.clone()) }.into()
            }
            Refusal::Unusable(error) => error.clone(),
            Refusal::Malformed(found) => {
                Unfit::PassedOver { place: place.clone(), fault: Box::new(found.clone()) }.into()
            }
        })
    }

    /// One key as a file of its own: the only key, which gets the name `kid`, or of several the one
    /// of this name. If it names no algorithm, it gets `alg`.
    ///
    /// # Errors
    /// [`KeyError::Several`] if the key is not clear, [`KeyError::NoneFor`] if it is for another
    /// algorithm, the error for a key that cannot be used, and [`Error::Malformed`] for an algorithm
    /// that the key does not fit.
    pub fn import(&self, kid: Option<&Kid>, alg: Option<&str>, place: &Place) -> Result<LoneKey> {
        let refused = |error| Error::key(place, error);
        let mut key = match (self.keys(), kid) {
            ([only], _) => only.clone(),
            (several, None) => return Err(refused(KeyError::Several(several.len()))),
            (several, Some(kid)) => match self.holder().all_keys().position(kid.as_str()) {
                Some(index) => several[index].clone(),
                None => {
                    let unknown = || self.holder().unknown(kid);
                    return Err(refused(self.passed_over(kid.as_str()).unwrap_or_else(unknown)));
                }
            },
        };
        if let Some(kid) = kid {
            key.kid = Some(kid.clone());
        }
        if let Some(alg) = alg
            && *key.alg.get_or_insert_with(|| alg.to_owned().into()) != alg
        {
            return Err(refused(KeyError::NoneFor(alg.to_owned())));
        }
        // Whether the key fits its algorithm is checked where keys are read.
        let mut text = Wiped::default();
        key.view().write(None, &mut text);
        let json = json::parse(&text).map_err(|found| {
            Error::malformed(place, Malformed::NotJson { found, expected: Document::KeyFile })
        })?;
        let key = Jwk::from_json(&json).map_err(|why| why.at(place))?;
        Ok(match self {
            Self::Lone(file) => LoneKey { key, ..file.clone() },
            Self::Set(_) => LoneKey::new(key),
        })
    }

    /// Sets the algorithm of keys that name none, and returns whether any key is now for `alg`.
    pub fn assume_alg(&mut self, alg: &str) -> bool {
        match self {
            Self::Lone(file) => file.key.alg.get_or_insert_with(|| alg.to_owned().into()) == alg,
            Self::Set(file) => file.keys.assume_alg(alg),
        }
    }

    /// The file, of whichever kind.
    pub fn holder(&self) -> &dyn KeyHolder {
        match self {
            Self::Lone(file) => file,
            Self::Set(file) => file,
        }
    }
}

impl KeyHolder for LoneKey {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn all_keys(&self) -> &dyn AnyKeys {
        &self.key
    }

    fn to_bytes(&self, place: &Place) -> Result<Secret> {
        let out = write::lone(self.key.view(), record(self, true).as_ref());
        match out.len() as u64 {
            len if len + write::MOST_RECORDED <= MAX_KEY_FILE => Ok(out),
            len => Err(Error::KeyFileFull { place: place.clone(), len, most: MAX_KEY_FILE }),
        }
    }
}

impl KeyHolder for JwkSet {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn all_keys(&self) -> &dyn AnyKeys {
        &self.keys
    }
}

impl KeySet for JwkSet {
    fn retain(&mut self, wanted: &dyn Fn(Option<&Kid>) -> bool) -> Vec<Kid> {
        self.keys.retain(wanted)
    }

    fn shop_named_mut(&mut self, _: &str) -> Option<&mut Shop> {
        None
    }
}

/// What is recorded of a lone key in its member `orderseal`, if there is anything to record; its use so
/// far only if `used`.
fn record(file: &LoneKey, used: bool) -> Option<Value> {
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
    says_something.then_some(ours)
}
