//! What a file says of its shops: scheme and suite, users, dates, trees.

use std::collections::BTreeMap;

use serde_json::Value;

use super::members::{Checked, algorithm, choice, names, object};
use crate::ciphers::ecdh::Curve;
use crate::ciphers::toy_des::SBox;
use crate::protocol::jose::json::{Object, optional_parsed, optional_text};
use crate::protocol::jose::jwk::Refusal;
use crate::protocol::jose::tree::{Tree, TreeId};
use crate::protocol::model::{
    Alg, Content, Dates, Enc, Family, KeyFileFault, Kind, Malformed, Member, Name, NotTime, Role,
    Scheme, Scope, ShopName, Suite,
};
use crate::protocol::store::keyfile::{Shop, Standing};
use crate::protocol::store::trees::{HeldTree, Trees};

/// The shops of a file, each read by `shop`.
pub(super) fn shops<S>(
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
pub(super) fn one_shop<S>(
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

pub(super) fn shop(members: &Object) -> Result<Shop, Refusal> {
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
pub(super) fn dates(members: &Object) -> Checked<Dates> {
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

pub(super) fn sbox(members: &Object) -> Checked<Option<SBox>> {
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

/// The trees of a shop.
pub(super) fn trees<T: HeldTree>(
    members: &Object,
    name: &ShopName,
    shop: &Shop,
) -> Checked<Trees<T>> {
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
