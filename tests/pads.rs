//! The one-time pad: every byte of it serves once, every client has a piece of its own, and what does
//! not fit is refused before anything is written.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Lab, base64url_decode, header, lines, orders};

/// A keyring, the shop's file and the file of one client, with pads.
fn lab(options: &str, client: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!(
        "keygen --enc VERNAM-HS256 --shop tokyo {options} --allow-weak -o service.jwks"
    ));
    lab.ok("bundle shop --keys service.jwks --allow-weak -o tokyo.jwks");
    bundle(&lab, client, "client.jwks");
    lab
}

fn bundle(lab: &Lab, options: &str, name: &str) {
    lab.ok(&format!("bundle client --keys service.jwks {options} --allow-weak -o {name}"));
}

fn inspect(lab: &Lab, name: &str) -> serde_json::Value {
    lab.ok(&format!("inspect --json {name}")).json()["shops"]["tokyo"].clone()
}

/// The bytes of the whole pad that sealed lines use, none of them twice.
fn used(sealed: &[u8], used: &mut BTreeSet<u64>) {
    for line in lines(sealed) {
        let line = std::str::from_utf8(line).expect("sealed lines are text");
        let parts: Vec<&str> = line.split('.').collect();
        let offset: [u8; 8] = base64url_decode(parts[2]).try_into().expect("an offset of 8 bytes");
        let offset = u64::from_be_bytes(offset);
        let len = base64url_decode(parts[3]).len() as u64;
        for byte in offset..offset + len {
            assert!(used.insert(byte), "byte {byte} of the pad was used twice");
        }
    }
}

#[test]
fn clients_of_a_shop_have_disjoint_pieces_and_use_each_byte_once() {
    let lab = lab("--embodiment 1 --pad-bytes 20000", "--pad-bytes 6000");
    bundle(&lab, "--pad-bytes 5000", "other.jwks");
    assert_eq!(inspect(&lab, "service.jwks")["pad_bytes_allotted"], 11_000);
    assert_eq!(inspect(&lab, "service.jwks")["pad_bytes_left"], 9_000);
    assert_eq!(inspect(&lab, "tokyo.jwks")["pad_bytes"], 20_000);
    assert_eq!(inspect(&lab, "other.jwks")["pad_begins_at_byte"], 6_000);
    assert_eq!(inspect(&lab, "other.jwks")["pad_bytes_left"], 5_000);

    let batch = orders(7);
    let text = batch.len() - 7;
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for client in ["client.jwks", "other.jwks", "client.jwks"] {
        let line = format!("encrypt --allow-weak --bundle {client}");
        let sealed = lab.ok_with(&line, &batch).stdout;
        let first =
            header(lines(&sealed).next().map(|line| std::str::from_utf8(line).unwrap()).unwrap());
        assert_eq!(
            (first["alg"].as_str(), first["enc"].as_str()),
            (Some("dir"), Some("VERNAM-HS256"))
        );
        used(&sealed, &mut seen);
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, batch);
        all.extend(sealed);
    }
    assert_eq!(seen.len(), 3 * text);
    // What was reserved and not used is there again.
    assert_eq!(inspect(&lab, "client.jwks")["pad_bytes_left"], 6_000 - 2 * text);

    // The shop counts by the lines that it got; the same lines again are a second use.
    let counted = |files: &str| {
        lab.ok(&format!("inspect --json tokyo.jwks {files}")).json()["shops"]["tokyo"].clone()
    };
    lab.write("all.jwe", &all);
    let state = counted("--sealed all.jwe");
    assert_eq!(state["pad_bytes_used"], 3 * text);
    assert_eq!(state["pad_bytes_left"], 20_000 - 3 * text);
    assert_eq!(state.get("pad_bytes_used_twice"), None);
    assert_eq!(counted("--sealed all.jwe --sealed all.jwe")["pad_bytes_used_twice"], 3 * text);
    lab.refused(2, "inspect client.jwks --sealed all.jwe").says(&["a shop or a lone key"]);

    // The client's file holds its piece alone; the service gives no byte to two clients.
    let piece = lab.json("client.jwks")["keys"][0]["k"].as_str().map(base64url_decode).unwrap();
    assert_eq!(piece.len(), 16 + 6_000);
    let line = "bundle client --keys service.jwks --allow-weak --pad-bytes 9001 -o third.jwks";
    lab.refused(4, line).says(&["9001", "9000", "pad"]);
    assert!(!lab.has("third.jwks"));
    bundle(&lab, "--pad-bytes 9000", "third.jwks");
    lab.refused(4, "bundle client --keys service.jwks --allow-weak -o fourth.jwks");
}

#[test]
fn a_pad_that_is_too_short_is_refused_before_anything_is_written() {
    let lab = lab("--embodiment 1 --pad-bytes 4000", "--pad-bytes 100");
    let line = "encrypt --allow-weak --bundle client.jwks";
    // Exactly as long as the orders without their line feeds: it fits, and then nothing more does.
    let hundred = b"0123456789\n".repeat(10);
    lab.write("hundred", &hundred);
    lab.write("more", [&hundred[..], b"x\n"].concat());
    let before = lab.read("client.jwks");
    lab.refused(4, &format!("{line} more -o sealed.jwe")).says(&["101", "100", "--pad-bytes"]);
    assert!(!lab.has("sealed.jwe"));
    let run = lab.shell(&format!("$ORDERSEAL {line} < more"));
    assert_eq!((run.code, run.stdout), (Some(4), Vec::new()));
    let run = lab.refused_with(4, line, &[&hundred[..], b"x\n"].concat());
    assert!(run.stdout.is_empty());
    run.says(&["stdin: line 11"]);
    assert_eq!(lab.read("client.jwks"), before, "nothing was used");
    lab.ok(&format!("{line} hundred -o sealed.jwe"));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, hundred);
    lab.refused_with(4, line, b"x\n");
    lab.ok_with(line, b"\n\n"); // orders of nothing need no pad
}

#[test]
fn a_transaction_has_a_pad_of_its_own() {
    let lab = lab("--embodiment 3 --orders 4 --pad-bytes 50", "--orders 4");
    let line = "encrypt --allow-weak --bundle client.jwks";
    let sealed = lab.ok_with(line, b"one\ntwo\n").stdout;
    assert_eq!(lab.ok_with("decrypt --once --bundle tokyo.jwks", &sealed).stdout, b"one\ntwo\n");
    lab.write("long", ["short", &"x".repeat(51), ""].join("\n"));
    let before = inspect(&lab, "client.jwks");
    assert_eq!(before["unused"], 2);
    let run = lab.refused(4, &format!("{line} long"));
    assert!(run.stdout.is_empty());
    run.says(&["long: line 2", "51", "50"]);
    assert_eq!(inspect(&lab, "client.jwks"), before, "nothing was used");
    lab.refused(2, "bundle client --keys service.jwks --allow-weak --pad-bytes 9 -o x.jwks");
}

#[test]
fn a_user_s_pad_is_shared_by_the_user_s_clients() {
    let lab = lab("--embodiment 3 --orders 1 --pad-bytes 400", "");
    lab.ok("keys admit alice service.jwks --allow-weak");
    bundle(&lab, "--user alice --pad-bytes 100 --force", "client.jwks");
    bundle(&lab, "--user alice --pad-bytes 300", "second.jwks");
    lab.ok("bundle shop --keys service.jwks --allow-weak -o tokyo.jwks --force");
    let mut seen = BTreeSet::new();
    for client in ["client.jwks", "second.jwks", "client.jwks"] {
        let line = format!("encrypt --allow-weak --bundle {client}");
        let sealed = lab.ok_with(&line, b"tea\npaper\n").stdout;
        used(&sealed, &mut seen);
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\npaper\n");
    }
}

#[test]
fn a_lone_pad_counts_what_it_has_sealed() {
    let lab = Lab::new();
    lab.refused(4, "keygen --alg VERNAM --pad-bytes 100 -o pad.jwk").says(&["--allow-weak"]);
    for name in ["VERNAM", "VERNAM-HS256"] {
        lab.ok(&format!("keygen --alg {name} --pad-bytes 100 --allow-weak -o pad.jwk --force"));
    }
    assert_eq!(lab.json("pad.jwk")["alg"], "VERNAM-HS256");
    fs::copy(lab.path("pad.jwk"), lab.path("shop.jwk")).expect("a copy");
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let sealed = lab.ok_with("encrypt --allow-weak --key pad.jwk", b"ten bytes.\nx\n").stdout;
        used(&sealed, &mut seen);
        assert_eq!(lab.ok_with("decrypt --key shop.jwk", &sealed).stdout, b"ten bytes.\nx\n");
    }
    let state = lab.ok("inspect --json pad.jwk").json();
    assert_eq!((&state["pad_bytes"], &state["pad_bytes_left"]), (&100.into(), &78.into()));
    lab.ok("erase pad.jwk");
    assert!(!lab.has("pad.jwk"));
}

#[test]
fn a_pad_is_for_direct_schemes_of_secret_keys() {
    let lab = Lab::new();
    for embodiment in [2, 4, 5, 6] {
        let line = format!(
            "keygen --embodiment {embodiment} --enc VERNAM-HS256 --shop tokyo --allow-weak -o x.jwks"
        );
        lab.refused(2, &line).says(&["direct"]);
    }
    lab.refused(2, "keygen --embodiment 1 --shop tokyo --pad-bytes 9 -o x.jwks").says(&["VERNAM"]);
    let long = "keygen --alg VERNAM --allow-weak --pad-bytes 67108865 -o x.jwk";
    lab.refused(2, long);
    assert!(lab.names().is_empty());
}

#[test]
fn an_offset_outside_the_pad_is_not_authentic() {
    let lab = lab("--embodiment 1 --pad-bytes 400", "--pad-bytes 100");
    let sealed = lab.ok_with("encrypt --allow-weak --bundle client.jwks", b"tea\n").text();
    for offset in [1u64, 397, 398, 400, u64::MAX - 1, u64::MAX] {
        let line = common::with_part(sealed.trim_end(), 2, &offset.to_be_bytes());
        let run = lab.refused_with(5, "decrypt --bundle tokyo.jwks", line.as_bytes());
        run.says(&["stdin: line 1: authentication failed"]);
    }
}
