//! Files that the security service signs: bundles and pages.

mod common;

use common::{Lab, base64url_decode};
use serde_json::{Value, json};

/// A keyring, and the service's signing key.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.ok("keygen -e 6 --shop tokyo --orders 9 --wrap ECDH-ES+A256KW -o service.jwks");
    lab.ok("keygen --alg EdDSA -o sign.jwk --public-out service.jwk");
    lab
}

/// A command that signs, the file that it makes, and what that is signed as.
const SIGNED: [(&str, &str, &str); 5] = [
    ("bundle client --keyring service.jwks", "client.jwks", "client's bundle"),
    ("bundle shop --keyring service.jwks", "tokyo.jwks", "shop's bundle"),
    ("bundle service --keyring service.jwks", "public.jwks", "keyring of public halves"),
    ("bundle page --keyring service.jwks", "page.json", "item page"),
    (
        "bundle client --keyring service.jwks --form html --send-to https://shop.example/",
        "order.html",
        "order page",
    ),
];

#[test]
fn what_the_service_hands_out_is_signed_and_verified() {
    let lab = lab();
    let thumbprint = lab.json("service.jwk")["kid"].clone();
    let thumbprint = thumbprint.as_str().unwrap();
    for (command, file, kind) in SIGNED {
        lab.ok(&format!("{command} --sign-with sign.jwk -o {file}"));
        let verify = format!("inspect --verify-with service.jwk {file}");
        lab.ok(&verify).says(&[]);
        let run = lab.ok(&verify);
        let words = format!("{file}: signed as {kind} by {thumbprint}");
        assert!(run.stderr.contains(&words), "{words} in:\n{}", run.stderr);
        assert_eq!(run.stdout, lab.ok(&format!("inspect {file}")).stdout);

        // A byte more, a byte less, or another one, anywhere: nothing is shown.
        let good = lab.read(file);
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            lab.write(file, &bad);
            let run = lab.refused(5, &verify);
            assert!(run.stdout.is_empty());
        }
        lab.write(file, &good[..good.len() - 1]);
        lab.refused(5, &verify);
        lab.write(file, [&good[..], b"\n"].concat());
        lab.refused(5, &verify);
        lab.write(file, &good);
        lab.ok(&verify);
    }
}

#[test]
fn another_key_is_refused_with_both_thumbprints() {
    let lab = lab();
    lab.ok("keygen --alg EdDSA --kid other -o other-sign.jwk --public-out other.jwk");
    assert_eq!(lab.json("other.jwk")["kid"], "other");
    let client = "bundle client --keyring service.jwks --sign-with";
    lab.ok(&format!("{client} sign.jwk -o client.jwks"));
    lab.ok(&format!("{client} other-sign.jwk -o evil.jwks"));
    let kid = lab.json("service.jwk")["kid"].as_str().unwrap().to_owned();
    let run = lab.refused(4, "inspect --verify-with other.jwk client.jwks");
    run.says(&[&format!("client.jwks: the file is signed by {kid}, expected ")]);
    let run = lab.refused(4, "inspect --verify-with service.jwk evil.jwks");
    run.says(&[&format!("expected {kid}")]);
    // The signature of one file is none of another.
    lab.write("evil.jwks.jws", lab.read("client.jwks.jws"));
    lab.refused(5, "inspect --verify-with service.jwk evil.jwks");
}

#[test]
fn an_item_page_names_the_key_of_the_service() {
    let lab = lab();
    lab.ok("bundle page --keyring service.jwks --service-key service.jwk -o page.json");
    lab.ok(
        "bundle client --keyring service.jwks --page page.json --sign-with sign.jwk -o client.jwks",
    );
    lab.ok("inspect --verify-with page.json client.jwks");
    assert_eq!(
        lab.ok("inspect --json page.json").json()["service_key"],
        lab.json("service.jwk")["kid"]
    );
    lab.ok("keygen --alg EdDSA -o other-sign.jwk --public-out other.jwk");
    // The page has the whole key, so that a browser can verify with it.
    let key = lab.json("page.json")["orderseal"]["service_key"].clone();
    let jwk = lab.json("service.jwk");
    assert_eq!((&key["crv"], &key["x"]), (&json!("Ed25519"), &jwk["x"]));
    lab.ok("bundle page --keyring service.jwks --service-key page.json -o same.json");
    assert_eq!(lab.read("same.json"), lab.read("page.json"));
    lab.ok("bundle page --keyring service.jwks --service-key other.jwk -o other.json");
    lab.refused(4, "inspect --verify-with other.json client.jwks").says(&["is signed by"]);
    lab.ok("bundle page --keyring service.jwks -o plain.json");
    lab.refused(3, "inspect --verify-with plain.json client.jwks").says(&["service_key"]);
}

#[test]
fn the_signature_is_a_detached_jws_of_the_exact_bytes() {
    let lab = lab();
    lab.ok("bundle client --keyring service.jwks --sign-with sign.jwk -o client.jwks");
    let token = String::from_utf8(lab.read("client.jwks.jws")).unwrap();
    let (header, signature) = token.trim().split_once("..").expect("no payload");
    assert_eq!(base64url_decode(signature).len(), 64);
    let header: Value = serde_json::from_slice(&base64url_decode(header)).unwrap();
    let key = lab.json("service.jwk");
    let jwk = json!({"crv": "Ed25519", "kty": "OKP", "x": key["x"]});
    let expected = json!({
        "alg": "EdDSA", "typ": "orderseal-file", "kind": "client's bundle", "kid": key["kid"], "jwk": jwk,
    });
    assert_eq!(header, expected);
}

#[test]
fn signing_keys_are_kept_like_other_secrets() {
    let lab = lab();
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("sign.jwk"), 0o600);
    assert_eq!(lab.json("service.jwk").get("d"), None);
    lab.mode("sign.jwk", 0o644);
    let client = "bundle client --keyring service.jwks --sign-with sign.jwk -o client.jwks";
    lab.refused(4, client).says(&["others can read it"]);
    lab.mode("sign.jwk", 0o600);
    let stdout = "bundle client --keyring service.jwks --sign-with sign.jwk";
    lab.refused(2, stdout).says(&["use -o FILE"]);
    lab.mode("service.jwk", 0o600);
    let public = "bundle client --keyring service.jwks --sign-with service.jwk -o client.jwks";
    lab.refused(3, public).says(&["service.jwk", "\"d\""]);
    assert!(!lab.has("client.jwks") && !lab.has("client.jwks.jws"));
    let twice = "bundle client --keyring service.jwks --sign-with sign.jwk --signing-key c.jwks.jws -o c.jwks";
    lab.refused(2, twice).says(&["--signing-key and --sign-with name the same file"]);
    lab.refused(2, "keygen --alg EdDSA --public-out -").says(&["same file"]);
    for option in
        ["--expires 2030-01-01", "--not-before 2030-01-01", "--rsa-bits 2048", "--curve P-256"]
    {
        let line = format!("keygen --alg EdDSA {option} -o k.jwk");
        lab.refused(2, &line).says(&["has no effect on a key that signs"]);
    }
    // Nothing was handed out meanwhile.
    let shops = lab.json("service.jwks")["orderseal"]["shops"].clone();
    assert_eq!(shops["tokyo"].get("issued"), None);
    lab.refused(1, "inspect --verify-with service.jwk service.jwks").says(&["service.jwks.jws"]);
}
