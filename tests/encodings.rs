//! Keys as other software stores them. The PEM files were made by OpenSSL 3 (`openssl genpkey`,
//! `openssl pkey`, `openssl rsa`, `openssl ec`).

mod common;

use std::os::unix::fs::MetadataExt;

use common::{Lab, base64url};

/// An RSA pair in the encodings of its private and of its public half.
const RSA: ([&str; 2], [&str; 2]) = (
    [include_str!("encodings/rsa-pkcs8.pem"), include_str!("encodings/rsa-pkcs1.pem")],
    [include_str!("encodings/rsa-spki.pem"), include_str!("encodings/rsa-pkcs1-public.pem")],
);

/// The bytes inside of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64_simd::STANDARD.decode_to_vec(body).expect("base64")
}

/// Seals with each of the public halves, and opens with each of the private ones.
fn exchange(private: &[&str], public: &[&str], alg: &str) {
    let lab = Lab::new();
    lab.write("orders", "one\ntwo\n");
    let forms = |pems: &[&str], name: &str| {
        let mut names = Vec::new();
        for (number, pem) in pems.iter().enumerate() {
            for (kind, bytes) in [("pem", pem.as_bytes().to_vec()), ("der", der(pem))] {
                let name = format!("{name}-{number}.{kind}");
                lab.write(&name, bytes);
                names.push(name);
            }
        }
        names
    };
    let (private, public) = (forms(private, "private"), forms(public, "public"));
    for sealing in public.iter().chain(&private) {
        lab.ok(&format!("encrypt --key {sealing} --alg {alg} orders -o sealed.jwe --force"));
        for opening in &private {
            assert_eq!(lab.ok(&format!("decrypt --key {opening} sealed.jwe")).text(), "one\ntwo\n");
        }
    }
    for key in &private {
        assert!(lab.ok(&format!("inspect {key}")).text().contains("keys: 1"));
    }
    for key in &public {
        lab.refused(4, &format!("decrypt --key {key} sealed.jwe"));
    }
}

#[test]
fn rsa_keys_in_pem_and_der_seal_and_open() {
    exchange(&RSA.0, &RSA.1, "RSA-OAEP-256");
}

#[test]
fn keys_on_curves_in_pem_and_der_seal_and_open() {
    let p_256 = [include_str!("encodings/p256-pkcs8.pem"), include_str!("encodings/p256-sec1.pem")];
    exchange(&p_256, &[include_str!("encodings/p256-spki.pem")], "ECDH-ES+A256KW");
    let x25519 = [include_str!("encodings/x25519-pkcs8.pem")];
    exchange(&x25519, &[include_str!("encodings/x25519-spki.pem")], "ECDH-ES");
}

#[test]
fn secret_keys_are_read_raw_in_hexadecimal_and_in_base64() {
    let lab = Lab::new();
    let key: Vec<u8> = (0..32u32).map(|at| (at * 7 + 130) as u8).collect();
    lab.write("key.jwk", format!(r#"{{"kty":"oct","alg":"A256KW","k":"{}"}}"#, base64url(&key)));
    lab.write("orders", "one\n");
    lab.ok("encrypt --key key.jwk orders -o sealed.jwe");
    let hexadecimal = hex::encode(&key);
    let colons: Vec<String> = key.iter().map(|byte| format!("{byte:02X}")).collect();
    let standard = base64_simd::STANDARD.encode_to_string(&key);
    for (name, bytes) in [
        ("raw", key.clone()),
        ("raw with a line feed", [&key[..], b"\n"].concat()),
        ("hexadecimal", format!(" {hexadecimal}\r\n").into_bytes()),
        ("hexadecimal with colons", (colons.join(":") + "\n").into_bytes()),
        ("base64", (standard.clone() + "\n").into_bytes()),
        ("base64 without padding", standard.trim_end_matches('=').as_bytes().to_vec()),
        ("base64url", base64url(&key).into_bytes()),
    ] {
        lab.write("key", &bytes);
        let run = lab.run("decrypt --key key sealed.jwe", b"");
        assert_eq!((run.code, run.text()), (Some(0), "one\n".to_owned()), "{name}: {}", run.stderr);
        lab.ok("encrypt --key key --alg A256KW orders -o other.jwe --force");
        assert_eq!(lab.ok("decrypt --key key.jwk other.jwe").text(), "one\n");
        // How often a key was used directly cannot be recorded in such a file.
        let refused = lab.refused(4, "encrypt --key key --alg A256GCM orders -o direct.jwe");
        refused.says(&["A256GCM"]);
        assert_eq!(lab.read("key"), bytes, "{name}: the file stays as it is");
        assert!(!lab.ok("inspect key").text().contains(&base64url(&key)));
    }
    lab.write("key", "only some words, thirty-two bytes");
    lab.refused(3, "decrypt --key key sealed.jwe");
}

#[test]
fn damaged_and_other_keys_are_named() {
    let lab = Lab::new();
    lab.write("orders", "one\n");
    let cut = RSA.0[0].replacen("MII", "MIJ", 1);
    for (file, code, words) in [
        (cut.as_str(), 3, "the key is not well-formed PKCS #8"),
        (include_str!("encodings/ed25519-pkcs8.pem"), 3, "object identifier 1.3.101.112"),
        (include_str!("encodings/p256-sec1-aes.pem"), 3, "protected by a passphrase"),
    ] {
        lab.write("key.pem", file);
        lab.refused(code, "decrypt --key key.pem orders").says(&["key.pem: ", words]);
    }
}

/// The key of `p256-pkcs8.pem`, encrypted under the password hunter2 by OpenSSL 3.0.19: `openssl pkcs8
/// -topk8 -in p256-pkcs8.pem -passout pass:hunter2`, with nothing more for AES and PBKDF2 with SHA-256,
/// with `-scrypt`, and with `-v2 des3 -v2prf hmacWithSHA1`.
const ENCRYPTED: [&str; 3] = [
    include_str!("encodings/p256-encrypted.pem"),
    include_str!("encodings/p256-scrypt.pem"),
    include_str!("encodings/p256-des3.pem"),
];

#[test]
fn encrypted_keys_are_read_with_their_password_wherever_keys_are() {
    let lab = Lab::new();
    lab.write("orders", "one\n");
    lab.write("plain.pem", include_str!("encodings/p256-pkcs8.pem"));
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    for (file, mode) in [("right", "hunter2\n"), ("wrong", "hunter3\n")] {
        lab.write(file, mode);
    }
    let with = "--key-password-file right";
    for (number, pem) in ENCRYPTED.iter().enumerate() {
        for (name, bytes) in [("key.pem", pem.as_bytes().to_vec()), ("key.der", der(pem))] {
            lab.write(name, bytes);
            lab.ok("encrypt --key plain.pem --alg ECDH-ES orders -o sealed --force");
            assert_eq!(lab.ok(&format!("decrypt --key {name} {with} sealed")).text(), "one\n");
            if number > 0 {
                continue;
            }
            // A password is for the keys that need one.
            lab.ok(&format!("decrypt --key plain.pem {with} sealed"));
            lab.ok(&format!("encrypt --key {name} --alg ECDH-ES {with} orders -o sealed --force"));
            assert_eq!(lab.ok("decrypt --key plain.pem sealed").text(), "one\n");
            let wrap = format!("wrap --with {name} --alg ECDH-ES+A256KW {with} cek.jwk");
            lab.ok(&format!("{wrap} -o wrapped --force"));
            lab.ok("decrypt --key plain.pem wrapped -o back.jwk --force");
            let shown = lab.ok(&format!("inspect --json {name} {with}")).json();
            assert_eq!(shown["thumbprint"], "nSzjNqjAVFuVuY5WDx389ImeAQBG-YfuYdmCQ7JoBSE");
            lab.ok(&format!("keys import {name} {with} -o key.jwk --force"));
            assert_eq!(lab.ok("decrypt --key key.jwk sealed").text(), "one\n");
        }
        let words = ["key.pem: ", "is encrypted, and no password", "--key-password-file"];
        lab.refused(4, "decrypt --key key.pem sealed").says(&words);
        lab.refused(4, "inspect key.pem").says(&words);
        let sealed = lab.read("sealed");
        for (command, key) in [("decrypt --key", "pem"), ("inspect", "der")] {
            lab.refused_with(4, &format!("{command} key.{key} --key-password-file wrong"), &sealed)
                .says(&["the password does not open the private key"]);
        }
    }
    lab.refused(2, "decrypt --key key.pem --key-password-file - --kid a -").says(&["stdin"]);
}

#[test]
fn encrypted_keys_that_are_damaged_or_absurd_are_refused_at_once() {
    let lab = Lab::new();
    lab.write("right", "hunter2\n");
    let scrypt = der(ENCRYPTED[1]);
    // N, r and p.
    let sizes = [0x02, 0x02, 0x40, 0x00, 0x02, 0x01, 0x08, 0x02, 0x01, 0x01];
    let at = scrypt.windows(sizes.len()).position(|bytes| bytes == sizes).expect("scrypt");
    let with_sizes =
        |sizes: [u8; 10]| [&scrypt[..at], &sizes[..], &scrypt[at + sizes.len()..]].concat();
    let mut cut = scrypt.clone();
    cut.pop();
    for (bytes, code, words) in [
        // openssl pkcs8 -topk8 -iter 10000001
        (der(include_str!("encodings/p256-rounds.pem")), 4, "10000001 rounds of PBKDF2"),
        // openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES
        (der(include_str!("encodings/p256-pbes1.pem")), 4, "not PBES2"),
        // N 2^14, r 127, p 2; N 0; N 2^15 - 1.
        (with_sizes([2, 2, 0x40, 0, 2, 1, 0x7f, 2, 1, 2]), 4, "scrypt over 532676608 bytes"),
        (with_sizes([2, 1, 0, 2, 2, 0x40, 0, 2, 1, 1]), 4, "parameters of scrypt"),
        (with_sizes([2, 2, 0x7f, 0xff, 2, 1, 8, 2, 1, 1]), 4, "parameters of PBES2"),
        (cut, 3, "DER"),
    ] {
        lab.write("key.der", bytes);
        lab.refused(code, "inspect key.der --key-password-file right").says(&["key.der: ", words]);
    }
}

#[test]
fn inspect_shows_what_tells_keys_apart() {
    let lab = Lab::new();
    // RFC 7638 section 3.1; the others computed with OpenSSL 3 and Python's hashlib.
    let rfc7638 = include_str!("encodings/rfc7638.jwk");
    lab.write("rfc7638.jwk", rfc7638);
    let shown = lab.ok("inspect --json rfc7638.jwk").json();
    assert_eq!(shown["thumbprint"], "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert!(
        lab.ok("inspect rfc7638.jwk").text().contains("thumbprint: NzbLsXh8uDCcd-6MNwXF4W_7no")
    );
    for (pems, thumbprint) in [
        (&RSA.0[..], "iweJn6aQuHyPltFmLd_7aG7mBNwauuMkJa90UTAeQgo"),
        (&RSA.1[..], "iweJn6aQuHyPltFmLd_7aG7mBNwauuMkJa90UTAeQgo"),
        (
            &[
                include_str!("encodings/p256-pkcs8.pem"),
                include_str!("encodings/p256-sec1.pem"),
                include_str!("encodings/p256-spki.pem"),
            ],
            "nSzjNqjAVFuVuY5WDx389ImeAQBG-YfuYdmCQ7JoBSE",
        ),
        (
            &[
                include_str!("encodings/x25519-pkcs8.pem"),
                include_str!("encodings/x25519-spki.pem"),
            ],
            "564d8W9q-Pl0-t2pEeO9hWNovsD77SgTNwYmTHtLndU",
        ),
    ] {
        for pem in pems {
            lab.write("key", pem);
            assert_eq!(lab.ok("inspect --json key").json()["thumbprint"], thumbprint);
        }
    }
    // By OpenSSL 3: openssl enc -des-ecb -K 0123456789abcdef, and -des-ede3 with three such keys.
    let des = "0123456789abcdef";
    let triple = "0123456789abcdef23456789abcdef01456789abcdef0123";
    for (alg, own, value) in [
        ("DES-CBC-HS256", des, "D5D44F"),
        ("DES-CBC-HS256KW", des, "D5D44F"),
        ("DES-EDE3-CBC-HS256", triple, "4EBA73"),
        ("DES-EDE3-CBC-HS256KW", triple, "4EBA73"),
    ] {
        let key = [vec![7; 16], hex::decode(own).expect("digits")].concat();
        lab.write("key", format!(r#"{{"kty":"oct","alg":"{alg}","k":"{}"}}"#, base64url(&key)));
        let shown = lab.ok("inspect --json key").json();
        assert_eq!(
            (&shown["key_check_value"], &shown["thumbprint"]),
            (&value.into(), &None::<()>.into())
        );
    }
    // A thumbprint of a secret key would be a hash of it.
    lab.write("key", format!(r#"{{"kty":"oct","alg":"A256KW","k":"{}"}}"#, base64url(&[7; 32])));
    let shown = lab.ok("inspect --json key").json();
    assert!(shown.get("thumbprint").is_none() && shown.get("key_check_value").is_none());
}

#[test]
fn a_key_is_imported_as_a_jwk() {
    let lab = Lab::new();
    lab.write("orders", "one\n");
    for (number, pem) in RSA.0.iter().chain(&RSA.1).enumerate() {
        lab.write("key", pem);
        lab.ok("keys import key --kid urn:a/b --alg RSA-OAEP-256 -o key.jwk --force");
        let jwk = lab.json("key.jwk");
        assert_eq!((&jwk["kid"], &jwk["alg"]), (&"urn:a/b".into(), &"RSA-OAEP-256".into()));
        assert_eq!(jwk.get("d").is_some(), number < 2);
        assert_eq!(lab.path("key.jwk").metadata().expect("a file").mode() & 0o777, 0o600);
        lab.ok("encrypt --key key.jwk orders -o sealed.jwe --force");
        lab.write("private", RSA.0[0]);
        assert_eq!(lab.ok("decrypt --key private sealed.jwe").text(), "one\n");
        assert_eq!(lab.read("key"), pem.as_bytes());
    }
    // What the key says is kept; it may have been sealed with.
    lab.write("key", "000102030405060708090a0b0c0d0e0f");
    lab.ok("keys import key --alg A128KW -o key.jwk --force");
    let jwk = lab.json("key.jwk");
    assert_eq!((&jwk["kty"], &jwk["k"]), (&"oct".into(), &"AAECAwQFBgcICQoLDA0ODw".into()));
    lab.refused(4, "keys import key.jwk --alg A128GCM -o no.jwk")
        .says(&["holds no key for A128GCM"]);
    lab.refused(3, "keys import key --alg A256KW -o no.jwk").says(&["key: ", "A256KW"]);
    lab.refused(3, "keys import key --alg A128CBC-HS256 -o no.jwk --kid a")
        .says(&["A128CBC-HS256"]);
    assert!(!lab.has("no.jwk"));
}

#[test]
fn an_exported_key_is_what_openssl_writes() {
    let lab = Lab::new();
    for pem in [
        RSA.0[0],
        RSA.1[0],
        include_str!("encodings/p256-pkcs8.pem"),
        include_str!("encodings/p256-spki.pem"),
        include_str!("encodings/x25519-pkcs8.pem"),
        include_str!("encodings/x25519-spki.pem"),
    ] {
        lab.write("key.pem", pem);
        lab.ok("keys import key.pem --kid a -o key.jwk --force");
        assert_eq!(lab.ok("keys export key.jwk --format pem").text(), pem);
        assert_eq!(lab.ok("keys export key.jwk --format der").stdout, der(pem));
        assert_eq!(lab.ok("keys export key.jwk --format jwk").stdout, lab.read("key.jwk"));
        lab.ok("keys export key.pem --format pem -o out.pem --force");
        assert_eq!(lab.path("out.pem").metadata().expect("a file").mode() & 0o777, 0o600);
        lab.refused(4, "keys export key.jwk --format hex -o no")
            .says(&["key is not written as hex"]);
    }
    // P-384 and P-521: openssl ecparam -genkey -noout -name secp521r1 | openssl pkcs8 -topk8 -nocrypt
    for pem in [include_str!("encodings/p384-pkcs8.pem"), include_str!("encodings/p521-pkcs8.pem")]
    {
        lab.write("key.pem", pem);
        assert_eq!(lab.ok("keys export key.pem --format pem").text(), pem);
    }
}

#[test]
fn an_exported_key_is_encrypted_under_a_password() {
    let lab = Lab::new();
    let pem = include_str!("encodings/p256-pkcs8.pem");
    lab.write("key.pem", pem);
    lab.write("right", "hunter2\n");
    let with = "--key-password-file right";
    for (form, begin) in [("pem", &b"-----BEGIN ENCRYPTED PRIVATE KEY-----"[..]), ("der", b"\x30")]
    {
        lab.ok(&format!("keys export key.pem --format {form} {with} -o sealed.{form}"));
        assert!(lab.read(&format!("sealed.{form}")).starts_with(begin));
        lab.refused(4, &format!("inspect sealed.{form}")).says(&["is encrypted"]);
        lab.ok(&format!("keys import sealed.{form} {with} -o back.jwk --force"));
        assert_eq!(lab.ok("keys export back.jwk --format pem").text(), pem);
    }
    // Every time with a salt and an IV of its own.
    let again = lab.ok(&format!("keys export key.pem --format der {with}")).stdout;
    assert_ne!(again, lab.read("sealed.der"));
    // A public key needs no password.
    lab.write("public.pem", include_str!("encodings/p256-spki.pem"));
    let public = lab.ok(&format!("keys export public.pem --format pem {with}")).text();
    assert_eq!(public, include_str!("encodings/p256-spki.pem"));
}

#[test]
fn a_secret_key_is_exported_as_its_bytes() {
    let lab = Lab::new();
    let key: Vec<u8> = (0..16).collect();
    lab.write("key.jwk", format!(r#"{{"kty":"oct","alg":"A128KW","k":"{}"}}"#, base64url(&key)));
    for (form, bytes) in [
        ("raw", key.clone()),
        ("hex", b"000102030405060708090a0b0c0d0e0f\n".to_vec()),
        ("base64", b"AAECAwQFBgcICQoLDA0ODw==\n".to_vec()),
    ] {
        lab.ok(&format!("keys export key.jwk --format {form} -o out --force"));
        assert_eq!(lab.read("out"), bytes, "{form}");
        lab.ok("keys import out --alg A128KW -o back.jwk --force");
        assert_eq!(lab.json("back.jwk"), lab.json("key.jwk"));
    }
    let words = ["key.jwk: a secret key is not written as pem", "--format", "hex"];
    lab.refused(4, "keys export key.jwk --format pem -o no").says(&words);
    lab.ok("keygen --alg MH-KNAPSACK --allow-weak -o sack.jwk");
    lab.refused(4, "keys export sack.jwk --format der -o no --allow-weak")
        .says(&["a secret knapsack is not written as der"]);
    lab.ok("keygen --alg VERNAM-HS256 --pad-bytes 64 --allow-weak -o pad.jwk");
    lab.refused(4, "keys export pad.jwk --format hex -o no --allow-weak")
        .says(&["a one-time pad is not"]);
    assert!(!lab.has("no"));
}

#[test]
fn a_copy_of_a_lone_key_keeps_the_count_of_its_use() {
    let lab = Lab::new();
    lab.ok("keygen --alg A256GCM -o key.jwk");
    lab.ok_with("encrypt --key key.jwk -o sealed.jwe", b"one\ntwo\n");
    lab.ok("keys import key.jwk --kid a -o imported.jwk");
    lab.ok("keys export key.jwk --format jwk -o exported.jwk");
    for copy in ["key.jwk", "imported.jwk", "exported.jwk"] {
        assert_eq!(lab.json(copy)["orderseal"]["sealed"], 2, "{copy}");
    }
}

#[test]
fn a_name_chooses_the_key_that_is_exported() {
    let lab = Lab::with_keys("--embodiment 4 --pool derived", 2);
    lab.ok("keys export tokyo.jwks -o all.jwks");
    let all = lab.json("all.jwks");
    let key = all["keys"][1].clone();
    let kid = key["kid"].as_str().expect("a name");
    for file in ["tokyo.jwks", "client.jwks", "all.jwks"] {
        let one = lab.ok(&format!("keys export {file} --kid {kid} --format jwk")).json();
        assert_eq!(one, key, "{file}");
        let set = lab.ok(&format!("keys export {file} --kid {kid}")).json();
        assert_eq!(set["keys"], serde_json::json!([key]), "{file}");
        lab.refused(4, &format!("keys export {file} --format jwk")).says(&["--kid"]);
    }
    lab.refused(4, "keys export tokyo.jwks --kid a --format jwk").says(&["no key \"a\""]);
    // What has sealed an order is not exported from a client's file.
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", b"one\ntwo\n");
    lab.refused(4, &format!("keys export client.jwks --kid {kid} --format jwk"));
    lab.ok(&format!("keys export tokyo.jwks --kid {kid} --format hex"));
    // Nor is a listed one, which stays in the file.
    let lab = Lab::with_keys("--embodiment 4", 2);
    let kid = lab.json("client.jwks")["keys"][0]["kid"].clone();
    let export =
        format!("keys export client.jwks --kid {} --format hex", kid.as_str().expect("a name"));
    lab.ok(&export);
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", b"one\ntwo\n");
    assert_eq!(lab.json("client.jwks")["keys"][0]["kid"], kid);
    lab.refused(4, &export).says(&["no key"]);
}

#[test]
fn a_name_chooses_the_key_of_a_set_that_is_imported() {
    let lab = Lab::new();
    let oct = |kid: &str, alg: &str, byte| {
        let k = base64url(&[byte; 16]);
        format!(r#"{{"kty":"oct","kid":"{kid}","alg":"{alg}","k":"{k}"}}"#)
    };
    let keys = [oct("a", "A128KW", 1), oct("b", "A128KW", 2), oct("c", "A128GCMKW", 3)];
    lab.write("set", format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    lab.refused(4, "keys import set -o no.jwk").says(&["holds 3 keys", "--kid"]);
    lab.refused(4, "keys import set --kid d -o no.jwk").says(&["no key \"d\" among the 3 keys"]);
    for (line, byte) in [("--kid a", 1), ("--kid b --alg A128KW", 2), ("--kid c", 3)] {
        lab.ok(&format!("keys import set {line} -o one.jwk --force"));
        assert_eq!(lab.json("one.jwk")["k"], base64url(&[byte; 16]), "{line}");
    }
}
