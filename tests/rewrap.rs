//! `rewrap`: orders are opened and sealed anew in one pass.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Lab, STRACE, header, kids, lines, not_run, orders};
use serde_json::{Value, json};

/// Keys of several kinds, each as a file that opens and one that seals.
const KEYS: [(&str, &str); 6] = [
    ("kw", "A256KW"),
    ("gcm", "A128GCM"),
    ("ecdh", "ECDH-ES+A256KW"),
    ("agreed", "ECDH-ES"),
    ("rsa", "RSA-OAEP-256"),
    ("cbc", "A128CBC-HS256"),
];

fn lab() -> Lab {
    let lab = Lab::new();
    for (name, alg) in KEYS {
        let size = if alg.starts_with("RSA") { "--rsa-bits 2048" } else { "" };
        lab.ok(&format!("keygen --alg {alg} {size} --kid key-{name} -o {name}.jwk"));
    }
    lab
}

fn seal(lab: &Lab, key: &str, orders: &[u8]) -> Vec<u8> {
    lab.ok_with(&format!("encrypt --key {key}.jwk"), orders).stdout
}

fn was(line: &[u8]) -> Value {
    header(std::str::from_utf8(line).expect("ASCII"))["was"].clone()
}

#[test]
fn orders_come_out_under_the_new_key_and_are_the_same() {
    let (lab, orders) = (lab(), orders(300));
    for (from, _) in KEYS {
        let sealed = seal(&lab, from, &orders);
        lab.write("sealed.jwe", &sealed);
        for (to, _) in KEYS.iter().filter(|(to, _)| *to != from) {
            let line = format!("rewrap --from-key {from}.jwk --to-key {to}.jwk sealed.jwe");
            let resealed = lab.ok(&line).stdout;
            assert_eq!(lines(&resealed).count(), 300, "{line}");
            assert!(kids(&resealed).iter().all(|kid| *kid == format!("key-{to}")), "{line}");
            let opened = lab.ok_with(&format!("decrypt --key {to}.jwk"), &resealed);
            assert_eq!(opened.stdout, orders, "{line}");
            lab.refused_with(4, &format!("decrypt --key {from}.jwk"), &resealed);
        }
        assert_eq!(lab.read("sealed.jwe"), sealed);
    }
}

#[test]
fn lines_keep_what_more_people_could_have_made() {
    let lab = lab();
    let rewrap = |from: &str, to: &str, sealed: &[u8]| {
        lab.ok_with(&format!("rewrap --from-key {from}.jwk --to-key {to}.jwk --allow-weak"), sealed)
            .stdout
    };
    let public = seal(&lab, "rsa", b"tea\n");
    let secret = rewrap("rsa", "kw", &public);
    assert_eq!(was(&secret), "RSA-OAEP-256+A256GCM");
    // Nobody who can open it finds it changed, and it says so for good.
    let again = rewrap("kw", "gcm", &secret);
    assert_eq!(was(&again), "RSA-OAEP-256+A256GCM");
    let at_public = rewrap("gcm", "ecdh", &again);
    assert_eq!(
        was(&rewrap("ecdh", "cbc", &at_public)),
        "RSA-OAEP-256+A256GCM ECDH-ES+A256KW+A256GCM"
    );
    // From fewer people to more, a line tells nothing.
    assert_eq!(was(&rewrap("kw", "rsa", &seal(&lab, "kw", b"tea\n"))), Value::Null);
    assert_eq!(was(&rewrap("kw", "gcm", &seal(&lab, "kw", b"tea\n"))), Value::Null);
    lab.ok("keygen --alg DES-CBC-HS256 --kid key-des --allow-weak -o des.jwk");
    let weak = lab.ok_with("encrypt --key des.jwk --allow-weak", b"tea\n").stdout;
    assert_eq!(was(&rewrap("des", "kw", &weak)), "dir+DES-CBC-HS256");
    assert_eq!(was(&rewrap("des", "rsa", &weak)), Value::Null);
    // Lines of one file may have been different things.
    let mixed = [&public[..], &seal(&lab, "kw", b"ink\n"), &public, &weak].concat();
    let from = "--from-key rsa.jwk --from-key kw.jwk --from-key des.jwk";
    let line = format!("rewrap {from} --to-key gcm.jwk --allow-weak");
    let new = lab.ok_with(&line, &mixed).stdout;
    let found: Vec<Value> = lines(&new).map(was).collect();
    let rsa = json!("RSA-OAEP-256+A256GCM");
    assert_eq!(found, [rsa.clone(), Value::Null, rsa, json!("dir+DES-CBC-HS256")]);
    let opened = lab.ok_with("decrypt --key gcm.jwk", &new).stdout;
    assert_eq!(opened, b"tea\nink\ntea\ntea\n");
    lab.write("new.jwe", &new);
    let shown = lab.ok("inspect --json new.jwe").json();
    let groups = shown["group"].as_array().expect("an array");
    let counted: Vec<_> = groups.iter().map(|group| (&group["was"], &group["lines"])).collect();
    assert!(counted.contains(&(&json!("RSA-OAEP-256+A256GCM"), &json!(2))), "{counted:?}");
}

#[test]
fn only_the_protected_header_tells_what_a_line_was() {
    let lab = lab();
    let sealed = String::from_utf8(seal(&lab, "kw", b"tea\n")).expect("ASCII");
    let parts: Vec<&str> = sealed.trim_end().split('.').collect();
    let json_of = |protected: &str, unprotected: Value| {
        json!({
            "protected": protected, "unprotected": unprotected, "encrypted_key": parts[1],
            "iv": parts[2], "ciphertext": parts[3], "tag": parts[4],
        })
    };
    let line = "rewrap --from-key kw.jwk --to-key gcm.jwk";
    let forged = json_of(parts[0], json!({"was": "RSA-OAEP+A256GCM"})).to_string();
    assert_eq!(was(&lab.ok_with(line, forged.as_bytes()).stdout), Value::Null);
    // A line that says so in its protected header keeps it in any serialization.
    let public = seal(&lab, "rsa", b"tea\n");
    let told = lab.ok_with("rewrap --from-key rsa.jwk --to-key kw.jwk", &public).stdout;
    let told = String::from_utf8(told).expect("ASCII");
    let parts: Vec<&str> = told.trim_end().split('.').collect();
    let told = json!({
        "protected": parts[0], "encrypted_key": parts[1], "iv": parts[2], "ciphertext": parts[3],
        "tag": parts[4],
    });
    let again = lab.ok_with(line, told.to_string().as_bytes()).stdout;
    assert_eq!(was(&again), "RSA-OAEP-256+A256GCM");
}

#[test]
fn a_bundle_gives_an_id_to_each_line_that_opens() {
    for pool in ["--orders 500", "--pool derived"] {
        let lab = lab();
        lab.ok(&format!("keygen -e 4 --shop tokyo {pool} -o service.jwks"));
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
        lab.ok("bundle client --keyring service.jwks --orders 400 -o client.jwks");
        let orders = orders(300);
        let sealed = seal(&lab, "rsa", &orders);
        let mut damaged = lines(&sealed).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let dot = damaged[150].iter().position(|&byte| byte == b'.').expect("a dot");
        let byte = &mut damaged[150][dot + 10];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        lab.write("sealed.jwe", damaged.join(&b'\n'));
        let line = "rewrap --from-key rsa.jwk --to-key client.jwks sealed.jwe -o new.jwe";
        let before = lab.read("client.jwks");
        let refused = lab.refused(5, line);
        refused.says(&["sealed.jwe: line 151: authentication failed"]);
        assert!(!lab.has("new.jwe"));
        let spent = |lab: &Lab| {
            let shown = lab.ok("inspect --json client.jwks").json();
            shown["shops"]["tokyo"]["spent"].as_u64()
        };
        assert_eq!(spent(&lab), Some(0), "{pool}");
        assert!(before.len() <= lab.read("client.jwks").len());
        let line = format!("{line} --on-error skip --report skipped.ndjson");
        lab.refused(6, &line).says(&["1 of 300"]);
        let skipped: Value = serde_json::from_slice(&lab.read("skipped.ndjson")).expect("JSON");
        assert_eq!((&skipped["line"], &skipped["kind"]), (&json!(151), &json!("authentication")));
        assert_eq!(spent(&lab), Some(299), "{pool}");
        let opened = lab.ok("decrypt --bundle tokyo.jwks --once new.jwe").stdout;
        let expected: Vec<&[u8]> = lines(&orders).collect();
        let expected = [&expected[..150], &expected[151..]].concat();
        assert_eq!(lines(&opened).collect::<Vec<_>>(), expected, "{pool}");
        // There are 101 ids for 300 orders.
        lab.write("sealed.jwe", &sealed);
        lab.refused(4, "rewrap --from-key rsa.jwk --to-key client.jwks sealed.jwe -o newer.jwe")
            .says(&["no unused transaction id"]);
        assert_eq!((spent(&lab), lab.has("newer.jwe")), (Some(299), false), "{pool}");
    }
}

#[test]
fn a_shop_moves_its_archive_to_its_next_key() {
    let lab = Lab::new();
    lab.ok("keygen -e 2 --shop tokyo -o service.jwks");
    lab.ok("bundle client --keyring service.jwks -o client.jwks");
    let orders = orders(600).repeat(3);
    lab.write("archive.jwe", lab.ok_with("encrypt --bundle client.jwks", &orders).stdout);
    lab.ok("keys rotate --keep-last 1 service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    let done =
        lab.ok("rewrap --from-key tokyo.jwks --to-key tokyo.jwks archive.jwe -o new.jwe --json");
    assert_eq!((&done.json()["orders"], &done.json()["failed"]), (&json!(1800), &json!(0)));
    lab.ok("erase --generation tokyo tokyo.jwks");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks new.jwe").stdout, orders);
    lab.refused(4, "decrypt --bundle tokyo.jwks archive.jwe");
    lab.write("idle.jwks", lab.read("tokyo.jwks"));
    lab.mode("idle.jwks", 0o600);
    lab.ok("erase --programs idle.jwks");
    lab.refused(4, "rewrap --from-key tokyo.jwks --to-key idle.jwks new.jwe").says(&["program"]);
    // A key whose use is counted, and a shop with a key for each order, need a client's bundle.
    for (options, why) in [("-e 1", "counted"), ("-e 4", "expected one of a client")] {
        lab.ok(&format!("keygen {options} --shop osaka -o other.jwks --force"));
        lab.ok("bundle shop --keyring other.jwks -o osaka.jwks --force");
        lab.refused(4, "rewrap --from-key tokyo.jwks --to-key osaka.jwks new.jwe").says(&[why]);
    }
}

#[test]
fn documents_streams_and_wrapped_keys_stay_what_they_are() {
    let lab = lab();
    let text = [&orders(50)[..], &[0, 255, b'\n', b'\n', 7]].concat();
    lab.write("text", &text);
    lab.ok("encrypt --key rsa.jwk --document text -o document.jwe");
    lab.refused(3, "rewrap --from-key rsa.jwk --to-key kw.jwk document.jwe").says(&["line feed"]);
    lab.ok("rewrap --from-key rsa.jwk --to-key kw.jwk --document document.jwe -o new.jwe");
    assert_eq!(lab.ok("decrypt --key kw.jwk --document new.jwe").stdout, text);
    assert_eq!(was(&lab.read("new.jwe")), "RSA-OAEP-256+A256GCM");

    for len in [0, 1, 65_536, 3_000_001] {
        let content: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        lab.write("content", &content);
        lab.ok("encrypt --key rsa.jwk --stream content -o content.sealed --force");
        lab.ok("rewrap --from-key rsa.jwk --to-key gcm.jwk content.sealed -o new.sealed --force");
        assert!(lab.ok("decrypt --key gcm.jwk new.sealed").stdout == content, "{len}");
        let sealed = lab.read("content.sealed");
        lab.write("cut.sealed", &sealed[..sealed.len() - 1]);
        lab.refused(5, "rewrap --from-key rsa.jwk --to-key gcm.jwk cut.sealed -o cut.new");
        assert!(!lab.has("cut.new"));
    }

    lab.ok("wrap --with rsa.jwk gcm.jwk -o wrapped.jwe");
    lab.ok("rewrap --from-key rsa.jwk --to-key kw.jwk wrapped.jwe -o wrapped-2.jwe");
    lab.ok("decrypt --key kw.jwk wrapped-2.jwe -o unwrapped.jwk");
    assert_eq!(lab.json("unwrapped.jwk")["k"], lab.json("gcm.jwk")["k"]);
}

#[test]
fn old_and_new_line_count_as_one_order() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab.ok("bundle client --keyring service.jwks --orders 6 -o old.jwks");
    lab.ok("bundle client --keyring service.jwks --orders 6 -o new.jwks");
    fs::copy(lab.path("old.jwks"), lab.path("copy.jwks")).expect("copied");
    let sealed = lab.ok_with("encrypt --bundle old.jwks", b"a\nb\nc\nd\n").stdout;
    let all: Vec<&[u8]> = lines(&sealed).collect();
    lab.write("opened.jwe", [all[0], all[2]].join(&b'\n'));
    lab.write("all.jwe", &sealed);
    lab.ok("decrypt --bundle tokyo.jwks --ledger ledger opened.jwe -o opened");
    let line = "rewrap --from-key tokyo.jwks --to-key new.jwks all.jwe -o new.jwe";
    lab.refused(4, line).says(&["ledger"]);
    lab.ok(&format!("{line} --ledger ledger"));
    let open = |file: &str| {
        let line = format!("decrypt --bundle tokyo.jwks --ledger ledger {file} --on-error skip");
        lab.run(&line, b"").stdout
    };
    assert_eq!(open("all.jwe"), b"", "the old lines have been replaced");
    assert_eq!(open("new.jwe"), b"b\nd\n", "the others had been opened");
    assert_eq!(open("new.jwe"), b"");
    // Another order under an old id stays refused.
    lab.write("twice.jwe", lab.ok_with("encrypt --bundle copy.jwks", b"x\n").stdout);
    lab.refused(7, "rewrap --from-key tokyo.jwks --to-key new.jwks --ledger ledger twice.jwe -o x");
}

#[test]
fn two_files_are_compared_order_by_order() {
    let (lab, orders) = (lab(), orders(300));
    lab.write("old.jwe", seal(&lab, "rsa", &orders));
    lab.ok("rewrap --from-key rsa.jwk --to-key kw.jwk old.jwe -o new.jwe");
    let line = "rewrap --check --from-key rsa.jwk --to-key kw.jwk old.jwe";
    assert_eq!(lab.ok(&format!("{line} new.jwe")).text(), "300 orders the same\n");
    let new = lab.read("new.jwe");
    let new: Vec<&[u8]> = lines(&new).collect();
    let swapped = [&new[..7], &[new[8], new[7]], &new[9..]].concat();
    for (name, lines, line_number) in [
        ("short", new[..299].to_vec(), 300),
        ("long", [&new[..], &[new[0]]].concat(), 301),
        ("swapped", swapped, 8),
        ("other", [&new[..40], &[new[0]], &new[41..]].concat(), 41),
    ] {
        lab.write(name, lines.join(&b'\n'));
        lab.refused(3, &format!("{line} {name}")).says(&[&format!("{name}: line {line_number}: ")]);
    }
    lab.refused(2, line).says(&["two files"]);
}

#[test]
fn a_failure_on_either_side_ends_both() {
    let lab = lab();
    // Many blocks, so that both sides are in the middle of their work.
    let many = orders(600).repeat(80);
    let sealed = seal(&lab, "kw", &many);
    let line = "rewrap --from-key kw.jwk --to-key gcm.jwk";
    for threads in ["1", "3"] {
        let cut = lines(&sealed).take(40_000).chain([&b"junk"[..]]).collect::<Vec<_>>();
        let input = [&cut.join(&b'\n')[..], b"\n", &sealed].concat();
        lab.refused_with(3, &format!("{line} --threads {threads}"), &input)
            .says(&["stdin: line 40001: "]);
        // The reader goes away.
        let command =
            format!("$ORDERSEAL {line} --threads {threads} sealed.jwe | head -c 10 > head");
        lab.write("sealed.jwe", &sealed);
        let run = lab.shell(&format!("set -o pipefail; {command}; exit ${{PIPESTATUS[0]}}"));
        assert_ne!(run.code, Some(0), "{}", run.stderr);
    }
    lab.write("sealed.jwe", &sealed);
    lab.refused(2, &format!("{line} sealed.jwe -o sealed.jwe --force"));
    assert_eq!(lab.read("sealed.jwe"), sealed);
    lab.refused(2, &format!("{line} sealed.jwe -o kw.jwk --force"));
}

#[test]
fn a_killed_run_leaves_the_old_file_and_no_new_one() {
    if !*STRACE {
        return not_run("killing at system calls", "strace cannot inject faults here");
    }
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 40 -o service.jwks");
    lab.ok("bundle client --keyring service.jwks --orders 6 -o old.jwks");
    lab.ok("bundle client --keyring service.jwks --orders 30 -o spare.jwks");
    let sealed = lab.ok_with("encrypt --bundle old.jwks", b"a\nb\nc\n").stdout;
    lab.write("old.jwe", &sealed);
    for call in ["fsync", "fdatasync", "linkat", "renameat2", "pwrite64", "write"] {
        for number in 1..=6 {
            for file in ["new.jwe", "ledger", "tokyo.jwks"] {
                let _ = fs::remove_file(lab.path(file));
            }
            lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
            fs::copy(lab.path("spare.jwks"), lab.path("new.jwks")).expect("copied");
            let killed = Command::new("strace")
                .args(["-f", "-o", "/dev/null"])
                .arg(format!("-einject={call}:signal=KILL:when={number}"))
                .arg(common::ORDERSEAL)
                .args("rewrap --from-key tokyo.jwks --to-key new.jwks --ledger ledger".split(' '))
                .args(["old.jwe", "-o", "new.jwe"])
                .current_dir(lab.dir())
                .stderr(Stdio::null())
                .status()
                .expect("strace runs");
            assert_eq!(lab.read("old.jwe"), sealed);
            let open = |file: &str| {
                let line = format!("decrypt --bundle tokyo.jwks --ledger ledger {file}");
                lab.run(&format!("{line} --on-error skip"), b"").stdout
            };
            // Nothing is lost: each order opens from the old file or from the new one.
            let new = if lab.has("new.jwe") { open("new.jwe") } else { Vec::new() };
            let old = open("old.jwe");
            let mut found: Vec<&[u8]> = lines(&new).chain(lines(&old)).collect();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, [b"a", b"b", b"c"], "{call} {number}: {killed}");
            if lab.has("new.jwe") {
                assert_eq!(lines(&lab.read("new.jwe")).count(), 3, "{call} {number}");
            }
        }
    }
}
