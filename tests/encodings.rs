//! Keys as other software stores them. The PEM files were made by OpenSSL 3 (`openssl genpkey`,
//! `openssl pkey`, `openssl rsa`, `openssl ec`).

mod common;

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
        (include_str!("encodings/p256-encrypted.pem"), 3, "protected by a passphrase"),
    ] {
        lab.write("key.pem", file);
        lab.refused(code, "decrypt --key key.pem orders").says(&["key.pem: ", words]);
    }
}
