//! What the command must not give away, and keys that it must not trust.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{Lab, ORDERSEAL, Parts, orders};
use serde_json::Value;

/// The secrets of a key file: the values of `k` and of RSA's private members.
fn secrets(file: &Value) -> Vec<String> {
    let keys = file["keys"].as_array().map_or_else(|| vec![file.clone()], Clone::clone);
    let members = ["k", "d", "p", "q", "dp", "dq", "qi"];
    keys.iter()
        .flat_map(|key| members.iter().filter_map(|name| key[name].as_str().map(str::to_owned)))
        .collect()
}

#[test]
fn no_report_or_message_shows_a_secret() {
    for options in ["--embodiment 4", "--embodiment 6 --rsa-bits 2048"] {
        let lab = Lab::with_keys(options, 2);
        lab.ok("keygen --alg A256GCM -o cek.jwk");
        let sealed = lab.ok_with("encrypt --bundle client.jwks", b"secret order\n").stdout;
        lab.write("sealed.jwe", &sealed);
        lab.write("bad.jwe", &sealed[..sealed.len() / 2]);
        let mut hidden: Vec<_> =
            ["service.jwks", "cek.jwk"].iter().flat_map(|name| secrets(&lab.json(name))).collect();
        assert!(hidden.len() > 2);
        hidden.push("secret order".to_owned());
        for line in [
            "inspect service.jwks",
            "inspect --json service.jwks",
            "inspect --public service.jwks",
            "inspect tokyo.jwks",
            "inspect client.jwks",
            "inspect sealed.jwe",
            "inspect cek.jwk",
            "decrypt --check --json --bundle tokyo.jwks sealed.jwe",
            "decrypt --bundle tokyo.jwks bad.jwe",
            "decrypt --bundle client.jwks sealed.jwe",
            "decrypt --bundle tokyo.jwks tokyo.jwks",
            "decrypt --key tokyo.jwks cek.jwk",
            "encrypt --bundle tokyo.jwks sealed.jwe",
            "bundle shop --keys cek.jwk -o other.jwks",
            "keys admit --json bob service.jwks",
            "bundle client --json --keys service.jwks --user bob -o bob.jwks",
            "keys revoke --json bob service.jwks",
            "keygen --json --embodiment 4 --shop osaka --orders 1 --into service.jwks",
            "erase --dry-run service.jwks",
            "erase --json client.jwks",
        ] {
            let run = lab.run(line, b"");
            let all = String::from_utf8_lossy(&run.stdout).into_owned() + &run.stderr;
            for secret in &hidden {
                assert!(!all.contains(secret), "{line} shows a secret");
            }
        }
    }
}

#[test]
fn no_option_takes_a_secret_and_cores_are_not_dumped() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    // Dumps as large as this system allows are on when the command starts: root raises its hard limit.
    let raise = "ulimit -Hc unlimited 2>/dev/null; ulimit -Sc \"$(ulimit -Hc)\"";
    let allowed = lab.shell(&format!("{raise}; ulimit -Sc")).text();
    let dumps_are_on = !no_core(allowed.trim());
    if !dumps_are_on {
        writeln!(std::io::stderr(), "    core dumps: NOT RUN, they are off already").unwrap();
    }
    let mut child = Command::new("bash")
        .current_dir(lab.dir())
        .args(["-c", &format!("{raise}; exec \"$0\" encrypt --bundle client.jwks"), ORDERSEAL])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The key is in memory once the first lines have been taken: wait until the pipe was read.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&orders(1)).unwrap();
    let proc = format!("/proc/{}", child.id());
    let mut limits = String::new();
    for _ in 0..500 {
        limits = fs::read_to_string(format!("{proc}/limits")).unwrap_or_default();
        if core_limit(&limits) == Some("1") {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let shown: Vec<u8> = ["cmdline", "environ"]
        .iter()
        .flat_map(|name| fs::read(format!("{proc}/{name}")).unwrap())
        .collect();
    drop(stdin);
    let mut sealed = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut sealed).unwrap();
    assert!(child.wait().unwrap().success() && !sealed.is_empty());

    if dumps_are_on && cfg!(target_os = "linux") {
        assert_eq!(core_limit(&limits), Some("1"), "{limits}");
    }
    let shown = String::from_utf8_lossy(&shown);
    assert!(secrets(&lab.json("client.jwks")).iter().all(|secret| !shown.contains(secret)));

    for command in ["keygen", "bundle client", "encrypt", "decrypt", "wrap"] {
        let help = lab.ok(&format!("{command} --help")).text().to_lowercase();
        for word in ["--password <", "--passphrase <text", "--secret", "--key-hex"] {
            assert!(!help.contains(word), "{command} has {word}");
        }
    }
}

/// Whether no core is dumped: a limit of nothing, or of one byte.
fn no_core(limit: &str) -> bool {
    matches!(limit, "0" | "1")
}

/// The soft limit of core dumps in `/proc/PID/limits`.
fn core_limit(limits: &str) -> Option<&str> {
    limits.lines().find(|line| line.starts_with("Max core file size"))?.split_whitespace().nth(4)
}

#[test]
fn keys_that_did_not_come_from_the_system_are_refused() {
    let lab = Lab::new();
    let line = Parts::seal(br#"{"alg":"dir","enc":"A256GCM"}"#, &common::CEK, b"order").line(b"");
    for origin in ["seeded", "register"] {
        let origin = format!("{{\"origin\":\"{origin}\",");
        lab.write("marked.jwk", common::cek_jwk().replacen('{', &origin, 1));
        lab.refused_with(4, "encrypt --key marked.jwk", b"order\n").says(&["--allow-weak"]);
        lab.refused_with(4, "decrypt --key marked.jwk", line.as_bytes()).says(&["--allow-weak"]);
        lab.ok_with("decrypt --allow-weak --key marked.jwk", line.as_bytes());
    }
}
