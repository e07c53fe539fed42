//! Derived pools: made, handed out, used up, erased, merged, split and exported.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Lab, ORDERSEAL, STRACE, not_run, orders};
use orderseal::protocol::store::keyfile::{ClientBundle, KeyFile};
use orderseal::protocol::store::spend::Ids;
use orderseal::protocol::store::trees::ClientTree;
use orderseal::protocol::{Place, ShopName};
use serde_json::{Value, json};

/// A service with a derived pool, and the shop's bundle.
fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo --pool derived -o service.jwks --allow-weak"));
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --allow-weak");
    lab
}

fn client(lab: &Lab, keyring: &str, orders: u32, name: &str) {
    lab.ok(&format!("bundle client --keys {keyring} --orders {orders} -o {name} --allow-weak"));
}

/// The names of the keys of sealed lines, in their order.
fn kids(lab: &Lab, sealed: &str) -> Vec<String> {
    let counts = lab.ok(&format!("decrypt --check --bundle tokyo.jwks {sealed}")).text();
    counts.lines().map(|line| line.split_once('\t').unwrap().1.to_owned()).collect()
}

/// The record of the only tree of a file.
fn tree(lab: &Lab, name: &str) -> Value {
    let trees = lab.json(name)["orderseal"]["shops"]["tokyo"]["trees"].clone();
    trees.as_object().unwrap().values().next().unwrap().clone()
}

#[test]
fn a_pool_of_any_size_fits_into_one_key() {
    let lab = lab("-e 4");
    assert!(lab.read("service.jwks").len() < 500);
    assert_eq!(lab.json("service.jwks")["keys"], json!([]));
    assert_eq!(tree(&lab, "service.jwks")["nodes"][0]["depth"], 0);
    client(&lab, "service.jwks", 1_000_000, "client.jwks");
    assert!(lab.read("client.jwks").len() < 3000);
    lab.write("orders", orders(600));
    lab.ok("encrypt --bundle client.jwks orders -o sealed.jwe");
    let opened = lab.ok("decrypt --once --bundle tokyo.jwks sealed.jwe").stdout;
    assert_eq!(opened, orders(600));
    let kids = kids(&lab, "sealed.jwe");
    assert!(kids.is_sorted() && kids.len() == 600);
    assert!(kids[0].starts_with("tokyo/") && kids[0].ends_with(".00000000"), "{}", kids[0]);
    assert!(kids[599].ends_with(".00000257"), "{}", kids[599]);
    let shop = &lab.ok("inspect --json client.jwks").json()["shops"]["tokyo"];
    assert_eq!((&shop["spent"], &shop["unused"]), (&json!(600), &json!(999_400)));
}

#[test]
fn every_secret_cipher_has_derived_pools() {
    for enc in [
        "A128GCM",
        "A128CBC-HS256",
        "GRAIN128AEADV2",
        "DES-CBC-HS256",
        "DES-EDE3-CBC-HS256",
        "FEAL8-CBC-HS256",
        "TOYDES-ECB-HS256 --toy-sbox 0123456789abcdef",
    ] {
        for scheme in ["-e 3", "-e 4", "-e 4 --wrap A128GCMKW"] {
            let lab = lab(&format!("{scheme} --enc {enc} --orders 9"));
            client(&lab, "service.jwks", 4, "client.jwks");
            let sealed = lab.ok_with("encrypt --bundle client.jwks --allow-weak", b"a\nb\n").stdout;
            let opened = lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout;
            assert_eq!(opened, b"a\nb\n", "{scheme} {enc}");
        }
    }
}

#[test]
fn keys_that_cannot_be_derived_are_refused() {
    let lab = Lab::new();
    for options in
        ["-e 1", "-e 2", "-e 5", "-e 6 --rsa-bits 2048", "-e 3 --enc VERNAM-HS256 --allow-weak"]
    {
        let line = format!("keygen {options} --shop tokyo --pool derived -o service.jwks");
        lab.refused(2, &line).says(&["keys of shop tokyo cannot be derived", "--pool"]);
    }
    lab.write("seed.bin", [7; 16]);
    lab.refused(
        2,
        "keygen -e 4 --shop tokyo --pool derived --rng lfsr --trinomial 127,63 --seed-file seed.bin \
         --allow-weak -o service.jwks",
    )
    .says(&["operating system"]);
    assert!(!lab.has("service.jwks"));
    let lab = self::lab("-e 4");
    lab.refused(2, "bundle shop --keys service.jwks --form built-in -o built.jwks");
    lab.refused(2, "keys admit 0123456789abcdef.00000001 service.jwks")
        .says(&["has the form of a derived transaction id"]);
}

#[test]
fn ids_are_handed_out_once_and_run_out() {
    let lab = lab("-e 4 --orders 10");
    client(&lab, "service.jwks", 6, "a.jwks");
    client(&lab, "service.jwks", 3, "b.jwks");
    assert_eq!(tree(&lab, "a.jwks")["ids"], json!([[0, 6]]));
    assert_eq!(tree(&lab, "b.jwks")["ids"], json!([[6, 9]]));
    let empty = "bundle client --keys service.jwks --orders 2 -o c.jwks";
    lab.refused(4, empty).says(&["1 unused transaction ids, 2 wanted"]);
    lab.ok("erase --return-to service.jwks b.jwks");
    assert_eq!(tree(&lab, "service.jwks")["next"], 6);
    client(&lab, "service.jwks", 2, "c.jwks");
    assert_eq!(tree(&lab, "c.jwks")["ids"], json!([[6, 8]]));
    // Ids in the middle cannot be returned: the mark has no gaps.
    lab.ok("erase --return-to service.jwks a.jwks");
    assert_eq!(tree(&lab, "service.jwks")["next"], 8);
    lab.ok("keys skip --keyring service.jwks --orders 5");
    assert_eq!(tree(&lab, "service.jwks")["next"], 10);
}

#[test]
fn what_a_failed_run_did_not_use_comes_back_and_what_was_sent_does_not() {
    let lab = lab("-e 4");
    client(&lab, "service.jwks", 20, "client.jwks");
    let before = tree(&lab, "client.jwks");
    lab.write("long", [vec![b'x'; 1 << 20 | 1], b"\n".to_vec()].concat());
    lab.write("orders", orders(5));
    lab.refused(3, "encrypt --bundle client.jwks orders long -o sealed.jwe");
    let after = tree(&lab, "client.jwks");
    let count = |tree: &Value| {
        let depth = |node: &Value| 1u64 << (32 - node["depth"].as_u64().unwrap());
        tree["nodes"].as_array().unwrap().iter().map(depth).sum::<u64>()
    };
    assert_eq!((count(&before), count(&after)), (20, 20));
    assert_eq!(after.get("reserved"), None);
    lab.ok("encrypt --bundle client.jwks orders -o sealed.jwe");
    assert_eq!(count(&tree(&lab, "client.jwks")), 15);
    lab.ok_with("encrypt --bundle client.jwks -o piped.jwe", &orders(3));
    assert_eq!(count(&tree(&lab, "client.jwks")), 12);
    let all = [kids(&lab, "sealed.jwe"), kids(&lab, "piped.jwe")].concat();
    assert_eq!(BTreeSet::from_iter(&all).len(), 8);
    lab.write("many", orders(13));
    lab.refused(4, "encrypt --bundle client.jwks many -o many.jwe").says(&["line 13", "20 issued"]);
}

#[test]
fn processes_that_share_a_bundle_use_different_ids() {
    let lab = lab("-e 4");
    client(&lab, "service.jwks", 80, "client.jwks");
    lab.write("orders", orders(10));
    let script = "for i in 1 2 3 4 5 6 7 8; do $ORDERSEAL encrypt --bundle client.jwks orders \
                  -o $i.jwe & done; wait; cat [1-8].jwe > all.jwe";
    assert_eq!(lab.shell(script).code, Some(0));
    lab.ok("decrypt --once --bundle tokyo.jwks all.jwe -o opened");
    assert_eq!(lab.read("opened"), orders(10).repeat(8));
    assert_eq!(tree(&lab, "client.jwks")["nodes"], json!([]));
}

#[test]
fn an_erased_id_stays_erased_unless_it_is_restored() {
    let lab = lab("-e 4");
    lab.ok("bundle shop --keys service.jwks -o backup.jwks");
    client(&lab, "service.jwks", 6, "client.jwks");
    lab.write("orders", orders(6));
    lab.ok("encrypt --bundle client.jwks orders -o sealed.jwe");
    let kids = kids(&lab, "sealed.jwe");
    lab.ok(&format!("erase tokyo.jwks --kid {} {}", kids[1], kids[3]));
    assert_eq!(tree(&lab, "tokyo.jwks")["nodes"].as_array().unwrap().len(), 32);
    let refused = |line: &str| {
        lab.refused(4, "decrypt --bundle tokyo.jwks sealed.jwe").says(&[line, "was erased"]);
    };
    refused("line 2");
    lab.refused(4, &format!("erase tokyo.jwks --kid {}", kids[1])).says(&["was erased"]);
    let done = lab.ok("keys merge backup.jwks --into tokyo.jwks --json").json();
    assert_eq!(done, json!({"keys_added": 0, "keys_erased": 0}));
    refused("line 2");
    lab.refused(2, "bundle shop --keys service.jwks -o tokyo.jwks --force").says(&["--restore"]);
    refused("line 2");
    lab.ok("keys merge backup.jwks --into tokyo.jwks --restore");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(6));
    lab.ok(&format!("erase tokyo.jwks --kid {}", kids[1]));
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --force --restore");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(6));
    lab.ok("erase --keys tokyo.jwks");
    refused("line 1");
    assert_eq!(tree(&lab, "tokyo.jwks")["nodes"], json!([]));
}

#[test]
fn two_services_share_a_tree_and_the_shop_opens_both() {
    let lab = lab("-e 4 --orders 100");
    lab.ok("keys split --keyring service.jwks --orders 40 -o second.jwks");
    assert_eq!(tree(&lab, "service.jwks")["ids"], json!([[0, 60]]));
    assert_eq!(tree(&lab, "second.jwks")["ids"], json!([[60, 100]]));
    client(&lab, "service.jwks", 60, "a.jwks");
    client(&lab, "second.jwks", 40, "b.jwks");
    lab.ok_with("encrypt --bundle a.jwks -o a.jwe", &orders(60));
    lab.ok_with("encrypt --bundle b.jwks -o b.jwe", &orders(40));
    lab.ok("decrypt --once --bundle tokyo.jwks a.jwe b.jwe -o opened");
    lab.refused(4, "keys split --keyring service.jwks --orders 1 -o third.jwks");
    // A shop that was set up after the split adds the second half.
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --force --restore");
    lab.refused(4, "decrypt --bundle tokyo.jwks b.jwe");
    lab.ok("bundle shop --keys second.jwks -o half.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok("decrypt --once --bundle tokyo.jwks a.jwe b.jwe -o opened --force");
}

#[test]
fn a_cut_that_cannot_be_delivered_is_undone() {
    let lab = lab("-e 4 --orders 100");
    let before = lab.read("service.jwks");
    let split = "keys split --keyring service.jwks --orders 40";
    lab.refused(2, &format!("{split} -o service.jwks --force")).says(&["both input and output"]);
    lab.refused(2, &format!("{split} -o tokyo.jwks"));
    lab.refused(1, &format!("{split} -o no/folder.jwks"));
    assert_eq!(lab.read("service.jwks"), before);
    // The output is there only when the keyring has changed.
    if *STRACE {
        let run = lab.shell(&format!(
            "strace -f -o /dev/null -e inject=linkat:error=EIO $ORDERSEAL {split} -o second.jwks"
        ));
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(!run.stderr.contains("lost"), "{}", run.stderr);
        assert_eq!(tree(&lab, "service.jwks")["ids"], json!([[0, 100]]));
    } else {
        not_run("a failed delivery of a cut", "strace cannot inject faults");
    }
    let run = lab.shell(&format!("$ORDERSEAL {split} > /dev/full"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(tree(&lab, "service.jwks")["ids"], json!([[0, 100]]));
    lab.refused(4, "keys split --keyring service.jwks --orders 101 -o second.jwks")
        .says(&["100 unused transaction ids, 101 wanted"]);
    lab.ok(&format!("{split} -o second.jwks"));
    assert_eq!(tree(&lab, "second.jwks")["ids"], json!([[60, 100]]));
}

#[test]
fn ids_that_a_running_process_holds_can_be_erased() {
    for (options, kept) in [("--keys", 0), ("--kid KID", 1)] {
        let lab = lab("-e 4");
        client(&lab, "service.jwks", 2, "client.jwks");
        let id = lab.json("tokyo.jwks")["orderseal"]["shops"]["tokyo"]["trees"].clone();
        let id = id.as_object().unwrap().keys().next().unwrap().clone();
        // Both ids are reserved for orders that the run then cannot seal.
        let mut run = Command::new(ORDERSEAL)
            .args(["encrypt", "--bundle", "client.jwks", "-o", "sealed.jwe"])
            .current_dir(lab.dir())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut input = run.stdin.take().unwrap();
        input.write_all(b"a\nb\n").unwrap();
        while tree(&lab, "client.jwks")["nodes"] != json!([]) {
            sleep(Duration::from_millis(5));
        }
        let options = options.replace("KID", &format!("tokyo/{id}.00000001"));
        lab.ok(&format!("erase client.jwks {options}"));
        input.write_all(&vec![b'x'; (1 << 20) + 1]).unwrap();
        drop(input);
        assert_eq!(run.wait().unwrap().code(), Some(3));
        let after = tree(&lab, "client.jwks");
        assert_eq!(after["nodes"].as_array().unwrap().len(), kept, "{options}");
        assert_eq!(after.get("reserved"), None);
    }
}

#[test]
fn a_killed_process_loses_few_ids_of_a_large_pool() {
    let lab = lab("-e 4");
    lab.ok("bundle client --keys service.jwks --orders 4294967296 -o client.jwks");
    assert_eq!(tree(&lab, "client.jwks")["ids"], json!([[0, 1u64 << 32]]));
    let place = Place::file("client.jwks");
    let file = KeyFile::parse(&lab.read("client.jwks"), &place).unwrap();
    let store = RefCell::new(file.into_client(&place).unwrap());
    let shop: ShopName = "tokyo".parse().unwrap();
    let reserved = |store: &RefCell<ClientBundle>| -> u64 {
        store.borrow().trees.values().map(ClientTree::count_reserved).sum()
    };
    let mut ids = Ids::new(&store, place.clone(), shop);
    ids.take(1, &place).unwrap();
    assert_eq!(reserved(&store), 65_536);
    ids.take(100_000, &place).unwrap();
    assert!((100_001..200_000).contains(&reserved(&store)), "{}", reserved(&store));
    ids.give_back().unwrap();
    assert_eq!(reserved(&store), 100_001);
}

#[test]
fn a_pool_has_at_least_one_id_and_at_most_as_many_as_a_tree() {
    let lab = Lab::new();
    for orders in ["0", "4294967297"] {
        lab.refused(
            2,
            &format!("keygen -e 4 --shop tokyo --pool derived --orders {orders} -o s.jwks"),
        );
    }
    let lab = self::lab("-e 4 --orders 4294967296");
    for command in [
        "bundle client --keys service.jwks -o c.jwks",
        "keys split --keyring service.jwks -o c.jwks",
        "keys skip --keyring service.jwks",
    ] {
        lab.refused(2, &format!("{command} --orders 0"));
        lab.refused(2, &format!("{command} --orders 4294967297"));
    }
    lab.ok("keys split --keyring service.jwks --orders 4294967296 -o all.jwks");
    assert_eq!(tree(&lab, "all.jwks")["ids"], json!([[0, 1u64 << 32]]));
    assert_eq!(tree(&lab, "service.jwks")["ids"], json!([]));
    lab.ok("keys skip --keyring all.jwks --orders 4294967296");
    assert_eq!(tree(&lab, "all.jwks")["next"], 1u64 << 32);
}

#[test]
fn bundles_that_do_not_fit_are_not_merged() {
    let lab = lab("-e 4");
    for (options, words) in [("-e 3", "has other keys"), ("-e 4 --enc A128GCM", "has other keys")] {
        lab.ok(&format!("keygen {options} --shop tokyo --pool derived -o other.jwks --force"));
        lab.ok("bundle shop --keys other.jwks -o half.jwks --force");
        lab.refused(4, "keys merge half.jwks --into tokyo.jwks").says(&[words]);
    }
    // Another tree under the name of the shop's own.
    let mut forged = lab.json("tokyo.jwks");
    let trees = &mut forged["orderseal"]["shops"]["tokyo"]["trees"];
    let id = trees.as_object().unwrap().keys().next().unwrap().clone();
    trees[id]["nodes"][0]["k"] = json!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    lab.write("forged.jwks", forged.to_string());
    lab.refused(4, "keys merge forged.jwks --into tokyo.jwks").says(&["two keys for node 0"]);
    lab.refused(4, "keys merge service.jwks --into tokyo.jwks");
    client(&lab, "service.jwks", 2, "client.jwks");
    lab.refused(4, "keys merge client.jwks --into tokyo.jwks");
}

#[test]
fn a_merge_erases_nothing_unless_it_is_told_to() {
    let lab = lab("-e 4 --orders 100");
    lab.ok("keygen -e 4 --shop tokyo --orders 3 --into service.jwks");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --force");
    client(&lab, "service.jwks", 7, "client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(7));
    let kids = kids(&lab, "sealed.jwe");
    let (derived, listed): (Vec<_>, Vec<_>) = kids.iter().partition(|kid| kid.contains('.'));
    assert_eq!((derived.len(), listed.len()), (4, 3));
    lab.write("less.jwks", lab.read("tokyo.jwks"));
    lab.ok(&format!("erase less.jwks --kid {} {}", derived[0], listed[0]));
    // A forged state has none of the ids that it was given.
    let mut forged = lab.json("tokyo.jwks");
    let trees = &mut forged["orderseal"]["shops"]["tokyo"]["trees"];
    let id = trees.as_object().unwrap().keys().next().unwrap().clone();
    trees[id]["nodes"] = json!([]);
    lab.write("forged.jwks", forged.to_string());
    let before = lab.read("tokyo.jwks");
    for (second, count) in [("less.jwks", "2 keys"), ("forged.jwks", "100 keys")] {
        lab.refused(4, &format!("keys merge {second} --into tokyo.jwks")).says(&[
            count,
            "would be erased",
            "--drop-erased",
        ]);
        assert_eq!(lab.read("tokyo.jwks"), before);
    }
    lab.ok("keys merge less.jwks --into tokyo.jwks --restore");
    assert_eq!(lab.read("tokyo.jwks"), before);
    let done = lab.ok("keys merge less.jwks --into tokyo.jwks --drop-erased --json").json();
    assert_eq!(done, json!({"keys_added": 0, "keys_erased": 2}));
    for kid in [derived[0], listed[0]] {
        lab.refused(4, &format!("erase tokyo.jwks --kid {kid}")).says(&["was erased"]);
    }
    lab.write("backup.jwks", &before);
    let done = lab.ok("keys merge backup.jwks --into tokyo.jwks --restore");
    assert!(done.text().contains("2 keys added, 0 keys erased"), "{}", done.text());
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(7));
}

#[test]
fn built_in_keys_grow_by_a_merge_and_have_no_trees() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 2 -o service.jwks");
    lab.ok("bundle shop --keys service.jwks --form built-in -o tokyo.jwks");
    lab.ok("bundle client --keys service.jwks --on-demand --shop-out half.jwks -o new.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok_with("encrypt --bundle new.jwks -o new.jwe", b"tea\n");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks new.jwe").stdout, b"tea\n");
    let before = lab.read("tokyo.jwks");
    lab.ok("keygen -e 4 --shop tokyo --pool derived --into service.jwks");
    lab.ok("bundle shop --keys service.jwks -o derived.jwks");
    lab.refused(2, "keys merge derived.jwks --into tokyo.jwks").says(&["built into a program"]);
    assert_eq!(lab.read("tokyo.jwks"), before);
}

#[test]
fn a_bundle_with_erased_keys_is_not_replaced_by_a_whole_one() {
    for options in ["--pool derived", "--orders 3"] {
        let lab = Lab::new();
        lab.ok(&format!("keygen -e 4 --shop tokyo {options} -o service.jwks"));
        lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
        client(&lab, "service.jwks", 2, "client.jwks");
        lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(2));
        lab.ok(&format!("erase tokyo.jwks --kid {}", kids(&lab, "sealed.jwe")[0]));
        let before = lab.read("tokyo.jwks");
        let again = "bundle shop --keys service.jwks -o tokyo.jwks --force";
        lab.refused(2, again).says(&["keys were erased from this file", "--restore"]);
        // A bundle that cannot be read now may be one with erased keys.
        let newer = String::from_utf8(before.clone()).unwrap();
        let newer = newer.replace("\"version\":", "\"version\":9");
        lab.write("tokyo.jwks", &newer);
        lab.refused(3, again).says(&["version 9"]);
        assert_eq!(lab.read("tokyo.jwks"), newer.as_bytes());
        lab.write("tokyo.jwks", &before);
        lab.mode("tokyo.jwks", 0o644);
        lab.refused(2, again);
        lab.ok(&format!("{again} --restore"));
        assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(2));
        for other in ["", "no key file", "{\"a\":1}"] {
            lab.write("tokyo.jwks", other);
            lab.ok(again);
        }
        lab.ok(again);
    }
}

#[test]
fn ids_handed_out_after_a_backup_are_skipped_listed_or_derived() {
    let lab = lab("-e 4 --orders 10");
    lab.ok("keygen -e 4 --shop tokyo --orders 3 --into service.jwks");
    lab.write("backup.jwks", lab.read("service.jwks"));
    client(&lab, "service.jwks", 5, "lost.jwks");
    client(&lab, "service.jwks", 5, "next.jwks");
    let skipped = lab.ok("keys skip --keyring backup.jwks --orders 5 --json").json();
    assert_eq!(skipped, json!({"skipped": 5}));
    client(&lab, "backup.jwks", 5, "new.jwks");
    assert_eq!(lab.json("new.jwks"), lab.json("next.jwks"));
    let skipped = lab.ok("keys skip --keyring backup.jwks --orders 9 --json").json();
    assert_eq!(skipped, json!({"skipped": 3}));
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 3 -o listed.jwks");
    lab.ok("keys skip --keyring listed.jwks --orders 2");
    lab.refused(4, "bundle client --keys listed.jwks --orders 2 -o c.jwks")
        .says(&["1 unused transaction ids"]);
}

#[test]
fn a_plain_set_has_no_spent_ids_and_says_what_it_can() {
    let lab = lab("-e 4 --orders 10");
    lab.ok("keygen -e 4 --shop tokyo --orders 3 --into service.jwks");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks --force");
    client(&lab, "service.jwks", 6, "client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(2));
    lab.ok("keys export client.jwks -o rest.jwks");
    let rest = lab.json("rest.jwks")["keys"].clone();
    let used = kids(&lab, "sealed.jwe");
    let names: Vec<&str> =
        rest.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 4);
    assert!(used.iter().all(|kid| !names.contains(&kid.as_str())), "{names:?}");
    lab.ok_with("encrypt --bundle client.jwks -o all.jwe", &orders(4));
    lab.refused(4, "keys export client.jwks -o none.jwks").says(&["no key that is left"]);

    let lab = self::lab("-e 3 --enc TOYDES-ECB-HS256 --toy-sbox 0123456789abcdef --orders 2");
    lab.refused(4, "keys export tokyo.jwks -o plain.jwks --allow-weak").says(&["S-box"]);
    let lab = self::lab("-e 3 --enc DES-CBC-HS256 --orders 2");
    lab.refused(4, "keys export tokyo.jwks -o plain.jwks").says(&["--allow-weak"]);
    lab.ok("keys export tokyo.jwks -o plain.jwks --allow-weak");
}

#[test]
fn a_derived_key_opens_lines_that_name_none() {
    let lab = lab("-e 4 --orders 9");
    lab.ok("keys export tokyo.jwks -o plain.jwks");
    let mut key = lab.json("plain.jwks")["keys"][5].clone();
    let kid = key.as_object_mut().unwrap().remove("kid").unwrap();
    lab.write("lone.jwk", key.to_string());
    lab.ok_with("encrypt --key lone.jwk -o sealed.jwe", &orders(2));
    lab.refused(4, "decrypt --bundle tokyo.jwks sealed.jwe");
    let kid = kid.as_str().unwrap();
    let opened = lab.ok(&format!("decrypt --bundle tokyo.jwks --kid {kid} sealed.jwe"));
    assert_eq!(opened.stdout, orders(2));
    lab.ok(&format!("erase tokyo.jwks --kid {kid}"));
    lab.refused(4, &format!("decrypt --bundle tokyo.jwks --kid {kid} sealed.jwe"))
        .says(&["was erased"]);
}

#[test]
fn different_trees_of_one_name_are_not_used_side_by_side() {
    let lab = lab("-e 4 --orders 9");
    client(&lab, "service.jwks", 2, "client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(2));
    lab.write("less.jwks", lab.read("tokyo.jwks"));
    lab.ok(&format!("erase less.jwks --kid {}", kids(&lab, "sealed.jwe")[0]));
    let both = "decrypt --bundle less.jwks --bundle tokyo.jwks sealed.jwe";
    assert_eq!(lab.ok(both).stdout, orders(2));
    let mut forged = lab.json("tokyo.jwks");
    let trees = &mut forged["orderseal"]["shops"]["tokyo"]["trees"];
    let id = trees.as_object().unwrap().keys().next().unwrap().clone();
    trees[&id]["nodes"][0]["k"] = json!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    lab.write("forged.jwks", forged.to_string());
    lab.refused(4, "decrypt --bundle tokyo.jwks --bundle forged.jwks sealed.jwe")
        .says(&[&format!("tokyo/{id}")]);
}

#[test]
fn exported_keys_are_plain_and_open_the_same_orders() {
    let lab = lab("-e 4 --orders 50");
    client(&lab, "service.jwks", 5, "client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(3));
    lab.ok("keys export tokyo.jwks -o plain.jwks");
    let plain = lab.json("plain.jwks");
    assert_eq!((plain["keys"].as_array().unwrap().len(), plain.get("orderseal")), (50, None));
    assert_eq!(lab.ok("decrypt --key plain.jwks sealed.jwe").stdout, orders(3));
    lab.ok("keys export client.jwks -o rest.jwks");
    assert_eq!(lab.json("rest.jwks")["keys"].as_array().unwrap().len(), 2);
    lab.refused(4, "keys export plain.jwks -o again.jwks").says(&["no tree"]);
    let lab = self::lab("-e 4");
    lab.refused(2, "keys export tokyo.jwks -o plain.jwks");
}

#[test]
fn listed_and_derived_ids_work_side_by_side() {
    let lab = Lab::new();
    lab.ok("keygen -e 4 --shop tokyo --orders 3 -o service.jwks");
    lab.ok("keygen -e 4 --shop tokyo --orders 4 --pool derived --into service.jwks");
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
    client(&lab, "service.jwks", 5, "client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(5));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(5));
    lab.ok("bundle client --keys service.jwks --on-demand --shop-out half.jwks -o new.jwks");
    lab.ok_with("encrypt --bundle new.jwks -o new.jwe", b"tea\n");
    lab.refused(4, "decrypt --bundle tokyo.jwks new.jwe");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks new.jwe").stdout, b"tea\n");
    lab.ok("bundle client --keys service.jwks --form html --orders 2 -o order.html");
}

#[test]
fn a_program_that_erases_leaves_no_node() {
    let lab = lab("-e 4");
    lab.ok("bundle client --keys service.jwks --orders 9 --erase keys -o client.jwks");
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(3));
    assert_eq!(tree(&lab, "client.jwks")["nodes"], json!([]));
    lab.ok("bundle client --keys service.jwks --orders 9 --erase -o all.jwks");
    lab.ok_with("encrypt --bundle all.jwks -o all.jwe", &orders(3));
    assert!(!lab.has("all.jwks"));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks all.jwe").stdout, orders(3));
}

#[test]
fn programs_that_know_no_trees_refuse_files_with_trees() {
    let lab = lab("-e 4 --orders 64");
    client(&lab, "service.jwks", 24, "client.jwks");
    for name in ["service.jwks", "tokyo.jwks", "client.jwks"] {
        let mut file = lab.json(name);
        assert_eq!(file["orderseal"]["version"], 2, "{name}");
        file["orderseal"]["version"] = json!(1);
        lab.write("old.jwks", file.to_string());
        lab.refused(3, "inspect old.jwks").says(&["shop tokyo", "version 1 has no trees"]);
        file["orderseal"]["version"] = json!(6);
        lab.write("new.jwks", file.to_string());
        lab.refused(3, "inspect new.jwks").says(&["version 6, expected 1 to 5"]);
    }
    lab.ok("keygen -e 4 --shop tokyo --orders 2 -o listed.jwks");
    assert_eq!(lab.json("listed.jwks")["orderseal"]["version"], 1);
}

#[test]
fn files_with_nodes_that_cannot_be_are_refused() {
    let lab = lab("-e 4 --orders 64");
    client(&lab, "service.jwks", 24, "client.jwks");
    let good = lab.json("client.jwks");
    let refused = |change: &dyn Fn(&mut Value), words: &str| {
        let mut bad = good.clone();
        let trees = &mut bad["orderseal"]["shops"]["tokyo"]["trees"];
        let id = trees.as_object().unwrap().keys().next().unwrap().clone();
        change(&mut trees[id]);
        lab.write("bad.jwks", bad.to_string());
        lab.refused(3, "inspect bad.jwks").says(&["shop tokyo: tree", words]);
    };
    let root = json!({"depth": 0, "index": 0, "k": good["orderseal"]["shops"]["tokyo"]["trees"]
        .as_object().unwrap().values().next().unwrap()["nodes"][0]["k"]});
    refused(&|tree| tree["nodes"][0] = root.clone(), "are not among the ids of the file");
    refused(&|tree| tree["nodes"][0]["depth"] = json!(33), "there is no node 0 at depth 33");
    refused(&|tree| tree["nodes"][0]["k"] = json!("AAE"), "has 2 bytes, expected 32");
    refused(&|tree| tree["nodes"][1] = tree["nodes"][0].clone(), "overlap");
    refused(&|tree| tree["nodes"].as_array_mut().unwrap().reverse(), "to the right of it");
    refused(&|tree| tree["ids"] = json!([[3, 3]]), "\"ids\"");
    refused(&|tree| tree["reserved"] = json!([[0, 1]]), "\"reserved\"");
    let renamed = lab.read("client.jwks");
    let text = String::from_utf8(renamed).unwrap().replace("\"trees\":{\"", "\"trees\":{\"X");
    lab.write("bad.jwks", text);
    lab.refused(3, "inspect bad.jwks").says(&["16 lower-case hexadecimal digits"]);
    // A listed key with the name of a leaf; the leaf of another tree is a name like any other.
    let own = good["orderseal"]["shops"]["tokyo"]["trees"].as_object().unwrap().keys().next();
    for (tree, code) in [(own.unwrap().as_str(), 3), ("0123456789abcdef", 0)] {
        let mut listed = good.clone();
        listed["keys"] = json!([{"kty": "oct", "alg": "A256KW", "use": "enc",
            "kid": format!("tokyo/{tree}.00000001"),
            "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]);
        lab.write("bad.jwks", listed.to_string());
        assert_eq!(lab.run("inspect bad.jwks", b"").code, Some(code), "{tree}");
        listed["keys"] = json!([]);
        listed["orderseal"]["shops"]["tokyo"]["users"] = json!([format!("{tree}.00000001")]);
        lab.write("bad.jwks", listed.to_string());
        assert_eq!(lab.run("inspect bad.jwks", b"").code, Some(code), "{tree}");
    }
}
