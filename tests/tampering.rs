//! What someone does to sealed lines on their way: nothing false opens, nothing unverified leaves,
//! and the messages do not tell why a key or a tag was wrong.

mod common;

use std::collections::BTreeSet;

use common::{
    CEK, Lab, Parts, base64url, base64url_decode, cek_jwk, header, kids, orders, seal, with_part,
};
use orderseal::ciphers::Wiped;
use orderseal::ciphers::random::{KeySource, SeededSource};
use orderseal::protocol::Place;
use orderseal::protocol::jose::jwe::{Carries, Opener};
use orderseal::protocol::store::keyfile::KeyFile;
use orderseal::protocol::store::{BlockKeys, OpeningFile, OpeningKeys};
use serde_json::{Value, json};

/// Puts another protected header on a sealed line.
fn with_header(line: &str, header: &Value) -> String {
    let (_, rest) = line.split_once('.').expect("five parts");
    format!("{}.{rest}", base64url(header.to_string().as_bytes()))
}

#[test]
fn no_byte_of_a_sealed_line_can_be_replaced_by_any_other() {
    for options in [
        "--embodiment 1",
        "--embodiment 2",
        "--embodiment 4 --enc A128CBC-HS256",
        "--embodiment 4 --enc A256CBC-HS512",
        "--embodiment 3 --enc A192GCM",
        "--embodiment 4 --wrap A128GCMKW",
        "--embodiment 4 --wrap A192KW",
    ] {
        let lab = Lab::with_keys(options, 1);
        let line = seal(&lab, b"order\n").remove(0).into_bytes();
        let mut batch = Vec::new();
        let mut count = 0;
        for place in 0..line.len() {
            // A line feed would make two lines of it; that is a test of its own.
            for byte in (0..=255).filter(|&byte| byte != line[place] && byte != b'\n') {
                let mut changed = line.clone();
                changed[place] = byte;
                batch.extend(changed);
                batch.push(b'\n');
                count += 1;
            }
        }
        let run =
            lab.run("decrypt --bundle tokyo.jwks --on-error skip --report report.ndjson", &batch);
        assert_eq!((run.code, run.stdout.len()), (Some(6), 0), "{options}");
        assert_eq!(common::lines(&lab.read("report.ndjson")).count(), count, "{options}");
    }
}

#[test]
fn one_changed_byte_leaves_no_output_file() {
    for (options, order) in [("--embodiment 1", "x\n"), ("--embodiment 6 --rsa-bits 2048", "x\n")] {
        let lab = Lab::with_keys(options, 1);
        let line = seal(&lab, order.as_bytes()).remove(0);
        for place in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[place] ^= 1;
            lab.write("sealed.jwe", changed);
            let run = lab.run("decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson", b"");
            assert!(
                matches!(run.code, Some(3..=5)),
                "{options}, byte {place}: {:?}\n{}",
                run.code,
                run.stderr
            );
            assert!(!lab.has("opened.ndjson"), "{options}, byte {place}");
        }
    }
}

#[test]
fn a_line_cut_anywhere_is_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let line = seal(&lab, b"order\n").remove(0);
    for end in 1..line.len() {
        let changed = format!("{}\n{}\n", &line[..end], &line[end..]);
        for input in [&changed.as_bytes()[..=end], changed.as_bytes()] {
            let run = lab.run("decrypt --bundle tokyo.jwks", input);
            assert!(matches!(run.code, Some(3..=5)), "cut at {end}: {:?}", run.code);
            assert_eq!(run.stdout, b"");
        }
    }
}

#[test]
fn nothing_leaves_a_file_with_one_bad_line_at_its_end() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let mut sealed = seal(&lab, &orders(50));
    sealed[49] = with_part(&sealed[49], 4, &[0; 16]);
    lab.write("sealed.jwe", sealed.join("\n") + "\n");
    let run = lab.refused(5, "decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson");
    run.says(&["sealed.jwe: line 50: authentication failed"]);
    assert_eq!(
        lab.names(),
        ["client.jwks", "orders.ndjson", "sealed.jwe", "service.jwks", "tokyo.jwks"]
    );
}

#[test]
fn the_first_bad_line_decides_at_any_number_of_threads() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let mut sealed = seal(&lab, &orders(400));
    sealed[399] = "nonsense".to_owned();
    sealed[211] = with_part(&sealed[211], 4, &[0; 16]);
    sealed[390] = "nonsense".to_owned();
    let batch = sealed.join("\n") + "\n";
    for threads in [1, 2, 8] {
        let run = lab.refused_with(
            5,
            &format!("decrypt --threads {threads} --bundle tokyo.jwks"),
            batch.as_bytes(),
        );
        run.says(&["stdin: line 212: authentication failed"]);
    }
}

#[test]
fn every_header_member_is_fixed_by_the_key_or_authenticated() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let sealed = seal(&lab, b"one\ntwo\n");
    let other = kids(sealed[1].as_bytes()).remove(0);
    let change = |name: &str, value: Value| {
        let mut head = header(&sealed[0]);
        head[name] = value;
        with_header(&sealed[0], &head)
    };
    for (code, line) in [
        (4, change("alg", json!("dir"))),
        (4, change("alg", json!("A128KW"))),
        (4, change("alg", json!("A256GCMKW"))),
        (4, change("alg", json!("RSA-OAEP-256"))),
        (4, change("alg", json!("RSA1_5"))),
        (4, change("alg", json!("none"))),
        (4, change("enc", json!("A128GCM"))),
        (4, change("enc", json!("A128CBC-HS256"))),
        (4, change("enc", json!("DES-CBC-HS256"))),
        (4, change("kid", json!("tokyo"))),
        (4, change("kid", json!("osaka/0123456789abcdef"))),
        (5, change("kid", json!(other))),
        (4, change("kid", json!("../../etc/passwd"))),
        (3, change("alg", json!(7))),
        (3, change("alg", Value::Null)),
        (3, change("enc", json!(["A256GCM"]))),
        (3, change("crit", json!(["exp"]))),
        (3, change("crit", json!([]))),
        (3, change("zip", json!("DEF"))),
        (5, change("jku", json!("https://keys.example/"))),
        (5, change("x", json!("an unknown member is ignored, but it is authenticated"))),
    ] {
        let run = lab.refused_with(code, "decrypt --bundle tokyo.jwks", line.as_bytes());
        assert_eq!(run.stdout, b"", "{}", header(&line));
        run.says(&["line 1"]);
    }
    // Members in another order and white space are the same JSON, but not what was authenticated.
    let mut text = header(&sealed[0]).to_string();
    text.push(' ');
    let (_, rest) = sealed[0].split_once('.').unwrap();
    let line = format!("{}.{rest}", base64url(text.as_bytes()));
    lab.refused_with(5, "decrypt --bundle tokyo.jwks", line.as_bytes());
}

#[test]
fn parts_of_two_lines_do_not_combine() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = seal(&lab, b"one order\ntwo order\n");
    for part in 1..=4 {
        let from: Vec<_> = sealed[1].split('.').collect();
        let line = with_part(&sealed[0], part, &base64url_decode(from[part]));
        lab.refused_with(5, "decrypt --bundle tokyo.jwks", line.as_bytes())
            .says(&["line 1: authentication failed"]);
    }
}

#[test]
fn keys_are_chosen_by_kid_and_never_tried() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let line = seal(&lab, b"order\n").remove(0);
    let mut head = header(&line);
    head.as_object_mut().unwrap().remove("kid");
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", with_header(&line, &head).as_bytes())
        .says(&["kid"]);

    // The right key under another name is another key.
    let mut set = lab.json("tokyo.jwks");
    set["keys"][0]["kid"] = json!("osaka");
    lab.write("keys.jwks", json!({"keys": set["keys"]}).to_string());
    lab.refused_with(4, "decrypt --key keys.jwks", line.as_bytes()).says(&["tokyo"]);

    // Two keys of one name are an error of the file, not a choice.
    let key = lab.json("tokyo.jwks")["keys"][0].clone();
    lab.write("keys.jwks", json!({"keys": [key, key]}).to_string());
    lab.refused_with(3, "decrypt --key keys.jwks", line.as_bytes()).says(&["keys.jwks", "tokyo"]);
}

#[test]
fn two_bundles_that_disagree_about_a_kid_are_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let line = seal(&lab, b"order\n").remove(0);
    lab.ok("keygen --embodiment 2 --shop tokyo -o other-service.jwks");
    lab.ok("bundle shop --keys other-service.jwks -o other.jwks");
    for bundles in
        ["--bundle tokyo.jwks --bundle other.jwks", "--bundle other.jwks --bundle tokyo.jwks"]
    {
        let run = lab.run(&format!("decrypt {bundles}"), line.as_bytes());
        assert!(matches!(run.code, Some(3 | 4)), "{:?} {}", run.code, run.stderr);
    }
}

#[test]
fn no_key_and_nonce_come_twice() {
    // Direct: every order has an IV of its own under the one key. Over two runs and three numbers of
    // threads, so that neither a thread nor a run starts where another did.
    let lab = Lab::with_keys("--embodiment 1", 1);
    let batch = b"\n".repeat(250_000);
    let mut ivs = BTreeSet::new();
    for threads in [1, 2, 8, 8] {
        let sealed = lab
            .ok_with(&format!("encrypt --threads {threads} --bundle client.jwks"), &batch)
            .text();
        ivs.extend(sealed.lines().map(|line| line.split('.').nth(2).unwrap().to_owned()));
    }
    assert_eq!(ivs.len(), 4 * 250_000);

    // Hybrid: every order has a content key of its own, seen through the deterministic key wrap.
    let lab = Lab::with_keys("--embodiment 2", 1);
    let mut keys = BTreeSet::new();
    for threads in [1, 2, 8, 8] {
        let sealed = lab
            .ok_with(&format!("encrypt --threads {threads} --bundle client.jwks"), &batch)
            .text();
        keys.extend(sealed.lines().map(|line| line.split('.').nth(1).unwrap().to_owned()));
    }
    assert_eq!(keys.len(), 4 * 250_000);
}

#[test]
fn equal_orders_do_not_look_equal() {
    for options in [
        "--embodiment 1",
        "--embodiment 2",
        "--content direct --scope shop --kind public --rsa-bits 2048",
    ] {
        let lab = Lab::with_keys(options, 1);
        let sealed = seal(&lab, b"the same\nthe same\n");
        let parts: Vec<Vec<&str>> = sealed.iter().map(|line| line.split('.').collect()).collect();
        assert_ne!(parts[0][2], parts[1][2], "{options}: IV");
        assert_ne!(parts[0][3], parts[1][3], "{options}: ciphertext");
    }
}

/// Orders are opened where their ciphertexts were decoded to, and moved forward over those that fail.
#[test]
fn nothing_stays_behind_the_orders_of_a_block() {
    let place = Place::file("cek.jwk");
    let mut keys = OpeningKeys::new(false);
    let file = KeyFile::parse(cek_jwk().as_bytes(), &place).unwrap();
    keys.add(OpeningFile::of(file, &place).unwrap(), &place).unwrap();
    let header = br#"{"alg":"dir","enc":"A256GCM"}"#;
    let order = [0x5a; 100];
    let good = Parts::seal(header, &CEK, &order).line(b"");
    let bad = with_part(&good, 4, &[0; 16]);
    let lines = [bad.as_bytes(), good.as_bytes(), bad.as_bytes()];
    let mut rng = SeededSource::new(1).stream(0);
    let keys = BlockKeys::new(&keys, &lines);
    let block = Opener::new(&keys, Carries::Order).open(&lines, Wiped::default(), &mut rng);
    assert_eq!(block.text[..], [&order[..], b"\n"].concat());
    let behind = block.text.len()..lines.len() * (order.len() + 1);
    assert!(block.text.capacity() >= behind.end);
    // SAFETY: every line wrote its ciphertext and a line feed before the text was shortened.
    let behind =
        unsafe { std::slice::from_raw_parts(block.text.as_ptr().add(behind.start), behind.len()) };
    assert!(behind.iter().all(|&byte| byte == 0), "{behind:x?}");
}
