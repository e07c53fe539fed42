//! Erasing: the seventh embodiment, chosen keys or programs, at the client and at the shop, and what
//! must never be erased.

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Lab, key_ids, kids, orders};

#[test]
fn every_embodiment_can_end_with_erasing() {
    for embodiment in 1..=6 {
        let lab = Lab::new();
        let bits = if embodiment > 4 { "--rsa-bits 2048" } else { "" };
        lab.ok(&format!(
            "keygen --embodiment {embodiment} {bits} --shop tokyo --orders 2 -o service.jwks"
        ));
        lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks");
        lab.ok("bundle client --keys service.jwks --erase --orders 2 -o client.jwks");
        lab.write("orders.ndjson", orders(2));
        lab.ok("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");
        assert!(
            !lab.has("client.jwks"),
            "embodiment {embodiment}: key and program are gone after sending"
        );
        assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(2));
        assert_eq!(lab.names(), ["orders.ndjson", "sealed.jwe", "service.jwks", "tokyo.jwks"]);
    }
}

#[test]
fn the_program_erases_what_it_was_made_to_erase() {
    for (what, keys_left, program_left) in [("keys", false, true), ("programs", true, false)] {
        let lab = Lab::with_keys("--embodiment 4", 2);
        lab.ok("keygen --embodiment 4 --shop osaka --orders 4 --into service.jwks");
        lab.ok(&format!(
            "bundle client --keys service.jwks --shop osaka --erase={what} --orders 4 -o c.jwks"
        ));
        lab.ok_with("encrypt --bundle c.jwks", b"one\n");
        let client = lab.json("c.jwks");
        assert_eq!(!key_ids(&client).is_empty(), keys_left, "--erase={what}");
        assert_eq!(client["orderseal"].get("program").is_some(), program_left, "--erase={what}");
        lab.refused_with(4, "encrypt --bundle c.jwks", b"two\n");
    }
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.ok(
        "bundle client --on-demand --shop-out half.jwks --keys service.jwks --erase=all -o c.jwks",
    );
    lab.ok_with("encrypt --bundle c.jwks", b"one\n");
    assert!(!lab.has("c.jwks"));
}

#[test]
fn keygen_points_to_erase_for_the_seventh_embodiment() {
    Lab::new()
        .refused(2, "keygen --embodiment 7 --shop tokyo -o service.jwks")
        .says(&["bundle client", "--erase"]);
}

#[test]
fn nothing_is_erased_unless_it_was_sent() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 8 -o service.jwks");
    lab.ok("bundle client --keys service.jwks --erase --orders 8 -o client.jwks");
    lab.write("orders.ndjson", orders(2));
    lab.refused(1, "encrypt --bundle client.jwks orders.ndjson -o /dev/full");
    lab.refused(1, "encrypt --bundle client.jwks orders.ndjson -o no-such-folder/sealed.jwe");
    lab.refused(1, "encrypt --bundle client.jwks no-such-orders.ndjson -o sealed.jwe");
    assert_eq!(
        lab.shell("$ORDERSEAL encrypt --bundle client.jwks orders.ndjson > /dev/full").code,
        Some(1)
    );
    lab.shell("$ORDERSEAL encrypt --bundle client.jwks orders.ndjson | true");
    assert!(lab.has("client.jwks"));
}

#[test]
fn a_whole_file_is_erased_and_said_honestly() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let run = lab.ok("erase client.jwks");
    assert!(!lab.has("client.jwks"));
    let words = (run.text() + &run.stderr).to_lowercase();
    assert!(words.contains("client.jwks") && words.contains("overw"), "{words}");
    assert!(words.contains("snapshots") && words.contains("backups"), "limits are told: {words}");
    assert!(!words.contains("secure") && !words.contains("unrecoverable"), "{words}");
    lab.refused(1, "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe")
        .says(&["client.jwks"]);
}

#[test]
fn several_files_are_erased_at_once() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.ok("erase client.jwks tokyo.jwks");
    assert_eq!(lab.names(), ["orders.ndjson", "service.jwks"]);
}

#[test]
fn a_file_that_cannot_be_erased_keeps_no_other_from_it() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let run = lab.refused(1, "erase client.jwks missing.jwks gone.jwks tokyo.jwks");
    run.says(&["missing.jwks", "gone.jwks"]);
    assert_eq!(lab.names(), ["orders.ndjson", "service.jwks"]);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let before = lab.read("client.jwks");
    for what in ["", "--keys", "--programs"] {
        let run = lab.ok(&format!("erase --dry-run {what} client.jwks"));
        assert!((run.text() + &run.stderr).contains("client.jwks"));
        assert_eq!(lab.read("client.jwks"), before);
    }
}

#[test]
fn only_keys_or_only_programs_can_be_erased() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    fs::copy(lab.path("client.jwks"), lab.path("other.jwks")).unwrap();
    let secret = lab.json("client.jwks")["keys"][0]["k"].as_str().unwrap().to_owned();

    lab.ok("erase --keys client.jwks");
    assert!(key_ids(&lab.json("client.jwks")).is_empty());
    assert!(lab.json("client.jwks")["orderseal"].get("program").is_some());
    assert!(!String::from_utf8(lab.read("client.jwks")).unwrap().contains(&secret));
    lab.refused(4, "encrypt --bundle client.jwks orders.ndjson -o sealed.jwe");

    lab.ok("erase --programs other.jwks");
    assert_eq!(key_ids(&lab.json("other.jwks")).len(), 2);
    assert!(lab.json("other.jwks")["orderseal"].get("program").is_none());
    lab.refused(4, "encrypt --bundle other.jwks orders.ndjson -o sealed.jwe");
}

#[test]
fn a_shop_erases_the_keys_of_chosen_transactions() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo\nthree\n").stdout;
    let ids = kids(&sealed);
    lab.ok(&format!("erase tokyo.jwks --kid {} {}", ids[0], ids[2]));
    assert_eq!(key_ids(&lab.json("tokyo.jwks")), [&ids[1][..]]);
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed).says(&["line 1", &ids[0]]);
    let middle = common::lines(&sealed).nth(1).unwrap();
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", middle).stdout, b"two\n");
    lab.refused(4, "erase tokyo.jwks --kid tokyo/ffffffffffffffff")
        .says(&["tokyo/ffffffffffffffff"]);
}

#[test]
fn a_file_with_other_names_is_not_erased() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    let before = lab.read("client.jwks");

    symlink("client.jwks", lab.path("link.jwks")).unwrap();
    assert_ne!(lab.run("erase link.jwks", b"").code, Some(0));
    assert!(lab.has("link.jwks"));
    assert_eq!(lab.read("client.jwks"), before);

    fs::hard_link(lab.path("client.jwks"), lab.path("second.jwks")).unwrap();
    let run = lab.run("erase client.jwks", b"");
    assert_ne!(run.code, Some(0));
    run.says(&["client.jwks", "link"]);
    assert_eq!(lab.read("second.jwks"), before);
}

#[test]
fn a_key_erased_before_is_told_from_one_that_never_was() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    let kid = key_ids(&lab.json("tokyo.jwks")).remove(0);
    lab.ok(&format!("erase tokyo.jwks --kid {kid}"));
    lab.refused(4, &format!("erase tokyo.jwks --kid {kid}")).says(&[&kid, "was erased"]);
    lab.refused(4, "erase tokyo.jwks --kid tokyo/nobody").says(&["no key tokyo/nobody"]);
}

#[test]
fn what_is_no_key_file_is_not_erased() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    fs::create_dir(lab.path("folder")).unwrap();
    assert_ne!(lab.run("erase folder", b"").code, Some(0));
    assert_ne!(lab.run("erase /dev/null", b"").code, Some(0));
    assert_ne!(lab.run("erase --keys orders.ndjson", b"").code, Some(0));
    assert_eq!(lab.read("orders.ndjson"), orders(1));
    lab.refused(1, "erase no-such-file.jwks").says(&["no-such-file.jwks"]);
}

#[test]
fn a_shop_without_its_program_opens_nothing_until_it_has_one_again() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 2 -o service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab.ok("bundle shop --keyring service.jwks --form key -o key.jwks");
    lab.ok("bundle client --keyring service.jwks -o client.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\n").stdout;
    let erased = lab.ok("erase --programs tokyo.jwks").text();
    assert!(erased.contains("; it has 2 keys left, and no program to use them; "), "{erased}");
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed)
        .says(&["tokyo.jwks: holds no program any more: it was erased"]);
    lab.refused(4, "erase --programs tokyo.jwks");
    // Keys without a program add none; a bundle with one does.
    lab.ok("keys merge key.jwks --into tokyo.jwks");
    lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed);
    lab.ok("bundle client --keyring service.jwks --on-demand --shop-out half.jwks -o new.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\n");
    // The service's next bundle brings the program back only if it is told to.
    lab.ok("erase --programs tokyo.jwks");
    let again = "bundle shop --keyring service.jwks -o tokyo.jwks --force";
    lab.refused(2, again).says(&["--restore"]);
    lab.ok(&format!("{again} --restore"));
    // Keys whose program was erased do not open beside others either.
    lab.ok("erase --programs tokyo.jwks");
    lab.ok("bundle shop --keyring service.jwks --form key -o other.jwks");
    lab.ok("keys merge tokyo.jwks --into other.jwks");
    lab.refused_with(4, "decrypt --bundle other.jwks", &sealed);
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force --restore");
    // Keys that came without a program open orders as they are.
    assert_eq!(lab.ok_with("decrypt --bundle key.jwks", &sealed).stdout, b"tea\n");
    let report = lab.ok("erase --keys tokyo.jwks --json").json();
    assert_eq!((&report["keys_left"], &report["keys_usable"]), (&0.into(), &0.into()));
}
