//! Reads key files. Everything is checked here, so that later code can rely on it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::plain::PassedOver;
use super::write::{self, DATED};
use super::{
    Account, ClientBundle, Generation, IV_BUDGET, JournalEnd, JwkSet, KeyFile, Keyring, Keys,
    LoneKey, PlainFile, Sent, Shop, ShopBundle, Signer, Standing, VERSION_WITH_DATES,
    VERSION_WITH_JOURNAL, VERSION_WITH_SIGNING, VERSION_WITH_TREES,
};
use crate::ciphers::base64url;
use crate::ciphers::ecdh::Curve;
use crate::ciphers::toy_des::SBox;
use crate::protocol::jose::json::{
    self, MemberValue, Members, Object, optional_parsed, optional_text, text,
};
use crate::protocol::jose::jwk::{
    AsKey, DecryptingKey, EncryptingKey, Jwk, KeyRef, KeyTexts, Material, Refusal,
};
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::jose::password::Password;
use crate::protocol::jose::tree::{Tree, TreeId};
use crate::protocol::model::{
    Alg, ClientProgram, Content, Dates, Document, Enc, Erase, Error, Expected, Family, Form,
    JournalTrouble, KeyError, KeyFileFault, Kid, Kind, MAX_LAYERS, Malformed, Member, Name,
    NotTime, Place, Result, Role, Run, Scheme, Scope, ShopName, ShopProgram, Step, Suite,
    Unimplemented, shortened,
};
use crate::protocol::store::FileNumber;
use crate::protocol::store::trees::{HeldTree, Trees};

type Checked<T> = std::result::Result<T, Malformed>;

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
        let (lines, rest) = write::parts(bytes)?;
        let value = json::parse(&write::without_keys(rest)).ok()?;
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
        let file = from_members(members, whole, keys, place)?;
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

/// A key of a set, or the reason why it was not read.
type Read = std::result::Result<Jwk, PassedOver>;

/// The keys of a set, in its order.
type Reads<'k> = &'k mut dyn Iterator<Item = Read>;

fn kid_of(key: &dyn Members) -> Option<String> {
    key.member("kid")?.text().map(str::to_owned)
}

fn from_members(
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
        return set(keys, ours, foreign, place);
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

/// Reads a set; `foreign` are the names of members that are unknown here.
fn set(
    keys: Reads<'_>,
    ours: Option<&Object>,
    foreign: Vec<String>,
    place: &Place,
) -> Result<KeyFile> {
    let Some(ours) = ours else {
        let mut file = plain_set(keys, place)?;
        file.foreign = foreign;
        return Ok(KeyFile::Plain(PlainFile::Set(file)));
    };
    let file = match text(ours, "role").map_err(|found| Error::malformed(place, found))? {
        "service" => keyring(keys, ours, place).map(KeyFile::Keyring)?,
        "shop" => shop_bundle(keys, ours, place).map(KeyFile::Shop)?,
        "client" => client_bundle(keys, ours, place).map(KeyFile::Client)?,
        other => return Err(Error::malformed(place, KeyFileFault::Role(other.to_owned()))),
    };
    match file.holder().listed_leaf() {
        Some(kid) => Err(Error::malformed(place, KeyFileFault::DerivedKid(kid))),
        None => Ok(file),
    }
}

/// A set made by other software may contain keys that are not for us (RFC 7517 section 5). Several may
/// have the same name if they differ in algorithm or type (section 4.5).
fn plain_set(keys: Reads<'_>, place: &Place) -> Result<JwkSet> {
    let mut file = JwkSet::default();
    let mut alike = BTreeSet::new();
    for (number, key) in (1..).zip(keys) {
        match key {
            Ok(key) => {
                if let Some(kid) = &key.kid
                    && let Some(first) = file.keys.index_of(kid.as_str())
                {
                    alike.insert(kind(&file.keys[first]));
                    if !alike.insert(kind(&key)) {
                        let found = KeyFileFault::SameName(kid.clone());
                        return Err(Error::malformed(&key_place(place, number, None), found));
                    }
                }
                file.keys.push_alike(key);
            }
            Err(passed_over) => {
                let at = key_place(place, number, passed_over.kid.as_deref());
                file.passed_over.push((at, passed_over));
            }
        }
    }
    match (file.keys.first(), file.passed_over.first()) {
        (None, Some((place, PassedOver { why, .. }))) => Err(why.clone().at(place)),
        (Some(_), _) | (None, None) => Ok(file),
    }
}

/// What tells keys of the same name apart.
fn kind(key: &Jwk) -> (Option<Kid>, Option<Cow<'static, str>>, &'static str) {
    (key.kid.clone(), key.alg.clone(), key.material.as_key().name())
}

fn keyring(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<Keyring> {
    let account = |members: &Object, name: &ShopName| {
        let shop = shop(members)?;
        Ok(Account {
            trees: trees(members, name, &shop)?,
            shop,
            issued: names(members, "issued")?.into(),
            allotted: counts(members, "allotted", name)?,
            own_pairs: members.get("own_pairs") == Some(&Value::Bool(true)),
        })
    };
    let shops = shops(ours, account).map_err(|why| why.at(place))?;
    let shop_of = |name: &str| shops.get(name).map(|account| &account.shop);
    let has_halves = |name: &str| shops.get(name).is_some_and(|account| account.own_pairs);
    let held = |key: Material, kid: &Kid, role: Role| match has_halves(kid.parts().0) {
        true => Ok(key),
        false => decrypting(key, kid, role).map(Material::from),
    };
    let keys = keys_of(keys, Role::Service, shop_of, held, place)?;
    match ours.contains_key("program") {
        true => Err(Error::malformed(place, KeyFileFault::NoProgram(Role::Service))),
        false => {
            let signing = signing(ours).map_err(|found| Error::malformed(place, found))?;
            let fetch_tokens =
                fetch_tokens(ours).map_err(|found| Error::malformed(place, found))?;
            Ok(Keyring { shops, keys, signing, fetch_tokens })
        }
    }
}

/// The numbers of the tokens with which shops may fetch their keys.
fn fetch_tokens(ours: &Object) -> Checked<BTreeMap<Name, FileNumber>> {
    let wrong = || Malformed::member("fetch_tokens", "an object with a number for each shop");
    let Some(value) = ours.get("fetch_tokens") else { return Ok(BTreeMap::new()) };
    let number = |(shop, number): (&String, &Value)| {
        Some((shop.parse().ok()?, FileNumber::parse(number.as_str()?)?))
    };
    let numbers = value.as_object().ok_or_else(wrong)?.iter().map(number);
    numbers.collect::<Option<_>>().ok_or_else(wrong)
}

/// The service's key for signing, if there is one.
fn signing(ours: &Object) -> Checked<Option<Box<SigningKey>>> {
    let Some(key) = ours.get("signing") else { return Ok(None) };
    let key = key.as_object().ok_or_else(|| Malformed::member("signing", "an object"))?;
    let key = SigningKey::from_jwk(key).map_err(|found| found.within("signing"))?;
    Ok(Some(Box::new(key)))
}

fn shop_bundle(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<ShopBundle> {
    let generation = |members: &Object, name: &ShopName| {
        let shop = shop(members)?;
        Ok(Generation { trees: trees(members, name, &shop)?, shop })
    };
    let generations = shops(ours, generation).map_err(|why| why.at(place))?;
    let malformed = |found: Malformed| Error::malformed(place, found);
    let (name, content) = one_of_all(&generations).map_err(malformed)?;
    let shop_of = |name: &str| generations.get(name).map(|generation| &generation.shop);
    let keys = keys_of(keys, Role::Shop, shop_of, decrypting, place)?;
    let program = shop_program(ours, content, &keys).map_err(malformed)?;
    let program_erased = ours.get("program_erased") == Some(&Value::Bool(true));
    let ledger = number(ours, "ledger").map_err(malformed)?;
    Ok(ShopBundle { name, generations, program, program_erased, keys, ledger })
}

/// The name of the one shop whose keys these are, and whether its orders carry keys.
fn one_of_all(generations: &BTreeMap<ShopName, Generation>) -> Checked<(Name, Content)> {
    let names: BTreeSet<Name> = generations.keys().map(ShopName::name).collect();
    let (Some((first, own)), 1) = (generations.first_key_value(), names.len()) else {
        return Err(KeyFileFault::Shops { role: Role::Shop, found: names.len() }.into());
    };
    let scheme = own.shop.scheme;
    match generations.values().all(|own| own.shop.scheme == scheme) {
        true => Ok((first.name(), scheme.content)),
        false => Err(KeyFileFault::Schemes(first.name()).into()),
    }
}

/// The number of a file that belongs to the bundle, if there is one.
fn number(ours: &Object, member: &'static str) -> Checked<Option<FileNumber>> {
    let number = |text: &str| FileNumber::parse(text).ok_or(Malformed::Base64(member));
    optional_text(ours, member)?.map(number).transpose()
}

fn client_bundle(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<ClientBundle> {
    let client = |members: &Object, name: &ShopName| {
        let shop = shop(members)?;
        Ok(ClientBundle {
            trees: trees(members, name, &shop)?,
            spent: names(members, "spent")?,
            budget: counts(members, "budget", name)?,
            gaps: gaps(members, name)?,
            ..ClientBundle::new(name.clone(), shop)
        })
    };
    let (name, client) = one_shop(ours, Role::Client, client).map_err(|why| why.at(place))?;
    let shop_of = |other: &str| (name.as_str() == other).then_some(&client.shop);
    let keys = keys_of(keys, Role::Client, shop_of, encrypting, place)?;
    let malformed = |found: Malformed| Error::malformed(place, found);
    let program = client_program(ours, client.shop.scheme.content).map_err(malformed)?;
    let signer = signer(ours).map_err(malformed)?;
    if signer.is_some() && program.is_some_and(|program| !program.signs) {
        return Err(malformed(KeyFileFault::SignerWithoutStep.into()));
    }
    Ok(ClientBundle {
        program,
        keys,
        sent: sent(ours).map_err(malformed)?,
        erase_due: ours.get("erase_due") == Some(&Value::Bool(true)),
        absorbed: absorbed(ours).map_err(malformed)?,
        signer,
        ..client
    })
}

/// The end of the journal whose spent ids the bundle has.
fn absorbed(ours: &Object) -> Checked<Option<JournalEnd>> {
    let end = |text: &str| base64url::decode_to_vec(text.as_bytes())?.try_into().ok();
    let end = |text| end(text).ok_or(Malformed::Base64("absorbed"));
    optional_text(ours, "absorbed")?.map(end).transpose()
}

/// The key that signs batches.
fn signer(ours: &Object) -> Checked<Option<Box<Signer>>> {
    let Some(value) = ours.get("signer") else { return Ok(None) };
    let members = value.as_object().ok_or(Malformed::member("signer", "an object"))?;
    Signer::from_json(members)
        .map(|own| Some(Box::new(own)))
        .map_err(|fault| fault.within("signer"))
}

/// The key that a shop or the service holds.
fn decrypting(key: Material, kid: &Kid, role: Role) -> Checked<DecryptingKey> {
    key.into_decrypting().map_err(|half| {
        let (kid, found) = (kid.clone(), KeyRef::Public(&half).name());
        KeyFileFault::PublicOnly { kid, found, role }.into()
    })
}

/// The key that a client holds.
fn encrypting(key: Material, kid: &Kid, _: Role) -> Checked<EncryptingKey> {
    key.into_encrypting().map_err(|half| {
        let (kid, found) = (kid.clone(), KeyRef::Private(&half).name());
        KeyFileFault::Private { kid, found }.into()
    })
}

/// The place of a key in a set, for messages.
fn key_place(place: &Place, number: usize, kid: Option<&str>) -> Place {
    let kid = kid.map_or(String::new(), |kid| format!(" ({})", shortened(kid)));
    Place::file(format!("{place}: key {number}{kid}"))
}

/// The keys of a file that belongs to a role, each of the kind that `convert` finds in it.
fn keys_of<'s, K: AsKey + Clone>(
    read: Reads<'_>,
    role: Role,
    shop_of: impl Fn(&str) -> Option<&'s Shop>,
    convert: impl Fn(Material, &Kid, Role) -> Checked<K>,
    place: &Place,
) -> Result<Keys<K>> {
    let mut keys = Vec::with_capacity(read.size_hint().1.unwrap_or_default());
    let read = (1..).zip(read).try_for_each(|(number, key)| {
        let key = key
            .map_err(|PassedOver { kid, why }| why.at(&key_place(place, number, kid.as_deref())))?;
        let key = key_of(key, role, &shop_of, &convert);
        let malformed = |found| Error::malformed(&key_place(place, number, None), found);
        keys.push(key.map_err(malformed)?);
        Ok(())
    });
    // A fault of a later key does not hide that a name stands twice before it.
    let keys = Keys::of_unique(keys).map_err(|(index, kid)| {
        Error::malformed(&key_place(place, index + 1, None), KeyFileFault::SameName(kid))
    })?;
    read.map(|()| keys)
}

fn key_of<'s, K>(
    key: Jwk,
    role: Role,
    shop_of: impl Fn(&str) -> Option<&'s Shop>,
    convert: impl Fn(Material, &Kid, Role) -> Checked<K>,
) -> Checked<Jwk<K>> {
    let Jwk { kid, alg, usage, origin, material } = key;
    let Some(kid) = kid else {
        return Err(KeyFileFault::NoName(role).into());
    };
    let shop = kid.is_ours().then(|| shop_of(kid.parts().0)).flatten();
    let Some(shop) = shop else {
        return Err(KeyFileFault::NoShop(kid).into());
    };
    if kid.parts().1.is_some() != (shop.scheme.scope == Scope::Transaction) {
        return Err(KeyFileFault::Scope { kid, scope: shop.scheme.scope }.into());
    }
    match shop.standing(&kid) {
        Some(Standing::Revoked) => return Err(KeyFileFault::KeyOfRevoked(kid).into()),
        Some(Standing::Admitted) | None => {}
    }
    if alg.as_deref() != Some(shop.suite.key_alg()) {
        return Err(KeyFileFault::Algorithm { kid, expected: shop.suite.key_alg() }.into());
    }
    let (key, expected) = (material.as_key(), shop.suite.material());
    if expected != key.family() {
        return Err(KeyFileFault::Family { kid, found: key.name(), expected }.into());
    }
    if let (Some(secret), Some(expected)) = (key.secret(), shop.suite.secret_len())
        && secret.len() != expected
    {
        return Err(KeyFileFault::Length { kid, found: secret.len(), expected }.into());
    }
    let material = convert(material, &kid, role)?;
    Ok(Jwk { kid: Some(kid), alg, usage, origin, material })
}

/// The shops of a file, each read by `shop`.
fn shops<S>(
    ours: &Object,
    shop: impl Fn(&Object, &ShopName) -> Result<S, Refusal>,
) -> Result<BTreeMap<ShopName, S>, Refusal> {
    let members = object(ours, "shops")?;
    let mut shops = BTreeMap::new();
    for (name, value) in members {
        let parsed = name.parse::<ShopName>().map_err(Malformed::from);
        let name = parsed.map_err(|fault| fault.within(format_args!("shop {name:?}")))?;
        let members = value.as_object().ok_or(Malformed::Expected("an object"));
        let shop = members.map_err(Refusal::from).and_then(|members| shop(members, &name));
        let shop = shop.map_err(|why| why.within(format_args!("shop {name}")))?;
        shops.insert(name, shop);
    }
    Ok(shops)
}

/// The one shop of a bundle.
fn one_shop<S>(
    ours: &Object,
    role: Role,
    shop: impl Fn(&Object, &ShopName) -> Result<S, Refusal>,
) -> Result<(ShopName, S), Refusal> {
    let shops = shops(ours, shop)?;
    let found = shops.len();
    match shops.into_iter().next().filter(|_| found == 1) {
        Some(only) => Ok(only),
        None => Err(KeyFileFault::Shops { role, found }.into()),
    }
}

fn shop(members: &Object) -> Result<Shop, Refusal> {
    let scheme = scheme(object(members, "scheme")?)?;
    let alg = algorithm(members, Member::Alg, Alg::from_name)?;
    let enc = with_sbox(algorithm(members, Member::Enc, Enc::from_name)?, members)?;
    let suite = Suite::new(alg, enc)
        .filter(|suite| suite.content() == scheme.content && suite.kind() == scheme.kind)
        .ok_or(KeyFileFault::Scheme { alg, enc, scheme })?;
    let (users, mut erased) = (users(members)?, names(members, "erased")?);
    erased.retain(|id| users.get(id) != Some(&Standing::Revoked));
    Ok(Shop {
        scheme,
        suite,
        service: optional_parsed(members, "service")?,
        users,
        erased,
        erased_shop_key: members.get("erased_shop_key") == Some(&Value::Bool(true)),
        dates: dates(members)?,
        retired: members.get("retired") == Some(&Value::Bool(true)),
    })
}

/// When keys were made, and when they seal.
fn dates(members: &Object) -> Checked<Dates> {
    let time = |name: &'static str| {
        let text = optional_text(members, name)?;
        let time = text.map(str::parse).transpose();
        time.map_err(|fault: NotTime| {
            Malformed::from(fault).within(format_args!("member {name:?}"))
        })
    };
    let dates =
        Dates { made: time("made")?, not_before: time("not_before")?, expires: time("expires")? };
    match dates.is_possible() {
        true => Ok(dates),
        false => Err(KeyFileFault::NeverValid.into()),
    }
}

/// The users of a shop, none of whom is both admitted and revoked.
fn users(members: &Object) -> Checked<BTreeMap<Name, Standing>> {
    let with = |member, standing| {
        let names = names(members, member)?.into_iter();
        Ok::<_, Malformed>(names.map(move |user| (user, standing)))
    };
    let mut users: BTreeMap<_, _> = with("users", Standing::Admitted)?.collect();
    for (user, standing) in with("revoked", Standing::Revoked)? {
        if users.insert(user.clone(), standing).is_some() {
            return Err(KeyFileFault::AdmittedAndRevoked(user).into());
        }
    }
    Ok(users)
}

/// The cipher with the S-box that is specified next to it.
fn with_sbox(enc: Enc, members: &Object) -> Checked<Enc> {
    match sbox(members)? {
        None => Ok(enc),
        Some(sbox) => enc.with_sbox(sbox).ok_or_else(|| KeyFileFault::SBoxBeside(enc).into()),
    }
}

fn sbox(members: &Object) -> Checked<Option<SBox>> {
    let text = optional_text(members, "toy_sbox")?;
    let parse = |text: &str| text.parse().map_err(KeyFileFault::SBox);
    Ok(text.map(parse).transpose()?)
}

fn scheme(members: &Object) -> Checked<Scheme> {
    Ok(Scheme::new(
        choice(members, "content", Content::from_name)?,
        choice(members, "scope", Scope::from_name)?,
        choice(members, "kind", Kind::from_name)?,
    ))
}

fn client_program(ours: &Object, content: Content) -> Checked<Option<ClientProgram>> {
    let Some(members) = program_members(ours)? else { return Ok(None) };
    let program = ClientProgram {
        content,
        layers: layers(members)?,
        run: choice(members, "run", Run::from_name)?,
        erase: match members.contains_key("erase") {
            true => Some(choice(members, "erase", Erase::from_name)?),
            false => None,
        },
        signs: has_step(members, Step::Sign),
    };
    check_steps(members, &program.steps()).map(|()| Some(program))
}

fn shop_program(
    ours: &Object,
    content: Content,
    keys: &Keys<DecryptingKey>,
) -> Checked<Option<ShopProgram>> {
    let Some(members) = program_members(ours)? else { return Ok(None) };
    let program = ShopProgram { content, built_in: built_in(members, keys)? };
    check_steps(members, &program.steps()).map(|()| Some(program))
}

fn program_members(ours: &Object) -> Checked<Option<&Object>> {
    let Some(value) = ours.get("program") else { return Ok(None) };
    value.as_object().map(Some).ok_or_else(|| Malformed::member("program", "an object"))
}

fn has_step(members: &Object, step: Step) -> bool {
    let steps = members.get("steps").and_then(Value::as_array);
    steps.is_some_and(|steps| steps.iter().any(|own| own.as_str() == Some(step.name())))
}

fn check_steps(members: &Object, expected: &[Step]) -> Checked<()> {
    let expected: Vec<&str> = expected.iter().copied().map(Step::name).collect();
    let found: Option<Vec<&str>> = members
        .get("steps")
        .and_then(Value::as_array)
        .map(|steps| steps.iter().map(|step| step.as_str().unwrap_or("?")).collect());
    match found.as_ref() == Some(&expected) {
        true => Ok(()),
        false => Err(KeyFileFault::Steps(expected).into()),
    }
}

fn layers(members: &Object) -> Checked<u8> {
    match members.get("layers") {
        None => Ok(1),
        Some(value) => value
            .as_u64()
            .filter(|layers| (1..=u64::from(MAX_LAYERS)).contains(layers))
            .map(|layers| layers as u8)
            .ok_or(Malformed::OutOfRange { name: "layers", least: 1, most: MAX_LAYERS.into() }),
    }
}

fn built_in(members: &Object, keys: &Keys<DecryptingKey>) -> Checked<Option<Vec<Kid>>> {
    let Some(value) = members.get("built_in") else { return Ok(None) };
    let kids: Vec<Kid> = value
        .as_array()
        .and_then(|kids| {
            kids.iter().map(|kid| Kid::new(kid.as_str()?).filter(Kid::is_ours)).collect()
        })
        .ok_or_else(|| Malformed::member("built_in", "an array of key names"))?;
    let known: BTreeSet<&Kid> = kids.iter().collect();
    if let Some(kid) = keys.names().find(|kid| !known.contains(kid)) {
        return Err(KeyFileFault::NotBuiltIn(kid.clone()).into());
    }
    Ok(Some(kids))
}

fn choice<T>(
    members: &Object,
    name: &'static str,
    named: impl Fn(&str) -> Option<T>,
) -> Checked<T> {
    let found = text(members, name)?;
    named(found).ok_or_else(|| KeyFileFault::Unknown { name, found: found.to_owned() }.into())
}

/// Reads an algorithm, which may be one that is not implemented.
fn algorithm<T>(
    members: &Object,
    member: Member,
    named: impl Fn(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let found = text(members, &member.to_string())?;
    named(found).ok_or_else(|| KeyError::from(Unimplemented::new(member, found)).into())
}

fn object<'a>(members: &'a Object, name: &str) -> Checked<&'a Object> {
    members.get(name).and_then(Value::as_object).ok_or_else(|| Malformed::member(name, "an object"))
}

/// The trees of a shop.
fn trees<T: HeldTree>(members: &Object, name: &ShopName, shop: &Shop) -> Checked<Trees<T>> {
    let Some(value) = members.get("trees") else { return Ok(Trees::new()) };
    let value = value.as_object().ok_or_else(|| Malformed::member("trees", "an object"))?;
    let tree = |id: &String, value: &Value| {
        let id = TreeId::parse(id).ok_or(KeyFileFault::TreeName)?;
        let members = value.as_object().ok_or(Malformed::Expected("an object"))?;
        let curve = match shop.suite.material() {
            Family::Curve => Some(choice(members, "curve", Curve::from_name)?),
            Family::Secret | Family::Pad | Family::Password | Family::Rsa | Family::Knapsack => {
                None
            }
        };
        let tree = Tree::new(id, name, shop.suite, curve)
            .filter(|_| shop.scheme.scope == Scope::Transaction)
            .ok_or_else(|| KeyFileFault::NotDerived(name.clone()))?;
        Ok((id, T::from_json(tree, members)?))
    };
    let tree = |(id, value)| {
        tree(id, value).map_err(|found: Malformed| found.within(format_args!("tree {id:?}")))
    };
    value.iter().map(tree).collect()
}

fn names(members: &Object, member: &'static str) -> Checked<BTreeSet<Name>> {
    let Some(value) = members.get(member) else { return Ok(BTreeSet::new()) };
    let names = value.as_array().ok_or_else(|| Malformed::member(member, "an array"))?;
    names
        .iter()
        .map(|name| name.as_str().and_then(Name::new))
        .collect::<Option<_>>()
        .ok_or_else(|| KeyFileFault::NotIds(member).into())
}

fn counts(members: &Object, member: &'static str, shop: &ShopName) -> Checked<BTreeMap<Kid, u64>> {
    let Some(value) = members.get(member) else { return Ok(BTreeMap::new()) };
    let counts = value.as_object().ok_or_else(|| Malformed::member(member, "an object"))?;
    counts
        .iter()
        .map(|(kid, count)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop().as_ref() == Some(shop))?;
            let count = count.as_u64().filter(|&count| count <= IV_BUDGET)?;
            Some((kid, count))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| KeyFileFault::NotCounts(member).into())
}

fn gaps(members: &Object, shop: &ShopName) -> Checked<BTreeMap<Kid, Vec<(u64, u64)>>> {
    let Some(value) = members.get("gaps") else { return Ok(BTreeMap::new()) };
    let gaps = value.as_object().ok_or_else(|| Malformed::member("gaps", "an object"))?;
    gaps.iter()
        .map(|(kid, gaps)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop().as_ref() == Some(shop));
            Ok((kid.ok_or(KeyFileFault::ForeignGaps)?, pieces(gaps)?))
        })
        .collect()
}

/// Reads pieces of a pad, each from its first byte to the one after its last.
fn pieces(value: &Value) -> Checked<Vec<(u64, u64)>> {
    let piece = |value: &Value| match &value.as_array()?[..] {
        [from, to] => Some((from.as_u64()?, to.as_u64()?)),
        _ => None,
    };
    let pieces = value.as_array().and_then(|pieces| pieces.iter().map(piece).collect());
    pieces.ok_or_else(|| KeyFileFault::NotGaps.into())
}

fn sent(ours: &Object) -> Checked<Vec<Sent>> {
    let Some(value) = ours.get("sent") else { return Ok(Vec::new()) };
    let sent = |value: &Value| {
        Some(Sent {
            output: base64url::decode_to_vec(value.get("output")?.as_str()?.as_bytes())?,
            token: value.get("token")?.as_u64()?,
            replace: value.get("replace")?.as_bool()?,
        })
    };
    let all = value.as_array().and_then(|all| all.iter().map(sent).collect());
    all.ok_or_else(|| KeyFileFault::NotSent.into())
}

fn count(members: &Object, name: &str) -> Checked<u64> {
    match members.get(name) {
        None => Ok(0),
        Some(value) => value.as_u64().ok_or_else(|| Malformed::member(name, "a whole number")),
    }
}
