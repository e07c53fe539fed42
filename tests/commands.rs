//! The command line: help, names of options and algorithms, version, colours, completions and manual.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{FIXTURE, Lab, Run, not_run, orders};
use serde_json::Value;

/// The commands of every program.
const COMMANDS: [&str; 35] = [
    "",
    "keygen",
    "bundle",
    "bundle shop",
    "bundle service",
    "bundle page",
    "bundle form",
    "bundle client",
    "keys",
    "keys admit",
    "keys revoke",
    "keys token",
    "keys fetch",
    "keys rotate",
    "keys merge",
    "keys skip",
    "keys split",
    "keys export",
    "keys import",
    "keys protect",
    "keys unprotect",
    "request",
    "encrypt",
    "wrap",
    "send",
    "decrypt",
    "rewrap",
    "serve",
    "erase",
    "convert",
    "inspect",
    "simulate",
    "bench",
    "completions",
    "man",
];

/// Those of servers, which not every program has.
const OF_SERVERS: [&str; 2] = ["serve service", "serve shop"];

/// Every command that this program has.
fn commands() -> Vec<&'static str> {
    let of_servers: &[_] = if cfg!(feature = "serve") { &OF_SERVERS } else { &[] };
    [&COMMANDS, of_servers].concat()
}

#[test]
fn short_help_fits_on_a_screen_and_points_to_the_long_one() {
    let lab = Lab::new();
    for command in commands() {
        let help = |option: &str| {
            let run = lab.shell(&format!("COLUMNS=80 $ORDERSEAL {command} {option}"));
            assert_eq!(run.code, Some(0), "{command} {option}: {}", run.stderr);
            run.text()
        };
        let (short, long) = (help("-h"), help("--help"));
        assert!(short.lines().count() <= 25, "{command} -h:\n{short}");
        assert!(short.lines().all(|line| line.chars().count() <= 80), "{command} -h:\n{short}");
        assert!(short.contains("see more with '--help'"), "{command} -h:\n{short}");
        assert!(long.contains("--allow-weak") && !short.contains("--allow-weak"), "{command}");
    }
}

#[test]
fn commands_are_grouped_by_role() {
    let help = Lab::new().ok("--help").text();
    let mut lines = help.lines().skip_while(|line| !line.starts_with("Service"));
    for (group, commands) in [
        ("Service", &["keygen", "bundle", "keys"][..]),
        ("Client", &["request", "encrypt", "wrap", "send"]),
        ("Shop", &["decrypt", "rewrap"]),
        ("Servers", &["serve"]),
        ("Any role", &["erase", "convert", "inspect"]),
        ("Try out", &["simulate", "bench"]),
        ("Set up", &["completions", "man"]),
    ] {
        for (index, command) in commands.iter().enumerate() {
            let line = lines.next().expect("a line for each command");
            let group = if index == 0 { group } else { "" };
            assert!(line.starts_with(&format!("{group:8}  {command} ")), "{line:?}\n{help}");
        }
    }
}

/// The examples of a command's help, as they are printed.
fn examples(command: &str) -> String {
    let help = Lab::new().ok(&format!("{command} --help")).text();
    let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("{command}: {help}"));
    let lines = examples.lines().skip(1).take_while(|line| line.starts_with("  "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs a command's examples in a folder where `before` was run.
#[track_caller]
fn run_examples(command: &str, before: &[&str]) -> Lab {
    let lab = Lab::new();
    lab.write("seed.bin", [0x5a; 16]);
    lab.write("items.json", r#"{"items":[{"id":1,"name":"Tea","price":3}]}"#);
    for name in ["orders.ndjson", "monday.ndjson", "tuesday.ndjson"] {
        lab.write(name, orders(8));
    }
    if command == "keys import" {
        lab.write("key.pem", include_bytes!("encodings/rsa-pkcs8.pem"));
    }
    if command == "encrypt" {
        lab.write("photo.raw", FIXTURE);
        lab.write("order.xml", "<order>\n  <item>tea</item>\n</order>\n");
    }
    if command == "simulate" {
        lab.write("scenario.toml", include_bytes!("../fixtures/scenario.toml"));
    }
    lab.write("password.txt", "plum blossom\n");
    fs::create_dir_all(lab.path(".local/share/bash-completion/completions")).unwrap();
    for line in before {
        lab.ok(line);
    }
    if command == "erase" {
        // The example names two keys.
        let mut shop = lab.json("tokyo.jwks");
        for (index, id) in ["0123456789abcdef", "fedcba9876543210"].iter().enumerate() {
            shop["keys"][index]["kid"] = format!("tokyo/{id}").into();
        }
        lab.write("tokyo.jwks", shop.to_string());
    }
    let examples = examples(command);
    // It does not end by itself: tests/follow.rs runs it.
    let examples = examples.split_inclusive('\n').filter(|line| !line.contains("--follow"));
    let examples: String = examples.collect();
    assert!(examples.lines().all(|line| line.len() <= 80 || line.contains('~')), "{examples}");
    let run = lab.shell(&format!(
        "orderseal() {{ \"$ORDERSEAL\" \"$@\"; }}; set -e; export HOME=$PWD\n{examples}"
    ));
    assert_eq!(run.code, Some(0), "{examples}{}", run.stderr);
    lab
}

/// Keys for many orders, in files that are called as in the examples.
const KEYS: [&str; 3] = [
    "keygen --embodiment 4 --shop tokyo --orders 100 -o service.jwks",
    "bundle shop --keyring service.jwks -o tokyo.jwks",
    "bundle client --keyring service.jwks --orders 60 -o client.jwks",
];

const CEK: &str = "keygen --alg A256GCM -o cek.jwk";

#[test]
fn the_examples_of_the_service_run_as_printed() {
    let lab = run_examples("keygen", &[]);
    assert!(
        ["cek.jwk", "pad.jwk", "weak.jwk", "public.jwks", "service.jwk"]
            .iter()
            .all(|name| lab.has(name))
    );
    assert_eq!(lab.json("service.jwks")["orderseal"]["shops"].as_object().unwrap().len(), 5);
    let derived = "keygen -e 4 --shop tokyo --pool derived -o service.jwks";
    let shop = "bundle shop --keyring service.jwks -o tokyo.jwks";
    let half = "bundle client --keyring service.jwks --on-demand --shop-out half.jwks -o new.jwks";
    let lab = run_examples("keys admit", &KEYS[..1]);
    assert!(lab.has("half.jwks"));
    let admit = "keys admit alice service.jwks";
    run_examples("keys revoke", &[KEYS[0], admit, KEYS[1]]);
    run_examples(
        "keys merge",
        &[derived, shop, half, "bundle shop -k service.jwks -o backup.jwks"],
    );
    run_examples("keys rotate", &KEYS[..1]);
    run_examples("keys skip", &[derived]);
    run_examples("keys split", &[derived]);
    let client = "bundle client --keyring service.jwks --orders 9 -o client.jwks";
    let pair = "keygen --alg ECDH-ES -o key.jwk";
    run_examples("keys export", &[derived, client, pair]);
    let own = "keygen -e 5 --shop tokyo -o own.jwks --public-out public.jwks";
    let public = "keygen --alg RSA-OAEP-256 -o uji.jwk --public-out uji-public.jwk";
    let pem = "keys export uji-public.jwk --format pem -o public.pem";
    let kyoto = "keygen -e 4 --shop kyoto -o service.jwks";
    run_examples("keys import", &[own, public, pem, kyoto]);
    run_examples("bundle service", &[own, "erase public.jwks"]);
    let recipient = "keygen --alg ECDH-ES+A256KW -o recipient.jwk";
    run_examples("keys protect", &[KEYS[0], KEYS[1], recipient]);
    let protect = "keys protect service.jwks --new-passphrase-file password.txt";
    let rounds = format!("{protect} --new-passphrase-rounds 1000");
    run_examples("keys unprotect", &[KEYS[0], &rounds]);
    run_examples("bundle shop", &KEYS[..1]);
    run_examples("bundle page", &KEYS[..1]);
    let page_of_service =
        "bundle page --keyring service.jwks --service https://service.example/ -o page.json";
    let lab = run_examples("bundle form", &[KEYS[0], page_of_service]);
    assert!(lab.has("order.html") && lab.has("chumon.html"));
    let page = "bundle page --keyring service.jwks -o page.json";
    let request = "request --page page.json -o request.json";
    let lab = run_examples("bundle client", &[KEYS[0], admit, page, request]);
    for name in ["client.jwks", "erasing.jwks", "alice.jwks", "new.jwks", "half.jwks", "order.html"]
    {
        assert!(lab.has(name), "{name}");
    }
}

#[test]
fn the_examples_of_the_client_run_as_printed() {
    let page = "bundle page --keyring service.jwks -o page.json";
    run_examples("request", &[KEYS[0], page]);
    let lab = run_examples("encrypt", &[&KEYS[..], &[CEK]].concat());
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks week.jwe").stdout, orders(8).repeat(2));
    assert_eq!(lab.ok("decrypt --password-file password.txt diary.jwe").stdout, orders(8));
    let lab = run_examples("wrap", &KEYS);
    assert_eq!(lab.read("opened.ndjson"), orders(8));
}

#[test]
fn the_examples_of_the_shop_run_as_printed() {
    let sealed = [
        CEK,
        "bundle client --keyring service.jwks --on-demand --shop-out half.jwks -o new.jwks",
        "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe",
        "encrypt --bundle client.jwks orders.ndjson -o monday.jwe",
        "encrypt --bundle client.jwks orders.ndjson -o tuesday.jwe",
        "encrypt --key cek.jwk orders.ndjson -o body.jwe",
        "encrypt --bundle client.jwks --document orders.ndjson -o order.jwe",
        "encrypt --bundle client.jwks --stream orders.ndjson -o photo.sealed",
        "encrypt --password-file password.txt orders.ndjson -o diary.jwe",
    ];
    let lab = run_examples("decrypt", &[&KEYS[..], &sealed].concat());
    assert_eq!(lab.read("week.ndjson"), orders(8).repeat(2));
    assert_eq!(lab.read("order.xml"), orders(8));
    let rewrapped = [
        "keygen --alg A256KW -o old.jwk",
        "keygen --alg A256KW -o new.jwk",
        "encrypt --key old.jwk orders.ndjson -o sealed.jwe",
        "keygen --embodiment 2 --shop tokyo -o service.jwks",
        KEYS[1],
        "bundle client --keyring service.jwks -o client.jwks",
        "encrypt --bundle client.jwks orders.ndjson -o archive.jwe",
    ];
    let again = run_examples("rewrap", &rewrapped);
    assert_eq!(again.ok("decrypt --key new.jwk resealed.jwe").stdout, orders(8));
    assert_eq!(again.ok("decrypt --bundle tokyo.jwks archive-2.jwe").stdout, orders(8));
    assert_eq!(lab.read("diary.ndjson"), orders(8));
    assert_eq!(lab.read("photo.raw"), orders(8));
}

#[test]
fn the_other_examples_run_as_printed() {
    let pads = [
        "keygen --embodiment 3 --enc vernam --shop tokyo --orders 9 --allow-weak -o service.jwks",
        "bundle shop --keyring service.jwks --allow-weak -o tokyo.jwks",
        "bundle client --keyring service.jwks --orders 8 --allow-weak -o eight.jwks",
        "encrypt --bundle eight.jwks orders.ndjson --allow-weak -o sealed.jwe",
        "keygen --alg EdDSA -o sign.jwk --public-out service.jwk",
        "bundle client -k service.jwks --allow-weak --sign-with sign.jwk -o client.jwks",
    ];
    run_examples("inspect", &pads);
    let new = "bundle client --keyring service.jwks --orders 2 -o new.jwks";
    let lab = run_examples("erase", &[&KEYS[..], &[new]].concat());
    assert!(!lab.has("client.jwks") && !lab.has("new.jwks"));
    run_examples("simulate", &[]);
    let lab = run_examples("completions", &[]);
    assert!(lab.has(".local/share/bash-completion/completions/orderseal"));
    let lab = run_examples("man", &[]);
    assert!(lab.has(".local/share/man/man1/orderseal-bundle-client.1"));
}

#[cfg(not(feature = "serve"))]
#[test]
fn a_command_that_is_not_built_in_says_how_to_get_it() {
    let lab = Lab::new();
    for line in [
        "serve service --keys service.jwks",
        "serve",
        "send",
        "send --page http://127.0.0.1:1/ orders.ndjson",
        "send --from-line -- -x",
    ] {
        let name = line.split(' ').next().unwrap();
        let words = format!("without `{name}`");
        lab.refused(2, line).says(&[&words, "cargo install orderseal --features serve"]);
    }
    lab.refused(2, "keys fetch tokyo.jwks").says(&["without `keys fetch`"]);
    let inspect = "inspect --verify-with page.json http://127.0.0.1:1/page.json";
    lab.refused(2, inspect).says(&["without `inspect URL`"]);
}

#[test]
fn names_of_earlier_versions_keep_working_and_are_not_listed() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --count 6 -o service.jwks");
    lab.ok("bundle shop -k service.jwks --form program -o tokyo.jwks");
    lab.ok("bundle client --keys service.jwks --count 2 --form jwks --erase=keys -o client.jwks");
    lab.ok("bundle client --keys service.jwks --erase keys -o same.jwks");
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let sealed = lab.ok_with("encrypt -b client.jwks", b"tea\n").stdout;
    assert_eq!(lab.ok_with("decrypt -b tokyo.jwks", &sealed).stdout, b"tea\n");
    let sealed = lab.ok_with("encrypt -k cek.jwk", b"tea\n").stdout;
    assert_eq!(lab.ok_with("decrypt -k cek.jwk", &sealed).stdout, b"tea\n");
    let program = |name: &str| lab.json(name)["orderseal"]["program"].clone();
    assert_eq!(program("client.jwks"), program("same.jwks"));
    let simulate = "simulate -e 2 --shops 1 --clients 1 --seed 7";
    let [old, new] = ["--orders 2", "--orders-each 2"]
        .map(|option| lab.ok(&format!("{simulate} {option} --json")).json());
    assert_eq!(old, new);
    for (command, names) in [
        ("keygen", &["--count"][..]),
        ("bundle shop", &["--keys", "-k"]),
        ("bundle client", &["--keys", "--count", "jwks"]),
        ("simulate", &["--orders "]),
    ] {
        let help = lab.ok(&format!("{command} --help")).text();
        let (help, _) = help.split_once("\nExample").expect("help has examples");
        for name in names {
            assert!(!help.contains(&format!("{name} ")), "{command} lists {name}:\n{help}");
        }
    }
}

#[test]
fn a_trace_follows_json_and_erasing_is_named_alike() {
    let lab = Lab::new();
    let simulate = "simulate -e 4 --shops 1 --clients 1 --orders-each 1";
    let [explicit, old, with_json] = ["--trace json", "--trace=json", "--trace --json"]
        .map(|options| lab.ok(&format!("{simulate} {options}")).text());
    assert_eq!(explicit, old);
    assert!(with_json.starts_with(&explicit), "{with_json}");
    for line in with_json.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    assert!(lab.ok(&format!("{simulate} --trace")).text().starts_with("  4 "));
    for what in ["", "keys", "programs", "all"] {
        let report = lab.ok(&format!("{simulate} --json --erase {what}")).json();
        assert_eq!(report["held"], true, "{what}: {report}");
    }
    lab.refused(2, &format!("{simulate} --erase nothing"));
}

#[test]
fn algorithms_are_found_in_any_case_and_by_the_names_of_bench() {
    let lab = Lab::new();
    for (name, alg) in [
        ("a256gcm", "A256GCM"),
        ("aes-128-gcm", "A128GCM"),
        ("Aes-256-KW", "A256KW"),
        ("rsa-oaep-256", "RSA-OAEP-256"),
        ("VERNAM", "VERNAM-HS256"),
        ("des-ede3", "DES-EDE3-CBC-HS256"),
    ] {
        lab.ok(&format!("keygen --alg {name} --rsa-bits 2048 --allow-weak -o key.jwk --force"));
        assert_eq!(lab.json("key.jwk")["alg"], alg, "{name}");
    }
    lab.ok("keygen --embodiment 2 --shop tokyo --enc aes-128-gcm --wrap a128kw -o service.jwks");
    let shop = lab.ok("inspect --json service.jwks").json()["shops"]["tokyo"].clone();
    assert_eq!((&shop["alg"], &shop["enc"]), (&"A128KW".into(), &"A128GCM".into()));
    for (wrong, meant) in [
        ("--alg A256GMC", "A256GCM"),
        ("--alg aes256gcm", "A256GCM"),
        ("--alg rsa-2048-oaep-256", "RSA-OAEP-256"),
        ("-e 2 --shop x --enc aes-128-gmc", "A128GCM"),
        ("-e 2 --shop x --wrap knapsac", "MH-KNAPSACK"),
    ] {
        let run = lab.refused(2, &format!("keygen {wrong}"));
        run.says(&[&format!("orderseal: hint: a similar value exists: '{meant}'")]);
    }
    let run = lab.refused(2, "keygen --alg enigma");
    run.says(&["[possible values: A256GCM, ", "see --help"]);
    assert!(!run.stderr.contains("similar"), "{}", run.stderr);
}

#[test]
fn the_version_tells_commit_target_and_backends() {
    let lab = Lab::new();
    let name = format!("orderseal {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(lab.ok("-V").text(), name);
    let version = lab.ok("--version").text();
    let rest = version.strip_prefix(&name).unwrap_or_else(|| panic!("{version}"));
    let value =
        |line: &str| rest.lines().find_map(|it| Some(it.strip_prefix(line)?.trim().to_owned()));
    assert!(value("commit ").is_some_and(|commit| !commit.is_empty()), "{version}");
    assert!(value("target ").is_some_and(|it| it.contains(std::env::consts::ARCH)), "{version}");
    assert!(value("backends ").is_some_and(|it| it.contains("portable")), "{version}");
}

#[test]
fn a_variable_limits_the_backends_and_never_raises_them() {
    let lab = Lab::new();
    let backends = |run: &Run| {
        let text = run.text();
        let line = text.lines().find_map(|line| line.strip_prefix("backends ")).expect("its line");
        line.trim().replace("; encrypt and decrypt run on ", " ")
    };
    let widest = backends(&lab.ok("--version"));
    let all: Vec<&str> = widest.split(' ').collect();
    let (last, all) = all.split_last().expect("a backend is used");
    assert_eq!(all.last(), Some(last), "the widest is used");
    assert_eq!(all[..2], ["rustcrypto", "portable"]);
    for (index, name) in all.iter().enumerate().skip(1) {
        let limited = lab.shell(&format!("ORDERSEAL_BACKEND={name} $ORDERSEAL --version"));
        assert_eq!(backends(&limited), format!("{} {name}", all[..=index].join(" ")));
    }
    let missing = ["avx2", "vaes", "avx512", "neon"].into_iter().filter(|name| !all.contains(name));
    for name in missing.chain(["rustcrypto", "AVX2", "sse9", "''"]) {
        let run = lab.shell(&format!("ORDERSEAL_BACKEND={name} $ORDERSEAL --json encrypt -k x"));
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr);
        run.says(&["\"kind\":\"usage\"", "ORDERSEAL_BACKEND is ", "set it to one of portable"]);
    }
    for text in [lab.ok("--help").text(), lab.ok("man").text()] {
        assert!(text.contains("ORDERSEAL_BACKEND"), "{text}");
    }
}

#[test]
fn a_limited_bench_names_no_wider_backend() {
    let lab = Lab::new();
    for (limit, wider) in
        [("portable", &["avx2", "vaes", "avx512", "neon"][..]), ("avx2", &["vaes", "avx512"])]
    {
        if !lab.ok("--version").text().contains(limit) {
            not_run(&format!("a bench limited to {limit}"), "this processor lacks it");
            continue;
        }
        let line = "bench --json --seconds 0.05 --filter /64 seal-jwe/A256KW";
        let run = lab.shell(&format!("ORDERSEAL_BACKEND={limit} $ORDERSEAL --allow-weak {line}"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let text = run.text();
        assert!(text.contains(&format!("/{limit}/")), "{text}");
        for name in wider {
            assert!(!text.contains(&format!("/{name}/")), "{text}");
        }
    }
}

/// What the build script says in a folder, by its `cargo:` lines.
fn build_script(script: &Path, folder: &Path, profile: &str) -> Vec<String> {
    let output = Command::new(script)
        .current_dir(folder)
        .env_remove("ORDERSEAL_COMMIT")
        .envs([("PROFILE", profile), ("TARGET", "here"), ("GIT_CEILING_DIRECTORIES", "/")])
        .output()
        .expect("the script was just compiled");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("its lines are text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_commit_is_that_of_the_package_or_of_the_repository_itself() {
    let lab = Lab::new();
    let script = lab.path("script");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let mut compile = Command::new(rustc);
    compile.args(["--edition", "2024", "-o"]).args([&script, &source]);
    if !compile.status().is_ok_and(|status| status.success())
        || lab.shell("git --version").code != Some(0)
    {
        return not_run("the commit in --version", "rustc or git is not installed");
    }
    let commit = |folder: &str, profile: &str| {
        let lines = build_script(&script, &lab.path(folder), profile);
        let commit = "cargo:rustc-env=ORDERSEAL_COMMIT=";
        let mut found = lines.iter().filter_map(|line| line.strip_prefix(commit));
        (found.next().expect("a commit").to_owned(), lines.join("\n"))
    };
    let set_up = "mkdir -p repository/inner packaged && cd repository && git init -q . \
        && git -c user.name=n -c user.email=e commit -q --allow-empty -m one && git rev-parse HEAD";
    let head = lab.shell(set_up).text().trim().to_owned();
    let (found, lines) = commit("repository", "release");
    assert_eq!(found, head);
    assert!(lines.contains("cargo:rerun-if-changed=.git/logs/HEAD"), "{lines}");
    assert!(lines.contains("cargo:rustc-env=ORDERSEAL_TARGET=here"), "{lines}");
    assert_eq!(commit("repository", "debug").0, "not recorded in debug builds");
    // Sources unpacked inside some other repository are not of its commit.
    assert_eq!(commit("repository/inner", "release").0, "unknown");
    fs::write(
        lab.path("packaged/.cargo_vcs_info.json"),
        "{\n  \"git\": {\n    \"sha1\": \"0123abcd\"\n  },\n  \"path_in_vcs\": \"\"\n}",
    )
    .unwrap();
    assert_eq!(commit("packaged", "release").0, "0123abcd");
    assert_eq!(commit("packaged", "debug").0, "0123abcd");
}

#[test]
fn colours_follow_the_terminal_and_its_variables() {
    let lab = Lab::new();
    let run = |script: &str| -> Run { lab.shell(script) };
    let is_coloured = |run: &Run| run.text().contains('\u{1b}') || run.stderr.contains('\u{1b}');
    for line in ["--help", "keygen -h", "keygen --alg x", "decrypt -k missing.jwk"] {
        assert!(!is_coloured(&run(&format!("$ORDERSEAL {line} < /dev/null"))), "{line}");
        let forced = format!("CLICOLOR_FORCE=1 $ORDERSEAL {line} < /dev/null");
        assert!(is_coloured(&run(&forced)), "{line}");
        assert!(!is_coloured(&run(&format!("NO_COLOR=1 {forced}"))), "{line}");
    }
    if lab.shell("script -qec true /dev/null < /dev/null").code != Some(0) {
        return not_run("colours on a terminal", "script(1) is not installed");
    }
    for (variables, expected) in [
        ("TERM=xterm", true),
        ("TERM=dumb", false),
        ("TERM=xterm NO_COLOR=1", false),
        ("TERM=xterm CLICOLOR=0", false),
    ] {
        let clean = "env -u NO_COLOR -u CLICOLOR -u CLICOLOR_FORCE -u CI";
        let line =
            format!("{clean} {variables} script -qec \"$ORDERSEAL --help\" /dev/null < /dev/null");
        assert_eq!(is_coloured(&run(&line)), expected, "{variables}");
    }
}

#[test]
fn completions_offer_names_for_names_and_files_for_files() {
    let lab = Lab::new();
    lab.write("orders.ndjson", b"");
    let offered = |words: &str| {
        let last = words.split(' ').count();
        lab.shell(&format!(
            "eval \"$($ORDERSEAL completions bash)\"; COMP_WORDS=(orderseal {words} ''); \
             COMP_CWORD={}; _orderseal orderseal '' {}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            last + 1,
            words.rsplit(' ').next().expect("a word")
        ))
        .text()
    };
    let lists = |words: &str, expected: &[&str], not: &[&str]| {
        let offered = offered(words);
        let has = |name: &&str| offered.lines().any(|line| line == *name);
        assert!(expected.iter().all(has) && !not.iter().any(has), "{words}:\n{offered}");
    };
    lists("keygen --enc", &["A256GCM", "VERNAM-HS256"], &["orders.ndjson", "A256KW"]);
    lists("keygen --embodiment", &["1", "6"], &["7", "orders.ndjson"]);
    lists("keygen --rsa-bits", &["2048", "3072", "4096"], &["orders.ndjson"]);
    lists("keygen --orders", &[], &["orders.ndjson"]);
    lists("encrypt --bundle", &["orders.ndjson"], &[]);
    lists("simulate --trace", &["json", "mermaid", "text"], &["orders.ndjson"]);
}

#[test]
fn the_manual_has_a_clean_page_for_every_command() {
    let lab = Lab::new();
    lab.ok("man --dir pages");
    let pages: Vec<_> = commands()
        .into_iter()
        .map(|command| format!("orderseal {command}").trim().replace(' ', "-"))
        .collect();
    for name in &pages {
        let page = String::from_utf8(lab.read(&format!("pages/{name}.1"))).expect("roff is text");
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"EXIT STATUS\"",
            "FILES",
            "\"SEE ALSO\"",
        ] {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{name} has no {section}");
        }
        let without = ["orderseal", "orderseal-bundle", "orderseal-keys", "orderseal-serve"];
        let is_built = cfg!(feature = "serve") || name != "orderseal-send";
        let has_examples = is_built && !without.contains(&name.as_str());
        assert_eq!(page.contains("\n.SH EXAMPLES\n"), has_examples, "{name}");
        let others = pages.iter().filter(|other| *other != name);
        for other in others.map(|other| other.replace('-', "\\-")) {
            assert!(
                page.contains(&format!("\n.BR {other} (1)")),
                "{name} does not refer to {other}"
            );
        }
    }
    let files = fs::read_dir(lab.path("pages")).unwrap().count();
    assert_eq!(files, pages.len());
    lab.refused(2, "man --dir pages").says(&["--force"]);
    lab.ok("man --dir pages --force");
    let repeated = lab.shell("SOURCE_DATE_EPOCH=951782400 $ORDERSEAL man").text();
    assert!(repeated.contains(".TH ORDERSEAL\\-KEYGEN 1 2000-02-29 "), "{repeated}");
    match lab.shell("mandoc -T lint pages/*.1") {
        Run { code: Some(127), .. } => not_run("the pages under mandoc", "mandoc is not installed"),
        run => assert_eq!((run.text().as_str(), run.code), ("", Some(0)), "{}", run.stderr),
    }
}
