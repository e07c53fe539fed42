//! Signed batches: a client's bundle that signs, and a shop that opens whole batches only.

mod common;

use common::{Lab, base64url, base64url_decode, header, lines, orders};
use serde_json::{Value, json};

/// Options of `keygen` for each embodiment, and other ways to name and make keys.
const SCHEMES: [&str; 9] = [
    "-e 1",
    "-e 2",
    "-e 3 --orders 60",
    "-e 4 --orders 60",
    "-e 4 --pool derived",
    "-e 5 --orders 60 --rsa-bits 2048",
    "-e 6 --orders 60 --rsa-bits 2048",
    "-e 6 --wrap ECDH-ES+A256KW --curve X25519 --pool derived",
    "--content hybrid --scope shop --kind public --wrap ECDH-ES+A128KW",
];

/// A shop, and a client `alice` who signs, with `alice.jwk` as her public key.
fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo -o service.jwks"));
    sender(&lab, "alice");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab
}

fn sender(lab: &Lab, name: &str) {
    lab.ok(&format!(
        "bundle client --keyring service.jwks --orders 20 --signing-key {name}.jwk -o {name}.jwks"
    ));
}

/// Seals a batch of orders and returns its lines, the last of which is the manifest.
fn batch(lab: &Lab, name: &str, count: usize) -> Vec<Vec<u8>> {
    let sealed = lab.ok_with(&format!("encrypt --bundle {name}.jwks"), &orders(count)).stdout;
    lines(&sealed).map(<[u8]>::to_vec).collect()
}

fn joined<'l>(lines: impl IntoIterator<Item = &'l Vec<u8>>) -> Vec<u8> {
    lines.into_iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect()
}

const VERIFY: &str = "decrypt --bundle tokyo.jwks --verify-with alice.jwk";

/// Opens with `VERIFY` and expects that nothing leaves; returns the message.
fn refused(lab: &Lab, code: i32, sealed: &[u8]) -> String {
    let run = lab.refused_with(code, VERIFY, sealed);
    assert!(run.stdout.is_empty());
    run.stderr.clone()
}

fn manifest(line: &[u8]) -> Value {
    let line = std::str::from_utf8(line).expect("text");
    let payload = line.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&base64url_decode(payload)).expect("JSON")
}

#[test]
fn whole_batches_open_in_every_scheme() {
    for options in SCHEMES {
        let lab = lab(options);
        let (one, two) = (batch(&lab, "alice", 5), batch(&lab, "alice", 3));
        assert_eq!((one.len(), two.len()), (6, 4), "{options}");
        let all = joined(one.iter().chain(&two));
        let opened = [orders(5), orders(3)].concat();
        assert_eq!(lab.ok_with(VERIFY, &all).stdout, opened, "{options}");
        // Without the option, manifests are passed over.
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &all).stdout, opened, "{options}");
        lab.write("all.jwe", &all);
        lab.ok(&format!("{VERIFY} all.jwe -o opened.ndjson"));
        assert_eq!(lab.read("opened.ndjson"), opened);
    }
}

#[test]
fn a_line_names_its_batch_and_the_manifest_covers_all() {
    let lab = lab("-e 4 --orders 60");
    let (one, two) = (batch(&lab, "alice", 3), batch(&lab, "alice", 1));
    let key = lab.json("alice.jwk");
    let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    let header_of = |line: &[u8]| header(std::str::from_utf8(line).unwrap());
    for (index, line) in one[..3].iter().enumerate() {
        let mark = header_of(line)["batch"].clone();
        assert_eq!((&mark["by"], &mark["line"]), (&key["kid"], &json!(index + 1)));
        assert_eq!(mark["id"], manifest(&one[3])["batch"]);
    }
    let signed = header_of(&one[3]);
    assert_eq!(signed, json!({"alg": "EdDSA", "kid": key["kid"], "typ": "orderseal-batch"}));
    let (first, second) = (manifest(&one[3]), manifest(&two[1]));
    assert_eq!(
        (&first["shop"], &first["count"], &first["sequence"]),
        (&json!("tokyo"), &json!(3), &json!(1))
    );
    assert_eq!((&second["count"], &second["sequence"]), (&json!(1), &json!(2)));
    assert_ne!(first["batch"], second["batch"]);
    // The hash over the lines is computed here once more, from the words of the documentation.
    let sha256 = |bytes: &[u8]| {
        use sha2::Digest;
        sha2::Sha256::digest(bytes).to_vec()
    };
    let hashes: Vec<u8> = one[..3].iter().flat_map(|line| sha256(line)).collect();
    assert_eq!(first["lines"], base64url(&sha256(&hashes)));
    assert_eq!(first.get("previous"), None);
    assert_eq!(second["previous"], base64url(&sha256(&one[3])));
    lab.write("both.jwe", joined(one.iter().chain(&two)));
    let survey = lab.ok("inspect --json both.jwe").json();
    assert_eq!((&survey["lines"], &survey["manifests"]), (&json!(6), &json!(2)));
    assert_eq!(survey["group"][0]["lines"], 4);
    let signer = lab.ok("inspect --json alice.jwks").json()["signer"].clone();
    assert_eq!((&signer["sender"], &signer["batches"]), (&key["kid"], &json!(2)));
    assert_eq!(signer["public"]["x"], key["x"]);
    assert!(
        !lab.ok("inspect alice.jwks")
            .text()
            .contains(lab.json("alice.jwks")["orderseal"]["signer"]["key"]["d"].as_str().unwrap())
    );
}

#[test]
fn a_batch_that_is_not_whole_is_refused_and_the_message_says_why() {
    let lab = lab("-e 4 --orders 100");
    let lines = batch(&lab, "alice", 4);
    let other = batch(&lab, "alice", 4);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        joined(&changed)
    };
    for (sealed, words) in [
        (
            with(&|lines| drop(lines.pop())),
            "line 4: the batch that begins on line 1 has no manifest",
        ),
        (with(&|lines| drop(lines.remove(0))), "line 1: line 2 of its batch, expected line 1"),
        (with(&|lines| drop(lines.remove(3))), "line 4: the manifest is of 4 lines, found 3"),
        (with(&|lines| lines.swap(1, 2)), "line 2: line 3 of its batch, expected line 2"),
        (with(&|lines| lines.insert(2, other[2].clone())), "line 3: a line of another batch"),
        (with(&|lines| lines[1] = other[1].clone()), "line 2: a line of another batch"),
        (
            with(&|lines| lines[4] = other[4].clone()),
            "line 5: the manifest is that of another batch",
        ),
        (
            with(&|lines| lines.truncate(2)),
            "line 2: the batch that begins on line 1 has no manifest",
        ),
        (joined(&lines[4..]), "line 1: the manifest is of 4 lines, found 0"),
        (joined(lines.iter().chain(&other[..4])), "line 9: the batch that begins on line 6"),
    ] {
        let message = refused(&lab, 5, &sealed);
        assert!(message.contains(words), "{words:?} in:\n{message}");
    }
    // Twice the same batch.
    let twice = joined(lines.iter().chain(&lines));
    assert!(
        refused(&lab, 7, &twice)
            .contains("line 10: the batch was given before: its manifest is at stdin: line 5")
    );
    // The file with the output does not appear either.
    lab.write("cut.jwe", joined(&lines[..4]));
    lab.refused(5, &format!("{VERIFY} cut.jwe -o opened.ndjson"));
    assert!(!lab.has("opened.ndjson"));
    // A batch ends in its file.
    lab.write("rest.jwe", joined(&lines[4..]));
    lab.refused(5, &format!("{VERIFY} cut.jwe rest.jwe")).says(&["cut.jwe: line 4"]);
    // All of it was good.
    assert_eq!(
        lab.ok_with(VERIFY, &joined(lines.iter().chain(&other))).stdout,
        orders(4).repeat(2)
    );
}

#[test]
fn changed_lines_are_refused_wherever_they_were_changed() {
    let lab = lab("-e 4 --orders 60");
    let lines = batch(&lab, "alice", 2);
    let line = String::from_utf8(lines[1].clone()).unwrap();
    let changed = |part: usize| {
        let mut parts: Vec<String> = line.split('.').map(str::to_owned).collect();
        let middle = parts[part].len() / 2;
        let byte = if parts[part].as_bytes()[middle] == b'A' { "B" } else { "A" };
        parts[part].replace_range(middle..=middle, byte);
        joined(&[lines[0].clone(), parts.join(".").into_bytes(), lines[2].clone()])
    };
    for part in 1..5 {
        let message = refused(&lab, 5, &changed(part));
        assert!(message.contains("line 3: the lines are not those that were signed"), "{message}");
    }
    // White space that mail adds is no change.
    let crlf: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect();
    assert_eq!(lab.ok_with(VERIFY, &crlf).stdout, orders(2));
    let blank = joined(&[lines[0].clone(), Vec::new(), lines[1].clone(), lines[2].clone()]);
    assert_eq!(lab.ok_with(VERIFY, &blank).stdout, orders(2));
}

#[test]
fn other_senders_are_refused_and_cannot_take_over_a_batch() {
    let lab = lab("-e 4 --orders 100");
    sender(&lab, "mallory");
    let alice = batch(&lab, "alice", 2);
    let mallory = batch(&lab, "mallory", 2);
    let message = refused(&lab, 5, &joined(&mallory));
    let thumbprint = lab.json("mallory.jwk")["kid"].as_str().unwrap().to_owned();
    assert!(message.contains(&format!("signed by {thumbprint}, which is none of")), "{message}");
    // Both keys, in a set or one by one.
    let both = joined(alice.iter().chain(&mallory));
    let run = lab.ok_with(&format!("{VERIFY} --verify-with mallory.jwk --json"), &both);
    assert_eq!(run.stdout, orders(2).repeat(2));
    let report: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
    let senders: Vec<_> =
        report["batches"].as_array().unwrap().iter().map(|it| &it["sender"]).collect();
    let [a, m] = ["alice.jwk", "mallory.jwk"].map(|name| lab.json(name));
    assert_eq!(senders, [&a["kid"], &m["kid"]]);
    lab.write("set.jwks", json!({"keys": [m, a]}).to_string());
    lab.ok_with("decrypt --bundle tokyo.jwks --verify-with set.jwks", &both);
    // Alice's lines under Mallory's manifest, with Mallory's key accepted too.
    let taken = joined(alice[..2].iter().chain(&mallory[2..]));
    let line = format!("{VERIFY} --verify-with mallory.jwk");
    lab.refused_with(5, &line, &taken).says(&["the manifest is signed by", "the lines name"]);
    // Orders that nobody signed.
    lab.ok("bundle client --keyring service.jwks -o plain.jwks");
    let plain = lab.ok_with("encrypt --bundle plain.jwks", b"tea\n").stdout;
    assert!(refused(&lab, 5, &plain).contains("line 1: the order is not signed"));
    let mixed = [joined(&alice[..2]), plain, joined(&alice[2..])].concat();
    assert!(refused(&lab, 5, &mixed).contains("line 3: the order is not signed"));
}

#[test]
fn with_skip_whole_batches_are_left_out_and_the_others_opened() {
    let lab = lab("-e 4 --orders 100");
    let (one, two, three) =
        (batch(&lab, "alice", 2), batch(&lab, "alice", 3), batch(&lab, "alice", 1));
    let cut = joined(one.iter().chain([&two[0], &two[2], &two[3]]).chain(&three));
    lab.write("cut.jwe", &cut);
    let line = format!("{VERIFY} --on-error skip --report skipped.ndjson cut.jwe --json");
    let run = lab.run(&line, b"");
    assert_eq!((run.code, &run.stdout), (Some(6), &[orders(2), orders(1)].concat()));
    let report = run.stderr.lines().find(|line| line.contains("\"batches\":")).unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!((&report["orders"], &report["failed"]), (&json!(3), &json!(2)));
    assert_eq!(report["batches"][1]["follows"], false);
    let skipped = lab.read("skipped.ndjson");
    let skipped: Vec<Value> =
        lines(&skipped).map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!(skipped.len(), 1);
    assert_eq!((&skipped[0]["kind"], &skipped[0]["line"]), (&json!("batch"), &json!(5)));
    assert_eq!((&skipped[0]["from"], &skipped[0]["lines"]), (&json!(4), &json!(3)));
    // Later lines are still counted as in the file.
    lab.ok("erase tokyo.jwks --kid KID".replace("KID", &common::kids(&three[0])[0]).as_str());
    let last = format!("{VERIFY} --on-error skip --report later.ndjson cut.jwe");
    assert_eq!(lab.run(&last, b"").stdout, orders(2));
    let later = lab.read("later.ndjson");
    let later: Vec<Value> =
        lines(&later).map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!((&later[1]["kind"], &later[1]["line"]), (&json!("key"), &json!(7)));
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force --restore");
    // The ledger knows nothing of what was left out.
    let ledger = format!("{VERIFY} --on-error skip --ledger tokyo.ledger");
    let run = lab.run(&ledger, &cut);
    assert_eq!((run.code, run.stdout), (Some(6), [orders(2), orders(1)].concat()));
    let again = lab.ok_with(&format!("{VERIFY} --ledger tokyo.ledger"), &joined(&two));
    assert_eq!(again.stdout, orders(3));
    // Once opened, a batch that comes again is refused.
    lab.refused_with(7, &format!("{VERIFY} --ledger tokyo.ledger"), &joined(&two));
}

#[test]
fn batches_that_do_not_follow_each_other_cause_a_warning() {
    let lab = lab("-e 4 --orders 100");
    let [one, two, three] = [1, 2, 3].map(|count| joined(&batch(&lab, "alice", count)));
    let warns = |parts: &[&[u8]]| {
        let run = lab.ok_with(VERIFY, &parts.concat());
        run.stderr.contains("which it does not follow")
    };
    assert!(!warns(&[&one, &two, &three]));
    assert!(!warns(&[&two, &three]));
    assert!(warns(&[&one, &three]));
    assert!(warns(&[&two, &one]));
}

#[test]
fn the_signing_key_is_kept_and_erased_with_the_others() {
    let lab = Lab::new();
    lab.ok("keygen -e 6 --shop tokyo --orders 9 --wrap ECDH-ES+A256KW -o service.jwks");
    let bundle = "bundle client --keyring service.jwks --orders 2 --signing-key alice.jwk";
    lab.ok(&format!("{bundle} --erase -o alice.jwks"));
    // Only public keys for orders, and still a secret.
    lab.mode("alice.jwks", 0o644);
    lab.refused(4, "encrypt --bundle alice.jwks").says(&["holds secrets"]);
    lab.mode("alice.jwks", 0o600);
    lab.ok_with("encrypt --bundle alice.jwks", b"tea\n");
    assert!(!lab.has("alice.jwks"));
    lab.ok(&format!("{bundle} --force --erase=keys -o alice.jwks"));
    lab.ok_with("encrypt --bundle alice.jwks -o one.jwe", b"tea\n");
    assert_eq!(lab.json("alice.jwks")["orderseal"].get("signer"), None);
    lab.ok(&format!("{bundle} --force --erase=programs -o alice.jwks"));
    lab.ok_with("encrypt --bundle alice.jwks -o two.jwe", b"tea\n");
    assert!(lab.json("alice.jwks")["orderseal"].get("signer").is_some());
    lab.refused(4, "encrypt --bundle alice.jwks").says(&["program"]);
    lab.ok("erase --keys alice.jwks");
    assert_eq!(lab.json("alice.jwks")["orderseal"].get("signer"), None);
}

#[test]
fn a_program_that_signs_seals_batches_only() {
    let lab = lab("-e 4 --orders 60");
    lab.write("order.txt", "tea");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    for line in [
        "encrypt --bundle alice.jwks --document order.txt",
        "encrypt --bundle alice.jwks --stream order.txt",
        "wrap --with alice.jwks cek.jwk",
    ] {
        lab.refused(2, line).says(&["the program signs batches of orders"]);
    }
    let page =
        "bundle client --keyring service.jwks --form html --signing-key key.jwk -o page.html";
    lab.refused(2, page).says(&["signs no batch"]);
    let same = "bundle client --keyring service.jwks --signing-key a.jwks -o a.jwks";
    lab.refused(2, same).says(&["-o and --signing-key name the same file"]);
    assert!(!lab.has("key.jwk") && !lab.has("a.jwks"));
    // The id and the sequence number are untouched.
    assert_eq!(lab.ok("inspect --json alice.jwks").json()["signer"]["batches"], 0);
    // An empty batch is a batch.
    let empty = lab.ok_with("encrypt --bundle alice.jwks", b"").stdout;
    assert_eq!(lines(&empty).count(), 1);
    assert_eq!(lab.ok_with(VERIFY, &empty).stdout, b"");
}

#[test]
fn files_of_senders_are_checked() {
    let lab = lab("-e 4 --orders 60");
    let sealed = joined(&batch(&lab, "alice", 1));
    for (key, words) in [
        ("{}", "kty"),
        ("[]", "JSON object"),
        ("tea", "JSON"),
        (r#"{"kty":"OKP","crv":"X25519","x":"AQ"}"#, "crv"),
        (r#"{"keys":[{"kty":"oct","k":"AQ"}]}"#, "kty"),
    ] {
        lab.write("key.jwk", key);
        let line = "decrypt --bundle tokyo.jwks --verify-with key.jwk";
        lab.refused_with(3, line, &sealed).says(&["key.jwk", words]);
    }
    lab.write("none.jwk", r#"{"keys":[]}"#);
    let line = "decrypt --bundle tokyo.jwks --verify-with none.jwk";
    lab.refused_with(5, line, &sealed).says(&["none of the keys given"]);
}

#[test]
fn junk_between_the_lines_of_a_batch_harms_nothing_but_itself() {
    let lab = lab("-e 4 --orders 100");
    sender(&lab, "mallory");
    let (alice, stranger) = (batch(&lab, "alice", 3), batch(&lab, "mallory", 1));
    let junk =
        [stranger, vec![b"junk".to_vec(), b"eyJ9.e30.AA".to_vec(), b"\xef\xbb\xbf".to_vec()]];
    let junk: Vec<Vec<u8>> = junk.concat();
    let mixed: Vec<&Vec<u8>> = [&alice[0]]
        .into_iter()
        .chain(&junk)
        .chain([&alice[1]])
        .chain(&junk)
        .chain(&alice[2..])
        .collect();
    let run = lab.run(&format!("{VERIFY} --on-error skip"), &joined(mixed));
    assert_eq!((run.code, run.stdout), (Some(6), orders(3)));
    // Two orders or manifests of a stranger, and two lines of junk, twice; the last is blank.
    assert_eq!(run.stderr.lines().filter(|line| line.contains("\"kind\":\"batch\"")).count(), 8);
}

#[test]
fn an_input_without_batches_is_no_batch() {
    let lab = lab("-e 4 --orders 60");
    for empty in [&b""[..], b"\n\n", b"\xef\xbb\xbf\n"] {
        assert!(refused(&lab, 5, empty).contains("stdin: no signed batch"));
    }
    lab.write("empty.jwe", "");
    lab.write("one.jwe", joined(&batch(&lab, "alice", 1)));
    lab.refused(5, &format!("{VERIFY} one.jwe empty.jwe")).says(&["empty.jwe: no signed batch"]);
}

#[test]
fn nobody_can_use_up_the_number_of_a_batch_of_another_sender() {
    use orderseal::protocol::jose::batch::Manifest;
    use orderseal::protocol::jose::jws::{SigningKey, VerifyingKey};

    let lab = lab("-e 4 --orders 60");
    sender(&lab, "mallory");
    let alice = batch(&lab, "alice", 2);
    let key = |value: &Value| SigningKey::from_jwk(value.as_object().unwrap()).unwrap();
    let mallory = key(&lab.json("mallory.jwks")["orderseal"]["signer"]["key"]);
    let public = VerifyingKey::from_jwk(lab.json("alice.jwk").as_object().unwrap()).unwrap();
    let own = Manifest::verify(&alice[2], &public).unwrap();
    let nothing =
        lines(&lab.ok_with("encrypt --bundle mallory.jwks", b"").stdout).next().unwrap().to_vec();
    let empty = Manifest::verify(&nothing, &mallory.verifying()).unwrap();
    for sequence in [1, u64::MAX] {
        let forged = Manifest { batch: own.batch, sequence, ..empty.clone() };
        let forged = forged.sign(&mallory).into_bytes();
        let twice = Manifest { sequence, ..empty.clone() }.sign(&mallory).into_bytes();
        let both = joined([&forged, &twice].into_iter().chain(&alice));
        let run = lab.ok_with(&format!("{VERIFY} --verify-with mallory.jwk"), &both);
        assert_eq!(run.stdout, orders(2));
    }
}

#[test]
fn rewrapping_verifies_too_and_signs_for_the_new_client() {
    let lab = lab("-e 4 --orders 60");
    let lines = batch(&lab, "alice", 3);
    lab.ok("keygen -e 2 --shop archive --into service.jwks");
    lab.ok("bundle client --keyring service.jwks --shop archive --signing-key bob.jwk -o bob.jwks");
    lab.ok("bundle shop --keyring service.jwks --shop archive -o archive.jwks");
    let rewrap = "rewrap --from-key tokyo.jwks --to-key bob.jwks --verify-with alice.jwk";
    let opens = "decrypt --bundle archive.jwks --verify-with bob.jwk";
    let anew = lab.ok_with(rewrap, &joined(&lines)).stdout;
    assert_eq!(lab.ok_with(opens, &anew).stdout, orders(3));
    lab.write("cut.jwe", joined(&lines[..2]));
    lab.refused(5, &format!("{rewrap} cut.jwe -o out.jwe")).says(&["it was cut off"]);
    assert!(!lab.has("out.jwe"));
    let both = [joined(&lines[..2]), joined(&batch(&lab, "alice", 1))].concat();
    let run = lab.run(&format!("{rewrap} --on-error skip"), &both);
    assert_eq!(run.code, Some(6));
    assert_eq!(lab.ok_with(opens, &run.stdout).stdout, orders(1));
    let check = "rewrap --check --from-key tokyo.jwks --to-key archive.jwks cut.jwe cut.jwe";
    lab.refused(2, &format!("{check} --verify-with alice.jwk")).says(&["verifies no batches"]);
}

#[test]
fn a_manifest_for_another_shop_or_after_another_batch_is_noticed() {
    use orderseal::protocol::jose::batch::Manifest;
    use orderseal::protocol::jose::jws::SigningKey;

    let lab = lab("-e 4 --orders 60");
    let key = lab.json("alice.jwks")["orderseal"]["signer"]["key"].clone();
    let key = SigningKey::from_jwk(key.as_object().unwrap()).unwrap();
    let [one, two] = [1, 2].map(|count| batch(&lab, "alice", count));
    let signed = |lines: &[Vec<u8>], change: &dyn Fn(&mut Manifest)| {
        let (last, lines) = lines.split_last().unwrap();
        let mut manifest = Manifest::verify(last, &key.verifying()).unwrap();
        change(&mut manifest);
        [joined(lines), format!("{}\n", manifest.sign(&key)).into_bytes()].concat()
    };
    let kyoto = signed(&one, &|manifest| manifest.shop = "kyoto".parse().unwrap());
    assert!(refused(&lab, 5, &kyoto).contains("not all for shop kyoto"));
    // The number follows, and the hash is that of another batch.
    let other = signed(&two, &|manifest| manifest.previous = Some([7; 32]));
    let run = lab.ok_with(VERIFY, &[joined(&one), other].concat());
    assert!(run.stderr.contains("which it does not follow"), "{}", run.stderr);
}

#[test]
fn a_bundle_that_was_exchanged_meanwhile_does_not_sign() {
    let lab = lab("-e 2");
    sender(&lab, "mallory");
    let run = lab.shell(
        "mkfifo orders; $ORDERSEAL encrypt --bundle alice.jwks orders -o out.jwe & sealing=$!; \
         exec 3> orders; echo tea >&3; sleep 0.5; mv mallory.jwks alice.jwks; exec 3>&-; wait $sealing",
    );
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.stderr.contains("another file has replaced it"), "{}", run.stderr);
    assert!(!lab.has("out.jwe"));
    assert_eq!(lab.ok("inspect --json alice.jwks").json()["signer"]["batches"], 0);
}

#[test]
fn a_bundle_that_signs_keeps_everything_in_itself_and_contradicts_nothing() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 1100 -o service.jwks");
    let bundle = "bundle client --keyring service.jwks --orders 1100 --signing-key alice.jwk";
    lab.ok(&format!("{bundle} -o alice.jwks"));
    for sequence in [1, 2] {
        let lines = batch(&lab, "alice", 1);
        assert_eq!(manifest(&lines[1])["sequence"], sequence);
    }
    assert!(!lab.has("alice.jwks.spent"));
    let mut file = lab.json("alice.jwks");
    let steps = file["orderseal"]["program"]["steps"].as_array_mut().unwrap();
    steps.retain(|step| step != "sign");
    lab.write("torn.jwks", file.to_string());
    lab.mode("torn.jwks", 0o600);
    lab.refused_with(3, "encrypt --bundle torn.jwks", b"tea\n").says(&["no step \"sign\""]);
}
