//! The variants of the system: where ids come from, how keys are delivered and chained, how the
//! program runs, and the steps taken one by one.

mod common;

use std::collections::BTreeSet;

use common::{Lab, header, key_ids, kids, lines, orders, seal};

#[test]
fn step_by_step_a_content_key_travels_wrapped() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.write("orders.ndjson", orders(30));
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    lab.ok("encrypt --key cek.jwk orders.ndjson -o body.jwe");
    lab.ok("wrap --with client.jwks cek.jwk -o cek.jwe");
    lab.ok("decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk");
    lab.ok("decrypt --key cek2.jwk body.jwe -o opened.ndjson");
    assert_eq!(lab.read("opened.ndjson"), orders(30));
    assert_eq!(lab.json("cek2.jwk")["k"], lab.json("cek.jwk")["k"]);
    assert_eq!(lines(&lab.read("cek.jwe")).count(), 1);
    let wrapped = String::from_utf8(lab.read("cek.jwe")).unwrap();
    assert_eq!(header(&wrapped)["cty"], "jwk+json");
    let body = String::from_utf8(lab.read("body.jwe")).unwrap();
    let head = header(body.lines().next().unwrap());
    assert_eq!(
        head,
        serde_json::json!({"alg": "dir", "enc": "A256GCM"}),
        "no kid unless the key has one"
    );
}

#[test]
fn a_wrapped_key_among_orders_is_refused() {
    let lab = Lab::with_keys("--embodiment 4", 2);
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let order = lab.ok_with("encrypt --bundle client.jwks", b"order\n").stdout;
    let wrapped = lab.ok("wrap --with client.jwks cek.jwk").stdout;
    let run = lab.refused_with(3, "decrypt --bundle tokyo.jwks", &[order, wrapped].concat());
    run.says(&["line 2"]);
    let secret = lab.json("cek.jwk")["k"].as_str().unwrap().to_owned();
    assert!(!run.text().contains(&secret));
}

#[test]
fn one_key_encrypts_without_a_bundle() {
    let lab = Lab::new();
    for (alg, options, expected) in [
        ("A256GCM", "", "dir A256GCM"),
        ("A128GCM", "", "dir A128GCM"),
        ("A192GCM", "", "dir A192GCM"),
        ("aes-192-gcm", "", "dir A192GCM"),
        ("A128CBC-HS256", "", "dir A128CBC-HS256"),
        ("A192CBC-HS384", "", "dir A192CBC-HS384"),
        ("A256CBC-HS512", "", "dir A256CBC-HS512"),
        ("A256KW", "", "A256KW A256GCM"),
        ("A128KW", "--enc A128CBC-HS256", "A128KW A128CBC-HS256"),
        ("A256GCMKW", "--enc A128GCM", "A256GCMKW A128GCM"),
        ("A128GCMKW", "", "A128GCMKW A256GCM"),
        ("A192KW", "--enc A256CBC-HS512", "A192KW A256CBC-HS512"),
        ("A192GCMKW", "", "A192GCMKW A256GCM"),
        ("RSA-OAEP-256", "", "RSA-OAEP-256 A256GCM"),
        ("RSA-OAEP", "", "RSA-OAEP A256GCM"),
        ("RSA-OAEP-384", "", "RSA-OAEP-384 A256GCM"),
        ("RSA-OAEP-512", "--enc A256CBC-HS512", "RSA-OAEP-512 A256CBC-HS512"),
    ] {
        let bits = if alg.starts_with("RSA") { "--rsa-bits 2048" } else { "" };
        lab.ok(&format!("keygen --alg {alg} {bits} -o key.jwk --force"));
        let named = expected.trim_start_matches("dir ").split(' ').next().unwrap();
        assert_eq!(lab.json("key.jwk")["alg"], named);
        let sealed = lab.ok_with(&format!("encrypt --key key.jwk {options}"), &orders(7)).stdout;
        let head = header(std::str::from_utf8(&sealed).unwrap());
        assert_eq!(
            format!("{} {}", head["alg"].as_str().unwrap(), head["enc"].as_str().unwrap()),
            expected
        );
        assert_eq!(lab.ok_with("decrypt --key key.jwk", &sealed).stdout, orders(7), "{alg}");
    }
}

#[test]
fn a_kid_given_to_one_key_stands_in_the_header() {
    let lab = Lab::new();
    lab.ok("keygen --alg A256KW --kid osaka/7 -o key.jwk");
    let sealed = lab.ok_with("encrypt --key key.jwk", b"one\n").stdout;
    assert_eq!(kids(&sealed), ["osaka/7"]);
    assert_eq!(lab.ok_with("decrypt --key key.jwk", &sealed).stdout, b"one\n");
}

#[test]
fn on_demand_the_shop_gets_its_half_with_the_request() {
    for options in ["--embodiment 3", "--embodiment 4", "--embodiment 6 --rsa-bits 2048"] {
        let lab = Lab::new();
        lab.ok(&format!("keygen {options} --shop tokyo --orders 2 -o service.jwks"));
        lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks");
        lab.ok("bundle client --keys service.jwks --shop tokyo --on-demand --shop-out half.jwks -o client.jwks");
        let client = key_ids(&lab.json("client.jwks"));
        assert_eq!(client.len(), 1);
        assert_eq!(
            client,
            key_ids(&lab.json("half.jwks")),
            "the shop's half holds what was made for this request"
        );
        assert!(!key_ids(&lab.json("tokyo.jwks")).contains(&client[0]));

        let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\n").stdout;
        lab.refused_with(4, "decrypt --bundle tokyo.jwks", &sealed).says(&["line 1", &client[0]]);
        assert_eq!(
            lab.ok_with("decrypt --bundle tokyo.jwks --bundle half.jwks", &sealed).stdout,
            b"one\n"
        );
        assert_eq!(lab.ok_with("decrypt --bundle half.jwks", &sealed).stdout, b"one\n");
    }
}

#[test]
fn a_user_id_is_reusable_and_admitted_by_presence() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2 -o service.jwks");
    lab.ok("bundle shop --keys service.jwks --shop tokyo -o before.jwks");
    lab.ok("keys admit alice --shop tokyo service.jwks");
    lab.ok("bundle client --keys service.jwks --shop tokyo --user alice -o alice.jwks");
    lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks");
    for _ in 0..2 {
        let sealed = lab.ok_with("encrypt --bundle alice.jwks", &orders(9)).stdout;
        assert!(kids(&sealed).iter().all(|kid| kid == "tokyo/alice"));
        assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, orders(9));
        lab.refused_with(4, "decrypt --bundle before.jwks", &sealed).says(&["tokyo/alice"]);
    }
    // The same user again gets the same key, not a second one.
    lab.ok("bundle client --keys service.jwks --shop tokyo --user alice -o again.jwks");
    assert_eq!(lab.json("again.jwks")["keys"], lab.json("alice.jwks")["keys"]);
}

#[test]
fn what_was_issued_to_one_client_is_not_issued_to_another() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 6 -o service.jwks");
    let mut issued = BTreeSet::new();
    for name in ["a.jwks", "b.jwks", "c.jwks"] {
        lab.ok(&format!("bundle client --keys service.jwks --shop tokyo --orders 2 -o {name}"));
        issued.extend(key_ids(&lab.json(name)));
    }
    assert_eq!(issued.len(), 6);
    lab.refused(4, "bundle client --keys service.jwks --shop tokyo -o d.jwks").says(&["tokyo"]);
    assert!(!lab.has("d.jwks"));
}

#[test]
fn keys_can_be_wrapped_in_layers() {
    for options in
        ["--embodiment 2", "--embodiment 4 --wrap A256GCMKW", "--embodiment 6 --rsa-bits 2048"]
    {
        for layers in [1, 2, 3, 16] {
            let lab = Lab::new();
            lab.ok(&format!("keygen {options} --shop tokyo --orders 1 -o service.jwks"));
            lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks");
            lab.ok(&format!("bundle client --keys service.jwks --layers {layers} -o client.jwks"));
            let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\n").stdout;
            let head = header(std::str::from_utf8(&sealed).unwrap());
            if layers == 1 {
                assert!(head.get("chain").is_none() && head.get("crit").is_none());
            } else {
                assert_eq!(head["chain"].as_array().map(Vec::len), Some(layers - 1), "{options}");
                assert_eq!(head["crit"], serde_json::json!(["chain"]));
            }
            assert_eq!(
                lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout,
                b"one\n",
                "{options}, {layers} layers"
            );
        }
        let lab = Lab::new();
        lab.ok(&format!("keygen {options} --shop tokyo --orders 1 -o service.jwks"));
        for layers in [0, 17] {
            lab.refused(
                2,
                &format!("bundle client --keys service.jwks --layers {layers} -o client.jwks"),
            );
        }
    }
}

#[test]
fn a_wrapped_key_may_have_layers() {
    let lab = Lab::with_keys("--embodiment 4", 1);
    lab.ok("keygen --alg A256GCM -o cek.jwk");
    let wrapped = lab.ok("wrap --with client.jwks --layers 3 cek.jwk").stdout;
    assert_eq!(
        header(std::str::from_utf8(&wrapped).unwrap())["chain"].as_array().map(Vec::len),
        Some(2)
    );
    lab.write("cek.jwe", wrapped);
    lab.ok("decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk");
    assert_eq!(lab.json("cek2.jwk")["k"], lab.json("cek.jwk")["k"]);
}

#[test]
fn a_typed_text_is_the_source_of_the_content_keys() {
    let lab = Lab::with_keys("--embodiment 4", 8);
    lab.write("phrase.txt", "ein gänzlich erfundener Satz\n");
    let sealed = lab
        .ok_with("encrypt --bundle client.jwks --typed-key phrase.txt", b"same\nsame\nother\n")
        .stdout;
    assert_eq!(
        lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout,
        b"same\nsame\nother\n",
        "the shop needs no text"
    );
    let text = String::from_utf8(sealed).unwrap();
    assert!(text.lines().all(|line| header(line).get("crit").is_none()), "not critical");
    assert!(!text.contains("gänzlich"));
    let numbers =
        text.lines().flat_map(|line| header(line).to_string().into_bytes()).collect::<Vec<_>>();
    assert!(String::from_utf8(numbers).unwrap().contains("600000"), "rounds stand in the header");
}

#[test]
fn a_typed_text_of_fewer_than_12_characters_is_refused() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    let line = "encrypt --bundle client.jwks --typed-key phrase.txt -o out";
    for (text, characters) in [
        ("", 0),
        ("\n", 0),
        ("plumblossom", 11),
        ("  plum bloss \n", 10),
        ("梅の花が咲いた頃の朝", 10),
    ] {
        lab.write("phrase.txt", text);
        let found = format!(
            "the typed communication key has {characters} characters, expected at least 12"
        );
        lab.refused_with(2, line, b"order\n").says(&[&found]);
    }
    for text in ["plum blossom", "plum blossom\n", "梅の花が咲いた頃の朝の雨"] {
        lab.write("phrase.txt", text);
        lab.ok_with(&format!("{line} --force"), b"order\n");
    }
}

#[test]
fn numbers_of_items_keep_their_digits() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    let numbers = ["1.10", "0.1", "1280.50", "12"];
    let item =
        |(id, price): (usize, &&str)| format!(r#"{{"id":{id},"name":"tea","price":{price}}}"#);
    let items: Vec<String> = numbers.iter().enumerate().map(item).collect();
    lab.write("items.json", format!("[{}]", items.join(",")));
    lab.ok("bundle page --keys service.jwks --items items.json -o page.json");
    let page = String::from_utf8(lab.read("page.json")).unwrap();
    let price = |line: &'_ str| {
        line.trim().strip_prefix("\"price\": ").map(|price| price.trim_end_matches(',').to_owned())
    };
    let found: Vec<String> = page.lines().filter_map(price).collect();
    assert_eq!(found, numbers);
    lab.ok("bundle client --keys service.jwks --page page.json --on-demand -o other.jwks");
}

#[test]
fn the_item_page_tells_the_client_shop_and_service() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o service.jwks");
    lab.ok("keygen --embodiment 4 --shop osaka --orders 3 --into service.jwks");
    lab.ok("bundle page --keys service.jwks --shop tokyo --service https://service.example/request -o page.json");
    let page = lab.json("page.json").to_string();
    assert!(page.contains("tokyo") && page.contains("https://service.example/request"), "{page}");
    assert!(!page.contains("osaka") && !page.contains("\"k\""), "{page}");
    lab.ok("bundle client --keys service.jwks --page page.json -o client.jwks");
    assert!(key_ids(&lab.json("client.jwks"))[0].starts_with("tokyo/"));
}

#[test]
fn each_form_of_delivery_to_the_shop_decrypts_alone() {
    let lab = Lab::with_keys("--embodiment 4", 5);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", &orders(5)).stdout;
    for form in ["program", "key", "built-in"] {
        lab.ok(&format!(
            "bundle shop --keys service.jwks --shop tokyo --form {form} -o {form}.jwks"
        ));
        let opened = lab.ok_with(&format!("decrypt --bundle {form}.jwks"), &sealed).stdout;
        assert_eq!(opened, orders(5), "{form}");
    }
    assert_eq!(lab.read("program.jwks"), lab.read("tokyo.jwks"), "program is the default");
    assert!(lab.json("key.jwks")["orderseal"].get("program").is_none());
    let mut built_in = lab.json("built-in.jwks");
    assert_eq!(built_in["orderseal"]["program"]["built_in"].as_array().map(Vec::len), Some(5));

    // A program with built-in keys refuses any other.
    built_in["orderseal"]["program"]["built_in"] = serde_json::json!(["tokyo/0000000000000000"]);
    lab.write("other.jwks", built_in.to_string());
    assert_ne!(lab.run("decrypt --bundle other.jwks", &sealed).code, Some(0));
}

#[test]
fn the_program_is_the_scheme_as_steps() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 1 --shop tokyo -o direct.jwks");
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 2 -o hybrid.jwks");
    lab.ok("bundle client --keys direct.jwks -o direct-client.jwks");
    lab.ok("bundle client --keys hybrid.jwks --erase -o hybrid-client.jwks");
    let steps = |name: &str| lab.json(name)["orderseal"]["program"]["steps"].clone();
    assert_eq!(steps("direct-client.jwks"), serde_json::json!(["seal", "send"]));
    assert_eq!(
        steps("hybrid-client.jwks"),
        serde_json::json!(["generate", "seal", "wrap", "send", "erase"])
    );
}

#[test]
fn a_guided_run_explains_each_step_and_waits() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    lab.ok("bundle shop --keys service.jwks --shop tokyo -o tokyo.jwks --force");
    let run = lab.ok_with(
        "encrypt --guided --bundle client.jwks orders.ndjson -o sealed.jwe",
        b"\n\n\n\n\n\n\n\n",
    );
    run.says(&["generate", "seal", "wrap", "send"]);
    assert_eq!(lab.ok("decrypt --bundle tokyo.jwks sealed.jwe").stdout, orders(3));
}

#[test]
fn a_guided_run_can_be_stopped_before_anything_is_sent() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o service.jwks");
    lab.ok("bundle client --guided --keys service.jwks --orders 3 -o client.jwks");
    lab.write("orders.ndjson", orders(3));
    for answers in [&b"q\n"[..], b"\nq\n", b"", b"\n"] {
        let run = lab.run("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe", answers);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(!lab.has("sealed.jwe"), "stopped after {answers:?}");
    }
    // What was not sent has used no id.
    lab.ok_with("encrypt --bundle client.jwks orders.ndjson -o sealed.jwe", b"\n\n");
    assert_eq!(lines(&lab.read("sealed.jwe")).count(), 3);
}

#[test]
fn only_the_public_half_leaves_with_inspect() {
    let lab = Lab::with_keys("--embodiment 6 --rsa-bits 2048", 2);
    let public = lab.ok("inspect --public service.jwks").json();
    assert_eq!(public["keys"].as_array().map(Vec::len), Some(2));
    assert!(public.get("orderseal").is_none(), "a plain JWK Set");
    for set in [&public, &lab.json("client.jwks")] {
        for key in set["keys"].as_array().unwrap() {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(
                members.iter().all(|name| !["d", "p", "q", "dp", "dq", "qi"].contains(name)),
                "{members:?}"
            );
        }
    }
    // There is nothing public about a secret key.
    let secret = Lab::with_keys("--embodiment 4", 1);
    let run = secret.run("inspect --public service.jwks", b"");
    assert!(!run.text().contains("\"k\""));
}

#[test]
fn one_cipher_encrypts_order_and_key() {
    let lab = Lab::with_keys("--embodiment 2 --enc A256GCM --wrap A256GCMKW", 1);
    let head = header(&seal(&lab, b"one\n")[0]);
    assert_eq!((&head["alg"], &head["enc"]), (&"A256GCMKW".into(), &"A256GCM".into()));
    assert_eq!(common::base64url_decode(head["iv"].as_str().unwrap()).len(), 12);
    assert_eq!(common::base64url_decode(head["tag"].as_str().unwrap()).len(), 16);
}

#[test]
fn the_simulation_chains_keys_where_that_is_possible() {
    let lab = Lab::new();
    let report = lab.ok("simulate --layers 3 --json").json();
    assert_eq!(report["embodiments"].as_array().map(Vec::len), Some(9));
    lab.refused(2, "simulate --embodiment 5 --layers 3").says(&["no chain"]);
}

#[test]
fn the_item_page_may_come_by_a_pipe_for_an_order_page() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.ok("bundle page --keys service.jwks -o page.json");
    let make = "bundle client --keys service.jwks --page - --form html --allow-shared-secret -o order.html";
    lab.ok_with(make, &lab.read("page.json"));
}

#[test]
fn the_simulation_holds_and_repeats() {
    let lab = Lab::new();
    let line = "simulate --embodiment all --rsa-bits 2048 --shops 2 --clients 1 --orders 1 --seed 42 --json";
    let first = lab.ok(line);
    first.json();
    assert_eq!(first.text(), lab.ok(line).text());
    lab.ok("simulate --embodiment 4 --shops 2 --clients 2 --orders 2 --seed 1 --faults --json")
        .json();
}
