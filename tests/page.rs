//! `bundle client --form html`: what the page contains, and what is refused. `scripts/browser-test.sh`
//! runs the page in a browser.

mod common;

use std::fs;

use base64_simd::STANDARD;
use common::{Lab, key_ids};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384};

const BUNDLE: &str = "bundle client --keys service.jwks --form html -o order.html --force";

/// The text between two others.
#[track_caller]
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} after {before}")).0
}

/// A page with its parts.
struct OrderPage(String);

impl OrderPage {
    #[track_caller]
    fn make(lab: &Lab, options: &str) -> Self {
        lab.ok(&format!("{BUNDLE} --allow-shared-secret {options}"));
        Self(String::from_utf8(lab.read("order.html")).expect("a page is text"))
    }

    fn script(&self) -> &str {
        between(&self.0, "<script type=\"module\">", "</script>")
    }

    fn style(&self) -> &str {
        between(&self.0, "<style>", "</style>")
    }

    fn policy(&self) -> &str {
        between(&self.0, "Content-Security-Policy\" content=\"", "\"")
    }

    fn data(&self) -> Value {
        let data = between(&self.0, "id=\"delivered\">", "</script>");
        serde_json::from_str(data).expect("the data are JSON")
    }
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode_to_string(Sha256::digest(text)))
}

#[test]
fn the_policy_allows_this_script_this_style_and_the_shop() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    let page = OrderPage::make(&lab, "--on-demand --send-to https://shop.example/orders?from=page");
    let allowed = |directive: &str| {
        let found = page.policy().split("; ").find_map(|part| part.strip_prefix(directive));
        found.unwrap_or_else(|| panic!("no {directive}in {}", page.policy())).to_owned()
    };
    assert_eq!(allowed("script-src "), hash(page.script()));
    assert_eq!(allowed("style-src "), hash(page.style()));
    assert_eq!(allowed("connect-src "), "https://shop.example/orders");
    assert_eq!(allowed("default-src "), "'none'");
    assert_eq!(allowed("img-src "), "data:");
    assert_eq!(page.data()["send_to"], "https://shop.example/orders?from=page");

    let page = OrderPage::make(&lab, "--on-demand");
    assert!(page.policy().contains("connect-src 'none'"));
}

#[test]
fn the_page_names_no_other_address_and_has_no_inline_handler() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let page = OrderPage::make(&lab, "--send-to https://shop.example/orders");
    let others = page.0.replace("https://shop.example/orders", "");
    assert!(!others.contains("http://") && !others.contains("https://"), "an address of others");
    let markup = others.replace(page.script(), "").replace(page.style(), "");
    for handler in
        [" onclick", " onload", " onerror", " onsubmit", "javascript:", " src=", " style="]
    {
        assert!(!markup.contains(handler), "{handler} in the markup");
    }
    for construct in ["innerHTML", "eval(", "new Function", "import(", "document.write"] {
        assert!(!page.script().contains(construct), "{construct} in the script");
    }
}

#[test]
fn the_script_is_the_files_in_the_source_tree() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let page = OrderPage::make(&lab, "");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/protocol/page/program");
    let mut length = 0;
    // In the folder below is what only live pages have.
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for path in files.filter(|path| path.is_file()) {
        let source = fs::read_to_string(&path).unwrap();
        assert!(page.script().contains(&source), "{} is not in the script", path.display());
        length += source.len();
    }
    assert_eq!(page.script().len(), length, "there is more in the script");
    assert_eq!(page.style(), include_str!("../src/protocol/page/page.css"));
}

#[test]
fn pages_stay_small() {
    for keys in [
        "--embodiment 4",
        "--embodiment 6 --wrap ECDH-ES+A256KW --curve X25519",
        "--embodiment 6 --wrap ECDH-ES+A256KW --curve P-256",
    ] {
        let lab = Lab::with_keys(keys, 1);
        for orders in [1, 200] {
            let page = OrderPage::make(&lab, &format!("--orders {orders} --on-demand"));
            assert!(page.0.len() < 85_000, "{keys}, {orders} orders: {} bytes", page.0.len());
            assert_eq!(page.data()["keys"].as_array().unwrap().len(), orders);
        }
    }
}

#[test]
fn a_page_holds_the_coordinates_of_public_keys_on_curves() {
    for (curve, coordinates) in [("X25519", 1), ("P-256", 2), ("P-384", 2), ("P-521", 2)] {
        for options in [
            "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW",
            "--content direct --scope transaction --kind public --wrap ECDH-ES",
        ] {
            let lab = Lab::new();
            let shop = "--shop tokyo --orders 2 -o service.jwks";
            lab.ok(&format!("keygen {options} --curve {curve} {shop}"));
            let page = OrderPage::make(&lab, "");
            let service = lab.json("service.jwks");
            let keys = service["keys"].as_array().unwrap();
            assert!(keys.iter().all(|key| !page.0.contains(key["d"].as_str().unwrap())));
            let parts = &page.data()["keys"][0].as_array().unwrap()[1..].to_vec();
            assert_eq!(parts.len(), coordinates, "{curve}");
            let made = |key: &&Value| key["x"] == parts[0];
            let key = keys.iter().find(made).expect("the key of the page");
            assert_eq!(key.get("y"), parts.get(1), "{curve}");
        }
    }
}

#[test]
fn ids_in_a_page_are_recorded_as_issued() {
    let lab = Lab::with_keys("--embodiment 4", 4);
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 --into service.jwks");
    let before = lab.json("service.jwks")["orderseal"]["shops"]["tokyo"]["issued"].clone();
    let page = OrderPage::make(&lab, "--orders 2");
    let issued = lab.json("service.jwks")["orderseal"]["shops"]["tokyo"]["issued"].clone();
    assert_eq!(issued.as_array().unwrap().len(), before.as_array().unwrap().len() + 2);
    for key in page.data()["keys"].as_array().unwrap() {
        assert!(issued.as_array().unwrap().contains(&key[0]), "{} is not recorded", key[0]);
        assert!(!before.as_array().unwrap().contains(&key[0]), "{} was issued before", key[0]);
    }
    lab.refused(4, &format!("{BUNDLE} --orders 2")).says(&["1 unused transaction ids, 2 wanted"]);
}

#[test]
fn a_page_of_public_keys_holds_no_private_number() {
    let lab = Lab::with_keys("--embodiment 6 --rsa-bits 2048", 2);
    lab.ok("keygen --embodiment 6 --rsa-bits 2048 --shop tokyo --orders 1 --into service.jwks");
    let page = OrderPage::make(&lab, "");
    let service = lab.json("service.jwks");
    assert_eq!(key_ids(&service).len(), 3);
    for key in service["keys"].as_array().unwrap() {
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(!page.0.contains(key[member].as_str().unwrap()), "{member} is in the page");
        }
    }
    let modulus = page.data()["keys"][0][1].clone();
    assert!(service["keys"].as_array().unwrap().iter().any(|key| key["n"] == modulus));
}

#[test]
fn schemes_that_browsers_lack_are_refused_before_an_id_is_issued() {
    for (options, reason) in [
        ("--embodiment 4 --wrap A192GCMKW", "no page seals with A192GCMKW: Chromium"),
        ("--embodiment 4 --enc A192CBC-HS384", "no page seals with A192CBC-HS384: Chromium"),
        (
            "--embodiment 3 --enc DES-CBC-HS256 --allow-weak",
            "no page seals with DES-CBC-HS256: browsers do not have it",
        ),
        (
            "--embodiment 3 --enc VERNAM-HS256 --pad-bytes 1000 --allow-weak",
            "no page seals with VERNAM-HS256: browsers do not record",
        ),
    ] {
        let lab = Lab::new();
        lab.ok(&format!("keygen {options} --shop tokyo --orders 1 -o service.jwks"));
        let before = lab.read("service.jwks");
        lab.refused(4, &format!("{BUNDLE} --allow-weak")).says(&[reason]);
        assert_eq!(lab.read("service.jwks"), before);
        assert!(!lab.has("order.html"));
    }
}

#[test]
fn a_page_makes_chains_where_the_scheme_has_them() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    assert_eq!(OrderPage::make(&lab, "--on-demand").data().get("layers"), None);
    assert_eq!(OrderPage::make(&lab, "--on-demand --layers 3").data()["layers"], 3);
    assert_eq!(lab.ok("inspect --json order.html").json()["layers"], 3);
    for options in ["--embodiment 5 --rsa-bits 2048", "--embodiment 1 --enc A128GCM"] {
        let lab = Lab::with_keys(options, 1);
        lab.refused(2, &format!("{BUNDLE} --allow-shared-secret --layers 2")).says(&["chain"]);
        assert!(!lab.has("order.html"));
    }
}

#[test]
fn random_ivs_of_a_key_that_wraps_are_counted_in_the_page() {
    for (wrap, counted) in [("A256GCMKW", true), ("A128CBC-HS256KW", true), ("A256KW", false)] {
        let lab = Lab::with_keys(&format!("--embodiment 2 --wrap {wrap}"), 1);
        let page = OrderPage::make(&lab, "");
        assert_eq!(page.data()["budget"].is_u64(), counted, "{wrap}");
    }
}

#[test]
fn a_key_that_opens_all_orders_goes_into_a_page_only_if_asked() {
    let warning = "every visitor of this page gets the secret key of tokyo, which opens the orders \
                   of all its clients";
    for embodiment in 1..=2 {
        let lab = Lab::with_keys(&format!("--embodiment {embodiment}"), 1);
        let before = lab.read("service.jwks");
        lab.refused(2, BUNDLE).says(&[warning, "--allow-shared-secret"]);
        assert_eq!(lab.read("service.jwks"), before);
        assert!(!lab.has("order.html"));
        lab.ok(&format!("{BUNDLE} --allow-shared-secret"))
            .says(&[&format!("orderseal: warning: {warning}")]);
        assert_eq!(lab.ok(&format!("{BUNDLE} --allow-shared-secret --quiet")).stderr, "");
    }
    // A key of one transaction or of one user, and a public key, open nobody else's orders.
    for (options, client) in [
        ("--embodiment 3", "--on-demand"),
        ("--embodiment 4", "--on-demand"),
        ("--embodiment 4", "--user alice"),
        ("--embodiment 6 --rsa-bits 2048", "--on-demand"),
        ("--content hybrid --scope shop --kind public --rsa-bits 2048", ""),
    ] {
        let lab = Lab::with_keys(options, 1);
        if client.contains("alice") {
            lab.ok("keys admit alice service.jwks");
        }
        assert_eq!(lab.ok(&format!("{BUNDLE} {client}")).stderr, "", "{options}");
    }
}

#[test]
fn options_of_a_page_need_a_page_and_sensible_files() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("items.json", "[]");
    lab.write("fields.json", r#"[{"name":"items","label":"x"}]"#);
    lab.refused(2, "bundle client --keys service.jwks --items items.json -o x")
        .says(&["--form html"]);
    lab.refused(2, "bundle client --keys service.jwks --send-to https://a/ -o x")
        .says(&["--form html"]);
    lab.refused(2, "bundle client --keys service.jwks --allow-shared-secret -o x")
        .says(&["--allow-shared-secret goes with --form html"]);
    lab.refused(2, &format!("{BUNDLE} --send-to ftp://a/")).says(&["not an http or https address"]);
    lab.refused(3, &format!("{BUNDLE} --items items.json"))
        .says(&["items.json", "at least one item"]);
    lab.refused(3, &format!("{BUNDLE} --fields fields.json")).says(&["fields.json: field 1"]);
    assert!(!lab.has("order.html") && !lab.has("x"));
}

#[test]
fn a_page_replaces_none_of_the_files_that_it_is_made_from() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2 --into service.jwks");
    lab.ok("bundle page --keys service.jwks -o page.json");
    lab.write("items.json", r#"[{"id":1,"name":"Tea"}]"#);
    lab.write("fields.json", "[]");
    let before = lab.read("service.jwks");
    for (option, name) in
        [("--page", "page.json"), ("--items", "items.json"), ("--fields", "fields.json")]
    {
        let content = lab.read(name);
        for output in ["-o", "-o other --shop-out"] {
            lab.refused(
                2,
                &format!(
                    "bundle client --keys service.jwks --form html {option} {name} {output} {name} \
                     --force"
                ),
            )
            .says(&[name, "is both input and output"]);
        }
        assert_eq!(lab.read(name), content);
    }
    lab.refused(2, "bundle client --keys service.jwks --page page.json -o page.json --force")
        .says(&["page.json: is both input and output"]);
    assert_eq!(lab.read("service.jwks"), before, "no id was issued");
}

#[test]
fn what_shop_and_items_say_cannot_break_out_of_its_place() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let trick = r#"</script><script>alert(1)</script>{{script}}"#;
    let items = serde_json::json!({"title": trick, "items": [{"id": trick, "name": trick}]});
    lab.write("items.json", items.to_string());
    let page = OrderPage::make(&lab, "--items items.json");
    assert!(!page.0.contains("<script>alert"));
    assert_eq!(page.0.matches("<script").count(), 2);
    assert_eq!(page.data()["title"], trick);
    assert_eq!(page.data()["items"], items["items"]);
}

#[test]
fn the_items_of_an_item_page_are_the_pages_goods() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("items.json", r#"[{"id":1,"name":"緑茶","price":1280,"specification":"100 g"}]"#);
    lab.ok("bundle page --keys service.jwks --items items.json -o page.json");
    assert_eq!(lab.json("page.json")["items"], lab.json("items.json"));
    let page = OrderPage::make(&lab, "--page page.json");
    assert_eq!(
        page.data()["items"],
        serde_json::json!([{"id":1,"name":"緑茶","price":1280,"specification":"100 g"}])
    );
}

#[test]
fn members_of_items_that_nothing_shows_are_refused_with_their_place() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("items.json", r#"[{"id":1,"name":"Tea"},{"id":2,"name":"Cup","colour":"white"}]"#);
    let words = ["items.json: item 2: member \"colour\" has no effect here", "specification"];
    lab.refused(3, &format!("{BUNDLE} --on-demand --items items.json")).says(&words);
    lab.refused(3, "bundle page --keys service.jwks --items items.json -o page.json").says(&words);
    lab.write("items.json", r#"{"items":[{"id":1,"name":"Tea"}],"curency":"JPY"}"#);
    lab.refused(3, "bundle page --keys service.jwks --items items.json -o page.json")
        .says(&["items.json: member \"curency\" has no effect here"]);
    assert!(!lab.has("page.json") && !lab.has("order.html"));
}

#[test]
fn an_item_page_has_the_public_key_of_the_shop_if_asked() {
    let lab = Lab::new();
    let kind = "--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW --curve X25519";
    let service = "--service https://service.example/";
    lab.ok(&format!("keygen {kind} --shop tokyo {service} -o service.jwks"));
    lab.ok("keygen --embodiment 4 --shop osaka --orders 2 --into service.jwks");
    let before = lab.read("service.jwks");
    lab.ok("bundle page --keys service.jwks --shop tokyo --with-key -o page.json");
    let page = lab.json("page.json")["orderseal"].clone();
    assert_eq!((page.get("service"), page.get("service_key")), (None, None));
    lab.write("client.jwks", page["program"].to_string());
    lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\n").stdout;
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\n");
    let shown = lab.ok("inspect --json page.json").json();
    let program = serde_json::json!({"key": "tokyo", "alg": "ECDH-ES+A256KW", "enc": "A256GCM"});
    assert_eq!(shown["program"], program);
    // Nothing is recorded: everybody may have it.
    assert_eq!(lab.read("service.jwks"), before);

    let osaka = "bundle page --keys service.jwks --shop osaka --with-key -o osaka.json";
    lab.refused(2, osaka).says(&[
        "only a public key for all orders goes into an item page, and shop osaka has other keys \
         (hybrid transaction secret)",
        "hint: name the service with --service",
    ]);
    let both = "bundle page --keys service.jwks --shop tokyo --with-key -o osaka.json";
    lab.refused(2, &format!("{both} {service}")).says(&["--service"]);
    lab.refused(2, &format!("{both} --service-key page.json")).says(&["--service-key"]);
    assert!(!lab.has("osaka.json"));
}

#[test]
fn a_form_of_the_shop_has_its_script_beside_it() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2 -o service.jwks");
    lab.ok("bundle page --keys service.jwks --service https://service.example/ -o page.json");
    fs::create_dir(lab.path("public")).unwrap();
    let report = lab.ok("bundle form --json --page page.json -o public/order.html").json();
    let (name, integrity) =
        (report["script"].as_str().unwrap(), report["integrity"].as_str().unwrap());
    let text = |name| String::from_utf8(lab.read(name)).unwrap();
    let (html, script) = (text("public/order.html"), lab.read(name));
    let sha384 = STANDARD.encode_to_string(Sha384::digest(&script));
    assert_eq!(integrity, format!("sha384-{sha384}"));
    let tag = format!("src=\"{}\" integrity=\"{integrity}\"", name.trim_start_matches("public/"));
    assert!(html.contains(&tag), "{html}");
    assert_eq!(report["bytes"], script.len());

    // The script is there already; the form is not replaced by itself.
    let again = "bundle form --page page.json --lang ja -o public/order.html";
    lab.refused(2, again).says(&["public/order.html", "--force"]);
    lab.ok(&format!("{again} --force"));
    assert!(text("public/order.html").contains("<html lang=\"ja\">"));
    lab.ok("bundle form --page page.json --send-to https://shop.example/in -o public/other.html");
    // Somebody changed the script: its hash would not be that of its name.
    lab.write(name, "changed");
    lab.refused(2, "bundle form --page page.json -o public/third.html").says(&[name, "--force"]);
    assert!(!lab.has("public/third.html"));
    lab.ok("bundle form --page page.json -o public/third.html --force");
    assert_eq!(lab.read(name), script);

    lab.refused(2, "bundle form --page page.json -o -").says(&["the script is written beside"]);
    lab.refused(3, "bundle form --page service.jwks -o out.html").says(&["not an item page"]);
    lab.ok("bundle page --keys service.jwks -o alone.json");
    lab.refused(3, "bundle form --page alone.json -o out.html").says(&["service_key"]);
    let padded =
        "keygen --content hybrid --scope shop --kind public --wrap MH-KNAPSACK --allow-weak";
    lab.ok(&format!("{padded} --shop nara -o nara.jwks"));
    lab.ok("bundle page --allow-weak --keys nara.jwks --with-key -o nara.json");
    lab.refused(4, "bundle form --page nara.json -o out.html").says(&["MH-KNAPSACK"]);
    assert!(!lab.has("out.html"));
}

#[test]
fn inspect_tells_what_a_page_is_and_no_key_of_it() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("items.json", r#"[{"id":1,"name":"Tea","picture":"data:image/svg+xml,<svg/>"}]"#);
    let page = OrderPage::make(
        &lab,
        "--on-demand --orders 3 --items items.json --guided --send-to https://a.b/c?d",
    );
    let report = lab.ok("inspect --json order.html").json();
    let key_bytes = page.data()["keys"].to_string().len() - 1;
    assert_eq!(
        report,
        serde_json::json!({
            "kind": "order page", "shop": "tokyo", "alg": "A256KW", "enc": "A256GCM", "keys": 3,
            "orders": 3, "reusable": false, "guided": true, "erase": false, "items": 1,
            "send_to": "https://a.b/c?d", "bytes": page.0.len(), "key_bytes": key_bytes,
            "picture_bytes": r#""data:image/svg+xml,\u003csvg/>""#.len(),
        })
    );
    let text = lab.ok("inspect order.html").text();
    assert!(text.contains("kind: order page\n") && text.contains("orders: 3\n"), "{text}");
    for key in page.data()["keys"].as_array().unwrap() {
        for secret in key.as_array().unwrap() {
            assert!(!text.contains(secret.as_str().unwrap()), "{text}");
        }
    }

    let lab = Lab::with_keys("--embodiment 1", 1);
    let page = OrderPage::make(&lab, "");
    let report = lab.ok_with("inspect --json", &lab.read("order.html")).json();
    assert_eq!((&report["reusable"], &report["keys"]), (&true.into(), &1.into()));
    assert_eq!(report["orders"], page.data()["budget"]);
    assert_eq!((report.get("send_to"), report.get("items")), (None, None));
    lab.ok("erase order.html");
    assert!(!lab.has("order.html"));
}

#[test]
fn a_page_that_erases_takes_one_order_and_erases_all() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 --into service.jwks");
    let before = lab.read("service.jwks");
    for options in ["--orders 2 --erase", "--orders 2 --on-demand --erase=all"] {
        lab.refused(2, &format!("{BUNDLE} {options}")).says(&["that erases takes one order"]);
    }
    for what in ["keys", "programs"] {
        lab.refused(2, &format!("{BUNDLE} --erase={what}")).says(&[what, "erases all that it can"]);
    }
    assert_eq!(lab.read("service.jwks"), before);
    for options in ["--erase", "--erase=all --orders 1"] {
        assert_eq!(OrderPage::make(&lab, options).data()["erase"], true);
    }
    lab.ok("bundle client --keys service.jwks --erase=keys -o keys.jwks");
}

#[test]
fn ids_that_a_failed_write_loses_are_told() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    for form in ["jwks", "html"] {
        let bundle = format!("bundle client --keys service.jwks --on-demand --form {form}");
        // Nothing is lost where not a byte could be written.
        for outputs in ["-o /dev/full", "-o client2 --shop-out /dev/full"] {
            let run = lab.refused(1, &format!("{bundle} {outputs}"));
            run.says(&["error: /dev/full: cannot write"]);
            assert!(!run.stderr.contains("lost"), "{outputs}: {}", run.stderr);
            assert!(!lab.has("client2"));
        }
        // A reader may keep what it has read.
        let run = lab
            .shell(&format!("($ORDERSEAL {bundle} --orders 1000; echo code $? >&2) | head -c 10"));
        run.says(&[
            "error: stdout: ",
            "hint: 1000 transaction ids were recorded as issued and are lost; ask again",
            "code 1",
        ]);
    }
    // What can be asked for again is not lost.
    lab.ok("keys admit alice service.jwks");
    for options in ["--user alice", "--user alice --form html"] {
        let line = format!("bundle client --keys service.jwks {options} -o /dev/full");
        assert!(!lab.refused(1, &line).stderr.contains("lost"));
    }
}

#[test]
fn what_makes_a_page_large_is_told() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    let run = lab.ok(&format!("{BUNDLE} --on-demand --orders 1000"));
    run.says(&["warning: order.html: ", " kB without pictures: 1000 secret keys take 67 kB"]);
    assert_eq!(lab.ok(&format!("{BUNDLE} --on-demand --orders 1000 --quiet")).stderr, "");

    let goods = |picture: &str| {
        let item = |id| serde_json::json!({"id": id, "name": "茶".repeat(99), "picture": picture});
        Value::from_iter((0..300).map(item)).to_string()
    };
    lab.write("items.json", goods("data:image/png;base64,"));
    lab.ok(&format!("{BUNDLE} --on-demand --items items.json"))
        .says(&["warning: order.html: ", "the texts of its goods take "]);
    let picture = format!("data:image/svg+xml,{}", "<".repeat(9_000));
    lab.write(
        "items.json",
        serde_json::json!([{"id": 1, "name": "Tea", "picture": picture}]).to_string(),
    );
    let run = lab.ok(&format!("{BUNDLE} --on-demand --items items.json"));
    assert_eq!(run.stderr, "", "pictures are the shop's choice");
}

#[test]
fn a_field_may_have_a_name_that_scripts_know() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("fields.json", r#"[{"name":"constructor","label":"Built by"}]"#);
    let page = OrderPage::make(&lab, "--fields fields.json");
    let field = serde_json::json!(
        {"name": "constructor", "label": "Built by", "type": "text", "required": false}
    );
    assert_eq!(page.data()["fields"].as_array().unwrap().last(), Some(&field));
    let order = "{\"constructor\":\"me\"}\n".as_bytes();
    let sealed = lab.ok_with("encrypt --bundle client.jwks", order).stdout;
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, order);
}

#[test]
fn a_page_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::with_keys("--embodiment 2", 1);
    OrderPage::make(&lab, "");
    let mode = || lab.path("order.html").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    lab.keys("--embodiment 6 --rsa-bits 2048", 1);
    OrderPage::make(&lab, "--on-demand");
    assert_eq!(mode(), 0o600, "with public keys as well");
}
