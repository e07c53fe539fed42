//! Data and keys of other software that are not read here: each is recognized, and the message names it.

mod common;

use common::{CEK, Lab, base64url};

/// What other software sealed with the bytes 0 to 31, or with another key, in forms and under
/// algorithms that are not read.
const LINES: &[(&str, &[u8], i32, &[&str])] = &[
    (
        "PBES2",
        include_bytes!("foreign/pbes2.jwe"),
        4,
        &["the order asks for PBES2-HS256+A128KW", "hint: write the password into a file"],
    ),
    (
        "a token inside a JSON object",
        include_bytes!("foreign/token-in-json.json"),
        3,
        &["found a JSON object with a compact JWE at .encData", "jq -r .encData"],
    ),
    (
        "a token deep inside a JSON object",
        br#"{"a":1,"data":{"n":null,"token":"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0...."}}"#,
        3,
        &["a compact JWE at .data.token"],
    ),
    (
        "a token under a name that means something to a shell",
        br#"{"'; x '":"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0...."}"#,
        3,
        &["a compact JWE at .'; x '", "hint: take the token out of the object first"],
    ),
    (
        "a token wrapped at 64 columns",
        include_bytes!("foreign/wrapped.jwe"),
        3,
        &["line 1: found a sealed order that is cut off (in segment 2)", "wrapped"],
    ),
    (
        "white space inside a token",
        b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.. AAAA.AAAA.AAAA",
        3,
        &["line 1: found white space inside a compact JWE", "hint:"],
    ),
    ("UTF-16", b"\xff\xfee\0y\0J\0", 3, &["line 1: found UTF-16 text", "iconv"]),
    (
        "a signed token (RFC 7515 appendix A.1)",
        b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
          dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        3,
        &["found a signed token (JWS, alg HS256)", "hint:"],
    ),
    (
        "a signed token in JSON",
        br#"{"payload":"e30","protected":"e30","signature":"AA"}"#,
        3,
        &["found a signed token (JWS, JSON serialization)"],
    ),
    ("a key", br#"{"kty":"oct","k":"AAAA"}"#, 3, &["found a key file", "--bundle or --key"]),
    ("a key in PEM", b"-----BEGIN PRIVATE KEY-----\nMC4C\n", 3, &["found a PKCS #8 private key"]),
];

/// Length of the key in bytes, and what jwcrypto sealed with the first bytes of [`CEK`].
const OPENED: &[(usize, &[u8])] = &[
    (32, include_bytes!("foreign/a256cbc-hs512.jwe")),
    (24, include_bytes!("foreign/a192gcm.jwe")),
    (24, include_bytes!("foreign/a192kw.jwe")),
];

#[test]
fn what_other_software_sealed_opens() {
    const ORDER: &str = "{\"order\":1,\"item\":\"tea\",\"qty\":2}\n";
    let lab = Lab::new();
    for (len, line) in OPENED {
        let key = base64url(&CEK[..*len]);
        lab.write("key.jwk", format!(r#"{{"kty":"oct","k":"{key}"}}"#));
        assert_eq!(lab.ok_with("decrypt --key key.jwk", line).text(), ORDER);
    }
    lab.write("rsa.jwk", include_bytes!("cases/rsa-keys/good.jwk"));
    let line = include_bytes!("foreign/rsa-oaep.jwe");
    assert_eq!(lab.ok_with("decrypt --key rsa.jwk", line).text(), ORDER);
}

#[test]
fn what_other_software_sealed_is_recognized() {
    let lab = Lab::new();
    lab.write("key.jwk", format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(&CEK)));
    for (name, line, code, words) in LINES {
        let run = lab.run("decrypt --key key.jwk", line);
        assert_eq!(run.code, Some(*code), "{name}: {}", run.stderr);
        run.says(words);
    }
}

#[test]
fn an_algorithm_is_told_apart_as_unknown_not_supported_or_not_the_keys() {
    let lab = Lab::new();
    lab.write(
        "key.jwk",
        format!(r#"{{"kty":"oct","kid":"a","alg":"A256KW","k":"{}"}}"#, base64url(&CEK)),
    );
    for (header, words) in [
        (r#"{"alg":"A999KW","enc":"A256GCM","kid":"a"}"#, "alg \"A999KW\" is unknown here"),
        (r#"{"alg":"A256KW","enc":"\u202eX","kid":"a"}"#, "enc \"\\u{202e}X\" is unknown here"),
        (
            r#"{"alg":"RSA1_5","enc":"A256GCM","kid":"b"}"#,
            "(RFC 7518 section 4.2) is not supported",
        ),
        (r#"{"alg":"HS256","enc":"A256GCM","kid":"a"}"#, "a signature, RFC 7518"),
        (
            r#"{"alg":"dir","enc":"A256GCM","kid":"a"}"#,
            "key a is for A256KW, the order asks for dir with A256GCM",
        ),
        (r#"{"alg":"dir","enc":"A256GCM","kid":"b"}"#, "no key \"b\" among the 1 keys given"),
        (r#"{"alg":"A256KW","enc":"VERNAM-HS256","kid":"a"}"#, "does not go with"),
    ] {
        let line = format!("{}....\n", base64url(header.as_bytes()));
        lab.refused_with(4, "decrypt --key key.jwk", line.as_bytes()).says(&[words]);
    }
    // A name that no standard has is shown in part, and escaped.
    let long = format!(r#"{{"alg":"{}","enc":"A256GCM","kid":"a"}}"#, "x".repeat(1000));
    let line = format!("{}....\n", base64url(long.as_bytes()));
    let run = lab.refused_with(4, "decrypt --key key.jwk", line.as_bytes());
    assert!(run.stderr.len() < 200, "{}", run.stderr);
}

/// Files where a key file is expected.
const KEYS: &[(&str, &[u8], i32, &[&str])] = &[
    (
        "PKCS #8",
        b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
        3,
        &["key: the key is not well-formed PKCS #8"],
    ),
    (
        "PKCS #8 with a passphrase",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----\n",
        3,
        &["key: the key is not well-formed encrypted PKCS #8"],
    ),
    (
        "PKCS #1 with a passphrase",
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIE\n",
        3,
        &["found a PKCS #1 private key in PEM form", "protected by a passphrase", "openssl pkcs8"],
    ),
    ("SEC 1", b"-----BEGIN EC PRIVATE KEY-----\n", 3, &["found a SEC 1 private key"]),
    ("a public key", b"\n-----BEGIN PUBLIC KEY-----\n", 3, &["found a public key in PEM form"]),
    ("a certificate", b"-----BEGIN CERTIFICATE-----\n", 3, &["found a certificate in PEM form"]),
    (
        "other PEM data",
        b"-----BEGIN \xe2\x80\xaeX-----\n",
        3,
        &["found PEM data (\\u{202e}X)"],
    ),
    (
        "an OpenSSH private key",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n",
        3,
        &["found an OpenSSH private key"],
    ),
    ("an OpenSSH public key", b"ssh-ed25519 AAAAC3Nz me@host\n", 3, &["found an OpenSSH public key"]),
    ("DER", b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22", 3, &["found DER data"]),
    ("a long key in DER", b"\x30\x82\x04\xa5\x02\x01\x00\x02\x82", 3, &["found DER data"]),
    ("a byte-order mark", b"\xef\xbb\xbf{\"kty\":\"oct\",\"k\":\"AAAA\"}", 3, &["byte-order mark"]),
    (
        "a signed token",
        b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\n",
        3,
        &["found a signed token (JWS, alg ES256), expected a key file"],
    ),
    (
        "a JWE in JSON",
        include_bytes!("foreign/flattened.json"),
        3,
        &["found a JWE in the flattened JSON serialization", "expected a key file"],
    ),
    ("an order", b"{\"order\":1}", 3, &["found a JSON text, expected a key file", "hint:"]),
    (
        "an elliptic-curve key for signatures",
        br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        4,
        &["key: curve \"Ed25519\" (a signature, RFC 8037 section 3.1) is not supported"],
    ),
    ("a key of no known type", br#"{"kty":"X"}"#, 4, &["key type \"X\" is unknown here"]),
    (
        "a key for signatures",
        br#"{"kty":"oct","kid":"a","k":"AAAA","use":"sig"}"#,
        4,
        &["key a is for \"sig\" (use), encryption is needed"],
    ),
    (
        "a key whose operations are those of signatures",
        include_bytes!("foreign/verify.jwk"),
        4,
        &["the key is for \"sign\", \"verify\" (key_ops), encryption is needed"],
    ),
    (
        "a key for an algorithm that is not supported",
        br#"{"kty":"oct","k":"AAAA","alg":"RSA1_5"}"#,
        4,
        &["alg \"RSA1_5\" (RFC 7518 section 4.2) is not supported"],
    ),
    (
        "a key for an algorithm that takes a password",
        br#"{"kty":"oct","k":"AAAA","alg":"PBES2-HS256+A128KW"}"#,
        4,
        &["PBES2-HS256+A128KW takes a password, which is not a key in a file", "--password-file"],
    ),
    (
        "a set of nothing that is for us",
        br#"{"keys":[{"kty":"OKP","crv":"X448","x":"AAAA"},{"kty":"oct","k":"AAAA","use":"sig"}]}"#,
        4,
        &["key: key 1: curve \"X448\"", "not supported"],
    ),
];

#[test]
fn foreign_files_are_recognized_where_a_key_is_expected() {
    let lab = Lab::new();
    lab.write("orders", "one\n");
    for (name, file, code, words) in KEYS {
        lab.write("key", file);
        for line in ["decrypt --key key orders", "encrypt --key key orders", "wrap --with key key"]
        {
            let run = lab.refused(*code, line);
            for word in *words {
                assert!(run.stderr.contains(word), "{name}: {line}: no {word:?} in {}", run.stderr);
            }
        }
    }
}

#[test]
fn inspect_does_not_take_foreign_files_for_sealed_orders() {
    let lab = Lab::new();
    for (name, file, words) in [
        ("key.pem", &b"-----BEGIN PRIVATE KEY-----\nMIIE\n"[..], "found a PKCS #8 private key"),
        ("key.der", b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22", "found DER data"),
        ("token.jwt", b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln\n", "found a signed token"),
    ] {
        lab.write(name, file);
        let run = lab.refused(3, &format!("inspect {name}"));
        run.says(&[name, words]);
        assert_eq!(run.text(), "", "{name}");
    }
}
