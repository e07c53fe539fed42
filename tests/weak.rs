//! Weak ciphers: they run when allowed, are named for what they are, and never by accident.

mod common;

use common::{Lab, base64url, header, orders};
use serde_json::json;

#[test]
fn weak_ciphers_run_when_allowed_and_are_named_in_the_header() {
    for enc in ["TOYDES-ECB-HS256", "DES-CBC-HS256", "DES-EDE3-CBC-HS256"] {
        for embodiment in 1..=4 {
            let lab = Lab::new();
            let keygen = format!(
                "keygen --embodiment {embodiment} --enc {enc} --shop tokyo --orders 9 -o service.jwks"
            );
            lab.refused(4, &keygen).says(&["--allow-weak"]);
            assert!(!lab.has("service.jwks"));
            lab.ok(&format!("{keygen} --allow-weak"));
            lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks --allow-weak");
            lab.ok("bundle client --keys service.jwks --orders 9 -o client.jwks --allow-weak");
            lab.refused_with(4, "encrypt --bundle client.jwks", &orders(9)).says(&["--allow-weak"]);
            let sealed =
                lab.ok_with("encrypt --allow-weak --bundle client.jwks", &orders(9)).stdout;
            assert_eq!(header(std::str::from_utf8(&sealed).unwrap())["enc"], enc);
            let run = lab.ok_with("decrypt --bundle tokyo.jwks", &sealed);
            assert_eq!(run.stdout, orders(9), "embodiment {embodiment}, {enc}");
            run.says(&["weak"]);
        }
    }
}

#[test]
fn the_toy_s_box_travels_with_the_key() {
    let lab = Lab::new();
    let options = "--embodiment 1 --enc TOYDES-ECB-HS256 --allow-weak --shop tokyo";
    lab.ok(&format!("keygen {options} --toy-sbox 0123456789abcdef -o service.jwks"));
    lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks --allow-weak");
    lab.ok("bundle client --keys service.jwks -o client.jwks --allow-weak");
    let sealed = lab.ok_with("encrypt --allow-weak --bundle client.jwks", &orders(9)).stdout;
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, orders(9));
    for bad in ["0123", "0123456789abcdeg", "0123456789abcdef0"] {
        lab.refused(2, &format!("keygen {options} --toy-sbox {bad} -o other.jwks"));
    }
}

#[test]
fn weak_algorithms_need_to_be_asked_for() {
    // A strong key cannot be used for a weak cipher by what a line says, and a weak one is not made,
    // handed on or used for sealing by accident.
    let lab = Lab::new();
    for alg in ["TOYDES-ECB-HS256", "DES-CBC-HS256", "DES-EDE3-CBC-HS256"] {
        lab.refused(4, &format!("keygen --alg {alg} -o weak.jwk")).says(&[alg, "--allow-weak"]);
        lab.ok(&format!("keygen --alg {alg} --allow-weak -o weak.jwk --force"));
        lab.refused_with(4, "encrypt --key weak.jwk", b"order\n").says(&["--allow-weak"]);
        let sealed = lab.ok_with("encrypt --allow-weak --key weak.jwk", b"order\n").stdout;
        assert_eq!(header(std::str::from_utf8(&sealed).unwrap())["enc"], alg);
        let run = lab.ok_with("decrypt --key weak.jwk", &sealed);
        assert_eq!(run.stdout, b"order\n");
        run.says(&["orderseal: warning: ", "weak"]);
        // A key without `alg` never opens a weak line.
        let mut key = lab.json("weak.jwk");
        key.as_object_mut().unwrap().remove("alg");
        lab.write("unnamed.jwk", key.to_string());
        lab.refused_with(4, "decrypt --key unnamed.jwk", &sealed);
    }
}

#[test]
fn weak_des_keys_are_refused_for_sealing_and_named() {
    // The weak keys and the semi-weak pairs of NIST SP 800-67, section 3.3.2, in its spelling.
    let weak = ["0101010101010101", "fefefefefefefefe", "e0e0e0e0f1f1f1f1", "1f1f1f1f0e0e0e0e"];
    let semi_weak = [
        ["011f011f010e010e", "1f011f010e010e01"],
        ["01e001e001f101f1", "e001e001f101f101"],
        ["01fe01fe01fe01fe", "fe01fe01fe01fe01"],
        ["1fe01fe00ef10ef1", "e01fe01ff10ef10e"],
        ["1ffe1ffe0efe0efe", "fe1ffe1ffe0efe0e"],
        ["e0fee0fef1fef1fe", "fee0fee0fef1fef1"],
    ];
    let (good, other) = ("0123456789abcdef", "23456789abcdef01");
    let lab = Lab::new();
    let refuse = |alg: &str, key: &str, name: &str| {
        let k = base64url(&[&[7; 16], &hex::decode(key).unwrap()[..]].concat());
        lab.write("key.jwk", json!({"kty": "oct", "alg": alg, "k": k}).to_string());
        let run = lab.refused_with(4, "encrypt --allow-weak --key key.jwk", b"order\n");
        run.says(&["key.jwk", &format!(": {name}")]);
    };
    for key in weak {
        refuse("DES-CBC-HS256", key, "weak DES key");
        refuse("DES-EDE3-CBC-HS256", &[good, key, other].concat(), "weak DES key");
    }
    for key in semi_weak.as_flattened() {
        refuse("DES-CBC-HS256", key, "semi-weak DES key");
        refuse("DES-EDE3-CBC-HS256", &[key, good, other].concat(), "semi-weak DES key");
    }
    let name = "triple-DES key with K1 = K2, which is single DES";
    refuse("DES-EDE3-CBC-HS256", &[good, good, other].concat(), name);
    // Parity bits make no difference.
    refuse("DES-EDE3-CBC-HS256", &["0022446688aaccee", good, other].concat(), name);
    let name = "triple-DES key with K2 = K3, which is single DES";
    refuse("DES-EDE3-CBC-HS256", &[other, good, good].concat(), name);
}
