//! Weak ciphers: they run when allowed, are named for what they are, and never by accident.

mod common;

use common::{Lab, base64url, base64url_decode, header, orders};
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

/// Algorithms that wrap keys by a content cipher, the bytes of such a key, and the bytes of IV and tag.
const CIPHER_KW: [(&str, usize, usize, usize); 6] = [
    ("A128CBC-HS256KW", 32, 16, 16),
    ("DES-EDE3-CBC-HS256KW", 40, 8, 16),
    ("DES-CBC-HS256KW", 24, 8, 16),
    ("FEAL8-CBC-HS256KW", 24, 8, 16),
    ("TOYDES-ECB-HS256KW", 24, 0, 16),
    ("GRAIN128AEADV2KW", 16, 12, 8),
];

#[test]
fn one_cipher_wraps_keys_and_encrypts_orders() {
    let lab = Lab::new();
    for (alg, key_len, iv_len, tag_len) in CIPHER_KW {
        let enc = alg.strip_suffix("KW").unwrap();
        let allow = if alg.starts_with("A128") { "" } else { "--allow-weak" };
        for options in ["--embodiment 2", "--embodiment 4"] {
            let keygen = format!(
                "keygen {options} --enc {enc} --wrap {alg} --shop tokyo --orders 9 -o service.jwks --force"
            );
            if !allow.is_empty() {
                lab.refused(4, &keygen).says(&[alg.strip_suffix("KW").unwrap(), "--allow-weak"]);
            }
            lab.ok(&format!("{keygen} {allow}"));
            for bundle in
                ["shop --shop tokyo -o tokyo.jwks", "client --orders 9 --layers 3 -o client.jwks"]
            {
                lab.ok(&format!("bundle {bundle} --keys service.jwks --force {allow}"));
            }
            let sealed = lab.ok_with(&format!("encrypt {allow} --bundle client.jwks"), &orders(9));
            let head = header(std::str::from_utf8(&sealed.stdout).unwrap());
            let len = |name: &str| head[name].as_str().map_or(0, |it| base64url_decode(it).len());
            assert_eq!((&head["alg"], &head["enc"]), (&json!(alg), &json!(enc)));
            assert_eq!((len("iv"), len("tag")), (iv_len, tag_len), "{alg}");
            assert_eq!(head.get("iv").is_some(), iv_len > 0, "{alg}");
            assert_eq!(head["chain"].as_array().map(Vec::len), Some(2), "{alg}");
            let run = lab.ok_with("decrypt --bundle tokyo.jwks", &sealed.stdout);
            assert_eq!(run.stdout, orders(9), "{alg}, {options}");
        }
        // A lone key, whose orders are counted if they draw an IV, and a text that the user typed.
        lab.ok(&format!("keygen --alg {alg} {allow} -o key.jwk --force"));
        assert_eq!(base64url_decode(lab.json("key.jwk")["k"].as_str().unwrap()).len(), key_len);
        lab.write("typed", "plum blossom\n");
        let typed = format!("encrypt {allow} --key key.jwk --typed-key typed");
        let sealed = lab.ok_with(&typed, &orders(3)).stdout;
        assert_eq!(lab.ok_with("decrypt --key key.jwk", &sealed).stdout, orders(3), "{alg}");
        let counted = lab.json("key.jwk")["orderseal"]["sealed"].as_u64();
        assert_eq!(counted, (iv_len > 0).then_some(3), "{alg}");
    }
}

#[test]
fn a_weak_wrapping_cipher_needs_to_be_allowed_beside_a_strong_content_cipher() {
    let lab = Lab::new();
    for (alg, ..) in CIPHER_KW.into_iter().filter(|(alg, ..)| !alg.starts_with("A128")) {
        lab.refused(4, &format!("keygen --alg {alg} -o weak.jwk")).says(&[alg, "--allow-weak"]);
        lab.ok(&format!("keygen --alg {alg} --allow-weak -o weak.jwk --force"));
        lab.refused_with(4, "encrypt --key weak.jwk", b"order\n").says(&["--allow-weak"]);
        let sealed = lab.ok_with("encrypt --allow-weak --key weak.jwk", b"order\n").stdout;
        assert_eq!(header(std::str::from_utf8(&sealed).unwrap())["enc"], "A256GCM");
        let run = lab.ok_with("decrypt --key weak.jwk", &sealed);
        assert_eq!(run.stdout, b"order\n");
        run.says(&["orderseal: warning: ", "weak", alg]);
        // A key without `alg` never opens such a line.
        let mut key = lab.json("weak.jwk");
        key.as_object_mut().unwrap().remove("alg");
        lab.write("unnamed.jwk", key.to_string());
        lab.refused_with(4, "decrypt --key unnamed.jwk", &sealed);
    }
}

#[test]
fn a_header_without_iv_or_tag_is_malformed() {
    let lab = Lab::new();
    for (alg, _, iv_len, _) in CIPHER_KW {
        lab.ok(&format!("keygen --alg {alg} --allow-weak -o key.jwk --force"));
        let sealed = lab.ok_with("encrypt --allow-weak --key key.jwk", b"order\n").stdout;
        let line = String::from_utf8(sealed).unwrap();
        for member in ["iv", "tag"].into_iter().filter(|name| iv_len > 0 || *name == "tag") {
            let mut head = header(&line);
            head.as_object_mut().unwrap().remove(member);
            let (_, rest) = line.split_once('.').unwrap();
            let line = format!("{}.{rest}", base64url(head.to_string().as_bytes()));
            let run = lab.refused_with(3, "decrypt --key key.jwk", line.as_bytes());
            run.says(&["header: no member", "\"tag\""]);
        }
    }
}

/// Lines made with the Python package `cryptography` and `hmac`, after `docs/FORMATS.md`.
#[test]
fn keys_wrapped_by_another_program_are_unwrapped() {
    let lab = Lab::new();
    for (alg, key, line) in [
        (
            "DES-EDE3-CBC-HS256KW",
            "AAECAwQFBgcICQoLDA0ODwEjRWeJq83vI0VniavN7wFFZ4mrze8BIw",
            "eyJhbGciOiJERVMtRURFMy1DQkMtSFMyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJraWQiOiJ0b2t5byIsIml2IjoiUU\
             VGQ1EwUkZSa2MiLCJ0YWciOiJqXzRFbXU0TjBhcng1OHVHNjRUNTNnIn0.e8sYikvqei19BEop7L4uHf3Bv4ywJ7dz\
             APoGaBZQn0Vjl16yE_inog.QEFCQ0RFRkdISUpL.uXbU9TUb5zFw1ee5bcbnUD-\
             s7PaULtO3Goe2OlKX.CKZudYGIWvpfXPLZQHkLhw",
        ),
        (
            "A128CBC-HS256KW",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "eyJhbGciOiJBMTI4Q0JDLUhTMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoidG9reW8iLCJpdiI6IlFFRkNRMF\
             JGUmtkSVNVcExURTFPVHciLCJ0YWciOiJSekIzLWRLV3R5eVpzZTRPUDlYd2NRIn0.SoxKEATkFEoHnaSkEOUTtRNA\
             D_nO2wfT6St_IqlIamRK0Nb1ZVmxBts0kXHzKbCt.QEFCQ0RFRkdISUpL.uXbU9TUb5zFw1ee5bcbnUD-\
             s7PaULtO3Goe2OlKX.7neIcn_3KYVWN7TgSxeetw",
        ),
        (
            "DES-CBC-HS256KW",
            "AAECAwQFBgcICQoLDA0ODwEjRWeJq83v",
            "eyJhbGciOiJERVMtQ0JDLUhTMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoidG9reW8iLCJpdiI6IlFFRkNRMF\
             JGUmtjIiwidGFnIjoiSkg3QnNKN1FaRzI0dWNaenJXaTVBQSJ9.fREDdPuHxz_BbZsq9hU5nakTQdboPI8o5QL_m9e\
             9dOwbySF--\
             p9tuQ.QEFCQ0RFRkdISUpL.uXbU9TUb5zFw1ee5bcbnUD-s7PaULtO3Goe2OlKX.5RVMCWkIiMur-3dZf0U-tg",
        ),
    ] {
        let key = json!({"kty": "oct", "kid": "tokyo", "alg": alg, "k": key});
        lab.write("key.jwk", key.to_string());
        let run = lab.ok_with("decrypt --key key.jwk", line.as_bytes());
        assert_eq!(run.text(), "{\"item\":\"緑茶\",\"quantity\":2}\n", "{alg}");
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
    refuse("DES-CBC-HS256KW", weak[0], "weak DES key");
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
