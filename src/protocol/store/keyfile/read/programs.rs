//! The programs of bundles.

use std::collections::BTreeSet;

use serde_json::Value;

use super::members::{Checked, choice};
use crate::protocol::jose::json::Object;
use crate::protocol::jose::jwk::DecryptingKey;
use crate::protocol::model::{
    ClientProgram, Content, Erase, KeyFileFault, Kid, MAX_LAYERS, Malformed, Run, ShopProgram, Step,
};
use crate::protocol::store::keyfile::Keys;

pub(super) fn client_program(ours: &Object, content: Content) -> Checked<Option<ClientProgram>> {
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

pub(super) fn shop_program(
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
