//! Reads key files. Everything is checked here, so that later code can rely on it.

mod keys;
mod members;
mod programs;
mod roles;
mod sets;
mod shops;

use serde_json::Value;

use self::keys::Reads;
use self::members::{Checked, count, number, pieces};
use self::shops::{dates, sbox};
use super::plain::PassedOver;
use super::text;
use super::write::DATED;
use super::{
    JwkSet, KeyFile, LoneKey, PlainFile, VERSION_WITH_DATES, VERSION_WITH_JOURNAL,
    VERSION_WITH_SIGNING, VERSION_WITH_TREES,
};
use crate::protocol::jose::json::{self, MemberValue, Members, Object};
use crate::protocol::jose::jwk::{Jwk, KeyTexts};
use crate::protocol::jose::password::Password;
use crate::protocol::model::{
    Document, Error, Expected, Form, JournalTrouble, KeyFileFault, Kid, Malformed, Place, Result,
};
use crate::protocol::store::FileNumber;

impl KeyFile {
    /// Reads a key file: one of ours, any JWK Set, a lone JWK, or a key in another encoding, which
    /// counts as a set of one key.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a file of another kind; [`Error::Malformed`] with what was found
    /// and what was expected; [`Error::Key`] for keys that are well formed but cannot be used here.
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        Self::parse_encrypted(bytes, None, place)
    }

    /// Reads a key file as [`parse`](Self::parse) does, with the password of an encrypted private key.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`KeyError::Encrypted`]; [`JournalTrouble::NotBeside`] for a
    /// client's bundle whose spent ids are in a journal.
    pub fn parse_encrypted(
        bytes: &[u8],
        password: Option<&Password>,
        place: &Place,
    ) -> Result<Self> {
        Parsed::read(bytes, password, place)?.without_journal(place)
    }
}

/// A key file as it was read. A client's bundle may lack the spent ids that are in its journal.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub(in crate::protocol::store) file: KeyFile,
    /// The journal of the client's spent ids.
    pub(in crate::protocol::store) journal: Option<FileNumber>,
}

impl Parsed {
    /// The key file, if it has all that it says.
    ///
    /// # Errors
    /// [`JournalTrouble::NotBeside`] if its spent ids are in a journal.
    pub fn without_journal(self, place: &Place) -> Result<KeyFile> {
        match self.journal {
            None => Ok(self.file),
            Some(_) => Err(Error::key(place, JournalTrouble::NotBeside.into())),
        }
    }

    /// Reads a key file as [`KeyFile::parse_encrypted`] does.
    ///
    /// # Errors
    /// As [`KeyFile::parse_encrypted`], apart from those of the journal.
    pub fn read(bytes: &[u8], password: Option<&Password>, place: &Place) -> Result<Self> {
        if let Some(parsed) = Self::read_lines(bytes, place) {
            return Ok(parsed);
        }
        let unexpected = |found| Error::unexpected(place, found, Expected::KeyFile);
        // These may have the length of a raw key.
        let packed = Form::of_no_ciphertext(bytes).filter(|found| !found.may_be_lines());
        if let Some(found) = packed {
            return Err(unexpected(found));
        }
        if let Some(key) = Jwk::from_encoding(bytes, password) {
            // Nothing can be recorded in such a file: like a set, it has no member of ours.
            let set = JwkSet::of(key.map_err(|why| why.at(place))?);
            let file = KeyFile::Plain(PlainFile::Set(set));
            return Ok(Self { file, journal: None });
        }
        if let Some(found) = Form::of_file(bytes) {
            return Err(unexpected(found));
        }
        let (mut keys, mut struck) = (Vec::new(), Vec::new());
        let mut read = |key: Option<&dyn Members>| match Jwk::from_members(key) {
            Ok(key) => keys.push(Ok(key)),
            Err(why) => match key.and_then(struck_out) {
                Some(kid) => struck.push(kid),
                None => keys.push(Err(PassedOver { kid: key.and_then(kid_of), why })),
            },
        };
        let (value, is_set) = json::parse_around(bytes, "keys", &mut read).map_err(|found| {
            Error::malformed(place, Malformed::NotJson { found, expected: Document::KeyFile })
        })?;
        let members = value.as_object().ok_or_else(|| unexpected(Form::Json))?;
        let role = members.get("orderseal").and_then(|ours| ours.get("role"));
        match role.and_then(Value::as_str) {
            Some("page") => return Err(unexpected(Form::ItemPage)),
            Some("request") => return Err(unexpected(Form::Request)),
            Some(_) | None => {}
        }
        if !is_set && !members.contains_key("keys") && !members.contains_key("kty") {
            return Err(unexpected(Form::of_object(members)));
        }
        let mut keys = keys.into_iter();
        let keys: Option<Reads<'_>> = if is_set { Some(&mut keys) } else { None };
        let mut parsed = Self::from_members(members, &value, keys, place)?;
        if let Some(set) = parsed.file.as_set() {
            struck.iter().for_each(|kid| set.remember_erased(kid));
        }
        Ok(parsed)
    }

    /// Reads a file as it is written here, each key on a line of its own, one key after the other.
    /// `None` if it is another file, or anything is wrong with it: [`read`](Self::read) says what.
    fn read_lines(bytes: &[u8], place: &Place) -> Option<Self> {
        let (lines, rest) = text::parts(bytes)?;
        let value = json::parse(&text::without_keys(rest)).ok()?;
        let (mut texts, mut is_sound) = (KeyTexts::default(), true);
        let mut keys = lines.map_while(|text| {
            let key = texts.read(text).and_then(std::result::Result::ok);
            is_sound = key.is_some();
            key.map(Ok)
        });
        let parsed = Self::from_members(value.as_object()?, &value, Some(&mut keys), place).ok();
        parsed.filter(|_| is_sound)
    }

    fn from_members(
        members: &Object,
        whole: &Value,
        keys: Option<Reads<'_>>,
        place: &Place,
    ) -> Result<Self> {
        let file = key_file(members, whole, keys, place)?;
        let journal = match (&file, members.get("orderseal").and_then(Value::as_object)) {
            (KeyFile::Client(_), Some(ours)) => number(ours, "journal"),
            (
                KeyFile::Client(_) | KeyFile::Plain(_) | KeyFile::Keyring(_) | KeyFile::Shop(_),
                _,
            ) => Ok(None),
        };
        let journal = journal.map_err(|found| Error::malformed(place, found))?;
        Ok(Self { file, journal })
    }
}

/// The name of a key that was erased by overwriting its parts with asterisks, which are not
/// base64url characters. This is done if the disk has no room for a file without the key.
fn struck_out(key: &dyn Members) -> Option<Kid> {
    let part = |name: &str| key.member(name).and_then(MemberValue::text);
    let parts = ["k", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "pub", "priv"];
    let struck = parts.into_iter().filter_map(part).any(|text| text.contains('*'));
    part("kid").filter(|_| struck).and_then(Kid::new)
}

fn kid_of(key: &dyn Members) -> Option<String> {
    key.member("kid")?.text().map(str::to_owned)
}

fn key_file(
    members: &Object,
    whole: &Value,
    keys: Option<Reads<'_>>,
    place: &Place,
) -> Result<KeyFile> {
    let malformed = |found: Malformed| Error::malformed(place, found);
    let ours = ours(members).map_err(malformed)?;
    if let Some(keys) = keys {
        let known = |name: &str| ["keys", "orderseal"].contains(&name);
        let foreign = members.keys().filter(|name| !known(name)).cloned().collect();
        return sets::set(keys, ours, foreign, place);
    }
    if members.contains_key("keys") {
        return Err(malformed(Malformed::member("keys", "an array")));
    }
    let mut file = LoneKey::new(Jwk::from_json(whole).map_err(|why| why.at(place))?);
    if let Some(ours) = ours {
        file.sealed = count(ours, "sealed").map_err(malformed)?;
        file.gaps = ours.get("gaps").map_or(Ok(Vec::new()), pieces).map_err(malformed)?;
        file.sbox = sbox(ours).map_err(malformed)?;
        file.dates = dates(ours).map_err(malformed)?;
    }
    Ok(KeyFile::Plain(PlainFile::Lone(file)))
}

/// The member `orderseal`, if its version can be read and has what it contains.
fn ours(members: &Object) -> Checked<Option<&Object>> {
    let Some(value) = members.get("orderseal") else { return Ok(None) };
    let ours = value.as_object().ok_or_else(|| Malformed::member("orderseal", "an object"))?;
    let version = json::version(ours, VERSION_WITH_SIGNING)?;
    if ours.contains_key("journal") && version < VERSION_WITH_JOURNAL {
        return Err(KeyFileFault::NoJournalIn(version).into());
    }
    if ours.contains_key("signing") && version < VERSION_WITH_SIGNING {
        return Err(KeyFileFault::NoSigningIn(version).into());
    }
    let dated = |members: &Object| DATED.into_iter().any(|member| members.contains_key(member));
    if dated(ours) && version < VERSION_WITH_DATES {
        return Err(KeyFileFault::NoDatesIn(version).into());
    }
    for (name, shop) in ours.get("shops").and_then(Value::as_object).into_iter().flatten() {
        let fault = match shop.as_object() {
            Some(shop) if shop.contains_key("trees") && version < VERSION_WITH_TREES => {
                KeyFileFault::NoTreesIn(version)
            }
            Some(shop) if dated(shop) && version < VERSION_WITH_DATES => {
                KeyFileFault::NoDatesIn(version)
            }
            Some(_) | None => continue,
        };
        return Err(Malformed::from(fault).within(format!("shop {name}")));
    }
    Ok(Some(ours))
}
