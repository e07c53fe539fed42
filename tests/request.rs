//! Requests: what the order button sends to the service, and how the service answers.

mod common;

use common::{Lab, key_ids};
use serde_json::json;

/// A keyring of two shops, and tokyo's item page.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 1500 -o service.jwks");
    lab.ok("keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks");
    lab.ok("bundle page --keyring service.jwks --shop tokyo --service https://service.example/ -o page.json");
    lab
}

#[test]
fn the_flow_of_files_closes() {
    let lab = lab();
    lab.ok("bundle shop --keyring service.jwks --shop tokyo -o tokyo.jwks");
    lab.ok("request --page page.json --orders 3 -o request.json");
    lab.ok("bundle client --keyring service.jwks --request request.json -o client.jwks");
    let client = lab.json("client.jwks");
    let ids = key_ids(&client);
    assert!(ids.len() == 3 && ids.iter().all(|id| id.starts_with("tokyo/")), "{ids:?}");
    assert_eq!(client["orderseal"]["shops"]["tokyo"]["service"], "https://service.example/");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"tea\nrice\nmiso\n").stdout;
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"tea\nrice\nmiso\n");
}

#[test]
fn a_request_holds_what_the_button_sends_and_no_two_are_alike() {
    let lab = lab();
    lab.ok("request --page page.json --user alice -o request.json");
    let request = lab.json("request.json")["orderseal"].clone();
    assert_eq!(
        [
            &request["role"],
            &request["for"],
            &request["shop"],
            &request["user"],
            &request["service"]
        ],
        ["request", "program", "tokyo", "alice", "https://service.example/"]
    );
    let shown = lab.ok("inspect --json request.json").json();
    for member in ["shop", "service", "page", "user", "orders", "number"] {
        assert_eq!(shown[member], request[member], "{member}");
    }
    assert_eq!(shown["kind"], "request");
    // The page is named by its hash, as other software computes it.
    let hash =
        lab.shell("openssl dgst -sha256 -binary page.json | basenc --base64url -w0 | tr -d =");
    if hash.code == Some(0) && !hash.stdout.is_empty() {
        assert_eq!(request["page"], hash.text());
    }
    let again = lab.ok("request --page page.json --user alice").json();
    assert_ne!(again["orderseal"]["number"], request["number"]);
}

#[test]
fn the_page_names_an_address_and_a_request_and_no_command() {
    let lab = lab();
    let page = lab.json("page.json");
    assert_eq!(page["orderseal"]["request"], json!({"for": "program", "shop": "tokyo"}));
    assert!(!page.to_string().contains("bundle"), "{page}");
}

#[test]
fn what_anybody_may_ask_for_is_limited() {
    let lab = lab();
    let before = lab.read("service.jwks");
    lab.ok("request --page page.json --orders 1001 -o request.json");
    let line = "bundle client --keyring service.jwks --request request.json -o client.jwks";
    lab.refused(2, line).says(&[
        "request.json: asks for 1001 orders, more than 1000",
        "hint: hand out as many with --most-orders",
    ]);
    assert_eq!((lab.read("service.jwks"), lab.has("client.jwks")), (before, false));
    lab.ok(&format!("{line} --most-orders 1001"));
    assert_eq!(key_ids(&lab.json("client.jwks")).len(), 1001);
    // More than the pool has left is refused as ever.
    lab.refused(4, &format!("{line} --most-orders 1001 --force"));
}

#[test]
fn the_id_of_a_user_is_handed_out_only_if_the_user_was_admitted() {
    let lab = lab();
    lab.ok("request --page page.json --user alice -o request.json");
    let line = "bundle client --keyring service.jwks --request request.json -o alice.jwks";
    lab.refused(4, line).says(&["user alice was not admitted to shop tokyo"]);
    lab.ok("keys admit alice --shop tokyo service.jwks");
    lab.refused(2, &format!("{line} --on-demand"));
    lab.ok(line);
    assert_eq!(key_ids(&lab.json("alice.jwks")), ["tokyo/alice"]);
}

#[test]
fn requests_and_command_lines_do_not_mix_and_other_files_are_refused() {
    let lab = lab();
    lab.ok("request --page page.json -o request.json");
    let line = "bundle client --keyring service.jwks --request request.json -o client.jwks";
    for option in ["--shop tokyo", "--page page.json", "--orders 2", "--user alice"] {
        lab.refused(2, &format!("{line} {option}"));
    }
    lab.refused(2, "bundle client --keyring service.jwks --shop tokyo --most-orders 5 -o c.jwks");
    lab.refused(2, "request --page page.json --user alice --orders 2");
    let of =
        |file: &str| format!("bundle client --keyring service.jwks --request {file} -o c.jwks");
    lab.refused(3, &of("page.json")).says(&[
        "page.json: not a request: found the role \"page\", expected \"request\"",
        "hint: a request comes from `orderseal request --page`",
    ]);
    lab.refused(3, "request --page request.json")
        .says(&["found the role \"request\", expected \"page\""]);
    lab.refused(3, "encrypt --bundle request.json").says(&["found a request for a program"]);
    let request = lab.json("request.json");
    for (member, value) in [
        ("orders", json!(0)),
        ("orders", json!("5")),
        ("number", json!("AAAA")),
        ("page", json!("!")),
        ("shop", json!("../tokyo")),
        ("for", json!("page")),
        ("version", json!(2)),
        ("user", json!(7)),
    ] {
        let mut wrong = request.clone();
        wrong["orderseal"][member] = value;
        lab.write("wrong.json", wrong.to_string());
        lab.refused(3, &of("wrong.json")).says(&["wrong.json: not a request: "]);
        lab.refused(3, "inspect wrong.json").says(&["wrong.json: not a request: "]);
    }
    // A shop that the keyring does not have.
    let mut other = request.clone();
    other["orderseal"]["shop"] = json!("kyoto");
    lab.write("other.json", other.to_string());
    lab.refused(4, &of("other.json")).says(&["kyoto"]);
    assert!(!lab.has("c.jwks"));
}
