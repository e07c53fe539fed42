//! Mistakes that people make: each gets an exit code, and a message that says what was found, where,
//! what was expected and what to do.

mod common;

use std::fs;

use common::{Lab, orders};

/// A folder with everything in it that can be mistaken for something else.
fn lab() -> Lab {
    let lab = Lab::with_keys("--embodiment 4", 6);
    lab.write("sealed.jwe", lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo\n").stdout);
    lab.ok("keygen --embodiment 4 --shop osaka --orders 2 -o osaka-service.jwks");
    lab.ok("bundle shop --keys osaka-service.jwks -o osaka.jwks");
    lab.ok("bundle page --keys service.jwks --service https://service.example/ -o page.json");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("bundle client --keys service.jwks --on-demand --form html -o order.html");
    lab.write("other.html", "<!DOCTYPE html>\n<title>Tea</title>");
    lab.write("saved.html", "<!DOCTYPE html><meta name=\"generator\" content=\"orderseal 0.1.0\">");
    lab.write("empty", "");
    let sealed = lab.read("sealed.jwe");
    lab.write("cut.jwe", &sealed[..sealed.iter().position(|&b| b == b'\n').expect("a line") - 23]);
    lab.write("token.jwt", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl\n");
    let keys = lab.read("client.jwks");
    lab.write("cut.jwks", &keys[..keys.len() / 2]);
    lab.write("picture.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00");
    fs::create_dir(lab.path("folder")).expect("a folder");
    lab
}

#[test]
fn service_addresses_are_web_addresses_in_options_and_in_files() {
    let lab = lab();
    let keygen = "keygen --embodiment 2 --shop kyoto -o new --service";
    let page = "bundle page --keys service.jwks -o new --service";
    for address in ["javascript:alert(1)", "file:///etc/passwd", "service.example", "https://"] {
        for command in [keygen, page] {
            lab.refused(2, &format!("{command} {address}")).says(&["--service", "https://service"]);
        }
    }
    let altered = |name: &str, address: &str| {
        let text = String::from_utf8(lab.read(name)).expect("JSON is text");
        assert!(text.contains("https://service.example/"), "{text}");
        lab.write("altered", text.replace("https://service.example/", address));
    };
    lab.ok(
        "keygen --embodiment 4 --shop kyoto --orders 2 --service https://service.example/ -o kyoto",
    );
    lab.ok("bundle client --keys kyoto -o kyoto-client");
    for address in ["javascript:alert(1)", "https://a/ b"] {
        for (name, command) in [
            ("kyoto", "bundle client --keys altered -o new"),
            ("kyoto-client", "encrypt --bundle altered orders.ndjson -o new"),
            ("page.json", "bundle client --keys service.jwks --page altered -o new"),
        ] {
            altered(name, address);
            lab.refused(3, command).says(&["altered: ", "\"service\" "]);
            assert!(!lab.has("new"));
        }
    }
}

/// Exit code, command line, and what the message has to name: the file, what was found, what was
/// expected, and the way out.
const MISTAKES: &[(i32, &str, &[&str])] = &[
    // A file of the wrong role.
    (4, "decrypt --bundle client.jwks sealed.jwe", &["client.jwks", "client", "shop", "hint:"]),
    (
        4,
        "encrypt --bundle tokyo.jwks orders.ndjson",
        &["tokyo.jwks", "shop", "client", "bundle client"],
    ),
    (
        4,
        "encrypt --bundle service.jwks orders.ndjson",
        &["service.jwks", "service", "client", "bundle client"],
    ),
    (4, "bundle shop --keys client.jwks -o new", &["client.jwks", "client", "service"]),
    (4, "bundle client --keys tokyo.jwks -o new", &["tokyo.jwks", "shop", "service"]),
    (
        4,
        "keygen --embodiment 4 --shop kyoto --orders 1 --into tokyo.jwks",
        &["tokyo.jwks", "shop", "service"],
    ),
    (4, "wrap --with tokyo.jwks cek.jwk", &["tokyo.jwks", "shop", "client"]),
    (4, "wrap --with client.jwks tokyo.jwks", &["tokyo.jwks", "shop", "lone key", "keygen --alg"]),
    (4, "bundle shop --keys cek.jwk -o new", &["cek.jwk", "plain", "service", "keygen"]),
    (4, "encrypt --key tokyo.jwks orders.ndjson", &["tokyo.jwks", "expected a lone key", "hint:"]),
    // A file of the wrong kind.
    (3, "decrypt --bundle sealed.jwe sealed.jwe", &["sealed.jwe", "key file"]),
    (
        3,
        "decrypt --bundle orders.ndjson sealed.jwe",
        &["orders.ndjson", "after the end of the JSON", "expected a key file", "hint:"],
    ),
    (
        3,
        "decrypt --bundle picture.jpg sealed.jwe",
        &["picture.jpg", "no JSON", "expected a key file", "hint:"],
    ),
    (
        3,
        "encrypt --bundle page.json orders.ndjson",
        &["page.json", "item page", "key file", "hint:"],
    ),
    (
        3,
        "encrypt --bundle order.html orders.ndjson",
        &["order.html: found an order page, expected a key file", "open it in a browser", "erase"],
    ),
    (
        3,
        "decrypt --key order.html sealed.jwe",
        &["order.html: found an order page, expected a key file", "hint:"],
    ),
    (3, "bundle shop --keys order.html -o new", &["found an order page, expected a key file"]),
    (3, "erase --keys order.html", &["found an order page, expected a key file"]),
    (3, "inspect --public order.html", &["found an order page, expected a key file", "hint:"]),
    (
        3,
        "bundle client --keys service.jwks --page order.html -o new",
        &["order.html: found an order page, expected an item page", "bundle page"],
    ),
    (
        3,
        "encrypt --bundle other.html orders.ndjson",
        &["other.html: found a web page, expected a key file", "hint:"],
    ),
    (3, "inspect other.html", &["other.html: found a web page, expected a key file, an item page"]),
    (3, "inspect saved.html", &["found an order page without its data"]),
    (3, "decrypt --bundle tokyo.jwks order.html", &["order.html: line 1: found a web page"]),
    (4, "encrypt --bundle cek.jwk orders.ndjson", &["cek.jwk", "--key"]),
    (3, "decrypt --bundle tokyo.jwks orders.ndjson", &["orders.ndjson: line 1", "not sealed yet"]),
    (
        3,
        "decrypt --bundle tokyo.jwks token.jwt",
        &["token.jwt: line 1: found a signed token (JWS, alg HS256), expected a JWE"],
    ),
    (
        3,
        "decrypt --bundle tokyo.jwks cut.jwe",
        &["cut.jwe: line 1", "cut off (in segment 4)", "not complete"],
    ),
    (3, "decrypt --bundle tokyo.jwks tokyo.jwks", &["tokyo.jwks: line 1"]),
    (3, "decrypt --bundle tokyo.jwks picture.jpg", &["picture.jpg: line 1"]),
    (
        3,
        "bundle client --keys service.jwks --page service.jwks -o new",
        &["service.jwks", "role \"service\"", "expected \"page\"", "bundle page"],
    ),
    (3, "wrap --with client.jwks orders.ndjson", &["orders.ndjson"]),
    // Empty and truncated files.
    (3, "encrypt --bundle empty orders.ndjson", &["empty", "expected a key file", "hint:"]),
    (3, "decrypt --bundle empty sealed.jwe", &["empty", "expected a key file", "hint:"]),
    (3, "decrypt --key empty sealed.jwe", &["empty", "expected a key file", "hint:"]),
    (3, "inspect empty", &["empty", "expected", "item page"]),
    (
        3,
        "bundle client --keys service.jwks --page empty -o new",
        &["empty", "expected an item page"],
    ),
    (
        3,
        "encrypt --bundle cut.jwks orders.ndjson",
        &["cut.jwks", "cut off at line", "copy it again"],
    ),
    (3, "bundle shop --keys cut.jwks -o new", &["cut.jwks", "cut off at line", "copy it again"]),
    (3, "inspect cut.jwks", &["cut.jwks", "cut off at line"]),
    // Keys of the wrong shop, unknown shops, ids used up.
    (4, "decrypt --bundle osaka.jwks sealed.jwe", &["sealed.jwe: line 1", "tokyo/", "osaka"]),
    (4, "bundle shop --keys service.jwks --shop kyoto -o new", &["service.jwks", "kyoto", "tokyo"]),
    (
        4,
        "bundle client --keys osaka-service.jwks --page page.json -o new",
        &["tokyo", "osaka-service.jwks"],
    ),
    (4, "bundle client --keys service.jwks --orders 7 -o new", &["tokyo", "7", "keygen"]),
    (4, "encrypt --bundle client.jwks orders.ndjson", &["orders.ndjson: line 5", "bundle client"]),
    (
        2,
        "keygen --embodiment 4 --shop tokyo --orders 1 --enc A128GCM --into service.jwks",
        &["tokyo", "A256GCM"],
    ),
    // One key.
    (4, "decrypt --key cek.jwk sealed.jwe", &["sealed.jwe: line 1", "A256KW"]),
    // Files that are not there or cannot be read or written.
    (1, "encrypt --bundle missing.jwks orders.ndjson", &["missing.jwks"]),
    (1, "encrypt --bundle client.jwks missing.ndjson", &["missing.ndjson"]),
    (1, "keygen --embodiment 4 --shop tokyo --orders 1 --into missing.jwks", &["missing.jwks"]),
    (1, "decrypt --bundle tokyo.jwks folder", &["folder"]),
    (1, "decrypt --bundle folder sealed.jwe", &["folder"]),
    (1, "decrypt --bundle tokyo.jwks sealed.jwe -o missing/opened", &["missing/opened"]),
    // Usage.
    (2, "encrypt orders.ndjson", &["--bundle"]),
    (2, "decrypt sealed.jwe", &["--bundle"]),
    (2, "encrypt --bundle client.jwks --key cek.jwk orders.ndjson", &["--key"]),
    (2, "keygen -o new", &["--embodiment"]),
    (2, "keygen --embodiment 8 --shop tokyo -o new", &["8"]),
    (2, "keygen --embodiment 7 --shop tokyo -o new", &["bundle client", "--erase"]),
    (2, "keygen --embodiment 4 --content direct --shop tokyo -o new", &["--content"]),
    (2, "keygen --embodiment 4 --shop tokyo --orders many -o new", &["many"]),
    (
        2,
        "keygen --embodiment 4 --shop tokyo --orders 2 --enc A512GCM -o new",
        &["A512GCM", "A256GCM"],
    ),
    (2, "keygen --embodiment 4 --shop tokyo --orders 2 --wrap RSA-OAEP-256 -o new", &["--wrap"]),
    (2, "keygen --embodiment 1 --shop tokyo --wrap A256KW -o new", &["--wrap"]),
    (2, "sign orders.ndjson", &["sign"]),
    (2, "encrypt --bundle client.jwks --enc A128GCM orders.ndjson", &["--bundle", "--enc"]),
    // Stdin is read to its end once: who reads second would find it empty.
    (2, "encrypt --bundle -", &["stdin"]),
    (2, "encrypt --bundle client.jwks --typed-key - -", &["stdin"]),
    (2, "wrap --with - -", &["stdin"]),
    (2, "decrypt --bundle - --key - sealed.jwe", &["stdin"]),
    (2, "decrypt --bundle -", &["stdin"]),
    (2, "convert --from des-ede3-cbc --from-key - --iv-in-front", &["stdin"]),
    // Erasing.
    (2, "erase", &["no file"]),
    (2, "erase --kid tokyo/0123456789abcdef tokyo.jwks", &["--kid", "before"]),
    (4, "erase tokyo.jwks --kid tokyo/nobody", &["tokyo.jwks", "tokyo/nobody", "6 keys"]),
    (1, "erase --dry-run missing.jwks", &["missing.jwks"]),
];

#[test]
fn every_mistake_is_explained() {
    let lab = lab();
    let before = lab.names();
    let mut differences = Vec::new();
    for (code, line, words) in MISTAKES {
        let run = lab.run(line, b"");
        let missing: Vec<_> = words.iter().filter(|word| !run.stderr.contains(**word)).collect();
        if run.code != Some(*code) || !missing.is_empty() || !run.stdout.is_empty() {
            differences.push(format!(
                "{line}\n    exit {:?}, expected {code}; does not say {missing:?}; {} bytes on stdout\n    {}",
                run.code,
                run.stdout.len(),
                run.stderr.trim_end().replace('\n', "\n    "),
            ));
        }
        if !run.stderr.starts_with("orderseal: ") || run.stderr.contains('\u{1b}') {
            differences.push(format!("{line}\n    not a message of ours: {}", run.stderr));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        MISTAKES.len(),
        differences.join("\n")
    );
    assert_eq!(lab.names(), before, "nothing was left behind");
}

#[test]
fn empty_input_is_an_empty_batch() {
    let lab = lab();
    assert_eq!(lab.ok("encrypt --bundle client.jwks empty").stdout, b"");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks empty").stdout, b"");
}

#[test]
fn running_out_of_ids_names_the_line_and_writes_nothing() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    lab.write("orders.ndjson", orders(5));
    let run = lab.refused(4, "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
    run.says(&["orders.ndjson: line 4", "hint:", "bundle client"]);
    assert!(!lab.has("sealed.jwe"));
    // What is left can be used, or is spent; it is not used twice, and afterwards nothing is left.
    let first = lab.run("encrypt --bundle client.jwks", b"one\ntwo\nthree\n");
    if first.code == Some(0) {
        lab.refused_with(4, "encrypt --bundle client.jwks", b"four\n");
    }
}

#[test]
fn an_id_that_was_used_is_used_up() {
    let lab = Lab::with_keys("--embodiment 3", 2);
    lab.ok_with("encrypt --bundle client.jwks", b"one\n");
    lab.ok_with("encrypt --bundle client.jwks", b"two\n");
    lab.refused_with(4, "encrypt --bundle client.jwks", b"three\n")
        .says(&["stdin: line 1", "bundle client"]);
}

#[test]
fn a_failed_command_changes_no_key_file() {
    let lab = lab();
    let names = ["service.jwks", "tokyo.jwks", "osaka.jwks", "cek.jwk", "page.json"];
    let before: Vec<_> = names.iter().map(|name| lab.read(name)).collect();
    for (_, line, _) in MISTAKES {
        lab.run(line, b"");
    }
    for (name, before) in names.iter().zip(before) {
        assert!(lab.read(name) == before, "{name} was changed");
    }
}

#[test]
fn help_and_version_are_on_standard_output() {
    let lab = Lab::new();
    for command in [
        "keygen",
        "bundle",
        "encrypt",
        "wrap",
        "decrypt",
        "erase",
        "simulate",
        "inspect",
        "bench",
        "completions",
        "man",
    ] {
        let help = lab.ok(&format!("{command} --help"));
        assert!(help.text().contains("Usage: orderseal "), "{command}");
        assert!(lab.ok("--help").text().contains(command), "{command} is in the list");
    }
    assert!(lab.ok("--version").text().starts_with("orderseal "));
    assert!(lab.ok("man").text().contains(".TH"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(lab.ok(&format!("completions {shell}")).text().contains("orderseal"));
    }
}

#[test]
fn without_a_command_the_commands_are_listed() {
    let lab = Lab::new();
    for (line, words) in [("", ["keygen", "decrypt"]), ("bundle", ["shop", "client"])] {
        let run = lab.run(line, b"");
        assert_eq!((run.code, run.stdout.as_slice()), (Some(2), &b""[..]), "{line}");
        run.says(&words);
        assert!(!run.stderr.contains("error:"), "{}", run.stderr);
    }
}

#[test]
fn quiet_says_nothing_and_colours_stay_off_without_a_terminal() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    for line in ["encrypt --bundle client.jwks", "encrypt --quiet --bundle client.jwks"] {
        assert_eq!(lab.ok_with(line, &orders(20)).stderr, "", "{line}");
    }
}

#[test]
fn inspect_tells_structure_and_counts() {
    let lab = lab();
    let sealed = lab.ok("inspect --json sealed.jwe").json().to_string();
    for word in ["A256KW", "A256GCM", "tokyo"] {
        assert!(sealed.contains(word), "{sealed}");
    }
    let service = lab.ok("inspect --json service.jwks").json().to_string();
    for word in ["service", "tokyo", "hybrid", "transaction", "secret", "issued"] {
        assert!(service.contains(word), "{service}");
    }
    assert!(lab.ok("inspect sealed.jwe").text().contains("A256KW"));
    assert!(lab.ok("inspect client.jwks").text().contains("client"));
}

#[test]
fn errors_are_json_where_reports_are() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.write("sealed.jwe", "not sealed\n");
    for (code, line, kind, file, number) in [
        (2, "keygen --no-such-option", "usage", None, None),
        (2, "keygen --embodiment 4 --shop x -o service.jwks", "usage", None, None),
        (1, "inspect nowhere.jwks", "system", None, None),
        (3, "decrypt --bundle tokyo.jwks sealed.jwe", "malformed", Some("sealed.jwe"), Some(1)),
        (4, "decrypt --bundle client.jwks sealed.jwe", "key", Some("client.jwks"), None),
    ] {
        let run = lab.refused(code, &format!("{line} --json"));
        let found: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
        let error = &found["error"];
        assert_eq!(error["kind"], kind, "{found}");
        assert_eq!(error["code"], code, "{found}");
        assert_eq!(error["file"].as_str(), file, "{found}");
        assert_eq!(error["line"].as_u64(), number, "{found}");
        // The words are those that are printed without it.
        let words = lab.refused(code, line).stderr;
        let message = error["message"].as_str().unwrap();
        assert!(words.contains(&format!("error: {message}")), "{words}");
        for hint in error["hints"].as_array().unwrap() {
            assert!(words.contains(hint.as_str().unwrap()), "{words}");
        }
    }
}
