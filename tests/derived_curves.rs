//! Derived pools with keys on elliptic curves: clients get public keys, the shop derives the private ones.

mod common;

use std::collections::BTreeSet;

use common::{Lab, orders};
use serde_json::{Value, json};

const SCHEMES: [&str; 5] = [
    "-e 6 --wrap ECDH-ES+A256KW --curve X25519",
    "-e 6 --wrap ECDH-ES+A256KW --curve P-256",
    "-e 6 --wrap ECDH-ES+A128KW --curve P-384",
    "-e 6 --wrap ECDH-ES+A256KW --curve P-521",
    "--content direct --scope transaction --kind public --wrap ECDH-ES --curve X25519",
];

const X25519: &str = SCHEMES[0];

/// A service with a derived pool, the shop's bundle and a client's.
fn lab(options: &str, client: u32) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo --pool derived -o service.jwks"));
    lab.ok("bundle shop --keys service.jwks -o tokyo.jwks");
    hand_out(&lab, client, "client.jwks");
    lab
}

fn hand_out(lab: &Lab, orders: u32, name: &str) {
    lab.ok(&format!("bundle client --keys service.jwks --orders {orders} -o {name}"));
}

/// The record of the only tree of a file.
fn tree(lab: &Lab, name: &str) -> Value {
    let trees = lab.json(name)["orderseal"]["shops"]["tokyo"]["trees"].clone();
    trees.as_object().unwrap().values().next().unwrap().clone()
}

fn keys(lab: &Lab, name: &str) -> Vec<Value> {
    lab.json(name)["keys"].as_array().unwrap().clone()
}

fn kid(key: &Value) -> &str {
    key["kid"].as_str().unwrap()
}

#[test]
fn clients_get_public_keys_and_the_shop_derives_the_private_ones() {
    for options in SCHEMES {
        let lab = lab(options, 12);
        for name in ["service.jwks", "tokyo.jwks"] {
            assert!(lab.read(name).len() < 600, "{options}");
            assert_eq!(lab.json(name)["keys"], json!([]));
        }
        let file = lab.json("client.jwks");
        assert_eq!(file["orderseal"]["version"], 1);
        assert_eq!(file["orderseal"]["shops"]["tokyo"].get("trees"), None);
        let keys = keys(&lab, "client.jwks");
        let different: BTreeSet<&str> = keys.iter().map(|key| key["x"].as_str().unwrap()).collect();
        assert_eq!(different.len(), 12, "{options}");
        for (number, key) in keys.iter().enumerate() {
            assert_eq!((key.get("d"), &key["use"]), (None, &json!("enc")), "{options}");
            assert!(kid(key).ends_with(&format!(".{number:08x}")), "{key}");
        }
        lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(9));
        let opened = lab.ok("decrypt --once --bundle tokyo.jwks sealed.jwe");
        assert_eq!(opened.stdout, orders(9), "{options}");
        let shop = &lab.ok("inspect --json client.jwks").json()["shops"]["tokyo"];
        assert_eq!((&shop["spent"], &shop["unused"]), (&json!(9), &json!(3)));
        // The service opens them as well, and a second client gets other ids.
        assert_eq!(lab.ok("decrypt --bundle service.jwks sealed.jwe").stdout, orders(9));
        hand_out(&lab, 1, "second.jwks");
        assert!(kid(&self::keys(&lab, "second.jwks")[0]).ends_with(".0000000c"));
    }
}

#[test]
fn a_client_never_has_nodes_of_pairs() {
    let lab = lab(X25519, 2);
    let shop = lab.json("tokyo.jwks")["orderseal"]["shops"]["tokyo"]["trees"].clone();
    let mut forged = lab.json("client.jwks");
    forged["keys"] = json!([]);
    forged["orderseal"]["version"] = json!(2);
    forged["orderseal"]["shops"]["tokyo"]["trees"] = shop;
    lab.write("forged.jwks", forged.to_string());
    lab.refused(3, "encrypt --bundle forged.jwks --allow-readable-keys")
        .says(&["which a client never holds"]);
}

#[test]
fn the_curve_is_read_from_the_record_of_the_tree() {
    let lab = lab(X25519, 2);
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(2));
    assert_eq!(tree(&lab, "tokyo.jwks")["curve"], "X25519");
    let good = lab.json("tokyo.jwks");
    let written = |change: &dyn Fn(&mut Value)| {
        let mut file = good.clone();
        let trees = &mut file["orderseal"]["shops"]["tokyo"]["trees"];
        let id = trees.as_object().unwrap().keys().next().unwrap().clone();
        change(&mut trees[id]);
        lab.write("bad.jwks", file.to_string());
        lab.mode("bad.jwks", 0o600);
    };
    written(&|tree| drop(tree.as_object_mut().unwrap().remove("curve")));
    lab.refused(3, "inspect bad.jwks").says(&["no member \"curve\""]);
    written(&|tree| tree["curve"] = json!("P-224"));
    lab.refused(3, "inspect bad.jwks").says(&["P-224"]);
    // Under another curve, the nodes derive other keys.
    written(&|tree| tree["curve"] = json!("P-256"));
    lab.refused(3, "decrypt --bundle bad.jwks sealed.jwe")
        .says(&["is a key on X25519, the key that opens the order is on P-256"]);
    lab.refused(4, "keys merge bad.jwks --into tokyo.jwks").says(&["other algorithms"]);
}

#[test]
fn erased_ids_cannot_be_derived_any_more() {
    let lab = lab(X25519, 6);
    lab.write("backup.jwks", lab.read("tokyo.jwks"));
    lab.mode("backup.jwks", 0o600);
    lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(6));
    let keys = keys(&lab, "client.jwks");
    lab.ok(&format!("erase tokyo.jwks --kid {} {}", kid(&keys[1]), kid(&keys[3])));
    assert_eq!(tree(&lab, "tokyo.jwks")["nodes"].as_array().unwrap().len(), 32);
    let skip = "decrypt --bundle tokyo.jwks --on-error skip sealed.jwe";
    let run = lab.run(skip, b"");
    assert_eq!((run.code, run.text().lines().count()), (Some(6), 4));
    run.says(&["line 2", "line 4", "was erased"]);
    lab.ok("keys merge backup.jwks --into tokyo.jwks");
    assert_eq!(lab.run(skip, b"").code, Some(6));
    // What opens is erased when it was handed on, and opens no more.
    let again = lab.run("decrypt --bundle tokyo.jwks --erase --on-error skip sealed.jwe", b"");
    assert_eq!((again.code, again.text().lines().count()), (Some(6), 4));
    let rest = lab.run(skip, b"");
    assert_eq!((rest.code, rest.stdout), (Some(6), Vec::new()));
    lab.ok("keys merge backup.jwks --into tokyo.jwks --restore");
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(6));
}

#[test]
fn unused_ids_go_back_to_the_mark() {
    let lab = lab(&format!("{X25519} --orders 10"), 6);
    hand_out(&lab, 3, "b.jwks");
    let empty = "bundle client --keys service.jwks --orders 2 -o c.jwks";
    lab.refused(4, empty).says(&["1 unused transaction ids, 2 wanted"]);
    lab.ok_with("encrypt --bundle b.jwks -o b.jwe", &orders(1));
    // The public key of another id under the name of one that was not used.
    let mut forged = lab.json("b.jwks");
    forged["keys"][1]["x"] = forged["keys"][2]["x"].clone();
    lab.write("forged.jwks", forged.to_string());
    lab.refused(4, "erase --dry-run --return-to service.jwks forged.jwks")
        .says(&["is not the one of that name"]);
    let back = lab.ok("erase --return-to service.jwks b.jwks --json").text();
    assert!(back.contains("\"ids\":2"), "{back}");
    assert_eq!(tree(&lab, "service.jwks")["next"], 7);
    // Ids in the middle cannot be returned: the mark has no gaps.
    hand_out(&lab, 1, "c.jwks");
    lab.ok("erase --return-to service.jwks client.jwks");
    assert_eq!(tree(&lab, "service.jwks")["next"], 8);
    assert!(kid(&keys(&lab, "c.jwks")[0]).ends_with(".00000007"));
}

#[test]
fn a_delivery_that_fails_takes_nothing_from_the_pool() {
    let lab = lab(X25519, 4);
    let run = lab.shell("$ORDERSEAL bundle client --keys service.jwks --orders 2000 > /dev/full");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(tree(&lab, "service.jwks")["next"], 4);
    // A list of all ids would be too long: nothing is derived for it.
    for command in [
        "bundle client --keys service.jwks --orders 4294967292 -o all.jwks",
        "keys export tokyo.jwks -o all.jwks",
        "inspect --public tokyo.jwks",
    ] {
        lab.refused(2, command).says(&["the limit is 536870912"]);
    }
    assert_eq!(tree(&lab, "service.jwks")["next"], 4);
}

#[test]
fn a_large_bundle_has_a_journal_and_the_shop_a_ledger() {
    let lab = lab(X25519, 1100);
    let orders = orders(525).repeat(2);
    lab.write("orders", &orders);
    lab.ok("encrypt --bundle client.jwks orders -o sealed.jwe");
    assert!(lab.has("client.jwks.spent"));
    let open = "decrypt --bundle tokyo.jwks --ledger ledger sealed.jwe";
    assert_eq!(lab.ok(open).stdout, orders);
    lab.refused(7, open);
    lab.refused(4, "encrypt --bundle client.jwks orders -o more.jwe").says(&["line 51"]);
    lab.ok("erase --return-to service.jwks client.jwks");
    assert_eq!(tree(&lab, "service.jwks")["next"], 1050);
}

#[test]
fn two_services_share_a_tree_and_ids_are_skipped() {
    let lab = lab(&format!("{X25519} --orders 100"), 10);
    lab.ok("keys split --keyring service.jwks --orders 40 -o second.jwks");
    lab.ok("bundle client --keys second.jwks --orders 40 -o b.jwks");
    lab.ok_with("encrypt --bundle b.jwks -o b.jwe", &orders(40));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks b.jwe").stdout, orders(40));
    lab.ok("keys skip --keyring service.jwks --orders 20");
    hand_out(&lab, 1, "c.jwks");
    assert!(kid(&keys(&lab, "c.jwks")[0]).ends_with(".0000001e"));
    // The half that goes with a request has the private keys of its ids, and of no others.
    lab.ok("bundle client --keys service.jwks --orders 2 --shop-out half.jwks -o d.jwks");
    assert_eq!(tree(&lab, "half.jwks")["ids"], json!([[31, 33]]));
    lab.ok_with("encrypt --bundle d.jwks -o d.jwe", &orders(2));
    assert_eq!(lab.ok("decrypt --bundle half.jwks d.jwe").stdout, orders(2));
    lab.refused(4, "decrypt --bundle half.jwks b.jwe");
}

#[test]
fn exported_keys_are_the_private_halves_of_what_clients_have() {
    for options in SCHEMES {
        let lab = lab(&format!("{options} --orders 20"), 5);
        lab.ok_with("encrypt --bundle client.jwks -o sealed.jwe", &orders(5));
        lab.ok("keys export tokyo.jwks -o plain.jwks");
        let plain = keys(&lab, "plain.jwks");
        assert_eq!((plain.len(), plain[7].get("d").is_some()), (20, true));
        assert_eq!(lab.ok("decrypt --key plain.jwks sealed.jwe").stdout, orders(5));
        let public = lab.ok("inspect --public tokyo.jwks").json()["keys"].clone();
        let client = keys(&lab, "client.jwks");
        assert_eq!(public.as_array().unwrap()[..5], client[..], "{options}");
        lab.ok(&format!("keys export tokyo.jwks --kid {} -o one.jwks", kid(&client[2])));
        assert_eq!(keys(&lab, "one.jwks"), [plain[2].clone()]);
        let pem = format!("keys export tokyo.jwks --kid {} --format pem", kid(&client[2]));
        assert!(lab.ok(&pem).text().starts_with("-----BEGIN PRIVATE KEY-----"));
        lab.refused(4, "keys export client.jwks -o rest.jwks").says(&["plain JWKs as they are"]);
    }
}

#[test]
fn keys_made_later_are_on_the_curve_of_the_tree() {
    let lab = lab(X25519, 1);
    lab.ok("keys admit alice service.jwks --shop-out half.jwks");
    lab.ok("bundle client --keys service.jwks --user alice -o alice.jwks");
    assert_eq!(keys(&lab, "alice.jwks")[0]["crv"], "X25519");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    lab.ok_with("encrypt --bundle alice.jwks -o alice.jwe", &orders(3));
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks alice.jwe").stdout, orders(3));
    lab.ok("keys revoke alice tokyo.jwks");
    lab.refused(4, "decrypt --bundle tokyo.jwks alice.jwe").says(&["revoked"]);
    lab.ok("bundle client --keys service.jwks --on-demand --shop-out new.jwks -o demand.jwks");
    assert_eq!(keys(&lab, "demand.jwks")[0]["crv"], "X25519");
    // A tree on another curve stands beside the first one.
    lab.ok("keygen -e 6 --wrap ECDH-ES+A256KW --shop tokyo --pool derived --orders 3 --into service.jwks");
    let inspected = lab.ok("inspect --json service.jwks").json();
    let trees = inspected["shops"]["tokyo"]["trees"].as_object().unwrap().clone();
    let curves: BTreeSet<&str> =
        trees.values().map(|tree| tree["curve"].as_str().unwrap()).collect();
    assert_eq!(curves, BTreeSet::from(["P-256", "X25519"]));
}

#[test]
fn an_order_page_has_the_public_keys() {
    let lab = lab("-e 6 --wrap ECDH-ES+A256KW --curve P-256", 1);
    lab.ok("bundle client --keys service.jwks --form html --orders 3 -o order.html");
    let page = String::from_utf8(lab.read("order.html")).unwrap();
    assert!(page.contains(".00000001") && page.contains(".00000003"));
    let described = lab.ok("inspect --json order.html").json();
    assert_eq!((&described["keys"], &described["alg"]), (&json!(3), &json!("ECDH-ES+A256KW")));
}
