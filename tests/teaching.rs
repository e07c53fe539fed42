//! Every weak cipher through every embodiment where it makes sense, and keys from a shift register.

mod common;

use common::{Lab, base64url_decode, orders, with_part};

/// Keys for nine orders, and the shop's and the client's files.
fn lab(embodiment: u8, options: &str) -> Lab {
    let lab = Lab::new();
    keys(&lab, embodiment, options, "");
    lab
}

fn keys(lab: &Lab, embodiment: u8, options: &str, prefix: &str) {
    lab.ok(&format!(
        "keygen --embodiment {embodiment} {options} --shop tokyo --orders 9 --allow-weak -o {prefix}service.jwks"
    ));
    lab.ok(&format!("bundle shop --keys {prefix}service.jwks --allow-weak -o {prefix}tokyo.jwks"));
    lab.ok(&format!(
        "bundle client --keys {prefix}service.jwks --orders 9 --allow-weak -o {prefix}client.jwks"
    ));
}

/// Orders come through; a changed ciphertext, tag or header and another key do not.
fn comes_through(embodiment: u8, options: &str) {
    let lab = lab(embodiment, options);
    lab.refused_with(4, "encrypt --bundle client.jwks", &orders(9)).says(&["--allow-weak"]);
    let sealed = lab.ok_with("encrypt --allow-weak --bundle client.jwks", &orders(9)).text();
    let opened = lab.ok_with("decrypt --bundle tokyo.jwks", sealed.as_bytes());
    assert_eq!(opened.stdout, orders(9), "embodiment {embodiment}, {options}");
    opened.says(&["weak"]);

    let line = sealed.lines().next().expect("nine lines");
    for part in [3, 4] {
        let mut bytes = base64url_decode(line.split('.').nth(part).expect("five parts"));
        for bit in [0x01, 0x80] {
            bytes[0] ^= bit;
            let changed = with_part(line, part, &bytes);
            lab.refused_with(5, "decrypt --bundle tokyo.jwks", changed.as_bytes());
        }
    }
    let mut wrong = lab.json("tokyo.jwks");
    for key in wrong["keys"].as_array_mut().expect("keys") {
        for member in ["k", "priv"] {
            if let Some(text) = key[member].as_str() {
                let mut bytes = base64url_decode(text);
                let last = bytes.len() - 1;
                bytes[if member == "k" { 1 } else { last }] ^= 1;
                key[member] = common::base64url(&bytes).into();
            }
        }
    }
    lab.write("wrong.jwks", wrong.to_string());
    let run = lab.run("decrypt --bundle wrong.jwks", line.as_bytes());
    assert!(matches!(run.code, Some(3..=5)), "{options}: {:?} {}", run.code, run.stderr);
    assert!(run.stdout.is_empty());
}

#[test]
fn content_ciphers_run_in_every_secret_embodiment() {
    for enc in [
        "TOYDES-ECB-HS256",
        "DES-CBC-HS256",
        "DES-EDE3-CBC-HS256",
        "FEAL8-CBC-HS256",
        "GRAIN128AEADV2",
    ] {
        for embodiment in 1..=4 {
            comes_through(embodiment, &format!("--enc {enc}"));
        }
    }
}

#[test]
fn content_ciphers_run_under_public_keys() {
    for enc in ["DES-CBC-HS256", "FEAL8-CBC-HS256", "GRAIN128AEADV2"] {
        comes_through(6, &format!("--enc {enc} --wrap MH-KNAPSACK"));
    }
}

#[test]
fn the_knapsack_wraps_for_shops_and_transactions() {
    comes_through(6, "--wrap MH-KNAPSACK");
    let lab = Lab::new();
    lab.ok("keygen --content hybrid --scope shop --kind public --wrap MH-KNAPSACK --shop tokyo --allow-weak -o service.jwks");
    lab.ok("bundle shop --keys service.jwks --allow-weak -o tokyo.jwks");
    lab.ok("bundle client --keys service.jwks --allow-weak --layers 3 -o client.jwks");
    assert!(lab.json("client.jwks")["keys"][0].get("priv").is_none(), "the public half alone");
    let sealed = lab.ok_with("encrypt --allow-weak --bundle client.jwks", &orders(9)).stdout;
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, orders(9));
}

#[test]
fn a_pad_runs_in_the_direct_embodiments() {
    comes_through(1, "--enc VERNAM-HS256");
    comes_through(3, "--enc VERNAM-HS256");
}

#[test]
fn the_simulation_runs_with_each_of_them() {
    let lab = Lab::new();
    for options in [
        "--embodiment all --enc VERNAM-HS256 --rsa-bits 2048 --faults",
        "--embodiment 3 --enc VERNAM-HS256 --on-demand",
        "--embodiment 6 --wrap MH-KNAPSACK --faults",
        "--embodiment 4 --enc GRAIN128AEADV2 --faults",
        "--embodiment 2 --enc FEAL8-CBC-HS256 --faults",
    ] {
        let line = format!("simulate {options} --shops 2 --clients 4 --orders 2 --seed 7 --json");
        lab.refused(4, &line).says(&["--allow-weak"]);
        let report = lab.ok(&format!("{line} --allow-weak")).json();
        assert_eq!(report["held"], true, "{options}: {report}");
    }
}

/// A register of 127 bits, and what marks the keys that are made from it.
const REGISTER: &str = "--rng lfsr --trinomial 127,63 --seed-file seed";

#[test]
fn a_register_makes_the_same_keys_for_the_same_seed_and_marks_them() {
    let lab = Lab::new();
    lab.write("seed", [0x5a; 16]);
    let line = format!("keygen --alg A256GCM {REGISTER}");
    lab.refused(4, &format!("{line} -o key.jwk")).says(&["--allow-weak"]);
    let run = lab.ok(&format!("{line} --allow-weak -o key.jwk"));
    run.says(&["orderseal: warning: 254 bits"]);
    lab.ok(&format!("{line} --allow-weak -o again.jwk"));
    lab.ok(&format!("{line} --whiten --allow-weak -o white.jwk"));
    assert_eq!(lab.json("key.jwk")["origin"], "register");
    assert_eq!(lab.ok("inspect --json key.jwk").json()["keys_not_random"], 1);
    assert_eq!(lab.json("key.jwk"), lab.json("again.jwk"));
    assert_ne!(lab.json("key.jwk")["k"], lab.json("white.jwk")["k"]);
    lab.refused_with(4, "encrypt --key key.jwk", b"tea\n").says(&["shift register"]);
    let sealed = lab.ok_with("encrypt --allow-weak --key key.jwk", b"tea\n").stdout;
    assert_eq!(lab.ok_with("decrypt --allow-weak --key key.jwk", &sealed).stdout, b"tea\n");
}

#[test]
fn a_pool_takes_successive_pieces_of_the_register() {
    let lab = Lab::new();
    lab.write("seed", [0x5a; 16]);
    lab.ok(&format!(
        "keygen --embodiment 4 --shop tokyo --orders 3 {REGISTER} --allow-weak -o service.jwks"
    ));
    // The register's first bytes, as one long pad has them behind its MAC key.
    lab.ok(&format!("keygen --alg VERNAM --pad-bytes 80 {REGISTER} --allow-weak -o pad.jwk"));
    let bytes =
        |key: &serde_json::Value| base64url_decode(key["k"].as_str().expect("a secret key"));
    let keys = lab.json("service.jwks")["keys"].as_array().expect("keys").clone();
    assert_eq!(keys.iter().flat_map(bytes).collect::<Vec<_>>(), bytes(&lab.json("pad.jwk")));
    assert!(keys.iter().all(|key| key["origin"] == "register"));
    lab.refused(4, "bundle client --keys service.jwks -o client.jwks").says(&["--allow-weak"]);
}

#[test]
fn unfit_registers_are_refused_with_a_reason() {
    let lab = Lab::new();
    lab.write("seed", [0x5a; 16]);
    lab.write("zero", [0; 16]);
    lab.write("short", [1; 15]);
    let run = |trinomial: &str, seed: &str, alg: &str| {
        format!(
            "keygen --alg {alg} --rng lfsr --trinomial {trinomial} --seed-file {seed} --allow-weak -o key.jwk"
        )
    };
    lab.refused(2, &run("8,4", "seed", "A256GCM")).says(&["not primitive", "x^9 + x^4 + 1"]);
    lab.refused(2, &run("128,1", "seed", "A256GCM")).says(&["127"]);
    lab.refused(2, &run("7", "seed", "A256GCM")).says(&["P,Q"]);
    lab.refused(2, &run("7,1", "seed", "RSA-OAEP-256")).says(&["31"]);
    lab.refused(3, &run("127,63", "zero", "A256GCM")).says(&["zero"]);
    lab.refused(3, &run("127,63", "short", "A256GCM")).says(&["short", "16 bytes"]);
    lab.refused(2, "keygen --alg A256GCM --whiten -o key.jwk").says(&["--rng lfsr"]);
    lab.refused(2, "keygen --alg A256GCM --rng lfsr --allow-weak -o key.jwk");
    assert!(!lab.has("key.jwk"));
    // A short register makes keys all the same, RSA pairs from 31 bits on.
    lab.ok(&run("2,1", "seed", "DES-EDE3-CBC-HS256"));
}
