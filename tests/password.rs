//! Keys derived from passwords (PBES2, RFC 7518 section 4.8).

mod common;

use common::{CEK, Lab, Parts, base64url, base64url_decode, header, orders};
use orderseal::protocol::jose::password::Password;
use serde_json::{Value, json};

const ALGS: [&str; 3] = ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"];

/// The order `tea` under the password `plum blossom` with 1,000 rounds, made with the Python package
/// `cryptography` and `hashlib`, by each algorithm.
const LINES: [&str; 3] = [
    "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJlbmMiOiJBMjU2R0NNIiwicDJzIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9\
     EdyIsInAyYyI6MTAwMH0.8TAQNq2Noi8hprnSorWlGggtYaDtyfI7RuX4OEV_7NqFQ1PKMzJ3KQ.QEFCQ0RFRkdISUpL.tj\
     Hc.sJ2uEONRqgXRqNRw6so-7g",
    "eyJhbGciOiJQQkVTMi1IUzM4NCtBMTkyS1ciLCJlbmMiOiJBMjU2R0NNIiwicDJzIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9\
     EdyIsInAyYyI6MTAwMH0.XhuRo_tpr_nj9NPaqv_xDnuvU7YiYoG7HFqgTAGzh9NAsdZBUwJqoQ.QEFCQ0RFRkdISUpL.tj\
     Hc.cu_T_kDyw8t5hf_MZNTwVw",
    "eyJhbGciOiJQQkVTMi1IUzUxMitBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwicDJzIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9\
     EdyIsInAyYyI6MTAwMH0.yHnuIzLecm2IwXP-\
     DiJwyJkrFgUipg30LbUBfoNjDlGF2GAJEnYsHw.QEFCQ0RFRkdISUpL.tjHc.ogOkvRN_L5A_8n1E33qAKA",
];

const OPEN: &str = "decrypt --password-file password";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("password", "plum blossom\n");
    lab
}

/// The first of [`LINES`] with other members of the header, which makes it a forgery.
fn with_header(members: &Value) -> String {
    let (_, rest) = LINES[0].split_once('.').expect("segments");
    format!("{}.{rest}\n", base64url(members.to_string().as_bytes()))
}

#[test]
fn a_password_seals_and_opens_by_every_algorithm() {
    let lab = lab();
    lab.write("other", "plum blossoms\n");
    for alg in ALGS {
        let seal = format!("encrypt --password-file password --alg {alg} --enc A128CBC-HS256");
        let sealed = lab.ok_with(&seal, &orders(9)).stdout;
        let lines = String::from_utf8(sealed.clone()).expect("text");
        let heads: Vec<_> = lines.lines().map(header).collect();
        assert_eq!((&heads[0]["alg"], &heads[0]["enc"]), (&json!(alg), &json!("A128CBC-HS256")));
        assert_eq!(heads[0]["p2c"], 600_000);
        assert_eq!(base64url_decode(heads[0]["p2s"].as_str().expect("text")).len(), 16);
        assert!(heads.iter().all(|head| head == &heads[0]), "one salt a run");
        let again = lab.ok_with(&seal, b"order\n").text();
        assert_ne!(header(&again)["p2s"], heads[0]["p2s"], "another run, another salt");
        assert_eq!(lab.ok_with(OPEN, &sealed).stdout, orders(9), "{alg}");
        // The same failure as under a wrong key.
        let refused = lab.refused_with(5, "decrypt --password-file other", &sealed);
        refused.says(&["stdin: line 1: authentication failed"]);
        // One salt costs one derivation, at any number of threads.
        lab.ok_with(&format!("{OPEN} --password-rounds 600000 --threads 2"), &sealed);
    }
    let sealed = lab.ok_with("encrypt --password-file password --layers 3", b"order\n").text();
    assert_eq!(header(&sealed)["alg"], "PBES2-HS512+A256KW", "the default");
    assert_eq!(lab.ok_with(OPEN, sealed.as_bytes()).text(), "order\n");
}

#[test]
fn lines_of_another_program_open() {
    let lab = lab();
    let opened = lab.ok_with(OPEN, LINES.join("\n").as_bytes());
    assert_eq!(opened.text(), "tea\ntea\ntea\n");
}

/// RFC 7517 appendix C: an RSA key (C.1) sealed under a password (C.4), as in C.9.
#[test]
fn the_example_of_rfc_7517_opens() {
    let lab = Lab::new();
    lab.write("password", "Thus from my lips, by yours, my sin is purged.");
    lab.write("c9.jwe", include_bytes!("rfc7517/c9.jwe"));
    lab.ok("decrypt --password-file password c9.jwe -o opened.jwk");
    assert_eq!(lab.read("opened.jwk"), include_bytes!("rfc7517/c1.jwk"));
}

#[test]
fn a_run_derives_no_more_than_so_many_rounds() {
    let lab = lab();
    let lines = [LINES, LINES].concat().join("\n");
    let run = |rounds: u32| format!("{OPEN} --threads 1 --password-rounds {rounds}");
    // Each key is derived once, and counts once.
    lab.ok_with(&run(3000), lines.as_bytes());
    let repeated = [LINES[0], LINES[1], LINES[0], LINES[2]].join("\n");
    lab.ok_with(&run(3000), repeated.as_bytes());
    let refused = lab.refused_with(4, &run(2999), lines.as_bytes());
    refused.says(&["line 3", "would exceed 2999 rounds of PBES2", "--password-rounds"]);
    // What is refused costs nothing, and keys that were derived go on opening.
    let skipping = format!("{} --on-error skip", run(2999));
    let skipped = lab.run(&skipping, lines.as_bytes());
    assert_eq!((skipped.code, skipped.text()), (Some(6), "tea\n".repeat(4)));
    // One salt with another number of rounds is another derivation.
    let other =
        json!({"alg": ALGS[0], "enc": "A256GCM", "p2s": header(LINES[0])["p2s"], "p2c": 1001});
    let both = format!("{}\n{}", LINES[0], with_header(&other));
    lab.refused_with(5, &run(2001), both.as_bytes()).says(&["line 2"]);
    lab.refused_with(4, &run(2000), both.as_bytes()).says(&["line 2", "2000 rounds"]);
    // A derivation that is too long leaves its rounds to a shorter one.
    let three = format!("{}\n{}{}\n", LINES[0], with_header(&other), LINES[1]);
    let skipped = lab.run(&format!("{} --on-error skip", run(2000)), three.as_bytes());
    assert_eq!((skipped.code, skipped.text()), (Some(6), "tea\ntea\n".to_owned()));
    assert!(lab.ok("decrypt --help").text().contains("[default: 50000000]"));
}

/// A short derivation on line 65, in the second block, is ready long before the long ones of the first
/// block begin, and still has to leave the rounds to them.
#[test]
fn rounds_go_to_lines_in_their_order_at_any_number_of_threads() {
    let lab = lab();
    let seal = |rounds: u32| {
        let seal = format!("encrypt --password-file password --password-rounds {rounds}");
        lab.ok_with(&seal, b"tea\n").text()
    };
    let [first, second, short] = [300_000, 200_000, 1_000].map(seal);
    let lines = first.clone() + &second + &first.repeat(62) + &short + &second;
    for threads in [1, 2, 4] {
        let run = format!("{OPEN} --password-rounds 500000 --threads {threads}");
        lab.refused_with(4, &run, lines.as_bytes()).says(&["line 65", "500000 rounds"]);
        let skipping = format!("{run} --on-error skip --report report.ndjson");
        let skipped = lab.run(&format!("{skipping} -o opened --force"), lines.as_bytes());
        assert_eq!((skipped.code, lab.read("opened")), (Some(6), b"tea\n".repeat(65)));
        let report = lab.read("report.ndjson");
        assert_eq!(common::lines(&report).count(), 1);
        let row: Value = serde_json::from_slice(&report).expect("JSON");
        assert_eq!((&row["line"], &row["kind"]), (&json!(65), &json!("key")), "{row}");
        std::fs::remove_file(lab.path("report.ndjson")).expect("it is there");
    }
}

#[test]
fn the_rounds_for_sealing_can_be_chosen() {
    let lab = lab();
    lab.ok("keygen --alg A256KW -o kek.jwk");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let seal = "encrypt --password-file password --password-rounds";
    let sealed = lab.ok_with(&format!("{seal} 1000"), b"tea\n").text();
    assert_eq!(header(&sealed)["p2c"], 1000);
    lab.ok_with(&format!("{OPEN} --password-rounds 1000"), sealed.as_bytes());
    let sealed = lab.ok("wrap --password-file password --password-rounds 1001 cek.jwk").text();
    assert_eq!(header(&sealed)["p2c"], 1001);
    for wrong in ["999", "10000001", "4294968296", "1e4"] {
        lab.refused_with(2, &format!("{seal} {wrong}"), b"tea\n").says(&["--password-rounds"]);
    }
    lab.refused_with(2, &format!("{seal} 999"), b"").says(&["999 is not in 1000..=10000000"]);
    for line in [
        "encrypt --key kek.jwk",
        "encrypt --bundle client.jwks",
        "wrap --with kek.jwk cek.jwk",
        "decrypt --key kek.jwk",
    ] {
        let refused = lab.refused_with(2, &format!("{line} --password-rounds 5000"), b"tea\n");
        refused.says(&["cannot be used with", "--password-rounds <N>"]);
    }
    let refused = lab.refused_with(2, "encrypt --password-rounds 5000", b"tea\n");
    refused.says(&["--password-file <FILE>"]);
}

#[test]
fn rounds_and_salts_have_limits() {
    let lab = lab();
    let salt = |len: usize| json!(base64url(&vec![1; len]));
    let rounds = "\"p2c\" is not a number from 1000 to 10000000";
    let size = "\"p2s\" is not base64url of 8 to 1024 bytes";
    for (p2s, p2c, words) in [
        (salt(8), json!(999), rounds),
        (salt(8), json!(10_000_001), rounds),
        (salt(8), json!(4_294_968_296_u64), rounds),
        (salt(8), json!("1000"), rounds),
        (salt(8), json!(-1000), rounds),
        (salt(8), json!(1000.5), rounds),
        (salt(7), json!(1000), size),
        (salt(1025), json!(1000), size),
        (json!("AAECAwQFBgc="), json!(1000), size),
        (json!(""), json!(1000), size),
        (json!(5), json!(1000), "\"p2s\""),
        (Value::Null, json!(1000), "\"p2s\""),
        (salt(8), Value::Null, rounds),
        (salt(8), json!(0), rounds),
        (salt(8), json!([1000]), rounds),
        (salt(49_200), json!(1000), "65536 bytes"),
    ] {
        let head = json!({"alg": ALGS[0], "enc": "A256GCM", "p2s": p2s, "p2c": p2c});
        lab.refused_with(3, OPEN, with_header(&head).as_bytes()).says(&["line 1", words]);
    }
    // A number is one without fraction and exponent.
    for p2c in ["1e3", "1000.0", "1e400"] {
        let head = format!(
            r#"{{"alg":"{}","enc":"A256GCM","p2s":"{}","p2c":{p2c}}}"#,
            ALGS[0],
            "AQ".repeat(8)
        );
        let (_, rest) = LINES[0].split_once('.').expect("segments");
        let line = format!("{}.{rest}", base64url(head.as_bytes()));
        lab.refused_with(3, OPEN, line.as_bytes()).says(&["line 1"]);
    }
    for len in [8, 1024] {
        let head = json!({"alg": ALGS[0], "enc": "A256GCM", "p2s": salt(len), "p2c": 1000});
        lab.refused_with(5, OPEN, with_header(&head).as_bytes());
    }
    for missing in ["p2s", "p2c"] {
        let mut head = json!({"alg": ALGS[0], "enc": "A256GCM", "p2s": salt(8), "p2c": 1000});
        head.as_object_mut().expect("an object").remove(missing);
        lab.refused_with(3, OPEN, with_header(&head).as_bytes())
            .says(&["no members \"p2s\" and \"p2c\""]);
    }
}

/// The bytes of an `oct` key are no password, whatever its `alg` is.
#[test]
fn keys_are_no_passwords_and_passwords_no_keys() {
    let lab = lab();
    let k = base64url(b"plum blossom");
    for key in [json!({"kty": "oct", "k": k}), json!({"kty": "oct", "k": k, "alg": ALGS[0]})] {
        lab.write("key.jwk", key.to_string());
        lab.refused_with(4, "decrypt --key key.jwk", LINES[0].as_bytes())
            .says(&["never used as a password"]);
        for alg in ["", " --alg PBES2-HS256+A128KW"] {
            let run = lab.run(&format!("encrypt --key key.jwk{alg}"), b"order\n");
            assert_ne!(run.code, Some(0), "{key} {alg}");
        }
    }
    // Not even if the length is that of a key.
    let key = json!({"kty": "oct", "k": base64url(&[7; 32]), "alg": ALGS[0]});
    lab.write("key.jwk", key.to_string());
    for line in ["encrypt --key key.jwk", "wrap --with key.jwk key.jwk"] {
        lab.refused_with(4, line, b"order\n").says(&["PBES2-HS256+A128KW takes a password"]);
    }
    lab.refused_with(2, "encrypt --password-file password --alg A256KW", b"order\n")
        .says(&["A256KW takes a key"]);
    lab.refused_with(2, "encrypt --key key.jwk --alg PBES2-HS256+A128KW", b"order\n")
        .says(&["PBES2-HS256+A128KW takes a password"]);
    lab.ok("keygen --alg A256KW -o kek.jwk");
    let sealed = lab.ok_with("encrypt --key kek.jwk", b"order\n").stdout;
    lab.refused_with(4, OPEN, &sealed).says(&["line 1", "a password does not fit"]);
    for keygen in [format!("--alg {}", ALGS[2]), format!("-e 2 --shop tokyo --wrap {}", ALGS[2])] {
        lab.refused(2, &format!("keygen {keygen} -o new.jwk")).says(&["invalid value"]);
    }
    for other in ["--key kek.jwk", "--bundle kek.jwk"] {
        lab.refused_with(2, &format!("{OPEN} {other}"), &sealed).says(&["cannot be used with"]);
        let seal = format!("encrypt --password-file password {other}");
        lab.refused_with(2, &seal, b"order\n").says(&["cannot be used with"]);
    }
    lab.refused_with(2, "decrypt", &sealed).says(&["--password-file <FILE>"]);
}

#[test]
fn weak_ciphers_need_to_be_allowed_under_a_password_too() {
    let lab = lab();
    let seal = "encrypt --password-file password --password-rounds 1000 --enc DES-CBC-HS256";
    lab.refused_with(4, seal, b"tea\n").says(&["DES-CBC-HS256 is weak"]);
    let sealed = lab.ok_with(&format!("{seal} --allow-weak"), b"tea\n").stdout;
    lab.refused_with(4, OPEN, &sealed).says(&["line 1", "DES-CBC-HS256 is weak"]);
    assert_eq!(lab.ok_with(&format!("{OPEN} --allow-weak"), &sealed).text(), "tea\n");
    for enc in ["VERNAM-HS256", "RSA-OAEP-256-BOUND-BLOCKS"] {
        let run = lab.run(&format!("encrypt --password-file password --enc {enc}"), b"tea\n");
        assert!(matches!(run.code, Some(2 | 4)), "{enc}: {:?} {}", run.code, run.stderr);
    }
}

#[test]
fn a_password_file_is_an_input_of_its_own() {
    let lab = lab();
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    for line in ["encrypt", "decrypt", "wrap"] {
        let over = format!("{line} --password-file password cek.jwk -o password --force");
        lab.refused(2, &over).says(&["is both input and output"]);
        let twice = format!("{line} --password-file -");
        lab.refused_with(2, &twice, b"plum blossom\n").says(&["stdin"]);
    }
    assert_eq!(lab.read("password"), b"plum blossom\n");
    lab.write("lines", LINES.join("\n"));
    let opened = lab.ok_with("decrypt --password-file - lines", b"plum blossom\n");
    assert_eq!(opened.text(), "tea\ntea\ntea\n");
}

/// What a service hands out names no algorithm of passwords, and pages do not either.
#[test]
fn a_shop_has_no_password() {
    let lab = lab();
    lab.keys("--embodiment 2", 1);
    for file in ["service.jwks", "client.jwks", "tokyo.jwks"] {
        let text = String::from_utf8(lab.read(file)).expect("text");
        lab.write(file, text.replace("A256KW", ALGS[2]));
    }
    for line in [
        "encrypt --bundle client.jwks",
        "decrypt --bundle tokyo.jwks",
        "bundle client --keyring service.jwks -o new.jwks",
    ] {
        let run = lab.run(line, b"");
        assert!(matches!(run.code, Some(3 | 4)), "{line}: {:?} {}", run.code, run.stderr);
    }
}

#[test]
fn a_password_file_is_one_line_of_text() {
    let lab = lab();
    for same in ["plum blossom", "plum blossom\n", "plum blossom\r\n", "\u{feff}plum blossom\n"] {
        lab.write("same", same);
        lab.ok_with("decrypt --password-file same", LINES[0].as_bytes());
    }
    for other in ["plum blossom \n", " plum blossom\n", "plum blossom\r", "plum blossom\r\r\n"] {
        lab.write("other", other);
        lab.refused_with(5, "decrypt --password-file other", LINES[0].as_bytes());
    }
    let long = "x".repeat(1025);
    for (wrong, words) in [
        (&b""[..], "expected a password of 1 to 1024 bytes"),
        (b"\n", "expected a password of 1 to 1024 bytes"),
        (long.as_bytes(), "expected a password of 1 to 1024 bytes"),
        (&long.as_bytes().repeat(4), "longer than 4096 bytes"),
        (b"plum\nblossom\n", "expected a password on one line"),
        (b"plum blossom\n\n", "expected a password on one line"),
        (b"pl\xfcm\n", "expected a password in UTF-8"),
    ] {
        lab.write("wrong", wrong);
        for line in ["encrypt --password-file wrong", "decrypt --password-file wrong"] {
            lab.refused_with(3, line, b"").says(&["wrong: ", words]);
        }
    }
    // Characters are not normalized: a letter with an accent has two forms.
    lab.write("composed", "caf\u{e9}\n");
    lab.write("decomposed", "cafe\u{301}\n");
    let seal = "encrypt --password-rounds 1000 --password-file composed";
    let sealed = lab.ok_with(seal, b"tea\n").stdout;
    lab.ok_with("decrypt --password-file composed", &sealed);
    lab.refused_with(5, "decrypt --password-file decomposed", &sealed);
    lab.write("longest", &long[1..]);
    lab.refused_with(5, "decrypt --password-file longest", LINES[0].as_bytes());
    lab.mode("password", 0o644);
    for line in ["encrypt --password-file password", OPEN] {
        lab.refused_with(4, line, b"").says(&["others can read it"]);
    }
    lab.ok_with(&format!("{OPEN} --allow-readable-keys"), LINES[0].as_bytes());
}

#[test]
fn a_password_wraps_a_key_and_seals_documents_and_streams() {
    let lab = lab();
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("wrap --password-file password cek.jwk -o cek.jwe");
    lab.ok("decrypt --password-file password cek.jwe -o cek2.jwk");
    assert_eq!(lab.json("cek.jwk")["k"], lab.json("cek2.jwk")["k"]);
    lab.refused(2, "wrap cek.jwk -o other.jwe").says(&["--with"]);
    for made in ["--document", "--stream"] {
        let seal = format!("encrypt {made} --password-file password -o sealed");
        lab.ok_with(&format!("{seal} --force"), b"one\ntwo");
        let open = if made == "--document" { " --document" } else { "" };
        assert_eq!(lab.ok(&format!("{OPEN}{open} sealed")).text(), "one\ntwo", "{made}");
    }
}

#[test]
fn reports_count_a_password_as_one_key_without_name() {
    let lab = lab();
    let lines = LINES.join("\n");
    let checked = lab.ok_with(&format!("{OPEN} --check"), lines.as_bytes());
    assert_eq!(checked.text(), "3\t\n");
    let report = lab.ok_with(&format!("{OPEN} --check --json --ids"), lines.as_bytes()).json();
    assert_eq!((&report["keys"], &report["by_key"]), (&json!(1), &json!({"": 3})));
}

#[test]
fn one_of_several_recipients_may_have_a_password() {
    let lab = lab();
    let [head, wrapped, iv, text, tag] = segments(LINES[0]);
    // The first encrypted key is none: the next recipient is tried.
    let mut members = json!({"protected": head, "iv": iv, "ciphertext": text, "tag": tag});
    members["recipients"] = json!([{"encrypted_key": "AAAA"}, {"encrypted_key": wrapped}]);
    assert_eq!(lab.ok_with(OPEN, members.to_string().as_bytes()).text(), "tea\n");
    let parts = Parts::seal_with(base64url(br#"{"enc":"A256GCM"}"#).as_bytes(), &CEK, b"order");
    let other = json!({"alg": ALGS[1], "p2s": base64url(&[7; 16]), "p2c": 1_000});
    let members = json!({
        "protected": base64url(br#"{"enc":"A256GCM"}"#),
        "iv": base64url(&parts.iv),
        "ciphertext": base64url(&parts.ciphertext),
        "tag": base64url(&parts.tag),
        "recipients": [
            {"header": other, "encrypted_key": wrapped},
            {"header": {"alg": "dir"}},
        ],
    });
    lab.write("cek.jwk", common::cek_jwk());
    let text = members.to_string();
    assert_eq!(lab.ok_with("decrypt --key cek.jwk", text.as_bytes()).text(), "order\n");
    lab.refused_with(5, OPEN, text.as_bytes());
}

/// That more rounds may open an order is said whatever its other recipients fail with.
#[test]
fn a_recipient_that_lacks_rounds_is_reported_before_others() {
    let lab = lab();
    let [_, wrapped, iv, text, tag] = segments(LINES[0]);
    let own = |alg: &str, p2c: u32| json!({"header": {"alg": alg, "p2s": base64url(&[7; 16]), "p2c": p2c}, "encrypted_key": wrapped});
    let fails = own(ALGS[0], 1000);
    let malformed = own(ALGS[0], 5);
    let other = json!({"header": {"alg": "A256KW"}, "encrypted_key": wrapped});
    let unknown = json!({"header": {"alg": "RSA1_5"}, "encrypted_key": wrapped});
    let too_long = own(ALGS[1], 2001);
    let run = |recipients: Vec<&Value>| {
        let protected = base64url(br#"{"enc":"A256GCM"}"#);
        let line = json!({"protected": protected, "iv": iv, "ciphertext": text, "tag": tag,
                          "recipients": recipients});
        lab.run(&format!("{OPEN} --password-rounds 3000"), line.to_string().as_bytes())
    };
    for earlier in [&fails, &malformed, &other, &unknown] {
        for recipients in [vec![earlier, &too_long], vec![&too_long, earlier]] {
            let refused = run(recipients);
            let lacking = refused.code == Some(4) && refused.stderr.contains("would exceed 3000");
            // Without the first one's derivation, there are enough rounds for the other.
            assert_eq!(lacking, earlier == &fails, "{earlier}: {}", refused.stderr);
        }
    }
    for earlier in [&malformed, &other, &unknown] {
        for recipients in
            [vec![earlier, &fails, &too_long], vec![earlier, &fails, &too_long, &fails]]
        {
            let refused = run(recipients);
            assert_eq!(refused.code, Some(4), "{earlier}: {}", refused.stderr);
            refused.says(&["line 1", "would exceed 3000 rounds", "--password-rounds"]);
        }
    }
    // Otherwise the first failure counts.
    assert_eq!(run(vec![&fails, &malformed]).code, Some(5));
    assert_eq!(run(vec![&malformed, &fails]).code, Some(3));
}

#[test]
fn a_document_over_several_lines_opens() {
    let lab = lab();
    let [head, wrapped, iv, text, tag] = segments(LINES[0]);
    let members = json!({"protected": head, "encrypted_key": wrapped, "iv": iv, "ciphertext": text,
                         "tag": tag});
    let pretty = serde_json::to_string_pretty(&members).expect("JSON");
    assert_eq!(lab.ok_with(OPEN, pretty.as_bytes()).text(), "tea\n");
    assert_eq!(lab.ok_with(&format!("{OPEN} --document"), pretty.as_bytes()).text(), "tea");
}

#[test]
fn old_data_is_sealed_under_a_password() {
    let lab = lab();
    lab.write("old.key", "286");
    lab.write("old.bin", [0x97]);
    let convert = "convert --from toydes-ecb --from-key old.key old.bin";
    lab.ok(&format!("{convert} --password-file password --password-rounds 1000 -o sealed.jwe"));
    assert_eq!(lab.ok(&format!("{OPEN} sealed.jwe")).text(), "M\n");
    lab.refused(2, &format!("{convert} --password-rounds 1000")).says(&["--password-file <FILE>"]);
    lab.refused(2, &format!("{convert} --document")).says(&["--password-file"]);
}

fn segments(line: &str) -> [&str; 5] {
    let segments: Vec<_> = line.split('.').collect();
    segments.try_into().expect("five segments")
}

#[test]
fn debug_forms_do_not_show_the_password() {
    let password = Password::read(b"plum blossom\n").expect("a password");
    let text = format!("{password:?}") + &format!("{:?}", password.open_with(1000));
    assert!(!text.contains("plum") && !text.contains("112"), "{text}");
}
