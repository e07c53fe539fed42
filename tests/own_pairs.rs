//! Shops that make their pairs themselves: the service hands public halves out and opens nothing.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::Lab;
use serde_json::{Value, json};

/// Options of `keygen` for every kind of pair.
const PAIRS: [&str; 6] = [
    "-e 5 --orders 4 --rsa-bits 2048",
    "-e 6 --orders 4 --rsa-bits 2048",
    "-e 6 --orders 4 --wrap ECDH-ES+A256KW --curve X25519",
    "--content direct --scope shop --kind public --rsa-bits 2048",
    "--content hybrid --scope shop --kind public --rsa-bits 2048",
    "--content hybrid --scope shop --kind public --wrap ECDH-ES+A128KW",
];

/// The shop's own keyring, and the public halves of it.
fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo -o own.jwks --public-out public.jwks"));
    lab
}

fn private_members(file: &Value) -> Vec<&str> {
    let keys = file["keys"].as_array().expect("keys").iter();
    let members = keys.flat_map(|key| key.as_object().expect("a key").keys());
    let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
    members.map(String::as_str).filter(|member| private.contains(member)).collect()
}

#[test]
fn a_service_with_public_halves_hands_out_bundles_and_opens_nothing() {
    for options in PAIRS {
        let lab = lab(options);
        assert_eq!(private_members(&lab.json("public.jwks")), [""; 0], "{options}");
        assert!(!private_members(&lab.json("own.jwks")).is_empty(), "{options}");
        lab.ok("bundle client --keyring public.jwks --orders 2 -o client.jwks");
        let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\nrice\n").stdout;
        lab.ok("bundle shop --keyring own.jwks -o tokyo.jwks");
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\nrice\n");
        let refused = "public halves alone";
        lab.refused(4, "bundle shop --keyring public.jwks")
            .says(&["tokyo made its pairs", refused]);
        let opened = lab.run("decrypt --key public.jwks", &sealed);
        assert_eq!((opened.code, opened.stdout.len()), (Some(4), 0), "{}", opened.stderr);
    }
}

#[test]
fn nothing_is_made_for_a_shop_that_makes_its_pairs_itself() {
    let lab = lab("-e 6 --orders 2 --wrap ECDH-ES+A256KW");
    let before = lab.read("public.jwks");
    for line in [
        "keys rotate public.jwks",
        "keys admit alice public.jwks",
        "bundle client --keyring public.jwks --on-demand --shop-out half.jwks -o new.jwks",
        "keygen -e 6 --shop tokyo --orders 2 --wrap ECDH-ES+A256KW --into public.jwks",
    ] {
        lab.refused(4, line).says(&["shop tokyo made its pairs itself", "with its own keyring"]);
    }
    assert_eq!(lab.read("public.jwks"), before);
    assert!(!lab.has("half.jwks") && !lab.has("new.jwks"));
    // Nor when it has no halves left.
    lab.ok("erase --keys public.jwks");
    let line = "keygen -e 6 --shop tokyo --orders 2 --wrap ECDH-ES+A256KW --into public.jwks";
    lab.refused(4, line).says(&["shop tokyo made its pairs itself"]);
    // In the keyring of a shop whose pairs the service makes, a public half is a fault.
    let mut keys = lab.json("own.jwks");
    let first = keys["keys"][0].as_object_mut().unwrap();
    first.remove("d");
    lab.write("torn.jwks", keys.to_string());
    lab.refused(3, "inspect torn.jwks").says(&["needs the private half"]);
}

#[test]
fn a_service_adds_public_halves_to_its_keyring() {
    let lab = lab("-e 6 --orders 2 --wrap ECDH-ES+A256KW");
    lab.ok("keygen -e 4 --shop kyoto --orders 2 -o service.jwks");
    let added =
        |line: &str| lab.ok(&format!("keys import {line} --into service.jwks --json")).json();
    assert_eq!(added("public.jwks"), json!({"added": 2}));
    assert_eq!(added("public.jwks"), json!({"added": 0}));
    let client = |name: &str| {
        lab.ok(&format!("bundle client --keyring service.jwks --shop tokyo -o {name}.jwks"));
        lab.ok_with(&format!("encrypt --bundle {name}.jwks"), b"tea\n").stdout
    };
    let first = client("first");
    // The shop rotates its own keyring, and admits a user.
    lab.ok("keys rotate own.jwks");
    lab.ok("keys admit alice own.jwks");
    lab.ok("bundle service --keyring own.jwks -o public.jwks --force");
    assert_eq!(added("public.jwks"), json!({"added": 3}));
    let second = client("second");
    let user = "bundle client --keyring service.jwks --shop tokyo --user alice -o alice.jwks";
    lab.ok(user);
    let third = lab.ok_with("encrypt --bundle alice.jwks", b"tea\n").stdout;
    lab.ok("bundle shop --keyring own.jwks -o tokyo.jwks");
    let all = [first, second, third].concat();
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &all).stdout, b"tea\n".repeat(3));
    // What was handed out is remembered: no id goes to two clients.
    lab.ok("bundle client --keyring service.jwks --shop tokyo -o last.jwks");
    lab.refused(4, "bundle client --keyring service.jwks --shop tokyo -o more.jwks");
    // A key that the service erased stays erased.
    let erased = common::key_ids(&lab.json("service.jwks"));
    let erased = erased.iter().find(|kid| kid.starts_with("tokyo/")).unwrap();
    lab.ok(&format!("erase service.jwks --kid {erased}"));
    assert_eq!(added("public.jwks"), json!({"added": 0}));
    assert!(!common::key_ids(&lab.json("service.jwks")).contains(erased));
    // Who was revoked at the shop is revoked at the service.
    lab.ok("keys revoke alice own.jwks");
    lab.ok("bundle service --keyring own.jwks -o public.jwks --force");
    assert_eq!(added("public.jwks"), json!({"added": 0}));
    lab.refused(4, &user.replace("alice.jwks", "again.jwks")).says(&["revoked"]);
}

#[test]
fn a_public_key_of_other_software_serves_a_shop() {
    let lab = Lab::new();
    lab.ok(
        "keygen --alg RSA-OAEP-256 --rsa-bits 2048 --kid uji -o own.jwk --public-out public.jwk",
    );
    lab.ok("keys export public.jwk --format pem -o public.pem");
    assert!(lab.read("public.pem").starts_with(b"-----BEGIN PUBLIC KEY"));
    lab.ok("keygen -e 4 --shop kyoto -o service.jwks");
    let import = "keys import public.pem --into service.jwks --shop uji";
    lab.refused(2, import).says(&["name it by --alg"]);
    lab.ok(&format!("{import} --alg RSA-OAEP-256 --enc A128GCM"));
    lab.ok("bundle client --keyring service.jwks --shop uji -o client.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\n").stdout;
    assert_eq!(common::header(std::str::from_utf8(&sealed).unwrap())["enc"], "A128GCM");
    assert_eq!(lab.ok_with("decrypt --key own.jwk", &sealed).stdout, b"tea\n");
    lab.refused(2, &format!("{import} --alg RSA-OAEP-256")).says(&["uji"]);
    let other = "keygen --alg RSA-OAEP-256 --rsa-bits 2048 -o o.jwk --public-out other.jwk";
    lab.ok(other);
    let other = "keys import other.jwk --into service.jwks --shop uji --enc A128GCM";
    lab.refused(4, other).says(&["key uji is in two of the files"]);
}

#[test]
fn keys_that_decrypt_are_not_taken_for_public_halves() {
    let lab = lab("-e 6 --orders 1 --wrap ECDH-ES+A256KW");
    lab.ok("keygen -e 4 --shop kyoto -o service.jwks");
    let before = lab.read("service.jwks");
    lab.ok("keygen --alg RSA-OAEP-256 --rsa-bits 2048 -o pair.jwk");
    lab.ok("keygen --alg A256KW -o secret.jwk");
    for line in ["own.jwks", "pair.jwk --shop uji", "secret.jwk --shop uji"] {
        let run = lab.refused(2, &format!("keys import {line} --into service.jwks"));
        run.says(&["holds keys that decrypt", "bundle service"]);
    }
    assert_eq!(lab.read("service.jwks"), before);
    lab.refused(2, "bundle service --keyring service.jwks").says(&["no public halves"]);
    lab.ok("keygen -e 6 --wrap ECDH-ES+A256KW --pool derived --shop nara -o derived.jwks");
    lab.refused(2, "bundle service --keyring derived.jwks").says(&["are derived"]);
    lab.refused(2, "keys import derived.jwks --into service.jwks").says(&["are derived"]);
    assert_eq!(lab.read("service.jwks"), before);
    let both = "keygen -e 4 --shop tokyo -o new.jwks --public-out public2.jwks";
    lab.refused(2, both).says(&["no public halves"]);
    lab.refused(2, "keygen --alg A256KW -o new.jwk --public-out half.jwk")
        .says(&["no public half"]);
    lab.refused(2, "keygen -e 6 --shop a -o new.jwks --public-out new.jwks").says(&["same file"]);
    for name in ["new.jwks", "new.jwk", "public2.jwks", "half.jwk"] {
        assert!(!lab.has(name), "{name}");
    }
}

#[test]
fn public_halves_need_no_protection_and_pairs_do() {
    let lab = lab("-e 6 --orders 1 --wrap ECDH-ES+A256KW");
    let mode = |name: &str| fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("own.jwks"), 0o600);
    lab.mode("public.jwks", 0o644);
    lab.ok("bundle client --keyring public.jwks -o client.jwks");
    let shops = lab.ok("inspect --json public.jwks").json()["shops"].clone();
    assert_eq!(shops["tokyo"]["stage"], "current");
}
