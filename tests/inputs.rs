//! Several input files of one command: read in the order given, never run together, and each named in
//! messages with a line number of its own. And what a command prints besides its output.

mod common;

use common::{Lab, header, lines, seal};
use serde_json::{Value, json};

const SEAL: &str = "encrypt --bundle client.jwks";
const OPEN: &str = "decrypt --bundle tokyo.jwks";

/// Changes the last character of a sealed line.
fn tampered(line: &str) -> String {
    let last = if line.ends_with('A') { 'Q' } else { 'A' };
    format!("{}{last}", &line[..line.len() - 1])
}

#[test]
fn files_are_sealed_and_opened_in_the_order_given_and_end_their_last_line() {
    for embodiment in 1..=4 {
        let lab = Lab::with_keys(&format!("--embodiment {embodiment}"), 9);
        lab.write("a", "one\ntwo");
        lab.write("empty", "");
        lab.write("b", "\nfive\n");
        lab.ok(&format!("{SEAL} b a empty a -o 1.jwe"));
        lab.write("stdin", lab.ok_with(&format!("{SEAL} a -"), b"last").stdout);
        let run = lab.ok(&format!("{OPEN} 1.jwe stdin --threads 2"));
        assert_eq!(run.text(), "\nfive\none\ntwo\none\ntwo\none\ntwo\nlast\n");
        let sealed = lab.read("1.jwe");
        lab.write("cut.jwe", &sealed[..sealed.len() - 1]);
        let run = lab.ok_with(&format!("{OPEN} cut.jwe - "), &lab.read("stdin"));
        assert_eq!(run.text(), "\nfive\none\ntwo\none\ntwo\none\ntwo\nlast\n");
    }
}

#[test]
fn messages_name_the_file_and_the_line_in_it() {
    let lab = Lab::with_keys("--embodiment 4", 4);
    lab.write("two", "1\n2\n");
    lab.write("long", [b"3\n".to_vec(), vec![b'x'; (1 << 20) + 1]].concat());
    lab.refused(3, &format!("{SEAL} two long -o out")).says(&["error: long: line 2: order longer"]);
    lab.write("three", "3\n4\n5\n");
    let run = lab.refused(4, &format!("{SEAL} two three -o out"));
    run.says(&["error: three: line 3: no unused transaction id"]);
    lab.refused(1, &format!("{SEAL} two none -o out")).says(&["error: none: cannot open"]);
    assert!(!lab.has("out"));

    let sealed = seal(&lab, b"1\n2\n3\n4\n");
    lab.write("1.jwe", sealed[..2].join("\n"));
    lab.write("2.jwe", format!("{}\n{}\n{}\n", sealed[2], tampered(&sealed[3]), sealed[0]));
    lab.refused(5, &format!("{OPEN} 1.jwe 2.jwe -o out"))
        .says(&["error: 2.jwe: line 2: authentication failed"]);
    let skip = "--on-error skip --once --report report 1.jwe 2.jwe";
    assert_eq!(lab.run(&format!("{OPEN} {skip} -o out"), b"").code, Some(6));
    let report: Vec<Value> =
        lines(&lab.read("report")).map(|line| serde_json::from_slice(line).unwrap()).collect();
    let kid = |line: &str| header(line)["kid"].clone();
    assert_eq!(
        report,
        [
            json!({"file": "2.jwe", "line": 2, "kid": kid(&sealed[3]), "kind": "authentication",
                   "message": "2.jwe: line 2: authentication failed"}),
            json!({"file": "2.jwe", "line": 3, "kid": kid(&sealed[0]), "kind": "used",
                   "message": format!("2.jwe: line 3: transaction id {} was used before, in 1.jwe: \
                                       line 1", kid(&sealed[0]).as_str().unwrap())}),
        ]
    );
    // Of one file, the name goes without saying.
    let run = lab.run(&format!("{OPEN} --on-error skip 2.jwe -o out --force"), b"");
    assert!(run.stderr.starts_with("{\"kid\":") && !run.stderr.contains("\"file\""));
}

#[test]
fn what_counts_over_a_run_counts_over_all_files() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("a", "1\n2\n");
    lab.write("b", "3\n4\n");
    lab.write("words", "plum blossom, and quite a few other words");
    let run = lab.ok(&format!("{SEAL} --typed-key words a b a --json -o sealed.jwe"));
    assert_eq!(run.json()["orders"], 6);
    let sealed = lab.read("sealed.jwe");
    let typed: Vec<u64> = std::str::from_utf8(&sealed)
        .unwrap()
        .lines()
        .map(|line| header(line)["typed"]["i"].as_u64().unwrap())
        .collect();
    assert_eq!(typed, [0, 1, 2, 3, 4, 5], "no content key is derived twice");

    let lab = Lab::new();
    lab.ok("keygen --embodiment 1 --enc VERNAM-HS256 --pad-bytes 100 --shop tokyo --allow-weak \
            -o service.jwks");
    lab.ok("bundle client --keys service.jwks --pad-bytes 100 --allow-weak -o client.jwks");
    lab.write("a", "x".repeat(60));
    let before = lab.read("client.jwks");
    lab.refused(4, &format!("{SEAL} --allow-weak a a -o out"))
        .says(&["a and 1 more: the pad is too short: 120 bytes are needed, 100 are left"]);
    assert_eq!(lab.read("client.jwks"), before, "nothing is spent");
    lab.ok("keygen --embodiment 3 --enc VERNAM-HS256 --pad-bytes 50 --orders 3 --shop tokyo \
            --allow-weak -o ids.jwks");
    lab.ok("bundle client --keys ids.jwks --orders 3 --allow-weak -o client.jwks --force");
    lab.write("b", "short\nshort\n");
    lab.refused(4, &format!("{SEAL} --allow-weak b a -o out")).says(&["error: a: line 1: the pad"]);
}

#[test]
fn inputs_that_do_not_go_together_are_refused() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("a", "1\n");
    lab.write("sealed.jwe", lab.ok(&format!("{SEAL} a")).stdout);
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("wrap --with client.jwks cek.jwk -o cek.jwe");
    lab.ok(&format!("{SEAL} --stream a -o a.sealed"));
    for (code, line, words) in [
        (2, format!("{SEAL} - a - -o out"), "several inputs from stdin"),
        (2, format!("{OPEN} - - -o out"), "several inputs from stdin"),
        (2, format!("{SEAL} --stream a a -o out"), "--stream seals one file"),
        (2, format!("{SEAL} orders.ndjson a -o a --force"), "a: is both input and output"),
        (2, format!("{OPEN} sealed.jwe a -o a --force"), "a: is both input and output"),
        (3, format!("{OPEN} cek.jwe sealed.jwe -o out"), "cek.jwe: line 1: found a wrapped key"),
        (3, format!("{OPEN} sealed.jwe cek.jwe -o out"), "cek.jwe: line 1: found a wrapped key"),
        (
            3,
            format!("{OPEN} a.sealed sealed.jwe -o out"),
            "a.sealed: line 1: found a sealed stream",
        ),
        (3, format!("{OPEN} sealed.jwe a.sealed -o out"), "a.sealed: line 1: found"),
    ] {
        lab.refused(code, &line).says(&[words]);
        assert!(!lab.has("out"), "{line}");
    }
}

#[test]
fn a_report_does_not_mix_with_what_else_is_on_stdout() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("bad.jwe", "no sealed line\n");
    let skip = format!("{OPEN} --on-error skip bad.jwe");
    for report in ["-", "/dev/stdout", "/dev/fd/1"] {
        for rest in ["", "-o -", "-o /dev/stdout", "--check", "--check -o out"] {
            lab.refused(2, &format!("{skip} --report {report} {rest}"))
                .says(&["several outputs to stdout"]);
        }
    }
    let run = lab.run(&format!("{skip} --report - -o out --json"), b"");
    assert_eq!(run.code, Some(6));
    assert_eq!(run.json()["kind"], "malformed", "stdout has the report alone");
    run.says(&["\"failed\":1"]);
}

#[test]
fn the_json_of_decrypt_has_counts_and_ids_only_if_asked() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    lab.ok("keygen --embodiment 4 --shop osaka --orders 2 -o osaka.jwks");
    lab.ok("bundle client --keys osaka.jwks --orders 2 -o osaka-client.jwks");
    lab.ok("keygen --alg A256KW -o lone.jwk");
    let tokyo = seal(&lab, b"1\n2\n3\n");
    lab.write("tokyo.jwe", tokyo.join("\n"));
    lab.write("osaka.jwe", lab.ok_with("encrypt --bundle osaka-client.jwks", b"4\n5\n").stdout);
    lab.write("lone.jwe", lab.ok_with("encrypt --key lone.jwk", b"6\n7\n").stdout);
    let open = format!(
        "{OPEN} --bundle osaka.jwks --key lone.jwk tokyo.jwe osaka.jwe lone.jwe --json -o opened --force"
    );
    let report = lab.ok(&open).json();
    assert_eq!(report["orders"], 7);
    assert_eq!(report["keys"], 6);
    assert_eq!(report["by_shop"], json!({"osaka": 2, "tokyo": 3}));
    assert_eq!(report.get("by_key"), None);
    let by_key = lab.ok(&format!("{open} --ids")).json()["by_key"].clone();
    let by_key = by_key.as_object().unwrap();
    assert_eq!((by_key.len(), &by_key[""]), (6, &json!(2)));
    for line in &tokyo {
        assert_eq!(by_key[header(line)["kid"].as_str().unwrap()], 1);
    }
    lab.refused(2, &format!("{OPEN} --ids tokyo.jwe")).says(&["--ids", "--json"]);
}

#[test]
fn the_help_of_decrypt_tells_what_stdout_has_received() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let help = lab.ok("decrypt --help").text();
    let help: Vec<_> = help.split_whitespace().collect();
    assert!(help.join(" ").contains("may have received orders before the failing one"));
    // And it is so.
    let mut sealed = seal(&lab, b"1\n2\n3\n");
    sealed[1] = tampered(&sealed[1]);
    let run = lab.refused_with(5, OPEN, sealed.join("\n").as_bytes());
    assert_eq!(run.stdout, b"1\n");
}
