//! Files of no role: a lone key, or any JWK Set.

use serde_json::{Value, json};

use super::text::MOST_RECORDED;
use super::{
    AnyKeys, FileText, KeyHolder, KeySet, Keys, MAX_KEY_FILE, Shop, VERSION, VERSION_WITH_DATES,
    check_len, write,
};
use crate::ciphers::toy_des::SBox;
use crate::ciphers::{Secret, Wiped};
use crate::protocol::jose::json;
use crate::protocol::jose::jwk::{Jwk, KeyRef, Material, Refusal};
use crate::protocol::model::{
    Alg, Dates, Document, Enc, Error, KeyError, Kid, Kind, Malformed, OutOfDate, Place, Result,
    Role, Time, Unfit, Unsound, shortened,
};

/// Number of passed-over keys and members that are named.
const MOST_NAMED: usize = 8;

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
    /// When the key was made, and when it seals.
    pub dates: Dates,
}

/// A JWK Set without a member of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JwkSet {
    /// The keys that were read.
    pub keys: Keys<Material>,
    /// Keys that were not read, with their places.
    pub(super) passed_over: Vec<(Place, PassedOver)>,
    /// Names of members of the set that are unknown here.
    pub(super) foreign: Vec<String>,
}

impl JwkSet {
    /// A set of one key.
    pub fn of(key: Jwk) -> Self {
        let mut set = Self::default();
        set.keys.push(key);
        set
    }

    /// The keys and members of the set that were passed over, in words; `None` if there are none.
    pub fn words_of_passed_over(&self) -> Option<String> {
        let unread = self.passed_over.iter().map(|(place, key)| match &key.kid {
            Some(kid) => format!("{:?}", shortened(kid)),
            None => place.file.rsplit(": ").next().unwrap_or_default().to_owned(),
        });
        let unused = self.unsupported().map(|key| match &key.kid {
            Some(kid) => format!("{:?}", shortened(kid.as_str())),
            None => format!("one for {:?}", shortened(key.alg.as_deref().unwrap_or_default())),
        });
        let keys = unread.chain(unused);
        let members = self.foreign.iter().map(|name| format!("{:?}", shortened(name)));
        let parts = [("keys that cannot be used", listed(keys)), ("members", listed(members))];
        let parts =
            parts.into_iter().filter_map(|(what, names)| Some(format!("{what}: {}", names?)));
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| format!("passed over {}", parts.join("; ")))
    }

    /// The keys whose algorithm is not supported.
    fn unsupported(&self) -> impl Iterator<Item = &Jwk> {
        // In large sets, all keys are for the same algorithm.
        let mut known = None;
        self.keys.iter().filter(move |key| {
            let alg = key.alg.as_deref();
            let is_known = |alg| Alg::from_name(alg).is_some() || Enc::from_name(alg).is_some();
            let supported = alg == known || alg.is_none_or(is_known);
            if supported {
                known = alg;
            }
            !supported
        })
    }

    /// The public keys of a file as a plain set, without private halves; those of trees derived.
    ///
    /// # Errors
    /// [`Error::KeyFileFull`] if there are more than a key file can hold.
    pub fn of_public_keys(file: &dyn KeyHolder, place: &Place) -> Result<Self> {
        let pairs = || {
            file.trees().map(|(shop, tree)| (shop, tree.part())).filter(|(_, part)| {
                match part.tree().suite().kind() {
                    Kind::Public => true,
                    Kind::Secret => false,
                }
            })
        };
        let len = pairs().map(|(shop, part)| part.keys_len(shop, Jwk::into_encrypting_half)).sum();
        check_len(len, place)?;
        let mut set = Self::default();
        for key in file.all_keys().views() {
            match key.material {
                KeyRef::Public(_) | KeyRef::Private(_) => {
                    set.keys.push_alike(key.encrypting_half().into())
                }
                KeyRef::Secret(_) | KeyRef::Pad(_) => {}
            }
        }
        for key in pairs().flat_map(|(shop, part)| part.keys(shop)) {
            set.keys.push(key.into_encrypting_half());
        }
        Ok(set)
    }
}

/// The first names in words; `None` if there are no names.
fn listed(mut names: impl Iterator<Item = String>) -> Option<String> {
    let named: Vec<String> = names.by_ref().take(MOST_NAMED).collect();
    let more = names.count();
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(named.join(", ")),
        (false, more) => Some(format!("{} and {more} more", named.join(", "))),
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
        Self { key: key.into(), sealed: 0, gaps: Vec::new(), sbox: None, dates: Dates::default() }
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

    /// Checks that a lone key seals at a time.
    ///
    /// # Errors
    /// [`KeyError::OutOfDate`].
    pub fn check_dates(&self, now: Time) -> Result<(), KeyError> {
        self.dated(|dates| dates.check(now))
    }

    /// Checks that a lone key has not expired at a time.
    ///
    /// # Errors
    /// [`KeyError::OutOfDate`].
    pub fn check_expiry(&self, now: Time) -> Result<(), KeyError> {
        self.dated(|dates| dates.check_expiry(now))
    }

    fn dated(&self, check: impl FnOnce(&Dates) -> Result<(), OutOfDate>) -> Result<(), KeyError> {
        match self {
            Self::Lone(LoneKey { key, dates, .. }) => {
                check(dates).map_err(|why| KeyError::OutOfDate { keys: key.view().words(), why })
            }
            Self::Set(_) => Ok(()),
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
    /// of this name and, if several have it, for `alg`. If it names no algorithm, it gets `alg`.
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
            (several, Some(kid)) => {
                let index = self.holder().all_keys().choose(kid.as_str(), alg).map_err(refused)?;
                let unknown = || self.holder().unknown(kid);
                let passed_over = || self.passed_over(kid.as_str()).unwrap_or_else(unknown);
                several[index.ok_or_else(|| refused(passed_over()))?].clone()
            }
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

    fn text(&self, place: &Place) -> Result<FileText<'_>> {
        let text = FileText::lone(self.key.view(), record(self, true).as_ref());
        match text.length() {
            len if len + MOST_RECORDED <= MAX_KEY_FILE => Ok(text),
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
    let dated = !file.dates.is_always();
    if dated {
        write::add_dates(&mut ours, file.dates);
    }
    let says_something = ours != json!({});
    ours["version"] = json!(if dated { VERSION_WITH_DATES } else { VERSION });
    says_something.then_some(ours)
}
