//! Which key opens or seals a line: what a JWK leaves open, sets of keys, and names chosen by hand.

mod common;

use common::{CEK, Lab, base64url, header};

/// A key of the bytes 0 to 31 with more members.
fn oct(members: &str) -> String {
    format!(r#"{{"kty":"oct","k":"{}"{members}}}"#, base64url(&CEK))
}

/// Three lines that one key without `alg` sealed: directly for A256GCM, wrapping by A256KW, and
/// directly for A128CBC-HS256.
#[test]
fn a_key_without_alg_opens_each_line_as_its_header_says() {
    let lab = Lab::new();
    lab.write("k.jwk", include_bytes!("foreign/no-alg.jwk"));
    let lines = include_str!("foreign/no-alg.jwe");
    let alone: Vec<String> = lines
        .lines()
        .map(|line| lab.ok_with("decrypt --key k.jwk", line.as_bytes()).text())
        .collect();
    assert_eq!(lab.ok_with("decrypt --key k.jwk", lines.as_bytes()).text(), alone.concat());
    // The same bound to one algorithm.
    for (alg, opens) in [("A256GCM", 0), ("A256KW", 1), ("A128CBC-HS256", 2)] {
        for (number, line) in lines.lines().enumerate() {
            let run = lab.run(&format!("decrypt --key k.jwk --alg {alg}"), line.as_bytes());
            let code = if number == opens { 0 } else { 4 };
            assert_eq!(run.code, Some(code), "{alg}, line {number}: {}", run.stderr);
        }
    }
}

#[test]
fn a_hint_names_the_algorithms_that_a_key_fits() {
    let lab = Lab::new();
    lab.write("orders", "one\n");
    for (alg, fitting) in [
        ("A128KW", "size: A128KW, A128GCMKW, A128GCM\n"),
        ("A256CBC-HS512", "size: A256CBC-HS512\n"),
        (
            "RSA-OAEP-256 --rsa-bits 2048",
            "size: RSA-OAEP-256, RSA-OAEP-384, RSA-OAEP-512, RSA-OAEP\n",
        ),
        (
            "ECDH-ES --curve P-256",
            "size: ECDH-ES+A256KW, ECDH-ES+A192KW, ECDH-ES+A128KW, ECDH-ES\n",
        ),
    ] {
        lab.ok(&format!("keygen --alg {alg} -o key.jwk --force"));
        let mut key = lab.json("key.jwk");
        key.as_object_mut().unwrap().remove("alg");
        lab.write("key.jwk", key.to_string());
        for command in ["encrypt --key key.jwk orders", "wrap --with key.jwk key.jwk"] {
            lab.refused(4, command).says(&["hint: name it by --alg; ", fitting]);
        }
    }
    lab.write("key.jwk", r#"{"kty":"oct","k":"AAECAwQ"}"#);
    lab.refused(4, "encrypt --key key.jwk orders")
        .says(&["hint: no standard algorithm is for keys"]);
}

#[test]
fn an_assumed_algorithm_is_for_keys_that_name_none() {
    let lab = Lab::new();
    lab.write("gcm.jwk", oct(r#","alg":"A256GCM""#));
    lab.write("orders", "one\n");
    lab.refused(4, "decrypt --key gcm.jwk --alg A256KW orders")
        .says(&["gcm.jwk: holds no key for A256KW", "hint:"]);
    lab.refused(4, "encrypt --key gcm.jwk --alg A256KW orders").says(&["holds no key for A256KW"]);
    lab.refused(2, "decrypt --bundle gcm.jwk --alg A256KW orders").says(&["--key"]);
    lab.write("plain.jwk", oct(""));
    lab.refused(4, "encrypt --key plain.jwk orders").says(&["\"alg\"", "hint: name it by --alg"]);
    let fitting = "A256KW, A256GCMKW, A256GCM, A128CBC-HS256\n";
    lab.refused(4, "encrypt --key plain.jwk orders").says(&["of this type and size: ", fitting]);
    let sealed = lab.ok("encrypt --key plain.jwk --alg A256KW orders").stdout;
    assert_eq!(header(&String::from_utf8_lossy(&sealed))["alg"], "A256KW");
    assert_eq!(lab.ok_with("decrypt --key plain.jwk", &sealed).text(), "one\n");
    // A key that encrypts directly is counted in its file, which stays otherwise as it was.
    lab.ok("encrypt --key plain.jwk --alg A256GCM orders");
    let kept = lab.json("plain.jwk");
    assert_eq!(kept["orderseal"]["sealed"], 1);
    assert!(kept.get("alg").is_none() && kept.get("use").is_none(), "{kept}");
    // A key that does not fit the algorithm is refused where it is used.
    lab.refused_with(4, "decrypt --key plain.jwk --alg A128KW", &sealed).says(&["A128KW"]);
    // A weak algorithm is refused as if the key named it.
    lab.write("weak.jwk", r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"}"#);
    lab.refused(4, "encrypt --key weak.jwk --alg DES-CBC-HS256 orders").says(&["is weak"]);
}

#[test]
fn key_ops_say_what_a_key_seals() {
    let lab = Lab::new();
    for (ops, alg, code) in [
        (r#""wrapKey""#, "A256KW", 0),
        (r#""unwrapKey""#, "A256KW", 4),
        // jwcrypto asks for these for key wrap as well.
        (r#""encrypt""#, "A256KW", 0),
        (r#""decrypt""#, "A256KW", 4),
        (r#""encrypt","decrypt""#, "A256GCM", 0),
        (r#""wrapKey""#, "A256GCM", 4),
        (r#""encrypt""#, "A256GCMKW", 0),
    ] {
        lab.write("key.jwk", oct(&format!(r#","alg":"{alg}","key_ops":[{ops}]"#)));
        let run = lab.run("encrypt --key key.jwk", b"one\n");
        assert_eq!(run.code, Some(code), "{ops} {alg}: {}", run.stderr);
        if code == 4 {
            run.says(&["(key_ops)", "is needed"]);
        }
    }
    // They stay when the file is written again.
    assert_eq!(lab.json("key.jwk")["key_ops"][0], "encrypt");
}

#[test]
fn the_public_half_of_a_key_seals_what_the_private_half_opens() {
    let lab = Lab::new();
    lab.ok("keygen --alg RSA-OAEP-256 --rsa-bits 2048 --kid tokyo -o pair.jwk");
    let mut pair = lab.json("pair.jwk");
    pair["key_ops"] = serde_json::json!(["unwrapKey"]);
    lab.write("pair.jwk", pair.to_string());
    lab.write("public.jwks", lab.ok("inspect --public pair.jwk").stdout);
    assert_eq!(lab.json("public.jwks")["keys"][0]["key_ops"], serde_json::json!(["wrapKey"]));
    let sealed = lab.ok_with("encrypt --key public.jwks", b"one\n").stdout;
    assert_eq!(lab.ok_with("decrypt --key pair.jwk", &sealed).text(), "one\n");
    lab.refused_with(4, "encrypt --key pair.jwk", b"one\n").says(&["unwrapKey"]);
}

#[test]
fn a_set_of_one_key_seals() {
    let lab = Lab::new();
    lab.write("set.jwks", include_bytes!("foreign/set-of-one.jwks"));
    let sealed = lab.ok_with("encrypt --key set.jwks", b"one\n").stdout;
    assert_eq!(lab.ok_with("decrypt --key set.jwks", &sealed).text(), "one\n");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let wrapped = lab.ok("wrap --with set.jwks cek.jwk").stdout;
    lab.ok_with("decrypt --key set.jwks -o back.jwk", &wrapped);
    // What a key of a set seals is counted nowhere.
    let set = format!(r#"{{"keys":[{}]}}"#, oct(r#","kid":"a","alg":"A256GCM""#));
    lab.write("direct.jwks", set);
    lab.refused_with(4, "encrypt --key direct.jwks", b"one\n")
        .says(&["key a", "lone key", "hint:"]);
}

#[test]
fn a_name_chooses_from_a_set() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 6 --rsa-bits 2048 --shop tokyo --orders 2 -o service.jwks");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
    lab.write("public.jwks", lab.ok("inspect --public service.jwks").stdout);
    lab.refused_with(4, "encrypt --key public.jwks", b"one\n").says(&[
        "public.jwks: holds 2 keys",
        "none was chosen",
        "--kid",
    ]);
    let kid = lab.json("public.jwks")["keys"][1]["kid"].as_str().expect("a name").to_owned();
    let sealed = lab.ok_with(&format!("encrypt --key public.jwks --kid {kid}"), b"one\n").stdout;
    assert_eq!(header(&String::from_utf8_lossy(&sealed))["kid"], kid.as_str());
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).text(), "one\n");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok(&format!("wrap --with public.jwks --kid {kid} cek.jwk -o cek.jwe"));
    lab.refused_with(4, "encrypt --key public.jwks --kid tokyo/none", b"one\n")
        .says(&["no key \"tokyo/none\" among the 2 keys given"]);
    // A line without a name, and keys of a set that all fit.
    let keys = [oct(r#","kid":"a","alg":"A256KW""#), oct(r#","kid":"b","alg":"A256KW""#)];
    lab.write("two.jwks", format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    lab.write("one.jwk", oct(r#","alg":"A256KW""#));
    let unnamed = lab.ok_with("encrypt --key one.jwk", b"one\n").stdout;
    lab.refused_with(4, "decrypt --key two.jwks", &unnamed).says(&["names no key", "--kid"]);
    assert_eq!(lab.ok_with("decrypt --key two.jwks --kid b", &unnamed).text(), "one\n");
    lab.refused_with(4, "decrypt --key two.jwks --kid c", &unnamed).says(&["--kid: no key \"c\""]);
}

#[test]
fn keys_of_a_set_that_are_not_for_us_are_passed_over() {
    let lab = Lab::new();
    lab.write("one.jwk", oct(r#","alg":"A256KW""#));
    let unnamed = lab.ok_with("encrypt --key one.jwk", b"one\n").stdout;
    let others = [
        r#"{"kty":"OKP","crv":"Ed25519","kid":"ed"}"#,
        r#"{"kty":"oct","kid":"mac","k":"AAAA","alg":"HS256"}"#,
        r#"{"kty":"oct","kid":"sig","k":"AAAA","use":"sig"}"#,
        r#"{"kty":"oct","kid":"short","k":"AAAA","alg":"A256KW"}"#,
    ];
    let ours = oct(r#","kid":"a","alg":"A256KW""#);
    lab.write("set.jwks", format!(r#"{{"keys":[{},{ours}]}}"#, others.join(",")));
    assert_eq!(lab.ok_with("decrypt --key set.jwks", &unnamed).text(), "one\n");
    let sealed = lab.ok_with("encrypt --key set.jwks", b"one\n").stdout;
    assert_eq!(header(&String::from_utf8_lossy(&sealed))["kid"], "a");
    // A line that names one of them is told why.
    for (kid, words) in [
        ("ed", "curve \"Ed25519\" (a signature, RFC 8037 section 3.1) is not supported"),
        ("mac", "alg \"HS256\" (a signature, RFC 7518 section 3) is not supported"),
        ("sig", "key sig is for \"sig\" (use)"),
        ("short", "key 4 (short): member \"k\" has 3 bytes, A256KW takes 32"),
    ] {
        let header = format!(r#"{{"alg":"A256KW","enc":"A256GCM","kid":"{kid}"}}"#);
        let line = format!("{}....\n", base64url(header.as_bytes()));
        lab.refused_with(4, "decrypt --key set.jwks", line.as_bytes()).says(&[words]);
    }
}

#[test]
fn a_wrapping_key_opens_a_weak_cipher_only_if_that_is_allowed() {
    let lab = Lab::new();
    lab.ok("keygen --alg A256KW -o kw.jwk");
    let sealed =
        lab.ok_with("encrypt --key kw.jwk --enc DES-CBC-HS256 --allow-weak", b"one\n").stdout;
    lab.refused_with(4, "decrypt --key kw.jwk", &sealed).says(&["DES-CBC-HS256 is weak", "hint:"]);
    assert_eq!(lab.ok_with("decrypt --key kw.jwk --allow-weak", &sealed).text(), "one\n");
}

#[test]
fn orders_before_the_line_that_fails_are_on_stdout() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo\nthree\n").text();
    let mut lines: Vec<String> = sealed.lines().map(str::to_owned).collect();
    let tag = lines[2].rfind('.').expect("five segments") + 1;
    let other = if &lines[2][tag..=tag] == "A" { "B" } else { "A" };
    lines[2].replace_range(tag..=tag, other);
    lines.push(lines[0].clone());
    let run = lab.run("decrypt --bundle tokyo.jwks", lines.join("\n").as_bytes());
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    assert_eq!(run.text(), "one\ntwo\n");
}

#[test]
fn an_id_in_two_files_still_serves_once() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.ok("bundle shop --keys service.jwks -o again.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo\n").text();
    let lines: Vec<&str> = sealed.lines().collect();
    for batch in [[lines[0], lines[1], lines[0]], [lines[1], lines[0], lines[1]]] {
        // From a file, so that one block has all lines.
        lab.write("batch.jwe", batch.join("\n") + "\n");
        lab.refused(7, "decrypt --bundle tokyo.jwks --bundle again.jwks --once batch.jwe")
            .says(&["line 3", "used before, in batch.jwe: line 1"]);
    }
}

#[test]
fn a_keyring_may_come_from_stdin_where_nothing_is_recorded_in_it() {
    let lab = Lab::new();
    lab.ok(
        "keygen --content hybrid --scope shop --kind public --rsa-bits 2048 --shop tokyo -o public.jwks",
    );
    let keyring = lab.read("public.jwks");
    for line in ["bundle shop --keys -", "bundle page --keys -", "bundle client --keys -"] {
        let bundle = lab.ok_with(line, &keyring).stdout;
        assert!(bundle.starts_with(b"{"), "{line}");
        assert!(
            !lab.shell(&format!("$ORDERSEAL {line} < public.jwks")).stdout.is_empty(),
            "{line}"
        );
    }
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 1 -o ids.jwks");
    let script = "$ORDERSEAL bundle client --keys - -o client.jwks < ids.jwks";
    for run in
        [lab.run("bundle client --keys - -o client.jwks", &lab.read("ids.jwks")), lab.shell(script)]
    {
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        run.says(&["stdin: what is handed out is recorded", "cannot be a pipe"]);
    }
    assert!(!lab.has("client.jwks"));
    let orders = lab.ok("bundle client --keys ids.jwks").stdout;
    lab.refused_with(2, "encrypt --bundle - fixture", &orders).says(&["cannot be a pipe"]);
}

/// A set with two RSA keys of one name for `RSA-OAEP` and `RSA-OAEP-256`, an elliptic-curve key of that
/// name, and one of that name for signatures.
fn alike(lab: &Lab) -> Vec<serde_json::Value> {
    let mut keys = Vec::new();
    for (alg, pair) in [
        ("RSA-OAEP", include_str!("keys/rsa-2048.jwk")),
        ("RSA-OAEP-256", include_str!("cases/rsa-keys/good.jwk")),
        ("ECDH-ES+A256KW", include_str!("foreign/ec.jwk")),
        ("RS256", include_str!("keys/rsa-2048.jwk")),
    ] {
        let mut key: serde_json::Value = serde_json::from_str(pair).expect("JSON");
        key["alg"] = alg.into();
        key["kid"] = "a".into();
        key["use"] = if alg == "RS256" { "sig" } else { "enc" }.into();
        keys.push(key);
    }
    lab.write("alike.jwks", serde_json::json!({ "keys": keys }).to_string());
    keys
}

#[test]
fn of_several_keys_of_one_name_the_algorithm_decides() {
    let lab = Lab::new();
    let keys = alike(&lab);
    let mut lines = Vec::new();
    for (number, key) in keys.iter().take(3).enumerate() {
        let alg = key["alg"].as_str().expect("a name");
        lab.write("one.jwk", key.to_string());
        // The set seals as the one key, which opens it, and the other way round.
        let choose = format!("--key alike.jwks --kid a --alg {alg}");
        let by_set = lab.ok_with(&format!("encrypt {choose}"), b"one\n").text();
        assert_eq!(lab.ok_with("decrypt --key one.jwk", by_set.as_bytes()).text(), "one\n");
        lab.ok_with(&format!("encrypt --key alike.jwks --alg {alg}"), b"one\n");
        let sealed = lab.ok_with("encrypt --key one.jwk", format!("{number}\n").as_bytes()).text();
        assert_eq!(
            lab.ok_with("decrypt --key alike.jwks", sealed.as_bytes()).text(),
            format!("{number}\n")
        );
        lab.ok_with(&format!("decrypt {choose}"), sealed.as_bytes());
        lab.ok(&format!("keys import alike.jwks --kid a --alg {alg} -o back.jwk --force"));
        lab.ok(&format!(
            "keys export alike.jwks --kid a --alg {alg} --format jwk -o out.jwk --force"
        ));
        for file in ["back.jwk", "out.jwk"] {
            assert_eq!(
                (&lab.json(file)["n"], &lab.json(file)["x"]),
                (&key["n"], &key["x"]),
                "{file}"
            );
        }
        lines.push(sealed);
    }
    // In any order, and with the same set twice.
    let orders = [[0, 1, 2, 1], [2, 2, 0, 1], [1, 0, 1, 2]];
    for order in orders {
        let batch: String = order.iter().map(|&line| lines[line].as_str()).collect();
        let opened: String = order.iter().map(|line| format!("{line}\n")).collect();
        let run = lab.ok_with("decrypt --key alike.jwks --key alike.jwks", batch.as_bytes());
        assert_eq!(run.text(), opened);
    }
    let run =
        lab.ok_with("decrypt --key alike.jwks --json --ids --check", lines.concat().as_bytes());
    assert_eq!(run.json()["by_key"]["a"], 3);
    // A line without a name, by the name of all of them.
    let mut unnamed = keys[1].clone();
    unnamed.as_object_mut().expect("an object").remove("kid");
    lab.write("one.jwk", unnamed.to_string());
    let sealed = lab.ok_with("encrypt --key one.jwk", b"one\n").stdout;
    lab.refused_with(4, "decrypt --key alike.jwks", &sealed).says(&["names no key", "--kid"]);
    assert_eq!(lab.ok_with("decrypt --key alike.jwks --kid a", &sealed).text(), "one\n");
    let public = lab.ok("inspect --public alike.jwks").json();
    assert_eq!(public["keys"].as_array().map(Vec::len), Some(3));
}

#[test]
fn keys_of_one_name_that_cannot_be_told_apart_are_refused() {
    let lab = Lab::new();
    let keys = alike(&lab);
    let words = ["alike.jwks: 3 keys are named \"a\"", "--alg"];
    lab.refused_with(4, "encrypt --key alike.jwks --kid a", b"one\n").says(&words);
    lab.refused(4, "keys import alike.jwks --kid a -o no").says(&words);
    lab.refused(4, "keys export alike.jwks --kid a --format pem -o no").says(&words);
    lab.refused(4, "keys export alike.jwks --kid a --alg A256KW --format pem -o no")
        .says(&["holds no key for A256KW"]);
    // A line that two keys fit: one is for its algorithm, the other for any.
    lab.write("one.jwk", keys[0].to_string());
    let sealed = lab.ok_with("encrypt --key one.jwk", b"one\n").stdout;
    let mut any = keys[1].clone();
    any.as_object_mut().expect("an object").remove("alg");
    lab.write("any.jwks", serde_json::json!({ "keys": [keys[0], any] }).to_string());
    lab.refused_with(4, "decrypt --key any.jwks", &sealed)
        .says(&["line 1: 2 keys are named \"a\"", "hint: choose one by --alg"]);
    // One that none of them fits.
    lab.write("kw.jwk", oct(r#","kid":"a","alg":"A256KW""#));
    let other = lab.ok_with("encrypt --key kw.jwk", b"one\n").stdout;
    lab.refused_with(4, "decrypt --key alike.jwks", &other)
        .says(&["key a is for RSA-OAEP, the order asks for A256KW"]);
    // The same name for the same algorithm and type.
    lab.write("same.jwks", serde_json::json!({ "keys": [keys[0], keys[2], keys[0]] }).to_string());
    lab.refused(3, "inspect same.jwks").says(&["same.jwks: key 3: ", "a"]);
    // Another key of the name in another file.
    lab.refused_with(4, "decrypt --key alike.jwks --key kw.jwk", &other)
        .says(&["key a is in two of the files"]);
}

#[test]
fn what_is_passed_over_in_a_set_is_named() {
    let lab = Lab::new();
    let keys = [
        r#"{"kty":"oct","k":"AAAA","use":"sig","kid":"signs"}"#.to_owned(),
        r#"{"kty":"AKP"}"#.to_owned(),
        oct(r#","kid":"a","alg":"A256KW","x5t":"abc""#),
        oct(r#","kid":"b","alg":"HS256""#),
    ];
    lab.write("set.jwks", format!(r#"{{"keys":[{}],"issuer":"x"}}"#, keys.join(",")));
    let warning = "warning: set.jwks: passed over keys that cannot be used: \"signs\", key 2, \"b\"; \
                   members: \"issuer\"\n";
    let sealed = lab.run("encrypt --key set.jwks", b"one\n");
    assert_eq!(
        (sealed.code, sealed.stderr.matches(warning).count()),
        (Some(0), 1),
        "{}",
        sealed.stderr
    );
    lab.write("sealed", &sealed.stdout);
    for line in [
        "decrypt --key set.jwks sealed",
        "inspect set.jwks",
        "keys import set.jwks --kid a -o one.jwk --force",
    ] {
        let run = lab.ok(line);
        assert_eq!(run.stderr.matches(warning).count(), 1, "{line}: {}", run.stderr);
        assert_eq!(lab.ok(&format!("{line} --quiet")).stderr, "", "{line}");
    }
    // Not a flood.
    let signs = vec![keys[0].as_str(); 1000].join(",");
    lab.write("set.jwks", format!(r#"{{"keys":[{signs},{}]}}"#, keys[2]));
    let run = lab.ok("decrypt --key set.jwks sealed");
    assert!(run.stderr.contains("\"signs\" and 992 more\n"), "{}", run.stderr);
}
