//! Key files that are protected at rest: by a passphrase, or sealed to a public key.

mod common;

use std::fs;
use std::process::Command;

use common::{Lab, ORDERSEAL, STRACE, base64url, header, not_run, orders};
use serde_json::Value;

const PASSPHRASE: &str = "--passphrase-file passphrase";

/// Few rounds, so that the tests are fast.
const PROTECT: &str = "--new-passphrase-file passphrase --new-passphrase-rounds 1000";

/// A folder with passphrases, a pair of a recipient, and keys as in [`Lab::with_keys`].
fn lab(options: &str, orders: usize) -> Lab {
    let lab = Lab::with_keys(options, orders);
    lab.write("passphrase", "plum blossom\n");
    lab.write("wrong", "cherry blossom\n");
    lab.ok("keygen --alg ECDH-ES+A256KW --kid shop-2026 -o identity.jwk");
    let public = lab.ok("inspect --public identity.jwk").stdout;
    lab.write("recipient.jwk", public);
    lab
}

/// The secrets of key files: the values of their private members.
fn secrets(lab: &Lab, names: &[&str]) -> Vec<String> {
    let members = ["k", "d", "p", "q"];
    let of = |name: &&str| -> Vec<String> {
        let file = lab.json(name);
        let keys = file["keys"].as_array().cloned().unwrap_or_else(|| vec![file.clone()]);
        let texts = keys
            .iter()
            .flat_map(|key| members.map(|member| key[member].as_str().map(str::to_owned)));
        let found: Vec<String> = texts.flatten().collect();
        assert!(!found.is_empty(), "{name}");
        found
    };
    names.iter().flat_map(of).collect()
}

/// Asserts that no file in the folder, hidden ones included, has one of these texts.
#[track_caller]
fn has_none_of(lab: &Lab, secrets: &[String], after: &str) {
    for name in lab.names() {
        let content = lab.read(&name);
        let text = String::from_utf8_lossy(&content);
        let found = secrets.iter().any(|secret| text.contains(secret));
        assert!(!found, "after {after}, {name} has a secret");
        assert!(!name.starts_with('.'), "after {after}, {name} is left");
    }
}

/// The parts of a protected file: header, encrypted key, IV, ciphertext, tag.
#[track_caller]
fn parts(lab: &Lab, name: &str) -> Vec<String> {
    let text = String::from_utf8(lab.read(name)).unwrap();
    let parts: Vec<_> = text.trim_end().split('.').map(str::to_owned).collect();
    assert_eq!(parts.len(), 5, "{name} is not protected: {text}");
    parts
}

/// Runs a command that changes these protected files and no others. Each of them has the header as
/// before, and a new content key.
#[track_caller]
fn changes(lab: &Lab, files: &[&str], changed: &[&str], line: &str, input: &[u8]) {
    let before: Vec<_> = files.iter().map(|name| parts(lab, name)).collect();
    lab.ok_with(line, input);
    for (name, before) in files.iter().zip(before) {
        let after = parts(lab, name);
        match changed.contains(name) {
            false => assert_eq!(before, after, "{line} changes {name}"),
            true => {
                let salt = |parts: &[String]| header(&parts[0])["p2s"].clone();
                assert_eq!(salt(&before), salt(&after), "{line}: {name} has another salt");
                for part in 1..5 {
                    assert_ne!(before[part], after[part], "{line}: part {part} of {name}");
                }
            }
        }
    }
}

#[test]
fn every_command_takes_protected_files_and_leaves_them_protected() {
    let lab = lab("--embodiment 4", 60);
    lab.write("orders.ndjson", orders(9));
    lab.ok("keygen --alg A256KW -o key.jwk");
    lab.ok("keygen --alg A256GCM -o other.jwk");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let all = ["service.jwks", "tokyo.jwks", "client.jwks", "key.jwk", "cek.jwk"];
    let mut hidden = secrets(&lab, &all);
    lab.ok(&format!("keys protect {PROTECT} {}", all.join(" ")));
    has_none_of(&lab, &hidden, "keys protect");
    hidden.extend(secrets(&lab, &["identity.jwk"]));
    fs::remove_file(lab.path("identity.jwk")).unwrap();
    let orders = orders(3);
    let sealed = lab.ok_with(&format!("encrypt -b client.jwks {PASSPHRASE}"), &orders).stdout;
    lab.write("sealed.jwe", &sealed);
    for (name, content) in [
        ("old.key", &b"0123456789abcdef"[..]),
        ("old.iv", b"0011223344556677"),
        ("old.bin", b"data"),
    ] {
        lab.write(name, content);
    }
    for (changed, line) in [
        (&["service.jwks"][..], "keygen -e 4 --shop osaka --orders 4 --into service.jwks"),
        (
            &["service.jwks"],
            "keys admit alice --shop tokyo service.jwks --shop-out half.jwks --protect",
        ),
        (&["tokyo.jwks"], "keys merge half.jwks --into tokyo.jwks"),
        (&[], "bundle shop -k service.jwks --shop osaka --protect -o osaka.jwks"),
        (
            &["service.jwks"],
            "bundle client -k service.jwks --shop osaka --orders 2 --protect -o new.jwks",
        ),
        (&["service.jwks"], "erase --return-to service.jwks new.jwks"),
        (
            &["service.jwks"],
            "keys rotate --shop tokyo service.jwks --shop-out second.jwks --protect",
        ),
        (&["service.jwks"], "keys revoke alice --shop tokyo service.jwks"),
        (&["tokyo.jwks"], "keys revoke alice tokyo.jwks"),
        (&["service.jwks"], "keys skip --shop osaka --orders 1 service.jwks"),
        (&[], "bundle page -k service.jwks --shop osaka -o page.json"),
        (&[], "request --page page.json --orders 1 -o request.json"),
        (
            &["service.jwks"],
            "bundle client -k service.jwks --request request.json --protect -o asked.jwks",
        ),
        (&["client.jwks"], "encrypt -b client.jwks orders.ndjson -o other.jwe"),
        (&["client.jwks"], "wrap --with client.jwks other.jwk -o wrapped.jwe"),
        (&[], "encrypt -k key.jwk orders.ndjson -o old.jwe"),
        (&["client.jwks"], "rewrap --from-key key.jwk --to-key client.jwks old.jwe -o anew.jwe"),
        (&["cek.jwk"], "encrypt -k cek.jwk orders.ndjson -o direct.jwe"),
        (&[], "decrypt -b tokyo.jwks sealed.jwe -o opened.ndjson"),
        (&[], "decrypt -k cek.jwk direct.jwe -o direct.ndjson"),
        (&["tokyo.jwks"], "decrypt -b tokyo.jwks --ledger tokyo.ledger sealed.jwe -o again.ndjson"),
        (
            &["tokyo.jwks"],
            "decrypt -b tokyo.jwks --ledger tokyo.ledger --erase other.jwe -o third.ndjson",
        ),
        (&[], "inspect tokyo.jwks"),
        (&[], "inspect --public tokyo.jwks"),
        (&[], "keys export key.jwk --format jwk --protect -o copy.jwk"),
        (&[], "keys import copy.jwk --protect -o third.jwk"),
        (
            &["client.jwks"],
            "convert --from des-ctr --from-key old.key --iv old.iv old.bin --stream -b client.jwks --allow-weak -o conv.jwe",
        ),
        (&[], "erase --dry-run client.jwks"),
        (&["client.jwks"], "erase --keys client.jwks"),
    ] {
        changes(&lab, &all, changed, &format!("{line} {PASSPHRASE}"), b"");
        has_none_of(&lab, &hidden, line);
    }
    assert_eq!(lab.read("opened.ndjson"), orders);
    assert_eq!(lab.read("third.ndjson"), lab.read("orders.ndjson"));
    for name in ["half.jwks", "second.jwks", "osaka.jwks", "asked.jwks", "copy.jwk", "third.jwk"] {
        parts(&lab, name);
    }
    let kept = lab.ok(&format!("inspect --json service.jwks {PASSPHRASE}")).json();
    assert_eq!(kept["protected"]["rounds"], 1000);
    assert!(kept["shops"]["tokyo@2"].is_object() && kept["shops"]["osaka"].is_object(), "{kept}");
}

#[test]
fn a_keyring_is_made_protected_at_once() {
    let lab = lab("--embodiment 4", 1);
    lab.ok(&format!("keygen -e 4 --shop nara --orders 9 {PROTECT} -o nara.jwks"));
    parts(&lab, "nara.jwks");
    lab.refused(4, "keys skip --orders 1 nara.jwks");
    lab.ok(&format!("keys skip --orders 1 nara.jwks {PASSPHRASE}"));
    // The clear keyring of another run does not take its place unnoticed.
    let over = format!("keygen -e 4 --shop nara -o nara.jwks --force {PASSPHRASE}");
    lab.refused(2, &over)
        .says(&["is protected, and the keys that would replace it are not", "--protect"]);
    lab.ok(&format!("{over} --protect --new-passphrase-rounds 1000"));
    assert_eq!(header(&parts(&lab, "nara.jwks")[0])["p2c"], 1000);
    lab.refused(2, "keygen -e 4 --shop nara --new-passphrase-rounds 1000 -o x.jwks");
    lab.refused(2, &format!("keygen -e 4 --shop x --into nara.jwks --protect {PASSPHRASE}"));
}

#[test]
fn what_replaces_a_protected_bundle_is_checked_against_it() {
    let lab = lab("--embodiment 4", 6);
    let sealed = lab.ok_with("encrypt -b client.jwks", b"tea\n").stdout;
    lab.ok(&format!("keys protect tokyo.jwks {PROTECT}"));
    let bundle = "bundle shop -k service.jwks -o tokyo.jwks --force";
    lab.refused(2, &format!("{bundle} {PASSPHRASE}"))
        .says(&["is protected, and the keys that would"]);
    let refused = lab.refused(4, &format!("{bundle} --protect --passphrase-file wrong"));
    refused.says(&["tokyo.jwks: does not open with this passphrase"]);
    lab.ok(&format!("{bundle} --protect {PASSPHRASE} --new-passphrase-rounds 1002"));
    assert_eq!(header(&parts(&lab, "tokyo.jwks")[0])["p2c"], 1002);
    lab.ok_with(&format!("decrypt -b tokyo.jwks --ledger tokyo.ledger {PASSPHRASE}"), &sealed);
    let loses = "opened with a ledger";
    lab.refused(2, &format!("{bundle} --protect {PASSPHRASE}")).says(&[loses]);
    let half = "keys admit bob service.jwks --shop-out tokyo.jwks --force --protect";
    lab.refused(2, &format!("{half} {PASSPHRASE}")).says(&[loses]);
    lab.refused(4, &format!("{half} --passphrase-file wrong")).says(&["tokyo.jwks: does not open"]);
}

#[test]
fn the_file_is_a_jwe_of_the_set_itself() {
    let lab = lab("--embodiment 4", 2);
    lab.ok("keygen --alg A256KW -o key.jwk");
    for (name, cty) in [("service.jwks", "jwk-set+json"), ("key.jwk", "jwk+json")] {
        let clear = lab.read(name);
        lab.ok(&format!("keys protect {name} {PROTECT}"));
        let header = header(&parts(&lab, name)[0]);
        let salt = header["p2s"].as_str().expect("a salt").to_owned();
        let expected = serde_json::json!({
            "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": salt, "p2c": 1000, "cty": cty,
        });
        assert_eq!(header, expected);
        lab.ok(&format!("keys unprotect {name} {PASSPHRASE}"));
        assert_eq!(lab.read(name), clear, "the bytes are those from before");
        lab.refused(2, &format!("keys unprotect {name} {PASSPHRASE}")).says(&["is not protected"]);
    }
}

/// RFC 7517 appendix C: an RSA key (C.1) under a passphrase (C.4), as in C.9.
#[test]
fn the_example_of_rfc_7517_is_a_key_file() {
    let lab = lab("--embodiment 4", 1);
    lab.write("rfc", "Thus from my lips, by yours, my sin is purged.");
    lab.write("c9.jwe", include_bytes!("rfc7517/c9.jwe"));
    let shown = lab.ok("inspect --json c9.jwe").json();
    let expected = serde_json::json!({
        "kind": "protected key file", "alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "rounds": 4096,
    });
    assert_eq!(shown, expected);
    let sealed =
        lab.ok_with("encrypt --key c9.jwe --alg RSA-OAEP-256 --passphrase-file rfc", b"tea\n");
    lab.write("sealed.jwe", &sealed.stdout);
    lab.write("c1.jwk", include_bytes!("rfc7517/c1.jwk"));
    for key in ["c9.jwe", "c1.jwk"] {
        let opened =
            format!("decrypt --key {key} --alg RSA-OAEP-256 sealed.jwe --passphrase-file rfc");
        assert_eq!(lab.ok(&opened).text(), "tea\n");
    }
    lab.refused(4, &format!("keys export c9.jwe {PASSPHRASE}")).says(&["c9.jwe: does not open"]);
}

/// RFC 7520 section 5.3: a JWK Set under a passphrase.
#[test]
fn the_set_of_rfc_7520_is_a_key_file() {
    let lab = Lab::new();
    let lines =
        include_str!("rfc7520.ndjson").lines().map(|line| serde_json::from_str(line).unwrap());
    let mut examples =
        lines.filter(|it: &Value| it["section"] == "5.3" && it["serialization"] == "compact");
    let example = examples.next().expect("the example");
    let text = |member: &str| example[member].as_str().expect("a text").to_owned();
    lab.write("set.jwe", text("sealed"));
    lab.write("password", text("password"));
    let shown = lab.ok("inspect --json set.jwe --passphrase-file password").json();
    assert_eq!((&shown["keys"], &shown["protected"]["rounds"]), (&3.into(), &8192.into()));
    lab.ok("keys unprotect set.jwe --passphrase-file password");
    assert_eq!(lab.read("set.jwe"), text("plaintext").as_bytes());
}

#[test]
fn a_wrong_passphrase_and_none_are_one_clear_message_each() {
    let lab = lab("--embodiment 4", 4);
    let files = ["service.jwks", "tokyo.jwks", "client.jwks"];
    lab.ok(&format!("keys protect {PROTECT} {}", files.join(" ")));
    let before = files.map(|name| lab.read(name));
    for (file, line) in [
        ("service.jwks", "keygen -e 4 --shop osaka --into service.jwks"),
        ("service.jwks", "bundle shop -k service.jwks -o new.jwks"),
        ("service.jwks", "bundle client -k service.jwks -o new.jwks"),
        ("service.jwks", "keys admit alice service.jwks"),
        ("tokyo.jwks", "keys revoke alice tokyo.jwks"),
        ("service.jwks", "keys rotate service.jwks"),
        ("tokyo.jwks", "keys merge tokyo.jwks --into tokyo.jwks"),
        ("service.jwks", "keys skip --orders 1 service.jwks"),
        ("client.jwks", "keys export client.jwks"),
        ("service.jwks", "keys protect service.jwks --new-passphrase-file wrong"),
        ("service.jwks", "keys unprotect service.jwks"),
        ("client.jwks", "encrypt -b client.jwks orders.ndjson"),
        ("tokyo.jwks", "decrypt -b tokyo.jwks orders.ndjson"),
        ("client.jwks", "erase --keys client.jwks"),
        ("client.jwks", "inspect --public client.jwks"),
    ] {
        let wrong = lab.refused(4, &format!("{line} --passphrase-file wrong"));
        let message = format!("orderseal: error: {file}: does not open with this passphrase\n");
        assert_eq!(wrong.stderr, message, "{line}");
        let none = without_terminal(&lab, line);
        assert_eq!(none.0, Some(4), "{line}: {}", none.1);
        let message = format!(
            "orderseal: error: {file}: is protected by a passphrase, and none was given\norderseal: hint: "
        );
        assert!(none.1.starts_with(&message), "{line}: {}", none.1);
        assert_eq!(none.1.lines().count(), 2, "{line}: {}", none.1);
    }
    assert_eq!(files.map(|name| lab.read(name)), before);
    // What cannot be read can be erased all the same.
    let erased = without_terminal(&lab, "erase client.jwks");
    assert_eq!(erased.0, Some(0), "{}", erased.1);
    assert!(!lab.has("client.jwks"));
}

/// Runs a command line in a session of its own, which has no terminal to ask at.
fn without_terminal(lab: &Lab, line: &str) -> (Option<i32>, String) {
    let mut command = Command::new("setsid");
    command.args(["--wait", ORDERSEAL]).args(line.split_whitespace()).current_dir(lab.dir());
    let output = command.output().expect("setsid is there");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn what_a_protected_file_shows_without_its_key() {
    let lab = lab("--embodiment 4", 4);
    lab.ok(&format!("keys protect service.jwks {PROTECT}"));
    lab.ok("keys protect tokyo.jwks --recipient recipient.jwk");
    let words = lab.ok("inspect service.jwks").text();
    assert_eq!(
        words,
        "alg: PBES2-HS512+A256KW\nenc: A256GCM\nkind: protected key file\nrounds: 1000\n"
    );
    let shown = lab.ok("inspect --json tokyo.jwks").json();
    let expected = serde_json::json!({
        "kind": "protected key file", "alg": "ECDH-ES+A256KW", "enc": "A256GCM", "recipient": "shop-2026",
    });
    assert_eq!(shown, expected);
    let opened = lab.ok("inspect --json tokyo.jwks --identity identity.jwk").json();
    assert_eq!((&opened["kind"], &opened["role"]), (&"key file".into(), &"shop".into()));
    assert_eq!(opened["protected"]["alg"], "ECDH-ES+A256KW");
}

#[test]
fn a_bundle_sealed_to_a_public_key_opens_with_the_private_one() {
    for alg in ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"] {
        let lab = lab("--embodiment 4", 8);
        lab.ok(&format!("keygen --alg {alg} --rsa-bits 2048 -o id.jwk"));
        let public = lab.ok("inspect --public id.jwk").stdout;
        lab.write("public.jwk", public);
        let hidden = secrets(&lab, &["client.jwks"]);
        lab.ok("keys protect client.jwks --recipient public.jwk");
        fs::remove_file(lab.path("tokyo.jwks")).unwrap();
        fs::remove_file(lab.path("service.jwks")).unwrap();
        has_none_of(&lab, &hidden, alg);
        let before = parts(&lab, "client.jwks");
        assert_eq!(header(&before[0])["alg"], alg);
        lab.ok_with("encrypt -b client.jwks --identity id.jwk", b"tea\n");
        let after = parts(&lab, "client.jwks");
        assert!(
            (1..5).all(|part| alg == "ECDH-ES" && part == 1 || before[part] != after[part]),
            "{alg}"
        );
        let spent = lab.ok("inspect --json client.jwks --identity id.jwk").json();
        assert_eq!(spent["shops"]["tokyo"]["spent"], 1);
        let other = lab.refused(4, "encrypt -b client.jwks --identity identity.jwk");
        assert_eq!(
            other.stderr,
            "orderseal: error: client.jwks: does not open with this private key\n"
        );
        lab.refused(4, "encrypt -b client.jwks").says(&["no private key was given", "--identity"]);
        // The private key may itself be protected.
        lab.ok(&format!("keys protect id.jwk {PROTECT}"));
        lab.ok_with(&format!("encrypt -b client.jwks --identity id.jwk {PASSPHRASE}"), b"tea\n");
    }
}

#[test]
fn a_delivery_is_sealed_to_its_recipient_and_never_in_the_clear() {
    let lab = lab("--embodiment 4", 4);
    lab.ok("keygen -e 4 --shop osaka --orders 4 --into service.jwks");
    lab.ok("bundle client -k service.jwks --shop osaka --recipient recipient.jwk -o new.jwks");
    lab.ok_with("encrypt -b new.jwks --identity identity.jwk", b"tea\n");
    let both =
        "bundle client -k service.jwks --shop osaka --recipient recipient.jwk --shop-out half.jwks";
    lab.refused(2, &format!("{both} -o both.jwks"));
    for (alg, file) in [("A256KW", "secret.jwk"), ("A256GCM", "content.jwk")] {
        lab.ok(&format!("keygen --alg {alg} -o {file}"));
        let refused = lab.refused(2, &format!("keys protect service.jwks --recipient {file}"));
        refused.says(&["the key of a recipient is for RSA-OAEP or ECDH-ES"]);
    }
    let mut set = lab.json("recipient.jwk");
    let mut second = set["keys"][0].clone();
    second["kid"] = "second".into();
    set["keys"].as_array_mut().expect("a set").push(second);
    lab.write("several.jwk", set.to_string());
    let several = lab.refused(2, "keys protect service.jwks --recipient several.jwk");
    several.says(&["the file of a recipient has one key"]);
}

#[test]
fn the_passphrase_is_changed_and_so_are_the_rounds() {
    let lab = lab("--embodiment 4", 2);
    let clear = lab.read("service.jwks");
    lab.ok(&format!("keys protect service.jwks {PROTECT}"));
    let before = header(&parts(&lab, "service.jwks")[0]);
    lab.ok(&format!("keys protect service.jwks {PASSPHRASE} --new-passphrase-rounds 2000"));
    let after = header(&parts(&lab, "service.jwks")[0]);
    assert_eq!((&before["p2c"], &after["p2c"]), (&1000.into(), &2000.into()));
    assert_ne!(before["p2s"], after["p2s"]);
    let change = format!("keys protect service.jwks {PASSPHRASE} --new-passphrase-file wrong");
    lab.ok(&format!("{change} --new-passphrase-rounds 1000"));
    lab.refused(4, &format!("inspect service.jwks {PASSPHRASE}"));
    lab.ok("keys unprotect service.jwks --passphrase-file wrong");
    assert_eq!(lab.read("service.jwks"), clear);
}

#[test]
fn the_passphrase_comes_from_a_file_or_a_descriptor_and_nothing_else() {
    let lab = lab("--embodiment 4", 4);
    lab.ok(&format!("keys protect service.jwks client.jwks {PROTECT}"));
    let inspect = "$ORDERSEAL inspect --public service.jwks --passphrase-fd";
    assert_eq!(lab.shell(&format!("{inspect} 7 7< passphrase")).code, Some(0));
    assert_eq!(lab.shell(&format!("{inspect} 7 7< <(cat passphrase)")).code, Some(0));
    // Orders follow the passphrase.
    let both = "cat passphrase orders.ndjson | $ORDERSEAL encrypt -b client.jwks --passphrase-fd 0";
    let run = lab.shell(both);
    assert_eq!((run.code, run.text().lines().count()), (Some(0), 4), "{}", run.stderr);
    assert_eq!(lab.shell(&format!("{inspect} 9")).code, Some(1));
    lab.refused(2, "inspect service.jwks --passphrase-file -");
    lab.refused(2, "inspect service.jwks --passphrase-fd 3 --passphrase-file passphrase");
    lab.mode("passphrase", 0o644);
    lab.refused(4, &format!("inspect service.jwks {PASSPHRASE}")).says(&["others can read it"]);
}

#[test]
fn a_passphrase_is_typed_at_the_terminal_and_not_shown() {
    let lab = lab("--embodiment 4", 2);
    lab.ok(&format!("keys protect service.jwks {PROTECT}"));
    // `script` gives the command a terminal; what is typed before the question does not count.
    let typed = |line: &str, answers: &[(&str, &str)]| {
        let steps: String = answers
            .iter()
            .map(|(question, answer)| {
                format!("until grep -q '{question}' seen; do sleep 0.05; done; echo {answer} >&3; ")
            })
            .collect();
        let run = lab.shell(&format!(
            "command -v script > /dev/null || exit 99; rm -f seen answers; touch seen; mkfifo answers
             script -qefc \"$ORDERSEAL {line}\" seen < answers > /dev/null & exec 3> answers
             {steps} wait $!"
        ));
        let seen = lab.has("seen").then(|| String::from_utf8_lossy(&lab.read("seen")).into_owned());
        (run.code, seen.unwrap_or_default())
    };
    let of_file = ("Passphrase of service.jwks: ", "plum blossom");
    let (code, seen) = typed("keys skip --orders 1 service.jwks", &[of_file]);
    if code == Some(99) {
        not_run("passphrases at a terminal", "the program script is missing");
        return;
    }
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("ids skipped") && !seen.contains("plum"), "{seen}");
    // While it asks, nobody else has to wait.
    let run = lab.shell(
        "rm -f seen answers; touch seen; mkfifo answers
         script -qefc \"$ORDERSEAL keys admit alice service.jwks\" seen < answers > /dev/null &
         exec 3> answers; until grep -q Passphrase seen; do sleep 0.05; done
         timeout 20 $ORDERSEAL keys admit bob service.jwks --passphrase-file passphrase; code=$?
         echo plum blossom >&3; wait $!; exit $code",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let users = lab.ok(&format!("inspect --json service.jwks {PASSPHRASE}")).json();
    assert_eq!(users["shops"]["tokyo"]["users"], serde_json::json!(["alice", "bob"]));
    let wrong = typed("keys skip --orders 1 service.jwks", &[(of_file.0, "cherry")]);
    assert_eq!(wrong.0, Some(4), "{}", wrong.1);
    assert_eq!(wrong.1.matches("does not open with this passphrase").count(), 1, "{}", wrong.1);
    let protect = "keys protect service.jwks --new-passphrase-rounds 1001";
    let again = |second| [of_file, ("New passphrase: ", "peach"), ("The same again: ", second)];
    let (code, seen) = typed(protect, &again("pear"));
    assert!(code == Some(2) && seen.contains("the two passphrases differ"), "{seen}");
    let (code, seen) = typed(protect, &again("peach"));
    assert!(code == Some(0) && !seen.contains("peach"), "{seen}");
    lab.write("peach", "peach");
    lab.ok("keys unprotect service.jwks --passphrase-file peach");
}

#[test]
fn a_header_from_outside_does_not_make_us_compute() {
    let lab = lab("--embodiment 4", 2);
    lab.ok(&format!("keys protect service.jwks {PROTECT}"));
    let whole = parts(&lab, "service.jwks");
    let with = |name: &str, value: Value| {
        let mut header = header(&whole[0]);
        header[name] = value;
        let mut parts = whole.clone();
        parts[0] = base64url(header.to_string().as_bytes());
        lab.write("service.jwks", parts.join("."));
        lab.run(&format!("keys skip --orders 1 service.jwks {PASSPHRASE}"), b"")
    };
    for rounds in [0_u64, 999, 10_000_001, u64::MAX] {
        let run = with("p2c", rounds.into());
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        run.says(&["service.jwks", "p2c"]);
    }
    assert_eq!(with("p2s", "AAAA".into()).code, Some(3));
    // A changed header is not authentic.
    assert_eq!(with("p2c", 1001.into()).code, Some(4));
    assert_eq!(with("kid", "other".into()).code, Some(4));
    // Algorithms that protect no key file.
    for alg in ["dir", "A256KW"] {
        with("alg", alg.into()).says(&["service.jwks: found sealed orders, expected a key file"]);
    }
    let weak = with("enc", "DES-CBC-HS256".into());
    weak.says(&["service.jwks: found sealed orders, expected a key file"]);
    for (at, part) in whole.iter().enumerate() {
        let mut damaged = whole.clone();
        damaged[at] = part[..part.len() - 4].to_owned();
        lab.write("service.jwks", damaged.join("."));
        let run = lab.run(&format!("keys skip --orders 1 service.jwks {PASSPHRASE}"), b"");
        assert!(matches!(run.code, Some(3 | 4)), "part {at}: {}", run.stderr);
    }
    lab.write("service.jwks", whole.join("."));
    lab.ok(&format!("keys skip --orders 1 service.jwks {PASSPHRASE}"));
}

#[test]
fn a_protected_file_has_at_most_64_mib_in_the_clear() {
    let lab = lab("--embodiment 4", 1);
    let pad =
        |bytes: u32| format!("keygen --alg VERNAM --allow-weak --pad-bytes {bytes} -o pad.jwk");
    let refused = lab.refused(2, &format!("{} {PROTECT}", pad(51_000_000)));
    refused.says(&["the limit is 67108864"]);
    assert!(!lab.has("pad.jwk"));
    lab.ok(&pad(51_000_000));
    let clear = lab.read("pad.jwk");
    lab.refused(2, &format!("keys protect pad.jwk {PROTECT}")).says(&["the limit is 67108864"]);
    assert!(lab.read("pad.jwk") == clear);
    lab.ok(&format!("{} {PROTECT} --force", pad(50_000_000)));
    lab.ok_with(&format!("encrypt --key pad.jwk --allow-weak {PASSPHRASE}"), b"tea\n");
}

#[test]
fn a_journal_stays_plain_beside_a_protected_bundle() {
    let lab = lab("--embodiment 4 --pool derived", 1);
    lab.ok("keygen -e 4 --shop osaka --orders 1200 --into service.jwks");
    lab.ok(&format!(
        "bundle client -k service.jwks --shop osaka --orders 1100 {PROTECT} -o many.jwks"
    ));
    let mut seen = std::collections::BTreeSet::new();
    let mut seal = |expected: usize| {
        let sealed = lab.ok_with(&format!("encrypt -b many.jwks {PASSPHRASE}"), &orders(6)).stdout;
        seen.extend(common::kids(&sealed));
        assert_eq!(seen.len(), expected, "each id is used once");
    };
    seal(6);
    assert!(lab.read("many.jwks.spent").starts_with(b"orderseal"), "the journal is plain");
    let marked = lab.read("many.jwks");
    seal(12);
    assert_eq!(lab.read("many.jwks"), marked, "only the journal changes");
    lab.refused(4, "encrypt -b many.jwks --passphrase-file wrong");
    // Protecting anew and in the clear keeps what is spent.
    lab.ok(&format!("keys protect many.jwks {PASSPHRASE} --new-passphrase-rounds 1001"));
    seal(18);
    lab.ok(&format!("keys unprotect many.jwks {PASSPHRASE}"));
    seal(24);
    seal(30);
    lab.ok(&format!("keys protect many.jwks {PROTECT}"));
    seal(36);
    let shown = lab.ok(&format!("inspect --json many.jwks {PASSPHRASE}")).json();
    assert_eq!(shown["shops"]["osaka"]["spent"], 36);
    // Erasing takes the journal into the bundle.
    lab.ok(&format!("erase --keys many.jwks {PASSPHRASE}"));
    parts(&lab, "many.jwks");
    assert!(!lab.has("many.jwks.spent"));
}

#[test]
fn a_program_that_erases_does_so_in_a_protected_bundle() {
    for what in ["keys", "programs", "all"] {
        let lab = lab("--embodiment 4", 4);
        lab.ok("keygen -e 4 --shop osaka --orders 4 --into service.jwks");
        let bundle =
            format!("bundle client -k service.jwks --shop osaka --orders 4 --erase={what}");
        lab.ok(&format!("{bundle} {PROTECT} -o erasing.jwks"));
        lab.ok_with(&format!("encrypt -b erasing.jwks {PASSPHRASE} -o out.jwe"), &orders(4));
        match what {
            "all" => assert!(!lab.has("erasing.jwks")),
            _ => drop(parts(&lab, "erasing.jwks")),
        }
    }
}

#[test]
fn a_pem_key_has_its_own_encryption() {
    let lab = lab("--embodiment 4", 1);
    lab.write("key.pem", include_bytes!("encodings/p256-pkcs8.pem"));
    let refused = lab.refused(2, &format!("keys protect key.pem {PROTECT}"));
    refused.says(&["only a JWK or a JWK Set can be protected"]);
    lab.refused(2, &format!("keys export identity.jwk --format pem {PROTECT} -o out.pem"));
    lab.refused(2, &format!("bundle client -k service.jwks --form html {PROTECT} -o page.html"));
    assert!(!lab.has("out.pem") && !lab.has("page.html"));
}

#[test]
fn the_private_key_of_a_shop_may_be_the_protected_file_itself() {
    let lab = lab("--embodiment 6 --rsa-bits 2048", 2);
    let sealed = lab.ok_with("encrypt -b client.jwks", b"tea\n").stdout;
    lab.ok(&format!("keys protect tokyo.jwks {PROTECT}"));
    let open = format!("decrypt -b tokyo.jwks {PASSPHRASE}");
    assert_eq!(lab.ok_with(&open, &sealed).text(), "tea\n");
}

#[test]
fn nothing_that_is_written_has_a_key_in_the_clear() {
    if !*STRACE {
        not_run("what a command writes", "strace is missing or may not trace");
        return;
    }
    let lab = lab("--embodiment 4", 30);
    let hidden = secrets(&lab, &["service.jwks"]);
    lab.ok(&format!("keys protect service.jwks tokyo.jwks client.jwks {PROTECT}"));
    for line in [
        "keygen -e 4 --shop osaka --into service.jwks",
        "bundle client -k service.jwks --shop tokyo --user alice --protect -o alice.jwks",
        "bundle shop -k service.jwks --shop tokyo --protect -o second.jwks",
        "encrypt -b client.jwks orders.ndjson -o sealed.jwe",
        "decrypt -b tokyo.jwks --ledger ledger --erase sealed.jwe -o opened.ndjson",
        "erase --keys client.jwks",
        "keys protect service.jwks --new-passphrase-rounds 1001",
    ] {
        if line.contains("alice") {
            lab.ok(&format!("keys admit alice --shop tokyo service.jwks {PASSPHRASE}"));
        }
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-o",
            "log",
            "-s",
            "1000000",
            "-e",
            "trace=write,writev,pwrite64,pwritev",
        ]);
        command.arg(ORDERSEAL).args(format!("{line} {PASSPHRASE}").split_whitespace());
        let output = command.current_dir(lab.dir()).output().expect("strace is there");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let log = String::from_utf8_lossy(&lab.read("log")).into_owned();
        assert!(log.contains("eyJ"), "{line}");
        assert!(!hidden.iter().any(|secret| log.contains(secret)), "{line} writes a secret");
    }
}

#[test]
fn signing_keys_may_be_protected_and_public_halves_taken_into_a_protected_keyring() {
    let lab = Lab::new();
    lab.write("pass.txt", "correct horse\n");
    lab.mode("pass.txt", 0o600);
    let with = "--passphrase-file pass.txt";
    let new = "--new-passphrase-file pass.txt --new-passphrase-rounds 1000 --protect";
    lab.ok(&format!(
        "keygen -e 6 --wrap ECDH-ES+A256KW --shop tokyo -o own.jwks --public-out public.jwks {new}"
    ));
    lab.ok(&format!("keygen -e 4 --shop kyoto -o service.jwks {new}"));
    lab.ok(&format!("keygen --alg EdDSA -o sign.jwk --public-out verify.jwk {new}"));
    for name in ["own.jwks", "service.jwks", "sign.jwk"] {
        assert!(lab.read(name).starts_with(b"eyJ"), "{name}");
    }
    // Public halves are for everybody.
    assert!(lab.read("public.jwks").starts_with(b"{"));
    assert!(lab.read("verify.jwk").starts_with(b"{"));
    lab.ok(&format!("keys import public.jwks --into service.jwks {with}"));
    assert!(lab.read("service.jwks").starts_with(b"eyJ"));
    let client = "bundle client --keyring service.jwks --shop tokyo --sign-with sign.jwk";
    lab.refused(4, &format!("{client} -o client.jwks")).says(&["--passphrase-file"]);
    lab.ok(&format!("{client} --signing-key sender.jwk -o client.jwks {with}"));
    lab.ok("inspect --verify-with verify.jwk client.jwks");
    // The signing key can be protected anew and taken out.
    lab.ok(&format!("keys protect sign.jwk {with} --new-passphrase-rounds 2000"));
    lab.ok(&format!("keys unprotect sign.jwk {with}"));
    assert!(lab.json("sign.jwk")["d"].is_string());
    lab.refused(2, &format!("{client} -o other.jwks {with} {new}")).says(&["--sign-with"]);
    // A bundle that signs counts its batches, protected or not.
    lab.ok("keys protect client.jwks --new-passphrase-file pass.txt --new-passphrase-rounds 1000");
    let sealed = lab.ok_with(&format!("encrypt --bundle client.jwks {with}"), b"tea\n").stdout;
    let report = lab.ok(&format!("inspect --json client.jwks {with}")).json();
    assert_eq!(report["signer"]["batches"], 1);
    lab.ok(&format!("bundle shop --keyring own.jwks -o tokyo.jwks {with}"));
    let opened = lab.ok_with("decrypt --bundle tokyo.jwks --verify-with sender.jwk", &sealed);
    assert_eq!(opened.stdout, b"tea\n");
}

#[test]
fn a_passphrase_on_standard_input_is_no_order() {
    let lab = lab("-e 4", 2);
    lab.ok(&format!("keys protect client.jwks {PROTECT}"));
    lab.write("in", "plum blossom\ntea\nrice\n");
    let script = "$ORDERSEAL encrypt --bundle client.jwks --passphrase-fd 0 -o out.jwe < in";
    let run = lab.shell(script);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks out.jwe").stdout, b"tea\nrice\n");
    // Another descriptor is read from where it stands.
    lab.write("two", "not this line\nplum blossom\n");
    let script = "exec 7< two; read -r -u 7 line; \
                  $ORDERSEAL inspect --public client.jwks --passphrase-fd 7 > /dev/null";
    let run = lab.shell(&format!("bash -c '{script}'"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn nothing_is_sealed_to_itself_and_no_opener_is_overwritten() {
    let lab = lab("-e 4", 2);
    let before = lab.read("identity.jwk");
    lab.refused(2, "keys protect identity.jwk --recipient recipient.jwk")
        .says(&["nothing else would"]);
    lab.refused(2, "keys protect identity.jwk --recipient identity.jwk")
        .says(&["is needed to open"]);
    lab.ok("keys protect tokyo.jwks --recipient recipient.jwk");
    let both =
        "keys protect identity.jwk tokyo.jwks --identity identity.jwk --recipient recipient.jwk";
    lab.refused(2, both);
    assert_eq!(lab.read("identity.jwk"), before);
    lab.write("key.jwk", format!("{}\n", lab.json("identity.jwk")));
    lab.refused(2, "keys protect key.jwk --new-passphrase-file key.jwk")
        .says(&["is needed to open"]);

    let passphrase = lab.read("passphrase");
    for line in [
        format!("keygen --alg A256GCM --protect {PROTECT} -o passphrase --force"),
        "bundle client --keyring service.jwks --passphrase-file passphrase -o passphrase --force --protect".to_owned(),
        "bundle shop --keyring service.jwks --recipient recipient.jwk -o recipient.jwk --force".to_owned(),
    ] {
        lab.refused(2, &line).says(&["is both input and output"]);
    }
    assert_eq!(lab.read("passphrase"), passphrase);
    let decrypt = "decrypt --bundle tokyo.jwks --identity identity.jwk -o identity.jwk --force";
    lab.refused_with(2, decrypt, b"");
    assert_eq!(lab.read("identity.jwk"), before);
}

#[test]
fn keys_in_any_form_do_not_replace_a_protected_file() {
    let lab = lab("-e 4", 2);
    lab.ok(&format!("keys protect service.jwks {PROTECT}"));
    let protected = lab.read("service.jwks");
    lab.ok("keygen -e 6 --wrap ECDH-ES+A256KW --shop nara -o own.jwks");
    lab.ok("keygen --alg A256KW -o kek.jwk");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("wrap --with kek.jwk cek.jwk -o wrapped.jwe");
    for line in [
        "keys export identity.jwk --format pem -o service.jwks --force",
        "decrypt --key kek.jwk wrapped.jwe -o service.jwks --force",
        "bundle service --keyring own.jwks -o service.jwks --force",
        "bundle page --keyring own.jwks -o service.jwks --force",
        "keygen -e 6 --wrap ECDH-ES+A256KW --shop uji -o uji.jwks --public-out service.jwks --force",
        "bundle client --keyring own.jwks -o c.jwks --signing-key service.jwks --force",
    ] {
        lab.refused(2, line).says(&["service.jwks", "protected"]);
        assert_eq!(lab.read("service.jwks"), protected, "{line}");
    }
}

#[test]
fn recipients_are_checked_and_idle_options_refused() {
    let lab = lab("-e 4", 2);
    lab.write("seed", [0x5a; 16]);
    lab.ok("keygen --alg A256KW -o lone.jwk");
    let weak = "keygen --alg ECDH-ES+A256KW --rng lfsr --trinomial 127,63 --seed-file seed";
    lab.ok(&format!("{weak} --allow-weak -o weak.jwk"));
    lab.refused(4, "keys protect lone.jwk --recipient weak.jwk").says(&["--allow-weak"]);
    lab.ok("keygen --alg ECDH-ES+A256KW --expires 2001-01-01 -o old.jwk");
    lab.refused(4, "keys protect lone.jwk --recipient old.jwk").says(&["expired"]);
    lab.ok("keygen -e 6 --wrap ECDH-ES+A256KW --shop nara -o own.jwks --public-out half.jwks");
    lab.refused(2, &format!("keys import half.jwks --into service.jwks --protect {PROTECT}"));
    lab.refused(2, &format!("keys rotate --protect {PROTECT} service.jwks"));
    lab.refused(2, &format!("keys export identity.jwk --format pem --protect {PROTECT} -o k.pem"));
    // The name of the recipient's key stays when the private key has none.
    lab.ok("keys protect service.jwks --recipient recipient.jwk");
    let mut unnamed = lab.json("identity.jwk");
    unnamed.as_object_mut().unwrap().remove("kid");
    lab.write("unnamed.jwk", unnamed.to_string());
    lab.mode("unnamed.jwk", 0o600);
    lab.ok("keys admit alice service.jwks --identity unnamed.jwk");
    let kid = header(std::str::from_utf8(&lab.read("service.jwks")).unwrap())["kid"].clone();
    assert_eq!(kid, "shop-2026");
}
