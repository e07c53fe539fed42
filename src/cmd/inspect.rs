//! `inspect`: structure and counts of a key file or of sealed orders, never a secret.

mod order_page;
mod pads;

use std::fmt::Write as _;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use clap::Args;
use orderseal::ciphers::random::Origin;
use orderseal::protocol::envelope::Carries;
use orderseal::protocol::files::{self, Input};
use orderseal::protocol::html::{Description, WebPage};
use orderseal::protocol::jwk::{Jwk, Material};
use orderseal::protocol::keyfile::{KeyFile, Role, Shop};
use orderseal::protocol::pad_use::PadUse;
use orderseal::protocol::page::Page;
use orderseal::protocol::survey::{self, Survey};
use orderseal::protocol::{Error, Name, Place, Program, Result, Scope, Step, service, stream};
use serde_json::{Value, json};

use super::decrypt::peek_line;
use super::{Global, ui};

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  orderseal inspect sealed.jwe
  orderseal inspect --json client.jwks
  orderseal inspect tokyo.jwks --sealed sealed.jwe
  orderseal inspect --public tokyo.jwks > public.jwks")]
pub struct Inspect {
    /// Print the public keys as a plain JWK Set
    #[arg(long)]
    public: bool,
    /// With the key file of a shop or a lone key: sealed orders that used its pads; tells what they
    /// leave, and whether a byte was used twice
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    sealed: Vec<PathBuf>,
    /// A key file, an item page, an order page, sealed orders, or a sealed stream
    file: Option<PathBuf>,
}

impl Inspect {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Result<()> {
        let mut input = Input::open(self.file.as_deref())?;
        let place = input.place();
        let first = first_bytes(&mut input)?;
        if WebPage::recognized(&first).is_some() {
            return self.web_page(first, input, global);
        }
        let is_json = first.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if !is_json {
            if self.public || !self.sealed.is_empty() {
                let found = "found sealed orders, expected a key file";
                return Err(Error::malformed(&place, found));
            }
            return self.sealed_orders(first, input, &place, global);
        }
        let reader = Box::new(Cursor::new(first).chain(input.reader));
        let bytes = files::read_limited(reader, files::MAX_KEY_FILE, &place)?;
        if let Ok(page) = Page::parse(&bytes, &place) {
            return show(global, &page_to_json(&page));
        }
        let file = KeyFile::parse(&bytes, &place)?;
        if self.public {
            let public = file.public_keys();
            return ui::print(&String::from_utf8_lossy(&public.to_bytes()));
        }
        let sealed = self.pad_use(&file, global)?;
        show(global, &key_file_to_json(&file, sealed.as_ref()))
    }

    /// What the orders of `--sealed` used of a file's pads.
    fn pad_use(&self, file: &KeyFile, global: &Global) -> Result<Option<PadUse>> {
        if self.sealed.is_empty() {
            return Ok(None);
        }
        let has_pads = file.keys().iter().any(|key| matches!(key.material, Material::Pad(_)));
        if !has_pads || !matches!(file.role, Role::Shop | Role::Plain) {
            let found = "--sealed counts what is left of the pads of a shop or a lone key";
            return Err(Error::Usage(found.to_owned()));
        }
        let mut pads = PadUse::new(file);
        for path in &self.sealed {
            let input = Input::open(Some(path))?;
            let place = input.place();
            pads.add(&global.workers()?, input.reader, &place)?;
        }
        Ok(Some(pads))
    }

    fn web_page(&self, first: Vec<u8>, input: Input, global: &Global) -> Result<()> {
        let place = input.place();
        let reader = Cursor::new(first).chain(input.reader);
        let bytes = files::read_limited(reader, files::MAX_KEY_FILE, &place)?;
        let page = WebPage::recognized(&bytes).unwrap_or(WebPage::Other);
        let expected = if self.public || !self.sealed.is_empty() {
            "a key file"
        } else if page == WebPage::Order {
            return show(global, &order_page::to_json(&Description::parse(&bytes, &place)?));
        } else {
            "a key file, an item page, an order page or sealed orders"
        };
        Err(Error::malformed(&place, format!("found {}, expected {expected}", page.name())))
    }

    fn sealed_orders(
        &self,
        first: Vec<u8>,
        mut input: Input,
        place: &Place,
        global: &Global,
    ) -> Result<()> {
        let first = peek_line(&mut input, first)?;
        let workers = global.workers()?;
        if Carries::of_line(&first) == Carries::StreamKey {
            let (survey, line) = survey::first_line(&first);
            show(global, &stream_to_json(&survey, line, input.size, global))?;
            return refuse_malformed(survey, place);
        }
        let reader = Box::new(Cursor::new(first).chain(input.reader));
        let survey = survey::survey(&workers, reader, place)?;
        show(global, &survey_to_json(&survey, global))?;
        refuse_malformed(survey, place)
    }
}

fn refuse_malformed(survey: Survey, place: &Place) -> Result<()> {
    match survey.malformed {
        Some((line, found)) => Err(Error::malformed(&place.at(line), found)),
        None => Ok(()),
    }
}

fn first_bytes(input: &mut Input) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    input
        .reader
        .by_ref()
        .take(4096)
        .read_to_end(&mut first)
        .map_err(|error| Error::io(&input.name, "cannot read", error))?;
    if first.is_empty() {
        return Err(Error::malformed(
            &input.place(),
            "the file is empty, expected a key file, an item page, an order page or sealed orders",
        ));
    }
    Ok(first)
}

/// Prints JSON, or the same as an indented list.
fn show(global: &Global, value: &Value) -> Result<()> {
    if global.json {
        return ui::print(&format!("{value}\n"));
    }
    let mut text = String::new();
    outline(value, 0, &mut text);
    ui::print(&text)
}

fn outline(value: &Value, depth: usize, text: &mut String) {
    let Some(members) = value.as_object() else { return };
    for (name, value) in members {
        let indent = "  ".repeat(depth);
        match value {
            Value::Object(_) => {
                let _ = writeln!(text, "{indent}{name}:");
                outline(value, depth + 1, text);
            }
            Value::Array(values) if values.iter().all(Value::is_object) => {
                for value in values {
                    let _ = writeln!(text, "{indent}{name}:");
                    outline(value, depth + 1, text);
                }
            }
            Value::Array(values) => {
                let words: Vec<String> = values.iter().map(plain).collect();
                let _ = writeln!(text, "{indent}{name}: {}", words.join(", "));
            }
            value => {
                let _ = writeln!(text, "{indent}{name}: {}", plain(value));
            }
        }
    }
}

/// A value as text that is safe on a terminal.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.chars().flat_map(safe).collect(),
        value => value.to_string(),
    }
}

fn safe(character: char) -> Vec<char> {
    match character.is_control() {
        true => character.escape_default().collect(),
        false => vec![character],
    }
}

fn page_to_json(page: &Page) -> Value {
    json!({
        "kind": "item page",
        "shop": page.shop.as_str(),
        "service": page.service,
        "items": page.items.as_array().map_or(0, Vec::len),
    })
}

fn key_file_to_json(file: &KeyFile, sealed: Option<&PadUse>) -> Value {
    let mut value = json!({ "kind": "key file", "role": file.role.name() });
    value["keys"] = json!(file.keys().len());
    if file.role == Role::Plain {
        let algs = file.keys().iter().map(|key| key.alg.clone().unwrap_or("unknown".to_owned()));
        value["algorithms"] = algs.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        match file.keys() {
            [key] if let Material::Pad(pad) = &key.material => {
                pads::of_lone(file, pad, sealed, &mut value);
            }
            _ if file.sealed > 0 => value["sealed_directly"] = json!(file.sealed),
            _ => {}
        }
        not_random(file.keys(), &mut value);
        return value;
    }
    let shops: serde_json::Map<String, Value> = file
        .shops
        .iter()
        .map(|(name, shop)| (name.to_string(), shop_to_json(file, name, shop, sealed)))
        .collect();
    value["shops"] = Value::Object(shops);
    if let Some(program) = &file.program {
        value["program"] = program_to_json(program);
    }
    value
}

/// How many keys are marked, if any.
fn not_random<'k>(keys: impl IntoIterator<Item = &'k Jwk>, value: &mut Value) {
    let marked = keys.into_iter().filter(|key| key.origin != Origin::System).count();
    if marked > 0 {
        value["keys_not_random"] = json!(marked);
    }
}

fn shop_to_json(file: &KeyFile, name: &Name, shop: &Shop, sealed: Option<&PadUse>) -> Value {
    let of_shop = |kid: &orderseal::protocol::Kid| kid.shop() == *name;
    let keys = file.keys().iter().filter(|key| key.kid.as_ref().is_some_and(of_shop));
    let mut value = json!({
        "scheme": shop.scheme.to_string(),
        "alg": shop.suite.alg().name(),
        "enc": shop.suite.enc().name(),
        "keys": keys.clone().count(),
    });
    not_random(keys, &mut value);
    if let Some(number) = shop.scheme.number() {
        value["embodiment"] = json!(number);
    }
    if let Some(service) = &shop.service {
        value["service"] = json!(service);
    }
    if shop.suite.weak().is_some() {
        value["weak"] = json!(true);
    }
    let history = |value: &mut Value, what: &str, count: usize| {
        if count > 0 {
            value[what] = json!(count);
        }
    };
    history(&mut value, "users", shop.users.len());
    history(&mut value, "erased", shop.erased.len() + usize::from(shop.erased_shop_key));
    match (file.role, shop.scheme.scope) {
        (Role::Service, Scope::Transaction) => {
            value["issued"] = json!(shop.issued.len());
            value["unused"] = json!(service::unused_ids(file, name).count());
        }
        (Role::Client, Scope::Transaction) if shop.users.is_empty() => {
            value["spent"] = json!(shop.spent.len());
            let held = file.keys().iter().filter_map(|key| key.kid.as_ref()?.id());
            value["unused"] = json!(held.filter(|id| !shop.spent.contains(id)).count());
        }
        _ => {}
    }
    if shop.suite.enc().takes_pad() {
        pads::of_shop(file, name, shop, sealed, &mut value);
    } else if let Some(left) = shop.budget.values().next() {
        value["orders_left"] = json!(left);
    }
    value
}

fn program_to_json(program: &Program) -> Value {
    let steps: Vec<&str> = program.steps().into_iter().map(Step::name).collect();
    let mut value = json!({ "steps": steps });
    match program {
        Program::Client { run, erase, layers, .. } => {
            value["run"] = json!(run.name());
            value["layers"] = json!(layers);
            if let Some(erase) = erase {
                value["erases"] = json!(erase.name());
            }
        }
        Program::Shop { built_in, .. } => {
            if let Some(kids) = built_in {
                value["built_in_keys"] = json!(kids.len());
            }
        }
    }
    value
}

/// A stream: its first line as any other, and how long it is where that can be told.
fn stream_to_json(survey: &Survey, line: usize, sealed: Option<u64>, global: &Global) -> Value {
    let mut value = survey_to_json(survey, global);
    let mut stream = json!({ "kind": "sealed stream" });
    if let Some(sealed) = sealed {
        stream["bytes"] = json!(sealed);
        stream["content"] = json!(stream::content_len(sealed, line));
    }
    stream["first line"] = value["group"][0].take();
    stream
}

fn survey_to_json(survey: &Survey, global: &Global) -> Value {
    let groups: Vec<Value> = survey
        .groups
        .iter()
        .map(|(key, group)| {
            let mut value = json!({
                "alg": key.alg,
                "enc": key.enc,
                "lines": group.lines,
                "keys": group.kids.len(),
            });
            if global.json {
                value["lines_by_key"] = json!(group.kids);
            }
            if let Some(shop) = &key.shop {
                value["shop"] = json!(shop);
            }
            if let Some(typ) = &key.typ {
                value["typ"] = json!(typ);
            }
            if key.layers > 1 {
                value["layers"] = json!(key.layers);
            }
            match key.carries {
                Carries::Order => {}
                Carries::Key => value["carries"] = json!("a key"),
                Carries::StreamKey => value["carries"] = json!("the key of a stream"),
            }
            value
        })
        .collect();
    json!({
        "kind": "sealed orders",
        "lines": survey.lines,
        "bytes": survey.bytes,
        "longest_line": survey.longest,
        "group": groups,
    })
}
