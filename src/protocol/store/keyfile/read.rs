//! Reads key files. Everything is checked here, so that later code can rely on it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{IV_BUDGET, KeyFile, Sent, Shop, VERSION};
use crate::ciphers::base64url;
use crate::ciphers::toy_des::SBox;
use crate::protocol::jose::json::{self, Object, optional_parsed, optional_text, text};
use crate::protocol::jose::jwk::{DecryptingKey, Jwk, Material, Refusal};
use crate::protocol::model::{
    Alg, Content, Document, Enc, Erase, Error, Expected, Form, KeyTrouble, Kid, Kind, MAX_LAYERS,
    Malformed, Member, Name, Place, Program, Result, Role, Run, Scheme, Scope, Step, Suite,
    Unimplemented, shortened,
};

type Checked<T> = std::result::Result<T, Malformed>;

impl KeyFile {
    /// Reads a key file: one of ours, any JWK Set, or a lone JWK.
    ///
    /// # Errors
    /// [`Error::Unexpected`] for a file of another kind; [`Error::Malformed`] with what was found
    /// and what was expected; [`Error::Key`] for keys that are well formed but cannot be used here.
    pub fn parse(bytes: &[u8], place: &Place) -> Result<Self> {
        let unexpected = |found| Error::unexpected(place, found, Expected::KeyFile);
        if let Some(found) = Form::of_file(bytes) {
            return Err(unexpected(found));
        }
        let (mut keys, mut struck) = (Vec::new(), Vec::new());
        let mut read = |key: &Value| match struck_out(key) {
            Some(kid) => struck.push(kid),
            None => {
                keys.push(Jwk::from_json(key).map_err(|why| PassedOver { kid: kid_of(key), why }));
            }
        };
        let (value, is_set) = json::parse_around(bytes, "keys", &mut read).map_err(|found| {
            Error::malformed(place, Malformed::NotJson { found, expected: Document::KeyFile })
        })?;
        let members = value.as_object().ok_or_else(|| unexpected(Form::Json))?;
        let role = members.get("orderseal").and_then(|ours| ours.get("role"));
        if role.and_then(Value::as_str) == Some("page") {
            return Err(unexpected(Form::ItemPage));
        }
        if !is_set && !members.contains_key("keys") && !members.contains_key("kty") {
            return Err(unexpected(Form::of_object(members)));
        }
        let mut file = from_members(members, &value, is_set.then_some(keys), place)?;
        struck.iter().for_each(|kid| file.remember_erased(kid));
        Ok(file)
    }
}

/// The name of a key that was erased by overwriting its parts with asterisks, which are not
/// base64url characters. This is done if the disk has no room for a file without the key.
fn struck_out(key: &Value) -> Option<Kid> {
    let members = key.as_object()?;
    let part = |name: &str| members.get(name).and_then(Value::as_str);
    let parts = ["k", "n", "e", "d", "p", "q", "dp", "dq", "qi", "pub", "priv"];
    let struck = parts.into_iter().filter_map(part).any(|text| text.contains('*'));
    part("kid").filter(|_| struck).and_then(Kid::new)
}

/// A key of a set, or the reason why it was not read.
type Read = std::result::Result<Jwk, PassedOver>;

/// A key of a plain set that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PassedOver {
    /// The key's name, in any form.
    pub(super) kid: Option<String>,
    /// The reason.
    pub(super) why: Refusal,
}

fn kid_of(key: &Value) -> Option<String> {
    key.get("kid")?.as_str().map(str::to_owned)
}

fn from_members(
    members: &Object,
    whole: &Value,
    keys: Option<Vec<Read>>,
    place: &Place,
) -> Result<KeyFile> {
    let malformed = |found: Malformed| Error::malformed(place, found);
    let ours = ours(members).map_err(malformed)?;
    if let Some(keys) = keys {
        return set(keys, ours, place);
    }
    if members.contains_key("keys") {
        return Err(malformed(Malformed::member("keys", "an array")));
    }
    let mut file = KeyFile::lone(Jwk::from_json(whole).map_err(|why| why.at(place))?);
    if let Some(ours) = ours {
        file.sealed = count(ours, "sealed").map_err(malformed)?;
        file.gaps = ours.get("gaps").map_or(Ok(Vec::new()), pieces).map_err(malformed)?;
        file.sbox = sbox(ours).map_err(malformed)?;
    }
    Ok(file)
}

/// The member `orderseal`, if its version can be read.
fn ours(members: &Object) -> Checked<Option<&Object>> {
    let Some(value) = members.get("orderseal") else { return Ok(None) };
    let ours = value.as_object().ok_or("member \"orderseal\" is not an object")?;
    let version = ours.get("version").ok_or("no member \"version\" in \"orderseal\"")?;
    match version.as_u64() {
        Some(VERSION) => Ok(Some(ours)),
        _ => Err(format!("key file version {version}, expected {VERSION}").into()),
    }
}

fn set(keys: Vec<Read>, ours: Option<&Object>, place: &Place) -> Result<KeyFile> {
    let malformed = |found: Malformed| Error::malformed(place, found);
    let mut file = KeyFile::new(Role::Plain);
    if let Some(ours) = ours {
        (file.role, file.shops) = role_and_shops(ours).map_err(|why| why.at(place))?;
    }
    for (number, key) in (1..).zip(keys) {
        let at = |kid: Option<&str>| {
            let kid = kid.map_or(String::new(), |kid| format!(" ({})", shortened(kid)));
            Place::file(format!("{place}: key {number}{kid}"))
        };
        let key = match key {
            Ok(key) => key,
            // Sets made by other software may contain keys that are not for us (RFC 7517 section 5).
            Err(passed_over) if file.role == Role::Plain => {
                file.passed_over.push((at(passed_over.kid.as_deref()), passed_over));
                continue;
            }
            Err(PassedOver { kid, why }) => return Err(why.at(&at(kid.as_deref()))),
        };
        check_key(&file, &key).map_err(|found| Error::malformed(&at(None), found))?;
        file.push(key);
    }
    if let (true, [(place, PassedOver { why, .. }), ..]) =
        (file.keys().is_empty(), &file.passed_over[..])
    {
        return Err(why.clone().at(place));
    }
    if let Some(ours) = ours {
        file.program = program(ours, &file).map_err(malformed)?;
        file.sent = sent(ours).map_err(malformed)?;
        file.erase_due = ours.get("erase_due") == Some(&Value::Bool(true));
    }
    Ok(file)
}

fn role_and_shops(ours: &Object) -> Result<(Role, BTreeMap<Name, Shop>), Refusal> {
    let role = match text(ours, "role")? {
        "service" => Role::Service,
        "shop" => Role::Shop,
        "client" => Role::Client,
        other => return Err(format!("role {other:?}, expected service, shop or client").into()),
    };
    let shops = shops(ours)?;
    match role {
        Role::Service => Ok((role, shops)),
        Role::Shop | Role::Client | Role::Plain if shops.len() == 1 => Ok((role, shops)),
        Role::Shop | Role::Client | Role::Plain => {
            Err(format!("a {role} file has one shop, found {}", shops.len()).into())
        }
    }
}

fn check_key(file: &KeyFile, key: &Jwk) -> Checked<()> {
    let Some(kid) = &key.kid else {
        return match file.role {
            Role::Plain => Ok(()),
            role @ (Role::Service | Role::Shop | Role::Client) => {
                Err(format!("no member \"kid\", which a {role} file needs").into())
            }
        };
    };
    if file.key(kid.as_str()).is_some() {
        return Err(format!("the name {kid} stands twice").into());
    }
    if file.role == Role::Plain {
        return Ok(());
    }
    let Some(shop) = file.shop_of(kid) else {
        return Err(format!("{kid} belongs to no shop of this file").into());
    };
    if kid.parts().1.is_some() != (shop.scheme.scope == Scope::Transaction) {
        return Err(format!("{kid} does not fit the scope {}", shop.scheme.scope.name()).into());
    }
    if key.alg.as_deref() != Some(shop.suite.key_alg()) {
        return Err(
            format!("{kid} is not for {}, as the shop's keys are", shop.suite.key_alg()).into()
        );
    }
    let expected = shop.suite.material();
    if expected != key.material.family() {
        return Err(format!("{kid} is {}, expected {expected}", key.material.name()).into());
    }
    if let (Some(secret), Some(len)) = (key.material.secret(), shop.suite.secret_len())
        && secret.len() != len
    {
        return Err(format!("{kid} has {} bytes, expected {len}", secret.len()).into());
    }
    match (&key.material, file.role) {
        (Material::Decrypting(DecryptingKey::Private(_)), Role::Client) => {
            Err(format!("{kid} is {}, which a client never holds", key.material.name()).into())
        }
        (Material::Public(_), Role::Shop | Role::Service) => Err(format!(
            "{kid} is {} only, a {} needs the private half",
            key.material.name(),
            file.role
        )
        .into()),
        (Material::Decrypting(DecryptingKey::Secret(_) | DecryptingKey::Pad(_)), _)
        | (Material::Decrypting(DecryptingKey::Private(_)), Role::Shop | Role::Service)
        | (Material::Public(_), Role::Client)
        | (_, Role::Plain) => Ok(()),
    }
}

fn shops(ours: &Object) -> Result<BTreeMap<Name, Shop>, Refusal> {
    let members = object(ours, "shops")?;
    let mut shops = BTreeMap::new();
    for (name, value) in members {
        let name = name.parse::<Name>().map_err(|expected| format!("shop {name:?}: {expected}"))?;
        let members =
            value.as_object().ok_or_else(|| format!("shop {name}: expected an object"))?;
        let shop = shop(members, &name).map_err(|why| why.within(format_args!("shop {name}")))?;
        shops.insert(name, shop);
    }
    Ok(shops)
}

fn shop(members: &Object, name: &Name) -> Result<Shop, Refusal> {
    let scheme = scheme(object(members, "scheme")?)?;
    let alg = algorithm(members, Member::Alg, Alg::named)?;
    let enc = with_sbox(algorithm(members, Member::Enc, Enc::named)?, members)?;
    let suite = Suite::new(alg, enc)
        .filter(|suite| suite.content() == scheme.content && suite.kind() == scheme.kind)
        .ok_or_else(|| {
            format!("algorithms {} and {} do not make the scheme {scheme}", alg.name(), enc.name())
        })?;
    Ok(Shop {
        scheme,
        suite,
        service: optional_parsed(members, "service")?,
        issued: names(members, "issued")?,
        users: names(members, "users")?,
        spent: names(members, "spent")?,
        erased: names(members, "erased")?,
        erased_shop_key: members.get("erased_shop_key") == Some(&Value::Bool(true)),
        allotted: counts(members, "allotted", name)?,
        budget: counts(members, "budget", name)?,
        gaps: gaps(members, name)?,
    })
}

/// The cipher with the S-box that is specified next to it.
fn with_sbox(enc: Enc, members: &Object) -> Checked<Enc> {
    match sbox(members)? {
        None => Ok(enc),
        Some(sbox) => enc
            .with_sbox(sbox)
            .ok_or_else(|| format!("an S-box beside {}, which has none", enc.name()).into()),
    }
}

fn sbox(members: &Object) -> Checked<Option<SBox>> {
    let text = optional_text(members, "toy_sbox")?;
    let parse = |text: &str| text.parse().map_err(|expected| format!("toy_sbox: {expected}"));
    Ok(text.map(parse).transpose()?)
}

fn scheme(members: &Object) -> Checked<Scheme> {
    Ok(Scheme::new(
        choice(members, "content", Content::named)?,
        choice(members, "scope", Scope::named)?,
        choice(members, "kind", Kind::named)?,
    ))
}

fn program(ours: &Object, file: &KeyFile) -> Checked<Option<Program>> {
    let Some(value) = ours.get("program") else { return Ok(None) };
    let members = value.as_object().ok_or("member \"program\" is not an object")?;
    let Some(shop) = file.shops.values().next() else {
        return Err("a program without a shop".into());
    };
    let content = shop.scheme.content;
    let program = match file.role {
        Role::Client => Program::Client {
            content,
            layers: layers(members)?,
            run: choice(members, "run", Run::named)?,
            erase: match members.contains_key("erase") {
                true => Some(choice(members, "erase", Erase::named)?),
                false => None,
            },
        },
        Role::Shop => Program::Shop { content, built_in: built_in(members, file)? },
        role @ (Role::Service | Role::Plain) => {
            return Err(format!("a {role} file carries no program").into());
        }
    };
    let expected: Vec<&str> = program.steps().into_iter().map(Step::name).collect();
    let found: Option<Vec<&str>> = members
        .get("steps")
        .and_then(Value::as_array)
        .map(|steps| steps.iter().map(|step| step.as_str().unwrap_or("?")).collect());
    if found.as_ref() != Some(&expected) {
        return Err(format!("the program's steps are not {}", expected.join(", ")).into());
    }
    Ok(Some(program))
}

fn layers(members: &Object) -> Checked<u8> {
    match members.get("layers") {
        None => Ok(1),
        Some(value) => value
            .as_u64()
            .filter(|layers| (1..=u64::from(MAX_LAYERS)).contains(layers))
            .map(|layers| layers as u8)
            .ok_or_else(|| {
                format!("member \"layers\" is not a number from 1 to {MAX_LAYERS}").into()
            }),
    }
}

fn built_in(members: &Object, file: &KeyFile) -> Checked<Option<Vec<Kid>>> {
    let Some(value) = members.get("built_in") else { return Ok(None) };
    let kids: Vec<Kid> = value
        .as_array()
        .and_then(|kids| kids.iter().map(|kid| Kid::new(kid.as_str()?)).collect())
        .ok_or("member \"built_in\" is not an array of key names")?;
    let known: BTreeSet<&Kid> = kids.iter().collect();
    let mut held = file.keys().iter().filter_map(|key| key.kid.as_ref());
    if let Some(kid) = held.find(|kid| !known.contains(kid)) {
        return Err(format!("the program is not built with key {kid}").into());
    }
    Ok(Some(kids))
}

fn choice<T>(members: &Object, name: &str, named: impl Fn(&str) -> Option<T>) -> Checked<T> {
    let found = text(members, name)?;
    named(found).ok_or_else(|| format!("member {name:?} is {found:?}, which is unknown").into())
}

/// Reads an algorithm, which may be one that is not implemented.
fn algorithm<T>(
    members: &Object,
    member: Member,
    named: impl Fn(&str) -> Option<T>,
) -> Result<T, Refusal> {
    let found = text(members, &member.to_string())?;
    named(found).ok_or_else(|| KeyTrouble::from(Unimplemented::new(member, found)).into())
}

fn object<'a>(members: &'a Object, name: &str) -> Checked<&'a Object> {
    members.get(name).and_then(Value::as_object).ok_or_else(|| Malformed::member(name, "an object"))
}

fn names(members: &Object, member: &str) -> Checked<BTreeSet<Name>> {
    let Some(value) = members.get(member) else { return Ok(BTreeSet::new()) };
    let names = value.as_array().ok_or_else(|| Malformed::member(member, "an array"))?;
    names
        .iter()
        .map(|name| name.as_str().and_then(Name::new))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("member {member:?} holds something that is not an id").into())
}

fn counts(members: &Object, member: &str, shop: &Name) -> Checked<BTreeMap<Kid, u64>> {
    let Some(value) = members.get(member) else { return Ok(BTreeMap::new()) };
    let counts = value.as_object().ok_or_else(|| Malformed::member(member, "an object"))?;
    counts
        .iter()
        .map(|(kid, count)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop() == *shop)?;
            let count = count.as_u64().filter(|&count| count <= IV_BUDGET)?;
            Some((kid, count))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| format!("member {member:?} does not map this shop's keys to counts").into())
}

fn gaps(members: &Object, shop: &Name) -> Checked<BTreeMap<Kid, Vec<(u64, u64)>>> {
    let Some(value) = members.get("gaps") else { return Ok(BTreeMap::new()) };
    let gaps = value.as_object().ok_or("member \"gaps\" is not an object")?;
    gaps.iter()
        .map(|(kid, gaps)| {
            let kid = Kid::new(kid).filter(|kid| kid.shop() == *shop);
            Ok((kid.ok_or("member \"gaps\" names a key of no shop here")?, pieces(gaps)?))
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
    pieces.ok_or_else(|| "\"gaps\" are not pairs of numbers".into())
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
    all.ok_or_else(|| "member \"sent\" does not list outputs".into())
}

fn count(members: &Object, name: &str) -> Checked<u64> {
    match members.get(name) {
        None => Ok(0),
        Some(value) => value.as_u64().ok_or_else(|| Malformed::member(name, "a whole number")),
    }
}
