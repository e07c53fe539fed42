//! Generations of a shop's keys: rotation, stages, retiring and erasing, and dates.

mod common;

use common::{Lab, kids};
use serde_json::{Value, json};

/// Options of `keygen` for every kind of pool and key.
const POOLS: [&str; 8] = [
    "-e 1",
    "-e 2",
    "-e 3 --orders 6",
    "-e 4 --orders 6",
    "-e 4 --pool derived",
    "-e 5 --orders 6 --rsa-bits 2048",
    "-e 6 --orders 6 --wrap ECDH-ES+A256KW",
    "--content hybrid --scope shop --kind public --wrap ECDH-ES+A128KW --curve X25519",
];

const LATER: &str = "2999-01-01T00:00:00Z";
const LONG_AGO: &str = "2001-01-01";

/// A keyring and the shop's bundle.
fn lab(options: &str) -> Lab {
    let lab = Lab::new();
    lab.ok(&format!("keygen {options} --shop tokyo -o service.jwks"));
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks");
    lab
}

/// A client's bundle, and an order that it sealed.
fn order(lab: &Lab, name: &str) -> Vec<u8> {
    lab.ok(&format!("bundle client --keyring service.jwks --orders 2 -o {name}.jwks"));
    seal(lab, name)
}

fn seal(lab: &Lab, name: &str) -> Vec<u8> {
    lab.ok_with(&format!("encrypt --bundle {name}.jwks"), b"tea\n").stdout
}

fn opens(lab: &Lab, sealed: &[u8]) {
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", sealed).stdout, b"tea\n");
}

fn generation_of(sealed: &[u8]) -> String {
    kids(sealed)[0].split('/').next().expect("a first part").to_owned()
}

/// The stage of each generation.
fn stages(lab: &Lab, file: &str) -> Value {
    let shops = lab.ok(&format!("inspect --json {file}")).json()["shops"].clone();
    let shops = shops.as_object().expect("an object").iter();
    shops.map(|(name, shop)| (name.clone(), shop["stage"].clone())).collect()
}

#[test]
fn orders_of_all_generations_open() {
    for options in POOLS {
        let lab = lab(options);
        let first = order(&lab, "first");
        let done =
            lab.ok("keys rotate --shop tokyo --shop-out half.jwks service.jwks --json").json();
        assert_eq!((&done["generation"], &done["retired"]), (&json!("tokyo@2"), &json!([])));
        lab.ok("keys merge half.jwks --into tokyo.jwks");
        let second = order(&lab, "second");
        lab.ok("keys rotate service.jwks");
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
        let third = order(&lab, "third");
        // Who has a bundle goes on with it.
        for (sealed, generation) in [
            (&first, "tokyo"),
            (&second, "tokyo@2"),
            (&third, "tokyo@3"),
            (&seal(&lab, "first"), "tokyo"),
            (&seal(&lab, "second"), "tokyo@2"),
        ] {
            assert_eq!(generation_of(sealed), generation, "{options}");
            opens(&lab, sealed);
        }
        let all = [first, second, third].concat();
        let report = lab.ok_with("decrypt --bundle tokyo.jwks --check --json", &all).json();
        assert_eq!(report["by_shop"], json!({"tokyo": 1, "tokyo@2": 1, "tokyo@3": 1}));
        let expected = json!({"tokyo": "retiring", "tokyo@2": "retiring", "tokyo@3": "current"});
        assert_eq!(stages(&lab, "tokyo.jwks"), expected, "{options}");
        assert_eq!(stages(&lab, "service.jwks"), expected, "{options}");
    }
}

#[test]
fn a_new_generation_is_like_the_newest_one_unless_it_is_said_otherwise() {
    let lab = lab("-e 4 --orders 6 --service https://service.example/");
    let of = |generation: &str| {
        lab.ok("inspect --json service.jwks").json()["shops"][generation].clone()
    };
    lab.ok("keys rotate service.jwks");
    for member in ["alg", "enc", "scheme", "service", "keys", "unused"] {
        assert_eq!(of("tokyo@2")[member], of("tokyo")[member], "{member}");
    }
    lab.ok("keys rotate service.jwks --enc A128CBC-HS256 --wrap A128KW --pool derived --orders 70");
    let third = of("tokyo@3");
    assert_eq!((&third["alg"], &third["enc"]), (&json!("A128KW"), &json!("A128CBC-HS256")));
    assert_eq!(third["unused"], 70);
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
    opens(&lab, &order(&lab, "client"));
    lab.ok("keys rotate service.jwks");
    assert_eq!(of("tokyo@4")["unused"], 70);
    // A shop keeps its scheme.
    let before = lab.read("service.jwks");
    lab.refused(2, "keys rotate service.jwks --wrap RSA-OAEP-256").says(&["shop tokyo exists as"]);
    lab.refused(4, "keys rotate service.jwks --enc DES-CBC-HS256").says(&["weak"]);
    lab.refused(4, "keys rotate --shop osaka service.jwks").says(&["no shop osaka"]);
    lab.refused(4, "keys rotate tokyo.jwks").says(&["key file"]);
    assert_eq!(lab.read("service.jwks"), before);
}

#[test]
fn retired_keys_open_and_are_not_handed_out() {
    let lab = lab("-e 4 --orders 6");
    let first = order(&lab, "first");
    lab.ok("keys rotate service.jwks");
    let done = lab.ok("keys rotate --keep-last 1 --shop-out half.jwks service.jwks");
    assert_eq!(done.text(), "service.jwks: made tokyo@3 with 6 keys; retired tokyo, tokyo@2\n");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    opens(&lab, &first);
    let third = order(&lab, "third");
    assert_eq!(generation_of(&third), "tokyo@3");
    opens(&lab, &third);
    // The half that did not bring the second generation tells that it is retired, too.
    let expected = json!({"tokyo": "retired", "tokyo@2": "retired", "tokyo@3": "current"});
    assert_eq!(stages(&lab, "service.jwks"), expected);
    assert_eq!(stages(&lab, "tokyo.jwks"), expected);
    // Ids of retired generations do not count as left.
    lab.refused(4, "bundle client --keyring service.jwks --orders 5 -o many.jwks")
        .says(&["shop tokyo has 4 unused transaction ids"]);
}

#[test]
fn a_generation_is_erased_at_both_sides_and_stays_so() {
    for options in POOLS {
        let lab = lab(options);
        let first = order(&lab, "first");
        lab.ok("bundle shop --keyring service.jwks -o backup.jwks");
        lab.ok("keys rotate --keep-last 1 --shop-out half.jwks service.jwks");
        lab.ok("keys merge half.jwks --into tokyo.jwks");
        for file in ["service.jwks", "tokyo.jwks"] {
            lab.ok(&format!("erase --generation tokyo --dry-run {file}"));
            lab.ok(&format!("erase --generation tokyo {file}"));
            assert_eq!(stages(&lab, file), json!({"tokyo": "erased", "tokyo@2": "current"}));
            lab.refused(4, &format!("erase --generation tokyo {file}"));
            lab.refused(4, &format!("erase --generation tokyo@7 {file}"));
        }
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &first).says(&["was erased"]);
        opens(&lab, &order(&lab, "second"));
        // Neither an older copy nor the service's next bundle brings it back.
        lab.ok("keys merge backup.jwks --into tokyo.jwks");
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &first).says(&["was erased"]);
        lab.ok("bundle shop --keyring service.jwks -o new.jwks");
        lab.refused_with(4, "decrypt --bundle new.jwks", &first);
        lab.refused(2, "bundle shop --keyring service.jwks -o backup.jwks");
    }
}

#[test]
fn users_have_a_key_in_each_generation_and_are_revoked_in_all() {
    for options in
        ["-e 3 --orders 2", "-e 4 --pool derived", "-e 6 --orders 2 --wrap ECDH-ES+A256KW"]
    {
        let lab = lab(options);
        lab.ok("keys admit alice bob carol service.jwks");
        lab.ok("keys revoke carol service.jwks");
        let alice = "bundle client --keyring service.jwks --user alice --force -o alice.jwks";
        lab.ok(alice);
        let first = seal(&lab, "alice");
        lab.ok("keys rotate service.jwks");
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
        let still_first = seal(&lab, "alice");
        lab.ok(alice);
        let second = seal(&lab, "alice");
        assert_eq!(kids(&first), ["tokyo/alice"]);
        assert_eq!(kids(&second), ["tokyo@2/alice"]);
        for sealed in [&first, &still_first, &second] {
            opens(&lab, sealed);
        }
        lab.refused(4, "bundle client --keyring service.jwks --user carol -o carol.jwks")
            .says(&["user carol of shop tokyo@2 was revoked"]);
        lab.refused(4, "keys admit carol service.jwks");
        let done = lab.ok("keys revoke alice tokyo.jwks --json").json();
        assert_eq!(done["revoked"], json!(["alice"]));
        for sealed in [&first, &second] {
            lab.refused_with(4, "decrypt --bundle tokyo.jwks", sealed)
                .says(&["alice", "was revoked"]);
        }
        lab.ok("keys revoke alice service.jwks");
        lab.refused(4, alice);
        lab.ok("bundle client --keyring service.jwks --user bob -o bob.jwks");
        opens(&lab, &seal(&lab, "bob"));
    }
}

#[test]
fn what_a_client_did_not_use_goes_back_to_its_generation() {
    let lab = lab("-e 4 --orders 6");
    lab.ok("bundle client --keyring service.jwks --orders 4 -o client.jwks");
    lab.ok("keys rotate service.jwks");
    lab.ok("erase --return-to service.jwks client.jwks");
    let shops = lab.ok("inspect --json service.jwks").json()["shops"].clone();
    assert_eq!((&shops["tokyo"]["issued"], &shops["tokyo@2"]["issued"]), (&json!(0), &json!(0)));
}

#[test]
fn keys_seal_only_from_and_until_their_dates() {
    for options in POOLS {
        let lab = lab(options);
        let before = order(&lab, "before");
        lab.ok(&format!("keys rotate --not-before {LATER} --shop-out half.jwks service.jwks"));
        lab.ok("keys merge half.jwks --into tokyo.jwks");
        let expected = json!({"tokyo": "retiring", "tokyo@2": "coming"});
        assert_eq!(stages(&lab, "service.jwks"), expected, "{options}");
        // Keys for later are handed out before, and do not seal until then.
        lab.ok("bundle client --keyring service.jwks --orders 2 -o early.jwks");
        lab.refused_with(4, "encrypt --bundle early.jwks", b"tea\n")
            .says(&["the keys of tokyo@2 may not seal before 2999"]);
        opens(&lab, &seal(&lab, "before"));
        lab.ok(&format!("keys rotate --expires {LONG_AGO} service.jwks"))
            .says(&["the keys expire at once"]);
        lab.refused(4, "bundle client --keyring service.jwks -o late.jwks")
            .says(&["the keys of tokyo@3 expired on 2001"]);
        opens(&lab, &before);
    }
}

#[test]
fn all_that_hands_out_uses_the_newest_generation() {
    for rotation in ["", "--not-before 2001-01-01", "--pool listed --orders 9"] {
        let lab = lab("-e 4 --pool derived --orders 50");
        lab.ok("keys admit alice service.jwks");
        lab.ok(&format!("keys rotate {rotation} service.jwks"));
        lab.ok("keys admit bob service.jwks");
        lab.ok("keys skip --orders 3 service.jwks");
        lab.ok("bundle client --keyring service.jwks --on-demand --orders 2 -o demand.jwks");
        lab.ok("bundle client --keyring service.jwks --orders 2 -o pool.jwks");
        for user in ["alice", "bob"] {
            lab.ok(&format!("bundle client --keyring service.jwks --user {user} -o {user}.jwks"));
        }
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
        for name in ["demand", "pool", "alice", "bob"] {
            let sealed = seal(&lab, name);
            assert_eq!(generation_of(&sealed), "tokyo@2", "{name}");
            opens(&lab, &sealed);
        }
    }
}

#[test]
fn who_was_revoked_at_the_shop_stays_so_in_later_generations() {
    let lab = lab("-e 4 --orders 5");
    lab.ok("keys admit alice bob service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
    lab.ok("keys revoke alice tokyo.jwks");
    lab.ok("keys rotate --shop-out half.jwks service.jwks");
    lab.ok("keys merge half.jwks --into tokyo.jwks");
    for (user, code) in [("alice", 4), ("bob", 0)] {
        lab.ok(&format!("bundle client --keyring service.jwks --user {user} -o {user}.jwks"));
        let run = lab.run("decrypt --bundle tokyo.jwks", &seal(&lab, user));
        assert_eq!(run.code, Some(code), "{user}: {}", run.stderr);
    }
    lab.refused(2, "bundle shop --keyring service.jwks -o tokyo.jwks --force");
    lab.ok("keys merge half.jwks --into tokyo.jwks --restore");
    opens(&lab, &seal(&lab, "alice"));
}

#[test]
fn what_the_service_erased_is_known_to_its_next_bundle() {
    for options in ["-e 2", "-e 4 --orders 5", "-e 4 --pool derived"] {
        let lab = lab(options);
        let first = order(&lab, "first");
        lab.ok("bundle shop --keyring service.jwks -o backup.jwks");
        lab.ok("keys rotate service.jwks");
        lab.ok("erase --generation tokyo service.jwks");
        lab.ok("erase --generation tokyo tokyo.jwks");
        lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
        assert_eq!(stages(&lab, "tokyo.jwks"), json!({"tokyo": "erased", "tokyo@2": "current"}));
        lab.ok("keys merge backup.jwks --into tokyo.jwks");
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &first);
    }
}

#[test]
fn merging_refuses_dates_that_cannot_be() {
    let lab = lab("-e 4 --pool derived --orders 100");
    lab.ok("keys split --orders 30 service.jwks -o second.jwks");
    lab.ok("keys rotate --expires 2030-01-01 --shop-out one.jwks service.jwks");
    lab.ok("keys rotate --not-before 2031-01-01 --shop-out two.jwks second.jwks");
    lab.ok("keys merge one.jwks --into tokyo.jwks");
    let before = lab.read("tokyo.jwks");
    lab.refused(4, "keys merge two.jwks --into tokyo.jwks").says(&["two.jwks", "tokyo@2"]);
    assert_eq!(lab.read("tokyo.jwks"), before);
}

#[test]
fn a_bundle_may_expire_before_its_keys() {
    let lab = lab(&format!("-e 4 --pool derived --expires {LATER}"));
    for (dates, why) in [
        (format!("--expires {LONG_AGO}"), Some("expired on 2001-01-01T00:00:00Z")),
        (format!("--not-before {LONG_AGO} --expires 2900-01-01"), None),
        ("--not-before 2998-12-31".to_owned(), Some("may not seal before 2998-12-31T00:00:00Z")),
    ] {
        lab.ok(&format!("bundle client --keyring service.jwks {dates} -o client.jwks --force"));
        let bytes = lab.read("client.jwks");
        let line = "encrypt --bundle client.jwks";
        match why {
            None => opens(&lab, &lab.ok_with(line, b"tea\n").stdout),
            Some(why) => {
                lab.refused_with(4, line, b"tea\n").says(&["client.jwks: the keys of tokyo", why]);
                lab.ok("keygen --alg A256GCM -o cek.jwk --force");
                lab.refused(4, "wrap --with client.jwks cek.jwk").says(&[why]);
                assert_eq!(lab.read("client.jwks"), bytes, "no id is used");
            }
        }
        // An older program must not overlook the dates.
        assert!(String::from_utf8(bytes).expect("JSON").contains(r#""version":4"#));
    }
    // It does not outlast its keys.
    lab.ok("bundle client --keyring service.jwks --expires 9998-01-01 -o client.jwks --force");
    let shown = lab.ok("inspect --json client.jwks").json();
    assert_eq!(shown["shops"]["tokyo"]["expires"], LATER);
    lab.refused(4, "bundle client --keyring service.jwks --not-before 9998-01-01 -o never.jwks")
        .says(&["would expire before they are valid"]);
    lab.refused(2, "bundle client --keyring service.jwks --expires soon -o never.jwks")
        .says(&["2027-01-31T12:00:00Z"]);
    let line = format!("keygen -e 2 --shop kobe --not-before {LATER} --expires {LATER}");
    lab.refused(2, &format!("{line} -o never.jwks")).says(&["--expires is not after"]);
}

#[test]
fn orders_under_expired_keys_open_with_a_warning_or_not_at_all() {
    for options in POOLS {
        let lab = lab(options);
        let sealed = order(&lab, "client");
        expire(&lab, "tokyo.jwks");
        let warned = lab.ok_with("decrypt --bundle tokyo.jwks", &sealed);
        assert_eq!(warned.stdout, b"tea\n");
        warned.says(&["the keys of tokyo expired on 2001-01-01T00:00:00Z; they opened 1 order"]);
        let line = "decrypt --bundle tokyo.jwks --expired refuse";
        lab.refused_with(4, line, &sealed).says(&["line 1: the keys of tokyo expired on"]);
        let line = format!("{line} --on-error skip --report skipped.ndjson");
        lab.refused_with(6, &line, &sealed);
        let skipped: Value = serde_json::from_slice(&lab.read("skipped.ndjson")).expect("JSON");
        assert_eq!(skipped["kind"], "key", "{options}");
    }
}

/// Makes the keys of a file expire long ago.
fn expire(lab: &Lab, file: &str) {
    let text = String::from_utf8(lab.read(file)).expect("JSON");
    let with = |version: &str| format!(r#""version":{version}"#);
    let (scheme, version) = (r#""scheme":{"#, ["1", "2"].map(with));
    let text = text.replace(scheme, &format!(r#""expires":"{LONG_AGO}",{scheme}"#));
    let text = version.iter().fold(text, |text, version| text.replace(version, &with("4")));
    lab.write(file, text.as_bytes());
}

#[test]
fn a_lone_key_has_dates_too() {
    let lab = Lab::new();
    lab.ok(&format!("keygen --alg A256KW --expires {LONG_AGO} -o old.jwk"))
        .says(&["the keys expire at once"]);
    lab.ok(&format!("keygen --alg A256KW --not-before {LATER} -o early.jwk"));
    lab.ok(&format!("keygen --alg A256KW --not-before {LONG_AGO} --expires {LATER} -o now.jwk"));
    lab.refused_with(4, "encrypt --key old.jwk", b"tea\n").says(&["expired on 2001-01-01"]);
    lab.refused_with(4, "encrypt --key early.jwk", b"tea\n").says(&["may not seal before 2999"]);
    let sealed = lab.ok_with("encrypt --key now.jwk", b"tea\n").stdout;
    assert_eq!(lab.ok_with("decrypt --key now.jwk", &sealed).stdout, b"tea\n");
    lab.ok_with("decrypt --key now.jwk --expired refuse", &sealed);
    let text = String::from_utf8(lab.read("now.jwk")).expect("JSON");
    lab.write("now.jwk", text.replace(LATER, "2002-01-01T00:00:00Z").as_bytes());
    lab.ok_with("decrypt --key now.jwk", &sealed).says(&["now.jwk: ", "expired on 2002-01-01"]);
    lab.refused_with(4, "decrypt --key now.jwk --expired refuse", &sealed);
}

#[test]
fn dates_that_are_none_are_refused_in_files() {
    let lab = lab("-e 2");
    let text = String::from_utf8(lab.read("tokyo.jwks")).expect("JSON");
    let scheme = r#""scheme":{"#;
    for (dates, why) in [
        (r#""expires":"tomorrow","#, "member \"expires\": expected a time as in"),
        (r#""expires":7,"#, "expires"),
        (
            r#""not_before":"2002-01-01","expires":"2001-01-01","#,
            "\"expires\" is not after \"not_before\"",
        ),
    ] {
        let text = text.replace(scheme, &format!("{dates}{scheme}"));
        lab.write("bad.jwks", text.replace(r#""version":1"#, r#""version":4"#).as_bytes());
        lab.refused(3, "inspect bad.jwks").says(&["shop tokyo", why]);
    }
}

#[test]
fn generations_have_names_that_nothing_else_has() {
    let lab = lab("-e 4 --orders 2");
    for line in [
        "keygen -e 2 --shop tokyo@2 -o other.jwks",
        "keys admit alice@2 service.jwks",
        "bundle client --keyring service.jwks --shop tokyo@2 -o client.jwks",
    ] {
        lab.refused(2, line);
    }
    // A bundle has generations of one shop.
    lab.ok("keys rotate service.jwks");
    lab.ok("bundle shop --keyring service.jwks -o tokyo.jwks --force");
    let text = String::from_utf8(lab.read("tokyo.jwks")).expect("JSON");
    for (to, why) in [
        ("osaka@2", "a shop file has one shop, found 2"),
        ("tokyo@1", "expected 1 to 64"),
        ("tokyo@02", "expected 1 to 64"),
    ] {
        lab.write("bad.jwks", text.replace("tokyo@2", to).as_bytes());
        lab.refused(3, "inspect bad.jwks").says(&[why]);
    }
}

#[test]
fn an_order_page_has_the_dates_and_the_generation_of_its_keys() {
    let lab = lab("-e 4 --orders 6");
    lab.ok(&format!("keys rotate --not-before {LONG_AGO} --expires {LATER} service.jwks"));
    lab.ok("bundle client --keyring service.jwks --form html --allow-shared-secret -o order.html");
    let page = String::from_utf8(lab.read("order.html")).expect("HTML");
    assert!(page.contains(r#""expires":"2999-01-01T00:00:00Z""#));
    assert!(page.contains(r#""not_before":"2001-01-01T00:00:00Z""#));
    assert!(page.contains("<title>tokyo</title>"));
    assert!(lab.ok("inspect order.html").text().contains("shop: tokyo@2\n"));
}

#[test]
fn options_that_do_not_apply_are_refused_and_unknown_sizes_asked_for() {
    let lab = lab("-e 2");
    for (option, words) in [
        ("--rsa-bits 2048", "--rsa-bits does not apply: the shop has no RSA keys"),
        ("--curve X25519", "the shop has no ECDH-ES keys"),
        ("--orders 5", "--orders does not apply: the shop has one key"),
        ("--pool listed", "--pool does not apply"),
    ] {
        lab.refused(2, &format!("keys rotate {option} service.jwks")).says(&[words]);
    }
    assert!(!stages(&lab, "service.jwks").as_object().unwrap().contains_key("tokyo@2"));

    let lab = self::lab("-e 6 --orders 2 --wrap ECDH-ES+A256KW --curve X25519");
    lab.ok("erase --keys service.jwks");
    let rotate = "keys rotate --orders 2 service.jwks";
    lab.refused(2, rotate).says(&["their size is not known", "--curve"]);
    lab.ok("keys rotate --orders 2 --curve X25519 service.jwks");
    let crv: Vec<_> = lab.json("service.jwks")["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["crv"].clone())
        .collect();
    assert_eq!(crv, ["X25519", "X25519"]);
}

#[test]
fn a_user_whose_key_was_erased_gets_none_in_the_next_generation() {
    let lab = lab("-e 4 --orders 2");
    lab.ok("keys admit alice bob service.jwks");
    lab.ok("erase service.jwks --kid tokyo/alice");
    lab.ok("keys rotate --orders 2 service.jwks");
    let file = lab.json("service.jwks");
    let kids = common::key_ids(&file);
    assert!(kids.contains(&"tokyo@2/bob".to_owned()), "{kids:?}");
    assert!(!kids.contains(&"tokyo@2/alice".to_owned()), "{kids:?}");
}

#[test]
fn the_next_pool_has_as_many_ids_as_the_last_one_was_made_with() {
    let lab = lab("-e 4 --orders 6");
    lab.ok("keys admit alice bob service.jwks");
    let kids = common::key_ids(&lab.json("service.jwks"));
    let ids: Vec<&String> = kids.iter().filter(|kid| kid.len() > "tokyo/alice".len()).collect();
    assert_eq!((kids.len(), ids.len()), (8, 6));
    lab.ok(&format!("erase service.jwks --kid {} {} tokyo/alice", ids[0], ids[5]));
    lab.ok("keys rotate service.jwks");
    let shops = lab.ok("inspect --json service.jwks").json()["shops"].clone();
    assert_eq!(shops["tokyo@2"]["unused"], 6);
}
