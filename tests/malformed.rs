//! Malformed sealed lines and key files, as data: each row of the two tables names what is wrong with
//! it and the exit code that it has to give. The lines authenticate unless the row says otherwise, so
//! what refuses them is their form.

mod common;

use common::{CEK, Lab, Parts, base64url, cek_jwk};
use serde_json::Value;

const LINES: &str = include_str!("malformed-lines.ndjson");
const KEYS: &str = include_str!("malformed-keys.ndjson");

fn rows(table: &str) -> impl Iterator<Item = Value> {
    table
        .lines()
        .map(|row| serde_json::from_str(row).unwrap_or_else(|error| panic!("{error}: {row}")))
}

/// Text from a row, or what stands there by default.
fn text<'a>(row: &'a Value, name: &str, default: &'a str) -> &'a str {
    row.get(name).map_or(default, |value| value.as_str().expect("text"))
}

/// The sealed line that a row describes: header and plaintext sealed as they are, the parts put into
/// the row's pattern.
fn line(row: &Value) -> String {
    let header = match row.get("header_hex") {
        Some(hex) => hex::decode(hex.as_str().expect("text")).expect("hexadecimal"),
        None => text(row, "header", r#"{"alg":"dir","enc":"A256GCM"}"#).as_bytes().to_vec(),
    };
    let parts = Parts::seal(&header, &CEK, text(row, "plaintext", "order").as_bytes());
    text(row, "line", "{h}.{k}.{i}.{c}.{t}")
        .replace("{h}", &parts.header)
        .replace("{k}", text(row, "key_text", ""))
        .replace("{i}", &base64url(&parts.iv))
        .replace("{c}", &base64url(&parts.ciphertext))
        .replace("{t}", text(row, "tag_text", &base64url(&parts.tag)))
}

/// Compares a run with its row, and collects what differs.
fn judge(row: &Value, run: &common::Run, differences: &mut Vec<String>) {
    let name = row["name"].as_str().expect("a name");
    let expected = row["exit"].as_i64().and_then(|code| i32::try_from(code).ok());
    if run.code != expected {
        differences.push(format!(
            "{name}: {:?} instead of {expected:?}: {}",
            run.code,
            run.stderr.trim_end()
        ));
    }
    if !run.stderr.contains(text(row, "says", "")) {
        differences.push(format!(
            "{name}: does not say {}: {}",
            row["says"],
            run.stderr.trim_end()
        ));
    }
    if run.code != Some(0) && !run.stdout.is_empty() {
        differences.push(format!(
            "{name}: something came out: {:?}",
            String::from_utf8_lossy(&run.stdout)
        ));
    }
}

#[track_caller]
fn none(differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{} rows differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn malformed_lines_are_refused_for_what_they_are() {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    let mut differences = Vec::new();
    for row in rows(LINES) {
        let run = lab.run("decrypt --key cek.jwk", (line(&row) + "\n").as_bytes());
        judge(&row, &run, &mut differences);
        if run.code != Some(0) && !run.stderr.contains("stdin: line 1: ") {
            differences.push(format!("{}: does not name the line: {}", row["name"], run.stderr));
        }
    }
    none(&differences);
}

#[test]
fn malformed_lines_are_refused_by_a_bundle_as_well() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for row in rows(LINES).filter(|row| row["exit"] == 3 && row.get("plaintext").is_none()) {
        let run = lab.run("decrypt --bundle tokyo.jwks", (line(&row) + "\n").as_bytes());
        // A line that names no key, or an algorithm that is not the key's, may be refused for that first.
        assert!(matches!(run.code, Some(3 | 4)), "{}: {:?} {}", row["name"], run.code, run.stderr);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn malformed_key_files_are_refused_for_what_they_are() {
    let lab = Lab::new();
    let mut differences = Vec::new();
    for row in rows(KEYS) {
        lab.write("key.jwk", text(&row, "file", ""));
        let run = lab.run("decrypt --key key.jwk", line(&row).as_bytes());
        judge(&row, &run, &mut differences);
        if run.code == Some(3) && !run.stderr.contains("key.jwk") {
            differences.push(format!("{}: does not name the file: {}", row["name"], run.stderr));
        }
        if run.stderr.contains("AAECAwQFBgcICQoL") {
            differences.push(format!("{}: shows the key: {}", row["name"], run.stderr));
        }
    }
    none(&differences);
}

#[test]
fn a_header_at_the_limit_opens_and_beyond_it_does_not() {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    for (size, code) in [(64 * 1024, 0), (64 * 1024 + 1, 3), (1 << 20, 3)] {
        let frame = r#"{"alg":"dir","enc":"A256GCM","x":""}"#;
        let header = frame.replace(r#""""#, &format!("\"{}\"", "x".repeat(size - frame.len())));
        assert_eq!(header.len(), size);
        let line = Parts::seal(header.as_bytes(), &CEK, b"order").line(b"");
        assert_eq!(
            lab.run("decrypt --key cek.jwk", line.as_bytes()).code,
            Some(code),
            "{size} bytes"
        );
    }
}

#[test]
fn an_order_at_the_limit_opens_and_beyond_it_does_not() {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    for (size, code) in [(1 << 20, 0), ((1 << 20) + 1, 3)] {
        let order = vec![b'x'; size];
        let line = Parts::seal(br#"{"alg":"dir","enc":"A256GCM"}"#, &CEK, &order).line(b"");
        assert_eq!(
            lab.run("decrypt --key cek.jwk", line.as_bytes()).code,
            Some(code),
            "opening {size} bytes"
        );
        assert_eq!(
            lab.run("encrypt --key cek.jwk", &order).code,
            Some(code),
            "sealing {size} bytes"
        );
    }
}

#[test]
fn deep_json_does_not_exhaust_the_stack() {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let header = format!(r#"{{"alg":"dir","enc":"A256GCM","x":{}}}"#, deep(4000));
    let line = Parts::seal(header.as_bytes(), &CEK, b"order").line(b"");
    lab.refused_with(3, "decrypt --key cek.jwk", line.as_bytes()).says(&["stdin: line 1"]);
    lab.write("deep.jwk", format!(r#"{{"keys":[],"x":{}}}"#, deep(100_000)));
    lab.refused_with(3, "decrypt --key deep.jwk", line.as_bytes()).says(&["deep.jwk"]);
}
