//! The files of the three roles: the service's keyring, the bundles of a shop and of a client.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::keys::{Reads, decrypting, encrypting, keys_of};
use super::members::{Checked, counts, gaps, names, number};
use super::programs::{client_program, shop_program};
use super::shops::{one_shop, shop, shops, trees};
use crate::ciphers::base64url;
use crate::protocol::jose::json::{Object, optional_text};
use crate::protocol::jose::jwk::Material;
use crate::protocol::jose::jws::SigningKey;
use crate::protocol::model::{
    Content, Error, KeyFileFault, Kid, Malformed, Name, Place, Result, Role, ShopName,
};
use crate::protocol::store::FileNumber;
use crate::protocol::store::keyfile::{
    Account, ClientBundle, Generation, JournalEnd, Keyring, Sent, ShopBundle, Signer,
};

pub(super) fn keyring(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<Keyring> {
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

pub(super) fn shop_bundle(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<ShopBundle> {
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

pub(super) fn client_bundle(keys: Reads<'_>, ours: &Object, place: &Place) -> Result<ClientBundle> {
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
