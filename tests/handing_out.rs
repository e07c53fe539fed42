//! Handing out by the command: key files stay readable, what fails says what it changed, and what a
//! client has not used comes back.

mod common;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use common::{Lab, key_ids, orders};
use orderseal::protocol::Place;
use orderseal::protocol::store::files;

fn shop(lab: &Lab, name: &str) -> serde_json::Value {
    lab.json(name)["orderseal"]["shops"]["tokyo"].clone()
}

fn issued(lab: &Lab) -> usize {
    shop(lab, "service.jwks")["issued"].as_array().map_or(0, Vec::len)
}

#[test]
fn keys_that_make_no_readable_file_are_refused_before_they_are_made() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o service.jwks");
    let before = lab.read("service.jwks");
    let begun = Instant::now();
    let pads = "--embodiment 3 --enc VERNAM-HS256 --pad-bytes 67108864 --allow-weak --orders 7";
    for (options, target) in [
        ("--embodiment 4 --orders 4600000", "-o new.jwks"),
        ("--embodiment 6 --orders 4294967295", "-o new.jwks"),
        (pads, "-o new.jwks"),
        ("--embodiment 4 --orders 4600000", "--into service.jwks"),
        (pads, "--into service.jwks"),
    ] {
        let line = format!("keygen {options} --shop osaka {target}");
        lab.refused(2, &line).says(&["the limit is 536870912", "hint: make fewer keys"]);
    }
    let line = "bundle client --keys service.jwks --on-demand --orders 4600000 -o client.jwks";
    lab.refused(2, line).says(&["service.jwks: the key file would take"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "they were made first");
    assert_eq!(lab.read("service.jwks"), before);
    assert_eq!(lab.names(), ["service.jwks"]);
}

#[test]
fn a_budget_that_is_given_away_is_refused_with_a_hint_that_helps() {
    let lab = Lab::with_keys("--embodiment 1", 2);
    let mut keyring = lab.json("service.jwks");
    keyring["orderseal"]["shops"]["tokyo"]["allotted"]["tokyo"] = (1u64 << 32).into();
    lab.write("service.jwks", keyring.to_string());
    let line = "bundle client --keys service.jwks --shop tokyo -o more.jwks";
    lab.refused(4, line).says(&[
        "all of the 2^32 random IVs of key tokyo were given to clients",
        "orderseal erase --return-to KEYRING CLIENT.jwks",
        "orderseal keygen --embodiment 2 --shop NAME --into KEYRING",
    ]);
    assert!(!lab.has("more.jwks"));
    // Both ways of the hint lead on.
    lab.ok("keygen --embodiment 2 --shop tokyo-2 --into service.jwks");
    lab.ok("bundle client --keys service.jwks --shop tokyo-2 -o second.jwks");
    lab.ok("erase --return-to service.jwks client.jwks");
    lab.ok(line);
}

#[test]
fn random_ivs_that_sealed_nothing_are_given_back() {
    let lab = Lab::with_keys("--embodiment 1", 2);
    let budget = || shop(&lab, "client.jwks")["budget"]["tokyo"].as_u64().unwrap();
    let before = budget();
    lab.ok_with("encrypt --bundle client.jwks", &orders(3));
    assert_eq!(budget(), before - 3);
    lab.ok("keygen --alg A256GCM -o lone.jwk");
    lab.ok_with("encrypt --key lone.jwk", &orders(3));
    assert_eq!(lab.json("lone.jwk")["orderseal"]["sealed"], 3);
}

#[test]
fn an_erased_bundle_returns_what_it_has_not_used() {
    let lab = Lab::with_keys("--embodiment 4", 5);
    lab.ok_with("encrypt --bundle client.jwks", &orders(2));
    let used: Vec<_> = shop(&lab, "client.jwks")["spent"].as_array().unwrap().clone();
    let before = lab.read("service.jwks");

    let dry = lab.ok("erase --dry-run --return-to service.jwks client.jwks").text();
    assert!(dry.contains("returned to service.jwks: 3 transaction ids"), "{dry}");
    assert_eq!(lab.read("service.jwks"), before);

    // Not what is no client's, and not to another keyring; then nothing is erased.
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 5 -o other.jwks");
    lab.refused(4, "erase --return-to other.jwks client.jwks");
    lab.refused(4, "erase --return-to service.jwks tokyo.jwks");
    lab.refused(4, "erase --return-to client.jwks service.jwks");
    assert!(lab.has("client.jwks") && lab.has("tokyo.jwks"));
    assert_eq!(lab.read("service.jwks"), before);

    let report = lab.ok("erase --json --return-to service.jwks client.jwks").json();
    assert_eq!(report["returned"]["ids"], 3);
    assert!(!lab.has("client.jwks"));
    assert_eq!(shop(&lab, "service.jwks")["issued"].as_array(), Some(&used));
    lab.refused(4, "bundle client --keys service.jwks --orders 4 -o client.jwks");
    lab.ok("bundle client --keys service.jwks --orders 3 -o client.jwks");
    let ids = key_ids(&lab.json("client.jwks"));
    assert!(used.iter().all(|id| !ids.iter().any(|kid| kid.ends_with(id.as_str().unwrap()))));
}

#[test]
fn a_return_that_fails_loses_and_says_so() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    if !strace_works() {
        return print("a return that fails: NOT RUN, it needs strace");
    }
    // Up to the first sync of the keyring: the client's file is overwritten then, and gone.
    let mut told = false;
    for when in 1..20 {
        lab.keys("--embodiment 4", 2);
        let run = lab.shell(&format!(
            "strace -f -qq -o strace.log -e trace=fsync,fdatasync \
             -e inject=fsync,fdatasync:error=EIO:when={when} \
             $ORDERSEAL erase --return-to service.jwks client.jwks"
        ));
        if run.code == Some(0) {
            continue;
        }
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        if run.stderr.contains("client.jwks was erased, and 2 transaction ids not returned") {
            told = true;
            assert!(!lab.has("client.jwks"));
        }
    }
    assert!(told);
}

#[test]
fn a_keyring_that_was_changed_says_so_whatever_fails_then() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2 -o service.jwks");
    let into = "keygen --embodiment 4 --shop tokyo --orders 3 --into service.jwks";
    let run = lab.shell(&format!("$ORDERSEAL {into} --json > /dev/full"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["\"stdout: cannot write", "\"3 keys added to service.jwks all the same\""]);
    assert_eq!(key_ids(&lab.json("service.jwks")).len(), 5);

    let bundle = "bundle client --keys service.jwks --json -o client.jwks";
    let run = lab.shell(&format!("$ORDERSEAL {bundle} > /dev/full"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.says(&["the bundle was written to client.jwks all the same"]);
    assert!(lab.has("client.jwks") && issued(&lab) == 1);

    if !strace_works() {
        return print("a folder that cannot be synced: NOT RUN, it needs strace");
    }
    let fails = |when: u32, line: &str| {
        lab.shell(&format!(
            "strace -f -qq -o strace.log -e trace=fsync,fdatasync \
             -e inject=fsync,fdatasync:error=EIO:when={when} $ORDERSEAL {line}"
        ))
    };
    let mut failed = 0;
    for when in 1..10 {
        let before = key_ids(&lab.json("service.jwks")).len();
        let run = fails(when, into);
        let after = key_ids(&lab.json("service.jwks")).len();
        assert_eq!(after > before, run.code == Some(0), "{}", run.stderr);
        failed += usize::from(run.code != Some(0));
    }
    assert!(failed >= 2, "the file and the folder are synced");

    // A bundle whose delivery fails at any sync is taken back, unless somebody may have seen it.
    for when in 1..20 {
        let before = issued(&lab);
        let _ = fs::remove_file(lab.path("c.jwks"));
        let run = fails(when, "bundle client --keys service.jwks -o c.jwks --shop-out h.jwks");
        let is_there = lab.has("c.jwks");
        let lost = run.stderr.contains("1 transaction id was recorded as issued and is lost");
        assert_eq!(lab.has("h.jwks"), is_there, "a half without its other half: {}", run.stderr);
        assert_eq!(issued(&lab), before + usize::from(is_there || lost), "{when}: {}", run.stderr);
        assert_eq!(is_there, run.code == Some(0), "{when}: {}", run.stderr);
        if is_there {
            assert!(when > 4, "both files and their folders are synced");
            break;
        }
    }
}

#[test]
fn files_are_read_up_to_their_limits_and_no_further() {
    let place = Place::file("endless");
    for limit in [0, 1, 10_000] {
        let text = vec![b'x'; limit as usize + 1];
        assert!(files::read_limited(&text[1..], limit, &place).is_ok());
        let found = files::read_limited(&text[..], limit, &place).unwrap_err().to_string();
        assert_eq!(found, format!("endless: longer than {limit} bytes"));
        assert!(files::read_limited(io::repeat(0).take(limit + 2), limit, &place).is_err());
    }

    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("typed", vec![b'x'; (64 << 10) + 2]);
    lab.refused_with(3, "encrypt --bundle client.jwks --typed-key typed", b"order\n")
        .says(&["longer than 65536 bytes"]);
    let page = format!("{{\"items\":[{}]}}", " ".repeat(16 << 20));
    lab.write("page.json", page);
    lab.refused(3, "bundle client --keys service.jwks --page page.json -o c.jwks")
        .says(&["longer than 16777216 bytes"]);

    // A file with a hole, which begins as a key file does.
    let mut long = File::create(lab.path("long.jwks")).unwrap();
    long.write_all(b"{\"keys\":[\n{\"kty\":\"oct\",\"k\":\"AAAA\"}\n]}\n").unwrap();
    long.set_len((512 << 20) + 1).unwrap();
    lab.mode("long.jwks", 0o600);
    lab.refused_with(3, "encrypt --key long.jwks", b"").says(&["longer than 536870912 bytes"]);
    lab.refused(3, "keygen --embodiment 4 --shop tokyo --into long.jwks")
        .says(&["longer than 536870912 bytes"]);
}

fn strace_works() -> bool {
    Lab::new().shell("strace -f -o /dev/null -e inject=?renameat2:error=EIO true").code == Some(0)
}

/// Prints past the test harness's capture.
fn print(text: &str) {
    writeln!(io::stderr(), "    {text}").expect("standard error is open");
}
