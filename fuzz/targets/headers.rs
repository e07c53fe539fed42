//! Compares what orderseal reads of sealed lines without a key with a plain parser, and counts and
//! recognizes them as `inspect` does.

#![no_main]

use std::io::Cursor;

use orderseal::protocol::jose::batch::{LineMark, Manifest, hash_of_line};
use orderseal::protocol::jose::jwe::{
    Carries, Header, KeyParams, Provenance, Shape, is_sealed_json, is_unfinished_json,
    kid_of_posted, line_hash,
};
use orderseal::protocol::jose::quoted_line_feed;
use orderseal::protocol::model::{Form, WebPage};
use orderseal::protocol::roles::survey::{GroupKey, Survey, first_line, survey};
use orderseal::protocol::store::named_key;
use orderseal_fuzz::{begin, keys, line, place, plain, repository, workers};
use serde_json::{Map, Value};

/// Algorithms whose headers have no members of their own.
const PLAIN: [&str; 10] = [
    "dir",
    "A128KW",
    "A192KW",
    "A256KW",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "A128CBC-HS256KW",
    "MH-KNAPSACK",
];

fn seeds() -> Vec<Vec<u8>> {
    let mut lines = keys::lines();
    let of_keys = lines.iter().flat_map(|line| line::serialized(line)).collect::<Vec<_>>();
    lines.extend(of_keys);
    lines.extend(
        repository::vectors().into_iter().filter(|v| v.field("kind") != "key file").map(|v| v.body),
    );
    lines.extend(repository::files("tests/foreign").into_iter().map(|(_, file)| file));
    lines.extend(repository::files("tests/cases").into_iter().map(|(_, file)| file));
    lines.extend(repository::texts("tests/rfc7520.ndjson", &["sealed"]));
    let mut seeds: Vec<Vec<u8>> = lines.iter().flat_map(|line| line::inputs(line)).collect();
    // Names whose characters take one to four bytes.
    let named = ["zürich/größe-0001", "東京の店/注文-0001", "🫖🍵/🛒-0001"];
    let named = named.map(|kid| format!(r#"{{"alg":"A256KW","enc":"A256GCM","kid":"{kid}"}}"#));
    let headers = repository::texts("tests/malformed-lines.ndjson", &["header"]);
    for header in headers.into_iter().chain(named.map(String::into_bytes)) {
        seeds.push([&[0xff], &header[..], &[0xff; 4]].concat());
        seeds.push([&[0xff, 0xff], &header[..], b"\xff\"ciphertext\":\"\"}"].concat());
    }
    seeds.extend(repository::texts("tests/malformed-lines.ndjson", &["line"]));
    seeds
}

/// The one kind of line that was counted, and the key that it names.
fn counted(survey: &Survey) -> Option<(&GroupKey, Option<&str>)> {
    let (kind, group) = survey.groups.first_key_value()?;
    Some((kind, group.kids.keys().next().map(|kid| &**kid)))
}

/// Compares the first line with what a plain parser finds.
fn compare(text: &[u8]) {
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let (survey, length) = first_line(text);
    assert_eq!((survey.lines, length), (1, first.len() + 1));
    let found = plain::headers(first);
    match (counted(&survey), &survey.malformed) {
        (Some((kind, kid)), None) => {
            let headers = found.expect("a line that is counted can be read by a plain parser");
            let header = &headers[0];
            let text = |name: &str| header.get(name).and_then(Value::as_str);
            assert_eq!(Some(&*kind.alg), text("alg"));
            assert_eq!(Some(&*kind.enc), text("enc"));
            assert_eq!(kid, text("kid"));
            assert_eq!(kind.typ.as_deref(), text("typ"));
            assert!(!header.contains_key("zip"), "compressed content was accepted");
            let carries = match (text("typ"), text("cty")) {
                (Some("orderseal-stream"), _) => Carries::StreamKey,
                (_, Some("jwk+json")) => Carries::Key,
                (_, Some("jwk-set+json")) => Carries::KeySet,
                _ => Carries::Order,
            };
            assert_eq!(kind.carries, carries);
        }
        (None, Some(_)) => {
            let refused = found.is_none_or(|headers| !headers.iter().all(is_simple));
            assert!(refused, "a line with a simple header was refused");
        }
        (None, None) => {
            let is_empty = plain::trimmed(first).is_empty();
            assert!(is_empty || Manifest::is_one(first), "a line was passed over");
        }
        (Some(_), Some(_)) => panic!("a line was counted and refused"),
    }
}

/// Whether a header has nothing but names of usual length, so that nobody may refuse it.
fn is_simple(header: &Map<String, Value>) -> bool {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let known = |name: &String| ["alg", "enc", "kid", "typ", "cty"].contains(&name.as_str());
    header.keys().all(known)
        && header.values().all(|value| value.as_str().is_some_and(|text| text.len() < 128))
        && text("alg").is_some_and(|alg| PLAIN.contains(&alg))
        && text("enc").is_some()
}

/// The header of a compact line, read by both.
fn header(text: &[u8]) {
    let segment = text.split(|&byte| byte == b'.').next().unwrap_or_default();
    let mut memory = Vec::new();
    let read = Header::decode(segment, &mut memory);
    let found = plain::decode(segment).and_then(|text| plain::json(&text));
    if let Ok(header) = &read {
        let found = found.expect("a header that is read is JSON in base64url");
        assert_eq!(Some(&*header.alg), found["alg"].as_str());
        assert_eq!(header.kid.as_deref(), found["kid"].as_str());
        let has = |name: &str| found.get(name).is_some();
        let is_one = match header.params {
            KeyParams::None => true,
            KeyParams::IvAndTag(..) => has("tag"),
            KeyParams::Agreement(_) => has("epk"),
            KeyParams::Pbes2(_) => has("p2s") && has("p2c"),
        };
        assert!(is_one, "parameters that the header does not have");
    }
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let text = line::text(data);
        compare(&text);
        header(&text);
        let input = Box::new(Cursor::new(text.clone()));
        let whole = survey(workers(), input, &place());
        if let Ok(whole) = whole {
            let lines: u64 = whole.groups.values().map(|group| group.lines).sum();
            assert!(lines + whole.manifests <= whole.lines);
        }
        let _ = (Carries::of_line(&text), Carries::claims_keys(&text), Provenance::of_line(&text));
        let _ = (kid_of_posted(&text), named_key(&text), LineMark::of_line(&text));
        let _ = (is_sealed_json(&text), is_unfinished_json(&text), quoted_line_feed(&text));
        let _ = (Form::of_file(&text), Form::of_line(&text), WebPage::recognized(&text));
        let _ = (Manifest::signer(&text), hash_of_line(&text));
        let _ = [Shape::Line, Shape::Document].map(|shape| line_hash(&text, shape));
    }
);
