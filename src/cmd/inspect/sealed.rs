//! `inspect` for sealed orders and sealed streams.

use std::io::{Cursor, Read};

use orderseal::protocol::jose::jwe::Carries;
use orderseal::protocol::model::{Expected, Form};
use orderseal::protocol::roles::stream;
use orderseal::protocol::roles::survey::{self, Group, GroupKey, Survey};
use orderseal::protocol::store::files::Input;
use orderseal::protocol::{Error, Malformed, Place, Result};
use serde_json::{Value, json};

use super::Inspect;
use super::outline::show;
use crate::cmd::Global;
use crate::cmd::beginnings::{joined_json, peek_line};

impl Inspect {
    pub(super) fn sealed_orders(
        &self,
        first: Vec<u8>,
        mut input: Input,
        place: &Place,
        global: &Global,
    ) -> Result<()> {
        if self.public || !self.sealed.is_empty() {
            return Err(Error::unexpected(place, Form::SealedOrders, Expected::KeyFile));
        }
        let first = peek_line(&mut input, first)?;
        let workers = global.workers()?;
        if Carries::of_line(&first) == Carries::StreamKey {
            return show_stream(&first, input.size, place, global);
        }
        let first = joined_json(&mut input, first)?;
        let reader = Box::new(Cursor::new(first).chain(input.reader));
        let mut survey = survey::survey(&workers, reader, place)?;
        let malformed = survey.malformed.take();
        show(global, &survey_to_json(survey, global))?;
        match malformed {
            Some((line, failure)) => Err(failure.at(place.at(line))),
            None => Ok(()),
        }
    }
}

/// Shows a stream: its first line like any other, and its length if it can be determined.
fn show_stream(first: &[u8], sealed: Option<u64>, place: &Place, global: &Global) -> Result<()> {
    let (survey, line) = survey::first_line(first);
    let Some((kind, group)) = survey.groups.into_iter().next() else {
        let (_, failure) = survey.malformed.expect("a line is in a group or malformed");
        return Err(failure.at(place.at(1)));
    };
    let mut value = json!({ "kind": "sealed stream" });
    let content = sealed.map(|sealed| stream::content_len(sealed, line));
    if let (Some(sealed), Some(content)) = (sealed, content) {
        value["bytes"] = json!(sealed);
        if let Some(content) = content {
            value["content"] = json!(content);
        }
    }
    value["first line"] = group_to_json(kind, group, global);
    show(global, &value)?;
    match content {
        Some(None) => Err(Error::malformed(place, Malformed::CutStream)),
        _ => Ok(()),
    }
}

fn survey_to_json(survey: Survey, global: &Global) -> Value {
    let groups = survey.groups.into_iter().map(|(kind, group)| group_to_json(kind, group, global));
    let mut value = json!({
        "kind": "sealed orders",
        "lines": survey.lines,
        "bytes": survey.bytes,
        "longest_line": survey.longest,
        "group": groups.collect::<Vec<_>>(),
    });
    if survey.manifests > 0 {
        value["manifests"] = json!(survey.manifests);
    }
    if survey.others.lines > 0 {
        value["others"] = counts_to_json(survey.others, global);
    }
    value
}

fn group_to_json(kind: GroupKey, group: Group, global: &Global) -> Value {
    let mut value = counts_to_json(group, global);
    value["alg"] = json!(kind.alg);
    value["enc"] = json!(kind.enc);
    if let Some(shop) = kind.shop {
        value["shop"] = json!(shop);
    }
    if let Some(typ) = kind.typ {
        value["typ"] = json!(typ);
    }
    if let Some(was) = &kind.was {
        value["was"] = json!(was.as_str());
    }
    if kind.layers > 1 {
        value["layers"] = json!(kind.layers);
    }
    match kind.carries {
        Carries::Order => {}
        Carries::Key => value["carries"] = json!("a key"),
        Carries::KeySet => value["carries"] = json!("keys"),
        Carries::StreamKey => value["carries"] = json!("the key of a stream"),
    }
    value
}

/// Reports lines and keys. Moves the names instead of copying them: there may be a million.
fn counts_to_json(group: Group, global: &Global) -> Value {
    let keys = group.kids.len();
    let mut value = json!({ "lines": group.lines, "keys": keys });
    match (global.json, group.beyond) {
        (true, 0) => {}
        (true, beyond) => {
            value["keys_at_least"] = json!(true);
            value["lines_of_more_keys"] = json!(beyond);
        }
        (false, 0) => {}
        (false, _) => value["keys"] = json!(format!("at least {keys}")),
    }
    if global.json {
        let counts = group.kids.into_iter().map(|(kid, lines)| (kid.into_string(), lines.into()));
        value["lines_by_key"] = Value::Object(counts.collect());
    }
    value
}
