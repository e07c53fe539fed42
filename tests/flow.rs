//! Orders go from a client to a shop and come back as they were: every embodiment, several shops,
//! any number of threads, pipes, and batches that are cut and joined.

mod common;

use common::{EDGES, FIXTURE, Lab, header, kids, lines, orders, seal};

/// Options of `keygen`, the expected `alg`, whether every order has an id of its own, and how many
/// orders to send: few where each costs an RSA key pair.
const SCHEMES: [(&str, &str, bool, usize); 8] = [
    ("--embodiment 1", "dir", false, 40),
    ("--embodiment 2", "A256KW", false, 40),
    ("--embodiment 3", "dir", true, 40),
    ("--embodiment 4", "A256KW", true, 40),
    ("--embodiment 5 --rsa-bits 2048", "dir", true, 6),
    ("--embodiment 6 --rsa-bits 2048", "RSA-OAEP-256", true, 6),
    ("--content direct --scope shop --kind public --rsa-bits 2048", "dir", false, 10),
    ("--content hybrid --scope shop --kind public --rsa-bits 2048", "RSA-OAEP-256", false, 40),
];

#[test]
fn every_scheme_returns_the_orders_at_one_thread_and_two() {
    for (options, alg, own_ids, count) in SCHEMES {
        let lab = Lab::with_keys(options, count);
        lab.ok("encrypt --threads 2 --bundle client.jwks orders.ndjson -o sealed.jwe");
        for threads in [1, 2] {
            let opened =
                lab.ok(&format!("decrypt --threads {threads} --bundle tokyo.jwks sealed.jwe"));
            assert_eq!(opened.stdout, orders(count), "{options}, {threads} threads");
        }
        let sealed = lab.read("sealed.jwe");
        let text = std::str::from_utf8(&sealed).expect("sealed lines are text");
        assert!(text.lines().all(|line| header(line)["alg"] == alg), "{options}");
        let mut ids = kids(&sealed);
        assert_eq!(ids.len(), count, "{options}: one line an order");
        ids.sort();
        ids.dedup();
        if own_ids {
            assert_eq!(ids.len(), count, "{options}: an id for each order");
            assert!(ids.iter().all(|id| is_transaction_id(id, "tokyo")), "{options}: {ids:?}");
        } else {
            assert_eq!(ids, ["tokyo"], "{options}");
        }
    }
}

/// `SHOP/` and 16 lower-case hexadecimal digits.
fn is_transaction_id(kid: &str, shop: &str) -> bool {
    let id = kid.strip_prefix(shop).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    id.len() == 16 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn direct_rsa_is_named_by_its_content_encryption() {
    let lab = Lab::with_keys("--embodiment 5 --rsa-bits 2048", 2);
    let sealed = seal(&lab, b"\n0123456789\n");
    for line in &sealed {
        assert_eq!(header(line)["enc"], "RSA-OAEP-256-BOUND-BLOCKS");
        let parts: Vec<_> = line.split('.').collect();
        assert_eq!(parts.len(), 5);
        assert_eq!((parts[1], parts[4]), ("", ""), "no encrypted key, no tag");
        assert_eq!(common::base64url_decode(parts[2]).len(), 16);
        assert_eq!(
            common::base64url_decode(parts[3]).len(),
            256,
            "one block even for an empty order"
        );
    }
}

#[test]
fn an_embodiment_is_the_same_as_its_three_choices() {
    for (number, choices) in [
        (1, "--content direct --scope shop --kind secret"),
        (2, "--content hybrid --scope shop --kind secret"),
        (3, "--content direct --scope transaction --kind secret"),
        (4, "--content hybrid --scope transaction --kind secret"),
    ] {
        let schemes = [format!("--embodiment {number}"), choices.to_owned()].map(|options| {
            let lab = Lab::with_keys(&options, 1);
            lab.json("service.jwks")["orderseal"]["shops"]["tokyo"]["scheme"].clone()
        });
        assert!(schemes[0].is_object());
        assert_eq!(schemes[0], schemes[1], "embodiment {number}");
    }
}

#[test]
fn several_shops_share_a_service_in_every_embodiment() {
    for embodiment in 1..=6 {
        let lab = Lab::new();
        let options = if embodiment > 4 { "--rsa-bits 2048 --orders 2" } else { "--orders 8" };
        let count = if embodiment > 4 { 2 } else { 8 };
        lab.ok(&format!("keygen --embodiment {embodiment} {options} --shop tokyo -o service.jwks"));
        lab.ok(&format!(
            "keygen --embodiment {embodiment} {options} --shop osaka --into service.jwks"
        ));
        lab.write("orders.ndjson", orders(count));
        for shop in ["tokyo", "osaka"] {
            lab.ok(&format!("bundle shop --keys service.jwks --shop {shop} -o {shop}.jwks"));
            lab.ok(&format!("bundle client --keys service.jwks --shop {shop} --orders {count} -o client-{shop}.jwks"));
            lab.ok(&format!("encrypt --bundle client-{shop}.jwks orders.ndjson -o {shop}.jwe"));
            assert!(
                kids(&lab.read(&format!("{shop}.jwe"))).iter().all(|kid| kid.starts_with(shop))
            );
        }
        let both = [lab.read("tokyo.jwe"), lab.read("osaka.jwe")].concat();
        let opened = lab.ok_with("decrypt --bundle tokyo.jwks --bundle osaka.jwks", &both);
        assert_eq!(opened.stdout, orders(count).repeat(2), "embodiment {embodiment}");

        // Each shop opens its own and names the first line that is not its own.
        assert_eq!(lab.ok("decrypt --bundle osaka.jwks osaka.jwe").stdout, orders(count));
        let run = lab.refused_with(4, "decrypt --bundle tokyo.jwks", &both);
        run.says(&[&format!("stdin: line {}", count + 1), "osaka"]);
        let shop = String::from_utf8(lab.read("tokyo.jwks")).unwrap();
        assert!(
            !shop.contains("osaka"),
            "embodiment {embodiment}: a shop's file holds nothing of another shop"
        );
    }
}

#[test]
fn shops_of_one_service_may_differ_in_scheme() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 5 -o service.jwks");
    lab.ok("keygen --embodiment 1 --shop osaka --into service.jwks");
    lab.ok("bundle client --keys service.jwks --shop osaka --orders 5 -o client.jwks");
    lab.ok("bundle shop --keys service.jwks --shop osaka -o osaka.jwks");
    let sealed = lab.ok_with("encrypt --bundle client.jwks", &orders(5));
    assert_eq!(lab.ok_with("decrypt --bundle osaka.jwks", &sealed.stdout).stdout, orders(5));
    // The service holds every key and may open as well.
    assert_eq!(lab.ok_with("decrypt --bundle service.jwks", &sealed.stdout).stdout, orders(5));
}

#[test]
fn all_the_orders_of_the_project_in_order_at_any_number_of_threads() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    lab.write("orders.ndjson", FIXTURE);
    for (sealing, opening) in [(1, 2), (2, 1), (7, 3)] {
        lab.ok(&format!(
            "encrypt --threads {sealing} --bundle client.jwks orders.ndjson -o sealed.jwe --force"
        ));
        let opened = lab.ok(&format!("decrypt --threads {opening} --bundle tokyo.jwks sealed.jwe"));
        assert_eq!(opened.stdout, FIXTURE);
    }
}

#[test]
fn every_content_encryption_and_key_wrap_returns_the_orders() {
    for enc in ["A256GCM", "A192GCM", "A128GCM", "A256CBC-HS512", "A192CBC-HS384", "A128CBC-HS256"]
    {
        for (wrap, alg) in [
            ("", "A256KW"),
            ("--wrap A128KW", "A128KW"),
            ("--wrap A192KW", "A192KW"),
            ("--wrap A256GCMKW", "A256GCMKW"),
            ("--wrap A192GCMKW", "A192GCMKW"),
            ("--wrap A128GCMKW", "A128GCMKW"),
        ] {
            let lab = Lab::with_keys(&format!("--embodiment 4 --enc {enc} {wrap}"), 8);
            let sealed = seal(&lab, &orders(8));
            let head = header(&sealed[0]);
            assert_eq!((head["enc"].as_str(), head["alg"].as_str()), (Some(enc), Some(alg)));
            let opened =
                lab.ok_with("decrypt --bundle tokyo.jwks", (sealed.join("\n") + "\n").as_bytes());
            assert_eq!(opened.stdout, orders(8), "{alg} {enc}");
        }
        let lab = Lab::with_keys(&format!("--embodiment 3 --enc {enc}"), 8);
        let sealed = lab.ok_with("encrypt --bundle client.jwks", &orders(8));
        assert_eq!(
            lab.ok_with("decrypt --bundle tokyo.jwks", &sealed.stdout).stdout,
            orders(8),
            "dir {enc}"
        );
    }
}

#[test]
fn input_and_output_may_be_files_dashes_or_left_out() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let batch = orders(12);
    lab.write("orders.ndjson", &batch);
    for (line, input) in [
        ("encrypt --bundle client.jwks", &batch[..]),
        ("encrypt --bundle client.jwks -", &batch[..]),
        ("encrypt --bundle client.jwks - -o -", &batch[..]),
        ("encrypt --bundle client.jwks orders.ndjson -o -", b""),
    ] {
        lab.write("sealed.jwe", lab.ok_with(line, input).stdout);
        for (line, input) in [
            ("decrypt --bundle tokyo.jwks sealed.jwe", Vec::new()),
            ("decrypt --bundle tokyo.jwks - -o -", lab.read("sealed.jwe")),
        ] {
            assert_eq!(lab.ok_with(line, &input).stdout, batch, "{line}");
        }
    }
    let piped = lab.shell("$ORDERSEAL encrypt --bundle client.jwks < orders.ndjson | $ORDERSEAL decrypt --bundle tokyo.jwks");
    assert_eq!((piped.code, piped.stdout, piped.stderr.as_str()), (Some(0), batch, ""));
}

#[test]
fn batches_can_be_cut_and_joined_anywhere() {
    let lab = Lab::with_keys("--embodiment 4", 60);
    let batch = orders(60);
    let pieces: Vec<Vec<u8>> = [0..7, 7..8, 8..60]
        .map(|range| {
            lines(&batch)
                .skip(range.start)
                .take(range.len())
                .flat_map(|line| [line, b"\n"].concat())
                .collect()
        })
        .into();
    let sealed: Vec<u8> = pieces
        .iter()
        .flat_map(|piece| lab.ok_with("encrypt --bundle client.jwks", piece).stdout)
        .collect();
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, batch);

    lab.write("sealed.jwe", &sealed);
    let script = "split -l 11 sealed.jwe part- && for part in part-*; do $ORDERSEAL decrypt --bundle tokyo.jwks $part || exit; done";
    assert_eq!(lab.shell(script).stdout, batch);
}

#[test]
fn an_order_is_any_bytes_without_a_line_feed() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let every_byte: Vec<u8> = (0..=255).filter(|&byte| byte != b'\n').chain(*b"\n").collect();
    let long = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    let edges = EDGES.join(&b'\n');
    let edges = [&edges[..], b"\n"].concat();
    for batch in [b"".to_vec(), b"\n".to_vec(), b"\n\n\n".to_vec(), every_byte, long, edges] {
        let sealed = lab.ok_with("encrypt --bundle client.jwks", &batch).stdout;
        assert_eq!(lines(&sealed).count(), lines(&batch).count());
        assert!(
            lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout == batch,
            "{} bytes",
            batch.len()
        );
    }
}

#[test]
fn a_last_order_without_a_line_feed_gets_one() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo").stdout;
    assert!(sealed.ends_with(b"\n"));
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", &sealed).stdout, b"one\ntwo\n");
    let unended = sealed.strip_suffix(b"\n").unwrap();
    assert_eq!(lab.ok_with("decrypt --bundle tokyo.jwks", unended).stdout, b"one\ntwo\n");
}

#[test]
fn count_is_another_word_for_orders() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 3 --shop tokyo --count 3 -o service.jwks");
    assert_eq!(common::key_ids(&lab.json("service.jwks")).len(), 3);
}

#[test]
fn a_client_gets_one_id_by_default_and_the_only_shop_need_not_be_named() {
    let lab = Lab::new();
    lab.ok("keygen --embodiment 4 --shop tokyo --orders 3 -o service.jwks");
    lab.ok("bundle client --keys service.jwks -o client.jwks");
    assert_eq!(common::key_ids(&lab.json("client.jwks")).len(), 1);
    lab.ok("keygen --embodiment 4 --shop osaka --orders 3 --into service.jwks");
    lab.refused(2, "bundle client --keys service.jwks -o other.jwks").says(&["--shop"]);
}

#[test]
fn failing_lines_can_be_skipped_and_reported() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let mut sealed = seal(&lab, &orders(8));
    let last = sealed[2].pop().map(|c| if c == 'A' { 'Q' } else { 'A' }).unwrap();
    sealed[2].push(last);
    sealed[5] = "not a sealed line".to_owned();
    lab.write("sealed.jwe", sealed.join("\n") + "\n");

    lab.refused(5, "decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson")
        .says(&["sealed.jwe: line 3: authentication failed"]);
    assert!(!lab.has("opened.ndjson"));

    let run = lab.run("decrypt --bundle tokyo.jwks --on-error skip --report report.ndjson sealed.jwe -o opened.ndjson", b"");
    assert_eq!(run.code, Some(6), "{}", run.stderr);
    let batch = orders(8);
    let good = lines(&batch).enumerate().filter(|(number, _)| ![2, 5].contains(number));
    let good: Vec<u8> = good.flat_map(|(_, line)| [line, b"\n"].concat()).collect();
    assert_eq!(lab.read("opened.ndjson"), good);
    let report: Vec<serde_json::Value> = lines(&lab.read("report.ndjson"))
        .map(|line| serde_json::from_slice(line).expect("JSON lines"))
        .collect();
    assert_eq!(report.iter().map(|row| row["line"].clone()).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(report[0]["kid"], "tokyo");
}

#[test]
fn check_writes_counts_by_kid_and_no_order() {
    let lab = Lab::with_keys("--embodiment 2", 1);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", &orders(9)).stdout;
    let run = lab.ok_with("decrypt --check --json --bundle tokyo.jwks", &sealed);
    assert!(run.json().to_string().contains("\"tokyo\":9"), "{}", run.text());
    let cut = &sealed[..sealed.len() - 5];
    lab.refused_with(3, "decrypt --check --bundle tokyo.jwks", cut);
}

#[test]
fn once_refuses_a_transaction_that_comes_twice() {
    let lab = Lab::with_keys("--embodiment 4", 3);
    let sealed = lab.ok_with("encrypt --bundle client.jwks", b"one\ntwo\nthree\n").stdout;
    assert_eq!(
        lab.ok_with("decrypt --once --bundle tokyo.jwks", &sealed).stdout,
        b"one\ntwo\nthree\n"
    );
    let first = lines(&sealed).next().unwrap();
    let repeated = [&sealed, first, b"\n"].concat();
    assert_eq!(
        lab.ok_with("decrypt --bundle tokyo.jwks", &repeated).stdout,
        b"one\ntwo\nthree\none\n"
    );
    lab.refused_with(7, "decrypt --once --bundle tokyo.jwks", &repeated).says(&["line 4"]);
}
