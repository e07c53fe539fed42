//! Sealed orders as other software writes them: in JSON serializations, with blanks around them, under
//! any key name, and as documents of any content.

mod common;

use common::{CEK, Lab, Parts, base64url, cek_jwk, orders};
use serde_json::{Value, json};

/// The examples of RFC 7520 section 5, with the keys and plaintexts given there. The general and the
/// flattened serialization of sections 5.5 and 5.6 are the same, and here once.
const RFC_7520: &str = include_str!("rfc7520.ndjson");

/// Sections whose examples are not opened, with the exit code: RSA1_5, compressed content.
const REFUSED: [(&str, i32, &str); 2] =
    [("5.1", 4, "alg \"RSA1_5\""), ("5.9", 3, "(\"zip\") is not supported")];

#[test]
fn the_examples_of_rfc_7520_open() {
    let lab = Lab::new();
    let mut opened = 0;
    for row in RFC_7520.lines() {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let (section, sealed) = (&row["section"], row["sealed"].as_str().expect("text"));
        let (option, secret) = match row["password"].as_str() {
            Some(password) => ("--password-file", password.to_owned()),
            None => ("--key", row["key"].to_string()),
        };
        lab.write("secret", secret);
        let run = lab.run(&format!("decrypt {option} secret --document"), sealed.as_bytes());
        match REFUSED.iter().find(|(refused, ..)| section == refused) {
            Some((_, code, words)) => {
                assert_eq!(run.code, Some(*code), "{section}: {}", run.stderr);
                assert!(run.stderr.contains(words), "{section}: {}", run.stderr);
            }
            None => {
                assert_eq!(run.code, Some(0), "{section} {}: {}", row["serialization"], run.stderr);
                assert_eq!(run.text(), row["plaintext"].as_str().expect("text"), "{section}");
                opened += 1;
            }
        }
    }
    assert_eq!(opened, 26);
}

/// An order under [`CEK`] as the members of a flattened serialization, sealed with this protected
/// header and additional data.
fn flattened(protected: &str, aad: Option<&str>) -> Value {
    let encoded = base64url(protected.as_bytes());
    let authenticated = match aad {
        Some(aad) => format!("{encoded}.{}", base64url(aad.as_bytes())),
        None => encoded.clone(),
    };
    let parts = Parts::seal_with(authenticated.as_bytes(), &CEK, b"order");
    let mut members = json!({
        "protected": encoded,
        "iv": base64url(&parts.iv),
        "ciphertext": base64url(&parts.ciphertext),
        "tag": base64url(&parts.tag),
    });
    if let Some(aad) = aad {
        members["aad"] = json!(base64url(aad.as_bytes()));
    }
    members
}

const DIRECT: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cek.jwk", cek_jwk());
    lab
}

#[test]
fn json_serializations_open_one_per_line_and_over_several_lines() {
    let lab = lab();
    let plain = flattened(DIRECT, None);
    let with_aad = flattened(DIRECT, Some("for the record"));
    let mut general = flattened(r#"{"enc":"A256GCM"}"#, None);
    general["recipients"] = json!([
        {"header": {"alg": "RSA1_5", "kid": "old"}, "encrypted_key": "AAAA"},
        {"header": {"alg": "dir"}},
    ]);
    let compact = Parts::seal(DIRECT.as_bytes(), &CEK, b"compact").line(b"");
    let batch = format!("{plain}\n{}\n{with_aad}\r\n\n{general}\n", compact.trim_end());
    let run = lab.ok_with("decrypt --key cek.jwk", batch.as_bytes());
    assert_eq!(run.text(), "order\ncompact\norder\norder\n");
    for one in [plain, with_aad, general] {
        let pretty = serde_json::to_string_pretty(&one).expect("JSON");
        for text in
            [pretty.clone(), pretty.replace('\n', "\r\n"), format!("\u{feff}\n{pretty}\n\n")]
        {
            assert_eq!(lab.ok_with("decrypt --key cek.jwk", text.as_bytes()).text(), "order\n");
            let document = lab.ok_with("decrypt --document --key cek.jwk", text.as_bytes());
            assert_eq!(document.text(), "order");
        }
    }
}

#[test]
fn of_several_recipients_the_first_that_a_key_opens_is_taken() {
    let lab = Lab::new();
    lab.write("general.json", include_bytes!("foreign/general.json"));
    let secret = base64url(&CEK);
    lab.write("tokyo.jwk", format!(r#"{{"kty":"oct","kid":"tokyo","k":"{secret}"}}"#));
    assert_eq!(lab.ok("decrypt --key tokyo.jwk general.json").text().lines().count(), 1);
    lab.write(
        "other.jwk",
        r#"{"kty":"oct","kid":"kyoto","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#,
    );
    lab.refused(4, "decrypt --key other.jwk general.json").says(&["line 1", "tokyo"]);
    // Both wrapped keys are for a key of this kind and name none: the first does not open, the second does.
    let mut members: Value = serde_json::from_slice(&lab.read("general.json")).expect("JSON");
    let wrapped = members["recipients"][0]["encrypted_key"].clone();
    let broken = "DfHAvcRqIOUlhAetRsTTQ8hGUbxFrQNLI2etpyOPk2tWbXo8vpTZSQ";
    let header = json!({"alg": "A256KW"});
    members["recipients"] = json!([
        {"header": header, "encrypted_key": broken},
        {"header": header, "encrypted_key": wrapped},
    ]);
    lab.write("key.jwk", format!(r#"{{"kty":"oct","alg":"A256KW","k":"{secret}"}}"#));
    lab.ok_with("decrypt --key key.jwk", members.to_string().as_bytes());
    members["recipients"] = json!([{"header": header, "encrypted_key": broken}]);
    lab.refused_with(5, "decrypt --key key.jwk", members.to_string().as_bytes());
}

#[test]
fn headers_and_recipients_have_limits() {
    let lab = lab();
    let mut many = flattened(r#"{"enc":"A256GCM"}"#, None);
    let recipient = |alg: &str| json!({"header": {"alg": alg}});
    let mut recipients = vec![recipient("RSA1_5"); 63];
    recipients.push(recipient("dir"));
    many["recipients"] = json!(recipients);
    let text = many.to_string();
    assert_eq!(lab.ok_with("decrypt --key cek.jwk", text.as_bytes()).text(), "order\n");
    recipients.push(recipient("dir"));
    many["recipients"] = json!(recipients);
    lab.refused_with(3, "decrypt --key cek.jwk", many.to_string().as_bytes())
        .says(&["65 recipients"]);
    let mut long = flattened(DIRECT, None);
    long["unprotected"] = json!({"x": "x".repeat(64 << 10)});
    lab.refused_with(3, "decrypt --key cek.jwk", long.to_string().as_bytes())
        .says(&["longer than 65536 bytes"]);
}

#[test]
fn a_damaged_first_line_of_json_does_not_take_the_others_with_it() {
    let lab = lab();
    let whole = flattened(DIRECT, None).to_string();
    let batch = format!("{}\n{whole}\n{whole}\n", &whole[..whole.len() / 2]);
    let run = lab.run("decrypt --key cek.jwk --on-error skip", batch.as_bytes());
    assert_eq!((run.code, run.text()), (Some(6), "order\norder\n".to_owned()), "{}", run.stderr);
}

#[test]
fn malformed_json_serializations_are_refused() {
    let lab = lab();
    let set = |name: &str, value: Value| {
        let mut members = flattened(DIRECT, None);
        members[name] = value;
        members
    };
    let protected = |header: &str| flattened(header, None);
    for (members, code, words) in [
        (set("unprotected", json!({"alg": "dir"})), 3, "member \"alg\" is in two headers"),
        (set("header", json!({"enc": "A128GCM"})), 3, "member \"enc\" is in two headers"),
        (set("header", json!({"crit": ["chain"]})), 3, "member \"crit\" is not in the protected"),
        (set("header", json!([])), 3, "member \"header\" is not an object"),
        (set("recipients", json!([])), 3, "member \"recipients\" is not an array of objects"),
        (set("recipients", json!([1])), 3, "member \"recipients\" is not an array of objects"),
        (set("recipients", json!({})), 3, "member \"recipients\" is not an array of objects"),
        (set("aad", json!("A")), 3, "aad is not canonical base64url"),
        (set("aad", json!(7)), 3, "member \"aad\" is not a string"),
        (set("aad", json!("AAAA")), 5, "authentication failed"),
        (set("tag", json!("AAAA")), 3, "the tag has 3 bytes, expected 16"),
        (set("protected", json!("e30")), 3, "no member \"alg\""),
        (set("protected", json!("W10")), 3, "not a JSON object"),
        (set("iv", Value::Null), 3, "\"iv\""),
        (set("aad", Value::Null), 3, "\"aad\""),
        (set("encrypted_key", Value::Null), 3, "\"encrypted_key\""),
        (protected(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#), 3, "is not supported"),
        (protected(r#"{"alg":"dir","enc":"A256GCM","crit":["x"]}"#), 3, "critical members"),
    ] {
        let run = lab.refused_with(code, "decrypt --key cek.jwk", members.to_string().as_bytes());
        run.says(&["line 1", words]);
    }
    let both = json!({"header": {}, "recipients": [{}], "protected": "e30", "ciphertext": ""});
    lab.refused_with(3, "decrypt --key cek.jwk", both.to_string().as_bytes())
        .says(&["both the general and the flattened"]);
}

#[test]
fn members_outside_the_protected_header_do_not_make_an_order_a_key() {
    let lab = lab();
    let mut members = flattened(DIRECT, None);
    members["header"] = json!({"cty": "jwk+json", "typ": "orderseal-stream", "chain": ["AAAA"]});
    let run = lab.ok_with("decrypt --key cek.jwk", members.to_string().as_bytes());
    assert_eq!(run.text(), "order\n");
}

#[test]
fn a_wrapped_key_cannot_be_passed_off_as_an_order() {
    let lab = lab();
    // What A256GCMKW makes of a content key: ciphertext, IV and tag without additional data.
    let parts = Parts::seal_with(b"", &CEK, b"a content key of thirty-two byte");
    let mut forged = json!({
        "unprotected": {"alg": "dir", "enc": "A256GCM"},
        "iv": base64url(&parts.iv),
        "ciphertext": base64url(&parts.ciphertext),
        "tag": base64url(&parts.tag),
    });
    lab.write("bare.jwk", format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url(&CEK)));
    let text = forged.to_string();
    lab.refused_with(4, "decrypt --key bare.jwk", text.as_bytes()).says(&["no protected header"]);
    lab.refused_with(4, "decrypt --key bare.jwk --alg A256GCMKW", text.as_bytes());
    // A user who names the algorithm says what the key is for.
    let named = lab.ok_with("decrypt --key bare.jwk --alg A256GCM", text.as_bytes());
    assert_eq!(named.text(), "a content key of thirty-two byte\n");
    // What is protected was not authenticated when the key was wrapped.
    forged["unprotected"] = json!({"alg": "dir"});
    forged["protected"] = json!(base64url(br#"{"enc":"A256GCM"}"#));
    lab.refused_with(5, "decrypt --key bare.jwk", forged.to_string().as_bytes());
}

#[test]
fn blanks_around_lines_do_no_harm_and_count_as_lines() {
    let lab = lab();
    let line = Parts::seal(DIRECT.as_bytes(), &CEK, b"order").line(b"");
    let line = line.trim_end();
    let batch = format!("\u{feff}\n \t\r\n  {line}\t\r\n\n{line}\n\n");
    let run = lab.ok_with("decrypt --key cek.jwk", batch.as_bytes());
    assert_eq!(run.text(), "order\norder\n");
    let damaged = format!("\n\r\n{}x\n", line);
    lab.refused_with(3, "decrypt --key cek.jwk", damaged.as_bytes()).says(&["stdin: line 3"]);
    lab.write("sealed.jwe", &batch);
    let found = lab.ok("inspect --json sealed.jwe").json();
    assert_eq!(found["group"][0]["lines"], 2, "{found}");
    let mut members = flattened(DIRECT, None);
    members["header"] = json!({"kid": "tokyo"});
    lab.write("one.json", serde_json::to_string_pretty(&members).expect("JSON"));
    let found = lab.ok("inspect --json one.json").json();
    assert_eq!(found["group"][0]["shop"], "tokyo", "{found}");
}

#[test]
fn a_document_of_any_content_comes_back_byte_for_byte() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let long: Vec<u8> = (0..5 << 20).map(|at: u32| (at.wrapping_mul(at) >> 7) as u8).collect();
    for content in [&b""[..], b"\n", b"one\ntwo", b"\r\n\0\xff\n", &orders(9), &long] {
        lab.write("in", content);
        lab.ok("encrypt --bundle client.jwks --document in -o sealed.jwe --force");
        let sealed = lab.read("sealed.jwe");
        assert_eq!(sealed.iter().filter(|&&byte| byte == b'\n').count(), 1);
        lab.ok("decrypt --bundle tokyo.jwks --document sealed.jwe -o out --force");
        assert!(lab.read("out") == content, "{} bytes", content.len());
        let checked = lab.ok("decrypt --bundle tokyo.jwks --document --check sealed.jwe");
        assert_eq!(checked.text(), "1\ttokyo\n");
    }
    // The same line among orders is refused, as its line feeds would make several of one.
    lab.write("in", "one\ntwo");
    lab.ok("encrypt --bundle client.jwks --document in -o sealed.jwe --force");
    lab.refused(3, "decrypt --bundle tokyo.jwks sealed.jwe").says(&["line feed", "--document"]);
    // A document is one order, and uses up one id.
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.write("in", "one\ntwo");
    lab.ok("encrypt --bundle client.jwks --document in -o first.jwe");
    lab.ok("encrypt --bundle client.jwks --document in -o second.jwe");
    lab.refused(4, "encrypt --bundle client.jwks --document in -o third.jwe");
    lab.ok("decrypt --bundle tokyo.jwks --document second.jwe -o out");
    assert_eq!(lab.read("out"), b"one\ntwo");
    lab.refused(2, "encrypt --bundle client.jwks --document --stream in");
    lab.refused(2, "decrypt --bundle tokyo.jwks --document --once in");
    lab.refused(2, "encrypt --bundle client.jwks --document in in");
}

#[test]
fn names_of_other_software_are_only_compared() {
    let lab = Lab::new();
    let long = "x".repeat(1024);
    for kid in [
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "-kV3XOxDAZPSDxJLfKtD2IXFQSAbQn3Cg0zM1ZH7gvY",
        "https://vault.example/keys/orders/0123456789abcdef",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "2024-01-01T00:00:00Z",
        "",
        "東京",
        "a \"quoted\" \\ name\n",
        &long,
    ] {
        let key =
            |kid: &str| json!({"kty": "oct", "kid": kid, "alg": "A256KW", "k": base64url(&CEK)});
        lab.write("key.jwk", key(kid).to_string());
        let set = json!({"keys": [key("other"), key(kid)]});
        lab.write("set.jwks", set.to_string());
        lab.write("in", "order\n");
        lab.ok("encrypt --key key.jwk in -o sealed.jwe --force");
        let header = common::header(String::from_utf8_lossy(&lab.read("sealed.jwe")).trim_end());
        assert_eq!(header["kid"], kid);
        for keys in ["key.jwk", "set.jwks"] {
            let opened = lab.ok(&format!("decrypt --key {keys} sealed.jwe"));
            assert_eq!(opened.text(), "order\n", "{kid}");
        }
        lab.ok("inspect --json sealed.jwe");
        lab.write("other.jwks", json!({"keys": [key("other"), key("another")]}).to_string());
        lab.refused(4, "decrypt --key other.jwks sealed.jwe");
    }
}
