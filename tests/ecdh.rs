//! Elliptic curves: `ECDH-ES` alone and with key wrap, on every curve, between the three roles, and
//! as other software and the standards have it.

mod common;

use std::collections::BTreeSet;

use common::{Lab, base64url, base64url_decode, header, orders, seal, with_part};
use orderseal::ciphers::aes::AesKey;
use orderseal::ciphers::aes::kw::{Keks, OVERHEAD, unwrap_many};
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::ecdh::{Curve, PartyInfo, PrivateKey, PublicKey, agree, concat_kdf};
use serde_json::{Value, json};

const CURVES: [(&str, &str, usize); 4] =
    [("X25519", "OKP", 32), ("P-256", "EC", 32), ("P-384", "EC", 48), ("P-521", "EC", 66)];

const ALGORITHMS: [&str; 3] = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];

/// The ephemeral public key of a line.
fn epk(line: &str) -> Value {
    header(line)["epk"].clone()
}

#[test]
fn every_algorithm_seals_and_opens_on_every_curve() {
    for (curve, kty, bytes) in CURVES {
        for alg in ALGORITHMS {
            let lab = Lab::new();
            lab.ok(&format!("keygen --alg {alg} --curve {curve} -o key.jwk"));
            let key = lab.json("key.jwk");
            let (kty, curve) = (Value::from(kty), Value::from(curve));
            assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&kty, &curve, &alg.into()));
            for member in ["x", "d"] {
                assert_eq!(base64url_decode(key[member].as_str().unwrap()).len(), bytes);
            }
            lab.write("public.jwks", lab.ok("inspect --public key.jwk").text());
            let public = &lab.json("public.jwks")["keys"][0];
            assert!(public.get("d").is_none() && public["x"] == key["x"]);
            for enc in ["A256GCM", "A128CBC-HS256"] {
                let line = format!("encrypt --key public.jwks --enc {enc}");
                let sealed = lab.ok_with(&line, &orders(9)).text();
                let keys: BTreeSet<String> =
                    sealed.lines().map(|line| epk(line)["x"].to_string()).collect();
                assert_eq!(keys.len(), 9, "{alg}: each line has an ephemeral key of its own");
                for line in sealed.lines() {
                    let epk = epk(line);
                    assert_eq!((&epk["kty"], &epk["crv"]), (&kty, &curve));
                    assert!(epk.get("d").is_none());
                    let has_key = !line.split('.').nth(1).unwrap().is_empty();
                    assert_eq!(has_key, alg != "ECDH-ES", "{alg}");
                }
                let opened = lab.ok_with("decrypt --key key.jwk", sealed.as_bytes());
                assert_eq!(opened.stdout, orders(9), "{alg} {enc} {curve}");
            }
        }
    }
}

#[test]
fn clients_hold_public_keys_and_shops_open() {
    for options in [
        "--embodiment 6 --wrap ECDH-ES+A256KW",
        "--embodiment 6 --wrap ECDH-ES+A128KW --curve X25519",
        "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW --curve P-521",
        "--content direct --scope shop --kind public --wrap ECDH-ES --curve X25519",
        "--content direct --scope transaction --kind public --wrap ECDH-ES --enc A128GCM",
    ] {
        let lab = Lab::with_keys(options, 3);
        for key in lab.json("client.jwks")["keys"].as_array().unwrap() {
            assert!(key.get("d").is_none() && key.get("x").is_some(), "{options}");
        }
        for key in lab.json("tokyo.jwks")["keys"].as_array().unwrap() {
            let secret = key["d"].as_str().expect("a shop's key opens");
            for file in ["service.jwks", "tokyo.jwks", "client.jwks"] {
                let shown = lab.ok(&format!("inspect {file}")).text();
                assert!(!shown.contains(secret), "{options}: inspect {file}");
                let public = lab.ok(&format!("inspect --public {file}")).text();
                assert!(!public.contains(secret), "{options}: inspect --public {file}");
            }
        }
        let sealed = seal(&lab, &orders(3)).join("\n");
        let opened = lab.ok_with("decrypt --bundle tokyo.jwks", sealed.as_bytes());
        assert_eq!(opened.stdout, orders(3), "{options}");
    }
}

/// P-256 is what every JOSE library and every browser has.
#[test]
fn the_curve_is_p_256_unless_another_is_named() {
    let lab = Lab::new();
    lab.ok("keygen --alg ECDH-ES+A256KW -o key.jwk");
    assert_eq!(lab.json("key.jwk")["crv"], "P-256");
    let wrong = "keygen --alg RSA-OAEP-256 --curve P-256 -o rsa.jwk";
    lab.refused(2, wrong).says(&["--curve is for ECDH-ES keys, the key is for RSA-OAEP-256"]);
    for (wrong, words) in [
        ("--embodiment 4 --wrap ECDH-ES+A256KW", "the other kind of key"),
        ("--embodiment 6 --wrap ECDH-ES", "ECDH-ES wraps no key and is for direct schemes"),
        ("--embodiment 5 --wrap ECDH-ES+A256KW", "--wrap is for hybrid schemes"),
        ("--embodiment 5 --wrap ECDH-ES --enc des --allow-weak", "standard ciphers only"),
    ] {
        lab.refused(2, &format!("keygen {wrong} --shop tokyo -o no.jwks")).says(&[words]);
    }
}

/// A number of 69 bytes, too long for every curve.
const LONG: &str =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_change_in_any_part_is_noticed() {
    for options in [
        "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW --curve X25519",
        "--content direct --scope shop --kind public --wrap ECDH-ES",
    ] {
        let lab = Lab::with_keys(options, 1);
        let lines = seal(&lab, &orders(2));
        let head = header(&lines[0]);
        let with_header = |change: &dyn Fn(&mut Value)| {
            let mut head = head.clone();
            change(&mut head);
            let rest = lines[0].split_once('.').unwrap().1;
            format!("{}.{rest}", base64url(head.to_string().as_bytes()))
        };
        let open = |line: &str| lab.run("decrypt --bundle tokyo.jwks", line.as_bytes());
        // The ephemeral key of another line, and information about a party: another key is derived.
        let other = epk(&lines[1]);
        for line in [
            with_header(&|head| head["epk"] = other.clone()),
            with_header(&|head| head["apu"] = "QWxpY2U".into()),
            with_header(&|head| head["apv"] = "Qm9i".into()),
        ] {
            assert_eq!(open(&line).code, Some(5), "{options}");
        }
        let epk_with = |member: &'static str, value: &'static str| {
            with_header(&move |head| head["epk"][member] = value.into())
        };
        for (line, words) in [
            (
                with_header(&|head| drop(head.as_object_mut().unwrap().remove("epk"))),
                "no member \"epk\"",
            ),
            (with_header(&|head| head["epk"] = "x".into()), "\"epk\""),
            (with_header(&|head| head["apu"] = "=".into()), "\"apu\""),
            (epk_with("x", LONG), "member \"epk\": member \"x\" has 69 bytes"),
            (epk_with("crv", "X448"), "member \"epk\": curve \"X448\" (RFC 8037 section 3.2)"),
            (epk_with("kty", "RSA"), "member \"epk\": key type \"RSA\""),
        ] {
            let run = open(&line);
            assert_eq!(run.code, Some(3), "{options}: {words}");
            run.says(&["line 1: header", words]);
        }
    }
}

/// An ephemeral key that is not on the curve, one on another curve, and one that makes the shared
/// secret zero fail alone: other lines of the batch are opened.
#[test]
fn an_invalid_ephemeral_key_is_a_failure_of_its_line() {
    for (curve, invalid, words) in [
        (
            "P-256",
            json!({"kty": "EC", "crv": "P-256", "x": base64url(&[1; 32]), "y": base64url(&[1; 32])}),
            "are not a point of P-256",
        ),
        (
            "P-256",
            json!({"kty": "OKP", "crv": "X25519", "x": base64url(&[9; 32])}),
            "is a key on X25519, the key that opens the order is on P-256",
        ),
        (
            "X25519",
            json!({"kty": "OKP", "crv": "X25519", "x": base64url(&[0; 32])}),
            "a point of low order",
        ),
    ] {
        let options = "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW --curve";
        let lab = Lab::with_keys(&format!("{options} {curve}"), 1);
        let mut lines = seal(&lab, &orders(3));
        let mut head = header(&lines[1]);
        head["epk"] = invalid;
        let rest = lines[1].split_once('.').unwrap().1.to_owned();
        lines[1] = format!("{}.{rest}", base64url(head.to_string().as_bytes()));
        let sealed = lines.join("\n");
        let run = lab.run("decrypt --bundle tokyo.jwks --on-error skip", sealed.as_bytes());
        assert_eq!(run.code, Some(6));
        run.says(&["line 2", words]);
        let all = orders(3);
        let expected: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(run.stdout, [expected[0], expected[2]].concat());
    }
    let options = "--content direct --scope shop --kind public --wrap ECDH-ES";
    let lab = Lab::with_keys(options, 1);
    let line = with_part(&seal(&lab, b"one\n")[0], 1, &[7; 40]);
    lab.refused_with(3, "decrypt --bundle tokyo.jwks", line.as_bytes());
}

#[test]
fn a_key_that_is_agreed_on_heads_no_chain_and_is_not_typed() {
    let lab = Lab::with_keys("--content direct --scope shop --kind public --wrap ECDH-ES", 1);
    let line = seal(&lab, b"one\n").remove(0);
    let (mut head, rest) = (header(&line), line.split_once('.').unwrap().1);
    head["chain"] = json!([base64url(&[1; 40])]);
    head["crit"] = json!(["chain"]);
    let chained = format!("{}.{rest}", base64url(head.to_string().as_bytes()));
    let run = lab.refused_with(3, "decrypt --bundle tokyo.jwks", chained.as_bytes());
    run.says(&["direct key agreement"]);
    let chained = "bundle client --keys service.jwks --layers 2 -o chained.jwks";
    lab.refused(2, chained).says(&["chain"]);
    lab.ok("keygen --alg ECDH-ES -o key.jwk");
    let run = lab.refused_with(4, "encrypt --key key.jwk --layers 2", b"one\n");
    run.says(&["there is no key to chain"]);
    lab.write("phrase.txt", "nine words that nobody else would ever think of");
    lab.refused_with(2, "encrypt --key key.jwk --typed-key phrase.txt", b"one\n");
}

/// Lines of jwcrypto under keys that name no algorithm.
#[test]
fn lines_of_other_software_open() {
    const X25519: &str = r#"{"crv":"X25519","d":"sOuTAmnRO1tVgnOgyiY0kYgRdzwRszdWJ2wQp2kSYHg","kty":"OKP","x":"tVMwNDR6zGDYHfhEDZgkPJGBFRzzpuxwbOogIS5W7GI"}"#;
    let lab = Lab::new();
    lab.write("p-256.jwk", include_bytes!("foreign/ec.jwk"));
    lab.write("x25519.jwk", X25519);
    let line = include_bytes!("foreign/ecdh-es.jwe");
    assert!(!lab.ok_with("decrypt --key p-256.jwk", line).stdout.is_empty());
    let line = include_bytes!("foreign/ecdh-es-x25519.jwe");
    assert!(!lab.ok_with("decrypt --key x25519.jwk", line).stdout.is_empty());
    let run = lab.refused_with(3, "decrypt --key p-256.jwk", line);
    run.says(&["\"epk\" is a key on X25519, the key that opens the order is on P-256"]);
}

#[test]
fn keys_whose_members_contradict_each_other_are_refused() {
    let lab = Lab::new();
    lab.ok("keygen --alg ECDH-ES --curve P-384 -o p-384.jwk");
    lab.ok("keygen --alg ECDH-ES --curve X25519 -o x25519.jwk");
    lab.ok("keygen --alg ECDH-ES --curve X25519 -o other.jwk");
    let (p384, x25519) = (lab.json("p-384.jwk"), lab.json("x25519.jwk"));
    let with = |key: &Value, member: &str, value: Value| {
        let mut key = key.clone();
        key[member] = value;
        key.to_string()
    };
    let low = Value::from(base64url(&[0; 32]));
    for (key, words) in [
        (with(&x25519, "d", lab.json("other.jwk")["d"].clone()), "\"d\" is not the secret number"),
        (with(&x25519, "x", low), "low order"),
        (with(&p384, "x", p384["y"].clone()), "not a point of P-384"),
        (with(&p384, "d", base64url(&[0; 48]).into()), "\"d\" is zero, or not below the order"),
        (with(&p384, "d", base64url(&[0xff; 48]).into()), "\"d\" is zero, or not below the order"),
        (with(&p384, "d", base64url(&[1; 49]).into()), "\"d\" has 49 bytes, P-384 takes 48"),
        (with(&p384, "crv", "P-256".into()), "\"x\" has 48 bytes, P-256 takes 32"),
    ] {
        lab.write("bad.jwk", key);
        lab.refused_with(4, "decrypt --key bad.jwk", b"").says(&[words]);
    }
}

#[test]
fn key_ops_of_an_agreement_permit_it() {
    let lab = Lab::new();
    lab.ok("keygen --alg ECDH-ES+A256KW -o key.jwk");
    let sealed = lab.ok_with("encrypt --key key.jwk", b"one\n").stdout;
    let with_ops = |ops: Value| {
        let mut key = lab.json("key.jwk");
        key["key_ops"] = ops;
        lab.write("ops.jwk", key.to_string());
    };
    let wrapping = json!(["wrapKey", "unwrapKey"]);
    for ops in [json!(["deriveKey"]), json!(["deriveBits", "deriveKey"]), wrapping, Value::Null] {
        with_ops(ops);
        assert_eq!(lab.ok_with("decrypt --key ops.jwk", &sealed).stdout, b"one\n");
        lab.ok_with("encrypt --key ops.jwk", b"one\n");
    }
    // WebCrypto writes an empty list for the public half, and only there is it accepted.
    let mut public = lab.json("key.jwk");
    (public["key_ops"], public["ext"]) = (json!([]), true.into());
    lab.write("ops.jwk", public.to_string());
    lab.refused_with(4, "encrypt --key ops.jwk", b"one\n").says(&["nothing (key_ops)"]);
    public.as_object_mut().unwrap().remove("d");
    lab.write("ops.jwk", public.to_string());
    let sealed_by_public = lab.ok_with("encrypt --key ops.jwk", b"one\n").stdout;
    assert_eq!(lab.ok_with("decrypt --key key.jwk", &sealed_by_public).stdout, b"one\n");
    with_ops(json!(["wrapKey"]));
    lab.refused_with(4, "decrypt --key ops.jwk", &sealed)
        .says(&["deriveKey or deriveBits or unwrapKey"]);
}

/// Keys and orders of "x" that authlib 1.9.10 made: it leaves out leading zeros of coordinates.
const SHORT: [(&str, &str); 2] = [
    (
        r#"{"crv":"P-256","x":"O5uGyspP7jLAOdSuw0MnC3QaKc9bFNfVrmxWs1tcDrU","y":"asv_Exm5J7fZFQ_MF-QkDexHTN5dAfg6MkiJEr86HvQ","d":"oWGjxd3Ek3VmvpugMERMAyKknv-ln5q6--OT4bKV7CQ","kty":"EC"}"#,
        "eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkExMjhHQ00iLCJlcGsiOnsiY3J2IjoiUC0yNTYiLCJ4IjoieG42YTlUYWpmOVZJYWlFaVBRbzBqb3U5MFI3d19fNmhCeXZXUG9lYTJrVSIsInkiOiJnZGJVUDhkWlNuTWJGc05MYS1qcXpSc2hOZmtKS3lrVzZwMmdOS1p1NGciLCJrdHkiOiJFQyJ9fQ.0UVlqv1NjtYDIivHOkpiHh5dXgaQXyxI.78_XJrm7RATREj_X.qw.g8G9IhGYMvmvqWEyB0nn6w",
    ),
    (
        r#"{"crv":"P-521","x":"q_I89aT82UufBJmNYAovUVaPXBgO3L8HcoGxkJUyLRE5DUfNMGXLTww2n5D-l8Cf1ScNjNGyj2jBOxC3VYsyM9o","y":"JOTG1csHD_HCv5OOJ7BGXwJ7zP5R2k5ucGbnmmA7Sl5r9YnAa5wLRvfTJvAPrBONkXSc9x_Z9Kya0ktNzTHxHCE","d":"kSUHvNOWMF_THmhx2bYkKuOKMonVsl4Oz2SZdoks-nTvoilmfstJ9QSV20g8w280kcWe_uPGXe-HJ93kINTSI_k","kty":"EC"}"#,
        "eyJhbGciOiJFQ0RILUVTK0ExMjhLVyIsImVuYyI6IkExMjhHQ00iLCJlcGsiOnsiY3J2IjoiUC01MjEiLCJ4IjoicFNFLXhka1ZKWHp2R1FhaU50V3hVQzhOaU9EcDB5VTA1cTdnMXEtdXVVVHRGd3pWTU9wdGk0SXo4d3FwOUhtTC1hSElaSGdjeDVKMGJKRkcwVW9JWC00IiwieSI6IjdxZlZvc2ZsRFhmc0tUZWY1MTg2R1plWWhXcmYydk9oNHlYYkRTMUd1Z1pUYk5UdTZTLVZlSXNLNGhWTVByUmRKMWJYNG5EampQSGdLWkVkMGZIc3R2QSIsImt0eSI6IkVDIn19.nYSPB9_mUCxaI7z7yEc3Fug7uvcSwzgN.ZFjTQl-HGsjM9Avj.TQ.ucdKRCtP5jxbtuOIHmIJgw",
    ),
];

#[test]
fn coordinates_without_leading_zeros_are_read() {
    let lab = Lab::new();
    for (key, sealed) in SHORT {
        lab.write("short.jwk", key);
        assert_eq!(lab.ok_with("decrypt --key short.jwk", sealed.as_bytes()).stdout, b"x\n");
        let alg = "encrypt --key short.jwk --alg ECDH-ES+A256KW";
        let own = lab.ok_with(alg, b"one\n").stdout;
        assert_eq!(lab.ok_with("decrypt --key short.jwk", &own).stdout, b"one\n");
    }
}

#[test]
fn an_ephemeral_key_has_public_members_of_encryption_alone() {
    let lab = Lab::new();
    for (curve, kty) in [("P-256", "EC"), ("X25519", "OKP")] {
        lab.ok(&format!("keygen --alg ECDH-ES+A256KW --curve {curve} -o key.jwk --force"));
        let sealed =
            String::from_utf8(lab.ok_with("encrypt --key key.jwk", b"one\n").stdout).unwrap();
        let (header, rest) = sealed.split_once('.').unwrap();
        let header = String::from_utf8(base64url_decode(header)).unwrap();
        for (member, words) in [
            (r#""d":"AAAA""#, "epk: member \"d\" is not allowed in a public key"),
            (r#""d":7"#, "epk: member \"d\" is not allowed in a public key"),
            (r#""use":"sig""#, "epk: member \"use\" is not for encryption"),
            (r#""key_ops":["sign"]"#, "epk: member \"key_ops\" is not for encryption"),
            (r#""key_ops":null"#, "epk: member \"key_ops\" is not an array of strings"),
            (r#""key_ops":7"#, "epk: member \"key_ops\" is not an array of strings"),
        ] {
            let at = format!("\"kty\":\"{kty}\"");
            let changed = header.replacen(&at, &format!("{at},{member}"), 1);
            assert_ne!(changed, header);
            let line = format!("{}.{rest}", base64url(changed.as_bytes()));
            lab.refused_with(3, "decrypt --key key.jwk", line.as_bytes()).says(&[words]);
        }
    }
}

#[test]
fn the_simulation_holds_with_curves() {
    let lab = Lab::new();
    for options in [
        "--embodiment 6 --wrap ECDH-ES+A256KW --curve X25519 --faults",
        "--embodiment 5 --wrap ECDH-ES --faults",
        "--embodiment all --wrap ECDH-ES+A128KW --curve P-384",
    ] {
        lab.ok(&format!("simulate {options} --shops 2 --clients 2 --orders 2 --json"));
    }
}

fn private(curve: Curve, x: &str, y: &str, d: &str) -> PrivateKey {
    let public = PublicKey::new(curve, &base64url_decode(x), &base64url_decode(y)).unwrap();
    PrivateKey::new(Backend::detect(), &public, &base64url_decode(d)).unwrap()
}

/// Agrees from both sides.
fn shared(one: &PrivateKey, other: &PrivateKey) -> Vec<u8> {
    let pairs = [(one, other.public()), (other, one.public())];
    let both = agree(Backend::detect(), &pairs);
    assert!(both[0] == both[1]);
    both[0].as_ref().unwrap().as_bytes().to_vec()
}

/// RFC 7520 section 5.4: ECDH-ES+A128KW on P-384.
#[test]
fn the_wrapped_key_of_rfc_7520_section_5_4_is_unwrapped() {
    let recipient = private(
        Curve::P384,
        "YU4rRUzdmVqmRtWOs2OpDE_T5fsNIodcG8G5FWPrTPMyxpzsSOGaQLpe2FpxBmu2",
        "A8-yxCHxkfBz3hKZfI1jUYMjUhsEveZ9THuwFjH2sCNdtksRJU7D5-SkgaFL1ETP",
        "iTx2pk7wW-GqJkHcEkFQb2EFyYcO7RugmaW3mRrQVAOUiPommT0IdnYK2xDlZh-j",
    );
    let ephemeral = private(
        Curve::P384,
        "uBo4kHPw6kbjx5l0xowrd_oYzBmaz-GKFZu4xAFFkbYiWgutEK6iuEDsQ6wNdNg3",
        "sp3p5SGhZVC2faXumI-e9JU2Mo8KpoYrFDr5yPNVtW4PgEwZOyQTA-JdaY8tb7E0",
        "D5H4Y_5PSKZvhfVFbcCYJOtcGZygRgfZkpsBr59Icmmhe9sW6nkZ8WfwhinUfWJg",
    );
    let mut kek = [0; 16];
    let info = PartyInfo { algorithm: "ECDH-ES+A128KW", apu: b"", apv: b"" };
    concat_kdf(&shared(&recipient, &ephemeral), info, &mut kek);
    let wrapped = base64url_decode("0DJjBXri_kBcC46IkU5_Jk9BqaQeHdv2");
    let (mut cek, mut valid) = (vec![0; wrapped.len() - OVERHEAD], [false]);
    let keks = Keks::one(AesKey::Aes128(&kek));
    unwrap_many(Backend::detect(), keks, cek.len(), &wrapped, &mut cek, &mut valid);
    assert_eq!((base64url(&cek), valid), ("Nou2ueKlP70ZXDbq9UrRwg".to_owned(), [true]));
}

/// RFC 7520 section 5.5: ECDH-ES on P-256.
#[test]
fn the_content_key_of_rfc_7520_section_5_5_is_agreed_on() {
    let recipient = private(
        Curve::P256,
        "Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",
        "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
        "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8",
    );
    let ephemeral = private(
        Curve::P256,
        "mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA",
        "8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs",
        "AtH35vJsQ9SGjYfOsjUxYXQKrPH3FjZHmEtSKoSN8cM",
    );
    let mut cek = [0; 32];
    let info = PartyInfo { algorithm: "A128CBC-HS256", apu: b"", apv: b"" };
    concat_kdf(&shared(&recipient, &ephemeral), info, &mut cek);
    assert_eq!(base64url(&cek), "hzHdlfQIAEehb8Hrd_mFRhKsKLEzPfshfXs9l6areCc");
}

/// RFC 8037 appendix A.6: X25519, whose ephemeral key is given as the secret number alone.
#[test]
fn the_shared_secret_of_rfc_8037_appendix_a_6_is_agreed_on() {
    let bob = base64url_decode("3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08");
    let bob = PublicKey::new(Curve::X25519, &bob, b"").unwrap();
    let secret = hex::decode("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let backend = Backend::detect();
    let ephemeral = PrivateKey::from_secret(backend, Curve::X25519, &secret.unwrap()).unwrap();
    let epk = base64url(ephemeral.public().x());
    assert_eq!(epk, "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo");
    let z = agree(backend, &[(&ephemeral, &bob)]).remove(0).unwrap();
    let expected = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assert_eq!(hex::encode(z.as_bytes()), expected);
}
